import pytest

from mmseg_custom.serving import access
from mmseg_custom.serving.access import ApiKeys, RateLimit, read_keys
from mmseg_custom.utils import UserError

KEY = 'a key of twenty letters'


def test_one_of_the_keys_is_needed():
    keys = ApiKeys([KEY, KEY[::-1]])
    assert keys and keys.accept(KEY) and keys.accept(KEY[::-1])
    assert not any(map(keys.accept, ('', KEY[:-1], KEY + ' ', '\udc80')))
    assert not ApiKeys() and not ApiKeys().accept('')


def test_keys_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        access.hmac, 'compare_digest', lambda a, b: compared.append((a, b)) or a == b
    )
    assert ApiKeys([KEY, KEY[::-1]]).accept(KEY)
    assert len(compared) == 2 and {len(one) for pair in compared for one in pair} == {32}


def test_keys_are_read_from_a_file(tmp_path):
    path = tmp_path / 'keys.txt'
    path.write_text(f'# of the kitchen\n\n  {KEY}\n{KEY[::-1]}\n')
    assert read_keys(path) == [KEY, KEY[::-1]]


@pytest.mark.parametrize(
    ('content', 'message'),
    [(b'', 'has no key'), (b'# a\n', 'has no key'), (b'secret', 'unsafe'), (b'\xff', 'be read')],
)
def test_files_without_keys(tmp_path, content, message):
    path = tmp_path / 'keys.txt'
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_keys(path)
    assert str(path) in str(caught.value)


def test_a_number_of_photos_a_minute():
    limit = RateLimit(6)
    assert [limit.take('a', now=100.0) for _ in range(6)] == [0.0] * 6
    assert limit.take('a', now=100.0) == pytest.approx(10)
    assert limit.take('b', now=100.0) == 0.0
    assert limit.take('a', now=104.0) == pytest.approx(6)
    assert limit.take('a', now=110.0) == 0.0
    assert limit.take('a', now=110.0) == pytest.approx(10)
    # A minute fills the bucket, and a longer time no further.
    assert [limit.take('a', now=999.0) > 0 for _ in range(7)] == [False] * 6 + [True]


def test_a_form_of_many_photos_is_paid_for_later():
    limit = RateLimit(6)
    assert limit.take('a', 12, now=0.0) == 0.0
    assert limit.take('a', now=60.0) == pytest.approx(10)
    assert limit.take('a', now=70.0) == 0.0


def test_clients_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(access, 'MOST_CLIENTS', 2)
    limit = RateLimit(1)
    assert [limit.take(client, now=0.0) for client in 'abc'] == [0.0] * 3
    assert limit.take('c', now=0.0) > 0 and limit.take('a', now=0.0) == 0.0


def test_without_a_limit():
    assert not any(RateLimit().take('a') for _ in range(99))
