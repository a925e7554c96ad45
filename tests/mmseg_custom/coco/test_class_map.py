import pytest
from conftest import coco

from mmseg_custom.classes import IGNORE_INDEX, class_list
from mmseg_custom.coco import coco_to_samples, require_valid
from mmseg_custom.coco.class_map import apply_class_map, read_class_map, with_class_map
from mmseg_custom.utils import UserError

CLASSES = class_list(['Background', 'Glass', 'Metal'])
MAP = 'Bottle: glass\njar: Glass\nCan: Metal\nTable: Background\nUNKNOWN: ignore\n'
NAMES = ('Bottle', 'Jar', 'Can', 'Table', 'UNKNOWN', 'Metal')


def content():
    images = [dict(id=3, file_name='a.jpg', height=10, width=10)]
    annotations = [
        dict(id=n, image_id=3, category_id=7 + n, segmentation=[[n, 0, n + 1, 0, n + 1, 9, n, 9]])
        for n in range(len(NAMES))
    ]
    return coco(images, annotations, NAMES)


def labels(found, classes):
    require_valid('a.json', found, classes)
    return [label for label, _ in coco_to_samples(found, classes)[0]['annotations']]


@pytest.mark.parametrize('suffix', ['.yaml', '.csv'])
def test_names_become_classes_background_and_ignored_pixels(tmp_path, suffix):
    path = tmp_path / f'map{suffix}'
    rows = [line.split(': ') for line in MAP.splitlines()]
    table = 'source,class,why\n' + ''.join(f'{a},{b},because\n' for a, b in rows)
    path.write_text('\ufeff' + (MAP if suffix == '.yaml' else table), encoding='utf-8')
    classes = with_class_map(CLASSES, path)
    wanted = [1, 1, 2, 0, IGNORE_INDEX, 2]
    assert labels(content(), classes) == wanted
    # What is written is read without the map.
    written = apply_class_map(content(), classes)
    assert labels(written, CLASSES) == wanted
    names = [category['name'] for category in written['categories']]
    assert names == ['Glass', 'Metal', 'Background', 'ignore']
    assert apply_class_map(written, CLASSES) is written
    # A class list with its map survives a checkpoint or a config.
    assert class_list(classes.to_plain()).class_map == classes.class_map
    assert class_list(classes.to_metainfo()).class_map == classes.class_map


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('m.csv', '', 'header'),
        ('m.csv', 'source\n', 'header'),
        ('m.csv', 'source,class\nJar,\n', 'line 2: write a source name and a class'),
        ('m.csv', 'source,class\nJar,Glass\nJar,Metal\n', "line 3: 'Jar' has two classes"),
        ('m.csv', 'source,class\nJar,Boots\n', "maps 'Jar' to 'Boots', which is none of"),
        ('m.yaml', 'Jar: Boots\n', "maps 'Jar' to 'Boots', which is none of"),
        ('m.yaml', 'Jar: Glass\njar: Metal\n', "maps 'jar' to"),
        ('m.yaml', '- Jar\n', 'has lines `source name: class`'),
        ('m.yaml', 'Jar: [Glass\n', 'cannot be read as YAML'),
    ],
)
def test_a_wrong_map_is_refused_with_its_name(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=f'{name}: .*{message}'):
        with_class_map(CLASSES, path)


def test_a_list_without_background_has_none_to_map_to(tmp_path):
    (tmp_path / 'm.yaml').write_text('Table: Background\n')
    assert read_class_map(tmp_path / 'm.yaml') == dict(Table='Background')
    with pytest.raises(UserError, match='the list has no background'):
        with_class_map(class_list(['Glass', 'Metal']), tmp_path / 'm.yaml')
