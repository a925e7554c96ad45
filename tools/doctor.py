"""Check the installation and print how to fix what is wrong.

Imports the standard library only, since it is needed where torch or mmseg do not import.
"""

import importlib.metadata as metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))  # last, for where the package is not installed
from mmseg_custom import cli  # noqa: E402

TIMEOUT = 120
INSTALL = 'python -m pip install -c constraints.txt -e .'
AGAIN = 'python -m pip install --force-reinstall --no-deps --no-cache-dir -c constraints.txt'
MODULES = ('torch', 'torchvision', 'cv2', 'pycocotools.mask', 'mmengine', 'mmcv', 'mmseg')
# Distributions that bring the same files as ours: the one installed last wins.
RIVALS = {
    'onedl-mmcv': ('mmcv', 'mmcv-full', 'mmcv-lite'),
    'onedl-mmengine': ('mmengine', 'mmengine-lite'),
    'onedl-mmsegmentation': ('mmsegmentation',),
}
OTHER_TORCH = f'{AGAIN} torch torchvision'
OPS = 'needed by no config here; docs/model_zoo.md says how to compile them'
# What a failing import says, and what helps; the first that matches counts.
KNOWN_FAULTS = (
    ('torchvision::nms', f'torch and torchvision do not fit together: {OTHER_TORCH}'),
    ('mmcv/_ext', f"mmcv's ops were compiled for another torch; without them: {AGAIN} onedl-mmcv"),
    ('undefined symbol', f'a compiled package was built for another torch: {OTHER_TORCH}'),
    ('libcu', f"torch's CUDA libraries are missing or of another version: {OTHER_TORCH}"),
    ('numpy', f'a package was built for another NumPy: {AGAIN} numpy opencv-python pycocotools'),
    ('libGL.so', 'apt-get install libgl1, or install opencv-python-headless instead'),
    ('No module named', INSTALL),
)
TORCH_FACTS = """
import json, torch
cuda = torch.cuda.is_available()
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []
for i in range(len(names)):
    torch.ones(2, device='cuda:%d' % i).sum().item()
print(json.dumps(dict(built_for=torch.version.cuda or torch.version.hip, gpus=names)))
"""


class Finding(NamedTuple):
    """One line of the report; ``status`` is ok, note or FAIL."""

    status: str
    name: str
    found: str
    fix: str = ''


class Ran(NamedTuple):
    """The last line that a process printed, or the first of its error."""

    works: bool
    said: str


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(description=__doc__.splitlines()[0], example='python tools/doctor.py')
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    return parser


def packages(installed: dict[str, str]) -> Iterator[Finding]:
    """Compare what the project and its extras require with what is installed."""
    try:
        requirements = metadata.requires('trash-seg') or []
    except metadata.PackageNotFoundError:
        yield Finding('FAIL', 'trash-seg', 'not installed', INSTALL)
        return
    missing_of_extra: dict[str, list[str]] = {}
    for text in requirements:
        name = canonical(re.match(r'[\w.-]+', text)[0])
        extra = re.search(r'extra == [\'"]([\w-]+)', text)
        wrong = misfit(text, installed.get(name), extra[1] if extra else '')
        if extra and wrong:
            missing_of_extra.setdefault(extra[1], []).append(name)
        elif not extra:
            yield Finding('FAIL' if wrong else 'ok', name, wrong or installed.get(name, ''), '')
    for extra, names in missing_of_extra.items():
        fix = f'if wanted: python -m pip install -c constraints.txt -e ".[{extra}]"'
        yield Finding('note', f'extra {extra}', f'missing: {", ".join(names)}', fix)
    for ours, others in RIVALS.items():
        for other in installed.keys() & set(others):
            fix = f'python -m pip uninstall -y {other} {ours} && {INSTALL}'
            yield Finding('FAIL', other, f'brings the same files as {ours}', fix)


def canonical(name: str) -> str:
    """Return a distribution's name in the form that names are compared in."""
    return re.sub(r'[-_.]+', '-', name).lower()


def installed_versions() -> dict[str, str]:
    """Return the versions of the installed distributions, the first on the path of each."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        if distribution.metadata['Name']:
            found.setdefault(canonical(distribution.metadata['Name']), distribution.version)
    return found


def misfit(text: str, version: str | None, extra: str) -> str:
    """Return what is wrong with a requirement; '' if it is met or is for another platform."""
    try:
        from packaging.requirements import Requirement
    except ImportError:  # then only the presence can be checked
        return '' if version else 'missing'
    requirement = Requirement(text)
    if requirement.marker and not requirement.marker.evaluate({'extra': extra}):
        return ''
    if version and requirement.specifier.contains(version, prereleases=True):
        return ''
    return f'{version or "missing"}, wanted {requirement.specifier or "any version"}: {INSTALL}'


def run_python(code: str) -> Ran:
    """Run code in a process of its own."""
    options = dict(timeout=TIMEOUT, cwd=ROOT / 'tools', capture_output=True, text=True)
    try:
        done = subprocess.run([sys.executable, '-c', code], **options)
    except subprocess.TimeoutExpired:
        return Ran(False, f'not done after {TIMEOUT} s')
    if done.returncode < 0:
        return Ran(False, f'died of {signal.Signals(-done.returncode).name}')
    if done.returncode:
        lines = done.stderr.rpartition('Traceback (most recent call last):')[2].splitlines()
        said = [line for line in lines if line and not line[0].isspace()]
        return Ran(False, said[0] if said else f'ended with code {done.returncode}')
    return Ran(True, (done.stdout.strip().splitlines() or [''])[-1])


def imports() -> Iterator[Finding]:
    """Import everything for real."""
    for name in MODULES:
        ran = run_python(f'import {name} as m; print(getattr(m, "__version__", ""), m.__file__)')
        fix = '' if ran.works else fix_of(ran.said)
        yield Finding('ok' if ran.works else 'FAIL', f'import {name}', ran.said, fix)
    ops = run_python('import mmcv.ops')
    absent = "No module named 'mmcv._ext'" in ops.said
    fix = '' if ops.works else OPS if absent else fix_of(ops.said)
    found = 'compiled' if ops.works else 'not compiled' if absent else ops.said
    yield Finding('ok' if ops.works or absent else 'FAIL', 'mmcv ops', found, fix)


def fix_of(said: str) -> str:
    """Return what helps against the error message of an import."""
    return next((fix for words, fix in KNOWN_FAULTS if words in said), INSTALL)


def gpu(ran: Ran, has_driver: bool) -> Finding:
    """Judge what torch sees of the GPUs; ``ran`` is the run of ``TORCH_FACTS``."""
    if not ran.works:
        return Finding('FAIL', 'GPU', ran.said, 'install a torch that is built for this GPU')
    facts = json.loads(ran.said)
    if facts['gpus']:
        return Finding('ok', 'GPU', f'{", ".join(facts["gpus"])}, CUDA {facts["built_for"]}')
    if has_driver and os.environ.get('CUDA_VISIBLE_DEVICES') is None:
        found = f'this torch, built for {facts["built_for"] or "CPUs only"}, cannot use it'
        return Finding('FAIL', 'GPU', found, f'update the NVIDIA driver, or {OTHER_TORCH}')
    return Finding('note', 'GPU', 'none: everything works, training is slow')


def run(args) -> int:
    """Print the findings; 1 when something is broken."""
    version = f'{platform.python_version()} on {platform.platform()}'
    findings = [Finding('ok', 'python', version)]
    findings += [*packages(installed_versions()), *imports()]
    findings.append(gpu(run_python(TORCH_FACTS), shutil.which('nvidia-smi') is not None))
    broken = sum(finding.status == 'FAIL' for finding in findings)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        for finding in findings:
            fix = f'\n{"":5}fix: {finding.fix}' if finding.fix else ''
            print(f'{finding.status:5}{finding.name:<23} {finding.found}{fix}')
        print(f'{broken} to fix: see FAIL above' if broken else 'everything works')
    return int(broken > 0)


if __name__ == '__main__':
    cli.main(build_parser, run)
