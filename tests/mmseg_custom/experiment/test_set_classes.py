"""An experiment says its classes once, and everything in it follows."""

import numpy as np
import pytest
from conftest import ROOT
from mmengine.config import Config
from mmseg.apis import init_model
from mmseg.registry import DATASETS, MODELS

from mmseg_custom.classes import built_in, choose_classes, class_list
from mmseg_custom.experiment.config import drop_pretrained, load_config
from mmseg_custom.experiment.datasets import leaf_datasets
from mmseg_custom.experiment.set_classes import experiment_classes, set_classes
from mmseg_custom.utils import UserError

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
THREE = ['Background', 'can', 'glass']
# One of each way in which a model is put together.
KINDS = (
    'upernet_swin_toy',
    'ocrnet_hr18_trash',
    'knet_swin_trash',
    'laptop_efflite0_trash_online',
    'upernet_swin_trash_pseudo_joint',
    'unetplusplus_effb5_trash',
    'hf_segformer_b0_trash',
    'mask2former_swin_trash',
)


def write_config(folder, *lines: str):
    """Write an experiment that changes the toy's."""
    path = folder / 'mine.py'
    path.write_text('\n'.join([f'_base_ = {str(TOY)!r}', *lines]) + '\n')
    return load_config(str(path))


@pytest.mark.slow
@pytest.mark.parametrize('name', KINDS)
def test_every_part_of_a_model_has_the_number_of_classes(name):
    cfg = load_config(str(ROOT / 'configs' / f'{name}.py'))
    drop_pretrained(cfg.model)
    plain = MODELS.build(cfg.model)
    set_classes(cfg, THREE)
    model = MODELS.build(cfg.model)
    for one, number in ((plain, 11), (model, 3)):
        numbers = {m.num_classes for m in one.modules() if hasattr(m, 'num_classes')}
        assert numbers == {number}
    ours, theirs = model.state_dict(), plain.state_dict()
    assert ours.keys() == theirs.keys()
    changed = {name for name in ours if ours[name].shape != theirs[name].shape}
    assert changed, 'the head has no classes'


def test_mmsegmentation_builds_a_model_of_ours_without_us(random_checkpoint):
    model = init_model(str(TOY), str(random_checkpoint), device='cpu')
    assert (model.num_classes, model.decode_head.num_classes) == (11, 11)


def test_a_config_of_mmsegmentation_follows_too():
    head = dict(
        type='FCNHead',
        in_channels=8,
        channels=4,
        num_classes=19,
        loss_decode=dict(type='CrossEntropyLoss', class_weight=[1.0, 2.0, 3.0]),
    )
    model = dict(type='EncoderDecoder', decode_head=head, auxiliary_head=[dict(head), dict(head)])
    cfg = Config(dict(model=model))
    set_classes(cfg, THREE)
    heads = [cfg.model.decode_head, *cfg.model.auxiliary_head]
    assert [head.num_classes for head in heads] == [3, 3, 3]


@pytest.mark.parametrize(
    'line',
    [
        f'classes = {THREE}',
        f'classes = dict(names={THREE}, colors=dict(can=[1, 2, 3]))',
        'classes = "three.yaml"',
        f'train_dataloader = dict(dataset=dict(metainfo=dict(classes=tuple({THREE}))))',
        f'val_dataloader = dict(dataset=dict(metainfo=dict(classes={THREE}, palette=[[0,0,0]]*3)))',
    ],
)
def test_classes_are_said_once_in_any_form(tmp_path, line):
    (tmp_path / 'three.yaml').write_text('names: [Background, can, glass]\n')
    cfg = write_config(tmp_path, line)
    classes = set_classes(cfg)
    assert classes.names == tuple(THREE)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert class_list(loader.dataset.metainfo).is_same_as(classes)
    assert cfg.model.decode_head.num_classes == 3
    # What is dumped beside a training says the same again.
    again = Config.fromstring(cfg.pretty_text, '.py')
    assert set_classes(again) == classes
    assert set_classes(cfg) == classes


@pytest.mark.parametrize('stated_by', ['base', 'config', 'override'])
def test_a_class_file_is_relative_to_the_file_that_states_it(tmp_path, monkeypatch, stated_by):
    """A file of the same name in the heir's folder, or in the current one, is another list."""
    for folder in ('bases', 'mine', 'here'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'list.yaml').write_text(f'names: [Background, {folder}]\n')
    monkeypatch.chdir(tmp_path / 'here')
    line = "classes = 'list.yaml'\n"
    base, heir = tmp_path / 'bases' / 'base.py', tmp_path / 'mine' / 'heir.py'
    base.write_text(f'_base_ = {str(TOY)!r}\n' + (line if stated_by == 'base' else ''))
    heir.write_text("_base_ = '../bases/base.py'\n" + (line if stated_by == 'config' else ''))
    (tmp_path / 'bases' / 'override.yaml').write_text('classes: list.yaml\n')
    override = str(tmp_path / 'bases' / 'override.yaml') if stated_by == 'override' else None
    cfg = load_config(str(heir), override=override)
    wanted = 'mine' if stated_by == 'config' else 'bases'
    assert set_classes(cfg).names == ('Background', wanted)
    # What the command line says is relative to the current folder.
    cfg = load_config(str(heir), ['classes=list.yaml'], override=override)
    assert set_classes(cfg).names == ('Background', 'here')


def test_every_data_set_of_every_loader_follows_through_wrappers():
    cfg = load_config(str(ROOT / 'configs' / 'laptop_efflite0_trash_online.py'))
    set_classes(cfg, THREE)
    leaves = list(leaf_datasets(cfg.train_dataloader.dataset))
    assert [leaf.type for leaf in leaves] == ['TrashCocoDataset', 'UnlabelledPhotos']
    assert all(leaf.metainfo.classes == THREE for leaf in leaves)
    assert cfg.model.segmentor.decode_head.num_classes == 3


def test_an_experiment_without_classes_has_the_default_list():
    cfg = load_config(str(TOY))
    assert experiment_classes(cfg) is None
    assert set_classes(cfg) == built_in()


@pytest.mark.parametrize(
    ('lines', 'said'),
    [
        (
            ['classes = ["a", "b"]',
             'train_dataloader = dict(dataset=dict(metainfo=dict(classes=["b", "a"])))'],
            '`classes` has 2 classes: a, b; the metainfo of train.json has 2 classes: b, a',
        ),
        (['classes = ["can"]'], "'can' is the only class"),
        (['classes = "gone.yaml"'], 'gone.yaml: is neither'),
        (
            [f'classes = {THREE}', 'model = dict(decode_head=dict(loss_decode=dict('
             'class_weight=[1.0] * 11)))'],
            'model.decode_head.loss_decode.class_weight has 11 numbers for 3 classes',
        ),
        (
            ['classes = ["a", "b"]', 'model = dict(decode_head=dict(out_channels=1))'],
            'model.decode_head.out_channels is 1',
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, lines, said):
    cfg = write_config(tmp_path, *lines)
    with pytest.raises(UserError) as caught:
        set_classes(cfg)
    assert said in str(caught.value)


def test_the_first_that_says_its_classes_is_believed():
    one, other, third = (class_list([name, 'Background']) for name in 'abc')
    assert choose_classes() == built_in()
    assert choose_classes(categories=third) == third
    assert choose_classes(experiment=other, categories=third) == other
    assert choose_classes(model=one, experiment=other, categories=third) == one
    colored = class_list(dict(names=['a', 'Background'], colors=dict(a=[1, 2, 3])))
    assert choose_classes(given=colored, model=one, experiment=other) == colored
    with pytest.raises(UserError, match='x.pth: knows 2 classes: a, .Background.; given are'):
        choose_classes(given=other, model=one, source='x.pth')


def test_a_checkpoint_of_other_classes_is_believed_and_reported(tmp_path, capsys):
    cfg = write_config(tmp_path, f'classes = {THREE}')
    model = class_list(['glass', 'can', 'Background'])
    assert set_classes(cfg, model=model, source='x.pth') == model
    assert cfg.train_dataloader.dataset.metainfo.classes == list(model.names)
    said = capsys.readouterr().out
    assert said == (
        'x.pth: knows 3 classes: glass, can, (Background); these hold, '
        'not the 3 of the experiment\n'
    )


def test_a_subset_ignores_the_other_classes_as_in_mmsegmentation(tmp_path, toy_set):
    names = ['Plastic', 'Background', 'Paper']
    cfg = write_config(
        tmp_path, f'train_dataloader = dict(dataset=dict(metainfo=dict(classes={names})))'
    )
    set_classes(cfg)
    options = dict(data_root=str(toy_set), pipeline=cfg.load)
    subset = DATASETS.build(dict(cfg.train_dataloader.dataset, **options))
    complete = DATASETS.build(dict(type='TrashCocoDataset', ann_file='train.json', **options))
    # What MMSegmentation's get_label_map gives.
    table = np.full(256, 255, np.uint8)
    for label, name in enumerate(names):
        table[built_in().label_of(name)] = label
    assert len(subset) == len(complete) > 0
    for index in range(len(subset)):
        ours, theirs = subset[index]['gt_seg_map'], complete[index]['gt_seg_map']
        assert np.array_equal(ours, table[theirs])
