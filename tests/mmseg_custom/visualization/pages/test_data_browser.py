import base64
import io

import numpy as np
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.visualization.pages.data_browser import mask_uri


def test_background_is_seen_through_and_classes_have_their_colors():
    mask = np.repeat(np.repeat(np.array([[0, 2, 9], [255, 0, 1]], np.uint8), 50, 0), 50, 1)
    uri = mask_uri(mask, 30, built_in())
    picture = Image.open(io.BytesIO(base64.b64decode(uri.split(',')[1]))).convert('RGBA')
    assert picture.size == (30, 20)
    found = np.array(picture)[5::10, 5::10]
    np.testing.assert_array_equal(found[..., 3], [[0, 153, 153], [153, 0, 153]])
    colors = built_in().colors
    assert [tuple(found[0, 1, :3]), tuple(found[0, 2, :3])] == [colors[2], colors[9]]
    assert tuple(found[1, 0, :3]) == (255, 255, 255)
