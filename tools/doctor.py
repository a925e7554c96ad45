"""Check the installation and print how to fix what is wrong.

Uses the standard library only, since it is wanted where torch or mmseg do not import.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  (the package does not even import there)
    sys.exit(f'FAIL python {sys.version.split()[0]}, wanted 3.10 or later: use python3.11')

import configparser
import importlib.metadata as metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
try:
    from mmseg_custom import cli
except ImportError:  # not installed, which is one of the things to be told
    sys.path.append(str(ROOT))
    from mmseg_custom import cli

    sys.path.pop()

TIMEOUT = 120
INSTALL = 'python -m pip install -c constraints.txt -e .'
AGAIN = 'python -m pip install --force-reinstall -c constraints.txt'
# Without the cache, since pip keeps wheels that it built against another torch.
ALONE = f'{AGAIN} --no-deps --no-cache-dir'
# Import name and distribution.
MODULES = {
    'torch': 'torch',
    'torchvision': 'torchvision',
    'cv2': 'opencv-python',
    'pycocotools.mask': 'pycocotools',
    'mmengine': 'onedl-mmengine',
    'mmcv': 'onedl-mmcv',
    'mmseg': 'onedl-mmsegmentation',
    'mmseg_custom': 'trash-seg',
}
# Distributions that bring the same import name: the one installed last wins, file by file.
OPENCV = [f'opencv-{kind}python{end}' for kind in ('', 'contrib-') for end in ('', '-headless')]
RIVALS = (
    ['onedl-mmcv', 'mmcv', 'mmcv-full', 'mmcv-lite'],
    ['onedl-mmengine', 'mmengine', 'mmengine-lite'],
    ['onedl-mmsegmentation', 'mmsegmentation'],
    OPENCV,
)
OUTDATED = {
    'mmcv-full': 'is the 1.x name of what is mmcv now; the configs here need 2.x registries',
    'mmsegmentation': 'is older than 1.4 of onedl-mmsegmentation, which the configs here need',
}
# What is verified of onedl-mmcv 2.3.6: its setup.py compiles the ops when it can import torch
# (hence no build isolation), the CUDA ones when torch sees a GPU or FORCE_CUDA=1. It asks for
# C++17, which torch 2.14's headers refuse; with C++20 the CPU sources pass the compiler (linking
# and the CUDA ones were not tried). pip would take a wheel without ops from its cache.
OPS_INSTALL = (
    'only for those: python -m pip install "setuptools>=80" wheel packaging ninja && '
    'python -m pip download --no-deps --no-cache-dir --no-binary onedl-mmcv onedl-mmcv=={0} && '
    'tar xf onedl_mmcv-{0}.tar.gz && sed -i s/c++17/c++20/ onedl_mmcv-{0}/setup.py && '
    'python -m pip install --no-build-isolation --no-deps --no-cache-dir --force-reinstall '
    './onedl_mmcv-{0} (over 10 minutes, untried with CUDA; FORCE_CUDA=1 if no GPU is seen)'
)
OPS_ABSENT = (
    'not compiled: none of the configs here needs them (DCN, MultiScaleDeformableAttention, '
    'PSAHead, CCHead, CARAFE and point sampling do)'
)
OTHER_NUMPY = f'a package was built for another NumPy: {AGAIN} numpy opencv-python pycocotools'
OTHER_TORCH = f'{AGAIN} torch torchvision'
ONEDL = f'python -m pip uninstall -y mmcv mmcv-full mmengine mmsegmentation && {INSTALL}'
HEADLESS = (
    'python -m pip uninstall -y opencv-python && python -m pip install opencv-python-headless'
)
# What a failing import says, and what helps; the first that matches counts.
KNOWN_FAULTS = (
    ('torchvision::nms', f'torch and torchvision do not belong together: {OTHER_TORCH}'),
    ('mmcv/_ext', f"mmcv's ops were compiled for another torch; without: {ALONE} onedl-mmcv"),
    ('undefined symbol', f'a compiled package belongs to another torch: {OTHER_TORCH}'),
    ('libcu', f"torch's CUDA libraries are missing or of another version: {OTHER_TORCH}"),
    ('numpy.dtype size changed', OTHER_NUMPY),
    ('_ARRAY_API not found', OTHER_NUMPY),
    ('numpy.core.multiarray failed', OTHER_NUMPY),
    ('libGL.so', f'apt-get install libgl1; or, without windows: {HEADLESS}'),
    ('is used but incompatible', f'releases that do not belong together: {ONEDL}'),
    ('No module named', INSTALL),
)
PROBE = """
import importlib, os
module = importlib.import_module({0!r})
if not getattr(module, '__file__', None):
    raise ImportError({0!r} + ' is only a folder without __init__.py: ' + str(module.__path__))
print(getattr(module, '__version__', ''), 'in', os.path.dirname(module.__file__))
"""
TORCH_FACTS = """
import json, os, torch

def look(i):
    gpu, fault = torch.cuda.get_device_properties(i), ''
    try:
        torch.ones(2, device='cuda:%d' % i).sum().item()
    except RuntimeError as error:
        fault = str(error).splitlines()[0]
    return dict(name=gpu.name, gib=gpu.total_memory >> 30, bf16=gpu.major >= 8, fault=fault)

cuda = torch.cuda.is_available()
nccl = torch.distributed.is_available() and torch.distributed.is_nccl_available()
print(json.dumps(dict(
    torch=torch.__version__ + ' in ' + os.path.dirname(torch.__file__),
    built_for=torch.version.cuda or torch.version.hip,
    gpus=[look(i) for i in range(torch.cuda.device_count())] if cuda else [],
    nccl='.'.join(map(str, torch.cuda.nccl.version())) if nccl else 'none',
)))
"""


@dataclass
class Finding:
    """One line of the report; ``status`` is ok, note or FAIL."""

    status: str
    name: str
    found: str
    mend: str = ''


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(description=__doc__.splitlines()[0], example='python tools/doctor.py')
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    return parser


def machine() -> Iterator[Finding]:
    """Look at Python and at the machine."""
    yield Finding('ok', 'python', f'{platform.python_version()} on {platform.platform()}')
    free = shutil.disk_usage('.').free / 2**30
    found = f'{os.cpu_count()} CPUs, {free:.0f} GiB free here'
    if 'SC_PHYS_PAGES' in getattr(os, 'sysconf_names', ()):  # not on Windows
        memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        found += f', {memory / 2**30:.1f} GiB memory'
    mend = '' if free > 5 else 'checkpoints fill disks: free some space, or use --work-dir'
    yield Finding('note' if mend else 'ok', 'machine', found, mend)
    if os.environ.get('PYTHONPATH'):
        found = f'{os.environ["PYTHONPATH"]}: goes before the installed packages'
        yield Finding('note', 'PYTHONPATH', found, 'unset PYTHONPATH')


def canonical(name: str) -> str:
    """Return a distribution's name in the form that names are compared in."""
    return re.sub(r'[-_.]+', '-', name).lower()


def installed_versions() -> dict[str, str]:
    """Return the installed distributions and their versions."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata['Name']
        if name and distribution.version:
            # Python imports what comes first on its path, so that a second one is not seen.
            found.setdefault(canonical(name), distribution.version)
    return found


def wanted() -> tuple[bool, list[str]]:
    """Return whether the project is installed, and its requirements (else from setup.cfg)."""
    try:
        return True, metadata.requires('trash-seg') or []
    except metadata.PackageNotFoundError:
        pass
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg', encoding='utf-8')
    texts = setup.get('options', 'install_requires', fallback='').split('\n')
    if setup.has_section('options.extras_require'):
        for extra, names in setup['options.extras_require'].items():
            texts += [f'{text}; extra == "{extra}"' for text in names.split('\n') if text]
    return False, [text for text in texts if text]


def misfit(text: str, name: str, extra: str, installed: dict[str, str]) -> str:
    """Return what is wrong with a requirement; '' when it is met or is for another platform."""
    version = installed.get(name)
    if name in OPENCV:
        version = next((installed[rival] for rival in OPENCV if rival in installed), None)
    try:
        from packaging.requirements import Requirement
    except ImportError:  # then at least the presence is looked at
        return '' if version else 'missing'
    requirement = Requirement(text)
    if requirement.marker and not requirement.marker.evaluate({'extra': extra}):
        return ''
    if version and requirement.specifier.contains(version, prereleases=True):
        return ''
    return f'{version or "missing"}, wanted {requirement.specifier or "any version"}'


def requirements(installed: dict[str, str]) -> Iterator[Finding]:
    """Compare what the project asks for with what is installed."""
    is_installed, texts = wanted()
    if not is_installed:
        yield Finding('FAIL', 'trash-seg', 'not installed', INSTALL)
    missing_of_extra: dict[str, list[str]] = {}
    for text in texts:
        name = canonical(re.match(r'[\w.-]+', text)[0])
        extra = re.search(r'extra == [\'"]([\w-]+)', text)
        wrong = misfit(text, name, extra[1] if extra else '', installed)
        if extra and wrong:
            missing_of_extra.setdefault(extra[1], []).append(name)
        elif wrong:
            yield Finding('FAIL', name, wrong, INSTALL)
        elif not extra:
            yield Finding('ok', name, installed.get(name, 'there under another name'))
    for extra, names in missing_of_extra.items():
        mend = f'if wanted: python -m pip install -c constraints.txt -e ".[{extra}]"'
        yield Finding('note', f'extra {extra}', f'missing: {", ".join(names)}', mend)


def rivals(installed: dict[str, str]) -> Iterator[Finding]:
    """Find distributions that overwrite each other, and those of the 1.x time."""
    for group in RIVALS:
        present = [name for name in group if name in installed]
        if len(present) > 1:
            # OpenCV's variants overwrite each other too, but mostly get away with it. Uninstalling
            # one takes files of the other along, hence all have to go.
            status = 'note' if group is OPENCV else 'FAIL'
            mend = f'python -m pip uninstall -y {" ".join(present)} && {INSTALL}'
            yield Finding(status, 'clash', f'{" and ".join(present)} bring the same files', mend)
    for name, why in OUTDATED.items():
        if name in installed:
            mend = f'python -m pip uninstall -y {name} && {INSTALL}'
            yield Finding('FAIL', name, f'{installed[name]} {why}', mend)


def pins(installed: dict[str, str]) -> Iterator[Finding]:
    """Compare with the versions that the tests run with."""
    path = ROOT / 'constraints.txt'
    if not path.is_file():
        return
    pinned = re.findall(r'^([\w.-]+)==([^\s;#]+)', path.read_text(encoding='utf-8'), re.MULTILINE)
    other = [
        f'{name} {installed[canonical(name)]} (tested: {version})'
        for name, version in pinned
        if installed.get(canonical(name), version).split('+')[0] != version
    ]
    if other:
        yield Finding('note', 'constraints.txt', f'others than tested: {", ".join(other)}', INSTALL)
    elif any(canonical(name) in installed for name, _ in pinned):
        found = 'what is installed has the versions that the tests run with'
        yield Finding('ok', 'constraints.txt', found)


@dataclass
class Ran:
    """What a process said: the last line of its output, or the first of its error."""

    works: bool
    said: str
    stderr: str = ''


def run_python(code: str) -> Ran:
    """Run code in a process of its own, on the path that the tools have."""
    command = [sys.executable, '-c', code]
    options = dict(capture_output=True, text=True, errors='replace', cwd=ROOT / 'tools')
    try:
        done = subprocess.run(command, timeout=TIMEOUT, **options)
    except subprocess.TimeoutExpired:
        return Ran(False, f'not done after {TIMEOUT} s')
    # torch and cv2 may import all the same, and fail at the first array.
    other_numpy = re.search('.*_ARRAY_API not found.*', done.stderr)
    if done.returncode == 0 and not other_numpy:
        return Ran(True, (done.stdout.strip().splitlines() or [''])[-1].strip(), done.stderr)
    if done.returncode < 0:
        return Ran(False, f'died of {signal.Signals(-done.returncode).name}', done.stderr)
    if other_numpy:
        return Ran(False, other_numpy[0].strip(), done.stderr)
    traceback = done.stderr.rpartition('Traceback (most recent call last):')[2].splitlines()
    said = [line for line in traceback if line and not line[0].isspace()]
    return Ran(False, said[0] if said else f'ended with code {done.returncode}', done.stderr)


def probes() -> dict[str, Ran]:
    """Import everything for real, two at a time, the slow ones first."""
    codes = {name: PROBE.format(name) for name in reversed(MODULES)}
    codes |= {'torch': TORCH_FACTS, 'mmcv.ops': 'import mmcv.ops'}
    with ThreadPoolExecutor(2) as pool:
        ran = dict(zip(codes, pool.map(run_python, codes.values()), strict=True))
    # Importing torch takes seconds: alone it is done only to tell a bad torch from a bad GPU.
    facts = ran['facts'] = ran['torch']
    imported = Ran(True, json.loads(facts.said)['torch']) if facts.works else None
    ran['torch'] = imported or run_python(PROBE.format('torch'))
    return ran


def imports(ran: dict[str, Ran]) -> Iterator[Finding]:
    """Tell what does not import."""
    for name, distribution in MODULES.items():
        if ran[name].works:
            yield Finding('ok', f'import {name}', ran[name].said)
        else:
            mend = mend_of(f'{ran[name].said}\n{ran[name].stderr}', distribution)
            yield Finding('FAIL', f'import {name}', ran[name].said, mend)


def mend_of(said: str, distribution: str) -> str:
    """Return what helps against the error message of an import."""
    again = INSTALL if distribution == 'trash-seg' else f'{ALONE} {distribution}'
    return next((mend for words, mend in KNOWN_FAULTS if words in said), again)


def driver_says() -> str:
    """Return nvidia-smi's list of GPUs or its complaint; '' where there is none."""
    if not shutil.which('nvidia-smi'):
        return ''
    try:
        done = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout + done.stderr).strip() or 'nothing'


def gpu(facts: dict, driver: str, visible: str | None) -> Finding:
    """Judge what torch sees of the GPUs.

    Args:
        facts: What ``TORCH_FACTS`` printed.
        driver: See :func:`driver_says`.
        visible: ``CUDA_VISIBLE_DEVICES``.
    """
    gpus, built_for = facts['gpus'], facts['built_for']
    fault = next((gpu['fault'] for gpu in gpus if gpu['fault']), '')
    if fault:
        mend = 'take a torch that is built for this GPU: https://pytorch.org/get-started/locally'
        return Finding('FAIL', 'GPU', f'{gpus[0]["name"]}: {fault}', mend)
    if gpus:
        names = ', '.join(f'{gpu["name"]} ({gpu["gib"]} GiB)' for gpu in gpus)
        bf16 = 'bf16' if all(gpu['bf16'] for gpu in gpus) else 'no bf16'
        return Finding('ok', 'GPU', f'{names}, {bf16}, CUDA {built_for}, NCCL {facts["nccl"]}')
    if 'GPU 0' in driver and visible is not None:
        found = f'hidden by CUDA_VISIBLE_DEVICES={visible!r}'
        return Finding('note', 'GPU', found, 'unset CUDA_VISIBLE_DEVICES')
    if 'GPU 0' in driver and not built_for:
        mend = f'{OTHER_TORCH} (from PyPI, not from an index of CPU builds)'
        return Finding('FAIL', 'GPU', 'there, but this torch is built for CPUs only', mend)
    if 'GPU 0' in driver:
        mend = f'update the NVIDIA driver to one for CUDA {built_for}, or take an older torch'
        found = f'there, but torch for CUDA {built_for} cannot use it: the driver is too old'
        return Finding('FAIL', 'GPU', found, mend)
    found = f'none{f" (nvidia-smi: {driver.splitlines()[0]})" if driver else ""}, CPU only'
    mend = 'everything works, training is slow; configs/upernet_swin_toy.py is made for it'
    return Finding('note', 'GPU', found, mend)


def accelerator(ran: dict[str, Ran], installed: dict[str, str]) -> Iterator[Finding]:
    """Tell about GPUs and compiled ops, as far as torch and mmcv import."""
    if ran['facts'].works:
        facts = json.loads(ran['facts'].said)
        yield gpu(facts, driver_says(), os.environ.get('CUDA_VISIBLE_DEVICES'))
    elif ran['torch'].works:
        yield Finding('FAIL', 'GPU', ran['facts'].said, mend_of(ran['facts'].stderr, 'torch'))
    ops = ran['mmcv.ops']
    if ops.works:
        yield Finding('ok', 'mmcv ops', 'compiled')
    elif "No module named 'mmcv._ext'" in ops.stderr:
        mend = OPS_INSTALL.format(installed.get('onedl-mmcv', '2.3.6'))
        yield Finding('ok', 'mmcv ops', OPS_ABSENT, mend)
    elif ran['torch'].works and ran['mmcv'].works:  # else the fault is told already
        yield Finding('FAIL', 'mmcv ops', ops.said, mend_of(ops.stderr, 'onedl-mmcv'))


def data() -> Iterator[Finding]:
    """Look for the data where the configs expect it."""
    contest = "put the recycle-trash contest's files (Upstage, CC BY 4.0) there, or use --data-root"
    toy = 'python data_prep/make_toy_trash.py'
    for folder, mend in (('data/recycle_trash', contest), ('data/toy_trash', toy)):
        there = (ROOT / folder / 'train.json').is_file()
        found = 'there' if there else 'no train.json'
        yield Finding('ok' if there else 'note', folder, found, '' if there else mend)


def examine() -> Iterator[Finding]:
    """Run all checks."""
    installed = installed_versions()
    yield from machine()
    yield from requirements(installed)
    yield from rivals(installed)
    yield from pins(installed)
    ran = probes()
    yield from imports(ran)
    yield from accelerator(ran, installed)
    yield from data()


def run(args) -> int:
    """Print the findings; 1 when something is broken."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not args.json:
            print(f'{finding.status:5}{finding.name:<23} {finding.found}', flush=True)
            if finding.mend:
                print(f'{"":5}mend: {finding.mend}')
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    broken = sum(finding.status == 'FAIL' for finding in findings)
    if not args.json:
        print(f'{broken} to mend: see FAIL above' if broken else 'all is well')
    return 1 if broken else 0


if __name__ == '__main__':
    cli.main(build_parser, run)
