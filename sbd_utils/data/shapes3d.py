"""3D Shapes (Burgess & Kim 2018), read from the published file.

The file is `3dshapes.h5` of the repository deepmind/3d-shapes on GitHub: 480,000 pictures in
colour, which you download. To read it takes h5py: `pip install h5py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.data.base import Factor, LevelStream, Range, blocks, check_levels, narrowed

FILE = "3dshapes.h5"
ADVICE = f"get {FILE} anew, as the repository deepmind/3d-shapes says"
COLUMNS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
"""The columns of the file's labels."""
KINDS = ("cube", "cylinder", "sphere", "capsule")
UNITS = {"orientation": "degrees"}


class Shapes3D(LevelStream):
    """Endless pictures from the file; factors are independent.

    Only the pictures of a batch are read, when they are asked for: the file stays on the disk.
    """

    channels = 3

    def __init__(
        self,
        path: str | Path,
        batch_size: int = 32,
        seed: int = 0,
        im_size: int = 64,
        *,
        ranges: Mapping[str, Range] | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: Of the file.
            batch_size: Pictures in a batch, when iterated.
            seed: Of everything random.
            im_size: Height and width in pixels; it divides 64, and pictures are means over blocks.
            ranges: By the factor's name, a value that it keeps, or its lowest and highest one.

        Raises:
            ImportError: h5py is missing.
            FileNotFoundError: There is no such file.
            ValueError: It is another file, or damaged; or another argument is wrong.
        """
        super().__init__(batch_size, seed, im_size)
        self.path = Path(path)
        self.stored, width = _open(self.path)
        blocks(torch.zeros(1, 3, width, width), im_size)
        self._factors = narrowed(self.stored, ranges)

    @property
    def factors(self) -> Sequence[Factor]:
        """Three hues, from 0 to 0.9 of a turn; scale; the shape; orientation in degrees."""
        return self._factors

    def render(self, factors: Tensor) -> Tensor:
        """Pictures [N, 3, H, H] of the nearest levels to factors [N, 6].

        Raises:
            ValueError: factors is not of finite numbers [N, 6], or the file is damaged.
        """
        self.check_factors(factors)
        return self.read(self.find(factors.cpu())).to(factors.device)

    def read(self, numbers: np.ndarray) -> Tensor:
        """Pictures [N, 3, H, H] of those numbers [N] in the file."""
        wanted, places = np.unique(numbers, return_inverse=True)  # h5py wants them ascending, once
        with _Opened(self.path) as file:
            pictures = file["images"][wanted][places]  # uint8 [N, 64, 64, 3]
        channels_first = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        return blocks(channels_first.float() / 255, self.im_size)


class _Opened:
    """The file, open as long as it is read; what is wrong with it is a ValueError.

    It is opened for each reading, so that the workers of a DataLoader have one each.
    """

    def __init__(self, path: Path) -> None:
        try:
            import h5py  # here, so that all else does without
        except ImportError as error:
            advice = "install it with `pip install h5py`"
            raise ImportError(f"3D Shapes is a file of HDF5, which h5py reads; {advice}") from error
        self.path, self.library = path, h5py

    def __enter__(self) -> Any:
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no file {self.path}; {ADVICE}")
        try:
            self.file = self.library.File(self.path, "r")
        except OSError as error:
            raise ValueError(f"{self.path} cannot be read ({error}); {ADVICE}") from error
        return self.file

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.file.close()
        if isinstance(error, OSError):
            damaged = f"{self.path} cannot be read ({error}): it is damaged"
            raise ValueError(f"{damaged}; {ADVICE}") from error


def _open(path: Path) -> tuple[list[Factor], int]:
    """The factors of a file, all with levels, and the width of its pictures."""
    with _Opened(path) as file:
        for name in ("images", "labels"):
            if name not in file:
                raise ValueError(f"{path} has no {name!r}: it is not 3D Shapes; {ADVICE}")
        labels, shape = file["labels"][()], file["images"].shape
        dtype = file["images"].dtype
    right = len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3 and dtype == np.uint8
    if not right or labels.shape != (shape[0], len(COLUMNS)):
        found = f"images of {dtype} {list(shape)} and labels {list(labels.shape)}"
        wanted = f"uint8 [N, H, H, 3] and [N, {len(COLUMNS)}]"
        raise ValueError(f"{path} has {found}; they must be {wanted}; {ADVICE}")
    pairs = [np.unique(column, return_inverse=True) for column in labels.T]
    check_levels(path, np.stack([classes for _, classes in pairs], 1))
    factors = []
    for name, (values, _) in zip(COLUMNS, pairs, strict=True):
        levels = tuple(map(float, values))
        kinds = KINDS[: len(levels)] if name == "shape" else ()
        period = 1.0 if name.endswith("hue") and len(levels) > 1 else None
        ends = (levels[0], levels[-1])
        unit = UNITS.get(name, "")
        factors.append(Factor(name, *ends, unit, levels=levels, kinds=kinds, period=period))
    return factors, shape[1]
