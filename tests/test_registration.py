import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_importing_the_plugins_registers_everything_and_says_nothing():
    code = """
import mmseg_custom.plugins
from mmseg.registry import (
    DATA_SAMPLERS, DATASETS, HOOKS, METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS,
    PARAM_SCHEDULERS, TRANSFORMS,
)
for registry, name in (
    (DATASETS, 'TrashCocoDataset'), (DATA_SAMPLERS, 'SeededInfiniteSampler'),
    (DATA_SAMPLERS, 'RepeatFactorSampler'), (TRANSFORMS, 'CopyPaste'),
    (TRANSFORMS, 'LoadTrashImage'), (TRANSFORMS, 'LoadTrashAnnotations'),
    (TRANSFORMS, 'RandomScaleCrop'), (METRICS, 'TrashIoUMetric'),
    (HOOKS, 'IterationSeedHook'), (HOOKS, 'CheckCheckpointHook'), (HOOKS, 'ProgressBarHook'),
    (OPTIMIZERS, 'RectifiedAdam'), (OPTIMIZERS, 'Lookahead'),
    (PARAM_SCHEDULERS, 'CosineWarmupRestartLR'),
    (OPTIM_WRAPPER_CONSTRUCTORS, 'LayerDecayOptimWrapperConstructor'),
    (HOOKS, 'SWAHook'), (HOOKS, 'CompileBackboneHook'), (HOOKS, 'ClassWeightHook'),
    (MODELS, 'EfficientNetLite0'), (MODELS, 'WeightedCrossEntropyLoss'), (MODELS, 'ComboLoss'),
    (MODELS, 'SoftmaxFocalLoss'), (MODELS, 'LabelSmoothingLoss'), (MODELS, 'SoftF1Loss'),
    (MODELS, 'ClassDiceLoss'), (MODELS, 'TrashEncoderDecoder'),
    (MODELS, 'TrashCascadeEncoderDecoder'),
    (HOOKS, 'SavePredictionsHook'), (HOOKS, 'SaveMetricsHook'),
    (TRANSFORMS, 'SeededAlbu'), (TRANSFORMS, 'RandomResizedCrop'),
    (TRANSFORMS, 'PhotoMetricTables'),
    (DATA_SAMPLERS, 'MultiSourceSampler'), (DATASETS, 'UnlabelledPhotos'),
    (DATASETS, 'PseudoLabelledPhotos'), (MODELS, 'PseudoEncoderDecoder'),
    (MODELS, 'MeanTeacherSegmentor'), (HOOKS, 'ExportTeacherHook'), (MODELS, 'TrashTTAModel'),
    (HOOKS, 'NonFiniteLossHook'), (HOOKS, 'StopSignalHook'),
    (HOOKS, 'SafeCheckpointHook'),
):
    assert registry.get(name).__module__.startswith('mmseg_custom'), name
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_reading_data_does_not_wait_for_torch():
    code = """
import sys
import mmseg_custom.coco, mmseg_custom.coco.paste.paste_set
import mmseg_custom.visualization, mmseg_custom.toy
assert not {'torch', 'mmseg', 'mmcv', 'mmengine', 'sklearn'} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_tests_of_data_tools_are_collected_without_torch():
    code = """
import sys, pytest
code = pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', 'tests/data_prep'])
assert code == 0 and not {'torch', 'mmseg', 'mmcv', 'mmengine'} & set(sys.modules)
"""
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
