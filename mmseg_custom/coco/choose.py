"""Choose the classes of a command that needs no model."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmseg_custom.classes import (
    BACKGROUND,
    IGNORE,
    ClassList,
    built_in,
    built_in_names,
    choose_classes,
    class_list,
    from_categories,
    name_key,
)

from .class_map import read_class_map, with_class_map


def classes_of_files(
    contents: Mapping[Any, dict[str, Any]],
    given: str | os.PathLike | None = None,
    class_map: str | os.PathLike | None = None,
) -> ClassList:
    """Return the classes that annotation files are read with; print what is assumed.

    Args:
        contents: Parsed JSON by path, not checked any further.
        given: What the command line says: a built-in list, or a file.
        class_map: Path of a class map, or None.

    Returns:
        ClassList: ``given``; else the default list where every category fits it; else the
        categories, which may be those of a built-in list.

    Raises:
        UserError: ``given`` or ``class_map`` cannot be used.
    """
    mapped = read_class_map(class_map) if class_map else {}
    found = None
    if given is None:
        for line in _unused_groups(contents):
            print(line)
        source = ', '.join(map(str, contents))
        found = _classes_of_masks(contents) or _classes_of_categories(
            _mapped_names(contents, mapped), source
        )
    classes = choose_classes(None if given is None else class_list(given), categories=found)
    return with_class_map(classes, class_map)


def _classes_of_masks(contents: Mapping[Any, dict]) -> ClassList | None:
    """Return the classes that a file notes for its mask files, if they are not the default's."""
    for path, content in contents.items():
        info = content.get('info')
        noted = info.get('classes') if isinstance(info, dict) else None
        if isinstance(noted, list) and noted != list(built_in().names):
            print(f'classes: the {len(noted)} of the mask files of {path}')
            return class_list(noted, str(path))
    return None


def _classes_of_categories(names: Sequence[str], source: str) -> ClassList | None:
    """Return the list that categories say; None where they say nothing, or fit the default."""
    if not names or all(built_in().label_of(name) is not None for name in names):
        return None
    keys = set(map(name_key, names))
    for name in built_in_names():
        known = built_in(name)
        if keys == {name_key(known.names[label]) for label in known.foreground}:
            print(f'classes: {name} (the {len(names)} categories of {source})')
            return known
    found = from_categories([dict(id=i, name=name) for i, name in enumerate(names)], source)
    print(f'classes: the {len(names)} categories of {source}, {found.names[0]} first')
    return found


def _mapped_names(contents: Mapping[Any, dict], class_map: Mapping[str, str]) -> list[str]:
    """Return names of the classes in label order: by id within a file, file after file."""
    targets = {name_key(name): target for name, target in class_map.items()}
    found: dict[str, str] = {}
    for content in contents.values():
        unused = {id(entry) for entry in _groups(content)}
        categories = [entry for entry in _categories(content) if id(entry) not in unused]
        for entry in sorted(categories, key=lambda one: (isinstance(one['id'], str), one['id'])):
            name = targets.get(name_key(entry['name']), entry['name'])
            if name_key(name) not in (name_key(BACKGROUND), name_key(IGNORE)):
                found.setdefault(name_key(name), name)
    return list(found.values())


def _unused_groups(contents: Mapping[Any, dict]) -> Iterator[str]:
    for path, content in contents.items():
        for entry in _groups(content):
            name = entry['name']
            yield f'{path}: skipped the category {name!r}, which names the group of the others'


def _groups(content: dict) -> Iterator[dict]:
    """Yield categories as Roboflow exports have one: without annotations, the others' group."""
    categories = _categories(content)
    annotations = content.get('annotations')
    used = {
        entry.get('category_id')
        for entry in (annotations if isinstance(annotations, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get('category_id'), int | str)
    }
    for entry in categories:
        others = [one for one in categories if one is not entry]
        if (
            entry['id'] not in used
            and others
            and all(one.get('supercategory') == entry['name'] for one in others)
        ):
            yield entry


def _categories(content: dict) -> list[dict]:
    """Return the categories that can be read; the others are for the check to report."""
    entries = content.get('categories')
    return [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        and isinstance(entry.get('name'), str)
        and entry['name'].strip()
        and isinstance(entry.get('id'), int | str)
    ]
