import importlib.metadata
import importlib.util
import json
import sys

import pytest
from conftest import ROOT, tool


@pytest.fixture(scope='module')
def doctor():
    spec = importlib.util.spec_from_file_location('doctor', ROOT / 'tools' / 'doctor.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a package with the given code before the installed one of that name."""

    def write(name: str, code: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / '__init__.py').write_text(code)
        monkeypatch.setenv('PYTHONPATH', str(tmp_path))

    return write


def by_name(findings):
    return {finding.name: finding for finding in findings}


def facts(*gpus, built_for='13.0'):
    return dict(built_for=built_for, nccl='2.30.7', gpus=list(gpus))


def test_a_sound_installation_passes_and_tells_versions():
    import mmseg
    import torch

    said = tool('tools/doctor.py').stdout
    for line in (
        f'ok   torch                   {torch.__version__.split("+")[0]}',
        f'ok   import torch            {torch.__version__} in ',
        f'ok   import mmseg            {mmseg.__version__} in ',
    ):
        assert line in said
    assert 'none of the configs here needs them' in said or 'compiled\n' in said
    assert said.endswith('all is well\n')


def test_a_broken_installation_is_told_in_json(package):
    package('torch', 'raise ImportError("libcudnn.so.9: cannot open shared object file")\n')
    package('torchvision', 'raise RuntimeError("operator torchvision::nms does not exist")\n')
    done = tool('tools/doctor.py', '--json', code=1)
    findings = {entry['name']: entry for entry in json.loads(done.stdout)}
    broken = findings['import torchvision']
    assert broken['status'] == findings['import torch']['status'] == 'FAIL'
    assert broken['found'] == 'RuntimeError: operator torchvision::nms does not exist'
    assert 'torch and torchvision do not belong together' in broken['mend']
    assert 'CUDA libraries' in findings['import torch']['mend']
    assert findings['import cv2']['status'] == 'ok'
    assert findings['PYTHONPATH']['status'] == 'note'
    assert not {'GPU', 'mmcv ops'} & set(findings)
    assert 'Traceback' not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ('present', 'status', 'uninstall'),
    [
        (('mmcv-full', 'onedl-mmcv'), 'FAIL', 'uninstall -y onedl-mmcv mmcv-full'),
        (('mmcv', 'mmcv-lite'), 'FAIL', 'uninstall -y mmcv mmcv-lite'),
        (('mmengine', 'onedl-mmengine'), 'FAIL', 'uninstall -y onedl-mmengine mmengine'),
        (
            ('opencv-python', 'opencv-contrib-python-headless'),
            'note',
            'uninstall -y opencv-python opencv-contrib-python-headless',
        ),
    ],
)
def test_packages_that_overwrite_each_other(doctor, present, status, uninstall):
    clash = by_name(doctor.rivals(dict.fromkeys(present, '2.0')))['clash']
    assert clash.status == status
    assert uninstall in clash.mend


def test_packages_of_the_1x_time(doctor):
    findings = by_name(doctor.rivals({'mmcv-full': '1.7.2', 'mmsegmentation': '0.30.0'}))
    assert findings['mmcv-full'].status == findings['mmsegmentation'].status == 'FAIL'
    assert '1.x name of what is mmcv now' in findings['mmcv-full'].found
    assert list(doctor.rivals({'onedl-mmcv': '2.3.6', 'opencv-python': '5.0'})) == []


def test_missing_and_old_packages(doctor):
    installed = doctor.installed_versions()
    del installed['pycocotools']
    installed['torch'] = '1.13.1'
    findings = by_name(doctor.requirements(installed))
    assert findings['torch'].status == findings['pycocotools'].status == 'FAIL'
    assert findings['torch'].found == '1.13.1, wanted >=2.4'
    assert 'missing' in findings['pycocotools'].found
    assert findings['numpy'].status == 'ok'


def test_a_missing_extra_is_a_note(doctor):
    installed = doctor.installed_versions()
    installed.pop('onnx', None)
    extra = by_name(doctor.requirements(installed))['extra export']
    assert extra.status == 'note'
    assert 'onnx' in extra.found
    assert '-e ".[export]"' in extra.mend


def test_any_opencv_will_do(doctor):
    installed = doctor.installed_versions()
    installed['opencv-python-headless'] = installed.pop('opencv-python')
    assert by_name(doctor.requirements(installed))['opencv-python'].status == 'ok'


def test_a_requirement_of_another_platform_is_not_missed(doctor):
    text = 'regex; sys_platform == "none"'
    assert doctor.misfit(text, 'regex', '', {}) == ''
    assert doctor.misfit('regex', 'regex', '', {}) == 'missing, wanted any version'


def test_without_packaging_the_presence_is_looked_at(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, 'packaging.requirements', None)
    assert doctor.misfit('torch>=2.4', 'torch', '', {'torch': '1.13.1'}) == ''
    assert doctor.misfit('torch>=2.4', 'torch', '', {}) == 'missing'


def test_not_installed_reads_setup_cfg(doctor, monkeypatch):
    _, texts = doctor.wanted()

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, 'requires', absent)
    is_installed, of_file = doctor.wanted()
    assert not is_installed
    assert sorted(of_file) == sorted(texts)
    findings = by_name(doctor.requirements(doctor.installed_versions()))
    assert findings['trash-seg'].status == 'FAIL'
    assert findings['torch'].status == 'ok'


def test_other_versions_than_tested_are_a_note(doctor):
    installed = doctor.installed_versions() | {'numpy': '1.26.0', 'torch': '2.14.1+cpu'}
    (finding,) = doctor.pins(installed)
    assert finding.status == 'note'
    assert 'numpy 1.26.0' in finding.found
    assert 'torch ' not in finding.found


def test_no_constraints_no_line(doctor, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, 'ROOT', tmp_path)
    assert list(doctor.pins({'numpy': '1.26.0'})) == []


@pytest.mark.parametrize(
    ('said', 'words'),
    [
        ('RuntimeError: operator torchvision::nms does not exist', 'torch torchvision'),
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('ImportError: libcudnn.so.9: cannot open shared object file', 'CUDA libraries'),
        ('ImportError: /x/mmcv/_ext.so: undefined symbol: _ZN3c10', "mmcv's ops"),
        ('ImportError: /x/torchvision/_C.so: undefined symbol: _ZN3c10', 'another torch'),
        ('AssertionError: MMCV==1.7 is used but incompatible', 'uninstall -y mmcv mmcv-full'),
        ('ValueError: numpy.dtype size changed', 'NumPy'),
        ("ModuleNotFoundError: No module named 'mmseg'", 'pip install -c constraints.txt -e .'),
        ('OSError: never seen before', '--no-deps --no-cache-dir onedl-mmcv'),
    ],
)
def test_known_faults_have_their_own_mend(doctor, said, words):
    assert words in doctor.mend_of(said, 'onedl-mmcv')


@pytest.mark.parametrize(
    ('code', 'said'),
    [
        ('import os; os.abort()', 'died of SIGABRT'),
        ('raise ImportError("first line\\nsecond line")', 'ImportError: first line'),
        ('import sys; sys.exit(3)', 'ended with code 3'),
        (
            'import sys; print("AttributeError: _ARRAY_API not found", file=sys.stderr)',
            '_ARRAY_API',
        ),
    ],
)
def test_every_way_to_fail_is_a_finding(doctor, code, said):
    ran = doctor.run_python(code)
    assert not ran.works
    assert said in ran.said


def test_a_hanging_import_ends(doctor, monkeypatch):
    monkeypatch.setattr(doctor, 'TIMEOUT', 0.5)
    ran = doctor.run_python('import time; time.sleep(60)')
    assert not ran.works
    assert 'not done after' in ran.said


def test_a_folder_left_by_an_uninstall_is_no_package(doctor, monkeypatch, tmp_path):
    (tmp_path / 'leftover').mkdir()
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    ran = doctor.run_python(doctor.PROBE.format('leftover'))
    assert not ran.works
    assert 'only a folder without __init__.py' in ran.said


GPU = dict(name='H100', gib=79, bf16=True, fault='')
NO_KERNEL = 'CUDA error: no kernel image is available for execution on the device'


@pytest.mark.parametrize(
    ('seen', 'driver', 'visible', 'status', 'words'),
    [
        (facts(GPU), 'GPU 0: H100', None, 'ok', 'H100 (79 GiB), bf16, CUDA 13.0, NCCL 2.30.7'),
        (facts(GPU | dict(fault=NO_KERNEL)), 'GPU 0: H100', None, 'FAIL', 'no kernel image'),
        (facts(), 'GPU 0: H100', None, 'FAIL', 'update the NVIDIA driver'),
        (facts(built_for=None), 'GPU 0: H100', None, 'FAIL', 'built for CPUs only'),
        (facts(), 'GPU 0: H100', '', 'note', 'unset CUDA_VISIBLE_DEVICES'),
        (facts(), "couldn't communicate with the driver", None, 'note', "couldn't communicate"),
        (facts(), '', None, 'note', 'everything works, training is slow'),
    ],
)
def test_gpus(doctor, seen, driver, visible, status, words):
    finding = doctor.gpu(seen, driver, visible)
    assert finding.status == status
    assert words in f'{finding.found} {finding.mend}'


def test_ops_that_do_not_load_are_not_taken_for_absent(doctor):
    fault = 'ImportError: /x/mmcv/_ext.so: undefined symbol: _ZN3c10'
    broken, sound = doctor.Ran(False, fault, fault), doctor.Ran(True, json.dumps(facts()))
    ran = {'facts': sound, 'torch': sound, 'mmcv': sound, 'mmcv.ops': broken}
    ops = by_name(doctor.accelerator(ran, {}))['mmcv ops']
    assert ops.status == 'FAIL'
    assert 'another torch' in ops.mend
    fault = "ModuleNotFoundError: No module named 'mmcv._ext'"
    ran['mmcv.ops'] = doctor.Ran(False, fault, fault)
    ops = by_name(doctor.accelerator(ran, {'onedl-mmcv': '2.3.7'}))['mmcv ops']
    assert ops.status == 'ok'
    assert 'onedl-mmcv==2.3.7' in ops.mend
