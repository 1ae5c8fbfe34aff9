"""Decoders on the graphics card: what takes over when, and what it draws.

Who draws is decided between stand-ins whose speed and mistakes are known. What WebGPU draws is
asked of Chromium's own adapter, a program, a hundred times slower than WebAssembly: so it draws few
codes, and the page itself never takes it.
"""

import pytest
import torch

from sbd_utils import load_pretrained
from sbd_utils.analysis import decode
from tests.browser import MODELS, launch, open_page, require_browser

require_browser("chromium")

CODES = [("deconv", 0, 30), ("SBD", 1, 1)]
"""Of which decoder which strip, the last of it, draws so many codes."""
ADAPTER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
MAKE_CORE = """async () => {
    window.base = new URL("_static/explorer/", document.baseURI);
    Object.assign(window, await import(new URL("card.js", base)));
}"""
# A network that takes 20 ms and a rival, over ten codes; then three pictures more.
HOLD = """async (source) => {
    const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
    const draw = async ([[z]]) => [Float32Array.of(z, z + 1)];
    const network = { decode: async (codes) => { await wait(20); return draw(codes); } };
    const told = [];
    const contest = new Contest(network, (text) => told.push(text));
    const open = new Function("draw", "wait", `return async () => { ${source} }`)(draw, wait);
    await contest.hold(open, [...Array(10).keys()].map((z) => [z]), (work) => work());
    const drawn = [];
    for (const z of [5, 6, 7]) drawn.push(...(await contest.decode([[z]])).map((image) => [...image]));
    return [told, drawn];
}"""
LOAD = """async (name) => {
    window.card ??= await Card.open(() => true);
    const answer = await fetch(new URL(`models/${name}.onnx`, base));
    window.drawn = await card.load([await answer.arrayBuffer()], 1);
}"""
DRAW = "async (z) => (await drawn.decode(z)).map((image) => [...image])"
# The card is lost while a picture is drawn. The first is drawn by it, the others are not.
LOSE = """async () => {
    const told = [];
    const network = { decode: async () => ["by WebAssembly"] };
    const contest = new Contest(network, (text) => told.push(text));
    contest.rival = drawn;
    const draw = async () => (await contest.decode([Array(10).fill(0)]))[0];
    const first = await draw();
    const second = draw();
    card.device.destroy();
    return [told, [first.length, await second, await draw()]];
}"""
RIGHT = [[5, 6], [6, 7], [7, 8]]
TOO_SLOW = "where the graphics card takes"
REFUSED = {
    "throw new Error('none there')": "none there",
    "return { decode: async () => { throw new Error('cannot draw') } }": "cannot draw",
    "return { decode: async (z) => { await wait(60); return draw(z); } }": TOO_SLOW,
    """let count = 0;
    return { decode: async (z) => {
        if (++count > 2) throw new Error("asked again, though it is a hundred times too slow");
        await wait(2000);
        return draw(z);
    } }""": TOO_SLOW,
    "return { decode: async ([[z]]) => [Float32Array.of(z, z === 9 ? 9.5 : z + 1)] }": "by 0.500",
    "return { decode: async ([[z]]) => [Float32Array.of(z, NaN)] }": "by NaN",
    "return { decode: async ([[z]]) => [Float32Array.of(z)] }": "by NaN",
}
"""Rivals that must not draw, and what is told of them."""


@pytest.mark.parametrize("source", REFUSED)
def test_webassembly_stays_and_says_why(bare, source):
    told, drawn = bare.evaluate(HOLD, source)
    assert len(told) == 1
    assert told[0].startswith("by WebAssembly: ")
    assert REFUSED[source] in told[0]
    assert drawn == RIGHT


def test_what_is_right_and_faster_takes_over(bare):
    slightly_off = "return { decode: async ([[z]]) => [Float32Array.of(z, z + 1 + 2 ** -11)] }"
    told, drawn = bare.evaluate(HOLD, slightly_off)
    assert len(told) == 1
    assert told[0].startswith("by the graphics card: ")
    assert drawn == [[z, one + 2**-11] for z, one in RIGHT]


def test_one_that_fails_later_is_replaced_within_the_picture(bare):
    source = """let count = 0;
        return { decode: async (z) => { if (++count > 12) throw new Error("gone"); return draw(z); } }"""
    told, drawn = bare.evaluate(HOLD, source)
    assert told[0].startswith("by the graphics card: ")
    assert told[1:] == ["by WebAssembly: gone"]
    assert drawn == RIGHT


@pytest.fixture(scope="module")
def card(chromium, address):
    """A page of a browser whose adapter is a program; `LOAD` puts `card` and `drawn`, a strip, on it."""
    with launch(chromium.browser_type, *ADAPTER) as with_adapter:
        page = open_page(with_adapter)
        page.goto(address)
        page.evaluate(MAKE_CORE)
        yield page
        assert page.errors == []


def test_an_adapter_that_is_a_program_is_no_graphics_card(card):
    refused = card.evaluate("Card.open().then(() => 'opened', ({ message }) => message)")
    assert refused == "this browser offers no graphics card"


@pytest.mark.parametrize(("name", "strip", "count"), CODES)
def test_it_draws_as_pytorch_does(card, name, strip, count):
    z = 1.5 * torch.randn(count, 10, generator=torch.Generator().manual_seed(1))
    wanted = decode(load_pretrained(MODELS[name]), z).flatten(1)
    card.evaluate(LOAD, f"{name}-decoder-{strip}")
    rows = torch.tensor(card.evaluate(DRAW, z.tolist()))  # the lowest, if it is a strip
    assert rows.shape == (count, 64 * 64 / (strip + 1))
    off = (rows - wanted[:, -rows.shape[1] :]).abs().max() / wanted.abs().max()
    print(f"{name}: at most {off:.1e} of the largest value")
    assert off < 1e-4


def test_a_card_that_is_lost_is_replaced_within_the_picture(card):
    card.evaluate(LOAD, "deconv-decoder-0")
    told, drawn = card.evaluate(LOSE)
    assert told == ["by WebAssembly: the graphics card was lost"]
    assert drawn == [64 * 64, "by WebAssembly", "by WebAssembly"]


def test_the_page_says_that_a_card_draws_something_else(chromium, address, site):
    """What the card draws must not be seen, and each model is told of."""
    source = (site / "_static/explorer/card.js").read_text(encoding="utf-8")
    black = "({ decode: async (codes) => codes.map(() => new Float32Array(64 * 64)) })"
    body = f"{source} Card.open = async () => ({{ load: async () => {black} }});"
    page = open_page(chromium)
    page.route("**/card.js", lambda route: route.fulfill(body=body, content_type="text/javascript"))
    page.goto(address)
    page.get_by_role("button", name="Open the explorer").click()
    line = page.locator(".live .drawn")
    for name in MODELS:
        wrong = f"{name} is drawn by WebAssembly: the graphics card draws something else"
        line.get_by_text(wrong).wait_for()
    seen = page.locator("canvas.picture[aria-label*='SBD: ']").get_attribute("aria-label")
    assert seen.endswith("a bright spot at x 32, y 32 pixels")
    assert page.errors == []
    page.context.close()
