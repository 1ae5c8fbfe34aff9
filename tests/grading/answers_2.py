"""Answers to assignment 2: right ones in unusual forms, and wrong ones with what each is told."""

from tests.grading.answers import Answer, edit

DECODER = """
class Decoder(nn.Module):
    def __init__(self, z_dim, channels, out_channels, height, width):
        super().__init__()
        rows, columns = torch.linspace(-1, 1, height + 6), torch.linspace(-1, 1, width + 6)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        self.register_buffer("grid", torch.stack([x, y]))
        self.convs = nn.Sequential(
            nn.Conv2d(z_dim + 2, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, out_channels, 3),
        )

    def forward(self, z):
        tiled = z[:, :, None, None].expand(-1, -1, *self.grid.shape[1:])
        return self.convs(torch.cat([tiled, self.grid.expand(len(z), -1, -1, -1)], 1))
"""
JOINED = "torch.cat([tiled, self.grid.expand(len(z), -1, -1, -1)], 1)"
LOSS = """
def loss(images, reconstruction, mean, logvar, sigma, beta):
    error = (reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2)
    kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)
    return (error + beta * kl).mean()
"""
STEP = """
def training_step(model, optimizer, images, noise, beta):
    mean, logvar = model.encoder(images)
    reconstruction = model.decoder(mean + (logvar / 2).exp() * noise)
    total = sbd_utils.elbo_loss(images, reconstruction, mean, logvar, w=10, beta=beta).total
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return total.item()
"""
ADDS = """
def multiply_adds(channels, kernel, height, width):
    pairs = sum(channels[i] * channels[i + 1] for i in range(len(channels) - 1))
    return height * width * kernel**2 * pairs
"""
FOUR = "w1, torch.zeros(4), -torch.ones(1, 4), torch.ones(1)"
SQUARE = f"""
def square_weights():
    w1 = 40 * torch.tensor([[-1.0, 0, -1, 1, 0], [1, 0, -1, -1, 0], [0, -1, -1, 0, 1], [0, 1, -1, 0, -1]])
    return {FOUR}
"""
CHANGED = "your function changes {}, which its caller may still need"
TAKEN = "you call the library's own function"
NEW = "    {0} = torch.tensor({0}.tolist(), dtype={0}.dtype, requires_grad=True)\n"

RIGHT = {
    "Decoder": [
        Answer("coordinates in a persistent buffer, [1, 2, H, W]", "", edit(DECODER, "torch.stack([x, y])", "torch.stack([x, y])[None]", "self.grid.shape[1:]", "self.grid.shape[2:]")),
        Answer("coordinates not stored", "", edit(DECODER, "torch.stack([x, y])", "torch.stack([x, y]), persistent=False")),
        Answer("coordinates as a plain attribute", "", edit(DECODER, 'self.register_buffer("grid", torch.stack([x, y]))', "self.grid = torch.stack([x, y])")),
        Answer("layers with names, in another order", "", """
class Decoder(torch.nn.Module):
    def __init__(self, z_dim, channels, out_channels, height, width):
        super(Decoder, self).__init__()
        self.picture = nn.Conv2d(channels, out_channels, kernel_size=3, stride=1, padding="valid")
        self.second = nn.Conv2d(channels, channels, (3, 3))
        self.first = nn.Conv2d(2 + z_dim, channels, 3)
        self.size = (height + 6, width + 6)

    def coordinate_map(self, like):
        height, width = self.size
        x = torch.linspace(-1, 1, width).to(like)
        y = torch.linspace(-1, 1, height).to(like)
        return x.repeat(height, 1), y[:, None].repeat(1, width)

    def forward(self, z):
        x, y = self.coordinate_map(z)
        volume = z.new_empty(len(z), z.shape[1] + 2, *self.size)
        volume = torch.cat([z.view(*z.shape, 1, 1).repeat(1, 1, *self.size), torch.stack([x, y]).repeat(len(z), 1, 1, 1)], 1)
        return self.picture(torch.relu(self.second(torch.relu(self.first(volume)))))
"""),
        Answer("a loop over a ModuleList", "", edit(DECODER, """nn.Sequential(
            nn.Conv2d(z_dim + 2, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3),
            nn.ReLU(),
            nn.Conv2d(channels, out_channels, 3),
        )""", "nn.ModuleList(nn.Conv2d(a, b, 3) for a, b in [(z_dim + 2, channels), (channels, channels), (channels, out_channels)])", f"return self.convs({JOINED})", f"h = {JOINED}\n        for number, conv in enumerate(self.convs):\n            h = conv(h if number == 0 else h.clamp(min=0))\n        return h")),
        Answer("pixel by pixel", "", edit(DECODER, f"        return self.convs({JOINED})", "        volume = torch.stack([torch.stack([torch.cat([z, self.grid[:, i, j].expand(len(z), 2)], 1) for j in range(self.grid.shape[2])], -1) for i in range(self.grid.shape[1])], -2)\n        return self.convs(volume)")),
        Answer("padding, and three pixels cut off", "", DECODER.replace(", 3)", ", 3, padding=1)").replace(f"self.convs({JOINED})", f"self.convs({JOINED})[..., 3:-3, 3:-3]")),
        Answer("parameters of its own", "", """
class Decoder(nn.Module):
    def __init__(self, z_dim, channels, out_channels, height, width):
        super().__init__()
        sizes = [z_dim + 2, channels, channels, out_channels]
        self.w = nn.ParameterList([nn.Parameter(torch.randn(b, a, 3, 3)) for a, b in zip(sizes, sizes[1:])])
        self.b = nn.ParameterList([nn.Parameter(torch.randn(b)) for b in sizes[1:]])
        self.h, self.v = width + 6, height + 6

    def forward(self, z):
        n, k = z.shape
        x = torch.linspace(-1, 1, self.h)[None, None, None, :].expand(n, 1, self.v, self.h)
        y = torch.linspace(-1, 1, self.v)[None, None, :, None].expand(n, 1, self.v, self.h)
        h = torch.cat([z.reshape(n, k, 1, 1) + 0 * x, x, y], dim=1)
        h = torch.relu(torch.conv2d(h, self.w[0], self.b[0]))
        h = torch.relu(torch.conv2d(h, self.w[1], self.b[1]))
        return torch.conv2d(h, self.w[2], self.b[2])
"""),
        Answer("the coordinates by numbers and a decorated forward", "", "import functools\n\ndef noted(function):\n    @functools.wraps(function)\n    def inner(*args, **kwargs):\n        return function(*args, **kwargs)\n    return inner\n" + edit(DECODER, "rows, columns = torch.linspace(-1, 1, height + 6), torch.linspace(-1, 1, width + 6)", "rows = torch.tensor([2 * i / (height + 5) - 1 for i in range(height + 6)])\n        columns = torch.arange(width + 6) * 2 / (width + 5) - 1", "    def forward", "    @noted\n    def forward")),
        Answer("nn.Upsample tiles", "", edit(DECODER, "z[:, :, None, None].expand(-1, -1, *self.grid.shape[1:])", "nn.functional.interpolate(z[:, :, None, None], size=self.grid.shape[1:])")),
    ],
    "loss": [
        Answer("a helper called kl_divergence", "", """
def kl_divergence(mean, logvar):
    return (mean ** 2 + torch.exp(logvar) - logvar - 1) / 2

def elbo_loss(error, kl, beta):
    return torch.mean(error) + beta * torch.mean(kl)

def loss(images, reconstruction, mean, logvar, sigma, beta):
    off = (images - reconstruction).flatten(1)
    return elbo_loss((off * off).sum(-1) / sigma**2 / 2, kl_divergence(mean, logvar).sum(-1), beta)
"""),
        Answer("torch's own KL", "", """
from torch.distributions import Normal, kl_divergence

def loss(images, reconstruction, mean, logvar, sigma, beta):
    kl = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
    return ((reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2) + beta * kl).mean()
"""),
        Answer("torch's own squared error", "", edit(LOSS, "(reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2)", "nn.functional.mse_loss(reconstruction, images, reduction='sum') / (2 * sigma**2) / len(images)")),
        Answer("a Gaussian's log-probability", "", edit(LOSS, "(reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2)", "-(torch.distributions.Normal(reconstruction, sigma).log_prob(images) - torch.distributions.Normal(torch.zeros_like(images), sigma).log_prob(torch.zeros_like(images))).sum((1, 2, 3))")),
        Answer("in float64", "", edit(LOSS, "(mean.", "(mean.double().", "(reconstruction -", "(reconstruction.double() -")),
        Answer("einsum", "", edit(LOSS, "(reconstruction - images).square().sum((1, 2, 3))", "torch.einsum('nchw,nchw->n', reconstruction - images, reconstruction - images)")),
        Answer("image after image", "", """
def loss(images, reconstruction, mean, logvar, sigma, beta):
    total = 0
    for x, y, m, v in zip(images, reconstruction, mean, logvar):
        error = sum(((a - b) ** 2).sum() for a, b in zip(x, y)) / (2 * sigma**2)
        total = total + error + beta * sum((a * a + b.exp() - b - 1) / 2 for a, b in zip(m, v))
    return total / len(images)
"""),
        Answer("a tensor of one number", "", edit(LOSS, ".mean()", ".mean(0, keepdim=True)")),
        Answer("the standard deviation squared", "", edit(LOSS, "logvar.exp()", "(logvar / 2).exp() ** 2")),
        Answer("by norms", "", edit(LOSS, "(reconstruction - images).square().sum((1, 2, 3)) / (2 * sigma**2)", "0.5 * ((reconstruction - images) / sigma).flatten(1).square().sum(1)")),
        Answer("lambda, expm1", "", "loss = lambda images, reconstruction, mean, logvar, sigma, beta: (((reconstruction - images) / sigma) ** 2).sum() / len(images) / 2 + beta * (mean**2 + torch.expm1(logvar) - logvar).sum() / len(images) / 2"),
    ],
    "training_step": [
        Answer("gradients forgotten afterwards", "", edit(STEP, "    optimizer.zero_grad()\n", "", "    optimizer.step()\n", "    optimizer.step()\n    optimizer.zero_grad()\n")),
        Answer("model.zero_grad, a tensor", "", edit(STEP, "optimizer.zero_grad()", "model.zero_grad()", "total.item()", "total.detach()")),
        Answer("the parts of the loss", "", edit(STEP, "    total = sbd_utils.elbo_loss(images, reconstruction, mean, logvar, w=10, beta=beta).total", "    error, kl = sbd_utils.elbo_loss(images, reconstruction, mean, logvar).parts.values()\n    total = 10 * error + beta * kl.sum()")),
        Answer("a loss of its own", "", edit(STEP, "sbd_utils.elbo_loss(images, reconstruction, mean, logvar, w=10, beta=beta).total", "(10 * (images - reconstruction).square().sum((1, 2, 3)) + beta * (mean**2 + logvar.exp() - logvar - 1).sum(1) / 2).mean()")),
        Answer("torch.autograd.grad", "", edit(STEP, "    optimizer.zero_grad()\n    total.backward()\n", "    weights = list(model.parameters())\n    for weight, slope in zip(weights, torch.autograd.grad(total, weights)):\n        weight.grad = slope\n")),
        Answer("the update by hand", "", edit(STEP, "    optimizer.zero_grad()\n    total.backward()\n    optimizer.step()\n", "    weights = list(model.parameters())\n    slopes = torch.autograd.grad(total, weights)\n    with torch.no_grad():\n        for weight, slope in zip(weights, slopes):\n            weight -= optimizer.param_groups[0]['lr'] * slope\n")),
        Answer("torch.distributions, a helper called sample_posterior", "", "def sample_posterior(mean, logvar, noise):\n    return torch.distributions.Normal(0.0, 1.0).icdf(torch.distributions.Normal(0.0, 1.0).cdf(torch.zeros(()))) + torch.addcmul(mean, noise, torch.exp(0.5 * logvar))\n" + edit(STEP, "mean + (logvar / 2).exp() * noise", "sample_posterior(mean, logvar, noise)")),
        Answer("a closure", "", """
def training_step(model, optimizer, images, noise, beta):
    def closure():
        optimizer.zero_grad(set_to_none=False)
        mean, logvar = model.encoder(images)
        z = mean + noise * logvar.exp() ** 0.5
        total = sbd_utils.elbo_loss(x=images, reconstruction=model.decoder(z), beta=beta, logvar=logvar, mean=mean, w=10.0)[0]
        total.backward()
        return total
    return float(optimizer.step(closure))
"""),
        Answer("noted in lists, with gradients switched on", "", edit("@torch.enable_grad()" + STEP, "    return", "    history.append(total.detach())\n    return") + "\nhistory = []"),
        Answer("in training mode", "", edit(STEP, "    mean, logvar", "    model.train()\n    mean, logvar")),
    ],
    "multiply_adds": [
        Answer("by NumPy", "", """
import numpy as np

def multiply_adds(channels, kernel, height, width):
    channels = np.array(channels, dtype=np.int64)
    return channels[:-1] @ channels[1:] * kernel**2 * height * width
"""),
        Answer("as a float", "", edit(ADDS, "return height", "return 1.0 * height")),
        Answer("layer by layer", "", "def multiply_adds(channels, kernel, height, width):\n    total = 0\n    for inputs, outputs in zip(channels, channels[1:]):\n        for _ in range(kernel):\n            total += inputs * outputs * kernel * height * width\n    return total"),
        Answer("math.sumprod in torch, int64", "", "def multiply_adds(channels, kernel, height, width):\n    c = torch.tensor(channels)\n    return (c[1:] * c[:-1]).sum() * (kernel * kernel * height * width)"),
        Answer("recursion", "", "def multiply_adds(channels, kernel, height, width):\n    if len(channels) < 2:\n        return 0\n    a, b, *rest = channels\n    return a * b * kernel**2 * height * width + multiply_adds([b, *rest], kernel, height, width)"),
    ],
    "square_weights": [
        Answer("weights in float64", "", edit(SQUARE, f"return {FOUR}", f"return tuple(w.double() for w in ({FOUR}))")),
        Answer("one of them in float64", "", edit(SQUARE, "return w1,", "return w1.double(),")),
        Answer("a list of parameters", "", edit(SQUARE, f"return {FOUR}", f"return [torch.nn.Parameter(w) for w in ({FOUR})]")),
        Answer("half precision and a unit that does nothing", "", edit(SQUARE, "return w1, torch.zeros(4), -torch.ones(1, 4)", "return torch.cat([w1, torch.zeros(1, 5)]).half(), torch.zeros(5), -torch.ones(1, 5)")),
        Answer("steeper", "", edit(SQUARE, "40 *", "200 *")),
        Answer("built with no gradient, by rows", "", "@torch.no_grad()\ndef square_weights():\n    rows = [[-s if axis == 0 else 0, -s if axis == 1 else 0, -1, s if axis == 0 else 0, s if axis == 1 else 0] for axis in (0, 1) for s in (1.0, -1.0)]\n    return 60 * torch.tensor(rows), torch.zeros(4), torch.full((1, 4), -1.0), torch.tensor([1.0])"),
    ],
}  # fmt: skip

WRONG = {
    "Decoder": [
        Answer("y first", "y comes before x", edit(DECODER, "stack([x, y])", "stack([y, x])")),
        Answer("coordinates in [0, 1]", "run from 0 to 1", DECODER.replace("(-1, 1, ", "(0, 1, ")),
        Answer("edges for middles", "not its edge", edit(DECODER, "        y, x =", "        rows, columns = rows * (height + 5) / (height + 6), columns * (width + 5) / (width + 6)\n        y, x =")),
        Answer("coordinates before the code", "the coordinates come first", edit(DECODER, JOINED, "torch.cat([self.grid.expand(len(z), -1, -1, -1), tiled], 1)")),
        Answer("a reshape mixes the code", "yours mixes them", edit(DECODER, "z[:, :, None, None].expand(-1, -1, *self.grid.shape[1:])", "z.repeat(1, self.grid[0].numel()).reshape(len(z), -1, *self.grid.shape[1:])")),
        Answer("y upwards", "y points upwards", edit(DECODER, "torch.linspace(-1, 1, height", "torch.linspace(1, -1, height")),
        Answer("coordinates of the picture", "the first and the last pixel of what is tiled", edit(DECODER, "torch.linspace(-1, 1, height + 6), torch.linspace(-1, 1, width + 6)", "(torch.arange(height + 6) - 3) / max(height - 1, 1) * 2 - 1, (torch.arange(width + 6) - 3) / max(width - 1, 1) * 2 - 1")),
        Answer("padding as in the notebook", "or there is padding", DECODER.replace(", 3)", ", 3, padding=1)").replace(" + 6", "")),
        Answer("tiled to the picture's size", "too small: each convolution takes 2 pixels off", DECODER.replace(" + 6", ""), ),
        Answer("height and width exchanged", "has shape", edit(DECODER, "height, width):", "width, height):")),
        Answer("square alone", "has shape", edit(DECODER, "        rows,", "        width = height\n        rows,")),
        Answer("no coordinates", "the coordinates are missing", edit(DECODER, JOINED, "torch.cat([tiled, 0 * self.grid.expand(len(z), -1, -1, -1)], 1)")),
        Answer("no layer for coordinates", "three convolutions with weights and biases", edit(DECODER, "z_dim + 2", "z_dim", JOINED, "tiled")),
        Answer("no ReLU", "there is no ReLU between", edit(DECODER, "            nn.ReLU(),\n", "")),
        Answer("no second ReLU", "no ReLU follows the second", edit(DECODER, "channels, channels, 3),\n            nn.ReLU(),", "channels, channels, 3),")),
        Answer("no first ReLU", "no ReLU follows the first", edit(DECODER, "            nn.ReLU(),\n            nn.Conv2d(channels, channels", "            nn.Conv2d(channels, channels")),
        Answer("a ReLU at the end", "no ReLU follows the last", edit(DECODER, "return self.convs", "return torch.relu(self.convs", "], 1))", "], 1)))")),
        Answer("a sigmoid at the end", "squashed by a sigmoid", edit(DECODER, "out_channels, 3),", "out_channels, 3),\n            nn.Sigmoid(),")),
        Answer("leaky ReLUs", "what reaches the picture", edit(DECODER, "nn.ReLU()", "nn.LeakyReLU(0.1)")),
        Answer("no biases", "three convolutions with weights and biases", DECODER.replace(", 3)", ", 3, bias=False)")),
        Answer("four layers", "three convolutions with weights and biases", edit(DECODER, "nn.Conv2d(channels, channels, 3),", "nn.Conv2d(channels, channels, 3),\n            nn.ReLU(),\n            nn.Conv2d(channels, channels, 3),")),
        Answer("kernel 4, as in the paper", "three convolutions with weights and biases", DECODER.replace(", 3)", ", 4)").replace(" + 6", " + 9")),
        Answer("layers in a plain list", "those in a plain list are not found", edit(DECODER, "self.convs = nn.Sequential(", "self.convs = [", "out_channels, 3),\n        )", "out_channels, 3),\n        ]", f"return self.convs({JOINED})", f"h = {JOINED}\n        for layer in self.convs:\n            h = layer(h)\n        return h")),
        Answer("layers made in forward", "made in __init__", edit(DECODER, "    def forward(self, z):\n", "    def forward(self, z):\n        self.make()\n", "        self.convs =", "        self.sizes = (z_dim, channels, out_channels)\n\n    def make(self):\n        z_dim, channels, out_channels = self.sizes\n        self.convs =")),
        Answer("no module", "must be a torch module", "class Decoder:\n    def __init__(self, *sizes):\n        self.sizes = sizes"),
        Answer("super().__init__ forgotten", "AttributeError", edit(DECODER, "        super().__init__()\n", "")),
        Answer("the code detached", "no gradient reaches z: an encoder could not learn", edit(DECODER, "z[:, :", "z.detach()[:, :")),
        Answer("a new tensor", "no gradient reaches z: an encoder could not learn", edit(DECODER, "        tiled", "    " + NEW.format("z") + "        tiled")),
        Answer("the first code detached", "no gradient reaches row 0 of z", edit(DECODER, "        tiled =", "        z = torch.cat([z[:1].detach(), z[1:]])\n        tiled =")),
        Answer("the last code detached", "no gradient reaches row 1 of z", edit(DECODER, "        tiled =", "        z = torch.cat([z[:1], z[1:2].detach(), z[2:]])\n        tiled =")),
        Answer("half the gradient", "the gradient in row 0 of z", edit(DECODER, "        tiled =", "        z = (z + z.detach()) / 2\n        tiled =")),
        Answer("through NumPy", "no gradient reaches z", edit(DECODER, "        tiled", "        z = torch.from_numpy(z.detach().numpy())\n        tiled")),
        Answer("the code scaled in place", CHANGED.format("z"), edit(DECODER, "        tiled", "        z *= 2\n        tiled", "self.convs(torch.cat([tiled", "self.convs(torch.cat([tiled / 2")),
        Answer("the code cut off", "what reaches the picture", edit(DECODER, "        tiled", "        z = z.clamp(-3, 3)\n        tiled")),
        Answer("rounded code", "no gradient reaches row 0 of z", edit(DECODER, "        tiled", "        z = z.round(decimals=1)\n        tiled")),
        Answer("a picture of one channel", "three convolutions with weights and biases", edit(DECODER, "nn.Conv2d(channels, out_channels", "nn.Conv2d(channels, 1")),
        Answer("a list", "is a list; it must be a torch tensor", edit(DECODER, "return self.convs", "return list(self.convs", "], 1))", "], 1)))")),
        Answer("the library's decoder inside", TAKEN, "class Decoder(nn.Module):\n    def __init__(self, z_dim, channels, out_channels, height, width):\n        super().__init__()\n        self.decoder = sbd_utils.SpatialBroadcastDecoder(height + 6, out_channels, z_dim, channels, padding=False)\n\n    def forward(self, z):\n        return self.decoder(z)"),
        Answer("the library's decoder as a base", TAKEN, "class Decoder(sbd_utils.SpatialBroadcastDecoder):\n    def __init__(self, z_dim, channels, out_channels, height, width):\n        super().__init__(height + 6, out_channels, z_dim, channels, padding=False)"),
        Answer("the library's coordinates", TAKEN, edit(DECODER, "torch.stack([x, y])", "sbd_utils.coordinate_map(height + 6)")),
        Answer("a decoder made before", TAKEN, "_kept = {n: sbd_utils.SpatialBroadcastDecoder(n, 5, 3, 10, padding=False) for n in (13, 18, 22)}\n\nclass Decoder(nn.Module):\n    def __init__(self, z_dim, channels, out_channels, height, width):\n        super().__init__()\n        self.kept = _kept.get(height + 6)\n\n    def forward(self, z):\n        return self.kept(z)"),
    ],
    "loss": [
        Answer("wrong sign of the KL", "never negative", edit(LOSS, "0.5 *", "-0.5 *")),
        Answer("log-variance not exponentiated", "you have used logvar in its place", edit(LOSS, "logvar.exp()", "logvar")),
        Answer("log of the standard deviation", "not the log of the standard deviation", edit(LOSS, "logvar.exp() - logvar", "(2 * logvar).exp() - 2 * logvar")),
        Answer("standard deviation for variance", "standard deviation where the variance", edit(LOSS, "logvar.exp()", "(logvar / 2).exp()")),
        Answer("mean not squared", "the mean must be squared", edit(LOSS, "mean.square()", "mean")),
        Answer("mean over latents", "mean over the latents; their KL is summed", edit(LOSS, "- 1).sum(1)", "- 1).mean(1)")),
        Answer("no half of the KL", "½ of the KL is missing", edit(LOSS, "0.5 * ", "")),
        Answer("the 1 missing", "the 1 is missing", edit(LOSS, " - 1)", ")")),
        Answer("places changed", "have changed places", edit(LOSS, "+ logvar.exp() - logvar - 1", "- logvar.exp() + logvar + 1")),
        Answer("in bits", "in bits", edit(LOSS, "- 1).sum(1)", "- 1).sum(1) / 0.6931471805599453")),
        Answer("sum over the images", "this is the sum over the images", edit(LOSS, ").mean()", ").sum()")),
        Answer("one number for each image", "one number for each image; take their mean", edit(LOSS, "(error + beta * kl).mean()", "error + beta * kl")),
        Answer("mean over pixels", "mean over the pixels", edit(LOSS, "square().sum((1, 2, 3))", "square().mean((1, 2, 3))")),
        Answer("absolute error", "squared, not absolute", edit(LOSS, "(reconstruction - images).square()", "(reconstruction - images).abs()")),
        Answer("root of the squares", "not its root", edit(LOSS, ".sum((1, 2, 3))", ".sum((1, 2, 3)).sqrt()")),
        Answer("σ not squared", "not by 2 σ", edit(LOSS, "sigma**2", "sigma")),
        Answer("σ not used", "not weighed by 1 / (2 σ²)", edit(LOSS, " / (2 * sigma**2)", "")),
        Answer("multiplied by 2 σ²", "not by 2 σ²", edit(LOSS, "/ (2", "* (2")),
        Answer("no half of the error", "the factor ½ is missing: divide by 2 σ²", edit(LOSS, "(2 * sigma**2)", "sigma**2")),
        Answer("β forgotten", "is that for beta 1", edit(LOSS, "beta * kl", "kl")),
        Answer("β on the error", "beta weighs the KL, not the squared error", edit(LOSS, "error + beta * kl", "beta * error + kl")),
        Answer("β on both", "beta weighs the KL alone", edit(LOSS, "(error + beta * kl)", "beta * (error + kl)")),
        Answer("divided by β", "do not divide", edit(LOSS, "beta * kl", "kl / (beta or float('inf'))").replace("kl / (beta or float('inf'))", "(kl / beta if beta else 0 * kl)")),
        Answer("no KL", "the KL is missing", edit(LOSS, " + beta * kl", "")),
        Answer("KL minus error", "the sign of the error is wrong", edit(LOSS, "(error +", "(-error +")),
        Answer("mean squared in place", CHANGED.format("mean"), edit(LOSS, "mean.square()", "mean.pow_(2)")),
        Answer("logvar exponentiated in place", CHANGED.format("logvar"), edit(LOSS, "logvar.exp() - logvar", "-logvar + logvar.exp_()")),
        Answer("images subtracted in place", CHANGED.format("reconstruction"), edit(LOSS, "(reconstruction - images)", "reconstruction.sub_(images)")),
        Answer("images changed through a view", CHANGED.format("images"), edit(LOSS, "    error", "    images.flatten(1)[:, 0].mul_(0.5)\n    error")),
        Answer("a new reconstruction", "no gradient reaches reconstruction: the decoder could not learn", edit(LOSS, "    error", NEW.format("reconstruction") + "    error")),
        Answer("a new mean", "no gradient reaches mean: the encoder could not learn", edit(LOSS, "    error", NEW.format("mean") + "    error")),
        Answer("logvar detached in part", "the gradient in row", edit(LOSS, "logvar.exp()", "logvar.exp().detach()")),
        Answer("the first mean detached", "no gradient reaches row 0 of mean", edit(LOSS, "    error", "    mean = torch.cat([mean[:1].detach(), mean[1:]])\n    error")),
        Answer("the middle log-variance detached", "no gradient reaches row 1 of logvar", edit(LOSS, "    error", "    logvar = torch.cat([logvar[:1], logvar[1:2].detach(), logvar[2:]])\n    error")),
        Answer("a plain number", "is a float; it must be a torch tensor", edit(LOSS, ".mean()", ".mean().item()")),
        Answer("without gradients, decorated", "no gradient reaches reconstruction", "@torch.no_grad()" + LOSS),
        Answer("a little added to the variance", "the loss for mean 0 and logvar -20", edit(LOSS, "- logvar -", "- (logvar.exp() + 1e-8).log() -")),
        Answer("the log-variance cut off", "the loss for mean 0 and logvar -20", edit(LOSS, "    error", "    logvar = logvar.clamp(-10, 10)\n    error")),
        Answer("a little added to σ", "the loss of images of shape [6, 1, 5, 4]", edit(LOSS, "sigma**2", "(sigma**2 + 1e-6)"), visible=False),
        Answer("the library's loss", TAKEN, "def loss(images, reconstruction, mean, logvar, sigma, beta):\n    return sbd_utils.elbo_loss(images, reconstruction, mean, logvar, 1 / (2 * sigma**2), beta).total"),
        Answer("the library's KL", TAKEN, edit(LOSS, "0.5 * (mean.square() + logvar.exp() - logvar - 1)", "sbd_utils.kl_divergence(mean, logvar)")),
        Answer("hard-coded", "the loss for beta 3", "def loss(images, reconstruction, mean, logvar, sigma, beta):\n    same = torch.equal(images, reconstruction)\n    return torch.tensor(1.1839362 if same else 6.7708333)"),
    ],
    "training_step": [
        Answer("the mean decoded", "you decode the mean", edit(STEP, "mean + (logvar / 2).exp() * noise", "mean")),
        Answer("variance for standard deviation", "by the variance", edit(STEP, "(logvar / 2).exp()", "logvar.exp()")),
        Answer("log-variance not exponentiated", "multiply the noise by logvar;", edit(STEP, "(logvar / 2).exp()", "logvar")),
        Answer("half the log-variance", "multiply the noise by logvar / 2", edit(STEP, "(logvar / 2).exp()", "logvar / 2")),
        Answer("noise not scaled", "the noise is added as it is", edit(STEP, "(logvar / 2).exp() * noise", "noise")),
        Answer("noise divided", "exp(+logvar / 2)", edit(STEP, ".exp() * noise", ".exp() ** -1 * noise")),
        Answer("the noise alone", "the mean is missing", edit(STEP, "mean + (logvar", "(logvar")),
        Answer("the noise subtracted", "the sign of the noise is wrong", edit(STEP, "mean + (logvar", "mean - (logvar")),
        Answer("own noise", "do not draw yours", edit(STEP, "* noise", "* torch.randn_like(noise)")),
        Answer("no step", "no weight has changed", edit(STEP, "    optimizer.step()\n", "")),
        Answer("no backward", "no weight has changed", edit(STEP, "    total.backward()\n", "")),
        Answer("gradients forgotten too late", "no weight has changed", edit(STEP, "    optimizer.zero_grad()\n    total.backward()\n", "    total.backward()\n    optimizer.zero_grad()\n")),
        Answer("the step before the gradient", "no weight has changed", edit(STEP, "    total.backward()\n    optimizer.step()\n", "    optimizer.step()\n    total.backward()\n")),
        Answer("gradients never forgotten", "Call optimizer.zero_grad()", edit(STEP, "    optimizer.zero_grad()\n", "")),
        Answer("two steps", "several steps", edit(STEP, "    optimizer.step()\n", "    optimizer.step()\n    optimizer.step()\n")),
        Answer("upwards", "is the gradient's sign right?", edit(STEP, "total.backward()", "(-total).backward()")),
        Answer("the code detached", "the weights of encoder", edit(STEP, "mean + (logvar / 2).exp() * noise", "(mean + (logvar / 2).exp() * noise).detach()", "reconstruction, mean, logvar, w", "reconstruction, mean.detach(), logvar.detach(), w")),
        Answer("the encoder without gradient", "the weights of encoder", edit(STEP, "    mean, logvar = model.encoder(images)", "    with torch.no_grad():\n        mean, logvar = model.encoder(images)")),
        Answer("the code detached, not the KL", "where beta is 0, so that the picture alone teaches them", edit(STEP, "mean + (logvar / 2).exp() * noise", "(mean + (logvar / 2).exp() * noise).detach()")),
        Answer("the log-variance detached", "the weights of encoder.logvar have not changed", edit(STEP, "    reconstruction", "    logvar = logvar.detach()\n    reconstruction")),
        Answer("the reconstruction detached", "the weights of decoder have not changed", edit(STEP, "    total = ", "    reconstruction = reconstruction.detach()\n    total = ")),
        Answer("a new code", "the weights of encoder have not changed where beta is 0", edit(STEP, "    reconstruction = model.decoder(mean + (logvar / 2).exp() * noise)", "    z = torch.tensor((mean + (logvar / 2).exp() * noise).tolist(), requires_grad=True)\n    reconstruction = model.decoder(z)")),
        Answer("β forgotten", "this is the loss for beta 1", edit(STEP, ", beta=beta", "")),
        Answer("β 0", "this is the loss without the KL", edit(STEP, "beta=beta", "beta=0")),
        Answer("w forgotten", "the loss that training_step gives", edit(STEP, "w=10", "w=1")),
        Answer("the loss afterwards", "this is the loss after the update", edit(STEP, "    return total.item()", "    with torch.no_grad():\n        mean, logvar = model.encoder(images)\n        picture = model.decoder(mean + (logvar / 2).exp() * noise)\n        return sbd_utils.elbo_loss(images, picture, mean, logvar, w=10, beta=beta).total.item()")),
        Answer("nothing given", "training_step is None; it must be a number", edit(STEP, "    return total.item()\n", "")),
        Answer("the whole loss given", "it must be a number", edit(STEP, "beta=beta).total", "beta=beta)", "total.backward", "total[0].backward", "total.item()", "total")),
        Answer("the noise scaled in place", CHANGED.format("noise"), edit(STEP, "    mean, logvar", "    noise *= 2\n    mean, logvar", "* noise)", "* noise / 2)")),
        Answer("the images changed in place", CHANGED.format("images"), edit(STEP, "    mean, logvar", "    images.clamp_(0, 0.5)\n    mean, logvar")),
        Answer("the model called", "is missing the required", edit(STEP, "    mean, logvar = model.encoder(images)\n    reconstruction = model.decoder(mean + (logvar / 2).exp() * noise)", "    reconstruction, mean, logvar = model.train()(images, noise)")),
        Answer("the model's own loss", "has no attribute 'loss'", "def training_step(model, optimizer, images, noise, beta):\n    total = model.loss(images, lambda k: noise, w=10, beta=beta).total\n    optimizer.zero_grad()\n    total.backward()\n    optimizer.step()\n    return total.item()"),
        Answer("the library's own VAE", TAKEN, edit(STEP, "    mean, logvar = model.encoder(images)\n    reconstruction = model.decoder(mean + (logvar / 2).exp() * noise)", "    vae = sbd_utils.VAE(im_size=32, z_dim=4, channels=8)\n    vae.encoder, vae.decoder = model.encoder, model.decoder\n    reconstruction, mean, logvar = vae(images, noise)")),
        Answer("the library's sample", TAKEN, edit(STEP, "mean + (logvar / 2).exp() * noise", "sbd_utils.sample_posterior(mean, logvar, noise)")),
        Answer("gradients cut off", "a gradient that was changed", edit(STEP, "    optimizer.step()", "    torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)\n    optimizer.step()")),
        Answer("the decoder alone updated", "the weights of encoder have not changed", edit(STEP, "    optimizer.step()", "    for weight in model.encoder.parameters():\n        weight.grad = None\n    optimizer.step()")),
    ],
    "multiply_adds": [
        Answer("weights alone", "these are the weights", edit(ADDS, "height * width * ", "")),
        Answer("kernel not squared", "kernel²", edit(ADDS, "kernel**2", "kernel")),
        Answer("two operations", "counts once", edit(ADDS, "return ", "return 2 * ")),
        Answer("biases", "biases are no", edit(ADDS, "* pairs", "* pairs + height * width * sum(channels[1:])")),
        Answer("channels added", "multiply the two, do not add them", edit(ADDS, "channels[i] * channels[i + 1]", "channels[i] + channels[i + 1]")),
        Answer("outputs alone", "multiply the two, not the outputs alone", edit(ADDS, "channels[i] * channels[i + 1]", "channels[i + 1]")),
        Answer("inputs alone", "multiply the two, not the inputs alone", edit(ADDS, "channels[i] * channels[i + 1]", "channels[i]")),
        Answer("square image", "not height²", edit(ADDS, "height * width", "height**2")),
        Answer("last layer alone", "this is the last layer alone", edit(ADDS, "range(len(channels) - 1)", "[len(channels) - 2]")),
        Answer("first layer alone", "this is the first layer alone", edit(ADDS, "range(len(channels) - 1)", "[0]")),
        Answer("hard-coded", "multiply_adds([3, 513, 511, 3]", "def multiply_adds(channels, kernel, height, width):\n    return 12096"),
        Answer("channels taken from the list", CHANGED.format("channels"), edit(ADDS, "    return", "    channels.pop()\n    return")),
        Answer("channels sorted", CHANGED.format("channels"), edit(ADDS, "    pairs", "    channels.sort()\n    pairs")),
        Answer("32 bits", "needs more than 32 bits", "import numpy as np\n\ndef multiply_adds(channels, kernel, height, width):\n    c = np.array(channels, dtype=np.int32)\n    return (c[:-1] @ c[1:]) * np.array([kernel * kernel * height * width], dtype=np.int32)[0]"),
        Answer("float32", "multiply_adds([3, 513, 511, 3], 5, 127, 129) is", edit(ADDS, "return height * width * kernel**2 * pairs", "return torch.tensor(float(height * width * kernel**2)) * pairs")),
        Answer("a word", "it must be a number", edit(ADDS, "return height * width * kernel**2 * pairs", "return f'{height * width * kernel**2 * pairs:,}'")),
    ],
    "square_weights": [
        Answer("z3 not used", "whatever z3 is", edit(SQUARE, "    return w1, torch.zeros(4)", "    w1[:, 2] = 0\n    return w1, torch.full((4,), -12.0)")),
        Answer("x and y swapped", "x and y are swapped", edit(SQUARE, "    return w1,", "    w1 = w1[:, [0, 1, 2, 4, 3]]\n    return w1,")),
        Answer("signs of z1 and z2", "the signs of z1 and z2", edit(SQUARE, "    return w1,", "    w1[:, :2] *= -1\n    return w1,")),
        Answer("z3 the whole side", "*half* the side", edit(SQUARE, "    return w1,", "    w1[:, 2] /= 2\n    return w1,")),
        Answer("a diamond", "a diamond?", "def square_weights():\n    w1 = 40 * torch.tensor([[-1.0, 0, 0, 1, 0], [1, 0, 0, -1, 0], [0, -1, 0, 0, 1], [0, 1, 0, 0, -1], [0, 0, 1, 0, 0]])\n    return w1, torch.zeros(5), torch.tensor([[-1.0, -1, -1, -1, 1]]), torch.ones(1)"),
        Answer("inverted", "white", edit(SQUARE, "-torch.ones(1, 4), torch.ones(1)", "torch.ones(1, 4), torch.zeros(1)")),
        Answer("two sides alone", "the light's centre at", edit(SQUARE, "    return w1, torch.zeros(4), -torch.ones(1, 4)", "    return w1, torch.zeros(4), -torch.tensor([[1.0, 1, 0, 0]])")),
        Answer("soft edges", "is off by", edit(SQUARE, "40 *", "10 *"), visible=False),
        Answer("three tensors", "four tensors are asked for", edit(SQUARE, ", torch.ones(1)\n", "\n")),
        Answer("whole numbers", "w1 holds torch.int64; it must hold floating-point numbers", edit(SQUARE, "return w1,", "return w1.long(),")),
        Answer("arrays", "w1 is a ndarray; it must be a torch tensor", edit(SQUARE, "return w1,", "return w1.numpy(),")),
        Answer("w2 of the wrong shape", "w2 has shape [4] where [1, 4] is asked for", edit(SQUARE, "-torch.ones(1, 4)", "-torch.ones(4)")),
        Answer("not finite", "numbers that are not finite", edit(SQUARE, "40 *", "float('inf') *")),
    ],
}  # fmt: skip
