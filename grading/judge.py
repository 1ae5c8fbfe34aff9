"""The judge: runs the course's tests, in a namespace that students' code never reaches.

The namespace holds what the course's own cells define, with NumPy, torch and the library as they
are in this process. Under a name that the student was to define stands a proxy: to call it is to
call the student's function in its own process (see `peer`), and what comes back is copied numbers.
So a test is plain Python, and what a student's code does to its process, to NumPy, to the checks
that it sees, or to comparison itself is not done to the one that judges.
"""

import ast
import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from nbformat import NotebookNode

from grading.assignments import is_added, is_answer, is_not_run, is_test
from grading.marks import explain
from grading.peer import GoneError, Peer
from grading.processes import POLL_SECONDS
from sbd_utils import checks

ADDRESS = ".judge"
"""The name of a socket in the folder that both processes see."""
LONGEST_REASON = 1_000
MOST_CALLBACKS = 100_000
"""Of functions and objects that a student's code was given."""
ITERATION = ("__iter__", "__next__")


class Line:
    """A connection whose waiting can be ended from another thread."""

    def __init__(self, connection: Connection, stop: threading.Event) -> None:
        """Args: connection: as it was accepted; stop: ends all waiting."""
        self.connection = connection
        self.stop = stop

    def send_bytes(self, buf: bytes) -> None:
        """Send a message."""
        self.connection.send_bytes(buf)

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for a message.

        Raises:
            EOFError: `stop` was set, or the other side has ended.
            OSError: The message is too long.
        """
        while not self.connection.poll(POLL_SECONDS):
            if self.stop.is_set():
                raise EOFError("it was stopped")
        return self.connection.recv_bytes(maxlength)

    def close(self) -> None:
        """End it."""
        self.connection.close()


class Judge:
    """Tests the answers of one kernel, one test after the other."""

    def __init__(self, source: NotebookNode, notebook: NotebookNode, folder: Path) -> None:
        """Prepare for a kernel that will be started in `folder`.

        Args:
            source: The course's notebook; its solutions tell the names that are asked for.
            notebook: The same with a student's answers put in. Of it, tests and the course's own
                cells are run.
            folder: Seen by both processes.
        """
        self.cells = list(notebook.cells)
        asked_for = [names_of(cell.source) for cell in source.cells if _is_to_define(cell)]
        self.names = sorted({name for names in asked_for for name in names})
        self.space: dict[str, Any] = {"__name__": "judge"}
        self.done = 0
        self.stop = threading.Event()
        self.peer: Peer | None = None
        self.socket = _listening(folder / ADDRESS)

    @property
    def code(self) -> str:
        """What the kernel runs while it is tested."""
        address = self.socket.getsockname()
        return f"__import__('grading.kernel', fromlist=['serve']).serve({address!r})"

    def expect_kernel(self) -> None:
        """From now on it serves, until `let_go`."""
        self.stop.clear()

    def let_go(self) -> None:
        """End what waits for the kernel, if anything does: it does not serve."""
        self.stop.set()

    def close(self) -> None:
        """Talk to the kernel no longer."""
        self.stop.set()
        self.socket.close()
        if self.peer is not None:
            self.peer.channel.close()

    def test(self, number: int) -> str:
        """Run the test in a cell, both its halves; the kernel must serve meanwhile.

        Args:
            number: Of the cell.

        Returns:
            Why it was not passed; empty if it was.
        """
        try:
            peer = self._connected()
            try:
                self._prepare(number, peer)
                with _unheard(), self._taking_away(peer):
                    exec(_compiled(self.cells[number]), self.space)
            finally:
                if not peer.ended:
                    peer.end()
        except BaseException as error:  # whatever an answer makes a test raise
            return explain(type(error).__name__, str(error))[:LONGEST_REASON]
        return ""

    def _connected(self) -> Peer:
        if self.peer is None:
            line = Line(self._accepted(), self.stop)
            self.peer = Peer(line, "j", None, may_get, MOST_CALLBACKS, [checks.NotYet])
        return self.peer

    def _accepted(self) -> Connection:
        while not self.stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self.socket.accept()
                connection.setblocking(True)
                return Connection(connection.detach())
        raise GoneError("the answer's process does not serve")

    def _prepare(self, number: int, peer: Peer) -> None:
        """Bring the namespace up to date: the student's names, the course's cells up to here."""
        found = peer.root.names(self.names)
        for name in self.names:
            self.space.pop(name, None)
        self.space.update({name: found[name] for name in self.names if name in found})
        for cell in self.cells[self.done : number]:
            if _is_of_the_course(cell):
                with _unheard():
                    exec(_compiled(cell), self.space)
        self.done = number

    @contextlib.contextmanager
    def _taking_away(self, peer: Peer) -> Iterator[None]:
        """`checks.without`, in a test, acts in the student's process, too."""
        here = checks.without
        checks.without = lambda *functions: _without(peer, here, functions)
        try:
            yield
        finally:
            checks.without = here


@contextlib.contextmanager
def _without(peer: Peer, here: Callable[..., Any], functions: tuple[Any, ...]) -> Iterator[None]:
    peer.root.take_away([f"{f.__module__}:{f.__qualname__}" for f in functions])
    try:
        with here(*functions):
            yield
    finally:
        if not peer.ended:
            peer.root.give_back()


def may_get(thing: Any, name: str) -> bool:
    """What a student's function may have of what it was given, beyond calling it.

    A function has its globals: of those, nothing. A module and an optimizer have what is public.
    """
    if isinstance(thing, Iterator):
        return name in ITERATION
    is_open = isinstance(thing, torch.nn.Module | torch.optim.Optimizer)
    return is_open and not name.startswith("_")


def names_of(source: str) -> list[str]:
    """The names that a cell defines at its top level; none if it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    names = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        inner = [name for target in targets if target is not None for name in ast.walk(target)]
        names += [name.id for name in inner if isinstance(name, ast.Name)]
    return names


def _is_to_define(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and is_answer(cell) and not is_not_run(cell)


def _is_of_the_course(cell: NotebookNode) -> bool:
    theirs = is_answer(cell) or is_added(cell)
    return cell.cell_type == "code" and not theirs and not is_test(cell) and not is_not_run(cell)


def _compiled(cell: NotebookNode) -> Any:
    return compile(cell.source, f"<{cell.id}>", "exec")


def _listening(address: Path) -> socket.socket:
    """A socket that the kernel can reach, too, where it has no network."""
    if hasattr(socket, "AF_UNIX"):
        address.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(address))
        listener.listen(1)
    else:
        listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(POLL_SECONDS)
    return listener


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """What a check prints is said by its copy that runs beside the answer."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
