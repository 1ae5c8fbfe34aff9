"""The weights that come with the course: what there is, whether it is whole, the models of it."""

import json
from pathlib import Path
from typing import Any

from sbd_utils.checkpoint import load_weights
from sbd_utils.files import (
    CorruptFileError,
    beside,
    locked,
    read_text,
    sha256,
    write_atomically,
    write_text,
)

FOLDER = Path(__file__).resolve().parent.parent / "pretrained"
MANIFEST = "manifest.json"
SCORED_ON = "the evaluation grid and 1,000 held-out circles"
"""What a run was scored on whose record does not say it."""
RESTORE = "get it anew from the course's repository (in a git clone: `git checkout pretrained`)"


def available_pretrained(folder: str | Path = FOLDER) -> list[str]:
    """Names of the weights in the folder's manifest.json, in alphabetical order.

    Raises:
        FileNotFoundError: There is no manifest.
        CorruptFileError: The manifest is damaged.
    """
    return sorted(_manifest(folder))


def load_pretrained(name: str, folder: str | Path = FOLDER) -> Any:
    """The pretrained model of that name, in eval mode on the CPU.

    The file's SHA-256 must be the manifest's, and its tensors those of the network that its
    metadata describe.

    Args:
        name: The file's stem, such as 'vae_circles_bw'.
        folder: Where manifest.json is.

    Returns:
        A `VAE`, or another model of `MODELS`, as its card says.

    Raises:
        ValueError: The manifest lacks the name.
        FileNotFoundError: The file or the manifest is missing.
        CorruptFileError: The file is not the one that the manifest describes.

    Example:
        >>> model = load_pretrained("vae_circles_bw")
        >>> model.config["decoder"], model.training
        ('sbd', False)
    """
    manifest = _manifest(folder)
    if name not in manifest:
        known = ", ".join(map(repr, sorted(manifest))) or "none"
        raise ValueError(f"name is {name!r}; available are {known}")
    path = Path(folder) / f"{name}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is listed in the manifest but missing; {RESTORE}")
    if sha256(path) != manifest[name]["sha256"]:
        raise CorruptFileError(f"{path} does not have the SHA-256 of the manifest; {RESTORE}")
    return load_weights(path)


def publish(weights: str | Path, name: str, folder: str | Path, note: str) -> Path:
    """Copy the weights of a run and its record into a folder, with a card; enter the manifest.

    The manifest is written last: until then the folder's old state is in force.

    Args:
        weights: A file written by `save_weights`, with its record beside it (same name, .json).
        name: The name to publish under.
        folder: Where manifest.json is or will be.
        note: Why this run: the first sentence of the card.

    Returns:
        The manifest's path.
    """
    weights, folder = Path(weights), Path(folder)
    record = read_text(beside(weights, ".json"))
    copy = write_atomically(folder / f"{name}.safetensors", weights.read_bytes())
    write_text(folder / f"{name}.json", record)
    write_text(folder / f"{name}.md", _card(name, json.loads(record), note))
    manifest = folder / MANIFEST
    with locked(manifest):
        entries = json.loads(read_text(manifest)) if manifest.exists() else {}
        entries[name] = {"sha256": sha256(copy), "bytes": copy.stat().st_size}
        return write_text(manifest, json.dumps(entries, indent=2, sort_keys=True) + "\n")


def _card(name: str, record: dict, note: str) -> str:
    scores = {key: value for key, value in record["scores"].items() if value is not None}
    rows = "\n".join(f"| {key} | {value} |" for key, value in scores.items())
    return (
        f"# {name}\n\n{note}\n\nMade by\n\n```\n{record['command']}\n```\n\n"
        f"and scored on {record.get('scored_on', SCORED_ON)}. The loss over time is in "
        f"`{name}.json`.\n\n| score | value |\n|---|---|\n{rows}\n"
    )


def _manifest(folder: str | Path) -> dict[str, dict]:
    path = Path(folder) / MANIFEST
    try:
        return json.loads(read_text(path))
    except FileNotFoundError as error:
        missing = f"there is no {path}; the weights come with a clone of the course"
        raise FileNotFoundError(missing) from error
    except ValueError as error:
        raise CorruptFileError(f"{path} is not JSON ({error}); {RESTORE}") from error
