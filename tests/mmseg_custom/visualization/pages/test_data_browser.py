import base64
import io

import numpy as np
from PIL import Image

from mmseg_custom.coco import PALETTE
from mmseg_custom.visualization.pages.data_browser import mask_uri


def test_background_is_seen_through_and_classes_have_their_colours():
    mask = np.repeat(np.repeat(np.array([[0, 2, 9], [255, 0, 1]], np.uint8), 50, 0), 50, 1)
    uri = mask_uri(mask, 30)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.split(',')[1]))).convert('RGBA')
    assert picture.size == (30, 20)
    found = np.array(picture)[5::10, 5::10]
    np.testing.assert_array_equal(found[..., 3], [[0, 153, 153], [153, 0, 153]])
    assert [tuple(found[0, 1, :3]), tuple(found[0, 2, :3])] == [PALETTE[2], PALETTE[9]]
    assert tuple(found[1, 0, :3]) == (255, 255, 255)
