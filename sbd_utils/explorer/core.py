"""The latent explorer without its face: a state, events in, pictures out.

`LatentExplorer` puts it on a page.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.analysis import traverse
from sbd_utils.data import CircleStream, Factor, FactorStream, make_stream
from sbd_utils.explorer.events import (
    ChooseAxes,
    ClearTrail,
    Link,
    MoveCircle,
    MoveCode,
    MoveFactor,
    MoveSlider,
    Name,
    Reset,
    SamplePosterior,
    SamplePrior,
    Walk,
    read_event,
    read_integer,
    read_name,
    shortened,
)
from sbd_utils.explorer.pictures import gif, png, side_by_side
from sbd_utils.explorer.side import Side, find_lengths
from sbd_utils.explorer.spots import describe_picture
from sbd_utils.models import VAE

TRAIL = 200
"""Positions that are remembered."""
WAY_STEP = 2.0
"""Where the circle goes farther than this at once, in pixels, the way between is encoded, too …"""
WAY_PIECES = 24
"""… or, where the plane is not one of pixels, farther than the range over this."""
SPAN = 3.0
"""Planes and sliders reach at least this far, in standard deviations of the prior …"""
CLEARANCE = 1.05
"""… and this many times as far as the farthest code of the evaluation grid."""
SCALE = 4
"""Width of a picture's pixel in a file, in pixels."""
FILM_STEPS = 24
"""Pictures of a film one way."""
TRAVERSAL_SPAN = 2.0
"""A latent that is played, or saved as a film, goes to and fro as far as this."""
GOAL = (0.25, 0.75)
"""Where a hand shall bring the picture, right and down, in shares of where centres may lie."""


class Explorer:
    """One or several models under one hand.

    The same events in the same order give the same state. What is said of the circle holds of the
    image of any data set: its place is where the two factors of the data's `plane` are, and the
    other factors that vary have a value each.
    """

    def __init__(
        self,
        models: VAE | Mapping[Name, VAE],
        seed: int = 0,
        data: FactorStream | str | None = None,
    ) -> None:
        """Encode the evaluation grid with every model, and put the circle in the middle.

        Args:
            models: A `VAE`, or several by name (text or an integer); of the same image size, with
                grey or RGB images and two latents or more.
            seed: Of what is sampled.
            data: Where images come from: a data set or its name, see `make_stream`; by default
                circles.

        Raises:
            ValueError: models are none of these, or the data set's images are not theirs.
        """
        named: Mapping[Name, VAE] = {"model": models} if isinstance(models, VAE) else models
        if not named:
            raise ValueError("models is empty; give a VAE, or several by name")
        names = [read_name("a name in models", name) for name in named]
        source = _open(data, named)
        self.sides = {name: Side(name, named[name], source) for name in names}
        sizes = {name: side.im_size for name, side in self.sides.items()}
        if len(set(sizes.values())) > 1:
            wanted = "they must be the same"
            raise ValueError(f"models have images of different sizes, {sizes}; {wanted}")
        self.im_size = sizes[names[0]]
        self.seed = seed
        self.data = CircleStream(im_size=self.im_size) if source is None else source
        """Where images come from."""
        self.axes: list[Factor] = [self.data.factors[column] for column in self.data.plane]
        """The two factors that are dragged over the image."""
        self.factors: list[Factor] = [self.data.factors[column] for column in self.data.free]
        """The others that can be set."""
        x, y = self.axes
        self.goal = (x.low + GOAL[0] * (x.high - x.low), y.low + GOAL[1] * (y.high - y.low))
        """Centre of the circle, in pixels, whose picture a hand shall find in a plane."""
        self.linked = True
        """Whether a move in one plane moves the codes of all models."""
        self.encoded = True
        """Whether the codes are the circle's."""
        self.others = self.data.middle
        """[F] of the image: all its factors but the place."""
        self.circle = (x.middle, y.middle)
        """The circle's centre in pixels."""
        self.path: list[tuple[float, float]] = []
        """The circle's last positions, in pixels."""
        xx, yy, labels = self.data.lines()
        lines = labels.max() + 1
        self.true_grid = np.stack([xx, yy], 1).reshape(lines, -1, 2)
        """[lines, points, 2] in pixels: what every side's `grid` encodes."""
        reach = max(side.grid.abs().max().item() for side in self.sides.values())
        half_steps = math.ceil(2 * CLEARANCE * reach)
        self.span = max(SPAN, half_steps / 2)
        """Planes and sliders run from -span to span."""
        self._reset()

    def handle(self, event: Mapping[str, Any]) -> None:
        """Take one event.

        Args:
            event: A type from `EVENTS` and its fields, such as
                `{"type": "slider", "model": "SBD", "latent": 3, "value": 0.5}`.

        Raises:
            ValueError: It is no such event, or names a model or latent that is not there. Then
                nothing has changed.
        """
        match read_event(event):
            case MoveCode() as move:
                self._move_code(move)
            case MoveSlider() as move:
                self._move_slider(move)
            case MoveCircle(x, y):
                self._move_circle(x, y)
            case MoveFactor(name, value):
                self._move_factor(name, value)
            case Walk(share):
                self._walk(share)
            case ChooseAxes() as choice:
                self._choose_axes(choice)
            case Link(value):
                self.linked = value
            case Reset():
                self._reset()
            case ClearTrail():
                self._clear_trail()
            case SamplePrior():
                self._sample_prior()
            case SamplePosterior():
                self._sample_posterior()

    def state(self) -> dict[str, Any]:
        """All that events change, as plain numbers: what two explorers are compared by."""
        return {
            "circle": self.circle,
            "others": self.others.tolist(),
            "shown": self.encoded,
            "linked": self.linked,
            "path": list(self.path),
            "sides": {name: _side_state(side) for name, side in self.sides.items()},
        }

    def image(self) -> Tensor:
        """The circle's picture, [C, im_size, im_size] in [0, 1]."""
        return self._image

    def code(self) -> str:
        """The codes as lines of Python that run as they are."""
        rows = []
        for name, side in self.sides.items():
            numbers = ", ".join(f"{value:z.4f}" for value in side.z.tolist())
            rows.append(f"    {name!r}: torch.tensor([{numbers}]),")
        return "\n".join(["import torch", "", "z = {", *rows, "}"])

    def png(self, scale: int = SCALE) -> bytes:
        """The models' pictures side by side as a PNG, every pixel `scale` pixels wide."""
        pictures = [side.picture for side in self.sides.values()]
        return png(side_by_side(pictures, scale))

    def gif(
        self, model: Name | None, *latents: int, steps: int = FILM_STEPS, scale: int = SCALE
    ) -> bytes:
        """Latents going to and fro, one after another, all else as it is, as an animated GIF.

        Args:
            model: Its name.
            latents: Their numbers.
            steps: Pictures one way, from -2 to 2.
            scale: Width of a picture's pixel in the film.

        Raises:
            ValueError: There is no such model or latent, one comes twice, none is named, steps is
                below 2 or scale below 1.
        """
        side = self._side(read_name("model", model))
        numbers = [read_integer("latent", latent) for latent in latents]
        for number in numbers:
            side.check_latent("latent", number)
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(f"latents is {shortened(numbers)}; name one or more, each once")
        frames = []
        for film in traverse(side.model, side.z, numbers, TRAVERSAL_SPAN, steps).images:
            there = [side_by_side([side.to_picture(image)], scale) for image in film]
            back = there[-2:0:-1]
            frames += there + back
        return gif(frames)

    def describe(self, name: Name) -> str:
        """What is to be seen in a model's picture, in a sentence."""
        return f"{name}: {describe_picture(self.sides[name].picture)}"

    def overlap(self, name: Name) -> float:
        """How much a model's picture is the goal's: 1 for the same, 0 where none of the light is.

        The light that both have over the light that either has, pixel by pixel.
        """
        goal = self._goal_picture
        picture = self.sides[name].picture.reshape(*goal.shape[:2], -1) / 255
        return float(np.minimum(picture, goal).sum() / np.maximum(picture, goal).sum())

    def path_lengths(self) -> tuple[float, float]:
        """Length of the circle's path, and of the straight line between its ends, in pixels."""
        return find_lengths(torch.tensor(self.path, dtype=torch.float32).reshape(-1, 2))

    # What events do

    def _move_code(self, move: MoveCode) -> None:
        chosen = self._side(move.model)
        moved = list(self.sides.values()) if self.linked else [chosen]
        for side in moved:
            right, up = side.axes
            side.set({right: self._clip(move.x), up: self._clip(move.y)})
        self.encoded = False

    def _move_slider(self, move: MoveSlider) -> None:
        side = self._side(move.model)
        side.check_latent("latent", move.latent)
        side.set({move.latent: self._clip(move.value)})
        self.encoded = False

    def _move_circle(self, x: float, y: float) -> None:
        across, down = self.axes
        end = (min(max(x, across.low), across.high), min(max(y, down.low), down.high))
        way = self._way_between(self.circle, end) if self.path else []  # a new trail begins here
        self.circle = end
        self._image = self._picture(end)
        self.path = [*self.path, *way, end][-TRAIL:]
        for side in self.sides.values():
            side.encode(end)
            side.trail = [*side.trail, *side.encode_means(way), side.mean][-TRAIL:]
        self.encoded = True

    def _move_factor(self, name: str, value: float) -> None:
        known = {factor.name: factor for factor in self.factors}
        if name not in known:
            listed = ", ".join(map(repr, known)) or "none"
            raise ValueError(f"name is {shortened(name)}; factors that can be set are {listed}")
        factor = known[name]
        value = min(max(value, factor.low), factor.high)
        if factor.levels:
            value = min(factor.levels, key=lambda level: abs(level - value))
        others = self.others.clone()
        others[self.data.column(name)] = value
        self._set_others(others)
        self._image = self._picture(self.circle)
        for side in self.sides.values():
            side.encode(self.circle)
        self.encoded = True

    def _set_others(self, others: Tensor) -> None:
        self.others = others
        for side in self.sides.values():
            side.take_others(others)
        # Kept: every answer says how near each model's picture is to it.
        self._goal_picture = self._picture(self.goal).permute(1, 2, 0).numpy()  # [H, H, C]

    def _walk(self, share: float) -> None:
        for side in self.sides.values():
            start, end = side.walk_ends
            side.move(torch.lerp(start, end, min(max(share, 0.0), 1.0)))
        self.encoded = False

    def _choose_axes(self, choice: ChooseAxes) -> None:
        side = self._side(choice.model)
        side.check_latent("x", choice.x)
        side.check_latent("y", choice.y)
        if choice.x == choice.y:
            both = f"x and y are both {choice.x}"
            raise ValueError(f"{both}; a plane needs two different latents")
        side.axes = (choice.x, choice.y)

    def _clear_trail(self) -> None:
        self.path = []
        for side in self.sides.values():
            side.trail = []

    def _reset(self) -> None:
        self.linked = True
        self.generator = torch.Generator().manual_seed(self.seed)
        self._clear_trail()
        self._set_others(self.data.middle)
        for side in self.sides.values():
            side.axes = side.pair
        x, y = self.axes
        self._move_circle(x.middle, y.middle)

    def _sample_prior(self) -> None:
        for side in self.sides.values():
            side.sample_prior(self.generator, self.span)
        self.encoded = False

    def _sample_posterior(self) -> None:
        for side in self.sides.values():
            side.sample_posterior(self.generator)
        self.encoded = True

    # Parts

    def _side(self, model: Name) -> Side:
        if model not in self.sides:
            known = ", ".join(map(repr, self.sides))
            raise ValueError(f"model is {shortened(model)}; it must be one of {known}")
        return self.sides[model]

    def _picture(self, place: tuple[float, float]) -> Tensor:
        """[C, H, H] of the image at a place."""
        return self.data.render(self.data.place(*place, self.others))[0]

    def _way_between(
        self, start: tuple[float, float], end: tuple[float, float]
    ) -> list[tuple[float, float]]:
        """Places on the straight way, the ends apart, so near that no step is above WAY_STEP."""
        longest = [
            WAY_STEP if factor.unit == "pixels" else (factor.high - factor.low) / WAY_PIECES
            for factor in self.axes
        ]
        (x0, y0), (x1, y1) = start, end
        steps = math.hypot((x1 - x0) / longest[0], (y1 - y0) / longest[1])
        pieces = max(math.ceil(steps), 1)
        shares = [i / pieces for i in range(1, pieces)]
        return [(x0 + share * (x1 - x0), y0 + share * (y1 - y0)) for share in shares]

    def _clip(self, value: float) -> float:
        return min(max(value, -self.span), self.span)


def _open(data: FactorStream | str | None, models: Mapping[Name, VAE]) -> FactorStream | None:
    """The data set, or that of a name, in the models' size."""
    if not isinstance(data, str):
        return data
    first = next(iter(models.values()))
    im_size = first.config["im_size"] if isinstance(first, VAE) else 64  # refused soon
    return make_stream(data, im_size=im_size)


def _side_state(side: Side) -> dict[str, Any]:
    return {
        "axes": list(side.axes),
        "z": side.z.tolist(),
        "mean": side.mean.tolist(),
        "std": side.std.tolist(),
        "picture": side.picture.tolist(),
        "trail": [z.tolist() for z in side.trail],
    }
