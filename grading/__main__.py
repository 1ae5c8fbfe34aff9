"""python -m grading COMMAND ..., with release, grade or totals: see --help of each."""

import sys

from grading import grade, release, totals

COMMANDS = {"release": release.main, "grade": grade.main, "totals": totals.main}


def main(arguments: list[str]) -> int:
    """Run a command; returns its exit status."""
    if not arguments or arguments[0] not in COMMANDS:
        commands = ", ".join(COMMANDS)
        print(f"usage: python -m grading COMMAND ..., with COMMAND in {commands}", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
