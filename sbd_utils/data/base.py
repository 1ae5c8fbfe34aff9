"""What a data set is: batches by number, so that training can stop anywhere and go on there.

`Batches` is all that training needs. `FactorStream` has it for everything that is drawn from
factors of variation, endlessly: a new world states its factors, how they are sampled, and how they
are drawn. `as_batches` makes it of a finite set.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils.data import IterableDataset, Subset, TensorDataset, get_worker_info

GRID_POINTS = 31
"""Points along each line of the evaluation grid."""
GRID_LEVELS = 5
"""Vertical, and horizontal, lines of the evaluation grid."""
GRID_INSET = 4 / 48
"""The evaluation grid keeps this share of a factor's range away from either end of it."""


@runtime_checkable
class Batches(Protocol):
    """A data set as training sees it."""

    def batch(
        self, step: int, batch_size: int, part: slice = slice(None), device: Any = "cpu"
    ) -> tuple[Tensor, ...]:
        """Batch number `step`: the same for the same arguments, whatever was asked for before.

        Args:
            step: From 0 on.
            batch_size: Images in the whole batch.
            part: Which of them are wanted.
            device: Where.

        Returns:
            Images [N, C, H, H] in [0, 1], and whatever belongs to them.
        """
        ...

    def identity(self) -> dict[str, Any]:
        """What tells this data set from others: plain values, noted in checkpoints."""
        ...


class Factor(NamedTuple):
    """A factor of variation, and the range in which it is sampled."""

    name: str
    low: float
    high: float
    """Equal to `low` where the factor does not vary."""
    unit: str
    levels: tuple[float, ...] = ()
    """The values it takes, ascending, if it is not continuous."""
    kinds: tuple[str, ...] = ()
    """What each of the levels is called, if they have no order, as shapes have none."""
    period: float | None = None
    """What it can be raised by without a change, if its range goes all the way round."""

    @property
    def varies(self) -> bool:
        """Whether it takes more than one value."""
        return self.low < self.high

    @property
    def middle(self) -> float:
        """The middle of its range; of levels the one in the middle, of kinds the first."""
        if self.kinds:
            return self.levels[0]
        if self.levels:
            return self.levels[len(self.levels) // 2]
        return (self.low + self.high) / 2

    def spread(self, count: int) -> list[float]:
        """So many values, evenly over its range; all levels of one that has these."""
        if self.levels:
            return list(self.levels)
        if count == 1 or not self.varies:
            return [self.middle]
        shares = np.linspace(0, 1, count, endpoint=self.period is None)
        return [self.low + share * (self.high - self.low) for share in shares.tolist()]


COLOR = (
    Factor("hue", 0, 360, "degrees", period=360),
    Factor("saturation", 0.5, 1, ""),
    Factor("value", 0.5, 1, ""),
)
"""What colours pictures, see `hsv_to_rgb`, where nothing else is said: no grey, nothing dark."""


class FactorStream(IterableDataset):
    """Endless fresh images drawn from factors; a subclass says which factors and how.

    Batch number `step` depends on nothing but (seed, step). Iterating gives batches of `batch_size`
    (images, factors) without end: use `DataLoader(stream, batch_size=None)`.
    """

    channels: int = 1
    """Of its images: 1 (grey) or 3 (RGB)."""

    def __init__(self, batch_size: int = 32, seed: int = 0, im_size: int = 64) -> None:
        """A stream of its own for each seed.

        Args:
            batch_size: Images in a batch, when iterated.
            seed: Of everything random.
            im_size: Height and width in pixels.
        """
        self.batch_size, self.seed, self.im_size = batch_size, seed, im_size

    @property
    def factors(self) -> Sequence[Factor]:
        """The factors of variation, in the order of their columns."""
        raise NotImplementedError

    def render(self, factors: Tensor) -> Tensor:
        """Images [N, C, H, H] in [0, 1] of factors [N, F], on the factors' device."""
        raise NotImplementedError

    def check_factors(self, factors: Tensor) -> None:
        """Raise ValueError unless these are finite numbers [N, F]: what `render` takes."""
        if factors.ndim != 2 or factors.shape[1] != len(self.factors):
            wanted = f"it must be [N, {len(self.factors)}]"
            raise ValueError(f"factors has shape {list(factors.shape)}; {wanted}")
        if not torch.isfinite(factors).all():
            raise ValueError("factors holds a number that is not finite; every one must be finite")

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Factors [count, F], on the CPU: here independent and uniform in ranges or levels."""
        low = torch.tensor([factor.low for factor in self.factors], dtype=torch.float32)
        high = torch.tensor([factor.high for factor in self.factors], dtype=torch.float32)
        shares = torch.rand(count, len(low), generator=generator, dtype=torch.float32)
        drawn = low + (high - low) * shares
        for column, factor in enumerate(self.factors):
            if factor.levels:
                numbers = (shares[:, column] * len(factor.levels)).long()  # a share is below 1
                drawn[:, column] = torch.tensor(factor.levels, dtype=torch.float32)[numbers]
        return drawn

    def holds(self, factors: Tensor) -> Tensor:
        """Whether `sample` could give these factors [N, F], as far as ranges go; bool [N]."""
        low = torch.tensor([factor.low for factor in self.factors], dtype=factors.dtype)
        high = torch.tensor([factor.high for factor in self.factors], dtype=factors.dtype)
        return ((low <= factors) & (factors <= high)).all(1)

    @property
    def plane(self) -> tuple[int, int]:
        """The columns of the two factors that a plane shows and a grid is scored in.

        They are x and y, or, where one of these is missing or fixed, the first two that vary and
        have a beginning and an end.

        Raises:
            ValueError: There are no two.
        """
        varying = [i for i, factor in enumerate(self.factors) if factor.varies]
        position = [i for i in varying if self.factors[i].name in ("x", "y")]
        straight = [i for i in varying if not self.factors[i].kinds and not self.factors[i].period]
        for found in (position, straight, varying):
            if len(found) >= 2:
                return found[0], found[1]
        names = [self.factors[i].name for i in varying]
        raise ValueError(f"the factors that vary are {names}; a plane needs two")

    @property
    def free(self) -> list[int]:
        """The columns of the other factors that can be set: those that vary and follow none."""
        return [i for i, f in enumerate(self.factors) if f.varies and i not in self.plane]

    @property
    def middle(self) -> Tensor:
        """Factors [F]: each in the middle of its range."""
        middles = [factor.middle for factor in self.factors]
        return torch.tensor(middles, dtype=torch.float64, device="cpu")

    def place(self, x: ArrayLike, y: ArrayLike, others: Tensor | None = None) -> Tensor:
        """Factors of places in the plane.

        Args:
            x: The plane's first factor, [N] or one number.
            y: Its second.
            others: All factors [F], of which the rest are taken; by default `middle`.

        Returns:
            [N, F], in double precision, on the CPU.
        """
        x, y = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
        others = self.middle if others is None else others
        factors = others.double().cpu().repeat(len(x), 1)
        first, second = self.plane
        factors[:, first] = torch.from_numpy(x.astype(np.float64))
        factors[:, second] = torch.from_numpy(y.astype(np.float64))
        return factors

    def lines(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The evaluation grid: lines in the plane, as `generate_spaced_coordinates` has them.

        Returns:
            xx and yy, in the units of the plane's factors, and the lines' numbers, [310] each.
        """
        inset = GRID_INSET
        u, v, labels = generate_spaced_coordinates(inset, 1 - inset, GRID_POINTS, GRID_LEVELS)
        x, y = (self.factors[column] for column in self.plane)
        return x.low + u * (x.high - x.low), y.low + v * (y.high - y.low), labels

    def grid(self, **counts: int) -> Tensor:
        """Every combination of evenly spaced values of some factors; the others in the middle.

        Args:
            **counts: How many values, by the factor's name; one with levels takes all of these.

        Returns:
            [product of the counts, F], the last named changing fastest.

        Raises:
            ValueError: There is no such factor, or a count is below 1.

        Example:
            >>> from sbd_utils import CircleStream
            >>> CircleStream().grid(x=2, y=3).tolist()
            [[8.0, 8.0], [8.0, 32.0], [8.0, 56.0], [56.0, 8.0], [56.0, 32.0], [56.0, 56.0]]
        """
        columns = [self.column(name) for name in counts]
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} is {count}; it must be at least 1")
        spreads = [self.factors[i].spread(n) for i, n in zip(columns, counts.values(), strict=True)]
        values = np.stack([each.ravel() for each in np.meshgrid(*spreads, indexing="ij")], 1)
        factors = self.middle.repeat(len(values), 1).float()
        factors[:, columns] = torch.as_tensor(values, dtype=torch.float32)
        return factors

    def column(self, name: str) -> int:
        """The column of the factor of that name.

        Raises:
            ValueError: There is none.
        """
        names = [factor.name for factor in self.factors]
        if name not in names:
            known = ", ".join(map(repr, names))
            raise ValueError(f"factor is {name!r}; it must be one of {known}")
        return names.index(name)

    def batch(
        self, step: int, batch_size: int, part: slice = slice(None), device: Any = "cpu"
    ) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, H] and factors [N, F] of batch `step`, drawn on `device`."""
        generator = torch.Generator().manual_seed(step_seed(self.seed, step, "images"))
        factors = self.sample(batch_size, generator)[part].to(device)
        return self.render(factors), factors

    def identity(self) -> dict[str, Any]:
        """The class, the seed and the image size."""
        return {"class": type(self).__name__, "seed": self.seed, "im_size": self.im_size}

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches without end; the workers of a DataLoader take turns."""
        worker = get_worker_info()
        step, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self.batch(step, self.batch_size)
            step += stride


Range = float | str | tuple[float, float]
"""What narrows a factor: a number or a kind that it keeps, or its lowest and highest value."""


def narrowed(factors: Sequence[Factor], ranges: Mapping[str, Range] | None) -> list[Factor]:
    """Factors in narrower, or other, ranges.

    Args:
        factors: As they are without.
        ranges: By name, what a factor keeps to: a number, the name of a kind, or (low, high). What
            has levels keeps those from low to high; a continuous factor may leave its old range.

    Raises:
        ValueError: There is no such factor, or it has no such values.
    """
    ranges = dict(ranges or {})
    known = [factor.name for factor in factors]
    for name in ranges:
        if name not in known:
            listed = ", ".join(map(repr, known))
            raise ValueError(f"ranges names {name!r}; the factors are {listed}")
    return [
        _narrow(factor, ranges[factor.name]) if factor.name in ranges else factor
        for factor in factors
    ]


def _narrow(factor: Factor, given: Range) -> Factor:
    wrong = f"ranges[{factor.name!r}] is {given!r}"
    if isinstance(given, str):
        if given not in factor.kinds:
            listed = ", ".join(map(repr, factor.kinds)) or "numbers"
            raise ValueError(f"{wrong}; it must be among {listed}")
        given = factor.levels[factor.kinds.index(given)]
    low, high = _ends(given, wrong)
    if not factor.levels:
        whole = (low, high) == (factor.low, factor.high)
        return factor._replace(low=low, high=high, period=factor.period if whole else None)
    kept = [i for i, level in enumerate(factor.levels) if low <= level <= high]
    if not kept:
        raise ValueError(f"{wrong}; its levels are {', '.join(f'{v:g}' for v in factor.levels)}")
    levels = tuple(factor.levels[i] for i in kept)
    kinds = tuple(factor.kinds[i] for i in kept) if factor.kinds else ()
    period = factor.period if len(kept) == len(factor.levels) else None
    low, high = levels[0], levels[-1]
    return factor._replace(low=low, high=high, levels=levels, kinds=kinds, period=period)


def _ends(given: Any, wrong: str) -> tuple[float, float]:
    """A number, or two, as the ends of a range; raises ValueError for others."""
    several = isinstance(given, Sequence) and not isinstance(given, str)
    ends = list(given) if several else [given, given]
    numbers = [e for e in ends if isinstance(e, int | float) and not isinstance(e, bool)]
    if len(ends) != 2 or len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{wrong}; it must be a finite number, or two: the lowest, the highest")
    low, high = float(numbers[0]), float(numbers[1])
    if low > high:
        raise ValueError(f"{wrong}; the lowest must not be above the highest")
    return low, high


class LevelStream(FactorStream):
    """Images that lie in a file, one for each combination of some factors' levels.

    A subclass gives `path`, `stored`, the factors in the order of the file, and `read`.
    """

    path: Path
    """Of the file."""
    stored: Sequence[Factor]
    """Factors with levels: the image of level numbers (i, j, …, k) is found with k fastest."""

    def read(self, numbers: np.ndarray) -> Tensor:
        """The images [N, C, H, H] in [0, 1] of those numbers [N], from 0 on."""
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """Class, seed, image size, the file's name and size, and what was said of the world."""
        file = {"file": self.path.name, "bytes": self.path.stat().st_size}
        ranges = [[factor.low, factor.high] for factor in self.factors]
        return {**super().identity(), **file, "ranges": ranges}

    def find(self, factors: Tensor) -> np.ndarray:
        """Numbers [N] of the images whose levels are nearest to factors [N, F]; F as `stored`."""
        sizes, found = [], []
        for factor, values in zip(self.stored, factors.double().numpy().T, strict=True):
            levels = np.array(factor.levels)
            found.append(np.abs(values[:, None] - levels).argmin(1))
            sizes.append(len(levels))
        return np.ravel_multi_index(found, sizes)


def check_levels(path: Any, classes: np.ndarray) -> list[int]:
    """How many levels each factor has in a file that holds every combination once, in order.

    Args:
        path: Of the file, for the message.
        classes: The number of each image's level, [N, F], the last factor changing fastest.

    Raises:
        ValueError: It does not.
    """
    sizes = [int(size) + 1 for size in classes.max(0)] if len(classes) else [0]
    complete = math.prod(sizes) == len(classes)
    if complete:
        numbers = np.ravel_multi_index(tuple(classes.T), sizes)
        complete = bool((numbers == np.arange(len(classes))).all())
    if not complete:
        wanted = "one for every combination of the factors, the last changing fastest"
        raise ValueError(f"{path} holds {len(classes)} images, not {wanted}; get the file anew")
    return sizes


def blocks(images: Tensor, im_size: int) -> Tensor:
    """Images [N, C, H, H] as means over blocks of pixels, [N, C, im_size, im_size].

    Raises:
        ValueError: im_size does not divide H.
    """
    height = images.shape[-1]
    if im_size < 1 or height % im_size:
        raise ValueError(f"im_size is {im_size}; it must divide the {height} pixels of the file")
    pool = height // im_size
    return images if pool == 1 else torch.nn.functional.avg_pool2d(images, pool)


class Scenes(NamedTuple):
    """Images of several objects on a ground, and what they are made of.

    Objects stand in the order of their depth: a later one covers an earlier one. A scene with fewer
    than K has them first; what is said of the rest is 0.
    """

    images: Tensor
    """[N, C, H, H] in [0, 1]: the sum over the ground and the objects of mask times colour."""
    masks: Tensor
    """[N, K + 1, H, H]: what is seen of the ground, then of each object; they sum to 1."""
    factors: Tensor
    """[N, K, F] of each object."""
    present: Tensor
    """bool [N, K]: whether there is such an object."""
    colors: Tensor
    """[N, K + 1, C] in [0, 1], of the ground first."""


class ShuffledImages:
    """Finite images as an endless sequence of epochs, each shuffled by (seed, epoch)."""

    def __init__(self, images: Tensor, batch_sizes: Sequence[int], seed: int) -> None:
        """Lay out the sequence.

        Args:
            images: [M, C, H, H].
            batch_sizes: Of every step: where batch `step` starts is where those before it end.
            seed: Of the order.
        """
        self.images, self.seed = images, seed
        self.ends = np.cumsum(batch_sizes)  # [steps]

    def batch(
        self, step: int, batch_size: int, part: slice = slice(None), device: Any = "cpu"
    ) -> tuple[Tensor]:
        """Images [N, C, H, H] of batch `step`."""
        start = int(self.ends[step]) - batch_size
        order = shuffled(len(self.images), start, batch_size, self.seed)
        return (self.images[order[part]].to(device),)

    def identity(self) -> dict[str, Any]:
        """A digest of the images."""
        content = self.images.contiguous().numpy().tobytes()
        digest = hashlib.sha256(content).hexdigest()
        return {"class": "images", "shape": list(self.images.shape), "sha256": digest}


def as_batches(dataset: Any, batch_sizes: Sequence[int], seed: int) -> Batches:
    """A data set as training sees it.

    Args:
        dataset: Something with `batch` and `identity`, such as `CircleStream`, taken as it is; or
            images: a tensor [M, C, H, H], a TensorDataset whose first tensor they are, or a Subset
            of one.
        batch_sizes: Of every step.
        seed: Of the order of finite images.

    Raises:
        ValueError: dataset is nothing of the kind, or its images are not [M, C, H, H] of
            floating-point numbers, finite and in [0, 1].
    """
    if isinstance(dataset, Batches):
        return dataset
    images = _images_of(dataset)
    if images is None:
        wanted = (
            "an endless one with `batch` and `identity`, as CircleStream, or images [M, C, H, H]: "
            "a tensor, a TensorDataset that holds them first, or a Subset of one"
        )
        raise ValueError(f"dataset is a {type(dataset).__name__}; it must be {wanted}")
    check_images("dataset", images)
    return ShuffledImages(images, batch_sizes, seed)


def check_images(name: str, images: Tensor) -> None:
    """Raise ValueError, naming the argument, unless these are images [N, C, H, W] in [0, 1]."""
    if images.ndim != 4 or len(images) == 0:
        wanted = "images are [N, C, H, W] with N at least 1"
        raise ValueError(f"{name} has shape {list(images.shape)}; {wanted}")
    if not images.is_floating_point():
        wanted = "images are floating-point numbers in [0, 1]"
        raise ValueError(f"{name} holds {images.dtype}; {wanted}")
    low, high = images.min().item(), images.max().item()
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # also if one of them is nan
        raise ValueError(f"{name} has values from {low:g} to {high:g}; images are in [0, 1]")


def _images_of(dataset: Any) -> Tensor | None:
    if isinstance(dataset, Tensor):
        return dataset
    if isinstance(dataset, TensorDataset):
        return dataset.tensors[0]
    if isinstance(dataset, Subset):
        whole = _images_of(dataset.dataset)
        return None if whole is None else whole[torch.as_tensor(dataset.indices, dtype=torch.long)]
    return None


def shuffled(num_images: int, start: int, count: int, seed: int) -> Tensor:
    """Indices start … start + count of endless epochs, each shuffled by (seed, epoch).

    Returns:
        [count] of 0 … num_images - 1.
    """
    parts = []
    while count > 0:
        epoch, offset = divmod(start, num_images)
        generator = torch.Generator().manual_seed(step_seed(seed, epoch, "order"))
        part = torch.randperm(num_images, generator=generator)[offset : offset + count]
        parts.append(part)
        start, count = start + len(part), count - len(part)
    return torch.cat(parts)


def step_seed(seed: int, step: int, use: str) -> int:
    """A seed of its own for each (seed, step, use).

    Neighbours, and two uses in one step, share no random numbers.
    """
    entropy = np.random.SeedSequence([seed, step, *use.encode()])
    return int(entropy.generate_state(1, np.uint64)[0] >> 1)


def generate_spaced_coordinates(
    low: float, high: float, num_points: int, levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points along vertical and then horizontal lines, evenly spaced over a square.

    Args:
        low: Where the square begins, in pixels, on both axes.
        high: Where it ends.
        num_points: Points along each line.
        levels: Number of vertical, and of horizontal, lines.

    Returns:
        xx, yy (pixels) and labels (the line's number, 0 … 2 · levels - 1), each of length
        2 · levels · num_points, line after line.

    Raises:
        ValueError: low is not below high, a bound is not finite, num_points is below 2 or levels
            below 1.

    Example:
        >>> xx, yy, labels = generate_spaced_coordinates(0, 2, num_points=3, levels=1)
        >>> xx.tolist(), yy.tolist(), labels.tolist()
        ([0.0, 0.0, 0.0, 0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 0.0, 0.0, 0.0], [0, 0, 0, 1, 1, 1])
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        bounds = f"low is {low} and high is {high}"
        raise ValueError(f"{bounds}; both must be finite, and low below high")
    if num_points < 2:
        raise ValueError(f"num_points is {num_points}; a line needs at least 2")
    if levels < 1:
        raise ValueError(f"levels is {levels}; it must be at least 1")
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels
