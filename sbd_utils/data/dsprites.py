"""dSprites (Matthey, Higgins, Hassabis & Lerchner 2017), read from the published file.

The file is `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz` of the repository
deepmind/dsprites-dataset on GitHub: 737,280 pictures in black and white, which you download. Its
metadata are pickled, and are not read: what the course needs is in arrays.
"""

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.data.base import (
    COLOR,
    Factor,
    LevelStream,
    Range,
    blocks,
    check_levels,
    narrowed,
)
from sbd_utils.sprites import hsv_to_rgb

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
COLUMNS = ("color", "shape", "size", "angle", "x", "y")
"""The columns of the file's latents: what it calls scale, orientation, posX and posY are ours."""
KINDS = ("square", "ellipse", "heart")
CHUNK = 4096
"""Pictures that are unpacked at a time."""


class DSprites(LevelStream):
    """Endless pictures from the file, white or coloured on the fly; factors are independent.

    If the pictures are compressed in the file, as published, they are read once, by some thousands,
    and kept as bits: 380 MB. If they are not (written by `numpy.savez`), they are memory-mapped.
    """

    def __init__(
        self,
        path: str | Path,
        batch_size: int = 32,
        seed: int = 0,
        im_size: int = 64,
        *,
        colored: bool = False,
        ranges: Mapping[str, Range] | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: Of the file.
            batch_size: Pictures in a batch, when iterated.
            seed: Of everything random.
            im_size: Height and width in pixels; it divides 64, and pictures are means over blocks.
            colored: Whether pictures are [3, H, H], in colours that depend on (seed, step) alone.
            ranges: By the factor's name, a value that it keeps, or its lowest and highest one.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is another file, or damaged; or another argument is wrong.
        """
        super().__init__(batch_size, seed, im_size)
        self.path, self.colored = Path(path), colored
        self.channels = 3 if colored else 1
        self.pictures, self.stored = _open(self.path)
        blocks(torch.zeros(1, 1, self.pictures.width, self.pictures.width), im_size)
        known = [factor for factor in self.stored if factor.name != "color"]
        self._factors = narrowed([*known, *(COLOR if colored else ())], ranges)

    @property
    def factors(self) -> Sequence[Factor]:
        """The factors that vary, as columns in the file's order; then the colour, if asked for.

        x and y are in pixels of the file: the file has numbers from 0 to 1, and where these lie was
        measured in its pictures. size is a share of the largest; angle is in degrees.
        """
        return self._factors

    def render(self, factors: Tensor) -> Tensor:
        """Pictures of the nearest levels to factors [N, F].

        Returns:
            [N, 1, H, H], or [N, 3, H, H] in colour.

        Raises:
            ValueError: factors has another shape, or holds what is not finite.
        """
        self.check_factors(factors)
        given = factors.double().cpu()
        white = torch.full((len(given), 1), self.stored[0].levels[0], dtype=torch.float64)
        count = len(self.stored) - 1
        images = self.read(self.find(torch.cat([white, given[:, :count]], 1)))
        if self.colored:
            colors = hsv_to_rgb(*given[:, count:].T).float()  # [N, 3]
            images = colors[:, :, None, None] * images
        return images.to(factors.device)

    def read(self, numbers: np.ndarray) -> Tensor:
        """Pictures [N, 1, H, H] of those numbers [N] in the file."""
        pictures = torch.from_numpy(self.pictures.take(numbers)).float()  # [N, 64, 64]
        return blocks(pictures[:, None], self.im_size)

    def identity(self) -> dict[str, Any]:
        """What every data set from a file says, and whether pictures are coloured."""
        return {**super().identity(), "colored": self.colored}


class _Pictures:
    """Pictures of 0 and 1, as bits in memory, or as bytes in a file that is mapped."""

    def __init__(self, content: np.ndarray, width: int) -> None:
        self.content, self.width = content, width
        self.packed = content.shape[-1] != width

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 [N, H, H] of numbers [N]."""
        taken = np.asarray(self.content[numbers])
        if self.packed:
            return np.unpackbits(taken, axis=-1, count=self.width)
        _check_bits("the file", taken)
        return taken


ADVICE = f"get {FILE} anew, from the repository deepmind/dsprites-dataset"


def _open(path: Path) -> tuple[_Pictures, list[Factor]]:
    """The pictures of a file, and its factors, all with levels."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; {ADVICE}")
    try:
        with zipfile.ZipFile(path) as archive:
            values = _read_array(path, archive, "latents_values")
            classes = _read_array(path, archive, "latents_classes")
            pictures = _read_pictures(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}): it is damaged; {ADVICE}") from error
    shape = (len(pictures.content), len(COLUMNS))
    if values.shape != shape or classes.shape != shape:
        found = f"latents of shapes {list(values.shape)} and {list(classes.shape)}"
        raise ValueError(f"{path} has {found}; both must be {list(shape)}; {ADVICE}")
    sizes = check_levels(path, classes.astype(np.int64))
    levels = []
    for column, size in enumerate(sizes):
        firsts = [int(np.argmax(classes[:, column] == level)) for level in range(size)]
        levels.append(values[firsts, column])
    return pictures, _factors(pictures, levels)


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        return archive.getinfo(f"{name}.npy")
    except KeyError:
        found = f"{path} has no array {name!r}: it is not dSprites"
        raise ValueError(f"{found}; {ADVICE}") from None


def _read_array(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array of numbers; one that is pickled is refused."""
    with archive.open(_member(path, archive, name)) as member:
        try:
            array = np.lib.format.read_array(member, allow_pickle=False)
        except ValueError as error:
            raise ValueError(f"{path}: {name} cannot be read ({error}); {ADVICE}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {name} holds {array.dtype}; it must hold numbers; {ADVICE}")
    return array


def _factors(pictures: _Pictures, levels: list[np.ndarray]) -> list[Factor]:
    """The file's factors, with x and y in pixels."""
    sizes = [len(each) for each in levels]
    least = [0] * len(sizes)
    greatest = [0, 0, 0, 0, sizes[4] - 1, sizes[5] - 1]  # x and y; all else at its first level
    corners = []
    for numbers in (least, greatest):
        picture = pictures.take(np.array([np.ravel_multi_index(numbers, sizes)]))[0].astype(float)
        corners.append((_middle(picture.sum(0)), _middle(picture.sum(1))))
    factors = []
    for name, given in zip(COLUMNS, levels, strict=True):
        values, unit, period = given.astype(float), "", None
        kinds: tuple[str, ...] = ()
        if name == "shape":
            values, kinds = np.arange(len(values), dtype=float), KINDS[: len(values)]
        elif name == "angle":
            values, unit = np.rad2deg(values), "degrees"
            period = 360.0 if np.ptp(values) > 180 else None
        elif name in ("x", "y"):
            axis, unit = ("x", "y").index(name), "pixels"
            share = (values - values[0]) / max(np.ptp(values), 1e-9)
            values = corners[0][axis] + share * (corners[1][axis] - corners[0][axis])
        numbered = tuple(map(float, values))
        ends = (numbered[0], numbered[-1])
        factors.append(Factor(name, *ends, unit, levels=numbered, kinds=kinds, period=period))
    return factors


def _middle(light: np.ndarray) -> float:
    """Where the light along an axis [H] has its mean, in pixels."""
    return float(light @ (np.arange(len(light)) + 0.5) / light.sum())


def _read_pictures(path: Path, archive: zipfile.ZipFile) -> _Pictures:
    """Map the pictures, or read them as bits; raises ValueError for others than 0 and 1."""
    from tqdm.auto import tqdm  # here, so that drawing does without

    info = _member(path, archive, "imgs")
    with archive.open(info) as member:
        count, height, width = shape = _read_header(path, member)
        if info.compress_type == zipfile.ZIP_STORED:
            return _Pictures(_map(path, info, shape, member.tell()), width)
        packed = np.empty((count, height, math.ceil(width / 8)), dtype=np.uint8)
        with tqdm(total=count, unit="picture", desc="reading", mininterval=0.5, delay=1) as bar:
            for start in range(0, count, CHUNK):
                part = min(CHUNK, count - start)
                content = member.read(part * height * width)
                if len(content) < part * height * width:
                    raise EOFError(f"imgs ends before picture {start + part}")
                pictures = np.frombuffer(content, np.uint8).reshape(part, height, width)
                _check_bits(path, pictures)
                packed[start : start + part] = np.packbits(pictures, axis=-1)
                bar.update(part)
        member.read(1)  # at its end the archive's checksum is compared
    return _Pictures(packed, width)


def _check_bits(path: Any, pictures: np.ndarray) -> None:
    if pictures.size and pictures.max() > 1:
        found = f"{path} has a pixel of {pictures.max()}"
        raise ValueError(f"{found}; the pixels of dSprites are 0 or 1; {ADVICE}")


def _read_header(path: Path, member: Any) -> tuple[int, int, int]:
    """The shape of the pictures, of NumPy's header."""
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        shape, fortran, dtype = read[np.lib.format.read_magic(member)](member)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: imgs cannot be read ({error}); {ADVICE}") from error
    square = len(shape) == 3 and shape[0] > 0 and shape[1] == shape[2]
    if not square or dtype != np.uint8 or fortran:
        wanted = "uint8 [N, H, H], row after row"
        found = f"{path} has imgs of {dtype} {list(shape)}"
        raise ValueError(f"{found}; they must be {wanted}; {ADVICE}")
    return (shape[0], shape[1], shape[2])


def _map(path: Path, info: zipfile.ZipInfo, shape: tuple[int, int, int], header: int) -> np.ndarray:
    """The pictures of an archive that does not compress them, as they lie in the file."""
    with open(path, "rb") as file:
        file.seek(info.header_offset + 26)  # the lengths of the member's name and extra field
        name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
    start = info.header_offset + 30 + name + extra + header
    if start + math.prod(shape) > path.stat().st_size:
        raise EOFError("imgs ends too early")
    return np.memmap(path, np.uint8, "r", start, shape)
