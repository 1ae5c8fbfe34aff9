"""The encoder, the two decoders and the VAE that joins them.

The architecture is that of the appendix of Watters et al. 2019 (arXiv 1901.07017), with kernel 3 and padding
in the broadcast decoder where the paper has kernel 4 and none.
"""

import math

import torch
from torch import Tensor, nn

DECODERS = ("sbd", "deconv")
POSITIONS = ("xy", "x", "rotated", "learned", "none")


class Encoder(nn.Module):
    """Image [N, C, H, H] -> mean and log-variance of the Gaussian posterior q(z|x), [N, z_dim] each."""

    def __init__(self, im_size: int = 64, in_channels: int = 1, z_dim: int = 10, channels: int = 64):
        super().__init__()
        self.image_shape = (in_channels, im_size, im_size)
        convs = [nn.Conv2d(in_channels, channels, 4, stride=2, padding=1), nn.ReLU()]
        for _ in range(3):
            convs += [nn.Conv2d(channels, channels, 4, stride=2, padding=1), nn.ReLU()]
        self.convs = nn.Sequential(*convs)
        self.hidden = nn.Linear(channels * (im_size // 16) ** 2, 256)
        self.mean = nn.Linear(256, z_dim)
        self.logvar = nn.Linear(256, z_dim)
        # He et al. 2015 (arXiv 1502.01852) keeps the signal's variance from layer to layer; PyTorch's default leaves a
        # sixth of it in each, so that the untrained means hardly depend on the image.
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.ndim != 4 or tuple(x.shape[1:]) != self.image_shape:
            raise ValueError(f"x has shape {list(x.shape)}; this encoder takes [N, {str(list(self.image_shape))[1:]}")
        h = self.convs(x)  # [N, 64, H/16, H/16]
        h = torch.relu(self.hidden(h.flatten(1)))  # [N, 256]
        return self.mean(h), self.logvar(h)


def coordinate_map(im_size: int, position: str = "xy") -> Tensor:
    """The fixed position channels of a broadcast decoder, [P, im_size, im_size].

    Each axis runs from -1 at the first pixel's to 1 at the last pixel's centre. position: 'xy' (channel 0 is x,
    growing with the column; channel 1 is y, growing with the row), 'x' (x alone), 'rotated' (the pair turned by
    45 degrees), 'learned' (where a trained map starts: small noise), 'none' (no channel).
    """
    if position not in POSITIONS:
        raise ValueError(f"position is {position!r}; it must be one of {', '.join(map(repr, POSITIONS))}")
    line = torch.linspace(-1, 1, im_size)
    y, x = torch.meshgrid(line, line, indexing="ij")  # [H, W]
    if position == "rotated":
        x, y = (x - y) / math.sqrt(2), (x + y) / math.sqrt(2)
    if position == "learned":
        return 0.1 * torch.randn(2, im_size, im_size)
    return torch.stack([x, y])[: {"none": 0, "x": 1}.get(position, 2)]


class SpatialBroadcastDecoder(nn.Module):
    """Code z [N, z_dim] -> image [N, C, im_size, im_size]; Watters et al. 2019, figure 1 and algorithm 1.

    z is tiled over the image plane, position channels are appended, and stride-1 convolutions do the rest.
    position: what is appended, see `coordinate_map`. padding=False leaves out the zeros around each convolution;
    the output is then 2 pixels smaller per layer.
    """

    def __init__(
        self,
        im_size: int = 64,
        out_channels: int = 1,
        z_dim: int = 10,
        channels: int = 64,
        position: str = "xy",
        padding: bool = True,
    ):
        super().__init__()
        self.z_dim = z_dim
        grid = coordinate_map(im_size, position)[None]  # [1, P, H, W]
        if position == "learned":
            self.grid = nn.Parameter(grid)
        else:
            self.register_buffer("grid", grid, persistent=False)  # known from im_size: not a weight
        pad = 1 if padding else 0
        self.convs = nn.Sequential(
            nn.Conv2d(z_dim + grid.shape[1], channels, 3, padding=pad),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=pad),
            nn.ReLU(),
            nn.Conv2d(channels, out_channels, 3, padding=pad),
        )

    def forward(self, z: Tensor, pool: int = 1) -> Tensor:
        """Decode z. With pool > 1, every block of pool x pool pixels is asked for as one, at its mean position."""
        _check_code(z, self.z_dim)
        grid = nn.functional.avg_pool2d(self.grid, pool) if pool > 1 else self.grid
        h, w = grid.shape[-2:]
        tiled = z[:, :, None, None].expand(-1, -1, h, w)  # [N, z_dim, h, w]
        return self.convs(torch.cat([tiled, grid.expand(len(z), -1, -1, -1)], 1))


class DeconvDecoder(nn.Module):
    """Code z [N, z_dim] -> image [N, C, im_size, im_size] by transposed convolutions, each doubling the size.

    coordinates=True appends the x and y channels, at its own resolution, to the input of every layer.
    """

    def __init__(
        self,
        im_size: int = 64,
        out_channels: int = 1,
        z_dim: int = 10,
        channels: int = 64,
        coordinates: bool = False,
    ):
        super().__init__()
        self.z_dim, self.coordinates = z_dim, coordinates
        self.start = (channels, im_size // 32, im_size // 32)
        self.hidden = nn.Linear(z_dim, math.prod(self.start))
        extra = 2 if coordinates else 0
        outs = [channels] * 4 + [out_channels]
        self.deconvs = nn.ModuleList(nn.ConvTranspose2d(channels + extra, out, 4, stride=2, padding=1) for out in outs)

    def forward(self, z: Tensor, pool: int = 1) -> Tensor:
        """Decode z. With pool > 1, the result is averaged over blocks of pool x pool pixels."""
        _check_code(z, self.z_dim)
        h = self.hidden(z).unflatten(1, self.start)  # [N, 64, im_size/32, im_size/32]
        for deconv in self.deconvs:
            h = torch.relu(h)
            if self.coordinates:
                grid = coordinate_map(h.shape[-1]).to(h)  # [2, h, h]
                h = torch.cat([h, grid.expand(len(h), -1, -1, -1)], 1)
            h = deconv(h)  # twice as high and wide
        return nn.functional.avg_pool2d(h, pool) if pool > 1 else h


class VAE(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114) with a Gaussian posterior.

    im_size: height and width of the images, a positive multiple of 32. in_channels: 1 (grey) or 3 (RGB), or more.
    decoder: 'sbd' or 'deconv'. z_dim: number of latents. channels: width of the convolutions.
    options: passed to the decoder (`position`, `padding` or `coordinates`).

    model.encoder(x [N, C, H, H]) -> mean, logvar, [N, z_dim] each; model.decoder(z) -> image [N, C, H, H];
    model(x) -> reconstruction, mean, logvar. In training mode the reconstruction decodes a sample of the
    posterior, in eval mode its mean, so that evaluation is deterministic.
    """

    def __init__(
        self,
        im_size: int = 64,
        in_channels: int = 1,
        decoder: str = "sbd",
        z_dim: int = 10,
        channels: int = 64,
        **options,
    ):
        super().__init__()
        if decoder not in DECODERS:
            raise ValueError(f"decoder is {decoder!r}; it must be one of {', '.join(map(repr, DECODERS))}")
        if im_size < 32 or im_size % 32:
            raise ValueError(f"im_size is {im_size}; it must be a positive multiple of 32")
        for name, value in [("in_channels", in_channels), ("z_dim", z_dim), ("channels", channels)]:
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        # What it takes to build this network again: stored beside the weights.
        self.config = {
            "im_size": im_size,
            "in_channels": in_channels,
            "decoder": decoder,
            "z_dim": z_dim,
            "channels": channels,
            **options,
        }
        self.encoder = Encoder(im_size, in_channels, z_dim, channels)
        decoder_class = SpatialBroadcastDecoder if decoder == "sbd" else DeconvDecoder
        self.decoder = decoder_class(im_size, in_channels, z_dim, channels, **options)

    def forward(self, x: Tensor, noise: Tensor | None = None, pool: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        mean, logvar = self.encoder(x)
        z = sample_posterior(mean, logvar, noise) if self.training else mean
        return self.decoder(z, pool), mean, logvar


def sample_posterior(mean: Tensor, logvar: Tensor, noise: Tensor | None = None) -> Tensor:
    """A sample of N(mean, exp(logvar)) by the reparameterisation z = mean + std * noise, differentiable in both.

    mean, logvar, noise, result: [N, z_dim]; noise is standard normal, drawn here if not given.
    Kingma & Welling 2014, section 2.4.
    """
    noise = torch.randn_like(mean) if noise is None else noise
    return mean + (logvar / 2).exp() * noise


def _check_code(z: Tensor, z_dim: int) -> None:
    if z.ndim != 2 or z.shape[1] != z_dim:
        raise ValueError(f"z has shape {list(z.shape)}; this decoder takes [N, {z_dim}]")
