import json
import re
import shutil

import pytest
from browser import chromium, opened, require_usable_on_a_phone  # noqa: F401
from conftest import call_tool, coco, tool

from mmseg_custom.classes import built_in
from mmseg_custom.coco import read_coco

CLASSES = built_in().names

TOOL = 'data_prep/dataset_statistics.py'
SQUARE = [[10, 10, 50, 10, 50, 50, 10, 50]]
KEYS = {
    *('files', 'images', 'mask_files', 'annotations', 'classes', 'objects_per_image'),
    *('object_sizes', 'co_occurrence', 'image_sizes', 'positions', 'class_weights'),
    *('examples', 'comparison', 'photos'),
}


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def read(folder):
    return json.loads((folder / 'statistics.json').read_text())


@pytest.fixture
def toy_page(toy_set, tmp_path, capsys):
    """Page and numbers of the toy set, with its folds compared."""
    folds = ['--out', tmp_path / 'folds', '--folds', 3]
    call_tool(capsys, 'data_prep/stratified_kfold.py', toy_set / 'train.json', *folds)
    call(
        capsys, toy_set / 'train.json', '--out', tmp_path / 'out', '--folds-dir', tmp_path / 'folds'
    )
    return tmp_path / 'out' / 'statistics.html', read(tmp_path / 'out')


@pytest.mark.parametrize('width', [1200, 390])
def test_the_page_shows_the_numbers_without_network(chromium, toy_page, width):  # noqa: F811
    path, statistics = toy_page
    with opened(chromium, path, width) as page:
        if width == 390:
            require_usable_on_a_phone(page)
        sections = page.locator('h2').all_inner_texts()
        assert sections == [
            *(
                'Findings',
                'Classes',
                'Objects',
                'Classes together',
                'Positions',
                'Photos',
                'Examples',
            ),
            *('Loss weights', 'Comparison'),
        ]
        for entry in statistics['classes']:
            row = page.locator('#classes tr', has=page.get_by_text(entry['name'], exact=True))
            cells = row.locator('td').all_inner_texts()
            assert cells[:2] == [str(entry['images']), str(entry['annotations'])]
            assert row.is_visible()
        pictures = page.evaluate('[...document.images].map(i => [i.naturalWidth, i.alt])')
        shown = sum(map(len, statistics['examples'])) + 16
        # A heat map a class that occurs, and one of all.
        shown += sum(entry['pixels'] > 0 for entry in statistics['classes'][1:]) + 1
        assert len(pictures) == shown
        assert all(natural_width > 0 and alt for natural_width, alt in pictures)
        assert page.evaluate('document.documentElement.scrollWidth') == width
        for link in page.locator('nav a').all():
            assert page.locator(link.get_attribute('href')).is_visible()
        assert page.get_by_text('fold 2', exact=True).first.is_visible()


def test_weights_on_the_page_are_a_config(chromium, toy_page):  # noqa: F811
    path, statistics = toy_page
    with opened(chromium, path) as page:
        for line in page.locator('pre.weights').all_inner_texts():
            text, method = line.split('  # ')
            weights = json.loads(text.removeprefix('class_weight='))
            assert weights == pytest.approx(
                statistics['class_weights']['methods'][method], rel=0.01
            )


def test_commands_on_the_page_use_the_weights_they_are_named_after(chromium, toy_page):  # noqa: F811
    from mmseg_custom.experiment.named_parts import read_part

    with opened(chromium, toy_page[0]) as page:
        lines = page.locator('pre.commands').inner_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        command, method = re.split(' +# ', line)
        loss = read_part('losses', command.split('--loss ')[1], 'loss_decode')
        assert loss['weight_method'] == method


def test_the_json_is_complete(toy_page, toy_set):
    path, statistics = toy_page
    assert set(statistics) == KEYS
    assert statistics['files'] == [dict(path=str(toy_set / 'train.json'), images=24)]
    assert [entry['name'] for entry in statistics['classes']] == list(CLASSES)
    assert sum(statistics['comparison']['images']) == statistics['images'] == 24
    assert len(statistics['photos']['darkest']) == len(statistics['photos']['brightest']) == 8
    assert path.stat().st_size < 5_000_000


def test_strangers_texts_are_shown_and_not_run(chromium, small_set, tmp_path, capsys):  # noqa: F811
    name = '<img src=x onerror=alert(1)><script>document.title=1</script> & "$x$".png'
    image = dict(id=0, file_name=name, height=64, width=64)
    annotation = dict(id=0, image_id=0, category_id=7, segmentation=SQUARE)
    first = small_set(coco([image], [annotation]))
    second = first.with_name('<b>$bold$ {{ 7 * 7 }}<b>.json')
    shutil.copy(first, second)
    call(capsys, first, second, '--out', tmp_path / 'out')
    with opened(chromium, tmp_path / 'out' / 'statistics.html') as page:
        caption = page.locator('figcaption', has_text=name).first
        assert caption.is_visible()
        assert page.locator('script, b').count() == 0
        assert page.title().endswith(second.name)
        assert page.get_by_text(str(second), exact=True).first.is_visible()


def test_nothing_but_the_labels(toy_set, tmp_path, capsys):
    shutil.copy(toy_set / 'train.json', tmp_path / 'ann.json')
    message = call(capsys, tmp_path / 'ann.json', '--out', tmp_path / 'out', code=2).err
    first = tmp_path / read_coco(toy_set / 'train.json')['images'][0]['file_name']
    assert f'{first}: no such photo (24 of 24' in message
    assert '--data-root' in message
    assert '--no-photos' in message
    assert not (tmp_path / 'out').exists()
    call(capsys, tmp_path / 'ann.json', '--out', tmp_path / 'out', '--no-photos')
    statistics = read(tmp_path / 'out')
    assert set(statistics) == KEYS
    assert statistics['photos'] is statistics['comparison'] is None
    page = (tmp_path / 'out' / 'statistics.html').read_text()
    assert 'Photos were not read' in page
    assert 'data:image/jpeg' not in page
    call(capsys, tmp_path / 'ann.json', '--out', tmp_path / 'o2', '--data-root', toy_set)
    assert read(tmp_path / 'o2')['photos']['darkest']


def test_the_seed_chooses_the_examples_and_all_else_stays(toy_set, tmp_path, capsys):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        call(capsys, toy_set / 'train.json', '--out', tmp_path / name, '--seed', seed)
    first, again, other = (read(tmp_path / name) for name in 'abc')
    pages = [(tmp_path / name / 'statistics.html').read_bytes() for name in 'ab']
    assert pages[0] == pages[1]
    assert first == again
    assert first.pop('examples') != other.pop('examples')
    assert first == other


def test_files_are_compared(toy_set, tmp_path, capsys):
    files = [toy_set / 'train.json', toy_set / 'val.json']
    call(capsys, *files, '--out', tmp_path, '--no-photos', '--max-weight', 2, '--beta', 0.5)
    statistics = read(tmp_path)
    assert statistics['comparison']['groups'] == [str(path) for path in files]
    assert statistics['comparison']['images'] == [24, 7]
    assert statistics['images'] == 31
    weights = statistics['class_weights']
    assert (weights['beta'], weights['max_weight']) == (0.5, 2)
    assert max(map(max, weights['methods'].values())) == 2


def test_a_set_of_mask_files(toy_set, tmp_path, capsys):
    masks = ['--out', tmp_path / 'masks']
    call_tool(capsys, 'data_prep/coco_to_masks.py', toy_set / 'val.json', *masks)
    content = read_coco(toy_set / 'val.json')
    for image in content['images']:
        name = image['file_name'].rsplit('.', 1)[0] + '.png'
        image['seg_map_path'] = str(tmp_path / 'masks' / name)
    (tmp_path / 'ann.json').write_text(json.dumps(content | dict(annotations=[])))
    call(capsys, tmp_path / 'ann.json', '--data-root', toy_set, '--out', tmp_path / 'a')
    call(capsys, toy_set / 'val.json', '--out', tmp_path / 'b')
    masked, annotated = read(tmp_path / 'a'), read(tmp_path / 'b')
    for key in ('co_occurrence', 'positions', 'photos', 'class_weights', 'image_sizes'):
        assert masked[key] == annotated[key]
    assert (masked['mask_files'], masked['annotations']) == (7, 0)
    assert '7</strong> images are labeled by a mask file' in (
        tmp_path / 'a' / 'statistics.html'
    ).read_text().replace('\n', ' ')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--max-weight', '0'], 'max_weight above 0'),
        (['--beta', '1'], 'beta 1.0: take at least 0'),
        (['--folds-dir', '.'], 'has no kfold_0_val.json'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    done = call(capsys, toy_set / 'val.json', '--out', tmp_path / 'out', *arguments, code=2)
    assert message in done.err
    assert not (tmp_path / 'out').exists()


def test_a_real_set_as_a_user_runs_it(real_sample, tmp_path):
    done = tool(TOOL, real_sample / 'train_all.json', '--out', tmp_path)
    assert '50 images with 404 annotations' in done.stdout
    assert (tmp_path / 'statistics.html').stat().st_size < 5_000_000
