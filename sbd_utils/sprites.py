"""What an image is made of: sprites, and their exact anti-aliased rendering, one by one or in batches.

A sprite covers a pixel by a fraction between 0 and 1, the area of their overlap. That makes an image
a continuous function of the sprite's position, which is what a decoder has to learn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Distance from the centre to the outermost point, for a sprite of size 1.
RADIUS = {"ellipse": 1 / 2, "rectangle": math.sqrt(1 / 2), "triangle": math.sqrt(1 / 3)}
# Directions in which the corners lie, in degrees clockwise from the right, for angle 0.
CORNERS = {"rectangle": (45, 135, 225, 315), "triangle": (30, 150, 270)}
SHAPES = tuple(RADIUS)

MAX_SIZE = 1e6  # pixels; beyond it differences of areas drown in rounding, even in float64
CHUNK = 128  # images rendered at a time: the working set stays in cache, and torch starts no threads for so little


@dataclass(frozen=True)
class Sprite:
    """One coloured shape.

    shape: 'ellipse' (a circle), 'rectangle' (a square) or 'triangle' (equilateral, one vertex up).
    x, y: centre in pixels; origin at the image's top-left corner, y downwards, and pixel (i, j)
        (row, column) covers [j, j + 1) x [i, i + 1). A centre outside the frame is fine.
    size: diameter of the circle, side of the others, in pixels; positive, at most a million.
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
        if not 0 < self.size <= MAX_SIZE:
            raise ValueError(f"size is {self.size}; it must be positive, and at most {MAX_SIZE:g}")
        _check_color("color", self.color)


def draw_sprites(
    sprites: Sequence[Sprite], img_size: int, bg_color: tuple[float, float, float] = (0, 0, 0)
) -> Tensor:
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
    Raises ValueError for an unknown shape, a size that is not in (0, 1e6], or a number that is not finite.
    """
    _check_shape(shape)
    _check_img_size(img_size)
    device = torch.device(device or (x.device if isinstance(x, Tensor) else "cpu"))
    work = "cpu" if device.type == "mps" else device  # Apple's GPUs have no float64
    columns = {"x": x, "y": y, "size": size, "angle": angle}
    columns = {k: v.to(work) if isinstance(v, Tensor) else v for k, v in columns.items()}
    columns = {
        k: torch.as_tensor(v, dtype=torch.float64, device=work).reshape(-1)
        for k, v in columns.items()
    }
    for name, values in columns.items():
        if not torch.isfinite(values).all():
            raise ValueError(
                f"{name} holds a number that is not finite; every {name} must be finite"
            )
    wrong = columns["size"][(columns["size"] <= 0) | (columns["size"] > MAX_SIZE)]
    if len(wrong):
        raise ValueError(
            f"size holds {wrong[0].item():g}; every size must be positive, and at most {MAX_SIZE:g}"
        )
    x, y, size, angle = torch.broadcast_tensors(*columns.values())
    images = torch.zeros(len(x), 1, img_size, img_size, dtype=torch.float32, device=work)
    for i in range(0, len(x), CHUNK):
        part = slice(i, i + CHUNK)
        _paint(images[part, 0], shape, x[part], y[part], size[part], angle[part])
    return images.to(device)


def _paint(images: Tensor, shape: str, x: Tensor, y: Tensor, size: Tensor, angle: Tensor) -> None:
    """Write the coverage of one sprite into each of the black images [N, H, H].

    Only a window of W x W pixels that holds the sprite is computed.
    """
    frame = images.shape[-1]
    radius = size * RADIUS[shape]  # [N]
    extent = radius.max().item()
    window = min(math.ceil(2 * extent) + 1, frame)
    edge = torch.arange(window + 1, device=x.device)
    center = torch.stack([x, y], 1)
    start = (
        (center - extent).floor().clamp_(0, frame - window)
    )  # [N, 2] the window's first column and row
    edges = (start - center)[
        ..., None
    ] + edge  # [N, 2, W + 1] x and y of the pixel edges as seen from the centre
    area = (
        _disc(edges, radius)
        if shape == "ellipse"
        else _polygon(edges, radius, angle, CORNERS[shape])
    )
    cover = area.diff(dim=2).clamp_(0, 1).float()  # [N, W, W]; the clamp removes rounding

    first = (start[:, 1] * frame + start[:, 0]).long()  # [N] index of the window's first pixel
    pixels = first[:, None] + (edge[:-1, None] * frame + edge[:-1]).flatten()  # [N, W * W]
    images.view(len(images), -1).scatter_(1, pixels, cover.flatten(1))


def _disc(edges: Tensor, radius: Tensor) -> Tensor:
    """Area of a disc about the origin in each row of pixels, left of each pixel edge, up to a constant of the row.

    edges: x, and y, of the pixel edges [N, 2, W + 1]; radius: [N]. Returns [N, W, W + 1].

    The rectangle between the origin and a corner (u, v) overlaps the disc by |u v| if the corner lies in the disc.
    If not, the parts that u and v cut off the quarter disc do not meet: the overlap is what is left of it between
    0 and |u|, plus what is left between 0 and |v|, minus the whole quarter. The area takes the sign of u v.
    """
    r = radius[:, None, None]
    t = torch.maximum(torch.minimum(edges, r), -r)
    reach = r.square() - t.square()  # how far the disc goes the other way, squared
    left = (t * reach.sqrt() + r.square() * torch.asin(t / r)).abs_() / 2 - math.pi / 8 * r.square()
    (u, v), (u_left, v_left) = (pair.unbind(1) for pair in (t, left))
    corner = v[:, :, None] * u[:, None, :]  # [N, W + 1, W + 1]
    outside = (v_left[:, :, None] + u_left[:, None, :]).copysign_(corner)
    inside = v.square()[:, :, None] < reach[:, 0][:, None, :]
    return torch.where(inside, corner, outside).diff(dim=1)


def _polygon(edges: Tensor, radius: Tensor, angle: Tensor, corners: Sequence[float]) -> Tensor:
    """The same area as in `_disc`, for a convex polygon with corners at that radius in these directions (degrees).

    Green's theorem: left of u lies what is right of the left-hand sides, less what is right of the right-hand sides.
    A side that passes a row with height h, between x = low and x = high, has h times the mean of max(u - x, 0) there.
    """
    u, v = edges.unbind(1)  # [N, W + 1] each
    turns = torch.deg2rad(
        angle[:, None] % 360 + torch.tensor(corners, device=u.device)
    )  # [N, sides]
    xs, ys = radius[:, None] * turns.cos(), radius[:, None] * turns.sin()
    area = 0
    for i in range(len(corners)):
        (x0, y0), (x1, y1) = (
            (xs[:, [k]], ys[:, [k]]) for k in (i - 1, i)
        )  # [N, 1] each, one corner and the next
        slope = (x1 - x0) / torch.where(
            y0 == y1, 1, y1 - y0
        )  # a horizontal side has no height: any slope will do
        y = torch.maximum(
            torch.minimum(v, torch.maximum(y0, y1)), torch.minimum(y0, y1)
        )  # row edges cut to the side
        x = x0 + slope * (y - y0)  # [N, W + 1]
        height = (y.diff(dim=1) * (y1 - y0).sign())[
            ..., None
        ]  # [N, W, 1]; clockwise, right-hand sides go down
        low, high = (
            torch.minimum(x[:, 1:], x[:, :-1])[..., None],
            torch.maximum(x[:, 1:], x[:, :-1])[..., None],
        )
        right = u[:, None, :]  # [N, 1, W + 1]
        mean = (right.clamp(low, high) - low).square() / (2 * (high - low)).clamp(min=1e-12) + (
            right - high
        ).clamp(0)
        area = area - height * mean  # [N, W, W + 1]
    return area


def _check_shape(shape: str) -> None:
    if shape not in SHAPES:
        raise ValueError(f"shape is {shape!r}; it must be one of {', '.join(map(repr, SHAPES))}")


def _check_img_size(img_size: int) -> None:
    if img_size < 1 or img_size != int(img_size):
        raise ValueError(f"img_size is {img_size}; it must be a whole number of pixels, at least 1")


def _check_color(name: str, color) -> None:
    if len(color) != 3 or not all(0 <= c <= 255 for c in color):
        raise ValueError(
            f"{name} is {color}; it must be three numbers (red, green, blue) in 0...255"
        )
