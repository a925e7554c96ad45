"""Make a class list from what a file or a caller says, and check it."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg_custom.utils import UserError
from mmseg_custom.utils.colors import Color, distinct_colors

from .labels import ClassList
from .naming import BACKGROUND, IGNORE, IGNORE_INDEX, name_key

BACKGROUND_COLOR: Color = (0, 0, 0)


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
