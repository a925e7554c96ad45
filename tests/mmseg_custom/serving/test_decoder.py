import os
import signal
import threading
import time
from multiprocessing.connection import Connection

import numpy as np
import pytest
from conftest import ROOT  # noqa: F401  (puts the helpers on the path)
from hostile_photos import encoded, many_scans
from PIL import Image

from mmseg_custom.serving import decoder
from mmseg_custom.serving.decoder import Decoder
from mmseg_custom.serving.turnstile import Busy
from mmseg_custom.serving.upload import Limits, UploadError

LARGE = encoded(Image.new('RGB', (4000, 4000)), 'PNG')


@pytest.fixture(scope='module')
def decode():
    with Decoder(Limits(), workers=1) as decode:
        yield decode


def picture(seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8))


def test_pixels_cross_the_process_unchanged(decode):
    upload = decode(encoded(picture(), 'PNG'))
    assert np.array_equal(upload.photo, np.asarray(picture()))
    assert upload.photo.dtype == np.uint8 and (upload.height, upload.width) == (40, 60)


def test_a_smaller_side_is_kept_and_a_larger_one_is_not_given(decode):
    assert decode(encoded(picture(), 'PNG'), 30).photo.shape == (20, 30, 3)
    assert decode(encoded(Image.new('RGB', (2000, 10)), 'PNG'), 9999).photo.shape[1] == 512


def test_a_refusal_keeps_its_words_and_status(decode):
    with pytest.raises(UploadError, match='no image') as caught:
        decode(b'text')
    assert caught.value.status == 415


@pytest.mark.parametrize('scans', [101, 15_000])
def test_scans_are_judged_before_they_are_decoded(decode, scans):
    with pytest.raises(UploadError, match='progressive scans') as caught:
        decode(many_scans(scans))
    assert caught.value.status == 413


def test_a_photo_that_takes_too_long_is_ended_and_the_next_one_is_read():
    with Decoder(Limits(), workers=1) as decode:
        decode(encoded(picture(), 'PNG'))
        decode._seconds = 0.001
        with pytest.raises(UploadError, match='takes longer') as caught:
            decode(LARGE)
        assert caught.value.status == 413
        decode._seconds = 60
        assert np.array_equal(decode(encoded(picture(1), 'PNG')).photo, np.asarray(picture(1)))


def test_a_process_that_was_killed_is_started_again():
    with Decoder(Limits(), workers=1) as decode:
        decode(encoded(picture(), 'PNG'))
        process = decode._all[0]._process
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert np.array_equal(decode(encoded(picture(2), 'PNG')).photo, np.asarray(picture(2)))


def test_memory_beyond_what_the_limits_explain_is_refused(monkeypatch):
    pytest.importorskip('resource')
    monkeypatch.setattr(decoder, 'BASE_BYTES', 0)
    monkeypatch.setattr(decoder, 'BYTES_PER_PIXEL', 2)
    with Decoder(Limits(), workers=1) as decode, pytest.raises(UploadError) as caught:
        decode(encoded(Image.new('RGB', (4999, 4999)), 'PNG'))
    assert caught.value.status in (413, 422)


def test_a_photo_that_is_cut_off_closes_its_own_connection(monkeypatch):
    """A second close could close what another thread has opened in the meantime."""
    decode = Decoder(Limits(), workers=1)
    decode(encoded(picture(), 'PNG'))
    closed = []
    close = Connection.close
    monkeypatch.setattr(
        Connection, 'close', lambda self: (closed.append(threading.get_ident()), close(self))
    )
    errors = []

    def read():
        try:
            decode(LARGE)
        except Busy as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not decode._idle.empty():
        time.sleep(0.001)
    decode.close()
    thread.join(30)
    assert closed == [thread.ident]
    assert errors


def test_closing_ends_a_photo_that_is_being_decoded():
    decode = Decoder(Limits(), workers=1)
    decode(encoded(picture(), 'PNG'))
    refused = []

    def read():
        try:
            while True:
                decode(LARGE)
        except (UploadError, Busy) as error:
            refused.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    process = decode._all[0]._process
    decode.close()
    assert process.exitcode == -signal.SIGKILL
    thread.join(30)
    assert not thread.is_alive() and refused
    with pytest.raises(Busy):
        decode(LARGE)
