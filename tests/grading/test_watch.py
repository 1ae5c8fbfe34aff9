"""Time that decides a mark is processor time."""

import pytest

from grading.watch import TimeLimits, Watch


class Clocks:
    """A processor and a wall that a test moves."""

    processor = 0.0
    wall = 1000.0

    def watch(self, **limits: float) -> Watch:
        watch = Watch(TimeLimits(**limits), lambda: self.processor, lambda: self.wall)
        watch.start_kernel()
        return watch

    def run(self, watch: Watch, seconds: float, share: float) -> str:
        """Compute for so many seconds, with a share of a processor; the first reason to stop."""
        end = self.processor + seconds
        while self.processor < end:
            self.processor += 0.2 * share
            self.wall += 0.2
            if watch.reason_to_stop():
                return watch.reason_to_stop()
        return ""


@pytest.mark.parametrize("share", [1, 0.1, 0.01])
def test_a_busy_machine_stops_no_cell_that_a_quiet_one_would_not(share):
    clocks = Clocks()
    watch = clocks.watch(cell_seconds=20, wall_seconds=10_000)
    watch.start_cell(of_the_course=False)
    assert clocks.run(watch, 19, share) == ""
    assert clocks.run(watch, 2, share) == "it ran for more than 20 s of processor time"


def test_a_cell_has_its_time_whatever_the_one_before_took():
    clocks = Clocks()
    watch = clocks.watch(cell_seconds=20)
    for _ in range(10):
        watch.start_cell(of_the_course=False)
        assert clocks.run(watch, 19, 1) == ""


def test_a_cell_of_the_course_may_take_what_is_left():
    clocks = Clocks()
    watch = clocks.watch(cell_seconds=20, seconds=100)
    watch.start_cell(of_the_course=True)
    assert clocks.run(watch, 99, 1) == ""
    assert clocks.run(watch, 2, 1) == "it ran for more than 100 s of processor time"
    assert watch.reason_to_end() == "the submission took more than 100 s of processor time"


def test_a_cell_that_sleeps_is_ended():
    """A kernel that waits takes about a thousandth of a processor."""
    clocks = Clocks()
    watch = clocks.watch(asleep_seconds=120)
    watch.start_cell(of_the_course=False)
    assert clocks.run(watch, 10, 0.001) == "it waited for more than 120 s and computed nothing"
    assert 1110 < clocks.wall < 1130


def test_a_submission_ends_on_the_wall_s_clock_at_last():
    clocks = Clocks()
    watch = clocks.watch(wall_seconds=3600)
    watch.start_cell(of_the_course=False)
    clocks.run(watch, 50, 0.01)
    assert watch.reason_to_end() == "the submission took more than 3600 s"


def test_processes_that_end_take_no_time_back():
    clocks = Clocks()
    watch = clocks.watch(cell_seconds=20)
    watch.start_cell(of_the_course=False)
    clocks.processor = 21
    assert watch.reason_to_stop()
    clocks.processor = 1
    assert watch.reason_to_stop()
