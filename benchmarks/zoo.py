"""The experiments of the zoo."""

from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NAMES = sorted(path.stem for path in CONFIGS.glob('*_trash.py'))
