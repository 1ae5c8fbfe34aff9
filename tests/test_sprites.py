"""Rendering against areas computed in other ways: known pixels, exact totals, a supersampled reference, Pillow."""

import doctest
import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import sbd_utils
from sbd_utils import SHAPES, Sprite, draw_sprites, render_batch, sprites

WHITE = (255, 255, 255)


def grey(
    shape: str, x: float, y: float, size: float = 10, angle: float = 0, img_size: int = 64
) -> torch.Tensor:
    """One white sprite on black, [H, W] in float64."""
    return draw_sprites([Sprite(shape, x, y, size, WHITE, angle)], img_size)[0].double()


def center_of_mass(image: torch.Tensor) -> tuple[float, float]:
    """x and y in pixels of [H, W]."""
    x, y = sbd_utils.center_of_mass(image[None])[0].tolist()
    return x, y


def corners(shape: str, x: float, y: float, size: float, angle: float) -> np.ndarray:
    """Corners of the square or triangle [K, 2], turned clockwise as seen (y grows downwards)."""
    h = (
        size * math.sqrt(3) / 2
    )  # height of the triangle; its centre is a third of that above the base
    upright = {
        "rectangle": [
            (-size / 2, -size / 2),
            (size / 2, -size / 2),
            (size / 2, size / 2),
            (-size / 2, size / 2),
        ],
        "triangle": [(0, -2 * h / 3), (size / 2, h / 3), (-size / 2, h / 3)],
    }[shape]
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([(x + c * px - s * py, y + s * px + c * py) for px, py in upright])


def in_heart(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A square on its corner and two whole discs, about their centroid, of width 1; y grows downwards."""
    side = 1 / (1 / 2 + 1 / math.sqrt(8)) / 2  # the discs reach half a side beyond their middles
    a = side / math.sqrt(8)  # the middles of the upper sides are a left or right, and a up
    lobe = math.pi / 8 * side**2  # a half-disc, its centroid 4 r / 3 pi outside of its diameter
    out = 4 * (side / 2) / (3 * math.pi)
    y = y - 2 * lobe * (a + out / math.sqrt(2)) / (side**2 + 2 * lobe)
    square = x.abs() + y.abs() <= side / math.sqrt(2)
    discs = (x.abs() - a).square() + (y + a).square() <= side**2 / 4
    return square | discs


OUTLINES = {"oval": lambda x, y: x.square() + (2 * y).square() <= 1 / 4, "heart": in_heart}
"""Whether points are inside a shape of size 1 about the origin, at angle 0."""


def supersampled(
    shape: str, x: float, y: float, size: float, angle: float, img_size: int
) -> torch.Tensor:
    """The share of 64 x 64 points in every pixel that lie inside the shape, [H, W]."""
    fine = 64
    points = (torch.arange(img_size * fine, dtype=torch.float64) + 0.5) / fine
    px, py = points[None, :], points[:, None]
    if shape == "ellipse":
        inside = (px - x).square() + (py - y).square() <= size**2 / 4
    elif shape in OUTLINES:
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        inside = OUTLINES[shape](
            (c * (px - x) + s * (py - y)) / size, (c * (py - y) - s * (px - x)) / size
        )
    else:
        inside = torch.ones(len(points), len(points), dtype=torch.bool)
        ring = corners(shape, x, y, size, angle)
        for (ax, ay), (bx, by) in zip(
            ring, np.roll(ring, -1, 0), strict=True
        ):  # inside is to the right of each side
            inside &= (bx - ax) * (py - ay) - (by - ay) * (px - ax) >= 0
    return inside.double().view(img_size, fine, img_size, fine).mean((1, 3))


def by_pillow(
    shape: str, x: float, y: float, size: float, angle: float, img_size: int, fine: int = 64
) -> np.ndarray:
    """Drawn by Pillow `fine` times larger, averaged over blocks, [H, W]."""
    canvas = Image.new("L", (img_size * fine, img_size * fine))
    # Pillow numbers pixels and includes both ends.
    if shape == "ellipse":
        box = [
            fine * (x - size / 2),
            fine * (y - size / 2),
            fine * (x + size / 2) - 1,
            fine * (y + size / 2) - 1,
        ]
        ImageDraw.Draw(canvas).ellipse(box, fill=255)
    else:
        ring = [tuple(point) for point in corners(shape, x, y, size, angle) * fine - 0.5]
        ImageDraw.Draw(canvas).polygon(ring, fill=255)
    return (
        np.asarray(canvas.resize((img_size, img_size), Image.Resampling.BOX), dtype=np.float64)
        / 255
    )


# Single pixels


def test_pixels_of_a_circle_inside_outside_and_on_the_edge():
    image = grey("ellipse", 32, 32, 10)
    assert image[32, 32] == image[28, 32] == image[31, 28] == 1
    assert image[32, 37] == image[26, 32] == image[27, 28] == 0
    # The pixel [36, 37) x [32, 33) lacks the sliver right of the arc: area of r² - y² over y in [0, 1], less 4.
    arc = (math.sqrt(24) + 25 * math.asin(1 / 5)) / 2 - 4
    for i, j in [(32, 36), (31, 36), (32, 27), (31, 27), (36, 32), (36, 31), (27, 32), (27, 31)]:
        assert image[i, j].item() == pytest.approx(arc, abs=1e-6)


def test_pixels_of_a_square_at_a_fraction_of_a_pixel():
    image = grey("rectangle", 10.25, 20.5, 4)  # covers [8.25, 12.25) x [18.5, 22.5)
    assert image[20, 10] == 1
    assert image[20, 8].item() == pytest.approx(0.75)
    assert image[20, 12].item() == pytest.approx(0.25)
    assert image[18, 10].item() == image[22, 10].item() == pytest.approx(0.5)
    assert image[18, 8].item() == pytest.approx(0.375)
    assert image[22, 12].item() == pytest.approx(0.125)
    assert image[20, 7] == image[20, 13] == image[17, 10] == image[23, 10] == 0


def test_pixels_of_a_triangle_point_up_and_then_down():
    up, down = grey("triangle", 32, 32, 20), grey("triangle", 32, 32, 20, angle=180)
    # Height 17.32; the centre lies 11.55 below the point and 5.77 above the base.
    assert up[36, 32] == up[36, 25] == up[36, 38] == 1
    assert up[38, 32] == up[22, 25] == up[22, 38] == 0
    assert down[27, 25] == down[27, 38] == 1
    assert down[25, 32] == down[41, 25] == down[41, 38] == 0
    assert up[37, 32].item() == pytest.approx(
        10 / math.sqrt(3) - 5, abs=1e-6
    )  # the base cuts this row


# Whole images against other ways to the same area

AREA = {
    "ellipse": math.pi / 4,
    "rectangle": 1,
    "triangle": math.sqrt(3) / 4,
    "oval": math.pi / 8,
    "heart": (2 - math.sqrt(2)) ** 2 * (1 + math.pi / 4),
}
"""Of a shape of size 1."""


def test_total_of_a_circle_is_its_area_and_its_middle_the_centre():
    generator = torch.Generator().manual_seed(1)
    for diameter in range(6, 21):
        for x, y in (32 + torch.rand(10, 2, generator=generator, dtype=torch.float64)).tolist():
            image = grey("ellipse", x, y, diameter)
            area = math.pi * diameter**2 / 4
            assert image.sum().item() == pytest.approx(area, rel=1e-5)  # asked for: 1 %
            # Not exact: a pixel does not tell where in it its share lies.
            assert center_of_mass(image) == pytest.approx((x, y), abs=0.006)


@pytest.mark.parametrize(("shape", "share"), [("rectangle", 1), ("triangle", math.sqrt(3) / 4)])
def test_total_of_a_polygon_is_its_area_at_any_angle(shape, share):
    generator = torch.Generator().manual_seed(2)
    for x, y, size, angle in torch.rand(50, 4, generator=generator, dtype=torch.float64).tolist():
        image = grey(shape, 30 + x, 30 + y, 5 + 15 * size, 720 * angle - 360)
        assert image.sum().item() == pytest.approx(share * (5 + 15 * size) ** 2, rel=1e-5)
        assert center_of_mass(image) == pytest.approx((30 + x, 30 + y), abs=0.03)


@pytest.mark.parametrize("shape", ["oval", "heart"])
def test_total_of_an_oval_and_of_a_heart_is_their_area_and_their_middle_the_centroid(shape):
    generator = torch.Generator().manual_seed(2)
    for x, y, size, angle in torch.rand(50, 4, generator=generator, dtype=torch.float64).tolist():
        image = grey(shape, 30 + x, 30 + y, 5 + 15 * size, 720 * angle - 360)
        assert image.sum().item() == pytest.approx(AREA[shape] * (5 + 15 * size) ** 2, rel=1e-5)
        assert center_of_mass(image) == pytest.approx((30 + x, 30 + y), abs=0.03)


def test_a_heart_is_as_wide_as_its_size_and_its_point_is_down():
    image = grey("heart", 32, 32, 20)
    lit = (image > 1e-9).nonzero()
    assert lit[:, 1].min() == 22
    assert lit[:, 1].max() == 41
    widths = (image > 0.5).sum(1)
    assert widths[40] < widths[36] < widths[28]
    assert image[24, 32] < 0.1  # the notch
    assert image[26, 27] == image[26, 36] == 1
    right = grey("heart", 32, 32, 20, angle=270)  # the point, down before, is now at the right
    torch.testing.assert_close(right, torch.rot90(image, 1), atol=1e-6, rtol=0)


# Nearly level and nearly upright sides are where coarse sampling shows.
CASES = [
    (shape, x, y, size, angle)
    for shape, angles in {
        "ellipse": [0],
        "rectangle": [0.3, 2, 20, 45, 89],
        "triangle": [0.3, 13, 59, 90, 200],
        "oval": [0, 0.3, 30, 90, 135],
        "heart": [0, 0.3, 45, 90, 135, 200, 315],
    }.items()
    for angle in angles
    for x, y, size in [
        (12.13, 11.71, 14.37),
        (0.61, 22.83, 9.21),
        (30.27, -3.42, 21.63),
        (11.37, 12.91, 60.17),
    ]
]


@pytest.mark.parametrize(("shape", "x", "y", "size", "angle"), CASES)
def test_every_pixel_is_the_area_of_the_overlap(shape, x, y, size, angle):
    """Inside the frame, across its borders, larger than it: as 4,096 points per pixel and as Pillow find it."""
    image = grey(shape, x, y, size, angle, img_size=24)
    # A side parallel to the rows is found to half a subpixel; others are found better.
    torch.testing.assert_close(
        image, supersampled(shape, x, y, size, angle, 24), atol=0.012, rtol=0
    )
    if shape in OUTLINES:  # Pillow has none of these
        return
    # Pillow draws at whole subpixels: each of two edges through a pixel may be wrong by one of them.
    torch.testing.assert_close(
        image, torch.from_numpy(by_pillow(shape, x, y, size, angle, 24)), atol=0.04, rtol=0
    )


def test_an_angle_turns_clockwise_as_seen():
    point = grey("triangle", 32, 32, 20, angle=90)  # the point, up before, is now at the right
    assert point[32, 42] > 0.5
    assert point[32, 24] == 0


@pytest.mark.parametrize(
    ("shape", "turn"),
    [("rectangle", 90), ("triangle", 120), ("ellipse", 17), ("oval", 180), ("heart", 360)],
)
def test_a_turn_onto_itself_changes_nothing(shape, turn):
    for angle in (0, 33):
        before, after = (grey(shape, 30.3, 31.6, 13, a) for a in (angle, angle + turn))
        torch.testing.assert_close(before, after, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        grey(shape, 30.3, 31.6, 13, 33), grey(shape, 30.3, 31.6, 13, 33 - 7200), atol=1e-6, rtol=0
    )


# Continuity


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("diameter", [6, 10, 20])
def test_a_tenth_of_a_pixel_moves_the_image_by_a_tenth_of_a_pixel(axis, diameter):
    for step in range(20):
        start = [20.0, 20.0]
        start[axis] += step / 10
        end = list(start)
        end[axis] += 0.1
        before, after = grey("ellipse", *start, diameter), grey("ellipse", *end, diameter)
        assert (before - after).abs().max() > 0.05
        moved = np.subtract(center_of_mass(after), center_of_mass(before))
        assert moved[axis] == pytest.approx(0.1, abs=0.005)  # asked for: 0.01
        assert moved[1 - axis] == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_image_is_continuous_in_position_size_and_angle(shape):
    """A small change of any number changes no pixel by more than the width of the strip that the edge sweeps."""
    generator = torch.Generator().manual_seed(3)
    x, y, size, angle = torch.rand(4, 200, generator=generator, dtype=torch.float64) * torch.tensor(
        [[32], [32], [20], [360]]
    )
    size = size + 1
    angle[:40] = 90 * torch.arange(40) / 4  # level and upright sides among them
    step = 1e-3
    image = render_batch(shape, x, y, size, angle, img_size=32)
    for change in (
        (step, 0, 0, 0),
        (0, step, 0, 0),
        (0, 0, step, 0),
        (0, 0, 0, math.degrees(step / 21)),
    ):
        moved = render_batch(
            shape, *(v + d for v, d in zip((x, y, size, angle), change, strict=True)), img_size=32
        )
        assert (
            moved - image
        ).abs().max() < 2 * step  # a strip of that width, along up to sqrt(2) pixels
        assert (moved - image).abs().max() > 0 or shape == "ellipse"


# Composition


def test_later_sprites_cover_earlier_ones():
    red, green = (
        Sprite("rectangle", 30, 30, 20, (255, 0, 0)),
        Sprite("ellipse", 36, 30, 20, (0, 255, 0)),
    )
    over, under = draw_sprites([red, green], 64), draw_sprites([green, red], 64)
    assert over[:, 30, 35].tolist() == [0, 1, 0]
    assert under[:, 30, 35].tolist() == [1, 0, 0]
    assert over[:, 30, 22].tolist() == under[:, 30, 22].tolist() == [1, 0, 0]
    assert over[:, 30, 44].tolist() == under[:, 30, 44].tolist() == [0, 1, 0]


def test_an_edge_mixes_the_colours_by_area():
    image = draw_sprites(
        [Sprite("rectangle", 10.25, 10, 4, (255, 51, 0))], 20, bg_color=(0, 102, 255)
    )
    assert image.shape == (3, 20, 20)
    assert image.dtype == torch.float32
    assert image[:, 10, 10].tolist() == pytest.approx([1, 0.2, 0])
    assert image[:, 10, 2].tolist() == pytest.approx([0, 0.4, 1])
    assert image[:, 10, 8].tolist() == pytest.approx([0.75, 0.75 * 0.2 + 0.25 * 0.4, 0.25])


def test_no_sprite_gives_the_background():
    image = draw_sprites([], 5, bg_color=(255, 0, 51))
    torch.testing.assert_close(image, torch.tensor([1, 0, 0.2]).view(3, 1, 1).expand(3, 5, 5))
    assert draw_sprites([], 3).tolist() == torch.zeros(3, 3, 3).tolist()


def test_a_sprite_outside_the_frame_leaves_no_trace():
    for shape in SHAPES:
        for x, y in [(-30, 10), (50, 10), (10, -30), (10, 50), (1e9, 10), (10, -1e30)]:
            assert grey(shape, x, y, 20, 17, img_size=20).max() < 1e-9


def test_a_sprite_larger_than_the_frame_fills_it():
    for shape in SHAPES:
        for size in (200, 1e4, 1e6):
            torch.testing.assert_close(
                grey(shape, 5, 6, size, 7, 20), torch.ones(20, 20).double(), atol=1e-4, rtol=0
            )


# The batch


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_holds_the_images_that_draw_sprites_draws(shape):
    """300 at once, so that it is painted in parts: of all sizes, anywhere, also outside and larger than the frame."""
    generator = torch.Generator().manual_seed(4)
    numbers = torch.rand(300, 4, generator=generator, dtype=torch.float64)
    x, y, size, angle = (
        numbers * torch.tensor([90, 90, 60, 720]) + torch.tensor([-30, -30, 0.1, -360])
    ).T
    batch = render_batch(shape, x, y, size, angle, img_size=32)
    assert batch.shape == (300, 1, 32, 32)
    assert batch.dtype == torch.float32
    for i in range(300):
        alone = draw_sprites(
            [Sprite(shape, x[i].item(), y[i].item(), size[i].item(), WHITE, angle[i].item())], 32
        )
        torch.testing.assert_close(
            batch[i].expand(3, -1, -1), alone, atol=1e-6, rtol=0
        )  # asked for: 1/255


def test_a_batch_takes_lists_arrays_and_single_numbers():
    expected = render_batch(
        "ellipse",
        torch.tensor([5.0, 9.0]),
        torch.tensor([7.0, 7.0]),
        torch.tensor([4.0, 4.0]),
        0,
        16,
    )
    assert torch.equal(render_batch("ellipse", [5, 9], 7, 4, img_size=16), expected)
    assert torch.equal(
        render_batch("ellipse", np.array([5.0, 9.0]), np.float32(7), 4, img_size=16), expected
    )
    for alike in ((5, 9), np.array([5, 9], ">i4"), [np.float16(5), 9.0], range(5, 10, 4)):
        assert torch.equal(render_batch("ellipse", alike, [7], 4, img_size=16), expected)
    assert render_batch("ellipse", [], [], img_size=16).shape == (0, 1, 16, 16)
    assert render_batch("ellipse", [], 3, [4], img_size=np.int64(16)).shape == (0, 1, 16, 16)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_image_is_differentiable_in_the_position(shape):
    """Its gradient is that of small steps, for a sum in which every column counts differently."""

    def weighted(x: torch.Tensor) -> torch.Tensor:
        image = render_batch(shape, x, 9.6, 7, 11, 20)[0, 0].double()
        return image.sum(0) @ torch.arange(20, dtype=torch.float64)

    x = torch.tensor([10.3], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(weighted(x), x)
    steps = [weighted(x.detach() + step).item() for step in (-0.01, 0.01)]
    assert found.item() == pytest.approx((steps[1] - steps[0]) / 0.02, rel=0.01)
    assert found.item() == pytest.approx(49 * AREA[shape], rel=0.05)  # all the light moves


# Bad input


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            dict(shape="circle"),
            "shape is 'circle'; it must be one of 'ellipse', 'rectangle', 'triangle'",
        ),
        (dict(size=-1), "size is -1; it must be positive"),
        (dict(size=0), "size is 0; it must be positive"),
        (dict(size=1e7), r"size is 10000000.0; it must be positive, and at most 1e\+06"),
        (dict(size=math.inf), "size is inf; it must be a finite"),
        (dict(x=math.nan), "x is nan; it must be a finite"),
        (dict(y=-math.inf), "y is -inf; it must be a finite"),
        (dict(angle=math.nan), "angle is nan; it must be a finite"),
        (dict(color=(0, 256, 0)), r"color is \(0, 256, 0\); it must be three numbers"),
        (dict(color=(0, 0, -1)), "color is"),
        (dict(color=(0, 0, math.nan)), "color is"),
        (dict(color=(255, 255)), "color is"),
        (dict(color=255), "color is 255; it must be three numbers"),
        (dict(color=None), "color is None"),
        (dict(color="red"), "color is 'red'"),
        (dict(color=("1", "2", "3")), "color is"),
        (dict(color=(1, None, 3)), "color is"),
        (dict(color=((1, 2), 3, 4)), "color is"),
        (dict(color=(True, 0, 0)), "color is"),
        (dict(color=np.zeros((3, 2))), "color is"),
        (dict(color=torch.tensor(3)), "color is"),
        (dict(shape=None), "shape is None"),
        (dict(shape=["ellipse"]), r"shape is \['ellipse'\]"),
        (dict(shape=np.array("ellipse")), "shape is array"),
        (dict(x="5"), "x is '5'; it must be a finite number"),
        (dict(x=None), "x is None; it must be a finite number"),
        (dict(y=[1, 2]), r"y is \[1, 2\]; it must be a finite number"),
        (dict(y=torch.tensor([3.0])), r"y is tensor\(\[3.\]\); it must be a finite number"),
        (dict(size=True), "size is True; it must be a finite number"),
        (dict(size=np.True_), "size is np.True_; it must be a finite number"),
        (dict(size=1j), "size is 1j; it must be a finite number"),
        (dict(angle=10**400), "angle is 1000"),
        (dict(angle={}), r"angle is \{\}; it must be a finite number"),
    ],
)
def test_a_sprite_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        Sprite(**{**dict(shape="ellipse", x=5, y=5), **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(shape="star"), "shape is 'star'"),
        (dict(size=[3, -2]), "size holds -2; every size must be positive"),
        (dict(size=2e6), r"size holds 2e\+06"),
        (dict(x=[1, math.nan]), "x holds a number that is not finite"),
        (dict(y=math.inf), "y holds a number that is not finite"),
        (dict(angle=math.nan), "angle holds a number that is not finite"),
        (dict(img_size=0), "img_size is 0"),
        (dict(img_size=8.5), "img_size is 8.5"),
        (dict(img_size=8.0), "img_size is 8.0; it must be a whole number of pixels, at least 1"),
        (dict(img_size=True), "img_size is True"),
        (dict(img_size="8"), "img_size is '8'"),
        (dict(img_size=None), "img_size is None"),
        (dict(img_size=[8]), r"img_size is \[8\]"),
        (dict(shape=None), "shape is None"),
        (dict(shape=["ellipse", "ellipse"]), "shape is"),
        (dict(x="5"), r"x is '5'; it must be one number, or numbers \[N\]"),
        (dict(x=None), "x is None; it must be one number"),
        (dict(x=[5, None]), r"x is \[5, None\]; it must be"),
        (dict(x=[5, [6]]), r"x is \[5, \[6\]\]; it must be"),
        (dict(x=np.array(["5"])), "x is array"),
        (dict(x=[True, False]), r"x is \[True, False\]; it must be"),
        (dict(x=torch.tensor([True])), "x holds torch.bool; it must hold real numbers"),
        (dict(y=1j), "y holds torch.complex128; it must hold real numbers"),
        (dict(x=[[5, 6]]), r"x has shape \[1, 2\]; it must be one number or \[N\]"),
        (dict(x=torch.zeros(4, 2)), r"x has shape \[4, 2\]"),
        (dict(y=[1, 2, 3]), "there are 2 for x, 3 for y; give one number for every image, or one"),
        (dict(size=[3, 4, 5]), "there are 2 for x, 3 for size"),
        (dict(y=[], size=4), "there are 2 for x, 0 for y"),
    ],
)
def test_a_batch_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        render_batch(**{**dict(shape="ellipse", x=[5, 6], y=5), **wrong})


def test_draw_sprites_refuses():
    with pytest.raises(
        ValueError, match="img_size is -3; it must be a whole number of pixels, at least 1"
    ):
        draw_sprites([], -3)
    with pytest.raises(ValueError, match=r"bg_color is \(300, 0, 0\)"):
        draw_sprites([], 8, bg_color=(300, 0, 0))
    for wrong in (None, "0", 1.5, True, 16.0, [16]):
        with pytest.raises(ValueError, match=r"img_size is .*; it must be a whole number"):
            draw_sprites([], wrong)
    for wrong in ((0, 0), None, "red", (0, 0, math.nan), 7):
        with pytest.raises(ValueError, match=r"bg_color is .*; it must be three numbers"):
            draw_sprites([], 8, wrong)
    for wrong in (None, 3, "ellipse", [None], [Sprite("ellipse", 1, 1), "ellipse"]):
        with pytest.raises(
            ValueError, match=r"sprites is .*; it must be a list that holds Sprites"
        ):
            draw_sprites(wrong, 8)
    with pytest.raises(ValueError, match=r"sprites is Sprite.*; it must be a list"):
        draw_sprites(Sprite("ellipse", 1, 1), 8)


def test_sprites_may_come_one_by_one_and_colours_in_any_form():
    expected = draw_sprites([Sprite("ellipse", 5, 5, 4, (1, 2, 3))] * 2, 8, (3, 2, 1))
    for form in (list, np.array, torch.tensor):
        one_by_one = (Sprite("ellipse", 5, 5, 4, form([1, 2, 3])) for _ in range(2))
        assert torch.equal(draw_sprites(one_by_one, 8, form([3, 2, 1])), expected)


# What a session has set


def several_images() -> list[torch.Tensor]:
    colored = [Sprite(shape, 7.3, 8.1, 6, (200, 3, 77), 20) for shape in SHAPES]
    batches = [render_batch(shape, [3, 8.25], 7, [4, 9], 33, 16) for shape in SHAPES]
    return [draw_sprites(colored, 16, (9, 8, 7)), *batches]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_a_default_dtype_changes_nothing(dtype):
    expected = several_images()
    torch.set_default_dtype(dtype)
    try:
        got = several_images()
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(torch.equal, got, expected))
    assert all(image.dtype == torch.float32 for image in got)


def test_a_default_device_changes_nothing():
    """Tensors on 'meta' hold no numbers: one that was made there by default would show."""
    expected = several_images()
    with torch.device("meta"):
        got = several_images()
    assert all(map(torch.equal, got, expected))
    x = torch.tensor([5.0, 6.0], device="cpu")
    with torch.device("meta"):
        assert render_batch("ellipse", x, 4, img_size=8).device.type == "cpu"


def test_the_examples_in_the_docstrings():
    results = doctest.testmod(sprites)
    assert results.attempted == 5
    assert results.failed == 0
