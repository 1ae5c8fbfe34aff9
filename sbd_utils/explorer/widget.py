"""The latent explorer on a page, in JupyterLab or Voilà.

What is touched there goes to the core, and the core's answer to the canvas. Each message from the
page is a dictionary with a "type": an event, which changes the state (see `events`), or a wish,
which does not. With its answer come back "stamp" (when it was sent), "page" (by which view of the
widget) and "number" (which of that view's messages it is).
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import traitlets

from sbd_utils.data import CIRCLE_SIZE, center_range
from sbd_utils.explorer.core import TRAVERSAL_SPAN, Explorer
from sbd_utils.explorer.events import Name, read_integer, read_name
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.explorer.side import FIELD, FIELD_SIZE, Side
from sbd_utils.files import read_text
from sbd_utils.models import VAE

FOLDER = Path(__file__).parent
WITH_GRID = ("hello", "axes", "reset")
"""Messages whose answer holds the encoded grid: it changes with the axes alone."""
RETURNED = ("stamp", "page", "number")
"""What a message brings and its answer takes back."""
GOAL_REACHED = 0.7
"""From this overlap on a picture is called the goal's."""


class Answer(NamedTuple):
    """What goes back to the page."""

    content: dict[str, Any]
    """What JSON can hold, with a "type": view, field, code, file or error."""
    buffers: Sequence[bytes] = ()
    """Bytes of pictures, or of a file."""


def join_modules(page: str, pads: str) -> str:
    """One JavaScript module from two, since a widget brings only one.

    Args:
        page: Source that imports from "./pads.js", and from nowhere else, in one statement.
        pads: Source that exports each name where it is defined, and imports nothing.

    Returns:
        pads without the word `export`, then page without that import.

    Raises:
        ValueError: There are other imports, or not this one.
    """
    kept, found = re.subn(r'^import \{[^}]*\} from "\./pads\.js";\n', "", page, flags=re.MULTILINE)
    rest = re.findall(r"^import\b.*", kept + pads, re.MULTILINE)
    if found != 1 or rest:
        wanted = 'page.js imports from "./pads.js", once, and nothing else is imported'
        raise ValueError(f"{wanted}; there are {found} such imports, and besides {rest}")
    return re.sub(r"^export (?!default)", "", pads, flags=re.MULTILINE) + kept


class LatentExplorer(anywidget.AnyWidget):
    """Take hold of a latent code, and the picture follows.

    Everything on the page is one widget: a touch is one message to the kernel, and one comes back
    with the pictures. `.core` is the `Explorer` behind it.
    """

    _esm = join_modules(read_text(FOLDER / "page.js"), read_text(FOLDER / "pads.js"))
    _css = read_text(FOLDER / "page.css")
    spec = traitlets.Dict().tag(sync=True)
    """What a page must know before the first answer."""

    def __init__(self, models: VAE | Mapping[Name, VAE], seed: int = 0) -> None:
        """Make the explorer and its page.

        Args:
            models: A `VAE`, or several by name, `{"SBD": sbd, "deconv": deconv}`; see `Explorer`.
            seed: Of what is sampled.

        Raises:
            ValueError: models cannot be explored.
        """
        self.core = Explorer(models, seed)
        super().__init__(spec=_page_spec(self.core))
        self.core_seconds = 0.0
        """What the core took for the last event."""
        self.accepted: list[dict[str, Any]] | None = None
        """A list here collects the events that were accepted."""
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        """The models' names."""
        return f"LatentExplorer({', '.join(map(str, self.core.sides))})"

    def _receive(self, _: Any, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Answer every message, a bad one with what is wrong: the page waits for the answer."""
        start = time.perf_counter()
        self.core_seconds = 0.0
        returned = {name: message.get(name) for name in RETURNED}
        event = {name: value for name, value in message.items() if name not in RETURNED}
        answer = Answer({})
        try:
            answer = self._answer(event)
        except Exception as error:
            answer = Answer({"type": "error", "text": f"{type(error).__name__}: {error}"})
            raise
        finally:
            # For those who measure: milliseconds spent here, and in the core.
            kernel = 1000 * (time.perf_counter() - start)
            times = {"kernel": kernel, "core": 1000 * self.core_seconds}
            self.send({**answer.content, **returned, **times}, list(answer.buffers))

    def _answer(self, event: dict[str, Any]) -> Answer:
        wishes: dict[str, Callable[..., Answer]] = {
            "hello": self._view,
            "code": self._code,
            "png": self._png,
            "gif": self._gif,
            "field": self._field,
        }
        wish = wishes.get(str(event.get("type")))
        if wish is not None:
            return wish(event)
        start = time.perf_counter()
        self.core.handle(event)
        self.core_seconds = time.perf_counter() - start
        if self.accepted is not None:
            self.accepted.append(event)
        return self._view(event)

    def _code(self, _: dict[str, Any]) -> Answer:
        return Answer({"type": "code", "text": self.core.code()})

    def _png(self, _: dict[str, Any]) -> Answer:
        name = _file_name(*self.core.sides, ending="png")
        return Answer({"type": "file", "name": name, "mime": "image/png"}, [self.core.png()])

    def _gif(self, wish: dict[str, Any]) -> Answer:
        model, latents = wish.get("model"), wish.get("latents")
        if not isinstance(latents, list):
            raise ValueError(f"latents is {latents!r}; it must be a list of integers")
        film = self.core.gif(model, *latents)
        name = _file_name(model, *(f"z{latent}" for latent in latents), ending="gif")
        return Answer({"type": "file", "name": name, "mime": "image/gif"}, [film])

    def _field(self, wish: dict[str, Any]) -> Answer:
        """A row of the small pictures behind a plane."""
        core = self.core
        name = read_name("model", wish.get("model"))
        if name not in core.sides:
            raise ValueError(
                f"model is {name!r}; it must be one of {', '.join(map(repr, core.sides))}"
            )
        row, side = read_integer("row", wish.get("row")), core.sides[name]
        pictures = side.field_row(row, core.span)
        about = {"type": "field", "model": name, "row": row, "axes": list(side.axes)}
        return Answer(about, [pictures.tobytes()])

    def _view(self, message: dict[str, Any]) -> Answer:
        """What is to be seen now: the circle's picture, and every model's code and picture."""
        core = self.core
        with_grid = message["type"] in WITH_GRID
        view = {
            "type": "view",
            "circle": core.circle,
            "encoded": core.encoded,
            "linked": core.linked,
            "path": [_rounded(point, 1) for point in core.path],
            "lengths": _rounded(core.path_lengths(), 1),
            "sides": [_side_view(core, side, with_grid) for side in core.sides.values()],
        }
        pictures = [to_bytes(core.image()), *(side.picture for side in core.sides.values())]
        return Answer(view, [picture.tobytes() for picture in pictures])


def _page_spec(core: Explorer) -> dict[str, Any]:
    sides = [
        {
            "name": name,
            "channels": side.channels,
            "latents": side.ranked(),
            "scale": side.scale,
        }
        for name, side in core.sides.items()
    ]
    return {
        "sides": sides,
        "im_size": core.im_size,
        "center_range": center_range(core.im_size),
        "goal": core.goal,
        "circle_radius": CIRCLE_SIZE / 2,
        "goal_reached": GOAL_REACHED,
        "field": [FIELD, min(FIELD_SIZE, core.im_size)],
        "span": core.span,
        "traversal_span": TRAVERSAL_SPAN,
        "grid": core.true_grid.tolist(),
    }


def _side_view(core: Explorer, side: Side, with_grid: bool) -> dict[str, Any]:
    """What the page shows of a model; all but `z` in the two latents on its axes."""
    axes = list(side.axes)
    view = {
        "axes": axes,
        "z": _rounded(side.z.tolist(), 4),
        "mean": side.mean[axes].tolist(),
        "std": side.std[axes].tolist(),
        "trail": [_rounded(z[axes].tolist(), 3) for z in side.trail],
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
