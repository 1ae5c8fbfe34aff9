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
# # Assignment 5 · Slots by hand
#
# **You will be able to** make a scene of slots and take it apart: masks, the mixture's likelihood, the scores that tell
# objects from tiles, and a scene from which one object is taken out.
#
# **You need** notebook 09.
#
# **Time**: 60 minutes. **Marks**: 25; 22 of them are given by machine, 3 by your teacher. A task that is graded by
# machine earns all its marks or none.
#
# Nothing is trained here, and no network is needed. Write in the cells that raise `NotImplementedError`; keep the names
# of functions and arguments. What a function is given belongs to its caller: leave it as it is. When your work is
# graded, other sizes and edge cases are tried than in the checks that you see. In both, the library's own code for the
# task is not available; helpers of your own may have any name.

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
from sbd_utils import checks, plot_strip, show

# %% [markdown]
# ## Task 1 · Masks (4 marks)
#
# **Given** logits `[N, K, 1, H, W]` of N scenes of K slots, a floating-point tensor.
#
# **Wanted** masks of the same shape, each between 0 and 1, which sum to 1 over the slots at every pixel: exp of the
# logit, over the sum of the exps of all slots there. Logits may be of any size, 1,000 or −1,000.
#
# <details><summary>Hint 1</summary>
#
# Which of the five axes is the one that things compete along? And where a computer cannot hold the exponential of a
# large number: what can be added to the logits of all slots of a pixel without changing the masks?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `logits.softmax(dim)` takes the greatest logit off first. Its `dim` is the question.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "slot_masks", "locked": false, "schema_version": 3, "solution": true, "task": false}
def slot_masks(logits: torch.Tensor) -> torch.Tensor:
    """Masks [N, K, 1, H, W] that sum to 1 over the slots."""
    ### BEGIN SOLUTION: give the softmax of the logits over the slots
    return logits.softmax(1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "slot_masks-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
_library = [
    sbd_utils.Layers.masks.fget,
    sbd_utils.Layers.log_masks.fget,
    sbd_utils.Layers.image.fget,
    sbd_utils.mixture,
]
with checks.without(*_library):
    checks.slot_masks(slot_masks)
### BEGIN HIDDEN TESTS
for _shape, _scale, _dtype in [
    ((1, 1, 1, 1, 1), 1, torch.float32),
    ((3, 7, 1, 4, 5), 3, torch.float32),
    ((2, 5, 1, 8, 8), 1, torch.float64),
    ((4, 2, 1, 3, 1), 700, torch.float32),
    ((5, 5, 1, 5, 5), 1, torch.float32),
]:
    _g = torch.Generator().manual_seed(len(_shape) + _shape[1])
    _logits = _scale * torch.randn(_shape, generator=_g, dtype=_dtype)
    _highest = _logits.amax(1, keepdim=True)
    _right = (_logits - _highest).exp() / (_logits - _highest).exp().sum(1, keepdim=True)
    with checks.without(*_library):
        _got = checks.call(slot_masks, logits=_logits)
    checks.is_tensor(_got, _shape, f"the masks of logits {list(_shape)}")
    checks.same(_got, _right, f"the masks of logits {list(_shape)}")
_given = checks.differentiable(torch.tensor([0.3, -0.2, 1.0]).view(1, 3, 1, 1, 1))
_weights = torch.tensor([1.0, 2.0, -1.0]).view(1, 3, 1, 1, 1)
(_slope,) = checks.gradients(slot_masks(_given), [_given], _weights)
(_wanted,) = checks.gradients(_given.softmax(1), [_given], _weights)
checks.gradient_reaches(_slope, _wanted, "logits", "the masks could not be learned.")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 2 · The mixture (6 marks)
#
# **Given** `images [N, C, H, W]`; `pictures [N, K, C, H, W]`, what every slot would paint; `logits [N, K, 1, H, W]` of
# the masks; and a number `w` > 0.
#
# **Wanted** a tensor `[N]`: the log-likelihood of each scene, less a constant. A pixel $x$ (all its channels together)
# is slot $k$'s with probability $m_k$, and then has the density $\exp(-w \lVert x - \hat x_k \rVert^2)$; pixels are
# independent. Errors may be so large that every exp is 0 in a computer; the answer is a finite number all the same.
#
# <details><summary>Hint 1</summary>
#
# Alternatives add, independent things multiply. What are the alternatives here, and what is independent? That says
# where each sum stands: inside the logarithm or outside, and which of them goes over channels.
#
# </details>
# <details><summary>Hint 2</summary>
#
# log of a sum of exps is `torch.logsumexp`; a mask inside it becomes its logarithm, `log_softmax`. Add the squared
# error of the channels first.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "log_likelihood", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_likelihood(
    images: torch.Tensor, pictures: torch.Tensor, logits: torch.Tensor, w: float
) -> torch.Tensor:
    """The log-likelihood [N] of scenes under the mixture of their slots, less a constant."""
    ### BEGIN SOLUTION: give the sum over pixels of log of the sum over slots of mask * exp(-w * squared error)
    error = (images[:, None] - pictures).square().sum(2, keepdim=True)  # [N, K, 1, H, W]
    parts = logits.log_softmax(1) - w * error
    return parts.logsumexp(1).sum((1, 2, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "log_likelihood-test", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.Layers.masks.fget, sbd_utils.Layers.log_masks.fget, sbd_utils.mixture]
with checks.without(*_library):
    checks.log_likelihood(log_likelihood)
### BEGIN HIDDEN TESTS
for _seed, (_n, _k, _c, _h, _x), _w in [
    (0, (1, 1, 1, 1, 1), 1.0),
    (1, (3, 4, 3, 5, 2), 0.5),
    (2, (2, 2, 1, 3, 3), 30.0),
    (3, (2, 5, 3, 4, 4), 3e4),
    (4, (3, 3, 3, 3, 3), 2.0),
]:
    _g = torch.Generator().manual_seed(_seed)
    _images = torch.rand(_n, _c, _h, _x, generator=_g)
    _pictures = torch.rand(_n, _k, _c, _h, _x, generator=_g)
    _logits = 2 * torch.randn(_n, _k, 1, _h, _x, generator=_g)
    _layers = sbd_utils.Layers(_pictures, _logits)
    _right = sbd_utils.mixture(_images, _layers, _w).logsumexp(1).sum((1, 2, 3))
    with checks.without(*_library):
        _got = checks.call(log_likelihood, images=_images, pictures=_pictures, logits=_logits, w=_w)
    _what = f"the log-likelihood of {_n} scenes of {_k} slots, w = {_w:g}"
    checks.is_tensor(_got, (_n,), _what)
    checks.same(_got, _right, _what, tolerance=1e-3)
_given = checks.differentiable(_pictures)
(_slope,) = checks.gradients(log_likelihood(_images, _given, _logits, 2.0), [_given], torch.ones(3))
_likely = sbd_utils.mixture(_images, sbd_utils.Layers(_given, _logits), 2.0).logsumexp(1)
(_wanted,) = checks.gradients(_likely.sum((1, 2, 3)), [_given], torch.ones(3))
checks.gradient_reaches(_slope, _wanted, "pictures", "nothing could be learned by it.")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 3 · Two indices (7 marks)
#
# **Given** two partitions of P pixels, `true [P]` and `found [P]`, NumPy arrays of whole numbers: to which thing a
# pixel belongs (0 is the ground), and which slot has it. Numbers have no meaning but for the truth's 0. Some pixel is
# an object's.
#
# **Wanted** two numbers, the adjusted Rand index of all pixels, and that of the pixels that are an object's. With
# $n_{ij}$ the number of pixels of thing $i$ in slot $j$, $a_i$ and $b_j$ its sums over slots and over things, and
# $\binom n2 = n(n-1)/2$ the pairs among $n$:
#
# $$\frac{\sum_{ij} \binom{n_{ij}}2 - E}{\frac12\Big(\sum_i \binom{a_i}2 + \sum_j \binom{b_j}2\Big) - E}, \qquad
# E = \frac{\sum_i \binom{a_i}2 \sum_j \binom{b_j}2}{\binom P2}.$$
#
# Where this is 0 / 0, both partitions are the same, a single part or nothing but single pixels: then it is 1.
#
# <details><summary>Hint 1</summary>
#
# Write one function for two partitions, and call it twice. Whose word decides which pixels are the foreground's? When
# are numerator and denominator both zero, and in how many ways?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.unique(true, return_inverse=True)` numbers the parts from 0; `np.histogram2d`, or a loop over the parts, fills the
# table. `true > 0` would do for the foreground, if no number is negative; `true != 0` does in any case.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "two_indices", "locked": false, "schema_version": 3, "solution": true, "task": false}
def two_indices(true: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """The adjusted Rand index of all pixels, and that of the pixels where true is not 0."""

    ### BEGIN SOLUTION: give the index of all pixels, and that of the pixels that are an object's
    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    def index(true, found):
        table = np.array(
            [
                [((true == t) & (found == f)).sum() for f in np.unique(found)]
                for t in np.unique(true)
            ]
        )
        both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
        chance = rows * columns / max(pairs(np.array(len(true))), 1)
        room = (rows + columns) / 2 - chance
        return float((both - chance) / room) if room else 1.0

    seen = true != 0
    return index(true, found), index(true[seen], found[seen])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "two_indices-test", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.adjusted_rand_index, sbd_utils.score_segmentation]
_library += [sbd_utils.metrics.segmentation._adjusted_rand_index]
_library += [checks.slots_by_hand._index, checks.slots_by_hand.mistaken_indices]
with checks.without(*_library[:3]):
    checks.two_indices(two_indices)
### BEGIN HIDDEN TESTS
for _seed, _points, _things, _slots in [
    (0, 20, 3, 3),
    (1, 300, 5, 5),
    (2, 1024, 4, 7),
    (3, 50, 2, 1),
    (4, 7, 7, 7),
    (5, 2000, 3, 2),
]:
    _g = np.random.default_rng(_seed)
    _true = _g.integers(0, _things, _points)
    _true[0] = 1
    _found = np.where(_g.random(_points) < 0.7, _true, _g.integers(0, _slots, _points)) * 3 - 4
    if _slots == 1:
        _found[:] = 8
    _seen = _true != 0
    _right = [
        sbd_utils.adjusted_rand_index(_true[None], _found[None])[0],
        sbd_utils.adjusted_rand_index(_true[None, _seen], _found[None, _seen])[0],
    ]
    with checks.without(*_library):
        _got = checks.call(two_indices, true=_true, found=_found)
    _what = f"the indices of {_points} pixels, {_things} things, {_slots} slots"
    checks.same(checks.parts(_got, 2, _what), _right, _what)
for _true, _found, _right in [
    ([1, 2, 3], [4, 5, 6], (1, 1)),
    ([1, 1, 1], [4, 4, 4], (1, 1)),
    ([0, 0, 1], [0, 0, 0], (0, 1)),
    ([0, 5, 5, -3, -3], [1, 1, 1, 1, 2], None),
    ([0, 0, 1, 1], [1, 1, 0, 0], (1, 1)),
    ([1, 1, 2, 2], [1, 2, 1, 2], (-0.5, -0.5)),
    ([0, 0, 0, 1, 1, 2, 2], [3, 3, 4, 0, 0, 0, 5], None),
]:
    _what = f"the indices of {_true} and {_found}"
    if _right is None:
        _pixels = np.array([_true, _found])
        _kept = _pixels[:, _pixels[0] != 0]
        _right = [sbd_utils.adjusted_rand_index(a[None], b[None])[0] for a, b in (_pixels, _kept)]
    with checks.without(*_library):
        _got = checks.call(two_indices, true=np.array(_true), found=np.array(_found))
    checks.same(checks.parts(_got, 2, _what), _right, _what)
### END HIDDEN TESTS


# %% [markdown]
# ## Task 4 · One object less (5 marks)
#
# **Given** one scene's slots, `pictures [K, C, H, W]` and `logits [K, 1, H, W]`, K ≥ 2, and the number of a `slot`.
#
# **Wanted** the scene `[C, H, W]` as it is without that slot. What it hid must come forth.
#
# <details><summary>Hint 1</summary>
#
# A painter who takes a figure off the stage sees what was behind it. What did the others' masks sum to before, where
# the figure stood, and what must they sum to now?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Keep the other slots' rows, and take the softmax of *their* logits. An entry of minus infinity does the same; one of 0
# does not.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "scene_without", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scene_without(pictures: torch.Tensor, logits: torch.Tensor, slot: int) -> torch.Tensor:
    """The blend [C, H, W] of all slots but one."""
    ### BEGIN SOLUTION: give the blend of the slots that are left
    kept = [k for k in range(len(logits)) if k != slot]
    masks = logits[kept].softmax(0)
    return (masks * pictures[kept]).sum(0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "scene_without-test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
_library = [sbd_utils.Layers.masks.fget, sbd_utils.Layers.image.fget, sbd_utils.mixture]
with checks.without(*_library):
    checks.scene_without(scene_without)
### BEGIN HIDDEN TESTS
for _seed, (_k, _c, _h, _x), _scale in [
    (0, (2, 1, 1, 1), 1),
    (1, (5, 3, 8, 8), 2),
    (2, (3, 3, 3, 3), 300),
    (3, (7, 1, 2, 5), 1),
]:
    _g = torch.Generator().manual_seed(_seed)
    _pictures = torch.rand(_k, _c, _h, _x, generator=_g)
    _logits = _scale * torch.randn(_k, 1, _h, _x, generator=_g)
    for _slot in range(_k):
        _kept = [k for k in range(_k) if k != _slot]
        _right = sbd_utils.Layers(_pictures[None, _kept], _logits[None, _kept]).image[0]
        with checks.without(*_library):
            _got = checks.call(scene_without, pictures=_pictures, logits=_logits, slot=_slot)
        _what = f"the scene without slot {_slot} of {_k}"
        checks.is_tensor(_got, (_c, _h, _x), _what)
        checks.same(_got, _right, _what)
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "scene-picture", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
x, y = torch.tensor([24.0, 34.0, 30.0]), torch.tensor([26.0, 32.0, 40.0])
cover = sbd_utils.render_batch("ellipse", x, y, size=22.0)  # [3, 1, 64, 64], 1 where a disc is
depth = torch.tensor([0.0, 10.0, 20.0]).view(3, 1, 1, 1)  # the last lies in front
logits = torch.cat([torch.zeros(1, 1, 64, 64), (20 + depth) * (2 * cover - 1)])
colors = torch.tensor([[0.1, 0.1, 0.2], [0.9, 0.6, 0.0], [0.3, 0.7, 0.9], [0.8, 0.2, 0.1]])
pictures = colors[:, :, None, None].expand(-1, -1, 64, 64)
whole = (slot_masks(logits[None])[0] * pictures).sum(0)
rows = [whole, *(scene_without(pictures, logits, slot) for slot in range(4))]  # by your functions
figure, ax = plt.subplots(figsize=(8, 2))
plot_strip(ax, torch.stack(rows), ["scene", *(f"without {slot}" for slot in range(4))])
show(
    figure, "Three discs that overlap; the scene without its ground, and without each of the discs."
)

# %% [markdown]
# ## Task 5 · A score that saw nothing (3 marks, graded by your teacher)
#
# A paper reports a foreground ARI of 0.81 on sprites before a black ground, and shows no masks. In at most 60 words:
# what may its slots look like all the same, which number would you ask for, and what would you put beside it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "a_score_that_saw_nothing", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} rubric=[["What the slots may be", 1], ["Which number", 1], ["What beside it", 1]]
# Tiles of the plane, each with the sprite that lies in it: black costs nothing to paint, and the score does not look at
# the ground. I would ask for the ARI of all pixels (or the masks), and beside it for the same two numbers of tiles that
# look at no image, and of k-means by colour and position.
#
# === BEGIN MARK SCHEME ===
# | | full marks | none |
# |---|---|---|
# | **What the slots may be** (1) | tiles, or ground and sprites together, and the score leaves the ground out | "bad" |
# | **Which number** (1) | ARI of all pixels, the overlap (IoU) of a sprite and its slot, or the masks themselves | the squared error, more seeds |
# | **What beside it** (1) | a control (Voronoi tiles, k-means, random slots) or the ceiling of the resolution | nothing |
# === END MARK SCHEME ===
