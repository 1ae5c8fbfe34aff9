"""The library under the course: data, models, training and analysis for learning disentanglement by doing it.

Every module has one subject and is short: open it. A name is looked up in its module at first use, so that drawing a
circle does not wait for, or need, what only plotting or training uses.
"""

import importlib

# The public names, by the module that defines them; modules import only from modules above their own line.
_MODULES = {
    "sprites": ["Sprite", "draw_sprites", "render_batch"],
    "models": ["VAE", "DeconvDecoder", "Encoder", "SpatialBroadcastDecoder", "coordinate_map", "sample_posterior"],
    "metrics": ["Geometry", "Probe", "fit_geometry", "held_out_r2", "linear_probe"],
    "datasets": ["CircleStream", "circles_dataset", "generate_spaced_coordinates", "save_dataset"],
    "training": ["elbo_loss", "fit", "kl_divergence", "piecewise_constant", "piecewise_linear", "save_weights"],
    "recipes": ["RECIPES", "train_circles"],
    "pretrained": ["available_pretrained", "load_pretrained", "load_weights"],
    "analysis": [
        "decode",
        "encode",
        "encode_coordinates",
        "encode_grid",
        "evaluate_circles",
        "get_avg_variance",
        "get_smallest_pair",
        "informative_latents",
        "interpolate",
        "reconstruct",
        "traverse",
    ],
    "evidence": ["Milestones", "add_row", "machine_kind", "make_row", "read_rows"],
    "plotting": [
        "LivePlot",
        "plot_coordinate_grid",
        "plot_examples",
        "plot_fit",
        "plot_grid_pair",
        "plot_headline",
        "plot_history",
        "plot_residuals",
        "plot_strip",
        "plot_traversals",
        "plot_variances",
        "show",
    ],
    "explorer": ["Explorer"],
    "explorer_widget": ["LatentExplorer"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
