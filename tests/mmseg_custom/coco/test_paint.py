"""The oracle is pycocotools: annToMask per annotation, painted one over the other."""

import json

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, paint, read_coco, require_valid

HEIGHT, WIDTH = 37, 53


def painted_by_pycocotools(content: dict) -> dict[int, np.ndarray]:
    api = COCO()
    api.dataset = json.loads(json.dumps(content))
    api.createIndex()
    names = ['Background', 'General trash', 'Paper', 'Paper pack', 'Metal', 'Glass', 'Plastic']
    names += ['Styrofoam', 'Plastic bag', 'Battery', 'Clothing']
    label = {c['id']: names.index(c['name']) for c in content['categories']}
    masks = {}
    for image in content['images']:
        mask = np.zeros((image['height'], image['width']), np.uint8)
        annotations = [a for a in content['annotations'] if a['image_id'] == image['id']]
        for annotation in sorted(annotations, key=lambda a: -a['area']):
            mask[api.annToMask(annotation) == 1] = label[annotation['category_id']]
        masks[image['id']] = mask
    return masks


coordinate = st.one_of(
    st.integers(0, WIDTH),
    st.floats(-1, HEIGHT + 1, allow_nan=False),
    st.integers(-2, 2 * HEIGHT).map(lambda half: max(-1, half / 2)),
    st.integers(0, 10 * HEIGHT).map(lambda tenth: tenth / 10),
)
x, y = coordinate.map(lambda v: min(v, WIDTH + 1)), coordinate.map(lambda v: min(v, HEIGHT + 1))
polygon = st.lists(st.tuples(x, y), min_size=3, max_size=12).map(
    lambda points: [float(v) for point in points for v in point]
)


@st.composite
def mask_rle(draw, compressed):
    seed = draw(st.integers(0, 10_000))
    share = draw(st.sampled_from([0, 0.02, 0.5, 1]))
    mask = np.random.default_rng(seed).random((HEIGHT, WIDTH)) < share
    if not compressed:
        flat = mask.ravel(order='F').astype(np.int8)
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
        return {'size': [HEIGHT, WIDTH], 'counts': ([0] if flat[0] else []) + counts}
    rle = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {'size': [HEIGHT, WIDTH], 'counts': rle['counts'].decode()}


segmentation = st.one_of(st.lists(polygon, min_size=1, max_size=3), mask_rle(True), mask_rle(False))
annotation = st.tuples(segmentation, st.sampled_from([1, 2, 3]), st.integers(1, 5), st.booleans())


@given(st.lists(annotation, max_size=6))
@settings(max_examples=300)
def test_equals_pycocotools_on_any_annotations(drawn):
    content = dict(
        images=[dict(id=0, file_name='a.jpg', height=HEIGHT, width=WIDTH)],
        categories=[dict(id=i, name=n) for i, n in ((3, 'Paper'), (1, 'Battery'), (2, 'Glass'))],
        annotations=[
            dict(id=i, image_id=0, category_id=c, segmentation=s, area=a, iscrowd=int(crowd))
            for i, (s, c, a, crowd) in enumerate(drawn)
        ],
    )
    require_valid('drawn', content, built_in())
    sample = coco_to_samples(content, built_in())[0]
    ours = paint(sample['annotations'], HEIGHT, WIDTH, fill=0)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, painted_by_pycocotools(content)[0])


def test_equals_pycocotools_on_all_real_photos(real_sample):
    content = read_coco(real_sample / 'train_all.json')
    truth = painted_by_pycocotools(content)
    samples = coco_to_samples(content, built_in())
    assert len(samples) == 50
    for sample in samples:
        ours = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
        np.testing.assert_array_equal(ours, truth[sample['img_id']], err_msg=sample['file_name'])
