import logging

import pytest

from mmseg_custom.apis.quiet_console import ConsoleFilter, ConsoleFormatter


def record(text, level=logging.INFO):
    return logging.LogRecord('mmengine', level, __file__, 1, text, None, None)


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('Iter(train) [ 20/800]  lr: 1e-3  eta: 0:01:00  loss: 1.2', False),
        ('Iter(val) [20/80]    eta: 0:00:04  time: 0.0763', False),
        ('Iter(val) [80/80]    aAcc: 80.6  mIoU: 19.8', True),
        ('Config:\nmodel = dict()', False),
        ('Hooks will be executed in the following order:', False),
        ('The best checkpoint with 19.8 mIoU at 400 iter is saved to best.pth.', True),
        ('backbone.bn1.weight is skipped since its requires_grad=False', False),
        ('Load checkpoint from model.pth', False),
        ('a teacher.module. inside of a text', True),
    ],
)
def test_lines_of_iterations_and_libraries_are_for_the_log_file(text, shown):
    assert ConsoleFilter().filter(record(text)) == shown


def test_tables_are_dropped_while_training_only():
    console = ConsoleFilter()
    table = record('per class results (%):\n+---+')
    assert console.filter(table)
    console.trains = True
    assert not console.filter(table)


def test_warnings_say_so():
    assert ConsoleFormatter().format(record('a')) == 'a'
    assert ConsoleFormatter().format(record('a', logging.WARNING)) == 'warning: a'
