"""Scores from codes and factors: arrays in, numbers out."""

from sbd_utils.metrics.base import Score
from sbd_utils.metrics.dci import DCI, dci
from sbd_utils.metrics.factorvae import factor_vae_score
from sbd_utils.metrics.geometry import Geometry, alignment, fit_geometry
from sbd_utils.metrics.mig import mig, mutual_information
from sbd_utils.metrics.probes import Probe, held_out_r2, linear_probe
from sbd_utils.metrics.sap import sap

__all__ = [
    "DCI",
    "Geometry",
    "Probe",
    "Score",
    "alignment",
    "dci",
    "factor_vae_score",
    "fit_geometry",
    "held_out_r2",
    "linear_probe",
    "mig",
    "mutual_information",
    "sap",
]
