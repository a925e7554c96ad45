"""The card of a model: what was written about it by hand, and what was measured."""

from collections.abc import Mapping

from .model_scores import NOTHING, ModelScores


def model_card(about: str, scores: Mapping[str, ModelScores]) -> str:
    """Return a Markdown text: ``about``, the classes, and a table or two of each file measured.

    Args:
        about: Markdown of data, licenses, recipe and limits, with the Hub's front matter.
        scores: By the title of the file measured.
    """
    parts = [about.rstrip()]
    for title, each in scores.items():
        parts += [f'## Measured: {title}', summary(each), iou_table(each)]
        if each.answers:
            parts += [
                'Photos by their largest object (rows) and by the class that covers most of them '
                'in the prediction, beside the background (columns):',
                answers_table(each),
            ]
    return '\n\n'.join(parts) + '\n'


def summary(scores: ModelScores) -> str:
    """Return one sentence with the number of photos and the means."""
    foreground = scores.foreground_iou
    more = '' if foreground is None else f', foreground IoU (all classes as one) {foreground:.1f}'
    return (
        f'{scores.photos} photos that the model was not trained on: mIoU {scores.miou:.1f} over '
        f'the {len(scores.iou)} classes that occur{more}.'
    )


def iou_table(scores: ModelScores) -> str:
    """Return the IoU of each class that occurs."""
    return table(['class', 'IoU, %'], [[name, f'{iou:.1f}'] for name, iou in scores.iou.items()])


def answers_table(scores: ModelScores) -> str:
    """Return :attr:`ModelScores.answers` with the columns that occur."""
    given = {name for row in scores.answers.values() for name in row}
    columns = [name for name in (*scores.classes.names, NOTHING) if name in given]
    rows = [
        [category, *(str(row.get(name, '')) for name in columns)]
        for category, row in scores.answers.items()
    ]
    return table(['largest object', *columns], rows)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
