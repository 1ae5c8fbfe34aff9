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
# # 08 · Other worlds: colour, holes, ties, and other doubts
#
# **You will be able to** say of a claim about a decoder for which data it was made, try it on data that are not like
# that, and read a result that comes out against what you expected.
#
# **You need** notebook 05 (two decoders, recipes, seeds) and 07 (what MIG, SAP, DCI and the FactorVAE score see).
#
# **Time**: 45 minutes to read, 30 more for the exercises; half a minute to run on two cores.
#
# All that we know so far is of one white circle. Watters et al. 2019 ([arXiv
# 1901.07017](https://arxiv.org/abs/1901.07017)) claim more: that the broadcast decoder carries over to places that
# training left out, helps most of all where objects are small, and adds to other means of disentangling. And what if
# factors hang together, or nothing moves? Eight questions, each asked in a world that is made for it. A network took
# one to three minutes of a slow core, or half that of a faster one, in section 8 a quarter of an hour; so this is a
# small laboratory: 32 × 32 pixels, 32 channels, one to five seeds.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, show
from sbd_utils.data import make_stream

BLUE, ORANGE, GREEN, *_ = OKABE_ITO
COLOR, MARKER = {"sbd": BLUE, "deconv": ORANGE}, {"sbd": "o", "deconv": "s"}
LABEL = {"sbd": "SBD", "deconv": "deconv"}

# %% [markdown]
# ## The worlds
#
# `ColoredSprites` draws squares, ellipses and hearts of eight factors: x, y, size, shape, angle, hue, saturation,
# value. Arguments define a world: what is fixed, where a sprite may be, what follows what.

# %%
WORLDS = {
    "coloured": "all eight factors",
    "squares": "x, y, size, hue",
    "squares-size3": "small",
    "squares-no-quadrant": "no upper right",
    "squares-no-ring": "a ring left out",
    "squares-band": "near the diagonal",
    "squares-hue-by-x": "hue follows x",
    "squares-center": "no positions",
}
figure, axes = plt.subplots(2, 8, figsize=(12, 3.6), height_ratios=[1.9, 1])
for (top, bottom), (name, said) in zip(axes.T, WORLDS.items(), strict=True):
    world = make_stream(name, im_size=32)
    images, factors = world.batch(0, 400)  # [400, 3, 32, 32] and [400, 8]
    tall = torch.cat([torch.cat([*images[i : i + 2]], -1) for i in (0, 2, 4, 6)], -2)
    top.imshow(tall.permute(1, 2, 0).clamp(0, 1))  # [128, 64, 3]: two by four
    top.set(xticks=[], yticks=[])
    top.set_title(said, fontsize=8)
    bottom.scatter(*factors[:, :2].T, s=1, color="black")
    bottom.set(xlim=(0, 32), ylim=(32, 0), aspect="equal", xticks=[], yticks=[])
axes[0, 0].set_ylabel("examples")
axes[1, 0].set_ylabel("centres")
show(
    figure,
    "Eight worlds: examples of coloured sprites above; below where their centres lie: all, three quarters, a ring "
    "left out, a band, a point.",
)

# %% [markdown]
# ## The recipes
#
# Each decoder gets a recipe of its own, looked for on a seed that is not used again (`pretrained/README.md` tells how).
# The SBD's is `sprites`: β small at first, then up to 8 and down to 1, means over blocks of pixels before whole images;
# 60 to 80 processor-seconds. The deconv decoder's is `sprites-plain`: Adam at 0.001, β = 1, nothing changes.
#
# Its time is another matter. Within the SBD's 60 seconds no recipe of seven had taught it the hue: mostly it draws a
# grey square in the right place, and a baseline that sees no colour cannot be asked about colour. So it gets up to
# three times as long: 180 processor-seconds where the hue matters. Some runs (each row says which) ran on a processor
# that does twice as much in a second; there the deconv decoder got as many *updates* as it makes here in its time. Here
# is how both come along, every seed.

# %%
from sbd_utils import read_curves, read_evidence
from sbd_utils.evidence import r2_of

TABLES = {}


def runs(table, world, recipe, decoder):
    """The rows of a table that have these names, in the order of their seeds."""
    if table not in TABLES:
        TABLES[table] = read_evidence(table)  # rows, and encoded grids by name
    wanted = (world, recipe, decoder)
    rows = [row for row in TABLES[table][0] if (row.dataset, row.recipe, row.decoder) == wanted]
    return sorted(rows, key=lambda row: row.seed)


OWN = {"sbd": "sprites", "deconv": "sprites-plain"}


def pair_of(table, world):
    """The runs of both decoders, each by its own recipe."""
    return {decoder: runs(table, world, OWN[decoder], decoder) for decoder in OWN}


def value(row, name):
    """A column of the table, or the R² of a factor."""
    return getattr(row, name) if hasattr(row, name) else r2_of(row)[name]


# %%
def dots(ax, place, rows, name):
    """Every run as a dot, side by side in the order of the seeds, and their median as a bar."""
    values = [value(row, name) for row in rows]
    across = place + 0.12 * (np.arange(len(rows)) - (len(rows) - 1) / 2)
    decoder = rows[0].decoder
    ax.plot(across, values, MARKER[decoder], color=COLOR[decoder], markersize=4.5)
    ax.hlines(np.median(values), place - 0.3, place + 0.3, color="black", linewidth=1.5)


def span(rows, name, digits=2):
    """The least and the greatest value over the seeds."""
    values = [value(row, name) for row in rows]
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def each(rows, name, digits=2):
    """The values of all seeds, in their order."""
    return " ".join(f"{value(row, name):.{digits}f}" for row in rows)


# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3), sharex=True)
scorings = [p for p in read_curves("sprites") if p.dataset == "squares"]
for ax, (field, label) in zip(
    axes,
    {
        "affine_r2": "affine R², the pair",
        "hue": "R² of hue",
        "squared_error": "squared error",
    }.items(),
    strict=True,
):
    for decoder, recipe in OWN.items():
        for seed in range(5):
            points = [
                p for p in scorings if (p.recipe, p.decoder, p.seed) == (recipe, decoder, seed)
            ]
            ax.plot(
                [p.processor_seconds for p in points],
                [value(p, field) for p in points],
                "-" if decoder == "sbd" else "--",
                color=COLOR[decoder],
                marker=MARKER[decoder],
                markersize=3,
                linewidth=1,
                label=LABEL[decoder] if seed == 0 else None,
            )
    ax.set(title=label, xlabel="processor seconds", ylim=(0, None))
axes[0].legend()
show(
    figure,
    "Three scores over processor seconds for five seeds of each decoder: the place comes early, the colour later.",
)

# %% [markdown]
# For both, the place comes first. The SBD has it straight at once and keeps it so while it learns the hue. The deconv
# decoder's pair is straightest *before* the hue comes; what it learns of colour it puts on top of the place.
#
# ## 1. Which factor has which latent?
#
# **The question.** Squares of four factors: will each have a latent of its own?
#
# **Predict:** in how many latents will the SBD say x, y, size and hue? The hue has no end: after 360° comes 0°.
#
# <details><summary>Answer</summary>
#
# In four, mostly, and yet not one for each. Two say the place. A hue that goes all the way round cannot follow a single
# latent without a jump, so it takes two: a wheel. And the size, in most runs, has none.
#
# </details>

# %%
GROUPS = {
    "SBD, sprites": pair_of("sprites", "squares")["sbd"],
    "deconv, sprites-plain": pair_of("sprites", "squares")["deconv"],
    "deconv, sprites-plain-beta4": runs("sprites", "squares", "sprites-plain-beta4", "deconv"),
}
COLUMNS = {
    "affine_r2": 2,
    "pair_share": 2,
    "x": 2,
    "y": 2,
    "size": 2,
    "hue": 2,
    "squared_error": 1,
    "informative_latents": 0,
    "kl_nats": 1,
    "processor_seconds": 0,
}
print(f"{'least to greatest':>20}", *(f"{name:>28}" for name in GROUPS))
for name, digits in COLUMNS.items():
    print(f"{name:>20}", *(f"{span(rows, name, digits):>28}" for rows in GROUPS.values()))
print(f"{'runs':>20}", *(f"{len(rows):>28}" for rows in GROUPS.values()))

# %%
from sbd_utils import encode, load_run, traverse

held_out = torch.Generator().manual_seed(1_000_003)
squares = make_stream("squares", im_size=32)
factors = squares.sample(1000, held_out)  # [1000, 8]
images = squares.render(factors)  # [1000, 3, 32, 32]


def follows(mean, factors):
    """For each latent: the factor it is most correlated with (hue by cosine and sine), and how."""
    turn = factors[:, 5] * 2 * np.pi / 360
    targets = {
        "x": factors[:, 0],
        "y": factors[:, 1],
        "size": factors[:, 2],
        "hue": turn.cos(),
        "hue ": turn.sin(),
    }
    table = np.corrcoef(mean.T, torch.stack([*targets.values()]))
    size = mean.shape[1]
    found = table[:size, size:]  # [z_dim, 5]
    best = np.abs(found).argmax(1)
    return [(list(targets)[b].strip(), found[i, b]) for i, b in enumerate(best)]


def median_run(rows):
    return sorted(rows, key=lambda row: row.affine_r2)[len(rows) // 2]


# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6))
for ax, decoder in zip(axes, OWN, strict=True):
    row = median_run(pair_of("sprites", "squares")[decoder])
    model = load_run("sprites", row)
    mean, logvar = encode(model, images)
    order = logvar.exp().mean(0).argsort()[:7]  # the informative ones first
    names = follows(mean, factors)
    drawn = traverse(model, mean[0], order.tolist())
    rows_of = [torch.cat([*row_of], -1) for row_of in drawn.images]
    ax.imshow(torch.cat(rows_of, -2).permute(1, 2, 0).clamp(0, 1))
    ax.set_yticks(
        [16 + 32 * i for i in range(len(order))],
        [f"{names[i][0]} {abs(names[i][1]):.2f}" for i in order],
    )
    ax.set_xticks([16 + 32 * i for i in range(7)], [f"{v:.1f}" for v in drawn.values])
    ax.set(title=f"{LABEL[decoder]}, seed {row.seed}", xlabel="value of the latent")
show(
    figure,
    "Traversals of seven latents of an SBD and of a deconv VAE, each named by the factor it follows, and how closely.",
)

# %% [markdown]
# Each row moves one latent; beside it the factor that it is most correlated with, and how much. The SBD's first two
# latents move the square and change nothing else. Its next two run through colours, and through sizes, too. In the
# deconv decoder's rows everything changes at once, the form of the square included.
#
# Where has the size gone, in the SBD's runs of four latents? Here are the two latents that have most to do with hue.


# %%
def hue_pair(model):
    """The codes [1000, 2] in the two latents that have most to do with hue, less their mean."""
    mean, logvar = encode(model, images)
    loud = logvar.exp().mean(0) < 0.1
    turn = factors[:, 5] * 2 * np.pi / 360
    table = np.corrcoef(mean.T, torch.stack([turn.cos(), turn.sin()]))[: mean.shape[1], -2:]
    chosen = torch.from_numpy(np.hypot(*table.T)) * loud
    z = mean[:, chosen.argsort()[-2:]]
    return (z - z.mean(0)).numpy()


BOXED = {"fontsize": 8, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
figure, axes = plt.subplots(2, 5, figsize=(12, 5))
for row_of, (decoder, rows) in zip(axes, pair_of("sprites", "squares").items(), strict=True):
    for ax, row in zip(row_of, rows, strict=False):
        z = hue_pair(load_run("sprites", row))
        radius = np.corrcoef(np.hypot(*z.T), factors[:, 2])[0, 1]
        ax.scatter(*z.T, c=factors[:, 5] / 360, cmap="hsv", s=factors[:, 2] ** 2 / 8)
        for degrees in (0, 90, 180, 270):
            near = (factors[:, 5] - degrees + 180).remainder(360).sub(180).abs() < 15
            ax.text(*z[near].mean(0), f"{degrees}°", ha="center", va="center", **BOXED)
        ax.set(title=f"{LABEL[decoder]}, seed {row.seed}", xticks=[], yticks=[])
        ax.set_xlabel(f"one latent of hue\nsize by radius: r = {radius:.2f}", fontsize=8)
        ax.set_aspect("equal", adjustable="datalim")
for ax in axes[:, 0]:
    ax.set_ylabel("the other latent of hue", fontsize=8)
show(
    figure,
    "Codes in the two latents of hue, dots in the sprite's colour and size: for the SBD a wheel of hues with large "
    "sprites at its rim, for the deconv decoder a cloud.",
)

# %% [markdown]
# In four runs of five the SBD has made a colour wheel that nobody asked for, and the size is its *radius*: small
# squares inside, large ones at the rim. A likely reason, not tested here: a small square has few pixels, so a wrong hue
# costs little, and a ring of half the radius holds half as many hues that can be told apart. Two factors in polar
# coordinates are as well ordered as two factors on axes, and no score that asks for one latent per factor will say so.
# What do the four of notebook 07 say?

# %%
from sbd_utils import ScoreRow, read_rows
from sbd_utils.evidence import EVIDENCE

scored = read_rows(EVIDENCE / "scores_sprites.csv", ScoreRow)
SCORES = {
    "mig": "MIG",
    "sap": "SAP",
    "disentanglement": "disentanglement",
    "completeness": "completeness",
    "informativeness": "informativeness",
    "factor_vae": "FactorVAE",
}
figure, axes = plt.subplots(1, 6, figsize=(12, 2.6), sharey=True)
for ax, (field, label) in zip(axes, SCORES.items(), strict=True):
    for place, decoder in enumerate(OWN):
        chosen = [row for row in scored if (row.recipe, row.decoder) == (OWN[decoder], decoder)]
        dots(ax, place, chosen, field)
    for kind, style in (("ceiling", "--"), ("turned", ":")):
        ax.axhline(getattr(scored[0], f"{field}_{kind}"), color="0.5", linestyle=style, linewidth=1)
    ax.set_title(label, fontsize=9)
    ax.set(ylim=(-0.03, 1.06), xticks=[0, 1], xticklabels=["SBD", "deconv"], xlim=(-0.6, 1.6))
show(figure, "Six scores of every run of both decoders on squares, with ceiling and turned ideal.")

# %%
for decoder in OWN:
    chosen = [row for row in scored if (row.recipe, row.decoder) == (OWN[decoder], decoder)]
    texts = [f"{label} {span(chosen, field)}" for field, label in SCORES.items()]
    print(f"{LABEL[decoder]:>6}, {len(chosen)} runs:", ", ".join(texts))
    turns = [min(row.direction, 90 - row.direction) for row in chosen]
    print(
        "        the pair's latents lie",
        *(f"{turn:.0f}°" for turn in turns),
        "from the image's axes",
    )

# %% [markdown]
# **The answer.** The SBD says the place in two latents of its own, in five runs of five, and draws as well after 60 to
# 76 processor-seconds as the deconv decoder after 180. In this world the scores of notebook 07 tell the two apart, too,
# all but informativeness. (Disentanglement does so by a hair.) They could because the SBD's pairs happen to lie near
# the axes of the image here (degrees above). On circles they lay at any angle; we do not know whether the squares,
# which have sides, are the reason. And MIG calls a network whose place is perfect and whose hues are a wheel a third of
# what it could be: two latents share the hue, so there is no gap.
#
# **Its limits.** One world, one size of network. With constant numbers and in the same time the SBD, too, has the place
# and little of the hue (`sprite_search.csv`): what makes it see colour early is its recipe. The deconv decoder was
# given six times as long once: it draws with an error of 3.2 then, and its pair has an affine R² of 0.78.
#
# ## 2. Small objects
#
# **The question.** A small square has few pixels: to leave it out costs little. The paper says that the SBD finds small
# objects where deconvolution does not. Squares of one size each: 9, 6, 4 and 3 pixels. The error is shown as a share of
# that of the best picture which knows nothing, the mean of all images: 1 is blank.
#
# **Predict:** below which diameter will either network give up, and leave the picture blank?
#
# <details><summary>Answer</summary>
#
# Below 6 pixels, with the usual weight of the squared error, w = 10: one run of twelve draws anything. With w = 40 both
# find squares of 4 pixels, the deconv decoder sooner by the clock; those of 3 one deconv run in three, and no SBD in
# that time.
#
# </details>

# %%
from sbd_utils.data import SPRITE_SIZES


def brightness(world):
    """The squared error of the best picture that knows nothing: the mean of all."""
    images, _ = make_stream(world, im_size=32).batch(0, 1000)
    return (images - images.mean(0)).square().sum((1, 2, 3)).mean().item()


KINDS = [  # decoder, recipe, and what a squared error weighs
    ("sbd", "sprites", 10),
    ("deconv", "sprites-plain", 10),
    ("sbd", "sprites-w40", 40),
    ("sbd", "sprites-plain-w40", 40),
    ("deconv", "sprites-plain-w40", 40),
]
PANELS = ("squared error / blank", "affine R², the pair", "R² of hue")

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3))
for place, size in enumerate(SPRITE_SIZES):
    nothing = brightness(f"squares-size{size}")
    for decoder, recipe, w in KINDS:
        rows = runs("sprite_sizes", f"squares-size{size}", recipe, decoder)
        if not rows:  # that weight was tried on the small ones alone
            continue
        columns = (
            [row.squared_error / nothing for row in rows],
            [row.affine_r2 for row in rows],
            [value(row, "hue") for row in rows],
        )
        style = {"color": COLOR[decoder], "linestyle": "", "markersize": 5}
        style["markerfacecolor"] = COLOR[decoder] if w == 10 else "none"
        across = place + {"sbd": -0.12, "deconv": 0.12}[decoder] + (0.06 if w > 10 else -0.06)
        for ax, values in zip(axes, columns, strict=True):
            ax.plot([across] * len(rows), values, MARKER[decoder], **style)
        share_left = " ".join(f"{error:.2f}" for error in columns[0])
        print(
            f"{size} pixels, {LABEL[decoder]:>6}, {recipe:>17}: error {share_left} of blank;",
            end=" ",
        )
        print(f"KL {each(rows, 'kl_nats', 1)}; pair {each(rows, 'affine_r2')};", end=" ")
        print(f"{each(rows, 'processor_seconds', 0)} s")
for ax, title in zip(axes, PANELS, strict=True):
    ax.set(title=title, xlabel="diameter (pixels)", xticks=range(4), ylim=(-0.05, 1.1))
    ax.set_xticklabels(SPRITE_SIZES)
axes[0].text(0.05, 0.1, "hollow: w = 40", transform=axes[0].transAxes, fontsize=8)
show(
    figure,
    "Error, straightness and hue of both decoders for squares of 3 to 9 pixels, with the usual weight of the error and "
    "with four times as much.",
)

# %% [markdown]
# **The answer.** With w = 10, of twelve runs on squares of 4 or 3 pixels one draws them, a deconv run. It pays: 44 + 8
# in its loss, where a blank picture costs 82. So the others do not get there; we suppose that what the first steps
# would gain is less than a nat costs. With w = 40 squares of 4 pixels are found by the deconv decoder in three runs of
# three, in a crumpled code; by the SBD, trained by the same plain recipe, in three of three with a straight pair, in
# two to three times the time, though hardly more updates, as each costs more; and by the SBD's own schedule, whose
# means over 4 × 4 pixels wash such a square out, in one of three. Squares of 3 pixels one deconv run of three finds; no
# SBD does in as many seconds, in which it makes 700 updates to the deconv decoder's 1,800. So a small object is not
# where an SBD is quickest by the clock, against the paper's claim, and a recipe that was made for larger ones can hide
# it.
#
# **Its limits.** Three seeds; no run longer than 190 seconds.
#
# ## 3. Places that training never saw
#
# **The question.** Training leaves out the upper right quadrant, or a ring. Does a network know what it never saw? Why
# the SBD should: its decoder is told *where* each pixel is, so that to draw elsewhere it need not have learned anything
# new. Control: the same decoder, trained on all places, asked at the same ones. Yellow in the maps: an error as large
# as the square's own light, as if nothing had been drawn.
#
# **Predict:** how far into the hole will either decoder draw the square?
#
# <details><summary>Answer</summary>
#
# In the ring the SBD draws as if nothing had been left out, and in the quadrant some way, not to its corner. The deconv
# decoder fills the ring less well, and the quadrant for about half a square's width.
#
# </details>

# %%
from sbd_utils import decode, fit_geometry
from sbd_utils.plotting import apply_map

whole = make_stream("squares", im_size=32)
low, high = whole.factors[0].low, whole.factors[0].high
ticks = np.linspace(low, high, 13)
px, py = (axis.ravel() for axis in np.meshgrid(ticks, ticks))  # [169] each
HUES = (40, 220)


def maps(model, corrected=lambda mean: mean):
    """Squared error at each place [169], over the sprite's own light; codes may be corrected."""
    errors = np.zeros(len(px))
    for hue in HUES:
        places = whole.place(px, py)
        places[:, 5] = hue
        pictures = whole.render(places.float())
        mean, _ = encode(model, pictures)
        wrong = (decode(model, corrected(mean)) - pictures).square().sum((1, 2, 3))
        errors += (wrong / pictures.square().sum((1, 2, 3))).numpy() / len(HUES)
    return errors


def inside(world):
    """Which of the places are left out of a world's training."""
    return ~make_stream(world, im_size=32).in_region(whole.place(px, py)).numpy()


# %%
figure, axes = plt.subplots(2, 4, figsize=(11, 5.4))
for column, world in zip((0, 2), ("squares-no-quadrant", "squares-no-ring"), strict=True):
    hole = inside(world)
    for row_of, decoder in zip(axes, OWN, strict=True):
        found = [
            maps(load_run("sprite_holes", row)) for row in pair_of("sprite_holes", world)[decoder]
        ]
        control = [
            maps(load_run("sprites", row)) for row in pair_of("sprites", "squares")[decoder][:2]
        ]
        for ax, some, title in (
            (row_of[column], found, world[8:]),
            (row_of[column + 1], control, "control"),
        ):
            shown = ax.imshow(
                np.mean(some, 0).reshape(13, 13),
                vmin=0,
                vmax=1,
                cmap="viridis",
                extent=(low, high, high, low),
            )
            ax.contour(ticks, ticks, hole.reshape(13, 13), [0.5], colors="white", linewidths=1.5)
            ax.set(title=f"{LABEL[decoder]}, {title}", xticks=[], yticks=[])
        for name, some in (("trained without", found), ("trained on all", control)):
            ins = [np.median(errors[hole]) for errors in some]
            out = [np.median(errors[~hole]) for errors in some]
            print(
                f"{world[8:]:>12} {LABEL[decoder]:>6}, {name:>15}: inside",
                *(f"{v:.2f}" for v in ins),
                end="; ",
            )
            print("outside", *(f"{v:.2f}" for v in out))
figure.colorbar(shown, ax=axes, label="squared error / the sprite's own light", shrink=0.7)
show(
    figure,
    "Maps of the error over the image plane, with the place left out of training outlined, and controls.",
)

# %% [markdown]
# Both draw well where they were trained, and at the edge of a hole, where half of a square was seen. In the ring the
# SBD can hardly be told from its control. Into the quadrant it goes on, and then fades. Whose fault is it, the
# decoder's or the encoder's? First the encoder, which has the same layers in both. Fit the affine map from the pair of
# latents to places outside of the hole: how far off, in pixels, does it read the places inside?


# %%
def pair_and_codes(model):
    """The two latents that move most along the places, and their values [169, 2]."""
    places = whole.place(px, py)
    mean, _ = encode(model, whole.render(places.float()))
    chosen = mean.var(0).argsort()[-2:]
    return mean[:, chosen].numpy()


def pixels_off(z, hole):
    """Distances [169] between places and where a map from the codes outside the hole puts them."""
    back = fit_geometry(z[~hole], np.stack([px, py], 1)[~hole]).affine  # from codes to places
    return np.hypot(*(apply_map(z, back) - np.stack([px, py], 1)).T)


# %%
figure, axes = plt.subplots(1, 4, figsize=(11, 2.9))
places = iter(axes)
for world in ("squares-no-quadrant", "squares-no-ring"):
    hole = inside(world)
    for decoder, rows in pair_of("sprite_holes", world).items():
        codes = [pair_and_codes(load_run("sprite_holes", row)) for row in rows]
        off = [pixels_off(z, hole) for z in codes]
        control = [
            pixels_off(pair_and_codes(load_run("sprites", row)), hole)
            for row in pair_of("sprites", "squares")[decoder][:2]
        ]
        for name, some in (("trained without", off), ("trained on all", control)):
            ins, out = ([np.median(d[where]) for d in some] for where in (hole, ~hole))
            print(
                f"{world[8:]:>12} {LABEL[decoder]:>6}, {name:>15}: inside",
                *(f"{v:.1f}" for v in ins),
                end="; ",
            )
            print("outside", *(f"{v:.1f}" for v in out), "pixels")
        ax = next(places)
        z = codes[0]
        ax.plot(*z[~hole].T, ".", color=COLOR[decoder], markersize=3)
        ax.plot(*z[hole].T, "x", color="black", markersize=3.5)
        ax.set(title=f"{LABEL[decoder]}, {world[8:]}", xticks=[], yticks=[])
        ax.set_aspect("equal", adjustable="datalim")
axes[0].set(xlabel="one latent of the pair", ylabel="the other")
show(
    figure,
    "Codes of a grid of places: dots for places that training knew, crosses for those in the hole.",
)

# %% [markdown]
# The dots of the SBD make a grid, and the crosses fill its hole; in the quadrant they carry it on for a while and then
# bunch. Now the decoder by itself: give it the code that the place *should* have, by the affine map from outside the
# hole, for all ten latents.


# %%
def by_the_map(mean):
    """Codes [169, z_dim] as the affine map from the places outside the hole has them."""
    full = np.stack([px, py, np.ones(len(px))], 1)
    there, *_ = np.linalg.lstsq(full[~hole], mean[~hole].numpy(), rcond=None)
    return torch.from_numpy(full @ there).float()


hole = inside("squares-no-quadrant")
for decoder, rows in pair_of("sprite_holes", "squares-no-quadrant").items():
    for row in rows:
        model = load_run("sprite_holes", row)
        told, own = maps(model, by_the_map), maps(model)
        print(f"{LABEL[decoder]:>6}, seed {row.seed}: inside, by its encoder's code", end=" ")
        print(f"{np.median(own[hole]):.2f}, by the map's {np.median(told[hole]):.2f};", end=" ")
        print(f"outside {np.median(own[~hole]):.2f} and {np.median(told[~hole]):.2f}")
        if decoder == "sbd":
            assert np.median(told[hole]) < 1.2 * np.median(own[~hole]) < np.median(own[hole])


# %% [markdown]
# **The answer.** The SBD's *decoder* knows the whole quadrant: told the place by the plane that goes on, it draws there
# with no more error than where it was trained. What ends is its encoder, which is given no coordinates and must find
# them in pixels that it never saw lit. So the paper's claim holds for the part that the paper changed. Of the deconv
# decoder this cannot be asked: its code is no affine map of the place, not even where it was trained (last numbers).
#
# **Its limits.** Three seeds, two controls. The map from outside needs to be told the places: it is a diagnosis, and no
# way to encode.
#
# ## 4. Factors that hang together
#
# **The question.** A code is told nothing of factors. If places lie on a disc, or near the diagonal, two axes of the
# square are not special any more: a band has a long direction and a short one. Does the code follow the *factors*, or
# the shape of the *distribution*? The grids below are of all places, also of those that training never saw.
#
# **Predict:** near the diagonal x and y are nearly the same number. Will the SBD still give them a plane?
#
# <details><summary>Answer</summary>
#
# Yes, as straight as ever; but of another form. And the disc's plane goes on to corners that no square ever was in.
#
# </details>

# %%
from sbd_utils import plot_coordinate_grid

figure, axes = plt.subplots(2, 5, figsize=(12, 5))
for column, world in enumerate(("disc", "band")):
    source = make_stream(f"squares-{world}", im_size=32)
    xx, yy, labels = source.lines()
    for row_of, (decoder, rows) in zip(
        axes, pair_of("sprite_ties", f"squares-{world}").items(), strict=True
    ):
        for k, run in enumerate(rows[:2]):
            z = TABLES["sprite_ties"][1][run.name]
            ax = row_of[2 * column + k]
            everywhere = fit_geometry(np.stack([xx, yy], 1), z).affine_r2
            plot_coordinate_grid(ax, *z.T, labels, f"{LABEL[decoder]} {world}", ("", ""))
            ax.set(xticks=[], yticks=[])
            known = (
                f"known places: affine R² {run.affine_r2:.2f}, similarity {run.similarity_r2:.2f}"
            )
            ax.set_xlabel(f"{known}\nall places: affine {everywhere:.2f}", fontsize=7)
for ax, decoder in zip(axes[:, 4], OWN, strict=True):
    run = pair_of("sprites", "squares")[decoder][0]
    plot_coordinate_grid(
        ax, *TABLES["sprites"][1][run.name].T, labels, f"{LABEL[decoder]} square", ("", "")
    )
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(f"affine R² {run.affine_r2:.2f}, similarity {run.similarity_r2:.2f}", fontsize=7)
show(
    figure,
    "Encoded grids of positions after training on a disc, on a band, and on the whole square.",
)

# %% [markdown]
# **The answer.** *Which* plane it is, the factors say: affine R² of 0.99 and more on every place that training knew, on
# the disc even beyond. How *wide* it is, the distribution says: on the band the similarity R² is far lower, since the
# narrow direction is stretched until each latent has the spread of the prior. The deconv decoder's two bands are a
# snake, in which the short direction is lost, and a sheet that is folded.
#
# And a colour that follows x: in training, to know one is to know the other. Has the code a latent for place, or for
# colour, or for both at once? Break the tie: give a square the hue of another place, and then give a hue to a square at
# another place. What does the pair follow? (A pair that follows both alike would move by as much for either.)


# %%
def moves(model):
    """How far the pair of the place moves, in its standard deviations, for hue alone and for x alone."""
    places = whole.place(px, py)
    share = (places[:, 0] - low) / (high - low)
    places[:, 5] = 270 * share  # as in the world of ties
    other_hue, other_x = places.clone(), places.clone()
    other_hue[:, 5] = 270 * (1 - share)
    other_x[:, 0] = low + high - places[:, 0]  # the hue stays
    codes = [encode(model, whole.render(p.float()))[0] for p in (places, other_hue, other_x)]
    still, _ = encode(model, whole.render(whole.place(px, py).float()))  # one hue for all places
    pair = still.var(0).argsort()[-2:]
    tied, *others = (z[:, pair] / codes[0][:, pair].std(0) for z in codes)  # [169, 2] each
    return [(z - tied).square().sum(1).mean().sqrt().item() for z in others]


for name, table, world in (
    ("tied", "sprite_ties", "squares-hue-by-x"),
    ("free", "sprites", "squares"),
):
    for decoder, rows in pair_of(table, world).items():
        both = [moves(load_run(table, row)) for row in rows]
        print(
            f"{name}, {LABEL[decoder]:>6}: moved by hue alone",
            *(f"{h:.2f}" for h, _ in both),
            end="; ",
        )
        print("by x alone", *(f"{x:.2f}" for _, x in both))

# %% [markdown]
# **The answer.** The SBD's pair follows the place and leaves the hue alone, although the two never differed in
# training; it has no other latent for the hue, so its decoder paints what belongs to x. Which of two tied factors a
# code follows is no question of statistics, as both say the same: it is the network's inclination, and this one's is
# for places. The deconv decoder's pair follows the place more than the hue, too, by a factor of three to five in place
# of eleven to sixteen. That the SBD's pair does not move with hue in a world *without* ties is no finding: there it
# must not, and in two of five runs does.
#
# ## 5. Rate and distortion
#
# **The question.** β sets the price of a nat. By how much must a decoder's code grow to draw better, and what does that
# do to its order? Six values of β: the SBD by `sprites`, which ends with that β, the deconv decoder with that β all the
# time, for 180 processor-seconds, three times as long.
#
# **Predict:** which decoder needs fewer nats for the same error? And does order come with β?
#
# <details><summary>Answer</summary>
#
# The SBD, by a little where both have learned the colours. Its order does not depend on β; the deconv decoder's does:
# at the largest β both runs are nearly straight, in between it is a matter of the seed.
#
# </details>

# %%
from sbd_utils.recipes import SPRITE_BETAS

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for decoder, name in (("sbd", "sprites-beta{}"), ("deconv", "sprites-plain-beta{}")):
    for beta in SPRITE_BETAS:
        rows = runs("sprite_rates", "squares", name.format(beta), decoder)
        if not rows:
            continue
        rate, error = ([value(row, n) for row in rows] for n in ("kl_nats", "squared_error"))
        shade = [row.affine_r2 for row in rows]
        dotted = axes[0].scatter(
            rate, error, c=shade, marker=MARKER[decoder], vmin=0, vmax=1, s=40, edgecolor="black"
        )
        axes[1].plot(
            [SPRITE_BETAS.index(beta)] * len(rows),
            shade,
            MARKER[decoder],
            color=COLOR[decoder],
            markersize=5,
        )
        told = {"kl_nats": ("rate", 1), "squared_error": ("error", 1), "affine_r2": ("pair", 2)}
        words = [f"{word} {each(rows, column, digits)}" for column, (word, digits) in told.items()]
        print(f"{LABEL[decoder]:>6} β {beta}:", ", ".join(words))
axes[0].set(xlabel="rate: KL divergence (nats)", ylabel="distortion: squared error", yscale="log")
axes[0].set(yticks=[3, 4, 6, 9, 12], yticklabels=["3", "4", "6", "9", "12"])
axes[0].minorticks_off()
axes[0].text(0.95, 0.9, "round: SBD\nsquare: deconv", transform=axes[0].transAxes, ha="right")
axes[1].set(
    xlabel="β",
    ylabel="affine R², the pair",
    xticks=range(6),
    xticklabels=SPRITE_BETAS,
    ylim=(0, 1.05),
)
figure.colorbar(dotted, ax=axes[0], label="affine R², the pair")
show(
    figure,
    "Distortion against rate for six β and both decoders, shaded by straightness; straightness over β.",
)

# %% [markdown]
# **The answer.** Along the SBD's line a nat buys a little, and its pair stays as straight as it was, whatever the
# price: from 11 nats at an error of 4.0 and 4.1 to 18 at 3.5. With 10 to 12 nats the deconv decoder draws with 4.5 to
# 10, the SBD with 3.8 to 4.1. With 27 nats, more than the SBD was ever let spend, the best of the deconv runs has 3.1.
# The straightness of its pair is about 0.5 for small β and anything from 0.2 to 0.9 for middle ones; at β = 5.4 both
# runs have *0.90* or more; on circles no deconv pair had more than 0.44 in fp32 (notebook 05). β can do for that
# decoder part of what coordinates do for the other, at an error that is higher by a third in one run, and twice as high
# in the other.
#
# **Its limits.** Two seeds a point. β acts for the whole time in one recipe and at the end in the other. Where a deconv
# run has an error of 8 or more, it has not learned all of the colours in its time.
#
# ## 6. Nothing moves
#
# **The question.** Every square is in the middle; size and hue alone are left. What the SBD knows better is *where* a
# pixel is. Is there anything left for it to win? Both get about the same time; say which will draw with less error.

# %%
centered = pair_of("sprite_center", "squares-center")
for decoder, rows in centered.items():
    print(
        f"{LABEL[decoder]:>6}: R² of size {each(rows, 'size')}, of hue {each(rows, 'hue')},",
        end=" ",
    )
    print(
        f"error {each(rows, 'squared_error', 1)}, latents {each(rows, 'informative_latents', 0)}",
        end=", ",
    )
    print(
        f"KL {each(rows, 'kl_nats', 1)}, {len(rows)} runs of {each(rows, 'processor_seconds', 0)} s"
    )

# %% [markdown]
# **The answer.** In drawing, nothing: the deconv decoder has a quarter to a half of the error in about the same time,
# on every seed of five. In order, a little: a linear map reads the size off the SBD's code with an R² of 0.98 or more,
# and the hue with 0.9 or more, off the deconv decoder's with 0.76 and 0.81 at least.
#
# ## 7. Pressure on total correlation
#
# **The question.** FactorVAE (Kim & Mnih 2018, [arXiv 1802.05983](https://arxiv.org/abs/1802.05983)) and β-TCVAE (Chen
# et al. 2018) change the *loss*: latents that depend on each other cost extra. The SBD changes the *decoder*. Do the
# two ideas add up? Here five times the total correlation of a batch is added to the loss, estimated as in β-TCVAE.

# %%
PRESSED = {
    "SBD without": GROUPS["SBD, sprites"],
    "SBD with": runs("sprite_tc", "squares", "sprites-tc", "sbd"),
    "deconv without": GROUPS["deconv, sprites-plain-beta4"],
    "deconv with": runs("sprite_tc", "squares", "sprites-plain-tc", "deconv"),
}
for name, rows in PRESSED.items():
    print(f"{name:>14}: pair {each(rows, 'affine_r2')}; hue {each(rows, 'hue')};", end=" ")
    print(f"error {each(rows, 'squared_error', 1)}; latents {each(rows, 'informative_latents', 0)}")

# %% [markdown]
# **The answer.** For the SBD there is nothing left to add to its pair, and the hue and the error lie where they lay.
# The deconv decoder's pairs, of the recipe with β = 4 that draws grey squares, gain: four of five are above 0.9, of
# those without the pressure one is, and three latents are used in every run. So here the two ideas do not add up: each
# does a part of the other's work. Larger trainings may differ; the paper reports a gain from both.
#
# ## 8. All eight factors
#
# Squares of one brightness are a kind world. Now squares, ellipses and hearts at any angle, pale ones and dark ones.
# First by the same recipes.


# %%
def factors_told(rows):
    """A line for some runs: every seed's R² of each factor, and the squared error."""
    told = ", ".join(f"{name} {each(rows, name)}" for name in r2_of(rows[0]))
    return f"{told}; error {each(rows, 'squared_error', 1)}"


for decoder, rows in pair_of("sprites", "coloured").items():
    print(f"{LABEL[decoder]:>6}, {each(rows, 'updates', 0)} updates: {factors_told(rows)}")

# %% [markdown]
# The SBD has the place and some of the size, the deconv decoder most of the place; neither has any hue. A likely
# reason, not tested: a network that sees blobs of all colours at every place first paints the mean of them, and telling
# two hues apart gains less, at first, than a nat costs. So let β be small for longer: the recipe `coloured` keeps it at
# 0.1 for half of 12,000 updates and lets it rise to 1 then; with blocks first for the SBD, and whole images all the
# time for the deconv decoder (`coloured-whole`), as blocks save it nothing. Ten times the updates for the SBD, four
# times for the deconv decoder, and 9 to 15 minutes of one processor for each run.
#
# **Before you look:** of the eight factors, which will a linear map read off the SBD's code? And which can it *not*
# read, however well the network draws?

# %%
LONG = {
    "sbd": runs("sprite_coloured", "coloured", "coloured", "sbd"),
    "deconv": runs("sprite_coloured", "coloured", "coloured-whole", "deconv"),
}
for decoder, rows in LONG.items():
    minutes = " ".join(f"{row.processor_seconds / 60:.0f}" for row in rows)
    print(f"{LABEL[decoder]:>6}, seeds {each(rows, 'seed', 0)}, {minutes} minutes:", end=" ")
    print(f"pair {each(rows, 'affine_r2', 3)}, {factors_told(rows)}")
figure, axes = plt.subplots(1, 4, figsize=(12, 2.8), sharex=True)
scorings = [p for p in read_curves("sprite_coloured") if p.decoder in LONG]
for ax, field in zip(axes, ("size", "hue", "value", "squared_error"), strict=True):
    for decoder, rows in LONG.items():
        for row in rows:
            points = [p for p in scorings if (p.decoder, p.seed) == (decoder, row.seed)]
            line = "o-" if decoder == "sbd" else "s--"
            values = [value(p, field) for p in points]
            updates = [p.updates / 1000 for p in points]
            label = LABEL[decoder] if row is rows[0] else None
            ax.plot(updates, values, line, color=COLOR[decoder], markersize=3, label=label)
    limits = (0, None) if field == "squared_error" else (-0.1, 1)
    ax.set(title=field.replace("_", " "), xlabel="updates (thousands)", ylim=limits)
axes[-1].legend()
axes[0].set_ylabel("R², linear")
show(
    figure,
    "R² of size, hue and brightness, and the squared error, over 12,000 updates: the SBD's rise to 0.95, 0.87 and 0.68, "
    "those of the deconv decoder stay lower, and its error is larger.",
)

# %% [markdown]
# Size, hue and value come, in the SBD's code. Of the deconv decoder's a linear map reads no hue, little brightness, and
# of the size 0.2 to 0.6, though it draws the colours: its error is that of a network that sees them. But for the
# *shape* and the *angle* the SBD has 0, too. Does it not see them? Or was the question wrong? A square looks the same
# after a quarter turn and an ellipse after half of one, so that "the angle" is three different factors. Ask shape by
# shape, each by its own period.

# %%
from sbd_utils import held_out_r2, neighbor_r2
from sbd_utils.plotting import image_grid, plot_picture

PERIOD = {"square": 90, "ellipse": 180, "heart": 360}  # degrees, after which it looks the same
world = make_stream("coloured", im_size=32)
causes = world.sample(4000, torch.Generator().manual_seed(1_000_003)).float()
sprites = world.render(causes)
names = [factor.name for factor in world.factors]
kind_of, angle = (causes[:, names.index(name)].numpy() for name in ("shape", "angle"))
which = {kind: kind_of == level for level, kind in enumerate(PERIOD)}
wheel = 2 * np.pi / 360 * causes[:, names.index("hue")].numpy()
wheel = np.stack([np.cos(wheel), np.sin(wheel)], 1)


def turns(kind):
    """Cosine and sine of the angle [M, 2] of the sprites of one shape, by its own period."""
    turn = 2 * np.pi * angle[which[kind]] / PERIOD[kind]
    return np.stack([np.cos(turn), np.sin(turn)], 1)


codes, drawn = {}, {}
for decoder, rows in LONG.items():
    for row in rows:
        model = load_run("sprite_coloured", row)
        mean, _ = encode(model, sprites)
        codes[decoder, row.seed] = mean.numpy()
        drawn[decoder, row.seed] = decode(model, mean)
        wrong = (drawn[decoder, row.seed] - sprites).square().sum((1, 2, 3)).numpy()
        told = {kind: held_out_r2(mean[which[kind]], turns(kind)) for kind in PERIOD}
        print(f"{LABEL[decoder]:>6}, seed {row.seed}: angle", end=" ")
        print(*(f"{kind} {r2:.2f}" for kind, r2 in told.items()), end="; error ")
        print(*(f"{kind} {wrong[which[kind]].mean():.1f}" for kind in PERIOD), end="; hue, by ")
        print(f"neighbours {neighbor_r2(mean, wheel):.2f}")

# %%
first = min(seed for decoder, seed in codes if decoder == "sbd")
mean = codes["sbd", first]
pairs = [(i, j) for i in range(10) for j in range(i)]
of_ellipses = [held_out_r2(mean[which["ellipse"]][:, pair], turns("ellipse")) for pair in pairs]
i, j = pairs[int(np.argmax(of_ellipses))]
figure, axes = plt.subplots(1, 2, figsize=(12, 4), width_ratios=[1, 2])
for kind, marker, color in zip(PERIOD, "sov", (BLUE, ORANGE, GREEN), strict=True):
    at = np.flatnonzero(which[kind])[:300]
    axes[0].plot(mean[at, i], mean[at, j], marker, color=color, markersize=3, label=kind)
    length = np.median(np.hypot(*(mean[which[kind]][:, [i, j]] / mean[:, [i, j]].std(0)).T))
    print(f"{kind}: median length {length:.2f}")
axes[0].set(xlabel=f"z{i}", ylabel=f"z{j}", title=f"SBD, seed {first}")
axes[0].legend()
some = torch.cat([sprites[:14], drawn["sbd", first][:14], drawn["deconv", first][:14]])
plot_picture(axes[1], image_grid(some.clamp(0, 1), 14))
axes[1].set_title("sprites; drawn by the SBD; by the deconv decoder")
show(
    figure,
    "Two latents of the SBD: ellipses make a wide cloud, squares and hearts lie inside it. Sprites and what both "
    "decoders draw of them: ellipses at their angle by the SBD, in part by the deconv decoder, the rest as round blobs.",
)

# %% [markdown]
# **The answer.** With ten times the updates, and a β that stays low for longer, place, size and hue can be read off the
# SBD's code, the brightness in part (0.7), the saturation hardly. Of the shapes it tells one: an *ellipse* has its
# angle, with an R² above 0.9, and squares and hearts are drawn as round blobs, at four to five times the error. And
# still the shape is in the code, as the *length* of the two latents whose direction says most of the angle. Long: an
# ellipse, and which way it lies. Short: something round. No linear map reads a length, as it did not read the size off
# the radius of the wheel of hues in section 1. So "is there a latent for the shape?" and "does the network tell
# shapes?" are two questions, and a score of disentanglement asks the first.
#
# The deconv decoder draws the colours, and neighbouring codes tell the hue (R² of 0.7 to 0.8 with 2,000 of them), a
# linear map does not, nor the angle of its ellipses. Given this much time both draw the colours, the deconv decoder
# with one and a half times to twice the error; what parts them more is what can be read, and how.
#
# **Its limits.** Three seeds, one of them the one on which the recipe was tried; one recipe each, whose small β was
# found with SBDs, though of three tried for the deconv decoder none let a linear map read more after 2,000 updates
# (`pretrained/README.md`). At 32 × 32 pixels a heart of eight pixels is hardly a heart.

# %%
both = pair_of("sprites", "squares")
assert min(row.affine_r2 for row in both["sbd"]) > 0.99
grey = GROUPS["deconv, sprites-plain-beta4"]
assert max(row.affine_r2 for row in [*both["deconv"], *grey]) < 0.92
for world in ("squares-disc", "squares-band", "squares-hue-by-x"):
    assert min(row.affine_r2 for row in pair_of("sprite_ties", world)["sbd"]) > 0.99
    assert max(row.affine_r2 for row in pair_of("sprite_ties", world)["deconv"]) < 0.94
assert max(row.similarity_r2 for row in pair_of("sprite_ties", "squares-band")["sbd"]) < 0.9
still = pair_of("sprite_center", "squares-center")
assert max(row.squared_error for row in still["deconv"]) < min(
    row.squared_error / 1.5 for row in still["sbd"]
)
small = {
    kind: runs("sprite_sizes", "squares-size4", *kind)
    for kind in (
        ("sprites-w40", "sbd"),
        ("sprites-plain-w40", "sbd"),
        ("sprites-plain-w40", "deconv"),
    )
}
found = [min(row.kl_nats for row in rows) > 5 for rows in small.values()]
assert found == [False, True, True]
pressed = [
    row.affine_r2 for row in runs("sprite_rates", "squares", "sprites-plain-beta5.4", "deconv")
]
assert min(pressed) > 0.9
print("what the sections say of straightness, of small squares and of still ones is in the tables")

# %% [markdown]
# ## In your own hands
#
# Take hold of two of these networks, seed 0 of either decoder: drag the square, and turn its hue and its size by the
# sliders below it. The planes show the latents in which the place moves most; above each you can choose others. (The
# cell must have been run.)
#
# **Predict** in one sentence: what path will the SBD's code take while the hue goes all the way round, and which of its
# latents will move when you drag the square?
#
# <details><summary>Answer</summary>
#
# It goes round, too, in z7 and z8, and comes back to where it began, while the place's two latents stay. Dragging moves
# those two, z3 and z6, and hardly any other.
#
# </details>

# %%
from IPython.display import display

course.needs("anywidget")
from sbd_utils import LatentExplorer

in_hand = {
    LABEL[d]: load_run("sprites", rows[0]) for d, rows in pair_of("sprites", "squares").items()
}
explorer = LatentExplorer(in_hand, data="squares")
display(explorer)

# %% [markdown]
# **To try.** Choose z7 and z8 above the SBD's plane, and turn the hue round: where does the code hurry? Drag the square
# with these two in view: the code stays. Now the same above the deconv decoder's plane, with z0 and z9.
#
# For those who read this as a page, the same hand at work, by the widget's own core: the hue is turned round in steps
# of 5°, dots in its colour; then the square is moved from left to right, the black line.

# %%
from sbd_utils import Explorer

hand = Explorer(in_hand, data="squares")
DEGREES, ACROSS = range(0, 361, 5), np.linspace(6, 26, 21)


def codes_after(events):
    """By model, the codes [events, z_dim] after each of some events; it begins in the middle."""
    hand.handle({"type": "reset"})
    codes = {name: [] for name in hand.sides}
    for event in events:
        hand.handle(event)
        for name, side in hand.sides.items():
            codes[name].append(side.mean)
    return {name: torch.stack(means).numpy() for name, means in codes.items()}


turned = codes_after({"type": "factor", "name": "hue", "value": degrees} for degrees in DEGREES)
moved = codes_after({"type": "image", "x": x, "y": 16.0} for x in ACROSS)
ranges = {name: (np.ptp(turned[name], 0), np.ptp(moved[name], 0)) for name in in_hand}
hues = {name: sorted(by_hue.argsort()[-2:]) for name, (by_hue, _) in ranges.items()}

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4.2))
for ax, (name, pair) in zip(axes, hues.items(), strict=True):
    around, across = turned[name][:, pair], moved[name][:, pair]
    ax.scatter(*around.T, c=DEGREES, cmap="hsv", s=25)
    ax.plot(*across.T, color="black", linewidth=1.5)
    center = around.mean(0)
    for degrees in (0, 90, 180, 270):
        out = around[degrees // 5] - center
        beside = around[degrees // 5] + 0.4 * out / np.linalg.norm(out)
        ax.text(*beside, f"{degrees}°", ha="center", va="center", fontsize=8)
    ax.set(title=name, xlabel=f"z{pair[0]}", ylabel=f"z{pair[1]}", aspect="equal")
    ax.set(xlim=(-3, 3), ylim=(-3, 3))
show(
    figure,
    "The code in two latents while the hue is turned: the SBD's goes round, the deconv decoder's has two ends; a "
    "square that moves leaves the SBD's where it is, and not the deconv decoder's.",
)

# %%
for name, pair in hues.items():
    by_hue, by_x = ranges[name]
    steps = np.linalg.norm(np.diff(turned[name][:, pair], axis=0), axis=1)
    most, rest = steps.argmax(), np.delete(by_hue, pair)
    first, second = (f"z{i} by {by_hue[i]:.1f}" for i in pair)
    print(
        f"{name}: the hue turned moves {first}, {second}, no other by more than {rest.max():.1f};"
    )
    print(f"  the longest step is {steps[most]:.1f}, from {5 * most}° to {5 * most + 5}°;", end=" ")
    print(f"the square moved moves these two by at most {by_x[pair].max():.1f}")
assert ranges["SBD"][0][hues["SBD"]].min() > 3 > 0.5 > ranges["SBD"][1][hues["SBD"]].max()
assert ranges["deconv"][1][hues["deconv"]].min() > 1

# %% [markdown]
# **The answer.** The SBD's code goes round and hurries where blue turns into violet; a square that moves leaves it
# where it is, to half a standard deviation of the prior. The deconv decoder's path has two ends, both of them blue, and
# the code leaps from one to the other; a square that moves takes it along. One seed each: section 1 shows the hues of
# five.

# %% [markdown]
# ## What we established
#
# - Squares that differ in place, size and hue: the SBD has the place in two latents by itself, in five runs of five,
#   and the hue in two more, in four runs as a wheel whose radius grows with the size. The deconv decoder, in three
#   times the time, draws as well and mixes all of it.
# - A ring left out of training: the SBD draws in it as anywhere, the deconv decoder with up to twice the error. A
#   quadrant: the SBD goes on into it for half a square's width or more, as far as its encoder has codes; its decoder,
#   told the place, draws all of it. The deconv decoder ends sooner. The same networks, trained on all places, draw
#   there like anywhere.
# - On a disc, on a band, with a hue that follows x: the SBD's plane is straight by the *factors* of place, and its
#   widths are those of the *distribution*.
# - Where the SBD does not help: squares that do not move (the deconv decoder draws them with a quarter to a half of the
#   error), squares of 3 pixels (one deconv run of three sees them, no SBD in that time), squares of 4 (the deconv
#   decoder sees them sooner by the clock).
# - β = 5.4 all the time, or pressure on the total correlation, gives a deconv decoder a pair with an affine R² of about
#   0.9, in six runs of seven.
# - Of all eight factors a linear map reads place, size, hue and in part brightness off the SBD's code after 12,000
#   updates; ellipses have their angle, and the shape is a length. Off the deconv decoder's it reads the place (0.8) and
#   some of the size.
# - MIG, SAP and DCI tell the decoders apart in this world, and mark a hue that is a wheel as a fault.
#
# ## What could be wrong with it
#
# - One to three seeds where it was not five; every row says its seed and its processor. A proof would take fresh ones.
# - The recipes differ between the decoders, and so does their time: the SBD's was found by trials with SBDs, and it is
#   its schedule that makes it see the hue early. By constant numbers it has the place, straight, and little of the hue.
# - 32 × 32 pixels, 32 channels, minutes. What hours would do to any of the eight answers was not tried.
# - The radius of the wheel was found by looking, after the fact; so were the grids near the axes.

# %% [markdown]
# ## Exercises
#
# Write in place of the `...`, and run the cell: its last line looks at your answer.
#
# **1. A world.** Hearts of 32 × 32 pixels, all else free, whose centres lie near the diagonal and whose hue follows
# *y*.
#
# <details><summary>Solution</summary>
#
# ```python
# from sbd_utils import ColoredSprites
#
# world = ColoredSprites(im_size=32, ranges={"shape": "heart"}, region="band", ties={"hue": "y"})
# ```
#
# </details>

# %%
from sbd_utils import checks

world = ...  # a ColoredSprites

checks.hearts_on_a_band(world)

# %% [markdown]
# **2. An error that can be compared.** A small sprite has a small squared error even if it is not drawn at all. Write
# `share(images, rebuilt)`: for each picture [N, C, H, H] its squared error over its own light, the sum of its squares.
#
# <details><summary>Solution</summary>
#
# ```python
# def share(images, rebuilt):
#     error = (rebuilt - images).square().sum((1, 2, 3))
#     return error / images.square().sum((1, 2, 3))
# ```
#
# </details>


# %%
def share(images, rebuilt): ...


checks.share_of_light(share)

# %% [markdown]
# **3. Beyond what was seen.** Section 3 reads the codes of a hole by a map from outside it. Write `off(codes, places,
# hole)`: fit the affine map from codes [N, 2] to places [N, 2] where `hole` is False, and give the distances, in
# pixels, of those where it is True.
#
# <details><summary>Solution</summary>
#
# ```python
# def off(codes, places, hole):
#     full = np.hstack([codes, np.ones((len(codes), 1))])
#     matrix, *_ = np.linalg.lstsq(full[~hole], places[~hole], rcond=None)
#     return np.linalg.norm(full @ matrix - places, axis=1)[hole]
# ```
#
# </details>


# %%
def off(codes, places, hole): ...


checks.off_in_the_hole(off)

# %% [markdown]
# **4. Which runs are beaten?** A run is beaten in rate and distortion by one that is no worse in either and better in
# one. Write `front(rate, distortion)`: the numbers of the runs that no other one beats. Whose are they, in section 5?
#
# <details><summary>Solution</summary>
#
# ```python
# def front(rate, distortion):
#     no_worse = (rate <= rate[:, None]) & (distortion <= distortion[:, None])
#     better = (rate < rate[:, None]) | (distortion < distortion[:, None])
#     return np.flatnonzero(~(no_worse & better).any(1))
#
#
# rows, _ = TABLES["sprite_rates"]
# columns = (np.array([value(row, name) for row in rows]) for name in ("kl_nats", "squared_error"))
# print([(LABEL[rows[i].decoder], rows[i].recipe, rows[i].seed) for i in front(*columns)])
# ```
#
# </details>


# %%
def front(rate, distortion): ...


checks.undominated(front)

# %% [markdown]
# ## What comes next
#
# One sprite in a picture, and a code that says where it is. With two of them there are two places, and no latent of
# its own for either: which sprite is the first? Notebook 09 gives every object a code, and a broadcast decoder, of its
# own.
