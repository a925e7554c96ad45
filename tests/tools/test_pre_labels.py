import json

import numpy as np
import pytest
from conftest import ROOT, call_tool
from pycocotools import mask as mask_utils

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import make_class_list
from mmseg_custom.cli import FORMATS
from mmseg_custom.formats import formats, guess_format, read_set
from mmseg_custom.prediction.outputs import Outputs

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
SURE = ('coco', 'cvat', 'huggingface', 'label_studio', 'labelme', 'yolo')


def test_the_command_line_knows_every_format():
    assert list(FORMATS) == sorted(formats())


@pytest.mark.parametrize('least', (None, 0.12), ids=('predict', 'make_pseudo'))
def test_pre_labels_are_the_masks_with_mean_probabilities(
    least, toy_set, random_checkpoint, tmp_path, capsys
):
    tool, images, options = 'tools/predict.py', 'val.json', []
    if least is not None:
        tool, images = 'tools/make_pseudo.py', 'test.json'
        options = ['--threshold', least, '--exclude', toy_set / 'val.json']
    segmenter = TrashSegmenter(TOY, random_checkpoint)
    entries = json.loads((toy_set / images).read_text())['images']
    # What the model itself says about each photo.
    results = {one['file_name']: segmenter(toy_set / one['file_name']) for one in entries}
    command = (TOY, random_checkpoint, toy_set / images, '--out', tmp_path / 'out')
    more = ('--batch-size', 1, '--labels-as', *FORMATS, '--simplify', 0)
    call_tool(capsys, tool, *command, *options, *more)
    for name in FORMATS:
        out = tmp_path / 'out' / 'labels' / name
        photos = read_set(out, guess_format(out), toy_set if name == 'masks' else None).photos
        assert {photo.file_name for photo in photos} == set(results)
        for photo in photos:
            result = results[photo.file_name]
            best = result.probabilities.max(axis=0)
            mask = result.mask if least is None else np.where(best < least, 0, result.mask)
            found = np.zeros((64, 64), np.uint8)
            for one in photo.objects:
                pixels = mask_utils.decode(photo.rle(one)) > 0
                assert not found[pixels].any()
                found[pixels] = result.classes.label_of(one.name)
                if name in SURE:
                    assert abs(one.confidence - best[pixels].mean()) < 1e-4
                else:
                    assert one.confidence is None
            assert np.array_equal(found, mask)


def test_corrections_are_never_written_over(toy_set, random_checkpoint, tmp_path, capsys):
    command = (TOY, random_checkpoint, toy_set / 'val.json', '--out', tmp_path, '--labels-as')
    said = call_tool(capsys, 'tools/predict.py', *command, 'labelme').out
    assert 'no outline moved more than' in said
    corrected = next((tmp_path / 'labels' / 'labelme').rglob('*.json'))
    corrected.write_text('{}')
    said = call_tool(capsys, 'tools/predict.py', *command, 'labelme', 'coco', '--force').out
    assert corrected.read_text() == '{}' and 'kept as it is' in said
    assert (tmp_path / 'labels' / 'coco' / 'annotations.json').is_file()


def test_confidences_are_the_models_where_a_crf_chooses_the_labels(tmp_path):
    probabilities = np.full((2, 4, 6), 0.4, np.float32)
    probabilities[0] = 0.6
    classes = make_class_list(['Background', 'Paper'])
    own = Segmentation(np.zeros((4, 6), np.uint8), probabilities, classes)

    def crf(photo, found, background):
        return np.stack([np.full((4, 6), 0.01, np.float32), np.full((4, 6), 0.99, np.float32)])

    Outputs(tmp_path, crf=crf, scores=True).write('a', None, own, (8, 12))
    assert np.allclose(json.loads((tmp_path / 'scores' / 'a.json').read_text()), [0.4])


@pytest.mark.parametrize('command', ('vote', 'predict', 'crf'))
def test_every_command_that_predicts_writes_them(
    command, toy_set, random_checkpoint, tmp_path, capsys
):
    photos, more = toy_set / 'val.json', ('--labels-as', 'coco', '--simplify', 0)
    first = ('tools/predict.py', TOY, random_checkpoint, photos, '--out', tmp_path / 'first')
    call_tool(capsys, *first, '--probabilities', *more)
    call_tool(
        capsys,
        *{
            'vote': ('tools/ensemble.py', 'vote', photos, '--members', tmp_path / 'first'),
            'predict': ('tools/ensemble.py', command, photos, '--model', TOY, random_checkpoint),
            'crf': ('tools/crf.py', tmp_path / 'first', photos),
        }[command],
        *('--out', tmp_path / 'out', *more),
    )
    sets = [
        read_set(tmp_path / name / 'labels' / 'coco', formats()['coco']).photos
        for name in ('first', 'out')
    ]
    for before, after in zip(*sets, strict=True):
        assert before.file_name == after.file_name and after.objects
        if command == 'crf':
            # Other objects, of which the model is not surer than before.
            most = max(one.confidence for one in before.objects)
            assert all(one.confidence < most + 0.1 for one in after.objects)
            continue
        assert [before.key(one) for one in before.objects] == [
            after.key(one) for one in after.objects
        ]
        confidences = zip(before.objects, after.objects, strict=True)
        assert all(abs(a.confidence - b.confidence) < 2e-3 for a, b in confidences)
