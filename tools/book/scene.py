"""What the scene in hand in a page needs in the place of Python: a decoder, scenes and their codes.

A dozen scenes and their codes are a few kilobytes, so the encoder stays at home.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sbd_utils.explorer.scene import GREY, SceneInHand
from sbd_utils.explorer.scene_messages import scene_spec
from sbd_utils.files import write_atomically, write_text
from sbd_utils.models.slots import SlotDecoder

SCENE_MODEL = "slots_scenes"
"""The weights that the page has."""


class SlotLayers(nn.Module):
    """A slot decoder that draws each code for itself, picture and logit of the mask together."""

    def __init__(self, decoder: SlotDecoder) -> None:
        """Take a decoder."""
        super().__init__()
        self.decoder = decoder

    def forward(self, z: Tensor) -> Tensor:
        """Codes [N, z_dim] to [N, C + 1, H, H]."""
        return torch.cat(self.decoder(z[None]), 2)[0]


def write_scene(model: nn.Module, folder: Path) -> list[Path]:
    """Write what a page needs.

    Args:
        model: Of scenes, float32; with a `SlotDecoder`.
        folder: Gets `decoder.onnx`, `facts.json`, and `scenes.bin`, the scenes' bytes.

    Returns:
        The files.

    Raises:
        ValueError: `SceneInHand` refuses the model.
    """
    hand = SceneInHand(model)
    contents = {
        "decoder.onnx": export_layers(hand.model.decoder),
        "scenes.bin": b"".join(_scene_bytes(hand)),
    }
    written = [write_atomically(folder / name, content) for name, content in contents.items()]
    facts = json.dumps(scene_facts(hand), allow_nan=False)
    return [*written, write_text(folder / "facts.json", facts)]


def export_layers(decoder: SlotDecoder) -> bytes:
    """`SlotLayers` as the content of an ONNX file, z to image, for any number of slots."""
    program = torch.onnx.export(
        SlotLayers(decoder).eval(),
        (torch.zeros(2, decoder.z_dim),),
        dynamo=True,
        input_names=["z"],
        output_names=["image"],
        dynamic_shapes={"z": {0: torch.export.Dim("slots")}},
        verbose=False,
    )
    assert program is not None
    return program.model_proto.SerializeToString()


def scene_facts(hand: SceneInHand) -> dict[str, Any]:
    """What scene_core.js must know, as plain numbers; `hand` is left with the last scene."""
    directions = {name: value.tolist() for name, value in hand.directions._asdict().items()}
    scenes = []
    for index in range(len(hand.images)):
        hand.handle({"type": "scene", "scene": index})
        about = {"ground": hand.ground, "objects": hand.objects, "twins": list(hand.twins.items())}
        scenes.append({"codes": hand.codes.tolist(), **about})
    return {"spec": scene_spec(hand), "grey": GREY, "directions": directions, "scenes": scenes}


def _scene_bytes(hand: SceneInHand) -> list[bytes]:
    """Red, green and blue of every pixel of every scene."""
    scaled = (255 * hand.images).round().byte().permute(0, 2, 3, 1)
    return [np.ascontiguousarray(image).tobytes() for image in scaled.numpy()]
