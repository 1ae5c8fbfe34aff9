"""How Moodle and Canvas name what they download: whose a file is, and what it was called.

Moodle (mod/assign/classes/downloader.php) makes a folder for each student,
`Full Name_12345_assignsubmission_file`, before version 4.1 with `_` at its end, or puts all files
side by side under names that begin so. The number is that of the *Identifier* in its grading
worksheet. Canvas (lib/content_zipper.rb) puts all files side by side:
`lastnamefirst_12345_67890_name.ipynb`, with the number of the student and of the file, and with
`_LATE` after the name of a student who was late.
"""

import re
from dataclasses import dataclass

MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
"""Of a folder or a file; Moodle writes a space where a student's name has `_`."""
CANVAS = re.compile(r"(?P<name>\w+?)(?P<late>_LATE)?_(?P<number>\d{2,})_\d{2,}_(?P<file>.+)")
CANVAS_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_[a-zA-Z0-9]+)_\d{2,}_(?P<file>.+)")


@dataclass(frozen=True)
class Origin:
    """What the name of a downloaded file or folder tells."""

    name: str
    """Of the student, as it stands there."""
    number: str
    """By which the system knows the student; empty where it hides it."""
    file: str
    """What the student called the file; empty if this is a folder's name."""
    late: bool

    @property
    def student(self) -> str:
        """The name, and the number that tells two students of one name apart."""
        return f"{self.name} ({self.number})" if self.number else self.name


def of_folder(name: str) -> Origin | None:
    """Whose a folder is by its name; None where Moodle did not give it."""
    return _origin(name, [MOODLE])


def of_file(name: str) -> Origin | None:
    """Whose a file is by its name; None where neither system gave it."""
    return _origin(name, [MOODLE, CANVAS_ANONYMOUS, CANVAS])


def _origin(name: str, patterns: list[re.Pattern[str]]) -> Origin | None:
    found = next(filter(None, (pattern.fullmatch(name) for pattern in patterns)), None)
    if found is None:
        return None
    told = found.groupdict()
    number, file = told.get("number") or "", told["file"] or ""
    return Origin(told["name"].strip(), number, file, late=bool(told.get("late")))
