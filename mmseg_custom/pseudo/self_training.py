"""Rounds of training and labeling, until validation gains no more."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmseg_custom.runs.run_folder import best_checkpoint
from mmseg_custom.runs.trials import Trial, run_trials
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.digests import digest_of_file
from mmseg_custom.utils.remote import address_of

from .pseudo_set import ANNOTATIONS, MANIFEST

RESULT = 'self_train.json'
PSEUDO = 'pseudo'


@dataclass(frozen=True)
class Round:
    """A training that is finished.

    Attributes:
        number: From 1.
        checkpoint: The best one that was validated.
        miou: What it reached, in percent.
    """

    number: int
    checkpoint: str
    miou: float


@dataclass(frozen=True)
class Plan:
    """What is trained and where.

    Attributes:
        config: The first round's experiment.
        pseudo_config: That of the rounds behind it, whose second data set is the pseudo-labeled
            one.
        data_root: Folder of the photos that are labeled.
        work_dir: Gets ``round_1``, ``round_2``, …
        rounds: Rounds at most.
        min_gain: A round that gains less mIoU than this, in percent, is the last.
        seed: Seed of everything random.
        first_round: Work folder of a first round that is trained already.
    """

    config: str
    pseudo_config: str
    data_root: Path
    work_dir: Path
    rounds: int = 3
    min_gain: float = 0.1
    seed: int = 0
    first_round: Path | None = None


def self_train(
    plan: Plan,
    train_command: Callable[[Trial], Sequence[str]],
    label_command: Callable[[str, Path], Sequence[str]],
) -> list[Round]:
    """Train, label, train with the labels, and so on; the same call continues after a stop.

    Args:
        plan: What to do.
        train_command: The command line of a training.
        label_command: The command line that labels with a checkpoint into a folder.

    Returns:
        list[Round]: All rounds. The last gained less than asked for, or was the last allowed.

    Raises:
        UserError: A training or a labeling failed, or ``work_dir`` has labels of another model.
    """
    if plan.first_round is None:
        rounds = [_train_round(plan, 1, plan.config, train_command)]
    else:
        rounds = [best_of(1, plan.first_round)]
    while len(rounds) < plan.rounds:
        last = rounds[-1]
        folder = plan.work_dir / f'round_{last.number}' / PSEUDO
        _label(folder, last.checkpoint, label_command(last.checkpoint, folder))
        config = _write_config(plan, last, folder)
        rounds.append(_train_round(plan, last.number + 1, config, train_command))
        best = max(rounds, key=lambda one: one.miou)
        content = dict(best=asdict(best), rounds=[asdict(one) for one in rounds])
        write_json(plan.work_dir / RESULT, content)
        if rounds[-1].miou < last.miou + plan.min_gain:
            break
    return rounds


def _train_round(plan: Plan, number: int, config: str, command: Callable) -> Round:
    trial = Trial(config, plan.seed, None, plan.work_dir / f'round_{number}')
    run_trials([trial], command)
    return best_of(number, trial.folder)


def best_of(number: int, folder: Path) -> Round:
    """Return the round whose work folder is ``folder``.

    Args:
        number: The round's number.
        folder: Has checkpoints and what each validation measured.

    Raises:
        UserError: There is no checkpoint of a validation.
    """
    checkpoint, miou = best_checkpoint(folder)
    if miou is None:
        raise UserError(f'{folder}: no validation is recorded there; give the folder of a training')
    return Round(number, checkpoint, miou)


def _label(folder: Path, checkpoint: str, command: Sequence[str]) -> None:
    manifest = folder / MANIFEST
    if manifest.is_file():
        member, *_ = json.loads(manifest.read_text(encoding='utf-8'))['members']
        if member['sha256'] != digest_of_file(checkpoint)['sha256']:
            raise UserError(
                f'{folder}: labeled by {member["checkpoint"]}, whose weights are not those of '
                f'{checkpoint}',
                kind='folder-in-use',
            )
    # The command itself keeps what is right, and labels again what is not.
    done = subprocess.run(command)
    if done.returncode == 1 and manifest.is_file():
        return  # some photos could not be read, which was said
    if done.returncode:
        raise UserError(f'{folder}: could not be labeled; see the messages above')


def _write_config(plan: Plan, last: Round, folder: Path) -> str:
    """Write the experiment of the next round and return its path."""
    path = plan.work_dir / f'round_{last.number + 1}.py'
    photos = dict(
        data_root=address_of(plan.data_root) or str(plan.data_root.resolve()),
        ann_file=str((folder / ANNOTATIONS).resolve()),
    )
    lines = [
        f'# Round {last.number + 1}: from the weights of round {last.number} and with its labels',
        f'_base_ = {str(Path(plan.pseudo_config).resolve())!r}',
        f'load_from = {str(Path(last.checkpoint).resolve())!r}',
        'train_dataloader = _base_.train_dataloader',
        f'train_dataloader.dataset.datasets[1].update({photos!r})',
    ]
    with atomic_path(path) as temporary:
        temporary.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return str(path)
