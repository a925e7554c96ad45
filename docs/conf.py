"""Sphinx: the pages beside this file, the README, and the docstrings of ``mmseg_custom``."""

import warnings
from pathlib import Path

from sphinx.addnodes import pending_xref

ROOT = Path(__file__).resolve().parents[1]

project = 'trash-seg'
html_title = 'trash-seg'
html_theme = 'furo'
exclude_patterns = ['_build']

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
myst_heading_anchors = 3

autodoc_default_options = dict(members=True)
# Defaults as they are written.
autodoc_preserve_defaults = True
autodoc_typehints = 'none'
napoleon_use_ivar = True

# Libraries warn when they are imported.
warnings.filterwarnings('ignore')


def setup(app) -> None:
    """Let Sphinx show every page that was read."""
    app.connect('doctree-read', name_files)


def name_files(app, document) -> None:
    """Name the project's files outside this folder, without links, which lead nowhere here."""
    page = Path(document['source'])
    for link in [*document.findall(pending_xref)]:
        if any((folder / link['reftarget']).exists() for folder in (page.parent, ROOT)):
            link.replace_self(link.children)
