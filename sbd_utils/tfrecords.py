"""Records of TensorFlow's files (TFRecord, `tf.train.Example`), read without TensorFlow.

Such a file, here always compressed by GZIP, holds one record after another: its length (8 bytes,
little-endian), a checksum of these 8 bytes (4 bytes), the content, a checksum of the content (4
bytes). The checksum is CRC-32C, rotated and shifted. A content is an `Example`: values by name, in
the wire format of Protocol Buffers. Source: the TensorFlow guide, "TFRecord and tf.train.Example".
"""

import gzip
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from sbd_utils.files import CorruptFileError

MAX_RECORD = 2**24
"""Bytes; a longer one is refused before memory is asked for it."""
POLYNOMIAL = 0x82F63B78
"""Of CRC-32C (Castagnoli), its bits in reverse."""
PIECE = 64
"""Bytes of a content whose checksum is computed beside those of others."""


def read_records(path: str | Path) -> Iterator[bytes]:
    """The contents of a file's records, one after another; their checksums agree.

    Args:
        path: A TFRecord file, compressed by GZIP.

    Raises:
        FileNotFoundError: There is no such file.
        CorruptFileError: It is of another kind, cut off or changed; what came before was yielded.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    number = 0
    try:
        with gzip.open(path) as file:
            while (content := _read_record(file)) is not None:
                yield content
                number += 1
    except (EOFError, OSError, zlib.error, _WrongRecord) as error:
        reason = f"{path}: record {number} cannot be read ({error})"
        raise CorruptFileError(f"{reason}; this is no whole TFRecord file in GZIP") from error


class _WrongRecord(Exception):
    """What is wrong with a record; the caller knows which one it is."""


def _read_record(file: gzip.GzipFile) -> bytes | None:
    """The next record's content, or None at the end."""
    head = file.read(12)
    if not head:
        return None
    if len(head) < 12:
        raise _WrongRecord("it ends within its length")
    if _masked(crc32c(head[:8])) != int.from_bytes(head[8:], "little"):
        raise _WrongRecord("its length does not match the checksum")
    length = int.from_bytes(head[:8], "little")
    if length > MAX_RECORD:
        raise _WrongRecord(f"it has {length} bytes; at most {MAX_RECORD} are read")
    content, checksum = file.read(length), file.read(4)
    if len(content) + len(checksum) < length + 4:
        raise _WrongRecord(f"it ends before its {length} bytes and their checksum")
    if _masked(crc32c(content)) != int.from_bytes(checksum, "little"):
        raise _WrongRecord("its content does not match the checksum")
    return content


def crc32c(content: bytes) -> int:
    """The checksum CRC-32C (RFC 3720, appendix B.4).

    A loop over the bytes would take 40 times as long for a record of some ten thousand. So the
    content, but for what is over, is cut into pieces of 64 bytes, which NumPy goes through side by
    side; and since the checksum is linear, a register that has passed a piece is what it had become
    by 64 bytes of zero, plus what the piece makes of a register of zeros.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    steps = _steps()
    over = len(content) % PIECE
    register = 0xFFFFFFFF
    for byte in content[:over]:
        register = int(steps[(register ^ byte) & 0xFF]) ^ register >> 8
    pieces = np.frombuffer(content, dtype=np.uint8, offset=over).reshape(-1, PIECE)
    first, second, third, fourth = _zeros()
    for alone in _through(pieces).tolist():
        low = first[register & 0xFF] ^ second[register >> 8 & 0xFF]
        high = third[register >> 16 & 0xFF] ^ fourth[register >> 24]
        register = low ^ high ^ alone
    return register ^ 0xFFFFFFFF


def _through(pieces: np.ndarray, registers: np.ndarray | None = None) -> np.ndarray:
    """What pieces [N, B] make of registers, by default of zeros: uint32 [N]."""
    steps = _steps()
    if registers is None:
        registers = np.zeros(len(pieces), dtype=np.uint32)
    for column in pieces.T:
        registers = steps[(registers ^ column) & 0xFF] ^ (registers >> 8)
    return registers


@cache
def _steps() -> np.ndarray:
    """What eight shifts of the register make of its lowest byte: uint32 [256]."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


@cache
def _zeros() -> list[list[int]]:
    """What a piece of zeros makes of each of the register's four bytes: [4][256]."""
    zeros = np.zeros((256, PIECE), dtype=np.uint8)
    byte = np.arange(256, dtype=np.uint32)
    return [_through(zeros, byte << np.uint32(shift)).tolist() for shift in (0, 8, 16, 24)]


def _masked(checksum: int) -> int:
    """As the file has it: turned right by 15 bits, and a constant added."""
    turned = checksum >> 15 | checksum << 17
    return (turned + 0xA282EAD8) & 0xFFFFFFFF


# Protocol Buffers: a message is a sequence of fields, each a key (its number, and how its value is
# written) and a value. The numbers are those of TensorFlow's example.proto and feature.proto.

FEATURES, ENTRIES, NAME, VALUE, ITEMS = 1, 1, 1, 2, 1
BYTES, FLOATS = 1, 2
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def parse_example(content: bytes) -> dict[str, bytes | np.ndarray]:
    """The values of an `Example` by name: one string of bytes, or float32 [M].

    Raises:
        CorruptFileError: It is no Example, or holds other values, as whole numbers.
    """
    values: dict[str, bytes | np.ndarray] = {}
    for features in _fields(content, FEATURES):
        for entry in _fields(features, ENTRIES):
            names, features_of = _fields(entry, NAME), _fields(entry, VALUE)
            if len(names) != 1 or len(features_of) != 1:
                raise CorruptFileError("an entry of an Example has no name or no value")
            name = names[0].decode("utf-8", errors="backslashreplace")
            values[name] = _parse_feature(name, features_of[0])
    return values


def _parse_feature(name: str, content: bytes) -> bytes | np.ndarray:
    strings, numbers = _fields(content, BYTES), _fields(content, FLOATS)
    if len(strings) == 1 and not numbers:
        items = _fields(strings[0], ITEMS)
        if len(items) == 1:
            return items[0]
    if len(numbers) == 1 and not strings:
        packed = b"".join(_fields(numbers[0], ITEMS))
        if len(packed) % 4 == 0:
            return np.frombuffer(packed, dtype="<f4")
    wanted = "one string of bytes, or numbers in single precision"
    raise CorruptFileError(f"feature {name!r} of an Example is neither {wanted}")


def _fields(content: bytes, wanted: int) -> list[bytes]:
    """The values, in order, of the fields of that number; numbers as their bytes."""
    values, at = [], 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        start = at
        if kind == VARINT:
            _, end = _varint(content, at)
        elif kind == LENGTH:
            length, start = _varint(content, at)
            end = start + length
        elif kind in (FIXED32, FIXED64):
            end = start + (4 if kind == FIXED32 else 8)
        else:
            raise CorruptFileError(f"a field of an Example is written in an unknown way ({kind})")
        if end > len(content):
            raise CorruptFileError("an Example ends within a field")
        if number == wanted:
            values.append(content[start:end])
        at = end
    return values


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where it ends."""
    number = 0
    for shift in range(0, 64, 7):
        if at >= len(content):
            raise CorruptFileError("an Example ends within a number")
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
    raise CorruptFileError("an Example has a number of more than 64 bits")
