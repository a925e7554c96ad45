"""The table and the picture of :mod:`benchmarks.second_round`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg_custom.utils import atomic_path
from mmseg_custom.utils.tables import markdown

from .plot import draw_gains
from .second_round import ARMS, MORE, TEACHER, Study
from .second_round_arms import score_of
from .studies import interval

Scores = dict[str, dict[str, dict[str, float]]]


def collect(study: Study, parts: Sequence[int]) -> Scores:
    """Return the mIoU by part, arm and seed of all trainings that are done."""
    found: Scores = {}
    for part in parts:
        seeds = sorted(int(folder.name[5:]) for folder in study.out.glob(f'1_{part}/seed_*'))
        for name in (TEACHER, MORE, *ARMS):
            scores = {str(seed): score_of(study, name, part, seed) for seed in seeds}
            done = {seed: round(score, 3) for seed, score in scores.items() if score is not None}
            if done:
                found.setdefault(f'1/{part}', {})[name] = done
    return found


def gains(arms: dict[str, dict[str, float]], name: str) -> np.ndarray:
    """Return the gains of an arm over `more` in percent of it, by seed: ``(S,)``."""
    seeds = sorted(arms[name].keys() & arms[MORE].keys(), key=int)
    more = np.array([arms[MORE][seed] for seed in seeds])
    return 100 * (np.array([arms[name][seed] for seed in seeds]) / more - 1)


def write_report(all_scores: Scores, path: str | Path) -> str:
    """Write a table and a picture beside a JSON file.

    Args:
        all_scores: See :func:`collect`.
        path: The JSON file.

    Returns:
        str: The table, in Markdown.
    """
    path = Path(path)
    lines = [['labeled', 'arm', 'seeds', 'mIoU', 'gain over `more`, relative', '95 %']]
    drawn: dict[str, dict[str, tuple[float, float, float]]] = {}
    for part, arms in all_scores.items():
        for name, scores in arms.items():
            mean = f'{np.mean(list(scores.values())):.1f}'
            lines.append([part, name, str(len(scores)), mean, '', ''])
            values = gains(arms, name) if MORE in arms else np.array([])
            if name != MORE and len(values):
                low, high = interval(values)
                lines[-1][4:] = [f'{values.mean():+.1f} %', f'{low:+.1f} to {high:+.1f} %']
                drawn.setdefault(part, {})[name] = (float(values.mean()), low, high)
    text = markdown(lines)
    with atomic_path(path.with_suffix('.md')) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')
    if drawn:
        draw_gains(path.with_suffix('.png'), drawn, 'gain over the same iterations without, %')
    return text
