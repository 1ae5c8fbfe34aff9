"""Calls across the gap: what comes back is what came, or it is refused. Both ends run in this process."""

import math
import random
import threading
from collections import namedtuple
from multiprocessing import Pipe

import numpy as np
import pytest
import torch

from grading.judge import may_get
from grading.peer import GoneError, Peer
from grading.wire import Decoder, Encoder, WireError, pack, unpack
from sbd_utils.checks import NotYet, call, differentiable, gradients

Pair = namedtuple("Pair", "first second")


class Own(ValueError):
    """A student's own exception."""


class Student:
    """Functions as students write them; the root of the far side."""

    def __init__(self):
        self.model = torch.nn.Sequential(
            torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
        )

    def same(self, value):
        return value

    def change(self, tensor, array, numbers, table):
        tensor.mul_(2)
        array[0] = 7
        numbers.pop()
        numbers[0] = "x"
        table["new"] = 1
        table["inner"][0] -= 1

    def scale(self, mean, logvar):
        return mean + (logvar / 2).exp(), "text", mean.detach()

    def pretend(self, z):
        return torch.tensor(z.tolist(), requires_grad=True)

    def slopes(self, model, images):
        return torch.autograd.grad(model(images).square().sum(), list(model.parameters()))

    def in_place(self, z):
        return z.pow_(2)

    def apply(self, function, values):
        with torch.no_grad():
            quiet = function(values)
        return function(values), quiet

    def fail(self, kind):
        raise {"value": ValueError("a"), "not": NotYet("b"), "exit": SystemExit(3), "own": Own("c"),
               "key": KeyError("d"), "unicode": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")}[kind]  # fmt: skip

    def train(self, model, optimizer, images):
        optimizer.zero_grad()
        loss = model.encoder(images).square().sum() + model(images).sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    def look(self, thing, names):
        for name in names:
            thing = getattr(thing, name)
        return repr(thing)

    def steal(self, thing, name):
        return thing.peer.ask("get", thing.number, name)

    def count(self, numbers):
        return list(numbers), next(numbers, "none")


class Model(torch.nn.Module):
    """As a test of the course's hands one to a training step."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = torch.nn.Linear(3, 2)
        self.decoder = torch.nn.Linear(2, 1)

    def forward(self, images):
        return self.decoder(self.encoder(images))


@pytest.fixture
def far():
    """The far side's root, seen from the judge."""
    ours, theirs = Pipe()
    student = Peer(theirs, "k", Student(), classes=[NotYet], shows_parameters=True)
    thread = threading.Thread(target=student.serve, daemon=True)
    thread.start()
    judge = Peer(ours, "j", None, may_get, 1000, [NotYet])
    yield judge.root
    judge.end()
    thread.join(60)
    assert not thread.is_alive()


VALUES = [
    None, True, 2**100, -0.0, math.inf, "日本 \udcff", 1 + 2j, b"ab", range(3), torch.float16,
    [1, (2.5, [None])], {"a": {1: (2,)}, (1, 2): "b"}, {1, 2}, np.float32(0.1), np.bool_(True),
    np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.zeros((0, 3), np.int8), np.array(5),
    np.array([1, "a", None], dtype=object), torch.arange(6).reshape(2, 3), torch.zeros(0, 2),
    torch.tensor(1.5, dtype=torch.bfloat16), torch.tensor([True, False]), torch.tensor([1 + 1j]),
]  # fmt: skip


def alike(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    return type(a) is type(b) and repr(a) == repr(b)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(value, far):
    assert alike(far.same(value), value)
    assert alike(far.same([value])[0], value)


def test_a_named_tuple_keeps_its_names(far):
    assert far.same(Pair(1, torch.ones(2))).second.sum() == 2
    theirs = far.model.load_state_dict(Student().model.state_dict())  # a class of torch's own
    assert theirs.missing_keys == theirs.unexpected_keys == []
    assert str(theirs) == "_IncompatibleKeys(missing_keys=[], unexpected_keys=[])"


LAYOUTS = {
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "sliced": torch.arange(12.0)[::3],
    "expanded": torch.arange(3.0)[:, None].expand(3, 4),
    "permuted": torch.rand(2, 3, 4, 5).permute(0, 3, 1, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tensor_lies_in_memory_as_it_did(layout, far):
    tensor = LAYOUTS[layout]
    back = far.same(tensor)
    assert back.stride() == tensor.stride()
    assert torch.equal(back, tensor)


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3).T, np.arange(12.0)[::2], np.eye(3)[:, [1, 0]][:, ::-1]]
)
def test_an_array_is_contiguous_where_it_was(array, far):
    back = far.same(array)
    assert np.array_equal(back, array)
    assert back.flags.c_contiguous == array.flags.c_contiguous
    assert back.flags.f_contiguous == array.flags.f_contiguous


def test_what_is_changed_in_place_is_changed_here(far):
    given = dict(tensor=torch.ones(2), array=np.zeros(2), numbers=[1, 2], table={"inner": [3]})
    far.change(*given.values())
    assert given["tensor"].tolist() == [2, 2]
    assert given["array"].tolist() == [7, 0]
    assert given["numbers"] == ["x"]
    assert given["table"] == {"inner": [2], "new": 1}


@pytest.mark.parametrize(
    "given", [differentiable(torch.rand(2, 2)), np.ones(2)], ids=["tensor", "array"]
)
def test_a_check_s_call_sees_that_an_argument_is_changed(given, far):
    change = (
        far.in_place
        if isinstance(given, torch.Tensor)
        else lambda z: far.change(torch.ones(1), z, [1, 2], {"inner": [1]})
    )
    with pytest.raises(NotYet, match="changes z"):
        call(change, z=given)


def test_gradients_reach_the_arguments(far):
    mean, logvar = (differentiable(torch.rand(3, 2, dtype=torch.float64)) for _ in range(2))
    weights = torch.rand(3, 2)
    result, text, detached = call(far.scale, mean=mean, logvar=logvar)
    found = gradients(result, [mean, logvar], weights)
    right = gradients(mean + (logvar / 2).exp(), [mean, logvar], weights)
    assert all(torch.allclose(a, b) for a, b in zip(found, right, strict=True))
    assert text == "text"
    assert not detached.requires_grad


def test_a_leaf_gathers_its_gradient(far):
    leaf = torch.rand(3, requires_grad=True)
    (2 * far.same(leaf)).sum().backward()
    assert leaf.grad.tolist() == [2, 2, 2]


def test_a_tensor_made_anew_has_no_gradient_to_its_argument(far):
    z = differentiable(torch.rand(2))
    result = far.pretend(z)
    assert result.requires_grad
    assert gradients(result, [z], torch.ones(2)) == [None]


def test_a_function_that_is_given_is_called_here(far):
    weight = torch.tensor(3.0, requires_grad=True)
    seen = []

    def measure(values):
        seen.append(values)
        return weight * values

    loud, quiet = far.apply(measure, torch.ones(2))
    assert loud.tolist() == quiet.tolist() == [3, 3]
    assert loud.requires_grad
    assert not quiet.requires_grad
    assert len(seen) == 2


def test_an_iterator_is_gone_through_once(far):
    assert far.count(iter([1, 2])) == ([1, 2], "none")


@pytest.mark.parametrize(
    ("kind", "expected", "text"),
    [
        ("value", ValueError, "a"),
        ("not", NotYet, "b"),
        ("exit", SystemExit, "3"),
        ("key", KeyError, "'d'"),
    ],
)
def test_an_exception_is_what_it_was(kind, expected, text, far):
    with pytest.raises(expected) as caught:
        far.fail(kind)
    assert type(caught.value) is expected
    assert str(caught.value) == text


def test_an_exception_of_one_s_own_keeps_its_name(far):
    with pytest.raises(ValueError, match="c") as caught:
        far.fail("own")
    assert type(caught.value).__name__ == "Own"
    with pytest.raises(RuntimeError, match="can't decode") as caught:
        far.fail("unicode")
    assert type(caught.value).__name__ == "UnicodeDecodeError"


def test_a_student_s_module_is_trained_from_here(far):
    model = far.model
    assert isinstance(model, torch.nn.Module)
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    here = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    here.load_state_dict(model.state_dict())
    ours = torch.optim.SGD(here.parameters(), lr=0.1)
    for _ in range(2):
        for network, steps in [(model, optimizer), (here, ours)]:
            steps.zero_grad()
            network(torch.ones(5, 3)).square().sum().backward()
            steps.step()
    there = model.state_dict()
    for name, value in here.state_dict().items():
        assert torch.allclose(there[name], value)
        assert not torch.equal(value, torch.zeros_like(value))


def test_gradients_of_a_module_are_there_whenever_it_is_asked(far):
    far.model(torch.ones(1, 3)).sum().backward()
    assert all(p.grad is not None for p in far.model.parameters())
    before = far.model.state_dict()
    far.model.load_state_dict({name: value + 1 for name, value in before.items()})
    assert torch.equal(next(iter(far.model.parameters())), before["0.weight"] + 1)


def test_gradients_are_had_of_parameters_that_are_asked_for_afterwards(far):
    images = torch.rand(5, 3)
    here = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    here.load_state_dict(far.model.state_dict())
    total = far.model(images).square().sum()
    there = torch.autograd.grad(total, list(far.model.parameters()))
    expected = torch.autograd.grad(here(images).square().sum(), list(here.parameters()))
    assert all(torch.allclose(a, b) for a, b in zip(there, expected, strict=True))
    assert all(p.grad is None for p in far.model.parameters())


def test_a_module_of_ours_is_trained_from_there(far):
    models = [Model(), Model()]
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.1) for model in models]
    images = torch.rand(4, 3)
    for _ in range(3):
        losses = [
            train(model, optimizer, images)
            for train, model, optimizer in zip(
                [far.train, Student().train], models, optimizers, strict=True
            )
        ]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for there, here in zip(*(model.parameters() for model in models), strict=True):
        assert torch.allclose(there, here)


def test_gradients_of_a_module_of_ours_are_had_of_what_is_asked_for_afterwards(far):
    model, images = torch.nn.Linear(3, 2), torch.rand(4, 3)
    for there, here in zip(far.slopes(model, images), Student().slopes(model, images), strict=True):
        assert torch.allclose(there, here)


def test_what_a_function_of_ours_computes_with_stays_here(far):
    """Of a module that is given its parameters are known; not of one inside a function."""
    hidden = torch.nn.Linear(3, 2)
    far.apply(lambda values: hidden(values).sum(), torch.rand(4, 3))
    known = object.__getattribute__(far, "peer").mirrors.all.values()
    assert all(parameter is not one for parameter in hidden.parameters() for one in known)


def test_after_an_end_parameters_are_forgotten_and_found_anew():
    ours, theirs = Pipe()
    student = Peer(theirs, "k", Student(), classes=[NotYet], shows_parameters=True)
    judge = Peer(ours, "j", None, may_get, 1000, [NotYet])
    for _ in range(2):
        thread = threading.Thread(target=student.serve, daemon=True)
        thread.start()
        model = judge.root.model
        model(torch.ones(1, 3)).sum().backward()
        slopes = [parameter.grad for parameter in model.parameters()]
        assert len(slopes) == 4
        assert all(slope is not None for slope in slopes)
        model.zero_grad()
        judge.end()
        thread.join(60)
        assert not thread.is_alive()
        assert [len(one.mirrors.all) for one in (student, judge)] == [0, 0]


SECRETS = [["__globals__"], ["__code__"], ["__closure__"], ["__self__"]]


@pytest.mark.parametrize("names", SECRETS, ids=repr)
@pytest.mark.parametrize(
    "thing", [lambda x: x, Model(), iter([1])], ids=["function", "module", "iterator"]
)
def test_what_is_given_gives_nothing_away(thing, names, far):
    with pytest.raises(AttributeError):
        far.look(thing, names)
    with pytest.raises(AttributeError, match="that can be had"):
        far.steal(thing, names[0])


@pytest.mark.parametrize("name", ["__dict__", "_parameters", "__class__"])
def test_a_module_has_what_is_public_alone(name, far):
    with pytest.raises(AttributeError, match="that can be had"):
        far.steal(Model(), name)
    with pytest.raises(AttributeError, match="that can be had"):
        far.steal(Model().forward, "__func__")


# What is no answer


def valid(answer: dict) -> bytes:
    return pack({"do": "answer", "mirrors": [], **answer}, [b"\0" * 8])


ARRAY = {"dtype": "<f8", "shape": [1], "buffer": 0}
TENSOR = {"dtype": "float64", "shape": [1], "buffer": 0}
WRONG = {
    "nothing": b"",
    "noise": b"\xff" * 100,
    "cut": valid({"result": 1})[:-1],
    "long": valid({"result": 1}) + b"x",
    "list": (2).to_bytes(8, "big") + b"[]",
    "deep": pack({"do": "answer", "mirrors": [], "result": eval("[" * 60 + "]" * 60)}, []),
    "tag": valid({"result": {"pickle": "x"}}),
    "two tags": valid({"result": {"list": [], "tuple": []}}),
    "objects": valid({"result": {"array": {**ARRAY, "dtype": "O"}}}),
    "records": valid({"result": {"array": {**ARRAY, "dtype": "i4,O"}}}),
    "shape": valid({"result": {"array": {**ARRAY, "shape": [-1]}}}),
    "larger": valid({"result": {"array": {**ARRAY, "shape": [10**9]}}}),
    "buffer": valid({"result": {"array": {**ARRAY, "buffer": -1}}}),
    "strides": valid({"result": {"tensor": {**TENSOR, "shape": [1, 1], "strides": [10**12, 1]}}}),
    "overlap": valid({"result": {"tensor": {**TENSOR, "strides": [-1]}}}),
    "slot": valid({"result": {"slot": 0}}),
    "yours": valid({"result": {"yours": 5}}),
    "mine": valid({"result": {"mine": {"number": "x"}}}),
    "mirror": valid({"result": {"mirror": "j0"}}),
    "parameter": pack({"do": "answer", "result": 1, "mirrors": [{"name": "j0", "values": TENSOR}]}, [b"\0" * 8]),
    "digits": valid({"result": 1}).replace(b'"result": 1', b'"result": 9'),
    "no mirrors": pack({"do": "answer", "result": 1}, []),
    "unknown": pack({"do": "format the disk", "mirrors": []}, []),
    "error": pack({"do": "answer", "mirrors": [], "error": [1]}, []),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_answer_is_refused(kind):
    ours, theirs = Pipe()
    judge = Peer(ours, "j", None, may_get, 1000, [NotYet])
    theirs.send_bytes(WRONG[kind])
    if kind == "unknown":
        theirs.send_bytes(valid({"result": 1}))
        assert judge.root.anything == 1
        assert "error" in unpack(list(iter_bytes(theirs))[1])[0]
    elif kind == "digits":
        assert judge.root.anything == 9
    else:
        with pytest.raises((GoneError, WireError)):
            _ = judge.root.anything


def iter_bytes(connection):
    while connection.poll():
        yield connection.recv_bytes()


def test_any_bytes_are_values_or_are_refused():
    """A thousand messages of which a few bytes were changed."""
    encoder = Encoder(lambda thing: {})
    entry = encoder.encode([1.5, {"a": (np.arange(3), torch.rand(2, 2).T)}, "text", [None, 2**70]])
    message = pack({"result": entry}, encoder.buffers)
    chance = random.Random(0)
    refused = 0
    for _ in range(1000):
        changed = bytearray(message)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(8, len(message))] = chance.choice(
                b'0123456789"[]{}:,-eaxA\xff'
            )
        try:
            header, buffers = unpack(bytes(changed))
            Decoder(buffers, lambda tag, content: None).decode(header.get("result"))
        except WireError:
            refused += 1
    assert 100 < refused < 1000


def test_whoever_asks_without_end_is_ended():
    ours, theirs = Pipe()
    judge = Peer(ours, "j", None, may_get, 5, [NotYet])
    for _ in range(6):
        theirs.send_bytes(
            pack({"do": "get", "number": 0, "given": {"list": ["a"]}, "mirrors": []}, [])
        )
    with pytest.raises(GoneError, match="too much"):
        _ = judge.root.anything
