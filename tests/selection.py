"""Which tests are marked slow, which start first, and which need more of the system than Windows has.

A key is a folder or file under tests/, or a test of it, or a fixture that tests ask for, and begins
with `FOLDER/`, `test_…` or `fixture `. The value says why. `make test` leaves out what is slow, so
that a laptop is done in ten minutes; `make test-all` and continuous integration run everything.
"""

SLOW = {
    "test_notebooks.py::test_cells_and_solutions_run_from_a_plain_clone": (
        "every notebook a second time, with its solutions; that its cells run, nbval sees"
    ),
    "test_notebooks.py::test_training_that_was_stopped_is_looked_at_all_the_same": (
        "trains in notebook 03 once more"
    ),
    "browser/": "a JupyterLab, a Voilà and a browser",
    "book/": "builds the site, and looks at every page of it in a browser",
    "explorer/test_widget.py::test_five_thousand_events_leave_memory_flat": (
        "half a minute for what reads as a bound in the code"
    ),
    "fixture graded": "grades a class: solutions, untouched notebooks, wrong answers",
    "fixture judged": "has the grader's judge mark hundreds of answers",
    "fixture hostile": "grades a class that loops, takes all memory, and ends its process",
    "grading/test_nbgrader.py": "a course of nbgrader's: two assignments released and graded twice",
    "grading/test_windows.py::test_a_submission_is_graded_where_there_is_no_module_for_limits": (
        "a kernel; that the limits are said to be missing is tested without"
    ),
    "grading/test_release.py::test_sources_run_from_beginning_to_end": "trains in an assignment",
    "metrics/test_scores.py::test_an_interval_holds_the_truth_about_as_often_as_it_says": (
        "forty intervals of a hundred resamples; that one is computed is tested without"
    ),
    "training/test_processes.py": "starts two processes that train, five times",
    "training/test_loop.py::test_kill_9_at_random_steps_and_resume_is_bit_identical": (
        "starts eight processes; resuming within one is tested without"
    ),
    "test_other_data.py::test_a_sweep_over_a_world_by_name": "starts a process that trains",
    "test_command_line.py::test_sweep_does_not_run_again_what_is_finished": (
        "starts five processes; the table it writes is tested without"
    ),
}

QUICK = {
    "browser/test_explorer.py::test_the_circle_is_dragged_over_the_image": (
        "one test of each page stays: that it opens, hears a hand and draws"
    ),
}
"""What stays although SLOW names it."""

FIRST = (
    "notebooks/03_training.ipynb",
    "tests/test_notebooks.py",
    "notebooks/09_scenes_of_objects.ipynb",
    "tests/grading/test_hostile.py",
    "tests/grading/test_answers.py",
    "tests/browser/",
    "tests/book/",
)
"""What takes longest starts first: two processes are done together only if nothing long is left to one."""


def place(nodeid: str) -> int:
    """Where a test stands in the order of a run: those of FIRST, then all others."""
    beginnings = [nodeid.startswith(first) for first in FIRST]
    return beginnings.index(True) if any(beginnings) else len(FIRST)


POSIX = {
    "browser/": "groups of processes",
    "book/": "make",
    "grading/": "limits of memory and time",
    "test_setup.py": "make and sh",
    "training/test_processes.py": "SIGINT to a launcher",
    "training/test_loop.py::test_kill_9_at_random_steps_and_resume_is_bit_identical": "SIGKILL",
    "training/test_loop.py::test_ctrl_c_in_a_real_process_leaves_a_checkpoint_and_weights": (
        "SIGINT to a process"
    ),
    "training/test_loop.py::test_full_disk_leaves_the_old_checkpoint_intact": (
        "a limit on the size of a file"
    ),
}


def listed(table: dict[str, str], nodeid: str, fixtures: list[str]) -> bool:
    """Whether a table names a test, by its id below the root or by a fixture it asks for."""
    test = nodeid.removeprefix("tests/").partition("[")[0]
    above = [test, test.partition("::")[0], test.partition("/")[0] + "/"]
    return any(key in table for key in [*above, *(f"fixture {name}" for name in fixtures)])
