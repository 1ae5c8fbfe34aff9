"""What a model is: a network that knows how it was built, and the loss it is trained with.

A model is an `nn.Module` with two things more: `config`, the arguments that build it again, and
`loss`, which `fit` calls for each batch. The terms of the Gaussian ELBO are here, too, since every
model of the course is made of them.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

Noise = Callable[..., Tensor]
"""`noise(*shape)` gives standard normal numbers, `[N, *shape]` for the batch of N at hand."""


class Loss(NamedTuple):
    """What a model's `loss` returns."""

    total: Tensor
    """A scalar: what Adam makes small."""
    parts: Mapping[str, Tensor]
    """Scalars, or vectors [K], by name: what training records."""


class ElboLoss(Loss):
    """The loss of a VAE, whose parts have names."""

    __slots__ = ()

    @property
    def squared_error(self) -> Tensor:
        """Summed over the pixels of an image, averaged over the batch; a scalar."""
        return self.parts["squared_error"]

    @property
    def kl(self) -> Tensor:
        """KL divergence of each latent to the prior in nats, averaged over the batch; [z_dim]."""
        return self.parts["kl"]


@runtime_checkable
class Model(Protocol):
    """What `fit` trains and `save_weights` writes, besides being an `nn.Module`."""

    config: dict[str, Any]
    """Arguments that build the same network again; plain values that JSON can hold."""

    def loss(self, images: Tensor, noise: Noise, **weights: Any) -> Loss:
        """The loss of a batch.

        Args:
            images: [N, C, H, H] in [0, 1].
            noise: Gives the random numbers; to draw others would make training unrepeatable.
            **weights: The values that the schedules of `fit` have at this update, by name.
        """
        ...


def sample_posterior(mean: Tensor, logvar: Tensor, noise: Tensor | None = None) -> Tensor:
    """A sample of N(mean, exp(logvar)), differentiable in both: z = mean + std * noise.

    The reparameterisation of Kingma & Welling 2014, section 2.4.

    Args:
        mean: [N, z_dim].
        logvar: [N, z_dim], the logarithm of the variance.
        noise: [N, z_dim], standard normal; drawn here if not given.

    Returns:
        [N, z_dim].
    """
    noise = torch.randn_like(mean) if noise is None else noise
    std = (logvar / 2).exp()
    return mean + std * noise


def kl_divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of every latent; Kingma & Welling 2014, appendix B.

    Args:
        mean: [N, z_dim].
        logvar: [N, z_dim], the logarithm of the variance.

    Returns:
        [N, z_dim] in nats.

    Example:
        >>> kl_divergence(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2))
        tensor([[0., 2.]])
    """
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)


def total_correlation(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """An estimate of how far the latents of the aggregate posterior depend on each other.

    The total correlation KL(q(z) || product of the q(z_j)), with q(z) the mean of the batch's
    posteriors: minibatch weighting of Chen et al. 2018 (arXiv 1802.04942), section 4 and appendix
    C.1, less what does not depend on the network. It is biased upwards, the more so the smaller the
    batch and the narrower the posteriors.

    Args:
        z: A sample of each posterior [N, z_dim].
        mean: [N, z_dim].
        logvar: [N, z_dim].

    Returns:
        A scalar, in nats.
    """
    deviation = (z[:, None] - mean[None]).square() / logvar.exp()[None]  # [N, N, z_dim]
    log_density = -0.5 * (deviation + logvar[None] + math.log(2 * math.pi))
    joint = log_density.sum(2).logsumexp(1)  # [N]
    alone = log_density.logsumexp(1).sum(1)  # [N]
    count, z_dim = z.shape
    return (joint - alone).mean() + (z_dim - 1) * math.log(count)


def elbo_loss(
    x: Tensor,
    reconstruction: Tensor,
    mean: Tensor,
    logvar: Tensor,
    w: float = 10.0,
    beta: float = 1.0,
) -> ElboLoss:
    """The loss w · squared error + beta · KL: for beta = 1 the negative ELBO, less a constant.

    The likelihood is Gaussian with variance 1 / (2 w); beta is that of Higgins et al. 2017. The
    squared error is *summed* over pixels and the KL over latents; both are averaged over the batch
    only. Doubling w and beta together doubles the loss and moves no optimum: they are one knob,
    beta / w.

    Args:
        x: Images [N, C, H, W].
        reconstruction: [N, C, H, W].
        mean: [N, z_dim] of the posterior.
        logvar: [N, z_dim] of the posterior.
        w: Weight of the squared error.
        beta: Weight of the KL divergence.

    Raises:
        ValueError: x and reconstruction differ in shape.
    """
    if x.shape != reconstruction.shape:
        shapes = f"x has shape {list(x.shape)} and reconstruction {list(reconstruction.shape)}"
        raise ValueError(f"{shapes}; both must be the same [N, C, H, W]")
    squared_error = (reconstruction - x).square().sum((1, 2, 3)).mean()
    kl = kl_divergence(mean, logvar).mean(0)  # [z_dim]
    total = w * squared_error + beta * kl.sum()
    return ElboLoss(total, {"squared_error": squared_error, "kl": kl})
