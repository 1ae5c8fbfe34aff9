"""Scenes of several sprites: drawn as `draw_sprites` does, with masks that say what is seen of each."""

import itertools
import math

import pytest
import torch
from torch.utils.data import DataLoader

from sbd_utils import Scenes, SceneStream, Sprite, draw_sprites, fit
from sbd_utils.data import Batches
from sbd_utils.data.scenes import GROUNDS, HUES, KINDS, SIDES, Layout
from sbd_utils.models import VAE

SHAPES = list(KINDS.values())
# Of the options, every value with every other of another option.
OPTIONS = [
    dict(objects=objects, ground=ground, hues=hues, spread=spread)
    for (ground, hues), (objects, spread) in zip(
        itertools.product(GROUNDS, HUES),
        itertools.cycle([((2, 4), 4), (3, 1), ((1, 5), 2)]),
        strict=False,
    )
]


def sprites(scenes, scene):
    """What a scene's factors and colours say, as the sprites of another way to draw."""
    number = int(scenes.present[scene].sum())
    for factors, color in zip(
        scenes.factors[scene, :number], scenes.colors[scene, 1 : number + 1], strict=True
    ):
        x, y, size, shape, _ = factors.tolist()
        kind = int(shape)
        yield Sprite(
            SHAPES[kind], x, y, size * SIDES[kind], tuple((255 * color).clamp(0, 255).tolist())
        )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("im_size", [32, 64])
def test_an_image_is_what_its_factors_say_drawn_one_sprite_after_another(options, im_size):
    scenes = SceneStream(seed=2, im_size=im_size, **options).batch(1, 12)
    for scene in range(12):
        ground = tuple((255 * scenes.colors[scene, 0]).tolist())
        picture = draw_sprites(sprites(scenes, scene), im_size, ground)
        torch.testing.assert_close(scenes.images[scene], picture, atol=1e-6, rtol=0)


@pytest.mark.parametrize("options", OPTIONS)
def test_an_image_is_the_sum_of_masks_times_colours(options):
    scenes = SceneStream(seed=3, **options).batch(0, 32)
    assert (scenes.masks.sum(1) - 1).abs().max() < 1e-6
    assert scenes.masks.min() >= 0
    blend = (scenes.masks[:, :, None] * scenes.colors[..., None, None]).sum(1)
    torch.testing.assert_close(scenes.images, blend, atol=1e-6, rtol=0)


def test_what_covers_is_seen_and_what_is_covered_is_not():
    """By hand: a square of 8 pixels in front of a circle of the same centre, 3 pixels wider."""
    square = 8 / SIDES[1]
    objects = torch.tensor([[[16.0, 16, 11, 0, 0], [16, 16, square, 1, 120], [4, 4, 4, 0, 240]]])
    present = torch.tensor([[True, True, False]])
    layout = Layout(objects * present[..., None], present, torch.tensor([[0.25, 0.5, 0.75]]))
    images, masks, factors, _, colors = SceneStream(objects=3).render(layout)
    ground, circle, front, absent = masks[0]
    expected = torch.zeros(32, 32)
    expected[12:20, 12:20] = 1
    torch.testing.assert_close(front, expected, atol=1e-6, rtol=0)
    assert circle[12:20, 12:20].abs().max() < 1e-6  # hidden
    outside = math.pi * 11**2 / 4 - 64 + 4 * corner(4, 5.5)
    assert circle.sum().item() == pytest.approx(outside, abs=1e-3)
    assert not absent.any()
    assert not factors[0, 2].any()
    assert not colors[0, 3].any()
    red, green, corner_pixel = images[0, :, 11, 15], images[0, :, 15, 15], images[0, :, 0, 0]
    # Inside the circle, above the square.
    torch.testing.assert_close(red, torch.tensor([1.0, 0, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(green, torch.tensor([0.0, 1, 0]))
    torch.testing.assert_close(corner_pixel, torch.tensor([0.25, 0.5, 0.75]))
    assert ground[0, 0] == 1


def corner(a, r):
    """The area of the square from (0, 0) to (a, a) that lies outside a disc of radius r about (0, 0)."""
    steps = 20_000
    x = (torch.arange(steps, dtype=torch.float64) + 0.5) * a / steps
    inside = (r * r - x * x).clamp(min=0).sqrt().clamp(max=a)
    return ((a - inside).sum() * a / steps).item()


@pytest.mark.parametrize("shape", range(3))
def test_shapes_have_equal_areas(shape):
    size = torch.tensor([8.0, 12.0, 9.3])
    factors = torch.stack([torch.tensor([16.0, 16, s, shape, 0]) for s in size])[:, None]
    layout = Layout(factors, torch.ones(3, 1, dtype=torch.bool), torch.zeros(3, 3))
    area = SceneStream(objects=1).render(layout).masks[:, 1].sum((1, 2))
    torch.testing.assert_close(area, math.pi * size.square() / 4, atol=0, rtol=1e-4)


def test_factors_are_distributed_as_said():
    stream = SceneStream(seed=1, spread=1)
    scenes = stream.sample(6000, torch.Generator().manual_seed(0))
    numbers = scenes.present.sum(1)
    counts = torch.bincount(numbers)[2:]
    assert len(counts) == 3
    assert (
        (counts - 2000).double().square() / 2000
    ).sum() < 14  # chi-square, 2 degrees: 1 in 1,000
    given = scenes.factors[scenes.present]
    for column, factor in zip(given.T, stream.factors, strict=True):
        assert column.min() >= factor.low
        assert column.max() <= factor.high
        cells = ((column - factor.low) / (factor.high - factor.low) * 3).long().clamp(max=2)
        if factor.name == "shape":
            cells = column.long()
        share = torch.bincount(cells, minlength=3).double()
        expected = len(column) / 3
        assert ((share - expected).square() / expected).sum() < 14, factor.name
    assert not scenes.factors[~scenes.present].any()
    first_come_first = scenes.present.long().diff(dim=1)
    assert (first_come_first <= 0).all()


def gaps(hues):
    """Degrees between every two hues of scenes [N, K], the shorter way round."""
    apart = (hues[:, :, None] - hues[:, None]).abs()
    apart = torch.minimum(apart, 360 - apart)
    above = torch.ones(hues.shape[1], hues.shape[1]).triu(1).bool()
    return apart[:, above]


def test_hues_are_distinct_shared_or_free():
    hues = {
        kind: SceneStream(objects=4, hues=kind)
        .sample(4000, torch.Generator().manual_seed(4))
        .factors[..., 4]
        for kind in HUES
    }
    assert gaps(hues["distinct"]).min() >= 180 / 4 - 1e-3
    assert gaps(hues["shared"]).max() == 0
    assert (gaps(hues["free"]) < 180 / 4).float().mean().item() == pytest.approx(0.25, abs=0.01)
    for kind, given in hues.items():  # and each alone is uniform, whatever its depth
        for k in range(4):
            share = torch.bincount((given[:, k] / 90).long().clamp(max=3), minlength=4).double()
            assert ((share - 1000).square() / 1000).sum() < 17, (kind, k)  # 3 degrees: 1 in 1,000


def test_two_objects_with_distinct_hues_are_at_least_a_right_angle_apart():
    scenes = SceneStream(objects=(2, 4), hues="distinct").sample(
        500, torch.Generator().manual_seed(5)
    )
    two = scenes.factors[scenes.present.sum(1) == 2][:, :2, 4]
    assert len(two) > 100
    assert gaps(two).min() >= 90 - 1e-3


def test_a_hue_is_the_colour_that_it_names():
    hue = torch.tensor([0.0, 60, 120, 180, 240, 300, 30, 360])
    factors = torch.stack([torch.tensor([16.0, 16, 8, 0, h]) for h in hue])[:, None]
    layout = Layout(factors, torch.ones(8, 1, dtype=torch.bool), torch.zeros(8, 3))
    colors = SceneStream(objects=1).render(layout).colors[:, 1]
    named = [
        [1, 0, 0],
        [1, 1, 0],
        [0, 1, 0],
        [0, 1, 1],
        [0, 0, 1],
        [1, 0, 1],
        [1, 0.5, 0],
        [1, 0, 0],
    ]
    torch.testing.assert_close(colors, torch.tensor(named).float())


@pytest.mark.parametrize("ground", GROUNDS)
def test_grounds_are_black_grey_or_any_dull_colour(ground):
    colors = SceneStream(ground=ground).batch(0, 500).colors[:, 0]
    low, high = GROUNDS[ground]
    assert colors.min() >= low
    assert colors.max() <= high
    spread = (colors.amax(1) - colors.amin(1)).max()
    assert (spread > 0.2) == (ground == "plain")
    assert (spread == 0) == (ground != "plain")
    if ground != "black":
        assert colors.std(0).min() > 0.08


def test_a_greater_spread_keeps_objects_apart_and_hides_fewer():
    nearest, hidden = [], []
    for spread in (1, 4, 16):
        scenes = SceneStream(objects=4, spread=spread).batch(0, 400)
        apart = torch.cdist(scenes.factors[..., :2], scenes.factors[..., :2])
        nearest.append(apart.masked_fill(torch.eye(4).bool(), math.inf).amin((1, 2)).mean().item())
        seen = scenes.masks[:, 1:].sum((2, 3))
        area = math.pi * scenes.factors[..., 2].square() / 4
        hidden.append((seen < 0.5 * area).float().mean().item())
    assert nearest[0] < nearest[1] < nearest[2]
    assert hidden[0] > hidden[1] > 0  # occlusion is real
    assert hidden[1] > hidden[2]


def as_bytes(scenes):
    return [part.numpy().tobytes() for part in scenes]


def test_a_batch_depends_on_seed_and_step_alone():
    stream = SceneStream(seed=5)
    first = as_bytes(stream.batch(3, 8))
    torch.rand(7)
    stream.batch(9, 4)
    assert as_bytes(SceneStream(seed=5).batch(3, 8)) == first
    for other in (stream.batch(4, 8), SceneStream(seed=6).batch(3, 8)):
        assert all(a != b for a, b in zip(as_bytes(other)[:3], first[:3], strict=True))
    part = stream.batch(3, 8, slice(2, 5))
    assert as_bytes(part) == as_bytes(Scenes(*(each[2:5] for each in stream.batch(3, 8))))


def test_the_bytes_are_those_of_every_other_run():
    """Seeds that are written down stay worth something."""
    layout = SceneStream(seed=11).sample(2, torch.Generator().manual_seed(0))
    assert layout.present.tolist() == PRESENT
    torch.testing.assert_close(layout.factors[0, 0], torch.tensor(FIRST), atol=2e-3, rtol=0)


PRESENT = [[True, True, True, True], [True, True, False, False]]
FIRST = [7.616, 4.761, 10.076, 0.0, 316.865]


def test_workers_share_the_batches_out():
    stream = SceneStream(batch_size=2, seed=8)
    alone = list(itertools.islice(stream, 4))
    loader = DataLoader(stream, batch_size=None, num_workers=2)
    shared = list(itertools.islice(loader, 4))
    assert [as_bytes(batch) for batch in shared] == [as_bytes(batch) for batch in alone]


def test_identity_differs_where_scenes_do():
    assert isinstance(SceneStream(), Batches)
    streams = [
        SceneStream(),
        SceneStream(seed=1),
        SceneStream(im_size=64),
        SceneStream(objects=3),
        SceneStream(objects=(2, 3)),
        SceneStream(hues="shared"),
        SceneStream(ground="grey"),
        SceneStream(spread=1),
    ]
    assert len({str(stream.identity()) for stream in streams}) == len(streams)
    assert SceneStream(batch_size=7).identity() == SceneStream().identity()


def test_a_network_trains_on_scenes():
    model = VAE(im_size=32, in_channels=3, z_dim=4, channels=4)
    history = fit(model, SceneStream(), steps=2, batch_size=4)
    assert len(history.squared_error) == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (dict(objects=0), "objects is 0; it must be a whole number, at least 1"),
        (dict(objects=(3, 2)), r"objects is \(3, 2\)"),
        (dict(objects=(1, 2, 3)), r"objects is \(1, 2, 3\)"),
        (dict(objects=(1, 2.5)), r"objects is \(1, 2.5\)"),
        (dict(objects=2.5), r"objects is 2.5"),
        (dict(objects="34"), r"objects is '34'"),
        (dict(hues="red"), "hues is 'red'; it must be one of 'free', 'distinct', 'shared'"),
        (dict(ground="sky"), "ground is 'sky'; it must be one of 'black', 'grey', 'plain'"),
        (dict(spread=0), "spread is 0; it must be at least 1"),
        (dict(im_size=0), "im_size is 0; it must be at least 1"),
        (dict(batch_size=0), "batch_size is 0; it must be at least 1"),
    ],
)
def test_what_is_no_scene_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        SceneStream(**wrong)


def test_factors_that_cannot_be_drawn_are_refused():
    stream = SceneStream(objects=1)
    layout = stream.sample(2, torch.Generator().manual_seed(0))
    layout.factors[0, 0, 2] = math.nan
    with pytest.raises(ValueError, match="size holds a number that is not finite"):
        stream.render(layout)
    layout.factors[0, 0, 2], layout.factors[1, 0, 3] = 8, 7
    with pytest.raises(ValueError, match="shape is 7; it must be one of 0 to 2"):
        stream.render(layout)
