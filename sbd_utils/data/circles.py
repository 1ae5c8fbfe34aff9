"""The circles, finite or endless, and the grid of positions to look at a code with."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils.data import TensorDataset

from sbd_utils.data.base import (
    GRID_INSET,
    GRID_LEVELS,
    GRID_POINTS,
    Factor,
    FactorStream,
    generate_spaced_coordinates,
)
from sbd_utils.files import save_tensors, write_atomically
from sbd_utils.sprites import render_batch

CIRCLE_SIZE = 10
"""Diameter in pixels."""
MARGIN = 8
"""Centres keep this many pixels from every border."""


class CircleStream(FactorStream):
    """Endless white circles of diameter 10 on black, distributed as in `circles_dataset`."""

    height: ClassVar[float] = 1.0
    """How far y ranges about the middle of the image, as a share of the range of x."""

    @property
    def factors(self) -> Sequence[Factor]:
        """The centre, x and y in pixels."""
        low, high = center_range(self.im_size)
        top, bottom = _squeezed(np.array([low, high]), self.im_size, self.height).tolist()
        return [Factor("x", low, high, "pixels"), Factor("y", top, bottom, "pixels")]

    def render(self, factors: Tensor) -> Tensor:
        """Images [N, 1, H, H] of centres [N, 2] in pixels."""
        x, y = factors.T
        return draw_circles(x, y, self.im_size)

    def lines(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `evaluation_grid`."""
        return evaluation_grid(self.im_size, self.height)


class RectangleStream(CircleStream):
    """The circles with centres in a rectangle twice as wide as high: 48 x 24 of 64 x 64 pixels."""

    height = 0.5


def circles_dataset(num_images: int = 5000, seed: int = 0, im_size: int = 64) -> TensorDataset:
    """White circles of diameter 10 on black, centres uniform in [8, im_size - 8]².

    Args:
        num_images: How many.
        seed: The same seed gives the same bytes.
        im_size: Height and width in pixels.

    Returns:
        A TensorDataset of images [N, 1, im_size, im_size] in [0, 1] and centres [N, 2] (x, y in
        pixels).

    Raises:
        ValueError: num_images is below 1, or im_size leaves no room for a centre.

    Example:
        >>> images, centers = circles_dataset(num_images=3).tensors
        >>> images.shape, centers.shape
        (torch.Size([3, 1, 64, 64]), torch.Size([3, 2]))
    """
    if num_images < 1:
        raise ValueError(f"num_images is {num_images}; it must be at least 1")
    stream = CircleStream(im_size=im_size)
    centers = stream.sample(num_images, torch.Generator().manual_seed(seed))
    return TensorDataset(stream.render(centers), centers)


def draw_circles(
    x: ArrayLike | Tensor,
    y: ArrayLike | Tensor,
    im_size: int = 64,
    size: float = CIRCLE_SIZE,
) -> Tensor:
    """White circles on black, one image for each centre; see `render_batch`.

    Args:
        x: [N] in pixels.
        y: [N] in pixels.
        im_size: Height and width of an image in pixels.
        size: Diameter in pixels.

    Returns:
        [N, 1, im_size, im_size] in [0, 1].
    """
    return render_batch("ellipse", x, y, size, img_size=im_size)


def center_range(im_size: int) -> tuple[float, float]:
    """The least and the greatest coordinate of a centre, in pixels.

    Raises:
        ValueError: im_size leaves no room between the margins.
    """
    if im_size <= 2 * MARGIN:
        room = f"circles with a margin of {MARGIN} pixels need more than {2 * MARGIN}"
        raise ValueError(f"im_size is {im_size}; {room}")
    return MARGIN, im_size - MARGIN


def evaluation_grid(
    im_size: int = 64, height: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lines on which codes are scored: xx, yy, labels, as `generate_spaced_coordinates`.

    They keep to the same share of the range of centres whatever the image size: from 12 to 52 in
    images of 64 pixels.

    Args:
        im_size: Height and width of the image in pixels.
        height: Of the region of centres, as a share of its width: see `CircleStream.height`.
    """
    first, last = center_range(im_size)
    inset = GRID_INSET * (last - first)
    low, high = first + inset, last - inset
    xx, yy, labels = generate_spaced_coordinates(low, high, GRID_POINTS, GRID_LEVELS)
    return xx, _squeezed(yy, im_size, height), labels


def _squeezed(y: np.ndarray, im_size: int, height: float) -> np.ndarray:
    """Coordinates in pixels, brought nearer to the middle of the image by a factor."""
    middle = im_size / 2
    return middle + height * (y - middle)


def save_dataset(dataset: TensorDataset, path: str | Path) -> Path:
    """Write images and centres to a .npz (no pickle) or .safetensors file, atomically.

    Returns:
        The path.

    Raises:
        ValueError: The path has another ending.
        OSError: The file cannot be written.
    """
    arrays = dict(zip(("images", "centers"), dataset.tensors, strict=True))
    suffix = Path(path).suffix
    if suffix == ".safetensors":
        return save_tensors(path, arrays, {"content": "circles"})
    if suffix == ".npz":
        buffer = io.BytesIO()
        images, centers = (array.numpy() for array in dataset.tensors)
        np.savez_compressed(buffer, images=images, centers=centers)
        return write_atomically(path, buffer.getvalue())
    raise ValueError(f"path ends in {suffix!r}; it must end in '.npz' or '.safetensors'")
