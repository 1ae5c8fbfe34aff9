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
# **You will be able to** write what a spatial broadcast decoder does before its convolutions, the two lines that make a
# VAE variational, count what a stack of convolutions sees and costs, and set a broadcast decoder's weights by hand.
#
# **You need** notebook 02.
#
# **Time**: 75 minutes. **Marks**: 25, all given by machine.
#
# Write in the cells that raise `NotImplementedError`; keep the names of functions and arguments. What a function is
# given belongs to its caller: leave it as it is. The check below each task says at once what it found. When your work is
# graded, other sizes and edge cases are tried, too. In both, the library's own function for the task is not available.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import sys
from pathlib import Path

CLONE = Path("../..").resolve()  # of the course; elsewhere the library is installed, or lies here
if (CLONE / "sbd_utils").is_dir():
    sys.path.insert(0, str(CLONE))

import torch
from matplotlib import pyplot as plt

import sbd_utils
from sbd_utils import checks, plot_examples, show

# %% [markdown]
# ## Task 1 · Tile and append (5 marks)
#
# **Given** codes `z [N, K]` and a `height` and `width` ≥ 2, not necessarily equal.
#
# **Wanted** a tensor `[N, K + 2, height, width]` of z's dtype. Channel k < K of image n is `z[n, k]` at every pixel.
# Channel K is x: −1 in the first column, 1 in the last, evenly spaced. Channel K + 1 is y, likewise with rows. A gradient
# must be able to flow back to z.
#
# <details><summary>Hint</summary>
#
# `z[:, :, None, None].expand(...)` repeats without copying. `torch.meshgrid(rows, columns, indexing="ij")` gives the
# row's and then the column's value at every pixel. `torch.cat(..., 1)` joins channels.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "broadcast", "locked": false, "schema_version": 3, "solution": true, "task": false}
def broadcast(z: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Codes [N, K] tiled over the image plane, with channels x and y appended, [N, K + 2, height, width]."""
    ### BEGIN SOLUTION: give the code at every pixel and then the channels x and y, [N, K + 2, height, width]
    rows, columns = (
        torch.linspace(-1, 1, height, dtype=z.dtype),
        torch.linspace(-1, 1, width, dtype=z.dtype),
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")  # [height, width]
    tiled = z[:, :, None, None].expand(-1, -1, height, width)
    return torch.cat([tiled, torch.stack([x, y]).expand(len(z), -1, -1, -1)], 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "broadcast-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.coordinate_map, sbd_utils.SpatialBroadcastDecoder):
    checks.broadcast(broadcast)
### BEGIN HIDDEN TESTS
for _n, _k, _h, _w, _scale, _dtype in [
    (4, 10, 5, 8, 1, torch.float32),
    (1, 1, 9, 2, 1, torch.float64),
    (3, 2, 16, 12, 1e6, torch.float32),
    (2, 3, 2, 7, 1e-6, torch.float32),
]:
    _g = torch.Generator().manual_seed(_h)
    _z = checks.differentiable((_scale * torch.randn(_n, _k, generator=_g)).to(_dtype))
    with checks.without(sbd_utils.coordinate_map, sbd_utils.SpatialBroadcastDecoder):
        _got = checks.call(broadcast, z=_z, height=_h, width=_w)
    _what = f"broadcast of {_n} codes of {_k} numbers to {_h} x {_w}"
    checks.is_tensor(_got, (_n, _k + 2, _h, _w), _what)
    checks.expect(_got.dtype == _dtype, f"{_what}: z holds {_dtype}, the result {_got.dtype}.")
    for _i in range(_h):
        for _j in range(_w):
            _where = f"{_what}, row {_i}, column {_j}"
            _xy = torch.tensor([-1 + 2 * _j / (_w - 1), -1 + 2 * _i / (_h - 1)]).expand(_n, 2)
            checks.same(_got[:, :_k, _i, _j], _z, f"the code in {_where}", absolute=0)
            checks.same(_got[:, _k:, _i, _j], _xy, f"x and y in {_where}", tolerance=1e-5)
    _weights = torch.rand(_got.shape, generator=_g).to(_dtype)
    (_found,) = checks.gradients(_got, [_z], _weights)
    _right = _weights[:, :_k].sum((2, 3))
    checks.gradient_reaches(_found, _right, "z", "an encoder could not learn.")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 2 · What a cloud costs (4 marks)
#
# **Given** the encoder's answers `mean [N, K]` and `logvar [N, K]`, the logarithm of the variance σ².
#
# **Wanted** for every image the KL divergence of N(mean, σ²) to the prior N(0, 1) in nats, summed over its latents, `[N]`.
#
# <details><summary>Hint</summary>
#
# For one latent it is ½ (μ² + σ² − log σ² − 1).
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "kl", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl(mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) in nats, summed over the latents, [N]."""
    ### BEGIN SOLUTION: give the KL divergence of every image in nats, [N]
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "kl-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.kl_divergence, sbd_utils.elbo_loss):
    checks.kl(kl)
### BEGIN HIDDEN TESTS
for _shape, _scale, _seed in [((6, 10), 1, 0), ((1, 3), 1, 1), ((5, 1), 1, 2), ((8, 2), 9, 3)]:
    _g = torch.Generator().manual_seed(_seed)
    _mean = 2 * _scale * torch.randn(_shape, generator=_g, dtype=torch.float64)
    _logvar = _scale * (torch.randn(_shape, generator=_g, dtype=torch.float64) - 1)
    _right = sbd_utils.kl_divergence(_mean, _logvar).sum(1)
    with checks.without(sbd_utils.kl_divergence, sbd_utils.elbo_loss):
        for _dtype in (torch.float64, torch.float32):
            _got = checks.call(kl, mean=_mean.to(_dtype), logvar=_logvar.to(_dtype))
            _what = f"the KL of codes of shape {list(_shape)}"
            checks.is_tensor(_got, _shape[:1], _what)
            checks.same(_got, _right, _what, tolerance=1e-5)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 3 · A sample with a gradient (4 marks)
#
# **Given** `mean`, `logvar` and standard normal `noise`, all `[N, K]`.
#
# **Wanted** a sample of N(mean, σ²) for every latent, `[N, K]`, made of this noise, such that gradients flow to `mean`
# and `logvar`.


# %% nbgrader={"grade": false, "grade_id": "sample", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample(mean: torch.Tensor, logvar: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """A reparameterised sample of N(mean, exp(logvar)), [N, K]."""
    ### BEGIN SOLUTION: give a sample of every latent, made of the noise, [N, K]
    return mean + (logvar / 2).exp() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sample-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.sample_posterior):
    checks.sample(sample)
### BEGIN HIDDEN TESTS
for _shape, _scale, _seed in [((7, 10), 1, 0), ((1, 1), 1, 1), ((200, 2), 1, 2), ((5, 3), 8, 3)]:
    _g = torch.Generator().manual_seed(_seed)
    _mean, _logvar, _noise = (
        torch.randn(_shape, generator=_g, dtype=torch.float64) for _ in range(3)
    )
    _mean, _logvar = checks.differentiable(_mean), checks.differentiable(_scale * _logvar)
    with checks.without(sbd_utils.sample_posterior):
        _got = checks.call(sample, mean=_mean, logvar=_logvar, noise=_noise)
    _what = f"the sample of shape {list(_shape)}"
    checks.is_tensor(_got, _shape, _what)
    _deviation = (torch.exp(0.5 * _logvar) * _noise).detach()
    checks.same(_got, _mean + _deviation, _what, tolerance=1e-5)
    _weights = torch.rand(_shape, generator=_g, dtype=torch.float64) + 0.5
    _in_mean, _in_logvar = checks.gradients(_got, [_mean, _logvar], _weights)
    checks.gradient_reaches(_in_mean, _weights, "mean", "the encoder could not learn.")
    _right = 0.5 * _weights * _deviation
    checks.gradient_reaches(_in_logvar, _right, "logvar", "the encoder could not learn.")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 4 · How far does a unit see? (3 marks)
#
# **Given** a stack of convolutions as a list of pairs (kernel, stride), from the image upwards, along one axis.
#
# **Wanted** the receptive field of a unit of the last layer: the width, in pixels of the image, of what can influence it.
# Without layers that is one pixel.
#
# <details><summary>Hint</summary>
#
# Carry two numbers: the width seen so far, and how many pixels of the image lie between neighbouring units. A layer with
# kernel k adds (k − 1) of these steps; then its stride widens the step.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "receptive_field", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """Width in pixels that a unit of the last layer sees; layers: (kernel, stride) from the image upwards."""
    ### BEGIN SOLUTION: give the width in pixels that a unit of the last layer sees
    width, step = 1, 1
    for kernel, stride in layers:
        width += (kernel - 1) * step
        step *= stride
    return width
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "receptive_field-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
checks.receptive_field(receptive_field)
### BEGIN HIDDEN TESTS
for _layers in [
    [],
    [(1, 1)],
    [(3, 1)] * 5,
    [(4, 2)] * 4,
    [(7, 3), (3, 1), (5, 2), (2, 2)],
    [(1, 2), (3, 1)],
    [(5, 1), (3, 4)],
    [(3, 1)] * 60,
    [(3, 2)] * 7,
]:
    _x = torch.zeros(1, 1, 400, requires_grad=True)
    with torch.enable_grad():
        _h = _x
        for _kernel, _stride in _layers:
            _h = torch.nn.functional.conv1d(_h, torch.ones(1, 1, _kernel), stride=_stride)
        _h[0, 0, _h.shape[-1] // 2].backward()
    _seen = _x.grad[0, 0].nonzero()
    _right = (_seen.max() - _seen.min() + 1).item()
    _got = checks.call(receptive_field, layers=list(_layers))
    checks.same(_got, _right, f"receptive_field({_layers})", tolerance=1e-9)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 5 · What does it cost? (3 marks)
#
# **Given** the numbers of `channels` before, between and after a stack of convolutions of stride 1 with padding, so that
# every layer's output has `height` · `width` pixels, and the `kernel`'s width, the same for all.
#
# **Wanted** the number of multiply-adds for one image, all layers together; those with padded zeros count, biases do not.
# For the SBD of notebook 02 it is 186,384,384.


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
# ## Task 6 · A square, by hand (6 marks)
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
# which it paints a white square on black, upright, with its centre at x = z1, y = z2 and **sides of length 2 · z3**, for
# positions in [−0.6, 0.6] and z3 from 0.1 to 0.5. The edges must be sharp: from white to black within about one pixel of a
# 64 × 64 image.
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


# %% nbgrader={"grade": true, "grade_id": "square_weights-test", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
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
# because each is compared with the pixel's address. What would a decoder without the channels x and y paint, whatever
# its weights?
