"""Multi-dSprites (Kabra et al. 2019, Multi-Object Datasets), read from the published files.

They are the files `multi_dsprites_VARIANT.tfrecords` of the data sets of the repository
google-deepmind/multi_object_datasets on GitHub, a million scenes each, which you download. To train
on some, `join_scenes` the first batches: `as_batches` takes their images.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sbd_utils.data.base import Scenes
from sbd_utils.files import CorruptFileError
from sbd_utils.tfrecords import parse_example, read_records

IM_SIZE = 64
ENTITIES = {"binarized": 4, "colored_on_grayscale": 6, "colored_on_colored": 5}
"""How many a scene has at most, by the variant of the data set; the ground is the first."""
COLUMNS = ("x", "y", "shape", "scale", "orientation")
"""What the file says of an entity, one number each; numbers are the file's."""


class MultiDSprites:
    """The scenes of a file, in its order, read as they are asked for.

    Iterating starts at the file's beginning. A scene's objects are those of the file without the
    ground, their factors `COLUMNS`.
    """

    def __init__(self, path: str | Path, variant: str, batch_size: int = 32) -> None:
        """Say which file.

        Args:
            path: Of the file.
            variant: A key of `ENTITIES`: what the file's name has after `multi_dsprites_`.
            batch_size: Scenes in a batch; the last one may have fewer.

        Raises:
            ValueError: There is no such variant, or batch_size is below 1.
            FileNotFoundError: There is no such file.
        """
        if variant not in ENTITIES:
            known = ", ".join(map(repr, ENTITIES))
            raise ValueError(f"variant is {variant!r}; it must be one of {known}")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
        self.path, self.variant, self.batch_size = Path(path), variant, batch_size
        self.channels = 1 if variant == "binarized" else 3
        if not self.path.is_file():
            file = f"multi_dsprites_{variant}.tfrecords"
            whence = f"get {file} as the repository google-deepmind/multi_object_datasets says"
            raise FileNotFoundError(f"there is no file {self.path}; {whence}")

    def __iter__(self) -> Iterator[Scenes]:
        """Batches of scenes; only one is in memory.

        Raises:
            CorruptFileError: The file is cut off, changed or another one.
        """
        records = enumerate(read_records(self.path))
        while batch := list(islice(records, self.batch_size)):
            yield join_scenes(self._scene(number, content) for number, content in batch)

    def _scene(self, number: int, content: bytes) -> Scenes:
        """One scene, as a batch of one."""
        try:
            return _as_scenes(parse_example(content), ENTITIES[self.variant], self.channels)
        except CorruptFileError as error:
            reason = f"{self.path}: record {number} is no scene of {self.variant!r} ({error})"
            raise CorruptFileError(reason) from error


def join_scenes(batches: Iterable[Scenes]) -> Scenes:
    """Several batches of scenes as one."""
    return Scenes(*(torch.cat(parts) for parts in zip(*batches, strict=True)))


def _as_scenes(values: Mapping[str, bytes | np.ndarray], entities: int, channels: int) -> Scenes:
    """The scene of a record's values."""
    pixels = _bytes(values, "image", (IM_SIZE, IM_SIZE, channels))
    image = pixels.permute(2, 0, 1)  # [C, H, H]
    masks = _bytes(values, "mask", (IM_SIZE, IM_SIZE, entities)).permute(2, 0, 1)  # [K + 1, H, H]
    if ((masks != 0) & (masks != 1)).any() or (masks.sum(0) != 1).any():
        raise CorruptFileError("its masks are not 255 in one entity and 0 in the others")
    factors = torch.stack([_numbers(values, name, entities) for name in COLUMNS], 1)  # [K + 1, F]
    present = _numbers(values, "visibility", entities) > 0.5
    # Colours are plain: what the masks show of the image tells them, on its scale.
    area = masks.sum((1, 2)).clamp(min=1)
    totals = torch.einsum("khw,chw->kc", masks.double(), image.double())
    colors = (totals / area[:, None]).float()  # [K + 1, C]
    scene = (image, masks, factors[1:] * present[1:, None], present[1:], colors)
    return Scenes(*(part[None] for part in scene))


def _bytes(values: Mapping[str, bytes | np.ndarray], name: str, shape: tuple[int, ...]) -> Tensor:
    """Numbers in [0, 1] of a string of bytes."""
    value = values.get(name)
    size = int(np.prod(shape))
    if not isinstance(value, bytes) or len(value) != size:
        raise CorruptFileError(f"{name!r} is {_told(value)}; it must be {size} bytes")
    return torch.from_numpy(np.frombuffer(value, np.uint8).astype(np.float32) / 255).view(shape)


def _numbers(values: Mapping[str, bytes | np.ndarray], name: str, count: int) -> Tensor:
    value = values.get(name)
    if not isinstance(value, np.ndarray) or len(value) != count:
        raise CorruptFileError(f"{name!r} is {_told(value)}; it must be {count} numbers")
    return torch.from_numpy(value.astype(np.float32))


def _told(value: bytes | np.ndarray | None) -> str:
    if value is None:
        return "missing"
    return f"{len(value)} {'bytes' if isinstance(value, bytes) else 'numbers'}"
