"""How long a submission may run, in processor time: a busy machine takes no mark from anybody."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from grading.processes import seconds_of_children


@dataclass(frozen=True)
class TimeLimits:
    """When a run is ended.

    Processor time is what the work itself took, all processes together, whatever else the machine
    was doing: it alone may cost a mark. The other limits stop what waits for ever.
    """

    cell_seconds: float = 60
    """Processor time of a cell of the student's."""
    seconds: float = 300
    """Processor time of a submission, for one run through what need not be stopped."""
    asleep_seconds: float = 120
    """On the wall's clock, for a cell that waits and computes nothing."""
    wall_seconds: float = 3600
    """On the wall's clock, for a submission."""


AWAKE_SECONDS = 0.5
"""Of processor time within `asleep_seconds`: who has computed for less is asleep.

A process that competes with a hundred others has more; a kernel that sleeps has a tenth of it.
"""


@dataclass
class Watch:
    """Says when a cell has had its time, and when a submission has had all of it."""

    limits: TimeLimits
    processor: Callable[[], float] = seconds_of_children
    wall: Callable[[], float] = time.monotonic
    _latest: float = 0.0  # processor time since the kernel's start
    _cell_from: float = 0.0
    _cell_limit: float = 0.0
    _awake_at: float = 0.0  # on the wall's clock, and then on the processor's
    _awake_with: float = 0.0
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        """The submission's time begins."""
        self._until = self.wall() + self.limits.wall_seconds

    def start_kernel(self) -> None:
        """Begin a run through the notebook: processor time is counted from here."""
        self._latest = 0.0

    def start_cell(self, of_the_course: bool) -> None:
        """Begin to count; a cell of the course's may take all the time that is left."""
        self._latest = max(self._latest, self.processor())
        self._cell_from = self._awake_with = self._latest
        self._cell_limit = self.limits.seconds if of_the_course else self.limits.cell_seconds
        self._awake_at = self.wall()

    def reason_to_stop(self) -> str:
        """Why the cell that runs must be stopped, as a sentence; empty as long as it may go on."""
        self._latest = max(self._latest, self.processor())  # ended processes may drop out of it
        if self._latest - self._awake_with > AWAKE_SECONDS:
            self._awake_with, self._awake_at = self._latest, self.wall()
        if self._latest - self._cell_from > self._cell_limit:
            return f"it ran for more than {self._cell_limit:g} s of processor time"
        if self.wall() - self._awake_at > self.limits.asleep_seconds:
            return f"it waited for more than {self.limits.asleep_seconds:g} s and computed nothing"
        return self.reason_to_end()

    def reason_to_end(self) -> str:
        """Why no further cell may run, as a part of a sentence; empty as long as one may."""
        if self._latest > self.limits.seconds:
            return f"the submission took more than {self.limits.seconds:g} s of processor time"
        if self.wall() > self._until:
            return f"the submission took more than {self.limits.wall_seconds:g} s"
        return ""
