import csv
import json

import numpy as np
import pytest
from browser import chromium, opened, require_usable_on_a_phone  # noqa: F401
from conftest import ROOT, call_tool, tool
from pycocotools import mask as mask_utils

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask

TOOL = 'tools/label_errors.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def crossed(toy_set, tmp_path_factory):
    """The folds of the toy validation set, and what kfold_train.py made of them."""
    folder = tmp_path_factory.mktemp('crossed')
    folds = folder / 'folds'
    tool('data_prep/stratified_kfold.py', toy_set / 'val.json', '--folds', 2, '--out', folds)
    arguments = [TOY, '--folds-dir', folds, '--data-root', toy_set, '--out', folder / 'first']
    tool('tools/kfold_train.py', *arguments, '--train-args', '--epochs', 1, '--batch-size', 2)
    # A folder that was moved is as good.
    (folder / 'first').rename(folder / 'out')
    return folder


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_photos_are_judged_by_the_model_that_has_not_seen_them(
    chromium,  # noqa: F811
    crossed,
    toy_set,
    tmp_path,
    capsys,
):
    ann, out = toy_set / 'val.json', tmp_path / 'out'
    arguments = [ann, '--folds', crossed / 'out', '--out', out]
    done = call_tool(capsys, TOOL, *arguments)
    assert '7 photos judged' in done.out

    qualities = {row['file_name']: float(row['quality']) for row in rows_of(out / 'photos.csv')}
    assert list(qualities.values()) == sorted(qualities.values())
    assert len(qualities) == 7
    models = json.loads((crossed / 'out' / 'kfold.json').read_text())['models']
    for fold, model in enumerate(models):
        (checkpoint,) = (crossed / 'out').rglob(f'fold_{fold}_*/{model["checkpoint"][-10:]}')
        segmenter = TrashSegmenter(checkpoint, device='cpu')
        samples = labelled_samples(
            crossed / 'folds' / f'kfold_{fold}_val.json', segmenter.classes, toy_set
        )
        for sample in samples:
            mask = sample_mask(sample, ROOT, segmenter.classes).astype(int)
            found = segmenter(sample['img_path']).probabilities
            own = np.take_along_axis(found, mask[None], axis=0).astype(np.float64)
            weights = np.exp((1 - own) / 0.1)
            expected = (own * weights).sum() / weights.sum()
            assert qualities[sample['file_name']] == pytest.approx(expected, abs=2e-5)

    content = json.loads(ann.read_text())
    corrected = json.loads((out / 'to_correct.json').read_text())
    by_id = {entry['id']: entry for entry in content['annotations']}
    rows = rows_of(out / 'label_errors.csv')
    assert {row['file_name'] for row in rows} == {one['file_name'] for one in corrected['images']}
    for entry in corrected['annotations']:
        suspected = entry.pop('suspected', [])
        assert entry == by_id[entry['id']]
        of_entry = [row for row in rows if row['annotation'] == str(entry['id'])]
        assert [(one['kind'], one['suggested']) for one in suspected] == [
            (row['kind'], row['suggested']) for row in of_entry
        ]
    missing = [one for image in corrected['images'] for one in image.get('missing', [])]
    assert len(missing) == sum(row['kind'] == 'missing' for row in rows)
    for one in missing:
        assert mask_utils.toBbox(one['segmentation']).tolist() == one['bbox']
    for kind in ('swapped', 'missing', 'outline'):
        scores = [float(row['score']) for row in rows if row['kind'] == kind]
        assert scores == sorted(scores, reverse=True)

    with opened(chromium, out / 'label_errors.html', 390) as page:
        require_usable_on_a_phone(page)
        assert page.locator('figure').count() == len(rows)

    # Nothing is judged twice, and other labels are judged again.
    times = {path: path.stat().st_mtime_ns for path in (out / 'judged').rglob('*.json')}
    call_tool(capsys, TOOL, *arguments)
    assert times == {path: path.stat().st_mtime_ns for path in (out / 'judged').rglob('*.json')}
    content['annotations'][0]['bbox'] = [0, 0, 1, 1]
    content['annotations'].pop()
    changed = tmp_path / 'changed.json'
    changed.write_text(json.dumps(content))
    rest = ['--data-root', toy_set, '--folds', crossed / 'out', '--out', out]
    done = call_tool(capsys, TOOL, changed, *rest, code=2)
    assert 'start over with --force' in done.err
    call_tool(capsys, TOOL, changed, *rest, '--force')


def test_photos_of_no_fold_are_reported(crossed, toy_set, tmp_path, capsys):
    content, more = (json.loads((toy_set / name).read_text()) for name in ('val.json', 'test.json'))
    content['images'] += [dict(image, id=1000 + image['id']) for image in more['images']]
    (tmp_path / 'all.json').write_text(json.dumps(content))
    arguments = [tmp_path / 'all.json', '--folds', crossed / 'out']
    options = ['--data-root', toy_set, '--out', tmp_path / 'out']
    done = call_tool(capsys, TOOL, *arguments, *options)
    assert '3 of 10 photos such as ' in done.out
    assert 'are of no fold' in done.out
    assert '7 photos judged' in done.out


def test_mistakes_are_one_line(toy_set, tmp_path, capsys):
    arguments = [toy_set / 'val.json', '--folds', tmp_path, '--out', tmp_path / 'out']
    done = call_tool(capsys, TOOL, *arguments, code=2)
    assert 'kfold.json: no such file' in done.err
    assert 'tools/kfold_train.py' in done.err
    (tmp_path / 'kfold.json').write_text('{"models": [{"checkpoint": "a/b/c.pth"}]}')
    done = call_tool(capsys, TOOL, *arguments, code=2)
    assert 'c.pth' in done.err
    assert not (tmp_path / 'out').exists()
