"""Class maps: which class each name in an annotation file stands for."""

import csv
import os
from dataclasses import replace
from pathlib import Path

from mmseg_custom.classes import ClassList, make_class_list
from mmseg_custom.utils import UserError

YAML_SUFFIXES = ('.yaml', '.yml')


def read_class_map(path: str | os.PathLike) -> dict[str, str]:
    """Read a class map.

    Args:
        path: A YAML mapping ``source name: class``, or a CSV file whose first line is a header and
            whose first two columns are source name and class; further columns are comments. The
            class may also be ``Background`` or ``ignore``.

    Returns:
        dict[str, str]: Class by source name, as the file writes them.

    Raises:
        UserError: The file cannot be read, or gives a name two classes.
    """
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except FileNotFoundError:
        raise UserError(f'{path}: no such class map') from None
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: is not UTF-8 text ({error})') from None
    if Path(path).suffix.lower() in YAML_SUFFIXES:
        return _from_yaml(path, text)
    return _from_csv(path, text)


def with_class_map(classes: ClassList, path: str | os.PathLike | None) -> ClassList:
    """Return a class list that reads annotation files through a class map.

    Args:
        classes: The class list.
        path: See :func:`read_class_map`; None: the list stays as it is.

    Raises:
        UserError: The map cannot be read, or maps to what is none of the classes.
    """
    if path is None:
        return classes
    plain = classes.to_plain() | dict(class_map=read_class_map(path))
    return replace(classes, class_map=make_class_list(**plain, source=str(path)).class_map)


def _from_yaml(path: str | os.PathLike, text: str) -> dict[str, str]:
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f'{path}: cannot be read as YAML: {" ".join(str(error).split())}') from None
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise UserError(f'{path}: a class map has lines `source name: class`')
    return {str(name): target for name, target in content.items()}


def _from_csv(path: str | os.PathLike, text: str) -> dict[str, str]:
    rows = csv.reader(text.splitlines())
    found: dict[str, str] = {}
    if len(next(rows, ())) < 2:
        raise UserError(f'{path}: the first line has to be a header of two or more columns')
    for row in rows:
        if not row:
            continue
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise UserError(f'{path}: line {rows.line_num}: write a source name and a class')
        if found.setdefault(row[0].strip(), row[1].strip()) != row[1].strip():
            raise UserError(f'{path}: line {rows.line_num}: {row[0]!r} has two classes')
    return found


def apply_class_map(content: dict, classes: ClassList) -> dict:
    """Return a COCO object whose categories have the names of the classes.

    What is written after a class map was read is this, so it is read without the map. Categories
    of one class become one; ``Background`` and ``ignore`` become categories, too.

    Args:
        content: A valid COCO object.
        classes: The class list; without a class map the object is returned as it is.
    """
    if not classes.class_map or 'annotations' not in content:
        return content
    of_label: dict[int, dict] = {}
    ids = {}
    for category in content['categories']:
        label = classes.label_of(category['name'])
        if label is not None:
            name = classes.title(label)
            first = of_label.setdefault(label, category | dict(name=name, supercategory=name))
            ids[category['id']] = first['id']
    annotations = [
        entry | dict(category_id=ids[entry['category_id']]) for entry in content['annotations']
    ]
    return content | dict(categories=list(of_label.values()), annotations=annotations)
