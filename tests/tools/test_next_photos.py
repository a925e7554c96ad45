import csv
import json
import shutil

import numpy as np
import pytest
from browser import chromium, opened, require_usable_on_a_phone  # noqa: F401
from conftest import call_tool
from PIL import Image
from pycocotools.coco import COCO

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco import load_mask

TOOL = 'tools/next_photos.py'


def listed(out):
    with open(out / 'next_photos.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [int(row['rank']) for row in rows] == list(range(1, len(rows) + 1))
    return {row['file_name']: float(row['score']) for row in rows}


@pytest.fixture
def pool(toy_set, tmp_path):
    """Eight photos; the first one is there again, encoded again under another name."""
    folder = tmp_path / 'pool'
    folder.mkdir()
    photos = sorted(toy_set.glob('batch_0*/*.jpg'))[:8]
    for number, photo in enumerate(photos):
        shutil.copy(photo, folder / f'{number}.jpg')
    Image.open(photos[0]).save(folder / 'again.jpg', quality=85)
    return folder


def test_list_page_and_labels_to_correct(
    chromium,  # noqa: F811
    random_checkpoint,
    pool,
    tmp_path,
    capsys,
):
    out = tmp_path / 'out'
    options = ['--number', 3, '--class-aware', '--diversity', 'clusters', '--labels-as', 'labelme']
    done = call_tool(capsys, TOOL, random_checkpoint, pool, *options, '--out', out)
    assert f'3 of 9 photos chosen; open {out}/next_photos.html' in done.out
    scores = listed(out)
    assert len(scores) == 3
    assert not {'0.jpg', 'again.jpg'} <= scores.keys()

    segmenter = TrashSegmenter(random_checkpoint, device='cpu')
    coco = COCO(str(out / 'predictions.json'))
    assert {image['file_name'] for image in coco.imgs.values()} == scores.keys()
    assert {path.stem for path in (out / 'masks').iterdir()} == {name[0] for name in scores}
    for image in coco.imgs.values():
        found = segmenter(pool / image['file_name']).mask
        painted = np.zeros_like(found)
        for one in coco.imgToAnns[image['id']]:
            painted[coco.annToMask(one) > 0] = one['category_id']
        mask = (out / 'masks' / image['file_name']).with_suffix('.png')
        assert np.array_equal(painted, load_mask(mask, *found.shape, segmenter.classes))
        assert np.array_equal(painted, found)

    labelme = (out / 'labels' / 'labelme').rglob('*.json')
    assert {path.stem for path in labelme} == {name[0] for name in scores}

    with opened(chromium, out / 'next_photos.html', 390) as page:
        require_usable_on_a_phone(page)
        texts = page.locator('figcaption strong').all_inner_texts()
        assert texts == [f'{rank}. {name}' for rank, name in enumerate(scores, 1)]
        assert page.locator('.pair img').count() == 6


@pytest.mark.parametrize('by', ['entropy', 'margin', 'disagreement'])
def test_without_diversity_the_highest_scores_are_chosen(
    by, random_checkpoint, pool, tmp_path, capsys
):
    options = ['--by', by, '--no-class-aware', '--diversity', 'none', '--number', 9]
    done = call_tool(capsys, TOOL, random_checkpoint, pool, *options, '--out', tmp_path / 'out')
    assert '9 were asked for: all others look like one that is chosen' in done.out
    scores = listed(tmp_path / 'out')
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    segmenter = TrashSegmenter(random_checkpoint, device='cpu')
    for name, score in scores.items():
        photo = np.array(Image.open(pool / name))
        first = segmenter(photo).probabilities.astype(np.float64)
        mirrored = segmenter(np.ascontiguousarray(photo[:, ::-1])).probabilities[..., ::-1]
        pair = np.stack([first, mirrored])
        mean = pair.mean(axis=0)

        def entropy(p):
            return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=0) / np.log(len(p))

        ranked = np.sort(mean, axis=0)
        expected = dict(
            entropy=entropy(mean),
            margin=1 - ranked[-1] + ranked[-2],
            disagreement=entropy(mean) - (entropy(pair[0]) + entropy(pair[1])) / 2,
        )[by].mean()
        assert score == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_what_is_labeled_is_not_chosen_again(random_checkpoint, toy_set, pool, tmp_path, capsys):
    content = dict(images=[dict(id=1, file_name='3.jpg', height=64, width=64)])
    (tmp_path / 'labeled.json').write_text(
        json.dumps(content | dict(annotations=[], categories=[]))
    )
    options = ['--labeled', tmp_path / 'labeled.json', '--data-root', pool, '--number', 9]
    out = tmp_path / 'out'
    call_tool(capsys, TOOL, random_checkpoint, pool, *options, '--out', out)
    assert len(listed(out)) == 7
    assert '3.jpg' not in listed(out)


def test_another_choice_reuses_what_was_computed(random_checkpoint, pool, tmp_path, capsys):
    out = tmp_path / 'out'
    call_tool(capsys, TOOL, random_checkpoint, pool, '--number', 4, '--out', out)
    first = listed(out)
    times = {path: path.stat().st_mtime_ns for path in (out / 'pool').glob('*.npz')}
    assert len(times) == 9
    options = ['--number', 2, '--no-class-aware', '--by', 'margin', '--diversity', 'core-set']
    call_tool(capsys, TOOL, random_checkpoint, pool, *options, '--out', out)
    assert times == {path: path.stat().st_mtime_ns for path in (out / 'pool').glob('*.npz')}
    second = listed(out)
    assert second != first
    # Labels of photos that are no longer chosen are gone.
    assert {path.stem for path in (out / 'masks').iterdir()} == {name[:-4] for name in second}


def test_broken_photos_are_reported(random_checkpoint, pool, tmp_path, capsys):
    (pool / '5.jpg').write_bytes(b'\xff\xd8\xff')
    out = tmp_path / 'out'
    done = call_tool(capsys, TOOL, random_checkpoint, pool, '--out', out, code=1)
    assert '1 of 9 photos could not be read' in done.out
    assert len(listed(out)) == 7
