import json
import runpy
import shutil

import pytest
import torch
from conftest import ROOT, call_tool

CHAOS = 'tests/chaos.py'


@pytest.mark.slow
def test_a_killed_training_loses_nothing_and_a_loss_would_be_seen(tmp_path, capsys):
    said = call_tool(capsys, CHAOS, '--kills', 1, '--processes', 1, '--out', tmp_path).out
    assert 'killed (' in said and ' 0 differences' in said
    (folder,) = tmp_path.iterdir()
    undisturbed = folder / 'undisturbed_1'
    killed = max(folder.glob('killed_1_0*'))  # it may have been moved
    compare = runpy.run_path(str(ROOT / CHAOS))['compare']
    assert compare([killed], undisturbed) == []

    other = shutil.copytree(killed, tmp_path / 'other')
    content = torch.load(other / 'iter_48.pth', weights_only=False)
    moments = content['optimizer']['state'][0]['exp_avg']
    moments.view(-1)[0] += 1e-9
    torch.save(content, other / 'iter_48.pth')
    log = min(other.glob('*/vis_data/scalars.json'))
    lines = log.read_text().splitlines()
    first = json.loads(lines[0])
    log.write_text('\n'.join([json.dumps(dict(first, loss=first['loss'] + 1e-9)), *lines[1:]]))
    loss, moment = compare([other], undisturbed)
    assert (
        loss.startswith('iteration 1: loss')
        and moment == 'final .optimizer.state.0.exp_avg differs'
    )
