"""The report on an installation: what it says when all is well, and when anything is not."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from sbd_utils import installation, installation_report
from sbd_utils.files import CorruptFileError
from sbd_utils.installation import (
    MODULES,
    Check,
    needs_package,
    needs_python,
    needs_two_threads,
    report,
)

ROOT = Path(__file__).resolve().parents[1]
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return installation_report(ROOT).splitlines()


def test_here_everything_runs(lines):
    assert lines[-2:] == ["", "Everything runs."]
    assert all(line.startswith("OK    ") for line in lines[:-2])


def test_every_package_that_a_notebook_imports_has_a_line(lines):
    """With the lowest version that pyproject.toml states."""
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
    imported = {n for path in notebooks for n in IMPORT.findall(path.read_text(encoding="utf-8"))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lab = project["optional-dependencies"]["lab"]
    bounds = dict(line.split(">=") for line in [*project["dependencies"], *lab])
    known = {MODULES.get(name, name): (name, low) for name, low in bounds.items()}
    needed = {known[name] for name in imported & known.keys()}
    assert len(needed) >= 4
    for name, low in needed:
        assert f"OK    {name} imports, new enough ({low} or later)" in lines


def test_nothing_asks_for_more_than_the_machine_has(lines):
    assert len(lines) == len(set(lines))
    assert len(lines) < 20  # a screen


@pytest.mark.parametrize(
    ("test", "because"),
    [
        (lambda: needs_package("no_such_package", "1.0"), "No module named 'no_such_package'"),
        (lambda: needs_package("torch", "99.0"), f"version {torch.__version__} is installed"),
        (lambda: needs_package("pillow", "99.0"), "version"),
        (lambda: needs_python("99.0"), "this is Python 3."),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(test, because):
    fine = Check("a thing that is there", lambda: None, "nothing")
    lines = report([fine, Check("a thing", test, "get it")]).splitlines()
    assert lines[0] == "OK    a thing that is there"
    assert lines[1] == "FAIL  a thing"
    assert lines[2].startswith(f"      because: {because}")
    assert lines[3:] == [
        "      to do: get it",
        "",
        "1 to do, then restart the kernel and run this again.",
    ]


def test_a_wrong_convolution_is_noticed_and_the_threads_are_as_before(monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda *_: torch.zeros(3))
    with pytest.raises(RuntimeError, match="a sum of 144 ones came out as something else"):
        needs_two_threads()
    assert torch.get_num_threads() == threads


def test_damaged_weights_are_a_line_with_the_way_out(monkeypatch):
    def damaged(name):
        raise CorruptFileError(f"{name} is cut off")

    monkeypatch.setattr(installation, "load_pretrained", damaged)
    told = installation_report(ROOT)
    assert "FAIL  the weights vae_circles_bw are there and whole\n" in told
    assert "because: vae_deconv_circles_bw is cut off\n" in told
    assert "git checkout pretrained" in told
    assert told.endswith("2 to do, then restart the kernel and run this again.")


@pytest.mark.parametrize("content", [None, "not TOML [", '[project]\nname = "x"\n'])
def test_outside_a_clone_or_in_a_broken_one_it_says_where_to_open_it(tmp_path, content):
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content, encoding="utf-8")
    told = installation_report(tmp_path)
    assert told.startswith("FAIL  pyproject.toml says which versions are needed\n      because: ")
    assert "open the notebooks where they lie in a clone of the course" in told


def test_another_package_of_the_project_changes_nothing(tmp_path, lines):
    """Such as one that only a page of its own needs, and that does not tell its version."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    more = text.replace('"numpy>=2.0"', '"numpy>=2.0", "no-such-package>=1.0"')
    assert more != text
    (tmp_path / "pyproject.toml").write_text(more, encoding="utf-8")
    assert installation_report(tmp_path).splitlines() == lines


def test_the_versions_are_those_of_the_clone(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    raised = text.replace('"numpy>=2.0"', '"numpy>=99.0"')
    assert raised != text
    (tmp_path / "pyproject.toml").write_text(raised, encoding="utf-8")
    assert "FAIL  numpy imports, new enough (99.0 or later)\n" in installation_report(tmp_path)
