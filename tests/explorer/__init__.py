"""Models that are made in no time: what the tests of the explorer share."""

import torch

from sbd_utils import VAE


def small(im_size: int = 32, seed: int = 0, **options) -> VAE:
    """A quick model with four latents; untrained, so that every latent changes the picture."""
    torch.manual_seed(seed)
    model = VAE(im_size, channels=4, **{"z_dim": 4, **options}).eval()
    torch.nn.init.constant_(model.encoder.logvar.bias, -2)
    last = (
        model.decoder.convs[-1] if model.config["decoder"] == "sbd" else model.decoder.deconvs[-1]
    )
    torch.nn.init.constant_(last.bias, 0.5)  # grey, not black: every latent can be seen
    return model
