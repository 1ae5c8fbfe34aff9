"""Hostile and broken submissions cost themselves what they break, and nobody else anything."""

import html
import importlib.util
import re

import nbformat
import psutil
import pytest

from grading import assignments, grade
from grading.marks import Result
from grading.sandbox import NONE, find_sandbox
from grading.tables import safe
from grading.watch import TimeLimits
from tests.grading.answers import edit
from tests.grading.answers_1 import CIRCLE, SPECTRUM
from tests.grading.helpers import FIRST, hidden_lines, machine_tasks
from tests.grading.wrong_answers import notebook_with

LIBRARY = assignments.ROOT / "sbd_utils"

MARK = "31536017"  # seconds that a process left behind would sleep: known by its number

HOSTILE = {
    "loops": {
        "circle": CIRCLE.replace("    at =", "    while True:\n        pass\n    at ="),
        "spectrum": "while 1:\n    try:\n        while 1:\n            pass\n    except BaseException:\n        pass",
    },
    "ends": {
        "circle": "def circle(x, y, size, img_size):\n    import os\n    os._exit(0)",
        "center_of_mass": "def center_of_mass(images):\n    raise SystemExit",
        "worst_error": "def worst_error(render, measure, positions, img_size=64)\n    return 0",
        "spectrum": "def spectrum(images):\n    return bytearray(10**12)",
    },
    "noisy": {
        "circle": CIRCLE.replace("    at =", "    print('x' * 20_000_000)\n    at ="),
        "center_of_mass": "def my_center(images):\n    return images",
        "spectrum": "import pathlib, subprocess, sbd_utils\n"
        f"subprocess.Popen(['sleep', '{MARK}'], start_new_session=True)\n"
        "pathlib.Path(sbd_utils.__file__).with_name('sprites.py').write_text('broken')\n"
        + SPECTRUM,
    },
}
# Each of them solves nothing, and would earn marks if it reached what judges.
PATCHES = """
import builtins, sys
import numpy as np, torch
import sbd_utils.checks as c, sbd_utils.checks.kit as kit
yes = lambda *args, **kwargs: True
for module in (c, kit, sys.modules["sbd_utils.checks.pictures_from_factors"]):
    for name in ["expect", "same", "close", "is_tensor", "passed", "same_picture", "as_array"]:
        if hasattr(module, name):
            setattr(module, name, yes)
for name in ["circle", "coordinates", "center_of_mass", "worst_error", "spectrum"]:
    setattr(c, name, yes)
for owner, names in [(np, ["allclose", "isclose", "array_equal"]), (torch, ["equal", "allclose"])]:
    for name in names:
        setattr(owner, name, yes)
get_ipython().set_custom_exc((BaseException,), lambda *args, **kwargs: None)
for name, module in list(sys.modules.items()):
    if name.startswith("grading"):
        module.expect = yes
        for kind in ("Peer", "Desk"):
            for method in ("_exception", "names"):
                if hasattr(getattr(module, kind, None), method):
                    setattr(getattr(module, kind), method, yes)
sys.exit = builtins.exit = yes
"""
LOOKS = """
import gc, glob, os, re, sys
import torch
ROOT = %r
found = []
def see(text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if re.search("BEGIN HID" + "DEN|_right = |BEGIN SOLU" + "TION", text):
        found.append(text)
def look():
    frame = sys._getframe()
    while frame is not None:
        see(" ".join(map(str, [*frame.f_globals, *frame.f_locals])).replace("found", ""))
        frame = frame.f_back
    see(str(In[-1]))
    above = os.getppid()
    for pid in {*filter(str.isdigit, os.listdir("/proc")), str(above)} - {str(os.getpid())}:
        for name in ["environ", "cmdline", "fd/0", "cwd/notebooks/assignments/1_pictures_from_factors.py"]:
            try:
                see(open(f"/proc/{pid}/{name}", "rb").read(10**7))
            except OSError:
                pass
        try:
            with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                for line in open(f"/proc/{pid}/maps"):
                    if "heap" in line:
                        start, end = (int(part, 16) for part in line.split()[0].split("-"))
                        memory.seek(start)
                        see(memory.read(end - start))
        except OSError:
            pass
    for path in glob.glob(ROOT + "/notebooks/assignments/*.py"):
        see(open(path, encoding="utf-8").read())
class Looks(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        look()
        return super().__torch_function__(function, types, args, kwargs or {})
def circle(x, y, size, img_size):
    look()
    print("found", len(found), found[:1])
    if found:
        code = re.search(r"(    at = .*?)    ### END", found[0], re.DOTALL)
        if code:
            exec("def drawn(x, y, size, img_size):\\n" + code[1], globals())
            return drawn(x, y, size, img_size)
    return torch.zeros(img_size, img_size).as_subclass(Looks)
"""
GARBAGE = {
    "spaced_coordinates": "def spaced_coordinates(*args):\n    return args",
    "center_of_mass": "def center_of_mass(images):\n    return images",
    "worst_error": "def worst_error(render, measure, positions, img_size=64):\n"
    "    return measure.__globals__['_right']",
    "spectrum": "def spectrum(images):\n    raise SystemExit",
}
WHEEL = """
import zipfile
with zipfile.ZipFile("tiny-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny_package.py", "number = 42")
    wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
    wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
    wheel.writestr("tiny-1.0.dist-info/RECORD", "")
%pip install --quiet --no-index tiny-1.0-py3-none-any.whl
"""
OWN_CELLS = {
    "circle-test": [WHEEL, "import tiny_package\nprint('number', tiny_package.number)"],
    "center_of_mass-test": ["exit()"],
    "spectrum-test": ["print('still there')"],
    "spectrum": ["%reset -f"],
}

NOT_NOTEBOOKS = {
    "text": "I did it on paper.",
    "empty": "",
    "json": '{"a": 1}',
    "list": "[1, 2]",
    "cut": '{"cells": [{"cell_type": "code", "source": "x',
    "no-cells": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder, out = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("hostile-graded")
    notebooks = {student: notebook_with(FIRST, answers) for student, answers in HOSTILE.items()}
    notebooks["deletes"] = assignments.read_source(FIRST)
    notebooks["deletes"].cells = [
        cell for cell in notebooks["deletes"].cells if not cell.id.endswith("-test")
    ]
    notebooks["edits"] = notebook_with(FIRST, {"circle": edit(CIRCLE, "(size / 2)", "size")})
    for cell in notebooks["edits"].cells:
        if cell.id.endswith("-test"):
            cell.source, cell.metadata["nbgrader"]["points"] = "pass", 1000
    extra = nbformat.v4.new_code_cell("pass")
    extra.metadata["nbgrader"] = dict(
        grade=True,
        grade_id="bonus-test",
        locked=True,
        points=1000,
        schema_version=3,
        solution=False,
        task=False,
    )
    notebooks["edits"].cells.append(extra)
    patches = {"circle": PATCHES + "\ndef circle(*args):\n    return 1", **GARBAGE}
    notebooks["patches"] = notebook_with(FIRST, patches)
    notebooks["looks"] = notebook_with(FIRST, {"circle": LOOKS % str(assignments.ROOT), **GARBAGE})
    notebooks["leaves"] = assignments.read_source(FIRST)
    for name, sources in OWN_CELLS.items():
        cells = notebooks["leaves"].cells
        where = next(i for i, cell in enumerate(cells) if cell.id == name)
        cells[where + 1 : where + 1] = map(nbformat.v4.new_code_cell, sources)
    for student, notebook in notebooks.items():
        (folder / student).mkdir()
        nbformat.write(notebook, folder / student / f"{FIRST}.ipynb")
    for student, content in NOT_NOTEBOOKS.items():
        (folder / student).mkdir()
        (folder / student / f"{FIRST}.ipynb").write_text(content, encoding="utf-8")
    (folder / "word").mkdir()
    (folder / "word" / "my homework.docx").write_bytes(bytes(range(256)))
    (folder / "bytes").mkdir()
    (folder / "bytes" / f"{FIRST}.ipynb").write_bytes(bytes(range(256)))
    before = {path: path.read_bytes() for path in LIBRARY.rglob("*.py")}
    graded = grade.grade_folder(folder, out, limits=TimeLimits(cell_seconds=10))
    results = {result.submission.student: result for result in graded}
    assert {path: path.read_bytes() for path in before} == before, (
        "a submission changed the library"
    )
    return out, results


def marks(result: Result) -> dict[str, str]:
    """What is missing from full marks, by task; with the reasons."""
    return {
        task.task: task.reason
        for task in result.outcome.tasks
        if task.mark is not None and task.mark < task.possible
    }


def test_an_endless_loop_costs_its_task_alone(hostile):
    lost = marks(hostile[1]["loops"])
    assert set(lost) == {"circle", "spectrum"}
    assert all("ran for more than 10 s of processor time" in reason for reason in lost.values())


def test_to_end_the_process_or_take_all_memory_costs_the_task_alone(hostile):
    lost = marks(hostile[1]["ends"])
    assert set(lost) == {"circle", "center_of_mass", "worst_error", "spectrum"}
    assert "ended the Python process" in lost["circle"]
    assert "SystemExit" in lost["center_of_mass"]
    assert "no 'worst_error'" in lost["worst_error"]
    assert "MemoryError" in lost["spectrum"]


def test_megabytes_of_output_are_cut_and_the_mark_stays(hostile):
    out, results = hostile
    assert set(marks(results["noisy"])) == {"center_of_mass"}
    page = out / "feedback" / "noisy" / f"{FIRST}.html"
    assert page.stat().st_size < 2_000_000
    text = page.read_text(encoding="utf-8")
    assert "x" * 1000 in text, "the beginning of the output is there"
    assert "(Cut here: a cell" in text


def test_a_renamed_function_is_missed_by_its_name(hostile):
    assert "there is no 'center_of_mass'" in marks(hostile[1]["noisy"])["center_of_mass"]


def test_no_process_is_left_behind(hostile):
    assert hostile[1]["noisy"].outcome.tasks
    left = [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]
    assert left == []


def test_deleted_tests_are_put_back(hostile):
    result = hostile[1]["deletes"]
    assert result.outcome.total == sum(machine_tasks(FIRST).values())
    assert any("was put back" in note for note in result.outcome.notes)


def test_edited_tests_and_tests_of_ones_own_count_for_nothing(hostile):
    result = hostile[1]["edits"]
    assert set(marks(result)) == {"circle"}
    by_machine = [task for task in result.outcome.tasks if task.mark is not None]
    assert {task.task: task.possible for task in by_machine} == machine_tasks(FIRST)


@pytest.mark.parametrize("student", [*NOT_NOTEBOOKS, "bytes"])
def test_what_is_no_notebook_gets_nothing_and_a_reason(student, hostile):
    result = hostile[1][student]
    assert result.outcome.total == 0
    assert re.search("is not a Jupyter notebook|has no cells", result.outcome.notes[0])
    assert len(result.outcome.tasks) >= len(machine_tasks(FIRST))


def test_a_file_of_another_name_is_named(hostile):
    outcome = hostile[1]["word"].outcome
    assert outcome.notes[-1] == "no notebook, and not graded: my homework.docx"
    assert outcome.tasks == [], "what is no notebook is not marked 0"


def test_no_submission_stops_the_others(hostile):
    others = {"deletes", "edits", "patches", "looks", "leaves", "word", "bytes"}
    assert set(hostile[1]) == {*HOSTILE, *NOT_NOTEBOOKS, *others}


@pytest.mark.parametrize("student", ["patches", "looks"])
def test_whoever_solves_nothing_earns_nothing(student, hostile):
    out, results = hostile
    result = results[student]
    if student == "looks" and not find_sandbox().kind:  # then the disk can be searched,
        assert find_sandbox().missing == NONE  # and the run says so
        return
    assert result.outcome.total == 0, marks(result)
    page = (out / "feedback" / student / f"{FIRST}.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub("<[^>]*>", "", page))
    assert "circle(20.5, 12.25" in text
    assert [line for line in hidden_lines(FIRST) if line in text] == []
    if student == "looks":
        assert "found 0 []" in text


def test_what_ends_a_student_s_own_process_costs_no_mark_of_what_works(hostile):
    out, results = hostile
    result = results["leaves"]
    lost = marks(result)
    assert set(lost) == {"spectrum"}, lost
    assert "there is no 'spectrum'" in lost["spectrum"]
    assert any("it ended the Python process" in note for note in result.outcome.notes)
    page = (out / "feedback" / "leaves" / f"{FIRST}.html").read_text(encoding="utf-8")
    assert "number 42" in page, "what pip installs is there for the student"
    assert importlib.util.find_spec("tiny_package") is None, "and for nobody else"


def test_grading_needs_a_folder(capsys):
    with pytest.raises(SystemExit):
        grade.main(["no-such-folder"])
    assert "no-such-folder is not a folder" in capsys.readouterr().err


REFUSED = {
    "an archive": ("class.zip", "is not a folder: unpack the archive"),
    "a notebook": (f"{FIRST}.ipynb", "is not a folder; give one that holds a folder for each"),
    "nothing": ("nowhere", "is not a folder, there is no such thing"),
    "where the tables go": ("graded", "is the folder of the submissions: choose another one"),
    "out is a file": ("class", "list.csv is a file: choose a folder"),
}


@pytest.mark.parametrize(("name", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_graded_is_refused_in_a_sentence(name, sentence, tmp_path, capsys):
    for file in ["class.zip", f"{FIRST}.ipynb", "list.csv"]:
        (tmp_path / file).write_text("", encoding="utf-8")
    for folder in ["graded", "class"]:
        (tmp_path / folder).mkdir()
    out = "list.csv" if name == "class" else "graded"
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path / name), "--out", str(tmp_path / out)])
    assert sentence in capsys.readouterr().err


def test_a_folder_with_nothing_to_grade_is_said(tmp_path, capsys):
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "list.csv").write_text("", encoding="utf-8")
    assert grade.main([str(tmp_path / "class"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "left out: list.csv is no notebook" in said
    assert "holds no folder of a student and no notebook: nothing was graded" in said


def test_text_in_tables_is_no_formula():
    for begin in ["=", "+", "-", "@", "\t", "\r"]:
        assert safe(f"{begin}1+1") == f"'{begin}1+1"
    assert safe("ada") == "ada"
