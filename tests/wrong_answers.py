# ruff: noqa: E501 (a wrong answer stands on one line)
"""Wrong answers to the assignments' tasks, as students give them, and what the grader says to each.

    python -m tests.wrong_answers        grades them all and prints the table: answer, mark, message

An answer is (what is wrong, a part of what the grader must say, the code of the cell). Several share a submission.
"""

import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "notebooks" / "assignments"))

import grade  # noqa: E402 (the path is set first)
import release  # noqa: E402

WRONG: dict[str, dict[str, list[tuple[str, str, str]]]] = {}

CIRCLE = """
def circle(x, y, size, img_size):
    at = (torch.arange(16 * img_size) + 0.5) / 16
    inside = (at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 <= (size / 2) ** 2
    return inside.float().reshape(img_size, 16, img_size, 16).mean((1, 3))
"""
COORDINATES = """
def spaced_coordinates(low, high, num_points, levels):
    fixed = np.repeat(np.linspace(low, high, levels), num_points)
    along = np.tile(np.linspace(low, high, num_points), levels)
    labels = np.repeat(np.arange(2 * levels), num_points)
    return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels
"""
CENTER = """
def center_of_mass(images):
    height, width = images.shape[1:]
    x = (images.sum(1) * (torch.arange(width) + 0.5)).sum(1)
    y = (images.sum(2) * (torch.arange(height) + 0.5)).sum(1)
    return torch.stack([x, y], 1) / images.sum((1, 2))[:, None]
"""
ERROR = """
def worst_error(render, measure, positions, img_size=64):
    images = torch.stack([render(x, y, 10, img_size) for x, y in positions.tolist()])
    return (measure(images) - positions).norm(dim=1).max().item()
"""
SPECTRUM = """
def spectrum(images):
    flat = images.flatten(1)
    variances = torch.linalg.svdvals(flat - flat.mean(0)).square()
    return variances / variances.sum()
"""


def edit(code: str, old: str, new: str) -> str:
    """A right answer with a part of it replaced; the part must be there."""
    if old not in code:
        raise ValueError(f"{old!r} is not in\n{code}")
    return code.replace(old, new)


WRONG["1_pictures_from_factors"] = {
    "circle": [
        ("x and y swapped", "x and y are swapped", edit(CIRCLE, "(x, y, size", "(y, x, size")),
        ("corners for middles", "half a pixel", edit(CIRCLE, "+ 0.5) / 16", "- 7.5) / 16")),
        ("radius for diameter", "diameter, not the radius", edit(CIRCLE, "(size / 2)", "size")),
        ("hard edge", "the edge must be soft", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).round()")),
        ("0 ... 255", "goes up to 255", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)) * 255")),
        ("2 x 2 points in a pixel", "only 5 grey levels", CIRCLE.replace("16", "2")),
        ("upside down", "upside down", edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).flip(0)")),
        ("blurred", "neither black nor white", """
def circle(x, y, size, img_size):
    at = torch.arange(img_size) + 0.5
    distance = ((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2).sqrt()
    return torch.sigmoid(2 * (size / 2 - distance))
"""),
        ("the library's function", "taken away", """
def circle(x, y, size, img_size):
    return render_batch("ellipse", x, y, size, img_size=img_size)[0, 0]
"""),
        ("hard-coded for 32 pixels", "circle(8, 8.5, 3, 16) has shape", edit(CIRCLE, "    at = ", "    img_size = 32\n    at = ")),
        ("a centre outside is moved to the frame", "a pixel is off by", edit(CIRCLE, "    at = ", "    x = max(x, 0)\n    at = ")),
    ],
    "spaced_coordinates": [
        ("y first", "your grid has y first", edit(COORDINATES, "np.concatenate([fixed, along]), np.concatenate([along, fixed])", "np.concatenate([along, fixed]), np.concatenate([fixed, along])")),
        ("the last point left out", "not at high", COORDINATES.replace("high, num_points)", "high, num_points, endpoint=False)").replace("high, levels)", "high, levels, endpoint=False)")),
        ("num_points and levels swapped", "Did you swap num_points and levels?", edit(COORDINATES, "num_points, levels):", "levels, num_points):")),
        ("labels from 1", "start at 1", edit(COORDINATES, "np.arange(2 * levels)", "np.arange(1, 2 * levels + 1)")),
        ("labels start again", "labels end at 2", edit(COORDINATES, "np.repeat(np.arange(2 * levels), num_points)", "np.tile(np.repeat(np.arange(levels), num_points), 2)")),
        ("points of a line apart", "do not follow one another", edit(COORDINATES, "    return", "    fixed, along = (v.reshape(levels, num_points).T.ravel() for v in (fixed, along))\n    labels = np.concatenate([np.tile(np.arange(levels), num_points), np.tile(np.arange(levels), num_points) + levels])\n    return")),
        ("the library's function", "taken away", "from sbd_utils.datasets import generate_spaced_coordinates as spaced_coordinates"),
        ("hard-coded bounds", "xx of spaced_coordinates(0, 1, 5, 3)", edit(COORDINATES, "    fixed", "    low, high = 10.0, 50.0\n    fixed")),
        ("a single line in the middle", "xx of spaced_coordinates(-3.5, 7, 4, 1)", edit(COORDINATES, "np.linspace(low, high, levels)", "np.linspace(low, high, levels) if levels > 1 else [(low + high) / 2]")),
    ],
    "center_of_mass": [
        ("x and y swapped", "x and y are swapped", edit(CENTER, "stack([x, y]", "stack([y, x]")),
        ("corners for middles", "half a pixel too small", CENTER.replace(" + 0.5", " + 0.0")),
        ("not divided by the light", "divide by the light", edit(CENTER, " / images.sum((1, 2))[:, None]", "")),
        ("divided by the batch's light", "divide by its own light", edit(CENTER, "images.sum((1, 2))[:, None]", "images.sum()")),
        ("average over the batch", "averages over the batch", edit(CENTER, "    height", "    images = images.mean(0, keepdim=True).expand_as(images)\n    height")),
        ("brightest pixel", "brightest pixel", """
def center_of_mass(images):
    at = images.flatten(1).argmax(1)
    return torch.stack([at % images.shape[2], at // images.shape[2]], 1) + 0.5
"""),
        ("lit pixels counted alike", "each counts by its brightness", edit(CENTER, "    height", "    images = (images > 0).float()\n    height")),
        ("thinks images are square", "size of tensor", edit(CENTER, "height, width = images.shape[1:]", "height = width = images.shape[1]")),
    ],
    "worst_error": [
        ("mean for maximum", "average distance", edit(ERROR, ".max()", ".mean()")),
        ("largest coordinate", "in one coordinate", edit(ERROR, ".norm(dim=1)", ".abs()")),
        ("signs kept", "differences have signs", edit(ERROR, ".norm(dim=1)", "")),
        ("squared", "take the root", edit(ERROR, ".norm(dim=1)", ".square().sum(1)")),
        ("x alone", "x alone", edit(ERROR, ".norm(dim=1)", "[:, 0].abs()")),
        ("root mean square", "root mean square", edit(ERROR, ".max()", ".square().mean().sqrt()")),
("image size fixed", "render got img_size 64", edit(ERROR, "10, img_size)", "10, 64)")),
    ],
    "spectrum": [
        ("not centred", "subtract the mean image", edit(SPECTRUM, " - flat.mean(0)", "")),
        ("centred along the wrong axis", "own mean brightness", edit(SPECTRUM, "flat.mean(0)", "flat.mean(1, keepdim=True)")),
        ("singular values for variances", "variances are their squares", edit(SPECTRUM, ".square()", "")),
        ("ascending", "the smallest comes first", edit(SPECTRUM, "variances.sum()", "variances.sum()\n    return shares.flip(0)").replace("return var", "shares = var")),
        ("variances, not shares", "divide", edit(SPECTRUM, "return variances / variances.sum()", "return variances / len(flat)")),
        ("cumulative", "cumulative", edit(SPECTRUM, "variances.sum()", "variances.sum()\n    return shares.cumsum(0)").replace("return var", "shares = var")),
        ("hard-coded", "spectrum of 50 images", "def spectrum(images):\n    return torch.tensor([0.8, 0.2, 0, 0])"),
    ],
}  # fmt: skip


def submissions(assignment: str) -> list[dict[str, tuple[str, str, str]]]:
    """All wrong answers of an assignment, one per task and submission, at least one task in each left right."""
    tasks = WRONG[assignment]
    left = {task: list(answers) for task, answers in tasks.items()}
    made: list[dict] = []
    while any(left.values()):
        right = min(left, key=lambda task: len(left[task]))  # the task with the fewest answers to go stays right
        made.append({task: answers.pop(0) for task, answers in left.items() if answers and task != right})
    return made


def notebook_with(assignment: str, answers: dict[str, str]):
    """The solved notebook with the code of some tasks replaced."""
    notebook = release.read_source(assignment)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def write_all(folder: Path) -> dict[tuple[str, str], dict]:
    """Write every submission into a folder of its own; (student, assignment) -> its wrong answers by task."""
    written = {}
    for assignment in WRONG:
        for number, answers in enumerate(submissions(assignment)):
            student = f"wrong-{number:02}"
            (folder / student).mkdir(exist_ok=True)
            notebook = notebook_with(assignment, {task: code for task, (_, _, code) in answers.items()})
            nbformat.write(notebook, folder / student / f"{assignment}.ipynb")
            written[student, assignment] = answers
    return written


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        written = write_all(folder / "in")
        results = grade.grade_folder(folder / "in", folder / "out", 2, grade.CELL_SECONDS, grade.TOTAL_SECONDS)
    lines = []
    for result in results:
        for task in result["tasks"]:
            wrong = written[result["student"], result["assignment"]].get(task["task"])
            if wrong:
                lines.append(
                    (result["assignment"][0], task["task"], wrong[0], task["mark"], task["possible"], task["reason"])
                )
    for number, name, what, mark, possible, reason in sorted(lines):
        print(f"{number} {name:20} {what:40} {mark:g} of {possible:g}  {reason}")
    print(f"{len(lines)} wrong answers, {sum(line[3] < line[4] for line in lines)} got less than full marks")


if __name__ == "__main__":
    main()
