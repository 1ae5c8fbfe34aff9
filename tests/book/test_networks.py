"""Networks and facts as the browser gets them, against PyTorch: no browser, no site."""

import pytest
import torch

from sbd_utils import VAE, load_pretrained
from sbd_utils.data import ColoredSprites, make_stream
from sbd_utils.explorer.app import MODELS
from tools.book.networks import STRIPS, cut, load_squares, world_facts


@pytest.mark.parametrize("label", MODELS)
@pytest.mark.parametrize("world", ["circles", "squares"])
def test_strips_one_below_another_are_the_picture(world, label):
    model = load_squares()[label] if world == "squares" else load_pretrained(MODELS[label])
    decoder, z = model.decoder, torch.randn(3, 10)
    with torch.no_grad():
        strips = [strip(z) for strip in cut(decoder)]
        torch.testing.assert_close(torch.cat(strips, 2), decoder(z), atol=1e-5, rtol=0)
    assert len(strips) == (STRIPS if label == "SBD" else 1)
    assert len({strip.shape for strip in strips}) == 1


def test_a_strip_costs_little_more_than_its_rows():
    decoder = VAE(decoder="sbd").decoder
    for strip in cut(decoder):
        assert strip.decoder.grid.shape[2] == 64 / STRIPS + 3
    assert decoder.grid.shape[2] == 64


@pytest.mark.parametrize("name", ["coloured", "squares-hue-by-x", "squares-center", "rectangle"])
def test_a_world_that_the_page_does_not_draw_is_refused(name):
    with pytest.raises(ValueError, match=r"data is \{.*\}; core.js draws circles, and coloured"):
        world_facts(make_stream(name))


def test_a_world_is_said_in_the_factors_that_it_has():
    assert world_facts(make_stream("circles"))["middle"] == {"x": 32, "y": 32}
    hearts = ColoredSprites(im_size=32, ranges={"shape": "heart", "size": 20})
    facts = world_facts(hearts)
    assert list(facts["middle"]) == [factor.name for factor in hearts.factors]
    assert (facts["middle"]["size"], facts["fixed"]) == (20, {})
    assert facts["scale"] * facts["form"]["radius"] == pytest.approx(1 / 2)  # as the diameter says
    assert facts["form"].keys() >= {"side", "drop"}
