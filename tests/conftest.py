"""What all tests share: no windows, no left-over figures, the same random numbers in every run and order."""

import sys

import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt
from nbval.plugin import IPyNbCell

from tests import PATIENCE
from tests.selection import POSIX, QUICK, SLOW, listed, place

matplotlib.use("Agg")

# They cannot even be imported there.
collect_ignore = ["book", "browser", "grading"] if sys.platform == "win32" else []


def pytest_configure(config):
    config.option.nbval_kernel_startup_timeout = PATIENCE


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: place(item.nodeid))  # stable: within a file nothing changes
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = PATIENCE  # nbval gives a busy machine 5 seconds
        fixtures = getattr(item, "fixturenames", [])  # a notebook's cell has none
        if listed(SLOW, item.nodeid, fixtures) and not listed(QUICK, item.nodeid, []):
            item.add_marker("slow")
        if listed(POSIX, item.nodeid, fixtures):
            item.add_marker("posix")


@pytest.fixture(autouse=True)
def _same_start():
    torch.manual_seed(0)
    yield
    plt.close("all")
