"""The book's sources, put together in one folder as Sphinx reads them.

Notebooks come with the outputs that they have, assignments as students get them, the reference as a
page for each family of rooms, or room without one. What is said elsewhere is not said again: the
table for readers of the blog post is taken out of notebook 00, the rooms out of CONTRIBUTING.md.
"""

import itertools
import re
import shutil
import tomllib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignments import names, read_source
from grading.release import student_version
from sbd_utils.files import read_text, write_text

ROOT = Path(__file__).resolve().parents[2]
WIDGET = "application/vnd.jupyter.widget-view+json"
LIVE = {
    "LatentExplorer(models)": "explorer",
    'LatentExplorer(in_hand, data="squares")': "squares",
    "SceneExplorer(": "scene",
    '"sprite"': "sprite",
    '"diamond"': "diamond",
}
"""What a cell with a widget says, and the figure that stands for it in the page."""
POST = "### From the blog post to the course"
TABLE = "docs/from_the_blog_post.md"
"""The page for readers of the post."""
FOR_TEACHERS = "## Assignment 4: the rubric"
"""From here on the page on assignments tells how answers are marked: not on the site."""
UNDOCUMENTED = ("checks.", "__main__")
"""Rooms that nobody calls by hand."""
SERVICES = {
    "Binder": "https://mybinder.org/v2/gh/{repository}/HEAD?labpath={path}",
    "Colab": "https://colab.research.google.com/github/{repository}/blob/HEAD/{path}",
}
"""Where a notebook of a public repository can be opened."""
FETCH = """!git clone --quiet --depth 1 https://github.com/{repository} course
%pip install --quiet --editable "./course[lab,explore]"
%cd course/{folder}"""
"""What a notebook needs that is opened in Colab, which brings it alone."""


def gather(folder: Path, repository: str | None = None) -> None:
    """Write all sources of the book.

    Args:
        folder: Is made, or emptied first.
        repository: "owner/name" on GitHub, for links that open a notebook elsewhere.

    Raises:
        LeftoverError: An assignment would show what students must not see.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _write_pages(folder)
    for path in chapters():
        place = path.relative_to(ROOT)
        text = nbformat.writes(as_page(nbformat.read(path, as_version=4), place, repository))
        write_text(folder / place, text)
    for name in names():
        notebook = student_version(read_source(name))
        _name_lexer(notebook)
        write_text(folder / f"notebooks/assignments/{name}.ipynb", nbformat.writes(notebook))
    for family, members in itertools.groupby(rooms(), lambda room: family_of(room[0])):
        write_text(folder / f"reference/{family}.rst", reference_page(family, list(members)))
    for pictures in ("notebooks/pictures", "docs/pictures"):
        if (ROOT / pictures).is_dir():
            shutil.copytree(ROOT / pictures, folder / pictures)
    (folder / "pretrained").mkdir()
    shutil.copy(ROOT / "pretrained/headline.png", folder / "pretrained")


def chapters() -> list[Path]:
    """All notebooks, those of the appendix last."""
    folders = (ROOT / "notebooks", ROOT / "notebooks/appendix")
    return [path for folder in folders for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def find_repository() -> str | None:
    """The repository as pyproject.toml has it under [project.urls], "owner/name", if it does."""
    project = tomllib.loads(read_text(ROOT / "pyproject.toml"))["project"]
    address = project.get("urls", {}).get("Repository", "")
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    return found[1] if found else None


def rooms() -> list[tuple[str, str]]:
    """Name and subject of the rooms of CONTRIBUTING.md's table that the reference has."""
    table = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \|", read_text(ROOT / "CONTRIBUTING.md"), re.M)
    return [(room, said.strip()) for room, said in table if not room.startswith(UNDOCUMENTED)]


def family_of(room: str) -> str:
    """`data` of `data.base` and of `data.circles`; a room that stands alone is its own."""
    return room.partition(".")[0]


def reference_page(family: str, members: list[tuple[str, str]]) -> str:
    """A page of the reference, in reStructuredText.

    Args:
        family: See `family_of`.
        members: Name and subject of its rooms.
    """
    alone = [name for name, _ in members] == [family]
    page = "" if alone else _headed(f"``{family}``", "=")
    for name, subject in members:
        page += _headed(f"``{name}`` · {subject}", "=" if alone else "-")
        page += f".. automodule:: sbd_utils.{name}\n   :members:\n   :member-order: bysource\n\n"
    return page


def _headed(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n\n"


def as_page(notebook: NotebookNode, place: Path, repository: str | None) -> NotebookNode:
    """A notebook as a chapter.

    Args:
        notebook: With its outputs; it is changed.
        place: Where it lies, from the root of the repository.
        repository: As in `gather`.
    """
    _name_lexer(notebook)
    notebook.metadata.pop("widgets", None)  # their state needs a kernel
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = _for_the_site(cell.source)
        elif _drop_widgets(cell):
            kinds = [kind for mark, kind in LIVE.items() if mark in cell.source]
            cells += [nbformat.v4.new_markdown_cell(live_figure(kind)) for kind in kinds]
    if repository:
        cells.insert(1, nbformat.v4.new_markdown_cell(_launch_links(place, repository)))
    notebook.cells = cells
    return notebook


def live_figure(kind: str) -> str:
    """The place of a figure that lives in the page."""
    return f'<div class="live live-{kind}"></div>'


def _write_pages(folder: Path) -> None:
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = read_text(page)
        if page.stem == "index":
            write_text(folder / "index.md", text.replace("](../", "]("))
        else:
            write_text(folder / "docs" / page.name, text)
    assignments = read_text(ROOT / "notebooks/assignments/README.md")
    write_text(folder / "notebooks/assignments/README.md", assignments.partition(FOR_TEACHERS)[0])
    start = nbformat.read(ROOT / "notebooks/00_start_here.ipynb", as_version=4)
    _, _, table = start.cells[-1].source.partition(POST)
    write_text(folder / TABLE, POST.removeprefix("##") + table)


def _for_the_site(source: str) -> str:
    """Markdown with links as the site has them: anchors in lower case, the post's table apart."""
    source = re.sub(r"\]\(#([\w-]+)\)", lambda found: found[0].lower(), source)
    if POST in source:
        source = source.partition(POST)[0] + f"{POST}\n\n[A page of its own](../{TABLE}).\n"
    return source


def _name_lexer(notebook: NotebookNode) -> None:
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}


def _drop_widgets(cell: NotebookNode) -> bool:
    """Take a cell's widgets out of its outputs; whether it had any."""
    kept = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    had = len(kept) < len(cell.outputs)
    cell.outputs = kept
    return had


def _launch_links(place: Path, repository: str) -> str:
    path = place.as_posix()
    links = [
        f"[{name}]({address.format(repository=repository, path=path)})"
        for name, address in SERVICES.items()
    ]
    fetch = FETCH.format(repository=repository, folder=place.parent.as_posix())
    first = "Colab brings a notebook without the course: there, run these lines in a cell above all"
    return f"Open in {' or '.join(links)}. {first}:\n\n```\n{fetch}\n```\n"
