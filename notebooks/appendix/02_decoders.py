# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Appendix to 02 · Decoders, looked at more closely
#
# **You will be able to** say which layer of a deconv decoder writes which frequency, how much of its checkerboard comes
# from the biases, how many templates it takes to paint one shape anywhere, and what a decoder keeps in memory for the
# backward pass.
#
# **You need** notebook 02. Nothing later in the course needs this appendix.
#
# **Time**: 15 minutes to read, 25 more for the exercises; 15 seconds to run on two cores.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, DeconvDecoder, SpatialBroadcastDecoder, checks, plot_picture, show

BLUE, ORANGE, GREEN, *_ = OKABE_ITO

# %% [markdown]
# ## 1. Odd and even, with and without biases
#
# Notebook 02 averaged the pictures of untrained decoders over random codes. What stays is what the architecture puts
# in: for kernel 4 and stride 2 mostly "is my row even, is my column even?". `parity_share` measures it: the spread of
# the four parities' means, over the spread of all inner pixels.
#
# **Predict:** PyTorch starts biases at random. They put a constant into every layer. If they are set to zero, is the
# checkerboard gone?
#
# <details><summary>Answer</summary>
#
# No, it gets weaker. After a ReLU no feature map has mean zero, and any mean is painted on by two pairs of weights, one
# for even pixels and one for odd.
#
# </details>


# %%
@torch.no_grad()
def mean_output(decoder, codes=32):
    """Mean picture [64, 64] over random codes z ~ N(0, 1)."""
    return decoder(torch.randn(codes, 10)).mean((0, 1))


def parity_share(picture):
    """Spread of the four (row, column) parities' means over that of all inner pixels; in [0, 1]."""
    inner = picture[8:-8, 8:-8]  # borders are special for reasons of their own
    means = torch.stack([inner[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)])
    return (means.std(unbiased=False) / inner.std(unbiased=False)).item()


pictures = {"deconv": [], "deconv without biases": [], "SBD": []}
for seed in range(8):
    for name, several in pictures.items():
        torch.manual_seed(seed)
        kind = SpatialBroadcastDecoder if name == "SBD" else DeconvDecoder
        decoder = kind().requires_grad_(False)
        if name == "deconv without biases":
            for parameter in decoder.parameters():
                parameter.mul_(parameter.ndim > 1)
        codes = 256 if name == "deconv without biases" else 32  # more, for what is left is small
        several.append(mean_output(decoder, codes))
shares = {name: [parity_share(p) for p in several] for name, several in pictures.items()}
for name, values in shares.items():
    print(f"{name:>21}: {min(values):.2f} to {max(values):.2f} over {len(values)} seeds")
ramp = torch.linspace(-1, 1, 64).expand(64, 64)
print(f"{'a ramp':>21}: {parity_share(ramp):.2f}, for neighbours on a slope differ, too")
assert max(shares["SBD"]) < min(shares["deconv without biases"])

# %% [markdown]
# A part of the pattern is the biases'; how strong it is depends on how the network is initialised. But without biases,
# too, it stands far above the control, whose share is that of any smooth slope.
#
# ## 2. Which layer writes which frequency
#
# In the language of frequencies, each doubling can be told from the others.
#
# **Predict:** five layers of stride 2 lead from 2 × 2 to 64 × 64. At which periods, in pixels, will the mean picture
# have peaks?
#
# <details><summary>Answer</summary>
#
# The last layer writes period 2, the one before it period 4, then 8, and so on.
#
# </details>


# %%
def spectrum(picture):
    """Power by horizontal frequency (0 ... 0.5 cycles per pixel), [25], of the inner 48 x 48 pixels.

    It sums to 1.
    """
    inner = picture[8:-8, 8:-8]
    window = torch.hann_window(48)  # without it the borders' jump would leak into every frequency
    faded = (inner - inner.mean()) * window * window[:, None]
    power = torch.fft.rfft2(faded).abs().square().mean(0)
    return power / power.sum()


powers = {name: torch.stack([spectrum(p) for p in pictures[name]]) for name in ("deconv", "SBD")}
around = powers["deconv"][:, -6:-2].mean(1)  # the neighbours of the highest frequency
ratio = (powers["deconv"][:, -1] / around).min().item()
print(f"deconv: power at period 2 over the power beside it, least of 8 seeds: {ratio:.0e}")
share = powers["SBD"][:, -1].max().log10()
print(f"SBD: share of the power at period 2, most of 8 seeds: 10 to the power {share:.0f}")

# %%
figure, (a1, a2, a3) = plt.subplots(1, 3, figsize=(9, 3.1), width_ratios=[1, 1, 1.7])
for ax, name in [(a1, "deconv"), (a2, "SBD")]:
    inner = pictures[name][0][20:44, 20:44]
    plot_picture(ax, inner, f"{name}: mean output,\n24 × 24 inner pixels", cmap="gray")
frequency = np.arange(25) / 48
for name, color, style in [("deconv", ORANGE, "-"), ("SBD", BLUE, "--")]:
    lines = a3.plot(frequency, powers[name].T, style, color=color, alpha=0.6)
    lines[0].set_label(name)
for period in (8, 4, 2):
    side = "right" if period == 2 else "center"
    a3.annotate(f"period {period}", (1 / period, 1.3), ha=side, fontsize=9)
a3.set(yscale="log", ylim=(1e-10, 8))
a3.set(xlabel="horizontal frequency (cycles per pixel)", ylabel="share of power")
a3.legend(loc="lower left")
show(
    figure,
    "Mean output: deconv shows a checkerboard and spectral peaks at periods 8, 4 and 2; the SBD is smooth.",
)

# %% [markdown]
# The peaks are the layers' signatures: period 2, 4, then 8 (which shows again at three times its frequency, 0.375).
# Equal counts of weights remove the *count* from the pattern and leave the *weights*. Training can mend it, but has to
# learn to: at every scale the weights of even and of odd pixels must come to paint the same thing.
#
# ## 3. A deconv decoder by hand?
#
# In notebook 02 four hidden units, evaluated at every pixel, drew a diamond anywhere. Try to set a deconv decoder's
# weights so that it draws the same, and you soon look for a place to put the *templates*. A decoder whose pictures are
# $W h(z) + b$, with $K$ hidden units $h$ however cleverly computed, can only paint combinations of the $K$ pictures in
# $W$. No choice of $W$ does better than the leading $K$ singular vectors of the pictures (Eckart and Young 1936).
#
# **Predict:** how many units does it take for a diamond at each of 20 × 20 positions, one pixel apart, to paint 99 % of
# what differs: about 4, about 100, or all 400?
#
# <details><summary>Answer</summary>
#
# About 90: one for every two by two pixels or so. For 99.99 % about one for each pixel. The number grows with the area
# over which the diamond moves.
#
# </details>

# %%
PIXEL = 2 / 63  # from one pixel's coordinate to the next's
line = torch.linspace(-1, 1, 64)
singular = {}
for per_side, apart in [(5, 1), (10, 1), (20, 1), (25, 0.8)]:
    places = (torch.arange(per_side) - (per_side - 1) / 2) * apart * PIXEL
    x, y = torch.cartesian_prod(places, places).T[:, :, None]  # [per_side², 1] each
    from_x, from_y = (line - x).abs()[:, None, :], (line - y).abs()[:, :, None]
    diamonds = (16 * (0.3 - from_x - from_y)).clamp(0, 1).flatten(1)  # as in notebook 02
    average = diamonds.mean(0)
    deviation = (diamonds - average).double()  # [per_side², 4096]
    squares, left = torch.linalg.eigh(deviation @ deviation.T)  # ascending
    kept = squares.flip(0).cumsum(0) / squares.sum()
    units = [int((kept < share).sum()) + 1 for share in (0.99, 0.9999)]
    print(f"{per_side**2:>4} positions, {apart:<3g} pixels apart, on an area", end=" ")
    print(
        f"{(per_side - 1) * apart:4.1f} pixels wide: {units[0]:>3} units for 99 %, {units[1]:>3} for 99.99 %"
    )
    singular[per_side] = (diamonds, average, deviation, squares, left)

# %%
diamonds, average, deviation, squares, left = singular[20]
rank = int((squares > 1e-8 * squares[-1]).sum())  # singular values above 0.0001 of the largest
print(f"400 pictures less their average: rank {rank}")
chosen = 20 * 3 + 16
figure, axes = plt.subplots(1, 6, figsize=(9, 2))
for ax, k in zip(axes, [1, 4, 16, 64, rank], strict=False):
    best = average + left[chosen, -k:] @ left[:, -k:].T @ deviation  # projected on the leading k
    plot_picture(ax, best.view(64, 64), f"{k} templates")
plot_picture(axes[5], diamonds[chosen].view(64, 64), "broadcast,\n4 hidden units")
show(
    figure,
    "The best that 1, 4, 16, 64 templates can draw of one diamond: a smear, then ghosts; broadcast is sharp.",
)

# %% [markdown]
# With more positions on the same area (the last line) the number of units hardly grows. So it counts the positions that
# can be *told apart*: at 99 % one per two by two pixels or so, at 99.99 % about one per pixel. The rank is 399, not
# 400, because the bias paints the average. ReLUs in $h$ cannot help: the bound holds whatever computes $h$. The
# broadcast decoder escapes it, since its four hidden units are evaluated anew at every pixel, with the pixel's address.
#
# A deconv decoder need not hold whole-image templates: it may pass the position down, layer by layer. What each layer
# would have to know:

# %%
for side in (2, 4, 8, 16, 32):
    inside = (64 // side) ** 2  # positions, one pixel apart, within one cell
    print(f"{side:>2} × {side:<2} cells, {64 // side:>2} pixels wide: ", end="")
    print(f"{inside:>4} positions within a cell, 64 channels to say which")

# %% [markdown]
# A channel per position does not fit until the cells are 8 pixels wide. Before that, a position must be *coded* in a
# cell's 64 numbers, say as 32 bumps along x and 32 along y; and the first layer, whose 256 units are ramps
# $\mathrm{relu}(a \cdot z + b)$, cannot even make these, for a bump takes three ramps. Each following layer must hand
# every bump to the right one of four finer cells, by *different* weights for even and odd cells, though the task is the
# same. It can be done; networks learn it. But the rule "a diamond at $(z_1, z_2)$" stands nowhere in such a network. It
# is spelt out place by place, and nothing in the architecture makes what holds at one place hold at the next.
#
# ## 4. What backward keeps
#
# To differentiate, autograd keeps what it will need. We catch each tensor where it is stored; parameters, which are in
# memory anyhow, are not counted.

# %%
torch.manual_seed(0)
z = torch.randn(16, 10)
mebibytes = {}
for name, kind in {"deconv": DeconvDecoder, "SBD": SpatialBroadcastDecoder}.items():
    decoder = kind(out_channels=3)
    own, kept = {p.data_ptr() for p in decoder.parameters()}, {}

    def keep(tensor, own=own, kept=kept):
        if tensor.data_ptr() not in own:
            kept[tensor.data_ptr()] = tensor  # held, so that no two share an address
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = decoder(z).square().sum()  # alive until the count is taken
    assert loss.requires_grad
    stored = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    mebibytes[name] = stored / 16 / 2**20
    print(f"{name:>6}: {mebibytes[name]:.2f} MiB for each picture")
print(f"SBD over deconv: {mebibytes['SBD'] / mebibytes['deconv']:.1f}")

# %% [markdown]
# Every map of the SBD is as large as the image; the deconv decoder's maps are large only at the end. A batch of 16
# keeps sixteen times as much, and a network trained on large images runs out of memory in its decoder first.
#
# ## What we established
#
# - Of the spread in untrained deconv decoders' mean pictures, nearly all goes with odd or even; without biases less,
#   but far more than in the SBD's, which has that of a plain slope.
# - The spectrum has peaks at periods 2, 4 and 8, one for each of the last layers.
# - A layer of templates needs a number of units that grows with the area over which a shape moves. From 10 × 10 to 20 ×
#   20 positions it is 2.5 times as many for 99 % (36, 91) and 3.9 times for 99.99 % (95, 367).
# - The SBD keeps about six times as many bytes for the backward pass.
#
# ## What could be wrong with it
#
# - The template bound is for one hidden layer before a linear output. It shows what depth must provide, not that a
#   deep deconv decoder fails to provide it. "Hard by hand" need not be hard for gradient descent.
# - All networks here are untrained, with PyTorch's default initialisation.
# - What is kept depends on the version of PyTorch and on the device; recomputing (checkpointing) trades it for time.

# %% [markdown]
# ## Exercises
#
# **1. Resize, then convolve.** Odena et al. propose to replace a transposed convolution by nearest-neighbour upsampling
# and an ordinary convolution. Build such a decoder with kernel 3, as deep as the deconv decoder. What does the cure
# cost in multiply-adds?
#
# <details><summary>Solution</summary>
#
# The checkerboard is gone; the multiply-adds more than double, because every layer works at its output's resolution.
#
# ```python
# from torch import nn
#
# class ResizeDecoder(nn.Module):
#     def __init__(self, out_channels=1):
#         super().__init__()
#         self.hidden = nn.Linear(10, 256)
#         widths = [64] * 4 + [out_channels]
#         self.convs = nn.ModuleList(nn.Conv2d(64, width, 3, padding=1) for width in widths)
#
#     def forward(self, z):
#         h = self.hidden(z).unflatten(1, (64, 2, 2))
#         for conv in self.convs:
#             h = conv(nn.functional.interpolate(torch.relu(h), scale_factor=2, mode="nearest"))
#         return h
#
# torch.manual_seed(0)
# resized = ResizeDecoder()
# assert parity_share(mean_output(resized)) < 0.3 < min(shares["deconv"])
#
# from torch.utils.flop_counter import FlopCounterMode
#
# counts = []
# for decoder in (resized, DeconvDecoder()):
#     with torch.no_grad(), FlopCounterMode(display=False) as counter:
#         decoder(z[:1])
#     counts.append(counter.get_total_flops())
# assert 2 < counts[0] / counts[1] < 3
# ```
#
# </details>

# %%
# Exercise 1
resized = ...  # an instance of your decoder: codes [N, 10] to pictures [N, 1, 64, 64]

checks.resize_decoder(resized)

# %% [markdown]
# **2. Diamonds that do not touch.** Nine diamonds lie so far apart that no two share a pixel. How many templates paint
# all nine exactly, if a bias is allowed?
#
# <details><summary>Solution</summary>
#
# Pictures without a common pixel are orthogonal, so nothing can be shared: nine directions, less the one that the bias
# paints, their average.
#
# ```python
# units = 8
# places = (torch.arange(3) - 1) * 20 * PIXEL
# x, y = torch.cartesian_prod(places, places).T[:, :, None]
# from_x, from_y = (line - x).abs()[:, None, :], (line - y).abs()[:, :, None]
# apart = (16 * (0.3 - from_x - from_y)).clamp(0, 1).flatten(1)
# assert torch.linalg.matrix_rank(apart - apart.mean(0)) == units
# ```
#
# </details>

# %%
# Exercise 2
units = ...  # a number

checks.templates_apart(units)


# %% [markdown]
# **3. By formula.** Which tensors did section 4 catch in the SBD? Write the bytes for one picture in float32 as a
# function of the channels before, between and after the convolutions and of the picture's side, as
# `bytes_kept([12, 64, 64, 3], 64)`, and compare it with what was counted.
#
# <details><summary>Solution</summary>
#
# Each convolution keeps its input, and the loss's square keeps the picture. A ReLU keeps its output, which is the next
# convolution's input: nothing more.
#
# ```python
# def bytes_kept(channels, size):
#     return 4 * size**2 * sum(channels)
#
# assert abs(bytes_kept([12, 64, 64, 3], 64) / 2**20 - mebibytes["SBD"]) < 0.01
# ```
#
# </details>


# %%
# Exercise 3
def bytes_kept(channels, size):
    """Bytes kept for one picture of size × size pixels; channels such as [12, 64, 64, 3]."""
    return ...


checks.bytes_kept(bytes_kept)

# %% [markdown]
# ## What comes next
#
# [Notebook 03](../03_training.ipynb) trains the broadcast decoder. What the checkerboard's decoder makes of the same
# circles is in [notebook 05](../05_deconv_comparison.ipynb).
