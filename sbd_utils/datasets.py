"""The circles, finite or endless, and grids of positions to look at a code with."""

import io
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, TensorDataset, get_worker_info

from sbd_utils.files import save_tensors, write_atomically
from sbd_utils.sprites import render_batch

CIRCLE_SIZE = 10  # diameter in pixels
MARGIN = 8  # centres keep this many pixels from every border


def circles_dataset(num_images: int = 5000, seed: int = 0, im_size: int = 64) -> TensorDataset:
    """White circles of diameter 10 on black, centres uniform in [8, im_size - 8]².

    Returns a TensorDataset of images [N, 1, im_size, im_size] in [0, 1] and centres [N, 2] (x, y in pixels).
    The same seed gives the same bytes. Raises ValueError for num_images below 1.
    """
    if num_images < 1:
        raise ValueError(f"num_images is {num_images}; it must be at least 1")
    centers = _centers(num_images, im_size, torch.Generator().manual_seed(seed))
    return TensorDataset(render_batch("ellipse", *centers.T, CIRCLE_SIZE, img_size=im_size), centers)


class CircleStream(IterableDataset):
    """Endless fresh circles, distributed as in `circles_dataset`.

    Batch number `step` depends on nothing but (seed, step): training can stop anywhere and go on exactly there.
    Iterating gives batches of `batch_size` (images, centres) without end: use `DataLoader(stream, batch_size=None)`.
    """

    def __init__(self, batch_size: int = 32, seed: int = 0, im_size: int = 64):
        self.batch_size, self.seed, self.im_size = batch_size, seed, im_size

    def batch(self, step: int, batch_size: int, part: slice = slice(None), device="cpu") -> tuple[Tensor, Tensor]:
        """Images [N, 1, H, H] and centres [N, 2] of batch `step`, or of a part of it, rendered on `device`."""
        generator = torch.Generator().manual_seed(step_seed(self.seed, step, "images"))
        centers = _centers(batch_size, self.im_size, generator)[part].to(device)
        return render_batch("ellipse", *centers.T, CIRCLE_SIZE, img_size=self.im_size), centers

    def __iter__(self):
        worker = get_worker_info()  # a DataLoader's workers take turns: each draws its share of the steps
        step, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self.batch(step, self.batch_size)
            step += stride


def step_seed(seed: int, step: int, use: str) -> int:
    """A seed of its own for each (seed, step, use): neighbours, and two uses in one step, share no random numbers."""
    return int(np.random.SeedSequence([seed, step, *use.encode()]).generate_state(1, np.uint64)[0] >> 1)


def generate_spaced_coordinates(
    low: float, high: float, num_points: int, levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points along `levels` vertical and then `levels` horizontal lines, evenly spaced over [low, high].

    num_points: points along each line. Returns xx, yy (pixels) and labels (the line's number, 0 ... 2 * levels - 1),
    each of length 2 * levels * num_points, line after line.
    Raises ValueError if low >= high, a bound is not finite, num_points < 2 or levels < 1.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low is {low} and high is {high}; both must be finite, and low below high")
    if num_points < 2:
        raise ValueError(f"num_points is {num_points}; a line needs at least 2")
    if levels < 1:
        raise ValueError(f"levels is {levels}; it must be at least 1")
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels


def save_dataset(dataset: TensorDataset, path: str | Path) -> Path:
    """Write images and centres to a .npz (NumPy, no pickle) or .safetensors file, whole or not at all.

    Raises ValueError for another ending, OSError if the file cannot be written.
    """
    arrays = dict(zip(("images", "centers"), dataset.tensors, strict=True))
    suffix = Path(path).suffix
    if suffix == ".safetensors":
        return save_tensors(path, arrays, {"content": "circles"})
    if suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: value.numpy() for name, value in arrays.items()})
        return write_atomically(path, buffer.getvalue())
    raise ValueError(f"path ends in {suffix!r}; it must end in '.npz' or '.safetensors'")


def _centers(num_images: int, im_size: int, generator: torch.Generator) -> Tensor:
    if im_size <= 2 * MARGIN:
        raise ValueError(f"im_size is {im_size}; circles with a margin of {MARGIN} pixels need more than {2 * MARGIN}")
    return MARGIN + (im_size - 2 * MARGIN) * torch.rand(num_images, 2, generator=generator)  # [N, 2]
