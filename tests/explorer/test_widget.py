"""What the explorer's widget answers, and the module it gives to the page, without a browser."""

import json
import re

import numpy as np
import pytest

from sbd_utils.explorer.widget import FOLDER, LatentExplorer, join_modules
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


def test_widget_answers_an_event_with_the_pictures(widget):
    widget.accepted = []
    event = dict(type="latent", model="SBD", x=0.5, y=1)
    widget._receive(widget, {**event, "stamp": 12.5}, [])
    content, buffers = widget.answers.pop()
    assert widget.accepted == [event]
    assert content["stamp"] == 12.5
    assert content["sides"][0]["z"] == [round(v, 4) for v in widget.core.sides["SBD"].z.tolist()]
    assert buffers[1] == widget.core.sides["SBD"].picture.tobytes()
    assert len(buffers[0]) == 32 * 32
    assert json.dumps(content, allow_nan=False)


def test_widget_shows_a_new_page_everything_and_changes_nothing(widget):
    before = widget.core.state()
    widget._receive(widget, dict(type="hello"), [])
    assert widget.core.state() == before
    assert np.shape(widget.answers[0][0]["sides"][1]["grid"]) == (10, 31, 2)


def test_widget_answers_a_bad_event_too(widget):
    with pytest.raises(ValueError, match="latemt"):
        widget._receive(widget, dict(type="latemt"), [])
    assert widget.answers[0][0]["type"] == "error"
    assert "latemt" in widget.answers[0][0]["text"]


def test_widget_hands_out_code_and_files(widget):
    for event in (dict(type="code"), dict(type="png"), dict(type="gif", model="SBD", latents=[1])):
        widget._receive(widget, event, [])
    code, png, gif = widget.answers
    assert code[0]["text"] == widget.core.code()
    assert png[1][0].startswith(b"\x89PNG")
    assert gif[1][0].startswith(b"GIF89a")
    assert (png[0]["name"], gif[0]["name"]) == ("SBD-deconv.png", "SBD-z1.gif")


def test_file_names_are_such_that_every_system_takes():
    widget, answers = LatentExplorer({"a/b: c": small()}), []
    widget.send = lambda content, buffers=None: answers.append(content["name"])
    widget._receive(widget, dict(type="png"), [])
    widget._receive(widget, dict(type="gif", model="a/b: c", latents=[3, 0]), [])
    assert answers == ["a_b_c.png", "a_b_c-z3-z0.gif"]


def test_widget_hands_out_the_field_row_by_row(widget):
    widget._receive(widget, dict(type="field", model="deconv", row=2), [])
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
    widget._receive(widget, message, [])
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
    with pytest.raises(ValueError, match=r"^\w+ is "):
        widget._receive(widget, {**message, "page": "a"}, [])
    (content, buffers), *more = widget.answers
    assert content["type"] == "error"
    assert content["page"] == "a"
    assert buffers == more == []
    assert widget.core.state() == before


# The module


def test_two_sources_become_one_module_without_imports_and_with_one_export():
    page, pads = ((FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", "pads.js"))
    joined = LatentExplorer._esm
    assert [line for line in joined.splitlines() if line.startswith(("import", "export"))] == [
        "export default { render };"
    ]
    (statement,) = re.findall(r'^import \{[^}]*\} from "./pads.js";$', page, re.MULTILINE)
    for line in (*page.replace(statement, "").splitlines(), *pads.splitlines()):
        if not line.startswith("export"):
            assert line in joined
    names = re.findall(r"\w+", statement.partition("}")[0])[1:]
    assert all(
        re.search(rf"^export (function|const) {name}\b", pads, re.MULTILINE) for name in names
    )


@pytest.mark.parametrize(
    ("page", "pads", "joined"),
    [
        (
            'import { a, b } from "./pads.js";\na(b);\nexport default { a };\n',
            "export const b = 1;\nexport function a() {}\n",
            "const b = 1;\nfunction a() {}\na(b);\nexport default { a };\n",
        ),
        (
            'import {\n  a,\n} from "./pads.js";\na();\n',
            "export const a = 1;\n",
            "const a = 1;\na();\n",
        ),
    ],
)
def test_modules_are_joined(page, pads, joined):
    assert join_modules(page, pads) == joined


@pytest.mark.parametrize(
    ("page", "pads"),
    [
        ("a();\n", "export const a = 1;\n"),
        ('import { a } from "./pads.js";\nimport b from "https://b";\n', ""),
        ('import { a } from "./pads.js";\n', 'import c from "./c.js";\n'),
        ('import { a } from "./pads.js";\nimport { b } from "./pads.js";\n', ""),
    ],
)
def test_other_imports_are_refused(page, pads):
    with pytest.raises(ValueError, match=r'imports from "./pads.js", once'):
        join_modules(page, pads)
