"""Assignment 3: right answers in other forms pass; wrong ones are told what is wrong."""

import pytest

from tests.checks.cells import edit, solution, told

AVERAGE, PAIR, FIT, ALIGNMENT, PREDICTIONS = (
    solution(3, task)
    for task in ["average_variance", "informative_pair", "affine_fit", "alignment", "predictions"]
)
FIT_RETURNED = "return both[:2], both[2], float((1 - residual / total).min())"

RIGHT = {
    "a running sum in float64": (
        "average_variance",
        """
def average_variance(encoder, batches):
    total, count = 0, 0
    for batch in batches:
        variance = encoder(batch)[1].detach().double().exp()
        total, count = total + variance.sum(0), count + len(variance)
    return total / count
""",
    ),
    "the encoder's answer changed in place": ("average_variance", edit(AVERAGE, "[1].exp()", "[1].exp_()")),
    "a tensor of indices": ("informative_pair", edit(PAIR, "return first, second", "return torch.tensor([first, second])")),
    "Python's sort": ("informative_pair", "def informative_pair(avg_var):\n    values = avg_var.tolist()\n    return sorted(range(len(values)), key=values.__getitem__)[:2]"),
    "one after the other": (
        "informative_pair",
        """
def informative_pair(avg_var):
    first = int(avg_var.argmin())
    rest = avg_var.clone()
    rest[first] = float("inf")
    return first, int(rest.argmin())
""",
    ),
    "in float32": ("affine_fit", edit(FIT, "    ones =", "    xy, z = xy.astype(np.float32), z.astype(np.float32)\n    ones =")),
    "centred, a list": (
        "affine_fit",
        """
def affine_fit(xy, z):
    centered = xy - xy.mean(0)
    matrix = np.linalg.pinv(centered) @ (z - z.mean(0))
    shift = z.mean(0) - xy.mean(0) @ matrix
    r2 = []
    for k in range(2):
        total = ((z[:, k] - z[:, k].mean()) ** 2).sum()
        residual = ((z[:, k] - (xy @ matrix + shift)[:, k]) ** 2).sum()
        r2.append(0.0 if len(set(z[:, k])) == 1 else 1 - residual / total)
    return [matrix.tolist(), shift.tolist(), np.array([min(r2)])]
""",
    ),
    "a threshold of rounding": ("affine_fit", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total < 1e-12)")),
    "alignment by torch in float32": (
        "alignment",
        """
def alignment(xy, z):
    both = torch.from_numpy(np.concatenate([z, xy], 1)).float()
    return (torch.corrcoef(both.T)[:2, 2:] ** 2).amax(1).min()
""",
    ),
    "predictions as lists": ("predictions", 'predictions = {"dead": [0, 0, 0], "duplicated": [1, 1, 0], "swapped": [1, 1.0, 1], "turned": np.array([1, 0.5, 1])}'),
}  # fmt: skip


@pytest.mark.parametrize(("task", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_in_another_form_passes(task, answer):
    assert told(3, task, answer) is None


CHANGED = "your function changes {}, which its caller may still need"
WRONG = {
    # changed in place
    "images scaled": ("average_variance", CHANGED.format("batches"), edit(AVERAGE, "encoder(batch)", "encoder(batch.add_(0.25))")),
    "batches taken from the list": ("average_variance", CHANGED.format("batches"), edit(AVERAGE, "for batch in batches]", "for batch in [batches.pop(0), batches.pop(0)]]")),
    "the least made infinite": ("informative_pair", CHANGED.format("avg_var"), "def informative_pair(avg_var):\n    first = int(avg_var.argmin())\n    avg_var[first] = float('inf')\n    return first, int(avg_var.argmin())"),
    "z centred": ("affine_fit", CHANGED.format("z"), edit(FIT, "    return both[:2], both[2], float", "    z -= z.mean(0)\n    return both[:2], both[2], float")),
    "xy centred": ("alignment", CHANGED.format("xy"), edit(ALIGNMENT, "    squared", "    xy -= xy.mean(0)\n    squared")),
    # gradients
    "the gradient kept": ("average_variance", "the result carries a gradient", edit(AVERAGE, "with torch.no_grad():", "if True:")),
    # scales
    "variances cut off": ("average_variance", "latents whose log-variances are -20 and 20", edit(AVERAGE, ".exp()", ".clamp(-10, 10).exp()")),
    "a little variance added": ("average_variance", "latents whose log-variances are -20 and 20", edit(AVERAGE, ".exp()", ".exp().add(1e-8)")),
    "a large threshold": ("affine_fit", "codes times 0.001 is 0 where 0.6667 is right", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total < 1e-4)")),
    "rounded variances": ("informative_pair", "you give (1, 3)", edit(PAIR, "(avg_var,", "(avg_var.mul(1e6).round(),")),
    "a little added to the spread": (
        "alignment",
        "alignment of positions and codes a thousand times smaller",
        edit(ALIGNMENT, "np.corrcoef(latent, factor)[0, 1] ** 2", "(np.cov(latent, factor)[0, 1] / (latent.std(ddof=1) * factor.std(ddof=1) + 1e-8)) ** 2"),
    ),
    # degenerate cases
    "0 / 0 at whole numbers": ("affine_fit", "r2 of a code whose first coordinate is always 2 is nan", edit(FIT, "    if (np.ptp(z, axis=0) == 0).any():", "    residual, total = residual.round(20), total.round(20)\n    if False:")),
    "a total of exactly 0": ("affine_fit", "coordinate is always 0.1", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total == 0)")),
    "the first coordinate alone": ("affine_fit", "whose second coordinate is always 2", edit(FIT, "(np.ptp(z, axis=0) == 0).any()", "np.ptp(z[:, 0]) == 0")),
    "ties the other way": ("informative_pair", "of equal ones the lower index comes first; (2, 3) is right", edit(PAIR, "    return", "    if len(avg_var) == 4 and avg_var[first] == avg_var[second]:\n        return second, first\n    return")),
    # types
    "one index": ("informative_pair", "two indices are asked for", edit(PAIR, "return first, second", "return first")),
    "two values": ("affine_fit", "three values are asked for", edit(FIT, FIT_RETURNED, "return both, 1.0")),
    "a shift of shape [1, 2]": ("affine_fit", "the shift has shape [1, 2] where [2] is asked for", edit(FIT, FIT_RETURNED, FIT_RETURNED.replace("both[2]", "both[2:]"))),
    "a row that is no triple": ("predictions", "dead: three numbers are asked for", edit(PREDICTIONS, "(0, 0, 0)", "0")),
    # taken away
    "the check's own scores": ("alignment", "you call the library's own function", "def alignment(xy, z):\n    return checks.three_scores(xy, z)[1]"),
    "the library's alignment": ("alignment", "you call the library's own function", "def alignment(xy, z):\n    return sbd_utils.alignment(xy, z)"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "sentence", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task, sentence, answer):
    assert sentence in told(3, task, answer, hidden=False)
