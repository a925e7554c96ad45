"""Processes of one node read a data set once, and share what was read."""

import json
import os
import pickle
from pathlib import Path

import pytest
from processes import CONTEXT, call_in_file

from mmseg_custom.datasets import TrashCocoDataset

RANKS = 3


def read_set(folder: str, ann_file: str, root: str, rank: int) -> None:
    """Read the set as a process of a launch does, and write down what was found."""
    from mmseg_custom.datasets import trash_coco
    from mmseg_custom.utils import UserError

    os.environ.update(LOCAL_WORLD_SIZE=str(RANKS), TMPDIR=folder)
    read = trash_coco.read_coco

    def noting(path):
        Path(folder, f'{rank}.parsed').touch()
        return read(path)

    trash_coco.read_coco = noting
    try:
        dataset = TrashCocoDataset(ann_file, data_root=root)
        found = [dataset.get_data_info(place) for place in range(len(dataset))]
    except UserError as error:
        found = str(error)
    Path(folder, f'{rank}.found').write_bytes(pickle.dumps(found))


@pytest.fixture
def found_by_all(tmp_path):
    """Return a function that reads a set in three processes: what each found, how many parsed."""

    def read(ann_file: Path, root: Path):
        processes = [
            CONTEXT.Process(
                target=call_in_file,
                args=(__file__, 'read_set', str(tmp_path), str(ann_file), str(root), rank),
            )
            for rank in range(RANKS)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(200)
        found = [pickle.loads((tmp_path / f'{rank}.found').read_bytes()) for rank in range(RANKS)]
        assert not list(tmp_path.glob('trash_seg_node_*/*'))
        return found, len(list(tmp_path.glob('*.parsed')))

    return read


def test_one_process_of_a_node_reads_for_all(found_by_all, toy_set):
    found, parsed = found_by_all(toy_set / 'train.json', toy_set)
    alone = TrashCocoDataset(str(toy_set / 'train.json'), data_root=str(toy_set))
    expected = pickle.dumps([alone.get_data_info(place) for place in range(len(alone))])
    for one in found:
        assert repr(one) == repr(pickle.loads(expected))
    assert parsed == 1


def test_a_mistake_is_reported_by_every_process(found_by_all, toy_set, tmp_path):
    content = json.loads((toy_set / 'train.json').read_text())
    content['images'][5]['file_name'] = 'batch_01/gone.jpg'
    (tmp_path / 'ann.json').write_text(json.dumps(content))
    found, _ = found_by_all(tmp_path / 'ann.json', toy_set)
    expected = f'{toy_set}/batch_01/gone.jpg: no such photo (1 of {len(content["images"])} that'
    assert [message.startswith(expected) for message in found] == [True] * RANKS
