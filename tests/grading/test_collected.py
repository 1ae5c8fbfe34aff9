"""Whose a file is and for which assignment, in class folders of many kinds. Nothing is run."""

import os

import nbformat
import pytest

from grading import assignments, collected, downloads
from grading.collected import find, readable
from tests.grading.helpers import NAMES, released

FIRST, SECOND, THIRD, FOURTH, _ = NAMES
MOODLE = "_assignsubmission_file"
LITTLE = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
FOLDER, NOWHERE, PIPE = object(), object(), object()
"""Stand for what else a path can be."""


def make(folder, files) -> None:
    """Files by their paths; a dict gives their content, or what else they are."""
    contents = files if isinstance(files, dict) else dict.fromkeys(files, LITTLE)
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is FOLDER:
            path.mkdir(parents=True, exist_ok=True)
        elif content is NOWHERE:
            path.symlink_to("nowhere")
        elif content is PIPE:
            os.mkfifo(path)
        else:
            path.write_text(content, encoding="utf-8")


def rows(folder, **options) -> list[tuple[str, str, str]]:
    found = find(folder, **options).submissions
    return [(one.student, one.file, one.assignment) for one in found]


def notes(folder) -> str:
    found = find(folder)
    return "\n".join([*found.notes, *(note for one in found.submissions for note in one.notes)])


def notebook_of(name: str) -> str:
    return nbformat.writes(released(name))


CLASSES = {
    "a folder for each student": (
        [f"ada/{FIRST}.ipynb", f"ada/{SECOND}.ipynb", f"bo/{FIRST}.ipynb"],
        [
            ("ada", f"{FIRST}.ipynb", FIRST),
            ("ada", f"{SECOND}.ipynb", SECOND),
            ("bo", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "folders in a student's folder": (
        [f"ada/homework/{FIRST}.ipynb", f"bo/a/b/c/{FIRST}.ipynb"],
        [("ada", f"homework/{FIRST}.ipynb", FIRST), ("bo", f"a/b/c/{FIRST}.ipynb", FIRST)],
    ),
    "nbgrader's folders": (
        [f"ada/ps1/{FIRST}.ipynb", f"bo/ps1/{FIRST}.ipynb"],
        [("ada", f"ps1/{FIRST}.ipynb", FIRST), ("bo", f"ps1/{FIRST}.ipynb", FIRST)],
    ),
    "Moodle's folders": (
        [f"Ada Lovelace_12345{MOODLE}/{FIRST}.ipynb", f"Bo Li_6{MOODLE}/{FIRST}.ipynb"],
        [("Ada Lovelace (12345)", f"{FIRST}.ipynb", FIRST), ("Bo Li (6)", f"{FIRST}.ipynb", FIRST)],
    ),
    "Moodle's folders before 4.1": (
        [f"Ada Lovelace_12345{MOODLE}_/{FIRST}.ipynb", f"Bo Li_6{MOODLE}_/deep/{FIRST}.ipynb"],
        [
            ("Ada Lovelace (12345)", f"{FIRST}.ipynb", FIRST),
            ("Bo Li (6)", f"deep/{FIRST}.ipynb", FIRST),
        ],
    ),
    "Moodle's files side by side": (
        [f"Ada Lovelace_1{MOODLE}_{FIRST}.ipynb", f"Bo_6{MOODLE}_{SECOND}.ipynb"],
        [("Ada Lovelace (1)", f"{FIRST}.ipynb", FIRST), ("Bo (6)", f"{SECOND}.ipynb", SECOND)],
    ),
    "two students of one name in Moodle": (
        [f"Ada Lovelace_1{MOODLE}/{FIRST}.ipynb", f"Ada Lovelace_2{MOODLE}/{FIRST}.ipynb"],
        [
            ("Ada Lovelace (1)", f"{FIRST}.ipynb", FIRST),
            ("Ada Lovelace (2)", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "Moodle without names": (
        [f"Participant_77{MOODLE}_/{FIRST}.ipynb"],
        [("Participant (77)", f"{FIRST}.ipynb", FIRST)],
    ),
    "a group in Moodle": (
        [f"Group 3_19{MOODLE}/{FIRST}.ipynb"],
        [("Group 3 (19)", f"{FIRST}.ipynb", FIRST)],
    ),
    "a text typed into Moodle": (
        {
            f"Ada_1{MOODLE}/{FIRST}.ipynb": LITTLE,
            "Ada_1_assignsubmission_onlinetext/onlinetext.html": "hello",
            "Bo_2_assignsubmission_onlinetext_/onlinetext.html": "hello",
        },
        [("Ada (1)", f"{FIRST}.ipynb", FIRST), ("Bo (2)", "", "")],
    ),
    "Canvas": (
        [f"lovelaceada_12345_67890_{FIRST}.ipynb", f"libo_LATE_12346_67891_{FIRST}.ipynb"],
        [
            ("libo (12346)", f"{FIRST}.ipynb", FIRST),
            ("lovelaceada (12345)", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "Canvas, handed in again": (
        [f"lovelaceada_12345_67890_{FIRST}-1.ipynb", f"lovelaceada_12345_67891_{SECOND}-2.ipynb"],
        [
            ("lovelaceada (12345)", f"{FIRST}-1.ipynb", FIRST),
            ("lovelaceada (12345)", f"{SECOND}-2.ipynb", SECOND),
        ],
    ),
    "Canvas, in letters of all kinds": (
        [f"øst山田_12345_67890_{FIRST}.ipynb"],
        [("øst山田 (12345)", f"{FIRST}.ipynb", FIRST)],
    ),
    "Canvas without names": (
        [f"anon_x5F2k_67890_{FIRST}.ipynb", f"LATE_anon_9zQ1b_67891_{FIRST}.ipynb"],
        [("anon_9zQ1b", f"{FIRST}.ipynb", FIRST), ("anon_x5F2k", f"{FIRST}.ipynb", FIRST)],
    ),
    "Canvas, nothing but a link": (
        {f"libo_12346_67891_{FIRST}.ipynb": LITTLE, "lovelaceada_12345_67890_link.html": "x"},
        [("libo (12346)", f"{FIRST}.ipynb", FIRST), ("lovelaceada (12345)", "", "")],
    ),
    "files that somebody named by hand": (
        [f"ada_{FIRST}.ipynb", f"{FIRST}_bo.ipynb", f"1234567_{SECOND}.ipynb"],
        [
            ("1234567", f"1234567_{SECOND}.ipynb", SECOND),
            ("ada", f"ada_{FIRST}.ipynb", FIRST),
            ("bo", f"{FIRST}_bo.ipynb", FIRST),
        ],
    ),
    "a student with nothing": (
        {f"ada/{FIRST}.ipynb": LITTLE, "bo": FOLDER},
        [("ada", f"{FIRST}.ipynb", FIRST), ("bo", "", "")],
    ),
    "files that are no notebooks": (
        {
            f"ada/{FIRST}.pdf": "x",
            f"bo/{FIRST}.docx": "x",
            f"cy/{FIRST}.py": "x",
            "di/notes.txt": "x",
        },
        [("ada", "", ""), ("bo", "", ""), ("cy", "", ""), ("di", "", "")],
    ),
    "a notebook among other files": (
        {f"ada/{FIRST}.ipynb": LITTLE, "ada/sketch.png": "x", "ada/data.csv": "x"},
        [("ada", f"{FIRST}.ipynb", FIRST)],
    ),
    "what browsers make of a name": (
        [f"ada/{FIRST}.ipynb.txt", f"bo/{FIRST}.ipynb.json", f"cy/{FIRST}.IPYNB"],
        [
            ("ada", f"{FIRST}.ipynb.txt", FIRST),
            ("bo", f"{FIRST}.ipynb.json", FIRST),
            ("cy", f"{FIRST}.IPYNB", FIRST),
        ],
    ),
    "spaces, hyphens and capitals": (
        ["ada/1 pictures from factors.ipynb", "bo/1-Pictures-From-Factors (final).ipynb"],
        [
            ("ada", "1 pictures from factors.ipynb", FIRST),
            ("bo", "1-Pictures-From-Factors (final).ipynb", FIRST),
        ],
    ),
    "a name behind the assignment's number": (
        [f"ada/{FIRST}_ada.ipynb", "bo/1_bo.ipynb", "cy/2-cy.ipynb"],
        [
            ("ada", f"{FIRST}_ada.ipynb", FIRST),
            ("bo", "1_bo.ipynb", FIRST),
            ("cy", "2-cy.ipynb", SECOND),
        ],
    ),
    "numbers that are no assignment's": (
        ["ada/12_ada.ipynb", "bo/9_bo.ipynb", "cy/1st try.ipynb"],
        [("ada", "12_ada.ipynb", ""), ("bo", "9_bo.ipynb", ""), ("cy", "1st try.ipynb", "")],
    ),
    "names in letters of all kinds": (
        [f"Zoë O'Brien/{FIRST}.ipynb", f"山田 太郎/{FIRST}.ipynb", f"Nils  Ōe /{FIRST}.ipynb"],
        [
            ("Nils Ōe", f"{FIRST}.ipynb", FIRST),
            ("Zoë O'Brien", f"{FIRST}.ipynb", FIRST),
            ("山田 太郎", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "a name that a terminal or a table would obey": (
        [f"=1+1/{FIRST}.ipynb", f"a\x1b[2Jb/{FIRST}.ipynb", f"c\nd/{FIRST}.ipynb"],
        [
            ("=1+1", f"{FIRST}.ipynb", FIRST),
            (r"a\x1b[2Jb", f"{FIRST}.ipynb", FIRST),
            ("c d", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "what systems and editors leave": (
        [
            f"__MACOSX/ada/._{FIRST}.ipynb",
            f"ada/.ipynb_checkpoints/{FIRST}-checkpoint.ipynb",
            f"ada/__pycache__/{FIRST}.ipynb",
            ".DS_Store",
            "Thumbs.db",
            f"ada/{FIRST}.ipynb",
        ],
        [("ada", f"{FIRST}.ipynb", FIRST)],
    ),
    "a notebook that is a folder": (
        {f"ada/{FIRST}.ipynb": FOLDER, f"bo/{FIRST}.ipynb/{FIRST}.ipynb": LITTLE},
        [("ada", "", ""), ("bo", f"{FIRST}.ipynb/{FIRST}.ipynb", FIRST)],
    ),
    "links and pipes": (
        {f"ada/{FIRST}.ipynb": NOWHERE, f"bo/{FIRST}.ipynb": PIPE, f"cy/{FIRST}.ipynb": LITTLE},
        [("ada", "", ""), ("bo", "", ""), ("cy", f"{FIRST}.ipynb", FIRST)],
    ),
    "an archive that nobody unpacked": (
        {"ada/homework.zip": "PK", "bo.zip": "PK", f"cy/{FIRST}.ipynb": LITTLE},
        [("ada", "", ""), ("cy", f"{FIRST}.ipynb", FIRST)],
    ),
    "several copies": (
        [f"ada/{FIRST}.ipynb", f"ada/{FIRST} (1).ipynb", f"ada/{FIRST}-Copy1.ipynb", "bo/1_.ipynb"],
        [
            ("ada", f"{FIRST} (1).ipynb", FIRST),
            ("ada", f"{FIRST}-Copy1.ipynb", FIRST),
            ("ada", f"{FIRST}.ipynb", FIRST),
            ("bo", "1_.ipynb", FIRST),
        ],
    ),
    "one file that went astray": (
        [f"{FIRST}.ipynb", f"ada/{FIRST}.ipynb", f"bo/{FIRST}.ipynb"],
        [
            (FIRST, f"{FIRST}.ipynb", FIRST),
            ("ada", f"{FIRST}.ipynb", FIRST),
            ("bo", f"{FIRST}.ipynb", FIRST),
        ],
    ),
    "a student who names the file like somebody else's download": (
        [
            f"Bo_2{MOODLE}/Ada_1{MOODLE}_{FIRST}.ipynb",
            f"cy/lovelaceada_12345_67890_{FIRST}.ipynb",
            f"Di_3{MOODLE}_Ada_1{MOODLE}_{FIRST}.ipynb",
            f"eli_44_55_lovelaceada_12345_67890_{FIRST}.ipynb",
        ],
        [
            ("Bo (2)", f"Ada_1{MOODLE}_{FIRST}.ipynb", FIRST),
            ("Di (3)", f"Ada_1{MOODLE}_{FIRST}.ipynb", FIRST),
            ("cy", f"lovelaceada_12345_67890_{FIRST}.ipynb", FIRST),
            ("eli (44)", f"lovelaceada_12345_67890_{FIRST}.ipynb", FIRST),
        ],
    ),
    "one name, once composed and once not": (
        [f"Zo\u00eb/{FIRST}.ipynb", f"Zoe\u0308/{SECOND}.ipynb"],
        [("Zo\u00eb", f"{FIRST}.ipynb", FIRST), ("Zo\u00eb", f"{SECOND}.ipynb", SECOND)],
    ),
    "nothing at all": ([], []),
    "files of no student": ({"list.csv": "x", "grades.xlsx": "x"}, []),
}


@pytest.mark.parametrize(("files", "expected"), CLASSES.values(), ids=CLASSES)
def test_who_handed_in_what(files, expected, tmp_path):
    make(tmp_path, files)
    assert rows(tmp_path) == expected


def test_every_file_has_a_student_and_where_its_name_tells_it_an_assignment(tmp_path):
    make(tmp_path, [f"ada/{FIRST}.ipynb", f"ada/old/{FIRST}.ipynb", "bo/notes.txt", "1_cy.ipynb"])
    make(tmp_path, [f"ada/.ipynb_checkpoints/{FIRST}.ipynb"])
    found = find(tmp_path).submissions
    assert [(one.student, one.file, one.assignment) for one in found] == [
        ("1_cy", "1_cy.ipynb", FIRST),
        ("ada", f"{FIRST}.ipynb", FIRST),
        ("ada", f"old/{FIRST}.ipynb", FIRST),
        ("bo", "", ""),
    ]
    assert found[-1].notes == (
        "nothing handed in that can be graded",
        "no notebook, and not graded: notes.txt",
    )


ALONE = {
    "a notebook": ("ada", [f"{FIRST}.ipynb"], "ada"),
    "all notebooks, an older one and other files": (
        "ada",
        [*(f"{name}.ipynb" for name in NAMES), f"old/{FIRST}.ipynb", "data.csv"],
        "ada",
    ),
    "a second copy": ("ada", [f"{FIRST} (1).ipynb"], "ada"),
    "a notebook of one's own beside it": ("ada", [f"{FIRST}.ipynb", "scratch.ipynb"], "ada"),
    "a version of one's own beside it": ("ada", [f"{FIRST}.ipynb", f"{FIRST}_final.ipynb"], "ada"),
    "Moodle's folder": (f"Ada L_5{MOODLE}_", ["homework.ipynb"], "Ada L (5)"),
    "a folder with spaces": ("Zoë  O'Brien", [f"{FIRST}.ipynb"], "Zoë O'Brien"),
}


@pytest.mark.parametrize(("folder", "files", "student"), ALONE.values(), ids=ALONE)
def test_the_folder_of_one_student_alone_is_that_student_s(folder, files, student, tmp_path):
    make(tmp_path / folder, files)
    found = find(tmp_path / folder)
    assert {one.student for one in found.submissions} == {student}
    assert len(found.submissions) == sum(name.endswith(".ipynb") for name in files)
    assert found.notes == [f"{tmp_path / folder} is taken for the folder of one student, {student}"]


SAID = {
    "a link": ({f"ada/{FIRST}.ipynb": NOWHERE}, f"{FIRST}.ipynb is a link and is left out"),
    "a pipe": ({f"ada/{FIRST}.ipynb": PIPE}, f"{FIRST}.ipynb is neither a file nor a folder"),
    "a folder": ({f"ada/{FIRST}.ipynb": FOLDER}, f"{FIRST}.ipynb is a folder, and no notebook"),
    "an archive": ({"ada/x.zip": "PK"}, "x.zip is an archive: unpack it, then grade again"),
    "an archive of nobody's": ({"x.zip": "PK"}, "left out: x.zip is an archive"),
    "a table of nobody's": ({"list.csv": "x"}, "left out: list.csv is no notebook"),
    "a link of nobody's": ({"ada": NOWHERE}, "left out: ada is a link and is left out"),
    "many files": (
        {f"ada/{number}.txt": "x" for number in range(7)},
        "not graded: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more",
    ),
    "a late one": (
        [f"libo_LATE_12346_67891_{FIRST}.ipynb"],
        "handed in late, says the file's name",
    ),
    "an empty folder": ({"ada": FOLDER}, "nothing handed in"),
    "one that went astray": (
        [f"{FIRST}.ipynb", f"ada/{FIRST}.ipynb", f"bo/{FIRST}.ipynb"],
        "it lies in no student's folder",
    ),
}


@pytest.mark.parametrize(("files", "sentence"), SAID.values(), ids=SAID)
def test_what_is_not_graded_is_said(files, sentence, tmp_path):
    make(tmp_path, files)
    assert sentence in notes(tmp_path)


def test_a_notebook_is_known_by_its_cells_if_its_name_tells_nothing(tmp_path):
    make(tmp_path, {"ada/homework.ipynb": notebook_of(THIRD), "bo/Untitled.ipynb": LITTLE})
    assert [row[2] for row in rows(tmp_path)] == [THIRD, ""]
    assert notes(tmp_path) == ""


def test_a_notebook_under_the_name_of_another_is_graded_by_its_cells(tmp_path):
    make(tmp_path, {f"ada/{FIRST}.ipynb": notebook_of(FOURTH)})
    assert rows(tmp_path) == [("ada", f"{FIRST}.ipynb", FOURTH)]
    assert f"called {FIRST}.ipynb, it holds the cells of {FOURTH}" in notes(tmp_path)


def test_a_notebook_with_cells_of_two_assignments_is_what_its_name_says(tmp_path):
    both, second = released(FIRST), released(SECOND)
    for cell in second.cells:
        cell.id = f"second-{cell.id}"
    both.cells += second.cells
    make(
        tmp_path, {f"ada/{FIRST}.ipynb": nbformat.writes(both), "bo/x.ipynb": nbformat.writes(both)}
    )
    assert [row[2] for row in rows(tmp_path)] == [FIRST, ""]


def test_two_files_of_one_name_are_told_apart(tmp_path):
    make(tmp_path, [f"ada_11_22_{FIRST}.ipynb", f"ada_11_33_{FIRST}.ipynb", "ada_11_44_x.ipynb"])
    found = find(tmp_path).submissions
    assert {one.student for one in found} == {"ada (11)"}
    assert len({one.file for one in found}) == 3
    assert len({(one.folder, one.within) for one in found}) == 3


def test_a_folder_of_results_among_the_submissions_is_no_student(tmp_path):
    make(tmp_path, [f"ada/{FIRST}.ipynb", "graded/feedback/ada/x.html"])
    assert rows(tmp_path, leave_out=tmp_path / "graded") == [("ada", f"{FIRST}.ipynb", FIRST)]


def test_a_student_s_folder_that_is_a_link_has_a_row(tmp_path):
    make(tmp_path, [f"class/ada/{FIRST}.ipynb", f"elsewhere/{FIRST}.ipynb"])
    (tmp_path / "class" / "bo").symlink_to(tmp_path / "elsewhere")
    assert rows(tmp_path / "class") == [("ada", f"{FIRST}.ipynb", FIRST), ("bo", "", "")]
    assert "bo is a link and is left out: copy the folder itself" in notes(tmp_path / "class")


def test_the_name_of_a_folder_is_text_whatever_its_bytes():
    assert readable(os.fsdecode("Zoë".encode())) == "Zoë"
    assert readable(os.fsdecode(b"Zo\xeb")) == r"Zo\xeb"
    assert readable(os.fsdecode(b"Zo\xe9")) != readable(os.fsdecode(b"Zo\xeb"))


def test_a_folder_of_bytes_has_a_student(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/Zo\xeb")
    (tmp_path / os.fsdecode(b"Zo\xeb") / f"{FIRST}.ipynb").write_text(LITTLE, encoding="utf-8")
    assert rows(tmp_path) == [(r"Zo\xeb", f"{FIRST}.ipynb", FIRST)]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        find(tmp_path / "nowhere")


def test_a_file_above_the_limit_is_known_by_its_name_alone(tmp_path, monkeypatch):
    make(tmp_path, {f"ada/{FIRST}.ipynb": notebook_of(FOURTH)})
    monkeypatch.setattr(collected, "FILE_BYTES", 10)
    assert rows(tmp_path) == [("ada", f"{FIRST}.ipynb", FIRST)]


def test_names_of_downloads_are_read_back():
    told = downloads.of_file(f"o_brienzoe_LATE_12345_67890_{FIRST}.ipynb")
    assert (told.name, told.number, told.file, told.late) == (
        "o_brienzoe",
        "12345",
        f"{FIRST}.ipynb",
        True,
    )
    assert downloads.of_file(f"{FIRST}.ipynb") is None
    assert downloads.of_folder("team_12_34_blue") is None


def test_cells_tell_assignments_apart():
    for name in NAMES:
        others = [assignments.grade_ids(other) for other in NAMES if other != name]
        assert len(assignments.grade_ids(name).difference(*others)) >= 5
