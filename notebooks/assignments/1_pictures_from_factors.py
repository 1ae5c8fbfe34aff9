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
# # Assignment 1 · Pictures from factors
#
# **You will be able to** render a shape so that its image changes continuously with its position, read that position
# back from the pixels, and say how many directions of pixel space two factors fill.
#
# **You need** notebook 01 and PyTorch's tensors.
#
# **Time**: 70 minutes. **Marks**: 25; 21 of them are given by machine, 4 by your teacher. A task that is graded by
# machine earns all its marks or none.
#
# Write in the cells that raise `NotImplementedError`; keep the names of functions and arguments. What a function is
# given belongs to its caller: leave it as it is. The check below each task says at once what it found. Passing it is
# not everything: when your work is graded, other sizes and edge cases are tried, too. In both, the library's own code
# for the task is not available; helpers of your own may have any name.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import sys
from pathlib import Path

CLONE = Path("../..").resolve()  # of the course; elsewhere the library is installed, or lies here
if (CLONE / "sbd_utils").is_dir():
    sys.path.insert(0, str(CLONE))

import numpy as np
import torch
from matplotlib import pyplot as plt

import sbd_utils
from sbd_utils import checks, plot_coordinate_grid, show

# %% [markdown]
# ## Task 1 · A circle with soft edges (6 marks)
#
# **Given** the centre `x`, `y` and the diameter `size` in pixels, any numbers, and the image's height and width
# `img_size`. The origin is the image's top-left corner, y grows downwards, and pixel (i, j), row i and column j, covers
# the square [j, j + 1) × [i, i + 1).
#
# **Wanted** a `float32` tensor `[img_size, img_size]` that holds, for every pixel, the part of it that the disc covers,
# between 0 and 1 and right to 0.05. A disc may be cut off by the frame or lie outside, and may be smaller than a pixel.
#
# The sum of all pixels is then close to the disc's area. The next cell shows the disc of diameter 10 at (20.5, 12.25),
# drawn by the library: white inside, grey where the edge crosses a pixel.

# %% nbgrader={"grade": false, "grade_id": "circle-wanted", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
wanted = sbd_utils.render_batch("ellipse", 20.5, 12.25, 10, img_size=32)[0, 0]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for ax in axes:
    ax.imshow(wanted, cmap="gray", vmin=0, vmax=1, extent=(0, 32, 32, 0))
axes[0].plot(20.5, 12.25, "+", color="#D55E00")
axes[0].set(title="wanted", xlabel="x (pixels)", ylabel="y (pixels)")
axes[1].set(
    title="its upper left, and the numbers", xlim=(14, 20), ylim=(13, 7), xlabel="x (pixels)"
)
for row in range(7, 13):
    for column in range(14, 20):
        value = wanted[row, column].item()
        color = "black" if value > 0.5 else "white"
        axes[1].text(column + 0.5, row + 0.5, f"{value:.2f}", color=color, ha="center", va="center")
show(
    figure,
    "A white disc on black about x = 20.5 and y = 12.25, and its upper left corner enlarged: pixels inside are 1, "
    "pixels outside 0, those that the edge crosses between.",
)

# %% [markdown]
# <details><summary>Hint 1: how to find the part that is covered</summary>
#
# No formula is needed: the part of a pixel that is covered is the part of many points in it that lie in the disc. How
# many points does it take for 0.05? And if they begin at the pixel's border, on which side is the picture too far?
#
# </details>
# <details><summary>Hint 2: in PyTorch</summary>
#
# Take 16 × 16 points in each pixel, with half a step to the pixel's border: at `(torch.arange(16 * img_size) + 0.5) /
# 16` along each axis. One comparison, then a mean over blocks of 16 × 16: `reshape(img_size, 16, img_size, 16)` and
# `mean((1, 3))`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "circle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def circle(x: float, y: float, size: float, img_size: int) -> torch.Tensor:
    """The part of every pixel that a disc of diameter `size` about (x, y) covers, [img_size, img_size]."""
    ### BEGIN SOLUTION: give the part of every pixel that the disc covers, as a tensor [img_size, img_size]
    at = (torch.arange(16 * img_size) + 0.5) / 16  # points along an axis, in pixels
    inside = (at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2  # [16 H, 16 W]
    return inside.float().reshape(img_size, 16, img_size, 16).mean((1, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "circle-test", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.render_batch, sbd_utils.draw_sprites]
_library += [sbd_utils.sprites._paint, sbd_utils.sprites._disc]
with checks.without(*_library):
    checks.circle(circle)
### BEGIN HIDDEN TESTS
_cases = [
    (8, 8.5, 3, 16),
    (0, 5, 9, 20),
    (25.3, 30.7, 17.3, 48),
    (-20, 4, 10, 24),
    (9.9, 19.5, 12, 20),
    (6, 6, 40, 13),
    (5.5, 3.5, 0.5, 9),
    (5.0, 3.5, 1, 9),
    (4.75, 4.25, 0.7, 8),
    (3000, 4, 10, 12),
    (4, 5, 500, 12),
]
_right = [sbd_utils.render_batch("ellipse", x, y, d, img_size=n)[0, 0] for x, y, d, n in _cases]
with checks.without(*_library):
    for _case, _picture in zip(_cases, _right, strict=True):
        _got, _what = circle(*_case), f"circle{_case}"
        checks.same_picture(_got, _picture, _what)
        checks.expect(_got.dtype == torch.float32, f"{_what} is not of dtype float32.")
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "circle-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
figure, axes = plt.subplots(1, 4, figsize=(9, 2.4))
for ax, x in zip(axes, [15.0, 15.4, 15.8, 16.2], strict=True):
    ax.imshow(circle(x, 12, 10, 28), cmap="gray", vmin=0, vmax=1, extent=(0, 28, 28, 0))
    ax.set(title=f"x = {x}", xlabel="pixels")
show(
    figure,
    "Four pictures of a disc that moves right by 0.4 pixels at a time; only grey levels at its edge change.",
)

# %% [markdown]
# ## Task 2 · Lines on the plane (5 marks)
#
# **Given** bounds `low` < `high`, the number of points along a line `num_points` ≥ 2 and the number of lines of each
# kind `levels` ≥ 1.
#
# **Wanted** three NumPy arrays `xx, yy, labels`, each of length 2 · `levels` · `num_points`: first the points of
# `levels` vertical lines, from left to right, then those of `levels` horizontal lines, from top to bottom. Lines are
# evenly spaced from `low` to `high`, both included (a single line is at `low`), and so are the points along each line.
# The label is the number of the line, 0 … 2 · `levels` − 1. With `levels=2, num_points=3`, from 0 to 10:
#
# | | line 0 | line 1 | line 2 | line 3 |
# |---|---|---|---|---|
# | `xx` | 0, 0, 0 | 10, 10, 10 | 0, 5, 10 | 0, 5, 10 |
# | `yy` | 0, 5, 10 | 0, 5, 10 | 0, 0, 0 | 10, 10, 10 |
# | `labels` | 0, 0, 0 | 1, 1, 1 | 2, 2, 2 | 3, 3, 3 |
#
# <details><summary>Hint 1</summary>
#
# Read the table by columns: on a vertical line x is fixed and y runs; on a horizontal one the same two arrays change
# places. So two arrays are enough, one in which each number stays for a whole line, and one in which a whole line's
# numbers come again and again.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.repeat([a, b], 3)` is a, a, a, b, b, b and `np.tile([a, b], 3)` is a, b, a, b, a, b. `np.linspace` includes both
# ends.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "spaced_coordinates", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spaced_coordinates(low: float, high: float, num_points: int, levels: int) -> tuple:
    """xx, yy and labels of points along `levels` vertical and then `levels` horizontal lines."""
    ### BEGIN SOLUTION: give xx, yy and labels, each of length 2 * levels * num_points
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "spaced_coordinates-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.generate_spaced_coordinates):
    checks.coordinates(spaced_coordinates)
### BEGIN HIDDEN TESTS
_cases = [(0, 1, 5, 3), (-3.5, 7, 4, 1), (10, 20, 2, 6), (12, 52, 31, 5), (-1e-4, 2e-4, 7, 2)]
_right = [sbd_utils.generate_spaced_coordinates(*case) for case in _cases]
with checks.without(sbd_utils.generate_spaced_coordinates):
    for _case, _arrays in zip(_cases, _right, strict=True):
        _got = checks.three_arrays(spaced_coordinates(*_case), len(_arrays[0]))
        _precision = 1e-5 * (_case[1] - _case[0])
        for _name, _values, _expected in zip(["xx", "yy", "labels"], _got, _arrays, strict=True):
            _what = f"{_name} of spaced_coordinates{_case}"
            checks.same(_values, _expected, _what, tolerance=1e-5, absolute=_precision)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "grid-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
figure, ax = plt.subplots(figsize=(3.4, 3.4))
plot_coordinate_grid(ax, *spaced_coordinates(12, 52, 31, 5))
ax.invert_yaxis()
show(
    figure,
    "Five vertical solid lines and five horizontal dashed ones; each starts with a dot at the left or the top.",
)

# %% [markdown]
# ## Task 3 · Where is the light? (4 marks)
#
# **Given** images `[N, H, W]`, brightnesses of any size that are not negative, some light in every image, H and W not
# necessarily equal.
#
# **Wanted** a tensor `[N, 2]`: for every image the mean position (x, y) of its light in pixels, where each pixel stands
# for its middle and counts by its brightness. An image with one bright pixel in row 1 and column 4 has its centre of
# mass at (4.5, 1.5).
#
# <details><summary>Hint 1</summary>
#
# For x it does not matter in which row the light is: first find how much light each column holds. Then it is a mean of
# the columns' middles, each counted by that light. The same with rows for y. What must it all be divided by?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `images.sum(1)` is the light of every column, `[N, W]`; the middles are `torch.arange(W) + 0.5`; `images.sum((1, 2))`
# is the light of every image, `[N]`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "center_of_mass", "locked": false, "schema_version": 3, "solution": true, "task": false}
def center_of_mass(images: torch.Tensor) -> torch.Tensor:
    """Mean position (x, y) of the light in images [N, H, W], in pixels, [N, 2]."""
    ### BEGIN SOLUTION: give the mean position (x, y) of every image's light, as a tensor [N, 2]
    height, width = images.shape[1:]
    x = (images.sum(1) * (torch.arange(width) + 0.5)).sum(1)  # [N]
    y = (images.sum(2) * (torch.arange(height) + 0.5)).sum(1)
    return torch.stack([x, y], 1) / images.sum((1, 2))[:, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "center_of_mass-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.center_of_mass):
    checks.center_of_mass(center_of_mass)
### BEGIN HIDDEN TESTS
for _shape, _brightness in [
    ((5, 7, 9), 1.0),
    ((1, 16, 16), 1e-3),
    ((3, 1, 12), 40.0),
    ((4, 64, 64), 1.0),
    ((2, 6, 5), 1e-9),
    ((2, 1, 1), 1e9),
]:
    _images = _brightness * torch.rand(_shape, generator=torch.Generator().manual_seed(sum(_shape)))
    _rows, _columns = torch.arange(_shape[1]) + 0.5, torch.arange(_shape[2]) + 0.5
    _light = _images.sum((1, 2))
    _x = (_images * _columns).sum((1, 2)) / _light
    _y = (_images * _rows[:, None]).sum((1, 2)) / _light
    for _given in (_images, _images.double()):
        with checks.without(sbd_utils.center_of_mass):
            _got = checks.call(center_of_mass, images=_given)
        _what = f"the centre of mass of {_given.dtype} images of shape {list(_shape)}"
        checks.is_tensor(_got, (_shape[0], 2), _what)
        checks.same(_got, torch.stack([_x, _y], 1), _what, tolerance=1e-3)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 4 · Does the centre of mass follow the factor? (2 marks)
#
# One number should answer that, and it should be the worst case.
#
# **Given** a function `render(x, y, size, img_size)` that draws like `circle`, a function `measure` that takes images
# `[N, H, W]` and gives positions `[N, 2]`, true `positions [N, 2]`, and `img_size`.
#
# **Wanted** a number: circles of size 10 are drawn at all positions and measured; what is the largest distance, in
# pixels, between a true position and the one that was measured?


# %% nbgrader={"grade": false, "grade_id": "worst_error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def worst_error(render, measure, positions: torch.Tensor, img_size: int = 64) -> float:
    """Largest distance in pixels between positions [N, 2] and what `measure` finds in pictures of circles of size 10."""
    ### BEGIN SOLUTION: give the largest distance between the true and the measured positions, in pixels
    images = torch.stack([render(x, y, 10, img_size) for x, y in positions.tolist()])  # [N, H, W]
    return (measure(images) - positions).norm(dim=1).max().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "worst_error-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
checks.worst_error(worst_error)
### BEGIN HIDDEN TESTS
for _off, _n in [
    ([[0.3, -0.4]], 24),
    ([[-1.0, 0], [0, 0.5], [0, 0], [0.1, 0.1]], 40),
    ([[0.0, 0.0], [5.0, -12.0]], 64),
    ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 16),
]:
    _off = torch.tensor(_off)
    _positions = torch.rand(len(_off), 2, generator=torch.Generator().manual_seed(_n)) * _n
    _render, _measure = checks.fake_instruments(_positions, _off, _n)
    _given = dict(render=_render, measure=_measure, positions=_positions, img_size=_n)
    _what = f"the largest of {len(_off)} distances"
    checks.same(checks.call(worst_error, **_given), _off.norm(dim=1).max(), _what)
### END HIDDEN TESTS


# %% [markdown]
# Now your functions together: smooth circles, and, as a control, circles whose centre was rounded to whole pixels.
# Half a pixel in x and half in y makes at most 0.71. Which of the two could a network learn to place to a tenth of a
# pixel?

# %% nbgrader={"grade": false, "grade_id": "follow", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
positions = 8 + 16 * torch.rand(100, 2, generator=torch.Generator().manual_seed(0))
print(f"smooth:  off by at most {worst_error(circle, center_of_mass, positions, 32):.2f} pixels")


def rounded_circle(x, y, size, img_size):
    return circle(round(x), round(y), size, img_size)


print(
    f"rounded: off by at most {worst_error(rounded_circle, center_of_mass, positions, 32):.2f} pixels"
)

# %% [markdown]
# ## Task 5 · How many directions? (4 marks)
#
# **Given** images `[N, H, W]`, at least two, not all the same.
#
# **Wanted** the PCA spectrum: a tensor of length min(N, H · W) that holds the share of the variance along each
# principal direction, the largest first. The shares add up to 1.
#
# <details><summary>Hint 1</summary>
#
# An image is a point in a space with a dimension for each pixel. Variance is about the mean, here the mean image. The
# principal directions are those of a singular value decomposition of the points, and a singular value grows like a
# standard deviation, not like a variance.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `images.flatten(1)` is `[N, D]`. `torch.linalg.svdvals` gives the singular values in descending order; a variance is a
# singular value squared, divided by a number that cancels.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "spectrum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spectrum(images: torch.Tensor) -> torch.Tensor:
    """Share of the variance of images [N, H, W] along each principal direction, [min(N, H * W)], the largest first."""
    ### BEGIN SOLUTION: give the shares of the variance along the principal directions, the largest first
    flat = images.flatten(1)  # [N, D]
    variances = torch.linalg.svdvals(flat - flat.mean(0)).square()
    return variances / variances.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "spectrum-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
checks.spectrum(spectrum)
### BEGIN HIDDEN TESTS
for _n, _h, _w, _light in [
    (50, 3, 4, 1),
    (6, 8, 8, 1),
    (2, 5, 5, 1),
    (12, 3, 4, 1),
    (7, 1, 1, 1),
    (9, 4, 4, 1e-5),
]:
    _noise = torch.rand(_n, _h, _w, generator=torch.Generator().manual_seed(_n))
    _images = _light * (3 * _noise + 2)
    _flat = _images.flatten(1).double()
    _centered = _flat - _flat.mean(0)
    _values = torch.linalg.eigvalsh(_centered @ _centered.T).flip(0)[: min(_n, _h * _w)]
    for _given in (_images, _images.double()):
        _what = f"the spectrum of {_n} images of {_h} x {_w}, {_given.dtype}"
        _got = checks.call(spectrum, images=_given.clone())
        checks.is_tensor(_got, (min(_n, _h * _w),), _what)
        checks.same(_got, _values / _values.sum(), _what)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "spectrum-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
where = torch.rand(
    400, 2, generator=torch.Generator().manual_seed(1)
)  # two factors, uniform in [0, 1]²
lamps = torch.stack(
    [circle(9, 16, 8, 32), circle(23, 16, 8, 32)]
)  # two discs that stay where they are
families = {
    "two lamps that change brightness": torch.einsum("nk,khw->nhw", where, lamps),
    "a circle of size 12 that moves": torch.stack(
        [circle(x, y, 12, 32) for x, y in (8 + 16 * where).tolist()]
    ),
    "a circle of size 6 that moves": torch.stack(
        [circle(x, y, 6, 32) for x, y in (8 + 16 * where).tolist()]
    ),
}
figure, ax = plt.subplots(figsize=(6, 3.2))
for (name, images), style in zip(families.items(), ["s-", "-", "--"], strict=True):
    total = spectrum(images).cumsum(0)
    count = int((total < 0.95).sum()) + 1
    ax.plot(torch.arange(1, 201), 100 * total[:200], style, markersize=3, label=f"{name}: {count}")
    print(f"{name}: {count} directions hold 95 % of the variance")
ax.set(xscale="log", xlabel="principal directions kept", ylabel="variance held (%)", ylim=(0, 103))
ax.legend(title="directions for 95 %", loc="lower right", fontsize=8)
show(
    figure,
    "Variance held against directions kept: two lamps need two, a moving circle dozens, a small one the most.",
)

# %% [markdown]
# ## Task 6 · In your words (4 marks, graded by your teacher)
#
# All three families have two factors. In about 120 words: (a) Why do the lamps need two directions, and the circles
# dozens? (b) Why does the smaller circle need more? (c) What does that mean for an encoder and a decoder that are to
# hold the moving circle in two numbers?

# %% [markdown] nbgrader={"grade": true, "grade_id": "explanation", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false} rubric=[["Lamps", 1], ["Motion", 1], ["The smaller circle", 1], ["Encoder and decoder", 1]]
# The lamps' images are a fixed picture times a factor, plus another one times the other factor: all lie in one plane,
# which two directions span. A circle's image is not a linear function of its position: from one circle to the other,
# pixels turn on one after the other, and each needs directions of its own. The images form a sheet of two dimensions
# that bends through dozens. A smaller circle leaves its old place sooner: images of positions a few pixels apart share
# no light, so the sheet bends more sharply. Two numbers are enough to name a point of the sheet, but no linear decoder
# draws a bent sheet from two numbers: it has to be non-linear. To read the position is easier: the centre of mass is
# linear in the pixels if all images have the same light.
#
# === BEGIN MARK SCHEME ===
# | | full marks | none |
# |---|---|---|
# | **Lamps** (1) | linear in the factors: two pictures span a plane | only a number from the figure |
# | **Motion** (1) | not linear in the pixels: a bent sheet of two dimensions | "circles are more complicated" |
# | **The smaller circle** (1) | neighbours overlap less, or: higher spatial frequencies | only a number from the figure |
# | **Encoder and decoder** (1) | two numbers suffice, and the decoder has to be non-linear | one without the other |
# === END MARK SCHEME ===
