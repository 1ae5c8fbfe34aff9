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
# # 09 · Scenes of several objects: one decoder, many codes
#
# **You will be able to** say why a code for a whole image fails where there are several objects, build a picture as a
# softmax of broadcast decoders, train slot attention until it takes scenes apart, read and edit each object's code, and
# tell a score that sees objects from one that sees none.
#
# **You need** notebooks 02 (the broadcast decoder) and 04 (what a code keeps).
#
# **Time**: 50 minutes to read, 30 more for the exercises; about 140 seconds to run on two cores without bfloat16
# instructions.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, SceneStream, load_pretrained, plot_strip, render_batch, show

BLUE, ORANGE, *_ = OKABE_ITO
HELD_OUT = 1_000_003  # seed of scenes that no training here uses

# %% [markdown]
# ## 1. One object was assumed
#
# Every code so far was a code of *an image*, and every image had one circle. Show the network of notebook 04 two.
#
# **Predict:** it has ten latents, of which it uses two, and has never seen two circles. What will it draw: both, one of
# them, or something else?
#
# <details><summary>Answer</summary>
#
# One circle, about half-way between the two, where there is nothing. Two circles get a code between their codes; and
# the decoder can draw nothing but one circle.
#
# </details>

# %%
from sbd_utils import reconstruct

vae = load_pretrained("vae_circles_bw")
places = torch.tensor(
    [[[20, 20], [44, 44]], [[20, 44], [44, 30]], [[16, 32], [48, 32]], [[26, 32], [38, 32]]]
).float()  # [4, 2, 2] centres (x, y) in pixels
first, second = (render_batch("ellipse", *places[:, i].T) for i in (0, 1))  # [4, 1, 64, 64] each
pairs = torch.maximum(first, second)
drawn = reconstruct(vae, pairs)

line = torch.linspace(8, 56, 25)
ones = reconstruct(vae, render_batch("ellipse", *torch.cartesian_prod(line, line).T))  # [625, ...]
errors = (ones[None] - pairs[:, None]).square().sum((2, 3, 4))  # [4, 625]
nearest = ones[errors.argmin(1)]

figure, axes = plt.subplots(3, 1, figsize=(5, 4.6))
titles = (
    "two circles",
    "what the VAE makes of them",
    "of 625 pictures that it can draw, the nearest",
)
for ax, images, title in zip(axes, (pairs, drawn, nearest), titles, strict=True):
    plot_strip(ax, images, title=title)
show(
    figure,
    "Two circles; the VAE draws one, half-way between them; the best it could draw is one of the two.",
)

# %%
blank, made = pairs.square().sum((1, 2, 3)), (drawn - pairs).square().sum((1, 2, 3))
least = errors.min(1).values
print("squared error of a black picture:", *(f"{value:.0f}" for value in blank))
print("of what the VAE makes:           ", *(f"{value:.0f}" for value in made))
print("of the best that it can draw:    ", *(f"{value:.0f}" for value in least))
assert (made[:3] > blank[:3]).all()
assert (least[:3] > 0.45 * blank[:3]).all()

# %% [markdown]
# What it makes is worse than black, unless the two are so near that the one between them covers a part of each (the
# last pair); and the best that it could draw is one of the two. More training would not mend this, and nor would a code
# of four numbers $(x_1, y_1, x_2, y_2)$. Let the two circles change places, half a turn around each other: the
# *picture* ends as it began, and so must the code; but a code that follows each circle has swapped its halves.
# Somewhere on the way it has to jump. **A row of numbers has an order, and alike objects have none.** What is needed is
# a *set* of codes, one for each object, all read by the same decoder.
#
# ## 2. A softmax over broadcast decoders
#
# And nothing new is needed to draw from a set. Decode every code by the same broadcast decoder, and let it say, besides
# what the thing looks like, *where it is*: a logit for each pixel. A softmax over the codes makes masks of the logits
# that add up to 1 at every pixel, and the picture is the sum of mask times colour. In the open, with the decoder of
# notebook 04 in the role of the one that says where:

# %%
from sbd_utils import encode

thirds = torch.tensor([[20.0, 24.0], [31.0, 34.0], [37.0, 39.0]])  # the last two overlap
codes, _ = encode(vae, render_batch("ellipse", *thirds.T))  # [3, 10]
with torch.no_grad():
    discs = vae.decoder(codes)[:, 0]  # [3, 64, 64], 1 where a circle is
ground = torch.zeros(1, 64, 64)
logits = torch.cat([ground, 20 * (discs - 0.5)])  # [4, 64, 64]
colors = torch.tensor([[0.15, 0.15, 0.2], [0.9, 0.6, 0.0], [0.3, 0.7, 0.9], [0.8, 0.2, 0.1]])


def blend(logits, colors):
    """Masks [K, H, W] that sum to 1, and the picture [3, H, W] of colours [K, 3]."""
    masks = logits.softmax(0)
    return masks, (masks[:, None] * colors[:, :, None, None]).sum(0)


masks, picture = blend(logits, colors)
_, with_blue_ahead = blend(logits + torch.tensor([0, 0, 5.0, 0])[:, None, None], colors)
assert torch.allclose(masks.sum(0), torch.ones(64, 64), atol=1e-5)

figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 3.6))
plot_strip(above, masks[:, None], ["ground", "orange", "blue", "red"], title="masks")
plot_strip(below, torch.stack([picture, with_blue_ahead]), ["the blend", "blue's logits + 5"])
show(
    figure,
    "Four masks; where two circles overlap, a line divides between them what they have in common; with blue's logits "
    "raised, blue lies in front.",
)

# %% [markdown]
# Where two circles overlap both have nearly the same logit, and small differences decide: here a line halves what they
# have in common, and on it the colours mix. Add 5 to blue's logits, and blue lies in front: **the logits are the order
# of depth, too.** Whoever has the largest has the pixel. The ground is a code like any other. That one decoder draws
# all is the point: what it learned of a circle in one slot it knows in every other, and an object's number has no
# meaning.
#
# What shall such a model be trained by? The plain choice is the squared error of the blend. MONet (Burgess et al. 2019)
# and IODINE (Greff et al. 2019) take a **mixture** instead: a pixel *is* slot $k$'s with the probability $m_k$ that its
# mask says, and then Gaussian around what that slot paints. Its log-likelihood, less a constant, is
#
# $$\log \sum_k m_k \exp\big(-w\,\lVert x - \hat x_k\rVert^2\big), \qquad w = \frac{1}{2\sigma^2}.$$
#
# **Predict:** two slots share a pixel, half and half; one paints black, the other white. Which grey $x$ is the most
# likely one by the mixture, with $\sigma = 0.15$? And which has the least squared error from the blend?
#
# <details><summary>Answer</summary>
#
# Black and white, equally; the mean of the two is the *least* likely between them. The squared error of the blend is
# least there. The blend means a pixel that is half of each, the mixture one that is wholly one of them, and it is not
# known which.
#
# </details>

# %%
from sbd_utils import Layers, mixture

x = torch.linspace(-0.3, 1.3, 321)
half = Layers(torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1), torch.zeros(1, 2, 1, 1, 1))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharex=True)
for std, style in ((0.15, "-"), (0.25, "--"), (0.5, ":")):
    w = 1 / (2 * std**2)
    by_hand = (0.5 * (-w * x**2).exp() + 0.5 * (-w * (x - 1) ** 2).exp()).log()
    parts = mixture(x.view(-1, 1, 1, 1), half, w)  # [321, 2, 1, 1, 1], log m_k - w |x - x_k|²
    assert torch.allclose(parts.logsumexp(1).flatten(), by_hand, atol=1e-4)
    left.plot(x, -by_hand, style, color=BLUE, label=f"mixture, σ = {std}")
    right.plot(x, parts.softmax(1)[:, 1].flatten(), style, color=BLUE, label=f"σ = {std}")
left.plot(x, 10 * (x - 0.5) ** 2, color=ORANGE, label="10 · squared error of the blend")
left.set(xlabel="grey of the pixel", ylabel="loss", ylim=(-0.2, 6))
right.set(xlabel="grey of the pixel", ylabel="probability that it is white's")
left.legend(fontsize=9)
right.legend()
show(
    figure,
    "Loss of a shared pixel by its grey: the mixture's has two valleys, at black and white, unless sigma is large; the "
    "blend's has one, half-way. Right: whose the pixel is, a step that is steep for small sigma.",
)
print("least by the blend at", f"{x[((x - 0.5) ** 2).argmin()]:.1f};", end=" ")
w = 1 / (2 * 0.15**2)
loss = -mixture(x.view(-1, 1, 1, 1), half, w).logsumexp(1).flatten()
print(*(f"{loss[(x - at).abs().argmin()]:.1f} at {at}" for at in (0.0, 0.5, 1.0)), "by the mixture")
# %% [markdown]
# With a large σ the two valleys become one: such a mixture says little about whose a pixel is, and is kinder to train
# with. IODINE begins at that border here, MONet near it, and both grow stricter. On the right is what Bayes' rule makes
# of it, whose the pixel is once it has been *seen*; IODINE's network reads that.
#
# One thing neither loss minds: two slots that paint the *same* colour and share an object between them. The blend is
# right, and $\tfrac12 p + \tfrac12 p = p$. Only the KL divergence, which is paid for every slot that says something,
# argues for one slot. Keep that in mind for what follows.
#
# ## 3. Scenes, and a network that takes them apart
#
# Scenes of two to four sprites on black, any hue, with true occlusion; the stream also tells the truth, each sprite's
# mask and factors, which training never sees. Learning begins with *block means* of 4 × 4 pixels, as in notebook 03:
# there a scene is divided, at a sixteenth of the cost.

# %%
stream = SceneStream(seed=HELD_OUT)
scenes = stream.batch(0, 200)
print("a scene's factors:", *(f"{f.name} {f.low:g} to {f.high:g}," for f in stream.factors))


def enlarged(images, pool):
    """Every pixel of images [..., h, w] as a block of pool x pool."""
    return images.repeat_interleave(pool, -1).repeat_interleave(pool, -2)


few = scenes.images[:8]
figure, axes = plt.subplots(3, 1, figsize=(8, 3.6))
for ax, pool in zip(axes, (1, 2, 4), strict=True):
    means = torch.nn.functional.avg_pool2d(few, pool)
    plot_strip(
        ax, enlarged(means, pool), title=f"means over blocks of {pool} × {pool}" if pool > 1 else ""
    )
show(
    figure,
    "Eight scenes of two to four bright sprites on black, whole and as means over blocks of 2 and 4 pixels.",
)

# %% [markdown]
# How does one infer a *set*? **Slot attention** (Locatello et al. 2020) lets slots compete. Convolutions say what is at
# each of 64 places. Every slot asks a question (a *query*) of every place (its *key*), and the softmax of the answers
# goes **over the slots**, not over the places as in other attention: what one slot takes, others do not get. Each slot
# is renewed by the mean of what it took, three times over. Here, in plain numbers, is why that divides:


# %%
def compete(points, slots, over, steps=6):
    """Slots [K, 2] that move to the mean of the points [P, 2] they attend to; softmax over "slots" or "points"."""
    for _ in range(steps):
        answers = -8 * torch.cdist(slots, points).square()  # [K, P]: near is like
        attention = answers.softmax(0 if over == "slots" else 1)
        share = attention / attention.sum(1, keepdim=True)  # of each slot, over the points
        slots = share @ points
    return slots


generator = torch.Generator().manual_seed(0)
middles = torch.tensor([[-1.0, -0.6], [1.0, -0.6], [0.0, 1.0]])
points = (middles[:, None] + 0.18 * torch.randn(3, 25, 2, generator=generator)).flatten(0, 1)
starts = 0.3 * torch.randn(3, 2, generator=generator)
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.4), sharex=True, sharey=True)
for ax, over in zip(axes, ("points", "slots"), strict=True):
    ends = compete(points, starts, over)
    off = torch.cdist(middles, ends).min(1).values.max()
    print(
        f"softmax over {over}: the cluster that is worst off has a slot at a distance of {off:.1f}"
    )
    ax.plot(*points.T, ".", color="0.6")
    for k, marker in enumerate("os^"):
        path = torch.stack([starts[k], ends[k]])
        ax.plot(*path.T, "-", marker=marker, color=OKABE_ITO[k], markevery=[1], markersize=10)
    ax.set(
        title=f"softmax over {over}",
        xlabel="first feature",
        ylabel="second feature",
        aspect="equal",
    )
show(
    figure,
    "Three slots, three clusters of points: with softmax over the points two slots end in one cluster, with softmax over "
    "the slots each has its own.",
)

# %% [markdown]
# Over the points, every slot takes the mean of what is near *it*, and nothing keeps two from the same cluster, or a
# cluster from being nobody's. Over the slots, a point that one slot has taken pulls no other.
#
# In the library's `SlotAttentionVAE` the slot that comes out gives mean and log-variance of a Gaussian with eight
# latents, as in a VAE, and a code drawn from it goes to the broadcast decoder. The decoder draws the mask's logit
# alone; the slot's colour, one for the whole slot, is read off the code by a small network (**flat colour**: section 4
# says why). Training makes $w \cdot$ (squared error of the blend) $+\, \beta\,$KL small. This trains it from random
# weights; the bar says how long it still takes. On one thread of a machine without bfloat16 it is at most 90
# processor-seconds.

# %%
import copy

from sbd_utils import SCENE_RECIPES, train_scenes

recipe = SCENE_RECIPES["slots-live"]
widths = [recipe.fit["pool"](step / recipe.steps) for step in range(recipe.steps)]
coarse = widths.count(4)  # updates at blocks of 4 × 4, which come first
print(f"{coarse} updates at blocks of 4 × 4, {widths.count(2)} of 2 × 2")
colors = torch.tensor([plt.matplotlib.colors.to_rgb(color) for color in OKABE_ITO[:7]])


def whose(slots):
    """A picture [N, 3, h, w] of whose each pixel is, slot by slot in the course's colours."""
    masks = slots.layers.masks[:, :, 0]  # [N, K, h, w]
    return torch.einsum("nkhw,kc->nchw", masks, colors[: masks.shape[1]])


snapshots = {}


def watch(model, history):
    pool = int(history.pool[-1])
    seen = copy.deepcopy(model).cpu().eval()  # where training uses a GPU, the model is there
    with torch.no_grad():
        slots = seen(few, pool=pool)
    whole = enlarged(whose(slots), pool), enlarged(slots.layers.image, pool)
    snapshots[len(history.seconds)] = whole


# %% tags=["nbval-ignore-output"]
live, history = train_scenes("slots-live", seed=39, callback=watch, callback_every=125)
print(f"{history.processor_seconds[-1]:.0f} processor-seconds")

# %%
figure, axes = plt.subplots(len(snapshots) + 1, 1, figsize=(5.5, 0.8 * len(snapshots) + 1))
plot_strip(axes[0], few, title="")
axes[0].set_ylabel("scenes", rotation=0, ha="right", va="center")
for ax, made in zip(axes[1:], sorted(snapshots), strict=True):
    plot_strip(ax, snapshots[made][0])
    ax.set_ylabel(f"{made} updates", rotation=0, ha="right", va="center")
show(
    figure,
    "Whose each pixel is, a colour for each slot, as training goes on: at first all alike, then tiles, then sprites "
    "stand out, each in the colour of one slot, often two.",
)

# %% [markdown]
# First a haze in which no slot differs from another; then tiles; then the sprites stand out, and the ground is one
# slot's, or in some runs two slots' (section 9). Nobody said what an object is. Here is what each slot paints, on grey
# where it paints nothing, at the resolution with which training ended.


# %%
def plot_slots(ax, images, slots, pool=1):
    """Rows of scene, blend, whose each pixel is, and what each slot paints, on grey."""
    layers = slots.layers
    masks, pictures = layers.masks, layers.pictures.clamp(0, 1)  # [N, K, 1, h, w], [N, K, 3, h, w]
    painted = masks * pictures + (1 - masks) * 0.5
    beside = torch.cat(
        [layers.image[:, None], whose(slots)[:, None], painted], 1
    )  # [N, K + 2, ...]
    rows = torch.cat([images[:, None], enlarged(beside, pool)], 1)  # [N, K + 3, 3, H, W]
    columns, side = rows.shape[1], rows.shape[-1] + 2
    plot_picture(ax, image_grid(rows.flatten(0, 1).clamp(0, 1), columns))
    titles = ["scene", "blend", "whose", *(f"slot {k}" for k in range(columns - 3))]
    ax.set_xticks([side * (i + 0.5) for i in range(columns)], titles)
    ax.tick_params(length=0)


from sbd_utils.plotting import image_grid, plot_picture

with torch.no_grad():
    slots = live(few[:6], pool=2)
figure, ax = plt.subplots(figsize=(8, 6))
plot_slots(ax, few[:6], slots, pool=2)
show(
    figure,
    "Six scenes, their blends, whose each pixel is, and what each of five slots paints: the black ground, or a coloured "
    "blob; two or three slots often share one, and in the last two rows one slot paints two.",
)

# %% [markdown]
# Slots *share* sprites, two or even three of them one: the fault that section 2 foretold. Mostly they are slots to
# spare, and where a scene has four sprites it can leave too few, so that two sprites are merged in one slot (in the
# picture above as it was stored, the last row). To count what is right and what is not, we use scores for partitions.
# The **Rand index** asks of all pairs of pixels whether model and truth agree that the two belong together; *adjusted*
# for chance (**ARI**), random slots score 0 and the truth 1. The **foreground ARI** asks only of pixels that are an
# object's, as most papers report it. *Held* is the share of sprites that one slot holds, with an intersection over
# union above 0.5, and *surplus* how many slots paint sprites, less the number of sprites. A picture in blocks cannot be
# right at every edge: **beside each score stands its ceiling**, that of the true masks averaged over the same blocks.
# (The foreground ARI can pass it: the edge between two tiles need not follow a sprite's.)

# %% tags=["nbval-ignore-output"]
from sbd_utils import score_scenes

NAMES = {
    "foreground ARI": "foreground_ari",
    "ARI": "ari",
    "held": "held",
    "surplus": "surplus_slots",
}


def print_header():
    print(f"{'':34}", *(f"{name:>14}" for name in NAMES))


def line_of(what, scores):
    print(f"{what:34}", *(f"{scores[name]:14.2f}" for name in NAMES.values()))


scored = score_scenes(live, scenes, stream, pool=2)
print_header()
line_of("trained above, blocks of 2", scored.scores)
line_of("ceiling of blocks of 2", scored.ceiling)

# %%
from sbd_utils.scene_recipes import LIVE_MARKS

assert 0 <= scored.scores["held"] <= scored.ceiling["held"]
MARK = LIVE_MARKS["slots-live"]  # of the share held

# %% tags=["nbval-ignore-output"]
if scored.scores["held"] > MARK:
    print(f"Taken apart: more than {MARK:.0%} of the sprites have a slot that holds them.")
else:
    print("Not divided in this time, as it happens (section 9). Try another seed above.")

# %% [markdown]
# Does it always come apart? Of ten fresh seeds all ten did on one processor, eight of the same ten on another, and nine
# on a third (section 9). Training takes the same numbers in the same order; but another processor, or another number of
# threads, rounds otherwise, and that makes another run of it. The seed above is one that came apart on all three, in
# one thread.
#
# Is that good? It needs something to be beaten. **k-means** groups the pixels of one image by colour and position: no
# training, no network. And it should meet a network that was trained for long: from here on it is one that had twenty
# times as many updates, two thirds of them on whole images (`slots-long`; of three seeds the median by ARI, and the one
# that holds fewest sprites).
#
# **Predict:** against k-means with five clusters, on 200 scenes: who has the better foreground ARI, where the sprites
# have hues far apart? Where they are free, so that two may be alike by chance? And where all have *one* hue?
#
# <details><summary>Answer</summary>
#
# k-means, in the first two. With one hue it falls to nearly nothing, and the network stays what it was. The network has
# learned what a sprite looks like; k-means knows colours.
#
# </details>

# %%
from sbd_utils import kmeans_masks, random_masks, score_segmentation, take_apart, voronoi_masks

HUES = ("distinct", "free", "shared")
model, longer = load_pretrained("slots_scenes"), SCENE_RECIPES["slots-long"]
whole = sum(longer.fit["pool"](step / longer.steps) == 1 for step in range(longer.steps))
print(f"slot attention after {longer.steps:,} updates, {whole:,} of them on whole images")
shape = (200, 5, 32, 32)
print_header()
compared = {}
for hues in HUES:
    world = SceneStream(seed=HELD_OUT, hues=hues).batch(0, 200)
    found = {"slot attention": take_apart(model, world.images).masks}
    found["k-means, 5 clusters"] = kmeans_masks(world.images.numpy(), 5)
    if hues == "free":
        found |= {"Voronoi tiles": voronoi_masks(shape), "random pixels": random_masks(shape)}
    for name, masks in found.items():
        scores = score_segmentation(world.masks, masks).means()
        compared[hues, name] = scores
        line_of(f"{hues} hues: {name}", scores)

# %%
for hues in HUES:
    ours, clustered = (compared[hues, name] for name in ("slot attention", "k-means, 5 clusters"))
    ahead = clustered["foreground_ari"] - ours["foreground_ari"]
    assert (ahead > 0.05) if hues != "shared" else (ahead < -0.5)
    assert ours["ari"] > 0.8 > 0.7 > clustered["ari"]  # the ground
    assert ours["held"] > 0.8

# %% [markdown]
# So where hues are far apart clustering beats this network in its own discipline, and where they are free it still has
# the better foreground ARI and holds more: it shares no sprite, and its edges are clean. It must fail where there is
# one hue, and it does. It has no idea of the ground, either: spare clusters cut it up, which only the ARI of all pixels
# tells. And it gives no code that one could read or change. (The network was trained on free hues alone.)
#
# ## 4. What a slot can paint, and what a score can see
#
# The published models let the broadcast decoder paint each slot's picture, RGB for every pixel, and not one flat
# colour. That is the more powerful model. Change this one thing, nothing else in the recipe, and train ten seeds
# (others, on the processor where eight of ten divided). Here are two of the ten, from their committed weights: the
# first, and the one that found most objects.
#
# **Predict:** with flat colour ten seeds of ten took scenes apart, on two other processors eight and nine. With RGB,
# will it be more of them, or fewer? And what will a slot be, where it is not an object?
#
# <details><summary>Answer</summary>
#
# Fewer: three of ten. Black costs a slot nothing to paint anywhere, so nobody needs a slot for the ground, and a *tile*
# of the plane, with whatever is in it, is as good a slot as a sprite is. Which of the two a run finds is luck.
#
# </details>

# %%
painters = {f"RGB, seed {seed}": load_pretrained(f"slots_rgb_{seed}") for seed in (10, 14)}
print_header()
apart = {}
for name, painter in painters.items():
    apart[name] = score_scenes(painter, scenes, stream, pool=2).scores
    line_of(name, apart[name])
line_of("ceiling of blocks of 2", scored.ceiling)
figure, axes = plt.subplots(2, 1, figsize=(8, 6.2))
for ax, (name, painter) in zip(axes, painters.items(), strict=True):
    with torch.no_grad():
        plot_slots(ax, few[:3], painter(few[:3], pool=2), pool=2)
    ax.set_title(name)
show(
    figure,
    "Two networks that paint RGB. Above, each slot is a tile of the plane with the sprites that lie in it. Below, one "
    "slot is the ground, and the others are sprites.",
)
tiles, objects = apart.values()
assert tiles["held"] < 0.3 < 0.6 < objects["held"]
assert tiles["foreground_ari"] > objects["foreground_ari"] - 0.1

# %% [markdown]
# The second found objects, the first hardly any: its five slots are five windows. Now look at the foreground ARI, the
# score that most papers report. Where tiles part the sprites, it sees nothing wrong: no pixel of the ground is asked.
# Here is every seed of both, by that score and by two others.

# %%
from sbd_utils import SceneRow, read_rows
from sbd_utils.evidence import EVIDENCE

every_run = read_rows(EVIDENCE / "scenes.csv", SceneRow)
painted = {"flat colour": "slots-live", "RGB": "slots-live-rgb"}
painted = {name: [r for r in every_run if r.recipe == recipe] for name, recipe in painted.items()}
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharex=True)
for ax, (title, name) in zip(axes, list(NAMES.items())[:2], strict=True):
    for (kind, theirs), marker, color in zip(painted.items(), "os", (BLUE, ORANGE), strict=True):
        over = [row.held for row in theirs]
        ax.plot(over, [getattr(row, name) for row in theirs], marker, color=color, label=kind)
    ax.axvline(MARK, color="black", linewidth=0.8, linestyle=":")
    ax.set(xlabel="share of sprites held", ylabel=title, xlim=(0, 1), ylim=(0, 1))
axes[0].legend()
show(
    figure,
    "Foreground ARI and ARI over the share of sprites that a slot holds, ten seeds each of flat colour and of RGB. The "
    "foreground ARI is no lower where sprites are not held; the ARI of all pixels is.",
)
for kind, theirs in painted.items():
    done = [row for row in theirs if row.held > MARK]
    print(f"{kind:>11}: {len(done)} of {len(theirs)} seeds take scenes apart;", end=" ")
    print("held", *(f"{row.held:.2f}" for row in theirs))
tiled = [row for row in painted["RGB"] if row.held < MARK]
assert (len(tiled), len(painted["RGB"])) == (7, 10)
assert max(row.ari for row in tiled) < 0.25
best = max(r.foreground_ari for theirs in painted.values() for r in theirs if r.held > MARK)
assert sum(row.foreground_ari > best for row in tiled) == 4

# %% [markdown]
# **The answer.** Eight to ten of ten with flat colour, three of ten with RGB. In the other seven a slot is a tile, and
# *the foreground ARI puts four of these first*: tiles reach 0.85, RGB's objects 0.74, flat colour's 0.51, whose spare
# slots share a sprite. The ARI of all pixels and the share held tell the truth. A score that is asked of a part of the
# picture says nothing of the rest.
#
# **For a slot to become an object, something larger than an object must be hard to paint.** One flat colour sees to
# that; it is a statement about our world, in which things have one colour each. It is not the better painter: where RGB
# does find objects it holds as many sprites, and shares fewer. It is the surer one in a minute of training, by a recipe
# that was chosen with flat colour; RGB had no search of its own. Textured things have no flat colour, and a ground with
# a pattern would be cut into as many slots as it has colours; on grounds that are not black, and trained for longer
# with a stricter likelihood, RGB is what the published models use, and they do find objects.
#
# ## 5. Each slot's code, read as in notebook 04
#
# Eight numbers a slot. Take 300 scenes, and of each sprite that a slot holds, that slot's code; then ask, as in
# notebook 04, what a linear map reads from it. This takes labels; the training took none.

# %%
from sbd_utils.analysis import factor_r2
from sbd_utils.scene_scoring import codes_of_objects

many = stream.batch(1, 300)
codes, factors = codes_of_objects(take_apart(model, many.images), many)  # [M, 8], [M, 5]
codes = torch.from_numpy(codes).float()
told = factor_r2(codes, factors, stream.factors)
print(
    f"{len(codes)} codes of {many.present.sum()} sprites. R², held out, linear in all eight latents:"
)
print(*(f"{name} {max(value, 0):.2f}" for name, value in told.items()), sep=", ")
assert min(told["x"], told["y"]) > 0.98
assert told["hue"] > 0.95
assert 0.4 < told["size"] < 0.8
assert told["shape"] < 0.1

# %% [markdown]
# Where and which hue, yes; how large, in part; which shape, no (not linearly). So the grid of notebook 04 should be
# there for *one object of a scene*: let a green circle walk along straight lines, while three other sprites stand
# still. (Green turns back at x = 18, where it hides a little of magenta. Nearer, there are scenes in which no slot
# holds the one or the other: try 20.)
#
# **Predict:** how far does the code of the magenta circle move, which stands still: as far as green's, a quarter as
# far, less than a tenth?
#
# <details><summary>Answer</summary>
#
# Less than a tenth, in the spread of the place that is read off it. Not nothing: every slot sees the whole scene.
#
# </details>

# %%
from sbd_utils import generate_spaced_coordinates, holding_slots
from sbd_utils.data.scenes import Layout

ones = torch.ones(len(codes), 1)
to_place = torch.linalg.lstsq(torch.cat([codes, ones], 1), factors[:, :2]).solution  # [9, 2]
xx, yy, labels = generate_spaced_coordinates(4, 18, 16, 4)  # [128] each
same = np.ones(128)
walker = torch.tensor(np.stack([xx, yy, 11.5 * same, 0 * same, 120 * same], 1)).float()
standing = [[26, 10, 11.5, 0, 300], [26, 26, 11.5, 1, 210], [10, 26, 11.5, 2, 30]]
standing = torch.tensor(standing).float().expand(128, 3, 5)  # x, y, size, shape, hue
there = torch.ones(128, 4, dtype=torch.bool)
everything = torch.cat([standing, walker[:, None]], 1)  # the one that walks is in front
walk = stream.render(Layout(everything, there, torch.zeros(128, 3)))
found = take_apart(model, walk.images)
holder = holding_slots(walk.masks, found.masks)  # [128, 4] slots, -1 where none
read = {}
for name, thing in (("stands", 0), ("moves", 3)):
    known = holder[:, thing] >= 0
    theirs = torch.from_numpy(found.codes[known, holder[known, thing]]).float()
    read[name] = known, torch.cat([theirs, torch.ones(len(theirs), 1)], 1) @ to_place

# %%
from sbd_utils import fit_geometry, plot_coordinate_grid

known, places_read = read["moves"]
geometry = fit_geometry(np.stack([xx, yy], 1)[known], places_read.numpy())
spread = {name: values.std(0).norm().item() for name, (_, values) in read.items()}
print(f"a slot holds the one that moves in {known.mean():.0%} of 128 scenes,", end=" ")
print(f"the one that stands in {read['stands'][0].mean():.0%}")
print(f"affine R² of the places that are read: {geometry.affine_r2:.2f}")
print(
    f"spread of magenta, which stands, in per cent of green's: {100 * spread['stands'] / spread['moves']:.0f}"
)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6))
plot_strip(left, walk.images[[0, 40, 127]], title="green moves")
axis_names = ("x, read off the code", "y, read off the code")
shown = np.full((128, 2), np.nan)  # where no slot holds it, the lines break
shown[known] = places_read.numpy()
plot_coordinate_grid(right, *shown.T, labels, "what the slots' codes say", axis_names)
right.plot(*read["stands"][1].T, "x", color="0.3", markersize=4)
right.set(xlim=(0, 32), ylim=(32, 0), aspect="equal", adjustable="box")
show(
    figure,
    "Three scenes of four sprites, of which the green one moves; the places read off its codes form a straight grid, "
    "those of the magenta one, which stands still, a small cloud.",
)
assert geometry.affine_r2 > 0.95
assert spread["stands"] < 0.1 * spread["moves"]

# %% [markdown]
# A straight grid, of one object among others, by the same two lines of algebra as in notebook 04: the decoder of each
# slot has coordinate channels, and so the place of *its* sprite is straight in *its* code.
#
# ## 6. Take a slot in hand
#
# What can be read can be written. Regress the codes on x, y and on the cosine and sine of the hue: each factor gets a
# direction in code space, in latents per pixel or per unit of the cosine. To move a sprite, add that to its slot's
# code, and decode all slots again. To take it out, leave its slot out of the softmax: what was hidden behind it, and
# the ground, come forth by themselves.

# %%
angle = torch.deg2rad(factors[:, 4])
said = torch.stack(
    [factors[:, 0], factors[:, 1], angle.cos(), angle.sin(), torch.ones(len(angle))], 1
)
directions = torch.linalg.lstsq(said, codes).solution  # [5, 8]
left_over = (codes - said @ directions).square().sum() / (codes - codes.mean(0)).square().sum()
print(f"place and hue explain {1 - left_over:.0%} of the variance of the codes")

scene = SceneStream(seed=HELD_OUT, objects=4).batch(2, 20)  # and no slot is spare
with torch.no_grad():
    slots = model(scene.images)
hands = holding_slots(scene.masks, slots.layers.masks[:, :, 0])  # [20, 4] which slot holds which
gaps = torch.stack([torch.pdist(places).min() for places in scene.factors[..., :2]])  # [20] pixels
free = (hands >= 0).all(1) & (gaps > 10).numpy()
number = int(np.flatnonzero(free)[0])  # the first scene of which all are held, and none are near
mean, taken = slots.mean[number], int(hands[number, 0])  # [5, 8], and the slot in hand
hue = torch.deg2rad(scene.factors[number, 0, 4])
assert left_over < 0.1

# %%
steps = torch.linspace(-8, 8, 9)
moved, turned = mean.repeat(9, 1, 1), mean.repeat(9, 1, 1)  # [9, 5, 8]
moved[:, taken] += steps[:, None] * directions[0]  # pixels to the right
hues = hue + torch.linspace(0, 2 * torch.pi, 9)
change = torch.stack([hues.cos() - hue.cos(), hues.sin() - hue.sin()], 1)  # [9, 2]
turned[:, taken] += change @ directions[2:4]
others = [k for k in range(5) if k != taken]
with torch.no_grad():
    rows = [model.decoder(edited).image for edited in (moved, turned)]
    without = model.decoder(mean[None, others]).image
figure, axes = plt.subplots(3, 1, figsize=(8, 3.6))
pictures = torch.cat([scene.images[number][None], slots.layers.image[number][None], without])
plot_strip(axes[0], pictures, ["scene", "blend", "a slot left out"])
plot_strip(
    axes[1],
    rows[0],
    [f"{step:+.0f}" for step in steps],
    title="moved to the right by so many pixels",
)
plot_strip(
    axes[2], rows[1], [f"{45 * i}°" for i in range(9)], title="hue turned by so many degrees"
)
show(
    figure,
    "A scene, its blend, and the blend without one sprite; that sprite moves from left to right, and goes through all "
    "hues, its outline changing with them, while the others stay as they are.",
)

# %% [markdown]
# Nothing was trained for this: the directions are a regression of a few hundred codes. The others do not move, for
# their codes were not touched. But look at the outline: as the hue turns, a dome becomes a triangle and a rounded
# square, though the sprite's shape is not in the code, and nobody turned it. What outline this network draws goes with
# the hue: in *its* slots the two are entangled. Where the sprite comes over another, the softmax decides which is in
# front.
#
# A set has no fixed size, and neither has the softmax. What does the network do with other numbers of slots than the
# five it was trained with, and with one object more than it ever saw? (A sixth slot begins at a point drawn from the
# spread of the five learned starts.)

# %%
print_header()
sizes = {}
for objects in (4, 5):
    crowd = SceneStream(seed=HELD_OUT, objects=objects).batch(0, 100)
    for count in (3, 5, 6, 7):
        masks = take_apart(model, crowd.images, slots=count).masks
        sizes[objects, count] = score_segmentation(crowd.masks, masks).means()
        line_of(f"{objects} objects, {count} slots", sizes[objects, count])

# %%
five_of_five, seven_of_five = sizes[5, 5], sizes[5, 7]
assert sizes[4, 3]["held"] < 0.4 < 0.7 < sizes[4, 5]["held"]
assert seven_of_five["foreground_ari"] > five_of_five["foreground_ari"]

# %% [markdown]
# With three slots it breaks down, for the starts are learned, each has its part, and three are not enough for a ground
# and four sprites. Five objects, which it never saw, it takes apart less well than four, and a sixth slot mends a part
# of that. It is one network, of one seed.
#
# ### By your own hand
#
# Choose an object (a click, or Tab and the arrow keys), drag it, turn its hue, take it out: the network draws the scene
# anew from its slots' codes, and only one code has changed. Where two slots share a sprite, one of the two is left out
# at first, so that what you move leaves nothing behind. (The cell must have been run.)

# %%
from IPython.display import display

from sbd_utils import SceneExplorer

explorer = SceneExplorer(model)
display(explorer)

# %% [markdown]
# For those who read this as a page, the same hand at work, by the widget's own core: an object is dragged to two
# places, turned to another hue, and taken out.

# %%
from sbd_utils import SceneInHand, plot_edits

hand = SceneInHand(model)
slot = hand.objects[0]
figure = plot_edits(
    hand,
    [
        {"type": "place", "slot": slot, "x": 8.0, "y": 8.0},
        {"type": "place", "slot": slot, "x": 22.0, "y": 22.0},
        {"type": "hue", "slot": slot, "degrees": 60.0},
        {"type": "show", "slot": slot, "value": False},
    ],
)
show(
    figure,
    "A scene, its drawing from slots, and four edits of one object: dragged to two places, given another hue, taken out.",
)

# %% [markdown]
# ## 7. IODINE: no encoder at all
#
# There is an older way from a scene to slots, and it is the purest use of the broadcast decoder. **IODINE** (Greff et
# al. 2019) has no encoder. It *guesses* a code for every slot, the same guesses for every scene, decodes, and looks at
# what is wrong: the gradient of the loss by the codes, and for each pixel the error, the mask, and whose it is by
# Bayes' rule (section 2). A small network, the same for all slots, reads that and says how to change each code. Decode
# again, and look again. Whoever can draw can see, if only he is told how wrong his drawing is. These are committed
# weights, at blocks of 4 × 4, trained for ten times as long as what you could watch in a minute (`iodine-long`; of
# three seeds the median by ARI). They were trained with three such refinements, and here are five.

# %%
iodine = load_pretrained("iodine_scenes")
steps = iodine.refine(few[:6], refinements=5, pool=4)
blends = torch.cat([few[:6], *(enlarged(step.layers.image, 4) for step in steps)])
owners = torch.cat([few[:6], *(enlarged(whose(step), 4) for step in steps)])
figure, axes = plt.subplots(1, 2, figsize=(9, 5.2))
for ax, pictures, title in zip(
    axes, (blends, owners), ("blend", "whose each pixel is"), strict=True
):
    plot_picture(ax, image_grid(pictures.clamp(0, 1), 6), title)
heights = [34 * (i + 0.5) for i in range(7)]
axes[0].set_yticks(heights, ["scene", *(f"after {count}" for count in range(6))])
axes[0].tick_params(length=0)
show(
    figure,
    "Six scenes and IODINE's blends after 0 to 5 refinements: the first guess is the same for all; then coloured blobs "
    "come forth where the sprites are, and slots part.",
)

# %%
print_header()
after = {}
for count in (0, 1, 2, 3, 5):
    result = score_scenes(iodine, scenes, stream, pool=4, refinements=count)
    after[count] = result.scores
    line_of(f"{count} refinements", result.scores)
line_of("ceiling of blocks of 4", result.ceiling)
assert after[0]["held"] < 0.1
assert after[3]["held"] > after[1]["held"]

# %% [markdown]
# Before the first refinement nothing is held. Each refinement mends what the last left wrong: the first does most, and
# after three there is little left that it could mend. One network of one seed; but all three of its recipe hold 0.77 or
# more, and leave the ground to one slot. After a tenth of the updates (`iodine-blocks`, section 9) it is 0.58 to 0.71,
# and in three runs of ten two slots have the ground.
#
# ## 8. MONet: one cut after the other
#
# This way of drawing began with **MONet** (Burgess et al. 2019), which *cuts* a scene apart. A network looks at the
# image and at what is left of it, at first everything, and says of every pixel which share $a_k$ to cut out now. The
# rest is left for the next cut. After four cuts, what is left is the fifth mask:
#
# $$\log m_k = \log s_k + \log a_k, \qquad \log s_{k+1} = \log s_k + \log (1 - a_k), \qquad s_1 = 1, \quad m_5 = s_5.$$
#
# Then a VAE, the same for all, sees image and mask, and must draw both from eight numbers: what is under the mask, by
# the mixture of section 2, and the mask itself, at a price $\gamma\,$KL(masks that are cut ‖ masks that are drawn). So
# a cut is good if a broadcast decoder can draw it. These are committed weights, trained where the hues of a scene are
# far apart, at blocks of 4 × 4 and then of 2 × 2.
#
# **Before you look:** as which of the five will the ground come? And in which order will the sprites: by hue, the
# largest first, from front to back, or by place?

# %%
monet, plan = load_pretrained("monet_scenes"), SCENE_RECIPES["monet"]
updates, batch = plan.steps, plan.fit["batch_size"]
print(f"trained for {updates:,} updates of {batch} scenes: {updates * batch:,} images")
worlds = {hues: SceneStream(seed=HELD_OUT, hues=hues).batch(0, 200) for hues in HUES}
six = worlds["distinct"].images[:6]
means = torch.nn.functional.avg_pool2d(six, 2)

log_sigmoid = torch.nn.functional.logsigmoid
left, cuts = torch.zeros_like(means[:, :1]), []  # log s, and every log m: [6, 1, 16, 16] each
with torch.no_grad():
    for _ in range(4):
        odds = monet.knife(torch.cat([means, left.clamp(min=-12)], 1))  # log a - log (1 - a)
        cuts.append(left + log_sigmoid(odds))
        left = left + log_sigmoid(-odds)
    library = monet(six, pool=2)
by_hand = torch.stack([*cuts, left], 1)  # [6, 5, 1, 16, 16]
assert torch.allclose(by_hand, library.layers.log_masks, atol=1e-4)

white = by_hand.exp().expand(-1, -1, 3, -1, -1)
pictures = torch.cat([means[:, None], white, library.layers.image[:, None]], 1)
figure, ax = plt.subplots(figsize=(8, 6.6))
plot_picture(ax, image_grid(pictures.flatten(0, 1).clamp(0, 1), 7))
names = ["scene", *(f"cut {k}" for k in (1, 2, 3, 4)), "left", "blend"]
ax.set_xticks([18 * (i + 0.5) for i in range(7)], names)
ax.tick_params(length=0)
show(
    figure,
    "Six scenes, four cuts of each in white, what is left, and the blend: each cut is one sprite, mostly the uppermost "
    "that is left; cuts that are to spare take specks along edges; the ground is left.",
)

# %% [markdown]
# Each cut is a sprite, mostly the uppermost that is left; cuts that are to spare take specks along edges; the ground is
# what remains. But does it cut by hue? In its training no two sprites of a scene had alike hues, and k-means lived by
# that.
#
# **Before you look:** the same 200 layouts, painted in hues far apart, in free hues, and all in *one* hue: by how much
# does the share of sprites that MONet holds fall?


# %%
def cut_apart(world, pool=2):
    """Masks that MONet cuts [N, 5, 32, 32], and their scores."""
    masks = take_apart(monet, world.images, pool=pool).masks
    return masks, score_segmentation(world.masks, masks).means()


print_header()
cut = {}
for hues, world in worlds.items():
    cut[hues], compared[hues, "MONet"] = cut_apart(world)
    for name in ("MONet", "slot attention", "k-means, 5 clusters"):
        line_of(f"{hues} hues: {name}", compared[hues, name])
line_of("free hues: IODINE", after[3])
line_of("ceiling of blocks of 2", scored.ceiling)
fifty = SceneStream(seed=HELD_OUT, hues="distinct").batch(1, 50)
on_grey = SceneStream(seed=HELD_OUT, hues="distinct", ground="grey").batch(1, 50)
strange = {"whole images": cut_apart(fifty, pool=1)[1], "grey grounds": cut_apart(on_grey)[1]}
for name, scores in strange.items():
    line_of(f"MONet, {name}", scores)
for hues in HUES:
    ours, slotted, clustered = (
        compared[hues, name] for name in ("MONet", "slot attention", "k-means, 5 clusters")
    )
    assert ours["held"] > max(0.9, slotted["held"] + 0.05)
    assert ours["ari"] > clustered["ari"] + 0.1
    ahead = clustered["foreground_ari"] - ours["foreground_ari"]
    assert (ahead > 0.05) if hues != "shared" else (ahead < -0.6)
assert after[3]["held"] < compared["free", "MONet"]["held"] - 0.1
assert max(scores["held"] for scores in strange.values()) < 0.3

# %% [markdown]
# By two hundredths at most. More sprites are held than by slot attention or IODINE, the ARI is close to what blocks of
# 2 allow (slot attention's, of whole images, is as high), and all three worlds are alike. k-means keeps the better
# foreground ARI where hues differ, for it works on whole pixels, where blocks of 2 allow 0.83; it cuts up the ground,
# and has nothing where there is one hue. And MONet does what it was trained for, no more: asked for whole images, or on
# grey grounds, it holds hardly anything.
#
# By what does it divide, if not by hue? First we count. Then a control that could have failed: two circles, of *equal*
# hues or of opposite ones, at distances from mostly hidden to well apart. k-means is told that there are three things.

# %%
holder = {hues: holding_slots(worlds[hues].masks, cut[hues]) for hues in HUES}  # [200, 4] each
slot_of, true = holder["distinct"], worlds["distinct"]


def pairs_in_order(slot_of):
    """Scenes, and which of two sprites in them is cut out earlier, and which later."""
    return np.nonzero((slot_of[:, :, None] >= 0) & (slot_of[:, :, None] < slot_of[:, None]))


is_ground = true.masks[:, 0].numpy() > 0.99
kept_back = (cut["distinct"].argmax(1)[is_ground] == 4).mean()
print(f"of the ground's pixels {kept_back:.0%} are left to the end")
row, early, late = pairs_in_order(slot_of)
one, other = true.factors[row, early].T, true.factors[row, late].T  # x, y, size, shape, hue
order = {
    "higher up": one[1] < other[1],
    "farther left": one[0] < other[0],
    "larger": one[2] > other[2],
    "in front": torch.from_numpy(early > late),
    "of the smaller angle of hue": one[4] < other[4],
}
print(f"of {len(row)} pairs, the sprite that is cut first is")
for what, holds in order.items():
    print(f"    {what:28} in {holds.float().mean():.0%}")
known = (slot_of >= 0) & (holder["shared"] >= 0)
same = (slot_of == holder["shared"])[known].mean()
print(f"painted in one hue, {same:.0%} of the sprites are cut out as the same number")
higher, *rest = (holds.float().mean() for holds in order.values())
assert higher > 0.9 > 0.6 > max(rest)
assert min(rest) > 0.4
assert min(same, kept_back) > 0.9

# %% [markdown]
# From the top down: an order that nobody asked for. Is it this run's whim? Two more seeds were trained by the same
# recipe. Each could have found an order of its own, from below, from the side, or none. And one run, of the first seed,
# was given 25 times as long (`monet_long`).
#
# **Before you look:** four networks, of which you know one. From which side will the others cut?

# %%
cut_first = {}
for name in ("monet_scenes", "monet_scenes_1", "monet_scenes_2", "monet_long"):
    masks = take_apart(load_pretrained(name), true.images, pool=2).masks
    scores = score_segmentation(true.masks, masks).means()
    row, early, late = pairs_in_order(holding_slots(true.masks, masks))
    above, left_of = (true.factors[row, early, i] < true.factors[row, late, i] for i in (1, 0))
    print(f"{name:15} held {scores['held']:.2f}, ARI {scores['ari']:.2f}; cut first: the", end=" ")
    print(f"higher in {above.float().mean():.0%}, the farther left in {left_of.float().mean():.0%}")
    cut_first[name] = above.float().mean(), left_of.float().mean()

# %%
for name, (above, left_of) in cut_first.items():
    decides, does_not = (left_of, above) if name == "monet_long" else (above, left_of)
    assert decides > 0.8 > 0.7 > does_not > 0.3

# %%
DISTANCES = (3, 5, 7, 10, 14)  # pixels between the centres


def circles(distance, degrees, count=40):
    """Scenes of two circles of diameter 10 in random directions, hues so many degrees apart."""
    turn, hue, x, y = torch.rand(4, count, generator=torch.Generator().manual_seed(0))
    centers = 12 + 8 * torch.stack([x, y])  # [2, N]
    step = distance / 2 * torch.stack([(2 * np.pi * turn).cos(), (2 * np.pi * turn).sin()])
    like = torch.stack([10 + 0 * hue, 0 * hue, 360 * hue])  # size, shape, hue
    turned = like + torch.tensor([[0], [0], [degrees]])
    both = torch.stack([torch.cat([centers - step, like]), torch.cat([centers + step, turned])])
    there, ground = torch.ones(count, 2, dtype=torch.bool), torch.zeros(count, 3)
    return stream.render(Layout(both.permute(2, 0, 1), there, ground))  # factors [N, 2, 5]


panels = [["equal", "opposite"], ["MONet", "k-means"]]
figure, axes = plt.subplot_mosaic(panels, figsize=(9, 5), height_ratios=(1, 2))
held = {}
for kind, degrees, style, color in (("equal", 0, "o-", ORANGE), ("opposite", 180, "s--", BLUE)):
    tried = [circles(distance, degrees) for distance in DISTANCES]
    examples = torch.stack([world.images[0] for world in tried])
    plot_strip(axes[kind], examples, DISTANCES, f"{kind} hues")
    clusters = [(world.masks, kmeans_masks(world.images.numpy(), 3)) for world in tried]
    held["MONet", kind] = [cut_apart(world)[1]["held"] for world in tried]
    held["k-means", kind] = [score_segmentation(*pair).means()["held"] for pair in clusters]
    for who in ("MONet", "k-means"):
        told = zip(held[who, kind], DISTANCES, strict=True)
        print(f"{who}, {kind} hues:", ", ".join(f"{share:.2f} at {apart}" for share, apart in told))
        axes[who].plot(DISTANCES, held[who, kind], style, color=color, label=kind)
        axes[who].set(xlabel="distance (pixels)", ylabel=f"held by {who}", ylim=(0, 1.05))
axes["MONet"].legend(title="hues", loc="lower right")
show(
    figure,
    "Two circles at five distances, in equal and in opposite hues. MONet's two curves lie together: half is held where "
    "one circle hides most of the other, all where they touch. Those of k-means lie apart: all is held if hues are "
    "opposite, half or less if they are equal.",
)
assert np.abs(np.subtract(held["MONet", "equal"], held["MONet", "opposite"])).max() < 0.15
assert held["MONet", "opposite"][0] < 0.65 < 0.95 < held["MONet", "equal"][3]
assert max(held["k-means", "equal"]) < 0.6 < 0.95 < min(held["k-means", "opposite"])

# %% [markdown]
# **MONet divides by place here, not by colour.** Three runs of its recipe cut from the top down, and the one that was
# trained for longer from the left: an order in the plane is what every one of the four came to, and which one is a
# run's own. Why they come to one we do not know. Two circles that touch, at a distance of 10, it parts as well in equal
# hues as in opposite ones. Two of which one hides most of the other it does not part even in opposite hues, where
# k-means always does (one slot has both, and counts for the front one). What it cuts out is what the broadcast decoder
# can draw: one blob of about a sprite's size. That is our reading; no cell here tests it.
#
# What was changed against the paper, to have it in five minutes of one core: one flat colour for a slot in place of
# RGB, means over blocks, a small network that cuts, a black ground, and distinct hues. It has seen 32,000 images. With
# 800,000 (half an hour of a processor) it holds, of the 500 scenes of the tables, 0.97 of the sprites in place of 0.94,
# and the ARI is 0.84 as before, close to what blocks of 2 allow (`scenes_long.csv`). The
# [code](https://github.com/dfdazac/monet) by the author of our blog post draws RGB and trains for 60,000 updates of 64,
# 3.8 million images; four hours of a graphics card, says its page. Whether training needs distinct hues was not tried,
# nor was RGB. The circles were shown to the first seed alone.
#
# ## 9. Every seed
#
# One run is an anecdote. The table `scenes.csv` has every seed of each recipe, on 500 scenes that training does not
# use, the ones above among them. (Longer runs of one seed are in `scenes_long.csv`, the same seeds on other processors
# in `scenes_again.csv` and `scenes_third.csv`, those by which a recipe was chosen in `scenes_search.csv`.)

# %% tags=["nbval-ignore-output"]
groups = {}
for row in every_run:
    world = row.dataset.removeprefix("scenes").removeprefix("-")
    groups.setdefault(f"{row.recipe}, {world}" if world else row.recipe, []).append(row)
figure, axes = plt.subplots(1, 3, figsize=(10, 0.4 * len(groups) + 1), sharey=True)
for ax, (title, name) in zip(axes, list(NAMES.items())[:3], strict=True):
    for at, theirs in enumerate(groups.values()):
        ax.plot(
            [getattr(row, name) for row in theirs], [at] * len(theirs), "o", color=BLUE, alpha=0.6
        )
        ax.plot(getattr(theirs[0], f"{name}_ceiling"), at, "|", color="black", markersize=14)
    ax.set(xlabel=title, xlim=(-0.05, 1.05))
axes[0].set_yticks(range(len(groups)), list(groups))
axes[0].invert_yaxis()
show(
    figure,
    "Foreground ARI, ARI and share of sprites held, a dot for each seed of each recipe and control, with the ceiling of "
    "its resolution as a bar; the last are of scenes whose hues are distinct.",
)
for kind, theirs in groups.items():
    spans = []
    for name in ("foreground_ari", "ari", "held"):
        values = sorted(getattr(row, name) for row in theirs)
        spans.append(f"{values[0]:.2f} to {values[-1]:.2f}")
    print(
        f"{kind:25} {len(theirs):2} seeds: foreground ARI {spans[0]}, ARI {spans[1]}, held {spans[2]}"
    )
live_rows = [row for row in every_run if row.recipe == "slots-live"]
again_rows, third_rows = (  # on two other processors
    read_rows(EVIDENCE / f"scenes_{name}.csv", SceneRow) for name in ("again", "third")
)
print("ARI of slots-live, by seed:", *(f"{row.ari:.2f}" for row in live_rows))

# %%
whole_rows = [row for row in every_run if row.recipe == "slots"]
iodine_rows = [row for row in every_run if row.recipe == "iodine-blocks"]
divided = [row for row in live_rows if row.held > MARK]
shared = [row for row in divided if row.ari < 0.5]
print(f"slots-live: {len(divided)} of {len(live_rows)} seeds divide scenes;", end=" ")
print(f"in {len(shared)} of these two slots share the ground")
for where, theirs, failed in (
    ("one processor", live_rows, []),
    ("another", again_rows, [30, 38]),
    ("a third", third_rows, [31]),
):
    print(f"slots-live on {where}: held", *(f"{row.held:.2f}" for row in theirs))
    assert [row.seed for row in theirs] == list(range(30, 40))
    assert [row.seed for row in theirs if row.held <= MARK] == failed
print(
    f"iodine-blocks: {sum(r.held > LIVE_MARKS['iodine-blocks'] for r in iodine_rows)} of", end=" "
)
print(f"{len(iodine_rows)} divide; the ground is shared in {sum(r.ari < 0.5 for r in iodine_rows)}")
assert len(divided) == len(live_rows)
assert min(row.ari for row in whole_rows) > 0.7
long_rows = [row for row in every_run if row.recipe == "slots-long"]
print("slots-long: held", *(f"{row.held:.2f}" for row in long_rows))
assert len(long_rows) == 3
iodine_long = [row for row in every_run if row.recipe == "iodine-long"]
print("iodine-long: held", *(f"{row.held:.2f}" for row in iodine_long))
assert len(iodine_long) == 3
assert min(r.held for r in iodine_long) > max(r.held for r in iodine_rows)
assert min(r.ari for r in iodine_long) > 0.65
assert min(row.held for row in long_rows) > max(row.held for row in whole_rows) + 0.05

# %% [markdown]
# Three things go wrong, each by its own score. A run may not divide scenes in its time; *held* shows it. In this table
# no run with flat colour has this fault; but train the ten seeds of `slots-live` once more, on two processors that
# round otherwise, and eight and nine come apart, and not the same. So ten of ten was luck, too: seeds are a sample, and
# a processor is part of the seed. It may divide the sprites, and let two slots share the ground, which costs half or
# more of the ARI of all pixels and little of the foreground ARI: three runs of `iodine-blocks`, one of `slots-live`,
# one of `slots-64`. And slots that are left over share sprites, which costs the foreground ARI. Trained on to whole
# images (`slots`, 2,400 updates), one slot has the ground in each of three seeds, and 0.68 to 0.74 of the sprites are
# held. With 30,000 updates, two thirds of them of whole images (`slots-long`, 22 minutes of a processor), it is 0.84,
# 0.86 and 0.91, at an ARI of 0.84 each: fewer sprites are shared, and still some are. And it goes on paying: seed 0
# alone, for 80,000 updates, an hour of a processor (`scenes_long.csv`, weights `slots_hour`), holds 0.95 at an ARI of
# 0.92, more than k-means holds (0.89), at a foreground ARI of 0.80 for its 0.83. IODINE, ten times as long
# (`iodine-long`), holds 0.77 to 0.79 in place of 0.58 to 0.71, of at most 0.93 in its blocks, and on none of three
# seeds do two slots share the ground. With RGB seven runs of ten have the first fault: they tile (section 4), and the
# one run of IODINE with RGB holds 0.28.
#
# The two recipes whose names end in 64 are the same for images of 64 × 64 pixels, drawn in blocks of twice the width:
# as many blocks to draw, four times the pixels to look at. IODINE divides them in three of three, though in two with an
# ARI below 0.5; slot attention, too (held 0.76, 0.76 and 0.51), though in the third two slots share the ground. So the
# size of the picture is not what stands in the way; fine detail was not tried.
#
# Where hues are distinct k-means holds nearly every sprite, at an ARI of 0.64, for it cuts up the ground; three runs of
# MONet have 0.84.
#
# ## What we established
#
# - The VAE of notebook 04 has no picture of two circles: what it draws of two that are well apart is further off than
#   black, and the best that it could draw is one of the two.
# - A softmax over broadcast decoders draws any number of things, with the order of depth in its logits.
# - Slot attention, from random weights in about a minute of one thread, divides scenes on ten of ten fresh seeds, 0.46
#   to 0.64 of the sprites held; and on eight and nine of the same ten on two other processors. After 30,000 updates,
#   most of them of whole images, three seeds hold 0.84 to 0.91.
# - With RGB in place of one colour the slots are tiles in seven runs of ten, and objects in three. The foreground ARI
#   is as high for either.
# - Where hues differ k-means has a better foreground ARI than the network of section 3 and holds more sprites (not more
#   than the best run, of an hour), at a lower ARI of all pixels, for it cuts up the ground. With one hue it falls to
#   nearly nothing, and the network's scores change little.
# - A slot's code tells where its sprite is and which hue it has (R² above 0.98 and 0.95, linear, held out), in part how
#   large it is, and not which shape.
# - What can be read can be written: place and hue explain more than 90 % of the variance of the codes, and a sprite
#   goes where its code is sent.
# - IODINE, without an encoder, holds no sprite before its first refinement, and more after three than after one.
# - MONet cuts sprites in an order of the plane, and leaves the ground: from the top down in 87 % of pairs or more on
#   each of three seeds, from the left in 91 % after 25 times as many updates. The first seed holds more than 0.9 of the
#   sprites whether the hues of a scene are distinct, free or one, though it was trained on distinct ones alone. Two
#   circles of which one hides most of the other it does not part by their hues, as k-means does.
#
# ## What could be wrong with it
#
# - The world was made for the model: plain sprites of one colour each on black, 32 × 32 pixels. Textured objects have
#   no flat colour, and a photograph's ground is no slot. What that takes: RGB from the decoder or a stronger one,
#   features of a network that was trained on many images in place of pixels, and hours of a graphics card.
# - Spare slots share sprites. The blend does not mind, see section 2; so the foreground ARI is far from 1.
# - The number of slots is an argument; the starts are learned for five.
# - One network of slot attention is compared in sections 3 and 8, and read and edited in 5 and 6: of three seeds the
#   median by ARI, and the lowest by what it holds. Section 7 looks at the median of three, too, and section 8 mostly at
#   the first of three. The directions were found with labels.
# - That a slot keeps *its* sprite from one picture to the next was not asked; in a film it need not.
#
# ## Exercises
#
# Write in place of the `...`, and run the cell: its last line looks at your answer.
#
# **1. In front.** Two slots claim a pixel. By how much must the logit of one be ahead, for it to have 99 % of the
# pixel?
#
# <details><summary>Solution</summary>
#
# With two slots the softmax is a sigmoid of the difference, and its inverse is the logarithm of the odds.
#
# ```python
# ahead = np.log(0.99 / 0.01)
# ```
#
# </details>

# %%
from sbd_utils import checks

ahead = ...  # a number

checks.logit_ahead(ahead)

# %% [markdown]
# **2. One valley.** Section 2 draws the mixture's loss for a pixel that is half black's and half white's. From which σ
# on has it only one valley? Find it by trying, or by the second derivative half-way.
#
# <details><summary>Solution</summary>
#
# Half-way, both parts are equal, and the second derivative of the loss there is $2w\,(1 - w/2)$ with $w =
# 1/(2\sigma^2)$. It changes sign at $w = 2$: two deviations are then the distance of the two colours.
#
# ```python
# for std in np.linspace(0.2, 0.8, 121):
#     w = 1 / (2 * std**2)
#     loss = -mixture(x.view(-1, 1, 1, 1), half, w).logsumexp(1).flatten()
#     if loss[(x - 0.5).abs().argmin()] <= loss.min() + 1e-6:
#         break
# print(f"{std:.2f}")
# ```
#
# </details>

# %%
std = ...  # a number

checks.one_valley(std)

# %% [markdown]
# **3. Exchanged.** Let one object of each of two scenes change places with the other: its code, whole. What does it
# keep in the other scene: its place, its hue, or what lay over it?
#
# <details><summary>Solution</summary>
#
# Place and hue, for both are in the code. What lies over it is settled anew by the softmax, among the slots of the
# scene that it came into.
#
# ```python
# exchanged = two_codes.clone()
# exchanged[0, first], exchanged[1, second] = two_codes[1, second], two_codes[0, first]
# with torch.no_grad():
#     drawn = model.decoder(exchanged).image
# ```
#
# </details>

# %%
whole = np.flatnonzero((hands >= 0).all(1))[:2]  # two scenes of which every object is held
two_codes = slots.mean[torch.from_numpy(whole)]  # [2, 5, 8]
first, second = (int(hands[i, 0]) for i in whole)  # the slot of the first object of either
exchanged = ...  # [2, 5, 8]

checks.exchanged_slots(exchanged, two_codes, first, second)

# %% [markdown]
# **4. A score that sees nothing.** Make masks with a foreground ARI of 1 that no one would call objects: each holds one
# sprite and a part of the ground. What is their ARI of all pixels?
#
# <details><summary>Solution</summary>
#
# Give every pixel of the ground to the sprite whose centre is nearest.
#
# ```python
# line = torch.arange(32) + 0.5
# pixels = torch.stack(torch.meshgrid(line, line, indexing="xy"))  # [2, 32, 32] x and y
# gaps = (scenes.factors[:, :, :2, None, None] - pixels).square().sum(2)  # [200, 4, 32, 32]
# gaps = gaps.masked_fill(~scenes.present[:, :, None, None], torch.inf)
# thing = scenes.masks.argmax(1)  # 0 is the ground
# owner = torch.where(thing > 0, thing - 1, gaps.argmin(1))
# tiles = torch.nn.functional.one_hot(owner, 4).movedim(-1, 1).double()
# line_of("tiles around the sprites", score_segmentation(scenes.masks, tiles).means())
# ```
#
# </details>

# %%
tiles = ...  # [200, S, 32, 32], of `scenes`

checks.blind_tiles(tiles, scenes.masks)

# %% [markdown]
# ## What comes next
#
# [Assignment 5](assignments/README.md) has you write the parts of this notebook yourself. From here the ways part: to
# real images, where slots are found among the features of a large network; to films, where a slot follows its object;
# and back to notebook 04's question, which every slot now asks for itself: which of my latents matter, and is the grid
# straight?
