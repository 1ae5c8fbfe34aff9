"""The feedback page of a submission: marks, reasons, and the notebook as it ran."""

import html
import re
import secrets
import tempfile
import threading
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from grading.assignments import HIDDEN, is_not_run, is_test
from grading.marks import Outcome, Result, TaskMark, explain
from grading.processes import JobError, Limits, run_job

PAGE_SECONDS = 30
"""Of processor time, to make a page; it takes about one."""
HANG_SECONDS = 600
"""On the wall's clock."""
HEAD = """<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta http-equiv=Content-Security-Policy
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
  form-action 'none'; base-uri 'none'">
<style>
body { font-family: sans-serif; max-width: 60em; margin: auto }
td, th { text-align: left; padding: .2em 1em .2em 0; vertical-align: top }
pre { white-space: pre-wrap }
</style>
"""
TEXT = """a abbr b blockquote br code dd del details div dl dt em figcaption figure
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre s samp span strong sub summary sup ul"""
TABLES = "caption table tbody td tfoot th thead tr"
TAGS = set(f"{TEXT} {TABLES}".split())
"""Of HTML, what text and tables are made of."""
ATTRIBUTES = {
    "*": {"class", "id", "title", "width", "height"},
    "a": {"href"},
    "details": {"open"},
    "img": {"alt", "src"},
    **{cell: {"colspan", "rowspan", "scope"} for cell in ("td", "th")},
}
SCHEMES = {"https", "http", "mailto", "data"}
WITHOUT_CONTENT = {"script", "style", "svg", "title", "iframe", "template", "noscript", "math"}
"""Tags of which not even the text stays."""
FORMULA_ATTRIBUTES = {"display", "mathvariant", "stretchy", "fence", "accent", "lspace", "rspace"}
FORMULA_ATTRIBUTES |= {"linethickness", "columnalign", "width", "height", "scriptlevel", "form"}
BELOW = "<hr>\n"
"""Stands between the marks and the notebook."""
AS_HANDED_IN = "*Not run for grading. Its output is the one that was handed in:*"


def write_page(result: Result, out: Path, stop: threading.Event | None = None) -> None:
    """Write the page of a submission, in a process of its own if it holds a notebook.

    A notebook that cannot be shown as one is shown as plain text, and the result gets a note.

    Args:
        result: A note may be added.
        out: The folder of the pages.
        stop: Ends it once it is set.

    Raises:
        OSError: The page cannot be written.
        StoppedError: `stop` was set.
    """
    from sbd_utils.files import write_text  # here: the process that makes a page does without

    shown = ""
    if result.outcome.notebook:
        try:
            with tempfile.TemporaryDirectory(prefix="page-") as folder:
                notebook = result.outcome.notebook
                limits = Limits(HANG_SECONDS, PAGE_SECONDS)
                shown = run_job(as_html, notebook, Path(folder), limits, stop)
        except JobError as error:
            note = f"the page shows the notebook as plain text: {error}"
            result.outcome.notes.append(note)
            shown = as_text(result.outcome.notebook)
    write_text(page_path(result, out), whole_page(result, shown))


def update_page(result: Result, out: Path) -> None:
    """Write the marks of a page anew above the notebook that it shows; nothing without a page.

    Args:
        result: What became of the submission, with the marks by hand.
        out: The folder of the pages.

    Raises:
        OSError: The page cannot be written.
    """
    from sbd_utils.files import read_text, write_text

    if not result.submission.is_notebook:
        return
    path = page_path(result, out)
    before = read_text(path) if path.is_file() else ""
    after = whole_page(result, before.partition(BELOW)[2])
    if before and before != after:
        write_text(path, after)


def page_path(result: Result, out: Path) -> Path:
    """Where the page stands: as the file stands in the submissions, so that no two share one."""
    submission = result.submission
    name = submission.within.name.removesuffix(".ipynb") + ".html"
    return out / submission.folder / submission.within.with_name(name)


def whole_page(result: Result, shown: str) -> str:
    """The page as HTML.

    Args:
        result: What became of the submission.
        shown: The notebook, as HTML.
    """
    title = html.escape(result.title)
    outcome = result.outcome
    notes = "".join(f"<p>{html.escape(note)}</p>\n" for note in outcome.notes)
    rows = "".join(_row(task) for task in outcome.tasks)
    parts = [
        HEAD,
        f"<title>{title}</title>\n<h1>{title}</h1>\n",
        f"<p>{_total(outcome)}</p>\n",
        notes,
        f"<table>\n<tr><th>task<th>mark<th>why\n{rows}</table>\n{BELOW}",
        shown,
    ]
    return "".join(parts)


def _total(outcome: Outcome) -> str:
    by_machine = f"{outcome.total:g} of {outcome.possible:g} by machine"
    by_hand = outcome.total_by_hand
    if by_hand is None or not outcome.by_hand:
        return by_machine
    all_marks = f"{outcome.total + by_hand:g} of {outcome.possible + outcome.possible_by_hand:g}"
    return f"{by_machine}, {by_hand:g} of {outcome.possible_by_hand:g} by hand: {all_marks}"


def _row(task: TaskMark) -> str:
    mark = "by hand" if task.mark is None else f"{task.mark:g}"
    name = f"{task.task}: {task.row}" if task.row else task.task
    cells = [name, f"{mark} of {task.possible:g}", task.reason]
    return "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells) + "\n"


# The notebook on the page


def as_html(notebook: str) -> str:
    """What the student gets to read: the notebook without hidden tests and what tells of them.

    Args:
        notebook: As it ran, as JSON.
    """
    formulas: dict[str, str] = {}
    exporter = _exporter(formulas)
    body, _ = exporter.from_notebook_node(_without_tests(notebook))
    body = without_active_content(body)
    # Formulas are put in last, so that MathML comes from us alone.
    return re.sub(FORMULA, lambda found: formulas.get(found[0], ""), body)


FORMULA = r"formula-[0-9a-f]{16}-\d+"
"""Stands for a formula until all else is clean."""


def _exporter(formulas: dict[str, str]) -> Any:
    """A HTMLExporter that notes formulas, and leaves a name in the place of each.

    Args:
        formulas: Gets MathML, by name.
    """
    from jinja2 import pass_context
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    begin = secrets.token_hex(8)

    def noted(latex: str, display: str) -> str:
        name = f"formula-{begin}-{len(formulas)}"
        formulas[name] = as_mathml(latex, display)
        return name

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return noted(body, "inline")

        def block_math(self, body: str) -> str:
            return noted(body, "block")

        def latex_environment(self, name: str, body: str) -> str:
            return noted(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    @pass_context
    def as_markdown(context: Any, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = Renderer(escape=False, attachments=attachments)
        return str(MarkdownWithMath(renderer=renderer).render(source))

    return HTMLExporter(template_name="basic", filters={"markdown2html": as_markdown})


def as_mathml(latex: str, display: str) -> str:
    """A formula as MathML, which browsers show without a script; as its source if it is none.

    Args:
        latex: Without dollars.
        display: "inline" or "block".
    """
    from xml.etree import ElementTree

    from latex2mathml.converter import convert_to_element

    try:
        formula = convert_to_element(latex, display=display)
    except Exception:  # it raises many kinds, of no common base
        return f"<code>{html.escape(latex)}</code>"
    for part in formula.iter():
        kept = {name: part.attrib[name] for name in part.attrib if name in FORMULA_ATTRIBUTES}
        part.attrib.clear()
        part.attrib.update(kept)
        part.text = html.unescape(part.text or "")  # it has signs as entities: "&#x00028;"
    return ElementTree.tostring(formula, encoding="unicode")


def without_active_content(content: str) -> str:
    """HTML that only shows: no scripts, no forms, no pictures from elsewhere."""
    import nh3

    return nh3.clean(
        content,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_filtered,
        url_schemes=SCHEMES,
        clean_content_tags=WITHOUT_CONTENT,
    )


def _filtered(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute, or None where it must go: data are for pictures alone."""
    is_picture = value.startswith("data:image/")
    if tag == "img" and name == "src":
        return value if is_picture else None
    if tag == "a" and name == "href":
        return value if value.startswith(("https:", "http:", "mailto:", "#")) else None
    return value


def as_text(notebook: str) -> str:
    """The words of the same notebook, without its pictures, as HTML that is sure to be written."""
    cells = _without_tests(notebook).cells
    return "".join(f"<pre>{html.escape(cell.source)}</pre>\n" for cell in cells)


def _without_tests(text: str) -> NotebookNode:
    notebook = nbformat.reads(text, as_version=4)
    shown = []
    for cell in notebook.cells:
        if is_test(cell):
            _hide(cell)
        if is_not_run(cell) and cell.get("outputs"):
            shown.append(nbformat.v4.new_markdown_cell(AS_HANDED_IN))
        shown.append(cell)
    notebook.cells = shown
    return notebook


def _hide(cell: NotebookNode) -> None:
    cell.source = HIDDEN.sub("# (more tests)", cell.source)
    for output in cell.outputs:
        if output.output_type == "error":
            output.traceback = [explain(output.ename, output.evalue)]
