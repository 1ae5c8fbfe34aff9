"""Answers to assignment 4: right ones in unusual forms, and wrong ones with what each is told."""

from tests.grading.answers import Answer, edit

SUMMARY = """
def paired_summary(a, b):
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    return float(difference.mean()), float(error), int((difference > 0).sum())
"""
SIGN = """
def sign_test(wins, seeds):
    far = abs(wins - seeds / 2)
    return sum(math.comb(seeds, k) for k in range(seeds + 1) if abs(k - seeds / 2) >= far) / 2**seeds
"""
CHANGED = "your function changes {}, which its caller may still need"

RIGHT = {
    "paired_summary": [
        Answer("by statistics, a list", "", """
import statistics

def paired_summary(a, b):
    d = [float(x) - float(y) for x, y in zip(a, b)]
    return [statistics.mean(d), statistics.stdev(d) / len(d) ** 0.5, len([x for x in d if x > 0])]
"""),
        Answer("in float32, an array", "", """
def paired_summary(a, b):
    d = np.asarray(a, np.float32) - np.asarray(b, np.float32)
    return np.array([d.mean(), d.std(ddof=1) / np.sqrt(len(d)), (d > 0).sum()], np.float32)
"""),
        Answer("by torch", "", "import torch\n\ndef paired_summary(a, b):\n    d = torch.tensor(a, dtype=torch.float64) - torch.tensor(b, dtype=torch.float64)\n    return d.mean(), d.std() / len(d) ** 0.5, (d > 0).sum()"),
        Answer("by sums", "", """
def paired_summary(a, b):
    pairs = list(zip(a, b, strict=True))
    n = len(pairs)
    mean = sum(x - y for x, y in pairs) / n
    squares = sum((x - y - mean) ** 2 for x, y in pairs)
    return mean, math.sqrt(squares / (n - 1) / n), sum(x > y for x, y in pairs)
"""),
        Answer("numpy.subtract, wins as a float", "", "def paired_summary(a, b):\n    d = np.subtract(a, b)\n    return np.average(d), np.sqrt(np.var(d, ddof=1) / d.size), np.count_nonzero(d > 0) * 1.0"),
        Answer("a copy changed in place", "", "def paired_summary(first, second):\n    d = np.array(first, dtype=float)\n    d -= second\n    return d.mean(), d.std(ddof=1) / len(d) ** 0.5, int(sum(d > 0))"),
        Answer("np.cov", "", edit(SUMMARY, "difference.std(ddof=1) / math.sqrt(len(difference))", "float(np.cov(difference) / len(difference)) ** 0.5")),
    ],
    "sign_test": [
        Answer("twice the smaller tail", "", """
def sign_test(wins, seeds):
    fewer = min(wins, seeds - wins)
    tail = sum(math.comb(seeds, k) * 0.5**seeds for k in range(fewer + 1))
    return np.float32(min(1, 2 * tail))
"""),
        Answer("fractions", "", "from fractions import Fraction\n\ndef sign_test(wins, seeds):\n    more = max(wins, seeds - wins)\n    p = 2 * sum(Fraction(math.comb(seeds, k), 2**seeds) for k in range(more, seeds + 1))\n    return float(min(p, 1))"),
        Answer("a row of Pascal's triangle", "", """
def sign_test(wins, seeds):
    row = [1.0]
    for _ in range(seeds):
        row = [x + y for x, y in zip([0, *row], [*row, 0])]
    return sum(ways for k, ways in enumerate(row) if abs(2 * k - seeds) >= abs(2 * wins - seeds)) / sum(row)
"""),
        Answer("convolved coins", "", "def sign_test(wins, seeds):\n    p = np.ones(1)\n    for _ in range(seeds):\n        p = np.convolve(p, [0.5, 0.5])\n    return p[np.abs(np.arange(seeds + 1) - seeds / 2) >= abs(wins - seeds / 2)].sum()"),
        Answer("logarithms of factorials", "", "def sign_test(wins, seeds):\n    log = lambda k: math.lgamma(seeds + 1) - math.lgamma(k + 1) - math.lgamma(seeds - k + 1) - seeds * math.log(2)\n    return sum(math.exp(log(k)) for k in range(seeds + 1) if min(k, seeds - k) <= min(wins, seeds - wins))"),
        Answer("remembered", "", "import functools\n\n@functools.lru_cache\ndef sign_test(wins, seeds):" + SIGN.partition("seeds):")[2]),
        Answer("factorials of Python's whole numbers", "", edit(SIGN, "math.comb(seeds, k)", "(math.factorial(seeds) // math.factorial(k) // math.factorial(seeds - k))")),
    ],
}  # fmt: skip

WRONG = {
    "paired_summary": [
        Answer("b - a", "the difference is a - b", edit(SUMMARY, "np.asarray(a, dtype=float) - np.asarray(b, dtype=float)", "np.asarray(b, dtype=float) - np.asarray(a, dtype=float)")),
        Answer("a sum", "this is a sum", edit(SUMMARY, "difference.mean()", "difference.sum()")),
        Answer("the median", "this is the median", edit(SUMMARY, "difference.mean()", "np.median(difference)")),
        Answer("distances", "these are distances", edit(SUMMARY, "difference.mean()", "abs(difference).mean()")),
        Answer("divided by S", "S - 1", edit(SUMMARY, "ddof=1", "ddof=0")),
        Answer("standard deviation for error", "divided by √S", edit(SUMMARY, " / math.sqrt(len(difference))", "")),
        Answer("variance", "take the root", edit(SUMMARY, "difference.std(ddof=1) / math.sqrt(len(difference))", "difference.var(ddof=1) / len(difference)")),
        Answer("divided by the number", "divide by √S, not by S", edit(SUMMARY, "math.sqrt(len(difference))", "len(difference)")),
        Answer("unpaired", "paired by seed", edit(SUMMARY, "difference.std(ddof=1)", "math.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))")),
        Answer("share of wins", "this is a share", edit(SUMMARY, "int((difference > 0).sum())", "(difference > 0).mean()")),
        Answer("losses", "these are the seeds with a < b", edit(SUMMARY, "> 0", "< 0")),
        Answer("draws are wins", "a pair that is equal is no win", edit(SUMMARY, "> 0", ">= 0")),
        Answer("a -= b", CHANGED.format("a"), "def paired_summary(a, b):\n    if isinstance(a, list):\n        a, b = np.array(a), np.array(b)\n    a -= b\n    return a.mean(), a.std(ddof=1) / len(a) ** 0.5, (a > 0).sum()"),
        Answer("b sorted in place", CHANGED.format("b"), edit(SUMMARY, "    error", "    b.sort()\n    error")),
        Answer("a list emptied", CHANGED.format("a"), edit(SUMMARY, "    error", "    if isinstance(a, list):\n        a.clear()\n    error")),
        Answer("subtracted into b", CHANGED.format("b"), edit(SUMMARY, "    error", "    if not isinstance(b, list):\n        np.subtract(a, b, out=b)\n    error")),
        Answer("a little added to the error", "of scores a million times smaller, in lists", edit(SUMMARY, "float(error)", "float(error) + 1e-5 * (abs(difference).max() < 0.1)")),
        Answer("small differences are draws", "of scores a million times smaller, in lists", edit(SUMMARY, "> 0", "> 1e-3")),
        Answer("rounded", "of scores a million times smaller, in lists", edit(SUMMARY, "float(difference.mean()), float(error)", "round(float(difference.mean()), 4), round(float(error), 4)", )),
        Answer("arrays alone", "unsupported operand", edit(SUMMARY, "np.asarray(a, dtype=float) - np.asarray(b, dtype=float)", "a - b")),
        Answer("two numbers", "three numbers are asked for", edit(SUMMARY, "float(difference.mean()), ", "")),
        Answer("a dictionary", "three numbers are asked for", "def paired_summary(a, b):\n    d = np.subtract(a, b)\n    return dict(difference=d.mean(), error=d.std(ddof=1) / len(d) ** 0.5, wins=(d > 0).sum())"),
        Answer("who wins", "wins is", edit(SUMMARY, "int((difference > 0).sum())", "difference > 0")),
        Answer("hard-coded", "of scores a million times smaller, in lists", "def paired_summary(a, b):\n    return 1.25, 0.8539126, 3"),
    ],
    "sign_test": [
        Answer("one-sided", "one-sided", edit(SIGN, "if abs(k - seeds / 2) >= far", "if k - seeds / 2 >= far")),
        Answer("the more extreme alone", "sign_test(9, 10)", edit(SIGN, ">= far", "> far")),
        Answer("one outcome", "sign_test(9, 10)", "def sign_test(wins, seeds):\n    return math.comb(seeds, wins) / 2**seeds"),
        Answer("above 1", "at most 1", "def sign_test(wins, seeds):\n    k = max(wins, seeds - wins)\n    return 2 * sum(math.comb(seeds, i) for i in range(k, seeds + 1)) / 2**seeds"),
        Answer("1 - p", "1 minus the p-value", edit(SIGN, "return ", "return 1 - ")),
        Answer("normal approximation", "sign_test(9, 10)", "def sign_test(wins, seeds):\n    return math.erfc(abs(wins - seeds / 2) / math.sqrt(seeds / 2))"),
        Answer("hard-coded", "sign_test(15, 21)", "def sign_test(wins, seeds):\n    return {0: 0.0625, 5: 0.0625, 9: 22 / 1024, 1: 22 / 1024, 3: 1.0}.get(wins, 1.0)"),
        Answer("factorials in 64 bits", "sign_test(15, 21) is", """
def sign_test(wins, seeds):
    def factorial(n):
        return np.prod(np.arange(1, n + 1, dtype=np.int64))
    far = abs(wins - seeds / 2)
    ways = [factorial(seeds) // (factorial(k) * factorial(seeds - k)) for k in range(seeds + 1)]
    return sum(way for k, way in enumerate(ways) if abs(k - seeds / 2) >= far) / 2**seeds
"""),
        Answer("ways in 32 bits", "sign_test(40, 100)", edit(SIGN, "math.comb(seeds, k)", "math.comb(seeds, k) % 2**32", "/ 2**seeds", "/ 2**seeds")),
        Answer("rounded to four digits", "sign_test(9, 10) is 0.0215 where 0.02148 is right", edit(SIGN, "return ", "return round(", "2**seeds", "2**seeds, 4)")),
        Answer("twice the tail of wins", "at most", edit(SIGN, "sum(math.comb(seeds, k) for k in range(seeds + 1) if abs(k - seeds / 2) >= far)", "2 * sum(math.comb(seeds, k) for k in range(wins, seeds + 1))")),
        Answer("the side of the wins alone, doubled and cut", "sign_test(1, 10)", "def sign_test(wins, seeds):\n    return min(1, 2 * sum(math.comb(seeds, k) for k in range(wins, seeds + 1)) / 2**seeds)"),
        Answer("a word", "sign_test(9, 10) is 'p = 0.02'; it must be a number", "def sign_test(wins, seeds):\n    return 'p = 0.02'"),
        Answer("nothing", "sign_test(9, 10) is None; it must be a number", "def sign_test(wins, seeds):\n    pass"),
        Answer("in per cent", "at most 1", edit(SIGN, "return ", "return 100 * ")),
    ],
}  # fmt: skip
