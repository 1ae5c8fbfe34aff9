"""What an image is made of: sprites, and their exact anti-aliased rendering, one by one or in batches.

A sprite covers a pixel by a fraction between 0 and 1, the area of their overlap. That makes an image
a continuous function of the sprite's position, which is what a decoder has to learn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# The sides of a regular polygon, by their number and the inradius of a sprite of size 1.
POLYGONS = {"rectangle": (4, 0.5), "triangle": (3, 0.5 / math.sqrt(3))}
SHAPES = ("ellipse", *POLYGONS)

BANDS = 6  # horizontal bands per pixel row; the error of a circle's area is below 0.1 % from 4 on
CHUNK = 256  # images rendered at a time: the working set stays in the processor's cache


@dataclass(frozen=True)
class Sprite:
    """One coloured shape.

    shape: 'ellipse' (a circle), 'rectangle' (a square) or 'triangle' (equilateral, one vertex up).
    x, y: centre in pixels; origin at the image's top-left corner, y downwards, and pixel (i, j)
        (row, column) covers [j, j + 1) x [i, i + 1). A centre outside the frame is fine.
    size: diameter of the circle, side of the others, in pixels; positive.
    color: red, green and blue in 0...255.
    angle: degrees by which the shape is turned about its centre, clockwise as seen.

    Raises ValueError if a value is not one of these.
    """

    shape: str
    x: float
    y: float
    size: float = 10
    color: tuple[float, float, float] = (255, 255, 255)
    angle: float = 0

    def __post_init__(self):
        _check_shape(self.shape)
        for name in ("x", "y", "size", "angle"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be a finite number")
        if self.size <= 0:
            raise ValueError(f"size is {self.size}; it must be positive")
        _check_color("color", self.color)


def draw_sprites(sprites: Sequence[Sprite], img_size: int, bg_color: tuple[float, float, float] = (0, 0, 0)) -> Tensor:
    """Draw sprites over a plain background; later sprites cover earlier ones.

    Returns a float32 tensor [3, img_size, img_size] in [0, 1]. An empty list gives the background.
    Raises ValueError for an img_size below 1 or a colour outside 0...255.
    """
    _check_img_size(img_size)
    _check_color("bg_color", bg_color)
    image = torch.tensor(bg_color, dtype=torch.float32).view(3, 1, 1) / 255
    image = image.repeat(1, img_size, img_size)  # [3, H, W]
    for s in sprites:
        cover = render_batch(s.shape, s.x, s.y, s.size, s.angle, img_size)[0]  # [1, H, W]
        color = torch.tensor(s.color, dtype=torch.float32).view(3, 1, 1) / 255
        image = image * (1 - cover) + color * cover
    return image


def render_batch(shape: str, x, y, size=10.0, angle=0.0, img_size: int = 64, device=None) -> Tensor:
    """Render N white sprites of one shape on black, an image each.

    x, y: centres in pixels, [N] (tensors, arrays, lists or single numbers); size, angle: likewise,
        or one number for all; units as in `Sprite`.
    Returns float32 [N, 1, img_size, img_size] in [0, 1], on `device` (by default that of x).
    Raises ValueError for an unknown shape, a size that is not positive, or a number that is not finite.
    """
    _check_shape(shape)
    _check_img_size(img_size)
    device = device or (x.device if isinstance(x, Tensor) else "cpu")
    columns = {"x": x, "y": y, "size": size, "angle": angle}
    columns = {k: torch.as_tensor(v, dtype=torch.float32, device=device).reshape(-1) for k, v in columns.items()}
    for name, values in columns.items():
        if not torch.isfinite(values).all():
            raise ValueError(f"{name} holds a number that is not finite; every {name} must be finite")
    if (columns["size"] <= 0).any():
        raise ValueError(f"size holds {columns['size'].min().item():g}; every size must be positive")
    x, y, size, angle = torch.broadcast_tensors(*columns.values())
    images = torch.zeros(len(x), 1, img_size, img_size, device=device)
    for i in range(0, len(x), CHUNK):
        part = slice(i, i + CHUNK)
        _paint(images[part, 0], shape, x[part], y[part], size[part], angle[part])
    return images


def _paint(images: Tensor, shape: str, x: Tensor, y: Tensor, size: Tensor, angle: Tensor) -> None:
    """Write the coverage of one sprite into each of the black images [N, H, H].

    A row of pixels is cut into horizontal bands. The sprite is convex, so it meets the middle of a
    band in one span [left, right], whose overlap with a pixel is a difference of two clamps. Each band
    is first cut to the sprite's vertical extent: horizontal edges, too, move continuously.
    Only a window that holds the sprite is computed.
    """
    n, frame = len(images), images.shape[-1]
    if n == 0:
        return
    reach, extent = _reach(shape, size, angle)  # [N, 2] above and below the centre; a number
    window = min(math.ceil(2 * extent) + 1, frame)
    col0 = (x - extent).floor().clamp(0, frame - window)  # [N] the window's first column
    row0 = (y - extent).floor().clamp(0, frame - window)

    pixel = torch.arange(window, device=x.device)
    band = torch.arange(window * BANDS, device=x.device) / BANDS + (row0 - y)[:, None]  # [N, B] top edge - y
    top = torch.maximum(band, -reach[:, :1])
    bottom = torch.minimum(band + 1 / BANDS, reach[:, 1:])
    height = (bottom - top).clamp(min=0)  # [N, B]
    left, right = _span(shape, (top + bottom) / 2, size, angle)  # [N, B] relative to the centre

    # Overlap of [left, right] with pixel [j, j + 1): clamp(right - j) - clamp(left - j).
    shift = (x - col0)[:, None]
    right, left = (right + shift)[..., None] - pixel, (left + shift)[..., None] - pixel  # [N, B, window]
    cover = right.clamp_(0, 1).sub_(left.clamp_(0, 1)).mul_(height[..., None])
    cover = cover.view(n, window, BANDS, window).sum(2).clamp_(0, 1)  # [N, window, window]

    index = torch.arange(n, device=x.device)[:, None, None]
    rows, cols = (row0[:, None].long() + pixel)[:, :, None], (col0[:, None].long() + pixel)[:, None, :]
    images[index, rows, cols] = cover


def _reach(shape: str, size: Tensor, angle: Tensor) -> tuple[Tensor, float]:
    """The lowest and highest y of the shape about its centre as positive numbers [N, 2]; the largest radius."""
    if shape == "ellipse":
        radius = size / 2
        return torch.stack([radius, radius], 1), radius.max().item()
    normals, inradius = _sides(shape, size, angle)
    sides = normals.shape[1]
    radius = inradius / math.cos(math.pi / sides)  # [N] to a vertex, half a side further round
    vertex_y = radius[:, None] * torch.sin(normals + math.pi / sides)
    return torch.stack([-vertex_y.amin(1), vertex_y.amax(1)], 1), radius.max().item()


def _span(shape: str, dy: Tensor, size: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Where the horizontal line at height dy [N, B] below the centre enters and leaves the shape, [N, B] each."""
    if shape == "ellipse":
        half = ((size / 2).square()[:, None] - dy.square()).clamp_(min=0).sqrt_()
        return -half, half
    normals, inradius = _sides(shape, size, angle)
    left, right = torch.full_like(dy, -math.inf), torch.full_like(dy, math.inf)
    for normal in normals.unbind(1):  # inside: nx * x + ny * y <= inradius
        nx, ny = normal.cos()[:, None], normal.sin()[:, None]
        nx = torch.where(nx.abs() < 1e-6, 1e-6, nx)  # a horizontal side bounds no x: put it far away
        bound = (inradius[:, None] - ny * dy) / nx
        right = torch.where(nx > 0, torch.minimum(right, bound), right)
        left = torch.where(nx < 0, torch.maximum(left, bound), left)
    return left, torch.maximum(left, right)


def _sides(shape: str, size: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Directions of the outward normals in radians [N, sides] and the inradius [N] of a regular polygon."""
    sides, inradius = POLYGONS[shape]
    first = 90.0  # the first side lies at the bottom: its normal points along +y
    turns = first + 360 / sides * torch.arange(sides, device=size.device)
    return torch.deg2rad(angle[:, None] + turns), size * inradius


def _check_shape(shape: str) -> None:
    if shape not in SHAPES:
        raise ValueError(f"shape is {shape!r}; it must be one of {', '.join(map(repr, SHAPES))}")


def _check_img_size(img_size: int) -> None:
    if img_size < 1 or img_size != int(img_size):
        raise ValueError(f"img_size is {img_size}; it must be a whole number of pixels, at least 1")


def _check_color(name: str, color) -> None:
    if len(color) != 3 or not all(0 <= c <= 255 for c in color):
        raise ValueError(f"{name} is {color}; it must be three numbers (red, green, blue) in 0...255")
