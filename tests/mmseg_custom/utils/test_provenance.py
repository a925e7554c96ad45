import hashlib
import json
import os

import pytest

from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import differences, digest_of_data, digest_of_file
from mmseg_custom.utils.provenance import FILE, OtherProvenance, Provenance, holds_results


@pytest.fixture
def photos(tmp_path):
    """Two results and the files that they are made from."""
    for name in 'ab':
        (tmp_path / name).write_bytes(name.encode() * 9)
    return {name: [tmp_path / name] for name in 'ab'}


def provenance(folder, **made_from):
    return Provenance(folder / 'out' / FILE, 'predict', made_from)


def first_run(folder, photos, **made_from):
    first = provenance(folder, **made_from)
    assert first.open() == []
    assert first.update(photos) == ['a', 'b']
    first.save()


def replace_silently(path):
    """Other content of the same size, with the old time: what `cp -p` of another photo can do."""
    status = path.stat()
    path.write_bytes(bytes(reversed(range(status.st_size))))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_only_what_has_changed_is_made_again(tmp_path, photos):
    first_run(tmp_path, photos, tta='flip')
    (tmp_path / 'b').write_bytes(b'another')
    (tmp_path / 'c').write_bytes(b'new')
    again = provenance(tmp_path, tta='flip')
    assert again.open() == []
    assert again.update(photos | dict(c=[tmp_path / 'c'])) == ['b', 'c']


def test_a_copy_with_another_time_is_the_same(tmp_path, photos):
    first_run(tmp_path, photos)
    os.utime(tmp_path / 'a', (1, 1))
    again = provenance(tmp_path)
    again.open()
    assert again.update(photos) == []


def test_what_keeps_size_and_time_is_found_when_asked(tmp_path, photos):
    first_run(tmp_path, photos)
    replace_silently(tmp_path / 'a')
    again = provenance(tmp_path)
    again.open()
    assert again.update(photos) == []
    assert again.update(photos, verify=True) == ['a']


def test_files_are_read_once_and_not_again(tmp_path, photos, monkeypatch):
    read = []
    real = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, 'file_digest', lambda f, kind: read.append(f.name) or real(f, kind)
    )
    shared = {f'v/{number:06d}': [tmp_path / 'a'] for number in range(50)}
    one = provenance(tmp_path)
    assert len(one.update(shared)) == 50 and len(read) == 1
    one.save()
    again = provenance(tmp_path)
    again.open()
    assert again.update(shared) == [] and len(read) == 1


def test_something_else_is_refused_with_what_differs(tmp_path, photos):
    first_run(tmp_path, photos, tta=None, models=[dict(weights=dict(name='a', sha256='1' * 64))])
    other = provenance(tmp_path, tta='flip', models=[dict(weights=dict(name='b', sha256='2' * 64))])
    with pytest.raises(OtherProvenance) as caught:
        other.open()
    assert str(caught.value).splitlines()[1:] == [
        "  tta: was None, is 'flip'",
        '  models.1.weights: was a (11111111), is b (22222222)',
    ]
    assert sorted(other.open(force=True)) == ['a', 'b']


def test_results_of_unknown_origin_are_refused(tmp_path):
    mask = tmp_path / 'out' / 'a.png'
    mask.parent.mkdir()
    mask.write_bytes(b'by hand')
    with pytest.raises(OtherProvenance, match=r'a\.png: is there already'):
        provenance(tmp_path).open([mask])
    assert provenance(tmp_path).open([mask], force=True) == []


@pytest.mark.parametrize('text', ['', '{', '[]', '{"version": 99}', 'null', '"x"'])
def test_a_damaged_file_is_refused(tmp_path, text):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / FILE).write_text(text)
    with pytest.raises(UserError, match='is damaged or of another version'):
        provenance(tmp_path).open()
    assert not holds_results(tmp_path / 'out')


def test_names_are_shown_and_not_compared():
    was, now = (dict(m=dict(name=name, sha256='0' * 64)) for name in ('old.pth', 'new.pth'))
    assert differences(was, now) == []


def test_digests_are_those_of_the_content(tmp_path):
    (tmp_path / 'x').write_bytes(b'content')
    expected = hashlib.sha256(b'content').hexdigest()
    assert digest_of_file(tmp_path / 'x') == dict(name='x', sha256=expected)
    data = dict(b=[1, 2.5], a=None)
    text = json.dumps(data, sort_keys=True).encode()
    assert digest_of_data(data, 'd')['sha256'] == hashlib.sha256(text).hexdigest()


def test_long_arrays_differ_in_the_middle():
    numpy = pytest.importorskip('numpy')
    one, two = numpy.zeros(5000), numpy.zeros(5000)
    two[2500] = 1
    assert digest_of_data([one], '')['sha256'] != digest_of_data([two], '')['sha256']


def test_sources_of_a_set_as_a_whole(tmp_path, photos):
    first = provenance(tmp_path)
    first.open()
    assert not first.require_unchanged(photos)
    first.save()
    again = provenance(tmp_path)
    again.open()
    assert again.require_unchanged(photos)
    with pytest.raises(OtherProvenance, match='was made from other files: b'):
        again.require_unchanged(dict(a=photos['a']))
    (tmp_path / 'a').write_bytes(b'another')
    again = provenance(tmp_path)
    again.open()
    with pytest.raises(OtherProvenance, match='was made from other files: a'):
        again.require_unchanged(photos)
