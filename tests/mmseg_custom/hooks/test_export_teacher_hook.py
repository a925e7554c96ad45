from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.model import ExponentialMovingAverage
from torch import nn

from mmseg_custom.classes import built_in
from mmseg_custom.hooks import ExportTeacherHook
from mmseg_custom.hooks.export_teacher_hook import export_teacher
from mmseg_custom.utils import UserError

CLASSES = built_in().names


@pytest.fixture
def checkpoint(tmp_path):
    """Write a checkpoint whose teacher has one value everywhere; returns its path."""

    def write(name, value, prefix=''):
        student = nn.BatchNorm1d(3)
        model = nn.Module()
        model.student, model.teacher = student, ExponentialMovingAverage(student)
        nn.init.constant_(model.teacher.module.weight, value)
        state = {prefix + key: tensor for key, tensor in model.state_dict().items()}
        meta = dict(dataset_meta=dict(classes=CLASSES), iter=4)
        torch.save(dict(state_dict=state, meta=meta, optimizer=dict(state={})), tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.fixture
def runner(tmp_path, request):
    logger = SimpleNamespace(info=lambda text: None)
    hub = MessageHub(request.node.name)
    return SimpleNamespace(work_dir=str(tmp_path / 'w'), message_hub=hub, logger=logger)


def exported(runner):
    ExportTeacherHook().after_train(runner)
    return torch.load(f'{runner.work_dir}/teacher.pth', weights_only=True)


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_the_file_is_a_checkpoint_of_the_student_alone(checkpoint, tmp_path, prefix):
    export_teacher(checkpoint('a.pth', 7, prefix), tmp_path / 'out' / 'teacher.pth')
    content = torch.load(tmp_path / 'out' / 'teacher.pth', weights_only=True)
    model = nn.BatchNorm1d(3)
    model.load_state_dict(content['state_dict'], strict=True)
    assert model.weight.tolist() == [7, 7, 7]
    assert content.keys() == {'state_dict', 'meta'}
    assert content['meta'] == dict(dataset_meta=dict(classes=CLASSES))


def test_the_best_is_taken_then_the_last(checkpoint, runner):
    runner.message_hub.update_info('last_ckpt', checkpoint('iter_4.pth', 4))
    assert exported(runner)['state_dict']['weight'].tolist() == [4, 4, 4]
    runner.message_hub.update_info('best_ckpt', checkpoint('best_mIoU_iter_2.pth', 2))
    assert exported(runner)['state_dict']['weight'].tolist() == [2, 2, 2]
    runner.message_hub.update_info('best_ckpt', 'moved/best_mIoU_iter_2.pth')
    assert exported(runner)['state_dict']['weight'].tolist() == [4, 4, 4]


def test_a_checkpoint_without_teacher_is_refused(random_checkpoint, tmp_path):
    with pytest.raises(UserError, match=r'iter_1\.pth: has no teacher'):
        export_teacher(random_checkpoint, tmp_path / 'teacher.pth')
    assert not list(tmp_path.iterdir())
