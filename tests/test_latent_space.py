"""Interpolations, traversals, probes and their pictures, on models whose answers are known."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from sbd_utils import (
    center_of_mass,
    circles_dataset,
    fit_geometry,
    generate_spaced_coordinates,
    held_out_r2,
    interpolate,
    linear_probe,
    neighbor_r2,
    plot_fit,
    plot_grid_pair,
    plot_residuals,
    plot_small_grids,
    plot_strip,
    plot_traversals,
    plot_variances,
    reconstruct,
    traverse,
)
from sbd_utils.plotting import apply_map


class Transparent(nn.Module):
    """A 'VAE' of 1 x 2 x 2 images whose code is the image's four pixels, latent 2 the most certain, then 0, 3, 1."""

    def __init__(self):
        super().__init__()
        self.config = {"im_size": 2, "in_channels": 1, "z_dim": 4}
        self.logvar = nn.Parameter(torch.tensor([-2.0, 0.0, -5.0, -1.0]))
        self.decoded = []  # the batch size of each decoder call

    def encoder(self, x):
        return x.flatten(1), self.logvar.expand(len(x), -1)

    def decoder(self, z):
        self.decoded.append(len(z))
        return z.view(-1, 1, 2, 2)


@pytest.fixture
def model():
    return Transparent()


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def grid():
    xx, yy, labels = generate_spaced_coordinates(12, 52, 5, 3)
    return np.stack([xx, yy], 1), labels


def rotated(xy, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (xy - 32) @ np.array([[c, s], [-s, c]]) / 16


def test_reconstruct_is_encode_then_decode(model):
    images = torch.rand(3, 1, 2, 2)
    assert torch.equal(reconstruct(model, images), images)


def test_the_centre_of_mass_is_the_mean_of_the_middles_of_pixels():
    image = torch.zeros(2, 1, 4, 6)  # higher than wide would hide a swap
    image[0, 0, 1, 4] = 0.5
    image[1, 0, 0, 0], image[1, 0, 3, 2] = 3.0, 1.0
    expected = torch.tensor([[4.5, 1.5], [1.0, 1.25]])
    for images in (image, image[:, 0], image.expand(-1, 3, -1, -1), image.double()):
        center = center_of_mass(images)
        assert center.dtype == torch.float32
        torch.testing.assert_close(center, expected)


def test_the_centre_of_mass_of_a_circle_is_its_centre():
    images, centers = circles_dataset(50).tensors
    torch.testing.assert_close(center_of_mass(images), centers, atol=0.006, rtol=0)
    dim = images - 0.05  # a background that is not black
    assert (center_of_mass(dim, black=0.1) - centers).abs().max() < 0.1
    torch.testing.assert_close(center_of_mass(dim), center_of_mass(dim.clamp(min=0)))


def test_the_centre_of_mass_names_what_it_cannot_do():
    assert center_of_mass(torch.zeros(1, 3, 3)).isnan().all()
    with pytest.raises(ValueError, match=r"images has shape \[3, 3\]; it must be"):
        center_of_mass(torch.zeros(3, 3))


def test_interpolation_is_straight_even_and_has_both_ends(model):
    x1, x2 = torch.rand(2, 1, 2, 2)
    images = interpolate(model, x1, x2, steps=5)
    assert torch.equal(images[0], x1)
    torch.testing.assert_close(
        images, torch.stack([x1 + t * (x2 - x1) for t in (0, 0.25, 0.5, 0.75, 1)])
    )
    assert model.decoded == [5]
    with pytest.raises(ValueError, match="steps is 1"):
        interpolate(model, x1, x2, steps=1)


def test_traversal_changes_one_latent_a_row_in_order_of_variance(model):
    z = torch.tensor([0.1, 0.2, 0.3, 0.4])
    images, latents, values = traverse(model, z, span=3, steps=7)
    assert latents == [2, 0, 3, 1]
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert images.shape == (4, 7, 1, 2, 2)
    codes = images.flatten(2)  # [4, 7, 4], for this model the codes themselves
    for row, latent in enumerate(latents):
        assert torch.equal(codes[row, :, latent], values)
        others = [i for i in range(4) if i != latent]
        assert torch.equal(codes[row][:, others], z[others].expand(7, 3))


def test_traversal_of_named_latents_is_one_decoder_call(model):
    images, latents, _ = traverse(model, torch.zeros(4), latents=(3, 0), steps=5)
    assert latents == [3, 0]
    assert len(images) == 2
    assert model.decoded == [10]
    for wrong in ([4], [-1], []):
        with pytest.raises(ValueError, match="latents is"):
            traverse(model, torch.zeros(4), wrong)
    with pytest.raises(ValueError, match="steps is 1"):
        traverse(model, torch.zeros(4), steps=1)


def test_probe_finds_where_the_factors_are():
    rng = np.random.default_rng(0)
    factors = rng.uniform(8, 56, (400, 2))
    z = rng.normal(size=(400, 6))
    z[:, [4, 1]] = rotated(factors, 30)
    probe = linear_probe(z, factors, (4, 1))
    assert probe.pair == pytest.approx(1)
    assert probe.all == pytest.approx(1)
    assert abs(probe.rest) < 0.1  # held out, noise explains nothing
    half = linear_probe(z, factors, (4, 0))
    assert 0.1 < half.pair < 0.9  # latent 4 is a mixture of x and y
    for pair in [(4, 6), (-1, 2), range(6), ()]:
        with pytest.raises(ValueError, match="pair is"):
            linear_probe(z, factors, pair)


def test_neighbours_read_a_code_that_no_straight_map_reads():
    rng = np.random.default_rng(0)
    turn = rng.uniform(2 * np.pi, 8 * np.pi, (2000, 1))
    spiral = turn * np.concatenate([np.cos(turn), np.sin(turn)], 1)  # three times round
    assert held_out_r2(spiral, turn) < 0.2
    assert neighbor_r2(spiral, turn) > 0.99
    assert neighbor_r2(spiral[rng.permutation(2000)], turn) < 0.1
    assert neighbor_r2(np.zeros((2000, 2)), turn) < 0.1  # a constant code


def test_neighbours_by_hand_and_their_bounds():
    z = np.array([[0.0], [1.0], [10.0], [11.0], [0.4], [10.4]])
    factors = np.array([[0.0], [2.0], [20.0], [22.0], [1.0], [21.0]])
    z, factors = np.tile(z, (2, 1)), np.tile(factors, (2, 1))
    # The second half finds itself with one neighbour.
    assert neighbor_r2(z, factors, neighbors=1) == 1
    # With all six, every guess is their mean, 11: R² is 0.
    assert neighbor_r2(z, factors, neighbors=6) == pytest.approx(0)
    for neighbors in (0, 7):
        with pytest.raises(ValueError, match=f"neighbors is {neighbors}; it must be from 1 to 6"):
            neighbor_r2(z, factors, neighbors=neighbors)
    with pytest.raises(ValueError, match="z has shape"):
        neighbor_r2(z, factors[:-1])


def test_probe_is_held_out():
    """With as many latents as samples to fit, noise explains those and not the others."""
    rng = np.random.default_rng(0)
    z, factors = rng.normal(size=(100, 40)), rng.normal(size=(100, 1))
    assert held_out_r2(z, factors) < 0
    # the same samples again as the second half: what a score that is not held out would say
    assert held_out_r2(np.tile(z[:50], (2, 1)), np.tile(factors[:50], (2, 1))) > 0.5


def test_probe_takes_the_worse_factor_and_names_bad_input():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(200, 2))
    assert held_out_r2(factors[:, :1], factors) < 0.1
    with pytest.raises(ValueError, match="factors"):
        held_out_r2(factors, factors[:-1])
    with pytest.raises(ValueError, match="7 samples"):
        held_out_r2(factors[:7], factors[:7])
    with pytest.raises(ValueError, match="does not vary"):
        held_out_r2(factors, np.ones((200, 1)))


def test_variances_hang_from_the_prior_and_mark_the_informative_by_more_than_colour(ax):
    assert plot_variances(ax, torch.tensor([0.9, 0.001, 1.0, 0.01])) is ax
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "3", "0", "2"]
    bars = [patch for container in ax.containers for patch in container]
    assert [bar.get_y() for bar in bars] == [1] * 4
    assert [bar.get_y() + bar.get_height() for bar in bars] == pytest.approx(
        [0.001, 0.01, 0.9, 1.0]
    )
    assert [bool(bar.get_hatch()) for bar in bars] == [True, True, False, False]
    assert [text.get_text() for text in ax.texts] == ["0.001", "0.01"]
    assert sorted(line.get_ydata()[0] for line in ax.lines) == [0.5, 1]


def test_variances_in_the_order_of_their_numbers(ax):
    plot_variances(ax, [0.9, 0.001, 1.2], sort=False, threshold=0.95)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2"]
    assert [bool(patch.get_hatch()) for container in ax.containers for patch in container] == [
        True,
        True,
        False,
    ]
    assert ax.get_ylim()[1] > 1.2


def test_grid_pair_shows_the_image_plane_downwards_and_the_codes(grid):
    xy, labels = grid
    figure = Figure()
    z = rotated(xy, 20)
    assert plot_grid_pair(figure, xy, z, labels, pair=(7, 2)) is figure
    left, right = figure.axes
    assert left.get_ylim() == (64, 0)
    assert right.get_xlabel() == "mean of latent 7"
    assert right.get_ylabel() == "mean of latent 2"
    drawn = [line for line in right.lines if len(line.get_xdata()) == 5]
    assert len(drawn) == 6
    np.testing.assert_array_equal(drawn[3].get_xydata(), z[labels == 3])


def test_fit_is_drawn_line_by_line(ax, grid):
    xy, labels = grid
    z = rotated(xy, 20)
    geometry = fit_geometry(xy, z)
    assert plot_fit(ax, xy, z, labels, geometry.similarity) is ax
    fitted = [line for line in ax.lines if line.get_color() == "black"]
    assert len(fitted) == 6
    for label, line in enumerate(fitted):
        np.testing.assert_allclose(line.get_xydata(), z[labels == label], atol=1e-9)
    np.testing.assert_allclose(apply_map(xy, geometry.affine), z, atol=1e-9)


def test_residual_arrows_are_in_pixels(ax, grid):
    """Codes of positions that are off by (3, -1) pixels give arrows (3, -1), whatever the map."""
    xy, _ = grid
    matrix = np.vstack([[[0.02, 0.05], [-0.04, 0.03]], [1, 2]])
    assert (
        plot_residuals(ax, xy, apply_map(xy + np.array([3, -1]), matrix), matrix, magnify=2) is ax
    )
    arrows = ax.collections[0]
    np.testing.assert_allclose(arrows.XY, xy)
    np.testing.assert_allclose(
        np.stack([arrows.U, arrows.V], 1), np.tile([6, -2], (len(xy), 1)), atol=1e-9
    )
    assert ax.get_ylim() == (64, 0)
    with pytest.raises(ValueError, match="flattens"):
        plot_residuals(ax, xy, xy, np.zeros((3, 2)))


def test_strip_shows_the_images_in_order(ax):
    images = torch.tensor([0.0, 0.7, 2.0]).view(3, 1, 1, 1).expand(3, 1, 8, 8)
    assert plot_strip(ax, images, captions=["a", "b", "c"]) is ax
    picture = ax.images[0].get_array()
    assert [round(float(picture[6, 6 + 10 * i]), 2) for i in range(3)] == [0.0, 0.7, 1.0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    assert ax.get_xticks().tolist() == [5.5, 15.5, 25.5]


def test_traversal_table_has_a_row_for_each_latent(ax, model):
    traversal = traverse(model, torch.full((4,), 0.5), latents=(2, 0, 1), span=1, steps=5)
    assert plot_traversals(ax, traversal) is ax
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "latent 2",
        "latent 0",
        "latent 1",
    ]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [
        "-1.0",
        "-0.5",
        "0.0",
        "0.5",
        "1.0",
    ]
    picture = ax.images[0].get_array()  # 2 x 2 pixels an image, gap 2
    assert picture[6, 18] == 1  # row of latent 0 (the top left pixel), value 1
    assert picture[6, 2] == 0  # value -1, clamped
    assert picture[6, 19] == 0.5  # latent 1 untouched in this row


def test_small_grids_of_groups_of_unequal_size():
    x, y, labels = generate_spaced_coordinates(0, 10, 3, 2)
    z = np.stack([x, y], 1)
    groups = {"three": [(z, "0.1"), (2 * z, "0.2"), (z, "0.3")], "one": [(z, "0.4")]}
    figure = plot_small_grids(Figure(), groups, labels, ["blue", "red"])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_xlabel() for ax in shown] == ["0.1", "0.2", "0.3", "0.4"]
    assert [ax.get_ylabel() for ax in shown] == ["three", "", "", "one"]
    lines = shown[1].get_lines()
    assert [line.get_alpha() for line in lines] == [1, 1, 0.5, 0.5]  # vertical, then horizontal
    np.testing.assert_allclose(lines[0].get_xydata(), 2 * z[labels == 0])
    assert {line.get_color() for line in shown[3].get_lines()} == {"red"}
