"""Class lists: the only place that knows classes by name; the built-in ones are class_lists/."""

from .choosing import choose_classes, from_categories
from .labels import ClassList
from .making import make_class_list
from .naming import BACKGROUND, IGNORE, IGNORE_INDEX, name_key
from .reading import DEFAULT, built_in, built_in_names, class_list

__all__ = [
    'BACKGROUND',
    'DEFAULT',
    'IGNORE',
    'IGNORE_INDEX',
    'ClassList',
    'built_in',
    'built_in_names',
    'choose_classes',
    'class_list',
    'from_categories',
    'make_class_list',
    'name_key',
]
