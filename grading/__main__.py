"""python -m grading release [FOLDER], python -m grading grade SUBMITTED: see --help of each."""

import sys

from grading import grade, release

COMMANDS = {"release": release.main, "grade": grade.main}


def main(arguments: list[str]) -> int:
    """Run a command."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: python -m grading {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
