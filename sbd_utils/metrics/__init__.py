"""Scores from codes and factors: arrays in, numbers out."""

from sbd_utils.metrics.base import Score, turn_pairs
from sbd_utils.metrics.dci import DCI, completeness, dci, disentanglement
from sbd_utils.metrics.factorvae import factor_vae_score
from sbd_utils.metrics.geometry import Geometry, alignment, fit_geometry, latent_direction
from sbd_utils.metrics.intervals import Interval, exact_interval
from sbd_utils.metrics.mig import mig, mutual_information
from sbd_utils.metrics.probes import Probe, held_out_r2, linear_probe, neighbor_r2
from sbd_utils.metrics.sap import sap
from sbd_utils.metrics.segmentation import (
    SegmentationScores,
    adjusted_rand_index,
    block_ceiling,
    block_means,
    holding_slots,
    kmeans_masks,
    random_masks,
    score_segmentation,
    voronoi_masks,
)

__all__ = [
    "DCI",
    "Geometry",
    "Interval",
    "Probe",
    "Score",
    "SegmentationScores",
    "adjusted_rand_index",
    "alignment",
    "block_ceiling",
    "block_means",
    "completeness",
    "dci",
    "disentanglement",
    "exact_interval",
    "factor_vae_score",
    "fit_geometry",
    "held_out_r2",
    "holding_slots",
    "kmeans_masks",
    "latent_direction",
    "linear_probe",
    "mig",
    "mutual_information",
    "neighbor_r2",
    "random_masks",
    "sap",
    "score_segmentation",
    "turn_pairs",
    "voronoi_masks",
]
