"""A scene in a hand: what a touch does to the slots, and what a page is answered."""

import math

import pytest
import torch

from sbd_utils.data import SceneStream
from sbd_utils.explorer.scene import SceneInHand, code_directions, learn_directions
from sbd_utils.explorer.scene_widget import SceneEditor, answer
from sbd_utils.models import SlotAttentionVAE
from sbd_utils.pretrained import load_pretrained

torch.set_num_threads(1)
MODEL = load_pretrained("slots_scenes")
DIRECTIONS = learn_directions(MODEL)
SCENES = SceneStream(seed=5, objects=3, hues="distinct").batch(0, 6)


def hand(number=0):
    return SceneInHand(MODEL, SCENES.images[number], DIRECTIONS)


def test_directions_are_those_of_a_linear_code():
    generator = torch.Generator().manual_seed(0)
    factors = torch.rand(50, 5, generator=generator) * torch.tensor([32, 32, 12, 2, 360])
    map_of_factors = torch.randn(4, 3, generator=generator)
    angle = torch.deg2rad(factors[:, 4])
    known = torch.stack([factors[:, 0], factors[:, 1], angle.cos(), angle.sin()], 1)
    found = code_directions(known @ map_of_factors + 7, factors)
    assert torch.allclose(torch.stack(list(found)), map_of_factors, atol=1e-3)


@pytest.mark.parametrize(("codes", "factors"), [(9, 9), (20, 19)])
def test_directions_need_enough_codes(codes, factors):
    with pytest.raises(ValueError, match="must be as many of both"):
        code_directions(torch.zeros(codes, 3), torch.zeros(factors, 5))


def test_untouched_it_is_the_models_own_blend():
    with torch.no_grad():
        blend = MODEL(SCENES.images[:1]).layers.image[0]
    assert torch.allclose(hand().picture(), blend.clamp(0, 1), atol=1e-6)


@pytest.mark.parametrize("number", range(6))
def test_what_is_taken_goes_where_it_is_moved(number):
    scene = hand(number)
    scene.take_next()
    held = scene.held
    others = [k for k in range(5) if k != held]
    before = scene.codes[others].clone()
    for x, y in [(8.0, 9.0), (16.0, 22.0), (24.0, 12.0)]:
        scene.move(x, y)
        if scene.mask(held).square().sum() > 20:  # not behind another
            assert math.dist(scene.place(held), (x, y)) < 2
    assert torch.equal(scene.codes[others], before)


def test_a_sprite_is_taken_by_its_place_and_the_ground_is_not():
    scene = hand()
    for slot in scene.things():
        scene.take(*scene.place(slot))
        assert scene.held is not None
        assert scene.held != scene.ground
    row, column = divmod(int(scene.mask(scene.ground).argmax()), 32)
    scene.take(column + 0.5, row + 0.5)
    assert scene.held is None
    assert "ground" in scene.status()


def test_a_dragged_sprite_keeps_its_distance_from_the_hand():
    scene = hand()
    scene.take_next()
    x, y = scene.place(scene.held)
    scene.take(x + 1, y)
    assert scene.held is not None
    scene.drag(17.0, 15.0)
    assert math.dist(scene.place(scene.held), (16.0, 15.0)) < 2


def test_another_hue():
    scene = hand()
    scene.take_next()
    for wanted in (0.0, 120.0, 240.0, 359.0):
        scene.recolor(wanted)
        off = (scene.hue(scene.held) - wanted + 180) % 360 - 180
        assert abs(off) < 15


def test_a_slot_that_is_taken_out_is_left_out_of_the_softmax():
    scene = hand()
    scene.take_next()
    gone = scene.held
    scene.remove()
    kept = [k for k in range(5) if k != gone]
    with torch.no_grad():
        wanted = MODEL.decoder(scene.first[None, kept]).image[0].clamp(0, 1)
    assert torch.allclose(scene.picture(), wanted, atol=1e-6)
    assert gone not in scene.things()
    assert scene.held is None


def test_everything_can_be_taken_out_but_the_ground():
    scene = hand()
    for _ in range(10):
        scene.take_next()
        scene.remove()
    assert scene.things() == []
    assert scene.ground in scene.there
    scene.take_next()
    assert scene.status() == "There is nothing left to take."


def test_reset_ends_everything():
    scene = hand()
    untouched = scene.picture().clone()
    scene.take_next()
    scene.move(3, 3)
    scene.recolor(10)
    scene.remove()
    scene.reset()
    assert torch.equal(scene.picture(), untouched)
    assert scene.held is None


def test_with_an_empty_hand_nothing_happens():
    scene = hand()
    untouched = scene.picture().clone()
    scene.move(3, 3)
    scene.recolor(10)
    scene.remove()
    assert torch.equal(scene.picture(), untouched)


def test_next_goes_around_both_ways():
    scene = hand()
    things = scene.things()
    met = []
    for _ in things:
        scene.take_next()
        met.append(scene.held)
    assert met == things
    scene.take_next()
    assert scene.held == things[0]
    scene.take_next(-1)
    assert scene.held == things[-1]


def test_refused_places_and_hues():
    scene = hand()
    with pytest.raises(ValueError, match="x is -1; it must be within the image, 0 to 32"):
        scene.take(-1, 3)
    with pytest.raises(ValueError, match="y is nan"):
        scene.move(3, math.nan)
    with pytest.raises(ValueError, match="hue is inf"):
        scene.recolor(math.inf)


def test_an_untrained_network_can_be_touched_too():
    torch.manual_seed(0)
    scene = SceneInHand(SlotAttentionVAE().eval(), SCENES.images[0], DIRECTIONS)
    scene.take_next()
    scene.move(4, 4)
    assert scene.picture().isfinite().all()


# What a page is answered


@pytest.mark.parametrize(
    "touch",
    [
        None,
        [],
        {},
        {"type": "fly"},
        {"type": ["take"]},
        {"type": "take"},
        {"type": "take", "x": 3},
        {"type": "take", "x": 3, "y": "4"},
        {"type": "take", "x": 3, "y": math.nan},
        {"type": "take", "x": 99, "y": 4},
        {"type": "take", "x": 3, "y": 4, "z": 5},
        {"type": "next", "step": 1.5},
        {"type": "next", "step": True},
        {"type": "hue", "hue": None},
        {"type": "hue", "hue": 1e400},
        {"type": "remove", "all": 1},
    ],
)
def test_a_wrong_touch_changes_nothing(touch):
    scene = hand()
    scene.take_next()
    codes, held = scene.codes.clone(), scene.held
    content, buffers = answer(scene, touch)
    assert content["type"] == "error"
    assert content["text"]
    assert not buffers
    assert torch.equal(scene.codes, codes)
    assert scene.held == held


def test_a_view_has_the_picture_and_what_is_held():
    scene = hand()
    content, (picture,) = answer(scene, {"type": "next", "step": 1})
    assert len(picture) == 32 * 32 * 3
    assert content["held"] == scene.held
    assert content["text"] == scene.status()
    assert content["place"] == scene.place(scene.held)


def test_the_widget_answers_and_stays_what_it_is():
    editor = SceneEditor(MODEL, SCENES.images[0], DIRECTIONS)
    sent = []
    editor.send = lambda content, buffers: sent.append((content, buffers))
    for data in ({"method": "custom", "content": {"type": "hello"}}, {"method": "update"}, None, 3):
        editor._handle_msg({"content": {"data": data}})
    assert [content["type"] for content, _ in sent] == ["view", "error", "error", "error"]
    assert repr(editor) == f"SceneEditor({len(editor.core.things())} things)"
