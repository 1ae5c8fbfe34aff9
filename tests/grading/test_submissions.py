"""What students wrote is put into the course's notebook without losing a word."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from grading import assignments, submissions
from grading.assignments import NOT_RUN, is_added, is_test
from grading.release import read_assignment
from grading.submissions import Merged, merge
from tests.grading.helpers import FIRST, NAMES

FOURTH = NAMES[3]


@pytest.fixture(scope="module")
def courses():
    return {name: read_assignment(name) for name in (FIRST, FOURTH)}


def put_in(courses, name: str, change) -> Merged:
    """Merge what a student got and changed. `change(cells)` gets a list to change."""
    course = courses[name]
    notebook = nbformat.reads(nbformat.writes(course.released), as_version=4)
    change(notebook.cells)
    return merge(course.source, course.released, notebook)


def at(cells, name: str) -> int:
    return next(i for i, cell in enumerate(cells) if cell.get("id") == name)


def ids(merged: Merged) -> list[str]:
    return [cell.id for cell in merged.notebook.cells]


@pytest.mark.parametrize("name", [FIRST, FOURTH])
def test_an_untouched_notebook_is_the_course_s_own(name, courses):
    merged = put_in(courses, name, lambda cells: None)
    assert ids(merged) == [cell.id for cell in courses[name].source.cells]
    assert merged.notes == []


@pytest.mark.parametrize("new", [new_markdown_cell, new_code_cell, new_raw_cell])
@pytest.mark.parametrize("after", ["imports", "circle", "circle-test", "spectrum-test", "cell-0"])
def test_an_added_cell_stands_where_it_stood(new, after, courses):
    merged = put_in(
        courses, FIRST, lambda cells: cells.insert(at(cells, after) + 1, new("my words"))
    )
    cells = merged.notebook.cells
    where = at(cells, after) + 1
    assert cells[where].source == "my words"
    assert cells[where].cell_type == new("").cell_type
    assert is_added(cells[where])
    assert len(cells) == len(courses[FIRST].source.cells) + 1
    assert len(set(ids(merged))) == len(cells)


def test_an_answer_that_is_continued_in_cells_of_one_s_own_is_whole(courses):
    def change(cells):
        where = at(cells, "answer")
        cells[where].source = "first part"
        cells[where + 1 : where + 1] = [
            new_markdown_cell("second part"),
            new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="42")]),
            new_markdown_cell("third part"),
        ]

    merged = put_in(courses, FOURTH, change)
    cells = merged.notebook.cells
    where = at(cells, "answer")
    told = [cell.source for cell in cells[where : where + 4]]
    assert told == ["first part", "second part", "1", "third part"]
    assert cells[where + 2].outputs[0].text == "42"
    assert NOT_RUN in cells[where + 2].metadata.tags, "it decides no mark: its output is kept"


def test_code_before_the_last_test_is_run(courses):
    merged = put_in(
        courses, FIRST, lambda cells: cells.insert(at(cells, "spectrum-test"), new_code_cell("1"))
    )
    added = [cell for cell in merged.notebook.cells if is_added(cell)]
    assert [NOT_RUN in cell.metadata.get("tags", []) for cell in added] == [False]


@pytest.mark.parametrize("lost", ["metadata", "ids"])
def test_a_cell_is_known_by_what_an_editor_left_of_it(lost, courses):
    def change(cells):
        for number, cell in enumerate(cells):
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = f"answer {cell.id}"
            if lost == "metadata":
                cell.metadata = {}
            elif "nbgrader" in cell.metadata:
                cell.id = f"new-{number}"

    merged = put_in(courses, FOURTH, change)
    cells = merged.notebook.cells
    assert ids(merged) == [cell.id for cell in courses[FOURTH].source.cells]
    for name in ["paired_summary", "sign_test", "question", "experiment", "result", "answer"]:
        assert cells[at(cells, name)].source == f"answer {name}"
    assert merged.notes == []


def test_the_original_of_two_copies_is_the_answer(courses):
    def change(cells):
        where = at(cells, "circle")
        cells[where].source = "the original"
        copied = nbformat.from_dict({**cells[where], "id": "a1b2c3", "source": "the copy"})
        cells.insert(where, copied)

    merged = put_in(courses, FIRST, change)
    cells = merged.notebook.cells
    assert cells[at(cells, "circle")].source == "the original"
    assert [cell.source for cell in cells if is_added(cell)] == ["the copy"]
    assert any("'circle' is there twice" in note for note in merged.notes)


def test_what_is_written_into_a_cell_of_the_course_s_is_kept_and_noted(courses):
    def change(cells):
        cells[at(cells, "imports")].source += "\nimport math"
        cells[at(cells, "cell-0")].source += "\nmy notes"
        cells[at(cells, "circle-test")].source = "pass"

    merged = put_in(courses, FIRST, change)
    cells = merged.notebook.cells
    source = courses[FIRST].source.cells
    for name in ["imports", "cell-0", "circle-test"]:
        assert cells[at(cells, name)].source == source[at(source, name)].source
        assert any(f"'{name}' was changed and was put back" in note for note in merged.notes)
    assert "import math" in cells[at(cells, "imports") + 1].source
    assert "my notes" in cells[at(cells, "cell-0") + 1].source
    assert cells[at(cells, "circle-test") - 1].source == "pass"


def test_what_is_gone_is_put_back_and_noted(courses):
    def change(cells):
        for name in ["circle", "circle-test"]:
            del cells[at(cells, name)]

    merged = put_in(courses, FIRST, change)
    assert ids(merged) == [cell.id for cell in courses[FIRST].source.cells]
    assert merged.notes == [
        "cell 'circle' was deleted",
        "cell 'circle-test' was deleted and was put back",
    ]
    assert merged.notebook.cells[at(merged.notebook.cells, "circle")].source == ""


def test_cells_that_were_moved_run_in_the_course_s_order(courses):
    merged = put_in(courses, FIRST, lambda cells: cells.reverse())
    assert ids(merged) == [cell.id for cell in courses[FIRST].source.cells]
    assert merged.notes == ["cells were moved: they ran in the course's order"]


def test_code_above_the_imports_runs_after_them_and_text_stays_there(courses):
    def change(cells):
        cells[:0] = [new_markdown_cell("by Ada"), new_code_cell("x = 1")]

    merged = put_in(courses, FIRST, change)
    cells = merged.notebook.cells
    assert cells[0].source == "by Ada"
    assert cells[at(cells, "imports") + 1].source == "x = 1"
    assert merged.notes == ["code from above the first cell of code ran after it"]


def test_a_picture_that_is_pasted_into_an_answer_stays(courses):
    picture = {"sheet.png": {"image/png": "iVBORw0KGgo="}}

    def change(cells):
        answer = cells[at(cells, "answer")]
        answer.source, answer.attachments = "![](attachment:sheet.png)", picture
        own = new_markdown_cell("![](attachment:sheet.png)")
        own.attachments = picture
        cells.append(own)

    cells = put_in(courses, FOURTH, change).notebook.cells
    assert cells[at(cells, "answer")].attachments == picture
    assert cells[-1].attachments == picture


def test_a_cell_of_one_s_own_is_not_graded_whatever_it_says(courses):
    own = new_code_cell("pass")
    entry = {"grade": True, "grade_id": "bonus-test", "points": 1000, "solution": False}
    own.metadata["nbgrader"] = entry
    cells = put_in(courses, FIRST, lambda cells: cells.append(own)).notebook.cells
    assert cells[-1].source == "pass"
    assert not is_test(cells[-1])


def test_an_answer_in_a_cell_of_another_kind_is_read_and_noted_and_keeps_its_output(courses):
    def change(cells):
        at_answer, at_code = at(cells, "answer"), at(cells, "sign_test")
        printed = [nbformat.v4.new_output("stream", text="42")]
        cells[at_answer] = new_code_cell("print(42)", id="answer", outputs=printed)
        cells[at_code] = new_markdown_cell("def sign_test(): ...", id="sign_test")

    merged = put_in(courses, FOURTH, change)
    cells = merged.notebook.cells
    assert cells[at(cells, "answer")].source == "print(42)"
    assert cells[at(cells, "sign_test")].cell_type == "code"
    assert cells[at(cells, "answer") + 1].outputs[0].text == "42"
    assert merged.notes == [
        "cell 'sign_test' was handed in as markdown, and is read as code",
        "cell 'answer' was handed in as code, and is read as markdown",
    ]


# Reading


def test_a_notebook_with_a_mark_of_its_encoding_is_read(tmp_path):
    text = nbformat.writes(assignments.read_source(FIRST))
    (tmp_path / "a.ipynb").write_bytes(text.encode("utf-8-sig"))
    assert len(submissions.read(tmp_path / "a.ipynb").cells) > 10
