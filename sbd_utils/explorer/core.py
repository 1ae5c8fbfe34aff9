"""The latent explorer without its face: a state, events in, pictures out. `explorer_widget` puts it on a page."""

import io
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sbd_utils.analysis import (
    encode,
    encode_grid,
    get_avg_variance,
    get_smallest_pair,
    informative_latents,
    traverse,
)
from sbd_utils.data import center_range, draw_circles, evaluation_grid
from sbd_utils.models import VAE, sample_posterior

TRAIL = 200  # positions that are remembered
SPAN = 3.0  # planes and sliders reach at least this far, in standard deviations of the prior


@dataclass
class Side:
    """One model in the explorer and the code in its hand."""

    model: VAE
    variances: Tensor
    """[z_dim] average posterior variances, over circles everywhere in the image."""
    grid: Tensor
    """[lines, points, z_dim] the evaluation grid, encoded."""
    axes: tuple[int, int]
    """The latents shown to the right and upwards."""
    z: Tensor
    """[z_dim] the code that is decoded."""
    mean: Tensor
    """[z_dim] of the posterior of the circle."""
    std: Tensor
    """[z_dim] of the posterior of the circle."""
    picture: np.ndarray
    """uint8 [H, H] or [H, H, 3], decoded from z and clamped to [0, 1]."""
    trail: list[Tensor] = field(default_factory=list)
    """The codes [z_dim] of the circle's last positions."""


class Explorer:
    """One or several models under one hand.

    models: a `VAE`, or several by name; of the same image size, with grey or RGB images and two latents or more.
    seed: of what is sampled. Raises ValueError for other models.

    `handle` takes an event, a dictionary with a "type" and what belongs to it:
        latent   model, x, y       puts the two latents on the model's axes there; if linked, those of all models
        slider   model, latent, value
        image    x, y              puts the circle there (pixels); every model encodes it
        axes     model, x, y       shows these two latents
        link     value             whether a latent event moves all models
        reset, clear, prior, posterior   start again, forget the trail, sample from p(z), sample from q(z|circle)
    The same events in the same order give the same state.
    """

    def __init__(self, models: VAE | dict[str, VAE], seed: int = 0):
        models = {"model": models} if isinstance(models, VAE) else dict(models)
        _check_models(models)
        self.im_size = next(iter(models.values())).config["im_size"]
        self.seed = seed
        xx, yy, labels = evaluation_grid(self.im_size)
        # [lines, points, 2] in pixels: what every model's `grid` encodes.
        self.true_grid = np.stack([xx, yy], 1).reshape(len(np.unique(labels)), -1, 2)
        self.sides = {name: _side(model) for name, model in models.items()}
        reach = max(side.grid.abs().max().item() for side in self.sides.values())
        self.span = max(SPAN, math.ceil(2 * 1.05 * reach) / 2)
        self._reset()

    def handle(self, event: dict) -> None:
        """Take one event. Raises ValueError, and changes nothing, if it is not one of those above."""
        kinds = dict(
            latent=self._latent,
            slider=self._slider,
            image=self._image,
            axes=self._axes,
            link=self._link,
        )
        kinds |= dict(
            reset=self._reset, clear=self._clear, prior=self._prior, posterior=self._posterior
        )
        arguments = {key: value for key, value in event.items() if key != "type"}
        kind = event.get("type")
        if kind not in kinds:
            raise ValueError(f"type is {kind!r}; it must be one of {', '.join(kinds)}")
        try:
            kinds[kind](**arguments)
        except TypeError as error:
            raise ValueError(
                f"the event {event} does not have what {kind!r} takes: {error}"
            ) from error

    def state(self) -> dict:
        """All that events change, as plain numbers: what two explorers are compared by."""
        sides = {
            name: dict(
                axes=list(side.axes),
                **{key: getattr(side, key).tolist() for key in ("z", "mean", "std", "picture")},
                trail=[z.tolist() for z in side.trail],
            )
            for name, side in self.sides.items()
        }
        return dict(
            circle=self.circle,
            shown=self.encoded,
            linked=self.linked,
            path=list(self.path),
            sides=sides,
        )

    def image(self) -> Tensor:
        """The circle's picture, [1, im_size, im_size] in [0, 1]."""
        return draw_circles(*self.circle, im_size=self.im_size)[0]

    def code(self) -> str:
        """The codes as lines of Python."""
        values = {
            name: ", ".join(f"{v:.4f}" for v in side.z.tolist())
            for name, side in self.sides.items()
        }
        rows = [f"    {name!r}: torch.tensor([{numbers}])," for name, numbers in values.items()]
        return "\n".join(["z = {", *rows, "}"])

    def png(self, scale: int = 4) -> bytes:
        """The models' pictures side by side as a PNG, every pixel `scale` pixels wide."""
        return _save([self._join([side.picture for side in self.sides.values()], scale)], "PNG")

    def gif(self, model: str, latent: int, steps: int = 24, scale: int = 4) -> bytes:
        """The latent of that model going to and fro between -2 and 2, all else as it is, as an animated GIF."""
        side = self._side(model)
        self._check_latent("latent", side, latent)
        images = traverse(side.model, side.z, [latent], span=2.0, steps=steps).images[
            0
        ]  # [steps, C, H, H]
        frames = [self._join([_to_bytes(image)], scale) for image in images]
        return _save(frames + frames[-2:0:-1], "GIF", duration=60, loop=0)

    def describe(self, name: str) -> str:
        """What is to be seen in a model's picture, in a sentence."""
        picture = self.sides[name].picture
        light = picture.reshape(self.im_size, self.im_size, -1).max(2).astype(float)
        if light.max() < 64:
            return f"{name}: a dark picture"
        y, x = np.argwhere(light >= light.max() / 2).mean(0) + 0.5
        return f"{name}: a bright spot at x {x:.0f}, y {y:.0f} pixels"

    # Events

    def _latent(self, model: str, x: float, y: float) -> None:
        chosen, x, y = self._side(model), self._clip("x", x), self._clip("y", y)
        for side in self.sides.values() if self.linked else [chosen]:
            side.z = side.z.clone()
            side.z[list(side.axes)] = torch.tensor([x, y])
        self._decode()

    def _slider(self, model: str, latent: int, value: float) -> None:
        side, value = self._side(model), self._clip("value", value)
        self._check_latent("latent", side, latent)
        side.z = side.z.clone()
        side.z[latent] = value
        self._decode()

    def _image(self, x: float, y: float) -> None:
        center = [_finite(name, value) for name, value in (("x", x), ("y", y))]
        low, high = center_range(self.im_size)
        self.circle = tuple(min(max(value, low), high) for value in center)
        self.path = [*self.path, self.circle][-TRAIL:]
        for side in self.sides.values():
            self._encode(side)
            side.z = side.mean
            side.trail = [*side.trail, side.mean][-TRAIL:]
        self._decode(encoded=True)

    def _axes(self, model: str, x: int, y: int) -> None:
        side = self._side(model)
        self._check_latent("x", side, x)
        self._check_latent("y", side, y)
        if x == y:
            raise ValueError(f"x and y are both {x}; a plane needs two different latents")
        side.axes = (x, y)

    def _link(self, value: bool) -> None:
        self.linked = bool(value)

    def _clear(self) -> None:
        self.path = []
        for side in self.sides.values():
            side.trail = []

    def _reset(self) -> None:
        self.linked = True
        self.generator = torch.Generator().manual_seed(self.seed)
        self.path = []
        for side in self.sides.values():
            side.axes = get_smallest_pair(side.variances)
            side.trail = []
        self._image(self.im_size / 2, self.im_size / 2)

    def _prior(self) -> None:
        for side in self.sides.values():
            sample = torch.randn(len(side.z), generator=self.generator)
            side.z = sample.clamp(-self.span, self.span)
        self._decode()

    def _posterior(self) -> None:
        for side in self.sides.values():
            noise = torch.randn(len(side.z), generator=self.generator)
            side.z = sample_posterior(side.mean, 2 * side.std.log(), noise)
        self._decode(encoded=True)

    # Parts

    def _encode(self, side: Side) -> None:
        image = self.image().expand(side.model.config["in_channels"], -1, -1)
        mean, logvar = encode(side.model, image[None])
        side.mean, side.std = mean[0], (logvar[0] / 2).exp()

    @torch.inference_mode()
    def _decode(self, encoded: bool = False) -> None:
        """Decode every model's code. encoded: whether the codes are the circle's."""
        self.encoded = encoded
        for side in self.sides.values():
            device = next(side.model.parameters()).device
            side.picture = _to_bytes(side.model.decoder(side.z[None].to(device))[0])

    def _side(self, model: str) -> Side:
        if model not in self.sides:
            raise ValueError(
                f"model is {model!r}; it must be one of {', '.join(map(repr, self.sides))}"
            )
        return self.sides[model]

    def _clip(self, name: str, value: float) -> float:
        return min(max(_finite(name, value), -self.span), self.span)

    def _check_latent(self, name: str, side: Side, latent: int) -> None:
        if not isinstance(latent, int) or not 0 <= latent < len(side.z):
            raise ValueError(
                f"{name} is {latent!r}; this model's latents are 0 ... {len(side.z) - 1}"
            )

    def _join(self, pictures: list[np.ndarray], scale: int) -> Image.Image:
        size = self.im_size * scale
        sheet = Image.new("RGB", (len(pictures) * (size + scale) - scale, size), (128, 128, 128))
        for i, picture in enumerate(pictures):
            sheet.paste(
                Image.fromarray(picture).resize((size, size), Image.NEAREST),
                (i * (size + scale), 0),
            )
        return sheet


def _side(model: VAE) -> Side:
    size, channels = model.config["im_size"], model.config["in_channels"]
    line = torch.linspace(*center_range(size), 16)
    lattice = draw_circles(*torch.cartesian_prod(line, line).T, im_size=size)  # [256, 1, H, H]
    variances = get_avg_variance(model, [lattice.expand(-1, channels, -1, -1)])
    axes = get_smallest_pair(variances)
    xy, _, labels = encode_grid(model, *axes)
    images = draw_circles(*xy.T, im_size=size)
    means, _ = encode(model, images.expand(-1, channels, -1, -1))
    grid = means.unflatten(0, (len(np.unique(labels)), -1))
    nothing = torch.zeros(len(variances))
    return Side(
        model, variances, grid, axes, nothing, nothing, nothing, np.zeros((size, size), np.uint8)
    )


def ranked(side: Side) -> list[tuple[int, float, bool]]:
    """Latents in ascending order of posterior variance: number, variance, whether informative."""
    informative = informative_latents(side.variances)
    order = torch.argsort(side.variances, stable=True).tolist()
    return [(latent, side.variances[latent].item(), latent in informative) for latent in order]


def _check_models(models: dict) -> None:
    if not models:
        raise ValueError("models is empty; give a VAE, or several by name")
    for name, model in models.items():
        if not isinstance(model, VAE):
            raise ValueError(f"models[{name!r}] is {type(model).__name__}; it must be a VAE")
        if model.config["z_dim"] < 2:
            raise ValueError(
                f"models[{name!r}] has {model.config['z_dim']} latent; a plane needs 2"
            )
        if model.config["in_channels"] not in (1, 3):
            raise ValueError(
                f"models[{name!r}] has {model.config['in_channels']} channels; pictures have 1 or 3"
            )
    sizes = {name: model.config["im_size"] for name, model in models.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"models have images of different sizes, {sizes}; they must be the same")


def _finite(name: str, value) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it must be a finite number")
    return float(value)


def _to_bytes(image: Tensor) -> np.ndarray:
    """[C, H, W] as uint8 [H, W] or [H, W, 3]."""
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels)


def _save(frames: list[Image.Image], kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    more = dict(save_all=True, append_images=frames[1:]) if len(frames) > 1 else {}
    frames[0].save(buffer, kind, **more, **options)
    return buffer.getvalue()
