"""What was handed in: which files there are, whose they are, and for which assignment."""

import functools
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading import downloads
from grading.assignments import grade_ids, names

FILE_BYTES = 100_000_000
"""A larger file is not read."""
NOTEBOOK = re.compile(r"(?P<stem>.*)\.ipynb(?:\.txt|\.json)?", re.IGNORECASE | re.DOTALL)
"""The name of a notebook, with what some browsers put behind it."""
ARCHIVE = re.compile(r".*\.(?:zip|7z|rar|tar|t?gz|bz2|xz)", re.IGNORECASE | re.DOTALL)
LITTER = re.compile(r"\..*|__MACOSX|__pycache__|Thumbs\.db|desktop\.ini", re.IGNORECASE | re.DOTALL)
"""Files and folders that systems and editors make; nobody handed them in."""
COPY = re.compile(r"[\W_]*(?:copy|copie|kopie|copia)?[\W_]*\d{0,2}[\W_]*", re.IGNORECASE)
"""What a browser or a system adds to the name of a second copy."""
NAMED = 5
"""So many files are named in a note; of more, the number is told."""


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in, or that a student handed in none."""

    path: Path
    """Of the file, or of the student's folder."""
    student: str
    """Text in UTF-8 of one line, whatever bytes the folder's name has."""
    assignment: str
    """Empty where neither the file's name nor its cells tell one."""
    folder: str
    """Where its page belongs: named like the student's folder, or like the file if it has none."""
    within: Path
    """Where the file lies in that folder; `Path()` if there is no notebook."""
    file: str
    """The same as text, no two of a student alike; empty if there is no notebook."""
    number: str = ""
    """By which Moodle or Canvas knows the student."""
    notes: tuple[str, ...] = ()
    """Sentences about what was found."""

    @property
    def is_notebook(self) -> bool:
        """Whether there is something to grade."""
        return self.within != Path()


@dataclass(frozen=True)
class Collected:
    """What a folder holds."""

    submissions: list[Submission]
    """By student; every student has at least one."""
    notes: list[str]
    """Sentences about what belongs to no student."""


@dataclass(frozen=True)
class _Found:
    """A file, or a folder that stands for a student."""

    path: Path
    parts: tuple[str, ...]
    """Of its path below the folder of the class."""
    problem: str = ""
    """Why it cannot be read, as the end of a sentence."""


@dataclass(frozen=True)
class _Place:
    """Where a file belongs: see `Submission`."""

    student: str
    folder: str
    within: Path
    number: str = ""
    note: str = ""


@dataclass
class _Student:
    """What was found of one student."""

    place: _Place
    path: Path
    notebooks: list[Submission] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Files that are no notebooks."""


def find(submitted: Path, leave_out: Path | None = None) -> Collected:
    """Everything that was handed in.

    Args:
        submitted: Holds a folder for each student, or what Moodle or Canvas downloaded, or the
            files of one student alone. Links, and what systems and editors make, are left out.
        leave_out: A folder that is none of a student's, wherever it lies.

    Returns:
        The notebooks, by student and path, and who handed in none.

    Raises:
        OSError: `submitted` cannot be read.
    """
    found = list(_walk(submitted, leave_out))
    alone = _of_one_student(submitted, found)
    students: dict[str, _Student] = {}
    notes = []
    if alone:
        notes.append(f"{submitted} is taken for the folder of one student, {alone.student}")
        students[alone.student] = _Student(alone, submitted)
    for one in found:
        place = _placed_alone(one, alone) if alone else _place(one)
        if place is None:
            notes.append(f"left out: {_sentence(one, one.path.name)}")
            continue
        _sort_in(one, students.setdefault(place.student, _Student(place, one.path)), place)
    by_name = [students[name] for name in sorted(students)]
    return Collected([one for student in by_name for one in _submissions(student)], notes)


def readable(name: str) -> str:
    r"""A file's name as text without control characters, whatever its bytes and the locale.

    Bytes are read as UTF-8; what is none stays apart from all else, as `\xeb`.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    told = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in told)


# Which files there are


def _walk(submitted: Path, leave_out: Path | None) -> Iterator[_Found]:
    """Every file, and every folder that lies directly in `submitted`, in the order of the paths."""
    unreadable: list[OSError] = []
    for here, folders, files in os.walk(submitted, onerror=unreadable.append):
        above = Path(here).relative_to(submitted).parts
        kept = [name for name in sorted(folders) if not LITTER.fullmatch(name)]
        folders[:] = [name for name in kept if not _is(Path(here, name), leave_out)]
        for name in folders:
            path, parts = Path(here, name), (*above, name)
            problem = _problem_of_folder(path)
            if problem or not above:
                yield _Found(path, parts, problem)
        for name in sorted(name for name in files if not LITTER.fullmatch(name)):
            path = Path(here, name)
            yield _Found(path, (*above, name), _problem_of_file(path))
    for error in unreadable:
        path = Path(error.filename)
        if path == submitted:
            raise error
        yield _Found(path, path.relative_to(submitted).parts, f"cannot be read: {error.strerror}")


def _is(path: Path, other: Path | None) -> bool:
    return other is not None and path.resolve() == other.resolve()


def _problem_of_folder(path: Path) -> str:
    if path.is_symlink():
        return "is a link and is left out: copy the folder itself"
    return "is a folder, and no notebook" if NOTEBOOK.fullmatch(path.name) else ""


def _problem_of_file(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "is a link and is left out: copy the file itself"
    return "" if stat.S_ISREG(mode) else "is neither a file nor a folder"


# Whose they are


def _of_one_student(submitted: Path, found: Iterable[_Found]) -> _Place | None:
    """The place of a student whose folder was given alone; None for a class.

    A notebook under its bare name names nobody, so its folder must. Where more than one other name
    could be a student's, the folder is a class's all the same, and the notebook went astray.
    """
    name = submitted.resolve().name
    origin = downloads.of_folder(name)
    if origin:
        return _Place(origin.student, name, Path(), origin.number)
    nameless, others = False, set()
    for one in found:
        if one.problem or not NOTEBOOK.fullmatch(one.path.name):
            continue
        if len(one.parts) > 1:
            others.add(one.parts[0])
        elif downloads.of_file(one.path.name):
            return None
        elif _is_nameless(one.path.name):
            nameless = True
        elif _named_assignment(one.path.name):
            others.add(one.path.name)
    return _Place(_one_line(name), name, Path()) if nameless and len(others) <= 1 else None


def _placed_alone(one: _Found, alone: _Place) -> _Place:
    return _Place(alone.student, alone.folder, Path(*one.parts), alone.number)


def _place(one: _Found) -> _Place | None:
    """Where a file of a class belongs; None if it is no student's."""
    first, *below = one.parts
    if below or one.path.is_dir():
        return _place_in_folder(first, Path(*below))
    origin = downloads.of_file(first)
    if origin:
        late = "handed in late, says the file's name" if origin.late else ""
        folder = first.removesuffix(origin.file).rstrip("_")
        return _Place(origin.student, folder, Path(origin.file or first), origin.number, late)
    notebook = NOTEBOOK.fullmatch(first)
    if not notebook or one.problem:
        return None
    stem = notebook["stem"]
    if _is_nameless(first):
        return _Place(_one_line(stem), stem, Path(first), note="it lies in no student's folder")
    return _Place(_one_line(_without_assignment(stem)), stem, Path(first))


def _place_in_folder(name: str, within: Path) -> _Place:
    origin = downloads.of_folder(name)
    if origin:
        return _Place(origin.student, name, within, origin.number)
    return _Place(_one_line(name), name, within)


def _is_nameless(name: str) -> bool:
    """Whether a notebook is called like an assignment alone."""
    notebook = NOTEBOOK.fullmatch(name)
    if not notebook:
        return False
    rest = _without_assignment(notebook["stem"])
    return rest != notebook["stem"] and bool(COPY.fullmatch(rest))


def _without_assignment(stem: str) -> str:
    """A file's name without the assignment's in it: what is left may be a student's."""
    for name in names():
        words = r"[\W_]?".join(map(re.escape, name.split("_")))
        stem = re.sub(rf"[\W_]*{words}[\W_]*", " ", stem, flags=re.IGNORECASE)
    return stem.strip()


def _one_line(name: str) -> str:
    return readable(" ".join(name.split())) or repr(name)


# For which assignment


def _assignment(path: Path, within: Path) -> tuple[str, str]:
    """The assignment of a notebook, and a note if its name tells another one than its cells."""
    named, held = _named_assignment(within.name), _held_assignment(path)
    if held and named and held != named:
        return held, f"called {readable(within.name)}, it holds the cells of {held}: graded as that"
    return held or named, ""


def _named_assignment(name: str) -> str:
    """The assignment that a file's name tells, whole or by its number at the beginning."""
    words = re.sub(r"[\W_]+", "_", name.lower())
    number = re.match(r"\d(?=[\W_])", name)
    for assignment in names():
        if assignment.lower() in words:
            return assignment
    matching = [one for one in names() if number and one.startswith(f"{number[0]}_")]
    return matching[0] if matching else ""


def _held_assignment(path: Path) -> str:
    """The assignment that two or more cells of a file are of, and those of no other one; or none.

    The file is searched and not parsed: what it holds is not known to be a notebook.
    """
    if path.stat().st_size > FILE_BYTES:
        return ""
    told = re.findall(rb'"grade_id"\s*:\s*"([^"\\]{1,100})"', path.read_bytes())
    cells = {name.decode("utf-8", "replace") for name in told}
    counts = {name: len(cells & own) for name, own in _own_cells().items()}
    most = max(counts, key=lambda name: counts[name])
    return most if counts[most] >= 2 and sum(counts.values()) == counts[most] else ""


@functools.cache
def _own_cells() -> dict[str, frozenset[str]]:
    """The names of the cells that an assignment has and no other one."""
    cells = {name: grade_ids(name) for name in names()}
    return {
        name: frozenset(own.difference(*(cells[other] for other in cells if other != name)))
        for name, own in cells.items()
    }


# What is told of each student


def _sort_in(one: _Found, student: _Student, place: _Place) -> None:
    file = one.path.name if place.within == Path() else place.within.as_posix()
    if one.problem:
        student.problems.append(_sentence(one, file))
    elif NOTEBOOK.fullmatch(one.path.name) and not one.path.is_dir():
        student.notebooks.append(_submission(one, place))
    elif ARCHIVE.fullmatch(one.path.name):
        student.problems.append(_sentence(one, file))
    elif not one.path.is_dir():
        student.others.append(readable(file))


def _submission(one: _Found, place: _Place) -> Submission:
    try:
        assignment, other = _assignment(one.path, place.within)
    except OSError as error:
        assignment, other = _named_assignment(place.within.name), f"not read: {error.strerror}"
    notes = tuple(note for note in (place.note, other) if note)
    return Submission(
        path=one.path,
        student=place.student,
        assignment=assignment,
        folder=place.folder,
        within=place.within,
        file=readable(place.within.as_posix()),
        number=place.number,
        notes=notes,
    )


def _sentence(one: _Found, file: str) -> str:
    """Why something is not graded."""
    if one.problem:
        return f"{readable(file)} {one.problem}"
    if ARCHIVE.fullmatch(one.path.name):
        return f"{readable(file)} is an archive: unpack it, then grade again"
    return f"{readable(file)} is no notebook"


def _submissions(student: _Student) -> list[Submission]:
    """A student's notebooks, the first with notes on all else; or that there is none."""
    notes = [*student.problems, *_told_of(student.others)]
    if not student.notebooks:
        place = student.place
        notes.insert(0, "nothing handed in that can be graded" if notes else "nothing handed in")
        return [
            Submission(
                path=student.path,
                student=place.student,
                assignment="",
                folder=place.folder,
                within=Path(),
                file="",
                number=place.number,
                notes=tuple(notes),
            )
        ]
    first, *more = _told_apart(student.notebooks)
    return [_with_notes(first, notes), *more]


def _told_apart(notebooks: list[Submission]) -> list[Submission]:
    """The same in the order of their names, with files that are called alike numbered."""
    seen: Counter[str] = Counter()
    apart = []
    for one in sorted(notebooks, key=lambda one: (one.within, one.folder)):
        seen[one.file] += 1
        again = f"{one.file} ({seen[one.file]}, from {readable(one.folder)})"
        apart.append(one if seen[one.file] == 1 else replace(one, file=again))
    return apart


def _told_of(files: list[str]) -> list[str]:
    if not files:
        return []
    named = ", ".join(sorted(files)[:NAMED])
    more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return [f"no notebook, and not graded: {named}{more}"]


def _with_notes(submission: Submission, notes: list[str]) -> Submission:
    return replace(submission, notes=(*submission.notes, *notes))
