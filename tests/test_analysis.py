"""What is read off a model, on models whose answers are known. Interpolation and the like: test_latent_space."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sbd_utils import (
    VAE,
    CircleStream,
    RectangleStream,
    center_of_mass,
    circles_dataset,
    decode,
    decoder_jacobian,
    encode,
    encode_coordinates,
    encode_grid,
    evaluate_circles,
    evaluation_grid,
    fit_geometry,
    generate_spaced_coordinates,
    get_avg_variance,
    get_smallest_pair,
    informative_latents,
    render_batch,
    spread_of_light,
    traverse,
)


class Ideal(nn.Module):
    """A 'VAE' that measures where the circle is and draws it there.

    Latent 3 is (x - 32) / 16 and latent 1 (y - 32) / 16, sent through `mix` [2, 2]; the others are noise. `logvar`
    [5] is every image's.
    """

    def __init__(
        self, mix=((1.0, 0.0), (0.0, 1.0)), logvar=(0, -6, 0, -5, 0), in_channels: int = 1
    ):
        super().__init__()
        self.config = {"im_size": 64, "in_channels": in_channels, "z_dim": 5}
        self.mix = nn.Parameter(torch.tensor(mix))
        self.logvar = torch.tensor(logvar, dtype=torch.float32)

    def encoder(self, x):
        assert x.shape[1:] == (self.config["in_channels"], 64, 64)
        center = center_of_mass(x[:, -1])  # [N, 2]
        mean = torch.zeros(len(x), 5)
        mean[:, [3, 1]] = (center - 32) / 16 @ self.mix
        return mean, self.logvar.expand(len(x), 5)

    def decoder(self, z):
        center = 32 + 16 * z[:, [3, 1]] @ self.mix.inverse()
        return render_batch("ellipse", *center.T)


class Logs(nn.Module):
    """A 'VAE' whose log-variances are the logarithms of the image's pixels: the variances are the pixels."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def encoder(self, x):
        return torch.zeros_like(x.flatten(1)), x.flatten(1).log()


# Posterior variance


def test_the_average_is_over_images_not_over_batches():
    """Variances are averaged, not their logarithms, and a short last batch counts for no more than it holds."""
    images = 0.1 + torch.rand(10, 1, 2, 2)
    expected = images.flatten(1).mean(0)
    for loader in (
        DataLoader(TensorDataset(images), batch_size=4),
        DataLoader(TensorDataset(images, torch.zeros(10, 2)), batch_size=3),
        list(images.split(7)),
        [(part, "label") for part in images.split(1)],
    ):
        torch.testing.assert_close(get_avg_variance(Logs(), loader), expected)


def test_an_empty_loader_is_refused():
    with pytest.raises(ValueError, match="loader gave no images"):
        get_avg_variance(Logs(), [])


@pytest.mark.parametrize(
    ("variances", "pair"),
    [
        ([0.9, 0.01, 1.0, 0.02], (1, 3)),
        ([0.02, 0.01], (1, 0)),
        ([1.0, 0.5, 0.5, 0.5], (1, 2)),
        ([3, 2, 1], (2, 1)),
    ],
)
def test_the_smallest_pair(variances, pair):
    for form in (torch.tensor, np.array, list):
        found = get_smallest_pair(form(variances))
        assert found == pair
        assert all(type(i) is int for i in found)


@pytest.mark.parametrize("variances", [torch.tensor([0.1]), torch.zeros(3, 2), torch.tensor(0.1)])
def test_no_pair_in_too_few_variances(variances):
    with pytest.raises(
        ValueError, match=r"avg_var has shape \[.*\]; it must be \[z_dim\] with z_dim at least 2"
    ):
        get_smallest_pair(variances)


def test_informative_latents_are_below_the_threshold_the_least_first():
    variances = torch.tensor([0.9, 0.4, 0.5, 0.02, 1.1])
    assert informative_latents(variances) == [3, 1]
    assert informative_latents(variances, threshold=1) == [3, 1, 2, 0]
    assert informative_latents(torch.ones(4)) == []


# Codes


def test_batches_give_what_one_pass_gives():
    model = VAE(32, z_dim=3, channels=8).eval()
    images, z = torch.rand(7, 1, 32, 32), torch.randn(7, 3)
    for part, whole in zip(encode(model, images, batch_size=3), model.encoder(images), strict=True):
        torch.testing.assert_close(part, whole.detach(), atol=1e-5, rtol=1e-5)
        assert not part.requires_grad
    torch.testing.assert_close(
        decode(model, z, batch_size=3), model.decoder(z).detach(), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("in_channels", [1, 3])
def test_encoded_coordinates_are_those_of_the_circles(in_channels):
    xx, yy, _ = generate_spaced_coordinates(12, 52, 4, 3)
    z1, z2 = encode_coordinates(Ideal(in_channels=in_channels), xx, yy, 3, 1)
    np.testing.assert_allclose(32 + 16 * z1, xx, atol=0.01)
    np.testing.assert_allclose(32 + 16 * z2, yy, atol=0.01)
    z2, z1 = encode_coordinates(
        Ideal(in_channels=in_channels), torch.from_numpy(xx), yy.tolist(), 1, 3
    )
    np.testing.assert_allclose(32 + 16 * z1, xx, atol=0.01)
    assert encode_coordinates(Ideal(in_channels=in_channels), [20], [20], 0, 2) == (0, 0)


def test_the_circles_that_are_encoded_are_white_and_of_size_10_unless_told():
    class Weigh(Ideal):
        def encoder(self, x):
            return x.sum((1, 2, 3))[:, None].expand(-1, 5), torch.zeros(len(x), 5)

    assert encode_coordinates(Weigh(), [20], [20], 0, 1)[0] == pytest.approx(25 * math.pi, rel=1e-4)
    assert encode_coordinates(Weigh(), [20], [20], 0, 1, size=16)[0] == pytest.approx(
        64 * math.pi, rel=1e-4
    )


@pytest.mark.parametrize(
    ("latents", "message"), [((5, 0), "x_latent is 5"), ((0, -1), "y_latent is -1")]
)
def test_latents_the_model_lacks_are_refused(latents, message):
    with pytest.raises(ValueError, match=message + r"; this model's latents are 0 \.\.\. 4"):
        encode_coordinates(Ideal(), [20], [20], *latents)


def test_the_evaluation_grid_encoded():
    xy, z, labels = encode_grid(Ideal(), 3, 1)
    assert xy.shape == z.shape == (310, 2)
    assert xy.min() == 12
    assert xy.max() == 52
    np.testing.assert_allclose(32 + 16 * z, xy, atol=0.01)
    assert np.unique(labels).tolist() == list(range(10))


# Scores


def test_an_ideal_model_has_ideal_scores():
    scores = evaluate_circles(Ideal(), num_images=200)
    assert scores.variances == pytest.approx([math.exp(-6), math.exp(-5), 1, 1, 1])
    assert scores.pair == (1, 3)
    assert scores.informative == 2
    assert scores.geometry.affine_r2 > 0.9999
    assert scores.geometry.similarity_r2 > 0.9999
    assert scores.geometry.reflected  # the least variance first: latent 1, which is y
    assert scores.squared_error < 0.01
    assert scores.two_latents
    assert scores.recovered()
    assert scores.grid.shape == (310, 2)
    # 0.5 * sum(mean² + variance - log variance - 1)
    _, centers = circles_dataset(200, 1_000_003).tensors
    expected = 0.5 * (
        ((centers - 32) / 16).square().sum(1).mean().item() + math.exp(-6) + 5 + math.exp(-5) + 4
    )
    assert scores.kl == pytest.approx(expected, abs=0.01)
    assert scores.linear_r2 > 0.9999
    assert 0.97 < scores.neighbor_r2 < 1  # 100 circles to find neighbours among
    few = evaluate_circles(Ideal(), num_images=4)
    assert (few.linear_r2, few.neighbor_r2) == (None, None)


def test_the_spread_of_light():
    images = torch.zeros(2, 1, 8, 8)
    images[0, 0, 2, 1] = images[0, 0, 2, 5] = 0.5  # two points, 4 pixels apart
    images[1, 0, 3, 3] = 1.0
    images[1, 0, 7, 7] = 0.05
    assert spread_of_light(images[:1]).tolist() == [2]
    assert spread_of_light(images[1:], black=0.1).tolist() == [0]
    assert spread_of_light(images[1:])[0] > 1
    disc = render_batch("ellipse", torch.tensor([30.0]), torch.tensor([25.0]))
    assert spread_of_light(disc).item() == pytest.approx(5 / 2**0.5, abs=0.05)  # of radius 5


def test_the_decoders_jacobian_by_differences():
    class Curved(nn.Module):
        """Two pixels: the product of two latents, and the square of the third."""

        def __init__(self):
            super().__init__()
            self.anything = nn.Parameter(torch.zeros(1))

        def decoder(self, z):
            first, second, third = z.T
            return torch.stack([first * second, third**2], 1).view(-1, 1, 1, 2)

    z = torch.tensor([[2.0, -1.0, 3.0], [0.5, 0.25, 0.0]])
    found = decoder_jacobian(Curved(), z)
    right = [
        [[-1.0, 0.0], [2.0, 0.0], [0.0, 6.0]],
        [[0.25, 0.0], [0.5, 0.0], [0.0, 0.0]],
    ]  # [N, latent, pixel]; central differences of a parabola are exact
    torch.testing.assert_close(found, torch.tensor(right), atol=1e-3, rtol=0)


def test_a_model_of_the_rectangle_is_scored_there():
    scores = evaluate_circles(Ideal(), num_images=200, stream=RectangleStream)
    assert np.ptp(16 * scores.grid, axis=0) == pytest.approx([20, 40], abs=0.1)  # y is latent 1
    assert scores.geometry.similarity_r2 > 0.9999
    assert scores.squared_error < 0.01


def test_every_condition_of_recovery_counts():
    sheared = evaluate_circles(Ideal(mix=((1.0, 0.0), (0.8, 1.0))), num_images=50)
    assert sheared.two_latents
    assert sheared.geometry.affine_r2 > 0.9999
    assert not sheared.recovered()
    for logvar in [
        (0, -6, -1, -5, 0),
        (0, -6, 0, -1, 0),
    ]:  # a third latent that says something; a second that is vague
        scores = evaluate_circles(Ideal(logvar=logvar), num_images=50)
        assert scores.geometry.similarity_r2 > 0.9999
        assert not scores.two_latents
        assert not scores.recovered()

    class Blank(Ideal):
        def decoder(self, z):
            return torch.zeros(len(z), 1, 64, 64)

    scores = evaluate_circles(Blank(), num_images=50)
    images, _ = circles_dataset(50, 1_000_003).tensors
    assert scores.squared_error == pytest.approx(images.square().sum().item() / 50, rel=1e-4)
    assert scores.two_latents
    assert not scores.recovered()
    assert scores.recovered(max_squared_error=100)


# Any size, any dtype


class Measuring(nn.Module):
    """A 'VAE' for images of any size whose two latents are the circle's true place."""

    def __init__(self, im_size):
        super().__init__()
        self.config = {"im_size": im_size, "in_channels": 1, "z_dim": 2}
        self.weight = nn.Parameter(torch.zeros(1))

    def encoder(self, x):
        at = torch.arange(self.config["im_size"]) + 0.5
        light = x.sum((1, 2, 3))
        center = torch.stack([x.sum((1, 2)) @ at, x.sum((1, 3)) @ at], 1) / light[:, None]
        return center / self.config["im_size"], torch.full((len(x), 2), -6.0)


@pytest.mark.parametrize("im_size", [32, 64, 96, 128])
def test_a_perfect_encoder_is_perfect_at_any_image_size(im_size):
    xy, z, labels = encode_grid(Measuring(im_size), 0, 1)
    geometry = fit_geometry(xy, z)
    assert geometry.affine_r2 > 0.9999
    assert geometry.similarity_r2 > 0.9999
    assert len(np.unique(labels)) == 10
    images = render_batch("ellipse", *xy.T, img_size=im_size)
    area = math.pi * 25
    assert images.sum((1, 2, 3)).numpy() == pytest.approx(area, rel=1e-4)  # whole circles
    low, high = xy.min(), xy.max()
    assert low + high == pytest.approx(im_size)
    assert (high - low) / (im_size - 16) == pytest.approx(40 / 48)  # the same share of the range


def test_the_evaluation_grid_of_64_pixels_is_that_of_the_design():
    for mine, stated in zip(
        evaluation_grid(), generate_spaced_coordinates(12, 52, 31, 5), strict=True
    ):
        assert mine == pytest.approx(stated)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-5), (torch.float16, 2e-2), (torch.bfloat16, 2e-1)]
)
def test_a_model_in_another_dtype_gives_the_same_answers(dtype, tolerance):
    torch.manual_seed(0)
    model = VAE(im_size=32, channels=4, z_dim=3).eval()
    images = circles_dataset(6, im_size=32).tensors[0]
    reference = encode(model, images), decode(model, torch.ones(2, 3))
    other = model.to(dtype)
    assert encode(other, images)[0].dtype == torch.float32
    torch.testing.assert_close(encode(other, images), reference[0], atol=tolerance, rtol=tolerance)
    assert decode(other, torch.ones(2, 3)).dtype == torch.float32
    torch.testing.assert_close(
        decode(other, torch.ones(2, 3)), reference[1], atol=tolerance, rtol=tolerance
    )
    assert math.isfinite(evaluate_circles(other, num_images=8).squared_error)
    assert traverse(other, torch.zeros(3), [1]).images.isfinite().all()


def test_a_default_dtype_changes_no_answer():
    torch.manual_seed(0)
    model = VAE(im_size=32, channels=4, z_dim=3).eval()
    reference = evaluate_circles(model, num_images=8)
    torch.set_default_dtype(torch.float64)
    try:
        again = evaluate_circles(model, num_images=8)
        images = traverse(model, torch.zeros(3, dtype=torch.float32)).images
    finally:
        torch.set_default_dtype(torch.float32)
    assert again.variances == reference.variances
    assert again.squared_error == reference.squared_error
    assert torch.equal(images, traverse(model, torch.zeros(3)).images)


def test_an_endless_loader_is_refused_and_a_part_of_it_is_not():
    model, stream = VAE(im_size=32, channels=4).eval(), CircleStream(batch_size=4, im_size=32)
    for endless in (stream, DataLoader(stream, batch_size=None)):
        with pytest.raises(ValueError, match="a CircleStream for ever; take some batches"):
            get_avg_variance(model, endless)
    assert get_avg_variance(model, itertools.islice(stream, 2)).shape == (10,)


def test_whole_numbers_are_no_images():
    images = torch.zeros(2, 1, 32, 32, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"images holds torch.uint8"):
        encode(VAE(im_size=32, channels=4).eval(), images)
