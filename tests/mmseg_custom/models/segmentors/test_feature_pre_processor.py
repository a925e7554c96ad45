import json

import pytest
import torch
from mmengine.config import Config
from mmseg.models import SegDataPreProcessor
from mmseg.registry import DATASETS, MODELS
from products import TOY
from trainings import short_experiment

from mmseg_custom.apis import train
from mmseg_custom.experiment.config import load_config, set_options
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.experiment.named_parts import add_options, set_augmentation
from mmseg_custom.models.segmentors import FeaturePreProcessor
from mmseg_custom.utils import UserError


def plainly(cfg):
    """Train as MMSegmentation does: its preprocessor, its optimizer groups, photos read again."""
    cfg.optim_wrapper.pop('constructor')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.pop('cache_samples')
    cfg.model.data_preprocessor.type = 'FreshPreProcessor'


@MODELS.register_module()
class FreshPreProcessor(SegDataPreProcessor):
    """MMSegmentation's, by a name that the segmentor does not replace."""


@pytest.fixture(scope='module')
def trained(toy_set, tmp_path_factory):
    """Weights and validations of a frozen training, with caches and without."""
    results = {}
    for change in (None, plainly):
        folder = tmp_path_factory.mktemp('work')
        cfg = short_experiment(toy_set, folder, 'frozen_features', 'cached_samples', iterations=6)
        if change:
            change(cfg)
        fit_to_machine(cfg)
        model = train(cfg)
        used = isinstance(model.data_preprocessor, FeaturePreProcessor)
        files = sorted((folder / 'val').iterdir())
        results[used] = model.state_dict(), [json.loads(file.read_text()) for file in files]
    return results


def test_a_training_with_caches_equals_one_without(trained):
    (weights, validations), (plain, plain_validations) = trained[True], trained[False]
    assert weights.keys() == plain.keys()
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value, rtol=1e-5, atol=1e-6, msg=name)
    assert len(validations) == len(plain_validations) == 3
    for one, other in zip(validations, plain_validations, strict=True):
        assert one['confusion_matrix'] == other['confusion_matrix']
        assert one['metrics'] == other['metrics']


def test_what_is_random_is_not_cached(toy_set):
    cfg = load_config(str(TOY))
    set_options(cfg, data_root=str(toy_set))
    add_options(cfg, ['cached_samples'])
    with pytest.raises(UserError, match='cache_samples=True .* but .* in the pipeline'):
        DATASETS.build(cfg.train_dataloader.dataset)
    set_augmentation(cfg, 'none')
    photos = DATASETS.build(cfg.train_dataloader.dataset)
    assert photos[0]['inputs'] is photos[0]['inputs']


def test_nothing_is_kept_of_photos_that_are_gone_and_labels_may_change(toy_set, mmseg_scope):
    cfg = Config.fromfile(TOY)
    add_options(cfg, ['frozen_features'])
    preprocessor = MODELS.build(cfg.model).data_preprocessor
    cfg.train_dataloader.dataset.update(data_root=str(toy_set), pipeline=[*cfg.load, *cfg.pack])
    photos = DATASETS.build(cfg.train_dataloader.dataset)
    first, second = photos[0], photos[1]

    def labels(*samples):
        batch = {key: [sample[key] for sample in samples] for key in ('inputs', 'data_samples')}
        batch = preprocessor(batch, training=True)
        assert isinstance(batch['inputs'], tuple)
        return [sample.gt_sem_seg.data for sample in batch['data_samples']]

    before = labels(first, second)
    other = dict(first, data_samples=second['data_samples'])
    assert torch.equal(labels(other, second)[0], before[1])
    assert torch.equal(labels(first, second)[0], before[0])
    assert len(preprocessor._prepared) == 2
    del first, second, other
    assert len(preprocessor._prepared) == 0
