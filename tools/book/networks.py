"""What the explorer in a page needs in the place of Python: networks, and facts about them.

The networks are ONNX files that `sbd_utils/explorer/network.js` runs; the facts are what
`Explorer` and `Side` find out when they begin, for `sbd_utils/explorer/core.js`.
"""

import json
from pathlib import Path
from typing import Any

import torch

from sbd_utils.analysis import informative_latents
from sbd_utils.data import CIRCLE_SIZE
from sbd_utils.explorer import spots
from sbd_utils.explorer.core import TRAIL, WAY_STEP, Explorer
from sbd_utils.explorer.messages import page_spec
from sbd_utils.explorer.side import Side
from sbd_utils.files import write_atomically, write_text
from sbd_utils.models import VAE
from sbd_utils.sprites import RADIUS

FEW = 16
"""Of so many numbers or more, PyTorch draws samples in another way than noise.js."""
WORDS = ("DARK", "BRIGHT", "LIGHT_SHARE", "WIDE", "MOST")
"""The constants of `spots`."""


def write_networks(models: dict[str | int, VAE], folder: Path) -> list[Path]:
    """Write the networks of an explorer, and its facts.

    Args:
        models: By name, float32 and with fewer than 16 latents.
        folder: Gets `NAME-encoder.onnx`, `NAME-decoder.onnx` and `facts.json`.

    Returns:
        The files.

    Raises:
        ValueError: A model has more latents, or `Explorer` refuses it.
    """
    core = Explorer(models)
    facts = make_facts(core)
    written = []
    for side, about in zip(core.sides.values(), facts["sides"], strict=True):
        for part in ("encoder", "decoder"):
            path = folder / Path(about["files"][part]).name
            write_atomically(path, export(side.model, part))
            written.append(path)
    written.append(folder / "facts.json")
    write_text(written[-1], json.dumps(facts, allow_nan=False))
    return written


def export(model: VAE, part: str) -> bytes:
    """One half of a model as the content of an ONNX file, for batches of any size.

    Args:
        model: Whose weights the file holds.
        part: "encoder" (x -> mean, logvar) or "decoder" (z -> image).
    """
    channels, size = model.config["in_channels"], model.config["im_size"]
    if part == "encoder":
        inputs, outputs = {"x": torch.zeros(2, channels, size, size)}, ["mean", "logvar"]
    else:
        inputs, outputs = {"z": torch.zeros(2, model.config["z_dim"])}, ["image"]
    batch = {name: {0: torch.export.Dim("batch")} for name in inputs}
    program = torch.onnx.export(
        getattr(model, part),
        tuple(inputs.values()),
        dynamo=True,
        input_names=list(inputs),
        output_names=outputs,
        dynamic_shapes=batch,
        verbose=False,
    )
    assert program is not None
    return program.model_proto.SerializeToString()


def make_facts(core: Explorer) -> dict[str, Any]:
    """What core.js must know, as plain numbers.

    Args:
        core: As it begins.

    Raises:
        ValueError: A model has too many latents.
    """
    return {
        "spec": {**page_spec(core), "films": False},
        "seed": core.seed,
        "trail": TRAIL,
        "way_step": WAY_STEP,
        "circle": {"radius": RADIUS["ellipse"], "size": CIRCLE_SIZE},
        "words": {name: getattr(spots, name) for name in WORDS},
        "sides": [_side_facts(side) for side in core.sides.values()],
    }


def _side_facts(side: Side) -> dict[str, Any]:
    if side.z_dim >= FEW:
        raise ValueError(
            f"models[{side.name!r}] has {side.z_dim} latents; at most {FEW - 1} can be"
        )
    files = {part: f"models/{side.name}-{part}.onnx" for part in ("encoder", "decoder")}
    return {
        "name": side.name,
        "channels": side.channels,
        "pair": list(side.axes),
        "informative": informative_latents(side.variances),
        "scale": side.scale,
        "grid": side.grid.tolist(),
        "middle": side.middle.tolist(),
        "walk_ends": [z.tolist() for z in side.walk_ends],
        "files": files,
    }
