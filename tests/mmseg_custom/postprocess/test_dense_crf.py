from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils import UserError

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
    """A photo of coloured patches and probabilities that see them blurred, moved and noisy."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.uint8)
    for label in rng.choice(np.arange(1, classes), 3, replace=False):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(8, 30)), int(rng.integers(8, 30)))
        cv2.ellipse(labels, centre, axes, 0, 0, 360, int(label), -1)
    colours = rng.integers(0, 256, (classes, 3))
    noise = rng.normal(0, 12, (height, width, 3))
    photo = np.clip(colours[labels] + noise, 0, 255).astype(np.uint8)
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
        _, probabilities, _ = scene(seed, 512, 512, sharpness=6)
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
        DenseCrf(bilateral_srgb=0.1)(photo, probabilities)
