"""The explorer's page in a real browser, without Jupyter: its kernel is this process, and can fail."""

import base64
import contextlib
import io

import numpy as np
import pytest
import torch
from PIL import Image

from sbd_utils.explorer.widget import LatentExplorer
from tests.browser import browser, open_page, require_chromium
from tests.explorer import small

require_chromium()

# A widget's model as anywidget gives it to the page. `deaf`: what is sent is lost; `broken`: sending raises.
MOUNT = """async ([esm, css, spec, views, deaf]) => {
    const listeners = {};
    const decode = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const model = window.model = {
        deaf, broken: false, sent: [],
        get: (name) => name === "spec" ? spec : undefined,
        on: (name, listener) => { (listeners[name] ??= []).push(listener); },
        off: (name, listener) => { listeners[name] = listeners[name].filter((each) => each !== listener); },
        heard_by: (name) => listeners[name].length,
        tell: (name, ...values) => { for (const listener of [...(listeners[name] ?? [])]) listener(...values); },
        send(message) {
            if (model.broken) throw new Error("Cannot send");
            model.sent.push(message);
            if (!model.deaf) model.answer(message);
        },
        answering: 0,
        async answer(message) {
            model.answering++;
            const [content, buffers] = await window.kernel(message);
            model.answering--;
            model.tell("msg:custom", content, buffers.map(decode));
        },
    };
    window.saved = [];
    HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    window.ends = [];
    for (let i = 0; i < views; i++) {
        const el = document.createElement("div");
        document.body.append(el);
        window.ends.push(widget.render({ model, el }));
    }
}"""
SETTLED = """(deaf) => [...document.querySelectorAll(".sbd-explorer")].every((root) => root.dataset.waiting === "0")"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture
def mount(chromium):
    """A function that puts an explorer of some models on a page of its own, and gives page and widget."""
    pages = []

    def mount(models, views: int = 1, deaf: bool = False):
        widget, answers = LatentExplorer(models), []
        widget.send = lambda content, buffers=(): answers.append((content, buffers))

        def kernel(message):
            with contextlib.suppress(ValueError):  # the answer says it
                widget._receive(widget, message, [])
            content, buffers = answers.pop()
            return content, [base64.b64encode(part).decode() for part in buffers]

        page = open_page(chromium)
        pages.append(page)
        page.clock.install(time=0)
        page.route(
            "**/*",
            lambda route: route.fulfill(body="<title>explorer</title>", content_type="text/html"),
        )
        page.goto("http://localhost/")
        page.clock.pause_at(60_000)  # from here on time passes only where a test says so
        page.expose_function("kernel", kernel)
        page.evaluate(MOUNT, [widget._esm, widget._css, widget.spec, views, deaf])
        if not deaf:
            page.wait_for_function(SETTLED)
        return page, widget

    yield mount
    for page in pages:
        assert page.errors == []
        page.context.close()


def settled(page, act) -> None:
    act()
    page.wait_for_function(SETTLED)


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


def test_one_press_in_one_of_two_views_saves_one_file(mount):
    page, _ = mount(small(), views=2)
    before = status(page, 1)
    settled(page, page.get_by_role("button", name="PNG").first.click)
    settled(page, page.get_by_role("button", name="Reset").first.click)  # a whole turn later
    assert page.evaluate("window.saved") == ["latent.png"]
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
    settled(page, lambda: pad.click(position={"x": 20, "y": 20}))
    assert not np.array_equal(pixels(pictures[0]), first)
    assert np.array_equal(pixels(pictures[0]), pixels(pictures[1]))
    assert np.array_equal(pixels(pictures[0])[..., 0], widget.core.sides["model"].picture)


def test_a_view_that_is_removed_hears_no_more(mount):
    page, _ = mount(small(), views=2)
    events = ["msg:custom", "comm:close", "comm_live_update"]
    listeners = lambda: page.evaluate("(names) => names.map(model.heard_by)", events)  # noqa: E731
    assert listeners() == [2, 2, 2]
    page.evaluate("() => { window.ends[0](); document.querySelector('.sbd-explorer').remove(); }")
    assert listeners() == [1, 1, 1]
    settled(page, page.get_by_role("button", name="PNG").click)
    assert page.evaluate("window.saved") == ["latent.png"]


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
    pads.first.click(position={"x": 80, "y": 128})
    page.get_by_role("button", name="Play").first.click()
    page.evaluate("() => { model.deaf = false; model.answer(model.sent[0]); }")
    page.get_by_role("button", name="Play").first.click()
    page.wait_for_function(SETTLED)
    assert widget.core.sides["model"].axes[0] == 3
    assert widget.core.circle == pytest.approx((10, 16), abs=0.01)


def test_a_kernel_that_does_not_answer_is_mentioned_and_heard_again(mount):
    page, widget = mount(small())
    pad = page.get_by_role("application", name="Image plane")
    page.evaluate("() => { model.deaf = true; model.sent = []; }")
    pad.click(position={"x": 80, "y": 128})
    page.clock.run_for(4000)
    assert not is_warning(page)
    page.clock.run_for(2000)
    assert is_warning(page)
    assert "No answer for 5 seconds: the kernel is busy, or gone" in status(page)
    page.evaluate("() => model.answer(model.sent[0])")  # it was busy
    page.wait_for_function("() => !document.querySelector('.status').classList.contains('error')")
    assert widget.core.circle == pytest.approx((10, 16), abs=0.01)

    pad.click(position={"x": 160, "y": 128})
    page.clock.run_for(6000)
    assert is_warning(page)
    page.evaluate("() => { model.deaf = false; }")  # the answer is lost for ever; the next is not
    settled(page, lambda: pad.click(position={"x": 128, "y": 160}))
    assert widget.core.circle == pytest.approx((16, 20), abs=0.01)
    assert not is_warning(page)


def test_answers_that_come_late_are_not_taken_for_others(mount):
    page, widget = mount(small())
    root, pad = page.locator(".sbd-explorer"), page.get_by_role("application", name="Image plane")
    waiting = lambda: root.get_attribute("data-waiting")  # noqa: E731
    page.evaluate("() => { model.deaf = true; model.sent = []; }")
    pad.click(position={"x": 80, "y": 128})
    page.clock.run_for(6000)
    pad.click(position={"x": 160, "y": 128})  # sent in spite of the silence
    page.get_by_role("button", name="PNG").click()  # waits
    assert waiting() == "3"
    page.evaluate("() => model.answer(model.sent[0])")
    page.wait_for_function("() => model.answering === 0")
    assert waiting() == "2"
    assert len(page.evaluate("model.sent")) == 2
    page.evaluate("() => { model.deaf = false; model.answer(model.sent[1]); }")
    page.wait_for_function(SETTLED)
    assert page.evaluate("window.saved") == ["latent.png"]
    assert widget.core.circle == pytest.approx((20, 16), abs=0.01)


def test_a_kernel_that_cannot_be_sent_to_is_mentioned(mount):
    page, _ = mount(small())
    page.evaluate("() => { model.broken = true; }")
    pad = page.get_by_role("application", name="Image plane")
    settled(page, lambda: pad.click(position={"x": 80, "y": 128}))
    assert is_warning(page)
    assert status(page).startswith("The line to the kernel is cut. Run this cell again")
    page.evaluate("() => { model.broken = false; }")
    settled(page, lambda: pad.click(position={"x": 80, "y": 128}))
    assert not is_warning(page)


@pytest.mark.parametrize("event", ["comm:close", "comm_live_update"])
def test_a_line_that_is_closed_is_mentioned_at_once_and_nothing_plays_on(mount, event):
    page, _ = mount(small())
    page.get_by_role("button", name="Play").first.click()
    page.locator("button.play[aria-pressed=true]").wait_for()
    page.evaluate("() => { model.deaf = true; }")
    page.wait_for_function("() => model.answering === 0")
    page.evaluate("(event) => model.tell(event)", event)
    assert is_warning(page)
    assert page.locator("button.play[aria-pressed=true]").count() == 0
    assert page.locator(".sbd-explorer").get_attribute("data-waiting") == "0"


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
    settled(page, lambda: pad.click(position={"x": 64, "y": 64}))
    half = widget.core.span / 2
    moved = widget.core.sides[1]
    assert moved.z[list(moved.axes)].tolist() == [-half, half]
    assert widget.core.sides[0].z.tolist() == before


def test_a_played_latent_goes_as_far_as_a_saved_film(mount):
    page, widget = mount(small())
    widget.accepted = []
    page.get_by_role("button", name="Play").first.click()
    for _ in range(60):
        page.clock.run_for(100)
        page.wait_for_function(SETTLED)
    page.get_by_role("button", name="Play").first.click()
    values = [event["value"] for event in widget.accepted]
    assert min(values) == pytest.approx(-widget.spec["traversal_span"], abs=0.02)
    assert max(values) == pytest.approx(widget.spec["traversal_span"], abs=0.02)
