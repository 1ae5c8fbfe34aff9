"""What the tests of the grader share."""

import nbformat

from grading import assignments, release

NAMES = assignments.names()
FIRST = NAMES[0]


def machine_tasks(name: str) -> dict[str, float]:
    """Points of the tasks that are graded by machine."""
    cells = [cell for cell in assignments.read_source(name).cells if assignments.is_test(cell)]
    return {assignments.task_name(cell): cell.metadata["nbgrader"]["points"] for cell in cells}


def released(name: str) -> nbformat.NotebookNode:
    """What students get."""
    return release.read_assignment(name).released


def hidden_lines(name: str) -> list[str]:
    """Lines of an assignment's hidden tests that stand nowhere else in it."""
    text = "\n".join(cell.source for cell in assignments.read_source(name).cells)
    elsewhere = assignments.HIDDEN.sub("", text)
    regions = assignments.HIDDEN.findall(text)
    lines = {line.strip() for region in regions for line in region.splitlines()}
    return [line for line in sorted(lines) if len(line) > 20 and line not in elsewhere]
