"""What an assignment's visible check says to a student: the property it observed, and the mistake where it can see it.

A check calls the student's function on cases whose answer is known by hand. It prints a line if all is well, and else
raises `NotYet` with a sentence. It imports nothing of this library, and hidden tests try more than it does.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch


class NotYet(AssertionError):
    """An answer is not right yet; a notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def expect(true, sentence: str) -> None:
    """Raise NotYet with the sentence unless true."""
    if not true:
        raise NotYet(sentence)


def passed(what: str) -> None:
    print(f"{what}: the check found nothing wrong. More is tried when it is graded.")


def is_tensor(value, shape: tuple[int, ...], what: str) -> None:
    """A floating-point tensor of this shape, without nan or infinity."""
    expect(
        isinstance(value, torch.Tensor),
        f"{what} is a {type(value).__name__}; it must be a torch tensor.",
    )
    expect(
        tuple(value.shape) == shape,
        f"{what} has shape {list(value.shape)} where {list(shape)} is asked for.",
    )
    expect(
        value.is_floating_point(),
        f"{what} holds {value.dtype}; it must hold floating-point numbers.",
    )
    expect(value.isfinite().all(), f"{what} holds numbers that are not finite.")


def is_number(value, what: str) -> float:
    """A finite number, also as an array or tensor of one element; as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise NotYet(f"{what} is {value!r}; it must be a number.") from None
    expect(np.isfinite(number), f"{what} is {number}; it must be finite.")
    return number


def same(
    got, right, what: str, mistakes: Mapping[str, object] = {}, tolerance: float = 1e-4
) -> None:
    """Compare numbers; the sentence of a mistake whose value is what was got, or else the largest difference."""
    got, right = as_array(got), as_array(right)
    expect(
        got.shape == right.shape,
        f"{what} has shape {list(got.shape)} where {list(right.shape)} is asked for.",
    )
    if close(got, right, tolerance):
        return
    for sentence, wrong in mistakes.items():
        if close(got, as_array(wrong), tolerance):
            raise NotYet(sentence)
    if got.size <= 4:
        raise NotYet(f"{what} is {short(got)} where {short(right)} is right.")
    difference = np.abs(got - right)
    at = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    raise NotYet(
        f"{what}: the number at {[int(i) for i in at]} is {short(got[at])} where {short(right[at])} is right."
    )


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def as_array(value) -> np.ndarray:
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else value
    return np.asarray(value, dtype=np.float64)


def short(value) -> str:
    return " ".join(np.array2string(np.asarray(value), precision=3, separator=",").split()).replace(
        "[ ", "["
    )


@contextlib.contextmanager
def without(*functions: Callable) -> Iterator[None]:
    """Take functions of the library away, under every name that they have been given; classes lose `__init__`.

    In the block, a call of one raises NotYet: the task asks for a function of one's own.
    """
    codes = {
        function: function.__code__ for function in functions if not isinstance(function, type)
    }
    starts = {kind: kind.__init__ for kind in functions if isinstance(kind, type)}
    try:
        for function in codes:
            function.__code__ = _taken_away.__code__
        for kind in starts:
            kind.__init__ = _taken_away
        yield
    finally:
        for function, code in codes.items():
            function.__code__ = code
        for kind, start in starts.items():
            kind.__init__ = start


def _taken_away(*args, **kwargs):
    from sbd_utils.checks.kit import NotYet  # this code runs as a function of another module

    raise NotYet(
        "you call the library's own function for this task; it is taken away here: write it yourself."
    )
