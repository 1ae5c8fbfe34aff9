"""What the explorer's widget answers, and the module it gives to the page, without a browser."""

import json
import logging
import random
import re

import numpy as np
import psutil
import pytest

from sbd_utils.explorer.events import EVENTS
from sbd_utils.explorer.page import FOLDER, MODULES, join_modules
from sbd_utils.explorer.widget import LatentExplorer
from tests.explorer import small


@pytest.fixture(scope="module")
def pair():
    return {"SBD": small(), "deconv": small(seed=1, decoder="deconv")}


@pytest.fixture
def widget(pair, monkeypatch):
    widget = LatentExplorer(pair)
    widget.answers = []
    monkeypatch.setattr(
        widget, "send", lambda content, buffers=None: widget.answers.append((content, buffers))
    )
    return widget


def receive(widget, message) -> None:
    """A message of the page, as it comes over the comm."""
    widget._handle_msg({"content": {"data": {"method": "custom", "content": message}}})


def test_widget_answers_an_event_with_the_pictures(widget):
    widget.conversation.accepted = []
    event = dict(type="latent", model="SBD", x=0.5, y=1)
    receive(widget, {**event, "stamp": 12.5})
    content, buffers = widget.answers.pop()
    assert widget.conversation.accepted == [event]
    assert content["stamp"] == 12.5
    assert content["sides"][0]["z"] == [round(v, 4) for v in widget.core.sides["SBD"].z.tolist()]
    assert buffers[1] == widget.core.sides["SBD"].picture.tobytes()
    assert len(buffers[0]) == 32 * 32
    assert json.dumps(content, allow_nan=False)


def test_widget_shows_a_new_page_everything_and_changes_nothing(widget):
    before = widget.core.state()
    receive(widget, dict(type="hello"))
    assert widget.core.state() == before
    assert np.shape(widget.answers[0][0]["sides"][1]["grid"]) == (10, 31, 2)


def test_widget_answers_a_bad_event_too(widget):
    receive(widget, dict(type="latemt"))
    assert widget.answers[0][0]["type"] == "error"
    assert "latemt" in widget.answers[0][0]["text"]


def test_widget_hands_out_code_and_files(widget):
    for event in (dict(type="code"), dict(type="png"), dict(type="gif", model="SBD", latents=[1])):
        receive(widget, event)
    code, png, gif = widget.answers
    assert code[0]["text"] == widget.core.code()
    assert png[1][0].startswith(b"\x89PNG")
    assert gif[1][0].startswith(b"GIF89a")
    assert (png[0]["name"], gif[0]["name"]) == ("SBD-deconv.png", "SBD-z1.gif")


def test_file_names_are_such_that_every_system_takes():
    widget, answers = LatentExplorer({"a/b: c": small()}), []
    widget.send = lambda content, buffers=None: answers.append(content["name"])
    receive(widget, dict(type="png"))
    receive(widget, dict(type="gif", model="a/b: c", latents=[3, 0]))
    assert answers == ["a_b_c.png", "a_b_c-z3-z0.gif"]


def test_widget_hands_out_the_field_row_by_row(widget):
    receive(widget, dict(type="field", model="deconv", row=2))
    content, (pictures,) = widget.answers.pop()
    side = widget.core.sides["deconv"]
    assert (content["type"], content["row"], content["axes"]) == ("field", 2, list(side.axes))
    assert pictures == side.field_row(2, widget.core.span).tobytes()


def test_widget_is_short_in_text(widget):
    assert repr(widget) == "LatentExplorer(SBD, deconv)"


def test_names_of_every_kind_reach_the_page():
    widget = LatentExplorer({7: small(), "SBD": small(seed=1)})
    assert repr(widget) == "LatentExplorer(7, SBD)"
    assert [side["name"] for side in widget.spec["sides"]] == [7, "SBD"]
    assert json.loads(json.dumps(widget.spec))["im_size"] == 32


def test_an_answer_returns_to_the_page_that_asked(widget):
    message = dict(type="png", page="a", number=7, stamp=3)
    receive(widget, message)
    assert message == dict(type="png", page="a", number=7, stamp=3)  # the caller's own, unchanged
    content, _ = widget.answers.pop()
    assert (content["page"], content["number"], content["stamp"]) == ("a", 7, 3)


@pytest.mark.parametrize(
    "message",
    [
        dict(type="gif"),
        dict(type="gif", model="SBD"),
        dict(type="gif", model="SBD", latents=[4]),
        dict(type="gif", model="SBD", latents=[]),
        dict(type="gif", model="SBD", latents=[1, 1]),
        dict(type="field", model="SBD"),
        dict(type="field", model="SBD", row=7),
        dict(type="field", model="vae", row=0),
        dict(type=None),
        dict(type=["png"]),
        dict(type="slider", model="SBD", latent=1, value=None),
    ],
)
def test_every_bad_message_is_answered_in_a_sentence(widget, message):
    before = widget.core.state()
    receive(widget, {**message, "page": "a"})
    (content, buffers), *more = widget.answers
    assert content["type"] == "error"
    assert re.match(r"(\w+|the event .*) (is|does) ", content["text"])
    assert content["page"] == "a"
    assert buffers == more == []
    assert widget.core.state() == before


HUGE = "x" * 1_000_000
ODD = [
    *(None, True, False, -1, 2, 10**400, 1.5, float("nan"), float("inf"), -float("inf")),
    *("", "SBD", "x", "__class__", HUGE, [], [[[]]], [1], {}, {"type": "reset"}, {"a": HUGE}, b"z"),
]


def malformed(luck: random.Random):
    """A message that no page would send."""
    kind = luck.choice([*EVENTS, "hello", "gif", "field", "code", HUGE, "Reset"])
    names = ["model", "latent", "latents", "x", "y", "value", "row", "share", "page", "stamp", "u"]
    message = {"type": kind, **{name: luck.choice(ODD) for name in luck.sample(names, 3)}}
    if luck.random() < 0.2:
        message["type"] = luck.choice(ODD)
    if luck.random() < 0.2:
        del message["type"]
    return luck.choice(ODD) if luck.random() < 0.1 else message


def test_malformed_messages_are_answered_shortly_and_change_nothing(widget, caplog):
    """3,000 of them: as many answers, the state as it was, and nothing in the kernel's log."""
    luck = random.Random(0)
    before, refused = widget.core.state(), 0
    for _ in range(3000):
        message = malformed(luck)
        receive(widget, message)
        ((content, _),) = widget.answers
        widget.answers.clear()
        refused += content["type"] == "error"
        if content["type"] == "error":
            assert len(json.dumps(content, allow_nan=False)) < 1000
        else:  # by luck it was none
            assert message["type"] in (*EVENTS, "hello", "gif", "field", "code")
            receive(widget, dict(type="reset"))
            widget.answers.clear()
    assert refused > 2500
    receive(widget, dict(type="reset"))
    assert widget.core.state() == before
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "data",
    [
        *(None, 3, "custom", {}, {"method": "latemt"}, {"method": ["custom"]}, {"method": HUGE}),
        *({"method": "update", "state": {"spec": {}}}, {"method": "update"}),
    ],
)
def test_what_is_no_message_of_a_page_is_refused_and_sets_no_trait(widget, data):
    spec = widget.spec
    widget._handle_msg({"content": {"data": data}})
    ((content, _),) = widget.answers
    assert content["type"] == "error"
    assert re.match("method is .{,100}; it must be 'custom' or 'request_state'$", content["text"])
    assert widget.spec is spec


def test_a_failure_of_the_explorer_itself_is_answered_and_not_hidden(widget, monkeypatch):
    monkeypatch.setattr(widget.core, "handle", lambda event: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        receive(widget, dict(type="reset", page="a", number=1))
    ((content, _),) = widget.answers
    assert (content["type"], content["page"], content["number"]) == ("error", "a", 1)
    assert "its log says how" in content["text"]


def test_an_event_that_comes_twice_is_done_once(widget):
    """A page that got no answer in time sends again what it sent."""
    widget.conversation.accepted = []
    event = dict(type="prior", page="a", number=3)
    receive(widget, event)
    state = widget.core.state()
    receive(widget, event)
    (first, _), (second, _) = widget.answers
    assert widget.core.state() == state
    assert len(widget.conversation.accepted) == 1
    assert (second["type"], second["number"]) == ("view", 3)
    assert [side["z"] for side in second["sides"]] == [side["z"] for side in first["sides"]]
    receive(widget, {**event, "page": "b"})
    receive(widget, {**event, "number": 4})
    assert len(widget.conversation.accepted) == 3
    receive(widget, dict(type="axes", model="SBD", x=1, y=1, page="a", number=5))
    receive(widget, dict(type="axes", model="SBD", x=1, y=1, page="a", number=5))
    assert [content["type"] for content, _ in widget.answers[-2:]] == ["error", "error"]


def test_five_thousand_events_leave_memory_flat():
    widget = LatentExplorer(small(z_dim=2))
    widget.send = lambda content, buffers=None: None
    luck, used = random.Random(0), []
    for number in range(5000):
        y = luck.uniform(-2, 2)
        event = dict(type="slider", model="model", latent=1, value=y)
        if number % 10 == 0:
            event = dict(type="image", x=luck.uniform(8, 24), y=8 + abs(y))
        receive(widget, {**event, "page": f"{number % 500}", "number": number})
        if number in (1000, 4999):
            used.append(psutil.Process().memory_info().rss)
    assert used[1] - used[0] < 8 * 2**20


# The module


def test_sources_become_one_module_without_imports_and_with_one_export():
    sources = [(FOLDER / name).read_text(encoding="utf-8") for name in MODULES]
    joined = LatentExplorer._esm
    assert [line for line in joined.splitlines() if line.startswith(("import", "export"))] == [
        "export default { render };"
    ]
    exported = set()
    for source in sources:
        statements = re.findall(r"^import \{[^}]*\} from .*;$", source, re.MULTILINE)
        for statement in statements:
            assert set(re.findall(r"\w+", statement.partition("}")[0])[1:]) <= exported
            source = source.replace(statement, "")
        for line in source.splitlines():
            assert line.removeprefix("export ") in joined
        exported |= set(re.findall(r"^export (?:function|const|class) (\w+)", source, re.MULTILINE))
    names = re.findall(r"^(?:function|const|class|let) (\w+)", joined, re.MULTILINE)
    assert len(set(names)) == len(names) > 50  # one scope now


@pytest.mark.parametrize(
    ("pads", "line", "page", "joined"),
    [
        (
            "export const b = 1;\nexport function a() {}\n",
            'import { b } from "./pads.js";\nexport class C {}\n',
            'import { a, b } from "./pads.js";\nimport { C } from "./line.js";\na(b, C);\nexport default { a };\n',
            "const b = 1;\nfunction a() {}\nclass C {}\na(b, C);\nexport default { a };\n",
        ),
        (
            "export const a = 1;\n",
            "",
            'import {\n  a,\n} from "./pads.js";\na();\n',
            "const a = 1;\na();\n",
        ),
    ],
)
def test_modules_are_joined(pads, line, page, joined):
    assert join_modules({"pads.js": pads, "line.js": line, "page.js": page}) == joined


@pytest.mark.parametrize(
    ("pads", "page"),
    [
        ("export const a = 1;\n", 'import { a } from "./pads.js";\nimport b from "https://b";\n'),
        ('import c from "./c.js";\n', 'import { a } from "./pads.js";\n'),
        ('import { b } from "./page.js";\n', "export const b = 1;\n"),
        ("export const a = 1;\n", 'import * as a from "./pads.js";\n'),
    ],
)
def test_other_imports_are_refused(pads, page):
    with pytest.raises(ValueError, match=r"pa\w+\.js has 'import .*'; it may import from"):
        join_modules({"pads.js": pads, "page.js": page})
