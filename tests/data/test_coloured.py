"""Coloured sprites: pixels, factors, regions, ties; what depends on the seed, and what is refused."""

import colorsys
import math
import time

import numpy as np
import pytest
import torch

from sbd_utils import ColoredSprites, center_of_mass, hsv_to_rgb
from sbd_utils.data import REGIONS, SPRITE_SIZES, STREAMS, make_stream
from tests.test_sprites import supersampled

NAMES = ["x", "y", "size", "shape", "angle", "hue", "saturation", "value"]
SHAPES = {"square": ("rectangle", 1 / math.sqrt(2)), "ellipse": ("oval", 1)}


def drawn(world, **values):
    """One image [3, H, W] of the middle of the world, with some values given."""
    factors = world.middle[None].clone()
    for name, value in values.items():
        factors[0, world.column(name)] = value
    return world.render(factors)[0]


# Colours


def test_colours_are_those_of_the_standard_library():
    numbers = torch.rand(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = hsv_to_rgb(360 * numbers[:, 0], numbers[:, 1], numbers[:, 2])
    expected = [colorsys.hsv_to_rgb(*row) for row in numbers.tolist()]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_six_colours_that_everybody_knows():
    hue = torch.tensor([0.0, 60, 120, 180, 240, 300, 360])
    red, green, blue = hsv_to_rgb(hue, torch.ones(7), torch.ones(7)).T.tolist()
    assert red == [1, 1, 0, 0, 0, 1, 1]
    assert green == [0, 1, 1, 1, 0, 0, 0]
    assert blue == [0, 0, 0, 1, 1, 1, 0]


# Pixels


@pytest.mark.parametrize("shape", ["square", "ellipse"])
@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, 217.0])
def test_every_pixel_is_the_colour_times_the_area_of_the_overlap(shape, angle):
    world = ColoredSprites(im_size=32, ranges={"size": 11.5})
    kind, share = SHAPES[shape]
    number = list(world.factors[3].kinds).index(shape)
    place = dict(x=14.3, y=17.9, angle=angle, shape=number)
    image = drawn(world, **place, hue=30, saturation=0.75, value=0.8)
    cover = supersampled(kind, 14.3, 17.9, 11.5 * share, angle, 32)
    for channel, part in zip(image, (0.8, 0.5, 0.2), strict=True):  # orange, half a step from red
        torch.testing.assert_close(channel.double(), part * cover, atol=0.012, rtol=0)


def test_pixels_of_a_red_square():
    world = ColoredSprites(im_size=64, ranges={"size": 4 * math.sqrt(2)})
    image = drawn(world, x=10.25, y=20.5, angle=0, hue=0, saturation=1, value=1)
    assert image[:, 20, 10].tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    assert image[0, 20, 8].item() == pytest.approx(0.75, abs=1e-5)
    assert image[0, 18, 8].item() == pytest.approx(0.375, abs=1e-5)
    assert image[1:].abs().max() < 1e-6


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_size_is_the_diameter_of_the_circle_around_every_shape(shape):
    world = ColoredSprites(im_size=64)
    middle = torch.arange(64) + 0.5
    distance = torch.hypot(middle[None] - 32, middle[:, None] - 32)
    reach = 0.0
    for angle in range(0, 360, 15):
        image = drawn(world, x=32, y=32, size=24, shape=shape, angle=angle, value=1)
        lit = distance[image.amax(0) > 1e-6]
        assert lit.max() < 12 + math.sqrt(1 / 2)
        reach = max(reach, lit.max().item())
    assert reach > 12 - math.sqrt(1 / 2)


def test_no_sprite_is_cut_and_its_middle_is_where_the_factors_say():
    images, factors = ColoredSprites(seed=1).batch(0, 300)
    border = torch.cat([images[..., 0], images[..., -1], images[..., 0, :], images[..., -1, :]], -1)
    assert border.amax() < 1e-9
    torch.testing.assert_close(center_of_mass(images), factors[:, :2], atol=0.04, rtol=0)


def test_angles_turn_clockwise_and_repeat_where_the_shape_does():
    world = ColoredSprites(im_size=32)
    for shape, turn in ((0, 90), (1, 180), (2, 360)):
        one, same = (drawn(world, shape=shape, angle=20 + more) for more in (0, turn))
        torch.testing.assert_close(one, same, atol=1e-5, rtol=0)
        half = drawn(world, shape=shape, angle=20 + turn / 2)
        assert (one - half).abs().max() > 0.2
    tilted = drawn(world, shape=1, angle=30, x=16, y=16, size=12)  # its right end goes down
    assert tilted[:, 18:, 16:].sum() > 3 * tilted[:, :14, 16:].sum()


# Factors


def test_factors_are_in_their_ranges_and_uniform():
    world = ColoredSprites(seed=2)
    images, factors = world.batch(0, 3000)
    assert [factor.name for factor in world.factors] == NAMES
    assert images.shape == (3000, 3, 64, 64)
    assert images.dtype == factors.dtype == torch.float32
    for column, factor in zip(factors.T, world.factors, strict=True):
        if factor.levels:
            counts = torch.bincount(column.long(), minlength=len(factor.levels))
            expected = 3000 / len(factor.levels)
        else:
            share = (column - factor.low) / (factor.high - factor.low)
            assert (share >= 0).all()
            assert (share <= 1).all()
            counts, expected = torch.histc(share, 10, 0, 1), 300
        deviation = (counts - expected).square().sum() / expected
        assert deviation < 28  # chi-square with 9 degrees of freedom: 1 in 1,000
    correlations = np.corrcoef(factors.numpy().T) - np.eye(8)
    assert np.abs(correlations).max() < 0.08


def test_a_grid_holds_every_combination_and_the_middle_of_the_rest():
    world = ColoredSprites(im_size=32)
    factors = world.grid(y=2, shape=9, hue=4)  # a shape has three, however many are asked for
    assert factors.shape == (24, 8)
    assert factors[:, 0].unique().tolist() == [16]
    assert factors[:12, 1].unique().tolist() == [6]
    assert factors[:4, 5].tolist() == [0, 90, 180, 270]  # all the way round, no colour twice
    assert factors[::4, 3].tolist() == [0, 1, 2] * 2
    assert len(factors.unique(dim=0)) == 24
    with pytest.raises(ValueError, match="factor is 'heu'; it must be one of 'x', 'y'"):
        world.grid(heu=3)
    with pytest.raises(ValueError, match="hue is 0; it must be at least 1"):
        world.grid(hue=0)


def test_some_factors_are_fixed_and_others_narrowed():
    ranges = {"shape": "heart", "size": 9, "hue": (0, 90), "x": (10, 12.5)}
    world = ColoredSprites(seed=3, ranges=ranges)
    _, factors = world.batch(5, 500)
    assert factors[:, 3].unique().tolist() == [2]
    assert factors[:, 2].unique().tolist() == [9]
    assert factors[:, 5].max() <= 90
    assert factors[:, 5].max() > 85
    assert 10 <= factors[:, 0].min() <= factors[:, 0].max() <= 12.5
    assert [f.name for f in world.factors if not f.varies] == ["size", "shape"]
    assert world.factors[5].period is None  # it does not go all the way round
    assert world.factors[4].period == 360


PLACES = {
    "everywhere": lambda u, v: u == u,
    "no-quadrant": lambda u, v: ~((u > 0) & (v < 0)),
    "no-ring": lambda u, v: (np.hypot(u, v) <= 0.4) | (np.hypot(u, v) >= 0.8),
    "disc": lambda u, v: np.hypot(u, v) <= 1,
    "band": lambda u, v: np.abs(u - v) <= 0.5,
}


@pytest.mark.parametrize("region", PLACES)
def test_places_fill_the_region_and_nothing_else(region):
    world = ColoredSprites(seed=4, region=region)
    factors = world.sample(4000, torch.Generator().manual_seed(0))
    u, v = (factors[:, :2].double().numpy().T - 32) / 20
    assert PLACES[region](u, v).all()
    assert world.holds(factors).all()
    cells, _, _ = np.histogram2d(u, v, bins=8, range=[[-1, 1], [-1, 1]])
    edges = np.linspace(-1, 1, 8 * 40 + 1)[:-1] + 1 / 320
    inside = PLACES[region](*np.meshgrid(edges, edges, indexing="ij"))
    share = inside.reshape(8, 40, 8, 40).mean((1, 3))
    expected = 4000 * share / share.sum()
    few = expected < 5
    assert cells[share == 0].sum() == 0
    deviation = (np.square(cells - expected)[~few] / expected[~few]).sum()
    assert deviation < (~few).sum() + 4 * math.sqrt(2 * (~few).sum())
    everywhere = ColoredSprites().sample(4000, torch.Generator().manual_seed(0))
    assert world.holds(everywhere).float().mean().item() == pytest.approx(inside.mean(), abs=0.03)


def test_at_the_centre_only_the_rest_varies():
    world = ColoredSprites(im_size=32, region="center")
    images, factors = world.batch(0, 50)
    assert factors[:, :2].unique().tolist() == [16]
    torch.testing.assert_close(center_of_mass(images), factors[:, :2], atol=0.04, rtol=0)
    assert [world.factors[i].name for i in world.plane] == ["size", "saturation"]


def test_a_tied_factor_follows_its_leader():
    world = ColoredSprites(seed=5, ranges={"hue": (0, 270)}, ties={"hue": "x", "size": "y"})
    _, factors = world.batch(0, 200)
    share = (factors[:, 0] - 12) / 40
    torch.testing.assert_close(factors[:, 5], 270 * share, atol=1e-3, rtol=0)
    torch.testing.assert_close(factors[:, 2], 12 + 12 * (factors[:, 1] - 12) / 40)


# Seeds


@pytest.mark.parametrize("region", ["everywhere", "disc"])
def test_a_batch_depends_on_seed_and_step_alone(region):
    world = ColoredSprites(batch_size=4, seed=2, region=region)
    images, factors = world.batch(7, 40)
    world.batch(3, 4)
    again = ColoredSprites(batch_size=9, seed=2, region=region).batch(7, 40)
    assert again[0].numpy().tobytes() == images.numpy().tobytes()
    assert torch.equal(again[1], factors)
    part = world.batch(7, 40, slice(3, 9))
    torch.testing.assert_close(part[0], images[3:9], atol=1e-6, rtol=0)  # drawn in other company
    assert torch.equal(part[1], factors[3:9])
    for other in (ColoredSprites(seed=3, region=region).batch(7, 40), world.batch(8, 40)):
        assert not torch.isin(other[1][:, 5], factors[:, 5]).any()


def test_worlds_that_differ_have_another_identity():
    worlds = [
        ColoredSprites(),
        ColoredSprites(seed=1),
        ColoredSprites(im_size=32),
        ColoredSprites(ranges={"size": 14}),
        ColoredSprites(region="disc"),
        ColoredSprites(ties={"hue": "x"}),
    ]
    identities = [world.identity() for world in worlds]
    assert all(a != b for i, a in enumerate(identities) for b in identities[:i])
    assert ColoredSprites().identity() == identities[0]


def test_a_thousand_images_take_less_than_two_fifths_of_a_second():
    """5,000 a second on two cores are 2,500 on one; of its time, what other programs take does not count."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = []
        for step in range(5):
            start = time.thread_time()
            assert len(ColoredSprites().batch(step, 1000)[0]) == 1000
            times.append(time.thread_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert min(times) < 0.4


# Bad input


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(region="dics"), "region is 'dics'; it must be one of 'everywhere', 'no-quadrant'"),
        (dict(region=None), "region is None"),
        (dict(im_size=0), "im_size is 0; it must be at least 1"),
        (dict(ranges={"colour": 3}), "ranges names 'colour'; the factors are 'x', 'y'"),
        (dict(ranges={"size": 0}), r"ranges\['size'\] is \(0.0, 0.0\); it must be above 0"),
        (dict(ranges={"size": (-1, 5)}), "it must be above 0"),
        (dict(ranges={"value": 1.5}), r"ranges\['value'\] is \(1.5, 1.5\); it must be from 0 to 1"),
        (dict(ranges={"saturation": (-0.1, 1)}), "it must be from 0 to 1"),
        (
            dict(ranges={"x": (20, 10)}),
            r"ranges\['x'\] is \(20, 10\); the lowest must not be above",
        ),
        (dict(ranges={"x": (1, 2, 3)}), "it must be a finite number, or two"),
        (dict(ranges={"x": math.nan}), "is nan; it must be a finite number"),
        (dict(ranges={"x": (0, math.inf)}), "must be a finite number"),
        (dict(ranges={"x": None}), "is None; it must be a finite number"),
        (dict(ranges={"x": True}), "is True; it must be a finite number"),
        (dict(ranges={"x": "left"}), "is 'left'; it must be among numbers"),
        (
            dict(ranges={"shape": "star"}),
            "is 'star'; it must be among 'square', 'ellipse', 'heart'",
        ),
        (dict(ranges={"shape": 0.5}), r"is 0.5; its levels are 0, 1, 2"),
        (dict(ties={"hue": "z"}), "factor is 'z'; it must be one of 'x'"),
        (dict(ties={"hue": "shape"}), "ties holds 'hue': 'shape'; both must be continuous"),
        (dict(ties={"hue": "hue"}), "none follows a follower"),
        (dict(ties={"hue": "size", "size": "y"}), "none follows a follower"),
        (dict(ties={"x": "y"}), "x and y follow nothing"),
        (dict(ties={"hue": "x"}, ranges={"x": 30}), "both must be continuous factors that vary"),
        (
            dict(region="no-quadrant", ranges={"x": (40, 50), "y": (13, 20)}),
            "holds no place with x in",
        ),
        (dict(region="disc", ranges={"x": 12, "y": 12}), "region is 'disc'; it holds no place"),
    ],
)
def test_worlds_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ColoredSprites(**wrong)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (torch.zeros(3, 7), r"factors has shape \[3, 7\]; it must be \[N, 8\]"),
        (torch.zeros(8), r"factors has shape \[8\]"),
        (torch.full((1, 8), float("nan")), "finite"),
        (torch.zeros(1, 8), "size holds 0"),
    ],
)
def test_factors_that_cannot_be_drawn_are_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        ColoredSprites().render(factors)


def test_every_region_has_a_test():
    assert set(REGIONS) == {*PLACES, "center"}


# By name


def test_worlds_are_had_by_name():
    named = {name for name in STREAMS if name.startswith("squares-")}
    sizes = {f"squares-size{size}" for size in SPRITE_SIZES}
    regions = {f"squares-{region}" for region in REGIONS if region != "everywhere"}
    assert named == {*sizes, *regions, "squares-hue-by-x"}
    for name in named:
        world = make_stream(name, im_size=32)
        varying = {factor.name for factor in world.factors if factor.varies}
        fixed = {"size"} if name in sizes else {"x", "y"} if name == "squares-center" else set()
        assert varying == {"x", "y", "size", "hue"} - fixed
    tied = make_stream("squares-hue-by-x", im_size=32)
    assert [tied.factors[i].name for i in tied.free] == ["size"]
    assert make_stream("squares-no-ring").region == "no-ring"
    assert make_stream("squares-size3", im_size=64).factors[2].high == 3
