"""Files that are whole or absent, and tensors in files that are what they say or do not load."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

DIGEST = "sha256"  # the metadata entry that holds the digest of everything else in a tensor file


class CorruptFileError(ValueError):
    """A file is not what was written."""


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write a temporary neighbour and rename it to `path` in one step.

    A reader, or a crash at any moment, sees the old file or the new one, never a part.
    Raises OSError, naming `path`, if it cannot be written; the old file is then untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error is the one to report
            temporary.unlink()
        reason = f"cannot write {path}: {error.strerror}. Is the folder writable and the disk not full?"
        raise OSError(error.errno, reason) from error
    return path


def save_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    """Write named tensors and text to a safetensors file, atomically, with a digest of its content.

    The same content gives the same bytes.
    """
    import safetensors.torch  # here, so that the notebooks that only draw do without

    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {**metadata, DIGEST: _digest(tensors, metadata)}
    return write_atomically(path, _in_order(safetensors.torch.save(tensors, metadata)))


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote. Nothing is unpickled.

    Raises FileNotFoundError, or CorruptFileError if the file is truncated, changed or of another kind.
    """
    import safetensors

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except Exception as error:  # the reader's errors share no class narrower than this
        raise CorruptFileError(
            f"{path} is not a readable safetensors file ({error}); restore it or delete it"
        ) from error
    if metadata.pop(DIGEST, None) != _digest(tensors, metadata):
        raise CorruptFileError(f"the content of {path} does not match its own digest; restore it or delete it")
    return tensors, metadata


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata in alphabetical order: the writer's is another every time."""
    size = int.from_bytes(content[:8], "little")  # the format: length of the header, header (JSON), data
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data stays aligned
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {list(tensors[name].shape)}".encode())
        digest.update(tensors[name].flatten().view(torch.uint8).numpy().tobytes())  # NumPy has no bfloat16
    return digest.hexdigest()
