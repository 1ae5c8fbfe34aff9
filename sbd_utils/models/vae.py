"""The encoder, and the variational autoencoder that joins it to a decoder."""

from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.models.base import (
    ElboLoss,
    Noise,
    elbo_loss,
    sample_posterior,
    total_correlation,
)
from sbd_utils.models.decoders import DECODERS


class Encoder(nn.Module):
    """Four convolutions of stride 2 and a hidden layer: image -> Gaussian posterior q(z|x)."""

    def __init__(
        self, im_size: int = 64, in_channels: int = 1, z_dim: int = 10, channels: int = 64
    ) -> None:
        """Build an encoder with random weights, drawn as He et al. 2015 (arXiv 1502.01852) advise.

        That keeps the signal's variance from layer to layer. PyTorch's default leaves a sixth of it
        in each, so that the untrained means hardly depend on the image.
        """
        super().__init__()
        self.image_shape = (in_channels, im_size, im_size)
        convs: list[nn.Module] = []
        for inputs in (in_channels, channels, channels, channels):
            convs += [nn.Conv2d(inputs, channels, 4, stride=2, padding=1), nn.ReLU()]
        self.convs = nn.Sequential(*convs)
        self.hidden = nn.Linear(channels * (im_size // 16) ** 2, 256)
        self.mean = nn.Linear(256, z_dim)
        self.logvar = nn.Linear(256, z_dim)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None  # neither is built without
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images.

        Args:
            x: [N, C, H, H].

        Returns:
            Mean and log-variance of the posterior, [N, z_dim] each.

        Raises:
            ValueError: x has another shape.
        """
        if x.ndim != 4 or tuple(x.shape[1:]) != self.image_shape:
            wanted = ", ".join(map(str, self.image_shape))
            raise ValueError(f"x has shape {list(x.shape)}; this encoder takes [N, {wanted}]")
        h = self.convs(x)  # [N, 64, H/16, H/16]
        h = torch.relu(self.hidden(h.flatten(1)))  # [N, 256]
        return self.mean(h), self.logvar(h)


class VAE(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114) with a Gaussian posterior.

    `model.encoder(x)` gives mean and log-variance, `model.decoder(z)` an image, `model(x)` the
    reconstruction, mean and log-variance.
    """

    def __init__(
        self,
        im_size: int = 64,
        in_channels: int = 1,
        decoder: str = "sbd",
        z_dim: int = 10,
        channels: int = 64,
        **options: Any,
    ) -> None:
        """Build a model with random weights.

        Args:
            im_size: Height and width of the images in pixels, a positive multiple of 32.
            in_channels: 1 (grey) or 3 (RGB), or more.
            decoder: A key of `DECODERS`: 'sbd', 'deconv' or 'upsample'.
            z_dim: Number of latents.
            channels: Width of the convolutions.
            **options: Passed to the decoder: `position`, `padding` or `coordinates`.

        Raises:
            ValueError: An argument is none of these.

        Example:
            >>> model = VAE(im_size=32, z_dim=3).eval()
            >>> reconstruction, mean, logvar = model(torch.zeros(5, 1, 32, 32))
            >>> reconstruction.shape, mean.shape
            (torch.Size([5, 1, 32, 32]), torch.Size([5, 3]))
        """
        super().__init__()
        if decoder not in DECODERS:
            known = ", ".join(map(repr, DECODERS))
            raise ValueError(f"decoder is {decoder!r}; it must be one of {known}")
        if im_size < 32 or im_size % 32:
            raise ValueError(f"im_size is {im_size}; it must be a positive multiple of 32")
        for name, value in [("in_channels", in_channels), ("z_dim", z_dim), ("channels", channels)]:
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        if not options.get("padding", True):
            pictures = "its pictures would be smaller than the images: build the decoder alone"
            raise ValueError(f"padding is False; a VAE cannot be trained so, {pictures}")
        self.config: dict[str, Any] = {
            "im_size": im_size,
            "in_channels": in_channels,
            "decoder": decoder,
            "z_dim": z_dim,
            "channels": channels,
            **options,
        }
        self.encoder = Encoder(im_size, in_channels, z_dim, channels)
        self.decoder = DECODERS[decoder](im_size, in_channels, z_dim, channels, **options)

    def forward(
        self, x: Tensor, noise: Tensor | None = None, pool: int = 1
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encode and decode images.

        In training mode the reconstruction decodes a sample of the posterior, in eval mode its
        mean, so that evaluation is deterministic.

        Args:
            x: [N, C, H, H].
            noise: [N, z_dim], standard normal; drawn here if not given. Used in training mode.
            pool: See the decoder's `forward`.

        Returns:
            Reconstruction [N, C, H / pool, H / pool], mean and log-variance [N, z_dim] each.
        """
        mean, logvar = self.encoder(x)
        z = sample_posterior(mean, logvar, noise) if self.training else mean
        return self.decoder(z, pool), mean, logvar

    def loss(
        self,
        images: Tensor,
        noise: Noise,
        *,
        w: float = 10.0,
        beta: float = 1.0,
        pool: int = 1,
        tc: float = 0.0,
    ) -> ElboLoss:
        """The loss that `fit` makes small, see `elbo_loss`.

        Args:
            images: [N, C, H, H].
            noise: Gives the posterior's noise.
            w: Weight of the squared error.
            beta: Weight of the KL divergence.
            pool: 1, 2, 4, …: the decoder is asked for means of blocks of that many pixels' width,
                which is cheaper, and early in training better.
            tc: Weight of the total correlation beyond what beta gives it: the beta-TCVAE of Chen et
                al. 2018 (arXiv 1802.04942) has w = beta = 1, and tc its beta less 1.
        """
        drawn = noise(self.config["z_dim"])
        reconstruction, mean, logvar = self(images, drawn, pool)
        if pool > 1:  # a block's mean stands for pool² pixels: repeat its error as often
            images = pool * nn.functional.avg_pool2d(images, pool)
            reconstruction = pool * reconstruction
        mean, logvar = mean.float(), logvar.float()
        loss = elbo_loss(images, reconstruction.float(), mean, logvar, w, beta)
        if not tc:
            return loss
        correlation = total_correlation(sample_posterior(mean, logvar, drawn), mean, logvar)
        parts = {**loss.parts, "total_correlation": correlation}
        return ElboLoss(loss.total + tc * correlation, parts)
