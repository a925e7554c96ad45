import json
import re

import numpy as np
import pytest
from browser import chromium, opened, require_usable_on_a_phone  # noqa: F401
from conftest import call_tool
from run_folders import TRAIN, write_checkpoint, write_run, write_validation
from sklearn.metrics import jaccard_score

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, paint, read_coco

CLASSES = built_in().names

TOOL = 'tools/report.py'
SECTIONS = [
    *('Curves', 'Classes', 'Confusion', 'Worst and best photos', 'All photos', 'Calibration'),
    *('Speed', 'Config'),
]


@pytest.fixture
def folder(tmp_path, toy_set):
    write_run(tmp_path / 'a & <b>', toy_set)
    return tmp_path / 'a & <b>'


@pytest.fixture
def report(folder, random_checkpoint, capsys):
    """The page of the 7 photos of the toy set."""
    write_checkpoint(folder, random_checkpoint)
    done = call_tool(capsys, TOOL, folder, '--count', 2, '--device', 'cpu')
    assert 'no validation' in done.out
    return folder / 'report.html'


def confusion_of(page):
    counts = np.zeros((len(CLASSES),) * 2, np.int64)
    for title in page.locator('#confusion td').evaluate_all('cells => cells.map(c => c.title)'):
        number, truth, prediction = re.fullmatch(
            r'([\d\s]+) pixels of (.+) as (.+)', title
        ).groups()
        counts[CLASSES.index(truth), CLASSES.index(prediction)] = int(re.sub(r'\s', '', number))
    return counts.tolist()


def column(page, number):
    return page.locator(f'#rows tbody td:nth-child({number})').all_inner_texts()


def percents(texts):
    return [float(text.split()[0]) for text in texts]


def test_numbers_are_those_of_a_test(chromium, report, folder, toy_set, capsys):  # noqa: F811
    config = str(folder / '20260101_000000' / 'vis_data' / 'config.py')
    where = ['--out', folder.parent / 'test']
    call_tool(capsys, 'tools/test.py', config, folder / 'iter_30.pth', *where)
    measured = json.loads((folder.parent / 'test' / 'metrics.json').read_text())
    with opened(chromium, report) as page:
        assert confusion_of(page) == measured['confusion_matrix']
        overview = dict(
            zip(
                page.locator('dt').all_inner_texts(),
                percents(page.locator('dd').all_inner_texts()),
                strict=True,
            )
        )
        assert overview['mIoU of the photos'] == pytest.approx(
            measured['metrics']['mIoU'], rel=0.01
        )
        assert overview['pixels that are correct'] == pytest.approx(
            measured['metrics']['aAcc'], rel=0.01
        )
        shown = page.locator('#classes tbody tr td:nth-child(2)').all_inner_texts()
        for text, iou in zip(shown, measured['per_class']['IoU'], strict=True):
            assert (
                text == '–'
                if iou is None
                else percents([text])[0] == pytest.approx(100 * iou, rel=0.01, abs=1e-4)
            )


@pytest.mark.parametrize('width', [1200, 390])
def test_the_page_is_complete(chromium, report, toy_set, width):  # noqa: F811
    names = [image['file_name'] for image in read_coco(toy_set / 'val.json')['images']]
    with opened(chromium, report, width) as page:
        if width == 390:
            require_usable_on_a_phone(page)
        assert page.title() == 'Report on a & <b>'
        assert page.locator('h2').all_inner_texts() == SECTIONS
        for link in page.locator('nav a').all():
            assert page.locator(link.get_attribute('href')).is_visible()
        pictures = page.evaluate('[...document.images].map(i => [i.naturalWidth, i.alt])')
        # Four of each of the two worst and the two best, and a strip a photo.
        assert len(pictures) == 4 * 4 + len(names)
        assert all(natural_width > 0 and alt for natural_width, alt in pictures)
        assert sorted(column(page, 2)) == sorted(names)
        assert page.evaluate('document.documentElement.scrollWidth') == width
        shares = percents(page.locator('#calibration td:nth-child(2)').all_inner_texts())
        assert sum(shares) == pytest.approx(100, abs=0.5)
        speed = page.locator('#speed td').all_inner_texts()
        assert speed[:3] == ['0.4 s', '0.1 s', '20']


def photo_iou(folder, toy_set, name, class_name):
    """IoU of a class in one photo, in percent."""
    samples = coco_to_samples(read_coco(toy_set / 'val.json'), built_in())
    sample = next(sample for sample in samples if sample['file_name'] == name)
    truth = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
    mask = TrashSegmenter(folder / 'toy.py', folder / 'iter_30.pth', 'cpu')(toy_set / name).mask
    labels = [CLASSES.index(class_name)]
    return 100 * jaccard_score(truth.ravel(), mask.ravel(), labels=labels, average='macro')


def test_photos_are_sorted_and_filtered(chromium, report, folder, toy_set):  # noqa: F811
    with opened(chromium, report) as page:
        ious = percents(column(page, 3))
        assert ious == sorted(ious)
        page.get_by_role('button', name='IoU').click()
        assert percents(column(page, 3)) == sorted(ious, reverse=True)
        page.get_by_role('button', name='photo').click()
        assert column(page, 2) == sorted(column(page, 2))
        listed = {
            name: text.split(', ')
            for name, text in zip(column(page, 2), column(page, 5), strict=True)
        }
        chosen = next(c for c in CLASSES if 0 < sum(c in of for of in listed.values()) < 7)
        page.get_by_role('combobox').select_option(chosen)
        assert column(page, 2) == [name for name in listed if chosen in listed[name]]
        assert page.locator('#shown').inner_text() == f'{len(column(page, 2))} of 7 photos'
        of_class = percents(column(page, 3))
        ious_of = [photo_iou(folder, toy_set, name, chosen) for name in column(page, 2)]
        assert of_class == pytest.approx(ious_of, abs=0.06)
        page.get_by_role('button', name='IoU').click()
        assert percents(column(page, 3)) == sorted(of_class)
        page.get_by_role('combobox').select_option('any class')
        assert sorted(percents(column(page, 3))) == ious


def test_charts_say_what_is_under_the_pointer(chromium, report):  # noqa: F811
    with opened(chromium, report) as page:
        plot = page.locator('.plot').first
        box = plot.locator('svg[role=img]').bounding_box()
        for share, line in ((0.999, TRAIN[-1]), (0, TRAIN[0])):
            page.mouse.move(box['x'] + share * box['width'], box['y'] + 20)
            caption = plot.locator('figcaption').inner_text()
            assert f'iteration {line["step"]}' in caption
            assert f'loss {line["loss"]:g}' in caption
            assert f'decode.loss_ce {line["decode.loss_ce"]:g}' in caption
        page.mouse.move(0, 0)
        assert 'iteration' not in plot.locator('figcaption').inner_text()


def test_nothing_but_the_logs(chromium, folder, capsys):  # noqa: F811
    assert 'no checkpoint' in call_tool(capsys, TOOL, folder).out
    confusion = np.eye(len(CLASSES), dtype=int).tolist()
    write_validation(folder, confusion, CLASSES, mIoU=25.5, mF1=30.0)
    out = folder.parent / 'b.html'
    call_tool(capsys, TOOL, folder, '--no-photos', '--out', out)
    with opened(chromium, out) as page:
        assert page.locator('h2').all_inner_texts() == [
            *('Curves', 'Classes', 'Confusion', 'Speed', 'Config')
        ]
        assert page.get_by_text('Photos and calibration are left out').is_visible()
        assert confusion_of(page) == confusion
        assert page.get_by_text('25.5 %').is_visible()
        # 0.5 s a photo, as the last validation logged.
        assert page.locator('#speed td').all_inner_texts()[3:] == ['0.5 s', '2']
    with opened(chromium, folder / 'report.html') as page:
        assert page.locator('h2').all_inner_texts() == ['Curves', 'Speed', 'Config']
        assert page.get_by_text('There was no validation yet').is_visible()


def test_mistakes_are_one_line(folder, random_checkpoint, tmp_path, capsys):
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert 'has no config' in call_tool(capsys, TOOL, empty, code=2).err
    checkpoint = ['--checkpoint', random_checkpoint]
    lost = ['--data-root', tmp_path / 'nowhere']
    assert 'no such data folder' in call_tool(capsys, TOOL, folder, *checkpoint, *lost, code=2).err
    write_checkpoint(folder, random_checkpoint).write_bytes(b'no checkpoint')
    assert 'damaged (iter_30.pth)' in call_tool(capsys, TOOL, folder, code=2).err
