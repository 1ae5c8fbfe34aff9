"""The networks: decoders, the VAE, and what a model must have to be trained and saved."""

from torch import nn

from sbd_utils.models.base import (
    ElboLoss,
    Loss,
    Model,
    Noise,
    elbo_loss,
    kl_divergence,
    sample_posterior,
    total_correlation,
)
from sbd_utils.models.decoders import (
    DECODERS,
    POSITIONS,
    DeconvDecoder,
    SpatialBroadcastDecoder,
    UpsampleDecoder,
    coordinate_map,
    warp,
)
from sbd_utils.models.vae import VAE, Encoder

MODELS: dict[str, type[nn.Module]] = {"VAE": VAE}
"""Models by the class name that a file of weights holds; a new one is entered here."""

__all__ = [
    "DECODERS",
    "MODELS",
    "POSITIONS",
    "VAE",
    "DeconvDecoder",
    "ElboLoss",
    "Encoder",
    "Loss",
    "Model",
    "Noise",
    "SpatialBroadcastDecoder",
    "UpsampleDecoder",
    "coordinate_map",
    "elbo_loss",
    "kl_divergence",
    "sample_posterior",
    "total_correlation",
    "warp",
]
