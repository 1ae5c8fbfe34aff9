"""The weights that come with the course: what there is, whether it is whole, and the models made of it."""

import json
from pathlib import Path

import torch

from sbd_utils.files import CorruptFileError, load_tensors, sha256
from sbd_utils.models import VAE

FOLDER = Path(__file__).resolve().parent.parent / "pretrained"


def available_pretrained(folder: str | Path = FOLDER) -> list[str]:
    """Names of the weights in the folder's manifest.json, in alphabetical order."""
    return sorted(_manifest(folder))


def load_pretrained(name: str, folder: str | Path = FOLDER) -> VAE:
    """The pretrained model of that name, in eval mode on the CPU.

    The file's SHA-256 must be the manifest's, and its tensors those of the network that its metadata describes.
    Raises ValueError for a name the manifest lacks, FileNotFoundError, or CorruptFileError.
    """
    manifest = _manifest(folder)
    if name not in manifest:
        raise ValueError(f"name is {name!r}; available are {', '.join(map(repr, sorted(manifest))) or 'none'}")
    path = Path(folder) / f"{name}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is listed in the manifest but missing; restore it with `git checkout`")
    if sha256(path) != manifest[name]["sha256"]:
        raise CorruptFileError(f"{path} does not have the SHA-256 of the manifest; restore it with `git checkout`")
    return load_weights(path)


def load_weights(path: str | Path) -> VAE:
    """A model from a weights file or a checkpoint written by `save_weights` or `fit`, in eval mode on the CPU.

    Raises CorruptFileError, saying what is wrong, if a tensor is missing, unknown or of another shape.
    """
    tensors, metadata = load_tensors(path)
    try:
        model = VAE(**json.loads(metadata["vae"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{path} does not describe a VAE ({error!r})") from error
    if metadata.get("kind") == "checkpoint":
        tensors = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    expected = model.state_dict()
    for label, names in [("lacks", expected.keys() - tensors), ("has the unknown", tensors.keys() - expected)]:
        if names:
            raise CorruptFileError(f"{path} {label} tensor {', '.join(sorted(names))}: it holds another network")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise CorruptFileError(
                f"{path}: {name} is {tensor.dtype} {list(tensor.shape)}; "
                f"the network needs {expected[name].dtype} {list(expected[name].shape)}"
            )
    model.load_state_dict(tensors)
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CorruptFileError(f"{path} holds weights that are not finite")
    return model.eval()


def _manifest(folder: str | Path) -> dict[str, dict]:
    path = Path(folder) / "manifest.json"
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no {path}; the weights come with a clone of the course") from error
    except ValueError as error:
        raise CorruptFileError(f"{path} is not JSON ({error}); restore it with `git checkout`") from error
