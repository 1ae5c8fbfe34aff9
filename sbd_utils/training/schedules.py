"""Values that change while a network trains, and the plan of a whole run."""

import hashlib
import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from sbd_utils.models import Model

Schedule = float | Callable[[float], float]
"""A number, or a function of the progress step / steps, which runs from 0 to 1."""


def piecewise_linear(*points: tuple[float, float]) -> Callable[[float], float]:
    """A schedule through points (progress, value); values beyond the ends are held.

    Raises:
        ValueError: There is no point, or progress does not increase from point to point.

    Example:
        >>> schedule = piecewise_linear((0.2, 8), (0.6, 4))
        >>> [schedule(u) for u in (0, 0.2, 0.4, 1)]
        [8.0, 8.0, 6.0, 4]
    """
    pairs = list(itertools.pairwise(points))
    if not points or any(a[0] >= b[0] for a, b in pairs):
        raise ValueError(f"points are {points}; at least one is needed, and progress must increase")

    def value(progress: float) -> float:
        for (start, low), (end, high) in pairs:
            if progress < end:
                share = max(progress - start, 0) / (end - start)
                return low + (high - low) * share
        return points[-1][1]

    return value


def piecewise_constant(*points: tuple[float, float]) -> Callable[[float], float]:
    """A schedule that takes each value of the points (progress, value) from that progress on.

    Raises:
        ValueError: The first progress is not 0, or progress does not increase.
    """
    ordered = all(a[0] < b[0] for a, b in itertools.pairwise(points))
    if not points or points[0][0] != 0 or not ordered:
        raise ValueError(f"points are {points}; progress must begin at 0 and increase")

    def value(progress: float) -> float:
        begun = [level for start, level in points if start <= progress]
        return begun[-1]

    return value


def beginning(steps: int, arguments: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The first updates of a run, with its schedules as far as they have come by then.

    Args:
        steps: Updates of the whole run.
        arguments: Of `fit`, schedules among them.
        share: Of the updates, in (0, 1].

    Returns:
        `steps` and `fit` for them, as recipes have them.
    """

    def cut(value: Any) -> Any:
        return (lambda progress: value(share * progress)) if callable(value) else value

    fitted = {name: cut(value) for name, value in arguments.items()}
    return {"steps": round(share * steps), "fit": fitted}


class Plan:
    """The value of every schedule at every update of a run."""

    def __init__(self, steps: int, schedules: Mapping[str, Schedule]) -> None:
        """Ask each schedule for its values once.

        Args:
            steps: Number of updates.
            schedules: By name; 'lr' and 'batch_size' among them, the others are the loss's.

        Raises:
            ValueError: A value is not finite, or one that its schedule cannot have.
        """
        self.names = list(schedules)
        columns = [_values(name, schedule, steps) for name, schedule in schedules.items()]
        self.table = torch.tensor(columns, dtype=torch.float32).T.contiguous()  # [steps, schedules]
        for name in self.names:
            _check(name, self[name])

    def __getitem__(self, name: str) -> Tensor:
        """The values of a schedule, [steps]."""
        return self.table[:, self.names.index(name)]

    def at(self, step: int) -> dict[str, float]:
        """The value of each schedule at an update; those that are whole numbers, as such."""
        values = dict(zip(self.names, self.table[step].tolist(), strict=True))
        whole = {name: int(value) for name, value in values.items() if name in _WHOLE}
        return values | whole

    @property
    def batch_sizes(self) -> list[int]:
        """[steps]."""
        return [int(size) for size in self["batch_size"].tolist()]

    def identity(self) -> dict[str, float | str]:
        """Each schedule by name: its value if that never changes, else a digest of all values."""
        found: dict[str, float | str] = {}
        for name in self.names:
            values = self[name]
            digest = hashlib.sha256(values.numpy().tobytes()).hexdigest()[:16]
            constant = bool((values == values[0]).all())
            found[name] = values[0].item() if constant else f"a schedule with digest {digest}"
        return found


_WHOLE = ("batch_size", "pool")


def _values(name: str, schedule: Schedule, steps: int) -> list[float]:
    """The value at every update; raises ValueError for one that is no number."""
    values = []
    for step in range(steps):
        given = schedule(step / steps) if callable(schedule) else schedule
        try:
            values.append(float(given))
        except (TypeError, ValueError):
            wanted = "it must be a number, or a function of the progress that gives one"
            raise ValueError(f"{name} is {given!r}; {wanted}") from None
    return values


def _check(name: str, values: Tensor) -> None:
    """Raise ValueError for the first value that the schedule of that name cannot have."""
    for value in values.unique().tolist():
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value:g} at some update; it must be finite")
        if value < 0:
            raise ValueError(f"{name} is {value:g} at some update; it must not be negative")
        if name in _WHOLE and (value < 1 or value != int(value)):
            raise ValueError(f"{name} is {value:g} at some update; it must be whole, at least 1")


def with_defaults(model: Model, weights: Mapping[str, Schedule]) -> dict[str, Schedule]:
    """The schedules that a model's loss takes, with its own defaults for those not given.

    Raises:
        TypeError: A schedule is given that the loss does not take.
    """
    known = inspect.signature(model.loss).parameters.values()
    taken = [p for p in known if p.kind is inspect.Parameter.KEYWORD_ONLY]
    defaults = {p.name: p.default for p in taken if p.default is not inspect.Parameter.empty}
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known)
    unknown = [name for name in weights if name not in {p.name for p in taken}]
    if unknown and not takes_any:
        listed = ", ".join(p.name for p in taken) or "none"
        raise TypeError(
            f"fit got {unknown[0]!r}, which is neither an argument of its own nor one that the "
            f"loss of {type(model).__name__} takes ({listed})"
        )
    return {**defaults, **weights}
