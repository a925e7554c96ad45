import importlib.metadata
import importlib.util
import json
import sys

import pytest
from conftest import ROOT, call_tool, tool


@pytest.fixture(scope='module')
def doctor():
    spec = importlib.util.spec_from_file_location('doctor', ROOT / 'tools' / 'doctor.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_name(findings):
    return {finding.name: finding for finding in findings}


def test_it_is_short():
    assert len((ROOT / 'tools' / 'doctor.py').read_text().splitlines()) < 200


@pytest.mark.slow
def test_this_installation_works(capsys):
    import mmseg
    import torch

    said = call_tool(capsys, 'tools/doctor.py').out
    assert 'FAIL' not in said
    for name, module in (('torch', torch), ('mmseg', mmseg)):
        line = next(line for line in said.splitlines() if f'import {name} ' in line)
        assert line.startswith('ok ') and module.__version__ in line
    assert 'everything works' in said.splitlines()[-1]


@pytest.mark.slow
def test_a_broken_installation_is_reported_as_json(tmp_path, monkeypatch):
    for name, error in (('torch', 'libcudnn.so.9: cannot'), ('torchvision', 'torchvision::nms')):
        (tmp_path / name).mkdir()
        (tmp_path / name / '__init__.py').write_text(f'raise ImportError("{error}")\n')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    done = tool('tools/doctor.py', '--json', code=1)
    found = {entry['name']: entry for entry in json.loads(done.stdout)}
    assert found['import torch']['status'] == found['import torchvision']['status'] == 'FAIL'
    assert 'CUDA libraries' in found['import torch']['fix']
    assert 'do not fit together' in found['import torchvision']['fix']
    assert found['import cv2']['status'] == 'ok'


def test_our_own_installation_is_no_clash(doctor):
    assert not {'opencv-python', 'opencv-python-headless'} & {
        finding.name
        for finding in doctor.packages(doctor.installed_versions())
        if finding.status == 'FAIL'
    }


@pytest.mark.parametrize('other', ['mmcv', 'mmcv-full', 'mmengine', 'mmsegmentation'])
def test_packages_that_overwrite_ours(doctor, other):
    finding = by_name(doctor.packages(doctor.installed_versions() | {other: '2.0'}))[other]
    assert finding.status == 'FAIL'
    assert f'uninstall -y {other} onedl-' in finding.fix


def test_missing_and_old_packages_and_extras(doctor):
    installed = doctor.installed_versions() | {'torch': '1.13.1'}
    del installed['pycocotools']
    installed.pop('onnx', None)
    found = by_name(doctor.packages(installed))
    assert found['torch'].status == found['pycocotools'].status == 'FAIL'
    assert found['torch'].found.startswith('1.13.1, wanted >=2.4')
    assert found['numpy'].status == 'ok'
    assert found['extra export'].status == 'note'
    assert 'onnx' in found['extra export'].found
    assert '-e ".[export]"' in found['extra export'].fix


def test_not_installed(doctor, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, 'requires', absent)
    (finding,) = doctor.packages({})
    assert finding.status == 'FAIL' and 'not installed' in finding.found


@pytest.mark.parametrize(
    ('text', 'version', 'wrong'),
    [
        ('regex; sys_platform == "none"', None, ''),
        ('regex', None, 'missing, wanted any version'),
        ('torch>=2.4', '2.14.0+cpu', ''),
        ('torch>=2.4', '1.13.1', '1.13.1, wanted >=2.4'),
    ],
)
def test_requirements(doctor, text, version, wrong):
    said = doctor.misfit(text, version, '')
    assert said.startswith(wrong) and bool(said) == bool(wrong)


def test_without_packaging_only_the_presence_is_checked(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, 'packaging.requirements', None)
    assert doctor.misfit('torch>=2.4', '1.13.1', '') == ''
    assert doctor.misfit('torch>=2.4', None, '') == 'missing'


@pytest.mark.parametrize(
    ('said', 'words'),
    [
        ('RuntimeError: operator torchvision::nms does not exist', 'torch torchvision'),
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('ImportError: libcudnn.so.9: cannot open shared object file', 'CUDA libraries'),
        ('ImportError: /x/mmcv/_ext.so: undefined symbol: _ZN3c10', "mmcv's ops"),
        ('ImportError: /x/torchvision/_C.so: undefined symbol: _ZN3c10', 'another torch'),
        ('ValueError: numpy.dtype size changed', 'NumPy'),
        ("ModuleNotFoundError: No module named 'mmseg'", 'pip install -c constraints.txt -e .'),
    ],
)
def test_known_faults_have_their_own_fix(doctor, said, words):
    assert words in doctor.fix_of(said)


@pytest.mark.parametrize(
    ('code', 'said'),
    [
        ('import os; os.abort()', 'died of SIGABRT'),
        ('raise ImportError("first line\\nsecond line")', 'ImportError: first line'),
        ('import sys; sys.exit(3)', 'ended with code 3'),
    ],
)
def test_every_way_to_fail_is_a_finding(doctor, code, said):
    ran = doctor.run_python(code)
    assert not ran.works
    assert said in ran.said


def test_a_hanging_import_ends(doctor, monkeypatch):
    monkeypatch.setattr(doctor, 'TIMEOUT', 0.5)
    assert 'not done after' in doctor.run_python('import time; time.sleep(60)').said


@pytest.mark.parametrize(
    ('gpus', 'built_for', 'has_driver', 'hidden', 'status', 'words'),
    [
        (['H100'], '13.0', True, False, 'ok', 'H100, CUDA 13.0'),
        ([], '13.0', True, False, 'FAIL', 'update the NVIDIA driver'),
        ([], '13.0', True, True, 'note', 'none'),
        ([], None, True, False, 'FAIL', 'built for CPUs only'),
        ([], None, False, False, 'note', 'training is slow'),
    ],
)
def test_gpus(doctor, monkeypatch, gpus, built_for, has_driver, hidden, status, words):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if hidden:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    ran = doctor.Ran(True, json.dumps(dict(built_for=built_for, gpus=gpus)))
    finding = doctor.gpu(ran, has_driver)
    assert finding.status == status
    assert words in f'{finding.found} {finding.fix}'


def test_a_gpu_that_torch_cannot_compute_on(doctor):
    finding = doctor.gpu(doctor.Ran(False, 'CUDA error: no kernel image is available'), True)
    assert finding.status == 'FAIL' and 'no kernel image' in finding.found
