"""The dense CRF: probabilities that follow the edges in the photo."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mmseg_custom.utils import UserError

from .keep_components import keep_components

# Mean square of the change of a step after which no pixel moves any more.
UNCHANGED = 1e-8


@dataclass(frozen=True)
class DenseCrf:
    """Mean-field inference in a fully connected CRF with Potts compatibility.

    Reference: Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian
    Edge Potentials" (NeurIPS 2011). Gives what pydensecrf gives with the same kernels, several
    times faster: the lattice of pixel positions is kept from photo to photo, classes that nobody
    believes in any more are dropped on the way, and of the others one follows from the rest.
    Several threads may call one object at the same time; its work releases the GIL.

    Attributes:
        gaussian_sxy: Standard deviation in pixels of the kernel that smooths.
        gaussian_weight: Its weight; 0 leaves it out.
        bilateral_sxy: Standard deviation in pixels of the kernel that follows the colours.
        bilateral_srgb: Its standard deviation in colour levels (0..255).
        bilateral_weight: Its weight; 0 leaves it out.
        iterations: Mean-field steps at most; fewer are taken when nothing changes any more.
        keep_small: Components that would be erased are kept where their class has this mean
            probability or more (:func:`~mmseg_custom.postprocess.keep_components`); None: none is.
    """

    gaussian_sxy: float = 3.0
    gaussian_weight: float = 3.0
    bilateral_sxy: float = 80.0
    bilateral_srgb: float = 13.0
    bilateral_weight: float = 10.0
    iterations: int = 10
    keep_small: float | None = None

    def __post_init__(self):
        for name in ('gaussian_sxy', 'bilateral_sxy', 'bilateral_srgb'):
            if not getattr(self, name) > 0:
                raise UserError(f'{name}={getattr(self, name)}: a width is above 0')
        for name in ('gaussian_weight', 'bilateral_weight', 'iterations'):
            if not getattr(self, name) >= 0:
                raise UserError(f'{name}={getattr(self, name)}: is 0 or more')

    def __call__(
        self, photo: np.ndarray, probabilities: np.ndarray, background: int | None = None
    ) -> np.ndarray:
        """Refine the probabilities of one photo.

        Args:
            photo: ``(H, W, 3)`` uint8 RGB.
            probabilities: ``(C, H, W)`` float, 0..1, summing to 1 over the classes.
            background: Label whose components ``keep_small`` does not keep; None: it keeps any.

        Returns:
            np.ndarray: ``(C, H, W)`` float32, 0..1, summing to 1 over the classes.

        Raises:
            UserError: The two have different sizes, or Numba is missing.
        """
        if probabilities.shape[1:] != photo.shape[:2]:
            raise UserError(
                f'the probabilities are {probabilities.shape[1:]} pixels, the photo is '
                f'{photo.shape[:2]}: they belong to different photos'
            )
        flat = probabilities.reshape(len(probabilities), -1).astype(np.float32, copy=False)
        field = self._infer(photo, flat)
        refined = np.zeros_like(flat)
        field.write_marginals(refined)
        whole = refined.reshape(probabilities.shape)
        if self.keep_small is not None:
            keep_components(probabilities, whole, self.keep_small, background)
        return whole

    def _infer(self, photo: np.ndarray, flat: np.ndarray):
        try:
            from .mean_field import MeanField
        except ImportError:
            raise UserError('DenseCRF needs Numba: pip install -e ".[crf]"') from None
        field = MeanField(flat, self._kernels(photo))
        for _ in range(self.iterations):
            if len(field.kept) == 1 or field.step() < UNCHANGED:
                break
        return field

    def _kernels(self, photo: np.ndarray) -> list:
        """Return each kernel's weight and lattice."""
        height, width = photo.shape[:2]
        positions = _positions(height, width, self.bilateral_sxy)
        colours = photo.reshape(-1, 3) / np.float32(self.bilateral_srgb)
        return [
            (self.gaussian_weight, _lattice_of_positions(height, width, self.gaussian_sxy)),
            (self.bilateral_weight, _lattice(np.hstack([positions, colours]))),
        ]


@lru_cache(maxsize=2)
def _lattice_of_positions(height: int, width: int, deviation: float):
    return _lattice(_positions(height, width, deviation))


def _positions(height: int, width: int, deviation: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x.ravel(), y.ravel()], axis=1) / np.float32(deviation)


def _lattice(features: np.ndarray):
    from .permutohedral import PermutohedralLattice

    return PermutohedralLattice(features)
