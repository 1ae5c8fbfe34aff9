"""Assignment 4: right answers in other forms pass; wrong ones are told what is wrong."""

import pytest

from sbd_utils import checks
from tests.checks.cells import edit, solution, told

SUMMARY, SIGN = solution(4, "paired_summary"), solution(4, "sign_test")

RIGHT = {
    "by statistics, a list": (
        "paired_summary",
        """
import statistics

def paired_summary(a, b):
    d = [float(x) - float(y) for x, y in zip(a, b)]
    return [statistics.mean(d), statistics.stdev(d) / len(d) ** 0.5, len([x for x in d if x > 0])]
""",
    ),
    "in float32, an array": (
        "paired_summary",
        """
def paired_summary(a, b):
    d = np.asarray(a, np.float32) - np.asarray(b, np.float32)
    return np.array([d.mean(), d.std(ddof=1) / np.sqrt(len(d)), (d > 0).sum()], np.float32)
""",
    ),
    "twice the smaller tail": (
        "sign_test",
        """
def sign_test(wins, seeds):
    fewer = min(wins, seeds - wins)
    tail = sum(math.comb(seeds, k) * 0.5**seeds for k in range(fewer + 1))
    return np.float32(min(1, 2 * tail))
""",
    ),
}


@pytest.mark.parametrize(("task", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_in_another_form_passes(task, answer):
    assert told(4, task, answer) is None


CHANGED = "your function changes {}, which its caller may still need"
WRONG = {
    # changed in place: nothing is said about the standard error, which was right
    "a -= b": ("paired_summary", CHANGED.format("a"), "def paired_summary(a, b):\n    a -= b\n    return a.mean(), a.std(ddof=1) / len(a) ** 0.5, (a > 0).sum()"),
    "sorted": ("paired_summary", CHANGED.format("b"), edit(SUMMARY, "    error", "    b.sort()\n    error")),
    # scales, ties
    "a little added to the error": ("paired_summary", "of scores a million times smaller, in lists", edit(SUMMARY, "float(error)", "float(error) + 1e-5 * (difference.mean() < 0.1)")),
    "draws are wins": ("paired_summary", "a pair that is equal is no win", edit(SUMMARY, "> 0", ">= 0")),
    # sizes
    "factorials in 64 bits": (
        "sign_test",
        "sign_test(15, 21) is",
        """
def sign_test(wins, seeds):
    def factorial(n):
        return np.prod(np.arange(1, n + 1, dtype=np.int64))
    far = abs(wins - seeds / 2)
    ways = [factorial(seeds) // (factorial(k) * factorial(seeds - k)) for k in range(seeds + 1)]
    return sum(way for k, way in enumerate(ways) if abs(k - seeds / 2) >= far) / 2**seeds
""",
    ),
    # types
    "two numbers": ("paired_summary", "three numbers are asked for", edit(SUMMARY, "float(difference.mean()), ", "")),
    "a word": ("sign_test", "sign_test(9, 10) is 'p = 0.02'; it must be a number", "def sign_test(wins, seeds):\n    return 'p = 0.02'"),
    "nothing": ("sign_test", "sign_test(9, 10) is None; it must be a number", "def sign_test(wins, seeds):\n    pass"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "sentence", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task, sentence, answer):
    assert sentence in told(4, task, answer, hidden=False)


# The record of an experiment


def record(**changes) -> list[dict]:
    """Two decoders over three seeds; `changes` replace values in the last row."""
    table = [
        dict(decoder=decoder, seed=seed, affine_r2=0.9)
        for decoder in ("sbd", "deconv")
        for seed in (0, 1, 2)
    ]
    table[-1] |= changes
    return table


def test_a_complete_record_passes(capsys):
    checks.rows(record())
    assert capsys.readouterr().out.startswith("rows: the check found nothing wrong")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ([], "no runs are recorded in rows"),
        (None, "no runs are recorded in rows"),
        (record()[:-1], r"the two decoders have other seeds: \[0, 1, 2\] and \[0, 1\]"),
        (record(seed=7), r"have other seeds: \[0, 1, 2\] and \[0, 1, 7\]"),
        (record(decoder="third"), r"runs of \['deconv', 'sbd', 'third'\] are recorded; two"),
        (record()[:3], r"runs of \['sbd'\] are recorded"),
        ([row for row in record() if row["seed"] < 2], "2 seeds are recorded; 3 are the least"),
        ([dict(decoder="sbd", seed=0)], "records no result"),
        ([dict(decoder="sbd")], "lacks 'decoder' or 'seed'"),
        ([["sbd", 0, 0.9]], "lacks 'decoder' or 'seed'"),
    ],
)
def test_an_incomplete_record_is_told_what_is_missing(table, sentence):
    with pytest.raises(checks.NotYet, match=sentence):
        checks.rows(table)
