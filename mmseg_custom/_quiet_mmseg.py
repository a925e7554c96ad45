"""Importing mmseg without its two remarks that concern nothing here.

It prints that OneDL (a data service) is not installed, and mmcv warns about a compiled op that none
of the configs needs; both would stand before every message of every tool.
"""

import contextlib
import io
import warnings

warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
with contextlib.redirect_stdout(io.StringIO()):
    import mmseg.datasets
    import mmseg.models  # noqa: F401
