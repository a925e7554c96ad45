import numpy as np
from pycocotools.coco import COCO

from benchmarks import annotations
from benchmarks.annotations import draw_counts, link_in_turn, write_annotations
from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems, read_coco
from mmseg_custom.coco.stats.class_counts import class_counts


def test_files_are_sound_and_hold_what_was_drawn(tmp_path):
    path = write_annotations(tmp_path / 'set', 40)
    content = read_coco(path)
    assert not list(find_problems(content, built_in()))
    assert np.array_equal(class_counts(content, built_in()), draw_counts(40))
    assert len(list((tmp_path / 'set' / 'photos').iterdir())) == 40


def test_stated_areas_are_about_those_that_pycocotools_paints(tmp_path):
    api = COCO(str(write_annotations(tmp_path / 'set', 40)))
    stated = np.array([entry['area'] for entry in api.anns.values()])
    painted = np.array([api.annToMask(entry).sum() for entry in api.anns.values()])
    large = stated > 2000
    assert large.any()
    assert np.allclose(painted[large], stated[large], rtol=0.1)


def test_classes_have_a_long_tail():
    counts = draw_counts(2000).sum(axis=0)
    assert counts[0] == 0
    assert counts[1:].min() > 0
    assert counts.max() > 20 * counts[1:].min()


def test_a_few_files_get_many_names_and_none_more_than_a_disk_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(annotations, 'MOST_LINKS', 3)
    files = [tmp_path / 'a', tmp_path / 'b']
    for file in files:
        file.write_text(file.name)
    places = [tmp_path / f'{number}.jpg' for number in range(16)]
    link_in_turn(files, places)
    assert [place.read_text() for place in places] == ['a', 'b'] * 8
    assert max(place.stat().st_nlink for place in places) == 3
    # A file that is given gets no other name: what is written to one would change it.
    assert all(file.stat().st_nlink == 1 for file in files)
