"""The page of a scene in hand in a real browser, without Jupyter: its kernel is this process."""

import pytest

from sbd_utils import SceneExplorer, load_pretrained
from tests.browser import browser, require_browser
from tests.browser.bare import SETTLED, Stage

require_browser("chromium")


@pytest.fixture(scope="module")
def stage():
    with browser() as chromium:
        yield Stage(chromium)


@pytest.fixture(scope="module")
def widget():
    return SceneExplorer(load_pretrained("slots_scenes"))


@pytest.fixture
def mount(stage, widget):
    """A function that shows views of the scene as it begins, and gives their page."""
    widget.core.handle(dict(type="scene", scene=0))
    yield lambda **options: stage.show(widget, **options)
    assert stage.page.errors == []
    stage.clear()


def settled(page, act) -> None:
    act()
    page.wait_for_function(SETTLED)


def status(page, view: int = 0) -> str:
    return page.get_by_role("status").nth(view).text_content()


def test_two_views_show_one_scene_and_each_has_its_own_choice(mount, widget):
    page = mount(views=2)
    core = widget.core
    one, two = page.get_by_role("application").all()
    x, y = core.directions.read(core.codes[core.slot])[:2]
    settled(page, lambda: one.press("ArrowRight"))
    settled(page, lambda: two.press("Shift+ArrowDown"))  # a tenth of a pixel
    assert core.directions.read(core.codes[core.slot])[:2] == pytest.approx(
        [x + 1, y + 0.1], abs=0.01
    )
    assert f"x {x + 1:.1f}, y {y + 0.1:.1f}, is drawn at" in status(page, 1)
    chosen = [radio.is_checked() for radio in page.get_by_role("radio").all()]
    assert chosen == 2 * [slot == core.slot for slot in range(5)]


def test_keys_that_are_faster_than_the_kernel_all_count(mount, widget):
    page = mount()
    core = widget.core
    x, y = core.directions.read(core.codes[core.slot])[:2]
    pad = page.get_by_role("application")
    pad.focus()
    page.evaluate(
        """() => {
            const pad = document.activeElement;
            for (let i = 0; i < 5; i++) pad.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
            pad.dispatchEvent(new KeyboardEvent("keyup", { key: "ArrowRight", bubbles: true }));
        }"""
    )
    page.wait_for_function(SETTLED)
    assert core.directions.read(core.codes[core.slot])[:2] == pytest.approx([x + 5, y], abs=0.01)


def test_a_kernel_that_does_not_answer_is_told_of_and_what_was_done_is_kept(mount, widget):
    page = mount()
    page.evaluate("model.deaf = true")
    pad = page.get_by_role("application")
    slot = widget.core.slot
    x = widget.core.directions.read(widget.core.codes[slot])[0]
    pad.press("ArrowRight")
    page.clock.run_for(2000)
    assert "No answer for 1.5 seconds" in status(page)
    page.evaluate("model.deaf = false")
    page.clock.run_for(10_000)
    page.wait_for_function(SETTLED)
    assert widget.core.directions.read(widget.core.codes[slot])[0] == pytest.approx(x + 1, abs=0.01)
    assert f"Slot {slot}, asked to be at x {x + 1:.1f}" in status(page)


def test_what_is_refused_is_said(mount, widget):
    page = mount()
    button = page.get_by_role("button", name="slot")
    for slot in range(5):
        if not widget.core.shown[slot]:
            continue
        radio = page.get_by_role("radio").nth(slot)
        settled(page, radio.check)
        settled(page, button.click)
    assert "is the last that is shown; bring another back first" in status(page)
    assert page.get_by_role("status").evaluate("(node) => node.classList.contains('error')")
