"""The judge's namespace: whose names it has, and what it lets through."""

import threading
from multiprocessing import Pipe

import nbformat
import pytest
import torch

from grading import judge as room
from grading.judge import Judge, may_get, names_of
from grading.peer import Peer
from sbd_utils import checks

SOURCE = """
import math
def circle(x): return x
class Decoder: pass
first, (second, *rest) = 1, (2, 3)
total: int = 4
def _outer():
    inner = 5
"""


def test_the_names_that_are_asked_for_are_those_a_solution_defines():
    assert names_of(SOURCE) == ["circle", "Decoder", "first", "second", "rest", "total", "_outer"]
    assert names_of("def broken(:") == []


def cell(source: str, name: str, **nbgrader):
    made = nbformat.v4.new_code_cell(source)
    made.id = name
    made.metadata["nbgrader"] = {"grade_id": name, "grade": False, "solution": False, **nbgrader}
    return made


SOLUTION = cell("def double(x):\n    return 2 * x\nnumbers = {'a': 1}", "double", solution=True)
HELPER = cell(
    "import torch\nfrom sbd_utils import checks\nHALF = 0.5\ndef half(x): return HALF * x", "help"
)
TEST = """
checks.expect("numbers" in globals(), "there are no numbers.")
checks.same(half(checks.call(double, x=3.0)), 3, "half of the double")
### BEGIN HIDDEN TESTS
checks.expect(numbers == {"a": 1}, f"numbers are {numbers}.")
### END HIDDEN TESTS
"""


class Desk:
    """What a kernel serves, here in a thread."""

    def __init__(self, space):
        self.space = space

    def names(self, names):
        return {name: self.space[name] for name in names if name in self.space}

    def take_away(self, functions):
        raise AssertionError(functions)


@pytest.fixture
def verdict(tmp_path):
    """Judges a student's names with TEST."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [HELPER, SOLUTION, cell(TEST, "double-test", grade=True, points=1)]

    def judged(space) -> str:
        judge = Judge(notebook, notebook, tmp_path)
        ours, theirs = Pipe()
        judge.peer = Peer(ours, "j", None, may_get, 1000, [checks.NotYet])
        student = Peer(theirs, "k", Desk(space), classes=[checks.NotYet])
        thread = threading.Thread(target=student.serve, daemon=True)
        thread.start()
        reason = judge.test(2)
        thread.join(60)
        judge.close()
        return reason

    return judged


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        ({"double": lambda x: 2 * x, "numbers": {"a": 1}}, ""),
        ({"double": lambda x: 2 * x, "numbers": {"a": 1}, "half": lambda x: 3}, ""),
        ({"double": lambda x: x, "numbers": {"a": 1}}, "half of the double is 1.5 where 3 is right."),
        ({"double": lambda x: 2 * x}, "there are no numbers."),
        ({"numbers": {"a": 1}}, "there is no 'double'"),
        ({"double": lambda x: 2 * x, "numbers": {"a": 2}}, "numbers are {'a': 2}."),
        ({"double": 5, "numbers": {"a": 1}}, "TypeError"),
    ],
)  # fmt: skip
def test_a_test_judges_the_student_s_names_with_the_course_s_own(space, reason, verdict):
    found = verdict(space)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_whoever_does_not_serve_is_not_waited_for(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[HELPER])
    judge = Judge(notebook, notebook, tmp_path)
    judge.expect_kernel()
    threading.Timer(0.5, judge.let_go).start()
    assert "does not serve" in judge.test(0)
    judge.close()


@pytest.mark.parametrize("name", ["parameters", "encoder", "zero_grad", "_modules", "__class__"])
def test_what_may_be_had_of_a_module_is_what_is_public(name):
    assert may_get(torch.nn.Linear(1, 1), name) == (not name.startswith("_"))
    assert not may_get(room.names_of, name)
    assert not may_get(iter([1]), name)
