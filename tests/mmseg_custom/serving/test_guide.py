import re

import numpy as np
import pytest
from conftest import ROOT

from mmseg_custom.apis import Segmentation
from mmseg_custom.classes import built_in
from mmseg_custom.serving.guide import Look, hide_unsure, list_findings
from mmseg_custom.serving.rules import read_rules

CLASSES = built_in().names
PALETTE = built_in().colors

PAPER, GLASS = CLASSES.index('Paper'), CLASSES.index('Glass')


@pytest.fixture(scope='module')
def rules():
    return read_rules(ROOT / 'apps' / 'rules' / 'en.yaml', built_in())


def segmentation(labels, sure):
    """Each pixel has its label with the probability ``sure``, and shares the rest evenly."""
    labels, sure = np.array(labels, np.uint8), np.array(sure, np.float32)
    others = (1 - sure) / (len(CLASSES) - 1)
    probabilities = np.repeat(others[None], len(CLASSES), axis=0)
    np.put_along_axis(probabilities, labels[None].astype(int), sure[None], axis=0)
    return Segmentation(labels, probabilities, built_in())


@pytest.fixture
def found():
    labels = [[0, PAPER, PAPER, PAPER, GLASS]]
    return segmentation(labels, [[0.9, 0.9, 0.6, 0.4, 0.7]])


@pytest.mark.parametrize(
    ('confidence', 'expected'),
    [
        (0, [0, PAPER, PAPER, PAPER, GLASS]),
        (0.5, [0, PAPER, PAPER, 255, GLASS]),
        (0.8, [0, PAPER, 255, 255, 255]),
        (1, [255] * 5),
    ],
)
def test_pixels_below_the_confidence_are_unsure(found, confidence, expected):
    hidden = hide_unsure(found, confidence)
    assert hidden.mask.tolist() == [expected] and hidden.mask.dtype == np.uint8
    picture = hidden.overlay(np.zeros((1, 5, 3), np.uint8))
    for label, color in zip(expected, picture[0], strict=True):
        wanted = (255, 255, 255) if label == 255 else PALETTE[label]
        assert np.allclose(color, 0.6 * np.array(wanted), atol=1)


def test_findings_are_the_largest_first_without_background(found, rules):
    findings = list_findings(found, rules)
    assert [(f.rule.name, f.share) for f in findings] == [('Paper', 0.6), ('Glass', 0.2)]
    assert [f.rule.bin.name for f in findings] == ['Paper', 'Glass']
    assert [f.color for f in findings] == [PALETTE[PAPER], PALETTE[GLASS]]
    assert [f.share for f in list_findings(hide_unsure(found, 0.8), rules)] == [0.2]
    assert list_findings(hide_unsure(found, 1), rules) == []


def test_refining_happens_once_and_only_when_asked(found):
    photo, calls = np.zeros((1, 5, 3), np.uint8), []

    def refine(given, probabilities):
        assert given is photo
        calls.append(probabilities)
        return probabilities[::-1]

    look = Look(photo, found, refine)
    assert look.plain is found and calls == []
    expected = len(CLASSES) - 1 - found.mask.astype(int)
    for _ in range(2):
        assert np.array_equal(look.refined.probabilities.max(0), found.probabilities.max(0))
        assert np.array_equal(look.refined.mask[0, [0, 1, 2, 4]], expected[0, [0, 1, 2, 4]])
    assert len(calls) == 1 and look.refined.mask.dtype == np.uint8


def test_the_list_says_shares_bins_and_what_is_unsure(found, rules):
    pytest.importorskip('gradio', minversion='6')
    from mmseg_custom.serving.guide_page import describe

    photo = np.zeros((1, 5, 3), np.uint8)
    look = Look(photo, found, lambda given, probabilities: probabilities)
    (before, after), html = describe(look, rules, 0.65, edges=False)
    assert before is photo and np.array_equal(after, hide_unsure(found, 0.65).overlay(photo))
    text = re.sub(r'\s+', ' ', re.sub('<[^>]+>', ' ', html)).replace('&nbsp;', ' ')
    assert 'Paper 20 % of the photo Paper' in text and 'Glass 20 % of the photo Glass' in text
    assert 'Not sure 40 % of the photo' in text
    assert rules.classes['Glass'].how in text
    (_, sharp), _ = describe(look, rules, 0.65, edges=True)
    assert np.array_equal(sharp, after)
    _, empty = describe(look, rules, 1, edges=False)
    assert rules.texts['nothing'] in empty and 'class="bin"' not in empty


def test_what_the_rules_say_is_escaped(found, rules):
    pytest.importorskip('gradio', minversion='6')
    from dataclasses import replace

    from mmseg_custom.serving.guide_page import describe

    evil = replace(rules, texts={**rules.texts, 'found': '<script>alert(1)</script>'})
    look = Look(np.zeros((1, 5, 3), np.uint8), found, None)
    assert '<script' not in describe(look, evil, 0, edges=False)[1]
