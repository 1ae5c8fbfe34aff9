"""Networks as the browser gets them, against those of PyTorch: no browser, no site."""

import pytest
import torch

from sbd_utils import VAE, load_pretrained
from sbd_utils.explorer.app import MODELS
from tools.book.networks import STRIPS, cut


@pytest.mark.parametrize("name", MODELS.values())
def test_strips_one_below_another_are_the_picture(name):
    decoder = load_pretrained(name).decoder
    z = torch.randn(3, 10)
    with torch.no_grad():
        strips = [strip(z) for strip in cut(decoder)]
        torch.testing.assert_close(torch.cat(strips, 2), decoder(z), atol=1e-5, rtol=0)
    assert len(strips) == (STRIPS if "deconv" not in name else 1)
    assert len({strip.shape for strip in strips}) == 1


def test_a_strip_costs_little_more_than_its_rows():
    decoder = VAE(decoder="sbd").decoder
    for strip in cut(decoder):
        assert strip.decoder.grid.shape[2] == 64 / STRIPS + 3
    assert decoder.grid.shape[2] == 64
