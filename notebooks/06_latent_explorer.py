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
# # 06 · Latent explorer: take hold of a code
#
# **You will be able to** move through a latent space by hand, tell a latent that matters from one that does not by
# touching it, watch a straight line in the image become a curve in a code, and back each impression with a number.
#
# **You need** notebooks 01 to 03; 04 (posterior variance) and 05 (the comparison) help.
#
# **Time**: 15 minutes to play, 20 more for the exercises; 10 seconds to run on two cores.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, encode, load_pretrained, render_batch, show, traverse

course.needs("anywidget")
models = {
    "SBD": load_pretrained("vae_circles_bw"),
    "deconv": load_pretrained("vae_deconv_circles_bw"),
}

# %% [markdown]
# ## The explorer
#
# Drag the circle on the left: each encoder says where in its plane it puts it, and each decoder draws what it makes of
# that. Or drag in a plane, and the pictures follow. The planes show the two latents of least posterior variance; the
# selection above each chooses others. Three things to try stand beside the circle, and are ticked when you have done
# them. (The cell must have run: Run, Run All Cells. `make explore` opens the explorer alone.)

# %%
from IPython.display import display

from sbd_utils import LatentExplorer

explorer = LatentExplorer(models)
display(explorer)

# %% [markdown]
# The lines are those on the true image, encoded: blue ones are vertical there, dashed orange ones horizontal. The
# cross is the code; the ellipse around it is one standard deviation of the posterior (the SBD's is smaller than the
# dot). The green trail is the path of the circle. ● marks informative latents, those with a posterior variance below
# 0.5, and the grey circles are one and two standard deviations of the prior.
#
# For those who read this as a page, here it is at work: first the circle walks to the right, and the trail of its codes
# is straight in the SBD's plane and winds in the deconv's; then the *codes* walk straight from one circle's to
# another's, and the SBD's circle moves where the deconv's fades.
#
# ![Animation of the explorer: a circle walks right, its trail is straight in the SBD's plane and winds in the
# deconv's; then both codes walk straight, and the SBD's circle moves while the deconv's
# fades.](pictures/explorer.gif)
#
# <details><summary>The whole explorer, as a picture</summary>
#
# ![The explorer: the true circle with a grid of lines, the two models' latent planes with that grid encoded,
# straight for the SBD and tangled for the deconv, their pictures, a slider for each latent, and three things to
# try.](pictures/explorer.png)
#
# </details>
#
# The same planes once more, drawn by the notebook, with the code of a circle that moved to the right.


# %%
from sbd_utils import plot_coordinate_grid


def sideways(model, steps=81):
    """Codes [steps, z_dim] of a circle that moves in a straight line from x = 12 to x = 52 at y = 32."""
    return encode(model, render_batch("ellipse", np.linspace(12, 52, steps), 32.0))[0]


figure, axes = plt.subplots(1, 2, figsize=(9, 4.2))
for ax, (name, side) in zip(axes, explorer.core.sides.items(), strict=True):
    pair = list(side.axes)
    lines = side.grid[:, :, pair]  # [10, 31, 2]
    labels = np.repeat(np.arange(len(lines)), lines.shape[1])
    z1, z2 = lines.reshape(-1, 2).T
    plot_coordinate_grid(ax, z1, z2, labels, name, [f"mean of latent {latent}" for latent in pair])
    z1, z2 = sideways(side.model)[:, pair].T
    ax.plot(z1, z2, color=OKABE_ITO[2], linewidth=3.5)
    ax.plot(z1[-1], z2[-1], "o", color=OKABE_ITO[5])
show(
    figure,
    "Encoded grids with the path of a circle moving right: straight in the SBD's plane, bent in the deconv's.",
)

# %% [markdown]
# ## First observation: a straight line in the image
#
# *By hand*: press Clear trail, put the circle at the left edge of the grid and drag it slowly to the right edge. In the
# SBD's plane the trail is a straight line. In the deconv's it wanders. Is it only this view that bends it? Choose other
# axes: the trail is bent in those, too.
#
# *The number*: the length of the path through **all** latents, divided by the distance between its ends. It is 1 for a
# straight line, and no choice of axes can hide a detour from it. Latents that do not inform add noise; we leave them
# out.
#
# **Predict:** in the plane one sees two of the deconv's six informative latents. In all six, is its path straight? How
# many times as long as the straight way is it, there and in the SBD?
#
# <details><summary>Answer</summary>
#
# 1.0 times in the SBD, 3.0 in the deconv. It is tempting to blame the view, which leaves four latents out. But the
# number leaves out none that informs.
#
# </details>


# %%
from sbd_utils.analysis import INFORMATIVE


def detour(path):
    """Length of a path [steps, L] over the distance between its ends; 1 for a straight line."""
    return (path.diff(dim=0).norm(dim=1).sum() / (path[-1] - path[0]).norm()).item()


detours = {}
for name, side in explorer.core.sides.items():
    informative = side.variances < INFORMATIVE
    detours[name] = detour(sideways(side.model)[:, informative])
    print(f"{name:7} {informative.sum()} informative latents, detour {detours[name]:.1f}")
assert detours["SBD"] < 1.05 < 1.5 < detours["deconv"]

# %% [markdown]
# ## Second observation: most sliders are dead
#
# *By hand*: move one slider after the other from end to end, or press ▶. Below the marked ones nothing happens.
#
# *The number*: the largest change of any pixel while a latent goes from -2 to 2 and all others stay. Black and white
# are 1 apart.
#
# **Predict:** two latents of the SBD inform, and six of the deconv. Does each of these change some pixel by more than
# one half?
#
# <details><summary>Answer</summary>
#
# Both of the SBD's, and five of the deconv's six. Whoever says all takes "informative" for a word about the decoder: it
# is the encoder's, averaged over all circles, and here only one circle is looked at.
#
# </details>

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
changes = {}
for ax, (name, side) in zip(axes, explorer.core.sides.items(), strict=True):
    order = torch.argsort(side.variances).tolist()
    films = traverse(side.model, side.mean, order, steps=9).images.clamp(0, 1)  # [10, 9, 1, 64, 64]
    change = (films.amax(1) - films.amin(1)).flatten(1).amax(1).numpy()  # [10]
    dark = int((side.variances < INFORMATIVE).sum())
    colors = [OKABE_ITO[0]] * dark + ["0.7"] * (len(order) - dark)
    ax.bar([str(latent) for latent in order], change, color=colors)
    ax.set(title=name, xlabel="latent, by posterior variance (dark: informative)")
    lively, restless = (change[:dark] > 0.5).sum(), (change[dark:] > 0.25).sum()
    print(f"{name:7} changed by more than half: {lively} of {dark} informative latents,", end=" ")
    print(f"{restless} of {len(order) - dark} others by more than a quarter")
    changes[name] = change
assert (changes["SBD"][:2] > 0.9).all()
assert max(values[6:].max() for values in changes.values()) < 0.25
axes[0].set_ylabel("largest change of a pixel")
show(
    figure,
    "Largest pixel change per latent: near 1 for informative latents, two in the SBD; small for the others.",
)

# %% [markdown]
# Posterior variance is a statement of the *encoder*; here the *decoder* has been asked. On the dead latents both agree.
# The deconv has an informative latent that does hardly anything *here*, with the circle in the middle. Put the circle
# elsewhere and try again: in a tangled code, what a latent does depends on where you are (exercise 3).
#
# ## Third observation: a straight line in the code
#
# *By hand*: now drag in the planes, with "one hand moves all planes" checked. In the SBD's plane the circle goes where
# your hand goes, up to a turn and a mirror. In the deconv's plane it slows down, jumps, doubles or fades.
#
# *The number*: take the codes of two circles, walk between them in a straight line, and ask of every picture how much
# of its light lies within 8 pixels of the point that a circle on its way would have reached.
#
# **Predict:** at the worst place on the way, what share of the light is where it should be, in either model?
#
# <details><summary>Answer</summary>
#
# All of it in the SBD, none in the deconv. "A half, for one circle goes while another comes" forgets where they are:
# half-way both are 17 pixels from the place, and neither lights it.
#
# </details>

# %%
from sbd_utils import decode, plot_strip

ends = torch.tensor([[20.0, 20.0], [44.0, 44.0]])  # (x, y) in pixels
t = torch.linspace(0, 1, 9)[:, None]
places = torch.lerp(ends[0], ends[1], t)  # [9, 2]
x, y = places.T
disc = render_batch("ellipse", x, y, size=16.0)  # [9, 1, 64, 64] 1 within 8 pixels
figure, axes = plt.subplots(2, 1, figsize=(9, 2.9))
shares = {}
for ax, (name, model) in zip(axes, models.items(), strict=True):
    (first, last), _ = encode(model, render_batch("ellipse", ends[:, 0], ends[:, 1]))  # [z_dim]
    walk = decode(model, torch.lerp(first, last, t)).clamp(0, 1)
    share = (walk * disc).sum((1, 2, 3)) / walk.sum((1, 2, 3))  # [9]
    plot_strip(ax, walk, title=f"{name}: on the way from one code to another")
    at_ends = min(share[0], share[-1])
    print(f"{name:7} share of the light in its place: {at_ends:.1f} at the ends,", end=" ")
    print(f"{share.min():.1f} where it is least")
    shares[name] = share
show(
    figure,
    "Pictures between two codes: the SBD's circle moves along the diagonal; the deconv's fades, and comes up anew.",
)
assert shares["SBD"].min() > 0.95 > 0.5 > shares["deconv"].min()

# %% [markdown]
# ## What we established
#
# - A straight line of circles is a straight line of codes in the SBD (detour below 1.05) and a detour of more than 1.5
#   in the deconv, in all its informative latents together.
# - The SBD's two informative latents change some pixel by more than 0.9 of the way from black to white; the latents
#   that do not inform stay below a quarter in both models.
# - Between two codes the SBD draws one circle on its way: more than 95 % of the light is where it should be. The deconv
#   fades one circle out and another one in; at the worst point less than half of the light is in its place.
#
# ## What could be wrong with it
#
# - One model of each kind, chosen for publication. Over seeds, see notebook 05.
# - One line, one pair of codes. What a hand finds is an anecdote; the grid of notebook 04 is the measurement.
# - The planes of the deconv show two of several informative latents. A tangle in two of them need not be a tangle in
#   all; that is why the detour is computed over all of them.
# - Far outside the grid no circle was ever encoded; pictures decoded there say nothing about the data.
#
# ## Exercises
#
# Write in place of the `...`, and run the cell: its last line looks at your answer.
#
# **1. How sure is the encoder?** Express the SBD's ellipse in pixels: divide the posterior's standard deviation by how
# far the code moves per pixel.
#
# <details><summary>Solution</summary>
#
# A tenth of a pixel or so: the ellipse is there, under the dot.
#
# ```python
# per_pixel = (path[-1] - path[0]).norm() / 40
# in_pixels = stds.max() / per_pixel
# ```
#
# </details>

# %%
# Exercise 1
from sbd_utils import checks

side = explorer.core.sides["SBD"]
stds = side.std[list(side.axes)]  # [2], of the posterior of the circle
path = sideways(side.model)[:, list(side.axes)]  # [81, 2], of a circle that moves by 40 pixels
in_pixels = ...  # a number

checks.ellipse_in_pixels(in_pixels, stds, path, pixels=40)

# %% [markdown]
# **2. Another line.** Does the detour depend on the line? Measure it for the vertical one in the middle.
#
# <details><summary>Solution</summary>
#
# ```python
# down = {name: detour(path[:, counted[name]]) for name, path in vertical.items()}
# assert down["SBD"] < 1.05 < down["deconv"]
# ```
#
# </details>

# %%
# Exercise 2
line = render_batch("ellipse", 32.0, np.linspace(12, 52, 81))  # [81, 1, 64, 64]
vertical = {name: encode(model, line)[0] for name, model in models.items()}  # [81, 10] each
counted = {name: side.variances < INFORMATIVE for name, side in explorer.core.sides.items()}
down = ...  # {"SBD": a number, "deconv": a number}

checks.detours(down, vertical, counted)

# %% [markdown]
# **3. A latent that sleeps.** Which informative latent of the deconv does least with the circle in the middle? Find a
# place of the circle where it changes some pixel by more than half: drag the circle and press ▶, or try places with
# `change_at`.
#
# <details><summary>Solution</summary>
#
# ```python
# sleeper = min(in_the_middle, key=in_the_middle.get)
# places = [(x, y) for x in (16, 32, 48) for y in (16, 32, 48)]
# place = max(places, key=lambda at: change_at(sleeper, *at))
# ```
#
# </details>


# %%
# Exercise 3
def change_at(latent, x, y):
    """Largest change of a pixel while a latent of the deconv goes from -2 to 2, the circle at (x, y)."""
    z = encode(models["deconv"], render_batch("ellipse", x, y))[0][0]
    film = traverse(models["deconv"], z, [latent], steps=9).images.clamp(0, 1)
    return (film.amax(1) - film.amin(1)).max().item()


in_the_middle = {latent: change_at(latent, 32, 32) for latent in np.flatnonzero(counted["deconv"])}
sleeper = ...  # a number of a latent
place = ...  # (x, y), in pixels

checks.sleeper_wakes(sleeper, place, in_the_middle, change_at)

# %% [markdown]
# **4. Your own model.** `LatentExplorer(model)` takes any `VAE`. Say first what the sliders of one do that was never
# trained; its pictures are nearly black, so the explorer scales them, and says so. Then count its informative latents,
# and give the largest change of a pixel, as the bars above show it.
#
# <details><summary>Solution</summary>
#
# None informs, and no pixel changes by more than a seventh of the way from black to white. Every latent does a little,
# and none means anything: nothing has told the latents apart.
#
# ```python
# informative = int((own.variances < INFORMATIVE).sum())
# shown = films.clamp(0, 1)
# change = (shown.amax(1) - shown.amin(1)).max()
# ```
#
# </details>

# %%
# Exercise 4
from sbd_utils import VAE
from sbd_utils.explorer.core import Explorer

torch.manual_seed(0)
untrained = VAE().eval()  # `LatentExplorer(untrained)`, in a cell of its own, shows it
own = Explorer(untrained).sides["model"]
films = traverse(untrained, own.mean, list(range(10)), steps=9).images  # [10, 9, 1, 64, 64]
informative = ...  # a number of latents
change = ...  # a number

checks.untrained_sliders(informative, change, own.variances, films)

# %% [markdown]
# ## What comes next
#
# A hand finds what it happens to touch. Papers report scores instead: notebook 07 computes four of them by hand, and
# asks whether they tell these two networks apart.
#
# After Run All you are here, at the end: [the explorer is further up](#The-explorer). `make explore` opens it alone, on
# a page of its own, to show to someone who has never seen a latent space.
