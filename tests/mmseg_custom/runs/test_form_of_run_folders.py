"""The work folders that tests write, with numbers to expect, have the form of train.py's own."""

import json

from run_folders import write_run, write_validation


def lines_of(folder):
    (log,) = folder.glob('*/vis_data/scalars.json')
    assert (log.parent / 'config.py').is_file()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if 'loss' in line], [line for line in lines if 'mIoU' in line]


def types(line):
    """Return the types of a JSON object's values; a number is a number."""
    kinds = {name: type(value) for name, value in line.items()}
    return {name: float if kind is int else kind for name, kind in kinds.items()}


def test_written_folders_have_the_form_of_trained_ones(trained, tmp_path):
    folder = tmp_path / 'run'
    write_run(folder, tmp_path)
    write_validation(folder, [[1, 0], [0, 1]], ['Background', 'Paper'], mIoU=50.0)
    for written, logged in zip(lines_of(folder), lines_of(trained), strict=True):
        assert written and logged
        for line in written:
            assert types(line).items() <= types(logged[0]).items()
    validation = max((trained / 'val').iterdir())
    (written,) = (folder / 'val').iterdir()
    assert len(written.name) == len(validation.name)
    found, known = json.loads(written.read_text()), json.loads(validation.read_text())
    assert types(found).items() <= types(known).items()
    assert len(list(folder.glob('*.py'))) == len(list(trained.glob('*.py'))) == 1
