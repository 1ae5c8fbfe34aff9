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
# # 05 · Is it the decoder? The SBD against deconvolution
#
# **You will be able to** compare two generative models by reconstruction, posterior variance and geometry; say what one
# pair of runs shows and what needs many seeds; put an interval on a difference of medians; trace the straight grid back
# to the decoder's first layer; and read an ablation, circular statistics included.
#
# **You need** notebooks 02 (the two decoders) and 04 (posterior variance, encoded grids, affine and similarity fit).
#
# **Time**: 45 minutes to read, 40 seconds to run on two cores.
#
# The claim of Watters et al. 2019 (arXiv 1901.07017) is that a VAE whose decoder gets the coordinates of every pixel
# finds better organised codes than one that decodes by transposed convolutions. We take it apart: first one network of
# each kind, then every seed, then the reason, then networks with one thing changed.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, VAE, circles_dataset, decode, encode, load_pretrained, show

BLUE, ORANGE, *_ = OKABE_ITO
COLOR = {"SBD": BLUE, "deconv": ORANGE}

# %% [markdown]
# ## 1. Two networks that differ in one thing
#
# Both were trained by the same recipe: same encoder, same objective, same stream of circles, same number of updates,
# same schedules. Each is the *median* of its three seeds by similarity R², not the best.

# %%
models = {
    "SBD": load_pretrained("vae_circles_bw"),
    "deconv": load_pretrained("vae_deconv_circles_bw"),
}


def parameters(module):
    """Number of trainable numbers."""
    return sum(p.numel() for p in module.parameters())


configs = [{**model.config, "decoder": None} for model in models.values()]
assert configs[0] == configs[1]  # nothing but the decoder differs
for name, model in models.items():
    in_encoder, in_decoder = parameters(model.encoder), parameters(model.decoder)
    print(f"{name:>6}: encoder {in_encoder:,} parameters, decoder {in_decoder:,}")

# %% [markdown]
# ## 2. Reconstructions
#
# Do both draw the circle? If one did not, there would be no point in comparing codes.

# %%
from sbd_utils import reconstruct

images, centers = circles_dataset(300, seed=1_000_003).tensors  # not seen in training
# [300, 1, 64, 64] and [300, 2]
rebuilt = {name: reconstruct(model, images) for name, model in models.items()}
errors = {name: (r - images).square().sum((1, 2, 3)) for name, r in rebuilt.items()}  # [300] each
blank = images.square().sum((1, 2, 3)).mean()
print(f"a black image: squared error {blank:.0f} per image")
for name, e in errors.items():
    print(
        f"{name:>6}: squared error {e.mean():.1f} per image on average, {e.max():.0f} at worst,",
        end=" ",
    )
    print(f"{1 - e.mean() / blank:.0%} of the circle explained")

# %%
from sbd_utils import plot_strip

figure, axes = plt.subplots(3, 1, figsize=(8, 3.9))
plot_strip(axes[0], images[:7])
axes[0].set_ylabel("original")
for ax, (name, pictures) in zip(axes[1:], rebuilt.items(), strict=True):
    plot_strip(ax, pictures[:7], [f"error {e:.1f}" for e in errors[name][:7].tolist()])
    ax.set_ylabel(name)
show(
    figure,
    "Seven circles, and what the SBD and the deconv VAE make of them; both redraw every circle in place.",
)

# %%
figure, (left, *maps) = plt.subplots(1, 3, figsize=(9.5, 3), width_ratios=[1.15, 1, 1])
top = max(e.max().item() for e in errors.values())
bins = np.linspace(0, top, 31)
for name, hatch in [("SBD", "//"), ("deconv", None)]:
    style = {"color": COLOR[name], "alpha": 0.7, "hatch": hatch, "edgecolor": "white"}
    left.hist(errors[name], bins, label=name, **style)
left.set(xlabel="squared error per image", ylabel="circles")
left.legend()
x, y = centers.T
for ax, (name, e) in zip(maps, errors.items(), strict=True):
    dots = ax.scatter(x, y, c=e, cmap="cividis", s=14, vmin=0, vmax=top)
    ax.set(title=name, xlabel="x (pixels)", xlim=(4, 60), ylim=(60, 4), aspect="equal")
    if ax is maps[-1]:
        figure.colorbar(dots, ax=ax, label="squared error")
maps[0].set_ylabel("y (pixels)")
show(
    figure,
    "Histograms of the squared error of 300 circles for both decoders, and the error at each circle's place.",
)

# %% [markdown]
# Both decoders draw a circle at the right place, so both codes *contain* the position. By how much the errors differ is
# a matter for the seeds below; here, look at *where* they are. The SBD's errors are alike all over the plane, up to the
# border. The deconv decoder's spread more, and its largest lie at the edge of the region that the circles cover.
#
# ## 3. How many latents?

# %%
from sbd_utils import informative_latents, kl_divergence, plot_variances

codes = {name: encode(model, images) for name, model in models.items()}  # mean, logvar: [300, 10]
variances = {name: logvar.exp().mean(0) for name, (_, logvar) in codes.items()}  # [10]
informative = {name: informative_latents(v) for name, v in variances.items()}
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True)
for ax, (name, v) in zip(axes, variances.items(), strict=True):
    plot_variances(ax, v, title=name)
    for value in ax.texts:
        value.set_fontsize(7.5)
axes[0].set_ylim(2e-5, 3)  # shared by both
show(
    figure,
    "Average posterior variance of each latent: two informative latents in the SBD, more in the deconv VAE.",
)
for name, (mean, logvar) in codes.items():
    kl = kl_divergence(mean, logvar).sum(1).mean()
    print(f"{name:>6}: {len(informative[name])} informative latents (variance below 0.5),", end=" ")
    print(f"KL {kl:.1f} nats per image")

# %% [markdown]
# A circle has two coordinates. The deconv VAE says them in more than two latents, pays for it in nats, and its code is
# harder to read: no two of its numbers tell where the circle is, as we are about to see.
#
# ## 4. The plane, encoded
#
# As in notebook 04: circles along straight lines are encoded, and we look at the two latents of least variance.

# %%
from sbd_utils import encode_grid, fit_geometry, get_smallest_pair, plot_fit

pairs = {name: get_smallest_pair(v) for name, v in variances.items()}
grids = {name: encode_grid(model, *pairs[name]) for name, model in models.items()}
fits = {name: fit_geometry(xy, z) for name, (xy, z, _) in grids.items()}
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.4))
for ax, (name, (xy, z, labels)) in zip(axes, grids.items(), strict=True):
    fit = fits[name]
    title = f"{name}: affine R² {fit.affine_r2:.3f}, similarity {fit.similarity_r2:.3f}"
    names = [f"mean of latent {latent}" for latent in pairs[name]]
    plot_fit(ax, xy, z, labels, fit.affine, title, names)
show(
    figure,
    "The evaluation grid in the two chosen latents: straight for the SBD, crumpled for the deconv VAE.",
)
for name, fit in fits.items():
    affine, similarity = fit.affine_r2 > 0.99, fit.similarity_r2 > 0.99
    print(f"{name:>6}: affine R² above 0.99: {affine}, similarity R² above 0.99: {similarity}")

# %% [markdown]
# The dotted lines are the best affine map; where it explains little, it shrinks. (That this SBD's grid
# stands nearly upright is luck; section 8.) Is it fair to look at two latents of a network that uses more? The position
# may be in another pair, or in all latents together. So we let the deconv VAE choose its best pair *with* the answers
# at hand, and fit a linear map from all ten latents; each map is scored on circles it was not fitted to. The control is
# an encoder that was never trained.

# %%
import itertools

from sbd_utils import held_out_r2, linear_probe

torch.manual_seed(0)
untrained = VAE(channels=models["SBD"].config["channels"]).eval()
many, where = circles_dataset(1000, seed=1_000_003).tensors
columns = f"{'chosen pair':>12} {'best pair':>10} {'all ten':>8} {'the rest':>9}"
print(f"{'held-out R² of (x, y)':>24} {columns}")
for name, model in [*models.items(), ("untrained", untrained)]:
    mean, _ = encode(model, many)
    every_pair = itertools.combinations(range(10), 2)
    best = max(held_out_r2(mean[:, list(two)], where) for two in every_pair)
    probe = linear_probe(mean, where, pairs.get(name, (0, 1)))
    shown = [max(0.0, r) for r in (probe.pair, best, probe.all, probe.rest)]  # below 0: no better
    print(f"{name:>24} {shown[0]:>12.2f} {shown[1]:>10.2f} {shown[2]:>8.2f} {shown[3]:>9.2f}")

# %% [markdown]
# All ten latents together are the honest ceiling of every *linear* reading, and the trained deconv VAE's is lower than
# that of an encoder that never learnt anything: training has *crumpled* the plane. The position is not missing from the
# code, since the decoder finds the circle; it is there in a form that only a nonlinear map can read. Nor was the pair
# chosen badly: with the answers at hand, the best of the 45 pairs reads off little more.
#
# ## 5. Walking through the code
#
# Take two circles, encode them, walk the straight line between their codes, decode. We measure what we see: how far the
# centre of mass of each picture lies from the place where an evenly moving circle would be, and its brightest pixel.

# %%
from sbd_utils import center_of_mass, interpolate, render_batch

STEPS = 9
places = torch.tensor([[14.0, 16.0], [50.0, 46.0]])  # (x, y) of both ends in pixels
x, y = places.T
ends = render_batch("ellipse", x, y)  # [2, 1, 64, 64]
t = torch.linspace(0, 1, STEPS)
truth = torch.lerp(places[0], places[1], t[:, None])  # [9, 2]

walks = {name: interpolate(model, *ends, steps=STEPS) for name, model in models.items()}
walks["pixels"] = torch.lerp(ends[:1], ends[1:], t[:, None, None, None])
figure, axes = plt.subplots(3, 1, figsize=(9, 3.7))
for ax, (name, walk) in zip(axes, walks.items(), strict=True):
    plot_strip(ax, walk)
    ax.set_ylabel(name)
    peak = walk.amax((1, 2, 3)).min()
    off = (center_of_mass(walk) - truth).norm(dim=1).max()
    print(f"{name:>6}: off the straight, even course by {off:.0f} pixels at most;", end=" ")
    print(f"the palest picture's brightest pixel is {peak:.1f}")
show(
    figure,
    "Walks between two circles: the SBD's circle moves, the deconv VAE's does not keep to one, pixels fade.",
)

# %% [markdown]
# The SBD's circle travels. The deconv VAE's fades at one end and comes up at the other. The last row is the control:
# mixing the two pictures, pixel by pixel, moves the centre of mass evenly, too, and yet no circle moves. So the
# centre of mass alone is not enough; the brightest pixel tells a circle from two ghosts.

# %%
from sbd_utils import plot_traversals, traverse

middle = render_batch("ellipse", 32, 32)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.9))
for ax, (name, model) in zip(axes, models.items(), strict=True):
    z = encode(model, middle)[0][0]  # [10]
    order = torch.argsort(variances[name]).tolist()
    plot_traversals(ax, traverse(model, z, [*order[:3], order[-1]], span=1.5), title=name)
show(
    figure,
    "Traversals of the three latents of least and the one of largest variance, from a circle in the middle.",
)

# %% [markdown]
# Rows are sorted by posterior variance. In the SBD, two latents move the circle along two perpendicular lines, and the
# others do nothing. In the deconv VAE, changing one informative latent moves the circle a little, or fades it: a
# step along one axis leaves the crumpled sheet of codes that circles have.
#
# ## 6. Every seed
#
# So far: one run of each. That is an anecdote. The tables in `pretrained/evidence/` hold one row per training run, by
# two recipes: `fast` (32 channels, 10 seeds per decoder) and `wide` (64 channels, 3 seeds per decoder).


# %%
from sbd_utils import RECIPES, VARIANTS, read_evidence

ROWS, GRIDS = read_evidence("seeds_circles")  # a row for each run; grids [310, 2] by their names
GROUPS = [(recipe, decoder) for recipe in ("fast", "wide") for decoder in ("sbd", "deconv")]
LABEL = {"sbd": "SBD"} | {name: name.replace("sbd", "SBD") for name in VARIANTS}


def runs(recipe, decoder, rows=ROWS):
    """The rows of a group, in the order of their seeds."""
    found = [row for row in rows if (row.recipe, row.decoder) == (recipe, decoder)]
    return sorted(found, key=lambda row: row.seed)


def column(recipe, decoder, name):
    """The values of one column over the seeds of a group, in the order of the seeds."""
    return np.array([getattr(row, name) for row in runs(recipe, decoder)])


for recipe in ("fast", "wide"):
    sbd_runs, deconv_runs = runs(recipe, "sbd"), runs(recipe, "deconv")
    assert [row.seed for row in sbd_runs] == [row.seed for row in deconv_runs]
    updates = {row.updates for row in sbd_runs + deconv_runs}
    assert updates == {RECIPES[recipe].steps}  # the same number for both decoders
    print(f"{recipe:>7}: {len(sbd_runs)} seeds per decoder, {RECIPES[recipe].steps} updates each")

# %%
SCORES = [
    ("affine_r2", "1 − affine R²", "log"),
    ("similarity_r2", "1 − similarity R²", "log"),
    ("squared_error", "squared error", "linear"),
    ("informative_latents", "informative latents", "linear"),
    ("kl_nats", "KL (nats)", "linear"),
]


def plot_seeds(ax, groups, name, scale):
    """Every run of the groups as a dot, the median as a bar; R² as its distance from 1."""
    for place, (recipe, decoder) in enumerate(groups):
        values = column(recipe, decoder, name)
        values = np.maximum(1 - values, 1e-6) if name.endswith("r2") else values
        spread = np.linspace(-0.25, 0.25, len(values))  # side by side in the order of the seeds
        kind = "SBD" if decoder.startswith("sbd") else "deconv"
        marker = "o" if kind == "SBD" else "s"
        ax.plot(place + spread, values, marker, color=COLOR[kind], markersize=4.5, alpha=0.8)
        ax.hlines(np.median(values), place - 0.35, place + 0.35, color="black", linewidth=1.5)
    ax.set_xticks(range(len(groups)), [f"{LABEL[d]}\n{r}" for r, d in groups], fontsize=8)
    ax.set_yscale(scale)
    if scale == "linear":
        ax.set_ylim(bottom=0)


figure, axes = plt.subplots(2, 3, figsize=(10, 5.6))
for ax, (name, label, scale) in zip(axes.flat, SCORES, strict=False):
    plot_seeds(ax, GROUPS, name, scale)
    ax.set_ylabel(label)
axes.flat[0].axhline(0.01, color="0.5", linestyle=":")
axes.flat[1].axhline(0.01, color="0.5", linestyle=":")
axes.flat[5].set_axis_off()
words = "each dot: one training run\nbar: median\ndotted: R² = 0.99\nlower is better in every panel"
axes.flat[5].text(0, 0.5, words)
show(
    figure,
    "Five scores of every training run, a dot each: in the top row the SBD's runs lie far below the deconv's.",
)

# %%
DIGITS = {"affine_r2": 3, "similarity_r2": 3, "squared_error": 1, "informative_latents": 0}
DIGITS["kl_nats"] = 1
table = {"median [min, max]": [f"{LABEL[decoder]} {recipe}" for recipe, decoder in GROUPS]}
for name, digits in DIGITS.items():
    table[name] = []
    for group in GROUPS:
        values = column(*group, name)
        numbers = np.median(values), values.min(), values.max()
        median, low, high = (f"{number:.{digits}f}" for number in numbers)
        table[name].append(f"{median} [{low}, {high}]")
recovered = [column(*group, "recovered") for group in GROUPS]
table["geometry recovered"] = [f"{r.sum()} of {len(r)}" for r in recovered]
for name, cells in table.items():
    print(f"{name:>22}", *(f"{cell:>22}" for cell in cells))

# %% [markdown]
# *Geometry recovered* asks for everything at once: two latents of variance below 0.1 and every other above 0.7, affine
# and similarity R² of at least 0.99, and a small squared error (at most 5; 3 for `wide`).
#
# The recipe was made while looking at runs of these very seeds, so they are no impartial judges of it. Ten other seeds
# of the SBD were first run when it was settled. Two earlier versions of `fast` show why that matters: each failed at a
# seed that it had not been made with. (The first had been made with seeds 0 to 8, so only the others test it.)

# %%
for name in ("former_fast_1_circles", "former_fast_2_circles", "confirmation_circles"):
    FRESH, FRESH_GRIDS = read_evidence(name)  # the last ones are those of the confirmation
    fresh = [row for row in FRESH if row.decoder == "sbd"]
    failed = [row for row in fresh if not row.recovered]
    good = len(fresh) - len(failed)
    print(f"{name.removesuffix('_circles'):>13}: geometry recovered in {good} of {len(fresh)} runs")
    for row in failed:
        print(f"{'':>13}  seed {row.seed}: {row.informative_latents} informative latents,", end=" ")
        print(f"affine R² {row.affine_r2:.3f}, squared error {row.squared_error:.1f}")

# %% [markdown]
# How sure are the differences? The **bootstrap** (Efron 1979) draws seeds anew, with replacement, from those that we
# have, within each decoder, and asks how much the difference of medians moves.


# %%
def median_difference(a, b, draws=10_000, seed=0):
    """Median of a less that of b, and the ends of its 95 % percentile bootstrap interval."""
    generator = np.random.default_rng(seed)
    medians = [np.median(generator.choice(v, (draws, len(v))), axis=1) for v in (a, b)]  # [draws]
    return np.median(a) - np.median(b), *np.percentile(medians[0] - medians[1], [2.5, 97.5])


print("SBD less deconv: difference of medians with its 95 % interval; pairs in which SBD is higher")
for recipe in ("fast", "wide"):
    print(recipe)
    for name, _, _ in SCORES:
        a, b = column(recipe, "sbd", name), column(recipe, "deconv", name)
        difference, low, high = median_difference(a, b)
        higher, all_pairs = (a[:, None] > b[None]).sum(), len(a) * len(b)
        print(f"{name:>22}: {difference:+7.2f} [{low:+.2f}, {high:+.2f}]; {higher} of {all_pairs}")

# %% [markdown]
# An interval from three seeds is a coarse thing: the median of three redrawn values is one of the three. The last
# column does without resampling: it compares every run of one decoder with every run of the other. If the decoders did
# not differ, all 100 pairs of ten and ten runs would fall on one side in 2 of 184,756 orderings. For three and three it
# is 2 of 20: the `wide` runs alone would prove little; they say that the larger network tells the same story.
#
# One deconv run of `fast`, seed 7, stays blank. It has no informative latent and pays no KL, and so undercuts every SBD
# there; its squared error is that of a black image.
#
# ## 7. All grids
#
# Numbers can mislead; a figure with a chosen example misleads more easily. Here are the encoded grids of all
# runs, in the order of their seeds, each in the two latents of least variance.

# %%
from sbd_utils import evaluation_grid
from sbd_utils.data.circles import GRID_LEVELS

XX, YY, LINES = evaluation_grid()
XY = np.stack([XX, YY], 1)  # [310, 2] pixels


def plot_small_grid(ax, z, color, r2):
    """An encoded grid [310, 2] without axes; vertical lines dark, horizontal lines lighter; its R² beneath."""
    for line in np.unique(LINES):
        z1, z2 = z[LINES == line].T
        ax.plot(z1, z2, color=color, alpha=1 if line < GRID_LEVELS else 0.5, linewidth=0.8)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(f"{r2:.2f}", fontsize=8, labelpad=2)
    ax.spines[:].set(visible=True, color="0.8")


def plot_all_grids(rows, grids, groups, columns):
    """Small pictures of every grid of the groups, one row for each `columns` seeds; the figure."""
    lines = []
    for group in groups:
        of_group = runs(*group, rows=rows)
        lines += [of_group[i : i + columns] for i in range(0, len(of_group), columns)]
    size = (columns, 1.2 * len(lines))
    figure, axes = plt.subplots(len(lines), columns, figsize=size, squeeze=False)
    for axes_row, line in zip(axes, lines, strict=True):
        for ax in axes_row[len(line) :]:
            ax.set_visible(False)
        for ax, row in zip(axes_row, line, strict=False):
            kind = "SBD" if row.decoder.startswith("sbd") else "deconv"
            plot_small_grid(ax, grids[row.name], COLOR[kind], row.affine_r2)
        axes_row[0].set_ylabel(f"{LABEL[line[0].decoder]}\n{line[0].recipe}", fontsize=8)
    return figure


# %%
figure = plot_all_grids(ROWS, GRIDS, GROUPS, 10)
figure.suptitle("the plane in the two latents of least variance; below, affine R²", fontsize=10)
show(
    figure,
    "The encoded grids of all runs: the SBD's are turned and mirrored squares, the deconv's crumpled.",
)

# %% [markdown]
# ## 8. Straight, and turned
#
# All SBD grids are squares, one a little sheared, and none stands upright. *Geometry recovered* and *disentangled* are
# two statements (Locatello et al. 2019, arXiv 1811.12359): in a grid that is turned by 45°, each latent depends on $x$
# and $y$ alike. So we compute the direction *in the image* in which the first latent grows, modulo 90°: 0 means that
# each latent follows one axis, 45 is the farthest from it. (The angle in the latent plane would depend on which latent
# comes first and on signs; this direction does not.)


# %%
def latent_direction(z):
    """Direction in the image in which the latents of a grid z [310, 2] grow, in degrees modulo 90."""
    turn = fit_geometry(XY, z).similarity[:2]  # [2, 2]; z = xy @ turn + shift
    along, down = turn[:, 0]  # the gradient of the first latent
    return np.degrees(np.arctan2(down, along)) % 90


def directions(recipe, decoder, rows=ROWS, grids=GRIDS):
    """`latent_direction` of every seed of a group, [seeds], in the order of the seeds."""
    return np.array([latent_direction(grids[row.name]) for row in runs(recipe, decoder, rows)])


def resultant(degrees):
    """Length R in [0, 1] and direction of the mean of directions modulo 90.

    Mardia & Jupp, Directional Statistics, chapter 2.
    """
    mean = np.exp(4j * np.radians(degrees)).mean(-1)  # times 4: 90 degrees become a full turn
    return np.abs(mean), np.degrees(np.angle(mean)) / 4 % 90


def chance_of_resultant(degrees, draws=10_000, seed=0):
    """How often as many uniform directions agree as well or better: a p-value by simulation."""
    uniform = np.random.default_rng(seed).uniform(0, 90, (draws, len(degrees)))
    return (resultant(uniform)[0] >= resultant(degrees)[0]).mean()


# %%
sbd_directions = {recipe: directions(recipe, "sbd") for recipe in ("fast", "wide")}
sbd_directions["fast, other seeds"] = directions("fast", "sbd", FRESH, FRESH_GRIDS)
every = np.concatenate(list(sbd_directions.values()))
count, off_axis = len(every), np.minimum(every, 90 - every)
length, _ = resultant(every)
p = chance_of_resultant(every)
for recipe, d in sbd_directions.items():
    print(f"{recipe:>17}: directions in degrees, modulo 90:", *(f"{a:.0f}" for a in d))
print(f"off the nearest axis: median {np.median(off_axis):.0f} degrees;", end=" ")
print("for random directions it is 22.5")
print(f"within 5 degrees of an axis: {(off_axis < 5).sum()} of {count} runs;", end=" ")
print(f"chance would give {count / 9:.1f}")
print(f"mean resultant length {length:.2f}; as long or longer by chance: p = {p:.1f}")


def toward_axes(degrees):
    """1 if all directions lie along an axis, -1 if all lie at 45 degrees."""
    return np.cos(4 * np.radians(degrees)).mean(-1)


random = np.random.default_rng(0).uniform(0, 90, (10_000, count))
p = (toward_axes(random) >= toward_axes(every)).mean()
print(f"agreement with the axes themselves, from -1 to 1: {toward_axes(every):.2f};", end=" ")
print(f"as much by chance: p = {p:.2f}")

# %%
figure, ax = plt.subplots(figsize=(7, 2))
for row, (recipe, d) in enumerate(sbd_directions.items()):
    marker = "D" if recipe == "wide" else "o"
    ax.plot(d, np.full(len(d), row), marker, color=BLUE, markersize=7, alpha=0.7)
for edge in (0, 90):
    ax.axvline(edge, color="black", linewidth=1)
ax.axvline(45, color="0.5", linestyle=":")
ax.set(xlim=(-3, 93), ylim=(-0.6, 2.6), xticks=range(0, 91, 15))
ax.set_yticks(range(3), list(sbd_directions))
ax.set_xlabel("direction in which a latent grows (degrees, modulo 90; 0 = 90 = along an axis)")
ax.spines["left"].set_visible(False)
show(
    figure,
    "The directions of the SBD's latents, one dot per run, are scattered over all angles between 0 and 90.",
)

# %% [markdown]
# These runs show no preference for the axes, though a weak one is not ruled out: the directions lie a little closer to
# them than chance has it, and chance does as much about one time in four. The SBD recovers the plane; which
# two perpendicular directions of it become latents is, as far as we can see, left to chance. Whoever reports
# *disentangled* from one upright grid, such as the one of section 4, has reported luck.
#
# ## 9. Why: code and coordinates meet in one sum
#
# Notebook 02 showed that without coordinates a broadcast decoder's output is constant but for a frame of padding. Is
# the *trained* one as dependent? We take its coordinates away, and then we slide them by 12 pixels, with the code
# untouched.

# %%
from sbd_utils import plot_picture

sbd = models["SBD"]
decoder = sbd.decoder
STEP = 2 / 63  # one pixel in the units of the coordinate channels
z_middle, _ = encode(sbd, middle)  # [1, 10]


def decode_with_grid(z, grid):
    """Pictures [N, 1, 64, 64] of codes z [N, 10] when the position channels are grid [2, 64, 64]."""
    tiled = z[:, :, None, None].expand(-1, -1, 64, 64)
    with torch.no_grad():
        return decoder.convs(torch.cat([tiled, grid.expand(len(z), -1, -1, -1)], 1))


grid = decoder.grid[0]  # [2, 64, 64]
slid = grid - STEP * torch.tensor([12.0, 6.0])[:, None, None]
pictures = {
    "as trained": decode_with_grid(z_middle, grid),
    "coordinates all 0": decode_with_grid(z_middle, torch.zeros_like(grid)),
    "coordinates slid by (12, 6)": decode_with_grid(z_middle, slid),
}
assert torch.allclose(pictures["as trained"], decode(sbd, z_middle), atol=1e-5)
inner = pictures["coordinates all 0"][..., 3:-3, 3:-3]
constant = (inner.amax() - inner.amin()).item() < 1e-5
print(f"without coordinates, beyond 3 pixels from the border: constant: {constant}")
before = center_of_mass(pictures["as trained"])[0]
after = center_of_mass(pictures["coordinates slid by (12, 6)"])[0]
right, down = after - before
print(f"sliding the coordinates moved the circle by ({right:.0f}, {down:.0f}) pixels")
figure, axes = plt.subplots(1, 3, figsize=(8, 2.9))
for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
    plot_picture(ax, picture[0, 0], title)
show(
    figure,
    "One code decoded three times: a circle; nothing when coordinates are zero; a circle that has moved.",
)

# %% [markdown]
# All that the decoder knows of *where* comes from the coordinates, and sliding them moves the picture rigidly. That is
# architecture, true of any weights. Now training. The first layer adds up
#
# $$h = \mathrm{relu}\big(W_z z + W_c c + b\big),$$
#
# where $c$ are the coordinates at a pixel (each $W$ summed over the 3 × 3 kernel). If the columns of $W_z$ for the two
# latents lie in the plane that the two columns of $W_c$ span, $W_z = -W_c A$, then $h$ depends on $c - A z$ alone: **to
# change the code is to slide the coordinates**, by an amount that is *linear* in the code. Then the circle's place is a
# linear function of the code, the same at every place, and a straight grid is all that an encoder can answer with. Is
# it so?

# %%
pair = list(pairs["SBD"])


def code_and_coordinate_weights(broadcast, pair):
    """First-layer weights summed over the kernel: of two latents and of x, y; [channels, 2] each."""
    weight = broadcast.convs[0].weight.detach().sum((2, 3))  # [channels, z_dim + 2]
    return weight[:, pair], weight[:, -2:]


def slide_of_code(broadcast, pair):
    """Least-squares A [2, 2] of W_z = -W_c A, and the share of W_z's squares it explains."""
    w_z, w_c = code_and_coordinate_weights(broadcast, pair)
    A = -torch.linalg.lstsq(w_c, w_z).solution
    return A, (1 - (w_z + w_c @ A).square().sum() / w_z.square().sum()).item()


A, explained = slide_of_code(decoder, pair)
channels = sbd.config["channels"]
torch.manual_seed(0)
shares = [slide_of_code(VAE(channels=channels).decoder, [0, 1])[1] for _ in range(20)]
print("share of the code's first-layer weights that lies in the coordinates' plane:", end=" ")
print(f"above 0.9: {explained > 0.9}")
print(f"untrained networks: {min(shares):.2f} to {max(shares):.2f};", end=" ")
print(f"chance gives 2 of {channels} directions")

# %%
w_z, w_c = code_and_coordinate_weights(decoder, pair)
figure, (*dots, right) = plt.subplots(1, 3, figsize=(10, 3.3))
for k, ax in enumerate(dots):
    ax.plot(-(w_c @ A)[:, k], w_z[:, k], "o", color=OKABE_ITO[k], markersize=4)
    ax.axline((0, 0), slope=1, color="0.5", linestyle=":")
    ax.set(xlabel="what sliding the coordinates adds", aspect="equal")
    ax.set_title(f"what latent {pair[k]} adds, per channel")
measured = np.linalg.inv(fits["SBD"].affine[:2]).T  # [2, 2] pixels per unit of the latents
predicted = (A / STEP).numpy()
for k, color in enumerate(OKABE_ITO[:2]):
    for (x, y), style, ink in [(predicted[:, k], "-", color), (measured[:, k], ":", "black")]:
        label = "from the weights" if style == "-" else "from the grid"
        (line,) = right.plot([0, x], [0, y], style, color=ink, linewidth=3)
        if k == 0:
            line.set_label(label)
right.set(xlabel="x (pixels)", ylabel="y (pixels)", aspect="equal", xlim=(-14, 14), ylim=(14, -14))
right.set_title("how far a latent's unit moves the circle")
right.legend(fontsize=8, loc="lower left")
show(
    figure,
    "Latent weights equal combinations of coordinate weights; the motion they predict is the one measured.",
)
error = np.linalg.norm(predicted - measured) / np.linalg.norm(measured)
print("the motion per unit of z, predicted from the decoder's first layer,", end=" ")
print(f"is within 10 % of the measured: {error < 0.1}")

# %% [markdown]
# Left and middle, each dot is a channel of the first layer. Right: the matrix $A$, read off the decoder's weights with
# no image shown to any network, beside what the *encoder's* grid says. They agree. This is the mechanism: in an SBD a
# latent and a coordinate are inputs of the same sum, so that a linear code for position is as easy to use as the
# coordinates themselves. The control says that it is learnt, not given: in untrained networks latents point
# anywhere. And any turned $A$ is as good, which is why the grids have no preferred angle.
#
# In the deconv decoder there is no such sum. What the gradient of the picture with respect to the code looks like in
# both, at three places:


# %%
from matplotlib.patches import Circle


def code_gradient(model, z, pair):
    """Derivative of the decoded pictures of z [N, 10] in two latents, [N, 2, 64, 64] (grey per unit of z)."""
    columns = []
    for latent in pair:
        direction = torch.zeros_like(z)
        direction[:, latent] = 1
        derivative = torch.func.jvp(model.decoder, (z,), (direction,))[1]  # [N, 1, 64, 64]
        columns.append(derivative[:, 0].detach())
    return torch.stack(columns, 1)


line = torch.arange(16.0, 49.0, 8.0)
places = torch.cartesian_prod(line, line)  # [25, 2] whole pixels
x, y = places.T
circles = render_batch("ellipse", x, y)  # [25, 1, 64, 64]; the same picture, shifted
gradients = {}
for name, model in models.items():
    z, _ = encode(model, circles)
    gradients[name] = code_gradient(model, z, pairs[name])

figure, axes = plt.subplots(2, 6, figsize=(10, 3.7))
for axes_row, (name, g) in zip(axes, gradients.items(), strict=True):
    limit = g[[6, 12, 18]].abs().max().item()
    panels = [(k, at) for k in range(2) for at in (6, 12, 18)]
    for ax, (k, at) in zip(axes_row, panels, strict=True):
        title = f"by latent {pairs[name][k]}"
        plot_picture(ax, g[at, k], title, cmap="RdBu", vmin=-limit, vmax=limit)
        x, y = places[at].tolist()
        ax.add_patch(Circle((x, y), 5, fill=False, linewidth=0.7, linestyle=":"))
    axes_row[0].set_ylabel(name)
show(
    figure,
    "Derivative of the picture by two latents at three places (dotted: the circle): in the SBD one dipole, moved.",
)

# %%
SIDE = 10  # half the side of the window that is cut out around the circle


def place_agreement(g):
    """Mean cosine between the gradients [25, 2, 64, 64] at different places, cut out around the circle."""
    windows = []
    for gradient, (x, y) in zip(g, places.int().tolist(), strict=True):
        windows.append(gradient[:, y - SIDE : y + SIDE, x - SIDE : x + SIDE])
    cut = torch.stack(windows).flatten(2).transpose(0, 1)  # [2, 25, 400]
    cut = cut / cut.norm(dim=2, keepdim=True)
    cosine = cut @ cut.transpose(1, 2)  # [2, 25, 25]
    first, second = torch.triu_indices(25, 25, 1)
    return cosine[:, first, second].mean().item()


agreement = {name: place_agreement(g) for name, g in gradients.items()}
# Control: the circle itself, moved by half a pixel, is the same gradient everywhere.
x, y = places.T
moved = [render_batch("ellipse", x + 0.5, y), render_batch("ellipse", x, y + 0.5)]
by_hand = torch.cat(moved, 1) - circles  # [25, 2, 64, 64]
print(
    f"mean cosine between the gradients at different places: SBD {agreement['SBD']:.2f},", end=" "
)
print(f"deconv below 0.1 in size: {abs(agreement['deconv']) < 0.1}")
print(f"control, a circle that is moved by hand: {place_agreement(by_hand):.2f}")

# %% [markdown]
# In the SBD a latent's gradient is one dipole, of one sign where the circle leaves and the other where it arrives, and
# it is the same at all 25 places. In the deconv VAE a latent means one thing here and another there. Nothing forbids
# the deconv decoder a code with one meaning everywhere; nothing leads it there.
#
# ## 10. One thing changed at a time
#
# Two networks that differ in parameters, depth, strides *and* coordinates do not say which of these matters. The
# ablations change one thing each (recipe `fast`, five seeds each):
#
# | name | change |
# |---|---|
# | `SBD-x` | only the $x$ channel is appended |
# | `SBD-learned` | a trained map of two channels in place of the coordinates, small noise at first |
# | `SBD-rotated` | coordinates turned by 45° |
# | `deconv-xy` | deconv decoder with $x$ and $y$ appended to the input of every transposed convolution |
#
# They were trained by
# `python -m sbd_utils sweep FILE.csv --recipe fast --seeds 0-4 --decoders sbd-x sbd-learned sbd-rotated deconv-xy`.
# Guess first: which of the four keeps the plane?

# %%
more_rows, more_grids = read_evidence("ablations_circles")
ROWS.extend(more_rows)
GRIDS.update(more_grids)
ABLATIONS = [("fast", name) for name in VARIANTS]
columns = f"{'affine R²':>24} {'informative':>12} {'squared error':>20} {'blank':>6}"
print(f"{'recipe fast':>12} {'runs':>5} {'recovered':>10} {columns}")
for group in ABLATIONS:
    names = ("affine_r2", "informative_latents", "squared_error")
    r2, latents, e = (column(*group, name) for name in names)
    recovered = column(*group, "recovered").sum()
    r2_text = f"{np.median(r2):.3f} [{r2.min():.3f}, {r2.max():.3f}]"
    latents_text = f"{latents.min()} to {latents.max()}"
    e_text = f"{np.median(e):.1f} [{e.min():.1f}, {e.max():.1f}]"
    print(f"{LABEL[group[1]]:>12} {len(r2):>5} {recovered:>10} {r2_text:>24}", end=" ")
    print(f"{latents_text:>12} {e_text:>20} {(latents == 0).sum():>6}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
for ax, (name, label, scale) in zip(axes, [SCORES[0], SCORES[3], SCORES[2]], strict=True):
    plot_seeds(ax, ABLATIONS, name, "log" if name == "squared_error" else scale)
    ax.set_ylabel(label)
    ax.set_xticks(range(len(ABLATIONS)), [LABEL[d] for _, d in ABLATIONS], rotation=40, ha="right")
axes[0].axhline(0.01, color="0.5", linestyle=":")
axes[1].axhline(2, color="0.5", linestyle=":")
axes[2].set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
axes[2].minorticks_off()
show(
    figure,
    "Affine R², informative latents and squared error of every run of six decoders; SBDs with x and y do best.",
)
figure = plot_all_grids(ROWS, GRIDS, ABLATIONS[2:], 5)
show(
    figure,
    "The encoded grids of all ablation runs: squares with rotated coordinates, lines or crumples elsewhere.",
)

# %% [markdown]
# - **Rotated coordinates** work as well as upright ones: five of five runs recover the plane.
# - **Only $x$**: no run draws the circle; the best ones explain a seventh of it. What the decoder cannot address, the
#   encoder does not say. (The frame of padding would be a hint at $y$; it reaches three pixels.)
# - **A learned map** could become the coordinates, and in 1,300 updates does not. Four runs stay blank and the fifth
#   nearly so. *Some* position channel is not enough. Our reading is that the coordinates have to be smooth and linear
#   from the first update on; no run here tests that.
# - **Coordinates in the deconv decoder** do not rescue it under this recipe: two runs stay blank, three crumple the
#   plane over nine or ten latents. So the short version, "give the decoder coordinates", is not what makes the SBD
#   work. Our reading is section 9: in the deconv decoder the code comes through a layer of 128 units onto a 2 × 2 map,
#   so that sliding the coordinates of any one layer is not what any change of the code does.
#
# A blank run tells little about a decoder: β of 60 may have silenced a code that a gentler recipe would have let speak.
# The former schedules of `fast`, with β up to 16, are a second opinion:

# %%
FORMER, _ = read_evidence("former_fast_1_circles")
columns = f"{'recovered':>10} {'blank':>6} {'informative':>12} {'best affine R²':>15}"
print(f"{'β up to 16':>12} {'runs':>5} {columns}")
for name in VARIANTS:
    former = [row for row in FORMER if row.decoder == name]
    latents = [row.informative_latents for row in former]
    good, best = sum(row.recovered for row in former), max(row.affine_r2 for row in former)
    latents_text = f"{min(latents)} to {max(latents)}"
    print(f"{LABEL[name]:>12} {len(former):>5} {good:>10} {latents.count(0):>6}", end=" ")
    print(f"{latents_text:>12} {best:>15.3f}")

# %% [markdown]
# There no run of the plain deconv decoder stays blank, and none recovers the plane; $x$ alone gives one informative
# latent in every run; the learned map, when it wakes up, spreads the position over four to ten latents. The verdict is
# the same.
#
# ## 11. Does the grid turn with the coordinates?
#
# If upright coordinates made upright latents, coordinates turned by 45° should shift all directions, modulo 90°, by
# 45°.

# %%
rotated = directions("fast", "sbd-rotated")
upright = sbd_directions["fast"]
figure, ax = plt.subplots(figsize=(7, 2))
for row, (d, marker) in enumerate([(upright, "o"), (rotated, "^")]):
    ax.plot(d, np.full(len(d), row), marker, color=OKABE_ITO[5 * row], markersize=8, alpha=0.7)
ax.axvline(45, color="0.5", linestyle=":")
ax.set(xlim=(-3, 93), ylim=(-0.6, 1.6), xticks=range(0, 91, 15))
ax.set_yticks([0, 1], ["upright", "rotated by 45°"])
ax.set_xlabel("direction in which a latent grows (degrees, modulo 90)")
ax.spines["left"].set_visible(False)
show(
    figure,
    "Directions of the latents with upright and with rotated coordinates: both are scattered, with no clear shift.",
)
compared = {"upright": upright, "rotated": rotated}
compared["difference, seed by seed"] = (rotated - upright[:5]) % 90
for label, d in compared.items():
    R, mean = resultant(d)
    by_chance = resultant(np.random.default_rng(0).uniform(0, 90, (10_000, len(d))))[0].mean()
    print(f"{label}: {len(d)} values, mean direction {mean:.0f} degrees, R = {R:.2f};", end=" ")
    print(f"uniform ones have {by_chance:.2f} on average; p = {chance_of_resultant(d):.1f}")

# %% [markdown]
# $R$ is 1 if all directions agree, and small if they are scattered; but a few scattered directions have an $R$ well
# above 0, which is why the value of chance stands beside it. Neither the upright nor the rotated runs agree among
# themselves more than chance, and nor do the differences between runs that began from the same weights. So there is no
# common direction that could turn: the grids do **not** visibly turn with the coordinates, and what mean directions
# there are do not lie 45° apart. A preference too weak for 10 and 5 runs is not excluded. It fits section 9: any turned
# $A$ serves as well, because the first layer can mix the two coordinate channels as it likes.
#
# ## 12. What it costs


# %%
from torch import nn


def multiply_adds(network, z):
    """Multiply-adds for one picture; taps that fall off the edge count, too."""
    counts, hooks = [], []

    def count(layer, inputs, output):
        painted = isinstance(layer, nn.ConvTranspose2d)  # from every input, else for every output
        numbers = inputs[0][0].numel() if painted else output[0].numel()
        counts.append(numbers * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            hooks.append(layer.register_forward_hook(count))
    network(z)
    for hook in hooks:
        hook.remove()
    return sum(counts)


print(f"{'':>12} {'decoder parameters':>19} {'multiply-adds':>14} {'seconds to train':>17}")
costs = {}
for recipe, name in [*ABLATIONS, ("wide", "sbd"), ("wide", "deconv")]:
    network = VAE(**VARIANTS[name], **RECIPES[recipe].model).decoder
    seconds = column(recipe, name, "training_seconds").min()
    p, m = parameters(network), multiply_adds(network, torch.zeros(1, 10))
    costs[recipe, name] = p, m, seconds
    print(f"{LABEL[name]:>12} {p:>19,} {m / 1e6:>12.1f} M {seconds:>15.0f} s   {recipe}")
for recipe in ("fast", "wide"):
    p, m, s = (a / b for a, b in zip(costs[recipe, "sbd"], costs[recipe, "deconv"], strict=True))
    print(f"{recipe}: SBD / deconv: parameters {p:.2f}, multiply-adds {m:.1f}, seconds {s:.1f}")

# %% tags=["nbval-ignore-output"]
import time

threads = torch.get_num_threads()
torch.set_num_threads(1)  # and processor time, so that what else the machine does counts little
took = {"SBD": np.inf, "deconv": np.inf}  # forwards and backwards, a batch of 16; least of 6
for _ in range(6):
    for name, model in models.items():
        start = time.process_time()
        model.decoder(torch.zeros(16, 10)).square().sum().backward()
        took[name] = min(took[name], time.process_time() - start)
        model.zero_grad()
torch.set_num_threads(threads)
for name, seconds in took.items():
    print(f"{name}: {seconds:.3f} s of processor time")

# %%
assert took["SBD"] > 1.5 * took["deconv"]  # the guard of the cell above
print("here, too, the SBD's decoder takes more than 1.5 times the deconv decoder's time: True")

# %% [markdown]
# The seconds to train are those of the quickest run of each, one thread, on a machine of two cores that did other work
# as well; they are comparable only roughly. Training costs less than the multiply-adds of a whole picture say, because
# the recipes begin with means over blocks, which the SBD computes at 1/64 to 1/4 of the cost, and the deconv decoder
# at full cost. That is an advantage of the SBD, and it is also a reason to distrust this comparison: see below.
#
# ## 13. Where folklore says more than the data
#
# - *"The SBD disentangles."* It recovers the geometry; its latents point in scattered directions.
# - *"Coordinates are what helps."* Not by themselves: the deconv decoder with coordinates is as crumpled as without,
#   and with a learned map of position the SBD fails.
# - *"The SBD reconstructs better."* With 64 channels, yes, but by less than half a unit where a blank image costs 73;
#   with 32 channels not in every pair of runs. The difference between the decoders is in the code, not in the picture.
# - *"The SBD is the smaller model."* It has a sixth to a fifth of the parameters and does eight to nine times the
#   multiply-adds (of one grey picture).
# - *"Deconvolution cannot."* What we show is that, by these recipes, it did not in 13 runs. A longer training, a larger
#   β kept to the end, or other schedules may do better; no run here was tuned for it.
#
# ## What we established
#
# - Geometry recovered: the SBD in 10 of 10 `fast` and 3 of 3 `wide` runs, deconv in 0 of 10 and 0 of 3; and the SBD
#   in 10 of 10 `fast` runs with seeds that took no part in the making of the recipe.
# - Affine R² (recipe `fast`): SBD above 0.999 in every run; deconv median 0.11, at most 0.56. The difference of
#   medians is 0.89, bootstrap interval 0.63 to 0.93. Similarity R² tells the same.
# - Informative latents: exactly 2 in every SBD run, 6 to 10 in the deconv runs that are not blank, for more nats.
# - Squared error, median: 3.0 against 4.6 (`fast`), 1.4 against 1.8 (`wide`). The SBD's is lower in all pairs of
#   `wide` runs and in 85 of 100 pairs of `fast` runs.
# - Not an artefact of the pair: on the committed networks the best of 45 pairs and all ten latents together give the
#   deconv VAE an R² below that of an untrained encoder.
# - Directions of the SBD's latents: scattered (23 runs, $R$ = 0.10, p = 0.8).
# - Mechanism: the SBD's first layer uses latents as slides of the coordinates (above 0.9 of the weights' squares, 0.14
#   at most in untrained ones); from these weights alone the code's map to pixels follows within 10 %.
# - Ablations, recovered of 5: rotated coordinates 5; $x$ only, a learned map, deconv with coordinates 0.
#
# ## What could be wrong with it
#
# - **The recipe was made for the SBD.** Its schedules of β and of block means were chosen by watching SBDs train; the
#   deconv decoder and the ablations got the same, untuned. Equal treatment is not equal opportunity. In particular, one
#   deconv run and eight of the ablations' twenty stay blank, which says more about the recipe than about the decoder.
# - Equal updates are neither equal seconds nor equal multiply-adds; the deconv decoder could have had half as many
#   updates again in the same time.
# - `wide` has three seeds. Only the `fast` runs carry a statistical claim, and the ablations have five.
# - Sections 2 to 5 and 9 look at one network of each kind. The weights of the other seeds are not kept, so the
#   mechanism is shown for one SBD; that it is *the* reason for all of them is an inference.
# - The grids of the deconv runs show two latents of six to ten; for networks that use more than two, R² of a pair
#   measures the choice of the pair as well. We checked the best pair and all ten latents for one network only.
# - One white circle on black, nothing else. With several factors, or objects, the answer may differ.

# %% [markdown]
# ## Exercises
#
# **1. Another statistic.** Replace the median by the mean in the bootstrap of the squared error (`fast`). Which run
# makes the interval wider, and what does that say about the mean?
#
# <details><summary>Solution</summary>
#
# One deconv run is blank, with an error of 71; the mean follows it, the median does not.
#
# ```python
# def mean_difference(a, b, draws=10_000, seed=0):
#     generator = np.random.default_rng(seed)
#     means = [generator.choice(v, (draws, len(v))).mean(1) for v in (a, b)]
#     return np.percentile(means[0] - means[1], [2.5, 97.5])
#
# a, b = (column("fast", d, "squared_error") for d in ("sbd", "deconv"))
# with_it = np.ptp(mean_difference(a, b))
# without_it = np.ptp(mean_difference(a, np.delete(b, b.argmax())))
# assert b.argmax() == 7
# assert with_it > 2 * without_it
# ```
#
# </details>
#
# **2. One stamp.** If changing the code is sliding the coordinates, one code is enough: decode `z_middle` with a grid
# slid to each of the 25 `places`. How large is the squared error against the circles there, compared with the network's
# own reconstructions?
#
# <details><summary>Solution</summary>
#
# About the same. The SBD holds one picture of a circle, and a rule for where to put it.
#
# ```python
# slides = places - 32.0  # the code is that of a circle at (32, 32)
# stamped = torch.cat([decode_with_grid(z_middle, grid - STEP * s[:, None, None]) for s in slides])
# by_stamp = (stamped - circles).square().sum((1, 2, 3)).mean().item()
# own = (reconstruct(sbd, circles) - circles).square().sum((1, 2, 3)).mean().item()
# print(f"one stamp: {by_stamp:.1f}; reconstructions: {own:.1f}")
# assert by_stamp < 2 * own
# ```
#
# </details>
#
# **3. How many directions make a preference?** Suppose that true directions scatter about an axis with a standard
# deviation of 20°, modulo 90°. By simulation: how often do ten runs give p below 0.05 in `chance_of_resultant`?
#
# <details><summary>Solution</summary>
#
# In about half of all cases; ten runs see a strong preference only.
#
# ```python
# generator = np.random.default_rng(0)
# hits = [chance_of_resultant(generator.normal(0, 20, 10) % 90, draws=500) < 0.05 for _ in range(200)]
# print(f"detected in {np.mean(hits):.0%}")
# assert 0.1 < np.mean(hits) < 0.75
# ```
#
# </details>
#
# **4. The learned map.** Count, from `ROWS`, the runs of `SBD-learned` and `deconv-xy` that are not blank, and compare
# their squared errors with those of SBD and deconv. Does leaving out the blank runs change the verdict on geometry?
#
# <details><summary>Solution</summary>
#
# No: none of the others recovers the plane. One run of `SBD-learned` has an affine R² of 0.84, but a similarity R² of
# 0.30: a plane squeezed into a line, of which the decoder draws next to nothing.
#
# ```python
# for name, count in (("sbd-learned", 1), ("deconv-xy", 3)):
#     alive = column("fast", name, "informative_latents") > 0
#     assert alive.sum() == count
#     assert column("fast", name, "similarity_r2")[alive].max() < 0.5
#     print(name, np.round(column("fast", name, "squared_error")[alive], 1))
# ```
#
# </details>
#
# ## What comes next
#
# These five notebooks are the core of the course: data, architecture, training, and two ways to doubt the result. From
# here, change the world: other shapes, colours and sizes, or several factors at once, and ask of each the same
# two questions: how many latents matter, and is the grid straight?
