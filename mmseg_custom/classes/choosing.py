"""Choose the class list that holds where several say one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mmseg_custom.utils import UserError

from .labels import ClassList
from .making import make_class_list
from .naming import BACKGROUND, IGNORE, name_key
from .reading import built_in


def choose_classes(
    given: ClassList | None = None,
    model: ClassList | None = None,
    experiment: ClassList | None = None,
    categories: ClassList | None = None,
    source: str = 'model',
) -> ClassList:
    """Return the class list that holds where several say one: the first of the arguments.

    Args:
        given: What the command line says.
        model: What a checkpoint or an ONNX file carries.
        experiment: What a config says.
        categories: That of an annotation file, where no model is needed.
        source: The model's file, named in messages.

    Returns:
        ClassList: The contest's list where nobody says one. Where the command line gives classes
        without a class map, the model's class map still holds.

    Raises:
        UserError: A model knows other classes than the command line gives.
    """
    if given and model and not given.is_same_as(model):
        raise UserError(f'{source}: knows {model}; given are {given}', kind='other-classes')
    if given and model and not given.class_map:
        return replace(given, class_map=model.class_map)
    return given or model or experiment or categories or built_in()


def from_categories(
    categories: Iterable[Mapping[str, Any]], source: str = 'categories'
) -> ClassList:
    """Return the class list of a COCO file: a background first, then its categories by id.

    Args:
        categories: The file's ``categories``; one that is called Background becomes label 0.
        source: Named in messages.

    Raises:
        UserError: There is none, or two have the same name.
    """
    entries = sorted(categories, key=lambda one: (isinstance(one['id'], str), one['id']))
    names = [entry['name'] for entry in entries]
    others = [name for name in names if name_key(name) not in (name_key(BACKGROUND), IGNORE)]
    if not others:
        raise UserError(f'{source}: has no category to take the classes from')
    return make_class_list([BACKGROUND, *others], source=source)
