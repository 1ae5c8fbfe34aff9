"""The pictures of the architectures: right in what they show, and legible."""

import io
from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from sbd_utils import draw_decoders, draw_vae
from sbd_utils.diagrams import CODE, DECODERS_SIZE, ERROR, KL, VAE_SIZE
from sbd_utils.models import DeconvDecoder, SpatialBroadcastDecoder, coordinate_map


@pytest.fixture(scope="module")
def vae() -> Figure:
    return draw_vae(Figure())


@pytest.fixture(scope="module")
def decoders() -> Figure:
    return draw_decoders(Figure())


@pytest.fixture(params=["vae", "decoders"])
def figure(request) -> Figure:
    return request.getfixturevalue(request.param)


def words(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.axes[0].texts)


def overlap(a, b) -> bool:
    """Whether two boxes share more than a border."""
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return wide > 0 and high > 0


def test_no_word_lies_on_another_or_on_a_picture_or_outside(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in figure.axes[0].texts}
    boxes |= {
        f"picture {i}": image.get_window_extent(renderer)
        for i, image in enumerate(figure.axes[0].images)
    }
    inside = figure.bbox
    for name, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= inside.x1 and box.y1 <= inside.y1, name  # noqa: PT018
    for (first, a), (second, b) in combinations(boxes.items(), 2):
        if not (first.startswith("picture") and second.startswith("picture")):  # stacks overlap
            assert not overlap(a, b), (first, second)


@pytest.mark.parametrize("draw", [draw_vae, draw_decoders])
def test_the_style_of_the_course_changes_nothing_and_nobody_is_warned(draw, recwarn):
    """Its constrained layout would move things, or complain that it cannot."""
    with plt.style.context("sbd_utils.course"):
        figure = draw(plt.figure(figsize=(3, 3)))
        figure.savefig(io.BytesIO(), format="png", bbox_inches="tight", dpi=20)
    assert tuple(figure.get_size_inches()) in (VAE_SIZE, DECODERS_SIZE)
    assert tuple(figure.axes[0].get_position().bounds) == (0, 0, 1, 1)
    assert not recwarn.list


def test_words_are_dark_on_a_white_card(figure):
    """So they are read on a dark page and in print."""
    assert to_rgb(figure.get_facecolor()) == (1, 1, 1)
    assert all(to_rgb(text.get_color()) == (0, 0, 0) for text in figure.axes[0].texts)
    assert min(text.get_fontsize() for text in figure.axes[0].texts) >= 10


def test_a_vae_has_its_parts_and_both_terms(vae):
    for part in ("encoder", "mean μ", "spread σ", "z = μ + σ · ε", "code z", "decoder"):
        assert part in words(vae)
    assert "loss = w · squared error + β · KL" in words(vae)


def test_the_terms_are_told_apart_without_colour(vae):
    patches = vae.axes[0].patches
    styles = {
        color: {
            patch.get_linestyle()
            for patch in patches
            if isinstance(patch, FancyArrowPatch | FancyBboxPatch)
            and to_rgb(patch.get_edgecolor()) == to_rgb(color)
        }
        for color in (ERROR, KL)
    }
    assert styles == {ERROR: {"-"}, KL: {"--"}}


def test_the_broadcast_decoder_shows_its_own_channels(decoders):
    """A sheet for each number, the coordinates alone, and the volume of both."""
    pictures = [np.asarray(image.get_array()) for image in decoders.axes[0].images]
    x, y = (sheet.numpy() / 2 + 0.5 for sheet in coordinate_map(64))
    for sheet in (x, y):
        assert sum(p.shape == sheet.shape and np.allclose(p, sheet) for p in pictures) == 2
    flat = [p for p in pictures if p.shape == (2, 2)]
    for value in CODE:
        assert sum(np.allclose(p, value) for p in flat) >= 2
    volume = SpatialBroadcastDecoder().convs[0].in_channels
    assert volume == len(CODE) + 2
    assert f"volume\n{volume} × 64 × 64" in words(decoders)


def test_the_deconv_decoder_grows_as_the_network_does(decoders):
    network = DeconvDecoder()
    channels, size, _ = network.start
    assert f"{channels} channels" in words(decoders)
    for _ in network.deconvs:
        assert f"{size} × {size}" in words(decoders)
        size *= 2
    assert f"image\n{size} × {size}" in words(decoders)
