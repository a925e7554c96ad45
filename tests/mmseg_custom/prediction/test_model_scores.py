import json

import numpy as np
import pytest
from conftest import ROOT
from sklearn.metrics import jaccard_score

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in, class_list
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.prediction.model_card import answers_table, model_card
from mmseg_custom.prediction.model_scores import (
    NOTHING,
    ModelScores,
    largest_categories,
    largest_class,
    score_model,
)


@pytest.fixture(scope='module')
def scored(trained, toy_set):
    segmenter = TrashSegmenter(trained / 'iter_20.pth', device='cpu')
    return segmenter, score_model(segmenter, toy_set / 'val.json', None)


def test_scores_are_scikit_learns(scored, toy_set):
    segmenter, scores = scored
    truth, found = [], []
    for sample in labelled_samples(toy_set / 'val.json', segmenter.classes):
        truth.append(sample_mask(sample, ROOT, segmenter.classes).ravel())
        found.append(segmenter(sample['img_path']).mask.ravel())
    truth, found = np.concatenate(truth), np.concatenate(found)
    labels = np.unique(truth)
    expected = 100 * jaccard_score(truth, found, labels=labels, average=None)
    assert list(scores.iou) == [segmenter.classes.names[label] for label in labels]
    assert list(scores.iou.values()) == pytest.approx(expected, abs=0.06)
    assert scores.miou == pytest.approx(expected.mean(), abs=0.1)
    assert scores.foreground_iou == pytest.approx(
        100 * jaccard_score(truth > 0, found > 0), abs=0.06
    )


def test_other_names_are_read_through_a_class_map(scored, toy_set, tmp_path):
    segmenter, scores = scored
    content = json.loads((toy_set / 'val.json').read_text())
    names = {category['name']: f'name {category["id"]}' for category in content['categories']}
    for category in content['categories']:
        category['name'] = names[category['name']]
    content['info']['data_root'] = str(toy_set)
    (tmp_path / 'val.json').write_text(json.dumps(content))
    (tmp_path / 'map.yaml').write_text(''.join(f'{new}: {old}\n' for old, new in names.items()))
    masks = {}
    found = score_model(
        segmenter, tmp_path / 'val.json', None, tmp_path / 'map.yaml', masks.__setitem__
    )
    assert (found.confusion == scores.confusion).all()
    assert set(masks) == {image['file_name'] for image in content['images']}
    for name, mask in masks.items():
        assert (mask == segmenter(toy_set / name).mask).all()


def test_a_list_without_a_background_has_no_foreground_iou():
    classes = class_list(['a', 'b'])
    scores = ModelScores(classes, np.array([[3, 1], [0, 4]]), {}, 1)
    assert scores.foreground_iou is None
    assert 'foreground' not in model_card('# A', {'x.json': scores})


def test_the_answer_is_the_largest_class_beside_the_background():
    classes = built_in()
    mask = np.zeros((10, 10), np.uint8)
    assert largest_class(mask, classes) == NOTHING
    mask[:2] = classes.label_of('Glass')
    mask[2:5] = classes.label_of('Metal')
    assert largest_class(mask, classes) == 'Metal'


def test_the_category_of_a_photo_is_that_of_its_largest_annotation():
    content = dict(
        categories=[dict(id=5, name='can'), dict(id=9, name='box')],
        images=[dict(id=1, file_name='a.jpg'), dict(id=2, file_name='b.jpg')],
        annotations=[
            dict(image_id=1, category_id=9, area=50.0),
            dict(image_id=1, category_id=5, area=7.0),
        ],
    )
    assert largest_categories(content) == {'a.jpg': 'box'}


def test_the_table_counts_every_photo_once(scored):
    _, scores = scored
    rows = answers_table(scores).splitlines()[2:]
    cells = [cell.strip() for row in rows for cell in row.strip('|').split('|')[1:]]
    assert sum(int(cell) for cell in cells if cell) == scores.photos
    assert json.loads(json.dumps(scores.to_plain()))['photos'] == 7
