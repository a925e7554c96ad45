import json
from types import SimpleNamespace

from mmengine.logging import HistoryBuffer

from mmseg_custom.hooks import SaveMetricsHook


def runner_of(folder, rank=0, report=None, times=(2.0, 4.0, 30.0)):
    scalars = {'train/time': HistoryBuffer(times, [1] * len(times))} if times else {}
    return SimpleNamespace(
        rank=rank,
        iter=40,
        max_iters=80,
        work_dir=str(folder),
        message_hub=SimpleNamespace(log_scalars=scalars),
        val_evaluator=SimpleNamespace(metrics=[SimpleNamespace(report=report)]),
    )


def test_a_validation_is_written_whole(tmp_path):
    report = dict(classes=['a'], confusion_matrix=[[3]], per_class=dict(IoU=[float('nan')]))
    SaveMetricsHook().after_val_epoch(runner_of(tmp_path, report=report), dict(mIoU=12.5))
    content = json.loads((tmp_path / 'val' / 'iter_000040.json').read_text())
    assert content == dict(
        iter=40,
        max_iters=80,
        seconds=4.0,
        metrics=dict(mIoU=12.5),
        classes=['a'],
        confusion_matrix=[[3]],
        per_class=dict(IoU=[None]),
    )


def test_other_processes_and_metrics_without_report(tmp_path):
    SaveMetricsHook().after_val_epoch(runner_of(tmp_path, rank=1), {})
    assert not list(tmp_path.iterdir())
    SaveMetricsHook().after_val_epoch(runner_of(tmp_path, times=()), dict(acc=1.0))
    content = json.loads((tmp_path / 'val' / 'iter_000040.json').read_text())
    assert (content['seconds'], content['metrics']) == (None, dict(acc=1.0))


def test_a_validation_that_was_missed_is_caught_up_on(tmp_path):
    runs = []
    runner = runner_of(tmp_path)
    runner.val_loop = SimpleNamespace(run=lambda: runs.append(1))
    hook = SaveMetricsHook()
    hook.after_train(runner)
    assert len(runs) == 1
    hook.after_val_epoch(runner, {})
    hook.after_train(runner)
    assert len(runs) == 1
    runner.val_loop = None
    (tmp_path / 'val' / 'iter_000040.json').unlink()
    hook.after_train(runner)
    assert len(runs) == 1
