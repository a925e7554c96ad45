"""Name what the statistics of a data set mean for a training."""

from mmseg_custom.classes import ClassList

# Of a cross-validation; a class on fewer photos is missing from some fold.
FOLDS = 5
# A ratio of annotations from which the frequent class dominates the loss.
IMBALANCE = 20


def statistics_findings(statistics: dict, classes: ClassList) -> list[str]:
    """Return one sentence per finding, the most important first; empty if there is none.

    Args:
        statistics: What :func:`~mmseg_custom.coco.stats.statistics.label_statistics` returned.
        classes: What the labels mean.
    """
    entries = [statistics['classes'][label] for label in classes.foreground]
    absent = [entry['name'] for entry in entries if not entry['images']]
    rare = [entry for entry in entries if 0 < entry['images'] < FOLDS]
    found = []
    if absent:
        verb = 'occurs' if len(absent) == 1 else 'occur'
        found.append(f'{_listed(absent)} never {verb}: it cannot be learned or measured here.')
    if rare:
        names = _listed([f'{entry["name"]} ({entry["images"]})' for entry in rare])
        found.append(f'{names}: on fewer than {FOLDS} images, so {FOLDS} folds cannot all hold it.')
    counts = {entry['name']: entry['annotations'] for entry in entries if entry['annotations']}
    if counts:
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        ratio = counts[most] / counts[least]
        if ratio >= IMBALANCE:
            found.append(
                f'{most} has {ratio:.0f} times as many annotations as {least}: weigh the loss, or '
                'repeat the images of rare classes.'
            )
    empty = statistics['objects_per_image'][0] if statistics['objects_per_image'] else 0
    if empty:
        found.append(f'{empty} of {statistics["images"]} images have no annotation.')
    return found


def _listed(names: list[str]) -> str:
    return ' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))
