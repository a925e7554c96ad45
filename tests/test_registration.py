import subprocess
import sys


def test_importing_the_package_registers_everything_and_says_nothing():
    code = """
import mmseg_custom
from mmseg.registry import DATA_SAMPLERS, DATASETS, HOOKS, METRICS, TRANSFORMS
for registry, name in (
    (DATASETS, 'TrashCocoDataset'), (DATA_SAMPLERS, 'SeededInfiniteSampler'),
    (DATA_SAMPLERS, 'RepeatFactorSampler'), (TRANSFORMS, 'CopyPaste'),
    (TRANSFORMS, 'LoadTrashImage'), (TRANSFORMS, 'LoadTrashAnnotations'),
    (TRANSFORMS, 'RandomScaleCrop'), (METRICS, 'TrashIoUMetric'),
    (HOOKS, 'IterationSeedHook'), (HOOKS, 'CheckCheckpointHook'), (HOOKS, 'ProgressBarHook'),
    (HOOKS, 'SavePredictionsHook'), (HOOKS, 'SaveMetricsHook'),
    (TRANSFORMS, 'SeededAlbu'), (TRANSFORMS, 'RandomResizedCrop'),
):
    assert registry.get(name).__module__.startswith('mmseg_custom'), name
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
