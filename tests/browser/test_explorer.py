"""The latent explorer in a real JupyterLab, a real Voilà and alone, driven in a real browser."""

import io
import re

import numpy as np
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from sbd_utils import Explorer, load_pretrained
from tests.browser import (
    MODELS,
    PATIENCE,
    browser,
    explorer,
    go_to,
    open_page,
    require_browser,
    run_all,
    run_code,
    server,
    write_notebook,
)

NOTEBOOK = "explorer.ipynb"
# What a page says for reasons of its own: Voilà asks for an icon font on the network, and loads extensions that only
# JupyterLab can use.
HARMLESS = ("fontawesome", "shared module", "Shared module", "favicon")

require_browser("chromium")


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A notebook with the explorer and nothing else: that notebook 06 runs, nbval tests."""
    path = tmp_path_factory.mktemp("course") / "notebooks" / NOTEBOOK
    write_notebook(path, list(MODELS))
    return path.parent


def page_of(kind, chromium, folder, log):
    with server(kind, folder, log / "log") as address:
        page = open_page(chromium)
        go_to(page, kind, address, NOTEBOOK)
        explorer(page)
        yield page
        page.context.close()


@pytest.fixture(scope="module")
def lab(chromium, folder, tmp_path_factory):
    yield from page_of("lab", chromium, folder, tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def voila(chromium, folder, tmp_path_factory):
    yield from page_of("voila", chromium, folder, tmp_path_factory.mktemp("voila"))


@pytest.fixture(scope="module")
def app(chromium, folder, tmp_path_factory):
    yield from page_of("app", chromium, folder, tmp_path_factory.mktemp("app"))


@pytest.fixture(params=["lab", "voila", "app"], scope="module")
def page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def _quiet(request):
    """Every test starts from the first state, and none leaves an error in the console."""
    pages = [
        request.getfixturevalue(name) for name in ("lab", "page") if name in request.fixturenames
    ]
    for page in pages:
        press(page, "Reset")
        page.errors.clear()
    yield
    for page in pages:
        assert [error for error in page.errors if not any(word in error for word in HARMLESS)] == []


@pytest.fixture(scope="module")
def core():
    """An explorer in this process, to know where things are."""
    return Explorer({label: load_pretrained(name) for label, name in MODELS.items()})


def settled(page, act) -> None:
    """Act, and wait until the kernel has answered everything; the page counts what has not been.

    Patience is for one answer: a thousand events may take as long as they take.
    """
    act()
    explorer(page).evaluate(
        """(root, patience) => new Promise((done, fail) => {
            let waiting = root.dataset.waiting, end = performance.now() + patience;
            const look = () => {
                if (root.dataset.waiting !== waiting) {
                    waiting = root.dataset.waiting;
                    end = performance.now() + patience;
                }
                if (waiting === "0") done();
                else if (performance.now() > end) fail(new Error(`${waiting} events not answered`));
                else setTimeout(look, 5);
            };
            look();
        })""",
        1000 * PATIENCE,
    )


def press(page, name: str) -> None:
    settled(page, explorer(page).get_by_role("button", name=name, exact=True).click)


def pixels(page, number: int = 0) -> np.ndarray:
    """[H, H] what stands on a model's canvas, in 0 ... 255."""
    values = (
        explorer(page)
        .locator("canvas.picture")
        .nth(number)
        .evaluate(
            """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return [canvas.width, ...data.filter((_, i) => i % 4 === 0)];
        }"""
        )
    )
    return np.array(values[1:]).reshape(values[0], -1)


def blob(picture: np.ndarray) -> np.ndarray:
    """x and y of the middle of what is bright, in pixels."""
    assert picture.max() > 128, "there is no bright blob"
    y, x = np.nonzero(picture > 128)
    return np.array([x.mean(), y.mean()]) + 0.5


def pad(page, name: str):
    return explorer(page).get_by_role("application", name=name)


def drag(page, name: str, points) -> None:
    """Press at the first point and move to the others, given as shares (right, down) of the pad."""
    canvas = pad(page, name)
    start, *others = np.asarray(points).tolist()
    canvas.hover()  # waits until it has come to rest
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])

    def act():
        page.mouse.down()
        for right, down in others:
            page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
        page.mouse.up()

    settled(page, act)


def on_plane(core, x: float, y: float) -> np.ndarray:
    """Where on the SBD's pad the code of a circle at (x, y) lies, as shares."""
    core.handle(dict(type="image", x=x, y=y))
    side = core.sides["SBD"]
    right, up = side.mean[list(side.axes)].numpy()
    return np.array([(right + core.span) / (2 * core.span), (core.span - up) / (2 * core.span)])


def test_the_circle_is_dragged_over_the_image(page):
    drag(page, "Image plane", np.linspace([20 / 64, 20 / 64], [44 / 64, 28 / 64], 12))
    for number in (0, 1):  # the SBD and the deconv draw what they encoded
        assert np.abs(blob(pixels(page, number)) - [44, 28]).max() < 2


def test_the_picture_follows_the_hand_in_the_latent_plane(page, core):
    for end in [(46, 32), (18, 32), (32, 46), (32, 18)]:
        drag(
            page, "SBD, latent plane", np.linspace(on_plane(core, 32, 32), on_plane(core, *end), 8)
        )
        assert np.abs(blob(pixels(page)) - end).max() < 2


def test_one_hand_moves_both_planes_or_one(page):
    before = pixels(page, 1)
    settled(page, explorer(page).get_by_role("checkbox").uncheck)
    drag(page, "SBD, latent plane", [(0.5, 0.5), (0.6, 0.4)])
    assert np.array_equal(pixels(page, 1), before)
    settled(page, explorer(page).get_by_role("checkbox").check)
    drag(page, "SBD, latent plane", [(0.5, 0.5), (0.6, 0.4)])
    assert not np.array_equal(pixels(page, 1), before)


def test_by_keyboard_alone(page, core):
    """A plane, in steps and fine steps, and a slider; the focus can be seen."""
    plane = pad(page, "SBD, latent plane")
    plane.focus()
    latent = get_first_axis(core)
    slider = explorer(page).locator(f'input[aria-label^="SBD, latent {latent},"]')
    start = float(slider.input_value())

    def steps(key: str, count: int) -> None:
        for _ in range(count):
            settled(page, lambda: page.keyboard.press(key))

    steps("ArrowRight", 5)
    assert float(slider.input_value()) - start == pytest.approx(0.5, abs=0.02)
    steps("Shift+ArrowLeft", 1)
    assert float(slider.input_value()) - start == pytest.approx(0.49, abs=0.02)
    assert plane.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"
    before = blob(pixels(page))
    slider.focus()
    steps("ArrowRight", 30)
    assert np.abs(blob(pixels(page)) - before).max() > 1


def get_first_axis(core) -> int:
    core.handle(dict(type="reset"))
    return core.sides["SBD"].axes[0]


def test_every_control_has_a_name_and_the_picture_a_description(page):
    root = explorer(page)
    unnamed = root.evaluate(
        """(root) => [...root.querySelectorAll("button, input, select, canvas")].filter((node) =>
            !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.[0]?.textContent.trim()))
            .map((node) => node.outerHTML)"""
    )
    assert unnamed == []
    drag(page, "Image plane", [(0.5, 0.5), (0.25, 0.75)])
    label = root.get_by_role("img").first.get_attribute("aria-label")
    assert label == "Picture decoded by SBD: a bright spot at x 16, y 48 pixels"


def test_other_axes_show_the_grid_in_those(page):
    plane = pad(page, "SBD, latent plane")
    before = plane.screenshot()
    choice = explorer(page).get_by_role("combobox", name="SBD, latent upwards")
    latent, other = choice.input_value(), choice.locator("option").last.get_attribute("value")
    settled(page, lambda: choice.select_option(other))
    assert (
        grid_height(plane.screenshot()) < grid_height(before) / 2
    )  # a latent that says nothing: hardly any height
    settled(page, lambda: choice.select_option(latent))
    assert grid_height(plane.screenshot()) == grid_height(before)


def grid_height(png: bytes) -> int:
    """How many rows of a plane's screenshot hold blue lines of the grid."""
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int(((picture[..., 2] - picture[..., 0]) > 60).any(1).sum())


def test_what_was_found_can_be_kept(lab):
    with lab.expect_download() as png:
        press(lab, "PNG")
    assert Image.open(png.value.path()).size == (2 * 256 + 4, 256)
    with lab.expect_download() as gif:
        settled(lab, explorer(lab).get_by_role("button", name="GIF of SBD").click)
    assert Image.open(gif.value.path()).n_frames > 10
    press(lab, "Copy z")
    text = explorer(lab).get_by_label("The codes as Python").text_content()
    assert text == run_code(lab, "print(explorer.core.code(), end='')")


def test_a_traversal_plays_and_stops(page):
    root, before = explorer(page), pixels(page)
    button = root.get_by_role("button", name="Play SBD").first
    button.click()
    root.locator("button.play[aria-pressed=true]").wait_for()
    page.wait_for_function(
        """(before) => {
            const canvas = [...document.querySelectorAll(".sbd-explorer")].at(-1).querySelector("canvas.picture");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return before.some((value, i) => Math.abs(value - data[4 * i]) > 100);
        }""",
        arg=before.flatten().tolist(),
    )
    settled(page, button.click)
    assert root.locator("button.play[aria-pressed=true]").count() == 0


RANDOM_EVENTS = """(root) => {
    let seed = 1, left = 1000;
    const random = () => (seed = (16807 * seed) % 2147483647) / 2147483647;
    const pick = (nodes) => nodes[Math.floor(random() * nodes.length)];
    const nodes = (selector) => [...root.querySelectorAll(selector)];
    const buttons = nodes("button").filter((node) => /^(Reset|Sample|Clear)/.test(node.textContent));
    const acts = [
        () => {
            const pad = pick(nodes("canvas.pad")), box = pad.getBoundingClientRect();
            pad.dispatchEvent(new PointerEvent("pointermove", { buttons: 1, isPrimary: true,
                clientX: box.left + box.width * (1.4 * random() - 0.2),
                clientY: box.top + box.height * (1.4 * random() - 0.2) }));
        },
        () => pick(nodes("canvas.pad")).dispatchEvent(new KeyboardEvent("keydown", {
            key: pick(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "x"]), shiftKey: random() < 0.5 })),
        () => {
            const slider = pick(nodes("input[type=range]"));
            slider.value = 6 * random() - 3;
            slider.dispatchEvent(new InputEvent("input"));
        },
        () => {
            const select = pick(nodes("select"));
            select.selectedIndex = Math.floor(random() * select.length);
            select.dispatchEvent(new Event("change"));
        },
        () => pick(buttons).click(),
        () => root.querySelector("input[type=checkbox]").click(),
    ];
    return new Promise((done) => {
        const some = () => {  // some at a time: many are replaced while they wait, and many are not
            for (let i = Math.ceil(random() * 4); i > 0 && left > 0; i--, left--) pick(acts)();
            if (left > 0) setTimeout(some, 4); else done();
        };
        some();
    });
}"""
REPLAY = """
from sbd_utils import Explorer
replay = Explorer({name: side.model for name, side in explorer.core.sides.items()})
for event in explorer.conversation.accepted:
    replay.handle(event)
print(len(explorer.conversation.accepted) > 300, replay.state() == explorer.core.state())
explorer.conversation.accepted = None
"""


def test_a_thousand_random_events_leave_what_their_replay_leaves(lab):
    run_code(lab, "explorer.conversation.accepted = []")
    settled(lab, lambda: explorer(lab).evaluate(RANDOM_EVENTS))
    assert run_code(lab, REPLAY).split() == ["True", "True"]
    press(lab, "Reset")
    assert (
        "SBD: a bright spot at x 32, y 32 pixels"
        in explorer(lab).get_by_role("status").text_content()
    )


def warned(page) -> str:
    """What the explorer's status says, once it is a warning."""
    line = page.locator(".sbd-explorer").last.locator(".status.error")
    line.wait_for()
    return line.text_content()


SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_has_nothing_serious_to_say_in_lab(lab, theme):
    change = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    lab.evaluate(change, theme)
    lab.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    is_dark = explorer(lab).evaluate("(root) => root.classList.contains('dark')")
    assert is_dark == (theme == "JupyterLab Dark")
    assert complaints(lab) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_serious_to_say_of_the_explorer_alone(app, scheme):
    app.emulate_media(color_scheme=scheme)
    dark = "(dark) => document.querySelector('.sbd-explorer').classList.contains('dark') === dark"
    app.wait_for_function(dark, arg=scheme == "dark")
    assert complaints(app, None) == []  # of the whole page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_serious_to_say_in_voila(voila, theme):
    """Without a second kernel: the theme is what Voilà's template makes of its option."""
    voila.evaluate(VOILA_THEME, theme)
    dark = "(dark) => document.querySelector('.sbd-explorer').classList.contains('dark') === dark"
    voila.wait_for_function(dark, arg=theme == "dark")
    assert complaints(voila) == []


VOILA_THEME = """(theme) => {
    const variables = { "--jp-layout-color0": "#111", "--jp-layout-color1": "#212121", "--jp-layout-color2": "#424242",
        "--jp-ui-font-color1": "#ffffffde", "--jp-ui-font-color2": "#ffffff99", "--jp-border-color1": "#616161" };
    for (const [name, value] of Object.entries(variables))
        document.body.style.setProperty(name, theme === "dark" ? value : "");
    document.body.style.backgroundColor = theme === "dark" ? "#111" : "";
}"""


def complaints(page, part=".sbd-explorer") -> list[str]:
    """What axe calls serious or critical, with the first place."""
    found = Axe().run(page, context=part).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in SERIOUS
    ]


LOSSES = {
    "restarted": ("session.kernel.restart()", "The kernel was started anew"),
    "shut down": ("shutdown()", "The kernel has been shut down|The line to the kernel is cut"),
}


@pytest.mark.parametrize("how", list(LOSSES))
def test_a_kernel_that_is_gone_is_mentioned_and_a_re_run_gives_a_working_page(lab, how):
    old = explorer(lab).element_handle()
    context = "window.jupyterapp.shell.currentWidget.context.sessionContext"
    act, said = LOSSES[how]
    lab.evaluate(f"() => {context}.{act}")
    assert re.match(f"({said}).* Run this cell again.$", warned(lab))  # before anything is touched
    lab.evaluate(
        """async () => {
            const context = window.jupyterapp.shell.currentWidget.context.sessionContext;
            if (!context.session) await context.startKernel();
            await context.session.kernel.info;
        }"""
    )
    run_all(lab)
    lab.wait_for_function("(old) => !old.isConnected", arg=old)
    drag(lab, "Image plane", [(0.5, 0.5), (0.25, 0.75)])
    assert np.abs(blob(pixels(lab)) - [16, 48]).max() < 2


@pytest.mark.parametrize("kind", ["app", "lab"])
def test_a_page_that_is_loaded_again_shows_the_same_state(request, kind):
    page = request.getfixturevalue(kind)
    drag(page, "Image plane", [(0.5, 0.5), (0.25, 0.75)])
    if kind == "lab":  # it keeps a page's outputs with the notebook
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    explorer(page)
    assert np.abs(blob(pixels(page)) - [16, 48]).max() < 2
    drag(page, "Image plane", [(0.25, 0.75), (0.5, 0.25)])
    assert np.abs(blob(pixels(page)) - [32, 16]).max() < 2


def test_a_cell_that_runs_does_not_stop_the_explorer(lab, tmp_path):
    """JupyterLab sends a widget's messages over a subshell of the kernel; elsewhere the page says that it is busy."""
    end = tmp_path / "end"
    lab.evaluate(BUSY, f"import os, time\nwhile not os.path.exists({str(end)!r}): time.sleep(0.1)")
    try:
        drag(lab, "Image plane", [(0.5, 0.5), (0.25, 0.25)])
        assert np.abs(blob(pixels(lab)) - [16, 16]).max() < 2
    finally:
        end.touch()


BUSY = """(code) => {
    const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
    kernel.requestExecute({ code, store_history: false });
}"""


def test_a_killed_kernel_is_mentioned_in_voila(voila):
    """A second page, so that the first keeps its kernel."""
    before = kernels()
    page = open_page(voila.context.browser)
    page.goto(voila.url)
    explorer(page)
    (kernel,) = kernels() - before
    kernel.kill()
    pad(page, "Image plane").click(position={"x": 64, "y": 192})
    assert re.search("busy, or gone|kernel is busy|died|dead|cut|shut down", warned(page))
    page.context.close()


def kernels() -> set[psutil.Process]:
    """The kernels of all servers that these tests started."""
    children = psutil.Process().children(recursive=True)
    return {child for child in children if "ipykernel_launcher" in " ".join(child.cmdline())}
