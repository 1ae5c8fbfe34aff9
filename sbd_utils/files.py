"""Files that are whole or absent, and tensors in files that are what they say or do not load."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who only reads text does not wait for PyTorch
    from torch import Tensor

DIGEST = "sha256"
"""The metadata entry that holds the digest of everything else in a tensor file."""


class CorruptFileError(ValueError):
    """A file is not what was written."""


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write a temporary neighbour and rename it to `path` in one step.

    A reader, or a crash at any moment, sees the old file or the new one, never a part. Writers
    that write at the same time do not disturb each other: the last one to finish wins.

    Args:
        path: Where to write; missing folders are made.
        content: All the bytes of the file.

    Returns:
        The path.

    Raises:
        OSError: It cannot be written; the message names `path`, and the old file is untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # renamed, or never made; else the error above is told
            temporary.unlink()
    return path


def check_writable(path: str | Path) -> None:
    """Raise OSError now, naming `path`, if `write_atomically` could not write there later."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder")
    probe = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _not_written(path, error) from error


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file in UTF-8, with the line ends as they are, atomically."""
    return write_atomically(path, text.encode("utf-8"))


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8, whatever the locale."""
    return Path(path).read_text(encoding="utf-8")


@contextlib.contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a lock on `path` against other processes while it is read, changed and written.

    The lock is a neighbouring file, `.NAME.lock`. It ends with the process that holds it.
    """
    import filelock  # comes with torch

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_name(f".{path.name}.lock")):
        yield


def beside(path: str | Path, ending: str) -> Path:
    """The path with `ending` in the place of a final '.safetensors', or behind a name without it.

    Only that ending is cut off: 'run.v1' and 'run.v2' stay apart.
    """
    path = Path(path)
    return path.with_name(path.name.removesuffix(".safetensors") + ending)


def save_tensors(
    path: str | Path, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, str]
) -> Path:
    """Write named tensors and text to a safetensors file, atomically, with a digest of its content.

    The same content gives the same bytes.

    Args:
        path: The file.
        tensors: Of any shape and device; written as they are on the CPU.
        metadata: Text by name.

    Returns:
        The path.

    Raises:
        OSError: It cannot be written.
    """
    import safetensors.torch  # here, so that the notebooks that only draw do without

    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {**metadata, DIGEST: _digest(tensors, metadata)}
    return write_atomically(path, _in_order(safetensors.torch.save(tensors, metadata)))


def load_tensors(path: str | Path) -> tuple[dict[str, "Tensor"], dict[str, str]]:
    """Read what `save_tensors` wrote. Nothing is unpickled.

    The file is read once: to change it later changes none of the tensors.

    Returns:
        The tensors, on the CPU, and the metadata, both by name.

    Raises:
        FileNotFoundError: There is no such file.
        CorruptFileError: The file is truncated, changed or of another kind.
    """
    import safetensors.torch

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    content = path.read_bytes()
    try:
        tensors = safetensors.torch.load(content)
        metadata = dict(_header(content).get("__metadata__") or {})
    except Exception as error:  # the reader's errors share no class narrower than this
        reason = f"{path} is not a readable safetensors file ({error})"
        raise CorruptFileError(reason) from error
    if metadata.pop(DIGEST, None) != _digest(tensors, metadata):
        raise CorruptFileError(f"the content of {path} does not match its own digest")
    return tensors, metadata


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


ADVICE = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "the disk or a limit allows no larger file",
    errno.EACCES: "choose a folder that you may write to",
    errno.EROFS: "choose a disk that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What to do about an error of the system, where it is known."""


def _not_written(path: Path, error: OSError) -> OSError:
    advice = ADVICE.get(error.errno or 0)
    reason = f"cannot write {path}: {error.strerror}"
    return OSError(error.errno, f"{reason}; {advice}" if advice else reason)


# The format: the header's length (8 bytes, little-endian), the header (JSON), the data.


def _header(content: bytes) -> dict:
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size])


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata sorted: the writer's order is another every time."""
    header = _header(content)
    data = content[8 + int.from_bytes(content[:8], "little") :]
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data stays aligned
    return len(text).to_bytes(8, "little") + text + data


def _digest(tensors: Mapping[str, "Tensor"], metadata: Mapping[str, str]) -> str:
    import torch

    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().tobytes())  # NumPy has no bfloat16
    return digest.hexdigest()
