"""A scene in hand in a page of the book, against the one in Python."""

import base64

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from sbd_utils import SceneInHand, load_pretrained
from tests.book import PREFIX
from tests.browser import open_page, require_browser
from tests.explorer.test_scene import random_events
from tools.book.scene import SCENE_MODEL, SlotLayers

require_browser("chromium")

EVENTS_COMPARED = 1000
CODES_COMPARED = 1000
# The core on the page itself, so that its state can be seen: as worker.js makes it.
MAKE_CORE = """async () => {
    const base = new URL("_static/explorer/", document.baseURI);
    const load = async (path) => new Uint8Array(await (await fetch(new URL(path, base))).arrayBuffer());
    const { Network, useRuntime } = await import(new URL("network.js", base));
    const { SceneInHand, SceneConversation } = await import(new URL("scene_core.js", base));
    useRuntime(await load("ort/ort-wasm-simd-threaded.wasm"));
    const facts = await (await fetch(new URL("scene/facts.json", base))).json();
    window.network = await Network.load({ decoder: await load("scene/decoder.onnx") });
    window.core = new SceneInHand(facts, await load("scene/scenes.bin"), network);
    window.conversation = new SceneConversation(core);
    await core.handle({ type: "reset" });
}"""
# After each event: what the page is told, and its pictures.
HANDLE = """async (events) => {
    const states = [];
    for (const event of events) {
        const refused = await core.handle(event).then(() => false, (error) => error.name === "Error" && `${error}`);
        const { content, buffers } = conversation.view();
        const encode = (bytes) => btoa(String.fromCharCode(...bytes));
        states.push({ ...content, codes: core.codes, refused, buffers: buffers.map(encode) });
    }
    return states;
}"""


@pytest.fixture(scope="module")
def model():
    return load_pretrained(SCENE_MODEL)


@pytest.fixture(scope="module")
def hand(model):
    return SceneInHand(model)


def refusal_of(hand, event) -> str:
    """Have an event handled; why it was refused, or nothing."""
    try:
        hand.handle(event)
    except ValueError as error:
        return str(error)
    return ""


def near(seen, wanted, atol):
    """Whether numbers, or None, are the same."""
    if wanted is None:
        return seen is None
    return seen is not None and np.allclose(seen, wanted, atol=atol, rtol=0)


def test_a_thousand_events_give_the_same_state_and_pictures(bare, hand):
    events = list(random_events(hand, EVENTS_COMPARED))
    pixels, refused, far = 0, 0, 0
    for event, seen in zip(events, bare.evaluate(HANDLE, events), strict=True):
        refusal = refusal_of(hand, event)
        assert bool(seen["refused"]) == bool(refusal), event
        assert not refusal or refusal.partition(";")[0] in seen["refused"], event
        refused += bool(refusal)
        state = hand.state()
        assert (seen["scene"], seen["slot"]) == (state["index"], state["slot"])
        np.testing.assert_allclose(seen["codes"], state["codes"], atol=1e-4, rtol=0)
        for slot, told in enumerate(seen["slots"]):
            assert told["kind"] == hand.kind(slot)
            assert told["twin"] == hand.twins.get(slot)
            assert told["shown"] == hand.shown[slot]
            np.testing.assert_allclose(told["place"], state["said"][slot][:2], atol=1e-4, rtol=0)
            assert near(told["center"], state["centers"][slot], 1e-4), event
            assert near(told["color"], state["colors"][slot], 1e-4), event
            if told["hue"] is not None:  # red is 0 and 360
                off = abs(told["hue"] - hand.hue(slot))
                assert min(off, 360 - off) < 0.1, event
            else:
                assert hand.hue(slot) is None
        scene, picture, winners = (
            np.frombuffer(base64.b64decode(part), np.uint8) for part in seen["buffers"]
        )
        assert np.array_equal(scene, hand.scene().ravel())
        off = np.abs(picture.astype(int) - hand.picture.ravel())
        assert off.max() <= 1, event
        pixels += (off > 0).sum()
        other = winners.reshape(hand.winners.shape) != hand.winners
        ordered = np.sort(hand.masks[:, other], axis=0)
        assert (ordered[-1] - ordered[-2] < 1e-5).all()  # where two masks are as good as equal
        far += other.sum()
    print(f"{refused} refused; {pixels} channels differ by 1/255, {far} pixels have another winner")
    assert EVENTS_COMPARED / 10 < refused < EVENTS_COMPARED / 2


def test_the_decoder_agrees_with_pytorch_on_a_thousand_codes(bare, extra, model):
    z = 1.5 * torch.randn(CODES_COMPARED, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        layers = SlotLayers(model.decoder)(z)  # [N, 4, 32, 32]
    extra["/layers.bin"] = layers.numpy().tobytes()
    off, largest = bare.evaluate(
        """async (codes) => {
            const wanted = new Float32Array(await (await fetch("/layers.bin")).arrayBuffer());
            let [off, largest, start] = [0, 0, 0];
            for (let i = 0; i < codes.length; i += 20) {
                for (const layer of await network.decode(codes.slice(i, i + 20))) {
                    layer.forEach((value, j) => {
                        off = Math.max(off, Math.abs(value - wanted[start + j]));
                        largest = Math.max(largest, Math.abs(value));
                    });
                    start += layer.length;
                }
            }
            return [start === wanted.length ? off : Infinity, largest];
        }""",
        z.tolist(),
    )
    print(f"at most {off:.1e}, of values up to {largest:.2f}")
    assert off < 1e-5 * max(1, largest)


# A reader's hand

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>scene</title><link rel="icon" href="data:,"><link rel="stylesheet" href="{prefix}_static/explorer/explorer.css">
<style>@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} }}</style>
<body><main><h1>A scene</h1><div class="live live-scene"></div></main>
<script type="module" src="{prefix}_static/explorer/live.js"></script></body></html>"""


@pytest.fixture(scope="module")
def reader(chromium, address, extra):
    """A telephone's page with the scene opened."""
    extra["/scene.html"] = PAGE.format(prefix=PREFIX).encode()
    page = open_page(chromium, viewport={"width": 390, "height": 844})
    page.goto(address.removesuffix(PREFIX) + "/scene.html")
    page.get_by_role("button", name="Open the scene").click()
    page.locator(".sbd-scene[data-waiting='0']").wait_for()
    yield page
    assert page.errors == []
    page.context.close()


def told(page, act, *words: str) -> str:
    """What the status says after an act, once it says these words."""
    act()
    line = page.locator(".sbd-scene .status")
    for word in words:
        line.get_by_text(word).or_(line.filter(has_text=word)).first.wait_for()
    return line.text_content()


def at(pad, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the image is on the page."""
    box = pad.bounding_box()
    return box["x"] + x / 32 * box["width"], box["y"] + y / 32 * box["height"]


def test_an_object_is_dragged_and_goes_where_it_is_asked_to_go(reader, hand):
    hand.handle(dict(type="scene", scene=0))
    slot = hand.objects[-1]
    pad = reader.get_by_role("application")
    pad.scroll_into_view_if_needed()
    x, y = hand.center(slot)

    def drag():
        reader.mouse.move(*at(pad, x, y))
        reader.mouse.down()
        reader.mouse.move(*at(pad, 16, 16), steps=6)
        reader.mouse.up()

    told(reader, drag, f"Slot {slot}, asked to be at")
    assert reader.get_by_role("radio").nth(slot).is_checked()
    said_x, said_y = hand.directions.read(hand.codes[slot])[:2]
    hand.handle(dict(type="place", slot=slot, x=said_x + 16 - x, y=said_y + 16 - y))
    center = hand.center(slot)
    text = reader.locator(".status").text_content()
    numbers = [float(part.strip(" ,.xy")) for part in text.partition("drawn at")[2].split(",")[:2]]
    np.testing.assert_allclose(numbers, center, atol=0.3)  # the mouse moves by whole pixels
    assert told(reader, lambda: reader.get_by_role("button", name="Reset").click(), "3 objects")


def test_everything_is_done_by_keys(reader, hand):
    hand.handle(dict(type="scene", scene=0))
    first, second = hand.objects[:2]
    ((twin, _),) = hand.twins.items()
    told(reader, lambda: reader.get_by_role("button", name="Reset").press("Enter"), "3 objects")
    radio = reader.get_by_role("radio").nth(first)
    radio.focus()
    told(reader, lambda: reader.keyboard.press("ArrowDown"), f"Slot {first + 1}: ")
    told(reader, lambda: reader.keyboard.press("ArrowUp"), f"Slot {first}: at")
    pad = reader.get_by_role("application")
    x, y = hand.directions.read(hand.codes[first])[:2]
    told(reader, lambda: pad.press("ArrowRight"), f"asked to be at x {x + 1:.1f}, y {y:.1f}")
    told(reader, lambda: pad.press("ArrowUp"), f"asked to be at x {x + 1:.1f}, y {y - 1:.1f}")
    hue = reader.get_by_role("slider", name="hue")
    told(reader, lambda: hue.press("Home"), "asked for hue 0°")
    reader.get_by_text("All latents").press("Enter")
    told(reader, lambda: reader.get_by_role("slider", name="z5").press("End"), "z5 = ")
    button = reader.get_by_role("button", name="slot")
    told(reader, lambda: button.press("Enter"), f"Slot {first} is left out.")
    assert hue.is_disabled()
    told(reader, lambda: button.press("Enter"), f"Slot {first} is back")
    reader.get_by_role("radio").nth(twin).focus()
    told(reader, lambda: reader.keyboard.press("Space"), f"Slot {twin}: left out")
    told(reader, lambda: button.press("Enter"), f"Slot {twin} is back")
    another = reader.get_by_role("button", name="Another scene")
    told(reader, lambda: another.press("Enter"), "Scene 2")
    assert second in hand.objects


def test_the_ground_is_not_taken(reader, hand):
    told(reader, lambda: reader.get_by_role("button", name="Reset").click(), "objects")
    view = reader.locator(".slots").inner_text()
    pad = reader.get_by_role("application")
    pad.scroll_into_view_if_needed()
    hand.handle(dict(type="scene", scene=1))
    row, column = np.argwhere(hand.winners == hand.ground)[0]
    told(reader, lambda: reader.mouse.click(*at(pad, column + 0.5, row + 0.5)), "Nothing but the")
    assert reader.locator(".slots").inner_text() == view


@pytest.mark.parametrize("width", [390, 640, 1440])  # a telephone, 200 % on a laptop, a screen
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_axe_finds_nothing_serious(reader, scheme, width):
    reader.set_viewport_size({"width": width, "height": 900})
    reader.emulate_media(color_scheme=scheme)
    is_dark = "document.querySelector('.sbd-scene').classList.contains('dark')"
    reader.wait_for_function(f"{is_dark} === {str(scheme == 'dark').lower()}")
    reader.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(reader).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []
