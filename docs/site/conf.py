"""Sphinx's settings for the site. Nothing in it is asked of another host."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from cli import __version__
from docs.site.docstrings import as_rst

project = "Sayso"
author = "Sayso's contributors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"Sayso {release}"
html_show_copyright = html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_js_files = [("access.js", {"defer": "defer"})]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#4338ca", "color-brand-content": "#4338ca"},
    "dark_css_variables": {"color-brand-primary": "#a5b4fc", "color-brand-content": "#a5b4fc"},
}
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"imported-members": True}


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", lambda *told: told[-1].__setitem__(slice(None), as_rst(told[-1])))
