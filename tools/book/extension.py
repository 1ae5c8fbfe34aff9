"""What the book asks of Sphinx: formulas without a script, words, papers and sections linked.

- Formulas become MathML, which browsers show, print and read aloud by themselves.
- Where a term of the glossary first appears in a chapter, it leads there; where a public name of
  the library first appears as code, it leads to the reference.
- "04 · It reconstructs" leads to that section of that notebook.
- "Watters et al. 2019" leads to that paper in the references, unless a notebook has made a link of
  it, to the paper itself: on GitHub and in Jupyter, notebooks read as they do here.
"""

import functools
import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from pybtex.database import Entry, parse_file
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from grading.pages import as_mathml
from sbd_utils.files import read_text

GLOSSARY = "docs/glossary"
REFERENCES = "docs/references"
PAPERS = Path(__file__).resolve().parents[2] / "docs/references.bib"
SECTION = re.compile(r"\b(\d\d) · ([^|;\n]+)")
"""Number of a notebook, and a heading of it."""
NOT_TEXT = (
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.math,
    nodes.caption,
    nodes.image,
    nodes.raw,
    pending_xref,
)
"""Nodes in which no word becomes a link."""


# Formulas


def visit_formula(self: Any, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(formula(node, "inline"))
    raise nodes.SkipNode


def visit_formula_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    self.body.append(f'<div class="formula" tabindex="0">{formula(node, "block")}</div>')
    raise nodes.SkipNode


def formula(node: nodes.Element, display: str) -> str:
    """MathML of a formula; raises ValueError if it cannot be set."""
    mathml = as_mathml(node.astext(), display)
    if not mathml.startswith("<math"):
        raise ValueError(f"the formula {node.astext()!r} cannot be set as MathML")
    return mathml


# Words


def read_terms(source: Path) -> list[str]:
    """The terms of a glossary in MyST: the lines before the indented ones."""
    _, _, entries = read_text(source).partition("{glossary}\n")
    return re.findall(r"^(?! |:::|\Z)(\S.*)$", entries.partition(":::")[0], re.MULTILINE)


class LinkWords(SphinxTransform):
    """Link the first appearance of each term, and of each public name, in a chapter."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Go through the document that has just been read."""
        docname = self.env.docname
        if docname.startswith("reference/") or docname == GLOSSARY:
            return
        self.left = {term.lower(): term for term in read_terms(self._glossary())}
        for text in list(self.document.findall(nodes.Text)):
            if not _is_inside(text, NOT_TEXT):
                self._link_terms(text)
        self._link_names()

    def _glossary(self) -> Path:
        return Path(self.env.doc2path(GLOSSARY))

    def _link_terms(self, text: nodes.Text) -> None:
        parts: list[nodes.Node] = []
        rest = str(text)
        while self.left:
            longest = sorted(self.left, key=len, reverse=True)
            wanted = "|".join(map(re.escape, longest))
            found = re.search(rf"(?<![\w-])({wanted})s?(?![\w-])", rest, re.IGNORECASE)
            if found is None:
                break
            term = self.left.pop(found[1].lower())
            parts += [
                nodes.Text(rest[: found.start()]),
                self._reference("std", "term", term, found[0]),
            ]
            rest = rest[found.end() :]
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(rest)])

    def _link_names(self) -> None:
        seen = set()
        for literal in list(self.document.findall(nodes.literal)):
            name = re.sub(r"\(.*\)$", "", literal.astext())
            path = public_names().get(name)
            if path is None or name in seen or _is_inside(literal, NOT_TEXT):
                continue
            seen.add(name)
            link = self._reference("py", "obj", path, "")
            literal.replace_self(link)
            link.children = []
            link += literal

    def _reference(self, domain: str, kind: str, target: str, shown: str) -> pending_xref:
        options = dict(refdomain=domain, reftype=kind, reftarget=target, refexplicit=True)
        link = pending_xref("", refdoc=self.env.docname, refwarn=True, **options)
        if shown:
            link += nodes.inline(shown, shown, classes=["term"])
        return link


def _is_inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False


@functools.cache
def public_names() -> dict[str, str]:
    """Where each public name of the library is defined, by name."""
    library = importlib.import_module("sbd_utils")
    values = {name: getattr(library, name) for name in library.__all__}
    modules = {name: getattr(value, "__module__", None) for name, value in values.items()}
    return {name: f"{module}.{name}" for name, module in modules.items() if module is not None}


def resolve_public_name(app: Sphinx, env: Any, node: pending_xref, shown: nodes.Element) -> Any:
    """A docstring may name what is public without its module."""
    path = public_names().get(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or path is None:
        return None
    domain, place = env.domains.python_domain, node["refdoc"]
    return domain.resolve_xref(env, place, app.builder, "obj", path, node, shown)


# Sections and papers


def with_links(text: str, links: Iterable[tuple[str, str]]) -> list[nodes.Node]:
    """Text with links in it.

    Args:
        text: The text.
        links: Parts of it, in their order, each with where it leads.
    """
    parts: list[nodes.Node] = []
    end = 0
    for shown, address in links:
        start = text.index(shown, end)
        link = nodes.reference("", shown, refuri=address, internal=True)
        parts += [nodes.Text(text[end:start]), link]
        end = start + len(shown)
    return [*parts, nodes.Text(text[end:])]


@functools.cache
def papers() -> re.Pattern[str]:
    """How the papers of the references are named in a text; a group for each, named by its key."""
    entries = parse_file(PAPERS).entries
    return re.compile("|".join(f"(?P<{key}>{_named(entry)})" for key, entry in entries.items()))


def _named(entry: Entry) -> str:
    """A pattern of "Watters et al. 2019", of all authors in its place, of a year in brackets."""
    authors = [re.escape(" ".join(person.last_names)) for person in entry.persons["author"]]
    *before, last = authors
    forms = [f"{', '.join(before)},? (?:&|and) {last}"] if before else [last]
    if len(authors) > 2:
        forms.append(rf"{authors[0]} et al\.")
    year = entry.fields["year"]
    pattern = rf"\b(?:{'|'.join(forms)})(?:['’]s)? (?:\({year}\)|\(?{year}\b)"
    return pattern.replace("\\ ", " ").replace(" ", r"\s+")


class LinkPapers(SphinxPostTransform):
    """Link "Watters et al. 2019" to its entry in the references."""

    default_priority = 6

    def run(self, **kwargs: Any) -> None:
        """Go through a document that is about to be written."""
        if self.env.docname == REFERENCES:
            return
        page = self.app.builder.get_relative_uri(self.env.docname, REFERENCES)
        listed = self.env.get_domain("cite").citations  # type: ignore[attr-defined]
        addresses = {citation.key: f"{page}#{citation.citation_id}" for citation in listed}
        for text in list(self.document.findall(nodes.Text)):
            if _is_inside(text, NOT_TEXT):
                continue
            found = list(papers().finditer(text))
            links = [(name[0], addresses[name.lastgroup]) for name in found if name.lastgroup]
            if links:
                text.parent.replace(text, with_links(str(text), links))


class LinkSections(SphinxPostTransform):
    """Link "04 · It reconstructs" to that section."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Go through a document that is about to be written."""
        if not self.env.docname.startswith("docs/"):
            return
        for text in list(self.document.findall(nodes.Text)):
            if not _is_inside(text, NOT_TEXT) and SECTION.search(text):
                text.parent.replace(text, with_links(str(text), self._links(str(text))))

    def _links(self, text: str) -> Iterator[tuple[str, str]]:
        for found in SECTION.finditer(text):
            title = found[2].strip().partition(", the Predict")[0]
            address = self._address(found[1], title)
            if address is not None:
                yield f"{found[1]} · {title}", address

    def _address(self, number: str, title: str) -> str | None:
        for docname, contents in self.env.tocs.items():
            if not docname.startswith(f"notebooks/{number}_"):
                continue
            for entry in contents.findall(nodes.reference):
                heading = re.sub(r"^\d+\. ", "", entry.astext())
                if heading == title:
                    page = self.app.builder.get_relative_uri(self.env.docname, docname)
                    return page + entry["anchorname"]
        return None


# Pages


def add_live_parts(app: Sphinx, page: str, template: str, context: Any, tree: Any) -> None:
    """Bring the explorer's script and style where a figure lives."""
    if 'class="live ' in context.get("body", ""):
        app.add_js_file("explorer/live.js", type="module")
        app.add_css_file("explorer/explorer.css")


MENDED = {
    'class="caption" role="heading"': 'class="caption" role="heading" aria-level="2"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
}
"""What a screen reader stumbles over in pages as theme and extensions make them, and what helps."""


def mend(app: Sphinx, page: str, template: str, context: Any, tree: Any) -> None:
    """Put roles right, in the text and in the menu."""
    for name in ("body", "furo_navigation_tree"):
        for found, put in MENDED.items():
            context[name] = context.get(name, "").replace(found, put)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(visit_formula, None),
        block_renderers=(visit_formula_block, None),
    )
    app.add_transform(LinkWords)
    app.add_post_transform(LinkSections)
    app.add_post_transform(LinkPapers)
    app.connect("missing-reference", resolve_public_name)
    app.connect("html-page-context", add_live_parts)
    app.connect("html-page-context", mend, priority=900)  # after the theme
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
