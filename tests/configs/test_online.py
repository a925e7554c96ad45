import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_custom.apis import TrashSegmenter, train
from mmseg_custom.apis import test as apis_test
from mmseg_custom.experiment.config import load_config, set_options
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.experiment.named_parts import set_augmentation, set_loss
from mmseg_custom.experiment.schedule import set_max_iters
from mmseg_custom.utils.shared import part_names

CONFIGS = ROOT / 'configs'
TOY = CONFIGS / 'upernet_swin_toy.py'
RUN = itertools.count()


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def toy_online(tmp_path_factory) -> Path:
    """The online recipe, word for word, on the toy's model and data."""
    text = (CONFIGS / 'upernet_swin_trash_online.py').read_text()
    text = text.replace('./upernet_swin_trash.py', str(TOY))
    path = tmp_path_factory.mktemp('configs') / 'toy_online.py'
    path.write_text(text.replace('./_base_', str(CONFIGS / '_base_')))
    return path


@pytest.fixture(scope='module')
def run(toy_online, toy_set, random_checkpoint, tmp_path_factory):
    """Return a function that trains four iterations and returns the work folder."""

    def train_online(resume=None, workers=0):
        cfg = experiment(toy_online, toy_set, tmp_path_factory.mktemp('work'))
        # A supervised training's: from scratch nothing is sure for long.
        start = dict(type='Pretrained', checkpoint=str(random_checkpoint))
        cfg.merge_from_dict(dict(model=dict(threshold=0.5, segmentor=dict(init_cfg=start))))
        cfg.train_dataloader.update(num_workers=workers)
        fit_to_machine(cfg)
        train(cfg, resume)
        return Path(cfg.work_dir)

    return train_online


@pytest.fixture(scope='module')
def trained(run):
    return run()


def experiment(config, data_root, work_dir) -> Config:
    cfg = load_config(str(config), work_dir=str(work_dir))
    set_options(cfg, data_root=str(data_root), batch_size=4, seed=3)
    set_max_iters(cfg, 4)
    cfg.train_cfg.val_interval = cfg.default_hooks.checkpoint.interval = 2
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    # Two runs that begin in the same second would share their log.
    cfg.experiment_name = f'online_{next(RUN)}'
    return cfg


def saved(path):
    return torch.load(path, weights_only=False, map_location='cpu')


def scalars(checkpoint, name):
    return checkpoint['message_hub']['log_scalars'][f'train/{name}'].data[0]


def test_both_kinds_of_photos_are_learnt(trained):
    checkpoint = saved(trained / 'iter_4.pth')
    assert (scalars(checkpoint, 'unlabelled.sure_share') > 0).all()
    assert (scalars(checkpoint, 'unlabelled.decode.loss_ce') > 0).any()
    expected = sum(
        scalars(checkpoint, f'{kind}{loss}')
        for kind in ('', 'unlabelled.')
        for loss in ('decode.loss_ce', 'aux.loss_ce')
    )
    np.testing.assert_allclose(scalars(checkpoint, 'loss'), expected, rtol=1e-4)
    assert checkpoint['state_dict']['teacher.steps'] == 4


def test_a_resumed_training_is_the_whole_one_to_the_bit(run, trained):
    resumed = run(resume=str(trained / 'iter_2.pth'), workers=1)
    whole, again = saved(trained / 'iter_4.pth'), saved(resumed / 'iter_4.pth')
    assert whole['state_dict'].keys() == again['state_dict'].keys()
    for name, value in whole['state_dict'].items():
        assert value.equal(again['state_dict'][name]), name
    classifier = 'teacher.module.decode_head.conv_seg.weight'
    half_way = saved(trained / 'iter_2.pth')['state_dict'][classifier]
    assert not half_way.equal(whole['state_dict'][classifier])
    whole, again = whole['optimizer']['state'], again['optimizer']['state']
    assert whole.keys() == again.keys()
    for number, state in whole.items():
        assert all(value.equal(again[number][name]) for name, value in state.items())


def test_the_exported_teacher_is_a_model_of_the_plain_config(toy_online, trained, toy_set):
    (best,) = trained.glob('best_mIoU_iter_*.pth')
    weights = saved(best)['state_dict']
    teacher = saved(trained / 'teacher.pth')['state_dict']
    assert teacher
    assert all(value.equal(weights[f'teacher.module.{k}']) for k, value in teacher.items())
    plain = TrashSegmenter(TOY, trained / 'teacher.pth', device='cpu')
    online = TrashSegmenter(toy_online, best, device='cpu')
    photo = next(toy_set.glob('batch_*/*.jpg'))
    ours, theirs = plain(photo), online(photo)
    assert ours.mask.shape == Image.open(photo).size[::-1]
    np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)
    assert plain.classes == online.classes


def test_what_was_validated_is_what_is_exported(trained, toy_set, tmp_path):
    cfg = experiment(TOY, toy_set, tmp_path)
    fit_to_machine(cfg)
    (best,) = trained.glob('best_mIoU_iter_*.pth')
    validated = saved(best)['message_hub']['log_scalars']['val/mBoundaryIoU'].data[0][-1]
    assert apis_test(cfg, str(trained / 'teacher.pth'))['mBoundaryIoU'] == validated


@pytest.mark.parametrize('name', ['upernet_swin_trash', 'laptop_efflite0_trash'])
def test_an_online_experiment_is_the_plain_one_with_photos_beside(name):
    plain, online = (Config.fromfile(str(CONFIGS / f'{n}.py')) for n in (name, f'{name}_online'))
    assert online.model.segmentor == plain.model
    labelled, unlabelled = online.train_dataloader.dataset.datasets
    assert labelled == plain.train_dataloader.dataset
    assert online.val_dataloader == plain.val_dataloader
    assert online.train_dataloader.batch_size == 2 * plain.train_dataloader.batch_size
    ours, theirs = ([t.type for t in d.pipeline] for d in (unlabelled, labelled))
    assert [t for t in theirs if t != 'PhotoMetricTables'] == ours
    assert 'labelled' in unlabelled.pipeline[-1].meta_keys
    assert unlabelled.data_root == labelled.data_root


@pytest.mark.parametrize('name', part_names('losses'))
def test_every_loss_is_zero_where_nothing_is_sure(name, toy_online):
    cfg = load_config(str(toy_online))
    set_loss(cfg, name)
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, threshold=1.01)).train()
    for module in model.modules():
        if getattr(module, 'awaits_class_weight', False):
            module.set_class_weight(np.ones((1, 11)))
    samples = []
    for labelled in (True, False):
        metainfo = dict(img_shape=(64, 64), labelled=labelled)
        labels = PixelData(data=torch.randint(0, 11, (1, 64, 64)))
        samples.append(SegDataSample(metainfo=metainfo, gt_sem_seg=labels))
    losses = model.loss(torch.randn(4, 3, 64, 64), samples * 2)
    nothing = [losses[key] for key in losses if key.startswith('unlabelled.') and 'loss' in key]
    assert nothing
    assert all(float(loss.detach()) == 0 for loss in nothing)
    sum(nothing).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert not any(gradient.any() for gradient in gradients)


def test_named_augmentations_leave_the_view_of_the_teacher(toy_online):
    cfg = load_config(str(toy_online))
    before = cfg.train_dataloader.dataset.datasets[1].pipeline.copy()
    set_augmentation(cfg, 'none')
    labelled, unlabelled = cfg.train_dataloader.dataset.datasets
    assert [t.type for t in labelled.pipeline] == [
        'LoadTrashImage', 'LoadTrashAnnotations', 'PackSegInputs'
    ]  # fmt: skip
    assert unlabelled.pipeline == before
