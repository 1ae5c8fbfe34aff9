"""Where students' code runs: without network, with a file system that it cannot change, and blind.

Where bubblewrap is installed, it makes such a place; else util-linux, if the system lets a user
have namespaces. Hidden are the course's folder, what was handed in, the home folder, and temporary
files; of these, only the Python environment and the submission's own folder can be seen.
"""

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grading.assignments import ROOT

STASH = Path("/mnt")
"""Where the second kind keeps what is shown again; an empty folder by convention."""
RIGHTS = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
NAMESPACES = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--ipc", "--pid"]
NAMESPACES += ["--fork", "--kill-child", "--mount-proc"]
ALONE = ["--unshare-all", "--unshare-user", "--cap-drop", "ALL", "--die-with-parent"]
ALONE += ["--new-session"]
NONE = (
    "There is no sandbox on this system (bubblewrap is one): what students wrote runs with your "
    "rights, can read and change your files, and use the network; who searches your disk finds "
    "the tests."
)
PROBE_SECONDS = 600


@dataclass(frozen=True)
class Sandbox:
    """Where students' code runs."""

    kind: str = ""
    """Empty where there is none."""
    hidden: list[str] = field(default_factory=list)
    """Folders that cannot be seen from there."""

    @property
    def missing(self) -> str:
        """What it does not protect from, as a sentence; empty where there is one."""
        return "" if self.kind else NONE


def find_sandbox(more: Iterable[Path] = ()) -> Sandbox:
    """The first kind that works here.

    Args:
        more: Folders that must be hidden in it, besides those of the course, the home folder and
            temporary files.
    """
    everywhere = [ROOT, Path.home(), Path(tempfile.gettempdir()), *more]
    resolved = {path.resolve() for path in everywhere if path.is_dir()}
    hidden = sorted(str(path) for path in resolved if path != Path("/"))
    return Sandbox(next((kind for kind in BUILDERS if _works(kind, hidden)), ""), hidden)


def _works(kind: str, hidden: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        command = inside(kind, Path(folder), hidden)
        if shutil.which(command[0]) is None:
            return False
        look = f"import os; assert not os.path.exists({str(ROOT / 'grading')!r})"
        command += [sys.executable, "-c", look]
        try:
            subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError):  # it is installed, and not allowed
            return False
    return True


def inside(kind: str, folder: Path, hidden: Sequence[str]) -> list[str]:
    """The beginning of a command that runs what follows in a sandbox.

    Args:
        kind: From `find_sandbox`; with an empty one, the beginning is empty.
        folder: Can be changed, and is where it works.
        hidden: Folders that look empty.
    """
    return BUILDERS[kind](folder.resolve(), _outermost(hidden)) if kind else []


def _outermost(hidden: Sequence[str]) -> list[Path]:
    folders = [Path(name) for name in hidden]
    return [one for one in folders if not any(other in one.parents for other in folders)]


def _shown(hidden: Sequence[Path]) -> list[Path]:
    """Of what is hidden: the Python that runs this, and its packages."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    return sorted(one for one in found if any(other in one.parents for other in hidden))


def _bubblewrap(folder: Path, hidden: Sequence[Path]) -> list[str]:
    command = ["bwrap", *ALONE, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for one in hidden:
        command += ["--tmpfs", str(one)]
    for one in _shown(hidden):
        command += ["--ro-bind", str(one), str(one)]
    command += ["--bind", str(folder), str(folder)]
    return [*command, "--chdir", str(folder), "--"]


def _util_linux(folder: Path, hidden: Sequence[Path]) -> list[str]:
    kept = [*_shown(hidden), folder]
    lines = ["set -e", f"mount -t tmpfs tmpfs {STASH}"]
    for number, one in enumerate(kept):
        lines += [f"mkdir {STASH}/{number}", f"mount --bind {_quoted(one)} {STASH}/{number}"]
    lines += [f"mount -t tmpfs tmpfs {_quoted(one)}" for one in hidden]
    for number, one in enumerate(kept):
        lines += [f"mkdir -p {_quoted(one)}", f"mount --bind {STASH}/{number} {_quoted(one)}"]
    for one in {Path(sys.prefix), *_shown(hidden)}:  # refused where it lies on a special mount
        at = _quoted(one)
        lines.append(f"mount --bind {at} {at} && mount -o remount,bind,ro {at} || true")
    lines += [f"umount -l {STASH}", f"cd {_quoted(folder)}", 'exec "$@"']
    return [*NAMESPACES, "--", "sh", "-c", "\n".join(lines), "sh", *RIGHTS]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


BUILDERS = {"bubblewrap": _bubblewrap, "util-linux": _util_linux}
