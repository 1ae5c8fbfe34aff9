"""What a feedback page shows, and what it does not."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grading.pages import as_html, as_text
from grading.release import read_assignment
from tests.grading.helpers import NAMES

PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def shown(*cells) -> str:
    return as_html(nbformat.writes(new_notebook(cells=list(cells))))


def test_text_looks_like_text():
    text = shown(new_markdown_cell("# Title\n\nA *word*, $x^2$.\n\n|a|b|\n|-|-|\n|1|2|"))
    assert re.search(r"<h1[^>]*>Title", text)
    assert "<p>A <em>word</em>, $x^2$.</p>" in text
    assert "<td>2</td>" in text


def test_pictures_in_texts_and_outputs_are_shown():
    answer = new_markdown_cell("![sheet](attachment:sheet.png)")
    answer.attachments = {"sheet.png": {"image/png": PICTURE}}
    plot = new_code_cell("1", outputs=[new_output("display_data", {"image/png": PICTURE})])
    for cell in [answer, plot]:
        assert f'src="data:image/png;base64,{PICTURE}"' in shown(cell).replace("\n", "")


ACTIVE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<iframe src='https://example.org'></iframe>",
    "<form action='https://example.org'><input name=a></form>",
    "<a href='javascript:alert(1)'>a</a>",
    "<style>body { display: none }</style>",
    "<meta http-equiv=refresh content='0; url=https://example.org'>",
]


@pytest.mark.parametrize("html", ACTIVE)
@pytest.mark.parametrize("kind", ["text", "output"])
def test_nothing_on_a_page_is_active(html, kind):
    if kind == "text":
        page = shown(new_markdown_cell(f"before\n\n{html}\n\nafter"))
    else:
        data = {"text/html": f"before{html}after"}
        page = shown(new_code_cell("1", outputs=[new_output("display_data", data)]))
    assert "before" in page
    assert "after" in page
    assert not re.search(r"<(script|iframe|form|input|style|meta)\b", page)
    assert not re.search(r"<[^>]*(\bon\w+=|javascript:|src=\"?x)", page)


@pytest.mark.parametrize("name", NAMES)
def test_hidden_tests_are_on_no_page(name):
    text = nbformat.writes(read_assignment(name).source)
    for page in [as_html(text), as_text(text)]:
        assert "(more tests)" in page
        assert "HIDDEN TESTS" not in page
        assert "_right" not in page


def test_output_that_was_handed_in_is_called_so():
    cell = new_code_cell("1", outputs=[new_output("stream", text="42")])
    assert "handed in" not in shown(cell)
    cell.metadata["tags"] = ["not-run-for-grading"]
    assert "the one that was handed in" in shown(cell)
