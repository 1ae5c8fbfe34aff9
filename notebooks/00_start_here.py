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
# **You will be able to** say what this course asks and why, read its two kinds of pictures and its eight words, know
# that your machine can run it, and make an image by choosing its factors.
#
# **You need** Python, some PyTorch, and what a mean, a gradient and a Gaussian are.
#
# **Time**: 15 minutes to read, 10 more for the exercises; 10 seconds to run on two cores.
#
# *Coming from the blog post on the Spatial Broadcast Decoder? The table at the end says where each of its steps is, and
# what is meant differently here.*

# %%
import course  # the file beside this notebook: open both in a clone of the course
import torch
from matplotlib import pyplot as plt

from sbd_utils import draw_vae, evaluate_circles, load_pretrained, plot_headline, show

# %% [markdown]
# ## Why
#
# A child who has met one giraffe, in a picture book, knows the next one at the zoo: alive, from behind, half hidden by
# a tree. Not one pixel is the same. She has kept what the picture was *of*, and let go of the picture.
#
# A photograph is millions of numbers. What we want to know of it is a handful: what is there, where, how large, turned
# which way. A **representation** is what lies between the two: fewer numbers, made from the picture, from which the
# handful can be read. What is a good one for?
#
# - **For compression.** It leaves out what nobody will miss, and the picture can be drawn again from what is left.
# - **For use.** What changes in the world changes one of its numbers, or few, and not all of them in a tangle.
# - **For what has never been seen.** A new picture gets numbers that mean the same as in the old ones.
#
# The hope that such numbers can be found from pictures alone, without anybody who says what is in them, goes by the
# name of **disentanglement**: one number for each thing that varies. There is no agreed definition of the word. [Bengio
# et al. 2013](https://arxiv.org/abs/1206.5538) state the hope, [Higgins et al. 2018](https://arxiv.org/abs/1812.02230)
# define it by symmetries, others by one of several scores; and [Locatello et al.
# 2019](https://arxiv.org/abs/1811.12359) prove that without assumptions about model and data it cannot be done. So this
# course says each time what it measures, and what that does not show.
#
# Our world is the smallest in which one can ask: a white circle on black, 64 × 64 pixels. 4,096 numbers, and only two
# things vary: x and y. The suspect is the **SBD**, the **Spatial Broadcast Decoder** of
# [Watters et al. 2019](https://arxiv.org/abs/1901.07017): a network that draws a picture and is told, at every pixel,
# where that pixel is.
#
# ## The machine
#
# A **variational autoencoder**, VAE ([Kingma & Welling 2014](https://arxiv.org/abs/1312.6114)), is two networks with
# ten numbers between them.

# %%
show(
    draw_vae(plt.figure()),
    "From an image an encoder makes a mean and a spread, ten numbers each; noise picks a code, a decoder draws it "
    "again. Two terms make the loss: the squared error compares the two images, the KL compares mean and spread with "
    "the prior.",
)

# %% [markdown]
# Read it from left to right. For an image, the **encoder** gives no single point but a small cloud: a mean and a spread
# for each of ten numbers. A point of the cloud is drawn at random, and the **decoder** has to make the image from it.
# Training makes one sum small:
#
# - the **squared error**, solid: the image that comes out should be the one that went in;
# - the **KL**, dashed: the cloud should be the **prior**, mean 0 and spread 1, as if nothing were known. To differ
#   costs, whatever the number is good for. So a number that does not help the decoder is better left alone.
#
# Both pull on the same ten numbers, and **β** says which pulls harder. With β = 1 it is a VAE; with another, a
# **β-VAE** ([Higgins et al. 2017](https://openreview.net/forum?id=Sy2fzU9gl)). Why a larger β might separate what
# varies, [Burgess et al. 2018](https://arxiv.org/abs/1804.03599) discuss; notebook 03 raises it and brings it down
# again.
#
# Eight words, and we are set:
#
# | word | what it means here |
# |---|---|
# | **encoder** | the network from an image to the mean and the spread of its code |
# | **decoder** | the network from a code to an image |
# | **latent** | one of the ten numbers, for all images; "latent 3" is a place, not a value |
# | **code** | the values of the ten latents for one image: its mean, or a sample near it |
# | **prior** | how codes are distributed if nothing is known of the image: each latent N(0, 1) |
# | **posterior** | the same once the image is known: each latent N(μ, σ²), as the encoder says |
# | **KL** | the Kullback-Leibler divergence, how far the posterior is from the prior; 0 if they are equal |
# | **factor of variation** | a number by which the images were made, such as x; the network never sees it |
#
# ## Two decoders
#
# The course compares two ways from ten numbers to 4,096 pixels. Everything to the left of the code is the same.

# %%
from sbd_utils import draw_decoders

show(
    draw_decoders(plt.figure()),
    "Above, the spatial broadcast decoder: ten numbers become ten constant sheets, two sheets of coordinates are "
    "added, and three convolutions turn the volume of twelve sheets into an image, 64 by 64 throughout. Below, the "
    "deconvolutional decoder: the code becomes a map of 2 by 2, then 4 by 4, up to an image of 64 by 64.",
)

# %% [markdown]
# The upper one repeats the code at every pixel and adds two sheets that never change: dark at one side, bright at the
# other. A convolution there sees at once *what* is wanted and *where* it is. The lower one, the usual decoder, has
# neither: place is something that its first layer must make out of the code, and every further layer refine.
#
# Both were trained on the same circles, with the same encoder, the same loss and as many updates, and nobody told them
# where a circle is.
#
# **Predict:** each may use ten latents, and a circle has two factors. How many will be in use in the one, and how many
# in the other?
#
# <details><summary>Answer</summary>
#
# Two in the SBD, six in the deconv. "Ten, as more is better" forgets the KL, which makes every latent pay; "two, as
# there are two factors" trusts that two are enough for *this* decoder to draw from.
#
# </details>

# %%
models = {
    "SBD": load_pretrained("vae_circles_bw"),
    "deconv": load_pretrained("vae_deconv_circles_bw"),
}
scores = {name: evaluate_circles(model) for name, model in models.items()}
for name, model in models.items():
    weights = sum(weight.numel() for weight in model.decoder.parameters())
    print(f"{name:6} {scores[name].informative} of 10 latents in use,", end=" ")
    print(f"squared error {scores[name].squared_error:.1f}, {weights:,} weights in the decoder")

# %% [markdown]
# Both draw the circles well: a black image would have a squared error of 74. Now we walk along straight lines in the
# image, draw a circle at every step, and mark where the encoder puts it.
#
# **Predict:** will the straight lines be straight in the code, too: for both, for one, for neither? And if a grid
# survives: will it stand upright?
#
# <details><summary>Answer</summary>
#
# For one. It is tempting to say both: whoever draws a circle in the right place must know where it is. So it must; but
# nothing says in which *form*. And upright a grid need not be: turned by any angle it is as good a grid. This one
# stands nearly upright, which was luck (see below).
#
# </details>

# %%
show(
    plot_headline(plt.figure(figsize=(11, 3.9)), models, scores),
    "A square grid of lines; the same grid, still straight, in two latents; and a tangle of the same lines.",
)

# %% [markdown]
# **How to read it.** Blue and solid: lines along which x stays the same. Orange and dashed: lines along which y does.
# From dark to light they go left to right, and top to bottom; each begins with a dot. So you can see whether a grid was
# turned or mirrored. The axes are two latents, those of least spread.
#
# **R²** asks: take the true grid, turn it, mirror it if need be, enlarge it by one factor, shift it. How much of the
# variance of each latent does the best such grid explain? R² is the worse of the two latents' answers, and a negative
# one counts as 0. 1 is a perfect square grid.
#
# **What it says.** The first network has kept the plane: straight, evenly spaced, and in two latents. The second draws
# circles nearly as well, yet in the two latents of least spread the plane is a tangle.
#
# **What it does not say.** The deconv network uses six latents, and two of six are shown: does the plane lie straight
# in the six? Both were trained by the recipe `wide`, which was found with the SBD and for it; each is the median of
# three seeds. The decoders differ in more than coordinates: in weights, depth and strides. And of the course's 23 grids
# by an SBD this is one of the two most upright: *straight* is what training gives, *upright* was luck. Notebooks 04 and
# 05 take all this up.
#
# ## The map
#
# | notebook | the question it answers |
# |---|---|
# | **00 · Start here** | What is this about, and does everything run? |
# | [01 · Data](01_data.ipynb) | How can 4,096 pixels hold two numbers, and why are they hard to see? |
# | [02 · Architecture](02_architecture.ipynb) | What can either decoder draw easily, before any training? |
# | [03 · Training](03_training.ipynb) | How does a network find x and y, and how do we know that it did? |
# | [04 · Variance analysis](04_variance_analysis.ipynb) | Which latents matter, and is the straight grid an illusion? |
# | [05 · Deconv comparison](05_deconv_comparison.ipynb) | Is it the decoder? Every seed, and the reasons |
# | [06 · Latent explorer](06_latent_explorer.ipynb) | Take hold of a code: what does each latent do? |
# | [07 · Scores](07_scores.ipynb) | What do MIG, SAP, DCI and the FactorVAE score see? |
# | [08 · Other worlds](08_other_worlds.ipynb) | Does it hold for colours, small things, holes, and factors that hang together? |
# | [09 · Scenes of several objects](09_scenes_of_objects.ipynb) | What if there is more than one object? |
#
# Every notebook runs by itself, from the first cell to the last, in about a minute. Only 03 and 09 train, and take
# longer. 03 takes two minutes on two cores with instructions for bfloat16 numbers, three to four on two without, six on
# one, and measures yours before it starts; 09 takes about as long. In each you will find "Predict:" with an answer that
# folds out: say yours first, aloud or on paper. At the end stand exercises, each with a cell to write in and a check.
# Change things: nothing here breaks.
#
# ## Does everything run?
#
# One line for each thing that the course needs. A `FAIL` says what to do.

# %%
from sbd_utils import installation_report

print(installation_report(course.ROOT))

# %% [markdown]
# ## A sprite that moves
#
# Every image of the course is drawn by a program from a few numbers, its **factors of variation**. Here you choose
# them.

# %%
from sbd_utils import Sprite, draw_sprites

COLORS = {"white": (255, 255, 255), "orange": (230, 159, 0), "sky blue": (86, 180, 233)}


def sprite_image(shape="rectangle", x=32.0, y=32.0, size=16.0, angle=0.0, color="orange"):
    """One sprite on black, [3, 64, 64] in [0, 1]; numbers as in `Sprite`, color a key of COLORS."""
    return draw_sprites([Sprite(shape, x, y, size, COLORS[color], angle)], img_size=64)


def changed_pixels(before: torch.Tensor, after: torch.Tensor) -> int:
    """How many pixels of two images [3, H, W] differ by at least one of 255 steps, in any colour."""
    return int(((before - after).abs().amax(0) >= 1 / 255).sum())


# %% [markdown]
# Click a slider, then use the arrow keys; the line below the picture counts what your last move did.

# %% tags=["widget"]
import ipywidgets as widgets

from sbd_utils.sprites import SHAPES

WIDE = {"description_width": "6em"}  # so that no name is cut off
RANGES = {
    "x": (0, 64, 32, "x (pixels)"),
    "y": (0, 64, 32, "y (pixels)"),
    "size": (2, 40, 16, "size (pixels)"),
    "angle": (0, 360, 0, "angle (°)"),
}
CHOICES = {"shape": (SHAPES, "rectangle", "shape"), "color": (list(COLORS), "orange", "colour")}
sliders: dict = {
    name: widgets.FloatSlider(start, min=low, max=high, step=0.5, description=text, style=WIDE)
    for name, (low, high, start, text) in RANGES.items()
}
sliders |= {
    name: widgets.SelectionSlider(options=options, value=start, description=text, style=WIDE)
    for name, (options, start, text) in CHOICES.items()
}

# %% tags=["widget"]
from IPython.display import display

from sbd_utils.explorer.pictures import png, side_by_side, to_bytes

view = widgets.Image(format="png", width=320, height=320)
words = widgets.Label()
last = {"image": torch.zeros(3, 64, 64)}  # black, before the first
SENTENCE = "{shape}, {color}, at x {x:g}, y {y:g}, size {size:g}, turned by {angle:g}°"


def update(_=None) -> None:
    """Draw what the sliders say, and count what that changes."""
    chosen = {name: control.value for name, control in sliders.items()}
    image = sprite_image(**chosen)
    view.value = png(side_by_side([to_bytes(image)], scale=5))
    view.tooltip = SENTENCE.format(**chosen)
    words.value = f"{view.tooltip}: {changed_pixels(last['image'], image)} of 4,096 pixels changed"
    last["image"] = image


for control in sliders.values():
    control.observe(update, names="value")
update()
view.add_class("sprite")
display(widgets.VBox([widgets.HBox([view, widgets.VBox(list(sliders.values()))]), words]))

# %% [markdown]
# **Predict:** a square of side 16 moves to the right, first by half a pixel, then by 12 more. How many of the 4,096
# pixels change each time?
#
# <details><summary>Answer</summary>
#
# 32, a column of 16 at either side, each by half its brightness. Then 416, 13 such columns at either side: the columns
# that are half covered, before or after, count as well. Who says 0 for half a pixel thinks of pixels that are on or
# off; a pixel here has the part that is covered.
#
# </details>

# %%
from itertools import pairwise

from sbd_utils import plot_examples

changes = [dict(x=32.5), dict(x=44.5), dict(size=24), dict(angle=30), dict(color="sky blue")]
state: dict = {}
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
    ax.text(34 + 66 * i, -5, text, ha="center", fontsize=10)
show(
    figure,
    "Six images of a square; from one to the next its x changes twice, then its size, angle and colour.",
)
print("pixels that change:", [changed_pixels(*two) for two in pairwise(pictures)])

# %% [markdown]
# One number moves, and dozens or hundreds of pixels change, in a pattern that is different for every position. To a
# network that sees pixels alone, the six sliders are invisible. Can they be found again from images?
#
# ## What we established
#
# - The machine has what the course needs, or the list above says what is missing.
# - One factor changes dozens or hundreds of pixels at once: half a pixel's step of a square changes 32.
# - Two networks that were trained alike keep the position of a circle in two ways. The SBD: a straight grid in two
#   latents, R² 1.00. The deconv: in the two of its six latents that spread least, a tangle, R² 0.00.
#
# ## What could be wrong with it
#
# - One training run is an anecdote, and the recipe was made for one of the two. `pretrained/evidence` has every seed;
#   05 compares them.
# - R² of two latents says nothing about the other four.
# - The check imports packages and runs one convolution. It does not measure speed: on a busy machine, everything takes
#   longer than the times at the top of a notebook.
#
# ## Exercises
#
# **1.** Turn an *ellipse* by 50°. How many pixels change, and what does that say about its angle?

# %%
from sbd_utils import checks

pixels = ...  # your answer
checks.turned_ellipse(pixels)

# %% [markdown]
# <details><summary>Solution</summary>
#
# None: our ellipse is a circle. A factor that leaves no trace in the image cannot be found in it, by anybody.
#
# ```python
# turned = [sprite_image("ellipse", angle=angle) for angle in (0, 50)]
# pixels = changed_pixels(*turned)
# ```
#
# </details>
#
# **2.** A square of side 16 takes one step along the diagonal: x and y grow by 1. Say how many pixels change, then
# count.

# %%
pixels = ...  # your answer
checks.diagonal_step(pixels)

# %% [markdown]
# <details><summary>Solution</summary>
#
# 15 × 15 pixels stay white, so 256 − 225 = 31 go dark and as many get light: 62. Not 64: the corner belongs to the row
# and to the column. Two factors changed at once, and the pixels do not add up what each would have done alone.
#
# ```python
# pixels = changed_pixels(sprite_image(), sprite_image(x=33, y=33))
# ```
#
# </details>
#
# **3.** Each pixel stored as a byte, an image takes 32,768 bits. The circles of the course have their centres in the
# square from 8 to 56 pixels, both ways, anywhere with equal chance. How many bits say where a circle is, to a tenth of
# a pixel?

# %%
bits = ...  # your answer
checks.bits_for_a_place(bits)

# %% [markdown]
# <details><summary>Solution</summary>
#
# 480 × 480 little squares, and every bit halves how many are left: log2(480²) = 17.8. The KL of a VAE is the price of
# such a message. The SBD above pays 14 bits, and so keeps x and y somewhat less finely.
#
# ```python
# import math
#
# bits = math.log2(480 * 480)
# paid = scores["SBD"].kl / math.log(2)  # from nats to bits
# print(f"{bits:.1f} bits; the SBD pays {paid:.1f}")
# assert round(paid) == 14
# ```
#
# </details>
#
# ## What comes next
#
# [01 · Data](01_data.ipynb): the circles, and why two numbers need hundreds of directions in pixel space.
#
# ### What to read
#
# | | why |
# |---|---|
# | [Kingma & Welling 2014](https://arxiv.org/abs/1312.6114) | the VAE; sections 2 and 3 |
# | [Higgins et al. 2017](https://openreview.net/forum?id=Sy2fzU9gl) | the β-VAE |
# | [Burgess et al. 2018](https://arxiv.org/abs/1804.03599) | what β does to the code; why to change it while training |
# | [Watters et al. 2019](https://arxiv.org/abs/1901.07017) | the SBD |
# | [Locatello et al. 2019](https://arxiv.org/abs/1811.12359) | doubt, with a proof and 12,000 models |
# | [Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/) | what transposed convolutions do to pictures |
# | [Liu et al. 2018](https://arxiv.org/abs/1807.03247) | convolutions that are told where they are, for other tasks |

# %% [markdown]
# ### From the blog post to the course
#
# The post "Disentanglement in VAEs with the Spatial Broadcast Decoder" is `notebooks/01-sbd.ipynb` of
# [dfdazac/monet](https://github.com/dfdazac/monet). First its headings and steps in their order, then its functions,
# and those of the code beside it. Names have been kept where they mean the same. **Bold**: the meaning differs.
#
# | step of the post | where it is |
# |---|---|
# | *(before the first heading)* representation learning, compression, disentanglement | 00 · Why |
# | **The Spatial Broadcast Decoder**: the VAE, its picture | 00 · The machine |
# | … transposed convolutions and checkerboards | 02 · Who reaches which pixel |
# | … tiling, coordinates, the volume | 00 · Two decoders; 02 · The spatial broadcast decoder, step by step |
# | **Testing the SBD**: samples from the circles | 01 · The circles |
# | … a pretrained model is loaded | 03 · The pretrained networks, and what they dream |
# | … original and reconstruction | 04 · It reconstructs |
# | … interpolation in latent space | 04 · Between two codes, the circle moves |
# | **Measuring variance in the latent space**: the loss, and what the KL does | 03 · The objective, term by term |
# | … β-VAE: latents are used sparingly | 03 · Which β? |
# | … average variance, bars, the two smallest | 04 · The average variance picks two |
# | … coordinates in observation space | 01 · Coordinate grids |
# | … coordinates in latent space | 04 · Does the code keep the plane? |
# | … "up to a rotation" | 04 · What is *not* shown: that x and y are disentangled |
# | … the same for the deconvolutional decoder | 05 · The plane, encoded |
# | … "successfully enables … compared to a deconvolutional decoder" | 05 · Every seed |
# | MONet and IODINE, for scenes of several objects | 09 · MONet: one cut after the other; 09 · IODINE: no encoder at all |
#
# | function of the post | here, and in which section | what to know |
# |---|---|---|
# | `Sprite(shape, x, y, size, color)` | `Sprite`, with `angle`, too<br>01 · Sprites | **`x`, `y` are the corner of a box there, the centre here**; its `'polygon'` is a `'triangle'` |
# | `draw_sprites(sprites, img_size, bg_color)` | the same<br>01 · Aliasing: a circle must be able to move by a tenth of a pixel | whole pixels there, smooth edges here |
# | `generate_circles`, `generate_dataset`, `data.pt` | `circles_dataset(5000)`, or `CircleStream()` without end<br>01 · The circles | 50,000 images in a file there; **centres from 5 to 59 there, from 8 to 56 here** |
# | `generate_random_img`, `generate_sprites_single`, `generate_sprites_multi`, `show_samples` | draw your own scenes with `draw_sprites`<br>01 · Sprites | for MONet there |
# | `plot_examples(examples, name, num_cols=8)` | `plot_examples(examples, title, columns=…)`<br>01 · Factors of variation | up to 8 images in one row in both; here 16 are 4 rows of 4 |
# | `VAE(im_size, in_channels, z_dim, decoder)` | `VAE(im_size, in_channels, decoder, z_dim)`<br>02 · The encoder, and the encoder run backwards | **another order**: name `z_dim` and `decoder` |
# | `model.encoder(x)`, `model.decoder(z)`; `sb_decoder`, `deconv_decoder` | `model.encoder(x)`, `model.decoder(z)`<br>02 · The spatial broadcast decoder, step by step | the decoders are classes here |
# | `x_grid`, `y_grid` | `coordinate_map(im_size)`<br>02 · The spatial broadcast decoder, step by step | **`x_grid` grows downwards there, x to the right here** |
# | `model(x)` | `model(x)`<br>02 · The encoder, and the encoder run backwards | **`mu, logvar, x_rec` there, reconstruction, mean, log-variance here**; in eval mode, the mean is decoded here, a sample there |
# | `model.sample(mu, logvar)` | `sample_posterior(mean, logvar)`<br>02 · A gradient through a random number |  |
# | `model.loss(x)`: error, KL, reconstruction | `elbo_loss(x, reconstruction, mean, logvar, w, beta)`<br>03 · The objective, term by term | 10 × summed squared error in both; **there the factor is in the error, here `squared_error` is without it** |
# | `train.py` of dfdazac/vaesbd | `fit`, `train_circles("fast")`<br>03 · Training, live | its way of training is the recipe `"post"`: hours; the course's takes minutes |
# | `make_data_iterator`, `add_observers` | none needed<br>03 · The loop | `fit` draws its own batches |
# | `load_state_dict(torch.load("vae_circles_bw.pt"))` | `load_pretrained("vae_circles_bw")`<br>03 · The pretrained networks, and what they dream | **other weights of the same networks**; a file of the post's opens with `load_weights("FILE.pt")` |
# | `model.decoder(mu2 * c + mu1 * (1 - c))` | `interpolate(model, x1, x2, steps)`<br>04 · Between two codes, the circle moves | here from image to image |
# | `get_avg_variance(model)`, with bars | `get_avg_variance(model, loader)`; the bars are `plot_variances`<br>04 · The average variance picks two | **averaged over batches there, over images here** |
# | `get_smallest_pair(tensor)` | `get_smallest_pair(avg_var)`<br>04 · The average variance picks two | the least first in both; **`x_latent`, `y_latent` are names only: neither need follow x or y** |
# | `generate_spaced_coordinates(low, high, num_points, levels)` | the same<br>01 · Coordinate grids | **`levels` counts the gaps between lines there (5 gives 6 lines each way), the lines here**; there a crossing is one point, here two |
# | the grid from 10 to 50 | `evaluation_grid()`, from 12 to 52<br>04 · Does the code keep the plane? | **corners there (centres from 15 to 55), centres here** |
# | `encode_coordinates(model, x, y, x_latent, y_latent)` | the same<br>04 · Does the code keep the plane? | **corners there, centres here**; lists there, arrays here |
# | `plt.scatter(z1, z2, c=labels)` | `plot_coordinate_grid(ax, z1, z2, labels)`<br>01 · Coordinate grids | lines in place of dots; `fit_geometry` says how straight they are |
# | the same with `decoder="deconv"` | `load_pretrained("vae_deconv_circles_bw")`<br>05 · Every seed | one network there, every seed here |
