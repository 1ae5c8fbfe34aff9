"""Real servers, a real browser: what the tests of the explorer and the measurement of its latency share."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600  # seconds; on a loaded machine everything may take long, and nothing waits longer than it must
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


NAMES = {
    "chromium": ["chromium", "chromium-browser", "google-chrome"],
    "firefox": ["firefox-esr", "firefox"],
}
"""What each browser is called, its package of Debian first."""


def find_browser(kind: str) -> str | None:
    """A browser's path: $CHROMIUM or $FIREFOX, or the first of the usual names."""
    names = [os.environ.get(kind.upper()), *NAMES[kind]]
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def browser_path(kind: str) -> str:
    """A browser's path.

    Raises:
        FileNotFoundError: There is none.
    """
    path = find_browser(kind)
    if path is None:
        raise FileNotFoundError(how_to_get(kind))
    return path


def how_to_get(kind: str) -> str:
    """What is missing, and what to do."""
    get = f"`apt-get install {NAMES[kind][0]}`, or its path in ${kind.upper()}"
    return f"needs {kind.title()}: {get}"


def require_browser(kind: str) -> None:
    """Skip the module that calls this if there is no such browser, unless $SBD_REQUIRE_BROWSER is 1."""
    if not find_browser(kind) and os.environ.get("SBD_REQUIRE_BROWSER") != "1":
        pytest.skip(how_to_get(kind), allow_module_level=True)


@contextlib.contextmanager
def browser():
    """A headless Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = launch(playwright.chromium)
        yield chromium
        chromium.close()


def launch(browser_type, *arguments: str):
    """Start Chromium, headless and with further arguments; Playwright gives the type of a browser."""
    return browser_type.launch(
        executable_path=browser_path("chromium"),
        args=[*ARGUMENTS.split(), *arguments],
        timeout=1000 * PATIENCE,
    )


def open_page(chromium, **options):
    """A page of its own context, with patience, that collects what its console calls an error in `page.errors`."""
    options = {"viewport": {"width": 1400, "height": 1100}, "accept_downloads": True, **options}
    page = chromium.new_context(**options).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.errors = []
    page.on(
        "console",
        lambda message: (
            message.type == "error" and page.errors.append(f"{message.text} {message.location}")
        ),
    )
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


MODELS = {"SBD": "vae_circles_bw", "deconv": "vae_deconv_circles_bw"}
CELL = """from sbd_utils import LatentExplorer, load_pretrained
names = {names}
explorer = LatentExplorer({{label: load_pretrained(name) for label, name in names.items()}})
explorer"""
PROMPT = "kernel_websocket_connection_class=sbd_utils.explorer.server.PromptConnection"
LAB_OPTIONS = (
    "--no-browser --allow-root --ip=127.0.0.1 --port-retries=0 --ServerApp.token= "
    "--LabApp.news_url=None --LabApp.expose_app_in_browser=True"
)


def write_notebook(path: Path, labels: list[str]) -> None:
    """Write a notebook that opens the explorer, as `explorer`, with the models of these labels."""
    import nbformat

    names = {label: MODELS[label] for label in labels}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(names=names))])
    notebook.metadata.kernelspec = dict(
        name="python3", display_name="Python 3 (ipykernel)", language="python"
    )
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


def _command(kind: str, folder: Path, port: int, prompt: bool) -> list[str]:
    if kind == "app":
        return ["sbd_utils.explorer.app", "--no-browser", f"--port={port}"]
    if kind == "lab":
        command = ["jupyter", "lab", *LAB_OPTIONS.split(), f"--ServerApp.root_dir={folder}"]
        return [*command, f"--port={port}", *([f"--ServerApp.{PROMPT}"] if prompt else [])]
    command = ["voila", str(folder), "--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}"]
    return [*command, *([f"--Voila.{PROMPT}"] if prompt else [])]


@contextlib.contextmanager
def server(kind: str, folder: Path, log: Path, prompt: bool = True):
    """JupyterLab ('lab') or Voilà ('voila') over a folder of notebooks, or the explorer alone ('app'); its address.

    prompt: whether it is started as `make lab` does it, see `sbd_utils.explorer.server`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = log.parent / "jupyter"  # nothing of the user's own settings
    parts = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
    }
    parts |= {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    no_news = (
        own / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    )
    no_news.parent.mkdir(parents=True, exist_ok=True)
    no_news.write_text('{"fetchNews": "false"}')  # or a question covers the page
    with open(log, "w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *_command(kind, folder, port, prompt)],
            cwd=folder,
            env=os.environ
            | {name: str(own / part) for name, part in parts.items()}
            | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def go_to(page, kind: str, address: str, notebook: str) -> None:
    """Open the explorer on a page of such a server: that of a notebook, or the only one."""
    if kind == "lab":
        run_in_lab(page, address, notebook)
    else:
        page.goto(address if kind == "app" else f"{address}/voila/render/{notebook}")


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    """Return once something listens on the port."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server does not answer:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen) -> None:
    """End the server and its kernels; politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)


def run_in_lab(page, address: str, notebook: str) -> None:
    """Open a notebook in JupyterLab and run all its cells; returns when the kernel has done them."""
    page.goto(f"{address}/lab/tree/{notebook}?reset")
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    page.evaluate(
        """async () => {
            const { context } = window.jupyterapp.shell.currentWidget;
            await context.ready;
            await context.sessionContext.ready;
            await context.sessionContext.session.kernel.info;
        }"""
    )
    run_all(page)


def run_all(page) -> None:
    """Run all cells of the notebook that is open in JupyterLab."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")


def run_code(page, code: str) -> str:
    """Run code in the kernel of the notebook that is open in JupyterLab; what it printed, or its error raised here."""
    text, error = page.evaluate(
        """async (code) => {
            const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
            const future = kernel.requestExecute({ code, store_history: false });
            let text = "";
            future.onIOPub = ({ content }) => { text += content.text ?? ""; };
            const { content } = await future.done;
            return [text, content.status === "ok" ? null : content.traceback?.join("\\n") ?? content.status];
        }""",
        code,
    )
    if error:
        raise RuntimeError(error)
    return text


def explorer(page, model: str = "SBD"):
    """The explorer on the page, once its kernel has answered with a picture by that model."""
    root = page.locator(".sbd-explorer").last
    root.locator("canvas.picture[aria-label^='Picture decoded by']").first.wait_for()
    assert root.locator(f"canvas.picture[aria-label*='{model}: ']").count() == 1
    return root
