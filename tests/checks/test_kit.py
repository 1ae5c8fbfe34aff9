"""What every check is made of; and that no two mistakes give the same number."""

import functools

import numpy as np
import pytest
import torch

import sbd_utils
from sbd_utils import checks
from sbd_utils.checks import NotYet, kit
from tests.grading.answers import solution, tried

# Every check's mistakes

GRADED = {
    1: ["circle", "spaced_coordinates", "center_of_mass", "worst_error", "spectrum"],
    2: ["Decoder", "loss", "training_step", "multiply_adds", "square_weights"],
    3: ["average_variance", "informative_pair", "affine_fit", "alignment", "predictions"],
    4: ["paired_summary", "sign_test"],
    5: ["slot_masks", "log_likelihood", "two_indices", "scene_without"],
}
TASKS = [(number, task) for number, tasks in GRADED.items() for task in tasks]
FILES = [
    "pictures_from_factors",
    "the_broadcast",
    "which_latents_matter",
    "does_it_hold",
    "slots_by_hand",
]
WITH_MISTAKES = {
    "circle": 5,
    "center_of_mass": 8,
    "worst_error": 7,
    "spectrum": 8,
    "Decoder": 10,
    "loss": 13,
    "training_step": 11,
    "multiply_adds": 15,
    "square_weights": 2,
    "average_variance": 14,
    "affine_fit": 7,
    "alignment": 5,
    "paired_summary": 6,
    "sign_test": 5,
    "slot_masks": 9,
    "log_likelihood": 11,
    "two_indices": 8,
    "scene_without": 8,
}
"""The most that one comparison of the task's check can name."""


@pytest.mark.parametrize(("number", "task"), TASKS, ids=[task for _, task in TASKS])
def test_the_mistakes_of_a_check_differ_from_each_other_and_from_what_is_right(
    number, task, monkeypatch
):
    """By twice the tolerance, so that no number can be taken for two."""
    compared = []

    def same(got, right, what, mistakes=None, tolerance=1e-4, absolute=None):
        named = {"right": right, **(mistakes or {})}
        values = [kit.as_array(value) for value in named.values()]
        absolute = tolerance if absolute is None else absolute
        for i, one in enumerate(values):
            for j, other in enumerate(values[:i]):
                alike = kit.close(one, other, 2 * tolerance, 2 * absolute)
                assert not alike, (list(named)[i], list(named)[j], one)
        compared.append(len(values) - 1)
        kit.same(got, right, what, mistakes, tolerance, absolute)

    for file in FILES:
        monkeypatch.setattr(f"sbd_utils.checks.{file}.same", same)
    assert tried(number, task, solution(number, task)).visible is None
    assert max(compared, default=0) == WITH_MISTAKES.get(task, 0)


@pytest.mark.parametrize(("number", "task"), TASKS, ids=[task for _, task in TASKS])
def test_the_solution_passes(number, task, capsys):
    assert tried(number, task, solution(number, task)) == (None, None)
    assert f"{task}: the check found nothing wrong" in capsys.readouterr().out


# Sentences


@pytest.mark.parametrize(
    ("got", "right", "sentence"),
    [
        (34.66, 34.666667, "it is 34.66 where 34.67 is right"),
        (34.667, 34.666667, "it is 34.667 where 34.6667 is right"),
        (1 + 1e-12, 1.0, "it is 1.000000000001 where 1 is right"),
        (186384385, 186384384, "it is 186384385 where 186384384 is right"),
        (1e-9, 2e-9, "it is 1e-09 where 2e-09 is right"),
        ([1.0, 2.5], [1, 2], r"it is \[1, 2.5\] where \[1, 2\] is right"),
        ([0, 0, 0, 0, 3], [0, 0, 0, 0, 4], r"it: the number at \[4\] is 3 where 4 is right"),
        ([[0, 0, np.nan], [0, 9, 0]], np.zeros((2, 3)), r"the number at \[0, 2\] is nan"),
        ([1, 2, 3], [1, 2], r"it has shape \[3\] where \[2\] is asked for"),
        (torch.tensor([1.5]), [1], r"it is \[1.5\] where \[1\] is right"),
        ("word", 1, "it is 'word'; it must hold numbers"),
        (None, 1, "it is None; it must hold numbers"),
        ([[1], [1, 2]], 1, "it must hold numbers"),
        (torch.tensor(1j), 1, "it holds complex numbers"),
    ],
)
def test_a_difference_is_told_with_the_digits_that_differ(got, right, sentence):
    with pytest.raises(NotYet, match=sentence):
        checks.same(got, right, "it", tolerance=1e-15)


def test_tolerances_are_relative_and_absolute():
    checks.same(1e-9, 2e-9, "it")
    with pytest.raises(NotYet):
        checks.same(1e-9, 2e-9, "it", absolute=0)
    with pytest.raises(NotYet):
        checks.same(1e9, 1e9 + 1, "it", tolerance=0, absolute=0.5)


@pytest.mark.parametrize(
    "value",
    [3, 3.0, np.float32(3), np.array(3), np.array([3.0]), torch.tensor(3), torch.tensor([[3.0]])],
)
def test_a_number_is_one_in_any_form(value):
    assert checks.is_number(value, "it") == 3


@pytest.mark.parametrize("value", ["3", None, True, [1, 2], np.array([]), {}, float("nan")])
def test_what_is_no_number_is_told_so(value):
    with pytest.raises(NotYet, match=r"^it is"):
        checks.is_number(value, "it")


def test_arrays_and_tensors_are_told_apart():
    checks.is_array(np.zeros(3), (3,), "it")
    for wrong, sentence in [
        ([0, 0, 0], "it is a list; it must be a NumPy array"),
        (torch.zeros(3), "it is a torch tensor; it must be a NumPy array"),
        (np.zeros((3, 1)), r"it has shape \[3, 1\] where \[3\] is asked for"),
        (np.array(["a", "b", "c"]), "it holds <U1; it must hold numbers"),
        (np.array([1, np.inf, 0]), "it holds numbers that are not finite"),
    ]:
        with pytest.raises(NotYet, match=sentence):
            checks.is_array(wrong, (3,), "it")
    with pytest.raises(NotYet, match="it is a ndarray; it must be a torch tensor"):
        checks.is_tensor(np.zeros(3), (3,), "it")


def test_a_notebook_shows_the_sentence_alone():
    assert NotYet("the sign is wrong.")._render_traceback_() == ["Not yet: the sign is wrong."]


# What a caller gave


def test_arguments_are_compared_with_what_they_were():
    given = dict(
        tensor=torch.ones(2), array=np.ones(2), numbers=[1, 2], batches=[torch.ones(1)], word="x"
    )
    assert checks.call(lambda *arguments: len(arguments), **given) == 5
    for name, change in {
        "tensor": lambda t, a, n, b, w: t.mul_(2),
        "array": lambda t, a, n, b, w: a.sort() or a.fill(7),
        "numbers": lambda t, a, n, b, w: n.pop(),
        "batches": lambda t, a, n, b, w: b[0].zero_(),
    }.items():
        with pytest.raises(NotYet, match=f"your function changes {name},"):
            checks.call(change, **given)


def test_an_argument_that_is_changed_back_is_as_it_was():
    assert checks.call(lambda a: (a.__iadd__(1).sum(), a.__isub__(1))[0], a=np.ones(3)) == 6


def test_a_gradient_may_reach_nothing():
    z = torch.ones(2, 1, requires_grad=True)
    made_anew = torch.tensor(z.tolist(), requires_grad=True)
    assert checks.gradients(2 * made_anew, [z], torch.ones(2, 1)) == [None]
    assert checks.gradients(2 * z.detach(), [z], torch.ones(2, 1)) == [None]
    (found,) = checks.gradients(2 * z, [z], torch.tensor([[1.0], [3.0]]))
    assert found is not None
    assert found.tolist() == [[2], [6]]


# Taking away


def doubled(x, *, twice=True):
    return 2 * x


@torch.no_grad()
def without_gradient(x=3):
    return x


def counted(function):
    calls = []

    @functools.wraps(function)
    def inner(*args):
        calls.append(args)
        return function(*args) + 0 * len(calls)

    return inner


@counted
@counted
def decorated(x):
    return x


@functools.lru_cache
def remembered(x):
    return x


class Base:
    def __init__(self, x=1):
        self.x = x

    def method(self):
        return self.x

    @classmethod
    def made(cls):
        return cls(5).x

    @staticmethod
    def static():
        return 7


class Derived(Base):
    pass


MADE_BEFORE = Base(4)
CALLS = {
    doubled: lambda: doubled(2) / 2,
    without_gradient: lambda: without_gradient(2),
    decorated: lambda: decorated(2),
    decorated.__wrapped__: lambda: decorated.__wrapped__.__wrapped__(2),
    remembered: lambda: remembered(2),
    Base.method: lambda: MADE_BEFORE.method() - 2,
    MADE_BEFORE.method: lambda: Base(2).method(),
    Base.made: lambda: Base.made() - 3,
    Base.static: lambda: Base.static() - 5,
    Base: lambda: MADE_BEFORE.method() - 2,
    Derived: lambda: Derived(2).x,
}


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__qualname__)
def test_what_is_taken_away_cannot_be_called_and_is_there_again_afterwards(function):
    call = CALLS[function]
    assert call() == 2
    for error in (None, KeyError, KeyboardInterrupt):
        try:
            with checks.without(function):
                with pytest.raises(NotYet, match="you call the library's own function"):
                    call()
                if error:
                    raise error
        except (KeyError, KeyboardInterrupt):
            pass
        assert call() == 2
    assert "__init__" not in vars(Derived)


def test_taken_away_twice_is_given_back_once():
    with checks.without(doubled, doubled):
        with checks.without(doubled, Base, Derived), pytest.raises(NotYet):
            doubled(1)
        with pytest.raises(NotYet):
            doubled(1)
    assert doubled(1) == 2
    assert Derived(3).method() == 3


@pytest.mark.parametrize("given", [sbd_utils.Layers.masks, sbd_utils.Layers.masks.fget])
def test_a_property_is_taken_away_as_itself_and_by_its_getter(given):
    layers = sbd_utils.Layers(torch.zeros(1, 2, 1, 1, 1), torch.zeros(1, 2, 1, 1, 1))
    with checks.without(given), pytest.raises(NotYet):
        assert layers.masks is None
    assert layers.masks.flatten().tolist() == [0.5, 0.5]


@pytest.mark.parametrize("wrong", [3, len, np.add, int, "doubled"])
def test_what_cannot_be_taken_away_is_an_error_and_the_others_are_given_back(wrong):
    with pytest.raises(TypeError, match="cannot be taken away"), checks.without(doubled, wrong):
        pass
    assert doubled(1) == 2


def test_every_function_of_the_library_can_be_taken_away():
    for name in sbd_utils.__all__:
        value = getattr(sbd_utils, name)
        if callable(value):
            with checks.without(value):
                pass
    assert sbd_utils.VAE(im_size=32, channels=4, z_dim=3).config["z_dim"] == 3
