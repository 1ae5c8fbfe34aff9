"""The explorer on other data than circles: factors beside the position, colours, levels."""

import json

import numpy as np
import pytest
import torch

from sbd_utils import VAE, ColoredSprites, RectangleStream, encode
from sbd_utils.data import FactorStream
from sbd_utils.data.base import Factor, LevelStream
from sbd_utils.explorer.core import WAY_STEP, Explorer
from sbd_utils.explorer.messages import page_spec
from sbd_utils.explorer.widget import LatentExplorer
from tests.explorer import small


@pytest.fixture(scope="module")
def pair():
    return {"SBD": small(in_channels=3), "deconv": small(seed=1, in_channels=3, decoder="deconv")}


@pytest.fixture
def explorer(pair):
    return Explorer(pair, data="coloured")


def code_of(model, image):
    return encode(model, image[None])[0][0]


def test_starts_with_the_middle_of_the_world(explorer, pair):
    world = ColoredSprites(im_size=32)
    image = world.render(world.middle[None])[0]
    assert torch.equal(explorer.image(), image)
    assert image.shape == (3, 32, 32)
    assert explorer.circle == (16, 16)
    for name, model in pair.items():
        torch.testing.assert_close(explorer.sides[name].z, code_of(model, image))
        assert explorer.sides[name].picture.shape == (32, 32, 3)
    assert [factor.name for factor in explorer.factors] == [
        *("size", "shape", "angle", "hue", "saturation", "value")
    ]


def test_a_factor_changes_the_picture_and_every_code_and_nothing_else(explorer, pair):
    explorer.handle(dict(type="image", x=12, y=20.5))
    path, trail = list(explorer.path), list(explorer.sides["SBD"].trail)
    explorer.handle(dict(type="latent", model="SBD", x=1, y=1))
    explorer.handle(dict(type="factor", name="hue", value=240.0))
    world = ColoredSprites(im_size=32)
    factors = world.place(12, 20.5)
    factors[0, world.column("hue")] = 240
    image = world.render(factors)[0]
    assert torch.equal(explorer.image(), image)
    assert image[0].max() < image[2].max()  # blue, and no longer red
    for name, model in pair.items():
        torch.testing.assert_close(explorer.sides[name].z, code_of(model, image))
    assert explorer.encoded
    assert explorer.circle == (12, 20.5)
    assert explorer.path == path
    assert len(explorer.sides["SBD"].trail) == len(trail)
    explorer.handle(dict(type="image", x=14, y=20.5))  # and the colour stays
    factors[0, 0] = 14
    assert torch.equal(explorer.image(), world.render(factors)[0])


def test_a_walk_has_the_colour_in_hand(explorer, pair):
    world = ColoredSprites(im_size=32)
    for hue in (120.0, 240.0):
        explorer.handle(dict(type="factor", name="hue", value=hue))
        explorer.handle(dict(type="walk", share=0))
        factors = world.place(11, 11, explorer.others)
        assert factors[0, world.column("hue")] == hue
        image = world.render(factors)[0]
        for name, model in pair.items():
            torch.testing.assert_close(explorer.sides[name].z, code_of(model, image))


def test_values_stay_in_their_ranges_and_on_their_levels(explorer):
    column = explorer.data.column
    for value, kept in ((900, 12), (-3, 6)):
        explorer.handle(dict(type="factor", name="size", value=value))
        assert explorer.others[column("size")] == kept
    for value, kept in ((1.4, 1), (1.6, 2), (70, 2), (-1, 0)):
        explorer.handle(dict(type="factor", name="shape", value=value))
        assert explorer.others[column("shape")] == kept


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (dict(name="x", value=3), "name is 'x'; factors that can be set are 'size', 'shape'"),
        (dict(name="colour", value=3), "name is 'colour'"),
        (dict(name=3, value=3), "name is 3; it must be text"),
        (dict(name="hue", value=float("nan")), "value is nan; it must be a finite number"),
        (dict(name="hue", value="red"), "value is 'red'; it must be a finite number"),
        (dict(name="hue"), "does not have what 'factor' takes: 'name', 'value'"),
    ],
)
def test_what_is_wrong_is_refused_unchanged(explorer, event, message):
    before = explorer.state()
    with pytest.raises(ValueError, match=message):
        explorer.handle(dict(type="factor", **event))
    assert explorer.state() == before


def test_circles_have_no_other_factors():
    explorer = Explorer(small())
    assert explorer.factors == []
    with pytest.raises(ValueError, match="name is 'hue'; factors that can be set are none"):
        explorer.handle(dict(type="factor", name="hue", value=3))


def random_events(explorer, count):
    rng = np.random.default_rng(0)
    for _ in range(count):
        factor = explorer.factors[rng.integers(len(explorer.factors))]
        x, y, value = rng.uniform([0, 0, factor.low], [32, 32, factor.high]).tolist()
        yield [
            dict(type="factor", name=factor.name, value=value),
            dict(type="image", x=x, y=y),
            dict(type="latent", model="SBD", x=x / 10, y=y / 10),
            dict(type=["prior", "posterior", "clear"][rng.integers(3)]),
            dict(type="walk", share=x / 32),
        ][rng.integers(5)]


def test_the_same_events_give_the_same_state_and_reset_the_first_one(pair):
    one, two = (Explorer(pair, data="coloured") for _ in range(2))
    first, events = one.state(), list(random_events(one, 60))
    for event in events:
        one.handle(event)
        two.handle(json.loads(json.dumps(event)))
    assert one.state() == two.state() != first
    one.handle(dict(type="reset"))
    assert one.state() == first


def test_the_grid_is_that_of_the_world_and_the_axes_those_of_the_position(pair):
    explorer = Explorer(pair, data="coloured")
    world = ColoredSprites(im_size=32)
    xx, yy, _ = world.lines()
    side = explorer.sides["SBD"]
    means, _ = encode(pair["SBD"], world.render(world.place(xx, yy)))
    torch.testing.assert_close(side.grid.flatten(0, 1), means)
    spread = means.var(0)
    assert set(side.axes) == set(torch.argsort(spread)[-2:].tolist())
    low, high = 6 + 20 / 12, 26 - 20 / 12
    np.testing.assert_allclose(explorer.true_grid.min((0, 1)), low, rtol=1e-6)
    np.testing.assert_allclose(explorer.true_grid.max((0, 1)), high, rtol=1e-6)


def test_the_goal_has_the_colour_in_hand(explorer):
    explorer.handle(dict(type="factor", name="hue", value=120.0))
    explorer.handle(dict(type="factor", name="saturation", value=1.0))
    side, world = explorer.sides["SBD"], explorer.data
    factors = world.place(*explorer.goal, explorer.others)
    goal = world.render(factors)[0].permute(1, 2, 0).numpy()
    side.picture = (255 * goal).round().astype(np.uint8)
    assert explorer.overlap("SBD") == pytest.approx(1, abs=0.01)
    side.picture = side.picture[..., [1, 0, 2]]  # in another colour nothing is in common
    assert explorer.overlap("SBD") < 0.01


def test_a_factor_that_follows_the_position_is_not_offered(pair):
    world = ColoredSprites(im_size=32, ranges={"hue": (0, 270), "size": 10}, ties={"hue": "x"})
    explorer = Explorer(pair, data=world)
    names = [factor.name for factor in explorer.factors]
    assert names == ["shape", "angle", "saturation", "value"]
    left = explorer.image()
    explorer.handle(dict(type="image", x=26, y=16))
    assert left[2].max() < explorer.image()[2].max()  # blue comes with x


def test_a_rectangle_bounds_the_circle_by_its_own_height():
    explorer = Explorer(small(), data=RectangleStream(im_size=32))
    explorer.handle(dict(type="image", x=0, y=0))
    assert explorer.circle == (8, 12)
    assert max(np.diff(np.array(explorer.path), axis=0).max(0)) <= WAY_STEP


class Levels(LevelStream):
    """Grey squares: brightness and width, without a position."""

    stored = (
        Factor("width", 4, 16, "", levels=(4.0, 8.0, 12.0, 16.0)),
        Factor("grey", 0.5, 1, "", levels=(0.5, 1.0)),
        Factor("side", 0, 1, "", levels=(0.0, 1.0), kinds=("left", "right")),
    )
    factors = stored

    def read(self, numbers):
        images = torch.zeros(len(numbers), 1, 32, 32)
        for image, number in zip(images, numbers, strict=True):
            width, grey, side = np.unravel_index(number, (4, 2, 2))
            start = 16 * side
            image[0, 8 : 12 + 4 * width, start : start + 4 + 4 * width] = 0.5 + 0.5 * grey
        return images

    def render(self, factors):
        return self.read(self.find(factors))


def test_data_without_a_position_are_dragged_in_their_first_two_factors():
    world: FactorStream = Levels(im_size=32)
    explorer = Explorer(small(), data=world)
    assert [axis.name for axis in explorer.axes] == ["width", "grey"]
    assert [factor.name for factor in explorer.factors] == ["side"]
    explorer.handle(dict(type="image", x=9, y=0.9))
    assert explorer.image().max() == 1
    assert explorer.image()[0].sum() == 8 * 8
    explorer.handle(dict(type="factor", name="side", value=0.8))
    assert explorer.image()[0, :, :16].sum() == 0
    spec = page_spec(explorer)
    json.dumps(spec, allow_nan=False)
    assert spec["frame"] == [(4, 16), (0.5, 1)]
    assert spec["factors"][0]["kinds"] == ["left", "right"]


@pytest.mark.parametrize(
    ("models", "data", "message"),
    [
        (
            small(),
            "coloured",
            r"models\['model'\] takes images of 1 channels; the data set has .* 3",
        ),
        (small(in_channels=3), ColoredSprites(), "has images of 32 pixels; the data set .* 64"),
        (small(), "hexagons", "dataset is 'hexagons'; it must be one of 'circles'"),
        (small(), "dsprites", "is read from a file"),
    ],
)
def test_models_of_other_data_are_refused(models, data, message):
    with pytest.raises(ValueError, match=message):
        Explorer(models, data=data)


def test_a_widget_takes_a_world_by_name_and_sends_colours(pair):
    widget, sent = LatentExplorer(pair, data="coloured"), []
    event = dict(type="factor", name="value", value=1.0, page="a", number=1)
    widget.conversation.respond(event, lambda *answer: sent.append(answer))
    ((view, buffers),) = sent
    assert view["type"] == "view"
    assert view["factors"] == [9, 0, 180, 180, 0.75, 1]
    assert [len(part) for part in buffers] == [3 * 32 * 32] * 3
    spec = page_spec(widget.core)
    assert (spec["thing"], spec["channels"]) == ("picture", 3)
    assert [factor["name"] for factor in spec["factors"]] == [f.name for f in widget.core.factors]
    assert isinstance(pair["SBD"], VAE)
