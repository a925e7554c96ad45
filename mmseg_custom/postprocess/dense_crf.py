"""The dense CRF: probabilities that follow the edges in the photo."""

import math
from dataclasses import dataclass, field, fields
from functools import lru_cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from mmseg_custom.utils import UserError

from .crf_input import checked_input
from .keep_components import keep_components
from .work_arrays import WorkArrays, WorkArraysPool

BACKENDS = ('numba', 'pydensecrf')
PARAMETERS = (
    'gaussian_sxy',
    'gaussian_weight',
    'bilateral_sxy',
    'bilateral_srgb',
    'bilateral_weight',
    'iterations',
)


@dataclass(frozen=True)
class DenseCrf:
    """Mean-field inference in a fully connected CRF with Potts compatibility.

    Reference: Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian
    Edge Potentials" (NeurIPS 2011). Both backends give the same masks (at least 99.9 % of the
    pixels). 'numba' is faster: it keeps the lattice of pixel positions from photo to photo, and
    evaluates a pixel again only when its messages have changed enough to change its marginals. Its
    work releases the GIL, and several threads may call one object at the same time.

    Attributes:
        gaussian_sxy: Standard deviation of the smoothness kernel in pixels, above 0.
        gaussian_weight: Its weight; 0 leaves it out.
        bilateral_sxy: Standard deviation of the appearance kernel in pixels, above 0.
        bilateral_srgb: Its standard deviation in color levels (0..255), above 0.
        bilateral_weight: Its weight; 0 leaves it out.
        iterations: Mean-field steps at most; fewer are taken when nothing changes any more.
        keep_small: Components that would be erased are kept where their class has this mean
            probability or more (:func:`~mmseg_custom.postprocess.keep_components`); None: none is.
        backend: 'numba', or 'pydensecrf' for the original implementation.

    Raises:
        UserError: A value is out of its range.
    """

    gaussian_sxy: float = 3.0
    gaussian_weight: float = 3.0
    bilateral_sxy: float = 80.0
    bilateral_srgb: float = 13.0
    bilateral_weight: float = 10.0
    iterations: int = 10
    keep_small: float | None = None
    backend: str = 'numba'
    _pool: WorkArraysPool = field(
        default_factory=WorkArraysPool, init=False, repr=False, compare=False
    )

    def __post_init__(self):
        for name, value in self.settings().items():
            fault = self._fault(name, value)
            if fault:
                raise UserError(f'DenseCRF: {name}={value!r}: {fault}')

    def settings(self) -> dict[str, Any]:
        """Return the attributes as plain data, which ``DenseCrf(**settings)`` takes."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    @staticmethod
    def _fault(name: str, value: object) -> str | None:
        if name == 'backend':
            return None if value in BACKENDS else f'choose one of {", ".join(BACKENDS)}'
        if name == 'keep_small' and value is None:
            return None
        if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
            return 'has to be a finite number'
        if name == 'iterations' and not isinstance(value, Integral):
            return 'has to be a whole number'
        if name in ('gaussian_sxy', 'bilateral_sxy', 'bilateral_srgb'):
            return None if float(value) > 0 else 'a standard deviation is above 0'
        return None if float(value) >= 0 else 'has to be 0 or more'

    def __call__(
        self, photo: np.ndarray, probabilities: np.ndarray, background: int | None = None
    ) -> np.ndarray:
        """Refine the probabilities of one photo.

        Args:
            photo: ``(H, W, 3)`` uint8 RGB.
            probabilities: ``(C, H, W)``, 0..1, summing to 1 over the classes. Lower ones than
                1e-5 count as 1e-5, as in pydensecrf.
            background: Label whose components ``keep_small`` does not keep; None: it keeps any.

        Returns:
            np.ndarray: ``(C, H, W)`` float32, 0..1, summing to 1 over the classes.

        Raises:
            UserError: An argument has another shape, type or range, both have different sizes, or
                the backend is not installed.
        """
        photo, probabilities = checked_input(photo, probabilities)
        infer = self._infer_pydensecrf if self.backend == 'pydensecrf' else self._infer_numba
        refined = infer(photo, probabilities)
        if self.keep_small is not None:
            keep_components(probabilities, refined, self.keep_small, background)
        return refined

    def _infer_pydensecrf(self, photo: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        from .pydensecrf_backend import infer

        values = {name: getattr(self, name) for name in PARAMETERS}
        return infer(photo, probabilities, **values)

    def _infer_numba(self, photo: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        try:
            from .mean_field import MeanField
        except ImportError:
            raise UserError('DenseCRF needs Numba: pip install -e ".[crf]"') from None
        flat = probabilities.reshape(len(probabilities), -1)
        with self._pool.borrow() as arrays:
            field = MeanField(flat, self._kernels(photo, arrays), arrays)
            for _ in range(self.iterations):
                if field.step() == 0:
                    break
            refined = np.zeros_like(flat)
            field.write_marginals(refined)
        return refined.reshape(probabilities.shape)

    def _kernels(self, photo: np.ndarray, arrays: WorkArrays) -> list:
        """Return weight and lattice of each kernel that has a weight."""
        from .permutohedral import PermutohedralLattice

        height, width = photo.shape[:2]
        kernels = []
        if self.gaussian_weight > 0:
            lattice = _lattice_of_positions(height, width, self.gaussian_sxy)
            kernels.append((self.gaussian_weight, lattice))
        if self.bilateral_weight > 0:
            features = arrays.empty((height, width, 5), np.float32)
            _write_positions(features, self.bilateral_sxy)
            np.divide(photo, np.float32(self.bilateral_srgb), out=features[..., 2:])
            room = sum(lattice.offsets.shape[1] for _, lattice in kernels)
            lattice = PermutohedralLattice(features.reshape(-1, 5), room, arrays.empty)
            # The first: the other's corners are copied into its arrays.
            kernels.insert(0, (self.bilateral_weight, lattice))
        return kernels


@lru_cache(maxsize=2)
def _lattice_of_positions(height: int, width: int, deviation: float):
    from .permutohedral import PermutohedralLattice

    features = np.empty((height, width, 2), np.float32)
    _write_positions(features, deviation)
    return PermutohedralLattice(features.reshape(-1, 2))


def _write_positions(features: np.ndarray, deviation: float) -> None:
    height, width = features.shape[:2]
    features[..., 0] = np.arange(width, dtype=np.float32) / np.float32(deviation)
    features[..., 1] = np.arange(height, dtype=np.float32)[:, None] / np.float32(deviation)
