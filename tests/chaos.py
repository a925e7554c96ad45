"""Kill trainings with SIGKILL at random moments until they are through, and compare the ends.

The toy recipe with data loading workers, copy-paste, the repeat-factor sampler and EMA trains once
undisturbed and then through the kills, by one process and by two. After a kill its work folder may
be copied, moved or left for a branch; at the end it is trained for longer. Every loss that was
logged, also more than once, and the final checkpoint (weights, EMA, optimizer, schedule) have to be
the same, and no file outside its own folder (data, config, other work folders) may change.
"""

import contextlib
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmseg_custom import cli  # noqa: E402

ITERATIONS, INTERVAL, VALIDATION, LONGER = 24, 4, 12, 8
MOST_OF_EXTENSION = 2
WAYS = 'copy', 'move', 'branch', 'stay'
CONFIG = """
_base_ = {base!r}
photos = _base_.train_dataloader.dataset
photos.pipeline = _base_.load
train_dataloader = dict(num_workers=2, batch_size=4, dataset=dict(
    _delete_=True, type='MultiImageMixDataset', dataset=photos,
    pipeline=[dict(type='CopyPaste'), *_base_.base_augmentation, *_base_.pack]))
train_cfg = dict(max_iters={iterations}, val_interval={validation})
default_hooks = dict(checkpoint=dict(interval={interval}), logger=dict(interval=1))
env_cfg = dict(dist_cfg=dict(timeout=60))
model = dict(decode_head=dict(dropout_ratio=0.1))
"""


@dataclass
class Killer:
    """Ends a training at a random moment of one kind."""

    rng: random.Random
    work_dir: Path
    longest: float
    ways: Iterator[str]

    def __call__(self, process: subprocess.Popen) -> str | None:
        """Wait, kill and say when; None if the training was through before.

        A third of the kills come when a checkpoint is being written, a third right behind one
        (where the validation is, or the next iteration), the others at any time.
        """
        kind = self.rng.choice(('any time', 'writing', 'written'))
        after = self.rng.uniform(0, self.longest)
        found = self._seen(kind)
        start = time.monotonic()
        while process.poll() is None:
            if time.monotonic() - start > after and (
                kind == 'any time' or self._seen(kind) - found
            ):
                if kind == 'written':
                    time.sleep(self.rng.uniform(0, 0.3))
                kill_all(self.work_dir)
                process.wait()
                return f'{kind}, {time.monotonic() - start:.1f} s after the start'
            found &= self._seen(kind)
            time.sleep(0.001)
        return None

    def _seen(self, kind: str) -> set[Path]:
        pattern = '.*.pth' if kind == 'writing' else 'iter_*.pth'
        return set(self.work_dir.glob(pattern))


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(description=__doc__, example='python tests/chaos.py --kills 25')
    parser.add_argument('--kills', type=cli.positive_int, default=25, help='at least (25)')
    parser.add_argument(
        '--processes', type=cli.positive_int, nargs='+', default=[1, 2], help='(1 2)'
    )
    parser.add_argument('--seed', type=cli.natural_int, default=0, help='of the moments (0)')
    parser.add_argument('--out', default='work_dirs/chaos', help='(work_dirs/chaos)')
    return parser


def run(args) -> int:
    """Train, kill, resume, compare; 1 if anything was lost."""
    folder = Path(args.out).absolute() / time.strftime('%Y%m%d_%H%M%S')
    config = write_config(folder)
    lost, kills, ways = [], 0, itertools.cycle(WAYS)
    for place, processes in enumerate(args.processes):
        start = time.monotonic()
        expected = folder / f'undisturbed_{processes}'
        train(config, expected, processes).wait()
        longest = time.monotonic() - start
        compare([expected], expected)
        wanted = args.kills * (place + 1) // len(args.processes)
        for attempt in itertools.count():
            if kills >= wanted:
                break
            work_dir = folder / f'killed_{processes}_{attempt}'
            rng = random.Random(f'{args.seed} {processes} {attempt}')
            killer = Killer(rng, work_dir, longest, ways)
            more, folders, changed = survive(config, killer, processes, wanted - kills)
            kills += more
            lost += [f'{work_dir}: {one}' for one in (*compare(folders, expected), *changed)]
        extended = folder / f'extended_{processes}'
        rng = random.Random(f'{args.seed} {processes} extended')
        killer = Killer(rng, extended, longest / 3, ways)
        more, wrong = extend(config, expected, processes, killer, args.kills)
        kills += more
        lost += wrong
    print(f'{kills} kills, {len(lost)} differences', *lost, sep='\n')
    return int(bool(lost))


def write_config(folder: Path) -> Path:
    """Write the data and the experiment."""
    folder.mkdir(parents=True)
    toy = [sys.executable, ROOT / 'data_prep' / 'make_toy_trash.py', '--out', folder / 'toy']
    subprocess.run(
        [*toy, '--train', '40', '--val', '8', '--size', '64'], check=True, stdout=subprocess.DEVNULL
    )
    base = str(ROOT / 'configs' / 'upernet_swin_toy.py')
    config = folder / 'chaos.py'
    config.write_text(
        CONFIG.format(base=base, iterations=ITERATIONS, interval=INTERVAL, validation=VALIDATION)
    )
    return config


def train(config: Path, work_dir: Path, processes: int, *more: str) -> subprocess.Popen:
    """Start a training in a process group of its own."""
    options = ['--data-root', config.parent / 'toy', '--work-dir', work_dir, '--seed', '7']
    options += ['--option', 'ema', 'repeat_factor', *more]
    command = [sys.executable, ROOT / 'tools' / 'train.py', config]
    if processes > 1:
        command = ['bash', ROOT / 'tools' / 'dist_train.sh', config, processes]
    work_dir.mkdir(exist_ok=True)
    with open(work_dir / 'output.txt', 'a') as output:
        return subprocess.Popen(
            [*map(str, command), *map(str, options)],
            env=os.environ | {'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def survive(
    config: Path, killer: Killer, processes: int, most: int
) -> tuple[int, list[Path], list[str]]:
    """Start and kill until the training is through; in between, its folder is copied or moved.

    Args:
        config: The experiment.
        killer: Ends the training.
        processes: Of the training.
        most: Kills, after which the training is left in peace.

    Returns:
        tuple[int, list[Path], list[str]]: The number of kills, the folders that the training was
        in, the last one last, and which files outside of its folder have changed.
    """
    kills, resume, folders, changed = 0, [], [killer.work_dir], []
    while True:
        killer.work_dir.mkdir(exist_ok=True)
        outside = files_outside(killer.work_dir)
        process = train(config, killer.work_dir, processes, *resume)
        when = killer(process) if kills < most else process.wait() and None
        after = files_outside(killer.work_dir)
        changed += [f'{path} has changed' for path, _ in sorted(outside.items() ^ after.items())]
        if not when:
            return kills, folders, changed
        kills += 1
        print(f'{killer.work_dir.name}: killed ({when})', flush=True)
        # Runs are told apart by the second they began in.
        time.sleep(1)
        resume = relocate(killer, folders)


def relocate(killer: Killer, folders: list[Path]) -> list[str]:
    """Copy, move or branch the work folder, or leave it; return how the training is resumed.

    Args:
        killer: Its work folder is the one to relocate, and then the new one.
        folders: Gets the new folder.
    """
    old = killer.work_dir
    if not (old / 'last_checkpoint').is_file():
        return ['--resume']
    kind = next(killer.ways)
    if kind == 'stay':
        return ['--resume']
    print(f'{old.name}: {kind}', flush=True)
    name = old.name.partition('+')[0]
    names = (old.with_name(f'{name}+{number}') for number in itertools.count(1))
    new = next(path for path in names if not path.exists())
    if kind == 'move':
        old.rename(new)
        folders.pop()
    elif kind == 'copy':
        shutil.copytree(old, new)
    folders.append(new)
    killer.work_dir = new
    if kind != 'branch':
        return ['--resume']
    from mmseg_custom.checkpoints.resume import find_checkpoint

    return ['--resume', str(find_checkpoint(old)[0])]


def extend(
    config: Path, done: Path, processes: int, killer: Killer, most: int
) -> tuple[int, list[str]]:
    """Train a finished training for longer, through kills and without, and compare the ends."""
    length = ['--allow-changes', '--cfg-options', f'train_cfg.max_iters={ITERATIONS + LONGER}']
    expected = done.with_name(f'{done.name}_extended')
    shutil.copytree(done, expected)
    shutil.copytree(done, killer.work_dir)
    train(config, expected, processes, '--resume', *length).wait()
    kills, outside = 0, files_outside(killer.work_dir)
    process = train(config, killer.work_dir, processes, '--resume', *length)
    while kills < min(most, MOST_OF_EXTENSION) and (when := killer(process)):
        kills += 1
        print(f'{killer.work_dir.name}: killed ({when})', flush=True)
        time.sleep(1)
        process = train(config, killer.work_dir, processes, '--resume', *length)
    process.wait()
    last = ITERATIONS + LONGER
    found, wanted = (final_state(folder, last) for folder in (killer.work_dir, expected))
    wrong = [f'final {name} differs' for name in wanted if not same(found.get(name), wanted[name])]
    after = files_outside(killer.work_dir)
    wrong += [f'{path} has changed' for path, _ in sorted(outside.items() ^ after.items())]
    return kills, [f'{killer.work_dir}: extended: {one}' for one in wrong]


def files_outside(work_dir: Path) -> dict[Path, str]:
    """Return every file beside a work folder (data, config, other folders) with its SHA-256."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in work_dir.parent.rglob('*')
        if path.is_file() and not path.is_relative_to(work_dir)
    }


def kill_all(work_dir: Path) -> None:
    """Kill all processes of a training: torchrun's and the data loading workers are no group."""
    while found := list(processes_of(work_dir)):
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def processes_of(work_dir: Path):
    """Yield the processes that were started with this work folder."""
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            if str(work_dir).encode() in path.read_bytes().split(b'\0'):
                yield int(path.parent.name)


def compare(folders: list[Path], expected: Path) -> list[str]:
    """Return what is other than in the undisturbed training.

    Args:
        folders: Those that the training was in, the last one last.
        expected: Of the undisturbed training.
    """
    work_dir, logged = folders[-1], [pair for folder in folders for pair in losses(folder)]
    wrong = [
        f'iteration {step}: loss {loss}, undisturbed {told[step]}'
        for told in [dict(losses(expected))]
        for step, loss in logged
        if loss != told[step]
    ]
    if {step for step, _ in logged} != set(range(1, ITERATIONS + 1)):
        wrong.append('iterations are missing in the log')
    found, wanted = (final_state(folder) for folder in (work_dir, expected))
    if found.keys() != wanted.keys():
        return [*wrong, f'the final checkpoint has other entries: {found.keys() ^ wanted.keys()}']
    return wrong + [
        f'final {name} differs' for name in wanted if not same(found[name], wanted[name])
    ]


def losses(work_dir: Path):
    """Yield iteration and loss, as often as they were logged."""
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            # A kill can tear the last line.
            content = json.loads(line) if line.endswith('}') else {}
            if 'loss' in content:
                yield content['step'], content['loss']


def final_state(work_dir: Path, iteration: int = ITERATIONS) -> dict:
    """Return all tensors and numbers of the last checkpoint by name."""
    import torch

    path = work_dir / f'iter_{iteration}.pth'
    if not path.is_file():
        raise SystemExit(f'{path} is missing; see {work_dir / "output.txt"}')
    content = torch.load(path, weights_only=False, map_location='cpu')
    parts = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')
    return dict(flat({name: content[name] for name in parts}))


def flat(content, name: str = ''):
    """Yield the leaves of nested dicts and lists with their names."""
    if isinstance(content, (dict, list, tuple)):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from flat(value, f'{name}.{key}')
    else:
        yield name, content


def same(first, second) -> bool:
    """Compare two leaves, bit by bit."""
    import torch

    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    return first == second


if __name__ == '__main__':
    cli.main(build_parser, run)
