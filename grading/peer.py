"""Calls from one process into another, in both directions, with gradients through them.

Each of two processes has a `Peer`. A function or an object of the other side is a `Proxy` here:
calling it, or asking it for an attribute, sends a message and waits for the answer; while it waits,
a peer serves what the other side asks for in turn, such as a call of a function that it was given.

- *Arguments* are copied. What the function changed in place is copied back, so that the caller
  sees it. Results are copied, too; a `Parameter` of a module is mirrored: its numbers and its
  gradient are brought up to date with every message, in both directions.
- *Gradients*: an argument that needs one is a leaf on the other side, which keeps the graph from
  there to the result. Here the result hangs on a `torch.autograd.Function`, whose `backward` asks
  the other side for the gradients of that call's arguments and of the mirrored parameters.
- *Exceptions* arrive as what they were if Python has them, else as a class of the same name.

What the other side may ask for is decided by `may_get`; what it sends is held to be false until
`wire` has found it well-formed.
"""

import builtins
import itertools
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from grading.wire import MOST_BYTES, PLAIN_NAME, Decoder, Encoder, WireError, expect, pack, unpack

MOST_GRAPHS = 300
"""Kept for gradients; the oldest go first."""
LONGEST_TEXT = 2_000
"""Characters of an exception's text."""


class GoneError(ConnectionError):
    """The other side has ended, or says what makes no sense."""


class Channel(Protocol):
    """What carries messages."""

    def send_bytes(self, buf: bytes) -> None:
        """Send one."""

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for one."""

    def close(self) -> None:
        """End it."""


class Proxy:
    """A function or an object of the other side."""

    def __init__(self, peer: "Peer", number: int, about: dict[str, Any]) -> None:
        """Made by `Peer` alone."""
        object.__setattr__(self, "peer", peer)
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "about", about)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return self.peer.call(self.number, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """Its attribute; a method is called over there, too."""
        if name in ("__name__", "__qualname__") and self.about.get("name"):
            return self.about["name"]
        if name.startswith("__"):  # NumPy, torch and copy ask for many
            raise AttributeError(f"a {type(self).__name__} of another process has no {name}")
        return self.peer.ask("get", self.number, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set it over there."""
        self.peer.ask("set", self.number, name, value)

    def __iter__(self) -> Iterator[Any]:
        """Go through it, one message for each item."""
        items = self.peer.ask("method", self.number, "__iter__")
        while True:
            try:
                item = self.peer.ask("method", _number(items), "__next__")
            except StopIteration:
                return
            yield item

    def __next__(self) -> Any:
        """The next item of an iterator."""
        return self.peer.ask("method", self.number, "__next__")

    def __len__(self) -> int:
        """How many items it has."""
        try:
            return int(self.peer.ask("method", self.number, "__len__"))
        except AttributeError:  # list() would not go on
            raise TypeError(f"a {type(self).__name__} has no len()") from None

    def __getitem__(self, key: Any) -> Any:
        """One of its items."""
        return self.peer.ask("method", self.number, "__getitem__", key)

    def __repr__(self) -> str:
        """It has no text of its own here."""
        return f"<{type(self).__name__} in another process>"


def _number(proxy: Any) -> int:
    """Of a proxy. Not by isinstance, which may ask the proxy for its class."""
    expect(issubclass(type(proxy), Proxy), "it is no iterator")
    return int(object.__getattribute__(proxy, "number"))


class Peer:
    """One end of a connection."""

    def __init__(
        self,
        channel: "Channel | Connection",
        side: str,
        root: Any = None,
        may_get: Callable[[Any, str], bool] = lambda thing, name: True,
        most_served: float = math.inf,
        classes: Sequence[type[BaseException]] = (),
        shows_parameters: bool = False,
    ) -> None:
        """Begin to talk.

        Args:
            channel: To the other side.
            side: A letter, not that of the other side.
            root: What the other side gets to begin with.
            may_get: Whether it may have this attribute of a thing it was given.
            most_served: Questions of the other side, in all.
            classes: Exceptions that both sides know, beyond Python's own.
            shows_parameters: Whether the other side gets to know every parameter that a result was
                computed from, so that it can ask for gradients later; else those of the module
                that it called.
        """
        self.channel = channel
        self.side = side
        self.may_get = may_get
        self.shows_parameters = shows_parameters
        self.most_served = most_served
        self.classes = {kind.__name__: kind for kind in classes}
        self.things: list[Any] = [root]
        self.numbers: dict[int, int] = {}  # by id; `things` keeps them alive
        self.proxies: dict[int, Proxy] = {}
        self.graphs: dict[int, tuple[list[Tensor], list[Tensor]]] = {}
        self.mirrors = Mirrors(side)
        self.anchor = torch.zeros((), requires_grad=True)  # makes results need gradients
        self.lock = threading.RLock()  # a student may use threads
        self.calls = 0
        self.served = 0
        self.ended = False

    @property
    def root(self) -> Proxy:
        """What the other side gives to begin with."""
        return self._proxy(0, {"kind": "object", "class": "Root"})

    # Asking

    def call(self, number: int, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call a thing of the other side."""
        given = [list(args), kwargs]
        wants_gradient = torch.is_grad_enabled()
        with self.lock, torch.no_grad():
            encoder = Encoder(self.refer)
            header = {
                "do": "call",
                "number": number,
                "given": encoder.encode(given),
                "gradient": wants_gradient,
            }
            header["slots"] = [encoder.tensor(slot) for slot in encoder.slots]
            parameters = self.mirrors.parameters() if wants_gradient else {}
            header["parameters"] = list(parameters)
            answer, buffers = self._exchange(header, encoder.buffers)
            self._copy_back(answer, buffers, given)
            outputs = self._tensors(answer, buffers, "slots")
            others = self._others(answer)
        if outputs and wants_gradient:
            inputs = [self.anchor, *encoder.slots, *parameters.values(), *others]
            graph = answer.get("graph")
            outputs = list(_Remote.apply(self, graph, outputs, *inputs))
        return Decoder(buffers, self.resolve, outputs).decode(answer.get("result"))

    def ask(self, what: str, number: int, *given: Any) -> Any:
        """Get or set an attribute of a thing of the other side, or call its method."""
        with self.lock, torch.no_grad():
            encoder = Encoder(self.refer)
            header = {"do": what, "number": number, "given": encoder.encode(list(given))}
            header["slots"] = [encoder.tensor(slot) for slot in encoder.slots]
            answer, buffers = self._exchange(header, encoder.buffers)
            outputs = [t.requires_grad_() for t in self._tensors(answer, buffers, "slots")]
            return Decoder(buffers, self.resolve, outputs).decode(answer.get("result"))

    def gradients(self, graph: Any, grads: Sequence[Tensor | None]) -> list[Tensor | None]:
        """What the other side gives for the inputs of a call, given what reaches its outputs."""
        with self.lock:
            encoder = Encoder(self.refer)
            header = {"do": "backward", "graph": graph, "given": encoder.encode(list(grads))}
            answer, buffers = self._exchange(header, encoder.buffers)
            result = Decoder(buffers, self.resolve).decode(answer.get("result"))
        expect(isinstance(result, list), "gradients are no list")
        return result

    def end(self) -> None:
        """Tell the other side to serve no longer, for now; parameters and graphs are forgotten."""
        self._send({"do": "end"}, [])
        self._forget()

    def _forget(self) -> None:
        self.mirrors.forget()
        self.graphs.clear()

    # Messages

    def _exchange(
        self, header: dict[str, Any], buffers: list[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Send a question; its answer. What the other side asks in between is served."""
        if self.ended:
            raise GoneError("the answer's process has ended")
        try:
            self._send(header, buffers)
            while True:
                answer, buffers = self._receive()
                if answer.get("do") != "answer":
                    expect(self.served < self.most_served, "it asks for too much")
                    self._serve(answer, buffers)
                elif "error" in answer:
                    break
                else:
                    return answer, buffers
        except (OSError, EOFError, WireError) as error:
            self.ended = True
            self.channel.close()
            reason = str(error) or type(error).__name__
            raise GoneError(f"what came back was no answer: {reason}") from None
        raise self._exception(answer["error"])

    def _send(self, header: dict[str, Any], buffers: list[bytes]) -> None:
        encoder = Encoder(self.refer)
        encoder.buffers = list(buffers)
        header["mirrors"] = self.mirrors.news(encoder)
        self.channel.send_bytes(pack(header, encoder.buffers))

    def _receive(self) -> tuple[dict[str, Any], list[bytes]]:
        header, buffers = unpack(self.channel.recv_bytes(MOST_BYTES))
        self.mirrors.take(header.get("mirrors"), Decoder(buffers, self.resolve))
        return header, buffers

    def _tensors(self, message: dict[str, Any], buffers: list[bytes], name: str) -> list[Tensor]:
        entries = message.get(name, [])
        expect(isinstance(entries, list), "tensors are no list")
        decoder = Decoder(buffers, self.resolve)
        tensors = [decoder.decode({"tensor": entry}) for entry in entries]
        floating = all(t.is_floating_point() or t.is_complex() for t in tensors)
        expect(floating, "whole numbers have no gradient")
        return tensors

    def _others(self, answer: dict[str, Any]) -> list[torch.nn.Parameter]:
        """Parameters that had a part in a call, of which this side did not know before."""
        names = answer.get("others", [])
        expect(isinstance(names, list), "parameters are no list")
        return [self.mirrors.find(name) for name in names]

    def _copy_back(self, answer: dict[str, Any], buffers: list[bytes], given: list[Any]) -> None:
        if "changed" in answer:
            slots = self._tensors(answer, buffers, "changed_slots")
            changed = Decoder(buffers, self.resolve, slots).decode(answer["changed"])
            copy_into(given, changed)

    # Serving

    def serve(self) -> None:
        """Serve until the other side says that it is enough, or has ended."""
        while True:
            try:
                message, buffers = self._receive()
            except (OSError, EOFError, WireError):
                self.ended = True
                return
            if message.get("do") == "end":
                self._forget()
                return
            self._serve(message, buffers)

    def _serve(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Do what is asked for, and answer."""
        self.served += 1
        encoder = Encoder(self.refer)
        try:
            with torch.no_grad():
                answer = self._answer(message, buffers, encoder)
        except (GoneError, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit, too, is the answer of a student's function
            encoder, answer = Encoder(self.refer), {"error": _told(error)}
        try:
            self._send({"do": "answer", **answer}, encoder.buffers)
        except WireError as error:
            self._send({"do": "answer", "error": _told(error)}, [])

    def _answer(
        self, message: dict[str, Any], buffers: list[bytes], encoder: Encoder
    ) -> dict[str, Any]:
        what = message.get("do")
        slots = self._tensors(message, buffers, "slots")
        if what == "call":
            return self._call(message, buffers, slots, encoder)
        given = Decoder(buffers, self.resolve, slots).decode(message.get("given"))
        expect(isinstance(given, list), "nothing is given")
        if what == "backward":
            return {"result": encoder.encode(self._backward(message.get("graph"), given))}
        thing, (name, *values) = self._thing(message.get("number")), given
        allowed = isinstance(name, str) and self.may_get(thing, name)
        if not allowed:
            raise AttributeError(f"there is no {name!r} that can be had from here")
        if what == "get":
            result = getattr(thing, name)
        elif what == "set":
            setattr(thing, name, *values)
            result = None
        else:
            expect(what == "method", "nothing known is asked for")
            result = getattr(thing, name)(*values)
        answer = {"result": encoder.encode(result)}
        answer["slots"] = [encoder.tensor(slot) for slot in encoder.slots]
        return answer

    def _call(
        self,
        message: dict[str, Any],
        buffers: list[bytes],
        slots: list[Tensor],
        encoder: Encoder,
    ) -> dict[str, Any]:
        """Call a thing; keep the graph from its arguments to its result."""
        function = self._thing(message.get("number"))
        is_leaf = [entry.get("leaf") for entry in message.get("slots", [])]
        leaves = [slot.requires_grad_() for slot in slots]
        with torch.enable_grad():  # a leaf must not be changed in place: what is none here is none
            pairs = zip(leaves, is_leaf, strict=True)
            slots = [leaf if is_one else leaf.clone() for leaf, is_one in pairs]
        given = Decoder(buffers, self.resolve, slots).decode(message.get("given"))
        expect(isinstance(given, list) and len(given) == 2, "nothing is given")
        before = self._snapshot(given)
        with torch.set_grad_enabled(bool(message.get("gradient"))):
            result = function(*given[0], **given[1])
        answer: dict[str, Any] = {"result": encoder.encode(result)}
        outputs = list(encoder.slots)
        answer["slots"] = [encoder.tensor(slot) for slot in outputs]
        if outputs:
            parameters = [self.mirrors.find(key) for key in message.get("parameters", [])]
            others = self._unknown(function, outputs, parameters)
            answer["others"] = [self.mirrors.refer(other)["mirror"] for other in others]
            answer["graph"] = self._keep(outputs, [*leaves, *parameters, *others])
        if self._snapshot(given) != before:
            encoder.slots = []
            answer["changed"] = encoder.encode(given)
            answer["changed_slots"] = [encoder.tensor(slot) for slot in encoder.slots]
        return answer

    def _unknown(
        self, function: Any, outputs: list[Tensor], parameters: list[torch.nn.Parameter]
    ) -> list[torch.nn.Parameter]:
        """Parameters that outputs were computed from, and that the other side did not name."""
        own = function.parameters() if isinstance(function, torch.nn.Module) else []
        may_know = {id(parameter) for parameter in own}
        named = {id(parameter) for parameter in parameters}
        return [
            leaf
            for leaf in leaves_of(outputs)
            if isinstance(leaf, torch.nn.Parameter)
            and id(leaf) not in named
            and (self.shows_parameters or id(leaf) in may_know)
        ]

    def _snapshot(self, given: list[Any]) -> tuple[Any, list[bytes]]:
        """What tells whether something was changed: numbers, lengths, shapes, not gradients."""
        encoder = Encoder(self.refer)
        entry = encoder.encode(given)
        for slot in encoder.slots:
            encoder.tensor(slot)
        return entry, encoder.buffers

    def _keep(self, outputs: list[Tensor], inputs: list[Tensor]) -> int:
        self.calls += 1
        self.graphs[self.calls] = (outputs, inputs)
        if len(self.graphs) > MOST_GRAPHS:
            del self.graphs[min(self.graphs)]
        return self.calls

    def _backward(self, graph: Any, grads: list[Any]) -> list[Tensor | None]:
        """Gradients of a call's inputs; those of other parameters are added up where they are."""
        expect(isinstance(graph, int) and graph in self.graphs, "there is no such graph")
        outputs, inputs = self.graphs[graph]
        known = {id(tensor) for tensor in inputs}
        others = [leaf for leaf in leaves_of(outputs) if id(leaf) not in known]
        reached = zip(outputs, grads, strict=True)
        pairs = [(output, grad) for output, grad in reached if grad is not None]
        found = torch.autograd.grad(
            [output for output, _ in pairs],
            [*inputs, *others],
            [grad for _, grad in pairs],
            retain_graph=True,
            allow_unused=True,
        )
        for leaf, grad in zip(others, found[len(inputs) :], strict=True):
            if grad is not None:
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad
        return list(found[: len(inputs)])

    # What does not travel

    def refer(self, thing: Any) -> dict[str, Any]:
        """The entry of a thing that stays here, or that came from the other side."""
        if issubclass(type(thing), Proxy):
            return {"yours": _number(thing)}
        if isinstance(thing, torch.nn.Parameter):
            return self.mirrors.refer(thing)
        if id(thing) not in self.numbers:
            self.numbers[id(thing)] = len(self.things)
            self.things.append(thing)
        kind = "module" if isinstance(thing, torch.nn.Module) else "object"
        name = getattr(thing, "__name__", None)
        about = {
            "number": self.numbers[id(thing)],
            "kind": kind,
            "class": type(thing).__name__,
            "name": name if isinstance(name, str) else None,
        }
        return {"mine": about}

    def resolve(self, tag: str, content: Any) -> Any:
        """Undo `refer` of the other side."""
        if tag == "yours":
            return self._thing(content)
        if tag == "mirror":
            return self.mirrors.find(content)
        expect(tag == "mine" and isinstance(content, dict), f"{tag!r} is unknown")
        number = content.get("number")
        expect(type(number) is int and number >= 0, "a thing has no number")
        return self._proxy(number, content)

    def _thing(self, number: Any) -> Any:
        known = type(number) is int and 0 <= number < len(self.things)
        expect(known, "there is no such thing")
        return self.things[number]

    def _proxy(self, number: int, about: dict[str, Any]) -> Proxy:
        if number not in self.proxies:
            name = about.get("class")
            plain = isinstance(name, str) and re.fullmatch(PLAIN_NAME, name)
            members: dict[str, Any] = {}
            if about.get("kind") == "module":  # for isinstance
                members["__class__"] = property(lambda proxy: torch.nn.Module)
            kind = type(str(name) if plain else "Thing", (Proxy,), members)
            shown = about.get("name")
            plain = isinstance(shown, str) and re.fullmatch(PLAIN_NAME, shown)
            self.proxies[number] = kind(self, number, {"name": shown if plain else ""})
        return self.proxies[number]

    def _exception(self, told: Any) -> BaseException:
        """An exception of the other side: what it was, or of the same name."""
        if not isinstance(told, dict):
            return GoneError("what came back was no exception")
        text = str(told.get("text", ""))[:LONGEST_TEXT]
        names = [str(name) for name in told.get("names", []) if isinstance(name, str)]
        known = [kind for kind in map(self._class, names) if kind is not None]
        base = known[0] if known else RuntimeError
        name = names[0] if names and re.fullmatch(PLAIN_NAME, names[0]) else base.__name__
        kind = base if name == base.__name__ else type(name, (base,), {})
        try:
            return kind(text)
        except TypeError:  # UnicodeError, for instance, is made of five things
            return type(name, (RuntimeError,), {})(text)

    def _class(self, name: str) -> type[BaseException] | None:
        kind = self.classes.get(name, getattr(builtins, name, None))
        is_one = isinstance(kind, type) and issubclass(kind, BaseException)
        return kind if is_one else None


class _Remote(torch.autograd.Function):
    """Hangs the results of a call on its inputs."""

    @staticmethod
    def forward(
        ctx: Any, peer: Peer, graph: Any, outputs: list[Tensor], *inputs: Tensor
    ) -> tuple[Tensor, ...]:
        """Give what has come already."""
        ctx.peer, ctx.graph = peer, graph
        ctx.inputs = [(tuple(value.shape), value.dtype) for value in inputs[1:]]
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Ask the other side; what it says must fit what it was given."""
        found = ctx.peer.gradients(ctx.graph, grads)
        expect(len(found) == len(ctx.inputs), "there are not as many gradients as inputs")
        for grad, (shape, dtype) in zip(found, ctx.inputs, strict=True):
            fits = isinstance(grad, Tensor) and tuple(grad.shape) == shape and grad.dtype == dtype
            expect(grad is None or fits, "a gradient does not fit its input")
        return None, None, None, None, *found


class Mirrors:
    """Parameters of modules that both sides hold, kept up to date with every message."""

    def __init__(self, side: str) -> None:
        """Args: side: the letter with which names of our own begin."""
        self.side = side
        self.all: dict[str, torch.nn.Parameter] = {}
        self.names: dict[int, str] = {}
        self.sent: dict[str, tuple[Tensor, Tensor | None]] = {}
        self.count = itertools.count()

    def forget(self) -> None:
        """Know none. Each costs a look at its numbers with every message."""
        self.all.clear()
        self.names.clear()
        self.sent.clear()

    def refer(self, parameter: torch.nn.Parameter) -> dict[str, Any]:
        """The entry of a parameter; its numbers come with the message, see `news`."""
        if id(parameter) not in self.names:
            self._add(f"{self.side}{next(self.count)}", parameter)
        return {"mirror": self.names[id(parameter)]}

    def _add(self, name: str, parameter: torch.nn.Parameter) -> None:
        self.all[name] = parameter
        self.names[id(parameter)] = name

    def find(self, name: Any) -> torch.nn.Parameter:
        """A parameter by its name."""
        expect(isinstance(name, str) and name in self.all, "there is no such parameter")
        return self.all[name]

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Those that need a gradient, by name."""
        return {name: one for name, one in self.all.items() if one.requires_grad}

    def news(self, encoder: Encoder) -> list[dict[str, Any]]:
        """Entries of those that have changed since they were sent or came."""
        changed = []
        for name, one in self.all.items():
            if name not in self.sent or not _alike(self.sent[name], one):
                grad = None if one.grad is None else encoder.tensor(one.grad)
                values = encoder.tensor(one)
                changed.append(
                    dict(name=name, values=values, grad=grad, needs_grad=one.requires_grad)
                )
                self._note(name)
        return changed

    def take(self, news: Any, decoder: Decoder) -> None:
        """Undo `news` of the other side."""
        expect(isinstance(news, list), "there is no list of parameters")
        for entry in news:
            values = decoder.decode({"tensor": entry.get("values")})
            grad = None
            if entry.get("grad") is not None:
                grad = decoder.decode({"tensor": entry["grad"]})
                fits = grad.shape == values.shape and grad.dtype == values.dtype
                expect(fits, "a parameter's gradient does not fit")
            name = entry.get("name")
            expect(isinstance(name, str), "a parameter has no name")
            if name not in self.all:
                expect(not name.startswith(self.side), "a parameter of ours is none")
                needs_grad = bool(entry.get("needs_grad")) and values.is_floating_point()
                self._add(name, torch.nn.Parameter(values, requires_grad=needs_grad))
            one = self.all[name]
            expect(one.shape == values.shape, "a parameter has another shape")
            one.data.copy_(values)
            one.grad = grad
            self._note(name)

    def _note(self, name: str) -> None:
        one = self.all[name]
        grad = None if one.grad is None else one.grad.detach().clone()
        self.sent[name] = (one.detach().clone(), grad)


def _alike(sent: tuple[Tensor, Tensor | None], one: torch.nn.Parameter) -> bool:
    values, grad = sent
    if (grad is None) != (one.grad is None):
        return False
    same_grad = grad is None or one.grad is None or torch.equal(grad, one.grad)
    return same_grad and values.shape == one.shape and torch.equal(values, one.detach())


def leaves_of(outputs: Sequence[Tensor]) -> list[Tensor]:
    """The leaves from which outputs were computed and that gather gradients."""
    found: dict[int, Tensor] = {}
    todo = [output.grad_fn for output in outputs]
    seen = set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found[id(node.variable)] = node.variable
        todo += [earlier for earlier, _ in node.next_functions]
    return list(found.values())


def copy_into(given: Any, changed: Any) -> None:
    """Change what was given to what came back, in place, wherever that can be done."""
    if isinstance(given, Tensor) and isinstance(changed, Tensor):
        same_size = given.shape == changed.shape and given.dtype == changed.dtype
        if same_size:
            given.data.copy_(changed)
        else:
            given.data = changed
    elif isinstance(given, np.ndarray) and isinstance(changed, np.ndarray):
        _copy_array(given, changed)
    elif isinstance(given, list) and isinstance(changed, list):
        for mine, theirs in zip(given, changed, strict=False):
            copy_into(mine, theirs)
        same_length = len(given) == len(changed)
        given[:] = list(map(_either, given, changed)) if same_length else changed
    elif isinstance(given, tuple) and isinstance(changed, tuple):
        for mine, theirs in zip(given, changed, strict=False):
            copy_into(mine, theirs)
    elif isinstance(given, dict) and isinstance(changed, dict):
        kept = {key: _either(given[key], changed[key]) for key in changed if key in given}
        for key in kept:
            copy_into(given[key], changed[key])
        given.clear()
        given.update({**changed, **kept})


def _copy_array(given: np.ndarray, changed: np.ndarray) -> None:
    if given.shape != changed.shape:
        given.resize(changed.shape, refcheck=False)
    given[...] = changed


def _either(mine: Any, theirs: Any) -> Any:
    """Ours, where it could be changed in place; theirs where it is another thing."""
    in_place = isinstance(mine, Tensor | np.ndarray | list | dict)
    return mine if in_place and type(mine) is type(theirs) else theirs


def _told(error: BaseException) -> dict[str, Any]:
    """An exception as names of its classes, and its text."""
    names = [kind.__name__ for kind in type(error).__mro__]
    one_text = len(error.args) == 1 and isinstance(error.args[0], str)
    try:
        text = error.args[0] if one_text else str(error)
    except Exception as in_turn:  # a student's own class
        text = f"its text is broken: {type(in_turn).__name__}"
    return {"names": names, "text": str(text)[:LONGEST_TEXT]}
