"""Class lists: names in label order, colors, background, and the label that is ignored."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mmseg_custom.utils.colors import Color

from .naming import IGNORE, IGNORE_INDEX, name_key

OWN_KEYS = ('background', 'colors', 'ignore_index', 'class_map')


@dataclass(frozen=True)
class ClassList:
    """The classes of a data set or a model; it never changes.

    Attributes:
        names: Class names; the label of a class is its place, 0 to ``len - 1``.
        colors: One ``(R, G, B)`` in 0..255 per class, for overlays and pages.
        mask_colors: The same for the palette of mask PNG files.
        background: Label of the pixels that no annotation covers; None: they are ignored.
        ignore_index: Label of a pixel that neither trains nor counts.
        class_map: Names in annotation files that stand for another class: ``(key of the name, name
            of the class)``, see :func:`name_key`; or for :data:`IGNORE`.
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...]
    mask_colors: tuple[Color, ...]
    background: int | None = None
    ignore_index: int = IGNORE_INDEX
    class_map: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    @property
    def unlabeled(self) -> int:
        """Label of a pixel that no annotation covers: background, or else ignored."""
        return self.ignore_index if self.background is None else self.background

    @property
    def foreground(self) -> tuple[int, ...]:
        """Labels of all classes but the background, ascending."""
        return tuple(label for label in range(len(self)) if label != self.background)

    def label_of(self, name: str) -> int | None:
        """Return the label of a name in an annotation file, or None where it is no class.

        The class map comes first; :data:`IGNORE` stands for the ignored label.
        """
        return self._labels.get(name_key(name))

    @cached_property
    def _labels(self) -> dict[str, int]:
        of_class = {name_key(IGNORE): self.ignore_index}
        of_class |= {name_key(one): label for label, one in enumerate(self.names)}
        return of_class | {key: of_class[name_key(target)] for key, target in self.class_map}

    def title(self, label: int) -> str:
        """Return the name of a class, or :data:`IGNORE` for the ignored label."""
        return IGNORE if label == self.ignore_index else self.names[label]

    def to_plain(self) -> dict[str, Any]:
        """Return the list as plain data, which :func:`class_list` reads back."""
        return dict(
            names=list(self.names),
            background=None if self.background is None else self.names[self.background],
            colors=[list(color) for color in self.colors],
            mask_colors=[list(color) for color in self.mask_colors],
            ignore_index=self.ignore_index,
            class_map=dict(self.class_map),
        )

    def to_metainfo(self) -> dict[str, Any]:
        """Return MMSegmentation's ``metainfo``: ``classes``, ``palette``, and our own keys.

        ``background`` is a label there: MMEngine takes a text in a ``metainfo`` for a file name.
        """
        plain = self.to_plain() | dict(background=self.background)
        return dict(
            classes=plain['names'],
            palette=plain['mask_colors'],
            **{key: plain[key] for key in OWN_KEYS},
        )

    def is_same_as(self, other: 'ClassList') -> bool:
        """Return whether names, order and background are the same; colors may differ."""
        return (
            list(map(name_key, self.names)) == list(map(name_key, other.names))
            and self.background == other.background
        )

    def __str__(self) -> str:
        """Return the list for a message, its background in parentheses."""
        shown = [
            f'({name})' if label == self.background else name
            for label, name in enumerate(self.names)
        ]
        return f'{len(self)} classes: {", ".join(shown)}'
