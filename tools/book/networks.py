"""What the explorer in a page needs in the place of Python: networks, and facts about them.

The networks are ONNX files that `sbd_utils/explorer/network.js` runs; the facts are what
`Explorer` and `Side` find out when they begin, for `sbd_utils/explorer/core.js`.
"""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.analysis import informative_latents
from sbd_utils.data import CIRCLE_SIZE, CircleStream, ColoredSprites, FactorStream
from sbd_utils.data.coloured import SPRITES
from sbd_utils.evidence import read_evidence
from sbd_utils.experiments import load_run
from sbd_utils.explorer import spots
from sbd_utils.explorer.core import FILM_STEPS, SCALE, TRAIL, WAY_STEP, Explorer
from sbd_utils.explorer.messages import page_spec
from sbd_utils.explorer.pictures import DURATION
from sbd_utils.explorer.side import WALK, Side
from sbd_utils.files import write_atomically, write_text
from sbd_utils.models import VAE, SpatialBroadcastDecoder
from sbd_utils.sprites import RADIUS
from tools.book.figures import form_facts

SQUARES = {"SBD": "squares-sprites-sbd-0", "deconv": "squares-sprites-plain-deconv-0"}
"""What notebook 08 takes in hand: labels, and runs of the table `sprites`."""
FEW = 16
"""Of so many numbers or more, PyTorch draws samples in another way than noise.js."""
STRIPS = 2
"""Into so many parts a broadcast decoder is cut, for machines with two cores.

On two threads of a single core it is neither faster nor slower than in one: a slider's move took 52
and 53 ms in the median of 40."""
WORDS = ("DARK", "BRIGHT", "LIGHT_SHARE", "WIDE", "MOST")
"""The constants of `spots`."""


def load_squares() -> dict[str | int, VAE]:
    """The models of `SQUARES`, by label."""
    rows, _ = read_evidence("sprites")
    named = {row.name: row for row in rows}
    return {label: load_run("sprites", named[name]) for label, name in SQUARES.items()}


def write_networks(
    models: dict[str | int, VAE], folder: Path, data: str | None = None
) -> list[Path]:
    """Write the networks of an explorer, and its facts.

    Args:
        models: By name, float32 and with fewer than 16 latents.
        folder: Has the name that it will have beside worker.js. Gets `NAME-encoder.onnx`,
            `NAME-decoder.onnx`, or one for each strip, and `facts.json`.
        data: The name of the data set that images come from; by default circles.

    Returns:
        The files.

    Raises:
        ValueError: A model has more latents, `Explorer` refuses it, or core.js does not draw the
            data.
    """
    core = Explorer(models, data=data)
    facts = make_facts(core, folder.name)
    written = []
    for side, about in zip(core.sides.values(), facts["sides"], strict=True):
        model, files = side.model, about["files"]
        parts = [(model.encoder, files["encoder"])]
        parts += zip(cut(model.decoder), files["decoder"], strict=True)
        for part, name in parts:
            written.append(folder / Path(name).name)
            write_atomically(written[-1], export(part, model))
    written.append(folder / "facts.json")
    write_text(written[-1], json.dumps(facts, allow_nan=False))
    return written


class Strip(nn.Module):
    """Some rows of what a broadcast decoder draws, with the work of little more than these rows.

    Each of its convolutions looks one row further, so it is given as many more rows of coordinates
    as it has convolutions, and what these add is cut off.
    """

    def __init__(self, decoder: SpatialBroadcastDecoder, start: int, stop: int) -> None:
        """Take the weights of a decoder.

        Args:
            decoder: One that pads its images.
            start: The first row.
            stop: The row after the last.
        """
        super().__init__()
        reach = sum(isinstance(layer, nn.Conv2d) for layer in decoder.convs)
        first = max(start - reach, 0)
        self.rows = slice(start - first, stop - first)
        self.decoder = copy.deepcopy(decoder)
        self.decoder.grid = decoder.grid[:, :, first : stop + reach]

    def forward(self, z: Tensor) -> Tensor:
        """Codes [N, z_dim] to the rows [N, C, stop - start, W]."""
        return self.decoder(z)[:, :, self.rows]


def cut(decoder: nn.Module) -> list[nn.Module]:
    """A decoder in strips, the uppermost first; one that is no broadcast decoder stays whole."""
    if not isinstance(decoder, SpatialBroadcastDecoder):
        return [decoder]
    height = decoder.grid.shape[2]
    edges = [height * i // STRIPS for i in range(STRIPS + 1)]
    return [Strip(decoder, *rows).eval() for rows in itertools.pairwise(edges)]


def export(part: nn.Module, model: VAE) -> bytes:
    """A part of a model as the content of an ONNX file, for batches of any size.

    Args:
        part: Its encoder (x -> mean, logvar), or what decodes (z -> image).
        model: The model.
    """
    channels, size = model.config["in_channels"], model.config["im_size"]
    if part is model.encoder:
        inputs, outputs = {"x": torch.zeros(2, channels, size, size)}, ["mean", "logvar"]
    else:
        inputs, outputs = {"z": torch.zeros(2, model.config["z_dim"])}, ["image"]
    batch = {name: {0: torch.export.Dim("batch")} for name in inputs}
    program = torch.onnx.export(
        part,
        tuple(inputs.values()),
        dynamo=True,
        input_names=list(inputs),
        output_names=outputs,
        dynamic_shapes=batch,
        verbose=False,
    )
    assert program is not None
    return program.model_proto.SerializeToString()


def make_facts(core: Explorer, folder: str) -> dict[str, Any]:
    """What core.js must know, as plain numbers.

    Args:
        core: As it begins.
        folder: Where in the site the networks are.

    Raises:
        ValueError: A model has too many latents, or core.js does not draw the data.
    """
    return {
        "spec": page_spec(core),
        "seed": core.seed,
        "trail": TRAIL,
        "way_step": WAY_STEP,
        "walk": WALK,
        "world": world_facts(core.data),
        "film": {"steps": FILM_STEPS, "duration": DURATION, "scale": SCALE},
        "words": {name: getattr(spots, name) for name in WORDS},
        "sides": [_side_facts(side, folder) for side in core.sides.values()],
    }


def world_facts(data: FactorStream) -> dict[str, Any]:
    """What core.js draws the images of a data set from.

    Args:
        data: Circles, or coloured sprites of one shape, with a place, whose factors follow none.

    Returns:
        The "form" (see `form_facts`), the factors in the "middle" of the world, those that are
        "fixed" beside them, and the "scale": a sprite's size, as `Sprite` has it, over the factor.

    Raises:
        ValueError: They are other data.
    """
    middle = dict(zip([f.name for f in data.factors], data.middle.tolist(), strict=True))
    if type(data) is CircleStream:
        fixed = {"size": CIRCLE_SIZE}
        return dict(form=form_facts("ellipse"), middle=middle, fixed=fixed, scale=1)
    is_plain = isinstance(data, ColoredSprites) and not data.ties and data.plane == (0, 1)
    if not is_plain or data.factors[data.column("shape")].varies:
        wanted = "core.js draws circles, and coloured sprites of one shape, with a place, untied"
        raise ValueError(f"data is {data.identity()}; {wanted}")
    shape = [*SPRITES.values()][int(middle["shape"])]
    scale = 1 / (2 * RADIUS[shape])  # the factor is the diameter of the circle around it
    return dict(form=form_facts(shape), middle=middle, fixed={}, scale=scale)


def _side_facts(side: Side, folder: str) -> dict[str, Any]:
    if side.z_dim >= FEW:
        raise ValueError(
            f"models[{side.name!r}] has {side.z_dim} latents; at most {FEW - 1} can be"
        )
    count = len(cut(side.model.decoder))
    files = {
        "encoder": f"{folder}/{side.name}-encoder.onnx",
        "decoder": [f"{folder}/{side.name}-decoder-{i}.onnx" for i in range(count)],
    }
    return {
        "name": side.name,
        "channels": side.channels,
        "pair": list(side.axes),
        "informative": informative_latents(side.variances),
        "scale": side.scale,
        "grid": side.grid.tolist(),
        "middle": side.middle.tolist(),
        "files": files,
    }
