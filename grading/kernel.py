"""The process of the student's code. It holds no test, no solution, and nothing else of the grader.

    python -m grading.kernel -f CONNECTION_FILE        a Jupyter kernel with fewer rights than ours

Beside the course's library, its folder holds this module, `peer` and `wire`. A test of the course's
runs in the judge's process; for as long, this one serves the judge's calls (`serve`).
"""

import contextlib
import ctypes
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Client
from typing import Any

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
CAPABILITIES = 64
SYS_CAPSET = {"x86_64": 126, "aarch64": 91, "arm64": 91}
CAPABILITY_VERSION = 0x20080522


def main() -> None:
    """Give up rights, then be a kernel."""
    if sys.platform == "linux":
        give_up_rights()
    # It would end a kernel whose parent is process 1, as it is in a sandbox.
    os.environ.pop("JPY_PARENT_PID", None)
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


def give_up_rights() -> None:
    """No superuser's rights, for good: with them, any process's memory could be read (Linux).

    A process of an ordinary user has none to give up; see capabilities(7).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    number = SYS_CAPSET.get(os.uname().machine)
    if number is not None:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        none = (ctypes.c_uint32 * 6)()
        libc.syscall(number, header, none)


class Desk:
    """What the judge can ask for to begin with."""

    def __init__(self) -> None:
        """Nothing is taken away."""
        self.taken = contextlib.ExitStack()

    def names(self, names: Sequence[str]) -> dict[str, Any]:
        """What the student's notebook has under these names; those are left out that it has not."""
        from IPython import get_ipython

        space = get_ipython().user_ns
        return {name: space[name] for name in names if name in space}

    def take_away(self, functions: Sequence[str]) -> None:
        """Take functions of the library away: see `checks.without`.

        Args:
            functions: As "module:name".
        """
        from sbd_utils.checks.kit import without

        self.taken.enter_context(without(*map(_found, functions)))

    def give_back(self) -> None:
        """Undo all `take_away`."""
        self.taken.close()


def _found(name: str) -> Any:
    module, _, path = name.partition(":")
    thing: Any = importlib.import_module(module)
    for part in path.split("."):
        thing = getattr(thing, part)
    return thing


class Nowhere(io.TextIOBase):
    """Takes what is printed, and keeps nothing of it."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What a function prints while it is tested would tell of the tests."""
    with contextlib.redirect_stdout(Nowhere()), contextlib.redirect_stderr(Nowhere()):
        yield


_peers: dict[str, Any] = {}


def serve(address: str) -> None:
    """Serve the judge at an address until it says that it is enough, for now."""
    from grading.peer import Peer
    from sbd_utils.checks import NotYet

    if address not in _peers:
        channel = Client(address)
        _peers[address] = Peer(channel, "k", Desk(), classes=[NotYet], shows_parameters=True)
    with _silent():
        _peers[address].serve()


if __name__ == "__main__":
    main()
