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
# # 01 · Data: 4,096 pixels that hold two numbers
#
# **You will be able to** say what a factor of variation is, draw images from factors, show why a data set with two
# factors is not flat in pixel space, and read a coordinate grid.
#
# **You need** Python and a little PyTorch; what a mean and an eigenvalue are.
#
# **Time**: 30 minutes to read, 30 more for the exercises; 20 seconds to run on two cores.

# %%
import course  # the file beside this notebook: open both in a clone of the course
import numpy as np
import torch
from matplotlib import pyplot as plt

from sbd_utils import OKABE_ITO, circles_dataset, draw_sprites, plot_examples, render_batch, show

BLUE, ORANGE, GREEN, _, _, VERMILION, *_ = OKABE_ITO
torch.set_num_threads(1)  # for matrices of this size, threads that wait for each other cost more

# %% [markdown]
# ## Factors of variation
#
# Somebody made every image we shall look at, by choosing a few numbers and handing them to a program that draws:
#
# $$\text{image} = g(\text{x}, \text{y}, \text{size}, \text{angle}, \text{colour}, \dots)$$
#
# The numbers are the **factors of variation**. A network will be given images alone. It has *disentangled* the factors
# if, in its own code for an image, each factor has a coordinate to itself. Here $g$ is known, because we write it; so
# we can always check.
#
# Below, each row changes one factor and leaves the others alone.
#
# **Predict:** the last image of every row is compared with the first. In which row are the two the same?
#
# <details><summary>Answer</summary>
#
# In the fourth, where the angle goes from 0° to 90°: a square turned by a quarter is that square. Not every number that
# a program takes is a factor that an image shows.
#
# </details>

# %%
from matplotlib.colors import to_rgb

from sbd_utils import Sprite

# Red, green and blue in 0...255, as a sprite takes them.
colors = [tuple(255 * part for part in to_rgb(name)) for name in OKABE_ITO]
blue, orange, green, pink, sky, red, yellow, _ = colors

fixed: dict = dict(shape="rectangle", x=32, y=32, size=20, color=orange, angle=0)
rows = {
    "x": np.linspace(14, 50, 7),
    "y": np.linspace(14, 50, 7),
    "size": np.linspace(8, 32, 7),
    "angle": np.linspace(0, 90, 7),
    "color": colors[:7],
}
figure, axes = plt.subplots(len(rows), 1, figsize=(6, 4.6))
for ax, (name, values) in zip(axes, rows.items(), strict=True):
    sprites = [Sprite(**fixed | {name: value}) for value in values]
    plt.sca(ax)
    plot_examples(torch.stack([draw_sprites([sprite], 64) for sprite in sprites]))
    ax.text(-12, 34, name.replace("color", "colour"), ha="right", va="center", fontsize=12)
show(
    figure,
    "Five rows of seven images of a square; along each row one of x, y, size, angle and colour changes.",
)

# %% [markdown]
# How much does a turn change, measured in the pixel that changes most? 0 is nothing, 1 is from black to white.

# %%
for shape, turn in [("rectangle", 90), ("triangle", 90), ("triangle", 120), ("ellipse", 37)]:
    change = render_batch(shape, 32, 32, 20, [0, turn]).diff(dim=0).abs().max()
    print(f"{shape:9} turned by {turn:3}°: a pixel changes by up to {change:.2f}")

# %% [markdown]
# A circle (`"ellipse"`) has no visible angle at all, and a square's is known modulo 90°. No network can recover what
# left no trace.
#
# ## Sprites
#
# A `Sprite` is one coloured shape; `draw_sprites` paints a list of them, later ones over earlier ones. Position is in
# pixels from the image's top-left corner, x to the right, **y downwards**, as rows are counted.

# %%
sun = Sprite("ellipse", x=20, y=20, size=22, color=yellow)
house = Sprite("rectangle", x=38, y=42, size=26, color=blue)
roof = Sprite("triangle", x=38, y=23, size=30, color=red)
tilted = Sprite("rectangle", x=38, y=42, size=26, color=blue, angle=25)
at_the_frame = [Sprite("ellipse", 0, 32, 30, green), Sprite("triangle", 60, 60, 30, pink)]
scenes = {
    "sun, house, roof": [sun, house, roof],
    "house, roof, sun": [house, roof, sun],
    "house turned 25°": [sun, tilted, roof],
    "two at the frame": at_the_frame,
}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.6))
for ax, (title, scene) in zip(axes, scenes.items(), strict=True):
    plt.sca(ax)
    plot_examples(draw_sprites(scene, img_size=64, bg_color=(20, 20, 40))[None], title)
show(
    figure,
    "Four scenes of circle, square and triangle: painted in two orders, with a turned square, and cut off.",
)

# %% [markdown]
# The first two scenes have the same three sprites and differ in the order alone: **occlusion**. It loses information
# for good. A sprite that is covered entirely could be anywhere behind what covers it:

# %%
curtain = Sprite("rectangle", 32, 32, size=50)
left, right = (draw_sprites([Sprite("ellipse", x, 32, 10, sky), curtain], 64) for x in (25, 40))
print(f"behind the curtain, a pixel differs by up to {(left - right).abs().max():.2f}")
left, right = render_batch("ellipse", [25, 40], 32)
print(f"without it, by up to {(left - right).abs().max():.2f}")

# %% [markdown]
# ## The circles
#
# The course's data set takes all that away: white circles of diameter 10 on black, 64 × 64 pixels, one channel, centres
# uniform in the square from 8 to 56. Two factors, x and y, both visible, and nothing else.

# %%
images, centers = circles_dataset(5000, seed=0).tensors  # [5000, 1, 64, 64] and [5000, 2]
print("images", list(images.shape), "centres", list(centers.shape))
print("values from", images.min().item(), "to", images.max().item())
light, area = images.sum((1, 2, 3)).mean(), np.pi * 5**2
print(f"light in an image: {light:.1f}; area of the circle, π·5² = {area:.1f}")

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6))
plt.sca(axes[0])
plot_examples(images[:25], "the first 25 images")
axes[1].scatter(*centers[:1000].T, s=3, color=BLUE, linewidths=0)
axes[1].set(xlim=(0, 64), ylim=(64, 0), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
axes[1].set_title("the first 1,000 centres")
show(
    figure,
    "Left, 25 images of a white circle on black. Right, their centres fill a square, 8 pixels from the frame.",
)

# %% [markdown]
# Everything there is to know about an image is its point in the right-hand picture. To a network it comes as a list of
# 64 · 64 = 4,096 brightnesses. How are the two related?
#
# ## The straight line between two images is a ghost
#
# Take two images, $A$ and $B$, and go from one to the other. In pixel space the way is $(1-t)A + tB$; in the plane of
# the factors it is a circle at $(1-t)a + tb$.
#
# **Predict:** half-way, at $t = ½$: where is the centre of the light in either image? How bright is its brightest
# pixel?
#
# <details><summary>Answer</summary>
#
# The centre of the light is at the same place in both. The brightest pixel is ½ where pixels are mixed and 1 where
# positions are. The trap is the first: at the centre of the mixed light there is no light.
#
# </details>

# %%
a, b = torch.tensor([14.0, 20.0]), torch.tensor([50.0, 44.0])  # (x, y) in pixels
t = torch.linspace(0, 1, 7)
x, y = torch.lerp(a, b, t[:, None]).T
moved = render_batch("ellipse", x, y)  # [7, 1, 64, 64]
ghosts = torch.lerp(moved[0], moved[-1], t[:, None, None, None])  # [7, 1, 64, 64]

figure, axes = plt.subplots(2, 1, figsize=(8.5, 2.9))
for ax, strip, name in zip(axes, [ghosts, moved], ["pixels mixed", "positions mixed"], strict=True):
    plt.sca(ax)
    plot_examples(strip)
    ax.text(-8, 34, name, ha="right", va="center", fontsize=11)
for i, value in enumerate(t):
    axes[0].text(34 + 66 * i, -8, f"t = {value:.2f}", ha="center", fontsize=9)
show(
    figure,
    "Two strips of seven images. Above, one circle fades out while another fades in. Below, one circle moves.",
)

# %% [markdown]
# Above, nothing moves: one circle fades out while another fades in, and no image between the two ends belongs to the
# data set. Below, every image does. Let us measure three things: the **centre of mass** of the light, its **peak**, and
# its **spread** (root mean square distance from the centre of mass).


# %%
from sbd_utils import center_of_mass


def spread(pictures: torch.Tensor) -> torch.Tensor:
    """Root mean square distance of the light from its centre of mass, [N], in pixels."""
    light = pictures[:, 0].double()  # [N, H, W]
    at = torch.arange(64).double() + 0.5  # pixel j covers [j, j + 1): its middle is at j + 0.5
    x, y = center_of_mass(pictures).T[:, :, None]  # [N, 1] each
    moment = (light.sum(1) * (at - x) ** 2 + light.sum(2) * (at - y) ** 2).sum(1)
    return (moment / light.sum((1, 2))).sqrt()


# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 2.7))
measures = {
    "centre of mass, x (pixels)": lambda p: center_of_mass(p)[:, 0],
    "peak brightness": lambda p: p.amax((1, 2, 3)),
    "spread (pixels)": spread,
}
for ax, (name, measure) in zip(axes, measures.items(), strict=True):
    ax.plot(t, measure(moved), "-", color=BLUE, linewidth=5, alpha=0.45, label="positions mixed")
    ax.plot(t, measure(ghosts), "o--", color=VERMILION, markersize=4, label="pixels mixed")
    ax.set(title=name, xlabel="t")
    ax.set_ylim(bottom=0)
axes[0].legend()
gap = (center_of_mass(moved) - center_of_mass(ghosts)).abs().max()
print(f"centres of mass differ by at most {gap:.2f} pixels")
print(f"peak half-way: {moved[3].max():.2f} moved, {ghosts[3].max():.2f} ghost")
print(f"spread half-way: {spread(moved)[3]:.1f} pixels moved, {spread(ghosts)[3]:.1f} pixels ghost")
show(
    figure,
    "Three plots over t: centres of mass agree; the ghost's peak falls to a half, its spread rises sixfold.",
)

# %% [markdown]
# The centre of mass does not notice. It is a weighted sum of pixels, a *linear* measurement, and a mixture's value of a
# linear measurement is the mixture of the values: it is right for a ghost by construction. Peak and spread are not
# linear, and they see at once that the path has left the data. Keep this in mind for later: a score that is blind to
# ghosts can be perfect while the pictures are not circles.
#
# ## Far is far
#
# Could a network at least learn from pixel distances who is whose neighbour? Here is the squared distance between
# the images of two circles, against how far apart the circles are.
#
# **Predict:** two circles of diameter 10 lie 11 pixels apart, two others 30. By what factor are the images of the
# second two further apart?
#
# <details><summary>Answer</summary>
#
# By 1: they are equally far. Circles that do not overlap differ in all pixels of both, however far they are.
#
# </details>

# %%
apart = torch.linspace(0, 30, 121)
pair = render_batch("ellipse", 15 + apart, 32.0)
squared = (pair - pair[:1]).square().sum((1, 2, 3))

figure, ax = plt.subplots(figsize=(6, 2.8))
ax.plot(apart, squared, color=BLUE, linewidth=2)
ax.axvline(10, color="0.5", linestyle=":")
ax.text(10.4, 12, "no overlap from here on", color="0.3")
ax.set(
    xlabel="distance between the centres (pixels)",
    ylabel="squared distance\nbetween the images",
    ylim=(0, 165),
)
show(
    figure,
    "The squared distance between two images rises until the circles are 10 pixels apart, then stays level.",
)
print(f"11 pixels apart: {squared[44]:.0f}; 30 pixels apart: {squared[-1]:.0f}")
print(f"from one circle to a black image: {pair[0].square().sum():.0f}")
to_mean = (images - images.mean(0)).square().sum((1, 2, 3)).mean()
print(f"from a circle of the data to the mean of all, on average: {to_mean:.0f}")

# %% [markdown]
# From one diameter on all circles are equally far from each other (the small ripple is the pixel grid's). Squared
# error, the loss of an autoencoder, says "wrong place" and never "further to the left". That has a consequence for
# training: a black image is half as wrong as a circle in the wrong place, and the mean of all images, a dim fog, a
# little less wrong still. So a decoder that does not know yet where to paint does best to paint next to nothing.
#
# ## Two numbers, hundreds of directions
#
# **Principal component analysis** (PCA) asks how many straight directions it takes to hold a data set: the eigenvalues
# of the covariance matrix are the variances along its principal directions, and we count how many of the largest make
# up 95 % of the total. If two factors spanned a plane in pixel space, the answer would be 2.


# %%
def explained(pictures: torch.Tensor) -> torch.Tensor:
    """Share of the variance of images [N, C, H, W] along each principal direction, the largest first."""
    flat = pictures.flatten(1)
    flat = flat - flat.mean(0)
    flat = flat[:, flat.abs().amax(0) > 0]  # [N, D]; a pixel that never changes adds nothing
    # flat.T @ flat and flat @ flat.T have the same eigenvalues, apart from zeros: take the smaller.
    gram = flat.T @ flat if flat.shape[1] < len(flat) else flat @ flat.T
    values = torch.linalg.eigvalsh(gram).flip(0).clamp(min=0)
    return values / values.sum()


def count(share: torch.Tensor, part: float = 0.95) -> int:
    """How many of the largest directions hold this part of the variance."""
    return int((share.cumsum(0) < part).sum()) + 1


about = round(count(explained(images)), -1)
print(f"5,000 circles: about {about} directions for 95 % of the variance")

# %% [markdown]
# Hundreds. Is that a property of *circles that move*, or does any data set of two numbers do it? A claim like this
# needs controls, all with 2,000 images:
#
# - **two lamps**: two circles that stay where they are, each with a brightness of its own. Two factors, too.
# - **x alone**: circles that move along one line. One factor.
# - **large**: circles of diameter 30. **Blurred**: our circles through a Gaussian blur of 4 pixels.
#
# **Predict:** circles need hundreds of directions. Which of the others need more, which fewer, and does any need only
# two?
#
# <details><summary>Answer</summary>
#
# The lamps need two. Large and blurred circles need fewer than ours, 81 and 31 in place of 235. x alone still needs 15,
# although it is one number: the number of factors is not what counts.
#
# </details>


# %%
def blur(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of images [N, 1, H, W], sigma in pixels: one pass along each axis."""
    reach = int(np.ceil(3 * sigma))
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    rows = torch.nn.functional.conv2d(pictures, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return torch.nn.functional.conv2d(rows, kernel.view(1, 1, -1, 1), padding=(reach, 0))


x, y = centers[:2000].T
brightness = (centers[:2000] - 8) / 48  # the same uniform numbers, [2000, 2], now in [0, 1]
lamps = render_batch("ellipse", [20, 44], 32)[:, 0]  # [2, 64, 64]
families = {
    "circles": images[:2000],
    "large": render_batch("ellipse", x, y, 30),
    "blurred": blur(images[:2000], 4),
    "x alone": render_batch("ellipse", x, 32.0),
    "two lamps": torch.einsum("nk,khw->nhw", brightness, lamps)[:, None],
}
shares = {name: explained(pictures) for name, pictures in families.items()}

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=[1, 1.7])
plt.sca(axes[0])
# One row per family: three of its images.
plot_examples(torch.cat([p[:3] / p.max() for p in families.values()]), columns=3)
for i, name in enumerate(families):
    axes[0].text(-6, 34 + 66 * i, name, ha="right", va="center")
styles = zip([BLUE, VERMILION, GREEN, ORANGE, "black"], ["-", "--", "-.", ":", "-"], strict=True)
for (name, share), (color, dash) in zip(shares.items(), styles, strict=True):
    many, kept = count(share), 100 * share.cumsum(0)
    axes[1].plot(range(1, len(share) + 1), kept, dash, color=color, label=f"{name}: {many}")
    print(f"{name:10} {many:4} directions for 95 %")
axes[1].axhline(95, color="0.6", linewidth=1)
axes[1].set(xscale="log", xlim=(1, 2000), ylim=(0, 103))
axes[1].set(xlabel="principal directions kept", ylabel="variance explained (%)")
axes[1].legend(title="directions for 95 %", loc="lower right")
show(
    figure,
    "Explained variance against directions: two lamps need 2, circles over 200, large or blurred ones fewer.",
)

# %% [markdown]
# The two lamps need exactly two: their factors multiply fixed images, so two numbers span a plane. It is **motion**
# that is not linear. A moving circle passes over one pixel after the other, and each needs its own turn to be bright.
# The sharper and smaller the thing that moves, the more directions; blur it, and far fewer do.
#
# So the circles form a two-dimensional *sheet* in pixel space, so strongly curved that it reaches into hundreds of
# directions. A curved sheet is flat if you look closely enough. Is this one? Look at the circles whose centres lie
# within a small square about the image's middle.

# %%
unit = 2 * brightness - 1  # [2000, 2], uniform in [-1, 1]²
for side in (0.2, 1, 4, 48):
    near_x, near_y = (32 + side / 2 * unit).T
    two = explained(render_batch("ellipse", near_x, near_y))[:2].sum()
    print(f"a square of {side:4} pixels: two directions hold {100 * two:3.0f} % of the variance")

# %% [markdown]
# Over a fifth of a pixel two directions are nearly all there is: two numbers, two dimensions. Over four pixels they no
# longer are. That is what "4,096 pixels hold two numbers" means, and why it is not easy to see.
#
# What do PCA's directions make of a circle? Keep the first $k$ of them, and draw what is left of an image that PCA has
# not seen. Each picture is stretched until its brightest pixel is white; how bright that pixel really is stands above.

# %%
mean = images[:2000].flatten(1).mean(0)  # [4096]
flat = images[:2000].flatten(1) - mean
values, vectors = torch.linalg.eigh(flat @ flat.T)  # of the smaller matrix, [2000, 2000], ascending
keep = values.flip(0)[:1900].clamp(min=1e-6).sqrt()
directions = flat.T @ vectors.flip(1)[:, :1900] / keep  # [4096, 1900], the largest variance first

unseen = images[4999].flatten() - mean
kept = [2, 10, 50, 250, 1000]
parts = [mean + directions[:, :k] @ (directions[:, :k].T @ unseen) for k in kept]
parts.append(images[4999].flatten())
peaks = [part.max() for part in parts]
figure, ax = plt.subplots(figsize=(8.5, 1.9))
stretched_parts = [part / peak for part, peak in zip(parts, peaks, strict=True)]
plot_examples(torch.stack(stretched_parts).view(-1, 1, 64, 64))
names = [*[f"k = {k:,}" for k in kept], "the image"]
for i, (name, peak) in enumerate(zip(names, peaks, strict=True)):
    ax.text(34 + 66 * i, -6, f"{name}\npeak {peak:.2f}", ha="center")
show(
    figure,
    "A circle rebuilt from 2, 10, 50, 250 and 1,000 principal directions: wide fog, a smear, then a ringed disc.",
)

# %% [markdown]
# PCA is the best *linear* autoencoder (in squared error). With two numbers, which is all the image holds, it draws a
# fog whose brightest pixel is 0.07. Whoever wants to draw circles from two numbers has to do it with a non-linear
# decoder; that is the subject of this course.
#
# ## Aliasing: a circle must be able to move by a tenth of a pixel
#
# The simplest way to draw a circle is the upper row: round the centre to whole pixels, and let each pixel be in or
# out. `draw_sprites` and the circles are drawn like the lower row: a pixel gets as much light as the circle covers of
# it (**anti-aliasing**). Both rows should move by 0.3 pixels from one picture to the next.


# %%
from PIL import Image, ImageDraw


def hard_circle(x: float, y: float) -> torch.Tensor:
    """A circle of diameter 10 at the nearest whole pixel, each pixel in or out, [1, 64, 64]; drawn by Pillow."""
    left, top = round(x) - 5, round(y) - 5
    canvas = Image.new("L", (64, 64))
    box = [left, top, left + 9, top + 9]  # Pillow counts the last pixel in
    ImageDraw.Draw(canvas).ellipse(box, fill=255)
    return torch.from_numpy(np.array(canvas)).float()[None] / 255


positions = [30 + 0.3 * i for i in range(6)]
hard = torch.stack([hard_circle(x, 32) for x in positions])
smooth = render_batch("ellipse", positions, 32.0)
figure, axes = plt.subplots(2, 1, figsize=(8, 3.1))
for ax, strip, name in zip(axes, [hard, smooth], ["rounded", "smooth"], strict=True):
    plt.sca(ax)
    plot_examples(strip[:, :, 24:40, 24:40])
    ax.text(-2, 10, name, ha="right", va="center", fontsize=11)
for i, value in enumerate(positions):
    axes[0].text(10 + 18 * i, -1, f"x = {value:.1f}", ha="center")
show(
    figure,
    "Close-ups of a circle at six positions. Rounded, it jumps by whole pixels; smooth, its edges shade over.",
)

# %%
path = 30 + torch.arange(31) / 10  # 30.0, 30.1, ... 33.0 pixels
hard = torch.stack([hard_circle(x.item(), 32) for x in path])
smooth = render_batch("ellipse", path, 32.0)
for name, strip in [("rounded", hard), ("smooth", smooth)]:
    off = (center_of_mass(strip)[:, 0] - path).abs().max()
    print(f"{name:8} {len(strip.unique(dim=0)):2} different images of 31;", end=" ")
    print(f"centre of mass off by up to {off:.3f} pixels")

figure, ax = plt.subplots(figsize=(5, 3.2))
ax.plot(path, center_of_mass(hard)[:, 0], "s", color=VERMILION, markersize=4, label="rounded")
ax.plot(path, center_of_mass(smooth)[:, 0], "-", color=BLUE, label="smooth")
ax.set(xlabel="x of the centre (pixels)", ylabel="centre of mass (pixels)", aspect="equal")
ax.legend()
show(
    figure,
    "Centre of mass against true x: a staircase for rounded circles, a straight line for smooth ones.",
)

# %% [markdown]
# The rounded circle throws x away nine times out of ten, and then jumps: an encoder cannot tell 30.6 from 31.4, because
# the images are the same. A network trains on such images all the same, but none of them says what lies *between* two
# whole pixels, and there its decoder may draw what it likes. With smooth edges the image is a continuous function of
# the position, and where the circle is can be read to a few thousandths of a pixel. If the picture of a network
# stands still and then jumps while its code moves evenly, look at the data first.
#
# ## Coordinate grids
#
# How do we look at what a code does to the plane? Draw lines on the plane, and see where the code sends them.
# `generate_spaced_coordinates` gives points along vertical and then horizontal lines. Each point carries the label of
# its line: 0 to 4 are the vertical lines from left to right, 5 to 9 the horizontal lines from top to bottom.

# %%
from sbd_utils import generate_spaced_coordinates, plot_coordinate_grid

xx, yy, labels = generate_spaced_coordinates(low=12, high=52, num_points=31, levels=5)
print(len(xx), "points; labels", np.unique(labels).tolist())

figure, ax = plt.subplots(figsize=(4.2, 4.2))
three = render_batch("ellipse", [12, 22, 42], [12, 32, 22])  # of the circles at the crossings
faint = 0.35 * three.sum((0, 1))  # [64, 64]
ax.imshow(faint, cmap="gray_r", vmin=0, vmax=1, extent=(0, 64, 64, 0))
plot_coordinate_grid(ax, xx, yy, labels)
for label in range(10):
    end = np.flatnonzero(labels == label)[-1]
    right, down = (0, 3) if label < 5 else (3, 0)
    at = float(xx[end] + right), float(yy[end] + down)
    ax.text(*at, str(label), ha="center", va="center")
ax.set(xlim=(0, 64), ylim=(64, 0))
ax.set_aspect("equal", adjustable="box")
show(
    figure,
    "Five vertical blue lines, labelled 0 to 4, and five horizontal orange lines, labelled 5 to 9, over circles.",
)

# %% [markdown]
# Every line starts with a dot, and the colours run from dark to light in the order of the labels. So a grid tells you
# not only whether it is straight, but also which way it was turned or mirrored. Below are five things that a code might
# do, all functions from (x, y) to (z1, z2), and what `fit_geometry` says about them:
#
# - **affine R²**: the share of the variance of z1, and of z2, that the best affine map of (x, y) explains; the worse of
#   the two, and 0 if it is negative. Are lines straight and evenly spaced?
# - **similarity R²**: the same for the best map that may only turn, mirror, scale by one factor and shift. Is it still
#   a *square* grid?
#
# **Predict:** turned by 30°, mirrored, sheared, bent, folded: which have an affine R² of 1, and which a similarity R²
# of 1 as well?
#
# <details><summary>Answer</summary>
#
# Affine: turned, mirrored, sheared. Both: turned and mirrored. To be turned costs nothing in either, although neither
# z1 nor z2 is x then: whoever wants to know that must ask another question.
#
# </details>

# %%
from sbd_utils import fit_geometry

u, v = (xx - 32) / 20, (yy - 32) / 20  # in [-1, 1]
cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
codes = {
    "turned by 30°": (u * cos - v * sin, u * sin + v * cos),
    "mirrored": (-u, v),
    "sheared": (u + 0.7 * v, v),
    "bent": (u, v + 0.8 * u**2),
    "folded": (np.abs(u), v),
}
xy = np.stack([xx, yy], 1)  # [310, 2]
figure, axes = plt.subplots(1, 5, figsize=(11, 2.9))
for ax, (name, (z1, z2)) in zip(axes, codes.items(), strict=True):
    fit = fit_geometry(xy, np.stack([z1, z2], 1))
    title = f"{name}\naffine {fit.affine_r2:.2f}\nsimilarity {fit.similarity_r2:.2f}"
    plot_coordinate_grid(ax, z1, z2, labels, title, names=("z1", "z2"))
    ax.invert_yaxis()  # as in the image: the second coordinate grows downwards
show(
    figure,
    "Five grids: turned and mirrored are square, sheared is slanted, bent is curved, folded lies on itself.",
)

# %% [markdown]
# The folded grid has one coordinate that is kept perfectly and one of which nothing is left: it scores 0, as the worse
# one counts. A turned grid has perfect scores, and yet neither z1 nor z2 follows x alone. *Geometry recovered* and
# *disentangled* are two different claims; we shall measure both, and never call one the other.
#
# ## Reading is easy, drawing is hard
#
# We have met two ways of turning an image into two numbers: the first two principal coordinates, and the centre of
# mass. Both are linear in the pixels (all circles have the same amount of light, so the division is by a constant).
# Their grids:

# %%
grid_images = render_batch("ellipse", xx, yy)  # [310, 1, 64, 64]
two = {
    "first two principal coordinates": (grid_images.flatten(1) - mean) @ directions[:, :2],
    "centre of mass": center_of_mass(grid_images),
}
figure, axes = plt.subplots(1, 2, figsize=(8, 3.9))
for ax, (name, z) in zip(axes, two.items(), strict=True):
    title = f"{name}\naffine R² {fit_geometry(xy, z).affine_r2:.2f}"
    plot_coordinate_grid(ax, z[:, 0], z[:, 1], labels, title, names=("z1", "z2"))
axes[1].invert_yaxis()
show(
    figure,
    "Left, the grid in two principal coordinates: curled up, crossing itself. Right, in centres of mass: straight.",
)

# %% [markdown]
# Two numbers that hold x and y were there all along, one weighted sum of pixels each. PCA did not pick them,
# because PCA does not look for a code that is easy to *read*, but for one from which the image is easy to *draw
# linearly*; and, left to that, it crumples the plane.
#
# An autoencoder is asked the same question as PCA: find numbers from which you can draw the image. Which code it ends
# up with depends on what its **decoder** finds easy to draw. To a decoder to which "the same picture, a bit further to
# the right" comes naturally, the straight grid should be the easy code. That is a conjecture; the next notebooks build
# such a decoder and test it.
#
# ## What we established
#
# - Two factors fill about 260 directions of pixel space to 95 %, where two lamps with two factors fill 2. It is motion
#   that bends.
# - Half-way between two circles the ghost has a peak of 0.50 and a spread of about 22 pixels; a moved circle has 1.00
#   and 3.6. Their centres of mass agree to 0.01 pixel.
# - From a distance of one diameter on, the squared pixel distance is 148 for all pairs of circles; a black image is at
#   74, the mean of all images at 71.
# - A circle rounded to whole pixels gives 4 images for 31 positions and is off by up to half a pixel; the smooth one
#   gives 31.
# - The plane can be read off the pixels linearly, to a few thousandths of a pixel; the two numbers from which pixels
#   are best *drawn* linearly crumple it.
#
# ## What could be wrong with it
#
# - The number of directions depends on the number of images: 235 for 2,000, about 260 for 5,000. PCA never needs more
#   directions than it has images. "Hundreds" is the claim, not 260.
# - Black background and constant brightness make the centre of mass perfect. With a textured background, or two
#   circles, it would say little; "reading is easy" holds for these images.
# - Centres are uniform and independent. Real factors are correlated, and then even the question of which factors there
#   are has more than one answer.
#
# ## Exercises
#
# **1.** By how many degrees must an equilateral triangle be turned, at least, to look the same? Find it by drawing.

# %%
from sbd_utils import checks

degrees = ...  # your answer
checks.triangle_period(degrees)

# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# turned = render_batch("triangle", 32, 32, 20, torch.arange(361))
# same = (turned - turned[:1]).abs().amax((1, 2, 3)) < 1e-4
# degrees = int(same[1:].nonzero()[0]) + 1
# ```
#
# </details>
#
# **2.** The ghost half-way between two circles has its centre of mass half-way, too. How many pixels may the two
# circles be apart before it goes dark *there*? Say it first, then draw ghosts and look.

# %%
pixels = ...  # your answer
checks.ghost_goes_dark(pixels)

# %% [markdown]
# <details><summary>Solution</summary>
#
# The point half-way is inside both circles, at full brightness, until it is a radius away from each centre: until they
# are 10 pixels apart, less a pixel's width, as a pixel is not a point.
#
# ```python
# gap = torch.linspace(0, 20, 41)
# halfway = (render_batch("ellipse", 32.5 - gap / 2, 32.5) + render_batch("ellipse", 32.5 + gap / 2, 32.5)) / 2
# brightness_there = halfway[:, 0, 32, 32]
# assert brightness_there[gap < 8].min() > 0.99 and brightness_there[gap > 12].max() == 0
# pixels = gap[brightness_there > 0.5].max()
# ```
#
# </details>
#
# **3.** Let the diameter vary, too, from 6 to 14 pixels. The centre of mass still gives x and y. Is there a *linear*
# measurement that gives the diameter? Write one that gives it, linear or not.


# %%
def diameters(pictures: torch.Tensor) -> torch.Tensor:
    """Diameters in pixels, [N], of the circles in images [N, 1, 64, 64]."""
    return ...  # your answer


checks.diameters(diameters)

# %% [markdown]
# <details><summary>Solution</summary>
#
# The sum of all pixels is linear, and it is the area, π/4 times the *square* of the diameter. The diameter is its root.
# No weighted sum of pixels does it: averaged over all positions it would be a function of the area alone.
#
# ```python
# def diameters(pictures):
#     return (4 * pictures.sum((1, 2, 3)) / np.pi).sqrt()
# ```
#
# </details>
#
# **4.** Write a code (z1, z2) of the grid with affine R² of 1 and similarity R² below 0.9, and one with both below 0.1
# that still tells every two places apart. `xy` holds the places, `u` and `v` the same from −1 to 1.

# %%
stretched, wound = ..., ...  # your answer, [310, 2] each
checks.two_codes(stretched, wound, xy, fit_geometry)

# %% [markdown]
# <details><summary>Solution</summary>
#
# A stretch of one axis, or a shear, for the first. For the second, wind the plane up so often that no straight map can
# follow: a fast rotation by an angle that depends on the radius.
#
# ```python
# stretched = np.stack([5 * u, v], 1)
# radius, direction = np.hypot(u, v), np.arctan2(v, u)
# turn = direction + 20 * radius
# wound = np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)
# ```
#
# </details>
#
# ## What comes next
#
# [02 · Architecture](02_architecture.ipynb): an encoder, a decoder that grows an image of 64 × 64 pixels from a map of
# 2 × 2, and one that is told where each pixel is.
