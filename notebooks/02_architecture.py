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
# **Time**: 40 minutes to read, 30 more for the exercises; 20 seconds to run on two cores.
#
# Nothing is trained here. Every claim below is about untrained networks, or about weights that we choose ourselves;
# what training makes of them is the subject of notebook 03.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, VAE, checks, elbo_loss, kl_divergence, plot_picture, show

BLUE, ORANGE, GREEN, *_ = OKABE_ITO

# %%
from sbd_utils import draw_decoders, draw_vae

show(
    draw_vae(plt.figure()),
    "A VAE: an encoder gives mean and spread, a sample of them is the code, a decoder draws it; the loss adds the "
    "squared error of the picture and the KL of the code.",
)

# %% [markdown]
# This is the map of sections 1 to 4: where the code may lie, what it costs, why the two arrows of the loss belong
# together, and how a gradient gets through the noise. The rest is about the box on the right, which comes in two kinds:

# %%
show(
    draw_decoders(plt.figure()),
    "The SBD tiles the code over the image, appends two sheets of coordinates and convolves; the deconv decoder doubles "
    "maps from 2 by 2 to 64 by 64.",
)

# %% [markdown]
# ## 1. What an autoencoder leaves open
#
# An autoencoder squeezes an image $x$ through a few numbers $z$ and asks for it back: it lowers
# $\lVert x - \hat x \rVert^2$ with $\hat x = \mathrm{decoder}(\mathrm{encoder}(x))$. Nothing says *where* the codes
# should lie. A **variational** autoencoder (VAE; Kingma & Welling 2014) makes one change: the encoder answers with a
# cloud, $q(z|x) = \mathcal N(\mu(x), \operatorname{diag} \sigma^2(x))$, and the decoder gets a random point of it.
#
# Take 49 images of an object at 7 × 7 positions, and give each a place in a plane of codes. The best conceivable
# decoder answers with the average position of the images whose clouds reach $z$.
#
# **Predict:** how far off is that best decoder if the codes are (a) points in no order, (b) overlapping clouds in no
# order, (c) the same clouds in the order of the positions?
#
# <details><summary>Answer</summary>
#
# (a) Not at all: every point has one image, wherever it lies. (b) Far off, by more than half of the positions'
# variance: where clouds overlap, it must average positions that have nothing to do with each other. (c) A little:
# it averages over neighbours.
#
# </details>

# %%
line = torch.linspace(-1.5, 1.5, 7)
places = torch.cartesian_prod(line, line)  # [49, 2] where the codes lie
scrambled = places[torch.randperm(49, generator=torch.Generator().manual_seed(1))]
layouts = {  # positions of the 49 images, and the standard deviation of the clouds
    "points, no order": (scrambled, 0.02),
    "clouds, no order": (scrambled, 0.3),
    "clouds, in order": (places, 0.3),
}
noise = torch.randn(200, 49, 2, generator=torch.Generator().manual_seed(0))
errors = {}
for name, (positions, std) in layouts.items():
    z = places + std * noise  # [200, 49, 2]
    reach = torch.cdist(z.flatten(0, 1), places).square() / (2 * std**2)
    weights = torch.softmax(-reach, 1)  # [9800, 49] how probable each image is, given z
    off = (weights @ positions).view(200, 49, 2) - positions
    errors[name] = (off.square().mean() / positions.var(0, unbiased=False).mean()).item()
    print(f"{name}: the best decoder's squared error is {errors[name]:4.0%} of the variance")

# %%
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Circle

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharex=True, sharey=True)
colors = ScalarMappable(Normalize(-1.5, 1.5), "viridis")
for ax, (name, (positions, std)) in zip(axes, layouts.items(), strict=True):
    radius = 2 * max(std, 0.04)
    for (a, b), x in zip(places.tolist(), positions[:, 0].tolist(), strict=True):
        ax.add_patch(Circle((a, b), radius, color=colors.to_rgba(x), alpha=0.55))
    ax.set(title=f"{name}\nleast error {errors[name]:.0%}", xlabel="$z_1$")
    ax.set(aspect="equal", xlim=(-2.3, 2.3), ylim=(-2.3, 2.3))
axes[0].set_ylabel("$z_2$")
figure.colorbar(colors, ax=axes, label="x of the object", shrink=0.8)
show(
    figure,
    "Codes of 49 images: as points their order is free; as overlapping clouds only the ordered layout is cheap.",
)

# %% [markdown]
# The colour is the object's $x$, a disc is a cloud out to two standard deviations. The places and sizes of the clouds
# are the same in the middle and on the right, so nothing but the order can have lowered the error: **noise is what
# makes order pay.**
#
# ## 2. What keeps the clouds from shrinking
#
# With the error alone, every cloud would shrink to a point and we would be back on the left. So clouds have a price:
# the Kullback–Leibler divergence from the prior $\mathcal N(0, 1)$, for each latent
#
# $$\mathrm{KL} = \tfrac12\left(\mu^2 + \sigma^2 - \log\sigma^2 - 1\right)$$
#
# **Predict:** what does it cost to be twice as precise, that is to halve σ: the same everywhere? And which cloud is
# free?
#
# <details><summary>Answer</summary>
#
# Free is the prior itself, mean 0 and σ = 1: a latent that ignores the image. From there the first halving is cheap,
# 0.46 bit, because a wide cloud paid for its width; each further one comes closer to one bit.
#
# </details>

# %%
mean, logvar = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 1.0, 0.1]).log() * 2
kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1)  # the line in `kl_divergence`
assert torch.equal(kl, kl_divergence(mean, logvar))
for m, v, k in zip(mean, logvar, kl, strict=True):
    print(f"mean {m:.1f}, std {(v / 2).exp():.1f}: {k:.2f} nats")

halved = 0.5 ** torch.arange(7)  # 1, 1/2, 1/4 ...
price = kl_divergence(torch.zeros(7), 2 * halved.log())
bits = price.diff() / np.log(2)
for before, after, more in zip(halved, halved[1:], bits, strict=False):
    print(f"from std {before:.3f} to {after:.3f}: {more:.2f} bit more")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
m, s = torch.meshgrid(torch.linspace(-3, 3, 121), torch.logspace(-2, 0.5, 121), indexing="xy")
levels = [0.1, 0.5, 1, 2, 3, 4, 5]
lines = left.contour(m, s, kl_divergence(m, 2 * s.log()), levels=levels, colors="black")
left.clabel(lines, fmt="%g", fontsize=10, inline_spacing=8)
left.plot(0, 1, "o", color=ORANGE, markersize=9)
left.set(yscale="log", xlabel="posterior mean", ylabel="posterior std")
left.set_title("KL in nats; the dot is the prior")
stds = torch.logspace(-3, 0.5, 200)
right.plot(stds, kl_divergence(torch.zeros(200), 2 * stds.log()), color=BLUE)
right.plot(halved, price, "o", color=BLUE)
right.set(xscale="log", xlabel="posterior std (mean 0)", ylabel="KL (nats)")
right.set_title("a dot for every halving: soon one bit, 0.69 nats, each")
show(
    figure,
    "KL to the prior: zero at mean 0, std 1; it grows with the mean, and by nearly one bit per halving of the std.",
)

# %% [markdown]
# To be precise costs about one bit (0.69 nats) per halving of the standard deviation, so the network buys precision
# only where that saves reconstruction error. This is why the *posterior variance* will tell us which latents are in
# use.
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
# minimises its negative, without the constant, and estimates the expectation from one sample of $q$ per image:
#
# | term | line in `elbo_loss` |
# |---|---|
# | $\lVert x - \hat x\rVert^2$, **summed** over pixels | `(reconstruction - x).square().sum((1, 2, 3)).mean()` |
# | $\mathrm{KL}$, per latent | `kl_divergence(mean, logvar).mean(0)` |
# | $w \cdot$ squared error $+\ \beta \cdot \mathrm{KL}$ | `w * squared_error + beta * kl.sum()` |
#
# Since $-\log p(x|z) = \lVert x - \hat x\rVert^2 / (2\sigma^2) + \text{const}$, the weight is $w = 1/(2\sigma^2)$, that
# is **$\sigma^2 = 1/(2w)$**. With β = 1 this is the ELBO; with another β it is the objective of the **β-VAE** (Higgins
# et al. 2017), and no longer the bound of this model. Notebook 03 takes the constants apart.
#
# Is it a bound? With a linear decoder, $\hat x(z) = a z$, the true $\log p(x)$ is known: $x$ is normal with
# covariance $aa^\top + \sigma^2 I$. So we can hold `elbo_loss` against it.

# %%
from sbd_utils import sample_posterior

w = 10.0
sigma = (1 / (2 * w)) ** 0.5
generator = torch.Generator().manual_seed(0)
a = 0.2 * torch.randn(1, 1, 8, 8, generator=generator)  # the linear decoder's one picture
x_linear = 0.8 * a + sigma * torch.randn(1, 1, 8, 8, generator=generator)
true = torch.distributions.LowRankMultivariateNormal(
    torch.zeros(64), cov_factor=a.view(64, 1), cov_diag=torch.full((64,), sigma**2)
)
log_p = true.log_prob(x_linear.flatten()).item()

best_var = 1 / (1 + 2 * w * a.square().sum())  # of the true posterior p(z|x), which is normal here
best_mean = best_var * 2 * w * (a * x_linear).sum()


def elbo(mean, std):
    """ELBO in nats; as the error is quadratic in z, noise -1 and +1 give its expectation."""
    mean, logvar = torch.full((2, 1), float(mean)), torch.full((2, 1), 2 * np.log(float(std)))
    z = sample_posterior(mean, logvar, noise=torch.tensor([[-1.0], [1.0]]))  # [2, 1]
    pictures = z[:, :, None, None] * a
    loss = elbo_loss(x_linear.expand(2, -1, -1, -1), pictures, mean, logvar, w=w, beta=1.0)
    constant = 64 / 2 * np.log(w / np.pi)  # -D/2 log(2 pi sigma^2)
    return constant - loss.total.item()


best = elbo(best_mean, best_var.sqrt())
gap = log_p - elbo(best_mean + 0.3, best_var.sqrt())
kl_to_posterior = (0.3**2 / (2 * best_var)).item()  # of two normals of this variance, 0.3 apart
print(f"log p(x) = {log_p:.2f} nats, exactly; ELBO at the true posterior = {best:.2f} nats")
print(f"mean off by 0.3: gap {gap:.2f} nats, KL(q || true posterior) {kl_to_posterior:.2f}")
assert abs(best - log_p) < 1e-3
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
# input and the rest is arithmetic, $z = \mu + \sigma\varepsilon$ with $\varepsilon \sim \mathcal N(0, 1)$. Three ways
# to draw from the same distribution, and the gradient of the squared error that the encoder gets through each:

# %%
from torch.distributions import Normal

from sbd_utils import circles_dataset

images = circles_dataset(16, seed=0).tensors[0]  # [16, 1, 64, 64]
torch.manual_seed(0)
model = VAE()  # untrained; 64 x 64, one channel, broadcast decoder, 10 latents
draws = {
    "Normal(mean, std).sample()": lambda mean, std: Normal(mean, std).sample(),
    "torch.normal(mean, std)": lambda mean, std: torch.normal(mean, std),
    "mean + std * noise": lambda mean, std: mean + std * torch.randn_like(std),
}
for name, draw in draws.items():
    torch.manual_seed(1)
    mean, logvar = (t.detach().requires_grad_() for t in model.encoder(images))
    error = (model.decoder(draw(mean, (logvar / 2).exp())) - images).square().sum()
    error.backward()
    sizes = [0.0 if t.grad is None else t.grad.norm().item() for t in (mean, logvar)]
    print(f"{name:>27}: gradient in mean {sizes[0]:.2g}, in logvar {sizes[1]:.2g}")
assert min(sizes) > 0

# %% [markdown]
# Only the last one lets the encoder learn. Worse, neither of the first two raises an error: `sample()` is cut off from
# its arguments, `torch.normal` has a derivative that is defined as zero, the decoder still gets a gradient and the loss
# still falls a little, while the encoder feels only the KL and forgets the image. If ever your VAE's posterior is the
# prior from the first step on, look here.
#
# There is another unbiased estimator, which needs no derivative of the decoder, the **score function** (REINFORCE):
# $\nabla_\mu \mathbb E[f(z)] = \mathbb E[f(z)\,\varepsilon/\sigma]$. Why are VAEs not trained with it? Take one latent
# and $f(z) = z^2$ with $\mu = 0.5$: the true gradient is $2\mu = 1$. It does not change if a constant is taken from
# $f$; the mean of $f$ is the usual choice, a *baseline*.

# %%
mu = 0.5
noise = torch.randn(100_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
spread = {"score function": [], "score, mean subtracted": [], "reparameterised": []}
stds = [1.0, 0.3, 0.1, 0.03, 0.01]
print("posterior std:", *(f"{std:>6g}" for std in stds))
for std in stds:
    z = mu + std * noise
    f = z.square()
    estimates = [f * noise / std, (f - f.mean()) * noise / std, 2 * z]  # one sample each
    for name, estimate in zip(spread, estimates, strict=True):
        standard_error = estimate.std() / len(noise) ** 0.5
        assert abs(estimate.mean() - 2 * mu) < 5 * standard_error, f"{name} is biased"
        spread[name].append(estimate.std().item())
for name, values in spread.items():
    print(f"{name:>24}: spread", *(f"{value:.2f}" for value in values))

# %%
figure, ax = plt.subplots(figsize=(6, 3.2))
styles = {"s--": ORANGE, "D-.": "black", "o-": BLUE}
for (name, values), (style, color) in zip(spread.items(), styles.items(), strict=True):
    ax.plot(stds, values, style, color=color, label=name)
ax.axhline(1, color="0.5", linestyle=":", label="the gradient itself")
ax.set(xscale="log", yscale="log", xlabel="posterior std", ylabel="std of the estimate")
ax.legend()
show(
    figure,
    "As the posterior narrows, the score function's spread grows, with its mean subtracted it stays, "
    "the reparameterised one falls.",
)

# %% [markdown]
# All three are right on average. As a posterior narrows, which is what training does to the latents in use, the plain
# score function's spread grows as 1/σ. With the mean subtracted it does not, but it stays larger than the gradient
# itself however narrow the cloud is, and every further latent adds its noise. The reparameterised spread falls in
# proportion to σ. The score function knows only *how good* a sample was; the reparameterised gradient also knows *in
# which direction* it would have been better.
#
# ## 5. The encoder, and the encoder run backwards
#
# Four convolutions of kernel 4 and stride 2 halve the image four times; two linear layers make mean and log-variance
# of what is left. The customary decoder is the encoder run backwards: a linear layer makes 64 maps of 2 × 2, and five
# transposed convolutions ("deconvolutions") of kernel 4 and stride 2 double them.

# %%
from torch import nn

from sbd_utils import DeconvDecoder

torch.manual_seed(0)
deconv = DeconvDecoder()
down, up = [images[:1]], []  # what passes through, [1, C, H, H] each
for layer in model.encoder.convs:
    h = layer(down[-1])
    down = [*down[:-1], h] if isinstance(layer, nn.ReLU) else [*down, h]
h = deconv.hidden(torch.randn(1, 10)).unflatten(1, (64, 2, 2))
for layer in deconv.deconvs:
    up.append(h.relu())
    h = layer(up[-1])
up.append(h)
print("encoder:", " -> ".join(str(tuple(h.shape[1:])) for h in down))
print("deconv: ", " -> ".join(str(tuple(h.shape[1:])) for h in up))

# %%
figure, axes = plt.subplots(2, 6, figsize=(9, 3.6))
for row, stages in zip(axes, [down, up], strict=True):
    for ax, h in zip(row, stages, strict=False):
        liveliest = h[0].flatten(1).std(1).argmax()  # of the channels, the one that varies most
        size = h.shape[-1]
        plot_picture(ax, h[0, liveliest].detach(), f"{size} × {size}", cmap="viridis")
axes[0, 5].set_axis_off()
axes[0, 0].set_ylabel("encoder")
axes[1, 0].set_ylabel("deconv decoder")
show(
    figure,
    "One channel per layer: in the encoder a circle becomes a blob; in the deconv decoder a checkerboard appears.",
)

# %% [markdown]
# In the encoder the circle stays a blob at the matching place of ever smaller maps: convolutions keep *where*. Only at
# the end does `flatten` turn place into index, and a linear layer into numbers. Encoding position is easy. Decoding it
# is the hard direction, and there the two architectures part.
#
# Look at the last pictures of the deconv decoder: a regular texture, before any training and from a random code.
#
# ## 6. Who reaches which pixel
#
# A transposed convolution of stride 2 lets every input pixel paint a patch of the output, patches two pixels apart. How
# many patches cover a given output pixel? Let ones paint with ones, and read off the count.
#
# **Predict:** with kernel 3 and stride 2, is every pixel reached by equally many weights? With kernel 4? And if the
# counts are equal, is the texture gone?
#
# <details><summary>Answer</summary>
#
# Kernel 3: no, by 1, 2 or 4. Kernel 4: yes, by 4 everywhere. And no, the texture is not gone: it is kernel 4 that
# made the pictures above. Equal counts are not equal weights.
#
# </details>


# %%
from sbd_utils import SpatialBroadcastDecoder as LibraryDecoder


def taps(kernel, stride, size=7):
    """How many (input pixel, kernel weight) pairs reach each output pixel, [H, H]."""
    ones, weights = torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel)
    reached = nn.functional.conv_transpose2d(ones, weights, stride=stride, padding=1)
    return reached[0, 0].int()


for kernel in (3, 4):
    counts = taps(kernel, 2)[3:10, 3:10].unique().tolist()  # away from the borders
    print(f"kernel {kernel}, stride 2: weights that reach an inner pixel: {counts}")

means, shares = {}, {"deconv": [], "SBD": []}
for seed in range(8):
    for name, kind in {"deconv": DeconvDecoder, "SBD": LibraryDecoder}.items():
        torch.manual_seed(seed)
        decoder = kind().requires_grad_(False)
        mean = decoder(torch.randn(32, 10)).mean((0, 1))  # over random codes: they cancel
        inner = means[name] = mean[8:-8, 8:-8]  # borders are special for reasons of their own
        parities = torch.stack([inner[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)])
        shares[name].append((parities.std(unbiased=False) / inner.std(unbiased=False)).item())
for name, values in shares.items():
    print(f"{name:>6}: {min(values):.2f} to {max(values):.2f}", end=" ")
    print("of the spread in the mean picture goes with odd or even")

# %%
figure, axes = plt.subplots(1, 5, figsize=(10, 2.7), width_ratios=[1.4, 1, 1, 1, 1])
wires = axes[0]
for source in range(-1, 6):
    above = 2 * source + 0.5
    for tap, style in enumerate(("-", "--", "-", "--")):  # dashed: the weights of even pixels
        below = 2 * source + tap - 1
        wires.plot([below, above], [0, 1], style, color=OKABE_ITO[tap], linewidth=1.8)
wires.scatter(range(9), np.zeros(9), color="black", zorder=3, s=22)
wires.set(xlim=(-0.5, 8.5), ylim=(-0.15, 1.1), xticks=range(9), xlabel="output pixel")
wires.set_yticks([0, 1], ["out", "in"])
wires.set_title("kernel 4 along one axis,\na colour for each weight")
for ax, kernel in zip(axes[1:], (3, 4), strict=False):
    count = taps(kernel, 2)[3:10, 3:10]
    plot_picture(ax, count, f"weights per pixel,\nkernel {kernel}", cmap="cividis", vmin=0, vmax=4)
    for (i, j), value in np.ndenumerate(count):
        ink = "black" if value > 2 else "white"
        ax.text(j, i, str(value), ha="center", va="center", color=ink)
for ax, name in zip(axes[3:], ("deconv", "SBD"), strict=True):
    plot_picture(ax, means[name][12:36, 12:36], f"mean picture,\nuntrained {name}", cmap="gray")
show(
    figure,
    "Kernel 4, stride 2 reaches every pixel by 4 weights, odd and even ones by different weights; "
    "the untrained deconv decoder's mean picture is a checkerboard, the SBD's is smooth.",
)

# %% [markdown]
# With kernel 3, pixels take turns between one, two and four weights: the checkerboard that Odena, Dumoulin and Olah
# described (*Deconvolution and Checkerboard Artifacts*, Distill, 2016). A kernel that the stride divides makes the
# counts agree, and they observe themselves that this helps but does not suffice. The picture says why: even pixels
# listen to one pair of weights (dashed), odd pixels to *another* pair, and nothing ties the pairs together. Even and
# odd pixels share every layer's input, but no layer's weights. Average an untrained decoder's output over random codes:
# what the codes put in cancels, what the architecture puts in stays, and nearly all that stays is "is my row even, is
# my column even?". The remedy of Odena et al. is to resize first and convolve after, with stride 1.
#
# The control on the far right has no strides at all; it is what the rest of this notebook builds. How the pattern
# depends on biases and which layer writes which frequency is in the [appendix](appendix/02_decoders.ipynb).
#
# ## 7. The spatial broadcast decoder, step by step
#
# Watters et al. (2019, arXiv 1901.07017) replace the growing maps by three operations: tile, append, convolve. First in
# small: a code of one number, an image of 3 × 4 pixels.

# %%
code = 0.7
rows, columns = torch.meshgrid(torch.linspace(-1, 1, 3), torch.linspace(-1, 1, 4), indexing="ij")
sheets = torch.stack([torch.full((3, 4), code), columns, rows])  # tiled code, x, y
figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.2))
titles = ["1. tile the code", "2. append x", "… and y"]
for ax, sheet, title in zip(axes, sheets, titles, strict=True):
    plot_picture(ax, sheet, title, cmap="cividis", vmin=-1, vmax=1)
    for (i, j), value in np.ndenumerate(sheet):
        ink = "black" if value > 0 else "white"
        ax.text(j, i, f"{value:.1f}", ha="center", va="center", color=ink)
show(
    figure,
    "Three sheets of 3 by 4 numbers: 0.7 everywhere, x from -1 to 1 to the right, y from -1 to 1 downwards.",
)

# %% [markdown]
# Every pixel now holds the same code and its own address. "3. convolve" runs one small network over all of them, which
# answers one question: "given this code, what is seen at this address?" As a module, for any code and size:


# %%
class SpatialBroadcastDecoder(nn.Module):
    def __init__(self, im_size=64, out_channels=1, z_dim=10, channels=64):
        super().__init__()
        line = torch.linspace(-1, 1, im_size)
        y, x = torch.meshgrid(line, line, indexing="ij")
        self.grid = torch.stack([x, y])[None]  # [1, 2, H, W]
        first = nn.Conv2d(z_dim + 2, channels, 3, padding=1)
        middle = nn.Conv2d(channels, channels, 3, padding=1)
        last = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.convs = nn.Sequential(first, nn.ReLU(), middle, nn.ReLU(), last)

    def forward(self, z):  # [N, z_dim] -> [N, C, H, W]
        grid = self.grid.expand(len(z), -1, -1, -1)
        tiled = z[:, :, None, None].expand(-1, -1, *grid.shape[-2:])  # a view: nothing is copied
        return self.convs(torch.cat([tiled, grid], 1))


torch.manual_seed(0)
library, sbd = LibraryDecoder(), SpatialBroadcastDecoder()
sbd.load_state_dict(library.state_dict())
z = torch.randn(2, 10)
difference = (sbd(z) - library(z)).abs().max().item()
print(f"same weights, same codes: the pictures differ from the library's by at most {difference:g}")
assert difference == 0

# %% [markdown]
# That is all. (The library's also checks its input, and takes the options that notebook 05 compares.) There is no
# upsampling, so there is nothing to leave a checkerboard, and nothing moves: a picture is a function of $(z, x, y)$,
# evaluated 4,096 times. **It is not the paper's to the letter**: Watters et al. use kernel 4 without padding on a
# larger sheet; kernel 3 with padding keeps the size, as in most re-implementations.
#
# **Predict:** what does it draw without the channels x and y: with zero padding, and without?
#
# <details><summary>Answer</summary>
#
# Every pixel gets the same input, and convolutions of stride 1 can only give the same output: one shade. With zero
# padding there is a frame, since pixels near a border see zeros: three pixels wide, for three kernels of 3 × 3 see
# 7 × 7 pixels.
#
# </details>

# %%
from sbd_utils import coordinate_map

torch.manual_seed(0)
blind = LibraryDecoder(position="none", padding=False)(z).detach()[0, 0]  # [58, 58]
framed = LibraryDecoder(position="none")(z).detach()[0, 0]  # [64, 64]
shades = {"no padding": blind, "zero padding": framed, "3 pixels inwards": framed[3:-3, 3:-3]}
for name, picture in shades.items():
    print(f"no coordinates, {name}: brightest less darkest pixel {np.ptp(picture.numpy()):.3f}")

labelled = torch.randn(1, 12, 64, 64, requires_grad=True)
(reach,) = torch.autograd.grad(sbd.convs(labelled)[0, 0, 32, 32], labelled)
reach = reach[0].abs().amax(0)  # [64, 64] what the middle pixel depends on
height, width = (int(reach.any(axis).sum()) for axis in (1, 0))
print(f"receptive field of an output pixel: {height} x {width} pixels")

# %%
figure, axes = plt.subplots(1, 4, figsize=(9, 2.7))
panels = {
    "no coordinates,\nno padding": blind,
    "no coordinates,\nzero padding": framed,
    "coordinates,\nzero padding": sbd(z).detach()[0, 0],
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
# A view of 7 × 7 is tiny: an SBD pixel cannot look around. All it knows of the object, it knows from the code; all it
# knows of its own place, from the two coordinate channels.
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
first.bias.zero_()
second.weight.fill_(-SHARPNESS)
second.bias.fill_(SHARPNESS * RADIUS)  # together SHARPNESS * (r - |x - z1| - |y - z2|)


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
from sbd_utils import center_of_mass

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

z = 1.2 * torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) - 0.6
pictures = draw_diamonds(z)  # [500, 1, 64, 64]
asked = 32 + z * 63 / 2  # in pixels: -1 is at 0.5, 1 at 63.5
off = (center_of_mass(pictures) - asked).abs().max().item()
print(f"500 random codes: centre of mass and code differ by at most {off:.3f} pixel")

pixel = 2 / 63  # from one pixel's coordinate to the next's
moved = draw_diamonds(z + torch.tensor([pixel, 0.0]))
difference = (moved[..., 1:] - pictures[..., :-1]).abs().max().item()
print(f"z1 one pixel further, against the picture one pixel further: {difference:.4f}")
assert off < 0.05
assert difference < 1e-4

# %% [markdown]
# The position is right to a fraction of a pixel, at places for which nobody set a weight. The last line says why: the
# network sees $x - z_1$ only, so that moving the code and moving the picture are one and the same. A latent that means
# *position* is, for this decoder, a matter of a few weights. That is the inductive bias; whether gradient descent
# finds it is a question for notebook 03. (And a deconv decoder by hand? The [appendix](appendix/02_decoders.ipynb)
# counts the templates that it would have to hold.)
#
# Move it yourself (in a running notebook; on a page, the strip above stands for it).

# %% tags=["widget"]
import ipywidgets as widgets
from IPython.display import display

from sbd_utils.explorer.pictures import png, side_by_side, to_bytes

z1_slider, z2_slider = (
    widgets.FloatSlider(value=0, min=-1.2, max=1.2, step=0.02, description=name)
    for name in ("z1 (x)", "z2 (y)")
)
view = widgets.Image(format="png", width=256, height=256)
view.add_class("diamond")


def redraw(change=None):
    diamond = draw_diamonds([(z1_slider.value, z2_slider.value)])[0]
    view.value = png(side_by_side([to_bytes(diamond)], scale=4))


redraw()
for slider in (z1_slider, z2_slider):
    slider.observe(redraw, names="value")
display(widgets.HBox([view, widgets.VBox([z1_slider, z2_slider])]))

# %% [markdown]
# ## 9. What each decoder costs
#
# Parameters are counted, and so are multiply-adds: PyTorch's `FlopCounterMode` sees every operation, and counts a
# multiplication and an addition as two. We use three colour channels here.

# %%
import time

from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

torch.manual_seed(0)
decoders = {"deconv": DeconvDecoder(out_channels=3), "SBD": LibraryDecoder(out_channels=3)}
z = torch.randn(16, 10)
weights, macs = {}, {}  # of each layer, by decoder
for name, decoder in decoders.items():
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        decoder(z[:1])
    counts = {path.partition(".")[2]: of for path, of in counter.get_flop_counts().items()}
    layers = {path: layer for path, layer in decoder.named_modules() if hasattr(layer, "weight")}
    weights[name] = [layer.weight.numel() for layer in layers.values()]
    macs[name] = [sum(counts[path].values()) // 2 for path in layers]
    total = sum(p.numel() for p in decoder.parameters())
    given = {"decoder": decoder, "z": z}
    passes = Timer("decoder(z).square().sum().backward()", globals=given, timer=time.process_time)
    print(
        f"{name:>6}: {total:>7,} parameters, {sum(macs[name]):>11,} multiply-adds a picture;",
        end=" ",
    )
    print(f"16 pictures there and back, on one core: {passes.timeit(2).median:.2f} s")

# %%
assert sum(macs["SBD"]) == 64 * 64 * 9 * (12 * 64 + 64 * 64 + 64 * 3) == 186_384_384
cells = [side**2 for side in (2, 4, 8, 16, 32)]  # of the maps that are painted from
assert (
    sum(macs["deconv"]) == 10 * 256 + 16 * 64 * (64 * sum(cells[:4]) + 3 * cells[4]) == 25_430_528
)
ratios = [sum(counts["SBD"]) / sum(counts["deconv"]) for counts in (weights, macs)]
print(f"SBD over deconv: {ratios[0]:.2f} of the weights, {ratios[1]:.1f} times the multiply-adds")

figure, axes = plt.subplots(2, 1, figsize=(8, 3.6))
units = {"weights (thousands)": (weights, 1e3), "multiply-adds (millions)": (macs, 1e6)}
for ax, (label, (counts, unit)) in zip(axes, units.items(), strict=True):
    widest = max(map(sum, counts.values()))
    for row, name in enumerate(("SBD", "deconv")):
        ends = np.cumsum(counts[name])
        for i, (count, end) in enumerate(zip(counts[name], ends, strict=True)):
            shade, ink = plt.get_cmap("cividis")(0.15 + 0.15 * i), "white" if i < 3 else "black"
            left = (end - count) / unit
            ax.barh(row, count / unit, left=left, color=shade, edgecolor="white")
            if count > 0.03 * widest:
                middle = left + count / unit / 2
                ax.text(middle, row, str(i + 1), ha="center", va="center", color=ink)
    ax.set_yticks([0, 1], ["SBD", "deconv"])
    ax.set_xlabel(label)
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
# - Halving a posterior's spread costs 0.46 bit at first (from 1 to 0.5) and soon one bit.
# - Without reparameterisation the encoder's gradient from the reconstruction is exactly zero, and no error tells you.
#   The score function is unbiased, too; at a spread of 0.01 its estimates scatter by 25, with the mean subtracted by
#   1.4, reparameterised ones by 0.02, about a gradient of 1.
# - Kernel 3 with stride 2 reaches a pixel by 1, 2 or 4 weights, kernel 4 by 4 everywhere. Yet 0.94 to 0.99 of the
#   spread in the mean picture of untrained k4 s2 decoders goes with odd or even, over 8 seeds; the broadcast decoder's
#   0.03 to 0.04 is that of a plain slope.
# - The SBD is tile, append, convolve. Without coordinates its picture is constant beyond 3 pixels from the border; its
#   receptive field is 7 × 7.
# - With 25 weights set by hand a broadcast decoder draws a diamond at any position to 0.05 pixel.
# - At three channels: 45,635 parameters against 268,291; 186 million multiply-adds a picture against 25 million.
#
# ## What could be wrong with it
#
# - That weights *exist* with which an SBD places a diamond says nothing about what training finds, nor that it finds
#   one latent per axis: with $z$ rotated by 45° a hand-set decoder is as easy to write (exercise 2).
# - Untrained mean pictures show where a decoder starts, with PyTorch's default initialisation; others make the pattern
#   weaker. A trained decoder may have learnt it away.
# - The deconv decoder has more parameters *and* fewer multiply-adds. A difference between the two could be due to
#   either, not to the coordinates; notebooks that compare them need controls (a deconv decoder *with* coordinates).
# - Seconds are those of one processor; a GPU weighs the two otherwise.

# %% [markdown]
# ## Exercises
#
# Write in place of the `...`, and run the cell: its last line looks at your answer.
#
# **1. The diamond in the library's decoder.** Set the weights of
# `LibraryDecoder(64, 1, z_dim=2, channels=4)` so that it gives the same pictures *without* `clamp`.
# (Its kernels are 3 × 3, and it has a third layer to spare.)
#
# <details><summary>Solution</summary>
#
# Use the kernels' centres only. A clamp is two more ReLUs:
# $\min(\max(t, 0), 1) = \mathrm{relu}(t) - \mathrm{relu}(t - 1)$.
#
# ```python
# full = LibraryDecoder(64, 1, z_dim=2, channels=4).requires_grad_(False)
# for parameter in full.parameters():
#     parameter.zero_()
# inner, middle, outer = full.convs[0], full.convs[2], full.convs[4]
# inner.weight[:, :, 1, 1] = first.weight[:, :, 0, 0]
# middle.weight[:2, :, 1, 1] = -SHARPNESS
# middle.bias[:2] = torch.tensor([SHARPNESS * RADIUS, SHARPNESS * RADIUS - 1])
# outer.weight[0, :2, 1, 1] = torch.tensor([1.0, -1.0])
# ```
#
# </details>

# %%
# Exercise 1
full = ...  # LibraryDecoder(64, 1, z_dim=2, channels=4).requires_grad_(False), and its weights

checks.diamonds(full, draw_diamonds)

# %% [markdown]
# **2. A turned code.** Let the code be turned by 45°: the diamond shall lie at $x = (z_1 - z_2)/\sqrt2$,
# $y = (z_1 + z_2)/\sqrt2$, upright as before. Which four rows must `first.weight` have? What does that say about
# "one latent for x, one for y"?
#
# <details><summary>Solution</summary>
#
# Put the two formulas in place of $z_1$ and $z_2$. To this decoder a turned code is as easy as a straight one: nothing
# in the architecture asks that a latent should follow a single coordinate.
#
# ```python
# r = 0.5**0.5
# turned = torch.tensor(
#     [
#         [-r, r, 1, 0],  # x - (z1 - z2) / √2
#         [r, -r, -1, 0],
#         [-r, -r, 0, 1],  # y - (z1 + z2) / √2
#         [r, r, 0, -1],
#     ]
# )
# ```
#
# </details>

# %%
# Exercise 2
turned = ...  # a tensor [4, 4]; columns as above: z1, z2, x, y

checks.turned_diamond(turned)

# %% [markdown]
# **3. Other kernels.** For which kernels from 3 to 9 does stride 3 reach all inner pixels by equally many weights?
# Guess, then check with `taps`.
#
# <details><summary>Solution</summary>
#
# The stride must divide the kernel: along one axis, a pixel is reached by every third weight, and these classes are
# equally large only then.
#
# ```python
# even = [k for k in range(3, 10) if len(taps(k, 3, size=13)[9:27, 9:27].unique()) == 1]
# ```
#
# </details>

# %%
# Exercise 3
even = ...  # a list of kernels

checks.even_kernels(even)


# %% [markdown]
# **4. What β does to the clouds.** For the linear decoder of section 3, derive the posterior's standard deviation $s$
# that minimises $w \cdot$ error $+\ \beta\,\mathrm{KL}$. It depends on the decoder through $n = \lVert a\rVert^2$
# alone. What happens if $w$ and β are both doubled?
#
# <details><summary>Solution</summary>
#
# The terms with $s^2$ are $w s^2 n + \beta (s^2 - \log s^2)/2$; the derivative vanishes at
# $s^2 = \beta / (\beta + 2 w n)$. Only β/w matters.
#
# ```python
# def best_std(w, beta, norm2):
#     return (beta / (beta + 2 * w * norm2)) ** 0.5
#
# n = a.square().sum().item()
# stds = torch.logspace(-2, 0, 2001)
# for beta in (1, 4):  # against a search with `elbo_loss`'s two terms
#     losses = w * stds.square() * n + beta * kl_divergence(torch.zeros(2001), 2 * stds.log())
#     assert abs(stds[losses.argmin()] / best_std(w, beta, n) - 1) < 0.01
# ```
#
# </details>


# %%
# Exercise 4
def best_std(w, beta, norm2):
    """The standard deviation of q(z|x) at the minimum; norm2 is the squared norm of a."""
    return ...


checks.best_std(best_std)

# %% [markdown]
# ## What comes next
#
# Notebook 03 trains a VAE with the broadcast decoder on the circles, first by a loop of ten lines, and looks at what
# became of the plane of positions. Its counterpart with the deconv decoder, trained alike, comes ready-made; notebook
# 05 compares the two.
