"""The decoders that are compared, and the coordinates that make the difference.

The architectures are those of the appendix of Watters et al. 2019 (arXiv 1901.07017), with kernel 3
and padding in the broadcast decoder where the paper has kernel 4 and none.
"""

import math

import torch
from torch import Tensor, nn

POSITIONS = ("xy", "x", "rotated", "warped", "learned", "none")
"""What `coordinate_map` can append."""


def coordinate_map(im_size: int, position: str = "xy") -> Tensor:
    """The fixed position channels of a broadcast decoder.

    Args:
        im_size: Height and width in pixels.
        position: 'xy': channel 0 is x, growing with the column, channel 1 is y, growing with the
            row. 'x': x alone. 'rotated': the pair turned by 45 degrees. 'warped': each of the pair
            sent through `warp`. 'learned': where a trained map starts, small noise. 'none': no
            channel.

    Returns:
        [P, im_size, im_size]. Each axis runs from -1 at the first pixel's to 1 at the last pixel's
        centre.

    Raises:
        ValueError: position is none of these.

    Example:
        >>> coordinate_map(3)[0]
        tensor([[-1.,  0.,  1.],
                [-1.,  0.,  1.],
                [-1.,  0.,  1.]])
    """
    if position not in POSITIONS:
        known = ", ".join(map(repr, POSITIONS))
        raise ValueError(f"position is {position!r}; it must be one of {known}")
    line = torch.linspace(-1, 1, im_size)
    y, x = torch.meshgrid(line, line, indexing="ij")  # [H, W]
    if position == "none":
        return torch.zeros(0, im_size, im_size)
    if position == "x":
        return x[None]
    if position == "rotated":
        return torch.stack([x - y, x + y]) / math.sqrt(2)
    if position == "warped":
        return warp(torch.stack([x, y]))
    if position == "learned":
        return 0.1 * torch.randn(2, im_size, im_size)
    return torch.stack([x, y])


def warp(u: Tensor) -> Tensor:
    """A coordinate that runs slowly in the middle and fast at the ends: ``0.3 u + 0.7 u |u|``.

    It keeps -1, 0 and 1 in place, and every order.

    Args:
        u: Any shape, in [-1, 1].

    Example:
        >>> warp(torch.tensor([-1.0, 0.0, 0.5, 1.0]))
        tensor([-1.0000,  0.0000,  0.3250,  1.0000])
    """
    return 0.3 * u + 0.7 * u * u.abs()


class SpatialBroadcastDecoder(nn.Module):
    """z is tiled over the image plane, position is appended, and stride-1 convolutions do the rest.

    Watters et al. 2019, figure 1 and algorithm 1.
    """

    def __init__(
        self,
        im_size: int = 64,
        out_channels: int = 1,
        z_dim: int = 10,
        channels: int = 64,
        position: str = "xy",
        padding: bool = True,
    ) -> None:
        """Build a decoder with random weights.

        Args:
            im_size: Height and width of the image in pixels.
            out_channels: Channels of the image.
            z_dim: Number of latents.
            channels: Width of the hidden convolutions.
            position: What is appended, see `coordinate_map`.
            padding: Without it, the zeros around each convolution are left out, and the image is
                6 pixels smaller: 2 for each layer.
        """
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
        """Decode codes.

        Args:
            z: [N, z_dim].
            pool: With more than 1, every block of pool x pool pixels is asked for as one, at its
                mean position.

        Returns:
            [N, C, im_size / pool, im_size / pool], unbounded.
        """
        _check_code(z, self.z_dim)
        grid = nn.functional.avg_pool2d(self.grid, pool) if pool > 1 else self.grid
        batch, (height, width) = z.shape[0], grid.shape[-2:]
        tiled = z[:, :, None, None].expand(-1, -1, height, width)  # [N, z_dim, h, w]
        position = grid.expand(batch, -1, -1, -1)  # [N, P, h, w]
        return self.convs(torch.cat([tiled, position], 1))


class DeconvDecoder(nn.Module):
    """Transposed convolutions, each of which doubles the size: the usual decoder of a VAE."""

    def __init__(
        self,
        im_size: int = 64,
        out_channels: int = 1,
        z_dim: int = 10,
        channels: int = 64,
        coordinates: bool = False,
    ) -> None:
        """Build a decoder with random weights.

        Args:
            im_size: Height and width of the image in pixels, a multiple of 32.
            out_channels: Channels of the image.
            z_dim: Number of latents.
            channels: Width of the hidden layers.
            coordinates: Whether the x and y channels, at each layer's own resolution, are appended
                to its input.
        """
        super().__init__()
        self.z_dim, self.coordinates = z_dim, coordinates
        self.start = (channels, im_size // 32, im_size // 32)
        self.hidden = nn.Linear(z_dim, math.prod(self.start))
        extra = 2 if coordinates else 0
        widths = [channels] * 4 + [out_channels]
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(channels + extra, width, 4, stride=2, padding=1) for width in widths
        )

    def forward(self, z: Tensor, pool: int = 1) -> Tensor:
        """Decode codes.

        Args:
            z: [N, z_dim].
            pool: With more than 1, the image is averaged over blocks of pool x pool pixels.

        Returns:
            [N, C, im_size / pool, im_size / pool], unbounded.
        """
        _check_code(z, self.z_dim)
        h = self.hidden(z).unflatten(1, self.start)  # [N, 64, im_size / 32, im_size / 32]
        for deconv in self.deconvs:
            h = torch.relu(h)
            if self.coordinates:
                grid = coordinate_map(h.shape[-1]).to(h)  # [2, h, h]
                h = torch.cat([h, grid.expand(h.shape[0], -1, -1, -1)], 1)
            h = deconv(h)  # twice as high and wide
        return nn.functional.avg_pool2d(h, pool) if pool > 1 else h


class UpsampleDecoder(nn.Module):
    """Doubling by nearest neighbours, then a convolution: between the other two.

    Like `DeconvDecoder` it grows an image from 2 x 2; like `SpatialBroadcastDecoder` it ends with
    ordinary convolutions of the whole image. Resizing before convolving is the advice of Odena et
    al. 2016 (distill.pub/2016/deconv-checkerboard) against checkerboards.
    """

    def __init__(
        self,
        im_size: int = 64,
        out_channels: int = 1,
        z_dim: int = 10,
        channels: int = 64,
        coordinates: bool = False,
    ) -> None:
        """Build a decoder with random weights.

        Args:
            im_size: Height and width of the image in pixels, a multiple of 32.
            out_channels: Channels of the image.
            z_dim: Number of latents.
            channels: Width of the hidden layers.
            coordinates: Whether the x and y channels of the whole image are appended to the input
                of the last hidden layer.
        """
        super().__init__()
        self.z_dim, self.coordinates = z_dim, coordinates
        self.start = (channels, im_size // 32, im_size // 32)
        self.hidden = nn.Linear(z_dim, math.prod(self.start))
        extra = [0, 0, 0, 0, 2 if coordinates else 0]
        self.convs = nn.ModuleList(
            nn.Conv2d(channels + more, channels, 3, padding=1) for more in extra
        )
        self.image = nn.Conv2d(channels, out_channels, 3, padding=1)

    def forward(self, z: Tensor, pool: int = 1) -> Tensor:
        """Decode codes.

        Args:
            z: [N, z_dim].
            pool: With more than 1, the image is averaged over blocks of pool x pool pixels.

        Returns:
            [N, C, im_size / pool, im_size / pool], unbounded.
        """
        _check_code(z, self.z_dim)
        h = torch.relu(self.hidden(z)).unflatten(1, self.start)  # [N, 64, im_size / 32, …]
        for conv in self.convs:
            h = nn.functional.interpolate(h, scale_factor=2)  # twice as high and wide
            if self.coordinates and conv is self.convs[-1]:
                grid = coordinate_map(h.shape[-1]).to(h)  # [2, h, h]
                h = torch.cat([h, grid.expand(h.shape[0], -1, -1, -1)], 1)
            h = torch.relu(conv(h))
        image = self.image(h)
        return nn.functional.avg_pool2d(image, pool) if pool > 1 else image


DECODERS: dict[str, type[nn.Module]] = {
    "sbd": SpatialBroadcastDecoder,
    "deconv": DeconvDecoder,
    "upsample": UpsampleDecoder,
}
"""Decoders by the name that `VAE(decoder=…)` takes."""


def _check_code(z: Tensor, z_dim: int) -> None:
    if z.ndim != 2 or z.shape[1] != z_dim:
        raise ValueError(f"z has shape {list(z.shape)}; this decoder takes [N, {z_dim}]")
