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
# # Assignment 3 · Which latents matter
#
# **You will be able to** tell informative latents from idle ones, fit a code to its factors, and say which question
# each score answers, and to which it is blind.
#
# **You need** notebook 04.
#
# **Time**: 55 minutes. **Marks**: 25; 23 of them are given by machine, 2 by your teacher. A task that is graded by
# machine earns all its marks or none.
#
# Nothing is trained here: the encoders are functions that we know, so that every score has a value that can be derived.
# Write in the cells that raise `NotImplementedError`; keep the names of functions and arguments. What a function is
# given belongs to its caller: leave it as it is. When your work is graded, other sizes and edge cases are tried than in
# the checks that you see. In both, the library's own code for the task is not available; helpers of your own may have
# any name.

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
from sbd_utils import checks, generate_spaced_coordinates, plot_coordinate_grid, show

# %% [markdown]
# ## Task 1 · Average posterior variance (5 marks)
#
# **Given** a function `encoder` that takes images `[N, C, H, W]` and gives `mean, logvar`, `[N, K]` each, and
# `batches`, an iterable (perhaps one that can be gone through only once) of image batches that may differ in size.
#
# **Wanted** a tensor `[K]` without gradient: the posterior variance exp(logvar) of every latent, averaged over all
# images.
#
# <details><summary>Hint 1</summary>
#
# Three orders matter: logarithm and mean (the mean of what?), batches and images (what if the last batch is a small
# one?), and the encoder's two answers (which is the second?).
#
# </details>
# <details><summary>Hint 2</summary>
#
# Under `torch.no_grad()`, either collect `logvar.exp()` of all batches and `torch.cat` them, or carry a sum over images
# and their number.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "average_variance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def average_variance(encoder, batches) -> torch.Tensor:
    """Posterior variance of each latent, averaged over all images of all batches, [K]."""
    ### BEGIN SOLUTION: give the posterior variance of each latent, averaged over all images, [K]
    with torch.no_grad():
        return torch.cat([encoder(batch)[1].exp() for batch in batches]).mean(0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "average_variance-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.get_avg_variance):
    checks.average_variance(average_variance)
### BEGIN HIDDEN TESTS
for _sizes, _k, _seed in [([5, 5, 2], 10, 0), ([1], 3, 1), ([7, 1, 1, 3], 4, 2)]:
    _w = 2 * torch.randn(12, 2 * _k, generator=torch.Generator().manual_seed(_seed))
    _batches = [
        torch.randn(_n, 1, 3, 4, generator=torch.Generator().manual_seed(_n)) for _n in _sizes
    ]
    _w.requires_grad_()
    _right = torch.cat([(b.flatten(1) @ _w.detach())[:, _k:].exp() for b in _batches]).mean(0)

    def _encoder(x, w=_w, k=_k):
        return (x.flatten(1) @ w).split(k, 1)

    for _given in (_batches, iter(_batches)):
        with checks.without(sbd_utils.get_avg_variance):
            _got = checks.call(average_variance, encoder=_encoder, batches=_given)
        _what = f"the average variance over batches of {_sizes} images"
        checks.is_tensor(_got, (_k,), _what)
        checks.same(_got, _right, _what, tolerance=1e-4, absolute=0)
        checks.expect(not _got.requires_grad, "the result carries a gradient; use torch.no_grad().")
for _number in (-20.0, -8.0, 20.0):

    def _encoder(x, number=_number):
        return torch.zeros(len(x), 2), number * torch.ones(len(x), 2)

    with checks.without(sbd_utils.get_avg_variance):
        _got = checks.call(average_variance, encoder=_encoder, batches=_batches)
    _what = f"the average of variances whose logarithm is {_number:g}"
    checks.same(_got, np.exp([_number, _number]), _what, absolute=0)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 2 · The two that matter most (3 marks)
#
# **Given** average variances `[K]`, K ≥ 2, as a tensor.
#
# **Wanted** the indices of the two latents of least variance (the library calls them the *pair*), as two whole numbers,
# the least first; of equal ones the one with the lower index first.
#
# <details><summary>Hint 1</summary>
#
# Sorting does it, if the sort keeps the order of what is equal; that is called *stable*, and not every sort is.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.argsort(..., stable=True)`, or Python's `sorted` with a `key`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "informative_pair", "locked": false, "schema_version": 3, "solution": true, "task": false}
def informative_pair(avg_var: torch.Tensor) -> tuple[int, int]:
    """Indices of the two latents of least average variance, the least first."""
    ### BEGIN SOLUTION: give the indices of the two latents of least variance, the least first
    first, second = torch.argsort(avg_var, stable=True)[:2].tolist()
    return first, second
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "informative_pair-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
with checks.without(sbd_utils.get_smallest_pair, sbd_utils.informative_latents):
    checks.informative_pair(informative_pair)
### BEGIN HIDDEN TESTS
with checks.without(sbd_utils.get_smallest_pair, sbd_utils.informative_latents):
    for _values, _right in [
        ([0.2, 0.1], (1, 0)),
        ([1.0] * 40, (0, 1)),
        ([0.7, 0.2] * 30, (1, 3)),
        ([1.0, 1.0, 0.1, 0.1], (2, 3)),
        ([1.2, 0.7, 3.0, 0.7, 0.9], (1, 3)),
        ([2e-9, 1e-9, 5e-10], (2, 1)),
        ([2, 1, 0.6], (2, 1)),
    ]:
        for _dtype in (torch.float64, torch.float32):
            _got = checks.call(informative_pair, avg_var=torch.tensor(_values, dtype=_dtype))
            _what = f"the pair of {len(_values)} variances"
            checks.same(checks.parts(_got, 2, f"{_what}: give two indices."), _right, _what)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 3 · The affine fit (6 marks)
#
# **Given** positions `xy [N, 2]` and codes `z [N, 2]`, NumPy arrays, N ≥ 3, positions not on one line.
#
# **Wanted** `matrix [2, 2]`, `shift [2]` and `r2`: the least-squares fit `z ≈ xy @ matrix + shift`, and the smaller of
# the two coordinates' R² = 1 − (sum of squared residuals) / (sum of squares about the mean). A coordinate of z that is
# constant has nothing to be explained: then r2 is 0.
#
# <details><summary>Hint 1</summary>
#
# A shift is a matrix's row for a third coordinate that is always 1. For a constant code, both sums of squares are 0,
# or, since 0.1 is no exact number in a computer, nearly: ask for what makes it constant before you divide.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Append a column of ones to xy; `np.linalg.lstsq(a, z, rcond=None)[0]` is `[3, 2]`, its last row the shift. `np.ptp` is
# the distance from the least to the greatest.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "affine_fit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def affine_fit(xy: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """matrix [2, 2], shift [2] and the smaller R² of the least-squares fit z = xy @ matrix + shift."""
    ### BEGIN SOLUTION: give matrix, shift and the smaller of the two R²
    ones = np.concatenate([xy, np.ones((len(xy), 1))], 1)  # [N, 3]
    both = np.linalg.lstsq(ones, z, rcond=None)[0]  # [3, 2]
    residual = np.square(z - ones @ both).sum(0)
    total = np.square(z - z.mean(0)).sum(0)
    if (np.ptp(z, axis=0) == 0).any():  # the total is then 0 or, by rounding, nearly
        return both[:2], both[2], 0.0
    return both[:2], both[2], float((1 - residual / total).min())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "affine_fit-test", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.fit_geometry, sbd_utils.linear_probe, sbd_utils.held_out_r2]
_library += [sbd_utils.metrics.geometry._r2, checks.three_scores]
with checks.without(*_library):
    checks.affine_fit(affine_fit)
### BEGIN HIDDEN TESTS
for _n, _seed, _noise, _unit in [
    (3, 0, 0.0, 1),
    (40, 1, 1.0, 1),
    (200, 2, 0.1, 1),
    (25, 3, 5.0, 1),
    (30, 4, 1.0, 1e-3),
    (30, 5, 1.0, 1e3),
]:
    _g = np.random.default_rng(_seed)
    _xy = _unit * _g.uniform(8, 56, (_n, 2))
    _z = _xy @ _g.normal(size=(2, 2)) / 10
    _z += _unit * (_g.normal(size=2) + _noise * _g.normal(size=(_n, 2)))
    _right = sbd_utils.fit_geometry(_xy, _z)
    with checks.without(*_library):
        _matrix, _shift, _r2 = checks.three_values(checks.call(affine_fit, xy=_xy, z=_z))
    checks.same(_matrix, _right.affine[:2], f"the matrix for {_n} points", tolerance=1e-3)
    _size = np.abs(_z).max()
    checks.same(_shift / _size, _right.affine[2] / _size, f"the shift for {_n} points")
    checks.same(_r2, _right.affine_r2, f"r2 for {_n} points")
for _constant in (2.0, 0.1, -3.3, 1e-3):
    for _column in (0, 1):
        _flat = _xy.copy()
        _flat[:, _column] = _constant
        _what = f"r2 of a code whose coordinate {_column} is always {_constant}"
        with checks.without(*_library):
            _parts = checks.parts(checks.call(affine_fit, xy=_xy, z=_flat), 3, _what)
        checks.same(checks.is_number(_parts[2], _what), 0.0, _what)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 4 · Is it aligned? (5 marks)
#
# A straight grid may be turned: then every latent mixes x and y.
#
# **Given** `xy [N, 2]` and `z [N, 2]`, no column constant.
#
# **Wanted** a number in [0, 1]: take for each latent the largest of its two *squared* correlations, with x and with y;
# of the two latents' values, the smaller. 1 means that each latent follows one factor alone, whichever, in either
# direction.
#
# <details><summary>Hint 1</summary>
#
# Make the table of squared correlations, a row for each latent, a column for each factor. Along which of the two is the
# largest taken, and along which the smaller? Try it on a code whose two latents both follow x.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.corrcoef(a, b)[0, 1]` is the correlation of two columns; `z.T` goes through the latents.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "alignment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alignment(xy: np.ndarray, z: np.ndarray) -> float:
    """The smaller over latents of the largest squared correlation with a factor."""
    ### BEGIN SOLUTION: give the smaller over the latents of the largest squared correlation with x or y
    squared = np.array(
        [[np.corrcoef(latent, factor)[0, 1] ** 2 for factor in xy.T] for latent in z.T]
    )
    return float(squared.max(1).min())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "alignment-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.alignment, sbd_utils.fit_geometry, checks.three_scores]
with checks.without(*_library):
    checks.alignment(alignment)
### BEGIN HIDDEN TESTS
for _seed, _n, _unit in [(0, 50, 1), (1, 500, 1), (2, 4, 1), (3, 31, 1e-3), (4, 31, 1e3)]:
    _g = np.random.default_rng(_seed)
    _xy = _g.uniform(8, 56, (_n, 2))
    _z = (_xy @ _g.normal(size=(2, 2)) + 3 * _g.normal(size=(_n, 2))) * [1, 0.01] - 7
    _squared = np.corrcoef(_xy.T, _z.T)[2:, :2] ** 2  # [latents, factors]
    _right = _squared.max(1).min()
    for _order in ([0, 1], [1, 0]):
        with checks.without(*_library):
            _got = checks.call(alignment, xy=_unit * _xy, z=_unit * _z[:, _order])
        checks.same(_got, _right, f"alignment of {_n} points")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 5 · Predict, then compute (4 marks)
#
# Four codes of the positions on a grid, with (u, v) the position scaled to [−1, 1]²:
#
# - **turned**: (u, v) rotated by 45°. **swapped**: (v, −u).
# - **duplicated**: (u, u). **dead**: (u, noise), where the noise depends on nothing and its posterior variance is 1.
#
# And three scores: **fit**, the R² of `affine_fit` from positions to codes; **alignment**; and **read back**, the R² of
# `affine_fit` in the other direction, from codes to positions (for a duplicated code the least-squares fit is not
# unique, but its R² is).
#
# **Wanted** your prediction, *before* you run the cell after it: for each code a triple (fit, alignment, read back),
# each number one of 0, 0.5 and 1, the nearest.

# %% nbgrader={"grade": false, "grade_id": "predictions", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION: give predictions = {"turned": (fit, alignment, read back), "swapped": ..., "duplicated": ..., "dead": ...}
predictions = {
    "turned": (1, 0.5, 1),
    "swapped": (1, 1, 1),
    "duplicated": (1, 1, 0),
    "dead": (0, 0, 0),
}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "predictions-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
xx, yy, labels = generate_spaced_coordinates(12, 52, 31, 5)
uv = np.stack([xx - 32, yy - 32], 1) / 20
turn = np.sqrt(0.5) * np.array([[1, 1], [-1, 1]])
noise = np.random.default_rng(0).normal(size=len(uv))
codes = {
    "turned": uv @ turn,
    "swapped": np.stack([uv[:, 1], -uv[:, 0]], 1),
    "duplicated": uv[:, [0, 0]],
    "dead": np.stack([uv[:, 0], noise], 1),
}
checks.expect("predictions" in globals(), "there are no predictions yet.")
computed = {name: checks.three_scores(uv, z) for name, z in codes.items()}
checks.predictions(predictions, computed)
### BEGIN HIDDEN TESTS
_right = {"turned": (1, 0.5, 1), "swapped": (1, 1, 1), "duplicated": (1, 1, 0), "dead": (0, 0, 0)}
checks.predictions(predictions, _right)
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "codes-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
for ax, (name, z) in zip(axes, codes.items(), strict=True):
    plot_coordinate_grid(ax, *z.T, labels, names=("z1", "z2"))
    scores = [
        f"{v:.2f}" for v in (affine_fit(uv, z)[2], alignment(uv, z), affine_fit(z, uv)[2])
    ]  # by your functions
    ax.set_title(
        f"{name}\nfit {scores[0]}\nalignment {scores[1]}\nread back {scores[2]}", fontsize=9
    )
show(
    figure,
    "Four coded grids: turned by 45°, swapped, collapsed onto a diagonal line, and scattered along z2.",
)

# %% [markdown]
# Of two latents that say the same, the posterior variance finds both informative. Each score is a question; state which
# one you asked.

# %% [markdown]
# ## Task 6 · In one sentence (2 marks, graded by your teacher)
#
# The duplicated code has the fit and the alignment of a perfect one. In one sentence of at most 50 words: what has it
# lost, which score tells, and why can the other two not?

# %% [markdown] nbgrader={"grade": true, "grade_id": "in_one_sentence", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false} rubric=[["What is lost", 1], ["Why the others cannot tell", 1]]
# It has lost y, which reading back alone tells, because fit and alignment ask whether the latents follow from the
# positions, which two copies of u do, and only the other direction asks whether the positions follow from the latents.
#
# === BEGIN MARK SCHEME ===
# | | full marks | none |
# |---|---|---|
# | **What is lost** (1) | y (v), and reading back tells it | "information", or another score |
# | **Why the others cannot tell** (1) | they go from positions to codes, reading back from codes to positions | "they are 1" |
# === END MARK SCHEME ===
