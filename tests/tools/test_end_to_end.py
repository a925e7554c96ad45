"""The tools driven as a user drives them: from data to pictures, one process and two."""

import json
import os
import signal
import time

import numpy as np
import pytest
import torch
from conftest import ROOT, tool
from PIL import Image
from processes import ToolProcess
from products import ITERS, SHORT, TOY
from sklearn.metrics import jaccard_score

from mmseg_custom.classes import built_in
from mmseg_custom.datasets import TrashCocoDataset

CLASSES = built_in().names
OPTIONS = ['--cfg-options', *SHORT]


def losses(work_dir) -> dict[int, float]:
    """Read the loss of each iteration from the newest run in a work folder."""
    run = max(p for p in work_dir.iterdir() if (p / 'vis_data').is_dir())
    lines = map(json.loads, (run / 'vis_data' / 'scalars.json').read_text().splitlines())
    return {line['step']: line['loss'] for line in lines if 'loss' in line}


def weights(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=False, map_location='cpu')['state_dict']


def assert_same_weights(first, second):
    first, second = weights(first), weights(second)
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_training_leaves_checkpoints_logs_and_curves(trained):
    assert sorted(losses(trained)) == list(range(1, ITERS + 1))
    found = {path.name for path in trained.rglob('*')}
    assert {'iter_16.pth', 'iter_20.pth', 'last_checkpoint', 'upernet_swin_toy.py'} <= found
    assert any(name.startswith('best_mIoU_iter_') for name in found)
    assert any('tfevents' in name for name in found)


def test_testing_writes_masks_pictures_and_true_numbers(trained, toy_set, tmp_path):
    out, show = tmp_path / 'masks', tmp_path / 'overlays'
    arguments = [TOY, trained / 'iter_20.pth', '--data-root', toy_set, '--out', tmp_path]
    done = tool('tools/test.py', *arguments, '--overlays')
    assert 'Loads checkpoint' not in done.stdout + done.stderr  # MMEngine prints it
    report = json.loads((tmp_path / 'metrics.json').read_text())
    dataset = TrashCocoDataset(
        'val.json',
        data_root=str(toy_set),
        pipeline=[dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')],
    )
    truths, predictions = [], []
    for sample in (dataset[i] for i in range(len(dataset))):
        name = os.path.relpath(sample['img_path'], toy_set)
        picture = Image.open((show / name).with_suffix('.jpg'))
        assert picture.size == (3 * 64, 64)
        truths.append(sample['gt_seg_map'].ravel())
        predictions.append(np.array(Image.open((out / name).with_suffix('.png'))).ravel())
    assert len(list(out.rglob('*.png'))) == len(dataset)
    truth, prediction = np.concatenate(truths), np.concatenate(predictions)
    labels = sorted({*truth, *prediction})
    iou = jaccard_score(truth, prediction, labels=labels, average=None, zero_division=0)
    np.testing.assert_allclose([report['per_class']['IoU'][c] for c in labels], iou, rtol=1e-5)
    assert report['metrics']['mIoU'] == pytest.approx(100 * iou.mean(), abs=0.0051)
    assert report['classes'] == list(CLASSES)

    sheet = tmp_path / 'sheet.png'
    tool('tools/contact_sheet.py', toy_set / 'val.json', out, '--out', sheet, '--count', 3)
    colors = Image.open(sheet).convert('RGB').getcolors(1 << 24)
    assert len(colors) > 100


def test_photos_without_annotations_are_predicted(trained, toy_set, tmp_path):
    unlabelled = json.loads((toy_set / 'test.json').read_text())
    del unlabelled['annotations']
    ann_file = tmp_path / 'unlabelled.json'
    ann_file.write_text(json.dumps(unlabelled))
    arguments = [TOY, trained / 'iter_20.pth', '--data-root', toy_set, '--out', tmp_path / 'm']
    done = tool('tools/test.py', *arguments, '--test-json', ann_file)
    assert 'nothing to measure' in done.stdout + done.stderr
    assert len(list((tmp_path / 'm').rglob('*.png'))) == len(unlabelled['images'])


def test_the_same_seed_gives_the_same_bits_with_any_number_of_workers(trained, toy_set, tmp_path):
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path, '--seed', 3]
    workers = 'train_dataloader.num_workers=0'
    tool('tools/train.py', *arguments, *OPTIONS, workers)
    assert losses(tmp_path) == losses(trained)
    assert_same_weights(tmp_path / 'iter_20.pth', trained / 'iter_20.pth')


def test_a_killed_run_is_resumed_exactly(trained, toy_set, tmp_path):
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path, '--seed', 3, *OPTIONS]
    process = ToolProcess('tools/train.py', *arguments, folder=tmp_path)
    deadline = time.monotonic() + 120
    # Past a validation and the checkpoint of iteration 12, on the way to the next.
    while not any(
        '"step": 13' in path.read_text() for path in tmp_path.glob('*/vis_data/scalars.json')
    ):
        assert process.poll() is None, 'the run ended before it could be killed'
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / f'iter_{ITERS}.pth').exists()

    time.sleep(1.1)  # the names of runs are the seconds they began in
    done = tool('tools/train.py', *arguments[: -len(OPTIONS)], '--resume', *OPTIONS)
    said = done.stdout + done.stderr
    assert 'resuming' in said
    assert f'of {ITERS}' in said
    resumed = losses(tmp_path)
    assert min(resumed) in (13, 17)
    assert resumed == {step: losses(trained)[step] for step in resumed}
    assert_same_weights(tmp_path / 'iter_20.pth', trained / 'iter_20.pth')


def test_short_cuts_and_options_that_have_no_effect_here(toy_set, tmp_path):
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path, '--resume', '--amp']
    arguments += ['--epochs', 1, '--batch-size', 12, '--train-json', toy_set / 'train.json']
    done = tool('tools/train.py', *arguments, '--val-json', 'val.json', '--deterministic')
    assert (tmp_path / 'iter_2.pth').exists()
    assert 'there is no GPU' in done.stdout
    assert 'so training is in' in done.stdout
    assert f'nothing to resume in {tmp_path}: starting at iteration 0' in done.stdout


def test_two_processes_train_and_measure_as_one(trained, trained_by_two, toy_set, tmp_path):
    assert sorted(losses(trained_by_two)) == list(range(1, ITERS + 1))
    common = ['--data-root', toy_set, '--out']
    tool('tools/test.py', TOY, trained / 'iter_20.pth', *common, tmp_path / '1')
    tool('tools/dist_test.sh', TOY, trained / 'iter_20.pth', 2, *common, tmp_path / '2')
    one, two = (json.loads((tmp_path / n / 'metrics.json').read_text()) for n in '12')
    # Seven photos: the sampler repeats one for the second process.
    assert one['confusion_matrix'] == two['confusion_matrix']
    assert one['metrics'] == two['metrics']


def test_one_process_through_torchrun_is_the_plain_run(trained, toy_set, tmp_path):
    arguments = [TOY, 1, '--data-root', toy_set, '--work-dir', tmp_path, '--seed', 3]
    tool('tools/dist_train.sh', *arguments, *OPTIONS)
    assert losses(tmp_path) == losses(trained)


def test_a_users_mistake_under_torchrun_is_one_message_and_code_2(toy_set, tmp_path):
    arguments = [TOY, 2, '--data-root', toy_set, '--train-json', 'gone.json']
    done = tool('tools/dist_train.sh', *arguments, '--work-dir', tmp_path, code=2)
    assert 'gone.json: no such annotation file' in done.stderr
    assert 'Traceback' not in done.stderr + done.stdout
    # The script scales learning rate and length unless it is told not to.
    assert done.stdout.count('total batch 16 (8 photos x 2 processes), schedule for 8') == 1


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_scripts_without_arguments_say_how_they_are_used(script):
    done = tool(f'tools/{script}', code=2)
    assert f'tools/{script}' in done.stderr


def test_slurm_gets_one_task_a_gpu(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\necho "$@"\n')
    srun.chmod(0o755)
    env = dict(PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='4', SRUN_ARGS='--qos high')
    done = tool('tools/slurm_train.sh', 'gpu', 'job', TOY, '--seed', 1, env=env)
    said = done.stdout
    assert '--partition=gpu --job-name=job --ntasks=4 --ntasks-per-node=4 --gres=gpu:4' in said
    assert '--qos high' in said
    assert said.strip().endswith(f'train.py --launcher slurm {TOY} --auto-scale-lr --seed 1')


def test_the_teams_quick_start_works_as_one_line(toy_set, tmp_path):
    folds = tmp_path / 'folds'
    tool('data_prep/stratified_kfold.py', toy_set / 'train_all.json', '--folds', 3, '--out', folds)
    arguments = ['--epochs', 1, '--loss', 'focal', '--augmentation', 'custom', '--batch-size', 5]
    for part in ('train', 'val'):
        arguments += [f'--{part}-json', folds / f'kfold_0_{part}.json']
    # A small encoder, at random: its own has weights to fetch and 28 M to train.
    arguments += ['--no-pretrained', '--data-root', toy_set, '--work-dir', tmp_path / 'w']
    arguments += ['--cfg-options', 'model.backbone.encoder=resnet18']
    tool('tools/train.py', ROOT / 'configs' / 'unetplusplus_effb5_trash.py', *arguments)
    (log,) = (tmp_path / 'w').glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert any('decode.loss_focal' in line for line in logged)
    assert list((tmp_path / 'w' / 'val').glob('iter_*.json'))
