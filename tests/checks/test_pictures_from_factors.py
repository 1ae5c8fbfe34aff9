"""Assignment 1: right answers in other forms pass; wrong ones are told what is wrong."""

import pytest

from tests.checks.cells import edit, solution, told

CIRCLE, COORDINATES, CENTER, ERROR, SPECTRUM = (
    solution(1, task)
    for task in ["circle", "spaced_coordinates", "center_of_mass", "worst_error", "spectrum"]
)
IMPORTED_CIRCLE = "\n\nimport sbd_utils\n\ndef circle(x, y, size, img_size):\n    return "
RETURNED = "return np.concatenate([fixed, along]), np.concatenate([along, fixed]), labels"

RIGHT = {
    "by NumPy": (
        "circle",
        edit(CIRCLE, "inside.float()", "torch.from_numpy(inside.numpy().astype(np.float32))"),
    ),
    "in float64": ("circle", edit(CIRCLE, ".mean((1, 3))", ".double().mean((1, 3)).float()")),
    "with a gradient": (
        "circle",
        edit(CIRCLE, ".mean((1, 3))", ".mean((1, 3)).requires_grad_()"),
    ),
    "in float32": (
        "spaced_coordinates",
        edit(
            COORDINATES,
            RETURNED,
            "return tuple(np.concatenate(v).astype(np.float32) for v in ([fixed, along], [along, fixed], [labels]))",
        ),
    ),
    "a list of arrays": ("spaced_coordinates", edit(COORDINATES, RETURNED, f"return list(({RETURNED[7:]}))")),
    "rows of an array": ("spaced_coordinates", edit(COORDINATES, RETURNED, f"return np.stack(({RETURNED[7:]}))")),
    "float64 result": ("center_of_mass", edit(CENTER, "    height", "    images = images.double()\n    height")),
    "scaled first": (
        "center_of_mass",
        edit(CENTER, "    height", "    images = images / images.amax((1, 2), keepdim=True)\n    height"),
    ),
    "one image at a time": (
        "worst_error",
        """
def worst_error(render, measure, positions, img_size=64):
    worst = 0.0
    for x, y in positions:
        found = measure(render(x=x, y=y, size=10, img_size=img_size)[None])[0]
        worst = max(worst, ((found[0] - x) ** 2 + (found[1] - y) ** 2) ** 0.5)
    return worst
""",
    ),
    "in float64, as a tensor": (
        "worst_error",
        edit(edit(ERROR, "- positions)", "- positions.double())"), ".max().item()", ".max()"),
    ),
    "eigenvalues in float64": (
        "spectrum",
        """
def spectrum(images):
    flat = images.flatten(1).double()
    flat = flat - flat.mean(0)
    values = torch.linalg.eigvalsh(flat @ flat.T).flip(0).clamp(0)[: min(flat.shape)]
    return values / values.sum()
""",
    ),
    "by NumPy, in float64": (
        "spectrum",
        """
def spectrum(images):
    flat = images.flatten(1).numpy().astype(float)
    values = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2
    return torch.tensor(values / values.sum())
""",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("task", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_in_another_form_passes(task, answer):
    assert told(1, task, answer) is None


CHANGED = "your function changes {}, which its caller may still need"
WRONG = {
    # changed in place
    "images divided": ("center_of_mass", CHANGED.format("images"), edit(CENTER, "    height", "    images /= images.sum((1, 2), keepdim=True)\n    height")),
    "positions subtracted": ("worst_error", CHANGED.format("positions"), edit(ERROR, "return (measure(images) - positions)", "positions -= measure(images)\n    return positions")),
    "mean subtracted from a view": ("spectrum", CHANGED.format("images"), edit(edit(SPECTRUM, "flat - flat.mean(0)", "flat"), "    variances", "    flat -= flat.mean(0)\n    variances")),
    # scales
    "a ramp over the edge": (
        "circle",
        "the distance to the edge tells no area: circle(8.5, 8.5, 0.5, 16) covers 0.20 of a pixel, yours 0.75.",
        """
def circle(x, y, size, img_size):
    at = torch.arange(img_size) + 0.5
    distance = ((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2).sqrt()
    return (size / 2 - distance + 0.5).clamp(0, 1)
""",
    ),
    "a little light added": ("center_of_mass", "of the same images with 1e-06 times the light", edit(CENTER, "images.sum((1, 2))[:, None]", "(images.sum((1, 2))[:, None] + 1e-8)")),
    "a little variance added": ("spectrum", "of the same images with 0.0001 times the light", edit(SPECTRUM, "variances.sum()", "(variances.sum() + 1e-8)")),
    # types
    "lists": ("spaced_coordinates", "xx is a list; it must be a NumPy array", edit(COORDINATES, RETURNED, f"return tuple(v.tolist() for v in ({RETURNED[7:]}))")),
    "tensors": ("spaced_coordinates", "xx is a torch tensor; it must be a NumPy array", edit(COORDINATES, RETURNED, f"return tuple(torch.tensor(v) for v in ({RETURNED[7:]}))")),
    "labels as words": ("spaced_coordinates", "labels holds <U21; it must hold numbers", edit(COORDINATES, "labels\n", "labels.astype(str)\n")),
    "two arrays": ("spaced_coordinates", "three arrays are asked for", edit(COORDINATES, ", labels\n", "\n")),
    "float64 circle": ("circle", "holds torch.float64; torch.float32 is asked for", edit(CIRCLE, "inside.float()", "inside.double()")),
    "a word for a number": ("worst_error", "worst_error is '5'; it must be a number", "def worst_error(render, measure, positions, img_size=64):\n    return '5'"),
    "a number for a tensor": ("center_of_mass", "is a float; it must be a torch tensor", "def center_of_mass(images):\n    return 4.5"),
    # taken away
    "the library's kernel": ("circle", "you call the library's own function", IMPORTED_CIRCLE + 'sbd_utils.draw_circles(torch.tensor([[x, y]]), img_size)[0, 0]'),
}  # fmt: skip


@pytest.mark.parametrize(("task", "sentence", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task, sentence, answer):
    assert sentence in told(1, task, answer, hidden=False)


def test_a_disc_of_half_a_pixel_is_tried_when_it_is_graded():
    ramp = WRONG["a ramp over the edge"][2]
    wider = edit(
        ramp, "return (", "if img_size == 16:\n        return exact(x, y, size)\n    return ("
    )
    exact = edit(
        CIRCLE,
        "circle(x: float, y: float, size: float, img_size: int)",
        "exact(x, y, size, img_size=16)",
    )
    assert "circle(5.5, 3.5, 0.5, 9): a pixel is off by 0.55" in told(
        1, "circle", f"{exact}\n{wider}"
    )
