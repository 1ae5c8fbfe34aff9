"""How Sphinx sets the book; `make book` calls it, see tools/book."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Disentanglement by doing it"
author = "the authors of the course"
release = version = about["version"]
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.bibtex",
    "tools.book.extension",
]

# The text
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a notebook's exercises may skip a level
nb_execution_mode = "off"  # the outputs are those in the notebooks
nb_merge_streams = True
html_math_renderer = "mathml"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

# The reference
default_role = "py:obj"
autoclass_content = "both"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
add_module_names = False

# The page
html_theme = "furo"
html_title = project
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False
html_copyright = html_show_copyright = False
html_show_sphinx = False
html_permalinks_icon = "#"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {
    "navigation_with_keys": False,
    "top_of_page_buttons": [],
    # Links that stand out from text by more than their colour, and by enough of it.
    "light_css_variables": {
        "color-brand-primary": "#00527f",
        "color-brand-content": "#00527f",
        "color-brand-visited": "#6b2f82",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7cc4f2",
        "color-brand-content": "#7cc4f2",
        "color-brand-visited": "#d3a4e6",
    },
}
