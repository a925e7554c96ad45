import json
import random
import runpy
import shutil
import subprocess
import sys

import pytest
import torch
from conftest import ROOT, call_tool
from trainings import content_of

CHAOS = 'tests/chaos.py'


@pytest.mark.slow
def test_a_killed_training_loses_nothing_and_a_loss_would_be_seen(tmp_path, capsys):
    said = call_tool(capsys, CHAOS, '--kills', 1, '--processes', 1, '--out', tmp_path).out
    assert 'killed (' in said and ' 0 differences' in said
    (folder,) = tmp_path.iterdir()
    undisturbed = folder / 'undisturbed_1'
    # It may have been moved, copied, or branched: then each folder has a part of the log.
    killed = sorted(folder.glob('killed_1_0*'))
    compare = runpy.run_path(str(ROOT / CHAOS))['compare']
    assert compare(killed, undisturbed) == []

    others = [shutil.copytree(one, tmp_path / 'others' / one.name) for one in killed]
    content = torch.load(others[-1] / 'iter_24.pth', weights_only=False)
    moments = content['optimizer']['state'][0]['exp_avg']
    moments.view(-1)[0] += 1e-9
    torch.save(content, others[-1] / 'iter_24.pth')
    logs = sorted(others[0].glob('*/vis_data/scalars.json'))
    log = next(path for path in logs if path.read_text().endswith('}\n'))
    lines = log.read_text().splitlines()
    first = json.loads(lines[0])
    log.write_text('\n'.join([json.dumps(dict(first, loss=first['loss'] + 1e-9)), *lines[1:]]))
    loss, moment = compare(others, undisturbed)
    assert (
        loss.startswith('iteration 1: loss')
        and moment == 'final .optimizer.state.0.exp_avg differs'
    )


# What a faulty training might do to the folder that it was branched from, or to the data.
FAULTS = {
    'writes into the source': "open('killed_1_0/iter_4.pth', 'ab').write(b'x')",
    'deletes the best one': "os.remove('killed_1_0/best_mIoU_iter_4.pth')",
    'adds a folder': "os.makedirs('killed_1_0/earlier_1'); open('killed_1_0/earlier_1/a', 'w')",
    'moves a pointer': "os.rename('killed_1_0/last_checkpoint', 'killed_1_0/last')",
    'edits the data': "open('toy/train.json', 'w').write('{}')",
    'nothing': "open('killed_1_0+1/iter_8.pth', 'w').write('its own')",
}


@pytest.mark.parametrize(
    ('way', 'fault'),
    [
        *(('survive', fault) for fault in FAULTS),
        ('extend', 'edits the data'),
        ('extend', 'nothing'),
    ],
)
def test_a_write_outside_of_the_own_folder_is_seen(way, fault, tmp_path, monkeypatch):
    """A fault planted into what stands for the training."""
    chaos = runpy.run_path(str(ROOT / CHAOS))
    for name in ('iter_4.pth', 'best_mIoU_iter_4.pth', 'last_checkpoint'):
        (tmp_path / 'killed_1_0').mkdir(exist_ok=True)
        (tmp_path / 'killed_1_0' / name).write_text(name)
    (tmp_path / 'toy').mkdir()
    (tmp_path / 'toy' / 'train.json').write_text('[]')
    (tmp_path / 'done').mkdir()
    work_dir = tmp_path / 'killed_1_0+1'
    before = content_of(tmp_path)

    def train(config, folder, *_):
        code = f'import os\nos.makedirs("killed_1_0+1", exist_ok=True)\n{FAULTS[fault]}'
        own = 'pass' if folder != work_dir else code
        return subprocess.Popen([sys.executable, '-c', own], cwd=tmp_path)

    parts = chaos['survive'].__globals__
    monkeypatch.setitem(parts, 'train', train)
    monkeypatch.setitem(parts, 'final_state', lambda *_: {})
    killer = parts['Killer'](random.Random(0), work_dir, 600, iter(()))
    if way == 'survive':
        changed = parts['survive'](tmp_path / 'chaos.py', killer, 1, 1)[-1]
    else:
        changed = parts['extend'](tmp_path / 'chaos.py', tmp_path / 'done', 1, killer, 1)[-1]
    after = {n: c for n, c in content_of(tmp_path).items() if n.partition('/')[0] != work_dir.name}
    touched = {n for n in before | after if before.get(n) != after.get(n)} - {'done_extended'}
    assert bool(touched) == (fault != 'nothing')
    for name in touched:
        assert any(f'{tmp_path / name} has changed' in line for line in changed), changed
    assert bool(changed) == bool(touched)
