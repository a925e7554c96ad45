"""Every command does with photos and annotations in object storage what it does with local ones."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import outcome_of
from object_store import forget, pack
from photo_commands import COMMANDS, TOY

READS = (
    *('predict', 'predict a folder', 'submit', 'make_pseudo', 'statistics', 'browse', 'kfold'),
    *('copy_paste', 'check', 'test', 'resize', 'contact_sheet', 'masks_to_coco'),
)
# They name the inputs.
OTHER = ('provenance.json',)


def run(command, world: Path, data: str) -> tuple[int, str, dict[str, bytes]]:
    """Run a command on ``data``; returns exit code, text, and what it wrote."""
    words = [str(word).replace('{w}/set', data).replace('{w}', str(world)) for word in command]
    code, text = outcome_of(*words)
    found = [path for path in world.rglob('*') if path.is_file()]
    written = {str(path.relative_to(world)): path.read_bytes() for path in found}
    # MMEngine's logs are in a folder named after the moment.
    return code, text, {k: v for k, v in written.items() if re.match(r'out(?!/\d{8}_)', k)}


def plain(name: str, content: bytes, data: str) -> object:
    """Return what of a file does not depend on where the set is."""
    if not name.endswith('.json'):
        return None if name.endswith('.html') else content
    found = json.loads(content.replace(data.encode(), b'DATA'))
    found.pop('checkpoint', None)
    if 'info' in found:
        found['info'] = None
        for image in found['images']:
            # A mask that is beside the results is named from the photos, if they are on the disk.
            if 'seg_map_path' in image:
                image['seg_map_path'] = Path(image['seg_map_path']).name
    return found


@pytest.fixture(scope='module')
def at_home(photo_world, tmp_path_factory):
    """Return a function that runs a command on local photos, once for all tests."""
    known = {}

    def outcome(name: str) -> tuple[Path, int, dict[str, bytes]]:
        if name not in known:
            world = shutil.copytree(photo_world, tmp_path_factory.mktemp('home') / 'world')
            code, _, found = run(COMMANDS[name], world, str(world / 'set'))
            known[name] = world, code, found
        return known[name]

    return outcome


@pytest.mark.parametrize('place', ['s3', 'tar', 'zip', 'lmdb'])
@pytest.mark.parametrize('name', READS)
def test_a_command_does_the_same(photo_world, at_home, bucket, tmp_path, name, place):
    world = shutil.copytree(photo_world, tmp_path / 'world')
    if place == 's3':
        data = bucket.upload(world / 'set')
    else:
        data = f'{place}://::{pack(tmp_path / "set", place, world / "set")}'
    shutil.rmtree(world / 'set')
    home, code, expected = at_home(name)
    code_2, text, found = run(COMMANDS[name], world, data)
    assert (code, code_2) == (0, 0), text
    assert found.keys() == expected.keys() and (found or name == 'check')
    for file in found:
        if not file.endswith(OTHER):
            here = plain(file, expected[file], str(home / 'set'))
            assert plain(file, found[file], data) == here, file
    assert not re.search('trash-seg|cache|%2F', text)
    assert not [path for path in world.rglob('*') if re.search('s3:|tar:|zip:|lmdb:', path.name)]


@pytest.mark.parametrize(
    'kind, command',
    [
        ('lmdb', ('tools/predict.py', TOY, '{w}/a.pth', '{archive}', '--out', '{w}/out')),
        ('zip', ('data_prep/check.py', '{archive}')),
        ('tar', ('data_prep/check.py', '{w}/set/ann.json', '--data-root', '{archive}')),
        ('lmdb', ('data_prep/dataset_statistics.py', '{archive}', '--out', '{w}/out')),
        ('zip', ('tools/train.py', TOY, '--data-root', '{archive}')),
    ],
)
def test_an_archive_given_as_a_folder_is_explained(photo_world, tmp_path, kind, command):
    archive = pack(tmp_path / 'packed', kind, photo_world / 'set' / 'batch_01')
    words = [str(w).format(archive=archive, w=photo_world) for w in command]
    code, text = outcome_of(*words)
    assert code == 2
    assert f'{archive}: is an archive; name what is in it: {kind}://::{archive} is its top' in text
    assert 'did you mean' not in text


def test_an_archive_in_a_bucket_is_fetched_once(photo_world, bucket, tmp_path):
    archive = Path(shutil.make_archive(tmp_path / 'set', 'tar', photo_world / 'set'))
    bucket.put('set.tar', archive.read_bytes())
    data = f'tar://::s3://{bucket.name}/set.tar'
    world = shutil.copytree(photo_world, tmp_path / 'world', ignore=lambda *_: ['set'])
    code, text, found = run(COMMANDS['predict'], world, data)
    assert code == 0, text
    assert found
    assert bucket.asked['GET set.tar'] == 1
    forget()
    archive.write_bytes(b'no archive')
    for name, message in (
        (archive, f'{archive}: cannot be read as a tar archive'),
        (f's3://{bucket.name}/gone.tar', f's3://{bucket.name}/gone.tar: no such archive'),
    ):
        code, text, _ = run(COMMANDS['statistics'], world, f'tar://::{name}')
        assert code == 2
        assert message in text


def test_a_broken_and_a_missing_photo_are_named_by_their_addresses(photo_world, bucket, tmp_path):
    world = shutil.copytree(photo_world, tmp_path / 'world')
    remote = bucket.upload(world / 'set')
    images = json.loads((world / 'set' / 'ann.json').read_text())['images']
    bucket.failing[images[0]['file_name']] = [500] * 99
    code, text, _ = run(COMMANDS['predict'], world, remote)
    assert code == 1, text
    assert f'{remote}/{images[0]["file_name"]}: cannot be read after 5 tries' in text
    forget()
    bucket.delete(f'set/{images[1]["file_name"]}')
    code, text, _ = run(COMMANDS['statistics'], world, remote)
    assert code == 2, text
    assert f'{remote}/{images[1]["file_name"]}: no such photo (1 of 7 are missing)' in text


def test_results_are_local(photo_world, tmp_path):
    code, text = outcome_of(
        'tools/predict.py', TOY, photo_world / 'a.pth', photo_world / 'set', '--out', 's3://b/out'
    )
    assert code == 2
    assert 's3://b/out: results are written to local folders' in text and '--out' in text


def train(bucket, tmp_path, *options) -> tuple[int, str]:
    return outcome_of(
        *('tools/train.py', TOY, '--data-root', f's3://{bucket.name}/set', '--seed', 3),
        *('--work-dir', tmp_path / 'run', '--no-pretrained', '--batch-size', 2, '--cfg-options'),
        *('train_cfg.max_iters=2', 'train_cfg.val_interval=2', *options),
    )


@pytest.mark.parametrize('allowed', [0, 1])
def test_a_training_counts_what_cannot_be_fetched(toy_set, bucket, tmp_path, allowed):
    bucket.upload(toy_set)
    photo = json.loads((toy_set / 'train.json').read_text())['images'][0]['file_name']
    bucket.failing[photo] = [500] * 999
    code, text = train(
        bucket,
        tmp_path,
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_cfg.max_iters=12',
        'train_cfg.val_interval=12',
        f'train_dataloader.dataset.max_bad_images={allowed}',
    )
    assert f's3://{bucket.name}/set/{photo}: cannot be read after 5 tries' in text
    assert code == (0 if allowed else 2), text
    if not allowed:
        return
    assert 'skipped broken photo 1 (at most 1 allowed)' in text
    # The checkpoint knows the address, and is tested from there.
    forget()
    code, text = outcome_of(
        'tools/test.py', tmp_path / 'run' / 'iter_12.pth', '--out', tmp_path / 't'
    )
    assert code == 0, text
    assert (tmp_path / 't' / 'metrics.json').is_file()


def test_workers_fetch_and_the_losses_are_those_of_local_photos(toy_set, bucket, tmp_path):
    bucket.upload(toy_set)
    code, text = train(bucket, tmp_path)
    assert code == 0, text
    local = tmp_path / 'local'
    code, _ = outcome_of(
        *('tools/train.py', TOY, '--data-root', toy_set, '--seed', 3, '--work-dir', local / 'run'),
        *('--no-pretrained', '--batch-size', 2, '--cfg-options', 'train_cfg.max_iters=2'),
        'train_cfg.val_interval=2',
    )
    assert code == 0
    scores = [json.loads(next(p.glob('run/val/*.json')).read_text()) for p in (tmp_path, local)]
    assert all(score.pop('seconds') for score in scores)
    assert scores[0] == scores[1]


def test_a_video_is_read_from_its_address(bucket, tmp_path):
    from mmseg_custom.prediction.photo_sources import list_photos

    video = cv2.VideoWriter(str(tmp_path / 'v.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 24))
    for value in (40, 80, 120):
        video.write(np.full((24, 32, 3), value, np.uint8))
    video.release()
    address = bucket.upload(tmp_path)
    local, remote = (list_photos([f'{place}/v.avi'], every=2) for place in (tmp_path, address))
    assert [photo.name for photo in remote] == [photo.name for photo in local]
    assert all(np.array_equal(a.read(), b.read()) for a, b in zip(local, remote, strict=True))
