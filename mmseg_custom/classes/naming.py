"""Names of classes: how they are compared, and those that stand for something else."""

IGNORE_INDEX = 255
"""The label of a pixel that neither trains nor counts."""

BACKGROUND = 'Background'
# What a class map says of pixels that neither train nor count; no class can have this name.
IGNORE = 'ignore'


def name_key(name: str) -> str:
    """Return the form in which class names are compared.

    Files write the same class as ``Plastic bag``, ``plastic_bag`` or ``Plastic-Bag``; case, ``_``,
    ``-`` and runs of spaces do not count.
    """
    return ' '.join(name.replace('_', ' ').replace('-', ' ').split()).casefold()
