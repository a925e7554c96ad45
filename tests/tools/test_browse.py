import numpy as np
import pytest
from browser import chromium, opened, require_usable_on_a_phone  # noqa: F401
from conftest import call_tool, coco, tool
from sklearn.metrics import jaccard_score

from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, load_mask, paint, read_coco, save_mask

CLASSES = built_in().names

TOOL = 'tools/browse.py'
SQUARE = [[10, 10, 50, 10, 50, 50, 10, 50]]


def truths(ann):
    for sample in coco_to_samples(read_coco(ann), built_in()):
        size = sample['height'], sample['width']
        yield sample['file_name'], paint(sample['annotations'], *size, fill=0)


@pytest.fixture
def predicted(toy_set, tmp_path):
    """Masks that are right in the upper half; the last photo has none."""
    rng = np.random.default_rng(0)
    for name, truth in list(truths(toy_set / 'val.json'))[:-1]:
        prediction = truth.copy()
        height = len(truth) // 2
        prediction[height:] = rng.integers(0, 3, truth[height:].shape)
        save_mask((tmp_path / 'masks' / name).with_suffix('.png'), prediction, built_in())
    return tmp_path / 'masks'


def names(page):
    captions = page.locator('figcaption').all_inner_texts()
    return [caption.split()[-1] for caption in captions]


def ious(page):
    return [float(text.split()[0]) for text in page.locator('figcaption strong').all_inner_texts()]


def expected_ious(ann, folder):
    found = {}
    for name, truth in truths(ann):
        path = (folder / name).with_suffix('.png')
        if path.is_file():
            pair = truth.ravel(), load_mask(path, *truth.shape, built_in()).ravel()
            labels = np.union1d(*pair)
            values = jaccard_score(*pair, labels=labels, average=None)
            found[name] = dict(zip(labels.tolist(), values, strict=True))
    return found


def test_photos_are_filtered_and_sorted(chromium, toy_set, predicted, tmp_path, capsys):  # noqa: F811
    ann, out = toy_set / 'val.json', tmp_path / 'a.html'
    done = call_tool(capsys, TOOL, ann, '--predictions', predicted, '--out', out)
    assert '6 of 7 photos have a prediction' in done.out
    expected = expected_ious(ann, predicted)
    means = {name: 100 * np.mean(list(of.values())) for name, of in expected.items()}
    with opened(chromium, out) as page:
        assert names(page) == [name for name, _ in truths(ann)]
        assert ious(page) == pytest.approx(list(means.values()), abs=0.06)
        page.get_by_label('order').select_option('worst first')
        assert names(page)[:-1] == sorted(means, key=means.get)
        page.get_by_label('order').select_option('best first')
        assert names(page)[:-1] == sorted(means, key=means.get, reverse=True)
        middle = round(float(np.median(list(means.values()))))
        page.get_by_label('IoU from').fill(str(middle))
        assert set(names(page)) == {name for name in means if means[name] >= middle}
        page.get_by_label('IoU from').fill('0')
        page.get_by_role('combobox', name='class').select_option('General trash')
        of_class = {name: 100 * of[1] for name, of in expected.items() if 1 in of}
        assert ious(page) == pytest.approx(sorted(of_class.values(), reverse=True), abs=0.06)
        assert page.locator('output').inner_text() == f'{len(names(page))} of 7 photos'


def test_overlays_are_laid_on_and_taken_off(chromium, toy_set, predicted, tmp_path, capsys):  # noqa: F811
    arguments = [toy_set / 'val.json', '--predictions', predicted, '--out', tmp_path / 'a.html']
    call_tool(capsys, TOOL, *arguments)
    with opened(chromium, tmp_path / 'a.html', 400) as page:
        card = page.locator('figure').first
        for choice in ('none', 'truth', 'prediction'):
            page.get_by_label(choice, exact=True).check()
            shown = [
                kind for kind in ('truth', 'prediction') if card.locator(f'.{kind}').is_visible()
            ]
            assert shown == ([] if choice == 'none' else [choice])
            assert card.locator('.photo').is_visible()
        pictures = page.evaluate('[...document.images].map(i => [i.naturalWidth, i.alt])')
        assert all(width > 0 and alt for width, alt in pictures)
        assert page.evaluate('document.documentElement.scrollWidth') == 400


def test_a_photo_and_its_overlay_can_fill_a_phone(chromium, toy_set, tmp_path, capsys):  # noqa: F811
    call_tool(capsys, TOOL, toy_set / 'val.json', '--out', tmp_path / 'a.html')
    with opened(chromium, tmp_path / 'a.html', 390) as page:
        require_usable_on_a_phone(page, '#grid figure > div')
        page.locator('#grid figure > div').nth(2).click()
        boxes = [
            page.locator(f'#grid figure:nth-child(3) .{kind}').bounding_box()
            for kind in ('photo', 'truth')
        ]
        assert boxes[0] == boxes[1]
        assert boxes[0] == dict(x=0, y=0, width=390, height=900)


def test_folds_and_files_are_parts(chromium, toy_set, tmp_path, capsys):  # noqa: F811
    folds = ['--out', tmp_path / 'folds', '--folds', 3]
    call_tool(capsys, 'data_prep/stratified_kfold.py', toy_set / 'train.json', *folds)
    out = tmp_path / 'a.html'
    arguments = [toy_set / 'train.json', '--folds-dir', tmp_path / 'folds', '--out', out]
    call_tool(capsys, TOOL, *arguments)
    wanted = read_coco(tmp_path / 'folds' / 'kfold_1_val.json')['images']
    with opened(chromium, out) as page:
        # Without predictions nothing can be asked about them.
        assert page.get_by_label('IoU from').count() == 0
        assert page.get_by_label('prediction').count() == 0
        assert len(names(page)) == 24
        page.get_by_label('part').select_option('fold 1')
        assert names(page) == [image['file_name'] for image in wanted]


def test_many_photos_come_as_one_scrolls(chromium, toy_set, tmp_path, capsys):  # noqa: F811
    # Four times the same file: 96 photos, of which a small window needs 60 at first.
    files = [toy_set / 'train.json'] * 4
    call_tool(capsys, TOOL, *files, '--out', tmp_path / 'a.html', '--side', 48)
    with opened(chromium, tmp_path / 'a.html', 400) as page:
        assert page.locator('figure').count() == 60
        page.mouse.wheel(0, 100_000)
        page.wait_for_function('document.querySelectorAll("figure").length == 96')
        assert not page.locator('#more').is_visible()


def test_of_too_many_photos_some_are_shown_and_the_page_says_so(
    chromium,  # noqa: F811
    toy_set,
    tmp_path,
    capsys,
):
    out = tmp_path / 'a.html'
    done = call_tool(capsys, TOOL, toy_set / 'val.json', '--out', out, '--count', 3)
    assert 'of 7 photos the page has 3, evenly spaced: --count' in done.out
    listed = [image['file_name'] for image in read_coco(toy_set / 'val.json')['images']]
    with opened(chromium, out) as page:
        assert names(page) == listed[::2][:3]
        assert 'The set has 7 photos' in page.locator('footer').inner_text()
    done = call_tool(capsys, TOOL, toy_set / 'val.json', '--out', out, '--count', 7)
    assert 'evenly' not in done.out + out.read_text()


def test_strangers_texts_are_shown_and_not_run(chromium, small_set, tmp_path, capsys):  # noqa: F811
    name = '<img src=x onerror=alert(1)><!--<script>document.title=1</script> & "x".png'
    image = dict(id=0, file_name=name, height=64, width=64)
    annotation = dict(id=0, image_id=0, category_id=7, segmentation=SQUARE)
    ann = small_set(coco([image], [annotation]))
    call_tool(capsys, TOOL, ann, '--out', tmp_path / 'a.html')
    with opened(chromium, tmp_path / 'a.html') as page:
        assert page.locator('figcaption').inner_text() == name
        assert page.title() == str(ann)
        assert page.locator('img.photo').get_attribute('alt') == f'{name}: {", ".join(CLASSES[:2])}'


def test_mistakes_are_one_line(toy_set, tmp_path, capsys):
    empty = tmp_path / 'empty'
    empty.mkdir()
    arguments = [toy_set / 'val.json', '--out', tmp_path / 'a.html']
    done = call_tool(capsys, TOOL, *arguments, '--predictions', empty, code=2)
    assert 'has no mask for any of the 7 photos' in done.err
    done = call_tool(capsys, TOOL, *arguments, '--data-root', empty, code=2)
    assert 'no such photo (7 of 7' in done.err
    assert not (tmp_path / 'a.html').exists()


def test_a_real_set_as_a_user_runs_it(real_sample, tmp_path):
    done = tool(TOOL, real_sample / 'train_all.json', '--out', tmp_path / 'a.html')
    assert '50 photos: open' in done.stdout
    # So that a few thousand can be in one page.
    assert (tmp_path / 'a.html').stat().st_size < 50 * 15_000
