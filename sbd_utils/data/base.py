"""What a data set is: batches by number, so that training can stop anywhere and go on there.

`Batches` is all that training needs. `FactorStream` has it for everything that is drawn from
factors of variation, endlessly: a new world states its factors, how they are sampled, and how they
are drawn. `as_batches` makes it of a finite set.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, Subset, TensorDataset, get_worker_info


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
    unit: str


class FactorStream(IterableDataset):
    """Endless fresh images drawn from factors; a subclass says which factors and how.

    Batch number `step` depends on nothing but (seed, step). Iterating gives batches of `batch_size`
    (images, factors) without end: use `DataLoader(stream, batch_size=None)`.
    """

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

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Factors [count, F], on the CPU: here independent and uniform in their ranges."""
        low = torch.tensor([factor.low for factor in self.factors], dtype=torch.float32)
        high = torch.tensor([factor.high for factor in self.factors], dtype=torch.float32)
        shares = torch.rand(count, len(low), generator=generator, dtype=torch.float32)
        return low + (high - low) * shares

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
