"""Rank photos by how suspicious their labels are, and measure rankings."""

from pathlib import Path

import numpy as np

DRAWS = 1000


def rankings(data, photos: list, masks, probabilities) -> dict[str, list[float]]:
    """Return a score for each photo by ranking, more is worse."""
    from mmseg_custom.labeling import label_quality
    from mmseg_custom.labeling.photo_quality import photo_quality

    background, ignored = data.classes.background, data.classes.ignore_index
    result: dict[str, list[float]] = dict(missing=[], outline=[], softmin=[])
    objects = []
    for place, (photo, mask, found) in enumerate(zip(photos, masks, probabilities, strict=True)):
        judged = label_quality.judge_objects(photo.places, photo.labels, found, background)
        objects += [(place, one) for one in judged]
        missing = label_quality.missing_objects(mask, found, background)
        result['outline'].append(max((one.outline for one in judged), default=0.0))
        result['missing'].append(max((one.score for one in missing), default=0.0))
        result['softmin'].append(1 - photo_quality(mask, found, ignored))
    swapped, of_object = np.zeros(len(photos)), [place for place, _ in objects]
    scores, _ = label_quality.swapped_scores(
        np.stack([one.means for _, one in objects]),
        np.array([one.label for _, one in objects]),
        background,
    )
    np.maximum.at(swapped, of_object, scores)
    result['swapped'] = swapped.tolist()
    try:
        from cleanlab.segmentation.rank import get_label_quality_scores
    except ImportError:
        print('cleanlab is not installed: left out of the comparison')
        return result
    scores, _ = get_label_quality_scores(masks, probabilities, method='softmin', verbose=False)
    return dict(result, cleanlab=(1 - scores).tolist())


def write_table(found: dict, path: Path, seeds: range) -> str:
    """Write average precisions as Markdown, and return them."""
    from mmseg_custom.utils import atomic_path
    from mmseg_custom.utils.tables import markdown

    from .planted_errors import KINDS

    lines = [['planted', 'random', 'cleanlab', 'ours', 'ours - cleanlab', '95 %']]
    for kind in KINDS:
        runs = [found[seed, kind] for seed in seeds]
        chance = np.mean([np.mean(one['planted']) for one in runs])
        line = [kind, f'{chance:.3f}', '', f'{_precision(runs, kind):.3f}', '', '']
        if all('cleanlab' in one for one in runs):
            peer = _precision(runs, 'cleanlab')
            low, high = _interval(runs, kind)
            line[2] = f'{peer:.3f}'
            line[4:] = [f'{_precision(runs, kind) - peer:+.3f}', f'{low:+.3f} to {high:+.3f}']
        lines.append(line)
    text = markdown(lines)
    with atomic_path(path) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')
    return text


def _precision(runs: list[dict], name: str, drawn=slice(None)) -> float:
    """Return the mean over the runs of the average precision of a ranking of some photos."""
    from sklearn.metrics import average_precision_score

    pairs = [(np.array(one['planted'])[drawn], np.array(one[name])[drawn]) for one in runs]
    return float(np.mean([average_precision_score(*pair) for pair in pairs]))


def _interval(runs: list[dict], name: str) -> np.ndarray:
    """Return the 95 % interval of the gain over cleanlab: photos are drawn, the same for both."""
    rng, number = np.random.default_rng(0), len(runs[0]['planted'])
    gains = []
    for _ in range(DRAWS):
        drawn = rng.integers(number, size=number)
        gains.append(_precision(runs, name, drawn) - _precision(runs, 'cleanlab', drawn))
    return np.percentile(gains, [2.5, 97.5])


def write_precisions(found: dict, path: Path) -> None:
    """Write the average precision of each ranking in each run: small, to be kept."""
    from sklearn.metrics import average_precision_score

    from mmseg_custom.utils import write_json

    def of_run(one: dict) -> dict[str, float]:
        return {
            name: round(float(average_precision_score(one['planted'], scores)), 4)
            for name, scores in one.items()
            if name != 'planted'
        }

    write_json(path, {f'{kind}/{seed}': of_run(one) for (seed, kind), one in found.items()})
