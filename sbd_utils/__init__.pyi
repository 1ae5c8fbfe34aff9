# The public names, by the module that defines them: what editors and type checkers read, and what
# `__init__.py` loads at first use. The modules stand in the order of the table in CONTRIBUTING.md.

from . import checks as checks
from .sprites import (
    SHAPES as SHAPES,
    Sprite as Sprite,
    draw_sprites as draw_sprites,
    hsv_to_rgb as hsv_to_rgb,
    render_batch as render_batch,
)
from .data.base import (
    Factor as Factor,
    FactorStream as FactorStream,
    Scenes as Scenes,
    generate_spaced_coordinates as generate_spaced_coordinates,
)
from .data.circles import (
    CircleStream as CircleStream,
    RectangleStream as RectangleStream,
    circles_dataset as circles_dataset,
    draw_circles as draw_circles,
    evaluation_grid as evaluation_grid,
    save_dataset as save_dataset,
)
from .data.coloured import ColoredSprites as ColoredSprites
from .data.dsprites import DSprites as DSprites
from .data.shapes3d import Shapes3D as Shapes3D
from .data.multi_dsprites import MultiDSprites as MultiDSprites, join_scenes as join_scenes
from .data.scenes import SceneStream as SceneStream
from .models.base import (
    Loss as Loss,
    elbo_loss as elbo_loss,
    kl_divergence as kl_divergence,
    sample_posterior as sample_posterior,
    total_correlation as total_correlation,
)
from .models.decoders import (
    DeconvDecoder as DeconvDecoder,
    SpatialBroadcastDecoder as SpatialBroadcastDecoder,
    UpsampleDecoder as UpsampleDecoder,
    coordinate_map as coordinate_map,
    warp as warp,
)
from .models.vae import VAE as VAE, Encoder as Encoder
from .models.slots import (
    Layers as Layers,
    SlotDecoder as SlotDecoder,
    Slots as Slots,
    mixture as mixture,
)
from .models.iodine import IODINE as IODINE
from .models.slot_attention import (
    SlotAttention as SlotAttention,
    SlotAttentionVAE as SlotAttentionVAE,
)
from .models.monet import MONet as MONet
from .metrics.base import Score as Score, turn_pairs as turn_pairs
from .metrics.dci import (
    DCI as DCI,
    completeness as completeness,
    dci as dci,
    disentanglement as disentanglement,
)
from .metrics.factorvae import factor_vae_score as factor_vae_score
from .metrics.geometry import (
    Geometry as Geometry,
    alignment as alignment,
    fit_geometry as fit_geometry,
    latent_direction as latent_direction,
)
from .metrics.intervals import exact_interval as exact_interval
from .metrics.mig import mig as mig, mutual_information as mutual_information
from .metrics.probes import (
    Probe as Probe,
    held_out_r2 as held_out_r2,
    linear_probe as linear_probe,
    neighbor_r2 as neighbor_r2,
)
from .metrics.sap import sap as sap
from .metrics.segmentation import (
    SegmentationScores as SegmentationScores,
    adjusted_rand_index as adjusted_rand_index,
    block_ceiling as block_ceiling,
    block_means as block_means,
    holding_slots as holding_slots,
    kmeans_masks as kmeans_masks,
    random_masks as random_masks,
    score_segmentation as score_segmentation,
    voronoi_masks as voronoi_masks,
)
from .checkpoint import load_weights as load_weights, save_weights as save_weights
from .training.schedules import (
    piecewise_constant as piecewise_constant,
    piecewise_linear as piecewise_linear,
)
from .training.history import History as History
from .training.loop import NotFiniteError as NotFiniteError, fit as fit
from .recipes import RECIPES as RECIPES, VARIANTS as VARIANTS, train_circles as train_circles
from .scene_recipes import (
    LIVE_MARKS as LIVE_MARKS,
    SCENE_RECIPES as SCENE_RECIPES,
    train_scenes as train_scenes,
)
from .pretrained import (
    available_pretrained as available_pretrained,
    load_pretrained as load_pretrained,
)
from .installation import installation_report as installation_report
from .analysis import (
    center_of_mass as center_of_mass,
    decode as decode,
    decoder_jacobian as decoder_jacobian,
    encode as encode,
    encode_coordinates as encode_coordinates,
    encode_grid as encode_grid,
    evaluate_circles as evaluate_circles,
    evaluate_model as evaluate_model,
    get_avg_variance as get_avg_variance,
    get_smallest_pair as get_smallest_pair,
    informative_latents as informative_latents,
    interpolate as interpolate,
    reconstruct as reconstruct,
    spread_of_light as spread_of_light,
    traverse as traverse,
)
from .scoring import (
    CodeScores as CodeScores,
    encode_samples as encode_samples,
    score_code as score_code,
    toy_code as toy_code,
)
from .scene_scoring import score_scenes as score_scenes, take_apart as take_apart
from .evidence import (
    AskedRow as AskedRow,
    CurveRow as CurveRow,
    RunRow as RunRow,
    SceneRow as SceneRow,
    ScoreRow as ScoreRow,
    add_row as add_row,
    machine_kind as machine_kind,
    read_curves as read_curves,
    read_evidence as read_evidence,
    read_rows as read_rows,
)
from .experiments import Milestones as Milestones, load_run as load_run, make_row as make_row
from .plotting import (
    OKABE_ITO as OKABE_ITO,
    LivePlot as LivePlot,
    mark_schedules as mark_schedules,
    plot_coordinate_grid as plot_coordinate_grid,
    plot_examples as plot_examples,
    plot_fit as plot_fit,
    plot_grid_pair as plot_grid_pair,
    plot_headline as plot_headline,
    plot_history as plot_history,
    plot_picture as plot_picture,
    plot_residuals as plot_residuals,
    plot_small_grids as plot_small_grids,
    plot_strip as plot_strip,
    plot_traversals as plot_traversals,
    plot_variances as plot_variances,
    show as show,
)
from .diagrams import draw_decoders as draw_decoders, draw_vae as draw_vae
from .explorer.core import Explorer as Explorer
from .explorer.scene import SceneInHand as SceneInHand
from .explorer.scene_figure import plot_edits as plot_edits
from .explorer.widget import LatentExplorer as LatentExplorer, SceneExplorer as SceneExplorer
