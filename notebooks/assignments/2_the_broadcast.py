# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 2 · The broadcast
#
# **You will be able to** write a spatial broadcast decoder, the loss of a VAE and one step of its training, count what
# a stack of convolutions costs, and set a broadcast decoder's weights by hand.
#
# **You need** notebook 02.
#
# **Time**: 85 minutes. **Marks**: 25; 22 of them are given by machine, 3 by your teacher. A task that is graded by
# machine earns all its marks or none.
#
# Write in the cells that raise `NotImplementedError`; keep the names of functions and arguments. What a function is
# given belongs to its caller: leave it as it is. The check below each task says at once what it found. When your work
# is graded, other sizes and edge cases are tried, too. In both, the library's own code for the task is not available;
# helpers of your own may have any name, and PyTorch is yours.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import sys
from pathlib import Path

CLONE = Path("../..").resolve()  # of the course; elsewhere the library is installed, or lies here
if (CLONE / "sbd_utils").is_dir():
    sys.path.insert(0, str(CLONE))

import torch
from matplotlib import pyplot as plt
from torch import nn

import sbd_utils
from sbd_utils import checks, plot_examples, show

# %% [markdown]
# ## Task 1 · The decoder (6 marks)
#
# Notebook 02's decoder pads each convolution with zeros. The paper's does not: so no pixel can tell from the padding
# that it lies near the border. What is tiled must then be larger than the picture. Write that decoder, for pictures
# that need not be square.
#
# **Given** to `__init__`: the number of latents `z_dim`, the width `channels` of the two hidden layers, and the
# picture's `out_channels`, `height` and `width`. To `forward`: codes `z [N, z_dim]`.
#
# **Wanted** a picture `[N, out_channels, height, width]`. The code is tiled to (height + 6) × (width + 6) pixels.
# Channel k < z_dim of image n is `z[n, k]` at every pixel. Then comes x: −1 in the first column of *what is tiled*, 1
# in its last, evenly spaced; then y, likewise with rows. Three convolutions follow, of kernel 3 and stride 1, with bias
# and without padding: `z_dim + 2` → `channels` → `channels` → `out_channels`. A ReLU stands between them, none behind
# the last.
#
# <details><summary>Hint 1</summary>
#
# What is the same for every code (layers, coordinates) is made once, when the module is built. A module finds the
# weights of layers that are its attributes, or that stand in a container of PyTorch's; not those in a plain list. The
# coordinates are no weights: a *buffer* is what a module carries along without training it.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `nn.Sequential(...)` holds layers. `torch.meshgrid(rows, columns, indexing="ij")` gives the row's and then the
# column's value at every pixel. `self.register_buffer("grid", torch.stack([x, y]))`. In `forward`, `z[:, :, None,
# None].expand(...)` repeats without copying, `grid.expand(len(z), ...)` gives each code the coordinates, and
# `torch.cat(..., 1)` joins channels.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "Decoder", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Decoder(nn.Module):
    """A spatial broadcast decoder without padding."""

    def __init__(self, z_dim: int, channels: int, out_channels: int, height: int, width: int):
        super().__init__()
        ### BEGIN SOLUTION: make the layers in __init__; give pictures [N, out_channels, height, width] in forward
        rows, columns = torch.linspace(-1, 1, height + 6), torch.linspace(-1, 1, width + 6)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        self.register_buffer("grid", torch.stack([x, y]))  # [2, height + 6, width + 6]
        self.convs = nn.Sequential(
            nn.Conv2d(z_dim + 2, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, out_channels, 3),
        )
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures [N, out_channels, height, width] of codes [N, z_dim]."""
        ### BEGIN SOLUTION: make the layers in __init__; give pictures [N, out_channels, height, width] in forward
        tiled = z[:, :, None, None].expand(-1, -1, *self.grid.shape[1:])
        return self.convs(torch.cat([tiled, self.grid.expand(len(z), -1, -1, -1)], 1))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "Decoder-test", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.coordinate_map, sbd_utils.SpatialBroadcastDecoder]
with checks.without(*_library):
    checks.decoder(Decoder)
### BEGIN HIDDEN TESTS
torch.set_grad_enabled(True)
for _z_dim, _channels, _out, _h, _w, _scale in [
    (10, 16, 1, 12, 12, 1),
    (2, 7, 3, 16, 16, 1e3),
    (1, 4, 2, 5, 14, 1),
    (3, 6, 1, 10, 1, 1e-3),
]:
    _g = torch.Generator().manual_seed(_h)
    _weights = checks.random_weights([_z_dim + 2, _channels, _out], seed=_w)
    _codes = _scale * torch.randn(3, _z_dim, generator=_g)
    _z, _given = checks.differentiable(_codes), checks.differentiable(_codes)
    # the library's decoder with the same weights, and where the picture is no square, its grid
    _own = sbd_utils.SpatialBroadcastDecoder(
        im_size=_h + 6, out_channels=_out, z_dim=_z_dim, channels=_channels, padding=False
    )
    _x, _y = torch.linspace(-1, 1, _w + 6), torch.linspace(-1, 1, _h + 6)
    if _h != _w:
        _own.grid = torch.stack([_x.expand(_h + 6, -1), _y[:, None].expand(-1, _w + 6)])[None]
    _own.load_state_dict(dict(zip(_own.state_dict(), _weights, strict=True)))
    _right = _own(_given)
    with checks.without(*_library):
        _module = checks.call(
            Decoder, z_dim=_z_dim, channels=_channels, out_channels=_out, height=_h, width=_w
        )
        checks.give_weights(_module, _weights)
        _got = checks.call(_module, z=_z)
    _what = f"pictures of {_h} x {_w} pixels and {_out} channels of 3 codes of {_z_dim} numbers"
    checks.is_tensor(_got, (3, _out, _h, _w), _what)
    checks.same(_got, _right, _what, absolute=1e-4 * _scale)
    _slopes = torch.rand(_got.shape, generator=_g)
    (_found,) = checks.gradients(_got, [_z], _slopes)
    (_wanted,) = checks.gradients(_right, [_given], _slopes)
    checks.gradient_reaches(_found, _wanted, "z", "an encoder could not learn.")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 2 · The loss (5 marks)
#
# A decoder's picture is the mean of a Gaussian for every pixel, with the standard deviation σ, the same for all.
#
# **Given** `images [N, C, H, W]`, their `reconstruction`, of the same shape, the encoder's answers `mean [N, K]` and
# `logvar [N, K]` (the logarithm of the *variance*), and the numbers `sigma` > 0 and `beta` ≥ 0.
#
# **Wanted** a scalar tensor. For every image: the squared error, summed over its channels and pixels, divided by 2 σ²;
# plus β times the KL divergence of N(mean, exp(logvar)) to the prior N(0, 1), in nats, summed over its latents. The
# loss is the mean over the images. Gradients must be able to flow to `reconstruction`, `mean` and `logvar`.
#
# <details><summary>Hint 1</summary>
#
# Two sums and one mean: what is averaged over pixels or latents would change with their number. Notebook 02 has the KL
# of one latent; notebook 02's weight w of the squared error is 1 / (2 σ²).
#
# </details>
# <details><summary>Hint 2</summary>
#
# For one latent, KL = ½ (μ² + σ² − log σ² − 1), with σ² = `logvar.exp()` here. `x.sum((1, 2, 3))` sums each image's
# numbers, `.mean()` is the mean over what is left.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss(
    images: torch.Tensor,
    reconstruction: torch.Tensor,
    mean: torch.Tensor,
    logvar: torch.Tensor,
    sigma: float,
    beta: float,
) -> torch.Tensor:
    """Squared error / (2 sigma²) + beta * KL of images [N, C, H, W], averaged over the images; a scalar."""
    ### BEGIN SOLUTION: give the loss of a batch, a scalar
    error = (reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2)  # [N]
    kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)  # [N], in nats
    return (error + beta * kl).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "loss-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.kl_divergence, sbd_utils.elbo_loss]
with checks.without(*_library):
    checks.loss(loss)
### BEGIN HIDDEN TESTS
torch.set_grad_enabled(True)
for _shape, _k, _scale, _sigma, _beta, _seed in [
    ((6, 1, 5, 4), 10, 1, 0.2, 1.0, 0),
    ((1, 3, 2, 2), 3, 1, 1.0, 0.5, 1),
    ((5, 2, 1, 1), 1, 9, 2.0, 4.0, 2),
    ((4, 1, 16, 16), 2, 1, 0.01, 16.0, 3),
]:
    _g = torch.Generator().manual_seed(_seed)
    _images, _pictures = (torch.rand(_shape, generator=_g).double() for _ in range(2))
    _mean = 2 * _scale * torch.randn(_shape[0], _k, generator=_g).double()
    _logvar = _scale * (torch.randn(_shape[0], _k, generator=_g).double() - 1)
    _w = 1 / (2 * _sigma**2)
    _inputs = [checks.differentiable(_value) for _value in (_pictures, _mean, _logvar)]
    _right = sbd_utils.elbo_loss(_images, *_inputs, _w, _beta).total
    _slopes = torch.autograd.grad(_right, _inputs)
    for _dtype in (torch.float64, torch.float32):
        _tensors = [_value.to(_dtype) for _value in (_images, _pictures, _mean, _logvar)]
        _given = checks.LossInputs(*_tensors, sigma=_sigma, beta=_beta)
        _what = f"the loss of images of shape {list(_shape)} with {_k} latents"
        with checks.without(*_library):
            checks.same(checks.scalar_of(loss, _given, _what), _right, _what, tolerance=1e-5)
            checks.loss_gradients(loss, _given, _slopes)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 3 · A training step (5 marks)
#
# Here is a small VAE with random weights, and an optimizer. It moves every weight against its gradient, times `RATE`:
# the plainest there is, so that each step shows what the gradient was.


# %% nbgrader={"grade": false, "grade_id": "new_vae", "locked": true, "schema_version": 3, "solution": false, "task": false}
RATE = 2e-6  # what a gradient is multiplied by


class Parts(nn.Module):
    """The two halves of a VAE for images [N, 1, 32, 32]; to join them is your task."""

    def __init__(self):
        super().__init__()
        self.encoder = sbd_utils.Encoder(im_size=32, z_dim=4, channels=8)
        self.decoder = sbd_utils.SpatialBroadcastDecoder(im_size=32, z_dim=4, channels=8)


def new_vae(seed: int = 0) -> tuple[Parts, torch.optim.Optimizer]:
    """Both halves with random weights, and what updates them."""
    torch.manual_seed(seed)
    model = Parts()
    return model, torch.optim.SGD(model.parameters(), lr=RATE)


# %% [markdown]
# **Given** such a `model` and `optimizer`, `images [N, 1, 32, 32]`, standard normal `noise [N, 4]`, and `beta`.
#
# **Wanted** one update of all weights of `model`, and the loss *before* it, as a number. `model.encoder(images)` gives
# mean and log-variance `[N, 4]`; a sample z of N(mean, exp(logvar)) is made of the noise; `model.decoder(z)` gives the
# reconstruction. The loss is `sbd_utils.elbo_loss(images, reconstruction, mean, logvar, w=10, beta=beta).total`, so
# that a mistake in task 2 costs nothing here. Gradients of an earlier step must not count.
#
# <details><summary>Hint 1</summary>
#
# The noise must be scaled and moved, so that the gradient can pass through it to both of the encoder's answers: a
# standard deviation is the root of a variance, and a root is half of the logarithm. Then four things: forget the old
# gradients, compute new ones, update, and report.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `(logvar / 2).exp()` is the standard deviation. `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`, and
# `.item()` makes a plain number of a scalar tensor.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "training_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def training_step(
    model, optimizer, images: torch.Tensor, noise: torch.Tensor, beta: float
) -> float:
    """Update a VAE's weights once; the loss of the images before that."""
    ### BEGIN SOLUTION: update the weights of model once, and give the loss before that
    mean, logvar = model.encoder(images)
    reconstruction = model.decoder(mean + (logvar / 2).exp() * noise)
    total = sbd_utils.elbo_loss(images, reconstruction, mean, logvar, w=10, beta=beta).total
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "training_step-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.sample_posterior, sbd_utils.VAE.loss, sbd_utils.VAE.forward]
_library += [sbd_utils.fit, sbd_utils.train_circles]
with checks.without(*_library):
    checks.training_step(training_step, new_vae, RATE)
### BEGIN HIDDEN TESTS
torch.set_grad_enabled(True)
for _n, _beta, _seed in [(1, 0.0, 2), (5, 1.0, 3), (2, 300.0, 4)]:
    _images, _noise = checks.some_images(_n, _seed)
    _model, _optimizer = new_vae(_seed)
    _own = sbd_utils.VAE(im_size=32, z_dim=4, channels=8)
    for _step in range(2):
        _before = checks.weights_of(_model)
        _own.load_state_dict(_before)
        _loss = _own.train().loss(_images, lambda _k, _n=_noise: _n, w=10.0, beta=_beta).total
        _own.zero_grad()
        _loss.backward()
        with checks.without(*_library):
            _step_of = dict(model=_model, optimizer=_optimizer, images=_images, noise=_noise)
            _got = checks.call(training_step, **_step_of, beta=_beta)
        _what = f"step {_step + 1} with {_n} images and beta {_beta:g}"
        checks.same(checks.is_number(_got, _what), _loss, f"the loss of {_what}")
        _after = checks.weights_of(_model)
        for _name, _weight in _own.named_parameters():
            _right = -RATE * _weight.grad
            _size = max(1e-9, float(_right.abs().max()))
            _rounding = 3e-7 * float(_weight.detach().abs().max())
            _of = f"the change of {_name} in {_what}"
            _moved = _after[_name] - _before[_name]
            checks.same(_moved, _right, _of, tolerance=1e-3, absolute=1e-3 * _size + _rounding)
### END HIDDEN TESTS


# %% [markdown]
# Your step, 300 times, on circles. Before you run it: what will the pictures look like after the first few dozen steps,
# when the code does not matter yet?

# %% nbgrader={"grade": false, "grade_id": "training-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
stream, model = sbd_utils.CircleStream(im_size=32), sbd_utils.VAE(im_size=32, channels=16, z_dim=4)
optimizer, generator = torch.optim.Adam(model.parameters(), 2e-3), torch.Generator().manual_seed(0)
shown = stream.render(stream.sample(6, generator))
losses, pictures = [], []
for step in range(300):
    batch, noise = (
        stream.render(stream.sample(16, generator)),
        torch.randn(16, 4, generator=generator),
    )
    losses.append(training_step(model, optimizer, batch, noise, 1.0))
    if step in (20, 299):
        pictures.append(model.decoder(model.encoder(shown)[0]).detach())
figure, axes = plt.subplots(figsize=(5, 2.6), layout="constrained")
axes.plot(losses)
axes.set(xlabel="steps", ylabel="loss", yscale="log")
show(figure, "The loss falls over 300 steps; it hardly does during the first 25.")
figure = plt.figure(figsize=(8, 4))
rows = torch.cat([*pictures, shown])
plot_examples(rows, "after 21 steps, after 300, and the images", columns=6)
show(
    figure,
    "Three rows of pictures: blurs that are all alike, soft discs in their places, the circles.",
)

# %% [markdown]
# ## Task 4 · What does it cost? (3 marks)
#
# **Given** the numbers of `channels` before, between and after a stack of convolutions of stride 1 with padding, so
# that every layer's output has `height` · `width` pixels, and the `kernel`'s width, the same for all.
#
# **Wanted** the number of multiply-adds for one image, all layers together; those with padded zeros count, biases do
# not. For the SBD of notebook 02 it is 186,384,384.


# %% nbgrader={"grade": false, "grade_id": "multiply_adds", "locked": false, "schema_version": 3, "solution": true, "task": false}
def multiply_adds(channels: list[int], kernel: int, height: int, width: int) -> int:
    """Multiply-adds of a stack of convolutions of stride 1, for one image."""
    ### BEGIN SOLUTION: give the number of multiply-adds for one image
    pairs = sum(
        channels[i] * channels[i + 1] for i in range(len(channels) - 1)
    )  # of an input and an output channel
    return height * width * kernel**2 * pairs
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "multiply_adds-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
checks.multiply_adds(multiply_adds)
### BEGIN HIDDEN TESTS
for _channels, _kernel, _h, _w, _right in [
    ([12, 64, 64, 3], 3, 64, 64, 186_384_384),
    ([1, 1], 1, 1, 1, 1),
    ([2, 3], 5, 7, 1, 1050),
    ([4, 1, 8, 2, 2], 2, 3, 10, 3840),
    ([7, 1023, 1025, 5], 7, 255, 257, 3_406_652_756_115),
]:
    _what = f"multiply_adds({_channels}, {_kernel}, {_h}, {_w})"
    _given = dict(channels=list(_channels), kernel=_kernel, height=_h, width=_w)
    checks.same(checks.call(multiply_adds, **_given), _right, _what, tolerance=0, absolute=0.5)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 5 · A square, by hand (3 marks)
#
# Here is a broadcast decoder of two layers with kernel 1. It evaluates the same small network at every pixel, on five
# numbers: z1, z2, z3, and the pixel's x and y in [−1, 1].


# %% nbgrader={"grade": false, "grade_id": "paint", "locked": true, "schema_version": 3, "solution": false, "task": false}
def paint(weights: tuple, z: torch.Tensor, img_size: int) -> torch.Tensor:
    """Images [N, img_size, img_size] in [0, 1] of codes z [N, 3] by a broadcast decoder with these weights."""
    w1, b1, w2, b2 = (w.float() for w in weights)  # [hidden, 5], [hidden], [1, hidden], [1]
    line = torch.linspace(-1, 1, img_size)
    y, x = torch.meshgrid(line, line, indexing="ij")
    tiled = z[:, :, None, None].expand(-1, -1, img_size, img_size)
    inputs = torch.cat([tiled, torch.stack([x, y]).expand(len(z), -1, -1, -1)], 1)  # [N, 5, H, H]
    hidden = torch.relu(torch.einsum("hc,ncij->nhij", w1, inputs) + b1[:, None, None])
    return (torch.einsum("oh,nhij->noij", w2, hidden) + b2[:, None, None]).clamp(0, 1)[:, 0]


# %% [markdown]
# **Wanted** weights `w1 [hidden, 5], b1 [hidden], w2 [1, hidden], b2 [1]`, for as many hidden units as you like, with
# which it paints a white square on black, upright, with its centre at x = z1, y = z2 and **sides of length 2 · z3**,
# for positions in [−0.6, 0.6] and z3 from 0.1 to 0.5. The edges must be sharp: from white to black within about one
# pixel of a 64 × 64 image.
#
# <details><summary>Hint 1</summary>
#
# A square is an intersection: x is not too far right, not too far left, y not too low, not too high. A hidden unit that
# is zero where its condition holds, and grows where it does not, can veto.
#
# </details>
# <details><summary>Hint 2</summary>
#
# relu(s · (x − z1 − z3)) is zero up to the right side and grows beyond it. Begin with white (b2 = 1) and subtract.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "square_weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
def square_weights() -> tuple:
    """Weights w1 [hidden, 5], b1 [hidden], w2 [1, hidden], b2 [1] for `paint`."""
    ### BEGIN SOLUTION: give w1, b1, w2 and b2 of a decoder that paints a square about (z1, z2) with sides 2 * z3
    w1 = 40 * torch.tensor(
        [[-1.0, 0, -1, 1, 0], [1, 0, -1, -1, 0], [0, -1, -1, 0, 1], [0, 1, -1, 0, -1]]
    )
    return w1, torch.zeros(4), -torch.ones(1, 4), torch.ones(1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "square_weights-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
checks.square_by_hand(paint, square_weights)
### BEGIN HIDDEN TESTS
_line = torch.linspace(-1, 1, 129)
for _z in [
    [-0.6, 0.6, 0.1],
    [0.6, 0.6, 0.3],
    [0.0, -0.55, 0.4],
    [0.25, 0.1, 0.5],
    [-0.3, -0.6, 0.25],
]:
    _image = paint(checks.four_weights(square_weights()), torch.tensor([_z]), 129)[0]
    _from_x, _from_y = (_line - _z[0]).abs(), (_line - _z[1]).abs()
    _distance = torch.maximum(_from_x[None], _from_y[:, None]) - _z[2]  # below 0: inside
    for _part, _value in [(_distance < -0.04, 1.0), (_distance > 0.04, 0.0)]:
        _off = (_image[_part] - _value).abs().max().item()
        _where = f"at z = {_z} a pixel away from the square's edge"
        checks.expect(_off < 0.1, f"{_where} is off by {_off:.2f}.")
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "square-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
codes = torch.tensor(
    [
        [-0.4, -0.4, 0.2],
        [0.0, -0.4, 0.2],
        [0.4, -0.4, 0.2],
        [0, 0.2, 0.1],
        [0, 0.2, 0.3],
        [0, 0.2, 0.5],
    ]
)
figure = plt.figure(figsize=(8, 1.6))
plot_examples(paint(square_weights(), codes, 64)[:, None], columns=6)
show(
    figure,
    "Six pictures of a white square on black: three at different places, three of different sizes.",
)

# %% [markdown]
# Three latents, three factors, no training: the decoder has a latent for the size as easily as one for a position,
# because each is compared with the pixel's address.

# %% [markdown]
# ## Task 6 · In your words (3 marks, graded by your teacher)
#
# Take the channels x and y away from two decoders that are otherwise as they were: yours of task 1, and notebook 02's,
# which pads. In about 80 words: (a) What can yours still paint, whatever its weights, and why? (b) What can the other
# paint that yours cannot, what tells its pixels where they are, and how many pixels from the border does that reach?

# %% [markdown] nbgrader={"grade": true, "grade_id": "without_coordinates", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} rubric=[["Without padding", 1], ["What the padding tells", 1], ["How far", 1]]
# (a) One colour for each code, the same at every pixel: the code is the same everywhere, every unit of a layer has the
# same weights and sees the same numbers, so it gives the same number. (b) A frame. The padding's zeros differ from the
# code, and a unit that sees them knows that it is near the border, and which one. Three convolutions of kernel 3 see
# three pixels to each side, so the picture can differ from one colour within three pixels of the border, and nowhere
# else.
#
# === BEGIN MARK SCHEME ===
# | | full marks | none |
# |---|---|---|
# | **Without padding** (1) | one colour for each code, because every pixel sees the same numbers with the same weights | one without the other |
# | **What the padding tells** (1) | zeros at the border differ from the code: a frame, or a border, can be painted | "it can paint more" |
# | **How far** (1) | three pixels, one for each convolution | another number, or no reason |
# === END MARK SCHEME ===
