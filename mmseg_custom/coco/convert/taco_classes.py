"""Which of our classes each category of TACO belongs to."""

import csv
import os

from mmseg_custom.classes import built_in, name_key
from mmseg_custom.utils import UserError

COLUMNS = ('taco_category', 'our_class', 'why')


def read_taco_classes(path: str | os.PathLike) -> dict[str, int]:
    """Read which of our classes each TACO category belongs to.

    Args:
        path: A CSV file with the columns ``taco_category``, ``our_class`` and ``why``.

    Returns:
        dict[str, int]: Label (1..10) by category name in the form of
        :func:`~mmseg_custom.classes.name_key`.

    Raises:
        UserError: Another header, a class that is none of ours, a category with two classes, no
            reason.
    """
    classes = built_in()
    label_of = {name_key(classes.names[label]): label for label in classes.foreground}
    mapping = {}
    with open(path, encoding='utf-8', newline='') as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise UserError(f'{path}: the first line has to be {",".join(COLUMNS)}')
        for row in rows:
            where = f'{path}: line {rows.line_num}'
            if None in row or None in row.values() or not row['why'].strip():
                raise UserError(f'{where}: write category, class and why, three values')
            label = label_of.get(name_key(row['our_class']))
            if label is None:
                raise UserError(
                    f'{where}: {row["our_class"]!r} is none of the classes '
                    f'{", ".join(classes.names[1:])}: write one of them'
                )
            if mapping.setdefault(name_key(row['taco_category']), label) != label:
                raise UserError(f'{where}: {row["taco_category"]!r} has two classes: keep one')
    return mapping
