import builtins
import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.prediction.crf_tuning import RANGES
from mmseg_custom.utils import UserError

pytestmark = pytest.mark.slow  # compiles the CRF

dcrf = pytest.importorskip('pydensecrf.densecrf')


def plain(photo, probabilities, crf):
    count, height, width = probabilities.shape
    field = dcrf.DenseCRF2D(width, height, count)
    energy = -np.log(np.clip(probabilities, 1e-5, 1)).reshape(count, -1)
    field.setUnaryEnergy(np.ascontiguousarray(energy, dtype=np.float32))
    field.addPairwiseGaussian(sxy=crf.gaussian_sxy, compat=crf.gaussian_weight)
    field.addPairwiseBilateral(
        sxy=crf.bilateral_sxy,
        srgb=crf.bilateral_srgb,
        rgbim=np.ascontiguousarray(photo),
        compat=crf.bilateral_weight,
    )
    return np.array(field.inference(crf.iterations)).reshape(probabilities.shape)


def scene(seed, height=96, width=128, classes=11, sharpness=4.0):
    """A photo of colored patches and probabilities that see them blurred, moved and noisy."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    for label in rng.choice(np.arange(1, classes), 3, replace=False):
        center = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(8, 30)), int(rng.integers(8, 30)))
        cv2.ellipse(labels, center, axes, 0, 0, 360, int(label), -1)
    colors = rng.integers(0, 256, (classes, 3))
    noise = rng.normal(0, 12, (height, width, 3))
    photo = np.clip(colors[labels] + noise, 0, 255).astype(np.uint8)
    moved = np.roll(labels, 3, axis=1)
    seen = [cv2.GaussianBlur((moved == k).astype(np.float32), (0, 0), 4) for k in range(classes)]
    logits = sharpness * np.stack(seen) + rng.normal(0, 0.4, (classes, height, width))
    exp = np.exp(logits)
    return photo, (exp / exp.sum(0)).astype(np.float32), labels


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize(
    'crf',
    [
        DenseCrf(),
        DenseCrf(1.5, 5, 30, 25, 4, 4),
        DenseCrf(gaussian_weight=0),
        DenseCrf(bilateral_weight=0),
    ],
)
def test_agrees_with_pydensecrf(seed, crf):
    photo, probabilities, _ = scene(seed, sharpness=3 + seed)
    expected, found = plain(photo, probabilities, crf), crf(photo, probabilities)
    assert (expected.argmax(0) == found.argmax(0)).mean() >= 0.999
    assert np.abs(expected - found).mean() < 2e-3
    assert np.allclose(found.sum(0), 1, atol=1e-4)


def test_one_step_equals_pydensecrf_closely():
    photo, probabilities, _ = scene(3, classes=4)
    crf = DenseCrf(iterations=1)
    assert np.allclose(plain(photo, probabilities, crf), crf(photo, probabilities), atol=1e-4)


def test_agrees_on_real_photos(real_sample):
    paths = sorted(real_sample.glob('batch_01/*.jpg'))[:4]
    agreement = []
    for seed, path in enumerate(paths):
        photo = cv2.imread(str(path))[..., ::-1]
        _, probabilities, _ = scene(seed, *photo.shape[:2], sharpness=6)
        expected = plain(photo, probabilities, DenseCrf())
        agreement.append((expected.argmax(0) == DenseCrf()(photo, probabilities).argmax(0)).mean())
    assert np.mean(agreement) >= 0.999


def test_moves_the_edges_to_those_of_the_photo():
    photo, probabilities, labels = scene(1, sharpness=6)
    before = (probabilities.argmax(0) == labels).mean()
    assert (DenseCrf()(photo, probabilities).argmax(0) == labels).mean() > before


def test_a_photo_of_one_class_stays_what_it_is():
    probabilities = np.zeros((11, 20, 30), np.float32)
    probabilities[4] = 1
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    assert np.array_equal(DenseCrf()(photo, probabilities), probabilities)


def test_no_iteration_changes_nothing():
    photo, probabilities, _ = scene(0, classes=4)
    assert np.allclose(DenseCrf(iterations=0)(photo, probabilities), probabilities, atol=1e-6)


def test_several_threads_may_share_it():
    scenes = [scene(seed)[:2] for seed in range(4)]
    crf = DenseCrf()
    alone = [crf(*one) for one in scenes]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: crf(*one), scenes * 3))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 3, together, strict=True))


@pytest.mark.parametrize('values', [{}, dict(gaussian_weight=0), dict(bilateral_weight=0)])
def test_what_is_kept_from_photo_to_photo_changes_nothing(values):
    crf = DenseCrf(**values)
    sizes = [(40, 60, 5), (70, 90, 21), (31, 47, 2), (40, 60, 5), (70, 90, 3)]
    for seed, (height, width, classes) in enumerate(sizes):
        photo, probabilities = noise(seed, height, width, classes)
        expected = DenseCrf(**values)(photo, probabilities)
        assert np.array_equal(crf(photo, probabilities), expected)
        assert np.array_equal(expected, crf(photo, probabilities)), 'its own memory is used again'


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda crf: pickle.loads(pickle.dumps(crf))])
def test_a_copy_of_one_that_has_worked_shares_no_memory(copied):
    photo, probabilities, _ = scene(0, 30, 40, 4)
    crf = DenseCrf(bilateral_weight=5)
    first = crf(photo, probabilities)
    other = copied(crf)
    assert other == crf and repr(other) == repr(crf) and hash(other) == hash(crf)
    assert np.array_equal(other(photo, probabilities), first)
    assert other._pool is not crf._pool


def test_gigabytes_are_not_kept(monkeypatch):
    from mmseg_custom.postprocess import work_arrays

    photo, probabilities, _ = scene(0, 30, 40, 4)
    crf = DenseCrf()
    first = crf(photo, probabilities)
    (arrays,) = crf._pool._idle
    assert arrays._buffers
    monkeypatch.setattr(work_arrays, 'MOST_KEPT', 1000)
    assert np.array_equal(crf(photo, probabilities), first)
    assert not arrays._buffers


def test_a_small_sure_object_is_kept_on_demand():
    photo = np.full((64, 64, 3), 120, np.uint8)
    probabilities = np.full((3, 64, 64), 0.05, np.float32)
    probabilities[0] = 0.9
    probabilities[:, 10:13, 10:13] = np.array([0.1, 0.8, 0.1])[:, None, None]
    probabilities[:, 40:43, 40:43] = np.array([0.3, 0.2, 0.5])[:, None, None]
    assert not DenseCrf()(photo, probabilities).argmax(0).any()
    kept = DenseCrf(keep_small=0.6)(photo, probabilities, 0).argmax(0)
    expected = np.zeros((64, 64), int)
    expected[10:13, 10:13] = 1
    assert np.array_equal(kept, expected)


def test_says_what_is_wrong():
    photo, probabilities, _ = scene(0)
    with pytest.raises(UserError, match='different photos'):
        DenseCrf()(photo[1:], probabilities)
    with pytest.raises(UserError, match='bilateral_srgb=0'):
        DenseCrf(bilateral_srgb=0)
    with pytest.raises(UserError, match='iterations=-1'):
        DenseCrf(iterations=-1)
    with pytest.raises(UserError, match='larger standard deviations'):
        DenseCrf(bilateral_srgb=0.001)(photo, probabilities)


def agreement(photo, probabilities, crf):
    expected, found = plain(photo, probabilities, crf), crf(photo, probabilities)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-6
    assert np.allclose(found.sum(0), 1, atol=1e-4)
    return (expected.argmax(0) == found.argmax(0)).mean()


def noise(seed, height, width, classes, spread=1.0):
    rng = np.random.default_rng(seed)
    probabilities = 0.5 + spread * (rng.random((classes, height, width)) - 0.5)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    return photo, (probabilities / probabilities.sum(0)).astype(np.float32)


LOWEST = DenseCrf(**{name: low for name, (low, _) in RANGES.items()})
HIGHEST = DenseCrf(**{name: high for name, (_, high) in RANGES.items()})
HEAVY = [DenseCrf(gaussian_weight=10, bilateral_weight=20)]
HEAVY += [DenseCrf(gaussian_weight=30, bilateral_weight=30)]


@pytest.mark.parametrize('crf', [LOWEST, HIGHEST, *HEAVY])
@pytest.mark.parametrize('classes', [2, 5, 21])
def test_agrees_at_the_ends_of_the_tuning_range(crf, classes):
    photo, probabilities, _ = scene(classes, 100, 120, max(classes, 5))
    kept = probabilities[:classes] / probabilities[:classes].sum(0)
    assert agreement(photo, kept, crf) >= 0.999
    assert agreement(photo, noise(classes, 100, 120, classes)[1], crf) >= 0.999


@settings(max_examples=40, derandomize=True,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(
    values=st.fixed_dictionaries(
        {name: st.floats(low, high) for name, (low, high) in RANGES.items()}
    ),
    iterations=st.integers(1, 10),
    classes=st.integers(1, 150),
    size=st.tuples(st.integers(30, 60), st.integers(30, 60)),
    seed=st.integers(0, 99),
    spread=st.sampled_from([0.1, 0.5, 1.0]),
    blurred=st.booleans(),
)
def test_agrees_with_pydensecrf_over_the_tuning_range(
    values, iterations, classes, size, seed, spread, blurred
):
    photo, probabilities = noise(seed, *size, classes, spread)
    if blurred:
        photo = cv2.GaussianBlur(photo, (0, 0), 4)
    crf = DenseCrf(**values, iterations=iterations)
    assert agreement(photo, probabilities, crf) >= 0.999


def test_small_changes_of_many_pixels_are_not_lost_to_rounding():
    photo, _, _ = scene(0, 256, 256)
    assert agreement(photo, noise(0, 256, 256, 11)[1], DenseCrf()) >= 0.999


def test_agrees_where_most_classes_are_below_a_hundredth():
    photo, probabilities, _ = scene(0, classes=150, sharpness=0.5)
    assert probabilities.max() < 0.05
    assert agreement(photo, probabilities, HEAVY[0]) >= 0.999


@pytest.mark.parametrize('backend', ['numba', 'pydensecrf'])
@pytest.mark.parametrize('shape', [(1, 1, 1), (1, 7, 5), (5, 1, 1), (2, 1, 9), (150, 3, 2)])
@pytest.mark.parametrize('value', [0, 1e-3, 1])
def test_equal_probabilities_stay_equal(backend, shape, value):
    photo = np.zeros((*shape[1:], 3), np.uint8)
    refined = DenseCrf(backend=backend)(photo, np.full(shape, value, np.float32))
    assert np.allclose(refined, 1 / shape[0], atol=1e-6)
    assert not refined.argmax(0).any()


@pytest.mark.parametrize('backend', ['numba', 'pydensecrf'])
def test_any_memory_layout_and_number_type_gives_the_same(backend):
    photo, probabilities, _ = scene(0, 30, 40, 4)
    probabilities = probabilities.astype(np.float16)
    crf = DenseCrf(backend=backend)
    expected = crf(photo, probabilities.astype(np.float32))
    reversed_photo = np.ascontiguousarray(photo[..., ::-1])[..., ::-1]
    last = np.ascontiguousarray(probabilities.transpose(1, 2, 0)).transpose(2, 0, 1)
    for given_photo in (photo, reversed_photo, np.asfortranarray(photo)):
        for dtype in (np.float16, np.float32, np.float64):
            assert np.array_equal(crf(given_photo, last.astype(dtype)), expected)


PHOTO, SURE = np.zeros((4, 5, 3), np.uint8), np.full((2, 4, 5), 0.5, np.float32)


@pytest.mark.parametrize('backend', ['numba', 'pydensecrf'])
@pytest.mark.parametrize(
    'photo, probabilities, message',
    [
        (PHOTO[..., 0], SURE, 'the photo is'),
        (PHOTO[..., :2], SURE, 'the photo is'),
        (PHOTO / 255.0, SURE, 'the photo is'),
        (PHOTO.astype(np.int64), SURE, 'the photo is'),
        (PHOTO, SURE[0], 'the probabilities are'),
        (PHOTO, SURE.astype(complex), 'the probabilities are'),
        (PHOTO, SURE.astype(object), 'the probabilities are'),
        (PHOTO, SURE[:, 1:], 'different photos'),
        (PHOTO, SURE.transpose(1, 2, 0), 'different photos'),
        (PHOTO, SURE[:0], 'nothing to refine'),
        (PHOTO[:0], SURE[:, :0], 'nothing to refine'),
        (PHOTO[:, :0], SURE[..., :0], 'nothing to refine'),
        (PHOTO, np.where(np.arange(5) == 2, np.nan, SURE), 'NaN or infinity'),
        (PHOTO, np.where(np.arange(5) == 2, np.inf, SURE), 'NaN or infinity'),
        (PHOTO, np.where(np.arange(5) == 2, -np.inf, SURE), 'NaN or infinity'),
        (PHOTO, np.where(np.arange(5) == 2, 7, SURE), 'logits'),
        (PHOTO, np.where(np.arange(5) == 2, -1, SURE), 'logits'),
    ],
)
def test_refuses_what_compiled_code_must_not_see(backend, photo, probabilities, message):
    with pytest.raises(UserError, match=message):
        DenseCrf(backend=backend)(photo, probabilities)


@pytest.mark.parametrize(
    'values',
    [
        dict(backend='cuda'),
        dict(iterations=2.5),
        dict(iterations=True),
        dict(gaussian_sxy=float('nan')),
        dict(bilateral_sxy=float('inf')),
        dict(bilateral_weight='10'),
        dict(bilateral_weight=-1),
        dict(gaussian_weight=float('inf')),
        dict(keep_small=-0.5),
    ],
)
def test_refuses_values_that_mean_nothing(values):
    (name,) = values
    with pytest.raises(UserError, match=f'{name}='):
        DenseCrf(**values)


@pytest.mark.parametrize(
    'values', [{}, dict(gaussian_weight=0), dict(bilateral_weight=0), dict(iterations=0)]
)
def test_the_original_is_a_backend(values):
    photo, probabilities, _ = scene(2)
    original = DenseCrf(**values, backend='pydensecrf')
    found = original(photo, probabilities)
    assert np.array_equal(found, plain(photo, probabilities, original))
    assert found.dtype == np.float32


def test_a_config_names_the_original(capsys):
    from mmseg_custom.experiment.tta import read_crf

    assert DenseCrf(**read_crf('pydensecrf')) == DenseCrf(backend='pydensecrf')


@pytest.mark.parametrize('backend, missing', [('pydensecrf', 'pydensecrf'), ('numba', 'numba')])
def test_says_which_package_is_missing(backend, missing, monkeypatch):
    import sys

    imported = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split('.')[0] == missing:
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    for name in list(sys.modules):
        if 'postprocess.mean_field' in name or 'postprocess.permutohedral' in name:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(UserError, match='pip install'):
        DenseCrf(backend=backend)(PHOTO, SURE)


def test_a_large_photo_may_have_narrow_kernels():
    photo, probabilities = noise(0, 2, 6000, 2)
    crf = DenseCrf(bilateral_sxy=10, bilateral_srgb=3)
    assert agreement(photo, probabilities, crf) >= 0.999
