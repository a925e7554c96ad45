"""Modules in place of wandb, mlflow and clearml: they keep what is sent to them.

They have what MMEngine's backends call, with the signatures of the real packages, which
tests/mmseg_custom/apis/test_tracked_run.py compares where these are installed.
"""

import sys
from types import ModuleType, SimpleNamespace


class Sent(list):
    """Calls as (name, positional and keyword arguments by their names)."""

    def of(self, name: str) -> list[dict]:
        return [arguments for one, arguments in self if one == name]


def stand_in(name: str, monkeypatch) -> Sent:
    """Let ``import NAME`` give a stand-in for the rest of a test; returns what it gets."""
    sent = Sent()
    module = ModuleType(name)
    vars(module).update(MAKE[name](sent))
    monkeypatch.setitem(sys.modules, name, module)
    return sent


def _wandb(sent: Sent) -> dict:
    def init(project=None, dir=None, id=None, name=None, resume=None, allow_val_change=None):
        sent.append(('init', dict(locals())))
        run.id = id

    def log(data, step=None, commit=None):
        sent.append(('log', dict(data)))

    def define_metric(name, step_metric=None, summary=None):
        sent.append(('define_metric', dict(name=name, step_metric=step_metric)))

    run = SimpleNamespace(id=None, log_code=lambda root='.', name=None: None)
    config = SimpleNamespace(update=lambda d, allow_val_change=None: None)
    return dict(
        init=init,
        log=log,
        define_metric=define_metric,
        Image=lambda data_or_path: data_or_path,
        run=run,
        config=config,
        join=lambda: None,
    )


def _mlflow(sent: Sent) -> dict:
    import os

    def active_run():
        run_id = os.environ.get('MLFLOW_RUN_ID') or f'run{id(sent)}'
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id))

    def log_metrics(metrics, step=None):
        sent.append(('log_metrics', dict(metrics, step=step)))

    def log_image(image, artifact_file=None):
        sent.append(('log_image', dict(image=image, artifact_file=artifact_file)))

    def log_params(params):
        sent.append(('log_params', dict(params, run=active_run().info.run_id)))

    def nothing(*arguments, **options):
        """Configure something."""

    names = ('set_tracking_uri', 'create_experiment', 'set_experiment', 'set_tag', 'log_text')
    return dict(
        dict.fromkeys((*names, 'get_experiment_by_name', 'end_run'), nothing),
        active_run=active_run,
        log_metrics=log_metrics,
        log_image=log_image,
        log_params=log_params,
        MlflowException=RuntimeError,
    )


def _clearml(sent: Sent) -> dict:
    class Logger:
        def report_scalar(self, title, series, value, iteration):
            sent.append(('report_scalar', dict(title=title, value=value, iteration=iteration)))

        def report_image(self, title, series, iteration=None, image=None):
            sent.append(('report_image', dict(title=title, iteration=iteration, image=image)))

    class Task:
        id = None

        @classmethod
        def init(
            cls,
            project_name=None,
            task_name=None,
            reuse_last_task_id=True,
            continue_last_task=False,
            auto_connect_arg_parser=True,
            auto_connect_frameworks=True,
        ):
            sent.append(('init', dict(locals())))
            cls.id = continue_last_task or f'task{id(sent)}'
            return cls()

        @classmethod
        def current_task(cls):
            return cls()

        def get_logger(self):
            return Logger()

        def connect_configuration(self, configuration):
            pass

        def upload_artifact(self, name, artifact_object):
            pass

        def close(self):
            pass

    return dict(Task=Task, Logger=Logger)


MAKE = dict(wandb=_wandb, mlflow=_mlflow, clearml=_clearml)
