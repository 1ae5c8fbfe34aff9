"""How fast circles, coloured sprites and scenes are rendered, and how exactly circles are.

Beside `render_batch` stand Pillow and a distance field.
"""

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from sbd_utils import ColoredSprites, SceneStream, render_batch

FRAME, DIAMETER = 64, 10
BATCH = 256  # images asked for at a time, as a training loop does
IMAGES = 2048  # for a rate
SPRITES_GOAL = 5000
SCENES_GOAL = 5000
REPEATS = 7  # the best counts: other programs only ever slow one down


def pillow_drawing_only(centers: Tensor, diameter: float = DIAMETER) -> list[Image.Image]:
    """Pillow's own images, not yet a tensor."""
    images = []
    for x, y in centers.tolist():
        image = Image.new("L", (FRAME, FRAME))
        ImageDraw.Draw(image).ellipse(_box(x, y, diameter / 2), fill=255)
        images.append(image)
    return images


def pillow_loop(centers: Tensor, diameter: float = DIAMETER) -> Tensor:
    """[N, 1, 64, 64] as a data set would make it."""
    arrays = [
        np.asarray(image, dtype=np.float32) / 255
        for image in pillow_drawing_only(centers, diameter)
    ]
    return torch.from_numpy(np.stack(arrays))[:, None]


def pillow_smooth(centers: Tensor, diameter: float = DIAMETER, fine: int = 8) -> Tensor:
    """Drawn 8 times larger and averaged, which is how to have smooth edges from Pillow."""
    arrays = []
    for x, y in centers.tolist():
        image = Image.new("L", (fine * FRAME, fine * FRAME))
        ImageDraw.Draw(image).ellipse(_box(fine * x, fine * y, fine * diameter / 2), fill=255)
        arrays.append(
            np.asarray(image.resize((FRAME, FRAME), Image.Resampling.BOX), dtype=np.float32) / 255
        )
    return torch.from_numpy(np.stack(arrays))[:, None]


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    # Pillow numbers pixels and includes both ends.
    return x - radius, y - radius, x + radius - 1, y + radius - 1


def batched(centers: Tensor, diameter: float = DIAMETER) -> Tensor:
    """[N, 1, 64, 64] by the library."""
    return render_batch("ellipse", *centers.T, diameter, img_size=FRAME)


def distance_field(centers: Tensor, diameter: float = DIAMETER) -> Tensor:
    """The usual shortcut: coverage falls from 1 to 0 over one pixel of distance from the edge."""
    middle = torch.arange(FRAME) + 0.5
    dx, dy = middle - centers[:, :1], middle - centers[:, 1:]  # [N, 64]
    distance = (dx[:, None, :].square() + dy[:, :, None].square()).sqrt()
    return (0.5 + diameter / 2 - distance).clamp(0, 1)[:, None]


METHODS = {
    "Pillow, drawing only": pillow_drawing_only,
    "Pillow, one by one": pillow_loop,
    "Pillow, 8x supersampled": pillow_smooth,
    "distance field": distance_field,
    "render_batch": batched,
}


def rates(methods: dict[str, Callable]) -> dict[str, float]:
    """Images per second of each method, the best of several rounds in which all take turns."""
    best = dict.fromkeys(methods, 0.0)
    batches = centers_of(IMAGES).split(BATCH)
    for _ in range(REPEATS):
        for name, method in methods.items():
            start = time.perf_counter()
            for batch in batches:
                method(batch)
            best[name] = max(best[name], IMAGES / (time.perf_counter() - start))
    return best


def stream_rate(world: ColoredSprites | SceneStream) -> float:
    """Images a second of an endless data set, with their factors drawn at random."""
    best = 0.0
    for repeat in range(REPEATS):
        start = time.perf_counter()
        for step in range(IMAGES // BATCH):
            world.batch(repeat * IMAGES + step, BATCH)
        best = max(best, IMAGES / (time.perf_counter() - start))
    return best


def worst_total_error(method: Callable, diameter: int) -> float:
    """Largest relative error of a circle's total intensity against its area, over 100 positions."""
    totals = torch.as_tensor(method(centers_of(100), diameter)).double().sum((1, 2, 3))
    return (totals / (math.pi * diameter**2 / 4) - 1).abs().max().item()


def centers_of(count: int) -> Tensor:
    """Positions [count, 2] in pixels, the same at every call."""
    return 12 + 40 * torch.rand(count, 2, generator=torch.Generator().manual_seed(0))


def main() -> None:
    """Print a table of rates and one of errors."""
    # Pillow has but one; and threads that wait for a core taken by others would be timed.
    torch.set_num_threads(1)
    best = rates(METHODS)
    reference = best["Pillow, one by one"]
    print(f"\n{FRAME} x {FRAME} grey circles per second ({BATCH} at a time, one thread)\n")
    for name, rate in best.items():
        print(f"{name:<26}{rate:>10,.0f}{rate / reference:>8.2f} x Pillow one by one")

    goal = f"the goal is {SPRITES_GOAL:,} on two cores"
    rate = stream_rate(ColoredSprites(im_size=FRAME))
    print(f"{'coloured sprites, RGB':<26}{rate:>10,.0f}  ({goal})")
    goal = f"2 to 4 sprites with masks; the goal is {SCENES_GOAL:,} on one thread"
    rate = stream_rate(SceneStream(im_size=32))
    print(f"{'scenes of 32 x 32, RGB':<26}{rate:>10,.0f}  ({goal})")

    methods = {
        name: method for name, method in METHODS.items() if method is not pillow_drawing_only
    }
    print("\nlargest error of the total intensity against the area, per cent\n")
    print(f"{'diameter':<10}", *(f"{name:>24}" for name in methods))
    for diameter in range(6, 21, 2):
        print(
            f"{diameter:<10}",
            *(f"{100 * worst_total_error(m, diameter):>24.3f}" for m in methods.values()),
        )
