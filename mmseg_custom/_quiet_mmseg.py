"""Importing mmseg without what concerns nothing here; whatever imports mmseg imports this first.

It prints that OneDL (a data service) is not installed, and mmcv warns about a compiled op that none
of the configs needs; both would stand before every message of every tool. It imports Albumentations
where that is installed, which asks the network for a newer version of itself unless asked not to.
"""

import contextlib
import io
import os
import warnings

os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')

warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
with contextlib.redirect_stdout(io.StringIO()):
    import mmseg.datasets
    import mmseg.models  # noqa: F401
