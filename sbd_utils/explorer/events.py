"""What a hand can do to the explorer, as typed events, and how they are read from dictionaries.

On its way from the page an event is a dictionary, `{"type": "slider", "model": "SBD", "latent": 3,
"value": 0.5}`: a type from `EVENTS`, and what belongs to it.
"""

import contextlib
import math
import reprlib
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple, get_type_hints

import numpy as np

SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 80
Name = str | int
"""What a model in the explorer is called."""


class MoveCode(NamedTuple):
    """Give the two latents on the model's axes these values; if linked, those of every model."""

    model: Name
    x: float
    y: float


class MoveSlider(NamedTuple):
    """Give one latent of one model a value."""

    model: Name
    latent: int
    value: float


class MoveCircle(NamedTuple):
    """Put the circle's centre there, in pixels; every model encodes it."""

    x: float
    y: float


class MoveFactor(NamedTuple):
    """Give another factor than the position a value; every model encodes the picture."""

    name: str
    value: float


class Walk(NamedTuple):
    """Put every code on the straight line between those of two circles: 0 and 1 are its ends."""

    share: float


class ChooseAxes(NamedTuple):
    """Show these two latents of a model, to the right and upwards."""

    model: Name
    x: int
    y: int


class Link(NamedTuple):
    """Say whether `MoveCode` moves the codes of all models."""

    value: bool


class Reset(NamedTuple):
    """Start again."""


class ClearTrail(NamedTuple):
    """Forget where the circle has been."""


class SamplePrior(NamedTuple):
    """Give every model a code from N(0, 1)."""


class SamplePosterior(NamedTuple):
    """Give every model a code from its posterior of the circle."""


Event = (
    MoveCode
    | MoveSlider
    | MoveCircle
    | MoveFactor
    | Walk
    | ChooseAxes
    | Link
    | Reset
    | ClearTrail
    | SamplePrior
    | SamplePosterior
)

EVENTS: dict[str, type[Event]] = {
    "latent": MoveCode,
    "slider": MoveSlider,
    "image": MoveCircle,
    "factor": MoveFactor,
    "walk": Walk,
    "axes": ChooseAxes,
    "link": Link,
    "reset": Reset,
    "clear": ClearTrail,
    "prior": SamplePrior,
    "posterior": SamplePosterior,
}
"""Events by the type that a dictionary gives."""


def shortened(value: Any) -> str:
    """A value as text that fits into a sentence, however large it is."""
    return SHORT.repr(value)


def read_event(event: Mapping[str, Any], events: Mapping[str, type] = EVENTS) -> Any:
    """The typed event of a dictionary.

    Args:
        event: A type from `events` under "type", and the fields of that event.
        events: Named tuples by the type that a dictionary gives.

    Raises:
        ValueError: The type is unknown, a field is missing, superfluous or of another kind.
    """
    if not isinstance(event, Mapping):
        raise ValueError(f"event is {shortened(event)}; it must be a dictionary with a 'type'")
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in events:
        raise ValueError(f"type is {shortened(kind)}; it must be one of {', '.join(events)}")
    wanted = get_type_hints(events[kind])
    given = {name: value for name, value in event.items() if name != "type"}
    if given.keys() != wanted.keys():
        takes = ", ".join(map(repr, wanted)) or "nothing more"
        raise ValueError(f"the event {shortened(event)} does not have what {kind!r} takes: {takes}")
    values = {name: READERS[wanted[name]](name, value) for name, value in given.items()}
    return events[kind](**values)


def read_name(name: str, value: Any) -> Name:
    """A model's name: text or an integer; NumPy's integers become Python's, as JSON needs them."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    raise ValueError(f"{name} is {shortened(value)}; it must be text or an integer")


def read_integer(name: str, value: Any) -> int:
    """An integer, Python's or NumPy's; True and False are none here."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name} is {shortened(value)}; it must be an integer")
    return int(value)


def read_number(name: str, value: Any) -> float:
    """A finite number, Python's or NumPy's; True and False are none here."""
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # an integer of hundreds of digits
            number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {shortened(value)}; it must be a finite number")
    return number


def read_truth(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {shortened(value)}; it must be True or False")
    return bool(value)


def read_text(name: str, value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {shortened(value)}; it must be text")
    return str(value)


READERS: dict[Any, Callable[[str, Any], Any]] = {
    Name: read_name,
    str: read_text,
    int: read_integer,
    float: read_number,
    bool: read_truth,
}
"""How the value of a field is checked, by the field's type."""
