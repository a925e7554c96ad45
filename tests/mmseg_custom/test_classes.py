import dataclasses
import pickle

import pytest
import yaml

from mmseg_custom.classes import (
    ClassList,
    built_in,
    built_in_names,
    class_list,
    from_categories,
)
from mmseg_custom.utils import UserError
from mmseg_custom.utils.colors import color_distance


@pytest.mark.parametrize('name', built_in_names())
def test_built_in_lists_survive_every_form(name):
    classes = built_in(name)
    assert classes.names[classes.background] == 'Background'
    assert class_list(classes.to_plain()) == class_list(classes.to_metainfo()) == classes
    assert pickle.loads(pickle.dumps(classes)) == classes
    with pytest.raises(dataclasses.FrozenInstanceError):
        classes.background = 3


def test_built_in_lists_are_those_of_their_publishers():
    assert [len(built_in(name)) for name in built_in_names()] == [11, 12, 61, 29]
    assert built_in('recycle_trash_2021').names[1] == 'UNKNOWN'
    assert built_in().mask_colors[5:7] == ((64, 0, 128), (64, 0, 192))


@pytest.mark.parametrize('name', ['recycle_trash', 'recycle_trash_2021'])
def test_overlay_colors_differ_for_every_viewer(name):
    colors = built_in(name).colors
    pairs = [(a, b) for i, a in enumerate(colors) for b in colors[:i]]
    # 2.3 is a just noticeable difference.
    assert min(color_distance(*pair) for pair in pairs) > 15


def test_a_yaml_file_says_names_background_and_colors(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(
        '\ufeffnames: [can, 유리, floor]\nbackground: Floor\ncolors: {can: [1, 2, 3]}\n',
        encoding='utf-8',
    )
    classes = class_list(file)
    assert classes.names == ('can', '유리', 'floor')
    assert (classes.background, classes.unlabeled, classes.foreground) == (2, 2, (0, 1))
    assert classes.colors[0] == classes.mask_colors[0] == (1, 2, 3)
    assert len(set(classes.colors)) == 3


def test_without_background_unlabeled_pixels_are_ignored():
    classes = class_list(['can', 'glass'])
    assert classes.background is None
    assert classes.unlabeled == classes.ignore_index == 255
    assert classes.foreground == (0, 1)


def test_categories_follow_a_background_in_the_order_of_their_ids():
    categories = [dict(id=9, name='b'), dict(id=2, name='a'), dict(id=5, name='background')]
    assert from_categories(categories).names == ('Background', 'a', 'b')


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        ('names: [a, A]', 'same name'),
        ('names: [a, 3]', 'no class name'),
        ('names: []', 'no list'),
        ('names: [a]\nbackground: b', 'background'),
        ('names: [a]\ncolours: {}', 'colours'),
        ('names: [a]\ncolors: {b: [1, 2, 3]}', "'b'"),
        ('names: [a]\ncolors: {a: [1, 2, 256]}', '256'),
        ('names: [a]\nignore_index: 0', 'ignored label'),
        ('just text', 'no class list'),
        ('names: [a', 'YAML'),
        (yaml.safe_dump(dict(names=[f'c{n}' for n in range(256)])), '256 classes'),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(tmp_path, content, said):
    file = tmp_path / 'wrong.yaml'
    file.write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        class_list(file)
    assert str(file) in str(caught.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match='taco_supercategories'):
        class_list('tacos')


def test_metainfo_of_mmsegmentation_is_read():
    classes = class_list(dict(classes=('a', 'b'), palette=[[1, 2, 3], [4, 5, 6]]))
    assert isinstance(classes, ClassList)
    assert classes.mask_colors == ((1, 2, 3), (4, 5, 6))
