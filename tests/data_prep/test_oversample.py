import json
import math
from collections import Counter
from itertools import islice

import pytest
from conftest import call_tool, tool
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems
from mmseg_custom.coco.stats.class_counts import class_counts

CLASSES = built_in().names

TOOL = 'data_prep/oversample.py'


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def read(path):
    return json.loads(path.read_text())


def test_images_of_named_classes_are_repeated(toy_set, tmp_path):
    out = tmp_path / 'new' / 'out.json'
    arguments = ['--out', out, '--repeat', 'battery', 'Clothing', '--times', 3]
    done = tool(TOOL, toy_set / 'train.json', *arguments)
    before, after = read(toy_set / 'train.json'), read(out)
    assert list(find_problems(after, built_in())) == []
    held = (class_counts(before, built_in())[:, [9, 10]] > 0).any(axis=1).sum()
    assert held > 0
    assert len(after['images']) == 24 + 2 * held
    counts = [class_counts(c, built_in())[:, [9, 10]].sum() for c in (before, after)]
    assert counts[1] == 3 * counts[0]
    assert f'wrote {24 + 2 * held} images (24 before)' in done.stdout


def test_the_seed_decides_the_rounding(toy_set, tmp_path, capsys):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        out = ['--out', tmp_path / name, '--threshold', 0.9, '--seed', seed]
        call(capsys, toy_set / 'train.json', *out)
    first, second, third = ((tmp_path / name).read_bytes() for name in 'abc')
    assert first == second != third
    assert len(json.loads(first)['images']) > 24


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--repeat', 'Wood'], "'Wood' is no class"),
        (['--threshold', '0'], 'threshold 0.0: give a fraction'),
        (['--times', '2'], '--times needs --repeat'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    done = call(capsys, toy_set / 'val.json', '--out', tmp_path / 'o.json', *arguments, code=2)
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_a_file_without_annotations_is_refused(tmp_path, capsys):
    (tmp_path / 'a.json').write_text('{"images": [{"id": 0')
    assert 'does not parse' in call(capsys, tmp_path / 'a.json', '--out', 'x', code=2).err
    image = dict(id=0, file_name='a.jpg', height=8, width=8)
    (tmp_path / 'a.json').write_text(json.dumps(dict(images=[image])))
    assert '"annotations"' in call(capsys, tmp_path / 'a.json', '--out', 'x', code=2).err


def shares(path):
    coco = COCO(str(path))
    names = {c['id']: c['name'] for c in coco.loadCats(coco.getCatIds())}
    found = Counter(names[a['category_id']] for a in coco.dataset['annotations'])
    return {name: count / sum(found.values()) for name, count in found.items()}


def test_an_epoch_of_the_real_photos_holds_more_of_the_rare_classes(real_sample, tmp_path, capsys):
    source, out = real_sample / 'train_all.json', tmp_path / 'out.json'
    done = call(capsys, source, '--out', out, '--threshold', 0.3)
    before, after = shares(source), shares(out)
    # Held by 1, 2 and 4 of the 50 photos: repeated by sqrt(15), sqrt(7.5) and sqrt(3.75).
    for name, least in (('Glass', 1.8), ('Clothing', 1.6), ('Metal', 1.3)):
        assert after[name] / before[name] > least
        row = next(line for line in done.out.splitlines() if line.startswith(f'| {name} '))
        assert f'{100 * before[name]:.2f} %' in row
        assert f'{100 * after[name]:.2f} %' in row
    assert after['General trash'] < before['General trash']


def test_the_sampler_draws_the_same_shares_without_writing(real_sample):
    from mmseg_custom.datasets import RepeatFactorSampler, TrashCocoDataset

    dataset = TrashCocoDataset('train_all.json', data_root=str(real_sample))
    held = [set(dataset.get_cat_ids(index)) for index in range(50)]
    holders = Counter(label for labels in held for label in labels)
    # The rule by hand: sqrt(0.3 / (holders / 50)) = sqrt(15 / holders) for the rarest class.
    factors = [max(1, math.sqrt(15 / min(holders[label] for label in mine))) for mine in held]
    drawn = list(islice(RepeatFactorSampler(dataset, threshold=0.3, seed=0), 20_000))
    for name, photos in (('Glass', 1), ('Clothing', 2), ('Metal', 4)):
        label = CLASSES.index(name)
        assert holders[label] == photos
        seen = sum(label in held[index] for index in drawn) / len(drawn)
        expected = sum(f for f, mine in zip(factors, held, strict=True) if label in mine)
        assert seen == pytest.approx(expected / sum(factors), rel=0.05)
        assert seen > 1.3 * photos / 50
