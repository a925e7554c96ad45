import pytest
from browser import chromium, opened  # noqa: F401
from conftest import call_tool
from run_folders import write_run, write_validation

TOOL = 'tools/compare.py'


@pytest.fixture
def page_path(tmp_path, capsys):
    names = ('plain', '<i>smooth</i>')
    for name, lr, miou in zip(names, (0.1, 0.2), (25.0, 26.0), strict=True):
        options = {'optim_wrapper.optimizer.lr': lr}
        write_run(tmp_path / 'runs' / name.replace('/', '_'), tmp_path, options)
        folder = tmp_path / 'runs' / name.replace('/', '_')
        write_validation(folder, [[3, 1], [1, 3]], ['Background', 'Paper'], mIoU=miou, mF1=40.0)
    folders = sorted((tmp_path / 'runs').iterdir(), reverse=True)
    call_tool(capsys, TOOL, *folders, '--out', tmp_path / 'out.html')
    return tmp_path / 'out.html'


@pytest.mark.parametrize('width', [1200, 400])
def test_runs_stand_side_by_side(chromium, page_path, width):  # noqa: F811
    with opened(chromium, page_path, width) as page:
        assert page.locator('h2').all_inner_texts() == [
            *('Scores', 'Curves', 'IoU of each class', 'Differences of the configs')
        ]
        row = page.locator('#scores tr', has=page.get_by_text('mIoU', exact=True))
        assert row.locator('td').all_inner_texts() == ['25 %', '26 %']
        assert row.locator('strong').all_inner_texts() == ['26 %']
        # Equal values are not better than each other.
        even = page.locator('#scores tr', has=page.get_by_text('mF1', exact=True))
        assert even.locator('strong').count() == 0
        heads = page.locator('#scores thead th').all_inner_texts()
        assert heads == ['', 'plain', '<i>smooth<_i>']
        assert page.locator('i').count() == 0
        assert [row.all_inner_texts() for row in page.locator('#configs tbody tr').all()] == [
            ['optim_wrapper.optimizer.lr\t0.1\t0.2']
        ]
        assert page.locator('.plot').count() == 4
        assert page.locator('.plot').first.locator('polyline').count() == 2
        assert page.evaluate('document.documentElement.scrollWidth') == width


def test_a_folder_of_something_else(tmp_path, capsys):
    done = call_tool(capsys, TOOL, tmp_path, '--out', tmp_path / 'out.html', code=2)
    assert 'has no config' in done.err
    assert not (tmp_path / 'out.html').exists()
