"""What systemd is notified of, and the unit file."""

import configparser
import os
import runpy
import shlex
import shutil
import socket
import subprocess

import pytest
from conftest import ROOT

from mmseg_custom.live.service_manager import ServiceManager
from mmseg_custom.utils import UserError

UNIT = ROOT / 'apps' / 'belt.service'


def test_each_notification_is_a_datagram_in_the_form_of_sd_notify(tmp_path):
    for address, environment in (
        (str(tmp_path / 'n'), str(tmp_path / 'n')),
        (f'\0trash-seg-test-{os.getpid()}', f'@trash-seg-test-{os.getpid()}'),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.settimeout(200)
            listener.bind(address)
            manager = ServiceManager(dict(NOTIFY_SOCKET=environment))
            manager.ready('watching')
            manager.alive('5 frames')
            manager.alive()
            manager.stopping()
            received = [listener.recv(1000).decode() for _ in range(4)]
        assert received == [
            'READY=1\nSTATUS=watching',
            'WATCHDOG=1\nSTATUS=5 frames',
            'WATCHDOG=1',
            'STOPPING=1',
        ]


def test_without_systemd_nothing_happens_and_a_wrong_socket_is_one_message(tmp_path):
    ServiceManager({}).alive()
    with pytest.raises(UserError, match='NOTIFY_SOCKET'):
        ServiceManager(dict(NOTIFY_SOCKET=str(tmp_path / 'none')))


def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser


def test_the_unit_calls_the_tool_with_options_that_it_has():
    service = unit()['Service']
    command = shlex.split(service['ExecStart'])
    assert command[1] == 'watch'
    args = runpy.run_path(str(ROOT / 'tools' / 'watch.py'))['build_parser']().parse_args(
        command[2:]
    )
    assert args.out == f'/var/lib/{service["StateDirectory"]}'
    assert args.video.startswith(args.out)
    # The watchdog needs the notifications.
    assert service['Type'] == 'notify' and int(service['WatchdogSec']) > 60


def test_systemd_takes_the_unit(tmp_path):
    analyze = shutil.which('systemd-analyze')
    if analyze is None:
        pytest.skip('no systemd-analyze here')
    copy = tmp_path / UNIT.name
    program = shlex.split(unit()['Service']['ExecStart'])[0]
    copy.write_text(UNIT.read_text().replace(program, shutil.which('true')))
    done = subprocess.run([analyze, 'verify', str(copy)], capture_output=True, text=True)
    assert done.stderr == '' and done.returncode == 0
