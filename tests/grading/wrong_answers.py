"""Wrong answers to the assignments' tasks, as students give them, and what the grader says to each.

    python -m tests.grading.wrong_answers        grades them all and prints the table: answer, mark, message

An answer is (what is wrong, a part of what the grader must say, the code of the cell). Several share a submission.
"""

import tempfile
from pathlib import Path

import nbformat

from grading import assignments, grade

WRONG: dict[str, dict[str, list[tuple[str, str, str]]]] = {}

CIRCLE = """
def circle(x, y, size, img_size):
    at = (torch.arange(16 * img_size) + 0.5) / 16
    inside = (at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2
    return inside.float().reshape(img_size, 16, img_size, 16).mean((1, 3))
"""
COORDINATES = """
def spaced_coordinates(low, high, num_points, levels):
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels
"""
CENTER = """
def center_of_mass(images):
    height, width = images.shape[1:]
    x = (images.sum(1) * (torch.arange(width) + 0.5)).sum(1)
    y = (images.sum(2) * (torch.arange(height) + 0.5)).sum(1)
    return torch.stack([x, y], 1) / images.sum((1, 2))[:, None]
"""
ERROR = """
def worst_error(render, measure, positions, img_size=64):
    images = torch.stack([render(x, y, 10, img_size) for x, y in positions.tolist()])
    return (measure(images) - positions).norm(dim=1).max().item()
"""
SPECTRUM = """
def spectrum(images):
    flat = images.flatten(1)
    variances = torch.linalg.svdvals(flat - flat.mean(0)).square()
    return variances / variances.sum()
"""


def edit(code: str, old: str, new: str) -> str:
    """A right answer with a part of it replaced; the part must be there."""
    if old not in code:
        raise ValueError(f"{old!r} is not in\n{code}")
    return code.replace(old, new)


WRONG["1_pictures_from_factors"] = {
    "circle": [
        ("x and y swapped", "x and y are swapped", edit(CIRCLE, "(x, y, size", "(y, x, size")),
        ("corners for middles", "half a pixel", edit(CIRCLE, "+ 0.5) / 16", "- 7.5) / 16")),
        ("radius for diameter", "diameter, not the radius", edit(CIRCLE, "(size / 2)", "size")),
        ("hard edge", "the edge must be soft", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).round()")),
        ("0 ... 255", "goes up to 255", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)) * 255")),
        ("2 x 2 points in a pixel", "only 5 grey levels", CIRCLE.replace("16", "2")),
        ("upside down", "upside down", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).flip(0)")),
        ("blurred", "neither black nor white", """
def circle(x, y, size, img_size):
    at = torch.arange(img_size) + 0.5
    distance = ((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2).sqrt()
    return torch.sigmoid(2 * (size / 2 - distance))
"""),
        ("the library's function", "taken away", """
def circle(x, y, size, img_size):
    return sbd_utils.render_batch("ellipse", x, y, size, img_size=img_size)[0, 0]
"""),
        ("hard-coded for 32 pixels", "has shape [32, 32] where [16, 16]", edit(CIRCLE, "    at = ", "    img_size = 32\n    at = ")),
        ("a centre outside is moved to the frame", "a pixel is off by", edit(CIRCLE, "    at = ", "    x = max(x, 0)\n    at = ")),
    ],
    "spaced_coordinates": [
        ("y first", "your grid has y first", edit(COORDINATES, "np.concatenate([fixed, along]), np.concatenate([along, fixed])", "np.concatenate([along, fixed]), np.concatenate([fixed, along])")),
        ("the last point left out", "not at high", COORDINATES.replace("high, num_points)", "high, num_points, endpoint=False)").replace("high, levels)", "high, levels, endpoint=False)")),
        ("num_points and levels swapped", "did you swap num_points and levels?", edit(COORDINATES, "num_points, levels):", "levels, num_points):")),
        ("labels from 1", "start at 1", edit(COORDINATES, "np.arange(2 * levels)", "np.arange(1, 2 * levels + 1)")),
        ("labels start again", "labels end at 2", edit(COORDINATES, "np.repeat(np.arange(2 * levels), num_points)", "np.tile(np.repeat(np.arange(levels), num_points), 2)")),
        ("points of a line apart", "do not follow one another", edit(COORDINATES, "    return", "    fixed, along = (v.reshape(levels, num_points).T.ravel() for v in (fixed, along))\n    labels = np.concatenate([np.tile(np.arange(levels), num_points), np.tile(np.arange(levels), num_points) + levels])\n    return")),
        ("the library's function", "taken away", "from sbd_utils.data import generate_spaced_coordinates as spaced_coordinates"),
        ("hard-coded bounds", "xx of spaced_coordinates(0, 1, 5, 3)", edit(COORDINATES, "    fixed", "    low, high = 10.0, 50.0\n    fixed")),
        ("a single line in the middle", "xx of spaced_coordinates(-3.5, 7, 4, 1)", edit(COORDINATES, "np.linspace(low, high, levels)", "np.linspace(low, high, levels) if levels > 1 else [(low + high) / 2]")),
    ],
    "center_of_mass": [
        ("x and y swapped", "x and y are swapped", edit(CENTER, "stack([x, y]", "stack([y, x]")),
        ("corners for middles", "half a pixel too small", CENTER.replace(" + 0.5", " + 0.0")),
        ("not divided by the light", "divide by the light", edit(CENTER, " / images.sum((1, 2))[:, None]", "")),
        ("divided by the batch's light", "divide by its own light", edit(CENTER, "images.sum((1, 2))[:, None]", "images.sum()")),
        ("average over the batch", "averages over the batch", edit(CENTER, "    height", "    images = images.mean(0, keepdim=True).expand_as(images)\n    height")),
        ("brightest pixel", "brightest pixel", """
def center_of_mass(images):
    at = images.flatten(1).argmax(1)
    return torch.stack([at % images.shape[2], at // images.shape[2]], 1) + 0.5
"""),
        ("lit pixels counted alike", "each counts by its brightness", edit(CENTER, "    height", "    images = (images > 0).float()\n    height")),
        ("thinks images are square", "size of tensor", edit(CENTER, "height, width = images.shape[1:]", "height = width = images.shape[1]")),
    ],
    "worst_error": [
        ("mean for maximum", "average distance", edit(ERROR, ".max()", ".mean()")),
        ("largest coordinate", "in one coordinate", edit(ERROR, ".norm(dim=1)", ".abs()")),
        ("signs kept", "differences have signs", edit(ERROR, ".norm(dim=1)", "")),
        ("squared", "take the root", edit(ERROR, ".norm(dim=1)", ".square().sum(1)")),
        ("x alone", "x alone", edit(ERROR, ".norm(dim=1)", "[:, 0].abs()")),
        ("root mean square", "root mean square", edit(ERROR, ".max()", ".square().mean().sqrt()")),
("image size fixed", "render got img_size 64", edit(ERROR, "10, img_size)", "10, 64)")),
    ],
    "spectrum": [
        ("not centred", "subtract the mean image", edit(SPECTRUM, " - flat.mean(0)", "")),
        ("centred along the wrong axis", "own mean brightness", edit(SPECTRUM, "flat.mean(0)", "flat.mean(1, keepdim=True)")),
        ("singular values for variances", "variances are their squares", edit(SPECTRUM, ".square()", "")),
        ("ascending", "the smallest comes first", edit(SPECTRUM, "variances.sum()", "variances.sum()\n    return shares.flip(0)").replace("return var", "shares = var")),
        ("variances, not shares", "divide", edit(SPECTRUM, "return variances / variances.sum()", "return variances / len(flat)")),
        ("cumulative", "cumulative", edit(SPECTRUM, "variances.sum()", "variances.sum()\n    return shares.cumsum(0)").replace("return var", "shares = var")),
        ("hard-coded", "spectrum of 50 images", "def spectrum(images):\n    return torch.tensor([0.8, 0.2, 0, 0])"),
    ],
}  # fmt: skip

BROADCAST = """
def broadcast(z, height, width):
    rows, columns = torch.linspace(-1, 1, height, dtype=z.dtype), torch.linspace(-1, 1, width, dtype=z.dtype)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    tiled = z[:, :, None, None].expand(-1, -1, height, width)
    return torch.cat([tiled, torch.stack([x, y]).expand(len(z), -1, -1, -1)], 1)
"""
KL = """
def kl(mean, logvar):
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)
"""
SAMPLE = """
def sample(mean, logvar, noise):
    return mean + (logvar / 2).exp() * noise
"""
FIELD = """
def receptive_field(layers):
    width, step = 1, 1
    for kernel, stride in layers:
        width += (kernel - 1) * step
        step *= stride
    return width
"""
ADDS = """
def multiply_adds(channels, kernel, height, width):
    pairs = sum(channels[i] * channels[i + 1] for i in range(len(channels) - 1))
    return height * width * kernel**2 * pairs
"""
SQUARE = """
def square_weights():
    w1 = 40 * torch.tensor([[-1.0, 0, -1, 1, 0], [1, 0, -1, -1, 0], [0, -1, -1, 0, 1], [0, 1, -1, 0, -1]])
    return w1, torch.zeros(4), -torch.ones(1, 4), torch.ones(1)
"""
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
FIT = """
def affine_fit(xy, z):
    ones = np.concatenate([xy, np.ones((len(xy), 1))], 1)
    both = np.linalg.lstsq(ones, z, rcond=None)[0]
    residual = np.square(z - ones @ both).sum(0)
    total = np.square(z - z.mean(0)).sum(0)
    if (total < 1e-12).any():
        return both[:2], both[2], 0.0
    return both[:2], both[2], float((1 - residual / total).min())
"""
ALIGNMENT = """
def alignment(xy, z):
    squared = np.array([[np.corrcoef(latent, factor)[0, 1] ** 2 for factor in xy.T] for latent in z.T])
    return float(squared.max(1).min())
"""
PREDICTIONS = 'predictions = {"turned": (1, 0.5, 1), "swapped": (1, 1, 1), "duplicated": (1, 1, 0), "dead": (0, 0, 0)}'
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

WRONG["2_the_broadcast"] = {
    "broadcast": [
        ("y first", "y comes before x", edit(BROADCAST, "stack([x, y])", "stack([y, x])")),
        ("coordinates in [0, 1]", "run from 0 to 1", BROADCAST.replace("(-1, 1, ", "(0, 1, ")),
        ("edges for middles", "not its edge", edit(BROADCAST, "    y, x =", "    rows, columns = rows * (height - 1) / height, columns * (width - 1) / width\n    y, x =")),
        ("coordinates before the code", "the coordinates come first", edit(BROADCAST, "[tiled, torch.stack([x, y]).expand(len(z), -1, -1, -1)]", "[torch.stack([x, y]).expand(len(z), -1, -1, -1), tiled]")),
        ("a reshape mixes the code", "yours mixes them", edit(BROADCAST, "z[:, :, None, None].expand(-1, -1, height, width)", "z.repeat(1, height * width).reshape(len(z), -1, height, width)")),
        ("detached", "no gradient reaches z", edit(BROADCAST, "z[:, :", "z.detach()[:, :")),
        ("y upwards", "y points upwards", edit(BROADCAST, "torch.linspace(-1, 1, height", "torch.linspace(1, -1, height")),
        ("float32 always", "the result torch.float32", edit(BROADCAST, "    y, x =", "    rows, columns, z = rows.float(), columns.float(), z.float()\n    y, x =")),
        ("the library's function", "taken away", edit(BROADCAST, "torch.stack([x, y])", "sbd_utils.coordinate_map(height)")),
        ("square images alone", "shape", edit(BROADCAST, "    rows", "    width = height\n    rows")),
    ],
    "kl": [
        ("wrong sign", "never negative", edit(KL, "return 0.5", "return -0.5")),
        ("log-variance not exponentiated", "you have used logvar in its place", edit(KL, "logvar.exp()", "logvar")),
        ("log of the standard deviation", "not the log of the standard deviation", edit(KL, "logvar.exp() - logvar", "(2 * logvar).exp() - 2 * logvar")),
        ("standard deviation for variance", "standard deviation where the variance", edit(KL, "logvar.exp()", "(logvar / 2).exp()")),
        ("mean over latents", "mean over the latents", edit(KL, ".sum(1)", ".mean(1)")),
        ("sum over the batch", "one number; one for each image", edit(KL, ".sum(1)", ".sum()")),
        ("no half", "½ is missing", edit(KL, "0.5 * ", "")),
        ("in bits", "in bits", edit(KL, ".sum(1)", ".sum(1) / np.log(2)").replace("def", "import numpy as np\ndef")),
        ("the library's function", "taken away", "def kl(mean, logvar):\n    return sbd_utils.kl_divergence(mean, logvar).sum(1)"),
        ("hard-coded", "the KL for mean 0 and logvar -20", "def kl(mean, logvar):\n    return torch.tensor([0.0, 2.5, 0.5430806])"),
    ],
    "sample": [
        ("variance for standard deviation", "by the variance", edit(SAMPLE, "(logvar / 2).exp()", "logvar.exp()")),
        ("log-variance not exponentiated", "multiply the noise by logvar", edit(SAMPLE, "(logvar / 2).exp()", "logvar")),
        ("own noise", "do not draw your own", edit(SAMPLE, "* noise", "* torch.randn_like(mean)")),
        ("no gradient", "no gradient reaches mean and logvar", edit(SAMPLE, "    return", "    mean, logvar = mean.detach(), logvar.detach()\n    return")),
        ("no gradient in logvar", "how sure to be", edit(SAMPLE, "logvar /", "logvar.detach() /")),
        ("divided", "exp(+logvar / 2)", edit(SAMPLE, "* noise", "** -1 * noise")),
        ("noise not scaled", "noise is added as it is", edit(SAMPLE, "(logvar / 2).exp() * ", "0 * logvar + ")),
        ("the library's function", "taken away", "def sample(mean, logvar, noise):\n    return sbd_utils.sample_posterior(mean, logvar, noise)"),
    ],
    "receptive_field": [
        ("sum of kernels", "sum of the kernels", "def receptive_field(layers):\n    return sum(k for k, s in layers) if len(layers) > 1 else layers[0][0]"),
        ("stride ignored", "the stride does not count", edit(FIELD, "step *= stride", "pass")),
        ("stride too early", "multiply after you have added", edit(FIELD, "        width += (kernel - 1) * step\n        step *= stride", "        step *= stride\n        width += (kernel - 1) * step")),
        ("product of kernels", "product of the kernels", "def receptive_field(layers):\n    return math.prod(k for k, s in layers)\nimport math"),
        ("strides not multiplied", "strides multiply", edit(FIELD, "step *= stride", "step = stride")),
        ("area", "is right", edit(FIELD, "return width", "return width**2")),
        ("no layers not thought of", "no layers", edit(FIELD, "    width, step", "    assert layers, 'no layers'\n    width, step")),
    ],
    "multiply_adds": [
        ("weights alone", "these are the weights", edit(ADDS, "height * width * ", "")),
        ("kernel not squared", "kernel²", edit(ADDS, "kernel**2", "kernel")),
        ("two operations", "counts once", edit(ADDS, "return ", "return 2 * ")),
        ("biases", "biases are no", edit(ADDS, "* pairs", "* pairs + height * width * sum(channels[1:])")),
        ("channels added", "multiply the two", edit(ADDS, "pairs = sum(channels[i] *", "pairs = sum(0 * channels[i] +")),
        ("square image", "not height²", edit(ADDS, "height * width", "height**2")),
        ("last layer alone", "last layer alone", edit(ADDS, "range(len(channels) - 1)", "[len(channels) - 2]")),
        ("hard-coded", "multiply_adds([3, 513, 511, 3]", "def multiply_adds(channels, kernel, height, width):\n    return 12096"),
    ],
    "square_weights": [
        ("z3 not used", "whatever z3 is", edit(SQUARE, "    return w1,", "    w1[:, 2] = 0\n    return w1,").replace("torch.zeros(4)", "torch.full((4,), -12.0)")),
        ("x and y swapped", "x and y are swapped", edit(SQUARE, "    return w1,", "    w1 = w1[:, [0, 1, 2, 4, 3]]\n    return w1,")),
        ("signs of z1 and z2", "the signs of z1 and z2", edit(SQUARE, "    return w1,", "    w1[:, :2] *= -1\n    return w1,")),
        ("z3 the whole side", "*half* the side", edit(SQUARE, "    return w1,", "    w1[:, 2] /= 2\n    return w1,")),
        ("a diamond", "a diamond?", """
def square_weights():
    w1 = 40 * torch.tensor([[-1.0, 0, 0, 1, 0], [1, 0, 0, -1, 0], [0, -1, 0, 0, 1], [0, 1, 0, 0, -1], [0, 0, 1, 0, 0]])
    return w1, torch.zeros(5), torch.tensor([[-1.0, -1, -1, -1, 1]]), torch.ones(1)
"""),
        ("inverted", "white", edit(SQUARE, "-torch.ones(1, 4), torch.ones(1)", "torch.ones(1, 4), torch.zeros(1)")),
        ("two sides alone", "the light's centre at", edit(SQUARE, "    return w1, torch.zeros(4), -torch.ones(1, 4)", "    return w1, torch.zeros(4), -torch.tensor([[1.0, 1, 0, 0]])")),
        ("soft edges", "is off by", edit(SQUARE, "40 *", "10 *")),
    ],
}  # fmt: skip

WRONG["3_which_latents_matter"] = {
    "average_variance": [
        ("mean of batch means", "every image counts once", edit(AVERAGE, "torch.cat([encoder(batch)[1].exp() for", "torch.stack([encoder(batch)[1].exp().mean(0) for")),
        ("exp of the mean", "exp(logvar) first", edit(AVERAGE, ".exp() for batch in batches]).mean(0)", " for batch in batches]).mean(0).exp()")),
        ("not exponentiated", "average log-variance", edit(AVERAGE, ".exp()", "")),
        ("standard deviation", "average standard deviation", edit(AVERAGE, ".exp()", ".div(2).exp()")),
        ("variance of the means", "variance of the means", edit(AVERAGE, "[1].exp() for batch in batches]).mean(0)", "[0] for batch in batches]).var(0)")),
        ("exp of the first output", "mean, logvar in this order", edit(AVERAGE, "[1]", "[0]")),
        ("median", "median", edit(AVERAGE, ".mean(0)", ".median(0).values")),
        ("sum", "this is a sum", edit(AVERAGE, ".mean(0)", ".sum(0)")),
        ("goes through the batches twice", "non-empty list", edit(AVERAGE, "    with", "    count = sum(len(batch) for batch in batches)\n    with")),
        ("the library's function", "taken away", "def average_variance(encoder, batches):\n    class Model:\n        pass\n    model = Model()\n    model.encoder = encoder\n    return sbd_utils.get_avg_variance(model, batches)"),
    ],
    "informative_pair": [
        ("the largest", "these are the largest", edit(PAIR, "(avg_var,", "(-avg_var,")),
        ("sorted by index", "the smallest comes first", edit(PAIR, "return first, second", "return tuple(sorted((first, second)))")),
        ("the values", "their indices are asked for", edit(PAIR, "return first, second", "return avg_var[first], avg_var[second]")),
        ("the largest first", "the smallest comes first", edit(PAIR, "return first, second", "return second, first")),
        ("from 1", "indices start at 0", edit(PAIR, "return first, second", "return first + 1, second + 1")),
        ("below a threshold", "the smallest comes first", "def informative_pair(avg_var):\n    return [i for i, v in enumerate(avg_var) if v < 0.5]"),
        ("ties backwards", "is right", edit(PAIR, "torch.argsort(avg_var, stable=True)[:2]", "(len(avg_var) - 1 - torch.argsort(avg_var.flip(0), stable=True)[:2])")),
        ("the library's function", "taken away", "informative_pair = sbd_utils.get_smallest_pair"),
    ],
    "affine_fit": [
        ("no shift", "there is no shift", edit(FIT, "    both =", "    ones[:, 2] = 0\n    both =")),
        ("transposed", "transposed", edit(FIT, "    return both[:2], both[2], float", "    return both[:2].T, both[2], float")),
        ("average R²", "average of the two", edit(FIT, ".min())", ".mean())")),
        ("the larger R²", "the larger", edit(FIT, ".min())", ".max())")),
        ("both together", "both coordinates together", edit(FIT, "(1 - residual / total).min()", "1 - residual.sum() / total.sum()")),
        ("correlation", "this is the correlation", edit(FIT, "(1 - residual / total).min()", "np.sqrt(1 - residual / total).min()")),
        ("about zero", "squares are taken about zero", edit(FIT, "z - z.mean(0)", "z")),
        ("unexplained part", "*not* explained", edit(FIT, "(1 - residual / total).min()", "(residual / total).max()")),
        ("constant not thought of", "r2", edit(FIT, "        return both[:2], both[2], 0.0", "        pass")),
        ("the library's function", "taken away", "def affine_fit(xy, z):\n    fit = sbd_utils.fit_geometry(xy, z)\n    return fit.affine[:2], fit.affine[2], fit.affine_r2"),
    ],
    "alignment": [
        ("the larger latent", "the larger of the two", edit(ALIGNMENT, ".max(1).min()", ".max(1).max()")),
        ("average", "average over the latents", edit(ALIGNMENT, ".max(1).min()", ".max(1).mean()")),
        ("not squared", "square them", edit(ALIGNMENT, "[0, 1] ** 2", "[0, 1]").replace("squared.max", "abs(squared).max")),
        ("smallest of all", "for each latent the *largest*", edit(ALIGNMENT, ".max(1).min()", ".min()")),
        ("x with z1, y with z2", "their order must not matter", edit(ALIGNMENT, "squared.max(1).min()", "squared.diagonal().min()")),
        ("sign kept", "a negative correlation counts", edit(ALIGNMENT, "[0, 1] ** 2", "[0, 1]")),
        ("largest per factor", "alignment", edit(ALIGNMENT, ".max(1).min()", ".max(0).min()")),
        ("hard-coded", "alignment of 50 points", "def alignment(xy, z):\n    return 0.8"),
    ],
    "predictions": [
        ("a turned code is not straight", "1 of 12", edit(PREDICTIONS, "(1, 0.5, 1)", "(0.5, 0.5, 1)")),
        ("a turned code is aligned", "1 of 12", edit(PREDICTIONS, "(1, 0.5, 1)", "(1, 1, 1)")),
        ("a duplicated code has no fit", "1 of 12", edit(PREDICTIONS, "(1, 1, 0)", "(0, 1, 0)")),
        ("a duplicated code can be read back by half", "1 of 12", edit(PREDICTIONS, "(1, 1, 0)", "(1, 1, 0.5)")),
        ("swapping spoils the alignment", "1 of 12", edit(PREDICTIONS, "(1, 1, 1)", "(1, 0, 1)")),
        ("a dead latent halves the fit", "1 of 12", edit(PREDICTIONS, "(0, 0, 0)", "(0.5, 0, 0)")),
        ("a number between", "none of 0, 0.5 and 1", edit(PREDICTIONS, "(1, 0.5, 1)", "(1, 0.7, 1)")),
        ("a row left out", "a row for each", edit(PREDICTIONS, ', "dead": (0, 0, 0)', "")),
    ],
}  # fmt: skip

WRONG["4_does_it_hold"] = {
    "paired_summary": [
        ("b - a", "the difference is a - b", edit(SUMMARY, "np.asarray(a, dtype=float) - np.asarray(b, dtype=float)", "np.asarray(b, dtype=float) - np.asarray(a, dtype=float)")),
        ("divided by S", "S - 1", edit(SUMMARY, "ddof=1", "ddof=0")),
        ("standard deviation for error", "divided by √S", edit(SUMMARY, " / math.sqrt(len(difference))", "")),
        ("variance", "take the root", edit(SUMMARY, "difference.std(ddof=1) / math.sqrt(len(difference))", "difference.var(ddof=1) / len(difference)")),
        ("unpaired", "paired by seed", edit(SUMMARY, "difference.std(ddof=1)", "math.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))")),
        ("share of wins", "this is a share", edit(SUMMARY, "int((difference > 0).sum())", "(difference > 0).mean()")),
        ("draws are wins", "a pair that is equal is no win", edit(SUMMARY, "> 0", ">= 0")),
    ],
    "sign_test": [
        ("one-sided", "one-sided", edit(SIGN, "if abs(k - seeds / 2) >= far", "if k - seeds / 2 >= far")),
        ("the more extreme alone", "sign_test(9, 10)", edit(SIGN, ">= far", "> far")),
        ("one outcome", "sign_test(9, 10)", "def sign_test(wins, seeds):\n    return math.comb(seeds, wins) / 2**seeds"),
        ("above 1", "at most 1", "def sign_test(wins, seeds):\n    k = max(wins, seeds - wins)\n    return 2 * sum(math.comb(seeds, i) for i in range(k, seeds + 1)) / 2**seeds"),
        ("1 - p", "1 minus the p-value", edit(SIGN, "return ", "return 1 - ")),
        ("normal approximation", "sign_test(9, 10)", "def sign_test(wins, seeds):\n    return math.erfc(abs(wins - seeds / 2) / math.sqrt(seeds / 2))"),
        ("hard-coded", "sign_test(15, 21)", "def sign_test(wins, seeds):\n    return {0: 0.0625, 5: 0.0625, 9: 22 / 1024, 1: 22 / 1024, 3: 1.0}.get(wins, 1.0)"),
    ],
}  # fmt: skip


def submissions(assignment: str) -> list[dict[str, tuple[str, str, str]]]:
    """All wrong answers of an assignment, one per task and submission, at least one task in each left right."""
    tasks = WRONG[assignment]
    left = {task: list(answers) for task, answers in tasks.items()}
    made: list[dict] = []
    while any(left.values()):
        right = min(
            left, key=lambda task: len(left[task])
        )  # the task with the fewest answers to go stays right
        made.append(
            {task: answers.pop(0) for task, answers in left.items() if answers and task != right}
        )
    return made


def notebook_with(assignment: str, answers: dict[str, str]):
    """The solved notebook with the code of some tasks replaced."""
    notebook = assignments.read_source(assignment)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def write_all(folder: Path) -> dict[tuple[str, str], dict]:
    """Write every submission into a folder of its own; (student, assignment) -> its wrong answers by task."""
    written = {}
    for assignment in WRONG:
        for number, answers in enumerate(submissions(assignment)):
            student = f"wrong-{number:02}"
            (folder / student).mkdir(exist_ok=True)
            notebook = notebook_with(
                assignment, {task: code for task, (_, _, code) in answers.items()}
            )
            nbformat.write(notebook, folder / student / f"{assignment}.ipynb")
            written[student, assignment] = answers
    return written


def main() -> None:
    """Grade them all, and print a line for each."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        written = write_all(folder / "in")
        results = grade.grade_folder(folder / "in", folder / "out")
    lines, told = [], 0
    for result in results:
        one = result.submission
        for task in result.outcome.tasks:
            wrong = written[one.student, one.assignment].get(task.task)
            if wrong is None:
                continue
            what, sentence, _ = wrong
            told += task.mark is not None and task.mark < task.possible and sentence in task.reason
            marks = f"{task.mark:g} of {task.possible:g}"
            lines.append(f"{one.assignment[0]} {task.task:20} {what:42} {marks}  {task.reason}")
    print("\n".join(sorted(lines)))
    print(f"{len(lines)} wrong answers; {told} lost marks and were told what the test expects")


if __name__ == "__main__":
    main()
