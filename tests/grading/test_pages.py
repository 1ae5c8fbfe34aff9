"""What a feedback page shows, and what it does not."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grading.pages import HEAD, as_html, as_text
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
    assert re.search(r"<p>A <em>word</em>, <math[^>]*><mrow><msup><mi>x</mi><mn>2</mn>", text)
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
    "<p onclick=alert(1) style='position: fixed' title='</title><script>alert(1)</script>'>a</p>",
    "<iframe src='https://example.org'></iframe>",
    "<form action='https://example.org'><input name=a></form>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href=' java\tscript:alert(1)'>a</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
    "<style>body { display: none }</style>",
    "<meta http-equiv=refresh content='0; url=https://example.org'>",
    "<title><script>alert(1)</script></title>",
    "<svg onload=alert(1)><script>alert(1)</script><a href='javascript:alert(1)'>a</a></svg>",
    "<math href='javascript:alert(1)'><mtext><script>alert(1)</script></mtext></math>",
    "<base href='https://example.org'><object data='x'></object><embed src='x'>",
    "$\\href{javascript:alert(1)}{a}$ and $\\text{<script>alert(1)</script>}$",
]
INTO = {
    "text": None,
    "html": "text/html",
    "markdown": "text/markdown",
    "svg": "image/svg+xml",
    "latex": "text/latex",
    "javascript": "application/javascript",
    "plain": "text/plain",
}


@pytest.mark.parametrize("into", INTO)
def test_nothing_on_a_page_is_active(into):
    """All at once, since a page takes half a second."""
    around = [f"before {number}\n\n{html}\n\nafter {number}" for number, html in enumerate(ACTIVE)]
    if into == "text":
        page = shown(*map(new_markdown_cell, around))
    else:
        outputs = [new_output("display_data", {INTO[into]: text}) for text in around]
        page = shown(new_code_cell("1", outputs=outputs))
    if into not in ("javascript", "svg"):  # which are dropped, or a picture
        for number in range(len(ACTIVE)):
            assert f"before {number}" in page
            assert f"after {number}" in page
    tags = re.findall(r"<[^>]*>", page)
    names = r"</?(script|iframe|form|input|style|meta|svg|title|base|object|embed)\b"
    assert [tag for tag in tags if re.match(names, tag, re.IGNORECASE)] == []
    attributes = r"\bon\w+=|script:|src=\"?x|\bstyle=|data:text|href=\"?data"
    without_titles = [re.sub(r'title="[^"]*"', "", tag) for tag in tags]
    assert [tag for tag in without_titles if re.search(attributes, tag, re.IGNORECASE)] == []


def test_a_page_says_that_nothing_may_run():
    policy = re.search(r'Content-Security-Policy\s+content="([^"]*)"', HEAD)[1]
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        (r"\frac{1}{2} (\mu^2 + \sigma^2)", "<mfrac>"),
        (r"\sqrt{x}", "<msqrt>"),
        (r"q(z|x)", "|</mo>"),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", "<mtable"),
    ],
)
def test_formulas_are_rendered_without_a_script(latex, part):
    for source, display in [(f"a ${latex}$ b", "inline"), (f"a\n\n$$\n{latex}\n$$\n\nb", "block")]:
        page = shown(new_markdown_cell(source))
        assert part in page
        assert f'display="{display}"' in page
        assert "formula-" not in page
        assert "&amp;" not in page  # signs as signs, not as the names that they have in HTML


def test_what_is_no_formula_is_shown_as_it_was_written():
    assert r"<code>\frac{</code>" in shown(new_markdown_cell(r"$\frac{$"))


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
