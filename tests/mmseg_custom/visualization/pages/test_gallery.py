import base64
import io

import numpy as np
from PIL import Image

from mmseg_custom.classes import built_in, class_list
from mmseg_custom.evaluation.photo_tally import PhotoScore
from mmseg_custom.visualization.pages.gallery import HEADINGS, Gallery, error_map


def decoded(uri):
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.split(',')[1]))))


def photo(seed, shape=(40, 60)):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, 3, (2, *shape)).astype(np.uint8)
    return rng.integers(0, 255, (*shape, 3)).astype(np.uint8), truth, prediction


def test_the_worst_and_the_best_are_kept():
    ious = [0.5, 0.1, np.nan, 0.9, 0.3, 0.7]
    gallery = Gallery(2, built_in())
    for number, iou in enumerate(ious):
        gallery.add(str(number), *photo(number), PhotoScore(iou, {}, iou))
    assert [p.name for p in gallery.photos] == list('012345')
    assert [p.name for p in gallery.worst] == ['1', '4']
    assert [p.name for p in gallery.best] == ['3', '5']
    assert [len(p.large) for p in gallery.worst] == [len(HEADINGS)] * 2
    assert all(p.large == () for p in gallery.photos)


def test_pictures_show_photo_truth_and_prediction():
    gray = np.full((40, 60, 3), 200, np.uint8)
    nothing, paper = np.zeros((40, 60), np.uint8), np.full((40, 60), 2, np.uint8)
    colors = [[0, 0, 0], [0, 0, 0], [0, 250, 0]]
    classes = class_list(dict(names=['Background', 'Glass', 'Paper'], colors=colors))
    gallery = Gallery(1, classes)
    gallery.add('a', gray, nothing, paper, PhotoScore(0, {}, 0))
    strip = decoded(gallery.photos[0].strip).astype(int)
    width = strip.shape[1] // 3
    assert np.abs(strip[:, 4 : 2 * width - 4] - 200).max() < 4
    # 0.4 of the photo and 0.6 of the color.
    assert np.abs(strip[:, 2 * width + 4 :] - (80, 230, 80)).max() < 6
    assert [decoded(uri).shape for uri in gallery.worst[0].large] == [(155, 232, 3)] * 4


def test_errors_are_red_and_ignored_pixels_grey():
    picture, truth, prediction = photo(0)
    truth[:5] = 255
    errors = error_map(picture, truth, prediction, built_in())
    wrong = (truth != prediction) & (truth != 255)
    red = (errors[..., 0].astype(int) - errors[..., 1]) > 100
    np.testing.assert_array_equal(red, wrong)
    assert (errors[:5] == 128).all()
