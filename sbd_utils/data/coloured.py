"""Coloured sprites of eight factors, drawn as fast as they are needed, in worlds that differ.

A world is said by arguments: which factors are fixed, which places are left out of training, which
factor follows which.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sbd_utils.data.base import COLOR, Factor, FactorStream, Range, narrowed
from sbd_utils.sprites import RADIUS, hsv_to_rgb, render_batch

SPRITES = {"square": "rectangle", "ellipse": "oval", "heart": "heart"}
"""The kinds of `shape`, in the order of their numbers, and what `render_batch` calls them."""
MARGIN = 3 / 16
"""Centres keep this share of the image away from every border: half of the largest sprite."""
SIZES = (3 / 16, 3 / 8)
"""Diameters of the circle around a sprite, as shares of the image."""
RING = (0.4, 0.8)
"""Between these radii nothing is trained in the world without a ring."""
BAND = 0.5
"""The band reaches as far from the diagonal, in x as in y."""

REGIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "everywhere": lambda u, v: torch.ones_like(u, dtype=torch.bool),
    "no-quadrant": lambda u, v: (u < 0) | (v > 0),
    "no-ring": lambda u, v: (torch.hypot(u, v) <= RING[0]) | (torch.hypot(u, v) >= RING[1]),
    "disc": lambda u, v: torch.hypot(u, v) <= 1,
    "band": lambda u, v: (u - v).abs() <= BAND,
    "center": lambda u, v: (u == 0) & (v == 0),
}
"""Where a sprite may be: u to the right and v down, from -1 to 1 over the square of centres.

The quadrant that is left out is the upper right one; the band runs from the upper left corner to
the lower right one."""


class ColoredSprites(FactorStream):
    """Endless squares, ellipses and hearts in one colour on black.

    Example:
        >>> world = ColoredSprites(ranges={"shape": "heart", "size": 20}, region="disc")
        >>> images, factors = world.batch(0, 4)
        >>> images.shape, factors.shape
        (torch.Size([4, 3, 64, 64]), torch.Size([4, 8]))
        >>> [factor.name for factor in world.factors if factor.varies]
        ['x', 'y', 'angle', 'hue', 'saturation', 'value']
    """

    channels = 3

    def __init__(
        self,
        batch_size: int = 32,
        seed: int = 0,
        im_size: int = 64,
        *,
        ranges: Mapping[str, Range] | None = None,
        region: str = "everywhere",
        ties: Mapping[str, str] | None = None,
    ) -> None:
        """Say which world.

        Args:
            batch_size: Images in a batch, when iterated.
            seed: Of everything random.
            im_size: Height and width in pixels.
            ranges: By the factor's name, a value that it keeps, or its lowest and highest one; see
                `factors` for the ranges without.
            region: A key of `REGIONS`: where centres may lie.
            ties: By the name of a factor, that of another one, which it follows: as far along its
                range as the other is along its own.

        Raises:
            ValueError: An argument is none of these, or the region holds none of the positions.
        """
        super().__init__(batch_size, seed, im_size)
        if im_size < 1:
            raise ValueError(f"im_size is {im_size}; it must be at least 1")
        if region not in REGIONS:
            known = ", ".join(map(repr, REGIONS))
            raise ValueError(f"region is {region!r}; it must be one of {known}")
        middle = im_size / 2
        centered: dict[str, Range] = {"x": middle, "y": middle} if region == "center" else {}
        self.region, self.ties = region, dict(ties or {})
        self._factors = narrowed(_factors(im_size), {**centered, **(ranges or {})})
        self._check_values()
        self._check_ties()
        self._check_region()

    @property
    def factors(self) -> Sequence[Factor]:
        """Centre and diameter in pixels, shape, angle, and the colour.

        The diameter is that of the circle around the sprite: the same for all shapes. The angle is
        clockwise; a square's repeats after 90 degrees, an ellipse's after 180. If `ranges` says
        nothing else, the centre is 3/16 of the image or more from every border, the diameter 3/16
        to 3/8 of it, and saturation and value are 0.5 to 1.
        """
        return self._factors

    def render(self, factors: Tensor) -> Tensor:
        """Images [N, 3, H, H] of factors [N, 8].

        Raises:
            ValueError: factors has another shape, or holds what cannot be drawn.
        """
        self.check_factors(factors)
        x, y, size, shape, angle, hue, saturation, value = factors.T
        shape_of_all = (len(factors), 1, self.im_size, self.im_size)
        covers = torch.zeros(shape_of_all, dtype=torch.float32, device=factors.device)
        kinds = shape.round().clamp(0, len(SPRITES) - 1)
        for number, name in enumerate(SPRITES.values()):
            mine = kinds == number
            if mine.any():
                sizes = size[mine] / (2 * RADIUS[name])
                place = (x[mine], y[mine], sizes, angle[mine])
                covers[mine] = render_batch(name, *place, self.im_size)
        colors = hsv_to_rgb(hue, saturation, value).float()  # [N, 3]
        return colors[:, :, None, None] * covers

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Factors [count, 8]: uniform in their ranges within the region, but for those tied."""
        factors = super().sample(count, generator)
        outside = ~self.in_region(factors)
        while outside.any():
            factors[outside] = super().sample(int(outside.sum()), generator)
            outside = ~self.in_region(factors)
        return self._tied(factors)

    @property
    def free(self) -> list[int]:
        """The columns of the other factors that can be set: those that vary and follow none."""
        return [i for i in super().free if self.factors[i].name not in self.ties]

    def place(self, x: ArrayLike, y: ArrayLike, others: Tensor | None = None) -> Tensor:
        """Factors [N, 8] of places in the plane; see `FactorStream.place`."""
        return self._tied(super().place(x, y, others))

    def in_region(self, factors: Tensor) -> Tensor:
        """Whether the centres of factors [N, 8] lie in the region; bool [N]."""
        margin = MARGIN * self.im_size
        half = self.im_size / 2 - margin
        u, v = ((column - margin) / half - 1 for column in (factors[:, 0], factors[:, 1]))
        return REGIONS[self.region](u, v)

    def holds(self, factors: Tensor) -> Tensor:
        """Whether `sample` could give factors [N, 8], ties apart; bool [N]."""
        return super().holds(factors) & self.in_region(factors)

    def identity(self) -> dict[str, Any]:
        """Class, seed, image size, and what was said of the world."""
        ranges = [[factor.low, factor.high] for factor in self.factors]
        said = {"ranges": ranges, "region": self.region, "ties": self.ties}
        return {**super().identity(), **said}

    def _tied(self, factors: Tensor) -> Tensor:
        for follower, leader in self.ties.items():
            one, other = self.column(follower), self.column(leader)
            low, high = self.factors[other].low, self.factors[other].high
            share = (factors[:, other] - low) / (high - low)
            start, end = self.factors[one].low, self.factors[one].high
            factors[:, one] = start + share * (end - start)
        return factors

    def _check_values(self) -> None:
        """Raise ValueError for a range that holds what cannot be drawn."""
        limits = {"size": (0, None), "saturation": (0, 1), "value": (0, 1)}
        for name, (least, most) in limits.items():
            factor = self.factors[self.column(name)]
            low = factor.low > least if name == "size" else factor.low >= least
            if not low or (most is not None and factor.high > most):
                accepted = "above 0" if most is None else f"from {least} to {most}"
                found = f"ranges[{name!r}] is {(factor.low, factor.high)}"
                raise ValueError(f"{found}; it must be {accepted}")

    def _check_ties(self) -> None:
        for follower, leader in self.ties.items():
            for name in (follower, leader):
                factor = self.factors[self.column(name)]
                if factor.levels or not factor.varies:
                    wanted = "both must be continuous factors that vary"
                    raise ValueError(f"ties holds {follower!r}: {leader!r}; {wanted}")
            if follower in ("x", "y") or leader in self.ties:
                wanted = "x and y follow nothing, and none follows a follower"
                raise ValueError(f"ties holds {follower!r}: {leader!r}; {wanted}")

    def _check_region(self) -> None:
        counts = {name: 101 if self.factors[self.column(name)].varies else 1 for name in ("x", "y")}
        if not self.in_region(self.grid(**counts)).any():
            x, y = ((factor.low, factor.high) for factor in self.factors[:2])
            empty = f"it holds no place with x in {x}, y in {y}"
            raise ValueError(f"region is {self.region!r}; {empty}")


def _factors(im_size: int) -> list[Factor]:
    """All eight, in the ranges that they have if nothing else is said."""
    low, high = MARGIN * im_size, (1 - MARGIN) * im_size
    small, large = (share * im_size for share in SIZES)
    numbers = tuple(map(float, np.arange(len(SPRITES))))
    return [
        Factor("x", low, high, "pixels"),
        Factor("y", low, high, "pixels"),
        Factor("size", small, large, "pixels"),
        Factor("shape", numbers[0], numbers[-1], "", levels=numbers, kinds=tuple(SPRITES)),
        Factor("angle", 0, 360, "degrees", period=360),
        *COLOR,
    ]
