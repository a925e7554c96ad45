"""Masks are only used with the photos, and the classes, that they were made from."""

import json
import shutil

import pytest
from conftest import call_tool, outcome_of, tool
from products import TOY


def predict(data, checkpoint, out):
    tool('tools/predict.py', TOY, checkpoint, data / 'val.json', '--out', out)


def measure(data, checkpoint, out):
    tool('tools/test.py', TOY, checkpoint, '--data-root', data, '--out', out)


PRODUCERS = {'predict': predict, 'test': measure}
CONSUMERS = {
    'submit': lambda data, masks, out: (
        'tools/submit.py',
        data / 'val.json',
        '--masks',
        masks,
        '--out',
        out / 'submission.csv',
    ),
    'contact_sheet': lambda data, masks, out: (
        'tools/contact_sheet.py',
        data / 'val.json',
        masks,
        '--out',
        out / 'sheet.png',
    ),
    'browse': lambda data, masks, out: (
        'tools/browse.py',
        data / 'val.json',
        '--predictions',
        masks,
        '--out',
        out / 'page.html',
    ),
}


@pytest.fixture(scope='module', params=PRODUCERS)
def made(request, toy_set, random_checkpoint, tmp_path_factory):
    """A copy of the toy set, and the folder with the masks of its validation photos."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(toy_set, folder / 'data')
    PRODUCERS[request.param](folder / 'data', random_checkpoint, folder / 'out')
    return folder / 'data', folder / 'out' / 'masks'


@pytest.fixture
def other_photo(made):
    """One of the photos, in whose place another one of the same size lies meanwhile."""
    data, _ = made
    first, second = [
        data / image['file_name'] for image in json.loads((data / 'val.json').read_text())['images']
    ][:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    yield first
    first.write_bytes(content)


@pytest.mark.parametrize('consumer', CONSUMERS)
def test_masks_of_the_same_photos_are_used_without_a_word(made, consumer, tmp_path, capsys):
    output = call_tool(capsys, *CONSUMERS[consumer](*made, tmp_path)).out
    assert 'taken by name' not in output


@pytest.mark.parametrize('consumer', CONSUMERS)
def test_another_photo_of_the_same_name_is_named(made, other_photo, consumer, tmp_path):
    code, text = outcome_of(*CONSUMERS[consumer](*made, tmp_path))
    assert code == 2
    assert f'{other_photo}: is not the photo' in text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('consumer', CONSUMERS)
def test_masks_of_unknown_photos_are_said_to_be(made, consumer, tmp_path, capsys):
    data, masks = made
    shutil.copytree(masks, tmp_path / 'masks', ignore=shutil.ignore_patterns('*.json'))
    out = tmp_path / 'out'
    out.mkdir()
    output = call_tool(capsys, *CONSUMERS[consumer](data, tmp_path / 'masks', out)).out
    assert 'of 7 of 7 photos no provenance.json' in output


@pytest.mark.parametrize('consumer', ['contact_sheet', 'browse'])
def test_masks_of_other_classes_are_refused(made, consumer, tmp_path):
    data, masks = made
    shutil.copytree(masks.parent, tmp_path / 'results')
    noted = tmp_path / 'results' / 'classes.json'
    content = json.loads(noted.read_text())
    content['names'][1] = 'Something else'
    noted.write_text(json.dumps(content))
    out = tmp_path / 'out'
    out.mkdir()
    code, text = outcome_of(*CONSUMERS[consumer](data, tmp_path / 'results' / 'masks', out))
    assert code == 2 and 'has results of' in text
    assert not list(out.iterdir())


def test_a_test_does_not_replace_the_masks_of_predict(toy_set, random_checkpoint, tmp_path):
    out = tmp_path / 'out'
    predict(toy_set, random_checkpoint, out)
    before = {path: path.read_bytes() for path in out.rglob('*') if path.is_file()}
    arguments = [TOY, random_checkpoint, '--data-root', toy_set, '--out', out]
    done = tool('tools/test.py', *arguments, code=2)
    assert f'{out}: holds results of predict' in done.stderr
    assert {path: path.read_bytes() for path in out.rglob('*') if path.is_file()} == before
