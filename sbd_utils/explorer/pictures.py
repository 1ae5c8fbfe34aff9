"""Pictures as bytes, side by side, and as files."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

GAP_COLOR = (128, 128, 128)
"""Of the line between two pictures."""
DURATION = 60
"""Of a film's picture, in milliseconds."""


def to_bytes(image: Tensor) -> np.ndarray:
    """An image as numbers that a screen takes.

    Args:
        image: [C, H, W], clamped to [0, 1] here; C is 1 (grey) or 3 (RGB).

    Returns:
        uint8 [H, W], or [H, W, 3].
    """
    scaled = (image.clamp(0, 1) * 255).round()
    pixels = scaled.to(torch.uint8).permute(1, 2, 0).cpu().numpy()  # [H, W, C]
    return pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels)


def side_by_side(pictures: Sequence[np.ndarray], scale: int) -> Image.Image:
    """Pictures in a row with a grey line between them.

    Args:
        pictures: uint8 [H, H] or [H, H, 3] each.
        scale: Width of a picture's pixel, and of the line, in pixels of the result.

    Raises:
        ValueError: scale is below 1.
    """
    if scale < 1:
        raise ValueError(f"scale is {scale}; it must be at least 1")
    size = len(pictures[0]) * scale
    step = size + scale
    sheet = Image.new("RGB", (len(pictures) * step - scale, size), GAP_COLOR)
    for i, picture in enumerate(pictures):
        large = Image.fromarray(picture).resize((size, size), Image.Resampling.NEAREST)
        sheet.paste(large, (i * step, 0))
    return sheet


def png(image: Image.Image) -> bytes:
    """The content of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def gif(frames: Sequence[Image.Image], duration: int = DURATION) -> bytes:
    """The content of an animated GIF file that never ends.

    Args:
        frames: In their order.
        duration: Of a frame, in milliseconds.
    """
    buffer = io.BytesIO()
    options: dict[str, Any] = {"append_images": frames[1:], "duration": duration, "loop": 0}
    frames[0].save(buffer, "GIF", save_all=True, **options)
    return buffer.getvalue()
