"""What the page asks, and what it is answered.

A message is a dictionary with a "type": an event, which changes the state (see `events`), or a
wish, which does not. With its answer come back "stamp" (when it was sent), "page" (by which view)
and "number" (which of that view's messages it is). A page that gets no answer asks again; by its
number an event is known that has been done already.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sbd_utils.data import CIRCLE_SIZE, CircleStream, Factor
from sbd_utils.explorer.core import TRAVERSAL_SPAN, Explorer
from sbd_utils.explorer.events import Name, read_integer, read_name, read_number, shortened
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.explorer.side import FIELD, FIELD_SIZE, Side

WITH_GRID = ("hello", "axes", "reset")
"""Messages whose answer holds the encoded grid: it changes with the axes alone."""
RETURNED: dict[str, Callable[[str, Any], Any]] = {
    "stamp": read_number,
    "page": read_name,
    "number": read_integer,
}
"""What a message may bring and its answer takes back, and how each is checked."""
LONGEST_NAME = 64
"""Characters of a page's name, at most."""
PAGES = 100
"""Pages whose last event is remembered."""
FACTOR_STEPS = 48
"""An arrow key moves a factor by its range over this, or by a pixel."""
GOAL_REACHED = 0.7
"""From this overlap on a picture is called the goal's."""


class Answer(NamedTuple):
    """What goes back to the page."""

    content: dict[str, Any]
    """What JSON can hold, with a "type": view, field, code, file or error."""
    buffers: Sequence[bytes] = ()
    """Bytes of pictures, or of a file."""


class Message(NamedTuple):
    """What comes from a page."""

    event: dict[str, Any]
    """An event or a wish."""
    returned: dict[str, Any]
    """What goes back with the answer; see `RETURNED`."""


def read_message(message: Any) -> Message:
    """A message in its two parts.

    Raises:
        ValueError: It is no dictionary, or what its answer should take back is malformed.
    """
    if not isinstance(message, Mapping):
        raise ValueError(f"message is {shortened(message)}; it must be a dictionary")
    event = {name: value for name, value in message.items() if name not in RETURNED}
    returned = dict.fromkeys(RETURNED)
    for name, read in RETURNED.items():
        if message.get(name) is not None:
            returned[name] = read(name, message[name])
    if len(str(returned["page"])) > LONGEST_NAME:
        wanted = f"it must have at most {LONGEST_NAME} characters"
        raise ValueError(f"page is {shortened(returned['page'])}; {wanted}")
    return Message(event, returned)


class Core(Protocol):
    """What pages show: a state that takes events."""

    def handle(self, event: Mapping[str, Any]) -> None:
        """Take one, or raise ValueError and change nothing."""


class Talk:
    """A core, and what has been said about it with its pages, whatever it is.

    A subclass says what is to be seen (`view`), and what else it answers (`wishes`).
    """

    def __init__(self, core: Core) -> None:
        """Begin.

        Args:
            core: What the pages show.
        """
        self.core = core
        self.core_seconds = 0.0
        """What the core took for the last event."""
        self.accepted: list[dict[str, Any]] | None = None
        """A list here collects the events that were accepted."""
        self._done: dict[Name, int] = {}
        """By page, the number of the last event that has been done."""

    def respond(self, message: Any, send: Callable[[dict[str, Any], list[bytes]], object]) -> None:
        """Answer a message, a bad one with what is wrong: the page waits for the answer.

        Args:
            message: What came; anything.
            send: Takes the answer, what JSON can hold and bytes; it is called once.
        """
        start = time.perf_counter()
        self.core_seconds = 0.0
        returned: dict[str, Any] = {}
        answer = Answer({"type": "error", "text": "the explorer failed; its log says how"})
        try:
            event, returned = read_message(message)
            answer = self._answer(event, returned["page"], returned["number"])
        except ValueError as error:  # it is refused
            answer = Answer({"type": "error", "text": str(error)})
        finally:
            # For those who measure: milliseconds spent here, and in the core.
            kernel = 1000 * (time.perf_counter() - start)
            times = {"kernel": kernel, "core": 1000 * self.core_seconds}
            send({**answer.content, **returned, **times}, list(answer.buffers))

    def _answer(self, event: dict[str, Any], page: Name | None, number: int | None) -> Answer:
        wishes = {"hello": self.view, **self.wishes()}
        kind = event.get("type")
        if isinstance(kind, str) and kind in wishes:
            return wishes[kind](event)
        if self._is_done(page, number):
            return self.view({"type": "hello"})
        start = time.perf_counter()
        self.core.handle(event)
        self.core_seconds = time.perf_counter() - start
        self._remember(page, number)
        if self.accepted is not None:
            self.accepted.append(event)
        return self.view(event)

    def view(self, message: dict[str, Any]) -> Answer:
        """What is to be seen now, after a message."""
        raise NotImplementedError

    def wishes(self) -> dict[str, Callable[[dict[str, Any]], Answer]]:
        """What is answered without a change, by the type that asks for it."""
        return {}

    def _is_done(self, page: Name | None, number: int | None) -> bool:
        done = None if page is None else self._done.get(page)
        return done is not None and number is not None and number <= done

    def _remember(self, page: Name | None, number: int | None) -> None:
        if page is None or number is None:
            return
        self._done[page] = number
        if len(self._done) > PAGES:
            oldest = next(iter(self._done))
            del self._done[oldest]


class Conversation(Talk):
    """An explorer, and what has been said about it with its pages."""

    core: Explorer

    def wishes(self) -> dict[str, Callable[[dict[str, Any]], Answer]]:
        """Codes, files, and the pictures behind a plane."""
        return {"code": self._code, "png": self._png, "gif": self._gif, "field": self._field}

    def _code(self, _: dict[str, Any]) -> Answer:
        return Answer({"type": "code", "text": self.core.code()})

    def _png(self, _: dict[str, Any]) -> Answer:
        name = _file_name(*self.core.sides, ending="png")
        return Answer({"type": "file", "name": name, "mime": "image/png"}, [self.core.png()])

    def _gif(self, wish: dict[str, Any]) -> Answer:
        model, latents = read_name("model", wish.get("model")), wish.get("latents")
        if not isinstance(latents, list):
            raise ValueError(f"latents is {shortened(latents)}; it must be a list of integers")
        film = self.core.gif(model, *latents)
        name = _file_name(model, *(f"z{latent}" for latent in latents), ending="gif")
        return Answer({"type": "file", "name": name, "mime": "image/gif"}, [film])

    def _field(self, wish: dict[str, Any]) -> Answer:
        """A row of the small pictures behind a plane."""
        core = self.core
        name = read_name("model", wish.get("model"))
        if name not in core.sides:
            raise ValueError(
                f"model is {shortened(name)}; it must be one of {', '.join(map(repr, core.sides))}"
            )
        row, side = read_integer("row", wish.get("row")), core.sides[name]
        pictures = side.field_row(row, core.span)
        about = {"type": "field", "model": name, "row": row, "axes": list(side.axes)}
        return Answer(about, [pictures.tobytes()])

    def view(self, message: dict[str, Any]) -> Answer:
        """What is to be seen now: the circle's picture, and every model's code and picture."""
        core = self.core
        with_grid = message["type"] in WITH_GRID
        view = {
            "type": "view",
            "circle": core.circle,
            "factors": [core.others[column].item() for column in core.data.free],
            "encoded": core.encoded,
            "linked": core.linked,
            "path": [_rounded(point, 1) for point in core.path],
            "lengths": _rounded(core.path_lengths(), 1),
            "sides": [_side_view(core, side, with_grid) for side in core.sides.values()],
        }
        pictures = [to_bytes(core.image()), *(side.picture for side in core.sides.values())]
        return Answer(view, [picture.tobytes() for picture in pictures])


def page_spec(core: Explorer) -> dict[str, Any]:
    """What a page must know before the first answer."""
    sides = [
        {
            "name": name,
            "channels": side.channels,
            "latents": side.ranked(),
            "pair": side.pair,
            "middle": _rounded(side.middle.tolist(), 4),
            "scale": side.scale,
        }
        for name, side in core.sides.items()
    ]
    return {
        "sides": sides,
        "im_size": core.im_size,
        "thing": "circle" if isinstance(core.data, CircleStream) else "picture",
        "channels": core.data.channels,
        "axes": [_factor_spec(factor) for factor in core.axes],
        "frame": [_frame(factor, core.im_size) for factor in core.axes],
        "factors": [_factor_spec(factor) for factor in core.factors],
        "goal": core.goal,
        "circle_radius": _radius(core),
        "goal_reached": GOAL_REACHED,
        "field": [FIELD, min(FIELD_SIZE, core.im_size)],
        "span": core.span,
        "traversal_span": TRAVERSAL_SPAN,
        "grid": core.true_grid.tolist(),
    }


def _factor_spec(factor: Factor) -> dict[str, Any]:
    """What a page must know of a factor."""
    return {
        "name": factor.name,
        "low": factor.low,
        "high": factor.high,
        "middle": factor.middle,
        "unit": factor.unit,
        "levels": list(factor.levels),
        "kinds": list(factor.kinds),
        "step": 1 if factor.unit == "pixels" else (factor.high - factor.low) / FACTOR_STEPS,
    }


def _frame(factor: Factor, im_size: int) -> tuple[float, float]:
    """From where to where the pad of the image goes."""
    return (0, im_size) if factor.unit == "pixels" else (factor.low, factor.high)


def _radius(core: Explorer) -> float:
    """Of the ring around the goal, in units of the first axis."""
    for factor in core.data.factors:
        if factor.name == "size" and factor.unit == core.axes[0].unit == "pixels":
            return factor.middle / 2
    left, right = _frame(core.axes[0], core.im_size)
    return CIRCLE_SIZE / 2 * (right - left) / core.im_size


def _side_view(core: Explorer, side: Side, with_grid: bool) -> dict[str, Any]:
    """What the page shows of a model; all but `z` and `mean` in the two latents on its axes."""
    axes = list(side.axes)
    view = {
        "axes": axes,
        "z": _rounded(side.z.tolist(), 4),
        "mean": _rounded(side.mean.tolist(), 4),
        "std": side.std[axes].tolist(),
        "trail": [_rounded(place, 3) for place in side.trail_in(axes)],
        "lengths": _rounded(side.trail_lengths(), 2),
        "overlap": round(core.overlap(side.name), 3),
        "text": core.describe(side.name),
    }
    if with_grid:
        view["grid"] = side.grid[:, :, axes].tolist()
    return view


def _file_name(*parts: Name, ending: str) -> str:
    """A name that every system takes, such as "SBD-z3.gif"."""
    words = [re.sub(r"[^\w.]+", "_", str(part)) for part in parts]
    return f"{'-'.join(words)}.{ending}"


def _rounded(values: Any, digits: int) -> list[float]:
    """Numbers with fewer digits: messages stay short."""
    return [round(value, digits) for value in values]
