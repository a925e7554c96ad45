"""Two halves of an annotation file are the file, for every data command."""

import json

import pytest
from batches import write_batches
from conftest import call_tool
from pycocotools.coco import COCO


@pytest.fixture
def halves(toy_set, tmp_path):
    """The files of the two halves of the training set."""
    content = json.loads((toy_set / 'train.json').read_text())
    (tmp_path / 'parts').mkdir()
    middle = len(content['images']) // 2
    paths = []
    for name, images in (('a', content['images'][:middle]), ('b', content['images'][middle:])):
        ids = {image['id'] for image in images}
        annotations = [one for one in content['annotations'] if one['image_id'] in ids]
        part = json.loads(json.dumps(content | dict(images=images, annotations=annotations)))
        if name == 'b':
            # The same categories under other ids.
            for entry in part['categories']:
                entry['id'] += 40
            for entry in part['annotations']:
                entry['category_id'] += 40
        part['info'] = dict(data_root=str(toy_set))
        paths.append(tmp_path / 'parts' / f'{name}.json')
        paths[-1].write_text(json.dumps(part))
    return paths


def by_photo(path) -> list:
    """What pycocotools finds: photo, class and outline of each annotation."""
    api = COCO(str(path))
    return sorted(
        (
            api.imgs[a['image_id']]['file_name'],
            api.cats[a['category_id']]['name'],
            repr(a['segmentation']),
        )
        for a in api.anns.values()
    )


def run_all(capsys, ann, out):
    call_tool(capsys, 'data_prep/coco_to_masks.py', *ann, '--out', out / 'masks')
    call_tool(capsys, 'data_prep/stratified_kfold.py', *ann, '--folds', 2, '--out', out / 'k')
    target = ('--repeat', 'Battery', '--out', out / 'repeated.json')
    call_tool(capsys, 'data_prep/oversample.py', *ann, *target)
    small = ('--out', out / 'small', '--size', 31, '--workers', 1)
    call_tool(capsys, 'data_prep/resize.py', *ann, *small)
    paste = ('--out', out / 'paste', '--mode', 'new', '--aug-num', 3, '--workers', 1)
    call_tool(capsys, 'data_prep/copy_paste.py', '--json-path', *ann, *paste)
    sheet = ('--count', 3, '--out', out / 'sheet.png')
    call_tool(capsys, 'tools/contact_sheet.py', *ann, out / 'masks', *sheet)


def test_two_halves_give_what_the_file_gives(halves, toy_set, tmp_path, capsys):
    run_all(capsys, [toy_set / 'train.json'], tmp_path / 'one')
    run_all(capsys, halves, tmp_path / 'two')
    one, two = tmp_path / 'one', tmp_path / 'two'
    masks = sorted(path.relative_to(one) for path in (one / 'masks').rglob('*.png'))
    assert len(masks) == 24
    pasted = [path.relative_to(one) for path in (one / 'paste' / 'pasted').iterdir()]
    for path in (*masks, *pasted, 'sheet.png'):
        assert (one / path).read_bytes() == (two / path).read_bytes()
    for name in ('k/kfold_0_val.json', 'k/kfold_1_train.json', 'repeated.json'):
        assert by_photo(one / name) == by_photo(two / name)
    assert by_photo(one / 'small' / 'train.json') == by_photo(two / 'small' / 'parts.json')
    pairs = (one / 'paste' / 'train_pasted.json', two / 'paste' / 'parts_pasted.json')
    assert by_photo(pairs[0]) == by_photo(pairs[1])


def test_no_input_is_overwritten(halves, capsys):
    before = [path.read_bytes() for path in halves]
    arguments = [*halves, '--repeat', 'Battery', '--out', halves[1]]
    assert 'b.json' in call_tool(capsys, 'data_prep/oversample.py', *arguments, code=2).err
    assert [path.read_bytes() for path in halves] == before


@pytest.mark.parametrize('tool', ['data_prep/check.py', 'data_prep/dataset_statistics.py'])
def test_the_published_counts_are_compared_once_on_a_line_of_its_own(tmp_path, capsys, tool):
    """Of batches that are named one by one; the next sentence begins a line."""
    data = write_batches(tmp_path, with_folder=True)
    files = [data / f'batch_{n:02d}' / 'data.json' for n in (1, 2, 3)]
    options = ['--data-root', data, '--no-photos']
    options += ['--out', tmp_path / 'out'] if 'statistics' in tool else []
    said = call_tool(capsys, tool, *files, *options, code=int('check' in tool)).out.splitlines()
    (line,) = [line for line in said if 'the published Recycle Trash Dataset' in line]
    assert line.startswith('differs from')
    assert 'batches 3 of 44, photos 9 of 21,818' in line
    assert line.endswith('of 2,091')
