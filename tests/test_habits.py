"""What holds of all the code: documented, typed, seen by editors, whole in a wheel, run elsewhere as it is here."""

import ast
import doctest
import importlib
import inspect
import io
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jedi
import pytest
import yaml
from docutils import nodes
from docutils.core import publish_doctree
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from sphinx.ext.napoleon import Config, GoogleDocstring

from tests.selection import FIRST, POSIX, QUICK, SLOW, place

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted((ROOT / "sbd_utils").rglob("*.py"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

each_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "sbd_utils"))
)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


# Lines


def longer(path: Path, limit: int, kind: str = "") -> list[str]:
    """Lines that match a pattern and have more characters than that."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(ROOT)}:{number}: {len(line)}"
        for number, line in enumerate(lines, 1)
        if len(line) > limit and re.match(kind, line)
    ]


def test_no_line_of_the_library_has_more_than_100_characters():
    kinds = (".py", ".pyi", ".js", ".css", ".html")
    paths = [path for path in (ROOT / "sbd_utils").rglob("*") if path.suffix in kinds]
    assert {path.suffix for path in paths} == set(kinds)
    assert [line for path in paths for line in longer(path, 100)] == []


def test_no_line_of_prose_in_a_notebook_has_more_than_120_characters():
    """A row of a table is one line, however long it is."""
    paths = list((ROOT / "notebooks").rglob("[0-9]*.py"))
    assert len(paths) > 13
    prose = r"# (?![|%])"
    assert [line for path in paths for line in longer(path, 120, prose)] == []


# Docstrings


def docstrings(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of what documents a module or class, its public members and attributes."""
    yield prefix or "the module", ast.get_docstring(node) or ""
    for member, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(member, ast.ClassDef) and not member.name.startswith("_"):
            yield from docstrings(member, f"{prefix}{member.name}.")
        elif isinstance(member, ast.FunctionDef) and not re.match("_(?!_)", member.name):
            yield prefix + member.name, ast.get_docstring(member) or ""
        elif isinstance(member, ast.Assign | ast.AnnAssign):
            match after:
                case ast.Expr(ast.Constant(str(text))):
                    yield prefix + ast.unparse(member), inspect.cleandoc(text)


def messages(text: str) -> list[str]:
    """What docutils says of a docstring, as a book would show it."""
    settings = dict(report_level=1, halt_level=5, warning_stream=io.StringIO())
    tree = publish_doctree(str(GoogleDocstring(text, Config())), settings_overrides=settings)
    return [message.astext() for message in tree.findall(nodes.system_message)]


@each_source
def test_docstrings_can_be_set_as_pages(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name: messages(text) for name, text in docstrings(tree) if messages(text)} == {}


def test_a_docstring_that_cannot_be_set_is_noticed():
    assert messages("Numbers [N, *shape].")
    assert messages("A list:\n- one\n  two\n   three\n- four")
    assert not messages("Numbers.\n\nArgs:\n    x: [N], in pixels.\n\nRaises:\n    ValueError: No.")


FIRST_NAMES = [
    "Sprite",
    "draw_sprites",
    "plot_examples",
    "generate_spaced_coordinates",
    "circles_dataset",
    "VAE",
    "fit",
    "get_avg_variance",
    "get_smallest_pair",
    "encode_coordinates",
    "fit_geometry",
    "load_pretrained",
    "evaluate_circles",
]
"""What a student meets first."""


def examples(module) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [found for found in finder.find(module) if found.examples]


@each_source
def test_examples_give_what_they_say(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    for found in examples(importlib.import_module(name)):
        runner.run(found, out=report.write)
    assert runner.failures == 0, report.getvalue()


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_what_a_student_meets_first_has_an_example(name):
    import sbd_utils

    value = getattr(sbd_utils, name)
    found = examples(importlib.import_module(value.__module__))
    assert any(name in test.name.split(".") for test in found)


# Types and editors


def test_mypy_has_nothing_to_say():
    result = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_types_are_asked_for_everywhere():
    mypy = PROJECT["tool"]["mypy"]
    assert mypy["check_untyped_defs"]
    assert mypy["disallow_untyped_defs"]
    assert set(mypy["files"]) == {"sbd_utils", "grading"}
    assert "exclude" not in mypy
    for exception in mypy["overrides"]:
        assert set(exception) == {"module", "ignore_missing_imports"}
        assert not any(name.startswith(("sbd_utils", "grading")) for name in exception["module"])


def editor(source: str) -> jedi.Script:
    """What an editor knows of a file of this repository that ends where the cursor is."""
    return jedi.Script(source, path=ROOT / "notebooks" / "new.py", project=jedi.Project(ROOT))


def test_an_editor_completes_a_public_name():
    offered = {name.name for name in editor("from sbd_utils import VA").complete()}
    assert {"VAE", "VARIANTS"} <= offered


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("VAE", ["im_size", "in_channels", "decoder", "z_dim"]),
        ("fit", ["model", "dataset", "steps", "lr", "batch_size"]),
        ("get_avg_variance", ["model", "loader"]),
    ],
)
def test_an_editor_shows_the_parameters_and_the_docstring(name, parameters):
    [signature] = editor(f"from sbd_utils import {name}\n{name}(").get_signatures()
    assert [p.name for p in signature.params if p.name != "*"][: len(parameters)] == parameters
    [found] = editor(f"from sbd_utils import {name}\n{name}").goto(follow_imports=True)
    import sbd_utils

    assert inspect.cleandoc(getattr(sbd_utils, name).__doc__) in found.docstring()


# The wheel


def test_a_wheel_holds_the_whole_package(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", ".*", "node_modules")
    shutil.copytree(ROOT / "sbd_utils", tmp_path / "sbd_utils", ignore=ignored)
    sources = {p.relative_to(tmp_path).as_posix() for p in (tmp_path / "sbd_utils").rglob("*.*")}
    build = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        tmp_path / "out",
    ]
    subprocess.run([sys.executable, "-m", "pip", *build, tmp_path], check=True)
    [wheel] = (tmp_path / "out").glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("sbd_utils/")}
    assert held == sources
    assert {"sbd_utils/__init__.pyi", "sbd_utils/py.typed"} <= held
    assert {Path(name).suffix for name in held} >= {".py", ".js", ".css"}


# What runs the tests elsewhere


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())


def test_every_verb_of_make_has_a_rule():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    ruled = re.findall(r"^([a-z][a-z -]*):(?! ?[A-Z]+ :=)", makefile, re.MULTILINE)
    assert {name for names in ruled for name in names.split()} == targets()


def check_command(line: str) -> None:
    """Assert that a line of a shell calls nothing that is not there."""
    words = line.split()
    if words[0] == "make":
        verbs = [word for word in words[1:] if "=" not in word]
        assert verbs
        assert set(verbs) <= targets()
    elif line.startswith("python -m pip install "):
        assert (ROOT / words[words.index("-c") + 1]).is_file()
        extra = re.search(r'-e "\.\[(\w+)\]"', line)[1]
        assert extra in PROJECT["project"]["optional-dependencies"]
    elif line.startswith("python -m pytest "):
        known = [
            text.partition(":")[0] for text in PROJECT["tool"]["pytest"]["ini_options"]["markers"]
        ]
        asked = re.search(r'-m "(.*)"', line)[1]
        assert set(re.findall(r"\w+", asked)) - {"not", "and", "or"} <= set(known)
    else:
        script = ROOT / words[0]
        assert script.is_file()
        assert script.stat().st_mode & 0o111


@each_workflow
def test_a_workflow_calls_what_is_there(path):
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            if "uses" in step:
                known = "checkout|setup-python|cache|upload-pages-artifact|deploy-pages"
                action = rf"actions/({known})@v\d+"  # by major version
                assert re.fullmatch(action, step["uses"])
            else:
                for line in step["run"].splitlines():
                    check_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "make tset",
        "make",
        ".ci/walk",
        'python -m pytest -m "not quick"',
        "python -m pip install -c x",
    ],
)
def test_a_command_that_is_not_there_is_noticed(line):
    with pytest.raises((AssertionError, TypeError)):
        check_command(line)


def test_the_tests_run_on_three_systems_with_the_oldest_and_a_newer_python():
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))[
        "jobs"
    ]
    systems, pythons = set(), []
    for job in jobs.values():
        matrix = job["strategy"]["matrix"]
        systems |= set(matrix.get("os", [job["runs-on"]]))
        pythons.append(matrix["python"])
    assert systems == {"ubuntu-latest", "macos-latest", "windows-latest"}
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    for oldest, newest in pythons:
        assert allowed == SpecifierSet(f">={oldest}")
        assert newest in allowed
        assert newest != oldest


def test_continuous_integration_runs_every_test_and_a_commit_what_make_checks():
    assert "exec make test-all" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [local] = hooks["repos"]  # no other repository is needed
    assert local["repo"] == "local"
    assert "make check" in [hook["entry"] for hook in local["hooks"]]
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        check_command(hook["entry"])


# What `make test` leaves out


@pytest.mark.parametrize("table", [SLOW, QUICK, POSIX], ids=["slow", "quick", "posix"])
def test_what_is_marked_is_there(table):
    everything = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    for key, why in table.items():
        assert why
        if key.startswith("fixture "):
            assert f"\ndef {key.removeprefix('fixture ')}(" in everything, key
            continue
        file, _, test = key.partition("::")
        assert (ROOT / "tests" / file).exists(), key
        if test:
            assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), key


def test_what_takes_longest_starts_first():
    for name in FIRST:
        assert (ROOT / name).exists(), name
        assert place(f"{name}::test_x") == FIRST.index(name)
    assert place("tests/test_files.py::test_x") == len(FIRST)
    assert "--no-loadscope-reorder" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_notebooks_are_never_left_out():
    assert PROJECT["tool"]["pytest"]["ini_options"]["testpaths"] == ["tests", "notebooks"]
    assert not any("notebooks/" in key for key in SLOW)


def test_what_is_needed_to_build_is_there_for_the_tests():
    [needed] = map(Requirement, PROJECT["build-system"]["requires"])
    stated = map(Requirement, PROJECT["project"]["optional-dependencies"]["test"])
    assert needed in stated
