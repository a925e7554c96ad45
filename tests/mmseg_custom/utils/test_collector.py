import gc
import weakref

import pytest

from mmseg_custom.utils.collector import resting_collector


class Node:
    pass


def make_cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node)


def test_rests_inside_and_works_again_afterwards():
    gc.collect()
    with resting_collector():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 1000
        assert not gc.get_objects()[1000:]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_what_became_garbage_inside_can_be_collected():
    with resting_collector():
        inside = make_cycle()
        gc.collect()
        assert inside() is None
        later = make_cycle()
    gc.collect()
    assert later() is None


def test_works_again_after_an_error():
    with pytest.raises(ValueError, match='x'), resting_collector():
        raise ValueError('x')
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with resting_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
