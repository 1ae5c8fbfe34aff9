"""Weights and training state as files, for every registered model. Nothing is unpickled.

Both are safetensors files with a digest (see `files`). Their metadata hold the model's class and
its config as JSON, so that the network can be built again. In a checkpoint the weights stand beside
the state of Adam, told apart by a prefix.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.files import CorruptFileError, load_tensors, save_tensors
from sbd_utils.models import MODELS
from sbd_utils.post_weights import load_post_weights

CLASS, CONFIG = "class", "config"
"""Metadata of every file: the model's class name, and its config as JSON."""
KIND, STEP, IDENTITY = "kind", "step", "identity"
"""Metadata of a checkpoint: what the file is, updates made, and what tells the run, as JSON."""
WEIGHTS, ADAM, LOG = "model.", "adam.", "log."
"""Prefixes of the tensors of a checkpoint."""
MOMENTS = ("exp_avg", "exp_avg_sq")


def save_weights(model: nn.Module, path: str | Path) -> Path:
    """Write a model's weights, and what it takes to build it, to a safetensors file, atomically.

    Raises:
        ValueError: The model is of no registered class.
        OSError: The file cannot be written.
    """
    model = uncompiled(model)
    return save_tensors(path, model.state_dict(), describe(model))


def load_weights(path: str | Path) -> Any:
    """A model from a file of weights or a checkpoint, in eval mode on the CPU.

    Args:
        path: Written by `save_weights` or `fit`; or, ending in .pt or .pth, weights of the blog
            post's code, see `load_post_weights`.

    Returns:
        The model, of the class that the file names: a `VAE`.

    Raises:
        FileNotFoundError: There is no such file.
        CorruptFileError: The file is damaged, names a class that is not registered, or a tensor is
            missing, unknown, of another shape or not finite.
    """
    path = Path(path)
    if path.suffix in (".pt", ".pth"):
        return load_post_weights(path)
    tensors, metadata = load_tensors(path)
    if metadata.get(KIND) == "checkpoint":
        tensors = _under(WEIGHTS, tensors)
    model = _build(path, metadata)
    _check_tensors(path, model.state_dict(), tensors)
    dtypes = {value.dtype for value in tensors.values() if value.is_floating_point()}
    if len(dtypes) == 1:
        model.to(dtypes.pop())
    model.load_state_dict(tensors)
    return model.eval()


def save_checkpoint(
    path: str | Path,
    model: nn.Module,
    optimizer: torch.optim.Adam,
    log: Mapping[str, Tensor],
    step: int,
    identity: Mapping[str, Any],
) -> Path:
    """Write all that a training run needs to go on, atomically.

    Args:
        path: The file.
        model: Its weights are written.
        optimizer: Adam over the model's parameters; its moments are written.
        log: Further tensors by name.
        step: Updates made.
        identity: What must agree with the run that goes on; values that JSON can hold.
    """
    tensors = {WEIGHTS + name: value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state[parameter].items():  # none for a frozen one
            tensors[f"{ADAM}{name}.{key}"] = value
    tensors |= {LOG + name: value for name, value in log.items()}
    words = {KIND: "checkpoint", STEP: str(step), IDENTITY: to_json(identity)}
    metadata = {**describe(model), **words}
    return save_tensors(path, tensors, metadata)


def read_identity(path: str | Path) -> dict[str, Any]:
    """What a checkpoint says of its run: the identity that it was saved with.

    Raises:
        CorruptFileError: The file is damaged, or no checkpoint.
    """
    return json.loads(_read_checkpoint(path)[1][IDENTITY])


def load_checkpoint(
    path: str | Path, model: nn.Module, optimizer: torch.optim.Adam, identity: Mapping[str, Any]
) -> tuple[int, dict[str, Tensor]]:
    """Put a run's state back into its model and optimizer.

    Returns:
        The number of updates made, and the further tensors that were saved, by name.

    Raises:
        CorruptFileError: The file is damaged, or no checkpoint.
        ValueError: It belongs to another run; the message says in what they differ.
    """
    tensors, metadata = _read_checkpoint(path)
    mine = {**_network(describe(model)), **json.loads(to_json(identity))}
    theirs = {**_network(metadata), **json.loads(metadata[IDENTITY])}
    for name in [*mine, *theirs]:
        if mine.get(name) != theirs.get(name):
            raise ValueError(
                f"{path} is the checkpoint of another run: its {name} is {theirs.get(name)!r}, "
                f"not {mine.get(name)!r}. Resume with the same arguments, or name another file."
            )
    model.load_state_dict(_under(WEIGHTS, tensors))
    for name, parameter in model.named_parameters():
        state = _under(f"{ADAM}{name}.", tensors)
        for key in MOMENTS:
            if key in state:  # the moments take the parameter's memory layout, as they had it
                state[key] = torch.empty_like(parameter).copy_(state[key])
        if state:
            optimizer.state[parameter] = state
    return int(metadata[STEP]), _under(LOG, tensors)


def describe(model: nn.Module) -> dict[str, str]:
    """The metadata from which the network can be built again.

    Raises:
        ValueError: The model is of no registered class, or its config holds more than plain values.
    """
    name = type(model).__name__
    if name not in MODELS:
        raise ValueError(f"model is a {name}; known to files are {', '.join(MODELS)}")
    return {CLASS: name, CONFIG: to_json(model.config)}


def to_json(value: Any) -> str:
    """A plain value as JSON; NumPy's and torch's numbers as Python's."""

    def plain(number: Any) -> Any:
        if hasattr(number, "item"):
            return number.item()
        raise TypeError(f"{number!r} is no plain value")

    return json.dumps(value, default=plain)


def uncompiled(model: nn.Module) -> nn.Module:
    """The module within what `torch.compile` returned, or the model as it is."""
    return getattr(model, "_orig_mod", model)


def _network(metadata: Mapping[str, str]) -> dict[str, Any]:
    return {"model": metadata[CLASS], **json.loads(metadata[CONFIG])}


def _read_checkpoint(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    tensors, metadata = load_tensors(path)
    if metadata.get(KIND) != "checkpoint":
        raise CorruptFileError(f"{path} holds no checkpoint; name another file, or move it away")
    return tensors, metadata


def _build(path: Path, metadata: Mapping[str, str]) -> nn.Module:
    name = metadata.get(CLASS, "VAE")
    if name not in MODELS:
        raise CorruptFileError(f"{path} holds a {name}; known are {', '.join(MODELS)}")
    try:
        config = json.loads(metadata.get(CONFIG) or metadata["vae"])  # 'vae': files of version 0.1
        return MODELS[name](**config)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{path} does not describe a {name} ({error!r})") from error


def _check_tensors(
    path: Path, expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    missing, unknown = expected.keys() - tensors, tensors.keys() - expected
    for label, names in [("lacks", missing), ("has the unknown", unknown)]:
        if names:
            listed = ", ".join(sorted(names))
            raise CorruptFileError(f"{path} {label} tensor {listed}: it holds another network")
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.is_floating_point() != wanted.is_floating_point():
            found = f"{tensor.dtype} {list(tensor.shape)}"
            needed = f"{wanted.dtype} {list(wanted.shape)}"
            raise CorruptFileError(f"{path}: {name} is {found}; the network needs {needed}")
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CorruptFileError(f"{path} holds weights that are not finite")


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose name begins with the prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
