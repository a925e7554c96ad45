"""Let a resumed training continue its run in TensorBoard, W&B, MLflow and ClearML."""

import importlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process

from mmseg_custom.checkpoints.work_folder import is_confirmed
from mmseg_custom.hooks.track_validation_hook import RECORD
from mmseg_custom.utils import write_json
from mmseg_custom.utils.extras import needing

PACKAGES = dict(WandbVisBackend='wandb', MLflowVisBackend='mlflow', ClearMLVisBackend='clearml')
LOCAL = 'LocalVisBackend'


def placed(
    backends: Iterable[Mapping], log_dir: str, trains: bool, continues: bool
) -> list[dict[str, Any]]:
    """Return the visualization backends of a session, with the run that each one continues.

    A test has no run: only the local files are left.

    Args:
        backends: As the config has them.
        log_dir: The session's folder, inside of the work folder.
        trains: Whether it is a training.
        continues: Whether it continues the one in its work folder.

    Raises:
        UserError: The package of a tracker is missing.
    """
    if not trains:
        return [dict(backend) for backend in backends if backend['type'] == LOCAL]
    record = _latest_record(Path(log_dir)) if continues else {}
    first = Path(log_dir).parent / record.setdefault('session', Path(log_dir).name) / 'vis_data'
    if is_main_process():
        write_json(Path(log_dir, 'vis_data', RECORD), record)
    return [_place(dict(backend), first, record) for backend in backends]


def _latest_record(log_dir: Path) -> dict[str, str]:
    for path in sorted(log_dir.parent.glob(f'*/vis_data/{RECORD}'), reverse=True):
        if path.parents[1] != log_dir and is_confirmed(path.parents[1]):
            return json.loads(path.read_text(encoding='utf-8'))
    return {}


def _place(backend: dict[str, Any], folder: Path, record: Mapping[str, str]) -> dict[str, Any]:
    kind = backend['type']
    if kind != LOCAL:
        backend.setdefault('save_dir', str(folder))
    if kind in PACKAGES:
        with needing(PACKAGES[kind], 'trackers'):
            importlib.import_module(PACKAGES[kind])
        run, name = record.get(PACKAGES[kind]), folder.parents[1].name
        PLACE[kind](backend, run, name)
    return backend


def _place_wandb(backend: dict[str, Any], run: str | None, name: str) -> None:
    # A resumed training may have other settings.
    common = dict(resume='allow', allow_val_change=True, name=name, id=run or uuid.uuid4().hex[:12])
    backend['init_kwargs'] = common | dict(backend.get('init_kwargs') or {})


def _place_mlflow(backend: dict[str, Any], run: str | None, name: str) -> None:
    uri = os.environ.get('MLFLOW_TRACKING_URI')
    if uri:
        backend.setdefault('tracking_uri', uri)
    if not backend.get('tracking_uri'):
        # MLflow 3 asks for this before it writes into a folder, as MMEngine wants it.
        os.environ.setdefault('MLFLOW_ALLOW_FILE_STORE', 'true')
    if run:
        os.environ['MLFLOW_RUN_ID'] = run
        # It refuses another value of what is written down already.
        backend['tracked_config_keys'] = ()
    else:
        os.environ.pop('MLFLOW_RUN_ID', None)
        backend.setdefault('run_name', name)


def _place_clearml(backend: dict[str, Any], run: str | None, name: str) -> None:
    options = dict(task_name=name, reuse_last_task_id=False)
    if run:
        options = dict(task_name=name, continue_last_task=run)
    backend['init_kwargs'] = options | dict(backend.get('init_kwargs') or {})


PLACE = dict(
    WandbVisBackend=_place_wandb, MLflowVisBackend=_place_mlflow, ClearMLVisBackend=_place_clearml
)
