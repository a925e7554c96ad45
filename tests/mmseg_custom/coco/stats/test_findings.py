import pytest

from mmseg_custom.classes import built_in
from mmseg_custom.coco.stats.findings import statistics_findings


def described(images, annotations, without=0):
    classes = [
        dict(name=name, images=on, annotations=number)
        for name, on, number in zip(built_in().names, [9, *images], [0, *annotations], strict=True)
    ]
    return dict(classes=classes, objects_per_image=[without, 30], images=30 + without)


@pytest.mark.parametrize(
    ('images', 'annotations', 'without', 'expected'),
    [
        ([9] * 10, [10] * 10, 0, []),
        ([9] * 8 + [0, 9], [10] * 8 + [0, 10], 0, ['Battery never occurs']),
        ([9] * 8 + [0, 0], [10] * 8 + [0, 0], 0, ['Battery and Clothing never occur:']),
        ([9] * 4 + [1] + [9] * 5, [10] * 10, 0, ['Glass (1): on fewer than 5 images, so 5 folds']),
        ([9] * 10, [10] * 9 + [400], 0, ['Clothing has 40 times as many annotations as General']),
        ([9] * 10, [10] * 10, 3, ['3 of 33 images have no annotation']),
        (
            [0, 2] + [9] * 8,
            [0, 2] + [90] * 8,
            1,
            ['General trash never', 'Paper (2): on', 'Paper pack has 45 times', '1 of 31'],
        ),
    ],
)
def test_findings(images, annotations, without, expected):
    found = statistics_findings(described(images, annotations, without), built_in())
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence
