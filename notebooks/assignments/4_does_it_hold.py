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
# # Assignment 4 · Does it hold?
#
# **You will be able to** plan a comparison of two decoders on a small budget, run it over pairs of runs, and write down
# what the result says and what it does not.
#
# **You need** notebook 05.
#
# **Time**: 120 minutes, of which about 10 are training on two cores. **Marks**: 25; 7 of them are given by machine, 18
# by your teacher, by the rubric at the end of this notebook. Read it before you begin. A task that is graded by machine
# earns all its marks or none.
#
# Write in the cells that raise `NotImplementedError` or say "Your answer". What a function is given belongs to its
# caller: leave it as it is.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import sys
from pathlib import Path

CLONE = Path("../..").resolve()  # of the course; elsewhere the library is installed, or lies here
if (CLONE / "sbd_utils").is_dir():
    sys.path.insert(0, str(CLONE))

import math
import time

import numpy as np
from matplotlib import pyplot as plt

from sbd_utils import checks, evaluate_circles, show, train_circles

# %% [markdown]
# ## Task 1 · A summary of pairs (4 marks)
#
# Two decoders trained with the same seed begin with the same encoder and see the same images and the same noise. These
# two runs are a **pair** (of runs; notebook 05's is of latents). What a seed does to both drops out of the pair's
# difference; so compare pair by pair, and not every run of the one with every run of the other.
#
# **Given** scores `a [S]` and `b [S]` of two decoders, lists or NumPy arrays, the same S ≥ 2 seeds in the same order.
#
# **Wanted** three numbers: the mean of the differences a − b; the standard error of this mean (the standard deviation
# of the differences, with S − 1, divided by √S); and the number of seeds with a > b.
#
# <details><summary>Hint 1</summary>
#
# Everything is made of one list: the differences, one for each pair. A seed at which both are equal is nobody's win.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.asarray(a, dtype=float)` makes a list an array and leaves the caller's as it is; `.std(ddof=1)` divides by S − 1.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "paired_summary", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paired_summary(a, b) -> tuple[float, float, int]:
    """Mean difference of paired scores [S], its standard error, and the number of seeds with a > b."""
    ### BEGIN SOLUTION: give the mean difference, its standard error, and the number of seeds with a > b
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    return float(difference.mean()), float(error), int((difference > 0).sum())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "paired_summary-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
checks.paired_summary(paired_summary)
### BEGIN HIDDEN TESTS
for _s, _seed, _unit in [(2, 0, 1), (3, 1, 1), (10, 2, 1), (101, 3, 1), (12, 4, 1e-5)]:
    _g = np.random.default_rng(_seed)
    _a, _b = _unit * _g.normal(size=_s), _unit * _g.normal(size=_s)
    _d = [x - y for x, y in zip(_a, _b, strict=True)]
    _mean = sum(_d) / _s
    _error = math.sqrt(sum((d - _mean) ** 2 for d in _d) / (_s - 1) / _s)
    for _kind in (np.asarray, list):
        _got = checks.three_numbers(checks.call(paired_summary, a=_kind(_a), b=_kind(_b)))
        _what = f"difference and error of {_s} pairs"
        checks.same(_got[:2], [_mean, _error], _what, absolute=1e-5 * _unit)
        checks.same(_got[2], sum(d > 0 for d in _d), f"wins of {_s} pairs")
_got = checks.call(paired_summary, a=[1.0, 2, 3], b=[1.0, 1, 4])
checks.same(checks.three_numbers(_got)[2], 1, "wins where one pair is equal")
### END HIDDEN TESTS


# %% [markdown]
# ## Task 2 · Could it be chance? (3 marks)
#
# If both decoders were equally good, who wins at a seed would be a fair coin's toss.
#
# **Given** the number of `wins` of the first decoder in `seeds` ≥ 1 tosses, without draws.
#
# **Wanted** the two-sided p-value of the sign test: the probability that a fair coin gives a result at least as far
# from `seeds` / 2, in either direction; at most 1.
#
# <details><summary>Hint 1</summary>
#
# List the outcomes, 0 to n wins, and mark those that are as far from n / 2 as yours, or farther, on either side. The
# p-value is the sum of their probabilities, and each has as many ways to happen as there are choices of which tosses
# are won.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A fair coin gives k heads in n tosses with probability `math.comb(n, k) / 2**n`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "sign_test", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sign_test(wins: int, seeds: int) -> float:
    """Two-sided p-value of `wins` heads in `seeds` tosses of a fair coin."""
    ### BEGIN SOLUTION: give the two-sided p-value
    far = abs(wins - seeds / 2)
    return (
        sum(math.comb(seeds, k) for k in range(seeds + 1) if abs(k - seeds / 2) >= far) / 2**seeds
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sign_test-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
checks.sign_test(sign_test)
### BEGIN HIDDEN TESTS
for _wins, _seeds, _right in [
    (1, 1, 1.0),
    (3, 3, 0.25),
    (2, 3, 1.0),
    (4, 20, 0.0118179),
    (12, 20, 0.5034447),
    (5, 10, 1.0),
    (0, 63, 2 / 2**63),
    (13, 22, 0.5234671),
    (70, 120, 0.0824075),
]:
    _what = f"sign_test({_wins}, {_seeds})"
    checks.same(sign_test(_wins, _seeds), _right, _what, tolerance=1e-5, absolute=0)
### END HIDDEN TESTS


# %% [markdown]
# Three pairs won out of three: p = 0.25. No sign test on three pairs can be convincing; the *sizes* of the differences
# may be, and must then be shown.
#
# ## Task 3 · Your question (by hand)
#
# Compare two decoders, over at least three seeds, in **one** respect of your choice. For instance: Does the broadcast
# decoder's advantage hold when both train for half as long? At another β? Without the channel y (`decoder="sbd-x"`)?
# When the deconv decoder is given coordinates (`"deconv-xy"`)? On larger batches?
#
# `train_circles("fast", decoder=..., seed=..., steps=...)` trains, and `evaluate_circles` scores: `geometry.affine_r2`,
# `geometry.similarity_r2`, `squared_error`, `informative`, `variances`. Six runs of 800 updates fit the budget.
# The schedules are stretched to the number of updates: with much fewer, β may rise before the code has woken up, and
# the picture then stays blank.
#
# What does "in one respect" mean when the recipe was found for one of the two decoders? Either both train by the same
# recipe, and your conclusion holds for that recipe; or each has a recipe that suits it, and you say which, how each was
# found, and that you took as much trouble over the one as over the other. Both are fair. Keyword arguments of
# `train_circles` replace the recipe's, for instance `lr=...`.
#
# Before you run anything, write: the question, the score that decides it, what you expect, and what would prove you
# wrong.

# %% [markdown] nbgrader={"grade": true, "grade_id": "question", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false} rubric=[["Question", 4]]
# Does the broadcast decoder's advantage in geometry hold when the deconv decoder gets coordinates, too? Score: affine
# R² of the evaluation grid after 800 updates, three seeds. I expect that "sbd" is ahead of "deconv-xy" at every seed,
# but by less than 0.2, because coordinates alone already help. I am wrong if deconv-xy is ahead at a seed, or if the
# mean difference is above 0.2.
#
# === BEGIN MARK SCHEME ===
# See the rubric, row "Question": 4 marks.
# === END MARK SCHEME ===

# %% [markdown]
# ## Task 4 · Your experiment (by hand)
#
# Record every run in `rows`, a list of dicts with `'decoder'`, `'seed'` and the numbers you need. When your work is
# graded this cell is *not* run again: what it printed and drew is read. So leave its output in the file.

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["not-run-for-grading"]
### BEGIN SOLUTION: train two decoders over at least three seeds and record every run in rows
STEPS, SEEDS = 800, [0, 1, 2]
rows = []
start = time.perf_counter()
for seed in SEEDS:
    for decoder in ("sbd", "deconv-xy"):
        model, history = train_circles(
            "fast", decoder=decoder, seed=seed, steps=STEPS, progress=False
        )
        scores = evaluate_circles(model)
        rows.append(
            dict(
                decoder=decoder,
                seed=seed,
                affine_r2=scores.geometry.affine_r2,
                squared_error=scores.squared_error,
            )
        )
        print(
            ", ".join(
                f"{k} {v if isinstance(v, str) else round(v, 3)}" for k, v in rows[-1].items()
            )
        )
print(f"{time.perf_counter() - start:.0f} s of training")
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "experiment-check", "locked": true, "schema_version": 3, "solution": false, "task": false} tags=["not-run-for-grading"]
checks.rows(rows)

# %% [markdown]
# Every run in a picture, the two of a pair connected by a line, and your functions on the numbers:

# %% nbgrader={"grade": false, "grade_id": "result", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["not-run-for-grading"]
### BEGIN SOLUTION: plot the score of every run, each pair connected; print paired_summary and sign_test
names = list(dict.fromkeys(row["decoder"] for row in rows))
a, b = ([row["affine_r2"] for row in rows if row["decoder"] == name] for name in names)
difference, error, wins = paired_summary(a, b)
print(
    f"{names[0]} - {names[1]}: {difference:.3f} ± {error:.3f}, ahead in {wins} of {len(a)} pairs",
    end="; ",
)
print(f"sign test p = {sign_test(wins, len(a)):.2f}")
figure, ax = plt.subplots(figsize=(3.5, 3))
for pair in zip(a, b, strict=True):
    ax.plot([0, 1], pair, "o-", color="#0072B2")
ax.set(xticks=[0, 1], xticklabels=names, xlim=(-0.3, 1.3), ylim=(0, 1.02), ylabel="affine R²")
show(figure, "Affine R² of two decoders, a line for each pair.")
### END SOLUTION

# %% [markdown]
# ## Task 5 · Your answer (by hand)
#
# At most 250 words: what you found (with the numbers, every seed), whether that was what you expected, what you
# conclude and for which conditions, and what could be wrong with it: at least one other explanation, and the run that
# would tell.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer", "locked": false, "points": 14, "schema_version": 3, "solution": true, "task": false} rubric=[["Fair comparison", 4], ["Evidence", 4], ["Conclusion", 3], ["What could be wrong", 3]]
# A complete answer names the values of the three pairs, their mean difference with its standard error, and says that
# three of three wins have p = 0.25. It says whether the prediction came true. It restricts the conclusion: 800 updates
# of this recipe on circles, with the recipe's learning rate, which was chosen with the broadcast decoder in mind.
# Another explanation: the deconv decoder learns more slowly per update but does fewer multiply-adds; at equal seconds
# it might win. The run that would tell: both for the same number of seconds, or until the score no longer changes.
#
# === BEGIN MARK SCHEME ===
# See the rubric, rows "Fair comparison" to "What could be wrong": 14 marks.
# === END MARK SCHEME ===

# %% [markdown]
# ## Rubric of the 18 marks by hand
#
# | | full marks | about half | none |
# |---|---|---|---|
# | **Question** (4) | one question; the score that decides it; a prediction that could fail, with what would refute it | question and score, but nothing could refute it | "compare the decoders" |
# | **Fair comparison** (4) | same seeds and data; the recipe of each decoder is named and argued, be it the same for both or one that suits each, found with as much care; what cannot be equal (parameters, time) is named | same seeds, but a second difference is not noticed, or a recipe is named and not argued | other seeds or data, or recipes that differ without a word |
# | **Evidence** (4) | every run shown, each pair connected, difference with standard error, sign test read rightly | means with error, runs not shown | one run, or the best run |
# | **Conclusion** (3) | follows from the numbers, restricted to the conditions; "no difference seen" is a fine answer | right direction, too general | contradicts the numbers, or none |
# | **What could be wrong** (3) | another explanation that would give the same numbers, and the run that would tell them apart | a limitation in general terms ("more seeds") | none |
