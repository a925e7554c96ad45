from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco import classes_of_files

IMAGES = [dict(id=0, file_name='a.jpg', height=10, width=10)]


def annotated(names, **others):
    entries = [dict(id=n, image_id=0, category_id=7 + n) for n in range(len(names))]
    return coco(IMAGES, entries, names) | others


def test_a_set_whose_categories_all_fit_has_the_default_list(capsys):
    assert classes_of_files({'a.json': annotated(['paper', 'Plastic_bag'])}) is built_in()
    assert classes_of_files({'a.json': dict(images=IMAGES)}) is built_in()
    assert capsys.readouterr().out == ''


def test_other_categories_are_the_classes_and_a_line_says_so(capsys):
    contents = {'a.json': annotated(['Wood', 'Paper']), 'b.json': annotated(['paper', 'Stone'])}
    classes = classes_of_files(contents)
    assert classes.names == ('Background', 'Wood', 'Paper', 'Stone')
    assert classes.background == 0
    wanted = 'classes: the 3 categories of a.json, b.json, Background first\n'
    assert capsys.readouterr().out == wanted


def test_categories_of_a_built_in_list_are_that_list(capsys):
    known = built_in('recycle_trash_2021')
    content = annotated([known.names[label] for label in reversed(known.foreground)])
    assert classes_of_files({'a.json': content}) is known
    assert 'recycle_trash_2021 (the 11 categories of a.json)' in capsys.readouterr().out


def test_the_command_line_comes_first(tmp_path, capsys):
    (tmp_path / 'c.yaml').write_text('[Wood, Paper]')
    found = classes_of_files({'a.json': annotated(['Glass'])}, tmp_path / 'c.yaml')
    assert found.names == ('Wood', 'Paper') and found.background is None
    (tmp_path / 'm.yaml').write_text('Wood: Paper\nStone: General trash\n')
    found = classes_of_files({'a': annotated(['Wood', 'Stone'])}, None, tmp_path / 'm.yaml')
    assert found.is_same_as(built_in()) and found.label_of('wood') == 2
    assert capsys.readouterr().out == ''


def test_the_group_of_a_roboflow_export_is_no_class(capsys):
    """Such exports have a category 0 that only names the group of the others."""
    names = ['trash', 'Wood', 'Stone']
    content = coco(IMAGES, [dict(id=0, image_id=0, category_id=8)], names)
    for category, group in zip(content['categories'], ['none', 'trash', 'trash'], strict=True):
        category['supercategory'] = group
    assert classes_of_files({'a.json': content}).names == ('Background', 'Wood', 'Stone')
    assert "a.json: skipped the category 'trash'" in capsys.readouterr().out
    content['annotations'].append(dict(id=1, image_id=0, category_id=7))
    assert 'trash' in classes_of_files({'a.json': content}).names


def test_what_cannot_be_read_is_left_to_the_check():
    content = annotated(['Wood']) | dict(categories=[dict(id=7), 'Wood', dict(id=[], name='x')])
    assert classes_of_files({'a.json': content}) is built_in()


def test_mask_files_say_what_their_labels_mean(capsys):
    noted = dict(images=IMAGES, annotations=[], categories=[], info=dict(classes=['Wood', 'Stone']))
    assert classes_of_files({'a.json': noted}).names == ('Wood', 'Stone')
    assert 'classes: the 2 of the mask files of a.json' in capsys.readouterr().out
