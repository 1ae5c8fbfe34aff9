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
# # 02 · Architecture: two decoders for one code
#
# **You will be able to** read the loss of a VAE line by line, say why it is trained through the reparameterisation
# trick, predict where a transposed convolution leaves a checkerboard, build a spatial broadcast decoder from three
# operations, and set its weights by hand.
#
# **You need** notebook 01 (the circles), PyTorch's `nn.Module` and `backward()`, and the normal distribution.
#
# **Time**: 40 minutes to read, 30 seconds to run on two cores.
#
# Nothing is trained here. Every claim below is about untrained networks, or about weights that we choose ourselves;
# what training makes of them is the subject of notebook 03.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, VAE, elbo_loss, kl_divergence, plot_picture, show

BLUE, ORANGE, GREEN, *_ = OKABE_ITO

# %% [markdown]
# ## 1. What an autoencoder leaves open
#
# An autoencoder squeezes an image $x$ through a few numbers $z$ and asks for it back: it lowers
# $\lVert x - \hat x \rVert^2$ with $\hat x = \mathrm{decoder}(\mathrm{encoder}(x))$. Nothing says *where* the codes
# should lie. Scatter them as you like; as long as no two images share a code, a flexible enough decoder can tell
# them apart, and the loss is as low as with any other arrangement.
#
# A **variational** autoencoder makes one change: the encoder answers with a cloud,
# $q(z|x) = \mathcal N(\mu(x), \operatorname{diag} \sigma^2(x))$, and the decoder gets a random point of it. Take 49
# images of an object at 7 × 7 positions, give each a cloud of the same size at one of 49 places, once in order, once
# at random. The best conceivable decoder answers with the average position of the images whose clouds reach $z$.

# %%
line = torch.linspace(-1.5, 1.5, 7)
places = torch.cartesian_prod(line, line)  # [49, 2] where the codes lie
scrambled = places[torch.randperm(49, generator=torch.Generator().manual_seed(1))]


def best_error(positions, places, std, seed=0):
    """The best decoder's mean squared error, as a share of the positions' variance.

    It is given z = places + std * noise.
    """
    noise = torch.randn(200, 49, 2, generator=torch.Generator().manual_seed(seed))
    z = places + std * noise  # [200, 49, 2]
    reach = torch.cdist(z.flatten(0, 1), places).square() / (2 * std**2)
    weights = torch.softmax(-reach, 1)  # [9800, 49] how probable each image is, given z
    error = (weights @ positions).view(200, 49, 2) - positions
    return (error.square().mean() / positions.var(0, unbiased=False).mean()).item()


# %%
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Circle

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharex=True, sharey=True)
panels = [
    ("points, no order", scrambled, 0.02),
    ("clouds, no order", scrambled, 0.3),
    ("clouds, in order", places, 0.3),
]
colors = ScalarMappable(Normalize(-1.5, 1.5), "viridis")
for ax, (title, positions, std) in zip(axes, panels, strict=True):
    radius = 2 * max(std, 0.04)
    for (a, b), x in zip(places.tolist(), positions[:, 0].tolist(), strict=True):
        ax.add_patch(Circle((a, b), radius, color=colors.to_rgba(x), alpha=0.55))
    error = best_error(positions, places, std)
    ax.set(title=f"{title}\nleast error {error:.0%}", xlabel="$z_1$")
    ax.set(aspect="equal", xlim=(-2.3, 2.3), ylim=(-2.3, 2.3))
axes[0].set_ylabel("$z_2$")
figure.colorbar(colors, ax=axes, label="x of the object", shrink=0.8)
show(
    figure,
    "Codes of 49 images: as points their order is free; as overlapping clouds only the ordered layout is cheap.",
)

# %% [markdown]
# The colour is the object's $x$, a disc is a cloud out to two standard deviations, and *least error* is in per cent
# of the variance of the positions. Points cost nothing in any order. Clouds overlap, the decoder has to average over
# the overlap, and it is cheap only where neighbours in code are neighbours in the world. **Noise is what makes order
# pay.** The places and sizes of the clouds are the same in the middle and on the right, so nothing but the order can
# have lowered the error.
#
# ## 2. What keeps the clouds from shrinking
#
# With the error alone, every cloud would shrink to a point and we would be back on the left. So clouds have a price:
# the Kullback–Leibler divergence from the prior $\mathcal N(0, 1)$, for each latent
#
# $$\mathrm{KL} = \tfrac12\left(\mu^2 + \sigma^2 - \log\sigma^2 - 1\right)$$

# %%
import math

mean, logvar = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 2 * math.log(0.1)]])
kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1)  # the line in `kl_divergence`
assert torch.equal(kl, kl_divergence(mean, logvar))
for m, v, k in zip(mean[0], logvar[0], kl[0], strict=True):
    print(f"mean {m:.1f}, std {(v / 2).exp():.1f}: {k:.2f} nats")

stds = torch.logspace(-3, 0.5, 200)
price = kl_divergence(torch.zeros(200), 2 * stds.log())
halving = kl_divergence(torch.zeros(2), 2 * torch.tensor([0.01, 0.005]).log())
print(f"from std 0.01 to 0.005: {halving[1] - halving[0]:.3f} nats more; log 2 = {math.log(2):.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
m, s = torch.meshgrid(torch.linspace(-3, 3, 121), torch.logspace(-2, 0.5, 121), indexing="xy")
levels = [0.05, 0.5, 1, 2, 3, 4, 5, 6]
lines = left.contour(m, s, kl_divergence(m, 2 * s.log()), levels=levels, cmap="viridis")
left.clabel(lines, fmt="%g")
left.plot(0, 1, "o", color="black")
left.set(yscale="log", xlabel="posterior mean", ylabel="posterior std")
left.set_title("KL in nats; the dot is the prior")
right.plot(stds, price, color=BLUE)
right.set(xscale="log", xlabel="posterior std (mean 0)", ylabel="KL (nats)")
right.set_title("every halving costs one bit")
show(
    figure,
    "KL to the prior: zero at mean 0, std 1; it grows with the mean, and by one bit per halving of the std.",
)

# %% [markdown]
# A latent that ignores the image sits on the dot and costs nothing: its posterior *is* the prior. To be precise costs
# one bit (0.693 nats) per halving of the standard deviation, so the network buys precision only where that saves
# reconstruction error. This is why the *posterior variance* will tell us which latents are in use.
#
# ## 3. The two terms are one bound
#
# The sum of error and price is no invention of engineers. Let the prior be $z \sim \mathcal N(0, I)$ and let pixels
# scatter about the decoder's picture, $p(x|z) = \mathcal N(\hat x(z), \sigma^2 I)$. Then for any $q$
#
# $$\log p(x) \;\ge\; \underbrace{\mathbb E_{q(z|x)}\big[\log p(x|z)\big]}_{\text{reconstruction}}
# - \underbrace{\mathrm{KL}\big(q(z|x)\,\Vert\,p(z)\big)}_{\text{price}} \;=\; \mathrm{ELBO},$$
#
# and the gap is $\mathrm{KL}(q(z|x)\,\Vert\,p(z|x))$: the bound is tight when $q$ is the true posterior. Code
# minimises its negative, without the constant:
#
# | term | line in `elbo_loss` |
# |---|---|
# | $\lVert x - \hat x\rVert^2$, **summed** over pixels | `(reconstruction - x).square().sum((1, 2, 3)).mean()` |
# | $\mathrm{KL}$, per latent | `kl_divergence(mean, logvar).mean(0)` |
# | $w \cdot$ squared error $+\ \beta \cdot \mathrm{KL}$ | `w * squared_error + beta * kl.sum()` |
#
# Since $-\log p(x|z) = \lVert x - \hat x\rVert^2 / (2\sigma^2) + \text{const}$, the weight is $w = 1/(2\sigma^2)$, that
# is **$\sigma^2 = 1/(2w)$**; $\beta = 1$ is the ELBO, other values are the β-VAE. Whether one sums or averages over
# pixels, the choice of σ and the choice of β are *one* knob, β/w. A published "β = 4" means nothing until you know
# the other two.
#
# Is it a bound? With a linear decoder, $\hat x(z) = a z$, the true $\log p(x)$ is known: $x$ is normal with
# covariance $aa^\top + \sigma^2 I$. So we can hold `elbo_loss` against it.

# %%
from sbd_utils import sample_posterior

w = 10.0
sigma = math.sqrt(1 / (2 * w))
generator = torch.Generator().manual_seed(0)
a = 0.2 * torch.randn(1, 1, 8, 8, generator=generator)  # the linear decoder's one picture
x_linear = 0.8 * a + sigma * torch.randn(1, 1, 8, 8, generator=generator)
noise_variance = torch.full((64,), sigma**2)
true = torch.distributions.LowRankMultivariateNormal(
    torch.zeros(64), cov_factor=a.view(64, 1), cov_diag=noise_variance
)
log_p = true.log_prob(x_linear.flatten()).item()

best_var = 1 / (1 + 2 * w * a.square().sum())  # of the true posterior p(z|x), which is normal here
best_mean = best_var * 2 * w * (a * x_linear).sum()


def elbo(mean, std):
    """ELBO in nats; as the error is quadratic in z, noise -1 and +1 give its expectation."""
    mean, logvar = torch.full((2, 1), float(mean)), torch.full((2, 1), 2 * math.log(std))
    z = sample_posterior(mean, logvar, noise=torch.tensor([[-1.0], [1.0]]))  # [2, 1]
    pictures = z[:, :, None, None] * a
    loss = elbo_loss(x_linear.expand(2, -1, -1, -1), pictures, mean, logvar, w=w, beta=1.0)
    constant = 64 / 2 * math.log(w / math.pi)  # -D/2 log(2 pi sigma^2)
    return constant - loss.total.item()


best = elbo(best_mean, best_var.sqrt())
print(f"w = {w:g} means a pixel noise of {sigma:.3f}")
print(f"log p(x) = {log_p:.2f} nats, exactly; ELBO at the true posterior = {best:.2f} nats")
assert abs(best - log_p) < 1e-3
gap = log_p - elbo(best_mean + 0.3, best_var.sqrt())
kl_to_posterior = (0.3**2 / (2 * best_var)).item()  # of two normals of this variance, 0.3 apart
print(f"with the mean off by 0.3 the gap is {gap:.2f} nats;", end=" ")
print(f"KL(q || true posterior) = {kl_to_posterior:.2f}")
assert abs(gap - kl_to_posterior) < 1e-3

# %%
stds = np.logspace(-2, 0, 120)
figure, ax = plt.subplots(figsize=(6, 3.2))
ax.axhline(log_p, color="black", linestyle=":", label=r"$\log p(x)$, exact")
for shift, color, style in [(0.0, BLUE, "-"), (0.3, ORANGE, "--")]:
    curve = np.array([elbo(best_mean + shift, std) for std in stds])
    assert (curve <= log_p + 1e-3).all()  # a bound is a bound
    ax.plot(stds, curve, style, color=color, label=f"ELBO, mean off by {shift:g}")
ax.plot(best_var.sqrt(), best, "o", color=BLUE)
ax.set(xscale="log", xlabel="std of $q$", ylabel="nats", ylim=(log_p - 6, log_p + 0.8))
ax.set_title("a lower bound, tight at the true posterior")
ax.legend(loc="lower center")
show(
    figure,
    "The ELBO as a function of the std of q stays below log p(x) and touches it at the true posterior only.",
)

# %% [markdown]
# Left of the dot the cloud is too narrow and the price too high; right of it the noise spoils the picture. An encoder
# is a network that is trained to land on the dot for every image at once.
#
# ## 4. A gradient through a random number
#
# The decoder's input is drawn at random; how should the encoder learn from it? Written naively, as a draw from
# $\mathcal N(\mu, \sigma^2)$, the draw has no derivative. **Reparameterised**, the randomness comes in as a plain
# input and the rest is arithmetic, $z = \mu + \sigma\varepsilon$ with $\varepsilon \sim \mathcal N(0, 1)$:

# %%
from sbd_utils import circles_dataset

images = circles_dataset(16, seed=0).tensors[0]  # [16, 1, 64, 64]
torch.manual_seed(0)
model = VAE()  # untrained; 64 x 64, one channel, broadcast decoder, 10 latents


def gradient_sizes(sample):
    """Norms of the error's gradient in mean and logvar when codes are drawn by `sample`."""
    torch.manual_seed(1)
    mean, logvar = model.encoder(images)
    mean.retain_grad()
    logvar.retain_grad()
    error = (model.decoder(sample(mean, logvar)) - images).square().sum()
    error.backward()
    return [0.0 if t.grad is None else t.grad.norm().item() for t in (mean, logvar)]


def no_graph(mean, logvar):
    """`sample` draws outside the graph: mean and logvar are not connected with the loss."""
    return torch.distributions.Normal(mean, (logvar / 2).exp()).sample()


def zero_derivative(mean, logvar):
    """`torch.normal` stays in the graph, with a derivative that is defined as zero."""
    return torch.normal(mean, (logvar / 2).exp())


for sample in (no_graph, zero_derivative, sample_posterior):
    by_mean, by_logvar = gradient_sizes(sample)
    print(
        f"{sample.__name__:>16}: gradient in mean is 0: {by_mean == 0}, in logvar: {by_logvar == 0}"
    )

# %% [markdown]
# Three ways to draw the same distribution, and only the last one lets the encoder learn. Worse, neither of the first
# two raises an error: the decoder still gets a gradient and the loss still falls a little, while the encoder feels
# only the KL and forgets the image. If ever your VAE's posterior is the prior from the first step on, look here.
#
# There is another unbiased estimator, which needs no derivative of the decoder, the **score function** (REINFORCE):
# $\nabla_\mu \mathbb E[f(z)] = \mathbb E[f(z)\,\nabla_\mu \log q(z)] = \mathbb E[f(z)\,\varepsilon/\sigma]$. Why are
# VAEs not trained with it? Take one latent and $f(z) = z^2$ with $\mu = 0.5$: the true gradient is $2\mu = 1$.
# Make 10,000 independent estimates of each kind, one sample apiece.

# %%
mu = 0.5


def both_gradients(std, draws=10_000):
    """Estimates of d E[z²] / d mu from one sample each, reparameterised and by score; [draws] each."""
    noise = torch.randn(draws, generator=torch.Generator().manual_seed(0))
    mean = torch.full((draws,), mu, requires_grad=True)
    z = mean + std * noise
    (reparameterised,) = torch.autograd.grad(z.square().sum(), mean)
    score = z.detach().square() * noise / std
    return reparameterised, score


spreads = {}
for std in [1.0, 0.3, 0.1, 0.03]:
    pathwise, score = both_gradients(std)
    for name, g in [("reparameterised", pathwise), ("score function", score)]:
        off = (g.mean() - 2 * mu).abs() / (g.std() / len(g) ** 0.5)
        assert off < 4, f"{name} is biased"  # the mean lies within 4 standard errors of the truth
    spreads[std] = pathwise.std().item(), score.std().item()
    # For a standard error of 0.1, to one digit:
    needed = [max(1, float(f"{(10 * spread) ** 2:.1g}")) for spread in spreads[std]]
    print(f"std {std:<4g}: spread {spreads[std][0]:.2f} against {spreads[std][1]:.1f}", end="; ")
    print(f"a gradient good to 10 % takes about {needed[0]:.0f} samples against {needed[1]:.0f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
pathwise, score = both_gradients(0.1)
bins = np.linspace(-3, 12, 61)
left.hist(score, bins, color=ORANGE, label="score function")
left.hist(pathwise, bins, color=BLUE, alpha=0.8, label="reparameterised")
left.axvline(1, color="black", linestyle=":", label="truth")
left.set(xlabel="gradient from one sample (posterior std 0.1)", ylabel="of 10,000 draws")
left.legend()
stds = np.array(list(spreads))
right.plot(stds, [s[1] for s in spreads.values()], "s--", color=ORANGE, label="score function")
right.plot(stds, [s[0] for s in spreads.values()], "o-", color=BLUE, label="reparameterised")
right.axhline(1, color="black", linestyle=":", label="the gradient itself")
right.set(xscale="log", yscale="log", xlabel="posterior std", ylabel="std of the estimate")
right.legend()
show(
    figure,
    "Reparameterised gradients lie close to the truth; score-function gradients scatter, more as q narrows.",
)

# %% [markdown]
# Both are right on average. But as a posterior narrows, which is what training does to the latents in use, one
# spread falls in proportion to σ, while the other, once σ is small, grows as 1/σ. The score function knows only
# *how good* a sample was; the reparameterised gradient also knows *in which direction* it would have been better.
#
# ## 5. The encoder
#
# Four convolutions of kernel 4 and stride 2 halve the image four times; two linear layers make mean and log-variance
# of what is left. `trace` notes what passes through each layer; we shall need it for every network below.


# %%
from torch import nn


def trace(network, x):
    """Run the network; return (layer, input, output) of every layer that has weights, in order."""
    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    rows, hooks = [], []

    def note(layer, inputs, output):
        rows.append((layer, inputs[0].detach(), output.detach()))

    for layer in network.modules():
        if isinstance(layer, kinds):
            hooks.append(layer.register_forward_hook(note))
    network(x)
    for hook in hooks:
        hook.remove()
    return rows


# %%
def print_shapes(rows):
    for layer, i, o in rows:
        print(f"{type(layer).__name__:>16}  {list(i.shape[1:])!s:>13} -> {list(o.shape[1:])}")


def draw_stages(pictures, title, gap=6):
    """Draw maps [H, H] side by side, all at one scale: a map's side is its number of pixels."""
    tallest, width = max(len(p) for p in pictures), sum(len(p) + gap for p in pictures)
    figure = plt.figure(figsize=(6.5, 6.5 * (tallest + 6) / width), layout="none")
    ax, left = figure.add_axes((0, 0, 1, 1)), 0
    for p in pictures:
        n, low = len(p), (tallest - len(p)) / 2
        ax.imshow(p, cmap="viridis", extent=(left, left + n, low, low + n), interpolation="nearest")
        ax.text(left + n / 2, low - 1, f"{n}×{n}", ha="center", va="top", fontsize=9)
        left += n + gap
    ax.set(xlim=(-1, left - gap + 1), ylim=(-6, tallest))
    ax.set_title(title)
    ax.set_axis_off()
    return figure


def liveliest(maps):
    """Of the channels of maps [1, C, H, W], the one that varies most, [H, W]."""
    return maps[0, maps[0].flatten(1).std(1).argmax()]


# %%
rows = trace(model.encoder, images[:1])
print_shapes(rows)
stages = [images[0, 0], *(liveliest(o.relu()) for _, _, o in rows[:4])]
figure = draw_stages(stages, "untrained encoder: one channel per layer")
show(
    figure,
    "A circle and one feature map after each of the four convolutions, each half as wide as the one before.",
)

# %% [markdown]
# The circle stays a blob at the matching place of ever smaller maps: convolutions keep *where*. Only at the end does
# `flatten` turn place into index, and a linear layer into numbers. Encoding position is easy. Decoding it is the hard
# direction, and there the two architectures part.
#
# ## 6. The deconv decoder, and who reaches which pixel
#
# The customary decoder is the encoder run backwards: a linear layer makes 64 maps of 2 × 2, and five transposed
# convolutions of kernel 4 and stride 2 double them.

# %%
from sbd_utils import DeconvDecoder

torch.manual_seed(0)
deconv = DeconvDecoder()
rows = trace(deconv, torch.randn(1, 10))
print_shapes(rows)
stages = [*(liveliest(i) for _, i, _ in rows[1:]), rows[-1][2][0, 0]]
title = "untrained deconv decoder: one channel per layer, then the output"
figure = draw_stages(stages, title)
show(
    figure,
    "Feature maps of an untrained deconv decoder grow from 2 by 2 to 64 by 64; a fine checkerboard appears.",
)

# %% [markdown]
# Look at the last pictures: a regular texture, before any training and from a random code. A transposed convolution
# of stride 2 lets every input pixel paint a patch of the output, patches two pixels apart. How many patches cover a
# given output pixel? Let ones paint with ones, and read off the count.


# %%
def taps(kernel, stride, size=7):
    """How many (input pixel, kernel weight) pairs reach each output pixel, [H, H]."""
    ones, weights = torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel)
    reached = nn.functional.conv_transpose2d(ones, weights, stride=stride, padding=1)
    return reached[0, 0].int()


def draw_wires(ax, kernel):
    """Which input pixels (above) reach which output pixels (below), a colour for each weight."""
    style = ("-", "--", "-", "--")  # dashed: the weights that reach even pixels
    for source in range(-1, 6):
        above = 2 * source + (kernel - 3) / 2
        for tap in range(kernel):
            below = 2 * source + tap - 1
            ax.plot([below, above], [0, 1], style[tap], color=OKABE_ITO[tap], linewidth=1.8)
    ax.scatter(range(9), np.zeros(9), color="black", zorder=3, s=22)
    ax.set(xlim=(-0.5, 8.5), ylim=(-0.15, 1.1), xticks=range(9), xlabel="output pixel")
    ax.set_yticks([0, 1], ["out", "in"])
    ax.set_title(f"kernel {kernel}, stride 2, 1-D")
    ax.spines["left"].set_visible(False)


figure, axes = plt.subplots(1, 4, figsize=(9, 2.9), width_ratios=[1.25, 1, 1.25, 1])
for (wires, heat), kernel in zip(axes.reshape(2, 2), (3, 4), strict=True):
    draw_wires(wires, kernel)
    count = taps(kernel, 2)[3:10, 3:10]  # away from the borders
    plot_picture(heat, count, "taps per pixel, 2-D", cmap="cividis", vmin=0, vmax=4)
    for (i, j), value in np.ndenumerate(count):
        heat.text(
            j, i, str(value), ha="center", va="center", color="black" if value > 2 else "white"
        )
    print(f"kernel {kernel}, stride 2: taps that reach an inner pixel: {count.unique().tolist()}")
show(
    figure,
    "Kernel 3, stride 2: 1, 2 or 4 taps reach a pixel, in a checkerboard. Kernel 4, stride 2: 4 everywhere.",
)
assert taps(3, 2)[3:10, 3:10].unique().tolist() == [1, 2, 4]
assert taps(4, 2)[3:10, 3:10].unique().tolist() == [4]

# %% [markdown]
# One colour is one weight of the kernel, from left to right blue, orange, green and pink. With kernel 3,
# pixels take turns between one and two wires: an uneven sum, the checkerboard that Odena, Dumoulin and Olah described
# (Distill, 2016). Their remedy is a kernel that the stride divides, and kernel 4 does give every pixel four taps.
# Problem solved?
#
# Look at the colours on the right. Even pixels listen to one pair of weights (dashed), odd pixels to the *other* pair.
# The counts agree, the weights do not, and nothing ties them together. So the even and odd pixels of an output are in
# effect drawn by different networks. To see whether that matters, average the output of an untrained decoder over many
# random codes: what the codes put in cancels, what the architecture puts in stays.


# %%
from sbd_utils import SpatialBroadcastDecoder


@torch.no_grad()
def mean_output(decoder, seed, codes=32):
    """Mean picture [64, 64] over random codes z ~ N(0, 1)."""
    z = torch.randn(codes, 10, generator=torch.Generator().manual_seed(seed))
    return decoder(z).mean((0, 1))


def parity_share(picture):
    """Spread of the four (row, column) parities' means over that of all inner pixels; in [0, 1]."""
    inner = picture[8:-8, 8:-8]  # borders are special for reasons of their own
    means = torch.stack([inner[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)])
    return (means.std(unbiased=False) / inner.std(unbiased=False)).item()


pictures = {"deconv": [], "SBD": []}
for seed in range(8):
    torch.manual_seed(seed)
    pictures["deconv"].append(mean_output(DeconvDecoder(), seed))
    pictures["SBD"].append(mean_output(SpatialBroadcastDecoder(), seed))
ramp = torch.linspace(-1, 1, 64).expand(64, 64)
shares = {name: [parity_share(p) for p in several] for name, several in pictures.items()}
for name, values in shares.items():
    print(
        f"{name:>6}: {min(values):.2f} to {max(values):.2f} of the spread goes with parity,",
        end=" ",
    )
    print(f"over {len(values)} seeds")
print(f"a ramp: {parity_share(ramp):.2f}, for neighbours on a slope differ, too")
assert min(shares["deconv"]) > 0.8
assert max(shares["SBD"]) < 0.1

# %% [markdown]
# Nearly all the structure of an untrained deconv decoder's mean picture is "is my row even, is my column even?". The
# control, a broadcast decoder (section 7), scores what any smooth slope scores. A second control: how much of it comes
# from the random biases, which put a constant into every layer?

# %%
unbiased = []
for seed in range(8):
    torch.manual_seed(seed)
    decoder = DeconvDecoder().requires_grad_(False)
    for name, parameter in decoder.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
    unbiased.append(parity_share(mean_output(decoder, seed, codes=256)))
print(f"deconv without biases: {min(unbiased):.1f} to {max(unbiased):.1f}")
assert max(shares["SBD"]) < min(unbiased) < max(unbiased) < min(shares["deconv"])

# %% [markdown]
# A part of it: how strong the pattern is depends on how the network is initialised. But without biases, too, it stands
# far above the control, for after a ReLU no feature map has mean zero, and any mean is painted on by two pairs of
# weights. The same in the language of frequencies, where each doubling can be told from the others:


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


powers = {name: torch.stack([spectrum(p) for p in several]) for name, several in pictures.items()}
around = powers["deconv"][:, -6:-2].mean(1)  # the neighbours of the highest frequency
ratio = (powers["deconv"][:, -1] / around).min().item()
print("deconv: power at period 2 over the power beside it,", end=" ")
print(f"least of 8 seeds: above 100: {ratio > 100}")
assert ratio > 100
assert (powers["SBD"][:, -1] < 1e-3).all()

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
    a3.annotate(f"period {period}", (1 / period, 1.3), ha=side, fontsize=8)
a3.set(yscale="log", ylim=(1e-10, 8))
a3.set(xlabel="horizontal frequency (cycles per pixel)", ylabel="share of power")
a3.legend(loc="lower left")
show(
    figure,
    "Mean output: deconv shows a checkerboard and spectral peaks at periods 8, 4 and 2; the SBD is smooth.",
)

# %% [markdown]
# The peaks are the layers' signatures: the last layer writes period 2, the one before it period 4, then 8 (which shows
# again at three times its frequency, 0.375). Equal counts of taps remove the *count* from the pattern and leave the
# *weights*. Training can mend it, but has to learn to; and a network whose odd and even pixels have different weights
# must learn to draw the same circle once for each parity, at every scale.
#
# ## 7. The spatial broadcast decoder, step by step
#
# Watters et al. (2019, arXiv 1901.07017) replace the growing maps by three operations: tile, append, convolve.

# %%
from sbd_utils import coordinate_map

torch.manual_seed(0)
sbd = SpatialBroadcastDecoder()
z = torch.randn(2, 10)
tiled = z[:, :, None, None].expand(-1, -1, 64, 64)  # 1. tile it over the image plane
grid = coordinate_map(64)  # [2, 64, 64]
labelled = torch.cat([tiled, grid.expand(2, -1, -1, -1)], 1)  # 2. append x and y
picture = sbd.convs(labelled)  # 3. convolve, with stride 1

steps = {"code": z, "tiled": tiled, "with x and y": labelled, "picture": picture}
for step, tensor in steps.items():
    print(f"{step:>13} {list(tensor.shape)}")
print_shapes(trace(sbd, z))
assert torch.equal(picture, sbd(z))  # these lines are all that the decoder does
assert torch.equal(tiled.amax((2, 3)), tiled.amin((2, 3)))  # every pixel holds the same code

# %%
figure, axes = plt.subplots(1, 6, figsize=(9, 2.1))
hidden = liveliest(sbd.convs[:4](labelled))
maps = {
    "$z_1$, tiled": tiled[0, 0],
    "$z_2$, tiled": tiled[0, 1],
    "x": grid[0],
    "y": grid[1],
    "hidden, one of 64": hidden,
    "output": picture[0, 0],
}
for ax, (title, values) in zip(axes, maps.items(), strict=True):
    limit = None if title in ("hidden, one of 64", "output") else 2.5
    low = None if limit is None else -limit
    plot_picture(ax, values, title, cmap="viridis", vmin=low, vmax=limit)
axes[2].set_xlabel("−1 … 1 to the right", fontsize=8)
axes[3].set_xlabel("−1 … 1 downwards", fontsize=8)
show(
    figure,
    "Two constant maps of code, two ramps of coordinates, a hidden map and the output of an untrained SBD.",
)

# %% [markdown]
# Every pixel gets the same code and its own address. From there on all pixels run the *same* little network, which
# answers one question: "given this code, what is seen at this address?" There is no upsampling, so there is nothing
# to leave a checkerboard, and nothing moves: a picture is a function of $(z, x, y)$, evaluated 4,096 times.
#
# **Could it do without the coordinates?** Then every pixel gets the same input, and stride-1 convolutions can only
# give the same output. Unless there are borders:

# %%
torch.manual_seed(0)
blind = SpatialBroadcastDecoder(position="none", padding=False)(z).detach()[0, 0]  # [58, 58]
framed = SpatialBroadcastDecoder(position="none")(z).detach()[0, 0]  # [64, 64]
inner = framed[3:-3, 3:-3]
print("no coordinates, no padding: constant picture:", bool(blind.max() - blind.min() < 1e-6))
print("no coordinates, zero padding: constant:", bool(framed.max() - framed.min() < 1e-6), end="; ")
print("3 pixels from the border inwards:", bool(inner.max() - inner.min() < 1e-6))

labelled = labelled[:1].clone().requires_grad_()
(reach,) = torch.autograd.grad(sbd.convs(labelled)[0, 0, 32, 32], labelled)  # [1, 12, 64, 64]
reach = reach[0].abs().amax(0)
height, width = (int(reach.any(axis).sum()) for axis in (1, 0))
print(f"receptive field of an output pixel: {height} x {width} pixels")
assert (height, width) == (7, 7)

# %%
figure, axes = plt.subplots(1, 4, figsize=(9, 2.7))
panels = {
    "no coordinates,\nno padding": blind,
    "no coordinates,\nzero padding": framed,
    "coordinates,\nzero padding": picture[0, 0],
    "gradient of one output\npixel in its input, 13 × 13": reach[26:39, 26:39],
}
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    plot_picture(ax, values, title, cmap="viridis")
shade = blind.mean().item()
axes[0].images[0].set_clim(shade - 0.1, shade + 0.1)  # or rounding errors would fill the scale
show(
    figure,
    "Without coordinates the output is constant, or a frame if padded; one output pixel sees 7 by 7 of its input.",
)

# %% [markdown]
# Without addresses the picture is one shade, or a shade in a frame: zero padding tells pixels near a border that they
# are there, and no others. It reaches three pixels far because three kernels of 3 × 3 see 7 × 7 pixels, as the
# gradient on the right shows. That is a tiny view: an SBD pixel cannot look around. All it knows of the object, it
# knows from the code; all it knows of its own place, from the two coordinate channels.
#
# ## 8. The idea by hand
#
# If a picture is a function of $(z, x, y)$, we can write one down. "Bright where
# $|x - z_1| + |y - z_2| < r$" is a diamond at $(z_1, z_2)$, and absolute values are made of ReLUs:
# $|t| = \mathrm{relu}(t) + \mathrm{relu}(-t)$. Two layers of 1 × 1 convolutions will do, with four hidden units and no
# training.

# %%
RADIUS = 0.3  # in units of the coordinates, half an image
SHARPNESS = 16.0  # brightness per unit of distance

first, second = nn.Conv2d(4, 4, kernel_size=1), nn.Conv2d(4, 1, kernel_size=1)
by_hand = nn.Sequential(first, nn.ReLU(), second).requires_grad_(False)
first.weight[:, :, 0, 0] = torch.tensor(
    [  # z1  z2   x   y
        [-1.0, 0, 1, 0],  # relu(x - z1)
        [1.0, 0, -1, 0],  # relu(z1 - x)
        [0.0, -1, 0, 1],  # relu(y - z2)
        [0.0, 1, 0, -1],  # relu(z2 - y)
    ]
)
nn.init.zeros_(by_hand.get_parameter("0.bias"))
nn.init.constant_(by_hand.get_parameter("2.weight"), -SHARPNESS)
# All together, SHARPNESS * (r - |x - z1| - |y - z2|):
nn.init.constant_(by_hand.get_parameter("2.bias"), SHARPNESS * RADIUS)


def broadcast(z, size=64):
    """Codes [N, 2] -> [N, 4, size, size]: z1, z2, x, y at every pixel."""
    tiled = z[:, :, None, None].expand(-1, -1, size, size)
    address = coordinate_map(size).expand(len(z), -1, -1, -1)
    return torch.cat([tiled, address], 1)


def draw_diamonds(z):
    """Codes [N, 2] -> pictures [N, 1, 64, 64] in [0, 1] by the decoder set by hand."""
    return by_hand(broadcast(torch.as_tensor(z, dtype=torch.float32))).clamp(0, 1)


weights = sum(p.numel() for p in by_hand.parameters())
used = sum(int(p.count_nonzero()) for p in by_hand.parameters())
print(f"{weights} weights, {used} of them not zero")

# %%
code = torch.tensor([[0.4, -0.3]])
inputs = broadcast(code)[0]
hidden = by_hand[:2](broadcast(code))[0]
output = by_hand(broadcast(code))[0, 0]
figure, axes = plt.subplots(2, 5, figsize=(9, 4))
for ax, values, title in zip(axes[0], inputs, ["$z_1$", "$z_2$", "$x$", "$y$"], strict=False):
    plot_picture(ax, values, title, cmap="viridis", vmin=-1.4, vmax=1.4)
ramps = ["$x-z_1$", "$z_1-x$", "$y-z_2$", "$z_2-y$"]
for ax, values, title in zip(axes[1], hidden, ramps, strict=False):
    plot_picture(ax, values, f"relu({title})", cmap="viridis", vmin=0, vmax=1.4)
plot_picture(axes[0, 4], output, "output: $16\\,(r-\\mathrm{sum})$", cmap="gray")
plot_picture(axes[1, 4], output.clamp(0, 1), "clamped to [0, 1]")
axes[0, 0].set_ylabel("broadcast")
axes[1, 0].set_ylabel("hidden")
show(
    figure,
    "Four input maps, four ReLU ramps made of them, their sum: a pyramid, and clamped a diamond at (z1, z2).",
)

# %% [markdown]
# Four ramps, each rising away from one side of $z$; their negative sum is a pyramid with its peak at $z$; clamping cuts
# the diamond out. Now ask for it elsewhere:

# %%
edge = 64 / 63  # -1 and 1 are the *centres* of the outer pixels
path = [(-0.6, -0.6), (-0.3, 0.3), (0.0, 0.0), (0.05, 0.0), (0.3, -0.5), (0.6, 0.6)]
figure, axes = plt.subplots(1, 6, figsize=(9, 1.9))
for ax, (z1, z2), picture in zip(axes, path, draw_diamonds(path)[:, 0], strict=True):
    plot_picture(ax, picture, f"z = ({z1:g}, {z2:g})", extent=(-edge, edge, edge, -edge))
    ax.plot(z1, z2, "+", color=OKABE_ITO[5], markersize=8)
show(
    figure,
    "Six codes and the diamonds drawn for them: each diamond's centre lies where the code says.",
)

from sbd_utils import center_of_mass

z = 1.2 * torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) - 0.6
pictures = draw_diamonds(z)  # [500, 1, 64, 64]
asked = 32 + z * 63 / 2  # in pixels: -1 is at 0.5, 1 at 63.5
off = (center_of_mass(pictures) - asked).abs().max()
print(f"500 random codes: centre of mass and code differ by less than 0.05 pixel: {off < 0.05}")

pixel = 2 / 63  # from one pixel's coordinate to the next's
moved = draw_diamonds(z + torch.tensor([pixel, 0.0]))
error = (moved[..., 1:] - pictures[..., :-1]).abs().max().item()
print(f"z1 one pixel further = the picture one pixel further: {error < 1e-4}")

# %% [markdown]
# The position is right to a fraction of a pixel, at places for which nobody set a weight. The last line says why: the
# network sees $x - z_1$ only, so that moving the code and moving the picture are one and the same. A latent that means
# *position* is, for this decoder, a matter of a few weights. That is the inductive bias; whether gradient descent
# finds it is a question for notebook 03.
#
# Move it yourself (in a running notebook; on a page, the strip above stands for it).


# %%
import io

from PIL import Image


def diamond_png(z1, z2, scale=4):
    """The diamond at (z1, z2) as the bytes of a PNG, each pixel enlarged to scale x scale."""
    pixels = (255 * draw_diamonds([(z1, z2)])[0, 0]).round().byte().numpy()
    large = (64 * scale, 64 * scale)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(large, Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


reread = np.array(Image.open(io.BytesIO(diamond_png(0.4, -0.3))))[::4, ::4] / 255
assert np.abs(reread - draw_diamonds([(0.4, -0.3)])[0, 0].numpy()).max() < 1 / 255

# %% tags=["widget"]
import ipywidgets as widgets
from IPython.display import display

z1_slider, z2_slider = (
    widgets.FloatSlider(value=0, min=-1.2, max=1.2, step=0.02, description=name)
    for name in ("z1 (x)", "z2 (y)")
)
view = widgets.Image(value=diamond_png(0, 0), format="png", width=256, height=256)
view.add_class("diamond")


def redraw(change=None):
    view.value = diamond_png(z1_slider.value, z2_slider.value)


for slider in (z1_slider, z2_slider):
    slider.observe(redraw, names="value")
display(widgets.HBox([view, widgets.VBox([z1_slider, z2_slider])]))

before = view.value
z1_slider.value = 0.5  # as if by hand
assert view.value != before
z1_slider.value = 0.0
assert view.value == before

# %% [markdown]
# ## 9. And a deconv decoder by hand?
#
# Try to set its weights so that it draws the same diamonds, and you soon look for a place to put the *templates*. A
# decoder whose pictures are $W h(z) + b$, with $K$ hidden units $h$ however cleverly computed, can only paint
# combinations of the $K$ pictures in $W$. How many does it need for a diamond at each of 20 × 20 positions? The
# singular values answer: no choice of $W$ does better than the leading $K$ singular vectors (Eckart and Young).


# %%
def diamonds_on_grid(per_side, apart):
    """Diamonds at per_side x per_side positions, `apart` pixels apart, about the centre: [per_side², 4096]."""
    line = (torch.arange(per_side) - (per_side - 1) / 2) * apart * pixel
    return draw_diamonds(torch.cartesian_prod(line, line)).flatten(1)


def templates_of(pictures):
    """Squared singular values [N] of pictures [N, 4096] less their mean, ascending; left vectors."""
    deviation = (pictures - pictures.mean(0)).double()
    return torch.linalg.eigh(deviation @ deviation.T)


def units_needed(squares, share):
    """The least K with which K templates (and a bias) leave 1 - share of the squared deviation."""
    kept = squares.flip(0).cumsum(0) / squares.sum()
    return int((kept < share).sum()) + 1


for per_side, apart in [(5, 1), (10, 1), (20, 1), (25, 0.8)]:
    pictures = diamonds_on_grid(per_side, apart)
    squares, left = templates_of(pictures)
    units = [units_needed(squares, share) for share in (0.99, 0.9999)]
    extent = f"{(per_side - 1) * apart:>4.1f}"
    print(
        f"{per_side**2:>4} positions, {apart:<3g} pixels apart, on {extent} x {extent} pixels:",
        end=" ",
    )
    print(f"{units[0]:>3} units for 99 %, {units[1]:>3} for 99.99 %")

# %%
pictures = diamonds_on_grid(20, 1)
average = pictures.mean(0)
squares, left = templates_of(pictures)
rank = int((squares > 1e-8 * squares[-1]).sum())  # singular values above 0.0001 of the largest
print(f"400 pictures less their average: rank {rank}")
chosen = 20 * 3 + 16
figure, axes = plt.subplots(1, 6, figsize=(9, 2))
for ax, k in zip(axes, [1, 4, 16, 64, rank], strict=False):
    # The projection on the leading k:
    best = average + left[chosen, -k:] @ left[:, -k:].T @ (pictures - average).double()
    plot_picture(ax, best.view(64, 64), f"{k} templates")
plot_picture(axes[5], pictures[chosen].view(64, 64), "broadcast,\n4 hidden units")
show(
    figure,
    "The best that 1, 4, 16, 64 templates can draw of one diamond: a smear, then ghosts; broadcast is sharp.",
)

# %% [markdown]
# The number of units grows with the area; with more positions on the same area (the last line) it hardly grows. So it
# counts the positions that can be *told apart*: at 99 % one per two by two pixels or so, at 99.99 % about one per
# pixel. The rank is 399, not 400, because the bias paints the average. ReLUs in $h$ cannot help: the bound holds
# whatever computes $h$. The broadcast decoder escapes it, since its four hidden units are evaluated anew at every
# pixel, with the pixel's address.
#
# A deconv decoder need not hold whole-image templates: it may pass the position down, layer by layer. What each layer
# would have to know:

# %%
rows = trace(deconv, torch.zeros(1, 10))[1:]  # without the linear layer
for _, i, _ in rows:
    channels, side = i.shape[1:3]
    inside = (64 // side) ** 2  # positions, one pixel apart, within one cell
    print(f"{side:>2} x {side:<2} cells, {64 // side:>2} pixels wide: ", end="")
    print(f"{inside:>4} positions within a cell, {channels} channels to say which")

# %% [markdown]
# A channel per position does not fit until the cells are 8 pixels wide. Before that, a position must be *coded* in a
# cell's 64 numbers, say as 32 bumps along x and 32 along y; and the first layer, whose 256 units are ramps
# $\mathrm{relu}(a \cdot z + b)$, cannot even make these, for a bump takes three ramps. Each following layer must hand
# every bump to the right one of four finer cells, by *different* weights for even and odd cells (section 6), though
# the task is the same. It can be done; networks learn it. But the rule "a diamond at $(z_1, z_2)$" stands nowhere in
# such a network. It is spelt out place by place, and nothing in the architecture makes what holds at one place hold at
# the next.
#
# ## 10. What each decoder costs
#
# Parameters are counted; multiply-adds follow from the shapes that `trace` sees; memory is what `backward` must keep,
# caught where autograd stores it. We use three colour channels here.


# %%
def multiply_adds(network, z):
    """Multiply-adds of each layer for one picture, [layers]; taps that fall off the edge count, too."""
    counts = []
    for layer, i, o in trace(network, z):
        if isinstance(layer, nn.Linear):
            count = i[0].numel() * o[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            count = i[0].numel() * layer.weight[0].numel()  # every input number times [C_out, k, k]
        else:
            count = o[0].numel() * layer.weight[0].numel()  # every output number from [C_in, k, k]
        counts.append(count)
    return counts


# %%
def bytes_for_backward(network, z):
    """Bytes of activations that autograd keeps for the backward pass; parameters are not counted."""
    own, kept = {p.data_ptr() for p in network.parameters()}, {}

    def pack(tensor):
        if tensor.data_ptr() not in own:
            kept[tensor.data_ptr()] = tensor  # held, so that no two share an address
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = network(z).square().sum()  # kept alive until the count is taken
    assert loss.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


torch.manual_seed(0)
decoders = {"deconv": DeconvDecoder(out_channels=3), "SBD": SpatialBroadcastDecoder(out_channels=3)}
z = torch.randn(16, 10)
params = {name: [p.numel() for p in d.parameters() if p.ndim > 1] for name, d in decoders.items()}
total = {name: sum(p.numel() for p in d.parameters()) for name, d in decoders.items()}
macs = {name: multiply_adds(d, z[:1]) for name, d in decoders.items()}
memory = {name: bytes_for_backward(d, z) / 16 / 2**20 for name, d in decoders.items()}

assert total == {"deconv": 268_291, "SBD": 45_635}
assert sum(macs["SBD"]) == 64 * 64 * 9 * (12 * 64 + 64 * 64 + 64 * 3) == 186_384_384
cells = [side**2 for side in (2, 4, 8, 16, 32)]  # of the maps that are painted from
assert (
    sum(macs["deconv"]) == 10 * 256 + 16 * 64 * (64 * sum(cells[:4]) + 3 * cells[4]) == 25_430_528
)

# %% tags=["nbval-ignore-output"]
import time

threads = torch.get_num_threads()
torch.set_num_threads(1)  # and processor time, so that what else the machine does counts little
took = {"deconv": math.inf, "SBD": math.inf}  # forwards and backwards, a batch of 16; least of 4
for _ in range(4):
    for name, decoder in decoders.items():
        start = time.process_time()
        decoder(z).square().sum().backward()
        took[name] = min(took[name], time.process_time() - start)
torch.set_num_threads(threads)

print(f"{'':>34} {'deconv':>12} {'SBD':>12} {'SBD / deconv':>13}")
lines = [
    ("parameters", total, ",.0f"),
    ("multiply-adds per picture", {name: sum(m) for name, m in macs.items()}, ",.0f"),
    ("activations kept (MiB per picture)", memory, ".2f"),
    ("seconds per batch of 16, one core", took, ".3f"),
]
for label, values, form in lines:
    deconv_value, sbd_value = values["deconv"], values["SBD"]
    ratio = sbd_value / deconv_value
    print(f"{label:>34} {deconv_value:>12{form}} {sbd_value:>12{form}} {ratio:>13.2f}")

# %%
assert took["SBD"] > 1.5 * took["deconv"]
print(f"parameters:    SBD has {total['SBD'] / total['deconv']:.2f} of the deconv decoder's")
print(f"multiply-adds: SBD does {sum(macs['SBD']) / sum(macs['deconv']):.1f} times as many")
print(f"activations:   SBD keeps {memory['SBD'] / memory['deconv']:.1f} times as many bytes")


def draw_layers(ax, counts, unit, label):
    """Bars of both decoders, cut by layer; counts: [layers] by name."""
    widest = max(map(sum, counts.values())) / unit
    for row, name in enumerate(("SBD", "deconv")):
        left = 0
        for i, count in enumerate(np.array(counts[name]) / unit):
            shade = plt.get_cmap("cividis")(0.15 + 0.15 * i)
            ax.barh(row, count, left=left, color=shade, edgecolor="white")
            if count > 0.03 * widest:
                ink = "white" if i < 3 else "black"
                ax.text(left + count / 2, row, str(i + 1), ha="center", va="center", color=ink)
            left += count
    ax.set_yticks([0, 1], ["SBD", "deconv"])
    ax.set_xlabel(label)


figure, axes = plt.subplots(2, 1, figsize=(8, 3.6))
draw_layers(axes[0], params, 1e3, "weights (thousands)")
draw_layers(axes[1], macs, 1e6, "multiply-adds (millions)")
axes[0].set_title("by layer, numbered from the code to the picture")
show(
    figure,
    "The deconv decoder has six times the weights, in four equal layers; the SBD's second layer does most sums.",
)

# %% [markdown]
# A sixth of the parameters, and seven times the work: the SBD does everything at full resolution, most of it in its
# second layer, while the deconv decoder spreads its weights evenly and has most of them where maps are small and
# cheap. How many seconds that makes depends on the processor. A comparison at equal parameters, at equal updates and at
# equal seconds are three comparisons; whoever reports one should say which.
#
# ## What we established
#
# - The loss is $w\,\cdot$ (squared error summed over pixels) $+\ \beta\,\mathrm{KL}$ with $\sigma^2 = 1/(2w)$. With a
#   linear decoder the ELBO stays below the known $\log p(x)$, and equals it within 0.001 nats at the true posterior.
# - Without reparameterisation the encoder's gradient from the reconstruction is exactly zero, and no error tells you.
#   The score function is unbiased, too, but its spread grows as a posterior narrows, where the other one's falls.
# - Kernel 3 with stride 2 reaches a pixel by 1, 2 or 4 taps, kernel 4 by 4 everywhere. Yet 0.94 to 0.99 of the spread
#   in the mean output of untrained k4 s2 decoders goes with parity, over 8 seeds (0.2 to 0.8 without biases); the
#   broadcast decoder's 0.03 to 0.04 is that of a plain slope.
# - The SBD is tile, append, convolve. Without coordinates its picture is constant beyond 3 pixels from the border; its
#   receptive field is 7 × 7.
# - With 25 weights set by hand a broadcast decoder draws a diamond at any position to 0.05 pixel; a layer of templates
#   needs a number of units that grows with the area.
# - At three channels: 45,635 parameters against 268,291; 186 million multiply-adds a picture against 25 million.
#
# ## What could be wrong with it
#
# - That weights *exist* with which an SBD places a diamond says nothing about what training finds, nor that it finds
#   one latent per axis: with $z$ rotated by 45° a hand-set decoder is as easy to write.
# - The template bound is for one hidden layer before a linear output. It shows what depth must provide, not that a
#   deep deconv decoder fails to provide it. "Hard by hand" need not be hard for gradient descent.
# - Untrained mean outputs show where a decoder starts, with PyTorch's default initialisation; others make the pattern
#   weaker. A trained decoder may have learnt it away.
# - The deconv decoder has more parameters *and* fewer multiply-adds. A difference between the two could be due to
#   either, not to the coordinates; notebooks that compare them need controls (a deconv decoder *with* coordinates).
# - Seconds are those of one processor; a GPU weighs the two otherwise.

# %% [markdown]
# ## Exercises
#
# **1. The diamond in the library's decoder.** Set the weights of
# `SpatialBroadcastDecoder(64, 1, z_dim=2, channels=4)` so that it gives the same pictures *without* `clamp`.
# (Its kernels are 3 × 3, and it has a third layer to spare.)
#
# <details><summary>Solution</summary>
#
# Use the kernels' centres only. A clamp is two more ReLUs:
# $\min(\max(t, 0), 1) = \mathrm{relu}(t) - \mathrm{relu}(t - 1)$.
#
# ```python
# full = SpatialBroadcastDecoder(64, 1, z_dim=2, channels=4).requires_grad_(False)
# for parameter in full.parameters():
#     parameter.zero_()
# inner, middle, outer = full.convs[0], full.convs[2], full.convs[4]
# inner.weight[:, :, 1, 1] = first.weight[:, :, 0, 0]
# middle.weight[:2, :, 1, 1] = -SHARPNESS
# middle.bias[:2] = torch.tensor([SHARPNESS * RADIUS, SHARPNESS * RADIUS - 1])
# outer.weight[0, :2, 1, 1] = torch.tensor([1.0, -1.0])
# codes = torch.tensor([[0.4, -0.3], [-0.2, 0.7]])
# assert torch.allclose(full(codes), draw_diamonds(codes), atol=1e-5)
# ```
#
# </details>
#
# **2. A third latent.** Extend the decoder by hand so that $z_3$ sets the diamond's radius. Which layer changes, and
# what does the ReLU in between ask of $z_3$?
#
# <details><summary>Solution</summary>
#
# One more hidden unit carries $z_3$ through the ReLU, which it survives if it is positive; radii are.
#
# ```python
# sized = nn.Sequential(nn.Conv2d(5, 5, 1), nn.ReLU(), nn.Conv2d(5, 1, 1)).requires_grad_(False)
# for parameter in sized.parameters():
#     parameter.zero_()
# sized[0].weight[:4, [0, 1, 3, 4], 0, 0] = by_hand[0].weight[:, :, 0, 0]  # channels: z1, z2, z3, x, y
# sized[0].weight[4, 2] = 1
# sized[2].weight[0, :, 0, 0] = SHARPNESS * torch.tensor([-1.0, -1, -1, -1, 1])
# pixels = coordinate_map(64)[None]
# areas = []
# for radius in (0.15, 0.3, 0.6):
#     code = torch.tensor([0.1, -0.1, radius])[None, :, None, None].expand(-1, -1, 64, 64)
#     areas.append(sized(torch.cat([code, pixels], 1)).clamp(0, 1).sum())
# assert areas[0] < areas[1] < areas[2]
# assert torch.equal(areas[1], draw_diamonds([(0.1, -0.1)]).sum())
# ```
#
# </details>
#
# **3. Other kernels.** For which kernels does stride 3 reach all inner pixels by equally many taps? Guess, then check
# kernels 3 to 9 with `taps`.
#
# <details><summary>Solution</summary>
#
# The stride must divide the kernel: along one axis, a pixel is reached by every third weight, and these classes are
# equally large only then.
#
# ```python
# even = [k for k in range(3, 10) if len(taps(k, 3, size=13)[9:27, 9:27].unique()) == 1]
# assert even == [3, 6, 9]
# ```
#
# </details>
#
# **4. What β does to the clouds.** For the linear decoder of section 3, derive the posterior variance that minimises
# $w \cdot$ error $+\ \beta\,\mathrm{KL}$, and check it with `elbo_loss` and a search over standard deviations. What
# happens if $w$ and β are both doubled?
#
# <details><summary>Solution</summary>
#
# The terms with $s^2$ are $w s^2 \lVert a\rVert^2 + \beta (s^2 - \log s^2)/2$; the derivative vanishes at
# $s^2 = \beta / (\beta + 2 w \lVert a\rVert^2)$. Only β/w matters.
#
# ```python
# def best_std(w, beta):
#     stds = torch.logspace(-2, 0, 2001)
#     x2, noise = x_linear.expand(2, -1, -1, -1), torch.tensor([[-1.0], [1.0]])
#     losses = []
#     for std in stds:
#         mean, logvar = torch.zeros(2, 1), (2 * std.log()).expand(2, 1)
#         z = sample_posterior(mean, logvar, noise)
#         losses.append(elbo_loss(x2, z[:, :, None, None] * a, mean, logvar, w, beta).total)
#     return stds[torch.stack(losses).argmin()].item()
#
# for w_, beta_ in [(10, 1), (10, 4), (20, 8)]:
#     formula = math.sqrt(beta_ / (beta_ + 2 * w_ * a.square().sum().item()))
#     assert abs(best_std(w_, beta_) / formula - 1) < 0.01
# ```
#
# </details>
#
# **5. Resize, then convolve.** Odena et al. propose to replace a transposed convolution by nearest-neighbour upsampling
# and an ordinary convolution. Build such a decoder with kernel 3, measure its `parity_share` over three seeds, and
# count its multiply-adds. What does the cure cost?
#
# <details><summary>Solution</summary>
#
# The checkerboard is gone; the multiply-adds more than double, because every layer works at its output's resolution.
#
# ```python
# class ResizeDecoder(nn.Module):
#     def __init__(self, out_channels=1):
#         super().__init__()
#         self.hidden = nn.Linear(10, 256)
#         self.convs = nn.ModuleList(nn.Conv2d(64, c, 3, padding=1) for c in [64] * 4 + [out_channels])
#
#     def forward(self, z):
#         h = self.hidden(z).unflatten(1, (64, 2, 2))
#         for conv in self.convs:
#             h = conv(nn.functional.interpolate(torch.relu(h), scale_factor=2, mode="nearest"))
#         return h
#
# resized = []
# for seed in range(3):
#     torch.manual_seed(seed)
#     resized.append(parity_share(mean_output(ResizeDecoder(), seed)))
# assert max(resized) < 0.3 < min(shares["deconv"])
# assert 2 < sum(multiply_adds(ResizeDecoder(3), z[:1])) / sum(macs["deconv"]) < 3
# ```
#
# </details>
#
# ## What comes next
#
# Notebook 03 trains both decoders on the circles with the same encoder, objective and number of updates, and looks at
# what became of the plane of positions.
