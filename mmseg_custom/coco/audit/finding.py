"""What an audit finds, and how bad each kind is."""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

ERROR, WARNING, NOTE = 'error', 'warning', 'note'
IMAGE, ANNOTATION = 'image', 'annotation'


class Kind(NamedTuple):
    """One kind of finding.

    Attributes:
        severity: ``error`` (stops or corrupts a training), ``warning`` (suspicious) or ``note``.
        remedy: How to fix it.
        drops: What a fix drops because of it: ``image``, ``annotation`` or None.
    """

    severity: str
    remedy: str
    drops: str | None = None


KINDS = {
    'broken-file': Kind(ERROR, 'correct the file by hand or export it again'),
    'bad-category': Kind(ERROR, 'correct "categories" by hand'),
    'unknown-category': Kind(ERROR, 'choose other classes, or map it to one of them'),
    'listed-twice': Kind(ERROR, 'list each photo once, with all its annotations', IMAGE),
    'bad-image': Kind(ERROR, 'correct the image entry, or drop it', IMAGE),
    'bad-annotation': Kind(ERROR, 'correct the annotation, or drop it', ANNOTATION),
    'missing-photo': Kind(ERROR, 'put the photo there, or drop it from the file', IMAGE),
    'bad-photo': Kind(ERROR, 'fetch the photo again, or drop it from the file', IMAGE),
    'bad-mask': Kind(ERROR, 'make the mask again, or drop the photo from the file', IMAGE),
    'leaked-name': Kind(ERROR, 'list the photo in one of the files only', IMAGE),
    'leaked-paste': Kind(ERROR, 'make the paste set from the training file alone', IMAGE),
    'leaked-copy': Kind(ERROR, 'keep copies of a photo in one file', IMAGE),
    'near-duplicate': Kind(
        WARNING,
        'look at both; keep near-duplicates in one file',
        IMAGE,
    ),
    'contradiction': Kind(WARNING, 'drop the annotation of the wrong class', ANNOTATION),
    'empty': Kind(WARNING, 'draw the annotation again, or drop it', ANNOTATION),
    'hidden': Kind(
        WARNING, 'correct the areas, which decide what lies on top, or drop it', ANNOTATION
    ),
    'wrong-area': Kind(WARNING, 'write the number of pixels that the segmentation covers'),
    'wrong-bbox': Kind(
        WARNING, 'look whether box or segmentation is right; the box is not trained'
    ),
    'fills-photo': Kind(
        WARNING, 'look at it; the limit on the fraction can be raised if it is right', IMAGE
    ),
    'speck': Kind(NOTE, 'look at some; often a slip of the hand'),
    'no-annotation': Kind(NOTE, 'nothing, if there is no trash in the photo'),
    'absent-class': Kind(NOTE, 'its IoU cannot be measured or learned from this file'),
    'repeated-photo': Kind(NOTE, 'drop one, unless it is there on purpose'),
    'same-name': Kind(NOTE, 'read the photos as well, which compares what they show'),
    'unused-file': Kind(NOTE, 'list it, or move it away'),
}
"""All kinds, in the order in which they are reported."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: A key of :data:`KINDS`.
        file: The annotation file.
        message: One sentence: what is where.
        image: ``file_name`` of the photo, where one can be named.
        annotation: Id of the annotation, where it is one.
        entry: The image or annotation itself, which is in the file's content.
        field: The value of the entry that is to be corrected: ``id``, ``area``, ``bbox`` or
            ``segmentation``; nothing is dropped then.
    """

    kind: str
    file: str
    message: str
    image: str | None = None
    annotation: int | str | None = None
    entry: Any = dataclasses.field(default=None, repr=False, compare=False)
    field: str | None = None

    @property
    def severity(self) -> str:
        """How bad it is."""
        return KINDS[self.kind].severity

    @property
    def drops(self) -> str | None:
        """What is dropped to fix it."""
        return None if self.field else KINDS[self.kind].drops

    def as_json(self) -> dict:
        """Return what a program reads."""
        return dict(
            kind=self.kind,
            severity=self.severity,
            file=self.file,
            image=self.image,
            annotation=self.annotation,
            message=self.message,
            remedy=KINDS[self.kind].remedy,
        )
