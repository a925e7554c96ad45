"""Look at the installation: versions, what is missing or does not fit together, and the mend.

Uses the standard library only, since it is wanted where torch or mmseg do not import.
"""

import importlib.metadata as metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import trash_cli

ROOT = Path(__file__).resolve().parents[1]
INSTALL = 'python -m pip install -c constraints.txt -e .'
MODULES = (
    'torch',
    'torchvision',
    'cv2',
    'pycocotools.mask',
    'mmengine',
    'mmcv',
    'mmseg',
    'mmseg_custom',
)
# Distributions that bring the same import name: the one installed last wins, file by file.
RIVALS = (
    ('onedl-mmcv', 'mmcv', 'mmcv-full', 'mmcv-lite'),
    ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    ('onedl-mmsegmentation', 'mmsegmentation'),
    ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python'),
)
# What a failing import says, and what helps.
KNOWN_FAULTS = (
    ('torchvision::nms', f'torch and torchvision do not belong together: {INSTALL}'),
    ('undefined symbol', f'a compiled package belongs to another torch: {INSTALL}'),
    ('numpy.dtype size changed', f'a compiled package belongs to another NumPy: {INSTALL}'),
    ('_ARRAY_API not found', f'a compiled package belongs to another NumPy: {INSTALL}'),
    ('libGL.so', 'apt-get install libgl1, or: python -m pip install opencv-python-headless'),
    ('is used but incompatible', f'mmcv and mmseg do not belong together: {INSTALL}'),
    ('No module named', INSTALL),
)
OPS_ABSENT = (
    'not compiled, and none of the configs here needs them. Models with DCN, '
    'MultiScaleDeformableAttention, CARAFE, PSAMask or PointRend do: with torch installed, '
    'python -m pip install --no-build-isolation --no-deps --force-reinstall '
    '--no-binary onedl-mmcv onedl-mmcv (over 10 minutes; FORCE_CUDA=1 where no GPU is visible)'
)
TORCH_FACTS = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps(dict(
    built_for=torch.version.cuda, cuda=cuda,
    gpus=[torch.cuda.get_device_properties(i).name for i in range(torch.cuda.device_count())]
    if cuda else [],
    nccl=torch.distributed.is_available() and torch.distributed.is_nccl_available(),
)))
"""


@dataclass
class Finding:
    """One line of the report; ``status`` is ok, note or FAIL."""

    status: str
    name: str
    found: str
    mend: str = ''


def build_parser() -> trash_cli.Parser:
    """Describe the command line."""
    parser = trash_cli.Parser(description=__doc__.splitlines()[0], example='python tools/doctor.py')
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    return parser


def machine() -> Iterator[Finding]:
    """Look at Python and at the machine."""
    version = platform.python_version()
    fits = sys.version_info >= (3, 10)
    mend = '' if fits else 'make the environment with Python 3.11'
    yield Finding('ok' if fits else 'FAIL', 'python', f'{version} on {platform.platform()}', mend)
    free = shutil.disk_usage('.').free / 2**30
    enough = free > 5
    found = f'{os.cpu_count()} CPUs, {free:.0f} GiB free here'
    mend = '' if enough else 'checkpoints fill disks: free some space, or use --work-dir'
    yield Finding('ok' if enough else 'note', 'machine', found, mend)


def canonical(name: str) -> str:
    """Return a distribution's name in the form that names are compared in."""
    return re.sub(r'[-_.]+', '-', name).lower()


def installed_versions() -> dict[str, str]:
    """Return the installed distributions and their versions."""
    return {
        canonical(d.metadata['Name']): d.version
        for d in metadata.distributions()
        if d.metadata['Name']
    }


def requirements(installed: dict[str, str]) -> Iterator[Finding]:
    """Compare what the project asks for with what is installed."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Finding('FAIL', 'packaging', 'missing', INSTALL)
        return
    try:
        texts = metadata.requires('trash-seg') or []
    except metadata.PackageNotFoundError:
        yield Finding('FAIL', 'trash-seg', 'not installed', INSTALL)
        return
    missing_of_extra: dict[str, list[str]] = {}
    for requirement in map(Requirement, texts):
        version = installed.get(canonical(requirement.name))
        fits = version and requirement.specifier.contains(version, prereleases=True)
        extra = re.search(r'extra == [\'"](\w+)[\'"]', str(requirement.marker or ''))
        if extra:
            if not fits:
                missing_of_extra.setdefault(extra[1], []).append(requirement.name)
        elif fits:
            yield Finding('ok', requirement.name, version)
        else:
            found = f'{version or "missing"}, wanted {requirement.specifier or "any version"}'
            yield Finding('FAIL', requirement.name, found, INSTALL)
    for extra, names in missing_of_extra.items():
        mend = f'if wanted: python -m pip install -c constraints.txt -e ".[{extra}]"'
        yield Finding('note', f'extra {extra}', f'missing: {", ".join(names)}', mend)


def rivals(installed: dict[str, str]) -> Iterator[Finding]:
    """Find distributions that overwrite each other, and those of the 1.x time."""
    for group in RIVALS:
        present = [name for name in group if name in installed]
        if len(present) > 1:
            # OpenCV's variants overwrite each other too, but mostly get away with it.
            status = 'note' if 'opencv-python' in group else 'FAIL'
            mend = f'python -m pip uninstall -y {" ".join(present)} && {INSTALL}'
            found = f'{" and ".join(present)} bring the same files'
            yield Finding(status, 'clash', found, mend)
    for name in ('mmcv-full', 'mmcv-lite', 'mmsegmentation'):
        if name in installed:
            found = f'{installed[name]}; the configs here are for the onedl- line'
            mend = f'python -m pip uninstall -y {name} && {INSTALL}'
            yield Finding('FAIL', name, found, mend)


def pins(installed: dict[str, str]) -> Iterator[Finding]:
    """Compare with the versions that the tests run with."""
    path = ROOT / 'constraints.txt'
    if not path.is_file():
        return
    lines = (line.strip() for line in path.read_text().splitlines())
    pinned = dict(line.split('==') for line in lines if '==' in line and line[0] != '#')
    other = [
        f'{name} {installed[canonical(name)]} (tested: {version})'
        for name, version in pinned.items()
        if installed.get(canonical(name), version).split('+')[0] != version
    ]
    if other:
        yield Finding('note', 'constraints.txt', f'others than tested: {", ".join(other)}', INSTALL)
    else:
        yield Finding('ok', 'constraints.txt', 'the versions are those that the tests run with')


def run_python(code: str) -> tuple[bool, str]:
    """Run code in a process of its own; returns success and the last line it said."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True
    )
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    crashed = f'the process died with code {done.returncode}'
    return done.returncode == 0, lines[-1] if lines else ('' if done.returncode == 0 else crashed)


def imports() -> Iterator[Finding]:
    """Import everything for real, two at a time."""
    code = 'import importlib; importlib.import_module({!r})'
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run_python, (code.format(name) for name in MODULES)))
    for name, (works, said) in zip(MODULES, results, strict=True):
        mend = '' if works else mend_of(said)
        found = 'imports' if works else said
        yield Finding('ok' if works else 'FAIL', f'import {name}', found, mend)


def mend_of(said: str) -> str:
    """Return what helps against the error message of an import."""
    return next((mend for words, mend in KNOWN_FAULTS if words in said), INSTALL)


def accelerator() -> Iterator[Finding]:
    """Look for GPUs and for compiled ops."""
    works, said = run_python(TORCH_FACTS)
    if works:
        facts = json.loads(said)
        if facts['cuda']:
            found = f'{len(facts["gpus"])} x {facts["gpus"][0]}, CUDA {facts["built_for"]}'
            yield Finding('ok', 'GPU', f'{found}, NCCL {"yes" if facts["nccl"] else "no"}')
        elif shutil.which('nvidia-smi'):
            mend = 'update the NVIDIA driver, or install a torch built for your CUDA version'
            found = f'nvidia-smi is there, but torch (CUDA {facts["built_for"]}) sees no GPU'
            yield Finding('FAIL', 'GPU', found, mend)
        else:
            mend = 'configs/upernet_swin_toy.py is made for a CPU'
            yield Finding('note', 'GPU', 'none: everything runs, training is slow', mend)
    works, _ = run_python('import mmcv.ops')
    yield Finding('ok', 'mmcv ops', 'compiled' if works else OPS_ABSENT)


def data() -> Iterator[Finding]:
    """Look for the data where the configs expect it."""
    for folder, mend in (
        ('data/recycle_trash', 'put the contest data there, or say where it is with --data-root'),
        ('data/toy_trash', 'python data_prep/make_toy_trash.py'),
    ):
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
    yield from imports()
    yield from accelerator()
    yield from data()


def run(args) -> int:
    """Print the findings; 1 when something is broken."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not args.json:
            print(f'{finding.status:5}{finding.name:24}{finding.found}', flush=True)
            if finding.mend:
                print(f'{"":5}mend: {finding.mend}')
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    broken = sum(finding.status == 'FAIL' for finding in findings)
    if not args.json:
        print(f'{broken} things to mend' if broken else 'all is well')
    return 1 if broken else 0


if __name__ == '__main__':
    trash_cli.main(build_parser, run)
