import json

import numpy as np

from mmseg_custom.evaluation.photo_tally import PhotoScore
from mmseg_custom.visualization.pages.gallery import GalleryPhoto
from mmseg_custom.visualization.pages.report_page import TABLE_PICTURES, photo_rows, report_charts


def test_rows_begin_with_the_worst_and_only_those_have_pictures():
    ious = np.random.default_rng(0).random(TABLE_PICTURES + 20)
    ious[:5] = np.nan
    photos = [
        GalleryPhoto(str(number), PhotoScore(iou, {3: iou}, iou), 'data:', ())
        for number, iou in enumerate(ious)
    ]
    rows = photo_rows(photos)
    order = [int(row['photo'].name) for row in rows]
    assert order == np.argsort(ious, kind='stable').tolist()
    assert [row['pictured'] for row in rows] == [True] * TABLE_PICTURES + [False] * 20
    assert json.loads(rows[0]['ious']) == {'3': round(np.nanmin(ious), 4)}


def test_there_are_charts_of_what_was_logged():
    train = {'loss': {1: 2.0}, 'decode.loss_ce': {1: 1.0}, 'lr': {1: 0.1}, 'memory': {1: 5.0}}
    charts = report_charts(train, {'mIoU': {1: 20.0}})
    assert [[line.name for line in chart.lines] for chart in charts] == [
        ['loss', 'decode.loss_ce'],
        ['lr'],
        ['mIoU'],
    ]
    assert report_charts({}, {}) == []


def test_a_loss_that_is_the_sum_is_drawn_once():
    train = {'loss': {1: 2.0, 2: 1.0}, 'decode.loss_ce': {1: 2.0, 2: 1.0}, 'aux.loss_ce': {1: 2.0}}
    assert [line.name for line in report_charts(train, {})[0].lines] == ['loss', 'aux.loss_ce']
