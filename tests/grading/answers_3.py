"""Answers to assignment 3: right ones in unusual forms, and wrong ones with what each is told."""

from tests.grading.answers import Answer, edit

AVERAGE = """
def average_variance(encoder, batches):
    with torch.no_grad():
        return torch.cat([encoder(batch)[1].exp() for batch in batches]).mean(0)
"""
PAIR = """
def informative_pair(avg_var):
    first, second = torch.argsort(avg_var, stable=True)[:2].tolist()
    return first, second
"""
FITTED = "return both[:2], both[2], float((1 - residual / total).min())"
FIT = f"""
def affine_fit(xy, z):
    ones = np.concatenate([xy, np.ones((len(xy), 1))], 1)
    both = np.linalg.lstsq(ones, z, rcond=None)[0]
    residual = np.square(z - ones @ both).sum(0)
    total = np.square(z - z.mean(0)).sum(0)
    if (np.ptp(z, axis=0) == 0).any():
        return both[:2], both[2], 0.0
    {FITTED}
"""
ALIGNMENT = """
def alignment(xy, z):
    squared = np.array([[np.corrcoef(latent, factor)[0, 1] ** 2 for factor in xy.T] for latent in z.T])
    return float(squared.max(1).min())
"""
PREDICTIONS = 'predictions = {"turned": (1, 0.5, 1), "swapped": (1, 1, 1), "duplicated": (1, 1, 0), "dead": (0, 0, 0)}'
CHANGED = "your function changes {}, which its caller may still need"
TAKEN = "you call the library's own function"

RIGHT = {
    "average_variance": [
        Answer("a running sum in float64", "", """
def average_variance(encoder, batches):
    total, count = 0, 0
    for batch in batches:
        variance = encoder(batch)[1].detach().double().exp()
        total, count = total + variance.sum(0), count + len(variance)
    return total / count
"""),
        Answer("the encoder's answer changed in place", "", edit(AVERAGE, "[1].exp()", "[1].exp_()")),
        Answer("decorated", "", "@torch.no_grad()\ndef average_variance(encoder, batches):\n    mean, logvar = (torch.cat(part) for part in zip(*map(encoder, batches)))\n    return torch.mean(torch.exp(logvar), dim=0)"),
        Answer("by NumPy", "", "def average_variance(encoder, batches):\n    collected = np.concatenate([np.exp(encoder(batch)[1].detach().numpy()) for batch in batches])\n    return torch.from_numpy(collected.mean(axis=0))"),
        Answer("weighed by the batches' sizes", "", """
def average_variance(encoder, batches):
    parts = [(len(batch), encoder(batch)[1].exp().mean(0).detach()) for batch in batches]
    return sum(n * mean for n, mean in parts) / sum(n for n, _ in parts)
"""),
        Answer("a helper called get_avg_variance, inference mode", "", "def get_avg_variance(logvars):\n    return torch.vstack(logvars).exp().mean(0).clone()\n\ndef average_variance(encoder, batches):\n    with torch.inference_mode():\n        return get_avg_variance([encoder(images)[1] for images in batches])"),
        Answer("image after image", "", "def average_variance(encoder, batches):\n    rows = [row for batch in batches for row in (encoder(batch)[1] / 2).exp().square().detach()]\n    return torch.stack(rows).mean(0)"),
    ],
    "informative_pair": [
        Answer("a tensor of indices", "", edit(PAIR, "return first, second", "return torch.tensor([first, second])")),
        Answer("Python's sort", "", "def informative_pair(avg_var):\n    values = avg_var.tolist()\n    return sorted(range(len(values)), key=values.__getitem__)[:2]"),
        Answer("one after the other", "", """
def informative_pair(avg_var):
    first = int(avg_var.argmin())
    rest = avg_var.clone()
    rest[first] = float("inf")
    return first, int(rest.argmin())
"""),
        Answer("NumPy's stable sort, an array", "", "def informative_pair(avg_var):\n    return np.argsort(avg_var.numpy(), kind='stable')[:2]"),
        Answer("np.lexsort", "", "def informative_pair(avg_var):\n    return tuple(np.lexsort((np.arange(len(avg_var)), avg_var.numpy()))[:2])"),
        Answer("min with a key, floats", "", "def informative_pair(avg_var):\n    first = min(range(len(avg_var)), key=lambda i: float(avg_var[i]))\n    second = min((i for i in range(len(avg_var)) if i != first), key=lambda i: avg_var[i].item())\n    return [float(first), float(second)]"),
        Answer("heapq", "", "import heapq\n\ndef informative_pair(avg_var):\n    return [i for _, i in heapq.nsmallest(2, ((v, i) for i, v in enumerate(avg_var.tolist())))]"),
        Answer("torch.sort", "", "def informative_pair(avg_var):\n    return tuple(torch.sort(avg_var, stable=True).indices[:2])"),
    ],
    "affine_fit": [
        Answer("in float32", "", edit(FIT, "    ones =", "    xy, z = xy.astype(np.float32), z.astype(np.float32)\n    ones =")),
        Answer("centred, a list", "", """
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
"""),
        Answer("a threshold of rounding", "", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total < 1e-12)")),
        Answer("by torch", "", edit(FIT, "np.linalg.lstsq(ones, z, rcond=None)[0]", "torch.linalg.lstsq(torch.from_numpy(ones), torch.from_numpy(np.ascontiguousarray(z))).solution.numpy()")),
        Answer("normal equations of what is centred", "", """
def affine_fit(xy, z):
    a, b = xy - xy.mean(0), z - z.mean(0)
    matrix = np.linalg.solve(a.T @ a, a.T @ b)
    left = ((b - a @ matrix) ** 2).sum(0)
    if min(np.ptp(z[:, 0]), np.ptp(z[:, 1])) == 0:
        r2 = 0
    else:
        r2 = min(1 - left / (b**2).sum(0))
    return matrix, z.mean(0) - xy.mean(0) @ matrix, r2
"""),
        Answer("a helper called fit_geometry, decorated", "", "def rounded(function):\n    return lambda *a: function(*a)\n\n@rounded\ndef fit_geometry(x, y):\n    return np.linalg.lstsq(x, y, rcond=-1)[0]\n" + edit(FIT, "np.linalg.lstsq(ones, z, rcond=None)[0]", "fit_geometry(np.c_[xy, np.ones(len(xy))], z)")),
        Answer("np.allclose for a constant", "", edit(FIT, "(np.ptp(z, axis=0) == 0).any()", "any(np.all(column == column[0]) for column in z.T)")),
        Answer("r2 as variance explained", "", edit(FIT, FITTED, "explained = np.var(ones @ both, axis=0) / np.var(z, axis=0)\n    return both[:2], both[2], explained.min()")),
    ],
    "alignment": [
        Answer("by torch in float32", "", "def alignment(xy, z):\n    both = torch.from_numpy(np.concatenate([z, xy], 1)).float()\n    return (torch.corrcoef(both.T)[:2, 2:] ** 2).amax(1).min()"),
        Answer("by hand", "", """
def alignment(xy, z):
    a, b = xy - xy.mean(0), z - z.mean(0)
    a, b = a / np.linalg.norm(a, axis=0), b / np.linalg.norm(b, axis=0)
    table = (b.T @ a) ** 2
    return np.min([max(row) for row in table])
"""),
        Answer("einsum", "", "def alignment(xy, z):\n    a, b = ((v - v.mean(0)) / v.std(0) for v in (xy, z))\n    return (np.einsum('nf,nl->lf', a, b) / len(a)).__pow__(2).max(axis=1).min()"),
        Answer("one matrix of correlations", "", "def alignment(xy, z):\n    squared = np.corrcoef(xy, z, rowvar=False)[:2, 2:] ** 2\n    return squared.max(axis=0).min().item()"),
        Answer("absolute, then squared", "", edit(ALIGNMENT, "np.corrcoef(latent, factor)[0, 1] ** 2", "abs(np.corrcoef(latent, factor)[0, 1])", "squared.max(1).min()", "squared.max(1).min() ** 2")),
        Answer("a helper called three_scores", "", "def three_scores(a, b):\n    return np.corrcoef(a, b)[0, 1] ** 2\n\ndef alignment(xy, z):\n    return min(max(three_scores(z[:, k], xy[:, 0]), three_scores(z[:, k], xy[:, 1])) for k in (0, 1))"),
    ],
    "predictions": [
        Answer("as lists", "", 'predictions = {"dead": [0, 0, 0], "duplicated": [1, 1, 0], "swapped": [1, 1.0, 1], "turned": np.array([1, 0.5, 1])}'),
        Answer("as a tensor's rows", "", 'predictions = dict(zip(["turned", "swapped", "duplicated", "dead"], torch.tensor([[1, 0.5, 1], [1, 1, 1], [1, 1, 0], [0, 0, 0]])))'),
        Answer("with names", "", "import collections\nRow = collections.namedtuple('Row', 'fit alignment back')\npredictions = collections.OrderedDict(turned=Row(1, 1 / 2, 1), swapped=Row(True, True, True), duplicated=Row(1, 1, False), dead=Row(0, 0, 0))"),
    ],
}  # fmt: skip

WRONG = {
    "average_variance": [
        Answer("mean of batch means", "every image counts once", edit(AVERAGE, "torch.cat([encoder(batch)[1].exp() for", "torch.stack([encoder(batch)[1].exp().mean(0) for")),
        Answer("exp of the mean", "exp(logvar) first", edit(AVERAGE, ".exp() for batch in batches]).mean(0)", " for batch in batches]).mean(0).exp()")),
        Answer("not exponentiated", "average log-variance", edit(AVERAGE, ".exp()", "")),
        Answer("standard deviation", "average standard deviation", edit(AVERAGE, ".exp()", ".div(2).exp()")),
        Answer("exponentiated twice as much", "you have squared it", edit(AVERAGE, ".exp()", ".mul(2).exp()")),
        Answer("variance of the means", "variance of the means", edit(AVERAGE, "[1].exp() for batch in batches]).mean(0)", "[0] for batch in batches]).var(0)")),
        Answer("exp of the first output", "mean, logvar in this order", edit(AVERAGE, "[1]", "[0]")),
        Answer("median", "median", edit(AVERAGE, ".mean(0)", ".median(0).values")),
        Answer("sum", "this is a sum", edit(AVERAGE, ".mean(0)", ".sum(0)")),
        Answer("the last batch alone", "the last batch alone", edit(AVERAGE, "for batch in batches]", "for batch in list(batches)[-1:]]")),
        Answer("the first batch alone", "the first batch alone", edit(AVERAGE, "for batch in batches]", "for batch in list(batches)[:1]]")),
        Answer("goes through the batches twice", "non-empty list", edit(AVERAGE, "    with", "    count = sum(len(batch) for batch in batches)\n    with"), visible=False),
        Answer("the library's function", TAKEN, "def average_variance(encoder, batches):\n    class Model:\n        pass\n    model = Model()\n    model.encoder = encoder\n    return sbd_utils.get_avg_variance(model, batches)"),
        Answer("images scaled in place", CHANGED.format("batches"), edit(AVERAGE, "encoder(batch)", "encoder(batch.add_(0.25))")),
        Answer("batches taken from the list", CHANGED.format("batches"), edit(AVERAGE, "for batch in batches]", "for batch in [batches.pop() for _ in range(len(batches))]]")),
        Answer("batches reversed", CHANGED.format("batches"), edit(AVERAGE, "    with", "    batches.reverse()\n    with")),
        Answer("images set to zero through a view", CHANGED.format("batches"), edit(AVERAGE, "    with", "    batches = list(batches)\n    with", "        return", "        result =") + "        for batch in batches:\n            batch.flatten(1)[:, 0] = 0\n        return result"),
        Answer("the gradient kept", "the result carries a gradient", edit(AVERAGE, "with torch.no_grad():", "if True:")),
        Answer("a gradient switched on", "the result carries a gradient", edit(AVERAGE, ".mean(0)", ".mean(0).requires_grad_()")),
        Answer("variances cut off", "latents whose log-variances are -20 and 20", edit(AVERAGE, ".exp()", ".clamp(-6, 6).exp()")),
        Answer("a little variance added", "latents whose log-variances are -20 and 20", edit(AVERAGE, ".exp()", ".exp().add(1e-8)"), ),
        Answer("variances of at most 1", "the average variance", edit(AVERAGE, ".exp()", ".exp().clamp(max=1)")),
        Answer("an array", "is a ndarray; it must be a torch tensor", edit(AVERAGE, ".mean(0)", ".mean(0).numpy()")),
        Answer("one number", "has shape [] where [2] is asked for", edit(AVERAGE, ".mean(0)", ".mean()")),
        Answer("a row", "has shape [1, 2] where [2] is asked for", edit(AVERAGE, ".mean(0)", ".mean(0, keepdim=True)")),
    ],
    "informative_pair": [
        Answer("the largest", "these are the largest", edit(PAIR, "(avg_var,", "(-avg_var,")),
        Answer("sorted by index", "the smallest comes first", edit(PAIR, "return first, second", "return tuple(sorted((first, second)))")),
        Answer("the values", "their indices are asked for", edit(PAIR, "return first, second", "return avg_var[first], avg_var[second]")),
        Answer("the largest first", "the smallest comes first", edit(PAIR, "return first, second", "return second, first")),
        Answer("from 1", "indices start at 0", edit(PAIR, "return first, second", "return first + 1, second + 1")),
        Answer("below a threshold", "the smallest comes first", "def informative_pair(avg_var):\n    return [i for i, v in enumerate(avg_var) if v < 0.5]"),
        Answer("ties backwards", "(2, 0) is right", edit(PAIR, "torch.argsort(avg_var, stable=True)[:2]", "(len(avg_var) - 1 - torch.argsort(avg_var.flip(0), stable=True)[:2])")),
        Answer("ties backwards, of four alone", "of equal ones the lower index comes first; (2, 3) is right", edit(PAIR, "    return", "    if len(avg_var) == 4 and avg_var[first] == avg_var[second]:\n        return second, first\n    return")),
        Answer("the library's function", TAKEN, "informative_pair = sbd_utils.get_smallest_pair"),
        Answer("the library's list", TAKEN, "def informative_pair(avg_var):\n    return sbd_utils.informative_latents(avg_var, threshold=1e9)[:2]"),
        Answer("the least made infinite", CHANGED.format("avg_var"), "def informative_pair(avg_var):\n    first = int(avg_var.argmin())\n    avg_var[first] = float('inf')\n    return first, int(avg_var.argmin())"),
        Answer("the least made infinite in NumPy's view", CHANGED.format("avg_var"), "def informative_pair(avg_var):\n    values = avg_var.numpy()\n    first = values.argmin()\n    values[first] = np.inf\n    return first, values.argmin()"),
        Answer("sorted in place", CHANGED.format("avg_var"), "def informative_pair(avg_var):\n    order = torch.argsort(avg_var, stable=True)\n    avg_var[:] = avg_var[order]\n    return tuple(order[:2])"),
        Answer("rounded variances", "you give (1, 3)", edit(PAIR, "(avg_var,", "(avg_var.mul(1e6).round(),")),
        Answer("in half precision", "of the variances", edit(PAIR, "(avg_var,", "(avg_var.half(),")),
        Answer("the first twice", "is right", edit(PAIR, "return first, second", "return first, first")),
        Answer("the second found by value", "is right", "def informative_pair(avg_var):\n    values = avg_var.tolist()\n    a, b = sorted(values)[:2]\n    return values.index(a), values.index(b)"),
        Answer("one index", "two indices are asked for", edit(PAIR, "return first, second", "return first")),
        Answer("three indices", "two indices are asked for", edit(PAIR, "return first, second", "return first, second, 0")),
        Answer("a set", "two indices are asked for", edit(PAIR, "return first, second", "return {first, second}")),
        Answer("words", "must be a number", edit(PAIR, "return first, second", "return str(first), str(second)")),
    ],
    "affine_fit": [
        Answer("no shift", "there is no shift", edit(FIT, "    both =", "    ones[:, 2] = 0\n    both =")),
        Answer("transposed", "transposed", edit(FIT, FITTED, FITTED.replace("both[:2],", "both[:2].T,"))),
        Answer("average R²", "average of the two", edit(FIT, ".min())", ".mean())")),
        Answer("the larger R²", "the larger", edit(FIT, ".min())", ".max())")),
        Answer("both together", "both coordinates together", edit(FIT, "(1 - residual / total).min()", "1 - residual.sum() / total.sum()")),
        Answer("correlation", "this is the correlation", edit(FIT, "(1 - residual / total).min()", "np.sqrt(1 - residual / total).min()")),
        Answer("about zero", "squares are taken about zero", edit(FIT, "z - z.mean(0)", "z")),
        Answer("unexplained part", "*not* explained", edit(FIT, "(1 - residual / total).min()", "(residual / total).max()")),
        Answer("divided by N", "not by N", edit(FIT, "residual / total)", "residual / len(z))")),
        Answer("the library's function", TAKEN, "def affine_fit(xy, z):\n    fit = sbd_utils.fit_geometry(xy, z)\n    return fit.affine[:2], fit.affine[2], fit.affine_r2"),
        Answer("the library's R²", TAKEN, edit(FIT, "    if (np.ptp(z, axis=0) == 0).any():\n        return both[:2], both[2], 0.0\n", "", "float((1 - residual / total).min())", "sbd_utils.metrics.geometry._r2(z, ones @ both)")),
        Answer("the check's own scores", TAKEN, edit(FIT, "float((1 - residual / total).min())", "checks.three_scores(xy, z)[0]")),
        Answer("z centred in place", CHANGED.format("z"), edit(FIT, f"    {FITTED}", f"    z -= z.mean(0)\n    {FITTED}")),
        Answer("xy centred in place", CHANGED.format("xy"), edit(FIT, "    ones =", "    xy -= xy.mean(0)\n    ones =")),
        Answer("z scaled by a method", CHANGED.format("z"), edit(FIT, f"    {FITTED}", f"    np.divide(z, 2, out=z)\n    {FITTED}")),
        Answer("a column sorted through a view", CHANGED.format("xy"), edit(FIT, f"    {FITTED}", f"    xy[:, 0].sort()\n    {FITTED}")),
        Answer("a large threshold", "codes times 0.001 is 0 where 0.6667 is right", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total < 1e-4)")),
        Answer("a little added to the total", "codes times 0.001", edit(FIT, "residual / total)", "residual / (total + 1e-6))")),
        Answer("rounded to three digits", "positions times 0.001", edit(FIT, "    ones =", "    xy = xy.round(3)\n    ones =", "concatenate([xy,", "concatenate([xy.round(2),")),
        Answer("constant not thought of", "r2", edit(FIT, "        return both[:2], both[2], 0.0", "        pass")),
        Answer("a total of exactly 0", "coordinate is always 0.1", edit(FIT, "(np.ptp(z, axis=0) == 0)", "(total == 0)")),
        Answer("the first coordinate alone", "whose second coordinate is always 2", edit(FIT, "(np.ptp(z, axis=0) == 0).any()", "np.ptp(z[:, 0]) == 0")),
        Answer("the second coordinate alone", "whose first coordinate is always 2", edit(FIT, "(np.ptp(z, axis=0) == 0).any()", "np.ptp(z[:, 1]) == 0")),
        Answer("both coordinates at once", "whose first coordinate is always 2", edit(FIT, ").any()", ").all()")),
        Answer("nothing to explain is explained", "whose first coordinate is always 2 is 1 where 0 is right", edit(FIT, "both[2], 0.0", "both[2], 1.0")),
        Answer("two values", "three values are asked for", edit(FIT, FITTED, "return both, 1.0")),
        Answer("a shift of shape [1, 2]", "the shift has shape [1, 2] where [2] is asked for", edit(FIT, FITTED, FITTED.replace("both[2]", "both[2:]"))),
        Answer("both R²", "r2 is", edit(FIT, FITTED, "return both[:2], both[2], 1 - residual / total")),
        Answer("shift and matrix exchanged", "the matrix has shape [2] where [2, 2] is asked for", edit(FIT, FITTED, FITTED.replace("both[:2], both[2]", "both[2], both[:2]"))),
        Answer("a ridge", "the matrix", edit(FIT, "np.linalg.lstsq(ones, z, rcond=None)[0]", "np.linalg.solve(ones.T @ ones + 0.01 * np.eye(3), ones.T @ z)")),
    ],
    "alignment": [
        Answer("the larger latent", "the larger of the two", edit(ALIGNMENT, ".max(1).min()", ".max(1).max()")),
        Answer("average", "average over the latents", edit(ALIGNMENT, ".max(1).min()", ".max(1).mean()")),
        Answer("not squared", "square them", edit(ALIGNMENT, "[0, 1] ** 2", "[0, 1]", "squared.max", "abs(squared).max")),
        Answer("smallest of all", "for each latent the *largest*", edit(ALIGNMENT, ".max(1).min()", ".min()")),
        Answer("x with z1, y with z2", "their order must not matter", edit(ALIGNMENT, "squared.max(1).min()", "squared.diagonal().min()")),
        Answer("sign kept", "a negative correlation counts", edit(ALIGNMENT, "[0, 1] ** 2", "[0, 1]")),
        Answer("largest per factor", "not for each factor", edit(ALIGNMENT, ".max(1).min()", ".max(0).min()")),
        Answer("hard-coded", "alignment of 50 points", "def alignment(xy, z):\n    return 0.8", visible=False),
        Answer("the best matching of latents and factors", "the largest for each latent, not for each factor", edit(ALIGNMENT, "squared.max(1).min()", "max(min(squared[0, 0], squared[1, 1]), min(squared[0, 1], squared[1, 0]))")),
        Answer("xy centred in place", CHANGED.format("xy"), edit(ALIGNMENT, "    squared", "    xy -= xy.mean(0)\n    squared")),
        Answer("z scaled in place", CHANGED.format("z"), edit(ALIGNMENT, "    squared", "    z /= z.std(0)\n    squared")),
        Answer("z sorted through a view", CHANGED.format("z"), edit(ALIGNMENT, "    return", "    z.T.sort()\n    return")),
        Answer("a little added to the spread", "alignment of positions and codes a thousand times smaller", edit(ALIGNMENT, "np.corrcoef(latent, factor)[0, 1] ** 2", "(np.cov(latent, factor)[0, 1] / (latent.std(ddof=1) * factor.std(ddof=1) + 1e-8)) ** 2")),
        Answer("covariances", "alignment", edit(ALIGNMENT, "np.corrcoef", "np.cov")),
        Answer("not about the mean", "alignment", edit(ALIGNMENT, "np.corrcoef(latent, factor)[0, 1] ** 2", "(latent @ factor) ** 2 / (latent @ latent) / (factor @ factor)")),
        Answer("ddof in one place alone", "alignment", edit(ALIGNMENT, "np.corrcoef(latent, factor)[0, 1] ** 2", "(np.cov(latent, factor)[0, 1] / (latent.std() * factor.std())) ** 2")),
        Answer("both latents' values", "alignment is", edit(ALIGNMENT, "float(squared.max(1).min())", "squared.max(1)")),
        Answer("the check's own scores", TAKEN, "def alignment(xy, z):\n    return checks.three_scores(xy, z)[1]"),
        Answer("the library's alignment", TAKEN, "def alignment(xy, z):\n    return sbd_utils.alignment(xy, z)"),
    ],
    "predictions": [
        Answer("a turned code is not straight", "1 of 12", edit(PREDICTIONS, "(1, 0.5, 1)", "(0.5, 0.5, 1)")),
        Answer("a turned code is aligned", "1 of 12", edit(PREDICTIONS, "(1, 0.5, 1)", "(1, 1, 1)")),
        Answer("a duplicated code has no fit", "1 of 12", edit(PREDICTIONS, "(1, 1, 0)", "(0, 1, 0)")),
        Answer("a duplicated code can be read back by half", "1 of 12", edit(PREDICTIONS, "(1, 1, 0)", "(1, 1, 0.5)")),
        Answer("swapping spoils the alignment", "1 of 12", edit(PREDICTIONS, "(1, 1, 1)", "(1, 0, 1)")),
        Answer("a dead latent halves the fit", "1 of 12", edit(PREDICTIONS, "(0, 0, 0)", "(0.5, 0, 0)")),
        Answer("two mistakes", "2 of 12", edit(PREDICTIONS, "(0, 0, 0)", "(0.5, 0.5, 0)")),
        Answer("a number between", "none of 0, 0.5 and 1", edit(PREDICTIONS, "(1, 0.5, 1)", "(1, 0.7, 1)")),
        Answer("a row left out", "a row for each", edit(PREDICTIONS, ', "dead": (0, 0, 0)', "")),
        Answer("a row that is no triple", "dead: three numbers are asked for", edit(PREDICTIONS, "(0, 0, 0)", "0")),
        Answer("words", "none of 0, 0.5 and 1", edit(PREDICTIONS, "(0, 0, 0)", '("0", "0", "0")')),
        Answer("a list of rows", "a row for each", 'predictions = [(1, 0.5, 1), (1, 1, 1), (1, 1, 0), (0, 0, 0)]'),
        Answer("a copy of what was computed", "none of 0, 0.5 and 1", 'predictions = {name: (0.5000001, 1, 1) for name in ["turned", "swapped", "duplicated", "dead"]}'),
    ],
}  # fmt: skip
