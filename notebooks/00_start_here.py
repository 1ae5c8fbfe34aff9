# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# **You will be able to** say what this course is about, know that your machine can run it, and make an image by
# choosing its factors.
#
# **You need** Python, some PyTorch, and what a mean, a gradient and a Gaussian are.
#
# **Time**: 10 minutes to read, 10 seconds to run on two cores.
#
# *Coming from the blog post on the Spatial Broadcast Decoder? The last cell of this notebook says where each of its
# steps is, and what is meant differently here.*

# %%
import course  # the file beside this notebook: open both in a clone of the course
import torch
from matplotlib import pyplot as plt

from sbd_utils import Sprite, draw_sprites, evaluate_circles, load_pretrained, plot_headline, show

# %% [markdown]
# ## What you will see
#
# Two networks learned to draw white circles, from images alone: nobody told them where the circles are. They have the
# same encoder, the same loss, the same data and as many updates; only their **decoders** differ. Afterwards we walk
# along straight lines in the plane of the images (left), draw a circle at every step, and plot the two numbers in which
# each encoder has stored it.

# %%
models = {
    "SBD": load_pretrained("vae_circles_bw"),
    "deconv": load_pretrained("vae_deconv_circles_bw"),
}
figure = plot_headline(plt.figure(figsize=(11, 3.9)), models)
show(
    figure,
    "A square grid of lines; the same grid, still straight, in two latents; and a tangle of the same lines.",
)
for name, model in models.items():
    scores = evaluate_circles(model)
    r2, error = scores.geometry.similarity_r2, scores.squared_error
    print(
        f"{name:7} R² of the best turn and scaling: {r2:.2f}   squared error per image: {error:.1f}"
    )

# %% [markdown]
# The first network has found the plane: straight lines stay straight and evenly spaced, up to a turn or a mirror. The
# second draws circles nearly as well (compare the squared errors), and its
# code is a tangle. R² says how well the best turn and scaling of the plane explains the code: 1 is a perfect grid.
# Why should a *decoder* decide what an *encoder* finds? The course is the long answer, and you will be able to doubt
# every step of it: each number is computed in front of you.

# %% [markdown]
# ## The map
#
# | notebook | the question it answers |
# |---|---|
# | **00 · Start here** | Does everything run? |
# | [01 · Data](01_data.ipynb) | How can 4,096 pixels hold two numbers, and why are they hard to see? |
# | [02 · Architecture](02_architecture.ipynb) | What can either decoder draw easily, before any training? |
# | [03 · Training](03_training.ipynb) | How does a network find x and y, and how do we know that it did? |
# | [04 · Variance analysis](04_variance_analysis.ipynb) | Which latents matter, and is the straight grid an illusion? |
# | [05 · Deconv comparison](05_deconv_comparison.ipynb) | Is it the decoder? Every seed, and the reasons |
# | [06 · Latent explorer](06_latent_explorer.ipynb) | Take hold of a code: what does each latent do? |
#
# Every notebook runs by itself, from the first cell to the last, in about a minute. Only 03 trains, and takes longer: two
# minutes on two cores with instructions for bfloat16 numbers, three to four on two without, six on one. It measures
# yours before it starts. Each ends with what it established, what could be wrong with that, and exercises whose solutions fold out. Change
# things: nothing here breaks.
#
# ## Does everything run?
#
# One line for each thing that the course needs. A `FAIL` says what to do.


# %%
import importlib
import platform
from collections.abc import Callable

from packaging.version import Version


def check(what: str, test: Callable[[], None], advice: str) -> str:
    """'OK' and what holds; or 'FAIL', the exception that test() raises, and what to do about it."""
    try:
        test()
    except Exception as error:
        return f"FAIL  {what}\n      because: {error}\n      to do: {advice}"
    return f"OK    {what}"


def needs_package(module: str, least: str) -> None:
    """Raise ImportError if the module cannot be imported or is older than `least`."""
    version = importlib.import_module(module).__version__
    if Version(version) < Version(least):
        raise ImportError(f"version {version} is installed")


def needs_python(least: str, version: str = platform.python_version()) -> None:
    """Raise RuntimeError if this Python is older than `least`."""
    if Version(version) < Version(least):
        raise RuntimeError(f"this is Python {version}")


def needs_two_threads() -> None:
    """Raise RuntimeError if a convolution on two threads gives a wrong result."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sums = torch.nn.functional.conv2d(torch.ones(8, 16, 64, 64), torch.ones(4, 16, 3, 3))
    finally:
        torch.set_num_threads(before)
    if not torch.all(sums == 16 * 3 * 3):
        raise RuntimeError("a sum of 144 ones came out as something else")


# %% [markdown]
# The lowest versions that were tried stand in `pyproject.toml`, and are read from there.

# %%
import tomllib

project = tomllib.loads((course.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
stated = [*project["dependencies"], *extras["lab"], *extras["explore"]]
bounds = dict(line.split(">=") for line in stated if ">=" in line)

python = project["requires-python"].removeprefix(">=")
newest = "install a newer Python"
report = [check(f"Python is new enough ({python} or later)", lambda: needs_python(python), newest)]

install = "in the folder of the course, run `make lab`, or `pip install -e '.[explore]'` in your own environment"
packages = ["torch", "numpy", "matplotlib", "pillow", "safetensors", "tqdm"]
packages += ["ipywidgets", "jupyterlab", "anywidget"]  # the last for notebook 06
for package in packages:
    module, least = package.replace("pillow", "PIL"), bounds[package]
    what = f"{package} imports, new enough ({least} or later)"
    report.append(check(what, lambda m=module, v=least: needs_package(m, v), install))

what = "torch convolves on two threads, correctly"
report.append(check(what, needs_two_threads, "install torch again"))
for name in ("vae_circles_bw", "vae_deconv_circles_bw"):
    what = f"the weights {name} are there and whole"
    advice = "get them anew; in a git clone, `git checkout pretrained`"
    report.append(check(what, lambda n=name: load_pretrained(n), advice))

print(*report, sep="\n")
failures = sum(line.startswith("FAIL") for line in report)
to_do = f"{failures} to do, then restart the kernel and run this again."
print("\n" + (to_do if failures else "Everything runs."))

# %% [markdown]
# A check that cannot fail is worth nothing. So here are two that must:

# %%
print(check("a package that nobody has", lambda: needs_package("no_such_package", "1.0"), install))
print(check("Python from the future", lambda: needs_python("99.0", "3.11.2"), "wait"))

# %% [markdown]
# ## A sprite that moves
#
# Every image of the course is drawn by a program from a few numbers, its **factors of variation**. Here you choose
# them. Click a slider, then use the arrow keys; the line below the picture counts what your last move did.
#
# The function below does the work; the widget only calls it.


# %%
import io

from PIL import Image

COLORS = {
    "white": (255, 255, 255),
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "green": (0, 158, 115),
}


def sprite_image(
    shape: str = "ellipse",
    x: float = 32.0,
    y: float = 32.0,
    size: float = 16.0,
    angle: float = 0.0,
    color: str = "orange",
) -> torch.Tensor:
    """One sprite on black, [3, 64, 64] in [0, 1]; numbers as in `Sprite`, color a key of COLORS."""
    return draw_sprites([Sprite(shape, x, y, size, COLORS[color], angle)], img_size=64)


def sprite_png(image: torch.Tensor, zoom: int = 5) -> bytes:
    """An image [3, H, W] in [0, 1] as a PNG file, each pixel zoom x zoom large."""
    pixels = (255 * image.permute(1, 2, 0)).round().byte().numpy()  # [H, W, 3]
    height, width, _ = pixels.shape
    picture = Image.fromarray(pixels).resize(
        (zoom * width, zoom * height), Image.Resampling.NEAREST
    )
    buffer = io.BytesIO()
    picture.save(buffer, format="png")
    return buffer.getvalue()


def changed_pixels(before: torch.Tensor, after: torch.Tensor) -> int:
    """How many pixels of two images [3, H, W] differ by at least one of 255 steps, in any colour."""
    return int(((before - after).abs().amax(0) >= 1 / 255).sum())


# %% tags=["widget"]
import ipywidgets as widgets

from sbd_utils.sprites import SHAPES

WIDE = {"description_width": "6em"}  # so that no name is cut off


def slider(low: float, high: float, value: float, name: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value, min=low, max=high, step=0.5, description=name, readout_format=".1f", style=WIDE
    )


def choice(options, value: str, name: str) -> widgets.SelectionSlider:
    return widgets.SelectionSlider(options=list(options), value=value, description=name, style=WIDE)


sliders = {
    "x": slider(0, 64, 32, "x (pixels)"),
    "y": slider(0, 64, 32, "y (pixels)"),
    "size": slider(2, 40, 16, "size (pixels)"),
    "angle": slider(0, 360, 0, "angle (°)"),
    "shape": choice(SHAPES, "rectangle", "shape"),
    "color": choice(COLORS, "orange", "colour"),
}

# %% tags=["widget"]
from IPython.display import display

view = widgets.Image(format="png", width=320, height=320)
words = widgets.Label()
last = {"image": torch.zeros(3, 64, 64)}  # black, before the first
SENTENCE = "{shape}, {color}, at x {x:g}, y {y:g}, size {size:g}, turned by {angle:g}°"


def update(_=None) -> None:
    chosen = {name: control.value for name, control in sliders.items()}
    image = sprite_image(**chosen)
    view.value = sprite_png(image)
    view.tooltip = SENTENCE.format(**chosen)
    words.value = f"{view.tooltip}: {changed_pixels(last['image'], image)} of 4,096 pixels changed"
    last["image"] = image


for control in sliders.values():
    control.observe(update, names="value")
update()
view.add_class("sprite")
display(widgets.VBox([widgets.HBox([view, widgets.VBox(list(sliders.values()))]), words]))

# %% [markdown]
# And for those who read this on a page, six settings. Above each picture stands the one factor that was changed, and
# how many pixels changed with it.

# %%
from itertools import pairwise

from sbd_utils import plot_examples

changes = [dict(x=32.5), dict(x=44), dict(size=24), dict(angle=30), dict(color="sky blue")]
state: dict = dict(shape="rectangle")
pictures, words_above = [sprite_image(**state)], ["the start"]
for change in changes:
    state = state | change
    pictures.append(sprite_image(**state))
    words_above += [f"{name}: {value}" for name, value in change.items()]
for i, (before, after) in enumerate(pairwise(pictures), start=1):
    words_above[i] += f"\n{changed_pixels(before, after)} pixels"

figure, ax = plt.subplots(figsize=(10, 2.2))
plot_examples(torch.stack(pictures))
for i, text in enumerate(words_above):
    ax.text(34 + 66 * i, -5, text, ha="center", fontsize=9)
show(
    figure,
    "Six images of a square; from one to the next its x changes twice, then its size, angle and colour.",
)

# %% [markdown]
# One number moves, and dozens or hundreds of pixels change, in a pattern that is different for every position. To a
# network that sees pixels alone, the six sliders are invisible. Finding them again, from images, is what
# **disentangling** means.
#
# ## What we established
#
# - The machine has what the course needs, or the list above says what is missing.
# - An image of 64 × 64 pixels can be the work of a handful of numbers, and one of them changes many pixels at once.
# - Two networks that differ in their decoders alone store the position of a circle in two ways: one as a straight grid,
#   the other as a tangle.
#
# ## What could be wrong with it
#
# - The check imports packages and runs one convolution. It does not measure speed: on a busy machine, everything takes
#   longer than the times at the top of a notebook.
# - The picture of the two grids shows one network of each kind. One training run is an anecdote: the weights come with
#   a table of scores of every seed that was trained, in `pretrained/evidence`.
#
# ## Exercises
#
# **1.** Turn the ellipse. Which pixels change, and what does that say about its angle?
#
# <details><summary>Solution</summary>
#
# None. The ellipse is a circle, and a factor that leaves no trace in the image cannot be found in it by anybody.
#
# ```python
# turned = [sprite_image("ellipse", angle=angle) for angle in (0, 50)]
# print(changed_pixels(*turned))
# assert changed_pixels(*turned) == 0
# ```
#
# </details>
#
# **2.** A square of size 16 moves by one pixel to the right, from 32 to 33. How many pixels change? Predict, then
# count. And if it moves by half a pixel?
#
# <details><summary>Solution</summary>
#
# Its left and its right edge change, a column of 16 pixels each: 32. Half a pixel changes the same columns, half as
# much.
#
# ```python
# start = sprite_image("rectangle", x=32)
# for x in (33, 32.5):
#     moved = sprite_image("rectangle", x=x)
#     print(x, changed_pixels(start, moved))
#     assert changed_pixels(start, moved) == 32
# ```
#
# </details>
#
# **3.** Write a check that fails if the course's folder cannot be written to, and print its line.
#
# <details><summary>Solution</summary>
#
# The test tries it, and cleans up: whatever it raises is the reason in the line.
#
# ```python
# import tempfile
#
#
# def needs_writable_folder(folder=course.ROOT):
#     with tempfile.TemporaryFile(dir=folder) as file:
#         file.write(b"x")
#
#
# print(check("the course's folder can be written to", needs_writable_folder, "copy the course to a folder of yours"))
# assert check("no such folder", lambda: needs_writable_folder(course.ROOT / "missing"), "").startswith("FAIL")
# ```
#
# </details>
#
# ## What comes next
#
# [01 · Data](01_data.ipynb): the circles, and why two numbers need hundreds of directions in pixel space.

# %% [markdown]
# <details><summary><b>From the blog post to the course</b></summary>
#
# The post "Disentanglement in VAEs with the Spatial Broadcast Decoder" comes with code, github.com/dfdazac/monet
# (`notebooks/01-sbd.ipynb` is the post). Its names have been kept where they mean the same. **Bold**: the meaning
# differs.
#
# | in the post | here | what to know | notebook |
# |---|---|---|---|
# | `Sprite(shape, x, y, size, color)` | `Sprite`, with `angle`, too | **`x`, `y` are the corner of a box there, the centre here**; its `'polygon'` is a `'triangle'` | 01 |
# | `draw_sprites(sprites, img_size, bg_color)` | the same | whole pixels there, smooth edges here | 01 |
# | `generate_circles`, `generate_dataset`, `data.pt` | `circles_dataset(5000)`, or `CircleStream()` without end | 50,000 images in a file there; **centres from 5 to 59 there, from 8 to 56 here** | 01 |
# | `plot_examples(examples, name, num_cols=8)` | `plot_examples(examples, title, columns=…)` | up to 8 images in one row in both; here 16 are 4 rows of 4 | 01 |
# | `VAE(im_size, in_channels, z_dim, decoder)` | `VAE(im_size, in_channels, decoder, z_dim)` | **another order**: name `z_dim` and `decoder`; `model.encoder(x)` and `model.decoder(z)` are the same | 02 |
# | `model(x)` | `model(x)` | **`mu, logvar, x_rec` there, reconstruction, mean, log-variance here**; in eval mode, the mean is decoded here, a sample there | 02 |
# | `model.sample(mu, logvar)` | `sample_posterior(mean, logvar)` | | 02 |
# | `model.loss(x)`: error, KL, reconstruction | `elbo_loss(x, reconstruction, mean, logvar, w, beta)` | 10 × summed squared error in both; **there the factor is in the error, here `squared_error` is without it** | 03 |
# | trained by dfdazac/vaesbd | `fit`, `train_circles("fast")` | its way of training is the recipe `"post"`: hours; the course's takes minutes | 03 |
# | `load_state_dict(torch.load("vae_circles_bw.pt"))` | `load_pretrained("vae_circles_bw")` | **other weights of the same networks**; a file of the post's opens with `load_weights("FILE.pt")` | 03 |
# | `model.decoder(mu2 * c + mu1 * (1 - c))` | `interpolate(model, x1, x2, steps)` | here from image to image | 04 |
# | `get_avg_variance(model)`, with bars | `get_avg_variance(model, loader)`; the bars are `plot_variances` | **averaged over batches there, over images here** | 04 |
# | `get_smallest_pair(tensor)` | `get_smallest_pair(avg_var)` | the least first in both; **`x_latent`, `y_latent` are names only: neither need follow x or y** | 04 |
# | `generate_spaced_coordinates(low, high, num_points, levels)` | the same | **`levels` counts the gaps between lines there (5 gives 6 lines each way), the lines here**; there a crossing is one point, here two | 01 |
# | grid from 10 to 50 | `evaluation_grid()`, from 12 to 52 | **corners there (centres from 15 to 55), centres here** | 04 |
# | `encode_coordinates(model, x, y, x_latent, y_latent)` | the same | **corners there, centres here**; lists there, arrays here | 04 |
# | `plt.scatter(z1, z2, c=labels)` | `plot_coordinate_grid(ax, z1, z2, labels)` | lines in place of dots; `fit_geometry` says how straight they are | 04 |
# | the same with `decoder="deconv"` | `load_pretrained("vae_deconv_circles_bw")` | one network there, every seed here | 05 |
#
# </details>
