"""Which bin each class of trash goes to, and all words of the sorting guide, in one YAML file."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from mmseg_custom.classes import ClassList, name_key
from mmseg_custom.utils import UserError

from .texts import TEXTS

PARTS = ('language', 'name', 'texts', 'bins', 'classes')
TO_COMPLETE = 'Look up what your town does, and write it here.'
COLOR = re.compile(r'#[0-9a-fA-F]{6}')


@dataclass(frozen=True)
class Bin:
    """Where trash is thrown.

    Attributes:
        name: As it is written on it.
        color: ``#rrggbb``; what is written on it is white.
    """

    name: str
    color: str


@dataclass(frozen=True)
class ClassRule:
    """What to do with one class of trash.

    Attributes:
        name: In the language of the rules.
        bin: Where it goes.
        how: What to do before, in a sentence.
    """

    name: str
    bin: Bin
    how: str


@dataclass(frozen=True)
class SortingRules:
    """The rules of one place, in one language.

    Attributes:
        language: Its code, such as ``en``.
        name: What the page is called among others, such as ``English``.
        texts: The words of the page by their place in it (:mod:`mmseg_custom.serving.texts`).
        classes: By the class name of the model, every one but the background.
    """

    language: str
    name: str
    texts: Mapping[str, str]
    classes: Mapping[str, ClassRule]


def read_rules(path: str | os.PathLike, classes: ClassList) -> SortingRules:
    """Read a file of rules.

    It may have rules for classes that the model does not know.

    Args:
        path: The YAML file.
        classes: The model's classes.

    Raises:
        UserError: It is missing or no YAML, has not exactly the wanted parts, names a bin that it
            does not describe, or has no rule for a class of the model.
    """
    content = _read_yaml(path)
    _require_keys(path, 'the file', content, PARTS)
    _require_keys(path, 'texts', content['texts'], TEXTS)
    written = _rules_by_key(path, content['classes'])
    names = [classes.names[label] for label in classes.foreground]
    without = [name for name in names if name_key(name) not in written]
    if without:
        raise UserError(f'{path}: has no rule for {", ".join(without)}', kind='missing-rules')
    for key in ('language', 'name'):
        _require_text(path, key, content[key])
    for key, text in content['texts'].items():
        _require_text(path, f'texts, {key}', text)
    if not isinstance(content['bins'], dict):
        raise UserError(f'{path}: bins: needs a bin a line, by a key of your choice')
    bins = {key: _read_bin(path, key, value) for key, value in content['bins'].items()}
    rules = {name: _read_rule(path, name, written[name_key(name)], bins) for name in names}
    return SortingRules(content['language'], content['name'], content['texts'], rules)


def make_rules(classes: ClassList, pattern: str | os.PathLike) -> str:
    """Return the text of a rules file for any classes, to be completed by hand.

    Args:
        classes: The model's classes.
        pattern: A rules file. Its words and bins are taken, and its rules where the class is the
            same; any other class goes to the last bin.
    """
    content = _read_yaml(pattern)
    written = _rules_by_key(pattern, content['classes'])
    last = list(content['bins'])[-1]
    content['classes'] = {
        name: written.get(name_key(name), dict(name=name, bin=last, how=TO_COMPLETE))
        for name in (classes.names[label] for label in classes.foreground)
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def _rules_by_key(path, content) -> dict:
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UserError(f'{path}: classes: needs a rule for each class, by its name')
    return {name_key(name): rule for name, rule in content.items()}


def _read_yaml(path: str | os.PathLike):
    try:
        return yaml.safe_load(Path(path).read_text(encoding='utf-8-sig'))
    except FileNotFoundError:
        raise UserError(f'{path}: no such file of rules; apps/rules has some') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'{path}: cannot be read as YAML ({reason}); correct it') from None


def _require_keys(path, where: str, content, keys: Sequence[str]) -> None:
    if not isinstance(content, dict):
        raise UserError(f'{path}: {where}: needs the keys {", ".join(keys)}')
    missing = [key for key in keys if key not in content]
    strange = [str(key) for key in content if key not in keys]
    if missing:
        raise UserError(f'{path}: {where}: {", ".join(missing)} is missing; write it down')
    if strange:
        raise UserError(f'{path}: {where}: {", ".join(strange)} is unknown; take it out')


def _require_text(path, where: str, text) -> None:
    if not isinstance(text, str) or not text.strip():
        raise UserError(f'{path}: {where}: is {text!r}; write a text, in quotes if need be')


def _read_bin(path, key: str, content) -> Bin:
    _require_keys(path, f'bins, {key}', content, ('name', 'color'))
    _require_text(path, f'bins, {key}, name', content['name'])
    if not isinstance(content['color'], str) or not COLOR.fullmatch(content['color']):
        raise UserError(
            f'{path}: bins, {key}: the color {content["color"]!r} is not of the form "#1f6fb2"'
        )
    return Bin(**content)


def _read_rule(path, class_name: str, content, bins: Mapping[str, Bin]) -> ClassRule:
    where = f'classes, {class_name}'
    _require_keys(path, where, content, ('name', 'bin', 'how'))
    for key, text in content.items():
        _require_text(path, f'{where}, {key}', text)
    if content['bin'] not in bins:
        raise UserError(
            f'{path}: {where}: there is no bin {content["bin"]!r}; take one of '
            f'{", ".join(map(str, bins))}, or describe it under bins'
        )
    return ClassRule(content['name'], bins[content['bin']], content['how'])
