"""Fixtures that several rooms of the grader share."""

import pytest

from tests.grading.helpers import without_running


@pytest.fixture
def full_marks():
    """Every notebook earns at once all marks that the machine gives."""
    with without_running():
        yield
