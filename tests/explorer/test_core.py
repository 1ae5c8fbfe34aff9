"""The explorer's core: events in, pictures out."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from sbd_utils import (
    VAE,
    CircleStream,
    decode,
    encode,
    get_avg_variance,
    load_pretrained,
    render_batch,
)
from sbd_utils.explorer.core import TRAIL, WAY_STEP, Explorer
from sbd_utils.models import SpatialBroadcastDecoder
from tests.explorer import small


@pytest.fixture(scope="module")
def pair():
    return {"SBD": small(), "deconv": small(seed=1, decoder="deconv")}


@pytest.fixture
def explorer(pair):
    return Explorer(pair)


def expected_picture(model, z):
    image = decode(model, z[None])[0, 0].clamp(0, 1)
    return (255 * image).round().byte().numpy()


def test_starts_with_the_circle_in_the_middle_encoded_and_decoded(explorer, pair):
    image = render_batch("ellipse", 16, 16, 10, img_size=32)
    assert explorer.circle == (16, 16)
    for name, model in pair.items():
        side = explorer.sides[name]
        mean, logvar = encode(model, image)
        assert torch.equal(side.z, mean[0])
        assert torch.equal(side.mean, mean[0])
        torch.testing.assert_close(side.std, (logvar[0] / 2).exp())
        assert np.array_equal(side.picture, expected_picture(model, mean[0]))


def test_latent_sets_the_two_on_the_axes_and_nothing_else(explorer, pair):
    explorer.handle(dict(type="axes", model="SBD", x=3, y=1))
    before = explorer.sides["SBD"].z.tolist()
    explorer.handle(dict(type="latent", model="SBD", x=0.5, y=-1.5))
    assert explorer.sides["SBD"].z.tolist() == [before[0], -1.5, before[2], 0.5]
    assert np.array_equal(
        explorer.sides["SBD"].picture, expected_picture(pair["SBD"], explorer.sides["SBD"].z)
    )
    assert not explorer.encoded


def test_linked_planes_move_together_and_others_do_not(explorer):
    other = explorer.sides["deconv"]
    explorer.handle(dict(type="latent", model="SBD", x=0.5, y=-1.5))
    assert other.z[list(other.axes)].tolist() == [0.5, -1.5]
    explorer.handle(dict(type="link", value=False))
    explorer.handle(dict(type="latent", model="SBD", x=1.0, y=1.0))
    assert other.z[list(other.axes)].tolist() == [0.5, -1.5]


def test_slider_sets_one_latent_of_one_model(explorer):
    before = {name: side.z.tolist() for name, side in explorer.sides.items()}
    explorer.handle(dict(type="slider", model="deconv", latent=2, value=0.25))
    after = {name: side.z.tolist() for name, side in explorer.sides.items()}
    assert after["SBD"] == before["SBD"]
    assert after["deconv"] == [*before["deconv"][:2], 0.25, before["deconv"][3]]


def test_every_model_encodes_the_circle_where_it_was_put(explorer, pair):
    explorer.handle(dict(type="image", x=10.5, y=20))
    mean, _ = encode(pair["deconv"], render_batch("ellipse", 10.5, 20, 10, img_size=32))
    assert torch.equal(explorer.sides["deconv"].z, mean[0])
    assert explorer.encoded
    assert (explorer.path[0], explorer.path[-1]) == ((16, 16), (10.5, 20))
    assert torch.equal(explorer.sides["deconv"].trail[-1], mean[0])


def test_the_way_to_a_place_far_away_is_encoded_too(explorer, pair):
    explorer.handle(dict(type="image", x=8, y=10))
    explorer.handle(dict(type="image", x=24, y=22))
    path = np.array(explorer.path)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert (0 < steps.min()) & (steps.max() <= WAY_STEP + 1e-6)
    way = path[-11:]  # 20 pixels
    np.testing.assert_allclose(way, np.linspace([8, 10], [24, 22], 11))
    for name, model in pair.items():
        means, _ = encode(model, render_batch("ellipse", *path.T, 10, img_size=32))
        side = explorer.sides[name]
        torch.testing.assert_close(torch.stack(side.trail), means, atol=1e-5, rtol=1e-5)
        length, straight = side.trail_lengths()  # every latent of these models informs
        assert length == pytest.approx(means.diff(dim=0).norm(dim=1).sum().item(), rel=1e-4)
        assert straight == pytest.approx((means[-1] - means[0]).norm().item(), rel=1e-4)
    assert explorer.path_lengths() == pytest.approx((10 + 20, 10), rel=1e-4)


def test_after_clearing_a_trail_begins_where_the_circle_is_put_next(explorer):
    explorer.handle(dict(type="image", x=8, y=8))
    explorer.handle(dict(type="clear"))
    assert explorer.path_lengths() == explorer.sides["SBD"].trail_lengths() == (0, 0)
    explorer.handle(dict(type="image", x=24, y=24))
    assert explorer.path == [(24, 24)]
    assert len(explorer.sides["SBD"].trail) == 1
    assert explorer.sides["SBD"].trail_lengths() == (0, 0)


def test_a_walk_goes_from_one_code_straight_to_another(explorer, pair):
    explorer.handle(dict(type="image", x=9, y=9))
    before = explorer.circle, explorer.path
    ends = encode(pair["SBD"], render_batch("ellipse", [12, 20], [12, 20], 10, img_size=32))[0]
    for share, code in ((0, ends[0]), (0.25, ends[0].lerp(ends[1], 0.25)), (1, ends[1])):
        explorer.handle(dict(type="walk", share=share))
        torch.testing.assert_close(explorer.sides["SBD"].z, code, atol=1e-5, rtol=1e-5)
        assert not explorer.encoded
    explorer.handle(dict(type="walk", share=7))
    torch.testing.assert_close(explorer.sides["SBD"].z, ends[1], atol=1e-5, rtol=1e-5)
    assert (explorer.circle, explorer.path) == before


def test_overlap_is_that_with_the_picture_of_the_goal(explorer):
    side = explorer.sides["SBD"]
    goal = render_batch("ellipse", *explorer.goal, 10, img_size=32)[0, 0]
    side.picture = (255 * goal).round().byte().numpy()
    assert explorer.overlap("SBD") == pytest.approx(1, abs=0.01)
    side.picture = 255 - side.picture
    assert explorer.overlap("SBD") == pytest.approx(0, abs=0.02)
    side.picture = (127.5 * goal).round().byte().numpy()
    assert explorer.overlap("SBD") == pytest.approx(0.5, abs=0.01)


def test_the_field_shows_what_the_places_of_a_plane_decode_to(pair):
    explorer = Explorer(pair)
    explorer.handle(dict(type="axes", model="SBD", x=3, y=1))
    explorer.handle(dict(type="prior"))  # changes nothing
    side = explorer.sides["SBD"]
    z = encode(pair["SBD"], render_batch("ellipse", 16, 16, 10, img_size=32))[0][0]
    for row, column in ((0, 0), (2, 5), (6, 6)):
        z[3] = explorer.span * (2 * (column + 0.5) / 7 - 1)
        z[1] = -explorer.span * (2 * (row + 0.5) / 7 - 1)  # rows go down
        seen = side.field_row(row, explorer.span)[column].astype(int)
        assert np.abs(seen - expected_picture(pair["SBD"], z)).max() <= 1
    with pytest.raises(ValueError, match=r"row is 7; rows are 0 \.\.\. 6"):
        side.field_row(7, explorer.span)


def test_a_model_whose_pictures_are_all_black_is_scaled_and_says_so(explorer):
    torch.manual_seed(0)
    model = VAE(32, channels=4, z_dim=4).eval()
    shown = Explorer(model).sides["model"]
    black, white = shown.scale
    assert white < 0.25
    assert np.ptp(shown.picture) > 64
    image = (decode(model, shown.z[None])[0, 0] - black) / (white - black)
    expected = (255 * image.clamp(0, 1)).round().byte().numpy()
    assert np.abs(shown.picture.astype(int) - expected).max() <= 1
    assert all(side.scale == (0, 1) for side in explorer.sides.values())


def test_the_circle_stays_where_training_had_it(explorer):
    explorer.handle(dict(type="image", x=-40, y=1000))
    assert explorer.circle == (8, 24)


def test_codes_stay_on_the_plane(explorer):
    explorer.handle(dict(type="latent", model="SBD", x=1e9, y=-1e9))
    side = explorer.sides["SBD"]
    assert side.z[list(side.axes)].tolist() == [explorer.span, -explorer.span]


def test_the_plane_holds_the_whole_grid(pair, explorer):
    with torch.no_grad():
        far = small()
        far.encoder.mean.weight *= 50
    wide = Explorer(far)
    for each in (wide, explorer):
        assert each.span >= 3
        assert all(side.grid.abs().max() < each.span for side in each.sides.values())
    assert wide.span > explorer.span


def test_the_grid_is_that_of_the_encoder(explorer, pair):
    grid, points = explorer.sides["SBD"].grid, explorer.true_grid
    assert grid.shape == (10, 31, 4)
    assert points.shape == (10, 31, 2)
    images = render_batch("ellipse", *points.reshape(-1, 2).T, 10, img_size=32)
    mean, _ = encode(pair["SBD"], images)
    torch.testing.assert_close(grid, mean.unflatten(0, (10, 31)))
    first, last = 8 + 16 / 12, 24 - 16 / 12  # of 32 pixels: the same share as 12 and 52 of 64
    step = (last - first) / 4
    np.testing.assert_allclose(points[1, 0], [first + step, first])  # the second vertical line
    np.testing.assert_allclose(points[6, -1], [last, first + step])  # the second horizontal one


@pytest.mark.parametrize("im_size", [32, 64, 96, 128])
def test_every_circle_that_is_encoded_is_whole_and_the_grid_covers_the_image(im_size):
    model, seen = small(im_size), []
    model.encoder.register_forward_pre_hook(lambda _, images: seen.append(images[0]))
    explorer = Explorer(model)
    images = torch.cat(seen)
    areas = images.sum((1, 2, 3))
    assert len(images) == 10 * 10 + 10 * 31 + 2  # … and the circle in the middle, twice
    torch.testing.assert_close(areas, torch.full_like(areas, np.pi * 5**2), rtol=1e-4, atol=0)
    points = explorer.true_grid.reshape(-1, 2)
    np.testing.assert_allclose(points.min(0) + points.max(0), im_size)  # in the middle
    assert (np.ptp(points, axis=0) >= 0.8 * (im_size - 16)).all()  # centres span im_size - 16


def test_variances_are_those_of_circles_everywhere():
    side = Explorer({"deconv": load_pretrained("vae_deconv_circles_bw")}).sides["deconv"]
    stream = CircleStream()
    finely = (8 + 48 * (torch.arange(40) + 0.5) / 40).repeat(40, 1)
    circles = stream.render(torch.stack([finely, finely.T], -1).flatten(0, 1))
    everywhere = get_avg_variance(side.model, circles.split(50))
    torch.testing.assert_close(side.variances, everywhere, rtol=0.06, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_model_of_another_dtype_is_explored_like_its_float32_twin(dtype):
    twin, other = Explorer(small()), Explorer(small().to(dtype))
    tolerance = 1e-5 if dtype == torch.float64 else 0.03
    for event in random_events(twin, 20):
        twin.handle(event)
        other.handle(event)
    one, two = twin.sides["model"], other.sides["model"]
    assert two.z.dtype == torch.float32
    torch.testing.assert_close(two.mean, one.mean, atol=tolerance, rtol=0)
    torch.testing.assert_close(two.grid, one.grid, atol=tolerance, rtol=0)
    assert np.abs(two.picture.astype(int) - one.picture).max() <= 255 * tolerance
    assert other.png()[:4] == b"\x89PNG"
    assert other.gif("model", 1, steps=3)[:3] == b"GIF"


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("default", [default_dtype(torch.float64), torch.device("meta")])
def test_defaults_of_dtype_and_device_change_nothing(default):
    model, events = small(), list(random_events(Explorer(small()), 20))
    plain = Explorer(model)
    with default:
        other = Explorer(model)
        for event in events:
            other.handle(event)
        files = other.png(), other.gif("model", 1, steps=3)
    for event in events:
        plain.handle(event)
    assert other.state() == plain.state()
    assert files == (plain.png(), plain.gif("model", 1, steps=3))


def test_trail_is_bounded_and_can_be_cleared(explorer):
    for i in range(TRAIL + 20):
        explorer.handle(dict(type="image", x=8 + i % 16, y=16))
    assert len(explorer.path) == len(explorer.sides["SBD"].trail) == TRAIL
    assert explorer.path[-1] == (8 + (TRAIL + 19) % 16, 16)
    explorer.handle(dict(type="clear"))
    assert explorer.path == explorer.sides["SBD"].trail == []


def test_samples_come_from_prior_and_posterior(pair):
    explorer = Explorer(pair)
    prior, posterior = [], []
    side = explorer.sides["SBD"]
    for _ in range(150):
        explorer.handle(dict(type="prior"))
        prior.append(side.z)
        explorer.handle(dict(type="posterior"))
        posterior.append((side.z - side.mean) / side.std)
    for samples in (torch.stack(prior), torch.stack(posterior)):  # [150, 4], standard normal
        assert samples.mean(0).abs().max() < 0.3
        assert (samples.std(0) - 1).abs().max() < 0.25


def test_reset_gives_the_first_state_back(explorer, pair):
    first = explorer.state()
    for event in random_events(explorer, 30):
        explorer.handle(event)
    assert explorer.state() != first
    explorer.handle(dict(type="reset"))
    assert explorer.state() == first
    assert Explorer(pair).state() == first


def random_events(explorer, count, seed=0):
    rng = np.random.default_rng(seed)
    names = list(explorer.sides)
    for _ in range(count):
        name, (x, y) = names[rng.integers(len(names))], rng.uniform(-4, 40, 2).tolist()
        first, second = rng.permutation(4)[:2].tolist()
        free = [
            dict(
                type="factor",
                name=factor.name,
                value=factor.low + x / 36 * (factor.high - factor.low),
            )
            for factor in explorer.factors
        ]
        events = [
            dict(type="latent", model=name, x=x / 10, y=y / 10),
            dict(type="slider", model=name, latent=first, value=x / 10),
            dict(type="image", x=x, y=y),
            dict(type="axes", model=name, x=first, y=second),
            dict(type="link", value=bool(first % 2)),
            dict(type=["prior", "posterior", "clear"][first % 3]),
            dict(type="walk", share=x / 40),
            *free,
        ]
        yield events[rng.integers(len(events))]


def test_the_same_events_give_the_same_state(pair):
    one, two = Explorer(pair), Explorer(pair)
    for event in random_events(one, 100):
        one.handle(event)
    for event in random_events(two, 100):
        two.handle(json.loads(json.dumps(event)))
    assert one.state() == two.state()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "type is None"),
        (dict(type="latemt"), "type is 'latemt'; it must be one of latent, slider"),
        (
            dict(type="latent", model="vae", x=0, y=0),
            "model is 'vae'; it must be one of 'SBD', 'deconv'",
        ),
        (dict(type="latent", model="SBD", x=float("nan"), y=0), "x is nan"),
        (dict(type="latent", model="SBD", x=0), "does not have what 'latent' takes.*'y'"),
        (dict(type="image", x="1", y=0), "x is '1'; it must be a finite number"),
        (
            dict(type="slider", model="SBD", latent=4, value=0),
            r"latent is 4; this model's latents are 0 \.\.\. 3",
        ),
        (dict(type="slider", model="SBD", latent=-1, value=0), "latent is -1"),
        (dict(type="axes", model="SBD", x=1, y=1), "x and y are both 1"),
        (dict(type="prior", model="SBD"), "does not have what 'prior' takes: nothing more"),
        (dict(type=["prior"]), r"type is \['prior'\]; it must be one of"),
        (["prior"], r"event is \['prior'\]; it must be a dictionary with a 'type'"),
        (dict(type="latent", model=["SBD"], x=0, y=0), r"model is \['SBD'\]; it must be text"),
        (dict(type="latent", model=0, x=0, y=0), "model is 0; it must be one of 'SBD', 'deconv'"),
        (dict(type="slider", model="SBD", latent=True, value=0), "latent is True; .* an integer"),
        (dict(type="slider", model="SBD", latent=1.0, value=0), "latent is 1.0; .* an integer"),
        (dict(type="slider", model="SBD", latent=1, value=True), "value is True; .* finite number"),
        (dict(type="image", x=10**400, y=0), r"x is 10+\.\.\.0+; it must be a finite number"),
        (dict(type="axes", model="SBD", x=False, y=1), "x is False; it must be an integer"),
        (dict(type="walk", share=None), "share is None; it must be a finite number"),
        (dict(type="link", value="no"), "value is 'no'; it must be True or False"),
    ],
)
def test_a_bad_event_is_refused_and_changes_nothing(explorer, event, message):
    before = explorer.state()
    with pytest.raises(ValueError, match=message):
        explorer.handle(event)
    assert explorer.state() == before


def unpadded() -> VAE:
    """A model whose pictures are smaller than its images."""
    model = small()
    model.decoder = SpatialBroadcastDecoder(32, z_dim=4, channels=4, padding=False)
    return model


def filled(value: float) -> VAE:
    """A model with that weight everywhere in its first layer."""
    model = small()
    torch.nn.init.constant_(model.encoder.convs[0].weight, value)
    return model


@pytest.mark.parametrize("number", [int, np.int64, np.uint8])
def test_numbers_of_numpy_are_numbers(explorer, number):
    before = explorer.sides["SBD"].z.tolist()
    explorer.handle(dict(type="slider", model="SBD", latent=number(1), value=np.float32(0.5)))
    assert explorer.sides["SBD"].z.tolist() == [before[0], 0.5, *before[2:]]
    explorer.handle(dict(type="axes", model="SBD", x=number(3), y=number(0)))
    assert explorer.sides["SBD"].axes == (3, 0)
    explorer.handle(dict(type="link", value=np.bool_(False)))
    assert explorer.linked is False
    explorer.handle(dict(type="image", x=number(10), y=np.float64(20.5)))
    assert json.dumps(explorer.state())


def test_models_may_be_called_by_integers():
    explorer = Explorer({0: small(), np.int64(1): small(seed=1)})
    assert [type(name) for name in explorer.sides] == [int, int]
    explorer.handle(dict(type="slider", model=np.int64(1), latent=0, value=1))
    assert explorer.sides[1].z[0] == 1
    assert "1: torch.tensor(" in explorer.code()
    assert explorer.describe(1).startswith("1: ")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({}, "models is empty"),
        ({"a": 1}, r"models\['a'\] is int"),
        ({"a": VAE(32, channels=2, z_dim=1)}, "has 1 latent"),
        ({"a": VAE(32, 2, channels=2)}, "has 2 channels"),
        ({"a": unpadded()}, r"\['a'\] decodes pictures \[1, 26, 26\]; they must be \[1, 32, 32\]"),
        ({"a": filled(float("nan"))}, r"\['a'\] gives numbers that are not finite"),
        ({"a": filled(300.0).half()}, r"\['a'\] gives numbers .* its dtype is too small"),
        ({True: small()}, "a name in models is True; it must be text or an integer"),
        ({("a", 1): small()}, r"a name in models is \('a', 1\)"),
        (
            {"a": VAE(32, channels=2), "b": VAE(64, channels=2)},
            "different sizes, {'a': 32, 'b': 64}",
        ),
    ],
)
def test_models_that_cannot_be_explored_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        Explorer(models)


def test_latents_are_ranked_by_posterior_variance():
    model = small()
    with torch.no_grad():
        model.encoder.logvar.weight.zero_()
        model.encoder.logvar.bias.copy_(torch.tensor([0.9, 0.02, 1.0, 0.3]).log())
    side = Explorer(model).sides["model"]
    assert [(latent, mark) for latent, _, mark in side.ranked()] == [
        (1, True),
        (3, True),
        (0, False),
        (2, False),
    ]
    assert side.ranked()[0].variance == pytest.approx(0.02)
    assert side.axes == (1, 3)


def test_code_can_be_run(explorer):
    explorer.handle(dict(type="prior"))
    explorer.sides["SBD"].set({0: -1e-6})
    assert "-0.0000" not in explorer.code()
    names = {}
    exec(explorer.code(), names)
    for name, side in explorer.sides.items():
        torch.testing.assert_close(names["z"][name], side.z, atol=1e-4, rtol=0)


def test_png_holds_the_pictures(explorer):
    image = np.asarray(Image.open(io.BytesIO(explorer.png(scale=2))))
    assert image.shape == (64, 130, 3)
    assert np.array_equal(image[::2, :64:2, 0], explorer.sides["SBD"].picture)
    assert np.array_equal(image[::2, 66::2, 0], explorer.sides["deconv"].picture)


def test_gif_goes_to_and_fro(explorer, pair):
    z = explorer.sides["SBD"].z
    film = Image.open(io.BytesIO(explorer.gif("SBD", 2, steps=5, scale=1)))
    assert film.n_frames == 8
    ends = [torch.where(torch.arange(4) == 2, value, z) for value in (-2.0, 2.0)]
    for number, end in zip((0, 4), ends, strict=True):
        film.seek(number)
        seen = np.asarray(film.convert("L")).astype(int)
        assert np.abs(seen - expected_picture(pair["SBD"], end)).max() <= 2
    film = Image.open(io.BytesIO(explorer.gif("SBD", 2, 0, steps=5, scale=1)))
    assert film.n_frames == 16  # one after the other
    with pytest.raises(ValueError, match="latent is 4"):
        explorer.gif("SBD", 4)
    with pytest.raises(ValueError, match="latent is True"):
        explorer.gif("SBD", True)
    with pytest.raises(ValueError, match="model is None"):
        explorer.gif(None, 1)
    with pytest.raises(ValueError, match="scale is 0; it must be at least 1"):
        explorer.png(scale=0)


def test_colour_pictures_and_a_single_model():
    explorer = Explorer(small(in_channels=3))
    assert explorer.sides["model"].picture.shape == (32, 32, 3)
    assert Image.open(io.BytesIO(explorer.png())).size == (128, 128)


def test_describes_what_is_seen(explorer):
    picture = np.zeros((32, 32), np.uint8)
    explorer.sides["SBD"].picture = picture
    assert explorer.describe("SBD") == "SBD: a dark picture"
    picture[10:12, 20:22] = 200
    assert explorer.describe("SBD") == "SBD: a bright spot at x 21, y 11 pixels"
