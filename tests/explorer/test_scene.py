"""A scene in hand: what says place and hue in a code, events in, pictures out, and its page's answers."""

import io
import json

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image, ImageSequence

from sbd_utils import SceneExplorer, SceneInHand, SceneStream, load_pretrained, plot_edits
from sbd_utils.explorer.directions import fit_directions
from sbd_utils.explorer.scene import SCENE_EVENTS, find_twins
from sbd_utils.metrics import score_segmentation

SCENES = 60


@pytest.fixture(scope="module")
def model():
    return load_pretrained("slots_scenes")


@pytest.fixture(scope="module")
def shared(model):
    return SceneInHand(model, scenes=SCENES)


@pytest.fixture
def hand(shared):
    """With the first scene as it was inferred: three objects, a ground, and a twin."""
    shared.handle(dict(type="scene", scene=0))
    assert len(shared.objects) == 3
    assert len(shared.twins) == 1
    return shared


def random_events(hand, count, seed=0):
    """Events of every type, some of them refused."""
    rng = np.random.default_rng(seed)
    scenes, slots, latents = hand.inferred.shape
    for _ in range(count):
        slot, (x, y) = int(rng.integers(-1, slots + 1)), rng.uniform(-4, 36, 2).tolist()
        yield [
            dict(type="place", slot=slot, x=x, y=y),
            dict(type="hue", slot=slot, degrees=20 * x),
            dict(type="latent", slot=slot, latent=int(rng.integers(latents + 1)), value=y / 4),
            dict(type="show", slot=slot, value=bool(rng.random() < 0.6)),
            dict(type="choose", slot=slot),
            dict(type="scene", scene=int(rng.integers(scenes + 1))),
            dict(type="reset"),
        ][rng.choice(7, p=[0.32, 0.2, 0.16, 0.16, 0.06, 0.07, 0.03])]


# What says place and hue


def linear_codes(count=200, seed=0):
    """Codes of 6 latents that are exactly linear in place and hue, and two numbers more; these too."""
    rng = np.random.default_rng(seed)
    places, hues = rng.uniform(4, 28, (count, 2)), rng.uniform(0, 360, count)
    angles = np.deg2rad(hues)
    said = np.column_stack([places, np.cos(angles), np.sin(angles)])
    mixing = rng.normal(size=(6, 6))
    return np.column_stack([said, rng.normal(size=(count, 2))]) @ mixing + 3, places, hues, mixing


def test_a_linear_code_is_read_and_moved_exactly():
    codes, places, hues, _ = linear_codes()
    directions = fit_directions(codes, places, hues)
    read = directions.read(codes)
    np.testing.assert_allclose(read[:, :2], places, atol=1e-8)
    np.testing.assert_allclose(np.rad2deg(np.arctan2(read[:, 3], read[:, 2])) % 360, hues)
    np.testing.assert_allclose(directions.moves @ directions.weights, np.eye(4), atol=1e-8)
    moved = directions.to_place(codes[0], 10, 20)
    np.testing.assert_allclose(directions.read(moved), [10, 20, *read[0, 2:]], atol=1e-8)
    turned = directions.to_hue(codes[0], 90)
    np.testing.assert_allclose(directions.read(turned), [*read[0, :2], 0, 1], atol=1e-8)


def test_a_move_goes_the_way_that_codes_vary():
    codes, places, hues, mixing = linear_codes(100_000)
    moves = fit_directions(codes, places, hues).moves
    lengths = np.linalg.norm(mixing[:4], axis=1)
    assert (np.linalg.norm(moves - mixing[:4], axis=1) < 0.02 * lengths).all()


@pytest.mark.parametrize(
    ("count", "latents", "message"), [(13, 6, "13 objects"), (200, 3, "3 lat")]
)
def test_too_little_to_fit_is_refused(count, latents, message):
    codes, places, hues, _ = linear_codes(count)
    with pytest.raises(ValueError, match=f"codes has {message}"):
        fit_directions(codes[:, :latents], places, hues)


def turn_between(one: float, other: float) -> float:
    """Degrees between two hues."""
    return abs((one - other + 180) % 360 - 180)


def test_objects_are_drawn_where_and_as_they_were_asked_to_be(hand):
    """What `Directions` says, and that moving leaves the hue, and turning the hue the place."""
    rng = np.random.default_rng(0)
    astray, shifted, off, turned = [], [], [], []
    for scene in range(SCENES):
        hand.handle(dict(type="scene", scene=scene))
        for slot in hand.objects:
            hand.handle(dict(type="reset"))
            start, hue = hand.center(slot), hand.hue(slot)
            x, y = rng.uniform(*hand.reach, 2)
            hand.handle(dict(type="place", slot=slot, x=x, y=y))
            astray.append(np.hypot(*np.subtract(hand.center(slot), (x, y))))
            turned.append(turn_between(hand.hue(slot), hue))
            hand.handle(dict(type="reset"))
            degrees = rng.uniform(0, 360)
            hand.handle(dict(type="hue", slot=slot, degrees=degrees))
            off.append(turn_between(hand.hue(slot), degrees))
            shifted.append(np.hypot(*np.subtract(hand.center(slot), start)))
    named = dict(astray=astray, turned=turned, off=off, shifted=shifted)
    for name, values in named.items():
        print(name, len(values), np.quantile(values, [0.5, 0.9]).round(2))
    assert np.median(astray) < 0.4
    assert np.quantile(astray, 0.9) < 1.3
    assert np.median(turned) < 2
    assert np.median(off) < 4
    assert np.quantile(off, 0.9) < 8
    assert np.median(shifted) < 0.2


# Twins


def test_twins_are_those_that_share_half_of_the_smaller_mask():
    masks = np.zeros((4, 4, 4))
    masks[0, :2] = 0.4  # one object, shared by 0, 1 and, less, 3
    masks[1, :2] = 0.5
    masks[2, 2:] = 1
    masks[3, 0] = 0.1
    assert find_twins(masks, [0, 1, 2]) == {0: 1}
    assert find_twins(masks, [0, 1, 2, 3]) == {0: 1, 3: 1}
    assert find_twins(masks, [2, 1]) == find_twins(masks, []) == {}
    masks[3, 3] = 0.1  # now half of it is 2's
    assert find_twins(masks, [1, 3]) == {}


def test_without_twins_more_objects_are_held_and_the_picture_is_as_good(hand):
    images = hand.images.numpy()
    true = torch.cat([hand.stream.batch(step, 1).masks for step in range(SCENES)])
    scores = []
    for without in (False, True):
        masks, drawn = [], []
        for scene in range(SCENES):
            hand.handle(dict(type="scene", scene=scene))
            for slot in () if without else hand.twins:
                hand.handle(dict(type="show", slot=slot, value=True))
            masks.append(hand.masks)
            drawn.append(hand.picture.transpose(2, 0, 1) / 255)
        means = score_segmentation(true, np.stack(masks), images, np.stack(drawn)).means()
        scores.append(means)
    shared, alone = scores
    print(shared, alone)
    assert 1 - alone["held"] < 0.6 * (1 - shared["held"])
    assert alone["surplus_slots"] < shared["surplus_slots"] - 0.3
    assert alone["squared_error"] < shared["squared_error"] + 0.001


# Events


def test_a_scene_opens_as_the_model_drew_it_without_twins(hand, model):
    ((left_out, kept),) = hand.twins.items()
    assert kept in hand.objects
    assert hand.shown.tolist() == [slot != left_out for slot in range(5)]
    codes = torch.from_numpy(hand.inferred[0][hand.shown]).float()
    with torch.no_grad():
        layers = model.decoder(codes[None])
        torch.testing.assert_close(model(hand.images[:1]).mean[0, hand.shown], codes)
    wanted = (255 * layers.image[0].clamp(0, 1)).round().byte().permute(1, 2, 0)
    assert np.array_equal(hand.picture, wanted)
    np.testing.assert_allclose(hand.masks.sum(0), 1, atol=1e-6)
    assert np.array_equal(hand.winners, hand.masks.argmax(0))
    assert hand.slot == hand.objects[0]
    assert hand.kind(hand.ground) == "ground"
    assert {hand.kind(slot) for slot in (*hand.objects, left_out)} == {"object"}


def test_a_center_is_that_of_an_object(hand):
    """Half of the objects have one within a pixel, three in four within two; some have none near."""
    nearest = []
    for scene in range(SCENES):
        hand.handle(dict(type="scene", scene=scene))
        truth = hand.stream.batch(scene, 1)
        places = truth.factors[0, truth.present[0], :2].numpy()
        centers = np.array([hand.center(slot) for slot in hand.objects])
        distance = np.hypot(*(centers[:, None] - places[None]).transpose(2, 0, 1))
        nearest.extend(distance.min(0))
    print(np.quantile(nearest, [0.5, 0.75]))
    assert np.median(nearest) < 1
    assert np.quantile(nearest, 0.75) < 2


@pytest.mark.parametrize(
    "event",
    [
        dict(type="place", x=20.0, y=25.0),
        dict(type="hue", degrees=250),
        dict(type="latent", latent=3, value=-1),
    ],
)
def test_an_edit_changes_the_code_of_its_slot_alone(hand, event):
    before, slot = hand.state(), hand.objects[1]
    hand.handle({**event, "slot": slot})
    changed = [not np.array_equal(a, b) for a, b in zip(before["codes"], hand.codes, strict=True)]
    assert np.flatnonzero(changed).tolist() == [slot]
    assert hand.slot == slot
    hand.handle(dict(type="reset"))
    assert hand.state() == before


def test_a_place_gives_the_same_code_whichever_way_leads_there(hand):
    slot = hand.objects[0]
    go = dict(type="place", slot=slot)
    hand.handle({**go, "x": 9, "y": 22})
    first, picture = hand.codes[slot], hand.picture
    for x, y in ((27, 5), (4, 4), (9, 22)):
        hand.handle({**go, "x": x, "y": y})
    np.testing.assert_allclose(hand.codes[slot], first, atol=1e-12)
    assert np.array_equal(hand.picture, picture)
    hand.handle({**go, "x": -50, "y": 99})  # not farther than centres of scenes are
    np.testing.assert_allclose(hand.directions.read(hand.codes[slot])[:2], [4, 28], atol=1e-9)


def test_a_latent_is_set_and_kept_on_its_slider(hand):
    hand.handle(dict(type="latent", slot=hand.ground, latent=7, value=1e9))
    assert hand.codes[hand.ground, 7] == hand.span
    assert np.abs(hand.inferred).max() <= hand.span


def test_a_slot_that_is_left_out_has_no_part_and_comes_back_as_it_was(hand):
    slot, picture = hand.objects[2], hand.picture
    hand.handle(dict(type="show", slot=slot, value=False))
    assert hand.masks[slot].max() == 0
    np.testing.assert_allclose(hand.masks.sum(0), 1, atol=1e-6)
    assert (hand.center(slot), hand.color(slot), hand.hue(slot)) == (None, None, None)
    assert slot not in hand.winners
    assert not np.array_equal(hand.picture, picture)
    hand.handle(dict(type="show", slot=slot, value=True))
    assert np.array_equal(hand.picture, picture)


def test_something_stays_shown(hand):
    shown = np.flatnonzero(hand.shown).tolist()
    for slot in shown[:-1]:
        hand.handle(dict(type="show", slot=slot, value=False))
    with pytest.raises(ValueError, match=f"slot {shown[-1]} is the last that is shown"):
        hand.handle(dict(type="show", slot=shown[-1], value=False))
    assert hand.shown.sum() == 1
    np.testing.assert_allclose(hand.masks[shown[-1]], 1)


BAD = [
    dict(type="nothing"),
    dict(type="place", slot=0, x=3),
    dict(type="place", slot=0, x=float("nan"), y=3),
    dict(type="place", slot=9, x=3, y=3),
    dict(type="hue", slot=-1, degrees=3),
    dict(type="choose", slot=5),
    dict(type="choose", slot=True),
    dict(type="scene", scene=SCENES),
    dict(type="scene", scene=-1),
    dict(type="latent", slot=0, latent=8, value=0),
    dict(type="show", slot=0, value=1),
    "reset",
]


@pytest.mark.parametrize("event", BAD)
def test_a_bad_event_is_refused_and_changes_nothing(hand, event):
    before = hand.state()
    with pytest.raises(ValueError, match=r"is .*; it must be|is .*; slots that hold|does not have"):
        hand.handle(event)
    assert hand.state() == before


@pytest.mark.parametrize("kind", ["place", "hue"])
def test_the_ground_has_no_place_and_no_hue(hand, kind):
    values = dict(x=3, y=3) if kind == "place" else dict(degrees=3)
    movable = ", ".join(map(str, sorted([*hand.objects, *hand.twins])))
    with pytest.raises(ValueError, match=f"slots that hold an object are {movable}$"):
        hand.handle(dict(type=kind, slot=hand.ground, **values))


def test_the_same_events_give_the_same_state(hand):
    states = []
    for _ in range(2):
        hand.handle(dict(type="scene", scene=0))
        types = set()
        for event in random_events(hand, 150):
            types.add(event["type"])
            try:
                hand.handle(event)
            except ValueError:
                types.add("refused")
        states.append(json.dumps(hand.state(), allow_nan=False))
    assert states[0] == states[1]
    assert types == {*SCENE_EVENTS, "refused"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(scenes=0), "scenes is 0"),
        (dict(stream=SceneStream(im_size=64)), "images of 64 pixels; this model takes 32"),
    ],
)
def test_what_cannot_be_taken_in_hand_is_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        SceneInHand(model, **options)


# Pictures


def test_the_scene_is_described(hand):
    ((left_out, _),) = hand.twins.items()
    hand.handle(dict(type="hue", slot=hand.objects[0], degrees=120))
    text = hand.describe()
    assert f"slot {hand.ground} is the ground" in text
    assert f"slot {left_out} left out" in text
    x, y = hand.center(hand.objects[0])
    hue = hand.hue(hand.objects[0])
    assert f"slot {hand.objects[0]} at x {x:.0f}, y {y:.0f}, hue {hue:.0f}°" in text


def test_files_show_the_scene_the_drawing_and_a_walk(hand):
    before = hand.state()
    sheet = np.asarray(Image.open(io.BytesIO(hand.png(scale=2))))
    assert sheet.shape == (64, 130, 3)
    assert np.array_equal(sheet[::2, :64:2], hand.scene())
    assert np.array_equal(sheet[::2, 66::2], hand.picture)
    film = Image.open(io.BytesIO(hand.gif(hand.objects[0], (25, 6), steps=4, scale=2)))
    frames = [np.asarray(frame.convert("RGB"))[::2, ::2] for frame in ImageSequence.Iterator(film)]
    assert len(frames) == 6
    assert np.abs(frames[0].astype(int) - hand.picture).mean() < 3  # of 256 colours
    assert np.abs(frames[1].astype(int) - frames[5]).mean() < 3
    assert np.abs(frames[3].astype(int) - hand.picture).mean() > 5
    assert hand.state() == before
    with pytest.raises(ValueError, match="steps is 1"):
        hand.gif(hand.objects[0], (25, 6), steps=1)


def test_the_figure_shows_every_edit(hand):
    first, second = hand.objects[:2]
    events = [
        dict(type="place", slot=first, x=24, y=8),
        dict(type="show", slot=second, value=False),
    ]
    figure = plot_edits(hand, events)
    try:
        titles = [ax.get_title() for ax in figure.axes]
        assert titles[2:] == [f"slot {first} to (24, 8)", f"slot {second} left out"]
        shown = [ax.get_images()[0].get_array() for ax in figure.axes]
        assert np.array_equal(shown[3], hand.picture)
        outlined = [len(ax.collections) for ax in figure.axes]
        assert outlined == [0, 2, 2, 0]  # what is left out has no outline
        assert not hand.shown[second]
    finally:
        plt.close(figure)


# Its page


@pytest.fixture(scope="module")
def widget(model):
    return SceneExplorer(model)


def ask(widget, **message):
    answers = []
    widget.send = lambda content, buffers=(): answers.append((content, buffers))
    widget._handle_msg({"content": {"data": {"method": "custom", "content": message}}})
    [answer] = answers
    return answer


def test_the_widget_answers_with_slots_and_pictures(widget):
    core = widget.core
    content, (scene, picture, winners) = ask(widget, type="scene", scene=2, page="a", number=1)
    json.dumps([content, widget.spec], allow_nan=False)
    assert (content["type"], content["scene"], content["number"]) == ("view", 2, 1)
    assert [slot["kind"] for slot in content["slots"]] == [core.kind(slot) for slot in range(5)]
    assert scene == core.scene().tobytes()
    assert picture == core.picture.tobytes()
    assert winners == core.winners.tobytes()
    slot = core.objects[0]
    content, _ = ask(widget, type="hue", slot=slot, degrees=77)
    assert content["slots"][slot]["turn"] == pytest.approx(77, abs=0.1)
    content, _ = ask(widget, type="place", slot=slot, x=11, y=13)
    assert content["slots"][slot]["place"] == pytest.approx([11, 13], abs=0.01)
    assert repr(widget) == "SceneExplorer(12 scenes, 5 slots)"


@pytest.mark.parametrize("message", [dict(type="field"), dict(type="place", slot=77, x=0, y=0)])
def test_the_widget_refuses_in_a_sentence(widget, message):
    before = widget.core.state()
    content, buffers = ask(widget, **message)
    assert content["type"] == "error"
    assert "must be one of" in content["text"] or "slots that hold" in content["text"]
    assert buffers == []
    assert widget.core.state() == before
