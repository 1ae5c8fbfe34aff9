"""The explorer's page in a real browser, without Jupyter: its kernel is this process, and can fail."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from sbd_utils import VAE
from sbd_utils.data import draw_circles
from sbd_utils.explorer.page import FOLDER
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.explorer.widget import LatentExplorer
from tests.browser import browser, require_browser
from tests.browser.bare import DARK, SETTLED, Stage
from tests.explorer import small

require_browser("chromium")


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def stage(chromium):
    """One page for all tests: a browser's page costs more than what a test does with it."""
    return Stage(chromium)


@pytest.fixture
def mount(stage):
    """A function that shows an explorer of some models, and gives page and widget."""

    def mount(models, views: int = 1, deaf: bool = False, data=None):
        widget = LatentExplorer(models, data=data)
        return stage.show(widget, views, deaf), widget

    yield mount
    assert stage.page.errors == []
    stage.clear()


def settled(page, act) -> None:
    act()
    page.wait_for_function(SETTLED)


def click(pad, x: float, y: float) -> None:
    """Click a pad at x and y of 256."""
    size = pad.bounding_box()["width"]
    pad.click(position={"x": x / 256 * size, "y": y / 256 * size})


def status(page, view: int = 0) -> str:
    return page.get_by_role("status").nth(view).text_content()


def is_warning(page) -> bool:
    return page.get_by_role("status").evaluate("(node) => node.classList.contains('error')")


def pixels(canvas) -> np.ndarray:
    """[H, W, 3] of a canvas."""
    url = canvas.evaluate("(canvas) => canvas.toDataURL('image/png')")
    image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(image.convert("RGB")).astype(int)


def extent(mask: np.ndarray, size: float) -> np.ndarray:
    """Least x and y, and greatest, where a mask [H, H] is true, in units of which it is `size` wide."""
    rows, columns = np.nonzero(mask)
    ends = [[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]
    return np.array(ends) / len(mask) * size


class CentreEncoder(torch.nn.Module):
    """Latents 0 and 1 are the circle's place, -2 to 2 from one border to the other; 2 and 3 are nothing."""

    def forward(self, images):
        size = images.shape[-1]
        line = 4 * (torch.arange(size) + 0.5) / size - 2
        light = images.sum((1, 2, 3))
        x = (images.sum((1, 2)) * line).sum(1) / light
        y = (images.sum((1, 3)) * line).sum(1) / light
        nothing = torch.zeros_like(x)
        mean = torch.stack([x, y, nothing, nothing], 1)
        return mean, torch.tensor([-4.0, -4.0, 0.0, 0.0]).expand_as(mean)


@pytest.mark.parametrize("im_size", [32, 64, 96, 128])
def test_the_grid_on_the_page_covers_the_image_whatever_its_size(mount, im_size):
    model = small(im_size)
    model.encoder = CentreEncoder()
    page, widget = mount(model)
    image, plane = page.locator("canvas.pad").all()
    inset = 8 + (im_size - 16) / 12
    wanted = np.array([[inset, inset], [im_size - inset, im_size - inset]])
    shown = pixels(image)
    white = (shown > 200).all(-1)
    pixel = im_size / 256  # of the page, in pixels of the image
    np.testing.assert_allclose(extent(white, im_size).mean(0), im_size / 2, atol=1 + 2 * pixel)
    for lines in (is_blue(shown), is_orange(shown)):  # a dashed line may end in a gap
        np.testing.assert_allclose(extent(lines, im_size), wanted, atol=5 * pixel)
    span = widget.core.span
    codes = 4 * wanted / im_size - 2  # the same from above and from below
    seen = extent(is_blue(pixels(plane)), 2 * span) - span  # the cross of the hand is orange
    np.testing.assert_allclose(seen, codes, atol=5 * 2 * span / 256)


def is_blue(picture: np.ndarray) -> np.ndarray:
    return picture[..., 2] - picture[..., 0] > 60


def is_orange(picture: np.ndarray) -> np.ndarray:
    return picture[..., 0] - picture[..., 2] > 60


def test_a_drag_is_heard_at_once_and_once(mount):
    page, _ = mount(small())
    page.evaluate(
        """() => {
            window.heard = [];
            const { send } = model;
            model.send = (message) => {
                if (message.type === "image") heard.push([event.type, message.x]);
                send(message);
            };
        }"""
    )
    box = page.locator("canvas.pad").first.bounding_box()
    move = lambda share: page.mouse.move(box["x"] + share * box["width"], box["y"] + 100)  # noqa: E731
    move(0.4)
    page.mouse.down()
    page.wait_for_function(SETTLED)
    for count, share in ((2, 0.5), (3, 0.6)):  # both before the page's clock lets a frame end
        move(share)
        page.wait_for_function("(count) => heard.length === count", arg=count)
    page.clock.run_for(50)
    move(0.7)
    page.wait_for_function("heard.length === 4")
    page.wait_for_function(SETTLED)
    page.mouse.up()
    kinds, places = zip(*page.evaluate("heard"), strict=True)
    assert kinds == ("pointerdown", "pointerrawupdate", "pointermove", "pointerrawupdate")
    assert np.allclose(np.diff(places), np.diff(places)[0], atol=0.5)


def test_one_press_in_one_of_two_views_saves_one_file(mount):
    page, _ = mount(small(), views=2)
    before = status(page, 1)
    settled(page, page.get_by_role("button", name="PNG").first.click)
    settled(page, page.get_by_role("button", name="Reset").first.click)  # a whole turn later
    assert page.evaluate("window.saved") == ["model.png"]
    settled(page, page.get_by_role("button", name="GIF").nth(1).click)
    settled(page, page.get_by_role("button", name="Copy z").nth(1).click)
    assert len(page.evaluate("window.saved")) == 2
    codes = page.locator("pre")
    assert [codes.nth(view).is_visible() for view in (0, 1)] == [False, True]
    assert status(page, 0) == before


def test_two_views_show_the_same_state(mount):
    page, widget = mount(small(), views=2)
    pictures = page.locator("canvas.picture").all()
    first = pixels(pictures[0])
    pad = page.get_by_role("application", name="model, latent plane").nth(1)
    settled(page, lambda: click(pad, 20, 20))
    assert not np.array_equal(pixels(pictures[0]), first)
    assert np.array_equal(pixels(pictures[0]), pixels(pictures[1]))
    assert np.array_equal(pixels(pictures[0])[..., 0], widget.core.sides["model"].picture)


def test_a_view_that_is_removed_hears_no_more(mount):
    page, _ = mount(small(), views=2)
    events = ["msg:custom", "comm:close", "comm_live_update"]
    events += ["statusChanged", "connectionStatusChanged", "disposed"]
    listeners = lambda: page.evaluate("(names) => names.map(model.heard_by)", events)  # noqa: E731
    assert listeners() == [2] * 6
    page.evaluate("() => { window.ends[0](); document.querySelector('.sbd-explorer').remove(); }")
    assert listeners() == [1] * 6
    settled(page, page.get_by_role("button", name="PNG").click)
    assert page.evaluate("window.saved") == ["model.png"]


def test_hands_that_come_before_the_first_picture_do_no_harm(mount):
    page, widget = mount(small(), deaf=True)
    assert status(page).startswith("Waiting for the kernel")
    pads = page.locator("canvas.pad")
    for pad in pads.all():
        pad.focus()
        for key in ("ArrowLeft", "Shift+ArrowUp", "x"):
            page.keyboard.press(key)
    assert page.locator(".sbd-explorer").get_attribute("data-waiting") == "1"  # "hello" alone
    page.get_by_role("combobox").first.select_option("3")
    page.get_by_role("slider").first.fill("1")
    click(pads.first, 80, 128)
    page.get_by_role("button", name="Play").first.click()
    page.evaluate("() => { model.deaf = false; model.answer(model.sent[0]); }")
    page.get_by_role("button", name="Play").first.click()
    page.wait_for_function(SETTLED)
    assert widget.core.sides["model"].axes[0] == 3
    assert widget.core.circle == pytest.approx((10, 16), abs=0.01)


def test_a_kernel_that_does_not_answer_is_mentioned_within_two_seconds_and_heard_again(mount):
    page, widget = mount(small())
    widget.conversation.accepted = []
    pad = page.get_by_role("application", name="Image plane")
    become_deaf(page)
    click(pad, 80, 128)
    page.clock.run_for(1000)
    assert not is_warning(page)
    page.clock.run_for(1000)
    assert is_warning(page)
    assert "No answer for 1.5 seconds: the kernel is busy, or gone. What you did last" in status(
        page
    )
    assert status(page).endswith("Run this cell again.")
    assert opacity(page) < 1  # what is shown is not what was done last
    click(pad, 100, 128)
    click(pad, 160, 128)  # waits, and is the newest place
    page.get_by_role("button", name="Sample prior").click()  # waits, too
    page.clock.run_for(60_000)
    sent = page.evaluate("model.sent.map((m) => m.number)")
    assert sent == [sent[0]] * len(sent)  # the same again …
    assert 4 <= len(sent) <= 7  # … and ever more seldom
    answer_all(page)  # all that was sent, and then what waited
    assert [event["type"] for event in widget.conversation.accepted] == ["image", "image", "prior"]
    assert widget.core.circle == pytest.approx((20, 16), abs=0.01)
    assert not is_warning(page)
    assert opacity(page) == 1

    become_deaf(page)
    click(pad, 128, 160)
    page.clock.run_for(2000)
    assert is_warning(page)
    page.evaluate(
        "() => { model.deaf = false; }"
    )  # what was sent is lost for ever; what comes next is not
    page.clock.run_for(4000)
    page.wait_for_function(SETTLED)
    assert widget.core.circle == pytest.approx((16, 20), abs=0.01)
    assert not is_warning(page)


def opacity(page) -> float:
    canvas = page.locator("canvas.picture").first
    return float(canvas.evaluate("(node) => getComputedStyle(node).opacity"))


def test_an_answer_that_comes_late_is_not_taken_for_another(mount):
    page, widget = mount(small())
    waiting = lambda: page.locator(".sbd-explorer").get_attribute("data-waiting")  # noqa: E731
    become_deaf(page)
    click(page.get_by_role("application", name="Image plane"), 80, 128)
    page.clock.run_for(2000)  # sent twice by now
    page.get_by_role("button", name="PNG").click()  # waits
    assert waiting() == "2"
    answer_next(page)
    assert waiting() == "1"
    answer_next(page)  # the second time; PNG is under way
    assert waiting() == "1"
    assert page.evaluate("window.saved") == []
    answer_all(page)
    assert page.evaluate("window.saved") == ["model.png"]
    assert widget.core.circle == pytest.approx((10, 16), abs=0.01)


@pytest.mark.parametrize("button", ["PNG", "GIF"])
def test_a_file_that_was_asked_for_again_is_saved_once(mount, button):
    page, _ = mount(small())
    become_deaf(page)
    page.get_by_role("button", name=button).click()
    page.clock.run_for(20_000)
    assert page.evaluate("model.sent.length") > 2
    answer_all(page)
    assert len(page.evaluate("window.saved")) == 1


def test_a_kernel_that_cannot_be_sent_to_is_mentioned(mount):
    page, _ = mount(small())
    page.evaluate("() => { model.broken = true; }")
    pad = page.get_by_role("application", name="Image plane")
    settled(page, lambda: click(pad, 80, 128))
    assert is_warning(page)
    assert status(page) == "The line to the kernel is cut. Run this cell again."
    page.evaluate("() => { model.broken = false; }")
    settled(page, lambda: click(pad, 80, 128))
    assert not is_warning(page)


ENDS = {
    "model.tell('comm:close')": "The line to the kernel is cut.",
    "model.tell('comm_live_update')": "The line to the kernel is cut.",
    "model.become('autorestarting')": "The kernel died and was started anew",
    "model.become('restarting')": "The kernel was started anew",
    "model.become('dead')": "The kernel is dead.",
    "model.widget_manager.kernel.disposed.emit()": "The kernel has been shut down.",
}


@pytest.mark.parametrize("end", list(ENDS))
def test_the_end_of_a_kernel_is_said_at_once_and_stays_said(mount, end):
    page, _ = mount(small())
    page.get_by_role("button", name="Play").first.click()
    page.locator("button.play[aria-pressed=true]").wait_for()
    become_deaf(page)
    page.wait_for_function("() => model.answering === 0")
    page.evaluate(f"() => {{ {end}; model.tell('comm_live_update'); }}")
    page.evaluate("() => model.connect('connected')")  # to the kernel that came after
    assert is_warning(page)
    assert status(page).startswith(ENDS[end])
    assert status(page).endswith("Run this cell again.")
    assert page.locator("button.play[aria-pressed=true]").count() == 0
    sent = page.evaluate("model.sent.length")
    click(page.get_by_role("application", name="Image plane"), 80, 128)
    page.clock.run_for(10_000)
    assert status(page).startswith(ENDS[end])
    assert page.evaluate("model.sent.length") == sent
    assert page.locator(".sbd-explorer").get_attribute("data-waiting") == "0"


def test_on_a_page_without_cells_the_page_is_loaded_again(mount):
    page, _ = mount(small())
    page.evaluate("() => { document.body.dataset.voila = 'voila'; model.become('dead'); }")
    assert status(page) == "The kernel is dead. Load this page again."


def test_a_server_that_goes_is_mentioned_at_once_and_one_that_comes_back_is_gone_on_with(mount):
    page, widget = mount(small())
    widget.conversation.accepted = []
    become_deaf(page)
    page.evaluate("() => model.connect('connecting')")
    assert is_warning(page)
    assert status(page).startswith(
        "The server cannot be reached; if it was stopped, start it again. What"
    )
    click(page.get_by_role("application", name="Image plane"), 160, 128)
    page.clock.run_for(2000)
    assert status(page).startswith("The server cannot be reached")
    page.evaluate("() => { model.deaf = false; model.connect('connected'); }")
    page.wait_for_function(SETTLED)
    assert widget.core.circle == pytest.approx((20, 16), abs=0.01)
    assert len(widget.conversation.accepted) == 1
    assert not is_warning(page)


def test_a_kernel_that_runs_something_else_is_called_busy(mount):
    page, _ = mount(small())
    become_deaf(page)
    page.evaluate("() => model.become('busy')")
    assert not is_warning(page)  # it is that at every touch
    click(page.get_by_role("application", name="Image plane"), 160, 128)
    page.clock.run_for(2000)
    assert status(page).startswith("The kernel is busy. What you did last is kept")


ANSWERS = """async ([source, ways]) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { KernelLine } = await import(url);
    const hints = [], nothing = () => {};
    const line = new KernelLine({ send: nothing }, { name: "a", onTrouble: nothing, onDelay: (text) => hints.push(text),
        onChange: nothing });
    for (const way of ways) {
        line.send({ type: "image" });
        line.left = performance.now() - way - 5;
        line.hear({ number: line.sent, kernel: 5, type: "view" });
    }
    return hints.length;
}"""


@pytest.mark.parametrize(
    ("ways", "hints"),
    [
        ([12] * 200, 0),  # a prompt server
        ([12, 12, 12, 90] * 50, 0),  # one on a busy computer
        ([12] * 20 + [42] * 20, 1),
        ([42, 41, 44, 12] * 50, 1),  # and said only once
        ([42] * 19, 0),
    ],
)
def test_a_server_that_delays_small_messages_is_told_from_a_busy_computer(stage, ways, hints):
    source = (FOLDER / "line.js").read_text(encoding="utf-8")
    assert stage.page.evaluate(ANSWERS, [source, ways]) == hints


def test_a_server_that_delays_small_messages_is_mentioned(mount):
    page, _ = mount(small())
    become_deaf(page)
    page.get_by_role("application", name="Image plane").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.clock.run_for(42)
        answer_next(page)
    answer_all(page)
    hint = page.locator(".hint")
    assert hint.is_visible()
    assert "This server delays small messages" in hint.text_content()
    assert "`make lab`" in hint.text_content()


def test_what_the_kernel_refuses_is_shown_to_the_view_that_asked(mount):
    page, _ = mount(small(), views=2)
    page.evaluate(
        "() => { const { send } = model; model.send = (m) => send({ ...m, type: 'latemt' }); }"
    )
    settled(page, page.get_by_role("button", name="Reset").nth(1).click)
    assert "type is 'latemt'" in status(page, 1)
    assert "latemt" not in status(page, 0)


def test_models_called_by_integers_are_shown_and_moved(mount):
    page, widget = mount({0: small(), 1: small(seed=1)})
    settled(page, page.get_by_role("checkbox").uncheck)
    before = widget.core.sides[0].z.tolist()
    pad = page.get_by_role("application", name="1, latent plane")
    settled(page, lambda: click(pad, 64, 64))
    half = widget.core.span / 2
    moved = widget.core.sides[1]
    assert moved.z[list(moved.axes)].tolist() == pytest.approx([-half, half], abs=0.01)
    assert widget.core.sides[0].z.tolist() == before


def test_a_played_latent_goes_as_far_as_a_saved_film(mount):
    page, widget = mount(small())
    widget.conversation.accepted = []
    page.get_by_role("button", name="Play").first.click()
    for _ in range(22):
        page.clock.run_for(250)
        page.wait_for_function(SETTLED)
    page.get_by_role("button", name="Play").first.click()
    values = [event["value"] for event in widget.conversation.accepted]
    assert min(values) == pytest.approx(-widget.spec["traversal_span"], abs=0.02)
    assert max(values) == pytest.approx(widget.spec["traversal_span"], abs=0.02)


def answer_next(page) -> None:
    """Let the kernel answer the oldest message that a deaf model has kept, if there is one."""
    page.evaluate("() => { if (model.sent.length) model.answer(model.sent.shift()); }")
    page.wait_for_function("() => model.answering === 0")


def answer_all(page) -> None:
    page.evaluate("() => { model.deaf = false; for (const m of model.sent) model.answer(m); }")
    page.wait_for_function(SETTLED)


def become_deaf(page) -> None:
    page.evaluate("() => { model.deaf = true; model.sent = []; }")


@pytest.mark.parametrize("presses", [1, 3, 20])
def test_no_key_is_lost_however_late_the_answers_come(mount, presses):
    """`presses` keys are pressed for each answer: as slow as the kernel, faster, and all at once."""
    page, widget = mount(small(64))
    side = widget.core.sides["model"]
    image = page.get_by_role("application", name="Image plane")
    plane = page.get_by_role("application", name="model, latent plane")
    slider = page.get_by_role("slider").first
    for control, key in ((image, "ArrowRight"), (plane, "ArrowUp"), (slider, "ArrowLeft")):
        start = side.z.clone()
        become_deaf(page)
        control.focus()
        for i in range(20):
            page.keyboard.press(key)
            if (i + 1) % presses == 0:
                answer_next(page)
        answer_all(page)
        if control is image:
            assert widget.core.circle == (52, 32)
        elif control is plane:
            up = side.axes[1]
            assert side.z[up].item() - start[up].item() == pytest.approx(2, abs=1e-3)
        else:
            latent = side.ranked()[0].latent
            assert side.z[latent].item() - start[latent].item() == pytest.approx(-0.2, abs=0.011)


def test_a_key_that_is_held_goes_on_from_where_the_hand_is_up_to_the_border(mount):
    page, widget = mount(small(64))
    become_deaf(page)
    page.get_by_role("application", name="Image plane").focus()
    for _ in range(40):
        page.keyboard.down("ArrowRight")  # repeats
    page.keyboard.up("ArrowRight")
    page.keyboard.press("ArrowLeft")
    answer_all(page)
    assert widget.core.circle == (55, 32)


def test_no_choice_is_taken_back_however_late_the_answers_come(mount):
    """One hand for one plane, other axes, and then keys in both planes, before any answer."""
    page, widget = mount({"one": small(), "two": small()})
    one, two = widget.core.sides.values()
    start, old_up = [side.z.clone() for side in (one, two)], one.axes[1]
    up = next(latent for latent in range(one.z_dim) if latent not in one.axes)
    link, choice = page.get_by_role("checkbox"), page.get_by_label("one, latent upwards")
    become_deaf(page)
    link.uncheck()
    choice.select_option(str(up))
    for name, presses in (("one", 3), ("two", 2)):
        for _ in range(presses):
            page.get_by_role("application", name=f"{name}, latent plane").press("ArrowUp")
    for _ in range(3):
        assert not link.is_checked()
        assert choice.input_value() == str(up)
        answer_next(page)
    answer_all(page)
    assert not widget.core.linked
    assert one.axes[1] == up
    moved = [(side.z - before).tolist() for side, before in zip((one, two), start, strict=True)]
    assert (moved[0][up], moved[0][old_up]) == pytest.approx((0.3, 0), abs=1e-3)
    assert moved[1][two.axes[1]] == pytest.approx(0.2, abs=1e-3)
    plane = page.get_by_role("application", name="one, latent plane")
    assert is_blue(pixels(plane)).any()  # the lines of the new axes are there


def test_keys_after_a_reset_begin_where_it_leads_to(mount):
    page, widget = mount(small(64))
    image = page.get_by_role("application", name="Image plane")
    plane = page.get_by_role("application", name="model, latent plane")
    side = widget.core.sides["model"]
    (right, up), middle = side.axes, side.z.clone()
    settled(page, lambda: click(image, 220, 220))
    become_deaf(page)
    page.get_by_role("button", name="Reset").click()
    for _ in range(3):
        image.press("ArrowRight")
    answer_all(page)
    assert widget.core.circle == (35, 32)
    become_deaf(page)
    page.get_by_role("button", name="Reset").click()
    plane.press("ArrowUp")
    answer_all(page)
    assert widget.core.circle == (32, 32)
    moved = (side.z - middle).tolist()
    assert (moved[right], moved[up]) == pytest.approx((0, 0.1), abs=1e-3)


def test_a_late_answer_takes_no_held_slider_back(mount):
    page, widget = mount(small())
    slider, value = page.get_by_role("slider").first, page.locator(".value").first
    box = slider.bounding_box()
    at = lambda share: (box["x"] + share * box["width"], box["y"] + box["height"] / 2)  # noqa: E731
    become_deaf(page)
    page.mouse.move(*at(0.5))
    page.mouse.down()
    for share in (0.6, 0.7, 0.9):
        page.mouse.move(*at(share))
    held = slider.input_value()
    assert float(held) > 1
    assert value.text_content() == f"{float(held):.2f}"
    answer_next(page)  # of the first place
    assert (slider.input_value(), value.text_content()) == (held, f"{float(held):.2f}")
    page.mouse.up()
    answer_all(page)
    latent = widget.core.sides["model"].ranked()[0].latent
    assert widget.core.sides["model"].z[latent].item() == pytest.approx(float(held))


def test_trails_have_their_length_beside_the_straight_one_and_can_be_cleared(mount):
    page, widget = mount(small(64))
    pad, notes = page.get_by_role("application", name="Image plane"), page.locator(".note .soft")
    green = lambda: int(is_green(pixels(pad)).sum())  # noqa: E731
    settled(page, lambda: click(pad, 128 + 4 * 15, 128))
    settled(page, lambda: click(pad, 128, 128))
    path, ends = widget.core.path_lengths()
    assert (path, ends) == pytest.approx((30, 0), abs=0.5)
    assert notes.first.text_content() == f"path {path:.1f} px, straight {ends:.1f}"
    length, straight = widget.core.sides["model"].trail_lengths()
    assert notes.nth(1).text_content() == f"trail {length:.1f}, straight {straight:.1f}"
    assert green() > 100
    settled(page, page.get_by_role("button", name="Clear trail").click)
    assert (notes.first.text_content(), green()) == ("no path yet", 0)
    settled(page, lambda: click(pad, 60, 60))  # no way from what was cleared
    assert (notes.first.text_content(), green()) == ("no path yet", 0)


def is_green(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 1] - picture[..., 0] > 80) & (picture[..., 1] > picture[..., 2])


def test_a_film_is_of_what_was_moved_last(mount):
    page, widget = mount(small())
    film = page.get_by_role("button", name="GIF of model")
    right, up = widget.core.sides["model"].axes
    plane = page.get_by_role("application", name="model, latent plane")
    first, *_, last = (row.latent for row in widget.core.sides["model"].ranked())
    for act, name in [
        (lambda: plane.press("ArrowUp"), f"model-z{right}-z{up}.gif"),
        (lambda: page.get_by_role("slider").last.press("ArrowLeft"), f"model-z{last}.gif"),
        (page.get_by_role("button", name="one latent").click, f"model-z{first}.gif"),
        (lambda: click(plane, 50, 60), f"model-z{right}-z{up}.gif"),
        (page.get_by_role("button", name="Play").first.click, f"model-z{first}.gif"),
    ]:
        settled(page, act)
        page.clock.run_for(100)
        settled(page, film.click)
        assert page.evaluate("window.saved").pop() == name


def test_zero_has_no_sign(mount):
    page, widget = mount(small())
    widget.core.sides["model"].set(dict.fromkeys(range(4), -0.001))
    page.evaluate("() => model.send({ type: 'hello', number: 0 })")
    page.wait_for_function("() => model.answering === 0")
    assert set(page.locator(".value").all_text_contents()) == {"0.00"}


def test_what_is_pointed_at_is_ringed_in_every_plane(mount):
    page, _ = mount({"a": small(), "b": small(seed=1)})
    pads = page.locator("canvas.pad")
    before = [pixels(pad) for pad in pads.all()]
    inset = (8 + (32 - 16) / 12) / 32
    for index, share in ((0, (inset, inset)),):
        box = pads.nth(index).bounding_box()
        size = box["width"]
        pads.nth(index).hover(position={"x": share[0] * size + 2, "y": share[1] * size})
        for pad, old in zip(pads.all(), before, strict=True):
            assert not np.array_equal(pixels(pad), old)
    page.mouse.move(1, 1)
    for pad, old in zip(pads.all(), before, strict=True):
        assert np.array_equal(pixels(pad), old)


def test_the_field_is_asked_for_once_for_each_choice_of_axes(mount):
    page, _ = mount(small())
    rows = lambda: page.evaluate("model.sent.filter((m) => m.type === 'field').map((m) => m.row)")  # noqa: E731
    assert rows() == [0, 1, 2, 3, 4, 5, 6]
    plane = page.get_by_role("application", name="model, latent plane")
    corner = pixels(plane)[4:40, 4:40]
    assert corner.max() < 245  # no empty paper
    settled(page, lambda: page.get_by_role("combobox").first.select_option("3"))
    assert len(rows()) == 14
    settled(page, page.get_by_role("button", name="Reset").click)
    settled(page, lambda: click(plane, 30, 30))
    assert len(rows()) == 14


def test_a_drag_says_one_sentence_at_its_end(mount):
    page, widget = mount(small())
    page.evaluate("""() => {
        const count = () => { window.said += 1; };
        window.said = 0;
        const line = document.querySelector("[role=status]");
        new MutationObserver(count).observe(line, { childList: true, characterData: true });
    }""")
    box = page.get_by_role("application", name="Image plane").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    for i in range(20):
        page.mouse.move(box["x"] + 100 + 4 * i, box["y"] + 120)
        page.wait_for_function(SETTLED)
    assert page.evaluate("window.said") == 0
    page.mouse.up()
    page.wait_for_function(SETTLED)
    assert page.evaluate("window.said") == 1
    assert status(page) == f"{widget.core.describe('model')}."


BOXES = """() => [...document.querySelectorAll(".sbd-explorer :is(canvas, button, input, select, summary)")]
    .filter((node) => node.checkVisibility())
    .map((node) => [node.tagName, node.getBoundingClientRect().toJSON()])"""


@pytest.mark.parametrize("width", [390, 600, 1100, 1440, 2000])
def test_columns_follow_the_width(mount, width):
    page, _ = mount({"SBD": small(), "deconv": small(seed=1)})
    page.set_viewport_size({"width": width, "height": 844})
    boxes = page.evaluate(BOXES)
    assert len(boxes) > 20
    for tag, box in boxes:
        assert box["left"] >= 0
        assert box["right"] <= width
        assert min(box["width"], box["height"]) >= 24, (tag, box)
    canvases = [box for tag, box in boxes if tag == "CANVAS"]
    assert min(box["width"] for box in canvases) >= 160
    assert all(box["width"] == pytest.approx(box["height"], abs=0.5) for box in canvases)
    sliders = [box for tag, box in boxes if tag == "INPUT" and box["width"] != box["height"]]
    assert len(sliders) == 8
    assert min(box["width"] for box in sliders) >= 80
    used = max(box["right"] for box in canvases) - min(box["left"] for box in canvases)
    assert used > 0.85 * width
    truth, plane, picture = canvases[:3]
    assert max(box["bottom"] for box in (truth, plane, picture)) < 844 + (width == 1100) * 100


SAY = """(text) => {
    document.querySelector("[role=status]").textContent = text;
    return document.querySelector(".tools summary").getBoundingClientRect().top;
}"""
SENTENCES = [
    "",
    "Copied.",
    "Drag in a plane until its picture is the circle in the green ring, at x 20, y 20: 70 % of the "
    "light in common reaches the goal.",
    "SBD: 2 spots, at x 12, y 30 (bright) and x 40, y 33 (pale) pixels. deconv: 2 pale spots, at "
    "x 12, y 30 and x 40, y 33 pixels. Goal by SBD: 33 %. Goal by deconv: 23 %.",
    "No answer for 1.5 seconds: the kernel is busy, or gone. What you did last is kept, and done as "
    "soon as it answers. If it stays so: Run this cell again.",
]
"""What the status line says, from nothing to much."""


@pytest.mark.parametrize("width", [390, 510, 600, 700, 900, 1100, 1440, 2000])
def test_nothing_below_the_status_line_moves_when_it_says_more(mount, width):
    page, _ = mount({"SBD": small(), "deconv": small(seed=1)})
    page.set_viewport_size({"width": width, "height": 844})
    assert len({page.evaluate(SAY, sentence) for sentence in SENTENCES}) == 1


def test_boxes_that_other_style_sheets_add_to_their_own_names_move_nothing(mount):
    page, _ = mount({"SBD": small(), "deconv": small(seed=1)})
    before = page.evaluate(BOXES)
    names = page.evaluate(
        """() => {
            const names = [...document.querySelectorAll(".sbd-explorer *")].flatMap((node) => [...node.classList]);
            const style = document.createElement("style");
            const around = (name) => `.${name}::before, .${name}::after { content: " "; display: table; }`;
            style.textContent = [...new Set(names)].map(around).join("\\n");
            document.head.append(style);
            return names;
        }"""
    )
    assert len(set(names)) > 20
    assert page.evaluate(BOXES) == before


def test_an_error_can_be_read_in_the_dark(mount):
    page, _ = mount(small())
    page.evaluate("() => model.tell('comm:close')")
    style = page.locator(".status").evaluate(
        "(node) => [getComputedStyle(node).color, getComputedStyle(node).backgroundColor]"
    )
    ink, paper = sorted(luminance(color) for color in style)
    assert (paper + 0.05) / (ink + 0.05) > 4.5


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2) of a CSS color, which must be opaque."""
    numbers = np.array(re.findall(r"[\d.]+", color), float)
    assert len(numbers) == 3, f"{color} is not opaque"
    share = numbers / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_factors_of_a_world_are_set_by_hand_and_keyboard_and_have_names(mount):
    page, widget = mount(small(in_channels=3), data="coloured")
    core = widget.core
    sliders = page.get_by_role("slider", name="True")
    names = [slider.get_attribute("aria-label") for slider in sliders.all()]
    assert names == [
        *("True size, pixels", "True shape", "True angle, degrees", "True hue, degrees"),
        *("True saturation", "True value"),
    ]
    assert page.get_by_text("the true picture").count() == 1
    assert page.get_by_text("circle").count() == 0
    shape = page.get_by_role("slider", name="True shape")
    settled(page, lambda: shape.press("ArrowRight"))
    assert core.others[core.data.column("shape")] == 1
    assert shape.get_attribute("aria-valuetext") == "ellipse"
    hue = page.get_by_role("slider", name="True hue")
    settled(page, lambda: hue.fill("240"))
    assert core.others[core.data.column("hue")] == 240
    assert hue.get_attribute("aria-valuetext") == "240.0 degrees"
    pad = page.get_by_role("application", name="Image plane, with the true picture")
    settled(page, lambda: click(pad, 80, 160))
    assert core.circle == pytest.approx((10, 20), abs=0.01)
    settled(page, lambda: pad.press("ArrowLeft"))
    assert core.circle == pytest.approx((9, 20), abs=0.01)
    red, _, blue = core.image().amax((1, 2)).tolist()
    assert blue > 2 * red
    shown = pad.evaluate(
        "(canvas) => [...canvas.getContext('2d').getImageData(2 * 72 - 8, 2 * 160 - 24, 1, 1).data]"
    )  # above the handle, within the ellipse
    assert shown[2] > 2 * shown[0]
    settled(page, page.get_by_role("button", name="Reset").click)
    assert [hue.get_attribute("aria-valuetext"), shape.get_attribute("aria-valuetext")] == [
        "180.0 degrees",
        "square",
    ]
    settled(page, lambda: page.get_by_role("button", name="GIF").click())
    assert page.evaluate("window.saved").pop().endswith(".gif")


def test_a_factor_follows_the_hand_and_a_reset_and_only_its_newest_value_waits(mount):
    page, widget = mount(small(in_channels=3), data="coloured")
    core, hue = widget.core, page.get_by_role("slider", name="True hue")
    become_deaf(page)
    for _ in range(10):
        hue.press("ArrowRight")
    assert page.locator(".sbd-explorer").get_attribute("data-waiting") == "2"
    answer_all(page)
    assert core.others[core.data.column("hue")] == pytest.approx(180 + 10 * 7.5)
    reset = page.get_by_role("button", name="Reset")
    settled(page, lambda: reset.evaluate("(button) => button.click()"))  # the slider has the focus
    assert (hue.input_value(), hue.get_attribute("aria-valuetext")) == ("180", "180.0 degrees")
    hue.dispatch_event("pointerdown")
    settled(page, lambda: hue.fill("240"))
    settled(page, lambda: hue.dispatch_event("pointercancel"))  # the touch became a scroll
    assert core.others[core.data.column("hue")] == 180


def test_a_vertical_swipe_that_begins_on_a_slider_scrolls_and_moves_no_latent(chromium):
    widget = LatentExplorer(small())
    page = Stage(chromium).show(widget)  # of its own: touch cannot be taken back
    page.set_viewport_size({"width": 390, "height": 500})
    slider = page.get_by_role("slider").first
    slider.scroll_into_view_if_needed()
    before, top = widget.core.sides["model"].z.tolist(), page.evaluate("scrollY")
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2
    line = page.context.new_cdp_session(page)
    line.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    touch = lambda kind, *points: line.send(  # noqa: E731
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)}
    )
    touch("touchStart", {"x": x, "y": y})
    for i in range(1, 16):
        touch("touchMove", {"x": x, "y": y + 10 * i})
    touch("touchEnd")
    page.wait_for_function("(top) => scrollY < top - 50", arg=top)
    page.wait_for_function(SETTLED)
    assert widget.core.sides["model"].z.tolist() == pytest.approx(before, abs=1e-4)
    page.context.close()


def test_three_shows_move_by_themselves_and_end(mount):
    page, widget = mount(small(64))
    side = widget.core.sides["model"]
    widget.conversation.accepted = []
    for name, kind in (("a straight walk", "image"), ("one latent", "slider"), ("between", "walk")):
        widget.conversation.accepted.clear()
        button = page.get_by_role("button", name=name)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        for _ in range(36):
            page.clock.run_for(150)
            page.wait_for_function(SETTLED)
        assert button.get_attribute("aria-pressed") == "false"
        first, *moves = widget.conversation.accepted
        assert first["type"] in ("clear", "reset")
        assert {event["type"] for event in moves} == {kind}
        assert len(moves) > 30
        if kind == "image":
            assert widget.core.circle == pytest.approx((64 - 8 - 4.8, 32))
            assert widget.core.path_lengths() == pytest.approx((38.4, 38.4), abs=2)
    torch.testing.assert_close(side.z, side.walk_ends[1])


def test_a_hand_ends_a_show(mount):
    page, widget = mount(small())
    page.get_by_role("button", name="between").click()
    page.clock.run_for(500)
    page.get_by_role("application", name="Image plane").press("ArrowLeft")
    page.wait_for_function(SETTLED)
    page.clock.run_for(6000)
    page.wait_for_function(SETTLED)
    assert widget.core.circle == (15, 16)
    assert widget.core.encoded
    assert page.locator("[aria-pressed=true]").count() == 0


def test_a_goal_is_reached_by_a_hand_in_a_plane_with_a_number(mount):
    page, widget = mount(small())
    core, side = widget.core, widget.core.sides["model"]
    settled(page, page.get_by_role("button", name="A goal").click)
    assert "70 % of the light in common reaches the goal" in status(page)
    note = page.locator(".note").last
    assert note.text_content() == f"goal: {100 * core.overlap('model'):.0f} %"
    side.to_picture = lambda image: to_bytes(draw_circles(*core.goal, im_size=32)[0])
    plane = page.get_by_role("application", name="model, latent plane")
    settled(page, lambda: plane.press("ArrowLeft"))
    assert note.text_content() == "goal: 100 %: reached"
    assert "Goal by model: 100 %: reached" in status(page)
    settled(page, page.get_by_role("button", name="Reset").click)
    assert note.text_content() == "goal: 100 %"  # the encoder was here, and no hand


def test_a_picture_that_is_scaled_says_so(mount):
    torch.manual_seed(0)
    page, widget = mount(VAE(32, channels=4, z_dim=4).eval())
    black, white = (f"{value:z.2f}".replace("-", "−") for value in widget.core.sides["model"].scale)
    text = f"what model decodes, scaled: black is {black}, white {white}"
    assert page.get_by_text(text).is_visible()
    assert np.ptp(pixels(page.locator("canvas.picture"))) > 64


def test_no_button_is_explained_by_a_tooltip_alone(mount):
    page, _ = mount(small())
    assert page.locator(".sbd-explorer [title]").count() == 0
    page.get_by_text("What is to be seen, and what the buttons do").click()
    text = page.locator(".tools details").text_content()
    for name in (
        "Reset",
        "Sample prior",
        "Sample posterior",
        "Clear trail",
        "Copy z",
        "PNG",
        "GIF",
    ):
        assert f"{name}:" in text


# What the page teaches


def centred(im_size: int = 32) -> VAE:
    """A model whose plane is the image: latents 0 and 1 are the circle's place."""
    model = small(im_size)
    model.encoder = CentreEncoder()
    return model


def hold_and_move(page, pad, places, modifier: str | None = None) -> None:
    """Press at the first place and move to the others, in shares of the pad; waits after each."""
    box = pad.bounding_box()
    for number, (right, down) in enumerate(places):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
        if number == 0:
            page.mouse.down()
            if modifier:
                page.keyboard.down(modifier)
        page.wait_for_function(SETTLED)
    if modifier:
        page.keyboard.up(modifier)
    page.mouse.up()
    page.wait_for_function(SETTLED)


def test_three_invitations_are_ticked_when_they_have_been_done(mount):
    page, widget = mount({"a": centred(), "b": centred()})
    done = lambda: page.locator(".invitations .done").count()  # noqa: E731
    pads = {name: page.get_by_role("application", name=name) for name in ("Image", "a,", "b,")}
    inset = (8 + 16 / 12) / 32
    down = [(inset, y) for y in np.linspace(inset, 1 - inset, 9)]  # the first blue line
    assert page.locator(".invitations li").count() == 3
    hold_and_move(page, pads["a,"], down[:6])  # no circle has been there yet
    hold_and_move(page, pads["Image"], [down[0], down[-1]])  # jumped
    hold_and_move(page, pads["Image"], [(y, x) for x, y in down])  # an orange one
    assert done() == 0
    hold_and_move(page, pads["Image"], down)
    assert page.locator(".invitations li").first.get_attribute("class") == "done"
    assert page.locator(".invitations li").first.text_content().startswith("✓done: ")
    span = widget.core.span
    shares = [(0.5 + (4 * x - 2) / 2 / span, 0.5 - (2 - 4 * y) / 2 / span) for x, y in down]
    hold_and_move(page, pads["a,"], shares)
    assert done() == 1
    hold_and_move(page, pads["b,"], shares)
    assert done() == 2
    page.get_by_role("button", name="Play").first.click()
    assert done() == 3


@pytest.mark.parametrize("width", [390, 1400])
def test_words_are_explained_on_hover_and_on_focus(mount, width):
    page, _ = mount(small())
    page.set_viewport_size({"width": width, "height": 900})
    words = page.locator("button.word")
    assert {"code", "latent", "latent plane", "informative", "posterior variance"} == set(
        words.all_text_contents()
    )
    for word in words.all():
        bubble = page.locator(f"[id='{word.get_attribute('aria-describedby')}']")
        for show, hide in (
            (word.hover, lambda: page.mouse.move(1, 1)),
            (word.focus, word.blur),
            (word.focus, lambda: page.keyboard.press("Escape")),
        ):
            assert not bubble.is_visible()
            show()
            box = bubble.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert len(bubble.text_content().split()) > 8
            hide()
        word.blur()
    page.get_by_text("What is to be seen, and what the buttons do").click()
    for word in words.all_text_contents():
        assert page.locator("dt", has_text=re.compile(f"^{word}$")).is_visible()


def test_a_plane_says_when_its_pair_is_not_the_whole_story(mount):
    model = centred()
    page, _ = mount(model)
    story, axis = page.locator(".story"), page.get_by_role("combobox").first
    assert story.text_content() == "The whole story: no other latent informs."
    settled(page, lambda: axis.select_option("3"))
    assert (
        story.text_content() == "Not the whole story: 1 of 2 informative latents; z0 not seen here."
    )
    settled(page, lambda: page.get_by_role("combobox").last.select_option("2"))
    assert "0 of 2 informative latents; z0, z1 not seen here." in story.text_content()


# Eyes and hands


def test_planes_follow_the_theme(mount):
    page, _ = mount(small())
    plane = page.get_by_role("application", name="model, latent plane")
    assert pixels(plane).mean() > 200
    page.add_style_tag(content=DARK)
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    assert pixels(plane).mean() < 90
    assert page.locator(".sbd-explorer.dark").count() == 1
    page.emulate_media(forced_colors="active")
    page.wait_for_function("() => matchMedia('(forced-colors: active)').matches")
    paper = "getComputedStyle(document.querySelector('.sbd-explorer')).getPropertyValue('--paper')"
    assert page.evaluate(paper) == "Canvas"
    page.emulate_media(forced_colors="none", contrast="more")
    color = "getComputedStyle(document.querySelector('.soft')).color"
    assert page.evaluate(color) == page.evaluate(color.replace("soft", "status"))


def test_a_show_halts_at_a_few_places_for_those_who_want_no_motion(mount):
    page, widget = mount(small())
    page.emulate_media(reduced_motion="reduce")
    widget.conversation.accepted = []
    page.get_by_role("button", name="between").click()
    for _ in range(11):
        page.clock.run_for(500)
        page.wait_for_function(SETTLED)
    shares = [event["share"] for event in widget.conversation.accepted if event["type"] == "walk"]
    assert shares == [i / 8 for i in range(9)]


def test_shift_makes_fine_steps_of_a_drag(mount):
    page, widget = mount(small(64))
    image = page.get_by_role("application", name="Image plane")
    hold_and_move(page, image, [(0.5, 0.5), (0.6, 0.5), (0.7, 0.4)], "Shift")
    assert widget.core.circle == pytest.approx((32 + 0.2 * 6.4, 32 - 0.1 * 6.4), abs=0.1)
    hold_and_move(page, image, [(0.5, 0.5), (0.6, 0.5)])
    assert widget.core.circle == pytest.approx((0.6 * 64, 32), abs=0.1)


def test_another_button_and_a_second_finger_do_nothing(mount):
    page, widget = mount(small(64))
    image = page.get_by_role("application", name="Image plane")
    widget.conversation.accepted = []
    image.click(button="right")
    image.click(button="middle")
    second = {"pointerId": 7, "pointerType": "touch", "isPrimary": False, "buttons": 1}
    for kind in ("pointerdown", "pointermove", "pointerup"):
        image.dispatch_event(kind, {**second, "clientX": 40, "clientY": 90})
    page.wait_for_function(SETTLED)
    assert widget.conversation.accepted == []


def test_a_double_click_gives_a_slider_the_circles_value_back(mount):
    page, widget = mount(small())
    slider, side = page.get_by_role("slider").first, widget.core.sides["model"]
    latent = side.ranked()[0].latent
    settled(page, lambda: slider.fill("1.5"))
    assert side.z[latent] == 1.5
    settled(page, slider.dblclick)
    assert side.z[latent].item() == pytest.approx(side.mean[latent].item(), abs=1e-3)


@pytest.mark.parametrize(
    ("options", "dtype"),
    [
        (dict(im_size=32, in_channels=3), torch.float32),
        (dict(im_size=128, z_dim=2), torch.float64),
        (dict(im_size=32, in_channels=3, z_dim=2, decoder="deconv"), torch.bfloat16),
    ],
)
def test_a_model_of_any_kind_is_shown_and_moved(mount, options, dtype):
    model = small(**options).to(dtype)
    page, widget = mount({"one": model, 2: small(options["im_size"])})
    plane, picture = page.locator("canvas.pad").nth(1), page.locator("canvas.picture").first
    settled(page, lambda: click(plane, 60, 60))
    seen, side = pixels(picture), widget.core.sides["one"]
    assert np.array_equal(seen, side.picture.reshape(*side.picture.shape[:2], -1) * np.ones(3, int))
    assert "one: " in picture.get_attribute("aria-label")
