"""Weights of the blog post's own code (github.com/dfdazac/monet), renamed to ours.

Its `VAE` has our architectures under other names. Its decoder reads the coordinates first, row
before column, then the code; ours reads the code, then column and row.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sbd_utils.files import CorruptFileError
from sbd_utils.models import VAE

NAMES = {
    r"enc_convs\.(\d)": lambda i: f"encoder.convs.{2 * i}",  # a ReLU stands between two layers
    r"fc\.0": lambda i: "encoder.hidden",
    r"dec_linear": lambda i: "decoder.hidden",
}
"""Names that both decoders share: theirs, and ours of its layer number."""


EXPECTED = (
    "expected is the state_dict of the blog post's VAE, with the tensors enc_convs.0 ... 3, fc.0, "
    "fc.2, dec_convs.0 ..., last_conv. Weights of this course end in .safetensors."
)
"""What other files are told."""


def load_post_weights(path: str | Path) -> VAE:
    """The model that a file of the post's code holds, in eval mode on the CPU.

    The file is read by torch with `weights_only=True`: tensors and nothing else.

    Args:
        path: A state_dict of the post's VAE, with either decoder, saved by `torch.save`.

    Raises:
        FileNotFoundError: There is no such file.
        CorruptFileError: It is no file of torch, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the reader's errors share no class narrower than this
        reason = f"{path} is not a file of tensors that torch can read ({type(error).__name__})"
        raise CorruptFileError(f"{reason}; {EXPECTED}") from error
    if not _is_post_vae(content):
        raise CorruptFileError(f"{path} holds {_summary(content)}; {EXPECTED}")
    try:
        tensors = _ours(content)
        model = VAE(**_config(content))
        model.load_state_dict(tensors)
    except (RuntimeError, ValueError, LookupError) as error:  # lacking, or of other shapes
        reason = f"{path} holds another network than the post's: {error}"
        raise CorruptFileError(f"{reason}; {EXPECTED}") from error
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CorruptFileError(f"{path} holds weights that are not finite")
    return model.eval()


def _summary(content: Any) -> str:
    """What was found instead, in a few words."""
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    return ", ".join(map(str, list(content)[:4])) or "nothing"


def _is_post_vae(content: Any) -> bool:
    """Whether these are tensors by name, those among them whose shapes say how it is built."""
    if not isinstance(content, Mapping):
        return False
    if not all(isinstance(n, str) and isinstance(v, Tensor) for n, v in content.items()):
        return False
    dimensions = {"enc_convs.0.weight": 4, "fc.0.weight": 2, "fc.2.weight": 2}
    dimensions["last_conv.weight"] = 4
    if not all(n in content and content[n].ndim == d for n, d in dimensions.items()):
        return False
    return "dec_linear.weight" in content or ("x_grid" in content and content["x_grid"].ndim > 0)


def _config(content: Mapping[str, Tensor]) -> dict:
    deconv = "dec_linear.weight" in content
    return {
        "im_size": 64 if deconv else content["x_grid"].shape[-1],
        "in_channels": content["enc_convs.0.weight"].shape[1],
        "decoder": "deconv" if deconv else "sbd",
        "z_dim": content["fc.2.weight"].shape[0] // 2,
        "channels": content["enc_convs.0.weight"].shape[0],
    }


def _ours(content: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Their tensors under our names, in our order of channels."""
    deconv = "dec_linear.weight" in content
    ours: dict[str, Tensor] = {}
    for name, value in content.items():
        layer, _, kind = name.rpartition(".")
        if name in ("x_grid", "y_grid"):
            continue  # known from im_size
        if layer == "fc.2":  # mean and log-variance in one layer
            ours[f"encoder.mean.{kind}"], ours[f"encoder.logvar.{kind}"] = value.chunk(2)
            continue
        ours[f"{_layer(layer, deconv)}.{kind}"] = value
    if not deconv:
        first = ours["decoder.convs.0.weight"]  # [channels, row, column and code, 3, 3]
        row, column, code = first[:, :1], first[:, 1:2], first[:, 2:]
        ours["decoder.convs.0.weight"] = torch.cat([code, column, row], 1)
    return ours


def _layer(theirs: str, deconv: bool) -> str:
    """Our name of a layer."""
    for pattern, name in NAMES.items():
        match = re.fullmatch(pattern, theirs)
        if match:
            return name(int(match[1]) if match.groups() else 0)
    if theirs == "last_conv":
        return "decoder.deconvs.4" if deconv else "decoder.convs.4"
    match = re.fullmatch(r"dec_convs\.(\d)", theirs)
    if match:
        return f"decoder.deconvs.{match[1]}" if deconv else f"decoder.convs.{2 * int(match[1])}"
    return theirs  # unknown: the network will say that it does not have it
