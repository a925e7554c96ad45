import json

import pytest

from benchmarks import readers


def test_each_reader_of_ours_gets_all_photos_cold_and_warm(bucket, tmp_path, capsys):
    readers.write_photos(tmp_path, 60)
    for name in (name for name in readers.READERS if name.endswith('ours')):
        bucket.clear()
        readers.measure(name, str(tmp_path), '', '60')
        found = json.loads(capsys.readouterr().out)
        assert found['cold, photos/s'] > 0 and found['warm, photos/s'] > 0
        # The second time, nothing comes from the storage.
        asked = sum(bucket.asked[one] for one in bucket.asked if one.startswith('GET set'))
        assert asked == {'S3, single files: ours': 60, 'S3, tar: ours': 1}.get(name, 0)


def test_a_reader_that_loses_photos_is_not_measured(bucket, tmp_path):
    readers.write_photos(tmp_path, 10)
    with pytest.raises(RuntimeError, match='read 10 of 11 photos'):
        readers.measure('local tar: ours', str(tmp_path), '', '11')
