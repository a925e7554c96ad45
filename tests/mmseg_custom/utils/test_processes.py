import sys

from mmseg_custom.utils import processes


def test_without_torch_there_is_one_process(monkeypatch):
    for name in [*sys.modules]:
        if name.split('.')[0] in ('torch', 'mmengine'):
            monkeypatch.delitem(sys.modules, name)
    assert processes.rank_and_size() == (0, 1)
    assert processes.gather([1, 'a']) == [[1, 'a']]
    processes.wait_for_all()
    assert 'torch' not in sys.modules
