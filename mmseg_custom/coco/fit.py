"""Categories that are none of the classes, each with its number of annotations."""

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from mmseg_custom.classes import ClassList, name_key

# Of difflib's ratio; what is less alike than this is another word.
ALIKE = 0.6


class Unfit(NamedTuple):
    """A category that is none of the classes.

    Attributes:
        category: The entry of ``categories``.
        number: Number of its annotations, at least 1.
        nearest: Name of the class that is spelled most like it, or None.
    """

    category: dict
    number: int
    nearest: str | None

    def __str__(self) -> str:
        """Return one line for a message."""
        like = f'; is {self.nearest!r} meant?' if self.nearest else ''
        return f'{self.category["name"]!r} ({self.number} annotations){like}'


def unfit_categories(content: dict, classes: ClassList) -> Iterator[Unfit]:
    """Yield the categories with annotations that are none of the classes, the most frequent first.

    Args:
        content: A COCO object whose structure is valid.
        classes: The class list.
    """
    counts = Counter(
        entry['category_id']
        for entry in content.get('annotations', ())
        if isinstance(entry['category_id'], int | str)
    )
    names = {name_key(name): name for name in classes.names}
    unfit = [
        category
        for category in content.get('categories', ())
        if isinstance(category['id'], int | str)
        and counts[category['id']]
        and classes.label_of(str(category['name'])) is None
    ]
    for category in sorted(unfit, key=lambda one: -counts[one['id']]):
        near = difflib.get_close_matches(name_key(str(category['name'])), names, 1, ALIKE)
        yield Unfit(category, counts[category['id']], names[near[0]] if near else None)
