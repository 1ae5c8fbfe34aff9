"""The book is built once in a run of the tests, whichever process comes first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sbd_utils.files import locked
from tests import PATIENCE
from tests.book import serve
from tests.browser import ROOT, browser, open_page

SITE = ROOT / "build" / "book" / "html"


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site, built by `make book`; $SBD_BOOK names one that is there already."""
    if os.environ.get("SBD_BOOK"):
        return Path(os.environ["SBD_BOOK"])
    run = tmp_path_factory.getbasetemp()  # of this process; the one above it is all processes'
    done = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "book-is-built"
    with locked(done):
        if not done.exists():
            there = [
                word for mark in (".ready", ".book") for word in ("-o", f"{sys.prefix}/{mark}")
            ]
            environment = [f"VENV={sys.prefix}", *there]
            made = subprocess.run(
                ["make", "book", "ARGS=", *environment],  # those of `make test` are pytest's
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=3 * PATIENCE,  # npm, exports, pages: each may be slow
            )
            assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
            done.touch()
    return SITE


@pytest.fixture(scope="session")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def extra() -> dict[str, bytes]:
    """What tests put here, by path, the server hands out."""
    return {}


@pytest.fixture(scope="session")
def address(site, extra):
    """Where the site is served."""
    with serve(site, extra) as address:
        yield address


@pytest.fixture(scope="module")
def bare(request, chromium, address):
    """A page with the core that MAKE_CORE of the module makes, as `core`."""
    page = open_page(chromium)
    page.goto(address)
    page.evaluate(request.module.MAKE_CORE)
    yield page
    assert page.errors == []
    page.context.close()
