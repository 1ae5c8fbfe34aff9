"""What is in the figures: arrays of pixels and artists. Pictures of the latent space: test_latent_space."""

import base64
import io
import math

import IPython.display
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from sbd_utils import (
    OKABE_ITO,
    evaluate_circles,
    generate_spaced_coordinates,
    mark_schedules,
    plot_coordinate_grid,
    plot_examples,
    plot_headline,
    plot_history,
    plot_picture,
    show,
)
from sbd_utils.plotting import full_columns, image_grid
from sbd_utils.training import History
from tests.test_analysis import Ideal


def shown(examples, **options) -> np.ndarray:
    plt.figure()
    (picture,) = plot_examples(examples, **options).axes[0].images
    return np.asarray(picture.get_array())


# Grids of images


def test_a_grid_written_out():
    images = torch.tensor(
        [[[[0.1, 0.2]]], [[[0.3, 0.4]]], [[[0.5, 0.6]]]]
    )  # three images of 1 x 2 pixels
    g = 0.9
    expected = [
        [g, g, g, g, g, g, g],
        [g, 0.1, 0.2, g, 0.3, 0.4, g],
        [g, g, g, g, g, g, g],
        [g, 0.5, 0.6, g, g, g, g],
        [g, g, g, g, g, g, g],
    ]
    np.testing.assert_allclose(image_grid(images, columns=2, gap=1, background=g), expected)


@pytest.mark.parametrize(
    ("count", "rows", "columns"),
    [(1, 1, 1), (2, 1, 2), (5, 1, 5), (8, 1, 8), (9, 3, 3), (11, 3, 4), (12, 3, 4), (16, 4, 4)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_is_in_its_place(count, rows, columns, channels):
    images = torch.rand(count, channels, 5, 7)  # higher than wide would hide a swap
    for examples in (images, images.numpy(), images.double(), images.clone().requires_grad_()):
        grid = shown(examples)
        assert grid.shape[:2] == (rows * 7 + 2, columns * 9 + 2)
        for i, image in enumerate(images):
            top, left = 2 + i // columns * 7, 2 + i % columns * 9
            part = grid[top : top + 5, left : left + 7]
            np.testing.assert_allclose(
                part, image[0] if channels == 1 else image.permute(1, 2, 0), atol=1e-6
            )


def test_no_cell_stays_empty_where_that_can_be():
    """One row of up to 8; else the fewest empty cells, and of such grids the squarest."""
    assert [full_columns(count) for count in range(1, 9)] == list(range(1, 9))
    for count in range(9, 200):
        columns = full_columns(count)
        rows = math.ceil(count / columns)
        square = math.ceil(math.sqrt(count))
        assert rows >= 2
        assert square <= columns <= 3 * square
        empty = {wide: -count % wide for wide in range(square, 3 * square + 1) if wide < count}
        empty = {wide: cells for wide, cells in empty.items() if math.ceil(count / wide) >= 2}
        assert empty[columns] == min(empty.values())
        assert all(cells > empty[columns] for wide, cells in empty.items() if wide < columns)
    assert [full_columns(count) for count in (10, 13, 14, 22, 25, 64)] == [5, 7, 7, 11, 5, 8]


def test_columns_can_be_chosen():
    assert shown(torch.rand(6, 1, 5, 5), columns=6).shape == (9, 44)
    assert shown(torch.rand(6, 1, 5, 5), columns=1).shape == (44, 9)
    assert shown(torch.rand(8, 1, 5, 5), columns=3).shape == (23, 23)  # the last cell is empty


@pytest.mark.parametrize("columns", [0, -1])
def test_no_column_is_an_error_and_not_the_default(columns):
    with pytest.raises(ValueError, match=f"columns is {columns}; it must be at least 1"):
        plot_examples(torch.rand(6, 1, 5, 5), columns=columns)


def test_a_single_grey_image_may_come_as_a_matrix():
    image = torch.rand(5, 7)
    np.testing.assert_allclose(shown(image)[2:-2, 2:-2], image)


def test_values_are_clamped_not_stretched():
    images = torch.tensor([-3.0, 0.25, 0.5, 7.0]).view(4, 1, 1, 1).expand(4, 1, 3, 3)
    grid = shown(images, columns=4)
    assert [grid[3, 3], grid[3, 8], grid[3, 13], grid[3, 18]] == [0, 0.25, 0.5, 1]
    shown(torch.full((1, 1, 3, 3), 0.3))  # no black and no white to fix the scale by
    (picture,) = plt.gca().images
    assert (picture.norm.vmin, picture.norm.vmax) == (0, 1)
    assert picture.cmap(0.0)[:3] == (0, 0, 0)
    assert picture.cmap(1.0)[:3] == (1, 1, 1)
    assert shown(torch.full((1, 3, 2, 2), 2.0))[3, 3].tolist() == [1, 1, 1]


def test_the_current_figure_is_used_and_titled():
    figure = plt.figure()
    assert plot_examples(torch.rand(2, 1, 4, 4), "two circles") is figure
    (ax,) = figure.axes
    assert ax.get_title() == "two circles"
    assert not ax.axison


def test_the_picture_that_is_drawn_is_the_picture_that_was_given():
    """To the screen's pixels: a red image left of a green one."""
    figure = plt.figure(figsize=(4, 2), dpi=50)
    red_green = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).view(2, 3, 1, 1).expand(2, 3, 8, 8)
    plot_examples(red_green)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    red, green = ((pixels == color).all(-1).nonzero() for color in ((255, 0, 0), (0, 255, 0)))
    assert len(red[0]) > 100
    assert len(green[0]) > 100
    assert red[1].max() < green[1].min()
    assert abs(red[0].mean() - green[0].mean()) < 2


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (2, 2, 4, 4), (2, 4, 4), (1, 1, 1, 4, 4), (4,)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"examples has shape \[.*\]; it must be \[N, 1 or 3, H, W\]"
    ):
        plot_examples(torch.zeros(shape))


# Coordinate grids


def test_every_line_is_drawn_once_with_its_points():
    xx, yy, labels = generate_spaced_coordinates(12, 52, 31, 5)
    ax = plt.figure().gca()
    assert plot_coordinate_grid(ax, torch.from_numpy(xx), yy, labels, "the grid", ("a", "b")) is ax
    lines, dots = ax.lines[::2], ax.lines[1::2]
    assert len(lines) == len(dots) == 10
    for label, (line, dot) in enumerate(zip(lines, dots, strict=True)):
        on = labels == label
        np.testing.assert_allclose(line.get_xydata(), np.stack([xx[on], yy[on]], 1))
        np.testing.assert_allclose(dot.get_xydata(), [[xx[on][0], yy[on][0]]])
        assert line.get_linestyle() == ("-" if label < 5 else "--")
        red, _, blue = to_rgb(line.get_color())
        assert (blue > red) == (label < 5)
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("the grid", "a", "b")
    assert ax.get_aspect() == 1


def test_lines_grow_lighter_with_their_number():
    ax = plot_coordinate_grid(plt.figure().gca(), *generate_spaced_coordinates(0, 1, 2, 4))
    brightness = [
        np.dot(to_rgb(line.get_color()), [0.2126, 0.7152, 0.0722]) for line in ax.lines[::2]
    ]
    assert (np.diff(brightness[:4]) > 0).all()
    assert (np.diff(brightness[4:]) > 0).all()


def test_the_headline_shows_the_grid_and_what_each_model_makes_of_it():
    figure = plot_headline(
        plt.figure(), {"first": Ideal(), "second": Ideal(mix=((1.0, 0.0), (0.8, 1.0)))}
    )
    truth, first, second = ([line.get_xydata() for line in ax.lines[::2]] for ax in figure.axes)
    assert len(truth) == len(first) == len(second) == 10
    for line, encoded in zip(truth, first, strict=True):  # its first latent is y
        np.testing.assert_allclose(32 + 16 * encoded[:, ::-1], line, atol=0.01)
    assert truth[0][:, 0].tolist() == [12] * 31
    assert figure.axes[0].yaxis_inverted()
    assert figure.axes[1].get_title() == "first: R² 1.00, squared error 0.0"
    assert "R² 1.00" not in figure.axes[2].get_title()
    assert figure.axes[1].get_xlabel() == "mean of latent 1"


def test_the_headline_takes_scores_that_are_known():
    model = Ideal()
    known = evaluate_circles(model, num_images=10)._replace(pair=(0, 1), squared_error=4.25)
    figure = plot_headline(plt.figure(), {"first": model}, {"first": known})
    assert figure.axes[1].get_title() == "first: R² 1.00, squared error 4.2"
    assert figure.axes[1].get_xlabel() == "mean of latent 0"


# A single picture, and what training recorded


def test_a_picture_is_grey_from_0_to_1_unless_it_is_said_otherwise():
    left, right = plt.figure().subplots(1, 2)
    picture = torch.rand(4, 6).requires_grad_()
    assert plot_picture(left, picture, "a title") is left
    np.testing.assert_array_equal(left.images[0].get_array(), picture.detach())
    assert (left.images[0].norm.vmin, left.images[0].norm.vmax) == (0, 1)
    assert left.images[0].get_cmap().name == "gray"
    assert left.get_title() == "a title"
    assert [*left.get_xticks(), *left.get_yticks()] == []
    assert not any(spine.get_visible() for spine in left.spines.values())
    plot_picture(right, 5 * picture, cmap="viridis")
    assert right.images[0].get_cmap().name == "viridis"
    assert right.images[0].norm.vmax == (5 * picture).max().item()


def test_the_two_latents_that_end_highest_stand_out():
    kl = torch.tensor([1.0, 3.0, 0.5, 2.0]).expand(30, 4)
    parts = {"squared_error": torch.arange(30, 0, -1.0), "kl": kl}
    history = History(parts, {}, torch.arange(30.0), torch.arange(30.0))
    left, right = plot_history(plt.figure(), history).axes
    assert left.get_yscale() == "log"
    np.testing.assert_array_equal(left.lines[0].get_ydata(), parts["squared_error"])
    named = {line.get_label(): line for line in right.lines}
    assert named["latent 1"].get_color() == OKABE_ITO[0]
    assert named["latent 3"].get_color() == OKABE_ITO[1]
    assert named["latent 3"].get_linestyle() == "--"
    np.testing.assert_array_equal(named["latent 1"].get_ydata(), kl[:, 1])
    texts = [text.get_text() for text in right.get_legend().get_texts()]
    assert texts == ["latent 1", "latent 3", "the others"]
    schedules = {"beta": torch.full((30,), 8.0), "pool": torch.tensor([8.0] * 10 + [1.0] * 20)}
    history = History(parts, schedules, torch.arange(30.0), torch.arange(30.0))
    for ax in plot_history(plt.figure(), history).axes:
        assert ax.lines[-1].get_xdata() == [11, 11]
        assert [text.get_text() for text in ax.texts] == ["β = 8"]


def test_blocks_and_beta_are_marked_at_their_updates():
    ax = plt.figure().gca()
    ax.plot([1, 8], [0, 5])
    beta = [8.0, 8, 8, 20, 60, 60, 16, 2]
    mark_schedules(ax, range(1, 9), beta, [8, 8, 4, 4, 4, 1, 1, 1])
    _, *dotted = ax.lines
    assert [line.get_xdata() for line in dotted] == [[3, 3], [6, 6]]
    [area] = ax.collections
    tops = {x: y for x, y in area.get_paths()[0].vertices.tolist() if y > 0}
    assert tops == pytest.approx({i + 1: value / 240 for i, value in enumerate(beta)})
    [label] = ax.texts
    assert label.get_text() == "β = 60"
    assert label.get_position()[0] == 5


# The style sheet


def test_the_style_sheet_is_found_by_name_and_has_the_colours_of_the_library():
    with plt.style.context("sbd_utils.course"):
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        ax = plt.figure().gca()
        ax.plot([0, 1], label="a line")
        assert not ax.legend().get_frame_on()
        visible = {side for side, spine in ax.spines.items() if spine.get_visible()}
        assert visible == {"left", "bottom"}
    assert tuple(cycle) == OKABE_ITO


# Pictures in a notebook


def test_a_shown_figure_is_a_png_with_alternative_text(monkeypatch):
    calls = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, **options: calls.append((data, options))
    )
    figure = plt.figure(figsize=(2, 1), facecolor="#0072B2")
    assert (
        show(figure, "A blue rectangle.") is None
    )  # the value of a cell's last line would be printed
    ((data, options),) = calls
    assert options["raw"]
    assert data["text/plain"] == "[figure: A blue rectangle.]"
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG"
    # Shown at the size it was drawn for, in twice as many pixels.
    width, height = (side // 2 for side in picture.size)
    assert options["metadata"] == {
        "image/png": {"alt": "A blue rectangle.", "width": width, "height": height}
    }
    assert (width, height) == pytest.approx((200, 100), abs=25)  # 2 x 1 inches, tightly cut
    assert picture.convert("RGB").getpixel((3, 3)) == (0x00, 0x72, 0xB2)
    assert not plt.fignum_exists(figure.number)


def test_a_shown_figure_keeps_its_colours_to_a_few_steps(monkeypatch):
    """The file has a palette: every pixel is close to what matplotlib drew, and white is white."""
    stored = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: stored.append(data))
    figure = plt.figure(figsize=(4, 3), dpi=200)
    left, right = figure.subplots(1, 2)
    plot_picture(left, torch.linspace(0, 1, 64).expand(64, 64), cmap="viridis")
    right.plot(torch.rand(20, 5))
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=200, bbox_inches="tight")
    show(figure, "A gradient beside lines.")
    png = base64.b64decode(stored[0]["image/png"])
    before, after = (
        np.asarray(Image.open(file).convert("RGB")).astype(int) for file in (drawn, io.BytesIO(png))
    )
    assert np.abs(after - before).max() < 25  # of 255: a tenth, at a few blended edges
    assert np.abs(after - before).mean() < 2
    assert (after[(before == 255).all(2)] == 255).all()
    assert len(png) < len(drawn.getvalue())


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_alternative_text_is_not_shown(alt, monkeypatch):
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: pytest.fail("shown"))
    with pytest.raises(ValueError, match="alt is empty; say in a sentence what the picture shows"):
        show(plt.figure(), alt)
