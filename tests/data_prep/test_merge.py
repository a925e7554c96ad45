import json

import numpy as np
import pytest
from conftest import call_tool
from PIL import Image
from pycocotools.coco import COCO

TOOL = 'data_prep/merge.py'
SIZE = 48


@pytest.fixture
def sets(tmp_path):
    """Two sets and a held-out one; photo 3 of ``b`` is photo 0 of ``a``, and 4 is held out."""
    generator = np.random.default_rng(0)
    looks = generator.integers(0, 256, (9, 6, 6, 3), dtype=np.uint8)

    def write(name, photos, categories, licenses):
        folder = tmp_path / name
        (folder / '사진').mkdir(parents=True)
        images, annotations = [], []
        for number, (look, suffix) in enumerate(photos):
            picture = Image.fromarray(looks[look]).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            file_name = f'사진/{number}{suffix}'
            picture.save(folder / file_name, quality=80)
            license_id = licenses[number % len(licenses)]['id'] if licenses else None
            images.append(
                dict(id=number, file_name=file_name, height=SIZE, width=SIZE, license=license_id)
            )
            for category in range(len(categories)):
                box = [number, category, number + 9, category, number + 9, category + 9]
                annotations.append(
                    dict(
                        id=len(annotations),
                        image_id=number,
                        category_id=category + 5,
                        segmentation=[box],
                    )
                )
        content = dict(
            images=images,
            annotations=annotations,
            categories=[dict(id=5 + n, name=one) for n, one in enumerate(categories)],
            licenses=licenses,
        )
        (folder / 'ann.json').write_text(json.dumps(content))
        return folder / 'ann.json'

    licenses = [dict(id=1, name='CC BY'), dict(id=2, name='CC0')]
    a = write('a', [(0, '.png'), (1, '.png')], ['Paper', 'Glass'], licenses)
    theirs = [dict(id=1, name='CC0'), dict(id=9, name='CC BY')]
    b_photos = [(2, '.png'), (5, '.png'), (6, '.jpg'), (0, '.jpg'), (4, '.jpg')]
    b = write('b', b_photos, ['Bottle', 'paper', 'Odd'], theirs)
    held = write('held', [(4, '.png')], ['Paper'], [])
    (tmp_path / 'b.yaml').write_text('Bottle: Glass\nOdd: ignore\n')
    return a, b, held


def test_photos_classes_ids_licenses_and_origins(sets, tmp_path, capsys):
    a, b, held = sets
    out = tmp_path / 'merged.json'
    options = ['--class-map', f'{b}={tmp_path / "b.yaml"}', '--held-out', held, '--out', out]
    said = call_tool(capsys, TOOL, a, b, *options).out
    merged = json.loads(out.read_text())
    names = ['a/사진/0.png', 'a/사진/1.png', 'b/사진/0.png', 'b/사진/1.png', 'b/사진/2.jpg']
    assert [image['file_name'] for image in merged['images']] == names
    assert 'b/사진/3.jpg looks the same as a photo of another file' in said
    assert 'b/사진/4.jpg looks the same as the held-out photo' in said
    assert len({one['id'] for one in merged['annotations']}) == len(merged['annotations'])
    joined, licenses = COCO(str(out)), {one['id']: one['name'] for one in merged['licenses']}
    maps = {'Bottle': 'Glass', 'Odd': 'ignore', 'paper': 'Paper'}
    for image in merged['images']:
        folder, _, name = image['file_name'].partition('/')
        source = COCO(str(tmp_path / folder / 'ann.json'))
        (old,) = (one for one in source.imgs.values() if one['file_name'] == name)
        pairs = [
            [
                (api.cats[one['category_id']]['name'], one['segmentation'])
                for one in api.imgToAnns[key]
            ]
            for api, key in ((source, old['id']), (joined, image['id']))
        ]
        assert [(maps.get(name, name), shape) for name, shape in pairs[0]] == pairs[1]
        theirs = {one['id']: one['name'] for one in source.dataset['licenses']}
        assert licenses[image['license']] == theirs[old['license']]
        assert image['origin'] == (tmp_path / folder / 'ann.json').as_posix()
    assert sorted(licenses.values()) == ['CC BY', 'CC0']


def test_nothing_is_left_out_where_no_photo_is_read(sets, tmp_path, capsys):
    a, b, _ = sets
    out = tmp_path / 'merged.json'
    call_tool(capsys, TOOL, a, b, '--no-photos', '--out', out)
    assert len(json.loads(out.read_text())['images']) == 7
    assert 'exists already' in call_tool(capsys, TOOL, a, b, '--out', out, code=2).err


@pytest.mark.parametrize(
    ('text', 'message'),
    (('Botle: Glass', "has no category 'Botle'"), ('Bottle: [1]', 'a class map has lines')),
)
def test_a_wrong_class_map_is_one_message(sets, tmp_path, capsys, text, message):
    a, b, _ = sets
    (tmp_path / 'b.yaml').write_text(text)
    command = (a, b, '--class-map', f'{b}={tmp_path / "b.yaml"}', '--out', tmp_path / 'm.json')
    assert message in call_tool(capsys, TOOL, *command, code=2).err
    assert not (tmp_path / 'm.json').exists()


def test_a_class_map_of_all_files_need_not_fit_each(sets, tmp_path, capsys):
    a, b, _ = sets
    out, common = tmp_path / 'm.json', tmp_path / 'common.yaml'
    common.write_text('Bottle: Glass\nOdd: ignore\nNowhere: Metal\n')
    command = (a, b, '--no-photos', '--out', out)
    maps = [common, f'{b}={tmp_path / "own.yaml"}']
    # What a file's own map says comes first, wherever it stands.
    (tmp_path / 'own.yaml').write_text('Odd: Metal')
    done = call_tool(capsys, TOOL, *command, '--class-map', *maps)
    assert 'no file has these names of the class map: Nowhere\n' in done.out
    names = {one['name'] for one in json.loads(out.read_text())['categories']}
    assert {'Glass', 'Metal'} <= names
    assert not names & {'Bottle', 'Odd', 'ignore'}
    common.write_text('Nowhere: Metal')
    command = (*command, '--force', '--class-map', common)
    assert "no category 'Nowhere'" in call_tool(capsys, TOOL, *command, code=2).err


def test_mask_files_of_other_classes_are_not_joined(sets, tmp_path, capsys):
    a, b, _ = sets
    for path, names in ((a, ['Background', 'x']), (b, ['Background', 'y'])):
        content = json.loads(path.read_text()) | dict(info=dict(classes=names))
        path.write_text(json.dumps(content))
    err = call_tool(
        capsys, 'data_prep/oversample.py', a, b, '--out', tmp_path / 'o.json', code=2
    ).err
    assert 'mean other classes' in err
