"""What an image is made of: sprites, and their exact anti-aliased rendering, alone or in batches.

A sprite covers a pixel by a fraction between 0 and 1, the area of their overlap. That makes an
image a continuous function of the sprite's position, which is what a decoder has to learn.
"""

import math
import numbers
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

# A heart is a square that stands on a corner, with a half-disc on each of its two upper sides.
# Measured in its width: the square's side, and how far its middle lies below the centroid of all.
HEART_SIDE = 2 - math.sqrt(2)
HEART_DROP = HEART_SIDE * (3 * math.pi + 4) / (math.sqrt(2) * (6 * math.pi + 24))
# The ellipse that is no circle is this many times as long as wide.
OVAL_RATIO = 2

# Distance from the centre to the outermost point, for a sprite of size 1.
RADIUS = {
    "ellipse": 1 / 2,
    "rectangle": math.sqrt(1 / 2),
    "triangle": math.sqrt(1 / 3),
    "oval": 1 / 2,
    "heart": HEART_SIDE / math.sqrt(2) + HEART_DROP,
}
# Directions in which the corners lie, in degrees clockwise from the right, for angle 0.
CORNERS = {"rectangle": (45, 135, 225, 315), "triangle": (30, 150, 270)}

SHAPES = tuple(RADIUS)
"""The shapes that a sprite can have."""

MAX_SIZE = 1e6  # pixels; beyond it differences of areas drown in rounding, even in float64
CHUNK = 128  # images at a time: their working set stays in cache, and torch starts no threads


@dataclass(frozen=True)
class Sprite:
    """One coloured shape.

    Args:
        shape: 'ellipse' (a circle), 'rectangle' (a square), 'triangle' (equilateral, one vertex
            up), 'oval' (an ellipse, lying, twice as long as high) or 'heart' (its point down).
        x: Centre in pixels, from the image's left edge. Pixel (i, j), row i and column j, covers
            [j, j + 1) x [i, i + 1). A centre outside the frame is fine.
        y: Centre in pixels, downwards from the image's top edge.
        size: In pixels; positive, at most a million. Diameter of the circle, side of the square and
            the triangle, length of the oval, width of the heart. A heart's centre is its centroid.
        color: Red, green and blue in 0...255.
        angle: Degrees by which the shape is turned about its centre, clockwise as seen.

    Raises:
        ValueError: A value is not one of these.

    Example:
        >>> Sprite("triangle", 32, 20.5, size=12, color=(255, 204, 0))
        Sprite(shape='triangle', x=32, y=20.5, size=12, color=(255, 204, 0), angle=0)
    """

    shape: str
    x: float
    y: float
    size: float = 10
    color: tuple[float, float, float] = (255, 255, 255)
    angle: float = 0

    def __post_init__(self) -> None:
        """Refuse what is no sprite."""
        _check_shape(self.shape)
        for name in ("x", "y", "size", "angle"):
            _check_number(name, getattr(self, name))
        if not 0 < self.size <= MAX_SIZE:
            raise ValueError(f"size is {self.size}; it must be positive, and at most {MAX_SIZE:g}")
        _check_color("color", self.color)


def draw_sprites(
    sprites: Iterable[Sprite], img_size: int, bg_color: tuple[float, float, float] = (0, 0, 0)
) -> Tensor:
    """Draw sprites over a plain background; later sprites cover earlier ones.

    Args:
        sprites: None of them gives the background.
        img_size: Height and width in pixels.
        bg_color: Red, green and blue in 0...255.

    Returns:
        float32 [3, img_size, img_size] in [0, 1], on the CPU.

    Raises:
        ValueError: Something else than sprites, an img_size that is no whole number or below 1, or
            a colour outside 0...255.

    Example:
        >>> square = Sprite("rectangle", x=1.5, y=1, size=2, color=(255, 0, 0))
        >>> red, green, blue = draw_sprites([square], img_size=3).round(decimals=2)
        >>> red  # the square's edges halve two columns of pixels
        tensor([[0.5000, 1.0000, 0.5000],
                [0.5000, 1.0000, 0.5000],
                [0.0000, 0.0000, 0.0000]])
    """
    img_size = _whole_pixels(img_size)
    _check_color("bg_color", bg_color)
    image = _as_color(bg_color).repeat(1, img_size, img_size)  # [3, H, W]
    for sprite in _check_sprites(sprites):
        place = (sprite.x, sprite.y, sprite.size, sprite.angle)
        cover = render_batch(sprite.shape, *place, img_size, device="cpu")[0]  # [1, H, W]
        image = image * (1 - cover) + _as_color(sprite.color) * cover
    return image


def render_batch(
    shape: str,
    x: ArrayLike | Tensor,
    y: ArrayLike | Tensor,
    size: ArrayLike | Tensor = 10.0,
    angle: ArrayLike | Tensor = 0.0,
    img_size: int = 64,
    device: torch.device | str | int | None = None,
) -> Tensor:
    """Render N white sprites of one shape on black, an image each.

    Args:
        shape: One of `SHAPES`.
        x: Centres in pixels, [N], or one number for all; as in `Sprite`.
        y: Likewise.
        size: Likewise.
        angle: Likewise.
        img_size: Height and width in pixels.
        device: Where the images are made; by default that of x, if it is a tensor, or the CPU.

    Returns:
        float32 [N, 1, img_size, img_size] in [0, 1].

    Raises:
        ValueError: An unknown shape, what is no number or not finite, a size that is not in
            (0, 1e6], lengths that do not agree, or an img_size that is no whole number or below 1.
    """
    _check_shape(shape)
    img_size = _whole_pixels(img_size)
    if device is None:
        device = x.device if isinstance(x, Tensor) else "cpu"
    device = torch.device(device)
    work = torch.device("cpu") if device.type == "mps" else device  # Apple's GPUs have no float64
    given = {"x": x, "y": y, "size": size, "angle": angle}
    columns = {name: _column(name, values, work) for name, values in given.items()}
    _check_sizes(columns["size"])
    _check_lengths(columns)
    table = torch.stack(torch.broadcast_tensors(*columns.values()))  # [4, N]
    count = table.shape[1]
    images = torch.zeros(count, 1, img_size, img_size, dtype=torch.float32, device=work)
    for i in range(0, count, CHUNK):
        part = slice(i, i + CHUNK)
        _paint(images[part, 0], shape, *table[:, part])
    return images.to(device)


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Colours of hue, saturation and value: the hexcone of Smith 1978, Color Gamut Transform Pairs.

    Args:
        hue: [N] in degrees; 0 is red, 120 green, 240 blue.
        saturation: [N] in [0, 1]; 0 is grey.
        value: [N] in [0, 1]: the largest of red, green and blue.

    Returns:
        Red, green and blue [N, 3] in [0, 1].

    Example:
        >>> hsv_to_rgb(torch.tensor([60.0]), torch.tensor([1.0]), torch.tensor([0.5]))
        tensor([[0.5000, 0.5000, 0.0000]])
    """
    distances = [(hue / 60 + start).remainder(6) for start in (5, 3, 1)]
    k = torch.stack(distances, 1)  # [N, 3]
    lack = torch.minimum(k, 4 - k).clamp(
        0, 1
    )  # how far each is below the value, at full saturation
    return value[:, None] * (1 - saturation[:, None] * lack)


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
    # The window's first column and row, and the pixel edges as seen from the centre.
    start = (center - extent).floor().clamp_(0, frame - window)  # [N, 2]
    edges = (start - center)[..., None] + edge  # [N, 2, W + 1]
    if shape == "ellipse":
        area = _disc(edges, radius)
    elif shape in ("oval", "heart"):
        reach = radius[:, None, None]
        near = torch.maximum(torch.minimum(edges, reach), -reach)  # beyond it nothing changes
        area = _oval(near, size, angle) if shape == "oval" else _heart(near, size, angle)
    else:
        area = _polygon(edges, radius, angle, CORNERS[shape])
    cover = area.diff(dim=2).clamp_(0, 1).float()  # [N, W, W]; the clamp removes rounding

    # Where the window's pixels lie in an image that is one long row.
    first = (start[:, 1] * frame + start[:, 0]).long()  # [N]
    inside = edge[:-1, None] * frame + edge[:-1]  # [W, W]
    pixels = first[:, None] + inside.flatten()  # [N, W * W]
    images.view(len(images), -1).scatter_(1, pixels, cover.flatten(1))


def _disc(edges: Tensor, radius: Tensor) -> Tensor:
    """Area of a disc about the origin in each row of pixels, left of each pixel edge.

    The rectangle between the origin and a corner (u, v) overlaps the disc by |u v| if the corner
    lies in the disc. If not, the parts that u and v cut off the quarter disc do not meet: the
    overlap is what is left of it between 0 and |u|, plus what is left between 0 and |v|, minus the
    whole quarter. The area takes the sign of u v.

    Args:
        edges: x, and y, of the pixel edges [N, 2, W + 1].
        radius: [N].

    Returns:
        [N, W, W + 1], up to a constant of the row.
    """
    r = radius[:, None, None]
    t = torch.maximum(torch.minimum(edges, r), -r)
    reach = r.square() - t.square()  # how far the disc goes the other way, squared
    twice_left = t * reach.sqrt() + r.square() * torch.asin(t / r)
    left = twice_left.abs_() / 2 - math.pi / 8 * r.square()  # less half of the quarter
    (u, v), (u_left, v_left) = t.unbind(1), left.unbind(1)
    corner = v[:, :, None] * u[:, None, :]  # [N, W + 1, W + 1]
    outside = (v_left[:, :, None] + u_left[:, None, :]).copysign_(corner)
    inside = v.square()[:, :, None] < reach[:, 0][:, None, :]
    return torch.where(inside, corner, outside).diff(dim=1)


def _polygon(edges: Tensor, radius: Tensor, angle: Tensor, corners: Sequence[float]) -> Tensor:
    """The same area as in `_disc`, for a convex polygon about the origin.

    Green's theorem: left of u lies what is right of the left-hand sides, less what is right of the
    right-hand sides.

    Args:
        edges: x, and y, of the pixel edges [N, 2, W + 1].
        radius: Distance of the corners from the origin [N].
        angle: By which the polygon is turned clockwise, in degrees [N].
        corners: Directions of the corners in degrees, clockwise.

    Returns:
        [N, W, W + 1], up to a constant of the row.
    """
    directions = torch.tensor(corners, device=edges.device)
    turns = torch.deg2rad(angle[:, None] % 360 + directions)  # [N, sides]
    x, y = radius[:, None] * turns.cos(), radius[:, None] * turns.sin()
    points = torch.stack([x, y])[..., None]  # [2, N, sides, 1]
    area = edges.new_zeros(())
    for i in range(len(corners)):
        area = area - _right_of_side(edges, points[:, :, i - 1], points[:, :, i])
    return area


def _right_of_side(edges: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Area in each row of pixels between a polygon's side and, right of it, each pixel edge.

    A side that passes a row with height h, between x = low and x = high, has h times the mean of
    max(u - x, 0) left of u. Height has a sign: clockwise, right-hand sides go down.

    Args:
        edges: x, and y, of the pixel edges [N, 2, W + 1].
        start: x, and y, of a corner [2, N, 1].
        end: Of the next corner, clockwise.

    Returns:
        [N, W, W + 1].
    """
    u, v = edges.unbind(1)  # [N, W + 1] each
    (x0, y0), (x1, y1) = start, end
    level = y0 == y1  # a side without height: any slope will do
    slope = (x1 - x0) / torch.where(level, 1, y1 - y0)
    # The edges of the rows, cut to the side, and where the side crosses them.
    y = torch.maximum(torch.minimum(v, torch.maximum(y0, y1)), torch.minimum(y0, y1))
    x = x0 + slope * (y - y0)  # [N, W + 1]
    height = (y.diff(dim=1) * (y1 - y0).sign())[..., None]  # [N, W, 1]
    low = torch.minimum(x[:, 1:], x[:, :-1])[..., None]
    high = torch.maximum(x[:, 1:], x[:, :-1])[..., None]
    u = u[:, None, :]  # [N, 1, W + 1]
    between = (u.clamp(low, high) - low).square() / (2 * (high - low)).clamp(min=1e-12)
    beyond = (u - high).clamp(0)
    return height * (between + beyond)


class _Ellipse(NamedTuple):
    """An ellipse about the origin: between k y - w(y) and k y + w(y) in each row.

    There w(y) = c sqrt(1 - (y / b)²), for y from -b to b. In each column, likewise, it lies between
    m x - n sqrt(1 - (x / a)²) and m x + n sqrt(1 - (x / a)²), for x from -a to a. All are [N, 1].
    """

    a: Tensor
    b: Tensor
    c: Tensor
    k: Tensor
    m: Tensor
    n: Tensor

    @classmethod
    def turned(cls, long: Tensor, wide: Tensor, angle: Tensor) -> "_Ellipse":
        """Of two half-axes [N], the first turned clockwise from the right by degrees [N]."""
        turn = torch.deg2rad(angle % 360)
        cos, sin = turn.cos(), turn.sin()
        xx = (long * cos).square() + (wide * sin).square()
        yy = (long * sin).square() + (wide * cos).square()
        xy = (long.square() - wide.square()) * cos * sin
        a, b = xx.sqrt(), yy.sqrt()
        numbers = (a, b, long * wide / b, xy / yy, xy / xx, long * wide / a)
        return cls(*(number[:, None] for number in numbers))


def _oval(edges: Tensor, size: Tensor, angle: Tensor) -> Tensor:
    """The same area as in `_disc`, for an ellipse of that length [N], turned by degrees [N]."""
    ellipse = _Ellipse.turned(size / 2, size / (2 * OVAL_RATIO), angle)
    u, v = edges.unbind(1)
    rows = torch.maximum(torch.minimum(v, ellipse.b), -ellipse.b)
    return _right_of_left_arc(u, rows, ellipse) - _right_of_right_arc(u, rows, ellipse)


def _heart(edges: Tensor, size: Tensor, angle: Tensor) -> Tensor:
    """The same area as in `_disc`, for a heart of that width [N], turned by degrees [N].

    Its outline is two straight sides, which meet in the point, and two half-circles.
    """
    side, drop = size * HEART_SIDE, size * HEART_DROP
    turn = torch.deg2rad(angle % 360)
    down = torch.stack([-turn.sin(), turn.cos()])  # [2, N]: where the point points
    right = torch.stack([turn.cos(), turn.sin()])
    half = side / math.sqrt(2)  # from the middle of the square to its corners
    corners = [drop * down + half * way for way in (right, down, -right)]
    first, point, last = (corner[..., None, None] for corner in corners)  # [2, N, 1, 1]
    area = -_right_of_side(edges, first[..., 0], point[..., 0])
    area = area - _right_of_side(edges, point[..., 0], last[..., 0])
    for way in (right - down, -right - down):
        middle = drop * down + half / 2 * way  # of the half-circle
        area = area + _half_circle(edges - middle.T[..., None], side / 2, way / math.sqrt(2))
    return area


def _half_circle(edges: Tensor, radius: Tensor, way: Tensor) -> Tensor:
    """What a half-circle adds to the area, as part of an outline.

    Args:
        edges: x, and y, of the pixel edges, as seen from its middle [N, 2, W + 1].
        radius: [N].
        way: The unit vector from its middle to the middle of the arc [2, N].

    Returns:
        [N, W, W + 1].
    """
    circle = _Ellipse.turned(radius, radius, torch.zeros_like(radius))
    u, v = edges.unbind(1)
    x, y = way
    sign = torch.where(y < 0, -1.0, 1.0)
    highest = (sign * radius)[:, None]  # it has the top of the circle, or else the bottom …
    end = (sign * x * radius)[:, None]  # … and ends here on the left, and opposite on the right
    arcs = []
    for other in (end, -end):
        low, high = torch.minimum(highest, other), torch.maximum(highest, other)
        arcs.append(torch.maximum(torch.minimum(v, high), low))
    left, right = arcs
    return _right_of_left_arc(u, left, circle) - _right_of_right_arc(u, right, circle)


def _right_of_left_arc(u: Tensor, rows: Tensor, ellipse: _Ellipse) -> Tensor:
    """Area in each row between an ellipse's left-hand outline and, right of it, each pixel edge.

    The outline is left of u from where the column u enters the ellipse to where it leaves it, or
    to the highest or lowest point of the ellipse if that is farther left than u.

    Args:
        u: x of the pixel edges [N, W + 1].
        rows: y of the pixel edges, cut to the arc that counts [N, W + 1].
        ellipse: The ellipse.

    Returns:
        [N, W, W + 1].
    """
    a, b, c, k, m, n = ellipse
    x = torch.maximum(torch.minimum(u, a), -a)
    half = n * (1 - (x / a).square()).clamp(min=0).sqrt()
    enter = torch.where(u > -k * b, -b, m * x - half)[:, None, :]
    leave = torch.where(u > k * b, b, m * x + half)[:, None, :]
    y = torch.maximum(torch.minimum(rows[:, :, None], leave), enter)  # [N, W + 1, W + 1]
    t = (y / b[:, None]).clamp(-1, 1)
    # The integral over y of u - (k y - w(y)).
    outer = (c * b / 2)[:, None] * (t * (1 - t.square()).sqrt() + torch.asin(t))
    return (u[:, None, :] * y - (k / 2)[:, None] * y.square() + outer).diff(dim=1)


def _right_of_right_arc(u: Tensor, rows: Tensor, ellipse: _Ellipse) -> Tensor:
    """The same for the right-hand outline, up to a constant of the row.

    What u exceeds x by, if it does, is u - x plus what x exceeds u by, if it does; and the outline
    is the left-hand one turned by 180 degrees.
    """
    return u[:, None, :] * rows.diff(dim=1)[..., None] + _right_of_left_arc(
        -u, -rows.flip(1), ellipse
    ).flip(1)


# What is given


def _as_color(color: Any) -> Tensor:
    """[3, 1, 1] in [0, 1], in float32 on the CPU, whatever the defaults are."""
    values = [float(value) for value in color]
    return torch.tensor(values, dtype=torch.float32, device="cpu").view(3, 1, 1) / 255


def _column(name: str, values: ArrayLike | Tensor, device: torch.device) -> Tensor:
    """Numbers [N] in float64, or [1] for one; differentiable if `values` are."""
    if not isinstance(values, Tensor):
        values = _as_tensor(name, values)
    if values.ndim > 1:
        raise ValueError(f"{name} has shape {list(values.shape)}; it must be one number or [N]")
    if values.is_complex() or values.dtype == torch.bool:
        raise ValueError(f"{name} holds {values.dtype}; it must hold real numbers")
    values = values.to(device).to(torch.float64).reshape(-1)
    if not torch.isfinite(values).all():
        raise ValueError(f"{name} holds a number that is not finite; every {name} must be finite")
    return values


def _as_tensor(name: str, values: ArrayLike) -> Tensor:
    """Of a number, a list or an array; what holds anything but numbers is an error."""
    try:
        array = np.asarray(values)
        numeric = array.dtype.kind in "iufc"
    except (TypeError, ValueError, RuntimeError):  # unequal lengths; tensors of a device
        numeric = False
    if not numeric:
        raise ValueError(f"{name} is {values!r}; it must be one number, or numbers [N]")
    return torch.as_tensor(array.astype(array.dtype.newbyteorder("=")), device="cpu")


def _check_sizes(sizes: Tensor) -> None:
    wrong = sizes[(sizes <= 0) | (sizes > MAX_SIZE)]
    if len(wrong):
        accepted = f"every size must be positive, and at most {MAX_SIZE:g}"
        raise ValueError(f"size holds {wrong[0].item():g}; {accepted}")


def _check_lengths(columns: dict[str, Tensor]) -> None:
    several = {name: len(values) for name, values in columns.items() if len(values) != 1}
    if len(set(several.values())) > 1:
        found = ", ".join(f"{length} for {name}" for name, length in several.items())
        raise ValueError(f"there are {found}; give one number for every image, or one for all")


def _check_shape(shape: Any) -> None:
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"shape is {shape!r}; it must be one of {', '.join(map(repr, SHAPES))}")


def _check_sprites(sprites: Any) -> list[Sprite]:
    several = list(sprites) if isinstance(sprites, Iterable) else None
    if several is None or not all(isinstance(sprite, Sprite) for sprite in several):
        raise ValueError(f"sprites is {sprites!r}; it must be a list that holds Sprites alone")
    return several


def _whole_pixels(img_size: Any) -> int:
    try:
        pixels = operator.index(img_size)
    except TypeError:
        pixels = 0
    if pixels < 1 or isinstance(img_size, bool):
        accepted = "a whole number of pixels, at least 1"
        raise ValueError(f"img_size is {img_size!r}; it must be {accepted}")
    return pixels


def _check_number(name: str, value: Any) -> None:
    if not _is_number(value):
        raise ValueError(f"{name} is {value!r}; it must be a finite number")


def _is_number(value: Any) -> bool:
    """Whether this is one finite real number: Python's, NumPy's or a tensor without dimensions."""
    is_array = isinstance(value, np.ndarray | Tensor) and value.ndim == 0
    is_truth = isinstance(value, bool) or getattr(value, "dtype", None) in (bool, torch.bool)
    if is_truth or not (isinstance(value, numbers.Real) or is_array):
        return False
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # 10**400, a complex tensor
        return False


def _check_color(name: str, color: Any) -> None:
    if isinstance(color, np.ndarray | Tensor):
        several = color.ndim == 1
    else:
        several = isinstance(color, tuple | list)
    if not several or len(color) != 3 or not all(map(_is_part_of_color, color)):
        accepted = "three numbers (red, green, blue) in 0...255"
        raise ValueError(f"{name} is {color!r}; it must be {accepted}")


def _is_part_of_color(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 255
