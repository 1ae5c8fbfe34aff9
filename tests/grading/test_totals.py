"""The instructor's week: enter marks by hand, grade again, grade one alone, add a late one. Nothing is run."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from grading import assignments, grade, hand_marks, record, totals
from grading.hand_marks import COLUMNS
from tests.grading.helpers import FIRST, NAMES, machine_tasks, without_running

FOURTH = NAMES[3]
BY_HAND = ["Question", "Fair comparison", "Evidence", "Conclusion", "What could be wrong"]
pytestmark = pytest.mark.usefixtures("full_marks")


def hand_in(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def enter(out: Path, student: str, marks: list[str], comment: str = "") -> None:
    """Fill in a student's marks in the order of the rows, as a teacher does."""
    table, left = rows(out / "hand_marks.csv"), list(marks)
    for row in table:
        if row["student"] == student and left:
            row.update(mark=left.pop(0), comment=comment)
    with open(out / "hand_marks.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(table)


def total_of(out: Path, student: str, assignment: str = FOURTH) -> dict[str, str]:
    (found,) = (
        row
        for row in rows(out / "totals.csv")
        if (row["student"], row["assignment"]) == (student, assignment) and row["counts"] != "no"
    )
    return found


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    submitted = hand_in(folder / "in", f"ada/{FOURTH}.ipynb", f"bo/{FOURTH}.ipynb")
    with without_running():
        grade.grade_folder(submitted, folder / "out")
    return folder


@pytest.fixture
def graded(graded_once, tmp_path):
    """A class of two, with no mark by hand yet: the folder of the submissions, and the tables'."""
    shutil.copytree(graded_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "in", tmp_path / "out"


def test_what_is_marked_by_hand_has_an_empty_row_for_each_row_of_its_rubric(graded):
    table = rows(graded[1] / "hand_marks.csv")
    assert list(table[0]) == ["student", "task", "rubric row", "mark", "comment"]
    of_ada = [row for row in table if row["student"] == "ada"]
    assert [row["rubric row"] for row in of_ada] == BY_HAND
    assert [row["task"] for row in of_ada] == ["question", *["answer"] * 4]
    assert {row["mark"] + row["comment"] for row in table} == {""}
    row = total_of(graded[1], "ada")
    assert [row[name] for name in ("by machine", "by hand", "by hand, of", "total")] == [
        "7.0",
        "",
        "18.0",
        "",
    ]


def test_marks_by_hand_are_in_the_tables_and_on_the_page(graded):
    out = graded[1]
    enter(out, "ada", ["4", "3,5", "4", "3", "0"], "well <argued>")
    assert totals.main(["--out", str(out)]) == 0
    row = total_of(out, "ada")
    assert [row[name] for name in ("by hand", "total", "total, of")] == ["14.5", "21.5", "25.0"]
    assert total_of(out, "bo")["total"] == ""
    marks = {
        (row["task"], row["rubric row"]): (row["mark"], row["possible"], row["reason"])
        for row in rows(out / "marks.csv")
        if row["student"] == "ada"
    }
    assert marks["answer", "Fair comparison"] == ("3.5", "4.0", "well <argued>")
    page = (out / "feedback" / "ada" / f"{FOURTH}.html").read_text(encoding="utf-8")
    assert "7 of 7 by machine, 14.5 of 18 by hand: 21.5 of 25" in page
    assert "<td>answer: Fair comparison<td>3.5 of 4<td>well &lt;argued&gt;" in page
    assert page.count("<p>the notebook</p>") == 1


def test_to_grade_again_keeps_every_byte_that_was_entered(graded):
    submitted, out = graded
    enter(out, "ada", ["4", "4", "4", "3", "3"], 'fine, "quoted"\nin two lines')
    before = (out / "hand_marks.csv").read_bytes()
    grade.grade_folder(submitted, out)
    assert (out / "hand_marks.csv").read_bytes() == before
    assert total_of(out, "ada")["total"] == "25.0"


def test_to_grade_one_student_again_keeps_the_class(graded):
    submitted, out = graded
    enter(out, "ada", ["4"] * 5)
    enter(out, "bo", ["1"] * 5)
    before = (out / "hand_marks.csv").read_bytes()
    results = grade.grade_folder(submitted / "bo", out)
    assert [result.submission.student for result in results] == ["bo"]
    assert [row["student"] for row in rows(out / "totals.csv")] == ["ada", "bo"]
    assert total_of(out, "bo")["total"] == "12.0"
    assert (out / "hand_marks.csv").read_bytes() == before
    assert len(rows(out / "marks.csv")) == 2 * 7


@pytest.mark.parametrize("way", ["alone", "with the class"])
def test_a_late_one_is_added(way, graded):
    submitted, out = graded
    enter(out, "bo", ["1"] * 5)
    before = (out / "hand_marks.csv").read_bytes()
    hand_in(submitted, f"zoe/{FOURTH}.ipynb")
    grade.grade_folder(submitted / "zoe" if way == "alone" else submitted, out)
    assert [row["student"] for row in rows(out / "totals.csv")] == ["ada", "bo", "zoe"]
    after = (out / "hand_marks.csv").read_bytes()
    assert after.startswith(before)
    added = after[len(before) :].decode().splitlines()
    assert [line.split(",")[0] for line in added] == ["zoe"] * 5
    assert total_of(out, "bo")["total"] == "12.0"


def test_another_assignment_joins_the_table(graded):
    submitted, out = graded
    enter(out, "ada", ["4", "4", "4", "3", "3"])
    later = hand_in(submitted.parent / "later", f"ada/{FIRST}.ipynb")
    grade.grade_folder(later, out)
    assert total_of(out, "ada")["total"] == "25.0"
    assert float(total_of(out, "ada", FIRST)["by machine"]) == sum(machine_tasks(FIRST).values())
    assert {row["task"] for row in rows(out / "hand_marks.csv")} == {
        "question",
        "answer",
        "explanation",
    }


def test_a_row_for_every_student_and_every_assignment_that_anybody_handed_in(tmp_path):
    submitted = hand_in(tmp_path / "in", f"ada/{FOURTH}.ipynb", f"bo/{FIRST}.ipynb", "cy/notes.txt")
    (submitted / "di").mkdir()
    grade.grade_folder(submitted, tmp_path / "out")
    table = [
        (row["student"], row["assignment"], row["total, of"], row["notes"])
        for row in rows(tmp_path / "out" / "totals.csv")
        if not row["file"]
    ]
    none = "nothing handed in"
    instead = "nothing handed in that can be graded; no notebook, and not graded: notes.txt"
    assert table == [
        ("ada", FIRST, "25.0", none),
        ("bo", FOURTH, "25.0", none),
        ("cy", FIRST, "25.0", instead),
        ("cy", FOURTH, "25.0", instead),
        ("di", FIRST, "25.0", none),
        ("di", FOURTH, "25.0", none),
    ]


def test_a_class_that_handed_in_nothing_has_a_row_each(tmp_path):
    hand_in(tmp_path / "in", "ada/notes.txt")
    (tmp_path / "in" / "bo").mkdir()
    grade.grade_folder(tmp_path / "in", tmp_path / "out")
    table = rows(tmp_path / "out" / "totals.csv")
    assert [(row["student"], row["notes"]) for row in table] == [
        ("ada", "nothing handed in that can be graded; no notebook, and not graded: notes.txt"),
        ("bo", "nothing handed in"),
    ]
    assert not (tmp_path / "out" / "feedback").exists()


def test_of_two_notebooks_for_one_assignment_one_counts_and_both_say_so(tmp_path):
    files = [f"ada/{FOURTH}.ipynb", f"ada/{FOURTH} (1).ipynb", f"ada/old/{FOURTH}.ipynb"]
    out = tmp_path / "out"
    grade.grade_folder(hand_in(tmp_path / "in", *files), out)
    table = {row["file"]: row for row in rows(out / "totals.csv")}
    assert {file: row["counts"] for file, row in table.items()} == {
        f"{FOURTH}.ipynb": "yes",
        f"{FOURTH} (1).ipynb": "no",
        f"old/{FOURTH}.ipynb": "no",
    }
    first = f"this notebook counts, and not {FOURTH} (1).ipynb, old/{FOURTH}.ipynb"
    assert table[f"{FOURTH}.ipynb"]["notes"] == first
    other = f"this notebook does not count: {FOURTH}.ipynb does"
    assert table[f"old/{FOURTH}.ipynb"]["notes"] == other
    page = (out / "feedback" / "ada" / "old" / f"{FOURTH}.html").read_text(encoding="utf-8")
    assert other in page
    assert len(rows(out / "hand_marks.csv")) == 5, "what does not count is not marked by hand"


def test_of_two_notebooks_the_one_that_can_be_run_counts(tmp_path, monkeypatch):
    run = grade.run_job

    def fail(module, job, *rest):
        if job["path"].endswith(f"{FOURTH}.ipynb"):
            raise grade.JobError("it ended")
        return run(module, job, *rest)

    monkeypatch.setattr(grade, "run_job", fail)
    files = [f"ada/{FOURTH}.ipynb", f"ada/{FOURTH} (1).ipynb"]
    grade.grade_folder(hand_in(tmp_path / "in", *files), tmp_path / "out")
    counts = {row["file"]: row["counts"] for row in rows(tmp_path / "out" / "totals.csv")}
    assert counts == {f"{FOURTH}.ipynb": "no", f"{FOURTH} (1).ipynb": "yes"}


def test_a_file_that_was_taken_back_leaves_its_assignment(graded):
    submitted, out = graded
    hand_in(submitted, f"ada/{FOURTH} (1).ipynb")
    grade.grade_folder(submitted, out)
    assert len(rows(out / "totals.csv")) == 3
    (submitted / "ada" / f"{FOURTH} (1).ipynb").unlink()
    grade.grade_folder(submitted, out)
    assert [row["file"] for row in rows(out / "totals.csv")] == [f"{FOURTH}.ipynb"] * 2


def test_ctrl_c_in_a_second_run_loses_nothing_of_the_first(graded, monkeypatch):
    submitted, out = graded
    enter(out, "ada", ["4", "4", "4", "3", "3"])

    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "write_page", press)
    assert grade.main([str(submitted), "--out", str(out)]) == 130
    assert [row["student"] for row in rows(out / "totals.csv")] == ["ada", "bo"]
    assert total_of(out, "ada")["total"] == "25.0"


def test_two_runs_at_once_lose_nothing_of_each_other(graded, monkeypatch):
    submitted, out = graded
    hand_in(submitted.parent / "late", f"zoe/{FOURTH}.ipynb")
    run, began = grade.run_job, []

    def run_and_grade_another(*arguments):
        if not began:
            began.append(True)
            grade.grade_folder(submitted.parent / "late" / "zoe", out)
        return run(*arguments)

    monkeypatch.setattr(grade, "run_job", run_and_grade_another)
    grade.grade_folder(submitted, out, jobs=1)
    assert [row["student"] for row in rows(out / "totals.csv")] == ["ada", "bo", "zoe"]


@pytest.mark.parametrize("content", ["", "[]]", "{}", '[{"a": 1}]', "[1]"])
def test_a_record_that_was_changed_is_refused_in_a_sentence(content, graded, capsys):
    submitted, out = graded
    before = (out / "totals.csv").read_bytes()
    (out / record.FILE).write_text(content, encoding="utf-8")
    assert totals.main(["--out", str(out)]) == 1
    assert "results.json is not what the grader wrote" in capsys.readouterr().err
    assert grade.main([str(submitted), "--out", str(out)]) == 1
    assert "move it away, and grade the whole class again" in capsys.readouterr().out
    assert (out / "totals.csv").read_bytes() == before


def test_totals_need_something_that_was_graded(tmp_path, capsys):
    with pytest.raises(SystemExit):
        totals.main(["--out", str(tmp_path)])
    assert "holds nothing that was graded; grade first, or say --out" in capsys.readouterr().err


def test_the_record_holds_no_notebook_and_is_read_back(graded):
    out = graded[1]
    assert "cells" not in (out / record.FILE).read_text(encoding="utf-8")
    assert [one.title for one in record.read(out)] == [f"ada: {FOURTH}", f"bo: {FOURTH}"]
    assert json.loads((out / record.FILE).read_text(encoding="ascii"))


def test_rubrics_add_up_and_are_what_students_read():
    by_hand: list[str] = []
    for name in NAMES:
        source = assignments.read_source(name)
        shown = "\n".join(cell.source for cell in source.cells)
        for cell in filter(assignments.is_by_hand, source.cells):
            rows_of_it = assignments.rubric(cell)
            assert sum(rows_of_it.values()) == cell.metadata["nbgrader"]["points"]
            by_hand.append(cell.id)
            for row, most in rows_of_it.items():
                assert f"| **{row}** ({most:g}) |" in shown
    assert len(by_hand) == len(set(by_hand)), "hand_marks.csv names tasks without their assignment"
    assert {"question", "answer", "explanation", "in_one_sentence"} <= set(by_hand)


# What a teacher can get wrong


HEADER = "student,task,rubric row,mark,comment\n"
WRONG = {
    "above the most": ("ada,answer,Evidence,5,", 2, "mark", "5 is more than 4, the most"),
    "a word": ("ada,answer,Evidence,good,", 2, "mark", "'good' is not a number of at least 0"),
    "negative": ("ada,answer,Evidence,-1,", 2, "mark", "'-1' is not a number"),
    "not a number": ("ada,answer,Evidence,nan,", 2, "mark", "'nan' is not a number"),
    "endless": ("ada,answer,Evidence,inf,", 2, "mark", "'inf' is not a number"),
    "a fraction": ("ada,answer,Evidence,3/4,", 2, "mark", "'3/4' is not a number"),
    "underscores": ("ada,answer,Evidence,1_0,", 2, "mark", "'1_0' is not a number"),
    "a stranger": ("adda,answer,Evidence,3,", 2, "student", "'adda'; did you mean 'ada'?"),
    "nobody": (",answer,Evidence,3,", 2, "student", "nobody is called ''"),
    "a task": ("ada,anwser,Evidence,3,", 2, "task", "'anwser'; did you mean 'answer'?"),
    "a task of the machine's": ("ada,sign_test,x,3,", 2, "task", "there is answer, question"),
    "a row": ("ada,answer,Evidnce,3,", 2, "rubric row", "did you mean 'Evidence'?"),
    "a zero byte": ("ada,answer,Evid\0ence,3,", 2, "rubric row", "did you mean 'Evidence'?"),
    "a row of another task": ("ada,question,Evidence,3,", 2, "rubric row", "there is Question"),
    "twice": (
        "ada,answer,Evidence,3,\nbo,answer,Evidence,3,\nada,answer,Evidence,2,",
        4,
        "rubric row",
        "it has a mark already in line 2",
    ),
    "a comma of one's own": (
        "ada,answer,Evidence,3,good, but late",
        2,
        "comment",
        "6 cells where there are 5 columns: put a text or number with ',' in it into quotation",
    ),
    "a decimal comma": ("ada,answer,Evidence,3,5,", 2, "comment", "quotation marks"),
    "after a comment of three lines": (
        'ada,answer,Evidence,3,"a\nb\nc"\nbo,answer,Evidence,9,',
        5,
        "mark",
        "9 is more than 4",
    ),
}


@pytest.mark.parametrize(("lines", "line", "column", "problem"), WRONG.values(), ids=WRONG)
def test_an_entry_that_does_not_count_is_told_by_line_and_column(
    lines, line, column, problem, graded, capsys
):
    out = graded[1]
    (out / "hand_marks.csv").write_text(HEADER + lines + "\n", encoding="utf-8")
    assert totals.main(["--out", str(out)]) == 1
    said = [text for text in capsys.readouterr().out.splitlines() if "hand_marks.csv" in text]
    assert len(said) == 1
    assert said[0].startswith(f"hand_marks.csv, line {line}, column {column}: ")
    assert problem in said[0]
    assert grade.main([str(graded[0]), "--out", str(out)]) == 0
    assert said[0] in capsys.readouterr().out


UNREADABLE = {
    "another encoding": (HEADER.encode() + "ada,answer,Evidence,3,schön\n".encode("cp1252"), 2),
    "UTF-16": (HEADER.encode("utf-16"), 1),
    "another header": (b"name,task,points\nada,answer,3\n", 1),
    "no header": (b"ada,answer,Evidence,3,\n", 1),
}


@pytest.mark.parametrize(("content", "line"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_told_and_left_as_it_is(content, line, graded, capsys):
    out = graded[1]
    (out / "hand_marks.csv").write_bytes(content)
    assert totals.main(["--out", str(out)]) == 1
    said = capsys.readouterr().out
    assert (out / "hand_marks.csv").read_bytes() == content
    assert f"hand_marks.csv, line {line}: " in said
    assert "no mark by hand was read" in said


def test_a_file_that_is_held_elsewhere_stops_nothing(graded, capsys):
    submitted, out = graded
    (out / "hand_marks.csv").unlink()
    (out / "hand_marks.csv").mkdir()
    assert grade.main([str(submitted), "--out", str(out)]) == 0
    assert "hand_marks.csv, line 1: cannot be read (Is a directory)" in capsys.readouterr().out
    assert [row["by machine"] for row in rows(out / "totals.csv")] == ["7.0", "7.0"]


def test_a_page_that_cannot_be_written_again_stops_nothing(graded, capsys):
    out = graded[1]
    enter(out, "ada", ["4"])
    page = out / "feedback" / "ada" / f"{FOURTH}.html"
    page.write_bytes(b"\xff")
    assert totals.main(["--out", str(out)]) == 0
    assert "can't decode byte 0xff" in capsys.readouterr().out
    assert total_of(out, "ada")["by hand"] == ""


def test_an_empty_file_is_filled(graded):
    out = graded[1]
    before = (out / "hand_marks.csv").read_bytes()
    (out / "hand_marks.csv").write_bytes(b"")
    assert totals.main(["--out", str(out)]) == 0
    assert (out / "hand_marks.csv").read_bytes() == before


SAVED = {
    "a spreadsheet's, with a mark of its encoding": ("utf-8-sig", ",", "\r\n", COLUMNS, "3"),
    "a spreadsheet's, with semicolons and a decimal comma": ("utf-8", ";", "\r\n", COLUMNS, "3,0"),
    "tabs": ("utf-8", "\t", "\n", COLUMNS, "3.0"),
    "other columns in another order": (
        "utf-8",
        ",",
        "\n",
        ["mark", "Student", "TASK", "rubric row", "marked on", "comment"],
        " 3 ",
    ),
}


@pytest.mark.parametrize(
    ("encoding", "separator", "end", "columns", "mark"), SAVED.values(), ids=SAVED
)
def test_what_spreadsheets_make_of_the_file_is_read(
    encoding, separator, end, columns, mark, graded
):
    out = graded[1]
    cells = {"student": "ada", "task": "answer", "rubric row": "Evidence", "mark": mark}
    lines = [columns, [cells.get(column.lower(), "") for column in columns]]
    text = "".join(separator.join(line) + end for line in lines)
    (out / "hand_marks.csv").write_bytes(text.encode(encoding))
    found = hand_marks.read(out, hand_marks.wanted(record.read(out)))
    assert found.problems == []
    assert {row[2]: mark.mark for row, mark in found.given.items()} == {"Evidence": 3}
    assert totals.main(["--out", str(out)]) == 0
    after = (out / "hand_marks.csv").read_bytes()
    assert after.startswith(text.encode(encoding))
    assert after.count(separator.encode()) == (len(columns) - 1) * 11, "a header and ten rows"
    assert hand_marks.read(out, hand_marks.wanted(record.read(out))).problems == []


@pytest.mark.parametrize("name", ["=1+1", "Zoe\u0308 O'Brien", "a, b", 'x "y" z', "-5", "007"])
def test_names_of_all_kinds_are_read_back(name, tmp_path):
    out = tmp_path / "out"
    grade.grade_folder(
        hand_in(tmp_path / "in", f"{name}/{FOURTH}.ipynb", f"bo/{FOURTH}.ipynb"), out
    )
    found = hand_marks.read(out, hand_marks.wanted(record.read(out)))
    assert len(found.lines) == 10
    student = next(row["student"] for row in rows(out / "hand_marks.csv") if row["student"] != "bo")
    enter(out, student, ["4", "4", "4", "3", "3"])
    assert totals.main(["--out", str(out)]) == 0
    assert sorted(row["total"] for row in rows(out / "totals.csv")) == ["", "25.0"]


# What Moodle and Canvas import


def test_moodle_s_worksheet_has_the_columns_that_it_looks_for(tmp_path, capsys):
    folder = "_assignsubmission_file_"
    files = [
        f"Zoë, A_12{folder}/{FOURTH}.ipynb",
        f"Bo_7{folder}/{FOURTH}.ipynb",
        f"cy/{FOURTH}.ipynb",
    ]
    submitted, out = hand_in(tmp_path / "in", *files), tmp_path / "out"
    assert grade.main([str(submitted), "--out", str(out)]) == 0
    enter(out, "Zoë, A (12)", ["4", "4", "4", "3", "2.5"])
    capsys.readouterr()
    assert totals.main(["--out", str(out), "--for", "moodle"]) == 0
    said = capsys.readouterr().out
    assert rows(out / f"moodle_{FOURTH}.csv") == [
        {
            "Identifier": "Participant 7",
            "Full name": "Bo",
            "Grade": "",
            "Maximum Grade": "25",
            "Last modified (grade)": "",
        },
        {
            "Identifier": "Participant 12",
            "Full name": "Zoë, A",
            "Grade": "24.5",
            "Maximum Grade": "25",
            "Last modified (grade)": "",
        },
    ]
    assert "is without cy: Moodle's number is not in the names of their folders" in said
    assert "2 without a grade: a mark by hand is missing" in said


def test_canvas_s_gradebook_has_the_columns_that_it_looks_for(tmp_path, capsys):
    second = NAMES[1]
    files = [
        f"lovelaceada_4711_90_{second}.ipynb",
        f"lovelaceada_LATE_4711_91_{FIRST}-1.ipynb",
        f"libo_4712_92_{second}.ipynb",
    ]
    submitted, out = hand_in(tmp_path / "in", *files), tmp_path / "out"
    assert grade.main([str(submitted), "--out", str(out), "--for", "canvas"]) == 0
    assert "3 without a grade: a mark by hand is missing" in capsys.readouterr().out
    enter(out, "libo (4712)", ["1", "1", "1"])
    assert totals.main(["--out", str(out), "--for", "canvas"]) == 0
    with open(out / "canvas.csv", newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    known = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert table == [
        [*known, FIRST, second],
        ["    Points Possible", "", "", "", "", "25", "25"],
        ["libo", "4712", "", "", "", "", "25"],
        ["lovelaceada", "4711", "", "", "", "", ""],
    ]
    assert "2 without a grade: a mark by hand is missing" in capsys.readouterr().out
