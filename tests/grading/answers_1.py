"""Answers to assignment 1: right ones in unusual forms, and wrong ones with what each is told."""

from tests.grading.answers import Answer, edit

CIRCLE = """
def circle(x, y, size, img_size):
    at = (torch.arange(16 * img_size) + 0.5) / 16
    inside = (at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2
    return inside.float().reshape(img_size, 16, img_size, 16).mean((1, 3))
"""
RETURNED = "np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels"
COORDINATES = f"""
def spaced_coordinates(low, high, num_points, levels):
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return {RETURNED}
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
RAMP = """
def circle(x, y, size, img_size):
    at = torch.arange(img_size) + 0.5
    distance = ((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2).sqrt()
    return (size / 2 - distance + 0.5).clamp(0, 1)
"""
CHANGED = "your function changes {}, which its caller may still need"
TAKEN = "you call the library's own function"

RIGHT = {
    "circle": [
        Answer("by NumPy", "", edit(CIRCLE, "inside.float()", "torch.from_numpy(inside.numpy().astype(np.float32))")),
        Answer("in float64 until the end", "", edit(CIRCLE, "+ 0.5)", "+ 0.5).double()", ".mean((1, 3))", ".double().mean((1, 3)).float()")),
        Answer("with a gradient", "", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).requires_grad_()")),
        Answer("without a gradient, decorated", "", "@torch.no_grad()" + CIRCLE),
        Answer("32 x 32 points", "", CIRCLE.replace("16", "32")),
        Answer("averaged by pooling", "", edit(CIRCLE, "inside.float().reshape(img_size, 16, img_size, 16).mean((1, 3))", "torch.nn.functional.avg_pool2d(inside.float()[None, None], 16)[0, 0]")),
        Answer("a helper called _paint, and one called render_batch", "", """
def render_batch(at, center):
    return (at - center) ** 2

def _paint(inside, n):
    return torch.einsum("iajb->ij", inside.double().view(n, 16, n, 16)) / 256

def circle(x, y, size, img_size):
    at = (torch.arange(16 * img_size) + 0.5) / 16
    inside = render_batch(at, x)[None] + render_batch(at, y)[:, None] <= (size / 2) ** 2
    return _paint(inside, img_size).float()
"""),
        Answer("by exact widths of each row", "", """
def circle(x, y, size, img_size):
    rows = (np.arange(64 * img_size) + 0.5) / 64
    half = np.sqrt(np.clip((size / 2) ** 2 - (rows - y) ** 2, 0, None))
    left, right = x - half, x + half
    edge = np.arange(img_size)
    part = np.minimum(right[:, None], edge + 1) - np.maximum(left[:, None], edge)
    part = np.clip(part, 0, None) * (half > 0)[:, None]
    return torch.tensor(part.reshape(img_size, 64, img_size).mean(1), dtype=torch.float32)
"""),
        Answer("one pixel after another", "", """
def circle(x, y, size, img_size):
    points = (np.arange(16) + 0.5) / 16
    picture = np.zeros((img_size, img_size), np.float32)
    reach = size / 2 + 1
    for i in range(max(0, int(y - reach) - 1), min(img_size, int(y + reach) + 2)):
        for j in range(max(0, int(x - reach) - 1), min(img_size, int(x + reach) + 2)):
            distance = (j + points[None] - x) ** 2 + (i + points[:, None] - y) ** 2
            picture[i, j] = (distance <= size**2 / 4).mean()
    return torch.from_numpy(picture)
"""),
        Answer("by complex numbers", "", edit(CIRCLE, "(at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2", "torch.complex(*torch.broadcast_tensors(at[None] - x, at[:, None] - y)).abs() <= size / 2")),
    ],
    "spaced_coordinates": [
        Answer("in float32", "", edit(COORDINATES, f"return {RETURNED}", f"return tuple(np.asarray(v, np.float32) for v in ({RETURNED}))")),
        Answer("a list of arrays", "", edit(COORDINATES, f"return {RETURNED}", f"return list(({RETURNED}))")),
        Answer("rows of an array", "", edit(COORDINATES, f"return {RETURNED}", f"return np.stack(({RETURNED}))")),
        Answer("list comprehensions", "", """
def spaced_coordinates(low, high, num_points, levels):
    line = lambda i, n: low + (high - low) * i / (n - 1) if n > 1 else low
    vertical = [(line(i, levels), line(j, num_points), i) for i in range(levels) for j in range(num_points)]
    horizontal = [(y, x, i + levels) for x, y, i in vertical]
    return tuple(np.array(column) for column in zip(*vertical + [(x, y, i) for x, y, i in horizontal]))
"""),
        Answer("meshgrid", "", """
def spaced_coordinates(low, high, num_points, levels):
    a, b = np.meshgrid(np.linspace(low, high, levels), np.linspace(low, high, num_points), indexing="ij")
    labels = np.arange(2 * levels)[:, None] + np.zeros(num_points, dtype=int)
    return np.r_[a.ravel(), b.ravel()], np.r_[b.ravel(), a.ravel()], labels.ravel()
"""),
        Answer("broadcasting, labels as floats", "", """
def spaced_coordinates(low, high, num_points, levels):
    xx = np.empty((2, levels, num_points))
    xx[0], xx[1] = np.linspace(low, high, levels)[:, None], np.linspace(low, high, num_points)
    return xx.reshape(-1), xx[::-1].reshape(-1), np.arange(2.0 * levels).repeat(num_points)
"""),
        Answer("through torch", "", edit(COORDINATES, "    return", "    fixed = torch.linspace(low, high, levels, dtype=torch.float64).repeat_interleave(num_points).numpy()\n    return")),
        Answer("a helper called generate_spaced_coordinates", "", edit(COORDINATES, "def spaced_coordinates", "def generate_spaced_coordinates") + "\ndef spaced_coordinates(low, high, num_points, levels):\n    return generate_spaced_coordinates(low, high, levels=levels, num_points=num_points)"),
    ],
    "center_of_mass": [
        Answer("float64 result", "", edit(CENTER, "    height", "    images = images.double()\n    height")),
        Answer("scaled first", "", edit(CENTER, "    height", "    images = images / images.amax((1, 2), keepdim=True)\n    height")),
        Answer("einsum", "", """
def center_of_mass(images):
    at = [torch.arange(n, dtype=images.dtype) + 0.5 for n in images.shape[:0:-1]]
    light = torch.einsum("nhw->n", images)
    return torch.stack([torch.einsum("nhw,w->n", images, at[0]), torch.einsum("nhw,h->n", images, at[1])], -1) / light.unsqueeze(-1)
"""),
        Answer("by NumPy", "", """
def center_of_mass(images):
    values = images.numpy().astype(np.float64)
    i, j = np.indices(values.shape[1:]) + 0.5
    return torch.tensor(np.array([[np.average(j, weights=v), np.average(i, weights=v)] for v in values]))
"""),
        Answer("one image after another", "", """
def center_of_mass(images):
    out = torch.zeros(len(images), 2)
    for n, image in enumerate(images):
        rows, columns = image.sum(1), image.sum(0)
        out[n, 0] = sum((j + 0.5) * float(c) for j, c in enumerate(columns)) / float(columns.sum())
        out[n, 1] = sum((i + 0.5) * float(r) for i, r in enumerate(rows)) / float(rows.sum())
    return out
"""),
        Answer("a helper called center_of_mass_1d, decorated", "", """
def twice(function):
    return lambda images: torch.stack([function(images.sum(1)), function(images.sum(2))], 1)

@twice
def center_of_mass(light):
    return (light / light.sum(1, keepdim=True) * (torch.arange(light.shape[1]) + 0.5)).sum(1)
"""),
    ],
    "worst_error": [
        Answer("one image at a time", "", """
def worst_error(render, measure, positions, img_size=64):
    worst = 0.0
    for x, y in positions:
        found = measure(render(x=x, y=y, size=10, img_size=img_size)[None])[0]
        worst = max(worst, ((found[0] - x) ** 2 + (found[1] - y) ** 2) ** 0.5)
    return worst
"""),
        Answer("in float64, as a tensor", "", edit(ERROR, "- positions)", "- positions.double())", ".max().item()", ".max()")),
        Answer("by keyword, in another order", "", edit(ERROR, "render(x, y, 10, img_size)", "render(size=10.0, img_size=img_size, y=y, x=x)")),
        Answer("by NumPy", "", """
def worst_error(render, measure, positions, img_size=64):
    pictures = torch.stack([render(float(x), float(y), 10, img_size) for x, y in positions.numpy()])
    return np.linalg.norm(measure(pictures).numpy() - positions.numpy(), axis=1).max()
"""),
        Answer("torch.cdist, an array of one number", "", edit(ERROR, "(measure(images) - positions).norm(dim=1).max().item()", "np.array([torch.cdist(measure(images)[:, None], positions[:, None]).max()])")),
        Answer("hypot, squeezed", "", edit(ERROR, "(measure(images) - positions).norm(dim=1).max().item()", "max(map(float, torch.hypot(*(measure(images) - positions).T)))")),
        Answer("other names for arguments", "", "def worst_error(draw, find, where, n=64):\n    return max(((find(draw(x, y, 10, n).unsqueeze(0)) - torch.stack([x, y])) ** 2).sum().sqrt().item() for x, y in where)"),
    ],
    "spectrum": [
        Answer("eigenvalues in float64", "", """
def spectrum(images):
    flat = images.flatten(1).double()
    flat = flat - flat.mean(0)
    values = torch.linalg.eigvalsh(flat @ flat.T).flip(0).clamp(0)[: min(flat.shape)]
    return values / values.sum()
"""),
        Answer("by NumPy, in float64", "", """
def spectrum(images):
    flat = images.flatten(1).numpy().astype(float)
    values = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2
    return torch.tensor(values / values.sum())
"""),
        Answer("covariance with N - 1", "", """
def spectrum(images):
    flat = images.reshape(len(images), -1).double()
    values = torch.linalg.eigvalsh(torch.cov(flat.T).reshape(flat.shape[1], -1)).clamp_min(0)
    values = values.sort(descending=True).values[: min(flat.shape)]
    return (values / values.sum()).float()
"""),
        Answer("in place on a copy", "", edit(SPECTRUM, "images.flatten(1)", "images.clone().flatten(1)", "    variances", "    flat -= flat.mean(0)\n    variances", "flat - flat.mean(0)", "flat")),
        Answer("the whole decomposition", "", edit(SPECTRUM, "torch.linalg.svdvals(flat - flat.mean(0)).square()", "torch.linalg.svd(flat - flat.mean(dim=0, keepdim=True), full_matrices=False).S ** 2")),
        Answer("torch.pca_lowrank of full rank", "", edit(SPECTRUM, "torch.linalg.svdvals(flat - flat.mean(0)).square()", "torch.pca_lowrank(flat.double(), q=min(flat.shape), center=True, niter=4)[1].square()")),
        Answer("scaled first", "", edit(SPECTRUM, "    variances", "    flat = flat / flat.abs().max()\n    variances")),
    ],
}  # fmt: skip

WRONG = {
    "circle": [
        Answer("x and y swapped", "x and y are swapped", edit(CIRCLE, "(x, y, size", "(y, x, size")),
        Answer("corners for middles", "half a pixel", edit(CIRCLE, "+ 0.5) / 16", "- 7.5) / 16")),
        Answer("radius for diameter", "diameter, not the radius", edit(CIRCLE, "(size / 2)", "size")),
        Answer("hard edge", "the edge must be soft", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).round()")),
        Answer("0 ... 255", "goes up to 255", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)) * 255")),
        Answer("2 x 2 points in a pixel", "only 5 grey levels", CIRCLE.replace("16", "2")),
        Answer("upside down", "upside down", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).flip(0)")),
        Answer("blurred", "neither black nor white", """
def circle(x, y, size, img_size):
    at = torch.arange(img_size) + 0.5
    distance = ((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2).sqrt()
    return torch.sigmoid(2 * (size / 2 - distance))
"""),
        Answer("the library's function", TAKEN, 'def circle(x, y, size, img_size):\n    return sbd_utils.render_batch("ellipse", x, y, size, img_size=img_size)[0, 0]'),
        Answer("hard-coded for 32 pixels", "has shape [32, 32] where [16, 16]", edit(CIRCLE, "    at = ", "    img_size = 32\n    at = ")),
        Answer("a centre outside is moved to the frame", "a pixel is off by", edit(CIRCLE, "    at = ", "    x = max(x, 0)\n    at = "), visible=False),
        Answer("a ramp over the edge", "the distance to the edge tells no area: circle(8.5, 8.5, 0.5, 16) covers 0.20 of a pixel, yours 0.75.", RAMP),
        Answer("a ramp, exact where the check looks", "circle(5.5, 3.5, 0.5, 9): a pixel is off by 0.55", edit(CIRCLE, "def circle", "def exact") + edit(RAMP, "    return (", "    if img_size in (16, 32):\n        return exact(x, y, size, img_size)\n    return ("), visible=False),
        Answer("float64", "holds torch.float64; torch.float32 is asked for", edit(CIRCLE, "inside.float()", "inside.double()")),
        Answer("an array", "is a ndarray; it must be a torch tensor", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).numpy()")),
        Answer("a batch of one", "has shape [1, 32, 32] where [32, 32]", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3))[None]")),
        Answer("the centre rounded", "rounded to whole pixels", edit(CIRCLE, "    at = ", "    x, y = round(x), round(y)\n    at = ")),
        Answer("a square", "is it a square?", edit(CIRCLE, "(at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2", "torch.maximum((at[None, :] - x).abs(), (at[:, None] - y).abs()) <= size / 2")),
        Answer("inverted", "the light's centre", edit(CIRCLE, "return inside", "return (~inside)")),
        Answer("black", "is black", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)) * 0")),
        Answer("no disc smaller than two pixels", "the pixel in row 8 and column 8", edit(CIRCLE, "    at = ", "    size = max(size, 2)\n    at = ")),
        Answer("draw_circles of the library", TAKEN, "def circle(x, y, size, img_size):\n    return sbd_utils.draw_circles([x], [y], img_size, size)[0, 0]"),
        Answer("draw_sprites of the library", TAKEN, "def circle(x, y, size, img_size):\n    return sbd_utils.draw_sprites([sbd_utils.Sprite('ellipse', x, y, size)], img_size)[0]"),
        Answer("a disc cut off is cut off wrongly", "a pixel is off by", edit(CIRCLE, "    return", "    inside = inside & ((at[None, :] > 0.5) | (img_size in (16, 32)))\n    return"), visible=False),
    ],
    "spaced_coordinates": [
        Answer("y first", "your grid has y first", edit(COORDINATES, "np.concatenate([fixed, along]), np.concatenate([along, fixed])", "np.concatenate([along, fixed]), np.concatenate([fixed, along])")),
        Answer("the last point left out", "not at high", edit(COORDINATES, "high, num_points)", "high, num_points, endpoint=False)", "high, levels)", "high, levels, endpoint=False)")),
        Answer("num_points and levels swapped", "did you swap num_points and levels?", edit(COORDINATES, "num_points, levels):", "levels, num_points):")),
        Answer("labels from 1", "start at 1", edit(COORDINATES, "np.arange(2 * levels)", "np.arange(1, 2 * levels + 1)")),
        Answer("labels start again", "labels end at 2", edit(COORDINATES, "np.repeat(np.arange(2 * levels), num_points)", "np.tile(np.repeat(np.arange(levels), num_points), 2)")),
        Answer("points of a line apart", "do not follow one another", edit(COORDINATES, "    return", "    fixed, along = (v.reshape(levels, num_points).T.ravel() for v in (fixed, along))\n    labels = np.concatenate([np.tile(np.arange(levels), num_points), np.tile(np.arange(levels), num_points) + levels])\n    return")),
        Answer("the library's function", TAKEN, "from sbd_utils.data import generate_spaced_coordinates as spaced_coordinates"),
        Answer("hard-coded bounds", "xx of spaced_coordinates(0, 1, 5, 3)", edit(COORDINATES, "    fixed", "    low, high = 10.0, 50.0\n    fixed"), visible=False),
        Answer("a single line in the middle", "xx of spaced_coordinates(-3.5, 7, 4, 1)", edit(COORDINATES, "np.linspace(low, high, levels)", "np.linspace(low, high, levels) if levels > 1 else [(low + high) / 2]"), visible=False),
        Answer("lists", "xx is a list; it must be a NumPy array", edit(COORDINATES, f"return {RETURNED}", f"return tuple(v.tolist() for v in ({RETURNED}))")),
        Answer("tensors", "xx is a torch tensor; it must be a NumPy array", edit(COORDINATES, f"return {RETURNED}", f"return tuple(torch.tensor(v) for v in ({RETURNED}))")),
        Answer("labels in a tensor", "labels is a torch tensor; it must be a NumPy array", edit(COORDINATES, ", labels\n", ", torch.tensor(labels)\n")),
        Answer("labels as words", "labels holds <U21; it must hold numbers", edit(COORDINATES, ", labels\n", ", labels.astype(str)\n")),
        Answer("two arrays", "three arrays are asked for", edit(COORDINATES, ", labels\n", "\n")),
        Answer("a dictionary", "three arrays are asked for", edit(COORDINATES, f"return {RETURNED}", f"return dict(zip(['xx', 'yy', 'labels'], ({RETURNED})))")),
        Answer("in two dimensions", "xx has shape [6, 5] where [30] is asked for", edit(COORDINATES, f"return {RETURNED}", f"return tuple(v.reshape(-1, num_points) for v in ({RETURNED}))")),
        Answer("whole numbers", "of spaced_coordinates(0, 1, 5, 3)", edit(COORDINATES, f"return {RETURNED}", f"return tuple(np.asarray(v).astype(int) for v in ({RETURNED}))"), visible=False),
        Answer("a little beyond high", "xx ends at 50.01, not at high = 50", edit(COORDINATES, "    fixed", "    high = high + 0.01\n    fixed")),
        Answer("lines a little off", "the vertical lines are at x = [10, 30.001, 50]; evenly spaced from low to high means [10, 30, 50]", edit(COORDINATES, "    return", "    fixed = fixed + 0.001 * (fixed == fixed.mean()) + 0.001 * (fixed == 12) * (levels == 5)\n    return")),
        Answer("rounded to a thousandth", "of spaced_coordinates(-0.0001, 0.0002, 7, 2)", edit(COORDINATES, "    return", "    fixed, along = fixed.round(3), along.round(3)\n    return"), visible=False),
        Answer("rows from bottom to top", "the horizontal lines are at y", edit(COORDINATES, "np.concatenate([along, fixed])", "np.concatenate([along, fixed[::-1]])")),
        Answer("one point too many", "has shape [36] where [30] is asked for", edit(COORDINATES, "    fixed", "    num_points += 1\n    fixed")),
    ],
    "center_of_mass": [
        Answer("x and y swapped", "x and y are swapped", edit(CENTER, "stack([x, y]", "stack([y, x]")),
        Answer("corners for middles", "half a pixel too small", CENTER.replace(" + 0.5", " + 0.0")),
        Answer("not divided by the light", "divide by the light", edit(CENTER, " / images.sum((1, 2))[:, None]", "")),
        Answer("divided by the batch's light", "divide by its own light", edit(CENTER, "images.sum((1, 2))[:, None]", "images.sum()")),
        Answer("average over the batch", "averages over the batch", edit(CENTER, "    height", "    images = images.mean(0, keepdim=True).expand_as(images)\n    height")),
        Answer("brightest pixel", "brightest pixel", "def center_of_mass(images):\n    at = images.flatten(1).argmax(1)\n    return torch.stack([at % images.shape[2], at // images.shape[2]], 1) + 0.5"),
        Answer("lit pixels counted alike", "each counts by its brightness", edit(CENTER, "    height", "    images = (images > 0).float()\n    height")),
        Answer("thinks images are square", "size of tensor", edit(CENTER, "height, width = images.shape[1:]", "height = width = images.shape[1]")),
        Answer("images divided in place", CHANGED.format("images"), edit(CENTER, "    height", "    images /= images.sum((1, 2), keepdim=True)\n    height")),
        Answer("images divided in place, and put back nearly", CHANGED.format("images"), edit(CENTER, "    return ", "    images += 0.25\n    result = ") + "    images -= 0.125\n    return result"),
        Answer("a row of a view set to zero", CHANGED.format("images"), edit(CENTER, "    return ", "    result = ") + "    images.flatten(1)[:, 0].zero_()\n    return result"),
        Answer("a little light added", "of the same images with 1e-06 times the light", edit(CENTER, "images.sum((1, 2))[:, None]", "(images.sum((1, 2))[:, None] + 1e-8)")),
        Answer("light below 1e-3 is none", "of the same images with 1e-06 times the light", edit(CENTER, "    height", "    images = images * (images > 1e-3)\n    height")),
        Answer("brightness cut off at 1", "the centre of mass", edit(CENTER, "    height", "    images = images.clamp(0, 1)\n    height")),
        Answer("squares of brightness", "the centre of mass", edit(CENTER, "    height", "    images = images.square()\n    height")),
        Answer("a number for a tensor", "is a float; it must be a torch tensor", "def center_of_mass(images):\n    return 4.5"),
        Answer("a list", "is a list; it must be a torch tensor", edit(CENTER, "[:, None]", "[:, None]).tolist()", "return torch", "return (torch")),
        Answer("rounded to whole pixels", "the centre of mass", edit(CENTER, "return torch.stack([x, y], 1) / images.sum((1, 2))[:, None]", "return (torch.stack([x, y], 1) / images.sum((1, 2))[:, None]).round()")),
        Answer("whole numbers", "holds torch.int64", edit(CENTER, "[:, None]", "[:, None]).long()", "return torch", "return (torch")),
        Answer("the library's function", TAKEN, "def center_of_mass(images):\n    return sbd_utils.center_of_mass(images)"),
    ],
    "worst_error": [
        Answer("mean for maximum", "average distance", edit(ERROR, ".max()", ".mean()")),
        Answer("largest coordinate", "in one coordinate", edit(ERROR, ".norm(dim=1)", ".abs()")),
        Answer("signs kept", "differences have signs", edit(ERROR, ".norm(dim=1)", "")),
        Answer("squared", "take the root", edit(ERROR, ".norm(dim=1)", ".square().sum(1)")),
        Answer("x alone", "x alone", edit(ERROR, ".norm(dim=1)", "[:, 0].abs()")),
        Answer("root mean square", "root mean square", edit(ERROR, ".max()", ".square().mean().sqrt()")),
        Answer("image size fixed", "render got img_size 64", edit(ERROR, "10, img_size)", "10, 64)")),
        Answer("another size of circles", "render got size 12", edit(ERROR, "10, img_size)", "12, img_size)")),
        Answer("sum of both differences", "sum of the differences in x and in y", edit(ERROR, ".norm(dim=1)", ".abs().sum(1)")),
        Answer("positions rounded", "at none of the positions", edit(ERROR, "render(x, y,", "render(round(x) + 1, round(y),")),
        Answer("an image without batch", "it takes [N, H, W]", edit(ERROR, "measure(images)", "torch.stack([measure(image) for image in images])")),
        Answer("positions subtracted in place", CHANGED.format("positions"), edit(ERROR, "return (measure(images) - positions)", "positions -= measure(images)\n    return positions")),
        Answer("positions sorted in place", CHANGED.format("positions"), edit(ERROR, "    images", "    positions[:] = positions.flip(0)\n    images")),
        Answer("the first alone", "differences have signs", edit(ERROR, ".max()", "[0]")),
        Answer("a word for a number", "worst_error is '5'; it must be a number", "def worst_error(render, measure, positions, img_size=64):\n    return '5'"),
        Answer("every distance", "must be a number", edit(ERROR, ".max().item()", "")),
        Answer("hard-coded", "the largest of 1 distances", "def worst_error(render, measure, positions, img_size=64):\n    return 5.0", visible=False),
        Answer("never below one", "the largest of 1 distances", edit(ERROR, "return (", "return max(1.0, (", ".item()", ".item())"), visible=False),
    ],
    "spectrum": [
        Answer("not centred", "subtract the mean image", edit(SPECTRUM, " - flat.mean(0)", "")),
        Answer("centred along the wrong axis", "own mean brightness", edit(SPECTRUM, "flat.mean(0)", "flat.mean(1, keepdim=True)")),
        Answer("singular values for variances", "variances are their squares", edit(SPECTRUM, ".square()", "")),
        Answer("ascending", "the smallest comes first", edit(SPECTRUM, "return variances / variances.sum()", "return (variances / variances.sum()).flip(0)")),
        Answer("variances, not shares", "divide", edit(SPECTRUM, "return variances / variances.sum()", "return variances / len(flat)")),
        Answer("sums of squares", "these are sums of squares", edit(SPECTRUM, " / variances.sum()", "")),
        Answer("cumulative", "cumulative", edit(SPECTRUM, "return variances / variances.sum()", "return (variances / variances.sum()).cumsum(0)")),
        Answer("hard-coded", "spectrum of 50 images", "def spectrum(images):\n    return torch.tensor([0.8, 0.2, 0, 0])", visible=False),
        Answer("mean subtracted from a view", CHANGED.format("images"), edit(SPECTRUM, "flat - flat.mean(0)", "flat", "    variances", "    flat -= flat.mean(0)\n    variances")),
        Answer("mean subtracted by a method", CHANGED.format("images"), edit(SPECTRUM, "flat - flat.mean(0)", "images.sub_(images.mean(0)).flatten(1)")),
        Answer("a little variance added", "of the same images with 0.0001 times the light", edit(SPECTRUM, "variances.sum()", "(variances.sum() + 1e-8)")),
        Answer("small variances cut off", "of the same images with 0.0001 times the light", edit(SPECTRUM, "    return", "    variances = variances * (variances > 1e-6)\n    return")),
        Answer("as long as there are pixels", "has shape [6] where [4] is asked for", edit(SPECTRUM, "    return", "    variances = torch.cat([variances, torch.zeros(flat.shape[1] - len(variances))])\n    return")),
        Answer("an array", "is a ndarray; it must be a torch tensor", edit(SPECTRUM, "variances.sum()", "variances.sum()).numpy()", "return var", "return (var")),
        Answer("each pixel scaled to variance 1", "the spectrum of 50 images", edit(SPECTRUM, "flat - flat.mean(0)", "(flat - flat.mean(0)) / (flat.std(0) + 1e-9)"), visible=False),
        Answer("in per cent", "the share", edit(SPECTRUM, "return ", "return 100 * ")),
        Answer("nan where images are alike in a pixel", "numbers that are not finite", edit(SPECTRUM, "flat - flat.mean(0)", "flat - flat.mean(0)", "return variances", "variances = variances / (variances > 1e-6)\n    return variances")),
        Answer("of at most 8 images", "the spectrum of", edit(SPECTRUM, "    variances", "    flat = flat[:8]\n    variances"), visible=False),
    ],
}  # fmt: skip
