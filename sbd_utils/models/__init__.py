"""The networks: decoders, the VAE, models of scenes, and what all must have to be trained."""

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
from sbd_utils.models.iodine import IODINE
from sbd_utils.models.monet import MONet
from sbd_utils.models.slot_attention import SlotAttention, SlotAttentionVAE
from sbd_utils.models.slots import Layers, SlotDecoder, Slots, mixture
from sbd_utils.models.vae import VAE, Encoder

MODELS: dict[str, type[nn.Module]] = {
    "VAE": VAE,
    "IODINE": IODINE,
    "SlotAttentionVAE": SlotAttentionVAE,
    "MONet": MONet,
}
"""Models by the class name that a file of weights holds; a new one is entered here."""

__all__ = [
    "DECODERS",
    "IODINE",
    "MODELS",
    "POSITIONS",
    "VAE",
    "DeconvDecoder",
    "ElboLoss",
    "Encoder",
    "Layers",
    "Loss",
    "MONet",
    "Model",
    "Noise",
    "SlotAttention",
    "SlotAttentionVAE",
    "SlotDecoder",
    "Slots",
    "SpatialBroadcastDecoder",
    "UpsampleDecoder",
    "coordinate_map",
    "elbo_loss",
    "kl_divergence",
    "mixture",
    "sample_posterior",
    "total_correlation",
    "warp",
]
