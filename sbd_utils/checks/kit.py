"""What a check says, and how: comparisons that name the mistake they see.

A check calls the student's function on cases whose answer is known by hand. It says that all is
well, or raises `NotYet` with one sentence: the property it observed, and the mistake, if it knows
it. Right answers may come in other forms than ours (float32 or float64, a list for a tuple); a
function that changes what it was given is told so, since its caller may need it.
"""

import contextlib
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

Mistakes = Mapping[str, Any]
"""What each mistake would give (an array-like or a tensor), by the sentence that names it."""


class NotYet(AssertionError):
    """An answer is not right yet; a notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def expect(true: Any, sentence: str) -> None:
    """Raise `NotYet` with the sentence unless true."""
    if not true:
        raise NotYet(sentence)


def passed(what: str) -> None:
    """Say that nothing was found."""
    print(f"{what}: the check found nothing wrong. More is tried when it is graded.")


def solved(what: str) -> None:
    """Say that nothing was found, in an exercise of a notebook: nobody grades it."""
    print(f"{what}: the check found nothing wrong.")


def unwritten(*answers: Any) -> bool:
    """Whether an exercise's answer is still the `...` of its cell; if so, say it.

    None counts, too: a function whose body is `...` returns it. Nothing is raised, so that a
    notebook runs from its first cell to its last whatever has been written in it.
    """
    missing = any(answer is ... or answer is None for answer in answers)
    if missing:
        print("nothing is written yet: your answer goes where the cell has `...`.")
    return missing


# Calling the student's function


def call(function: Callable[..., Any], **given: Any) -> Any:
    """What the function gives for these arguments, which must be afterwards as they were before.

    The arguments are passed by position, so that a student's names for them do not matter. The
    mode of torch's gradients is the usual one, whatever a notebook has set.

    Args:
        function: The student's.
        **given: Its arguments, by the names that the task has for them.

    Raises:
        NotYet: An argument was changed in place.
    """
    before = {name: copied(value) for name, value in given.items()}
    with torch.enable_grad():
        result = function(*given.values())
    for name, value in given.items():
        expect(
            unchanged(value, before[name]),
            f"your function changes {name}, which its caller may still need: make a new one "
            f"(no -=, no pop, no method that ends in _, no {name}[...] = ...).",
        )
    return result


def copied(value: Any) -> Any:
    """A copy of tensors and arrays, also in lists and tuples; anything else as it is."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple):
        return type(value)(copied(item) for item in value)
    return value


def unchanged(value: Any, before: Any) -> bool:
    """Whether a value is still what `copied` made of it."""
    if type(value) is not type(before) and not isinstance(value, Tensor):
        return False
    if isinstance(value, Tensor):
        alike = value.shape == before.shape and value.dtype == before.dtype
        return alike and torch.equal(value.detach(), before)
    if isinstance(value, np.ndarray):
        return np.array_equal(value, before)
    if isinstance(value, list | tuple):
        same_length = len(value) == len(before)
        return same_length and all(map(unchanged, value, before))
    return bool(value is before or value == before)


# What an answer is


def parts(value: Any, count: int, sentence: str) -> Sequence[Any]:
    """The parts of an answer that has several: a tuple, or a list, or an array's rows.

    Raises:
        NotYet: With the sentence, if these are not `count` parts.
    """
    is_array = isinstance(value, np.ndarray | Tensor)
    several = value.ndim > 0 if is_array else isinstance(value, tuple | list)
    expect(several and len(value) == count, sentence)
    return list(value)


def is_tensor(value: Any, shape: tuple[int, ...], what: str) -> None:
    """Expect a floating-point tensor of this shape, without nan or infinity."""
    kind = type(value).__name__
    expect(isinstance(value, Tensor), f"{what} is a {kind}; it must be a torch tensor.")
    _has_shape(value, shape, what)
    expect(
        value.is_floating_point(),
        f"{what} holds {value.dtype}; it must hold floating-point numbers.",
    )
    expect(value.isfinite().all(), f"{what} holds numbers that are not finite.")


def is_array(value: Any, shape: tuple[int, ...], what: str) -> None:
    """Expect a NumPy array of numbers of this shape, without nan or infinity."""
    kind = "torch tensor" if isinstance(value, Tensor) else type(value).__name__
    expect(isinstance(value, np.ndarray), f"{what} is a {kind}; it must be a NumPy array.")
    _has_shape(value, shape, what)
    expect(value.dtype.kind in "iuf", f"{what} holds {value.dtype}; it must hold numbers.")
    expect(np.isfinite(value).all(), f"{what} holds numbers that are not finite.")


def is_number(value: Any, what: str) -> float:
    """A finite number, also as an array or tensor of one element; as a float."""
    sentence = f"{what} is {reprlib.repr(value)}; it must be a number."
    try:
        array = as_array(value, what)
    except NotYet:
        raise NotYet(sentence) from None
    expect(array.size == 1 and not isinstance(value, str | bool), sentence)
    number = float(array.item())
    expect(np.isfinite(number), f"{what} is {number}; it must be finite.")
    return number


def as_array(value: Any, what: str = "the answer") -> np.ndarray:
    """Numbers in float64, of a tensor or of what NumPy takes for an array.

    Raises:
        NotYet: These are no real numbers.
    """
    if isinstance(value, Tensor):
        expect(not value.is_complex(), f"{what} holds complex numbers.")
        return value.detach().cpu().double().numpy()
    try:
        array = np.asarray(_without_tensors(value))
    except (TypeError, ValueError):  # lists of unequal lengths
        array = np.asarray(None)
    expect(array.dtype.kind in "biuf", f"{what} is {reprlib.repr(value)}; it must hold numbers.")
    return array.astype(np.float64)


def _without_tensors(value: Any) -> Any:
    """Tensors inside a list or tuple as arrays."""
    if isinstance(value, Tensor):
        return as_array(value)
    if isinstance(value, list | tuple):
        return [_without_tensors(item) for item in value]
    return value


def _has_shape(value: Any, shape: tuple[int, ...], what: str) -> None:
    found, wanted = list(value.shape), list(shape)
    expect(found == wanted, f"{what} has shape {found} where {wanted} is asked for.")


# Comparing


def same(
    got: Any,
    right: Any,
    what: str,
    mistakes: Mistakes | None = None,
    tolerance: float = 1e-4,
    absolute: float | None = None,
) -> None:
    """Expect numbers to agree, or tell the mistake whose numbers they are.

    Args:
        got: The student's, an array-like or a tensor.
        right: Likewise.
        what: What the numbers are, the subject of the sentence.
        mistakes: What each known mistake would give.
        tolerance: Of a number, relative to the right one.
        absolute: What a number may be off however small the right one is; by default `tolerance`.

    Raises:
        NotYet: With the mistake's sentence, or with the number that is furthest off.
    """
    got, right = as_array(got, what), as_array(right)
    if right.ndim == 0 and got.size == 1:
        got = got.reshape(())
    _has_shape(got, right.shape, what)
    absolute = tolerance if absolute is None else absolute
    if close(got, right, tolerance, absolute):
        return
    for sentence, wrong in (mistakes or {}).items():
        if close(got, as_array(wrong), tolerance, absolute):
            raise NotYet(sentence)
    where = what
    if got.size > 4:
        at = _furthest(got, right)
        where = f"{what}: the number at {[int(i) for i in at]}"
        got, right = got[at], right[at]
    given, wanted = told_apart(got, right)
    raise NotYet(f"{where} is {given} where {wanted} is right.")


def close(a: ArrayLike, b: ArrayLike, tolerance: float, absolute: float | None = None) -> bool:
    """Whether a is b to a relative tolerance, or to an absolute one (by default the same)."""
    absolute = tolerance if absolute is None else absolute
    if np.shape(a) != np.shape(b):
        return False
    return bool(np.allclose(a, b, rtol=tolerance, atol=absolute))


def _furthest(got: np.ndarray, right: np.ndarray) -> tuple[Any, ...]:
    """Index of the largest difference; nan is further than anything."""
    difference = np.nan_to_num(np.abs(got - right), nan=np.inf)
    return np.unravel_index(difference.argmax(), difference.shape)


def told_apart(got: ArrayLike, right: ArrayLike) -> tuple[str, str]:
    """Both numbers, or few numbers, with as many digits as it takes to see where they differ."""
    for digits in range(4, 18):
        given, wanted = short(got, digits), short(right, digits)
        if given != wanted:
            break
    return given, wanted


def short(values: ArrayLike, digits: int = 4) -> str:
    """A number, or a list of them, with so many significant digits; whole numbers in full."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim:
        return f"[{', '.join(short(item, digits) for item in array)}]"
    number = float(array)
    if number.is_integer() and abs(number) < 2**53:
        return f"{number:.0f}"
    return f"{number:.{digits}g}"


# Gradients


def differentiable(values: Tensor) -> Tensor:
    """A copy of which a gradient can be asked, and which may be changed in place.

    Torch forbids to change a leaf in place; a function that does shall be told so by `call`.
    """
    with torch.enable_grad():
        return values.detach().clone().requires_grad_().clone()


def gradients(result: Tensor, inputs: Sequence[Tensor], weights: Tensor) -> list[Tensor | None]:
    """What reaches each input when sum(weights * result) is differentiated; None if nothing does.

    `requires_grad` is no proof: a tensor made anew has it, too, and nothing reaches the input.
    """
    if not result.requires_grad:
        return [None] * len(inputs)
    weights = weights.to(result)
    return list(torch.autograd.grad(result, inputs, weights, allow_unused=True))


def gradient_reaches(found: Tensor | None, right: Tensor, name: str, consequence: str) -> None:
    """Expect the gradient of each row [N, ...] of an input.

    Args:
        found: What `gradients` gave for it.
        right: What it should be.
        name: Of the input.
        consequence: What could not be learned without it.
    """
    expect(found is not None, f"no gradient reaches {name}: {consequence}")
    for row, (got, wanted) in enumerate(zip(as_array(found), as_array(right), strict=True)):
        where = f"row {row} of {name}"
        expect(got.any() or not wanted.any(), f"no gradient reaches {where}: {consequence}")
        same(got, wanted, f"the gradient in {where}")


# Taking the library's own functions away


@contextlib.contextmanager
def without(*functions: Any) -> Iterator[None]:
    """Take functions of the library away, under every name that they have been given.

    In the block, a call of one raises `NotYet`: the task asks for a function of one's own.
    Afterwards, also after an exception, they are what they were.

    Args:
        *functions: Functions, decorated or not, methods, properties, and classes, which lose their
            methods.

    Raises:
        TypeError: One is none of these.
    """
    with contextlib.ExitStack() as restored:
        for function in functions:
            _take_away(function, restored)
        yield


def _take_away(function: Any, restored: contextlib.ExitStack) -> None:
    if isinstance(function, property):  # the grader finds it where its getter says to be
        function = function.fget
    if isinstance(function, type):
        _take_class_away(function, restored)
        return
    layers = list(_layers(function))
    if not any(isinstance(layer, FunctionType) for layer in layers):
        raise TypeError(f"{function!r} cannot be taken away: it is no function, method or class")
    for layer in layers:
        if isinstance(layer, FunctionType):
            _replace_code(layer, restored)
        elif hasattr(layer, "cache_clear"):  # what it remembers would still be given
            layer.cache_clear()


def _layers(function: Any) -> Iterator[Any]:
    """A function, and what its decorators wrapped (`functools.wraps` notes it)."""
    while function is not None:
        function = getattr(function, "__func__", function)  # a method has its function here
        yield function
        function = getattr(function, "__wrapped__", None)


def _take_class_away(kind: type, restored: contextlib.ExitStack) -> None:
    """No new instance, and no method of one that was made before."""
    for value in list(vars(kind).values()):
        if isinstance(value, FunctionType | staticmethod | classmethod):
            _take_away(value, restored)
    if "__init__" not in vars(kind):
        try:
            kind.__init__ = _taken_away  # type: ignore[misc]
        except TypeError:
            raise TypeError(f"{kind!r} cannot be taken away: it is built into Python") from None
        restored.callback(delattr, kind, "__init__")


def _replace_code(function: FunctionType, restored: contextlib.ExitStack) -> None:
    """Code can be exchanged only for code that closes over as many variables."""
    code = function.__code__
    names = code.co_freevars
    function.__code__ = _taken_away.__code__.replace(co_freevars=names)
    restored.callback(setattr, function, "__code__", code)


def _taken_away(*args: Any, **kwargs: Any) -> Any:
    from sbd_utils.checks.kit import NotYet  # this code runs as a function of another module

    raise NotYet(
        "you call the library's own function for this task; it is taken away here: "
        "write it yourself."
    )
