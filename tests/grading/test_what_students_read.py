"""What an assignment tells a student: how long it takes, by the rates on the page for instructors, and its hints."""

import ast
import re

import pytest

from grading.assignments import SOURCES, is_answer, read_source
from tests.grading.helpers import NAMES, released

WORDS_READ = 100
"""A minute: text in which every word counts."""
OF_A_STATEMENT = 3
"""Minutes: to find it, to write it, and to read what the check says to it."""
OF_100_WORDS = 10
"""Minutes of writing."""
TRAINING = {"4_does_it_hold": 10}
"""Minutes."""


def reading(name: str) -> float:
    texts = [c.source for c in released(name).cells if c.cell_type == "markdown"]
    return len(re.findall(r"\w+", "\n".join(texts))) / WORDS_READ


def programming(name: str) -> float:
    """Statements of the solutions, the definitions themselves not counted, since they are given."""
    solved = [c.source for c in read_source(name).cells if c.cell_type == "code" and is_answer(c)]
    trees = [ast.parse(source) for source in solved]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    given = ast.FunctionDef | ast.ClassDef
    docstrings = [n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
    asked = [node for node in nodes if not isinstance(node, given) and node not in docstrings]
    return OF_A_STATEMENT * len(asked)


def writing(name: str) -> float:
    """By what the text asks for: "about 120 words", "at most 250 words"."""
    text = "\n".join(c.source for c in released(name).cells if c.cell_type == "markdown")
    asked = re.findall(r"(?:about|at most) (\d+) words", text, re.IGNORECASE)
    assert asked, "it asks for no words"
    return OF_100_WORDS * sum(map(int, asked)) / 100


@pytest.mark.parametrize("name", NAMES)
def test_minutes_are_what_the_work_adds_up_to(name):
    needed = reading(name) + programming(name) + writing(name) + TRAINING.get(name, 0)
    (said,) = re.findall(r"\*\*Time\*\*: (\d+) minutes", read_source(name).cells[0].source)
    assert int(said) == 5 * round(needed / 5), (reading(name), programming(name), writing(name))


def test_the_page_for_instructors_says_the_same_minutes_and_rates():
    page = (SOURCES / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        first = read_source(name).cells[0].source
        (said,) = re.findall(r"\*\*Time\*\*: (\d+) minutes", first)
        (marks,) = re.findall(
            r"25; (\d+) of them are given by machine, (\d+) by", " ".join(first.split())
        )
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {name[0]} ")]
        assert [cell.strip() for cell in row.split("|")[4:7]] == [said, *marks]
    rates = f"{WORDS_READ} words read in a minute, {OF_A_STATEMENT} minutes for a statement"
    assert rates in " ".join(page.split())


@pytest.mark.parametrize("name", NAMES)
def test_hints_come_in_two_stages_the_first_without_code(name):
    text = "\n".join(c.source for c in released(name).cells if c.cell_type == "markdown")
    hints = re.findall(r"<details><summary>(.*?)</summary>(.*?)</details>", text, re.DOTALL)
    assert len(hints) >= 4
    assert [title[:6] for title, _ in hints] == ["Hint 1", "Hint 2"] * (len(hints) // 2)
    for _, first in hints[::2]:
        assert "`" not in first
        assert len(first.split()) >= 15
