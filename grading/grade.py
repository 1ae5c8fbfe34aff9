"""Grade a folder of submissions: python -m grading grade SUBMITTED [--out graded]

SUBMITTED holds a folder for each student, and in it the notebooks under the names they were handed out with. Written
are marks.csv (a line per task), totals.csv (a line per notebook), and a feedback page for every notebook.

The notebook that is run is the course's own, with the student's answers put in: to change or delete a test has no
effect. Each submission runs in a kernel of its own with limits on time, output and memory; a cell that does not end is
taken out and the rest is run again without it. This is no sandbox: what students wrote runs with your rights. Grade in
a container or on a machine that holds nothing else if you do not trust them.
"""

import argparse
import copy
import csv
import html
import json
import os
import re
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "notebooks" / "assignments"
ROOT = SOURCES.parents[1]

CELL_SECONDS = 60
TOTAL_SECONDS = 300
OUTPUT_BYTES = 500_000  # kept of a cell's output
FILE_BYTES = 100_000_000  # of a notebook, and of any file that a submission writes
MEMORY_BYTES = 6_000_000_000
KEPT_VARIABLES = r"PATH|HOME|LANG|LC_.*|TMPDIR|MPLCONFIGDIR|SYSTEMROOT"
END = "application/x-end-of-cell"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("submitted", type=Path)
    parser.add_argument("--out", type=Path, default=Path("graded"))
    parser.add_argument("--jobs", type=int, default=2, help="submissions at a time")
    parser.add_argument(
        "--cell-seconds", type=float, default=CELL_SECONDS, help="longest time for a cell"
    )
    parser.add_argument(
        "--seconds", type=float, default=TOTAL_SECONDS, help="longest time for a submission"
    )
    options = parser.parse_args(arguments)
    if not options.submitted.is_dir():
        parser.error(
            f"{options.submitted} is not a folder; give one that holds a folder for each student"
        )
    grade_folder(
        options.submitted, options.out, options.jobs, options.cell_seconds, options.seconds
    )
    return 0


def grade_folder(
    submitted: Path, out: Path, jobs: int, cell_seconds: float, seconds: float
) -> list[dict]:
    """Grade every submission; returns the results, and writes tables and feedback into `out`."""
    todo, results = find(submitted), []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(grade, *one, cell_seconds, seconds) for one in todo]
        for number, future in enumerate(as_completed(futures), 1):
            result = future.result()
            results.append(result)
            note = "; ".join(result["notes"])
            print(
                f"[{number}/{len(todo)}] {result['student']}: {result['assignment'] or result['file']}: "
                f"{total(result):g} of {possible(result):g}, {result['seconds']:.0f} s{note and '; ' + note}",
                flush=True,
            )
            write_feedback(result, out)
    results.sort(key=lambda r: (r["student"], r["assignment"], r["file"]))
    write_tables(results, out)
    print(
        f"wrote {out / 'marks.csv'}, {out / 'totals.csv'} and {len(results)} pages in {out / 'feedback'}"
    )
    return results


def find(submitted: Path) -> list[tuple[str, str, Path]]:
    """(student, assignment, file) of everything that was handed in; assignment '' where the file's name tells none."""
    from grading.release import names

    found = []
    for path in sorted(submitted.rglob("*")):
        relative = path.relative_to(submitted)
        if (
            path.is_file()
            and not path.is_symlink()
            and not any(part.startswith(".") for part in relative.parts)
        ):
            student = relative.parts[0] if len(relative.parts) > 1 else path.stem
            stem = re.match(r"(\d_)?", path.name)[0]
            found.append(
                (student, next((n for n in names() if stem and n.startswith(stem)), ""), path)
            )
    return found


def grade(student: str, assignment: str, path: Path, cell_seconds: float, seconds: float) -> dict:
    """Grade one file, in a process of its own; never raises for what a student wrote."""
    import nbformat

    from grading.release import names, read_source

    result = dict(
        student=student,
        assignment=assignment,
        file=path.name,
        tasks=[],
        notes=[],
        notebook="",
        seconds=0.0,
    )
    if not assignment:
        result["notes"] = [
            f"not graded: {path.name} is not the name of an assignment ({', '.join(names())})"
        ]
        return result
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # A copy of the library: what a submission does to it ends with it.
        shutil.copytree(
            ROOT / "sbd_utils",
            Path(folder) / "sbd_utils",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        source = nbformat.writes(read_source(assignment))
        job = dict(
            source=source, path=str(path.resolve()), cell_seconds=cell_seconds, seconds=seconds
        )
        answer = run_worker(job, folder, seconds + 60)
    if isinstance(answer, str):
        reason = f"not graded: {answer}"
        answer = dict(tasks=all_tasks(read_source(assignment), reason), notes=[reason], notebook="")
    return {**result, **answer, "seconds": time.perf_counter() - start}


def run_worker(job: dict, folder: str, seconds: float) -> dict | str:
    """What the worker made of the job, or why it made nothing of it. No process that it started is left."""
    import psutil

    keep = {name: value for name, value in os.environ.items() if re.fullmatch(KEPT_VARIABLES, name)}
    keep |= dict(
        OMP_NUM_THREADS="1",
        IPYTHONDIR=f"{folder}/.ipython",
        JUPYTER_RUNTIME_DIR=f"{folder}/.runtime",
    )
    keep |= dict(TQDM_DISABLE="1", PYTHONDONTWRITEBYTECODE="1")
    process = subprocess.Popen(
        [sys.executable, __file__, "--worker"],
        cwd=folder,
        env=keep,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        answer, errors = process.communicate(json.dumps(job), timeout=seconds)
        if process.returncode == 0:
            return json.loads(answer)
        last = (errors.strip().splitlines() or ["no message"])[-1]
        return f"the grader's process ended with status {process.returncode}: {last}"
    except subprocess.TimeoutExpired:
        return f"it took more than {seconds:g} s"
    finally:
        if process.poll() is None:
            for child in [*psutil.Process(process.pid).children(recursive=True), process]:
                child.kill()
            process.wait()


# In the worker's process


def worker() -> None:
    """Read a job from standard input, write the marks to standard output."""
    import nbformat

    job = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr
    become_subreaper()
    source = nbformat.reads(job["source"], as_version=4)
    try:
        submission = read_submission(Path(job["path"]))
    except ValueError as error:
        result = dict(tasks=all_tasks(source, str(error)), notes=[str(error)], notebook="")
    else:
        result = grade_notebook(source, submission, job["cell_seconds"], job["seconds"])
    kill_children()
    answers.write(json.dumps(result))


def read_submission(path: Path):
    """The notebook; raises ValueError, with a sentence for the student, if the file holds none."""
    import nbformat

    if path.stat().st_size > FILE_BYTES:
        raise ValueError(
            f"not graded: the file has more than {FILE_BYTES / 1e6:g} MB; clear the outputs"
        )
    try:
        notebook = nbformat.reads(path.read_text(), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever a broken file makes the reader raise
        kind = type(error).__name__
        raise ValueError(
            f"not graded: the file is not a Jupyter notebook ({kind}); hand in the .ipynb file"
        ) from None
    if not notebook.cells:
        raise ValueError("not graded: the notebook has no cells")
    return notebook


def merge(source, submission) -> tuple[object, list[str]]:
    """The course's notebook with the student's answers and additional cells; what was found missing or changed."""
    known = {cell.id for cell in source.cells if "nbgrader" in cell.metadata}
    answers, extra, changed = {}, {None: []}, []
    after = None
    for cell in submission.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in known and name not in answers:
            answers[name], after = cell, name
            extra[name] = []
        elif (
            cell.cell_type == "code"
        ):  # of one's own: whatever it says that it is, it is not graded
            cell.metadata, cell.id = {}, f"additional-{len(extra[after])}-after-{after}"
            extra[after].append(cell)
    merged = copy.deepcopy(source)
    merged.cells = []
    for cell in copy.deepcopy(source.cells):
        name, kind = cell.id, cell.metadata.get("nbgrader", {})
        if name in known and name not in answers:
            changed.append(
                f"cell {name!r} was deleted" + ("" if kind["solution"] else " and was put back")
            )
        if kind.get("solution"):
            cell.source = answers[name].source if name in answers else ""
        if not_run(cell) and name in answers and cell.cell_type == "code":
            cell.outputs = answers[name].get("outputs", [])
        merged.cells.append(cell)
        merged.cells += copy.deepcopy(extra.get(name, []))
        if len(merged.cells) > 1 and cell.cell_type == "code" and None in extra:
            merged.cells += extra.pop(
                None
            )  # what stands before everything needs the imports at least
    return merged, changed


def grade_notebook(source, submission, cell_seconds: float, seconds: float) -> dict:
    """Run the merged notebook, and again without a cell that had to be stopped, until it runs through."""
    import nbformat

    notebook, notes = merge(source, submission)
    deadline = time.monotonic() + seconds
    stopped: dict[int, str] = {}
    while True:
        outcome = run(notebook, stopped, cell_seconds, deadline)
        if outcome is None:
            break
        index, reason = outcome
        stopped[index] = reason
        kill_children()
        if time.monotonic() > deadline:
            for later in range(index + 1, len(notebook.cells)):
                stopped.setdefault(later, f"not reached within {seconds:g} s")
            break
    tasks = [
        mark(cell, stopped.get(i), notebook, stopped)
        for i, cell in enumerate(notebook.cells)
        if graded(cell)
    ]
    return dict(
        tasks=tasks,
        notes=notes + [f"a cell was stopped: {reason}" for reason in stopped.values()][:3],
        notebook=nbformat.writes(notebook),
    )


def run(
    notebook, stopped: dict[int, str], cell_seconds: float, deadline: float
) -> tuple[int, str] | None:
    """Execute the cells that are not in `stopped`, keeping outputs; (index, reason) of one that had to be stopped."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    client = make_client(notebook)
    client.create_kernel_manager()
    try:
        client.start_new_kernel(cwd=os.getcwd())
        client.start_new_kernel_client()
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or index in stopped:
                continue
            if not_run(cell):
                continue
            theirs = graded(cell) or cell.metadata.get("nbgrader", {}).get("solution", True)
            left = deadline - time.monotonic()
            # The course's own cells may take all the time that is left. nbclient takes whole seconds.
            client.timeout = max(1, round(min(cell_seconds, left) if theirs else left))
            run_to_end(client, cell, index)
    except CellTimeoutError:
        return client.current, f"it ran for more than {client.timeout:g} s"
    except DeadKernelError:
        return client.current, "it ended the Python process"
    finally:
        client.kill()
    return None


def make_client(notebook):
    """An nbclient that keeps a limited part of the output of a cell."""
    from nbclient import NotebookClient

    class Client(NotebookClient):
        current, printed = 0, 0

        def process_message(self, msg, cell, cell_index):
            content = msg["content"]
            if msg["msg_type"] in (
                "stream",
                "display_data",
                "execute_result",
            ) and END not in content.get("data", {}):
                self.printed += len(str(content))
                if self.printed > OUTPUT_BYTES:
                    cell.metadata["output_cut"] = True
                    return None
            return super().process_message(msg, cell, cell_index)

        def kill(self):
            if self.km is not None and self.km.has_kernel:
                self._cleanup_kernel()

    return Client(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        coalesce_streams=True,
        shutdown_kernel="immediate",
    )


def run_to_end(client, cell, index: int) -> None:
    """Run a cell; in a graded one, note in its metadata whether its last line was reached."""
    client.current, client.printed = index, 0
    if not graded(cell):
        client.execute_cell(cell, index)
        return
    source, token = cell.source, secrets.token_hex(16)
    cell.source += f"\nget_ipython().display_pub.publish({{{END!r}: {token!r}}})"
    try:
        client.execute_cell(cell, index)
    finally:
        cell.source = source
    cell.metadata["reached_end"] = any(o.get("data", {}).get(END) == token for o in cell.outputs)
    cell.outputs = [o for o in cell.outputs if END not in o.get("data", {})]


def not_run(cell) -> bool:
    """Pictures for the student's eyes; experiments that train for minutes, whose stored output is read by hand."""
    return "not-run-for-grading" in cell.metadata.get("tags", [])


def graded(cell) -> bool:
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def by_hand(cell) -> bool:
    return cell.metadata["nbgrader"]["solution"]


def mark(cell, reason: str | None, notebook, stopped: dict[int, str]) -> dict:
    """Mark and reason of a graded cell that was run, or stopped for this reason."""
    kind = cell.metadata["nbgrader"]
    task = dict(
        task=kind["grade_id"].removesuffix("-test"),
        mark=0.0,
        possible=float(kind["points"]),
        reason="",
    )
    errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
    answers = [i for i, other in enumerate(notebook.cells) if other.id == task["task"]]
    if by_hand(cell):
        return {
            **task,
            "mark": None,
            "reason": "to be graded by hand" if cell.source.strip() else "nothing handed in",
        }
    if reason is not None:
        return {**task, "reason": f"stopped: {reason}"}
    if any(i in stopped for i in answers):
        return {**task, "reason": f"the answer's cell was stopped: {stopped[answers[0]]}"}
    if errors:
        return {**task, "reason": explain(errors[0].ename, errors[0].evalue)}
    if not cell.metadata.get("reached_end"):
        return {**task, "reason": "the check was left before its end"}
    return {**task, "mark": task["possible"]}


def explain(name: str, value: str) -> str:
    """An exception as a sentence for the student."""
    if name == "NotYet":
        return value
    if name == "NotImplementedError":
        return f"not done yet: {value}"
    missing = re.match(r"name '(\w+)' is not defined", value)
    if missing:
        return f"there is no {missing[1]!r}: it has another name, or its cell failed; keep the names that are given"
    return f"{name}: {value[:300]}"


def all_tasks(source, reason: str) -> list[dict]:
    """No marks, for this reason."""
    cells = [cell for cell in source.cells if graded(cell)]
    tasks = [mark(cell, reason, source, {}) for cell in cells]
    return [{**task, "mark": 0.0, "reason": reason} for task in tasks]


def page(text: str) -> str:
    """What the student gets to read: the notebook as it ran, without hidden tests and what would tell of them."""
    import nbformat
    from nbconvert import HTMLExporter

    if not text:
        return ""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if graded(cell) and cell.cell_type == "code":
            cell.source = re.sub(
                r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS",
                "# (more tests)",
                cell.source,
                flags=re.S,
            )
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [explain(output.ename, output.evalue)]
    return HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]


def become_subreaper() -> None:
    """On Linux: processes that a submission leaves behind become our children, so that we can end them; limits."""
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def kill_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()


# Tables and pages


def total(result: dict) -> float:
    return sum(task["mark"] or 0 for task in result["tasks"])


def possible(result: dict) -> float:
    """Of the tasks that are graded by machine."""
    return sum(task["possible"] for task in result["tasks"] if task["mark"] is not None)


def write_tables(results: list[dict], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "marks.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["student", "assignment", "task", "mark", "possible", "reason"])
        for r in results:
            for t in r["tasks"]:
                table.writerow(
                    [
                        safe(r["student"]),
                        r["assignment"],
                        t["task"],
                        t["mark"],
                        t["possible"],
                        safe(t["reason"]),
                    ]
                )
    with open(out / "totals.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["student", "assignment", "file", "by machine", "of", "by hand, of", "notes"]
        )
        for r in results:
            hand = sum(task["possible"] for task in r["tasks"] if task["mark"] is None)
            table.writerow(
                [
                    safe(r["student"]),
                    r["assignment"],
                    safe(r["file"]),
                    total(r),
                    possible(r),
                    hand,
                    safe("; ".join(r["notes"])),
                ]
            )


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def write_feedback(result: dict, out: Path) -> None:
    folder = out / "feedback" / result["student"]
    folder.mkdir(parents=True, exist_ok=True)
    rows = ""
    for t in result["tasks"]:
        shown = "by hand" if t["mark"] is None else f"{t['mark']:g}"
        rows += (
            f"<tr><td>{t['task']}<td>{shown} of {t['possible']:g}<td>{html.escape(t['reason'])}\n"
        )
    title = html.escape(f"{result['student']}: {result['assignment'] or result['file']}")
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result["notes"])
    (folder / f"{Path(result['file']).stem}.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>body{{font-family:sans-serif;max-width:60em;"
        "margin:auto}td,th{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}pre{white-space:pre-wrap}</style>"
        f"<h1>{title}</h1><p>{total(result):g} of {possible(result):g} by machine</p>{notes}"
        f"<table><tr><th>task<th>mark<th>why\n{rows}</table><hr>{page(result['notebook'])}"
    )


if __name__ == "__main__":
    sys.exit(worker() if sys.argv[1:] == ["--worker"] else main())
