"""Scenes: several sprites that cover one another on a plain ground, and the true masks of each."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from sbd_utils.data.base import Factor, Scenes, step_seed
from sbd_utils.sprites import hsv_to_rgb, render_batch

KINDS = {"circle": "ellipse", "square": "rectangle", "triangle": "triangle"}
"""What a scene's shapes are called, and what they are called as sprites."""
SIDES = (1, math.sqrt(math.pi) / 2, math.sqrt(math.pi / math.sqrt(3)))
"""Of each kind: the size for `render_batch` at which its area is that of a circle of diameter 1."""

SIZES = (1 / 4, 3 / 8)
"""Least and greatest diameter of the circle of equal area, as shares of the image."""
MARGIN = 1 / 8
"""Centres keep this share of the image from every border."""

HUES = ("free", "distinct", "shared")
"""Of a scene's objects: independent; all apart by 180 degrees over their number or more; one."""
GROUNDS = {"black": (0, 0), "grey": (0.15, 0.6), "plain": (0.15, 0.55)}
"""The least and the greatest value of a ground's red, green and blue, which in grey are equal."""


class Layout(NamedTuple):
    """What `Scenes` are drawn from."""

    factors: Tensor
    """[N, K, F], see `SceneStream.factors`."""
    present: Tensor
    """bool [N, K]."""
    ground: Tensor
    """Red, green and blue [N, 3] in [0, 1]."""


class SceneStream(IterableDataset):
    """Endless fresh scenes; number `step` depends on nothing but (seed, step).

    Example:
        >>> stream = SceneStream(objects=(2, 3), ground="grey")
        >>> scenes = stream.batch(0, 4)
        >>> scenes.images.shape, scenes.masks.shape
        (torch.Size([4, 3, 32, 32]), torch.Size([4, 4, 32, 32]))
        >>> [factor.name for factor in stream.factors]
        ['x', 'y', 'size', 'shape', 'hue']
        >>> scenes.present.sum(1)
        tensor([2, 2, 3, 2])
    """

    channels = 3

    def __init__(
        self,
        batch_size: int = 32,
        seed: int = 0,
        im_size: int = 32,
        *,
        objects: int | tuple[int, int] = (2, 4),
        hues: str = "free",
        ground: str = "black",
        spread: int = 4,
    ) -> None:
        """Say which scenes.

        Args:
            batch_size: Scenes in a batch, when iterated.
            seed: Of everything random.
            im_size: Height and width in pixels.
            objects: How many a scene has: a number, or the least and the greatest, in between which
                all are equally frequent.
            hues: One of `HUES`.
            ground: A key of `GROUNDS`.
            spread: Of so many random layouts, a scene takes the one whose nearest two centres are
                farthest apart. With 1, centres are independent, and an object may be hidden.

        Raises:
            ValueError: An argument is none of these.
        """
        for name, value in (("batch_size", batch_size), ("im_size", im_size), ("spread", spread)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        if hues not in HUES:
            raise ValueError(f"hues is {hues!r}; it must be one of {', '.join(map(repr, HUES))}")
        if ground not in GROUNDS:
            known = ", ".join(map(repr, GROUNDS))
            raise ValueError(f"ground is {ground!r}; it must be one of {known}")
        self.batch_size, self.seed, self.im_size = batch_size, seed, im_size
        self.objects = _counts(objects)
        self.hues, self.ground, self.spread = hues, ground, spread

    @property
    def factors(self) -> Sequence[Factor]:
        """Of an object: its centre, diameter of the circle of equal area, shape and hue.

        The shape is a number: 0 is a circle, 1 a square, 2 a triangle with one corner up.
        """
        low, high = MARGIN * self.im_size, (1 - MARGIN) * self.im_size
        small, large = (share * self.im_size for share in SIZES)
        numbers = tuple(map(float, range(len(KINDS))))
        return [
            Factor("x", low, high, "pixels"),
            Factor("y", low, high, "pixels"),
            Factor("size", small, large, "pixels"),
            Factor("shape", numbers[0], numbers[-1], "", levels=numbers, kinds=tuple(KINDS)),
            Factor("hue", 0, 360, "degrees", period=360),
        ]

    def sample(self, count: int, generator: torch.Generator) -> Layout:
        """Layouts of that many scenes, on the CPU, uniform but for what the options say."""
        least, most = self.objects
        number = torch.randint(least, most + 1, (count,), generator=generator)
        present = torch.arange(most) < number[:, None]  # [N, K]
        x, _, size, _, _ = self.factors  # y has the range of x
        places = torch.rand(self.spread, count, most, 2, generator=generator)
        centers = _most_spread(x.low + (x.high - x.low) * places, present)  # [N, K, 2]
        sizes = size.low + (size.high - size.low) * torch.rand(count, most, generator=generator)
        shapes = torch.randint(0, len(KINDS), (count, most), generator=generator)
        hues = self._sample_hues(present, generator)
        columns = [*centers.unbind(2), sizes, shapes.float(), hues]
        factors = torch.stack(columns, 2) * present[..., None]  # [N, K, F]
        low, high = GROUNDS[self.ground]
        shares = torch.rand(count, 3, generator=generator)
        shares = shares[:, :1].expand(-1, 3) if self.ground == "grey" else shares
        return Layout(factors, present, low + (high - low) * shares)

    def _sample_hues(self, present: Tensor, generator: torch.Generator) -> Tensor:
        """Degrees [N, K]."""
        count, most = present.shape
        shares = torch.rand(count, most, generator=generator)
        first = torch.rand(count, 1, generator=generator)
        if self.hues == "free":
            return 360 * shares
        if self.hues == "shared":
            return (360 * first).expand(-1, most)
        # The circle is cut into as many sectors as there are objects; each has one, in random
        # order, and a hue in the first half of it.
        keys = torch.rand(count, most, generator=generator) + ~present  # the absent come last
        sector = keys.argsort(1).argsort(1)
        turns = first + (sector + shares / 2) / present.sum(1, keepdim=True)
        return 360 * turns.remainder(1)

    def render(self, layout: Layout) -> Scenes:
        """Draw scenes, on the layout's device.

        A pixel's masks are the shares of its area, as `draw_sprites` composes them: an object hides
        of those below it as large a share as it covers.

        Raises:
            ValueError: A shape is none, or a size is not positive, or a number not finite.
        """
        factors, present, ground = layout
        cover = self._covers(factors, present)  # [N, K, H, H]
        seen = torch.ones_like(cover[:, 0])
        masks = []
        for k in reversed(range(present.shape[1])):  # from front to back
            masks.append(seen * cover[:, k])
            seen = seen * (1 - cover[:, k])
        shares = torch.stack([seen, *reversed(masks)], 1)  # [N, K + 1, H, H]
        hues = factors[..., 4].flatten()
        bright = hsv_to_rgb(hues, torch.ones_like(hues), torch.ones_like(hues))
        bright = bright.view(*present.shape, 3) * present[..., None]  # [N, K, 3]
        colors = torch.cat([ground[:, None], bright], 1)
        images = torch.einsum("nkhw,nkc->nchw", shares, colors)
        return Scenes(images.clamp(0, 1), shares, factors, present, colors)

    def _covers(self, factors: Tensor, present: Tensor) -> Tensor:
        """The share of each pixel that each object covers, hidden or not: [N, K, H, H]."""
        shapes = factors[..., 3][present]
        unknown = shapes[~torch.isin(shapes, torch.arange(len(KINDS), device=shapes.device))]
        if len(unknown):
            accepted = f"it must be one of 0 to {len(KINDS) - 1}"
            raise ValueError(f"shape is {unknown[0].item():g}; {accepted}")
        frame = (self.im_size, self.im_size)
        cover = torch.zeros(*present.shape, *frame, device=factors.device, dtype=torch.float32)
        for number, (name, side) in enumerate(zip(KINDS.values(), SIDES, strict=True)):
            mine = present & (factors[..., 3] == number)
            if mine.any():
                x, y, size, _, _ = factors[mine].T.double()  # as Python multiplies
                cover[mine] = render_batch(name, x, y, size * side, 0.0, self.im_size)[:, 0]
        return cover

    def batch(
        self, step: int, batch_size: int, part: slice = slice(None), device: Any = "cpu"
    ) -> Scenes:
        """The scenes of batch `step`, drawn on `device`."""
        generator = torch.Generator().manual_seed(step_seed(self.seed, step, "scenes"))
        layout = self.sample(batch_size, generator)
        return self.render(Layout(*(each[part].to(device) for each in layout)))

    def identity(self) -> dict[str, Any]:
        """The class, the seed, the image size and every option."""
        options = {"hues": self.hues, "ground": self.ground, "spread": self.spread}
        size = {"seed": self.seed, "im_size": self.im_size, "objects": list(self.objects)}
        return {"class": type(self).__name__, **size, **options}

    def __iter__(self) -> Iterator[Scenes]:
        """Batches without end; the workers of a DataLoader take turns."""
        worker = get_worker_info()
        step, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self.batch(step, self.batch_size)
            step += stride


def _counts(objects: int | tuple[int, int]) -> tuple[int, int]:
    """The least and the greatest number of objects."""
    match objects:
        case int(least), int(most):
            pass
        case int(least):
            most = least
        case _:
            least = most = 0  # none of the accepted
    if not 1 <= least <= most:
        wanted = "a whole number, at least 1, or the least and the greatest"
        raise ValueError(f"objects is {objects!r}; it must be {wanted}")
    return least, most


def _most_spread(centers: Tensor, present: Tensor) -> Tensor:
    """Of layouts [T, N, K, 2], each scene's one whose nearest centres are farthest apart."""
    most = present.shape[1]
    distance = (centers[:, :, :, None] - centers[:, :, None]).norm(dim=-1)  # [T, N, K, K]
    pair = present[:, :, None] & present[:, None] & ~torch.eye(most, dtype=torch.bool)
    nearest = distance.masked_fill(~pair, math.inf).flatten(2).amin(2)  # [T, N]
    return centers[nearest.argmax(0), torch.arange(len(present))]
