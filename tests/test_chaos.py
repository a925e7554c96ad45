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
