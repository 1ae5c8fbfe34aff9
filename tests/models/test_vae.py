"""Encoder, decoders and VAE: sizes, exact broadcasting, gradients, and refusals."""

import math

import pytest
import torch
from torch import nn

from sbd_utils import (
    VAE,
    DeconvDecoder,
    Encoder,
    SpatialBroadcastDecoder,
    UpsampleDecoder,
    coordinate_map,
    elbo_loss,
    render_batch,
    sample_posterior,
    total_correlation,
    warp,
)
from sbd_utils.models import DECODERS as DECODERS_OF_THE_LIBRARY

DECODERS = {
    "sbd": SpatialBroadcastDecoder,
    "deconv": DeconvDecoder,
    "upsample": UpsampleDecoder,
}


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# Sizes


def test_parameter_counts_are_those_of_the_architecture():
    assert count(SpatialBroadcastDecoder(out_channels=3)) == 45_635
    assert count(DeconvDecoder(out_channels=3)) == 268_291
    conv = (9 * 64 + 1) * 64
    upsample = (10 + 1) * 64 * 2 * 2 + 5 * conv + (9 * 64 + 1) * 3
    assert count(UpsampleDecoder(out_channels=3)) == upsample
    assert count(UpsampleDecoder(out_channels=3, coordinates=True)) == upsample + 9 * 2 * 64
    convs = (3 * 16 + 1) * 64 + 3 * (64 * 16 + 1) * 64
    assert count(Encoder(in_channels=3)) == convs + (64 * 4 * 4 + 1) * 256 + 2 * (256 + 1) * 10


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("im_size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(decoder, im_size, channels):
    model = VAE(im_size, channels, decoder, z_dim=7, channels=8)
    x = torch.rand(2, channels, im_size, im_size)
    reconstruction, mean, logvar = model(x)
    assert reconstruction.shape == x.shape
    assert mean.shape == logvar.shape == (2, 7)
    assert model.decoder(torch.zeros(5, 7)).shape == (5, channels, im_size, im_size)
    assert model(x[:0])[0].shape == (0, channels, im_size, im_size)


# Coordinates and broadcasting


def test_coordinates_at_the_corners():
    x, y = coordinate_map(64)
    assert [x[0, 0], x[0, -1], x[-1, 0], x[-1, -1]] == [
        -1,
        1,
        -1,
        1,
    ]  # top left, top right, bottom left, bottom right
    assert [y[0, 0], y[0, -1], y[-1, 0], y[-1, -1]] == [-1, -1, 1, 1]
    torch.testing.assert_close(x[17].diff(), torch.full((63,), 2 / 63))  # evenly spaced along a row
    assert y[17].unique().numel() == 1


def test_the_kinds_of_coordinates():
    x, y = coordinate_map(16)
    assert torch.equal(coordinate_map(16, "x"), x[None])
    assert coordinate_map(16, "none").shape == (0, 16, 16)
    u, v = coordinate_map(16, "rotated")
    torch.testing.assert_close(
        torch.complex(u, v), torch.complex(x, y) * complex(0.5**0.5, 0.5**0.5)
    )  # by 45 degrees
    assert torch.equal(coordinate_map(16, "warped"), warp(torch.stack([x, y])))
    assert coordinate_map(16, "learned").shape == (2, 16, 16)
    with pytest.raises(ValueError, match="position is 'polar'; it must be one of 'xy'"):
        coordinate_map(16, "polar")


def test_warped_coordinates_keep_ends_and_order_and_are_not_straight():
    u = torch.arange(-100, 101).double() / 100
    bent = warp(u)
    assert bent[[0, 100, 200]].tolist() == [-1, 0, 1]
    assert (bent.diff() > 0).all()
    torch.testing.assert_close(bent, -warp(-u))  # odd
    torch.testing.assert_close(bent[150], torch.tensor(0.3 * 0.5 + 0.7 * 0.25).double())


def test_upsampling_sees_coordinates_in_its_last_hidden_layer_alone():
    decoder, seen = UpsampleDecoder(32, z_dim=4, channels=8, coordinates=True), []
    for conv in decoder.convs:
        conv.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    decoder(torch.randn(3, 4))
    sizes = [(inputs.shape[1], inputs.shape[-1]) for inputs in seen]
    assert sizes == [(8, 2), (8, 4), (8, 8), (8, 16), (10, 32)]
    assert torch.equal(seen[-1][:, 8:], coordinate_map(32).expand(3, 2, 32, 32))
    first = seen[0]  # every number of the 1 x 1 start is there four times
    assert torch.equal(first[..., 0, 0], first[..., 1, 1])


def test_the_first_convolution_sees_z_everywhere_then_x_then_y():
    decoder, seen = SpatialBroadcastDecoder(32, z_dim=4), []
    decoder.convs[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    z = torch.randn(3, 4)
    decoder(z)
    assert seen[0].shape == (3, 6, 32, 32)
    assert torch.equal(seen[0][:, :4], z[:, :, None, None].expand(3, 4, 32, 32))
    assert torch.equal(seen[0][:, 4:], coordinate_map(32).expand(3, 2, 32, 32))


def test_without_coordinates_and_padding_every_pixel_is_the_same_function_of_z():
    decoder = SpatialBroadcastDecoder(32, out_channels=3, z_dim=4, position="none", padding=False)
    z = torch.randn(5, 4)
    image = decoder(z)
    assert image.shape == (5, 3, 26, 26)
    h = z  # on a constant image a convolution is the sum of its taps
    for layer in decoder.convs:
        h = layer(h) if isinstance(layer, nn.ReLU) else h @ layer.weight.sum((2, 3)).T + layer.bias
    torch.testing.assert_close(image, h[:, :, None, None].expand_as(image), atol=1e-5, rtol=1e-5)
    with_map = SpatialBroadcastDecoder(32, z_dim=4, padding=False)(z)
    assert (
        with_map.amax((2, 3)) - with_map.amin((2, 3))
    ).min() > 1e-3  # else the test above could not fail
    padded = SpatialBroadcastDecoder(32, z_dim=4, position="none")(z)
    assert (
        padded.amax((2, 3)) - padded.amin((2, 3))
    ).min() > 1e-4  # zeros at the border tell where it is


def test_pooled_decoding():
    z = torch.randn(3, 4)
    deconv = DeconvDecoder(32, z_dim=4, channels=8)
    torch.testing.assert_close(deconv(z, pool=4), nn.functional.avg_pool2d(deconv(z), 4))
    upsample = UpsampleDecoder(32, z_dim=4, channels=8)
    torch.testing.assert_close(upsample(z, pool=4), nn.functional.avg_pool2d(upsample(z), 4))
    sbd = SpatialBroadcastDecoder(32, z_dim=4, channels=8)
    seen = []
    sbd.convs[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assert sbd(z, pool=4).shape == (3, 1, 8, 8)
    # Each block is asked for at the mean position of its four pixels' width.
    middle = torch.linspace(-1, 1, 32).unflatten(0, (8, 4)).mean(1)
    torch.testing.assert_close(seen[0][:, 4], middle.expand(3, 8, 8))
    torch.testing.assert_close(seen[0][:, 5], middle[:, None].expand(3, 8, 8))


# Gradients


@pytest.mark.parametrize(
    ("decoder", "options"),
    [
        ("sbd", {}),
        ("sbd", dict(position="learned")),
        ("deconv", {}),
        ("deconv", dict(coordinates=True)),
        ("upsample", {}),
        ("upsample", dict(coordinates=True)),
    ],
)
def test_gradients_reach_every_parameter(decoder, options):
    model = VAE(32, 3, decoder, z_dim=4, **options)
    reconstruction, mean, logvar = model(torch.rand(8, 3, 32, 32))
    (reconstruction.square().sum() + mean.sum() + logvar.sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_reconstruction_alone_teaches_the_encoder(decoder):
    """Through the sampled code: the reparameterisation lets the gradient pass to mean and variance."""
    model = VAE(32, 1, decoder, z_dim=4, channels=8)
    model(torch.rand(8, 1, 32, 32))[0].square().sum().backward()
    assert model.encoder.mean.weight.grad.abs().max() > 0
    assert model.encoder.logvar.weight.grad.abs().max() > 0


@pytest.mark.parametrize("decoder", DECODERS.values())
def test_a_decoders_gradient_is_its_slope(decoder):
    model = decoder(32, z_dim=3, channels=4).double()
    z = torch.randn(1, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: model(z).square().mean(), z)


def test_a_sample_of_the_posterior_and_its_gradients():
    mean, logvar = (
        torch.tensor([[1.0, -2.0]], requires_grad=True),
        torch.tensor([[0.0, 2.0]], requires_grad=True),
    )
    noise = torch.tensor([[0.5, -1.0]])
    z = sample_posterior(mean, logvar, noise)
    std = (logvar / 2).exp()
    assert z.tolist() == [[1.5, pytest.approx(-2 - torch.e)]]
    z.sum().backward()
    assert mean.grad.tolist() == [[1, 1]]
    torch.testing.assert_close(logvar.grad, noise * std.detach() / 2)
    samples = sample_posterior(torch.full((100_000, 1), 3.0), torch.full((100_000, 1), 4.0).log())
    assert samples.mean().item() == pytest.approx(3, abs=0.04)  # six standard errors
    assert samples.var().item() == pytest.approx(4, abs=0.12)


# Behaviour as a whole


def test_untrained_posterior_means_differ_from_image_to_image():
    """The encoder's initial weights keep the signal: without that training can stay at a blank picture."""
    x, y = 8 + 48 * torch.rand(2, 64)
    mean, _ = VAE().encoder(render_batch("ellipse", x, y))
    assert mean.std(0).mean() > 0.05


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_state_dict_goes_round(decoder):
    model, other = (VAE(32, 3, decoder, z_dim=5, channels=8).eval() for _ in range(2))
    x = torch.rand(2, 3, 32, 32)
    assert not torch.equal(model(x)[0], other(x)[0])
    other.load_state_dict(model.state_dict())
    for ours, theirs in zip(model(x), other(x), strict=True):
        assert torch.equal(ours, theirs)
    assert not any(
        "grid" in name for name in model.state_dict()
    )  # fixed coordinates are no weights


def test_a_learned_map_is_a_weight():
    assert "decoder.grid" in VAE(32, position="learned").state_dict()


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_config_builds_the_same_network(decoder):
    options = dict(position="x", padding=True) if decoder == "sbd" else dict(coordinates=True)
    model = VAE(32, 3, decoder, 5, 8, **options)
    again = VAE(**model.config)
    again.load_state_dict(model.state_dict())
    z = torch.randn(2, 5)
    assert torch.equal(model.decoder(z), again.decoder(z))


def test_eval_decodes_the_mean_and_training_a_sample():
    model, x = VAE(32, z_dim=4, channels=8), torch.rand(2, 1, 32, 32)
    assert not torch.equal(model(x)[0], model(x)[0])
    noise = torch.randn(2, 4)
    assert torch.equal(model(x, noise)[0], model(x, noise)[0])
    model.eval()
    first, mean, _ = model(x)
    assert torch.equal(first, model(x)[0])
    assert torch.equal(first, model(x, noise)[0])
    assert torch.equal(first, model.decoder(mean))


# Bad input


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(decoder="conv"), "decoder is 'conv'; it must be one of 'sbd', 'deconv'"),
        (dict(im_size=48), "im_size is 48; it must be a positive multiple of 32"),
        (dict(im_size=0), "im_size is 0"),
        (dict(im_size=-32), "im_size is -32"),
        (dict(in_channels=0), "in_channels is 0; it must be at least 1"),
        (dict(z_dim=0), "z_dim is 0; it must be at least 1"),
        (dict(channels=-1), "channels is -1; it must be at least 1"),
        (dict(position="z"), "position is 'z'"),
    ],
)
def test_a_vae_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        VAE(**wrong)


@pytest.mark.parametrize(
    "shape", [(2, 3, 32, 32), (2, 1, 64, 64), (2, 1, 32, 64), (1, 32, 32), (2, 1, 1, 32, 32)]
)
def test_wrong_images_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"x has shape \[.*\]; this encoder takes \[N, 1, 32, 32\]"
    ):
        VAE(32, channels=8)(torch.zeros(shape))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("shape", [(2, 9), (2, 11), (10,), (2, 10, 1)])
def test_wrong_codes_are_refused(decoder, shape):
    with pytest.raises(ValueError, match=r"z has shape \[.*\]; this decoder takes \[N, 10\]"):
        VAE(32, decoder=decoder, channels=8).decoder(torch.zeros(shape))


def test_a_vae_without_padding_is_refused():
    with pytest.raises(ValueError, match="padding is False; a VAE cannot be trained so"):
        VAE(padding=False)


def test_a_decoder_is_built_by_the_class_that_its_name_stands_for(monkeypatch):
    class Plain(torch.nn.Linear):
        def __init__(self, im_size, out_channels, z_dim, channels):
            super().__init__(z_dim, out_channels)

    monkeypatch.setitem(DECODERS_OF_THE_LIBRARY, "plain", Plain)
    assert isinstance(VAE(decoder="plain").decoder, Plain)


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 2, 8, 8), (1, 1, 8, 8), (2, 1, 8, 4)])
def test_a_loss_of_other_shapes_is_refused(shape):
    with pytest.raises(ValueError, match=r"x has shape \[2, 1, 8, 8\] and reconstruction"):
        elbo_loss(torch.zeros(2, 1, 8, 8), torch.zeros(shape), torch.zeros(2, 1), torch.zeros(2, 1))


# Total correlation


def test_total_correlation_of_codes_that_depend_on_each_other_and_of_those_that_do_not():
    """Of a correlated Gaussian it is known: -log(1 - rho²) / 2; posteriors are narrow, codes many."""
    generator = torch.Generator().manual_seed(0)
    independent = torch.randn(2000, 2, generator=generator)
    for rho in (0.0, 0.6, 0.9):
        first, second = independent.T
        mean = torch.stack([first, rho * first + (1 - rho**2) ** 0.5 * second], 1)
        logvar = torch.full_like(mean, 2 * math.log(0.3))
        z = sample_posterior(mean, logvar, torch.randn(2000, 2, generator=generator))
        noisy = rho / 1.09  # the noise has its own variance
        expected = -math.log(1 - noisy**2) / 2
        assert total_correlation(z, mean, logvar).item() == pytest.approx(expected, abs=0.06)


def test_total_correlation_is_what_its_definition_says_for_two_posteriors():
    mean = torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    logvar = torch.tensor([[0.0, 0.5], [-0.5, 0.2]])
    z = torch.tensor([[0.3, -0.2], [2.5, 1.4]])
    total = 0.0
    for code in z:
        densities = torch.distributions.Normal(mean, (logvar / 2).exp()).log_prob(code).exp()
        joint = densities.prod(1).mean()
        total += (joint / densities.mean(0).prod()).log().item() / 2
    assert total_correlation(z, mean, logvar).item() == pytest.approx(total, rel=1e-5)


def test_the_loss_has_the_total_correlation_only_if_it_is_asked_for():
    torch.manual_seed(0)
    model, images = VAE(32, channels=2, z_dim=3), torch.rand(6, 1, 32, 32)
    drawn = torch.randn(6, 3)
    plain = model.loss(images, lambda *_: drawn, beta=2.0)
    more = model.loss(images, lambda *_: drawn, beta=2.0, tc=5.0)
    assert set(plain.parts) == {"squared_error", "kl"}
    part = more.parts["total_correlation"]
    torch.testing.assert_close(more.total, plain.total + 5 * part)
    mean, logvar = model.encoder(images)
    expected = total_correlation(sample_posterior(mean, logvar, drawn), mean, logvar)
    torch.testing.assert_close(part, expected)
    more.total.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
