"""The ways in: make, conda, pip; what they promise, and that the tree is clean by ruff."""

import ast
import csv
import importlib.metadata
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from sbd_utils import read_curves, read_rows
from tests import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def make(*arguments, folder: Path = ROOT, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=own_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def own_environment(**more) -> dict[str, str]:
    """This environment without what an outer make says to an inner one, its ARGS among it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "ARGS" and not name.startswith(("MAKE", "MFLAGS"))
    } | more


# Versions


def test_continuous_integration_uses_the_torch_that_is_stated():
    assert pinned()["torch"] == "2.13.0"


def test_exact_versions_lie_within_the_bounds():
    stated = [
        Requirement(line) for lines in [PROJECT["dependencies"], *EXTRAS.values()] for line in lines
    ]
    for requirement in stated:
        if canonicalize_name(requirement.name) != canonicalize_name(PROJECT["name"]):
            assert requirement.specifier, f"{requirement} has no bound"
            assert pinned()[canonicalize_name(requirement.name)] in requirement.specifier, (
                requirement
            )


def test_every_package_that_is_installed_for_the_tests_is_pinned():
    assert needed("test") - pinned().keys() == set()


def test_whatever_is_imported_comes_with_what_is_installed_for_the_tests():
    """But for the book, whose packages are set up apart."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True)
    texts = [
        path for path in listed.stdout.split() if not re.match(r"(tests|tools)/book/|docs/", path)
    ]
    origins, installed = importlib.metadata.packages_distributions(), needed("test")
    missing = {}
    for path in texts:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in (name.split(".")[0] for name in names):
                sources = {canonicalize_name(origin) for origin in origins.get(name, ())}
                if sources and not sources & (installed | {canonicalize_name(PROJECT["name"])}):
                    missing.setdefault(name, path)
    assert missing == {}


def needed(extra: str) -> set[str]:
    """What an extra that is installed needs, directly or not."""
    found, todo = set(), [(canonicalize_name(PROJECT["name"]), frozenset({extra}))]
    seen = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen or name.startswith(
            ("nvidia-", "cuda-", "triton")
        ):  # torch itself pins these
            continue
        seen.add((name, extras))
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if not requirement.marker or any(
                requirement.marker.evaluate({"extra": e}) for e in ["", *extras]
            ):
                todo.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return found - {canonicalize_name(PROJECT["name"])}


def test_conda_gives_python_and_pip_and_leaves_the_rest_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, nested = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert pip == "pip"
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert version in SpecifierSet(PROJECT["requires-python"])
    extra = re.fullmatch(r"--editable \.\[(\w+)\]", nested["pip"][1])[1]
    assert nested["pip"] == ["--constraint constraints.txt", f"--editable .[{extra}]"]
    assert extra in EXTRAS


def test_the_same_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    newest = re.search(
        r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert newest == PROJECT["version"]


def test_the_readme_maps_every_notebook_with_its_minutes():
    """To read, and with exercises if the notebook says how long they take; the rooms: test_layers."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    minutes = {}
    for text in sorted((ROOT / "notebooks").glob("[0-9]*.py")):
        source = text.read_text(encoding="utf-8")
        said = re.search(r"Time\W+(\d+) min\w+ to \w+(?:, (\d+) more for the exercises)?", source)
        with_exercises = str(int(said[1]) + int(said[2])) if said[2] else ""
        minutes[text.stem] = (said[1], with_exercises)
    row = re.compile(r"^\|.*\(notebooks/(\w+)\.ipynb\).*\| (\d+) \| (\d*) ?\|$", re.MULTILINE)
    assert {stem: (read, whole) for stem, read, whole in row.findall(readme)} == minutes


def test_the_readme_tells_of_the_pictured_networks_what_their_records_say():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pair = ("vae_circles_bw", "vae_deconv_circles_bw")
    records = [ROOT / "pretrained" / f"{name}.json" for name in pair]
    sbd, deconv = (json.loads(path.read_text(encoding="utf-8"))["scores"] for path in records)
    assert sbd["recipe"] == deconv["recipe"] == "wide"
    used = [scores["informative_latents"] for scores in (sbd, deconv)]
    straight = [f"{scores['similarity_r2']:.2f}" for scores in (sbd, deconv)]
    errors = [f"{scores['squared_error']:.1f}" for scores in (sbd, deconv)]
    assert f"| {used[0]} | {used[1]}, two are shown |" in readme
    assert f"| R² of a square grid, turned freely | {straight[0]} | {straight[1]} |" in readme
    assert f"| squared error of an image | {errors[0]} | {errors[1]} |" in readme


def test_the_readme_tells_where_the_other_decoder_does_better():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    evidence = ROOT / "pretrained" / "evidence"
    own = read_rows(evidence / "deconv_own_circles.csv")
    rows = read_rows(evidence / "seeds_circles_fp32.csv")
    fast = [row for row in rows if (row.recipe, row.decoder) == ("fast", "sbd")]
    assert len(own) == 5
    assert max(row.affine_r2 for row in own) < 0.15
    in_time = {}  # the last score of each seed within 300 processor-seconds
    for point in read_curves("deconv_own_circles"):
        if point.processor_seconds <= 300:
            in_time[point.seed] = point.squared_error
    assert np.median([row.processor_seconds for row in fast]) == pytest.approx(300, rel=0.02)
    linear = [row.linear_r2 for row in own]
    assert f"tell x and y linearly with R² {min(linear):.2f} to {max(linear):.2f};" in readme
    spreads = []
    for errors in (list(in_time.values()), [row.squared_error for row in fast]):
        spreads.append(f"{min(errors):.1f} to {max(errors):.1f}, median {np.median(errors):.1f}")
    assert (
        f"squared error within 300 processor-seconds {spreads[0]}, against {spreads[1]}." in readme
    )


def test_the_readme_tells_what_plain_training_gives():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    rows = read_rows(ROOT / "pretrained" / "evidence" / "plain_circles.csv")
    by_run = {(row.recipe, row.seed, row.decoder): row for row in rows}
    pairs = []
    for recipe in ("plain-beta1", "plain-beta4"):
        for seed in range(1, 6):
            pairs.append([by_run[recipe, seed, decoder] for decoder in ("sbd", "deconv")])
    assert all(deconv.squared_error < sbd.squared_error for sbd, deconv in pairs)
    sbds, deconvs = zip(*pairs, strict=True)
    least, most = min(row.affine_r2 for row in sbds), max(row.affine_r2 for row in deconvs)
    assert f"affine map {least:.3f} or more, and the deconv's in none, {most:.2f} or less" in readme
    errors = []
    for group in (deconvs, sbds):
        values = [row.squared_error for row in group]
        errors.append(f"{min(values):.1f} to {max(values):.1f}")
    assert f"at every seed, squared error {errors[0]} against {errors[1]}." in readme


def test_the_words_about_latency_follow_from_their_tables():
    said = " ".join((ROOT / "pretrained" / "README.md").read_text(encoding="utf-8").split())

    def read(name):
        path = ROOT / "pretrained" / "evidence" / f"{name}.csv"
        with open(path, encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row["prompt_server"] == "True"]

    def span(column, rows, **chosen):
        kept = [row for row in rows if all(row[key] == value for key, value in chosen.items())]
        values = [float(row[column]) for row in kept]
        return f"{min(values):.0f} to {max(values):.0f}"

    for name in ("explorer_latency", "explorer_latency_one_core"):
        rows = [row for row in read(name) if row["model"] != "squares"]
        elsewhere = span("median", [row for row in rows if row["page"] != "lab"])
        assert (
            f"medians are {elsewhere} ms in Voilà, on the page alone and in the book, "
            f"{span('median', rows, page='lab')} in JupyterLab." in said
        )
    rows = read("explorer_latency")
    kernel = [row for row in rows if row["page"] != "book"]
    held = [row for row in kernel if row["control"] != "circle"]
    assert f"the decoders take {span('core', held)} ms" in said
    most = max(float(row["core"]) for row in kernel)
    assert f"is drawn and encoded, too: up to {most:.0f};" in said
    assert f"both decoders in the book {span('core', rows, page='book', model='both')})" in said
    ways = [span("way", rows, page=page) for page in ("voila", "lab")]
    assert f"{ways[0]} in Voilà and {ways[1]} in JupyterLab" in said
    assert f"which the processor paints, {span('frame', rows)}." in said
    pair, squares = (span("median", rows, page="book", model=name) for name in ("both", "squares"))
    assert f"follows within {pair} ms" in said
    assert f"whose SBD has 32, within {squares}." in said
    assert max(float(row["median"]) for row in rows) <= 40
    assert max(float(row["p95"]) for row in rows) <= 80


def test_the_readme_does_not_call_luck_a_result():
    """How upright the pictured grid is among all grids of an SBD."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    off_the_axes = {}
    for table in ("seeds_circles", "confirmation_circles"):
        for row in read_rows(ROOT / "pretrained" / "evidence" / f"{table}.csv"):
            if row.decoder == "sbd":
                turn = row.angle_mod_90
                off_the_axes[row.recipe, row.seed] = min(turn, 90 - turn)
    nearest = sorted(off_the_axes, key=off_the_axes.__getitem__)
    assert ("wide", 2) in nearest[:2]
    assert f"one of the two most upright of {len(nearest)}" in readme


# make


@pytest.fixture
def clone(tmp_path):
    """The files that decide whether an environment is up to date, and one that is."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    ready = tmp_path / ".venv" / ".ready"
    ready.parent.mkdir()
    ready.touch()
    return tmp_path


def test_set_up_is_done_once(clone):
    import resource  # not on Windows

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert make(".venv/.ready", "--question", folder=clone).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 1


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_set_up_is_done_anew_when_the_versions_change(clone, changed):
    later = time.time() + 5
    os.utime(clone / changed, (later, later))
    assert make(".venv/.ready", "--question", folder=clone).returncode == 1


def test_what_only_the_book_needs_is_set_up_with_the_book(clone):
    lab, book = (make(target, "--dry-run", folder=clone).stdout for target in ("lab", "book"))
    assert "'.[book]'" in book
    assert "'.[book]'" not in lab
    assert not any(line.startswith("onnx") for line in EXTRAS["test"])


def python_that_says(version: tuple[int, ...], folder: Path) -> Path:
    """An executable that takes itself for another version of Python, and can do nothing but `-c`."""
    path = folder / "python-that-says"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] || {{ echo "asked for $*"; exit 3; }}\n'
        f'exec "{sys.executable}" -c "import sys; sys.version_info = {version}; $2"\n'
    )
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_is_refused_in_plain_words(clone):
    (clone / ".venv" / ".ready").unlink()
    result = make("lab", f"PYTHON={python_that_says((3, 10, 12), clone)}", folder=clone)
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed" in result.stderr
    assert "make PYTHON=" in result.stderr
    assert "asked for" not in result.stdout


def test_the_oldest_python_that_is_promised_is_accepted(clone):
    (clone / ".venv" / ".ready").unlink()
    assert PROJECT["requires-python"] == ">=3.11"
    result = make("lab", f"PYTHON={python_that_says((3, 11, 0), clone)}", folder=clone)
    assert "asked for -m venv .venv" in result.stdout
    assert "is needed" not in result.stderr


def test_a_python_that_is_not_there_is_refused_in_plain_words(clone):
    (clone / ".venv" / ".ready").unlink()
    result = make("lab", "PYTHON=no-such-python", folder=clone)
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed, and 'no-such-python' is not" in result.stderr


def test_lab_opens_the_first_notebook(tmp_path):
    """Started as a reader starts it, but for a browser that only writes down what it is asked to open."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(
        f'#!/bin/sh\ncp "${{1#file://}}" "{opened}.part" && mv "{opened}.part" "{opened}"\n'
    )
    browser.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The environment of this test stands in for the one in the clone, whichever it is, and counts as set up.
    arguments = [
        f"VENV={sys.prefix}",
        "-o",
        f"{sys.prefix}/.ready",
        f"ARGS=--port {port} --ip 127.0.0.1 --allow-root",
    ]
    with open(tmp_path / "log", "w") as log:
        lab = subprocess.Popen(
            ["make", "lab", *arguments],
            cwd=ROOT,
            env=own_environment(BROWSER=str(browser)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(opened.exists, lab, tmp_path / "log")
        url = urlsplit(re.search(r'href="([^"]+)"', opened.read_text(encoding="utf-8"))[1])
        assert (url.port, url.path) == (port, "/lab/tree/notebooks/00_start_here.ipynb")
        notebook = json.loads(
            fetch(url._replace(path="/api/contents/notebooks/00_start_here.ipynb"))
        )
        assert notebook["type"] == "notebook"
        assert notebook["content"]["cells"][0]["cell_type"] == "markdown"
        assert b"JupyterLab" in fetch(url)
    finally:
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(timeout=PATIENCE)
    wait_until(lambda: not answers(port))


def fetch(url) -> bytes:
    with urllib.request.urlopen(urlunsplit(url), timeout=PATIENCE) as response:
        return response.read()


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(
    true,
    process: subprocess.Popen | None = None,
    log: Path | None = None,
    seconds: float = PATIENCE,
) -> None:
    """Wait for `true()`; fail with the log if it takes too long or the process has ended before."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end or (process and process.poll() is not None):
            pytest.fail(
                log.read_text(encoding="utf-8") if log else f"still not so after {seconds} s"
            )
        time.sleep(0.1)


# Style


@pytest.mark.parametrize(
    "arguments", [["check"], ["format", "--check", "--diff"]], ids=["lint", "format"]
)
def test_ruff_has_nothing_to_say(arguments):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_bounds_are_plain_lower_bounds():
    """What is newer is allowed: the exact versions that were tried are in constraints.txt."""
    for line in [line for lines in [PROJECT["dependencies"], *EXTRAS.values()] for line in lines]:
        for specifier in Requirement(line).specifier:
            assert specifier.operator == ">="
            assert Version(specifier.version) <= Version(
                pinned()[canonicalize_name(Requirement(line).name)]
            )
