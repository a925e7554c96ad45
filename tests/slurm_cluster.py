"""A real Slurm on this machine: slurmctld and two virtual nodes, for the time of a test session.

It needs the packages `slurm-wlm` and `munge` of Debian or Ubuntu, and no privileges beyond those of
the user that runs the tests. All files are in one folder, all ports are free ones.
"""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

from serving import free_port

PROGRAMS = ('munged', 'slurmctld', 'slurmd', 'sbatch', 'srun')
SBIN = '/usr/sbin:/usr/local/sbin'
NODES = ('n1', 'n2')
PATIENCE = 240
# Seconds before a job that was queued again starts again.
PAUSE = 5
ENDED = ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT')
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control_port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.sock
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=1,sched_interval=1
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
JobFileAppend=1
GresTypes=gpu
{nodes}
PartitionName=cpu Nodes=n1,n2 MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n1,n2 MaxTime=INFINITE State=UP
"""
NODE = 'NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=64 Gres=gpu:8'


def why_not() -> str:
    """Return why Slurm cannot be started here; empty if it can."""
    missing = [name for name in PROGRAMS if not _program(name)]
    if missing:
        return f'no {", ".join(missing)}: apt-get install slurm-wlm munge'
    return ''


class Cluster:
    """Slurm's daemons, and the commands that talk to them.

    Args:
        folder: Where all its files go.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.env = os.environ | dict(SLURM_CONF=str(folder / 'slurm.conf'))
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self):
        """Start the daemons and wait until the nodes are idle."""
        self._configure()
        try:
            self._start_all()
        except BaseException:
            self._end_daemons()
            raise
        return self

    def _start_all(self) -> None:
        paths = {'key-file': 'key', 'socket': 'munge.sock', 'pid-file': 'munge.pid'}
        paths |= {'log-file': 'munge.log', 'seed-file': 'munge.seed'}
        options = [f'--{name}={self.folder / file}' for name, file in paths.items()]
        self._start('munged', '--foreground', '--force', *options)
        self._wait('munge', lambda: (self.folder / 'munge.sock').exists())
        self._start('slurmctld', '-D', '-c')
        for node in NODES:
            self._start('slurmd', '-D', '-N', node)
        self._wait('idle nodes', lambda: self.call('sinfo', '-hNo', '%T').split() == ['idle'] * 4)

    def __exit__(self, *error):
        """Cancel what is left and end the daemons."""
        self.call('scancel', '--user', getpass.getuser())
        self._wait('an empty queue', lambda: not self.call('squeue', '-h'), fails=False)
        self._end_daemons()

    def _end_daemons(self) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
            daemon.wait(PATIENCE)

    def call(self, *command) -> str:
        """Return what a command of Slurm prints."""
        done = subprocess.run(
            [*map(str, command)], env=self.env, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def submit(self, *command, env: dict) -> str:
        """Return the id of a batch job; its output goes to ID.out in the cluster's folder.

        Args:
            *command: ``sbatch`` with its arguments.
            env: Added to the environment.
        """
        output = f'--output={self.folder}/%A_%a.out' if '--array' in ' '.join(command) else ''
        command = [
            command[0],
            '--parsable',
            output or f'--output={self.folder}/%j.out',
            *command[1:],
        ]
        done = subprocess.run(
            command, env=self.env | env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def facts(self, job: str) -> dict[str, str]:
        """Return what Slurm knows about a job, such as JobState, ExitCode and Restarts."""
        words = self.call('scontrol', 'show', 'job', '--oneliner', job).split()
        return dict(word.split('=', 1) for word in words if '=' in word)

    def output(self, job: str) -> str:
        """Return what a job has printed, after all of its starts."""
        path = self.folder / f'{job}.out'
        return path.read_text() if path.exists() else ''

    def wait_for_end(self, job: str) -> dict[str, str]:
        """Wait until a job has ended, also if it is queued again; returns its facts."""
        shortened = False

        def has_ended() -> bool:
            nonlocal shortened
            facts = self.facts(job)
            # Slurm starts a job that was queued again after two minutes. A node refuses it in the
            # second in which its first run was cleared away there ("credential revoked").
            cleared = facts.get('JobState') == 'PENDING' and facts.get('Reason') == 'BeginTime'
            if cleared and not shortened:
                self.call('scontrol', 'update', f'JobId={job}', f'StartTime=now+{PAUSE}')
                shortened = True
            return facts.get('JobState') in ENDED

        self._wait(f'the end of {job}', has_ended)
        return self.facts(job)

    def wait_until(self, job: str, condition) -> None:
        """Wait for something that a job does."""

        def holds() -> bool:
            assert self.facts(job).get('JobState') not in ENDED, self.output(job)
            return condition()

        self._wait(f'what job {job} does', holds)

    def _configure(self) -> None:
        for name in ('state', 'spool'):
            (self.folder / name).mkdir(parents=True)
        # munged wants to be reachable by all.
        self.folder.chmod(0o755)
        key = self.folder / 'key'
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(1024))
        host = socket.gethostname()
        nodes = [NODE.format(name=name, host=host, port=free_port()) for name in NODES]
        values = dict(host=host, user=getpass.getuser(), folder=self.folder)
        values |= dict(control_port=free_port(), nodes='\n'.join(nodes))
        (self.folder / 'slurm.conf').write_text(CONF.format(**values))
        gpus = [self.folder / f'gpu{number}' for number in range(8)]
        for gpu in gpus:
            gpu.touch()
        (self.folder / 'gres.conf').write_text(f'Name=gpu File={self.folder}/gpu[0-7]\n')

    def _start(self, name: str, *arguments) -> None:
        with open(self.folder / f'{name}.said', 'a') as said:
            command = [_program(name), *map(str, arguments)]
            daemon = subprocess.Popen(command, env=self.env, stdout=said, stderr=said)
        self._daemons.append(daemon)

    def _wait(self, what: str, condition, fails: bool = True) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                logs = [path.read_text()[-2000:] for path in sorted(self.folder.glob('*.log'))]
                assert not fails, f'{what} did not come\n' + '\n'.join(logs)
                return
            time.sleep(0.1)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f'{os.environ["PATH"]}:{SBIN}')
