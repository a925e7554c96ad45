"""Work folders as a training leaves them; tests import it as `from run_folders import ...`."""

import json
import shutil
from pathlib import Path

from conftest import ROOT
from mmengine.config import Config

TRAIN = [
    dict(lr=0.1, loss=3.0, **{'decode.loss_ce': 2.0}, time=0.5, data_time=0.1, iter=10, step=10),
    dict(lr=0.2, loss=2.0, **{'decode.loss_ce': 1.5}, time=0.3, data_time=0.2, iter=20, step=20),
    dict(lr=0.1, loss=1.0, **{'decode.loss_ce': 0.5}, time=0.4, data_time=0.1, iter=30, step=30),
]
VAL = [
    dict(mIoU=20.0, aAcc=60.0, time=0.25, step=15),
    dict(mIoU=25.0, aAcc=70.0, time=0.5, step=30),
]


def write_log(folder: Path, session: str, lines, config: Config | None = None) -> None:
    """Write the log of one session, and its config beside it."""
    log = folder / session / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    if config:
        config.dump(log.with_name('config.py'))


def write_run(folder: Path, data_root: Path, options: dict | None = None) -> Config:
    """Write config and log of a training of the toy model."""
    config = Config.fromfile(ROOT / 'configs' / 'upernet_swin_toy.py')
    config.merge_from_dict(options or {})
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].dataset.data_root = str(data_root)
        config[loader].update(num_workers=0, persistent_workers=False)
    config.work_dir = str(folder)
    folder.mkdir(parents=True)
    config.dump(folder / 'toy.py')
    write_log(folder, '20260101_000000', [*TRAIN, *VAL], config)
    return config


def write_checkpoint(folder: Path, checkpoint: Path) -> Path:
    """Put weights where the training that wrote ``folder``, elsewhere, had its last ones."""
    path = folder / 'iter_30.pth'
    shutil.copy(checkpoint, path)
    (folder / 'last_checkpoint').write_text(f'/elsewhere/{path.name}')
    return path


def write_validation(folder: Path, confusion, classes, **metrics) -> None:
    """Write what the validation at the end measured."""
    content = dict(
        iter=30,
        max_iters=30,
        seconds=0.4,
        metrics=metrics,
        classes=list(classes),
        confusion_matrix=confusion,
        per_class=dict(IoU=[None] + [0.5] * (len(classes) - 1)),
    )
    (folder / 'val').mkdir()
    (folder / 'val' / 'iter_000030.json').write_text(json.dumps(content))
