"""The eleven classes of the recycle-trash contest and their usual colours."""

CLASSES = (
    'Background',
    'General trash',
    'Paper',
    'Paper pack',
    'Metal',
    'Glass',
    'Plastic',
    'Styrofoam',
    'Plastic bag',
    'Battery',
    'Clothing',
)
"""Class names; a class's label is its place here, 0 to 10."""

PALETTE = (
    (0, 0, 0),
    (192, 0, 128),
    (0, 128, 192),
    (0, 128, 64),
    (128, 0, 0),
    (64, 0, 128),
    (64, 0, 192),
    (192, 128, 64),
    (192, 192, 128),
    (64, 64, 128),
    (128, 0, 192),
)
"""One (R, G, B) in 0..255 a class."""

IGNORE_INDEX = 255
"""The label of a pixel that neither trains nor counts."""


def name_key(name: str) -> str:
    """Return the form in which class names are compared.

    Files write the same class as ``Plastic bag``, ``plastic_bag`` or
    ``Plastic-Bag``; case, ``_``, ``-`` and runs of spaces do not count.
    """
    return ' '.join(name.replace('_', ' ').replace('-', ' ').split()).casefold()
