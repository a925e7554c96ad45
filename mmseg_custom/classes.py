"""Class lists: names in label order, colors, background, and the label that is ignored."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from mmseg_custom.utils import UserError
from mmseg_custom.utils.colors import Color, distinct_colors

IGNORE_INDEX = 255
"""The label of a pixel that neither trains nor counts."""

BACKGROUND = 'Background'
# What a class map says of pixels that neither train nor count; no class can have this name.
IGNORE = 'ignore'
BACKGROUND_COLOR: Color = (0, 0, 0)
DEFAULT = 'recycle_trash'
FOLDER = Path(__file__).with_name('class_lists')
OWN_KEYS = ('background', 'colors', 'ignore_index', 'class_map')
KEYS = ('names', 'background', 'colors', 'mask_colors', 'ignore_index', 'class_map')


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


def make_class_list(
    names: Sequence[str],
    background: str | None = BACKGROUND,
    colors: Mapping[str, Sequence[int]] | Sequence[Sequence[int]] | None = None,
    mask_colors: Mapping[str, Sequence[int]] | Sequence[Sequence[int]] | None = None,
    ignore_index: int = IGNORE_INDEX,
    source: str = 'class list',
    class_map: Mapping[str, str] | None = None,
) -> ClassList:
    """Make a class list; colors that are not given are generated.

    Args:
        names: In label order.
        background: Name of the background class, which may be missing from ``names``; None: no
            class is the background.
        colors: By name, or one per class.
        mask_colors: As ``colors``, which it follows where it is not given.
        ignore_index: 0 to 255, and no class's label.
        source: Named in messages.
        class_map: Names in annotation files, and the class, :data:`BACKGROUND` or :data:`IGNORE`
            that each stands for.

    Raises:
        UserError: No name, a name twice or not a string, too many, a wrong color, or a map to what
            is no class.
    """
    names = _checked_names(names, ignore_index, source)
    keys = [name_key(name) for name in names]
    place = (
        keys.index(name_key(background)) if background and name_key(background) in keys else None
    )
    given = _colors_by_key(colors, names, source)
    shown = _complete(keys, given, place)
    masks = _complete(keys, given | _colors_by_key(mask_colors, names, source), place, shown)
    mapped = _checked_map(class_map or {}, names, place, source)
    return ClassList(names, shown, masks, place, ignore_index, mapped)


def class_list(value: Any, source: str = 'classes') -> ClassList:
    """Return the class list that a value describes.

    Args:
        value: A :class:`ClassList`; the name of a built-in list (:func:`built_in_names`); the path
            of a YAML file; a list of names; a dict with :data:`KEYS`; or MMSegmentation's
            ``metainfo`` with ``classes`` and ``palette``.
        source: Named in messages.

    Raises:
        UserError: It describes none.
    """
    if isinstance(value, ClassList):
        return value
    if isinstance(value, str | os.PathLike):
        return _read(os.fspath(value))
    if isinstance(value, Mapping):
        return _from_mapping(value, source)
    if isinstance(value, Sequence):
        return make_class_list(value, source=source)
    raise UserError(f'{source}: {value!r} is neither a list of class names, a name, nor a file')


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
        ClassList: The contest's list where nobody says one.

    Raises:
        UserError: A model knows other classes than the command line gives.
    """
    if given and model and not given.is_same_as(model):
        raise UserError(f'{source}: knows {model}; given are {given}', kind='other-classes')
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


def built_in_names() -> list[str]:
    """Return the names of the lists that come with the project."""
    return sorted(path.stem for path in FOLDER.glob('*.yaml'))


@cache
def built_in(name: str = DEFAULT) -> ClassList:
    """Return a list that comes with the project.

    Args:
        name: One of :func:`built_in_names`.
    """
    return _read_file(FOLDER / f'{name}.yaml')


def name_key(name: str) -> str:
    """Return the form in which class names are compared.

    Files write the same class as ``Plastic bag``, ``plastic_bag`` or ``Plastic-Bag``; case, ``_``,
    ``-`` and runs of spaces do not count.
    """
    return ' '.join(name.replace('_', ' ').replace('-', ' ').split()).casefold()


def _read(text: str) -> ClassList:
    if text in built_in_names():
        return built_in(text)
    if not os.path.isfile(text):
        names = ', '.join(built_in_names())
        raise UserError(f'{text}: is neither a file nor one of the built-in class lists ({names})')
    return _read_file(Path(text))


def _read_file(path: Path) -> ClassList:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8-sig'))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'{path}: cannot be read as YAML: {reason}') from None
    if isinstance(content, str | None) or not isinstance(content, list | dict):
        raise UserError(f'{path}: holds no class list; write `names:` and one name per line')
    return class_list(content, str(path))


def _from_mapping(value: Mapping[str, Any], source: str) -> ClassList:
    content = dict(value)
    if 'classes' in content:
        # MMSegmentation's metainfo: its palette is what masks are colored with. It may have keys
        # of other libraries, such as label_map.
        content = dict(
            names=content['classes'],
            mask_colors=content.get('palette'),
            **{key: content[key] for key in OWN_KEYS if key in content},
        )
    unknown = sorted(set(map(str, content)) - set(KEYS))
    if unknown or 'names' not in content:
        problem = f'unknown key {unknown[0]!r}' if unknown else 'no key `names`'
        raise UserError(f'{source}: {problem}; a class list has {", ".join(KEYS)}')
    if content.get('background') is not None:
        content['background'] = _background_name(content, source)
    return make_class_list(**content, source=source)


def _background_name(content: Mapping[str, Any], source: str) -> str:
    """Return the name of the background, which is given as a name or as a label."""
    background, names = content['background'], list(map(str, content['names'] or ()))
    if isinstance(background, int) and 0 <= background < len(names):
        return names[background]
    if name_key(str(background)) not in map(name_key, names):
        raise UserError(f'{source}: the background {background!r} is none of its names')
    return background


def _checked_names(names: Sequence[str], ignore_index: int, source: str) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise UserError(f'{source}: has no list of class names')
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise UserError(f'{source}: {name!r} is no class name: write it in quotes')
        if name_key(name) == IGNORE:
            raise UserError(f'{source}: {name!r} stands for ignored pixels: it cannot be a class')
    seen: dict[str, str] = {}
    for name in names:
        if name_key(name) in seen:
            raise UserError(f'{source}: {seen[name_key(name)]!r} and {name!r} are the same name')
        seen[name_key(name)] = name
    if not isinstance(ignore_index, int) or not len(names) <= ignore_index <= IGNORE_INDEX:
        raise UserError(
            f'{source}: {len(names)} classes and the ignored label {ignore_index!r} do not fit '
            f'into labels 0 to {IGNORE_INDEX}'
        )
    return tuple(names)


def _checked_map(
    class_map: Mapping[str, str], names: Sequence[str], background: int | None, source: str
) -> tuple[tuple[str, str], ...]:
    """Return the class map with keys of names, and targets as the list writes them."""
    targets = {name_key(IGNORE): IGNORE} | {name_key(name): name for name in names}
    if background is not None:
        targets[name_key(BACKGROUND)] = names[background]
    found: dict[str, str] = {}
    for name, target in class_map.items():
        known = targets.get(name_key(str(target)))
        if known is None:
            none = background is None and name_key(str(target)) == name_key(BACKGROUND)
            why = 'the list has no background' if none else 'which is none of the classes'
            raise UserError(f'{source}: maps {name!r} to {target!r}, {why}')
        if found.setdefault(name_key(str(name)), known) != known:
            raise UserError(
                f'{source}: maps {name!r} to {found[name_key(str(name))]!r} and {known!r}'
            )
    return tuple(found.items())


def _colors_by_key(colors: Any, names: Sequence[str], source: str) -> dict[str, Color]:
    """Return given colors by the key of their class."""
    if colors is None:
        return {}
    if not isinstance(colors, Mapping):
        if len(colors) != len(names):
            raise UserError(f'{source}: has {len(colors)} colors for {len(names)} classes')
        colors = dict(zip(names, colors, strict=True))
    keys = {name_key(name) for name in names}
    found = {}
    for name, color in colors.items():
        if name_key(str(name)) not in keys:
            raise UserError(f'{source}: has a color for {name!r}, which is none of its names')
        values = tuple(color) if isinstance(color, Sequence) and not isinstance(color, str) else ()
        if len(values) != 3 or not all(isinstance(v, int) and 0 <= v <= 255 for v in values):
            raise UserError(f'{source}: {name} has the color {color!r}: write [R, G, B], 0 to 255')
        found[name_key(str(name))] = values
    return found


def _complete(
    keys: Sequence[str], given: Mapping[str, Color], background: int | None, fallback=None
) -> tuple[Color, ...]:
    """Return one color per class: the given one, else ``fallback``'s, else a generated one."""
    missing = [key for place, key in enumerate(keys) if key not in given and place != background]
    generated = dict(zip(missing, distinct_colors(len(missing)), strict=True))
    if fallback:
        generated = dict(zip(keys, fallback, strict=True))
    elif background is not None:
        generated[keys[background]] = BACKGROUND_COLOR
    return tuple(given.get(key) or generated[key] for key in keys)
