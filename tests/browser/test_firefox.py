"""The explorer in Firefox: the other engine draws, and hears hands, in its own way."""

import json
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest

from tests.browser import require_browser, server
from tests.browser.firefox import firefox

require_browser("firefox")

PICTURES = "document.querySelectorAll(\"canvas.picture[aria-label^='Picture decoded by']\")"
ROOT = "document.querySelector('.sbd-explorer')"
PIXELS = """[...%s].map((canvas) => [...canvas.getContext("2d").getImageData(0, 0, 64, 64).data]
    .filter((_, i) => i %% 4 === 0))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firefox")
    with server("app", folder, folder / "log") as address, firefox() as page:
        page.resize(1400, 1100)
        page.go_to(address)
        page.wait_for(f"{PICTURES}.length === 2")
        yield page
        assert page.errors == []


def box(page, selector: str) -> list[float]:
    """Left, top, width and height of the first such node, once it is in view."""
    return page.evaluate(
        f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            node.scrollIntoView({{ block: "nearest" }});
            const {{ left, top, width, height }} = node.getBoundingClientRect();
            return [left, top, width, height];
        }})()"""
    )


def drag(page, selector: str, shares) -> None:
    left, top, width, height = box(page, selector)
    page.drag([(left + right * width, top + down * height) for right, down in shares])
    settle(page)


def settle(page) -> None:
    page.wait_for(f"{ROOT}.dataset.waiting === '0'")


def blobs(page) -> np.ndarray:
    """x and y of the middle of what is bright in each picture, in pixels: [2, 2]."""
    pictures = np.array(page.evaluate(PIXELS % PICTURES)).reshape(2, 64, 64)
    places = [np.argwhere(picture > 128).mean(0)[::-1] + 0.5 for picture in pictures]
    return np.array(places)


def test_the_circle_is_dragged_and_moved_by_keys(page):
    drag(page, "canvas.pad", np.linspace([0.3, 0.3], [0.5, 0.6], 10))
    assert np.abs(blobs(page) - [32, 38.4]).max() < 2.5
    page.evaluate("document.querySelector('canvas.pad').focus()")
    page.press("ArrowRight", 10)
    page.press("ArrowDown", 5)
    settle(page)
    assert np.abs(blobs(page) - [42, 43.4]).max() < 2.5


def test_a_hand_in_a_plane_moves_the_picture(page):
    before = blobs(page)[0]
    drag(page, ".model canvas.pad", np.linspace([0.5, 0.5], [0.6, 0.6], 5))
    assert np.hypot(*(blobs(page)[0] - before)) > 4


def test_a_slider_is_dragged_and_moved_by_keys(page):
    value = lambda: float(page.evaluate("document.querySelector('input[type=range]').value"))  # noqa: E731
    drag(page, "input[type=range]", np.linspace([0.2, 0.5], [0.8, 0.5], 8))
    dragged = value()
    assert 1 < dragged < 3
    page.press("ArrowRight", 20)
    settle(page)
    assert value() == pytest.approx(dragged + 0.2, abs=1e-6)
    written = page.evaluate("document.querySelector('.latent .value').textContent")
    assert float(written.replace("−", "-")) == pytest.approx(dragged + 0.2, abs=0.006)


def test_axe_has_nothing_serious_to_say(page):
    source = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
    found = page.evaluate(
        f"(async () => {{ (0, eval)({json.dumps(source)}); return (await axe.run()).violations; }})()"
    )
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in serious] == []
