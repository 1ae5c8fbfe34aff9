"""The checks of assignment 2: a decoder's module, its loss, a training step, cost, a square."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, relu

from sbd_utils.checks.kit import (
    Mistakes,
    as_array,
    call,
    close,
    copied,
    differentiable,
    expect,
    gradient_reaches,
    gradients,
    is_number,
    is_tensor,
    parts,
    passed,
    same,
    told_apart,
)

# Task 1: the module

MARGIN = 6
"""Pixels of height and width that three convolutions of kernel 3 without padding take away."""


@torch.enable_grad()
def decoder(build: Callable[..., Any]) -> None:
    """Check a class of broadcast decoders without padding.

    Args:
        build: (z_dim, channels, out_channels, height, width) -> a module that gives images
            [N, out_channels, height, width] of codes [N, z_dim].
    """
    _tiles_and_appends(build)
    _convolves(build)
    passed("Decoder")


def _tiles_and_appends(build: Callable[..., Any]) -> None:
    """With weights that let every number through, the picture is what is tiled, cut to its size."""
    z = torch.tensor([[3.0, 4, 5], [6, 7, 8]])
    z_dim, height, width = 3, 7, 9
    inputs = z_dim + 2
    sizes = dict(z_dim=z_dim, channels=2 * inputs, out_channels=inputs, height=height, width=width)
    module = call(build, **sizes)
    give_weights(module, letting_through(inputs))
    given = differentiable(z)
    got = call(module, z=given)
    of_size = f"the picture of 2 codes for {inputs} channels, height {height} and width {width}"
    tile = "each convolution takes 2 pixels off: tile to height + 6 and width + 6."
    shape = list(got.shape) if isinstance(got, Tensor) else None
    expect(shape != [2, inputs, height - MARGIN, width - MARGIN], f"{of_size} is too small: {tile}")
    is_tensor(got, (2, inputs, height, width), of_size)
    _shows_codes_and_coordinates(got, z)
    weights = torch.arange(float(got.numel())).view(got.shape) % 7 + 1
    (found,) = gradients(got, [given], weights)
    right = weights[:, :z_dim].sum((2, 3))
    learn = "an encoder could not learn through this (detach, .data, numpy, a new tensor?)."
    gradient_reaches(found, right, "z", learn)


def _shows_codes_and_coordinates(got: Tensor, z: Tensor) -> None:
    """The code's channels and then x and y, of which three pixels at every side are cut off."""
    count, z_dim = z.shape
    height, width = got.shape[2:]
    codes = z[:, :, None, None].expand(-1, -1, height, width)
    column = torch.linspace(-1, 1, width + MARGIN)[3:-3]
    row = torch.linspace(-1, 1, height + MARGIN)[3:-3, None]
    x, y = (axis.expand(count, 1, height, width) for axis in (column, row))
    shown = as_array(got)
    coordinates_are_right = close(shown[:, z_dim:], torch.cat([x, y], 1), 1e-4)
    in_order = close(shown[:, :z_dim], codes, 1e-4)
    same_numbers = close(np.sort(shown[:, :z_dim], None), codes.flatten().sort().values, 1e-4)
    expect(
        in_order or not (coordinates_are_right and same_numbers),
        "the coordinates are right, but channel k of image n must be z[n, k] at every pixel; "
        "yours mixes them: a reshape does not know what its axes mean.",
    )
    what = "with weights that let every number through, what reaches the picture"
    same(got, torch.cat([codes, x, y], 1), what, mistaken_volumes(codes, x, y))


def mistaken_volumes(codes: Tensor, x: Tensor, y: Tensor) -> Mistakes:
    """What the usual mistakes let reach the picture instead of these channels."""
    height, width = codes.shape[2:]
    tall, wide = height + MARGIN, width + MARGIN
    x_of_picture = torch.linspace(-1, 1, width).expand_as(x)
    y_of_picture = torch.linspace(-1, 1, height)[:, None].expand_as(y)
    edges = "-1 is the middle of the first pixel, not its edge: the first column has x = -1."
    of_picture = (
        "-1 and 1 are the first and the last pixel of what is tiled, which is 6 pixels higher and "
        "wider than the picture; yours are those of the picture (or there is padding)."
    )
    of_relu = "negative numbers are lost: the picture is linear, no ReLU follows the last layer."
    squashed = [channel.sigmoid() for channel in (codes, x, y)]
    channels = {
        "y comes before x: channel K is x, which grows with the column.": [codes, y, x],
        "the coordinates come first; the code's channels do, then x, then y.": [x, y, codes],
        "your coordinates run from 0 to 1; from -1 to 1 is asked for.": [
            codes,
            (x + 1) / 2,
            (y + 1) / 2,
        ],
        edges: [codes, x * (wide - 1) / wide, y * (tall - 1) / tall],
        of_picture: [codes, x_of_picture, y_of_picture],
        "y points upwards; it grows with the row.": [codes, x, -y],
        "the coordinates are missing (they are 0).": [codes, 0 * x, 0 * y],
        of_relu: [codes, x.relu(), y.relu()],
        "the picture is linear; yours is squashed by a sigmoid.": squashed,
        "there is no ReLU between the layers.": [2 * codes, 2 * x, 2 * y],
    }
    return {sentence: torch.cat(parts, 1) for sentence, parts in channels.items()}


def letting_through(inputs: int) -> list[Tensor]:
    """Weights of three convolutions after which each input is what it was, in spite of the ReLUs.

    Half of the hidden channels hold what is positive, the others what is negative.

    Args:
        inputs: Channels of the input, and of the picture; there are twice as many between.
    """
    one = torch.eye(inputs)
    layers = [torch.cat([one, -one]), torch.eye(2 * inputs), torch.cat([one, -one], 1)]
    weights = []
    for layer in layers:
        kernel = torch.zeros(*layer.shape, 3, 3)
        kernel[:, :, 1, 1] = layer
        weights += [kernel, torch.zeros(len(layer))]
    return weights


def random_weights(sizes: Sequence[int], seed: int) -> list[Tensor]:
    """Weights and biases of convolutions of kernel 3; both hidden layers have the same biases.

    Args:
        sizes: Channels of the input, hidden ones, and of the picture.
        seed: The same seed gives the same numbers.
    """
    inputs, hidden, outputs = sizes
    generator = torch.Generator().manual_seed(seed)
    weights: list[Tensor] = []
    for into, out in [(inputs, hidden), (hidden, hidden), (hidden, outputs)]:
        kernel = torch.randn(out, into, 3, 3, generator=generator) / (3 * math.sqrt(into))
        weights += [kernel, torch.randn(out, generator=generator)]
    weights[3] = weights[1]
    return weights


def give_weights(module: Any, weights: Sequence[Tensor]) -> None:
    """Give a module the weights and biases of three convolutions.

    They are told by their shapes: names do not matter, and what else a module stores (coordinates)
    stays as it is.

    Args:
        module: The student's.
        weights: Weight, bias, weight, and so on; those of one shape must be equal.

    Raises:
        NotYet: The module holds others.
    """
    is_module = hasattr(module, "state_dict") and hasattr(module, "load_state_dict")
    expect(is_module, "Decoder must be a torch module: class Decoder(nn.Module).")
    state = module.state_dict()
    by_shape = {tuple(weight.shape): weight for weight in weights}
    names = [name for name, value in state.items() if tuple(value.shape) in by_shape]
    found = sorted(tuple(state[name].shape) for name in names)
    held = [list(value.shape) for value in state.values()]
    expect(
        found == sorted(tuple(weight.shape) for weight in weights),
        f"the module holds numbers of shapes {held}; three convolutions with weights and biases "
        f"of shapes {[list(weight.shape) for weight in weights]} are asked for, made in __init__ "
        "(those in a plain list are not found).",
    )
    module.load_state_dict(state | {name: by_shape[tuple(state[name].shape)] for name in names})


def _convolves(build: Callable[..., Any]) -> None:
    """With other weights, what three convolutions and two ReLUs make of it."""
    sizes = dict(z_dim=1, channels=5, out_channels=2, height=1, width=2)
    module = call(build, **sizes)
    weights = random_weights([3, 5, 2], seed=0)
    give_weights(module, weights)
    z = torch.tensor([[0.5], [-2]])
    got = call(module, z=z)
    what = "the picture of 2 codes of one number with random weights"
    is_tensor(got, (2, 2, 1, 2), what)
    x = torch.linspace(-1, 1, 8).expand(2, 1, 7, 8)
    y = torch.linspace(-1, 1, 7)[:, None].expand(2, 1, 7, 8)
    volume = torch.cat([z[:, :, None, None].expand(2, 1, 7, 8), x, y], 1)
    right, *wrong = (
        _after_three_layers(volume, weights, rectified)
        for rectified in [(1, 1, 0), (0, 1, 0), (1, 0, 0), (0, 0, 0), (1, 1, 1)]
    )
    sentences = [
        "no ReLU follows the first convolution.",
        "no ReLU follows the second convolution.",
        "there is no ReLU between the convolutions.",
        "the picture is linear: no ReLU follows the last convolution.",
    ]
    same(got, right, what, dict(zip(sentences, wrong, strict=True)))


def _after_three_layers(
    volume: Tensor, weights: Sequence[Tensor], rectified: Sequence[int]
) -> Tensor:
    """What three convolutions make of a volume; `rectified` says which a ReLU follows."""
    for layer, follows in enumerate(rectified):
        volume = conv2d(volume, weights[2 * layer], weights[2 * layer + 1])
        volume = relu(volume) if follows else volume
    return volume


# Task 2: the loss


class LossInputs(NamedTuple):
    """What a loss is given."""

    images: Tensor
    reconstruction: Tensor
    mean: Tensor
    logvar: Tensor
    sigma: float
    beta: float


OFF = torch.tensor([[1.0, -2, 0, 0, 0.5, 0], [0, 0, 0.5, 0, 0, 0], [0, 0, 0, -1, 0, 0]])
OFF = OFF.view(3, 1, 2, 3)
"""By how much the pixels of a reconstruction are off; the squares add up to 5.25, 0.25 and 1."""
MEAN = torch.tensor([[0.5, 2], [0, -1], [0, 0]])
LOGVAR = torch.tensor([[0.0, 0], [1, 0], [0, -2]])
KL = (4.25 + (math.e - 2 + 1) + (math.exp(-2) + 2 - 1)) / 2 / 3
"""Of MEAN and LOGVAR, by hand, averaged over the images."""
SIGMA = 0.4
ERROR = (5.25 + 0.25 + 1) / (2 * 0.16) / 3
"""Of OFF, averaged over the images."""


@torch.enable_grad()
def loss(function: Callable[..., Any]) -> None:
    """Check the loss of a VAE whose pixels are Gaussian.

    Args:
        function: (images [N, C, H, W], reconstruction, mean [N, K], logvar, sigma, beta) -> a
            scalar: the squared error summed over an image's pixels / (2 sigma²) + beta · KL in
            nats summed over its latents, averaged over the images.
    """
    images = torch.tensor([1.0, 0, 0, 1, 0, 0] + 12 * [0.5]).view(3, 1, 2, 3)
    zero = torch.zeros(3, 2)
    perfect = LossInputs(images, images.clone(), MEAN.clone(), LOGVAR.clone(), SIGMA, 1.0)
    what = "the loss where the reconstruction is perfect, that is the KL,"
    same(scalar_of(function, perfect, what), KL, what, mistaken_kls())
    prior = LossInputs(images, images + OFF, zero, zero.clone(), SIGMA, 1.0)
    what = "the loss of codes that are the prior, that is the squared error / (2 σ²),"
    same(scalar_of(function, prior, what), ERROR, what, mistaken_errors())
    _weighs_its_terms(function, perfect._replace(reconstruction=images + OFF))
    _loss_has_gradients(function)
    _loss_of_extremes(function)
    passed("loss")


def scalar_of(function: Callable[..., Any], given: LossInputs, what: str) -> Tensor:
    """What the student's loss gives, if it is one floating-point number in a tensor."""
    got = call(function, **given._asdict())
    shape = list(got.shape) if isinstance(got, Tensor) else []
    several = shape == [len(given.images)] and len(given.images) > 1
    expect(not several, f"{what} is one number for each image; take their mean to get a scalar.")
    is_tensor(got, (1,) if shape == [1] else (), what)
    return got.reshape(())


def mistaken_kls() -> Mistakes:
    """What the usual mistakes make of the average KL divergence of MEAN and LOGVAR."""
    square, variance = MEAN.square(), LOGVAR.exp()
    of_latents = {
        "the variance is exp(logvar); you have used logvar in its place.": square - 1,
        "logvar is the log-variance, not the log of the standard deviation: "
        "σ² = exp(logvar).": square + (2 * LOGVAR).exp() - 2 * LOGVAR - 1,
        "you have the standard deviation where the variance belongs: σ² = exp(logvar).": square
        + (LOGVAR / 2).exp()
        - LOGVAR
        - 1,
        "in the KL, the mean must be squared.": MEAN + variance - LOGVAR - 1,
        "in the KL it is -logvar, +σ²: the two have changed places.": square
        - variance
        + LOGVAR
        + 1,
        "in the KL the 1 is missing: the KL of the prior to itself is 0.": square
        + variance
        - LOGVAR,
    }
    wrong: dict[str, Any] = {
        sentence: twice.sum(1).mean() / 2 for sentence, twice in of_latents.items()
    }
    return wrong | {
        "the sign of the KL is wrong: it is never negative.": -KL,
        "the factor ½ of the KL is missing.": 2 * KL,
        "the KL is in bits; nats are asked for: the natural logarithm.": KL / math.log(2),
        "the KL is missing.": 0.0,
        "this is the mean over the latents; their KL is summed.": KL / 2,
        "this is the sum over the images; their mean is asked for.": 3 * KL,
        "this is the mean over the latents, and the sum over the images; it is the other way "
        "round.": 3 * KL / 2,
    }


def mistaken_errors() -> Mistakes:
    """What the usual mistakes make of the squared error of OFF, divided by 2 SIGMA²."""
    squares = OFF.square().sum((1, 2, 3))  # [3]
    mean, weight = squares.mean(), 1 / (2 * SIGMA**2)
    return {
        "this is the mean over the pixels; their squared errors are summed.": ERROR / 6,
        "this is the sum over the images; their mean is asked for.": 3 * ERROR,
        "the error is squared, not absolute.": weight * OFF.abs().sum((1, 2, 3)).mean(),
        "take the sum of squares, not its root.": weight * squares.sqrt().mean(),
        "multiply by 1 / (2 σ²), not by 2 σ².": mean * 2 * SIGMA**2,
        "the squared error is not weighed by 1 / (2 σ²).": mean,
        "σ is the standard deviation: divide by 2 σ², not by 2 σ.": mean / (2 * SIGMA),
        "the factor ½ is missing: divide by 2 σ².": 2 * ERROR,
        "the sign of the error is wrong.": -ERROR,
        "the squared error is missing.": 0.0,
    }


def _weighs_its_terms(function: Callable[..., Any], given: LossInputs) -> None:
    """β is a factor of the KL alone."""
    for beta in (0.0, 3.0):
        what = f"the loss for beta {beta:g}"
        mistakes = {
            f"{what} is that for beta 1: multiply the KL by beta.": ERROR + KL,
            f"{what}: beta weighs the KL, not the squared error.": beta * ERROR + KL,
            f"{what}: beta weighs the KL alone.": beta * (ERROR + KL),
        }
        if beta:
            mistakes[f"{what}: multiply the KL by beta, do not divide."] = ERROR + KL / beta
        got = scalar_of(function, given._replace(beta=beta), what)
        same(got, ERROR + beta * KL, what, mistakes)


def _loss_has_gradients(function: Callable[..., Any]) -> None:
    """What reaches the decoder, and what reaches the encoder, image by image."""
    given = LossInputs(torch.zeros_like(OFF), OFF, MEAN, LOGVAR, SIGMA, beta=2.5)
    in_kl = [MEAN, (LOGVAR.exp() - 1) / 2]
    right = [OFF / SIGMA**2 / 3, *(2.5 * slope / 3 for slope in in_kl)]
    loss_gradients(function, given, right)


def loss_gradients(
    function: Callable[..., Any], given: LossInputs, right: Sequence[Tensor]
) -> None:
    """Expect these gradients of the loss in the reconstruction, in mean, and in logvar."""
    names = ["reconstruction", "mean", "logvar"]
    inputs = [differentiable(getattr(given, name)) for name in names]
    reconstruction, mean, logvar = inputs
    given = given._replace(reconstruction=reconstruction, mean=mean, logvar=logvar)
    found = gradients(scalar_of(function, given, "the loss"), inputs, torch.ones(()))
    learns = ["decoder", "encoder", "encoder"]
    for name, learner, one, wanted in zip(names, learns, found, right, strict=True):
        gradient_reaches(one, wanted, name, f"the {learner} could not learn.")


def _loss_of_extremes(function: Callable[..., Any]) -> None:
    """Tiny and huge variances, where a number that was added, or a limit, shows."""
    image, zero = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1)
    for number in (-20.0, 20.0):
        given = LossInputs(image, image.clone(), zero, zero + number, 1.0, 1.0)
        kept = "use logvar as it is, neither cut nor made anew as log(exp(logvar) + a little)"
        what = f"the loss for mean 0 and logvar {number:g}, with a perfect picture ({kept}),"
        right = (math.exp(number) - number - 1) / 2
        same(scalar_of(function, given, what), right, what)


# Task 3: a training step

W = 10.0
"""The weight of the squared error in a training step."""
BETA = 30.0


@torch.enable_grad()
def training_step(function: Callable[..., Any], new_vae: Callable[..., Any], rate: float) -> None:
    """Check a function that makes one update.

    Args:
        function: (model, optimizer, images [N, 1, 32, 32], noise [N, K], beta) -> the loss before
            the update.
        new_vae: (seed) -> a model with `encoder` and `decoder`, and an optimizer that moves its
            weights against the gradient, times `rate`; the notebook's own.
        rate: The optimizer's learning rate.
    """
    images, noise = some_images(3)
    model, optimizer = new_vae(0)
    before = weights_of(model)
    right = loss_of(model, images, noise, BETA)
    mistakes = mistaken_steps(model, images, noise)
    given = dict(model=model, optimizer=optimizer, images=images, noise=noise)
    got = is_number(call(function, **given, beta=BETA), "training_step")
    after = weights_of(model)
    loss_after = loss_of(model, images, noise, BETA)
    mistakes["this is the loss after the update; that before it is asked for."] = loss_after
    model.load_state_dict(before)
    again = is_number(call(function, **given, beta=BETA), "training_step")
    expect(
        abs(again - got) <= 1e-6 * abs(got),
        f"two steps from the same weights, with the same images and noise, have the losses "
        f"{' and '.join(told_apart(got, again))}: use the noise that is given, do not draw yours.",
    )
    same(got, right, "the loss that training_step gives", mistakes, 1e-5)
    _every_part_moves(before, after)
    _no_gradient_is_left(before, after, weights_of(model))
    model.load_state_dict(before)
    call(function, **given, beta=0.0)
    _every_part_moves(before, weights_of(model), " where beta is 0, so that the picture alone")
    _steps_along_the_gradient(before, after, right - loss_after, rate)
    _the_loss_falls(function, new_vae)
    passed("training_step")


def some_images(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images [count, 1, 32, 32] with a bright square each, and noise [count, 4] for their codes."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.1 * torch.rand(count, 1, 32, 32, generator=generator)
    for number, image in enumerate(images):
        corner = 3 + 5 * number % 20
        image[0, corner : corner + 8, 4:14] += 0.8
    return images, torch.randn(count, 4, generator=generator)


def weights_of(model: Any) -> dict[str, Tensor]:
    """A copy of a model's weights, by name."""
    return {name: copied(value) for name, value in model.state_dict().items()}


def loss_of(model: Any, images: Tensor, noise: Tensor, beta: float) -> float:
    """W · squared error + beta · KL of images, with this noise."""
    with torch.no_grad():
        mean, logvar = model.encoder(images)
        return _loss_of_code(model, images, mean + (logvar / 2).exp() * noise, mean, logvar, beta)


def _loss_of_code(
    model: Any, images: Tensor, z: Tensor, mean: Tensor, logvar: Tensor, beta: float
) -> float:
    error = (model.decoder(z) - images).square().sum((1, 2, 3))
    kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)
    return float((W * error + beta * kl).mean())


def mistaken_steps(model: Any, images: Tensor, noise: Tensor) -> dict[str, Any]:
    """What the usual mistakes make of the loss of a step."""
    with torch.no_grad():
        mean, logvar = model.encoder(images)
        std = (logvar / 2).exp()
        is_std = "the standard deviation is exp(logvar / 2)"
        codes = {
            "you decode the mean: a sample is asked for, with the noise that is given.": mean,
            f"you multiply the noise by the variance; {is_std}, its root.": mean
            + std.square() * noise,
            f"you multiply the noise by logvar; {is_std}.": mean + logvar * noise,
            f"you multiply the noise by logvar / 2; {is_std}.": mean + logvar / 2 * noise,
            f"the noise is added as it is: multiply it by its scale; {is_std}.": mean + noise,
            "the sign of the noise is wrong.": mean - std * noise,
            "the standard deviation is exp(+logvar / 2).": mean + noise / std,
            "you decode the noise alone: the mean is missing.": std * noise,
        }
        wrong: dict[str, Any] = {
            sentence: _loss_of_code(model, images, z, mean, logvar, BETA)
            for sentence, z in codes.items()
        }
        z = mean + std * noise
        of_betas = {
            "this is the loss for beta 1: hand beta on.": 1.0,
            "this is the loss without the KL: hand beta on.": 0.0,
        }
        for sentence, beta in of_betas.items():
            wrong[sentence] = _loss_of_code(model, images, z, mean, logvar, beta)
    return wrong


def _every_part_moves(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], where: str = ""
) -> None:
    """The decoder, the encoder, and its two answers."""
    moved = [name for name, weight in before.items() if not torch.equal(weight, after[name])]
    expect(moved, "no weight has changed: loss.backward(), and then optimizer.step().")
    teaches = f"{where} teaches them" if where else ""
    learn = "no gradient reaches them (detach, .data, no_grad, a new tensor?)."
    for part in ("decoder", "encoder", "encoder.mean", "encoder.logvar"):
        there = any(name.startswith(f"{part}.") for name in moved)
        expect(there, f"the weights of {part} have not changed{teaches}: {learn}")


def _steps_along_the_gradient(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], fall: float, rate: float
) -> None:
    """A short step against the gradient takes the loss down by its length squared / rate."""
    length = _step(before, after).norm()
    foreseen = float(length**2) / rate
    told = f"an update takes the loss down by {fall:.3g}; one of this length against the gradient"
    expect(fall > 0, f"an update takes the loss up by {-fall:.3g}: is the gradient's sign right?")
    expect(
        0.7 < fall / foreseen < 1.4,
        f"{told} would by {foreseen:.3g}: several steps, or a gradient that was changed?",
    )


def _step(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Tensor:
    """By how much all weights changed, in one row."""
    return torch.cat([(after[name] - weight).flatten() for name, weight in before.items()])


def _no_gradient_is_left(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], again: Mapping[str, Tensor]
) -> None:
    """A second step from the same weights is the same step."""
    times = float(_step(before, again).norm() / _step(before, after).norm())
    expect(
        abs(times - 1) < 1e-3,
        f"a second step from the same weights is {told_apart(times, 1)[0]} times as long as the "
        "first: the gradients of the first are still there. Call optimizer.zero_grad().",
    )


def _the_loss_falls(function: Callable[..., Any], new_vae: Callable[..., Any]) -> None:
    """Over updates with the same images."""
    images, noise = some_images(4, seed=1)
    model, optimizer = new_vae(1)
    losses = [
        is_number(function(model, optimizer, images, noise, 1.0), "training_step") for _ in range(6)
    ]
    first, last = told_apart(losses[0], losses[-1])
    falls = f"after 5 updates the loss is {last}, at first it was {first}: it must fall."
    expect(losses[-1] < losses[0], falls)


# Task 4: the cost


def multiply_adds(function: Callable[..., Any]) -> None:
    """Check a function that counts multiply-adds of convolutions of stride 1 that keep the size.

    Args:
        function: (channels, kernel, height, width) -> multiply-adds for one image.
    """
    channels, kernel, height, width = [5, 7, 3], 3, 4, 6
    what = f"multiply_adds({channels}, {kernel}, {height}, {width})"
    given = dict(channels=channels, kernel=kernel, height=height, width=width)
    got = is_number(call(function, **given), what)
    same(got, 9 * (5 * 7 + 7 * 3) * 4 * 6, what, mistaken_costs(), 1e-9)
    _cost_beyond_32_bits(function)
    passed("multiply_adds")


def mistaken_costs() -> Mistakes:
    """What the usual mistakes make of 5, 7 and 3 channels, kernel 3, and 4 x 6 pixels."""
    first, last = 5 * 7, 7 * 3
    pairs, pixels = first + last, 4 * 6
    right = 9 * pairs * pixels
    one_row = 3 * pairs * pixels
    outputs = 7 + 3  # each with a bias
    product = (9 * first * pixels) * (9 * last * pixels)
    multiply_two = "every output channel reads every input channel: multiply the two"
    return {
        "these are the weights; each is used once for every pixel.": 9 * pairs,
        "a kernel is as high as wide: kernel² weights for each pair of channels.": one_row,
        "the kernel is missing.": pairs * pixels,
        "a multiply-add counts once; you count its two operations.": 2 * right,
        f"{multiply_two}, not the inputs alone.": 9 * (5 + 7) * pixels,
        f"{multiply_two}, not the outputs alone.": 9 * (7 + 3) * pixels,
        f"{multiply_two}, do not add them.": 9 * (5 + 7 + 7 + 3) * pixels,
        "biases are no multiply-adds.": right + outputs * pixels,
        "biases are no multiply-adds, and have no kernel.": right + 9 * outputs * pixels,
        "this is the last layer alone; add up all layers.": 9 * last * pixels,
        "this is the first layer alone; add up all layers.": 9 * first * pixels,
        "the image has height · width pixels, not height².": 9 * pairs * 4 * 4,
        "the image has height · width pixels, not width².": 9 * pairs * 6 * 6,
        "the layers' counts add up; you multiply them.": product,
        "add up pairs of neighbours; you multiply all channels.": 9 * 5 * 7 * 3 * pixels,
    }


def _cost_beyond_32_bits(function: Callable[..., Any]) -> None:
    channels, kernel, height, width = [3, 513, 511, 3], 5, 127, 129
    what = f"multiply_adds({channels}, {kernel}, {height}, {width})"
    given = dict(channels=channels, kernel=kernel, height=height, width=width)
    got = is_number(call(function, **given), what)
    right = 25 * (3 * 513 + 513 * 511 + 511 * 3) * 127 * 129
    low_bits = right % 2**32
    wrapped = low_bits - 2**32 if low_bits >= 2**31 else low_bits
    mistake = f"{what} needs more than 32 bits: count in Python's whole numbers."
    same(got, right, what, {mistake: wrapped}, tolerance=0, absolute=0.5)


# Task 5: a square, by hand

SQUARES = [[0.3, -0.2, 0.2], [-0.4, 0.5, 0.35], [0.0, 0.1, 0.5]]
"""Codes of the squares that are looked at: x, y, and half the side."""


def square_by_hand(paint: Callable[..., Tensor], weights: Callable[[], Any]) -> None:
    """Check weights that paint a square.

    Args:
        paint: (weights, z [N, 3], img_size) -> [N, img_size, img_size]; the notebook's own.
        weights: () -> w1 [hidden, 5], b1 [hidden], w2 [1, hidden], b2 [1].
    """
    tensors = four_weights(weights())
    seen = [square_seen(paint(tensors, torch.tensor([z]), 65)[0]) for z in SQUARES]
    for z, square in zip(SQUARES, seen, strict=True):
        expect(square.light > 0.002, f"at z = {z} the picture is black.")
        expect(square.light < 3.5, f"at z = {z} the picture is (nearly) all white.")
    for z, square in zip(SQUARES, seen, strict=True):
        _is_centered(square, z)
    widths = [square.width for square in seen]
    expect(
        max(widths) - min(widths) > 0.05,
        f"the width is {widths[0]:.2f} whatever z3 is; z3 is half the side.",
    )
    for z, square in zip(SQUARES, seen, strict=True):
        _is_square(square, z)
    passed("square_weights")


def four_weights(answer: Any) -> tuple[Tensor, ...]:
    """w1, b1, w2 and b2 in float32, if these are four tensors of shapes that fit together."""
    several = parts(answer, 4, "four tensors are asked for: w1, b1, w2, b2.")
    hidden = len(several[0]) if isinstance(several[0], Tensor) and several[0].ndim else 1
    is_tensor(several[0], (hidden, 5), "w1")
    is_tensor(several[1], (hidden,), "b1")
    is_tensor(several[2], (1, hidden), "w2")
    is_tensor(several[3], (1,), "b2")
    return tuple(weight.detach().float() for weight in several)


def _is_centered(square: "Seen", z: list[float]) -> None:
    where = f"at z = {z} the light's centre is at ({square.x:.2f}, {square.y:.2f})"
    swapped = "x and y are swapped. The inputs are z1, z2, z3, x, y, in this order."
    signs = "the signs of z1 and z2 are wrong: x - z1 measures the way."
    mistakes = {f"{where}: {swapped}": (z[1], z[0]), f"{where}: {signs}": (-z[0], -z[1])}
    found, right = (square.x, square.y), (z[0], z[1])
    what = f"the light's centre at z = {z} in coordinates from -1 to 1"
    same(found, right, what, mistakes, tolerance=0, absolute=0.04)


def _is_square(square: "Seen", z: list[float]) -> None:
    sides = f"at z = {z} the light is {square.width:.2f} wide and {square.height:.2f} high"
    fill = square.light / (square.width * square.height)
    expect(
        fill >= 0.7,
        f"{sides}, but fills {fill:.0%} of that: a diamond? Each of the four sides needs a unit "
        "of its own.",
    )
    expect(fill >= 0.88, f"{sides}, but fills {fill:.0%} of that: its corners are cut off.")
    whole_side = abs(square.width - z[2]) < 0.1 * z[2]
    expect(not whole_side, f"{sides}: z3 is *half* the side; yours is the whole side.")
    off = max(abs(square.width - 2 * z[2]), abs(square.height - 2 * z[2]))
    expect(off < 0.12, f"{sides}; both should be 2 · z3 = {2 * z[2]:.2f}.")


class Seen(NamedTuple):
    """What is light in an image, in coordinates from -1 to 1."""

    light: float
    """Its area, out of 4."""
    x: float
    """Of its centre."""
    y: float
    width: float
    """Of the columns that hold a pixel lighter than ½."""
    height: float


def square_seen(image: Tensor) -> Seen:
    """What is light in an image [H, H]."""
    height = len(image)
    expect(image.shape == (height, height), f"paint gives shape {list(image.shape)}.")
    at = torch.linspace(-1, 1, height)
    pixel = 2 / (height - 1)
    light = image.sum().item()
    if light == 0:
        return Seen(0.0, 0.0, 0.0, 0.0, 0.0)
    columns, rows = image.amax(0) > 0.5, image.amax(1) > 0.5
    return Seen(
        light=light * pixel**2,
        x=(image.sum(0) @ at).item() / light,
        y=(image.sum(1) @ at).item() / light,
        width=columns.sum().item() * pixel,
        height=rows.sum().item() * pixel,
    )
