import importlib.util
import json

import pytest
from conftest import ROOT, tool


@pytest.fixture(scope='module')
def doctor():
    spec = importlib.util.spec_from_file_location('doctor', ROOT / 'tools' / 'doctor.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_name(findings):
    return {finding.name: finding for finding in findings}


def test_a_sound_installation_passes_and_tells_versions():
    import mmseg
    import torch

    said = tool('tools/doctor.py').stdout
    for line in (
        f'ok   torch                   {torch.__version__.split("+")[0]}',
        mmseg.__version__,
    ):
        assert line in said
    assert 'none of the configs here needs them' in said
    assert said.endswith('all is well\n')


def test_a_broken_package_is_found_and_told_in_json(tmp_path):
    (tmp_path / 'torchvision').mkdir()
    fault = 'RuntimeError("operator torchvision::nms does not exist")'
    (tmp_path / 'torchvision' / '__init__.py').write_text(f'raise {fault}\n')
    done = tool('tools/doctor.py', '--json', code=1, env=dict(PYTHONPATH=str(tmp_path)))
    findings = {entry['name']: entry for entry in json.loads(done.stdout)}
    broken = findings['import torchvision']
    assert broken['status'] == 'FAIL'
    assert 'torchvision::nms' in broken['found']
    assert 'torch and torchvision do not belong together' in broken['mend']
    assert 'Traceback' not in done.stderr


def test_packages_that_overwrite_each_other(doctor):
    installed = {'onedl-mmcv': '2.3.6', 'mmcv-full': '1.7.2', 'opencv-python': '5.0'}
    findings = by_name(doctor.rivals(installed))
    assert findings['clash'].status == 'FAIL'
    assert 'uninstall -y onedl-mmcv mmcv-full' in findings['clash'].mend
    assert findings['mmcv-full'].status == 'FAIL'
    assert list(doctor.rivals({'onedl-mmcv': '2.3.6', 'opencv-python': '5.0'})) == []


def test_missing_and_old_packages(doctor):
    installed = doctor.installed_versions()
    del installed['pycocotools']
    installed['torch'] = '1.13.1'
    findings = by_name(doctor.requirements(installed))
    assert findings['torch'].status == findings['pycocotools'].status == 'FAIL'
    assert 'wanted >=2.4' in findings['torch'].found
    assert 'missing' in findings['pycocotools'].found


def test_other_versions_than_tested_are_a_note(doctor):
    installed = doctor.installed_versions() | {'numpy': '1.26.0'}
    (finding,) = doctor.pins(installed)
    assert finding.status == 'note'
    assert 'numpy 1.26.0' in finding.found


@pytest.mark.parametrize(
    ('said', 'words'),
    [
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('AssertionError: MMCV==1.7 is used but incompatible', 'mmcv and mmseg'),
        ('ValueError: numpy.dtype size changed', 'NumPy'),
        ("ModuleNotFoundError: No module named 'mmseg'", 'pip install'),
    ],
)
def test_known_faults_have_their_own_mend(doctor, said, words):
    assert words in doctor.mend_of(said)


def test_a_crash_is_a_finding(doctor):
    works, said = doctor.run_python('import os; os.abort()')
    assert not works
    assert 'died' in said
