"""The explorer in a page of the book, against the one in Python; and the two small figures there."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from sbd_utils import Explorer, Sprite, coordinate_map, draw_sprites, load_pretrained
from sbd_utils.analysis import decode, traverse
from sbd_utils.data import make_stream
from sbd_utils.explorer.app import MODELS
from sbd_utils.explorer.core import FILM_STEPS, SCALE, TRAVERSAL_SPAN
from sbd_utils.explorer.events import EVENTS
from sbd_utils.explorer.pictures import DURATION, to_bytes
from sbd_utils.explorer.spots import describe_picture
from sbd_utils.sprites import SHAPES
from tests.book import STRICT
from tests.browser import PATIENCE, explorer, open_page, require_browser
from tests.explorer.test_core import random_events
from tests.test_notebooks import FOLDER
from tools.book.networks import load_squares

require_browser("chromium")

EVENTS_COMPARED = {"circles": 1000, "squares": 300}
CODES_COMPARED = 1000
# The explorer's core on the page itself, so that its state can be seen: as worker.js makes it, for each world.
MAKE_CORE = """async () => {
    const base = new URL("_static/explorer/", document.baseURI);
    const load = async (path) => new Uint8Array(await (await fetch(new URL(path, base))).arrayBuffer());
    const { RemoteNetwork } = await import(new URL("remote.js", base));
    const { Explorer } = await import(new URL("core.js", base));
    const program = await load("ort/ort-wasm-simd-threaded.wasm");
    const makeCore = async (folder) => {
        const facts = await (await fetch(new URL(`${folder}/facts.json`, base))).json();
        const networks = [];
        for (const { channels, files } of facts.sides) {
            const encoder = await load(files.encoder);
            const decoder = await Promise.all(files.decoder.map(load));
            const shape = [channels, facts.spec.im_size, facts.spec.im_size];
            networks.push(await RemoteNetwork.load(program, { encoder, decoder }, shape));
        }
        const core = new Explorer(facts, networks);
        await core.handle({ type: "reset" });
        return core;
    };
    window.cores = { circles: await makeCore("models"), squares: await makeCore("squares") };
}"""
# After each event: what can be said in few numbers, and the pictures; after the last, all.
HANDLE = """async ([world, events]) => {
    const core = cores[world];
    const { toBytes } = await import(new URL("_static/explorer/core.js", document.baseURI));
    const encode = (bytes) => {
        let text = "";
        for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
        return btoa(text);
    };
    const states = [];
    for (const event of events) {
        const refused = await core.handle(event).then(() => false, (error) => error.name === "Error" && `${error}`);
        const sides = [...core.sides.values()].map((side) => ({
            axes: side.axes, z: [...side.z], mean: [...side.mean], std: [...side.std], trail: side.trail.length,
            lengths: side.trailLengths(), overlap: core.overlap(side), text: core.describe(side),
            picture: encode(side.picture),
        }));
        const { circle, encoded, linked, path } = core;
        const truth = encode(toBytes(core.picture, core.spec.channels));
        const others = Object.values(core.others);
        states.push({ circle, others, truth, encoded, linked, refused, path: path.length, sides });
    }
    return [states, core.state()];
}"""


@pytest.fixture(scope="module")
def models():
    return {label: load_pretrained(name) for label, name in MODELS.items()}


@pytest.fixture(scope="module")
def worlds(models):
    """The models of each data set."""
    return {"circles": models, "squares": load_squares()}


def unpack(picture: str, like: np.ndarray) -> np.ndarray:
    """Bytes in base64 as numbers that can be subtracted, in the shape of another picture."""
    return np.frombuffer(base64.b64decode(picture), np.uint8).reshape(like.shape).astype(int)


def wide_events(core, count):
    """Events over the whole image and beyond, some of them refused."""
    share = core.im_size / 32
    for number, event in enumerate(random_events(core, count)):
        if event["type"] == "image":
            event |= dict(x=share * event["x"], y=share * event["y"])
        if number % 50 == 49:
            event |= dict(model="neither")
        yield event


@pytest.mark.parametrize("world", EVENTS_COMPARED)
def test_hundreds_of_events_give_the_same_state_and_pictures(bare, worlds, world):
    core, count = Explorer(worlds[world], data=world), EVENTS_COMPARED[world]
    events = list(wide_events(core, count))
    impossible = set() if core.factors else {"factor"}
    assert {event["type"] for event in events} >= EVENTS.keys() - {"reset"} - impossible
    events.insert(count // 2, dict(type="reset"))
    events.append(dict(type="factor", name="x", value=10))  # that is what planes are for: refused
    states, last = bare.evaluate(HANDLE, [world, events])
    refused = 0
    for event, state in zip(events, states, strict=True):
        try:
            core.handle(event)
            assert not state["refused"], event
        except ValueError:
            assert state["refused"], event
            refused += 1
        assert (state["encoded"], state["linked"]) == (core.encoded, core.linked)
        assert state["circle"] == pytest.approx(core.circle)
        assert state["others"] == pytest.approx(core.others.tolist())
        assert state["path"] == len(core.path)
        truth = to_bytes(core.image())
        assert np.abs(unpack(state["truth"], truth) - truth).max() <= 1, event
        for side, seen in zip(core.sides.values(), state["sides"], strict=True):
            assert seen["axes"] == list(side.axes)
            for name in ("z", "mean", "std"):
                np.testing.assert_allclose(seen[name], getattr(side, name), atol=1e-4, rtol=0)
            picture = unpack(seen["picture"], side.picture)
            assert np.abs(picture - side.picture).max() <= 1, event
            assert seen["trail"] == len(side.trail)
            np.testing.assert_allclose(seen["lengths"], side.trail_lengths(), atol=1e-3, rtol=1e-4)
            assert seen["overlap"] == pytest.approx(core.overlap(side.name), abs=2e-3)
            assert seen["text"] == f"{side.name}: {describe_picture(picture)}"
    assert refused == pytest.approx(count / 50 + 1, abs=2)
    whole = core.state()
    assert last["others"] == pytest.approx(whole["others"])
    np.testing.assert_allclose(last["path"], whole["path"], atol=1e-9)
    for name, side in whole["sides"].items():
        np.testing.assert_allclose(last["sides"][name]["trail"], side["trail"], atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("world", EVENTS_COMPARED)
def test_decoders_agree_with_pytorch_on_a_thousand_codes(bare, extra, worlds, world, name):
    z = 1.5 * torch.randn(CODES_COMPARED, 10, generator=torch.Generator().manual_seed(1))
    images = decode(worlds[world][name], z)  # [N, C, H, H]
    extra[f"/{world}-{name}.bin"] = images.numpy().tobytes()
    off, largest = bare.evaluate(
        """async ([world, name, codes]) => {
            const { network } = cores[world].side(name);
            const answer = await fetch(`/${world}-${name}.bin`);
            const wanted = new Float32Array(await answer.arrayBuffer());
            let [off, largest, start] = [0, 0, 0];
            for (let i = 0; i < codes.length; i += 20) {
                for (const image of await network.decode(codes.slice(i, i + 20))) {
                    image.forEach((value, j) => {
                        off = Math.max(off, Math.abs(value - wanted[start + j]));
                        largest = Math.max(largest, Math.abs(value));
                    });
                    start += image.length;
                }
            }
            return [start === wanted.length ? off : Infinity, largest];
        }""",
        [world, name, z.tolist()],
    )
    print(f"{world}, {name}: at most {off:.1e}, of values up to {largest:.2f}")
    assert off < 1e-5 * max(1, largest)


def test_samples_are_pytorchs(bare):
    numbers = bare.evaluate(
        """async () => {
            const { Generator } = await import(new URL("_static/explorer/noise.js", document.baseURI));
            const draw = (seed) => { const one = new Generator(seed); return Array.from({ length: 1500 }, () => one.normal()); };
            return [draw(0), draw(123456789)];
        }"""
    )
    for seed, seen in zip((0, 123456789), numbers, strict=True):
        generator = torch.Generator().manual_seed(seed)
        wanted = [torch.randn(10, generator=generator) for _ in range(150)]
        np.testing.assert_allclose(seen, torch.cat(wanted), atol=1e-6)


def test_sprites_are_drawn_as_in_python(bare):
    rng = np.random.default_rng(0)
    places = rng.uniform([-5, -5, 0.5, 0], [70, 70, 60, 360], (12, 4)).tolist()
    places += [[32, 32, 16, 0], [32.5, 32, 16, 90], [0, 64, 2, 45], [8, 8, 16, 0]]
    sprites = [
        dict(shape=shape, x=x, y=y, size=size, angle=angle)
        for shape in SHAPES
        for x, y, size, angle in places
    ]
    seen = bare.evaluate(
        """async (sprites) => {
            const base = new URL("_static/explorer/", document.baseURI);
            const { drawColored } = await import(new URL("figures.js", base));
            const { sprite } = await (await fetch(new URL("models/figures.json", base))).json();
            const draw = (each) => drawColored(sprite, { ...each, color: "white" });
            return sprites.map((each) => [...draw(each).filter((_, i) => i % 3 === 0)]);
        }""",
        sprites,
    )
    for sprite, image in zip(sprites, seen, strict=True):
        wanted = draw_sprites([Sprite(**sprite)], 64)[0]
        np.testing.assert_allclose(np.reshape(image, (64, 64)), wanted, atol=1e-5)


def cell_with(notebook: str, mark: str) -> str:
    """The source of the code cell of a notebook that holds this."""
    content = json.loads((FOLDER / notebook).read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    [found] = [source for source in sources if mark in source]
    return found


def test_the_decoder_set_by_hand_is_the_notebooks(bare):
    names = {"torch": torch, "nn": torch.nn, "coordinate_map": coordinate_map}
    exec(cell_with("02_architecture.ipynb", "def draw_diamonds"), names)
    codes = [[0, 0], [0.4, -0.3], [-1.2, 1.2], [0.02, 0.98], [0.77, -1]]
    seen = bare.evaluate(
        """async (codes) => {
            const base = new URL("_static/explorer/", document.baseURI);
            const { decodeByHand } = await import(new URL("figures.js", base));
            const { diamond } = await (await fetch(new URL("models/figures.json", base))).json();
            return codes.map((z) => [...decodeByHand(diamond, z)]);
        }""",
        codes,
    )
    wanted = names["draw_diamonds"](codes)[:, 0]
    np.testing.assert_allclose(np.reshape(seen, (-1, 64, 64)), wanted, atol=1e-5)


def test_squares_are_drawn_as_in_python(bare):
    world = make_stream("squares", im_size=32)
    factors = world.sample(40, torch.Generator().manual_seed(3)).double()
    factors[:7, world.column("hue")] = 60 * torch.arange(7)  # where channels begin and end
    seen = bare.evaluate(
        """(factors) => factors.map(({ x, y, ...others }) => {
            cores.squares.setOthers({ ...cores.squares.others, ...others });
            return [...cores.squares.draw([x, y])];
        })""",
        [{f.name: v for f, v in zip(world.factors, row, strict=True)} for row in factors.tolist()],
    )
    wanted = world.render(factors)
    np.testing.assert_allclose(np.reshape(seen, wanted.shape), wanted, atol=1e-5)


# A reader's hand


@pytest.fixture(scope="module")
def front(chromium, address):
    """The front page with the explorer opened."""
    page = open_page(chromium, viewport={"width": 390, "height": 844})
    page.goto(address)
    page.get_by_role("button", name="Open the explorer").click()
    explorer(page)
    yield page
    assert page.errors == []
    page.context.close()


def settled(page, act) -> None:
    act()
    page.wait_for_function("() => document.querySelector('.sbd-explorer').dataset.waiting === '0'")


def label(page, name: str) -> str:
    return page.locator(f"canvas.picture[aria-label*='{name}: ']").get_attribute("aria-label")


def test_the_circle_is_dragged_and_both_networks_answer(front):
    pad = front.get_by_role("application", name="Image plane")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()

    def drag():
        front.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
        front.mouse.down()
        front.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"], steps=8)
        front.mouse.up()

    settled(front, drag)
    for name in MODELS:
        assert label(front, name).endswith("a bright spot at x 45, y 19 pixels")
    settled(front, lambda: front.get_by_role("button", name="Reset").click())
    assert label(front, "SBD").endswith("a bright spot at x 32, y 32 pixels")


def test_keys_sliders_axes_and_samples_work(front):
    plane = front.get_by_role("application", name="SBD, latent plane")
    before = label(front, "SBD")
    for _ in range(8):
        settled(front, lambda: plane.press("ArrowRight"))
    assert label(front, "SBD") != before
    settled(front, lambda: front.get_by_role("button", name="Sample prior").click())
    slider = front.get_by_role("slider", name="SBD, latent 8")
    settled(front, lambda: slider.fill("1.5"))
    assert slider.input_value() == "1.5"
    axis = front.get_by_role("combobox", name="deconv, latent to the right")
    settled(front, lambda: axis.select_option("4"))
    assert axis.input_value() == "4"
    settled(front, lambda: front.get_by_role("button", name="Copy z").click())
    code = {}
    exec(front.locator("pre[aria-label='The codes as Python']").text_content(), code)
    assert code["z"]["SBD"][8] == 1.5
    settled(front, lambda: front.get_by_role("button", name="Reset").click())


def test_in_chapter_08_squares_are_moved_and_turned_through_the_hues(chromium, address):
    page = open_page(chromium, viewport={"width": 390, "height": 844})
    page.goto(f"{address}notebooks/08_other_worlds.html")
    page.get_by_role("button", name="Open the explorer").click()
    explorer(page)
    latents = [page.get_by_role("slider", name=f"SBD, latent {i},") for i in range(10)]
    read = lambda: np.array([float(slider.input_value()) for slider in latents])  # noqa: E731
    middle = read()
    settled(page, lambda: page.get_by_role("slider", name="True hue, degrees").fill("240"))
    place, hue = [3, 6], [7, 8]
    assert np.abs(read() - middle)[place].max() < 0.2
    assert np.abs(read() - middle)[hue].max() > 1
    colors = page.locator("canvas.picture").first.evaluate(
        "(canvas) => [...canvas.getContext('2d').getImageData(16, 16, 1, 1).data]"
    )
    assert colors[2] > 200 > 60 > max(colors[:2])  # blue
    pad = page.get_by_role("application", name="Image plane")
    for _ in range(4):
        settled(page, lambda: pad.press("ArrowRight"))
    assert label(page, "SBD").endswith("a bright spot at x 20, y 16 pixels")
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    sheet = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    assert sheet.size == (2 * 32 * 4 + 4, 32 * 4)
    assert sheet.getpixel((20 * 4, 16 * 4))[2] > 200
    with page.expect_download() as download:
        page.get_by_role("button", name="GIF of SBD z").click()
    film = frames_of(download.value.path().read_bytes(), "RGB").astype(int)
    assert film.shape == (2 * FILM_STEPS - 2, 32 * SCALE, 32 * SCALE, 3)
    assert (film[FILM_STEPS:] == film[FILM_STEPS - 2 : 0 : -1]).all()  # to and fro
    colors = page.locator("canvas.picture").first.evaluate(
        "(canvas) => [...canvas.getContext('2d').getImageData(20, 16, 1, 1).data]"
    )
    near = np.abs(film[:, 16 * SCALE, 20 * SCALE] - colors[:3]).max(-1)
    assert near.min() < 30 < near.max()  # once as it is now, once as another place or hue
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.errors == []
    page.context.close()


def test_pictures_are_saved_as_they_are(front):
    with front.expect_download() as download:
        front.get_by_role("button", name="PNG", exact=True).click()
    assert download.value.suggested_filename == "SBD-deconv.png"
    sheet = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    assert sheet.size == (2 * 64 * 4 + 4, 64 * 4)
    assert sheet.getpixel((64 * 4 + 1, 9)) == (128, 128, 128)
    assert sheet.getpixel((32 * 4, 32 * 4))[0] > 200


def frames_of(film: bytes, mode: str = "L") -> np.ndarray:
    """The pictures of a film that never ends, uint8 [frames, H, W], or [frames, H, W, 3] for RGB.

    Checks how long each stands.
    """
    with Image.open(io.BytesIO(film)) as image:
        assert image.info["loop"] == 0
        frames = []
        for frame in ImageSequence.Iterator(image):
            assert frame.info["duration"] == DURATION
            frames.append(np.asarray(frame.convert(mode)))
    return np.stack(frames)


def test_a_film_is_pythons(front, models):
    slider = front.get_by_role("slider", name="SBD, latent 8")
    settled(front, lambda: slider.fill("1.5"))
    button = front.get_by_role("button", name="GIF of SBD z8", exact=True)
    with front.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == "SBD-z8.gif"
    frames = frames_of(download.value.path().read_bytes())
    core = Explorer(models)
    core.handle(dict(type="slider", model="SBD", latent=8, value=1.5))
    side = core.sides["SBD"]
    images = traverse(side.model, side.z, [8], TRAVERSAL_SPAN, FILM_STEPS).images[0]
    there = [side.to_picture(image) for image in images]
    wanted = np.stack(there + there[-2:0:-1]).repeat(SCALE, 1).repeat(SCALE, 2)
    assert frames.shape == wanted.shape
    assert np.abs(frames.astype(int) - wanted).max() <= 1
    settled(front, lambda: front.get_by_role("button", name="Reset").click())


@pytest.mark.parametrize("size", [1, 2, 64, 256])
def test_any_picture_survives_as_a_film(bare, size):
    rng = np.random.default_rng(size)
    noise = rng.integers(
        0, 256, (3, size * size)
    )  # fills the table of strings, at 256 pixels often
    ramp = np.arange(size * size) % 256
    pictures = [*noise, ramp, 0 * ramp, 255 + 0 * ramp]
    film = bare.evaluate(
        """async ([pictures, size, duration]) => {
            const { encodeFilm } = await import(new URL("_static/explorer/film.js", document.baseURI));
            const bytes = pictures.map((picture) => Uint8Array.from(picture));
            const film = encodeFilm([...bytes, bytes[0]], size, { scale: 1, duration });
            return [...film];
        }""",
        [[picture.tolist() for picture in pictures], size, DURATION],
    )
    wanted = np.stack([*pictures, pictures[0]]).reshape(-1, size, size)
    np.testing.assert_array_equal(frames_of(bytes(film)), wanted)


@pytest.mark.parametrize("colors", [1, 2, 256, 1024])
def test_a_film_of_colours_keeps_them(bare, colors):
    rng = np.random.default_rng(colors)
    palette = rng.integers(0, 32, (colors, 3)) * 8 + 4  # in the middles of gifenc's bins
    pictures = palette[rng.integers(0, colors, (2, 32 * 32))]  # [2, H * W, 3]
    film = bare.evaluate(
        """async ([pictures, duration]) => {
            const { encodeFilm } = await import(new URL("_static/explorer/film.js", document.baseURI));
            const bytes = pictures.map((picture) => Uint8Array.from(picture.flat()));
            return [...encodeFilm(bytes, 32, { channels: 3, scale: 2, duration })];
        }""",
        [pictures.tolist(), DURATION],
    )
    frames = frames_of(bytes(film), "RGB").astype(int)
    assert (frames[:, ::2, ::2] == frames[:, 1::2, 1::2]).all()
    off = np.abs(frames[:, ::2, ::2] - pictures.reshape(2, 32, 32, 3)).max(-1)
    if colors <= 256:
        assert off.max() == 0
    else:
        assert np.median(off) < 16  # 256 stand for a thousand that have nothing in common


def test_a_film_of_nothing_is_refused(bare):
    refused = bare.evaluate(
        """async () => {
            const { Conversation } = await import(new URL("_static/explorer/conversation.js", document.baseURI));
            const conversation = new Conversation(cores.circles);
            const wishes = [[], [0, 0], [10], "0"].map((latents) => ({ type: "gif", model: "SBD", latents }));
            const answers = await Promise.all(wishes.map((wish) => conversation.respond(wish)));
            return answers.map(({ content }) => [content.type, content.text]);
        }"""
    )
    assert [kind for kind, _ in refused] == ["error"] * 4
    assert all("latent" in text for _, text in refused)


def test_without_a_graphics_card_webassembly_draws_and_the_page_says_so(front):
    front.get_by_text("Drawn by WebAssembly: this browser offers no graphics card.").wait_for()


def test_it_is_readable_on_a_telephone(front):
    for width in (320, 390):
        front.set_viewport_size({"width": width, "height": 844})
        assert front.evaluate("document.documentElement.scrollWidth") <= width


def test_where_webassembly_is_forbidden_the_picture_stays_and_the_page_says_why(chromium, address):
    page = open_page(chromium)
    page.goto(address + STRICT)
    page.get_by_role("button", name="Open the explorer").click()
    status = page.locator(".live [role=status]")
    status.get_by_text("cannot run WebAssembly").wait_for()
    assert page.locator("main img, article img").first.is_visible()
    assert page.locator(".sbd-explorer").count() == 0
    page.context.close()


def test_a_network_that_cannot_be_loaded_is_told(chromium, address):
    page = open_page(chromium)
    page.route("**/*.onnx", lambda route: route.abort())
    page.goto(address)
    page.get_by_role("button", name="Open the explorer").click()
    page.get_by_text("The explorer cannot start").wait_for(timeout=1000 * PATIENCE)
    page.context.close()


def test_the_sprite_follows_its_sliders(chromium, address):
    page = open_page(chromium, viewport={"width": 390, "height": 844})
    page.goto(f"{address}notebooks/00_start_here.html")
    words = page.locator(".live-sprite").get_by_role("status")
    assert "rectangle, orange, at x 32, y 32, size 16" in words.text_content()
    page.get_by_role("slider", name="x (pixels)").fill("32.5")
    assert words.text_content().endswith("32 of 4,096 pixels changed")  # as the notebook says
    page.get_by_role("slider", name="x (pixels)").fill("44.5")
    assert words.text_content().endswith("416 of 4,096 pixels changed")
    page.get_by_role("combobox", name="shape").select_option("ellipse")
    assert words.text_content().startswith("ellipse, orange")
    page.goto(f"{address}notebooks/02_architecture.html")
    canvas = page.locator(".live-diamond canvas")
    page.get_by_role("slider", name="z1").fill("0.5")
    assert canvas.get_attribute("aria-label") == "A diamond at z1 0.50, z2 0.00"
    assert page.errors == []
    page.context.close()
