"""What all tests share: no windows, no left-over figures, the same random numbers in every run and order."""

import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _same_start():
    torch.manual_seed(0)
    yield
    plt.close("all")
