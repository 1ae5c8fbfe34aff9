"""The explorer's page in a real browser, without Jupyter: its kernel is this process, and can fail."""

import base64

from sbd_utils.explorer.widget import Page
from tests.browser import open_page

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>explorer</title><body><main></main></body></html>"""
# A widget's model as anywidget gives it to the page, and Jupyter's connection to a kernel as far as the page asks it.
# `deaf`: what is sent is lost; `broken`: sending raises.
MOUNT = """async ([esm, css, spec, views, deaf]) => {
    const listeners = {};
    const decode = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const signal = () => {
        const heard = new Set();
        const emit = (value) => { for (const listener of [...heard]) listener(null, value); };
        return { heard, emit, connect: (one) => heard.add(one), disconnect: (one) => heard.delete(one) };
    };
    const kernel = {
        status: "idle", connectionStatus: "connected",
        statusChanged: signal(), connectionStatusChanged: signal(), disposed: signal(),
    };
    const model = window.model = {
        deaf, broken: false, sent: [], widget_manager: { kernel },
        become(status) { kernel.status = status; kernel.statusChanged.emit(status); },
        connect(status) { kernel.connectionStatus = status; kernel.connectionStatusChanged.emit(status); },
        get: (name) => name === "spec" ? spec : undefined,
        on: (name, listener) => { (listeners[name] ??= []).push(listener); },
        off: (name, listener) => { listeners[name] = listeners[name].filter((each) => each !== listener); },
        heard_by: (name) => kernel[name]?.heard.size ?? listeners[name].length,
        tell: (name, ...values) => { for (const listener of [...(listeners[name] ?? [])]) listener(...values); },
        send(message) {
            if (model.broken) throw new Error("Cannot send");
            model.sent.push(message);
            if (!model.deaf) model.answer(message);
        },
        answering: 0,
        async answer(message) {
            model.answering++;
            const [content, buffers] = await window.kernel(message);
            model.answering--;
            model.tell("msg:custom", content, buffers.map(decode));
        },
    };
    window.saved = [];
    HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    window.ends = [];
    for (let i = 0; i < views; i++) {
        const el = document.createElement("div");
        document.querySelector("main").append(el);
        window.ends.push(widget.render({ model, el }));
    }
}"""
SETTLED = """() => [...document.querySelectorAll(".sbd-explorer")].every((root) => root.dataset.waiting === "0")"""
DARK = """body {
    background: #111;
    --jp-ui-font-color1: #ffffffde; --jp-ui-font-color2: #ffffff99; --jp-border-color1: #616161;
    --jp-layout-color1: #111; --jp-layout-color2: #212121;
}"""
"""The variables of JupyterLab's dark theme that the explorer uses."""


CLEAR = """() => {
    for (const end of window.ends) end();
    document.querySelector("main").replaceChildren();
    for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
    for (const style of document.querySelectorAll("style")) style.remove();
    scrollTo(0, 0);
}"""
WINDOW = {"width": 1400, "height": 1100}


class Stage:
    """A page that shows one explorer after another; if `stopped`, time passes only where a test says so."""

    def __init__(self, chromium, stopped: bool = True):
        self.widget: Page | None = None
        self.answers = []
        self.stopped = stopped
        page = self.page = open_page(chromium, viewport=WINDOW)
        if stopped:
            page.clock.install(time=0)
        page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.goto("http://localhost/")
        if stopped:
            page.clock.pause_at(60_000)
        page.expose_function("kernel", self._answer)

    def show(self, widget: Page, views: int = 1, deaf: bool = False):
        """Show views of this widget and nothing else; gives the page."""
        self.clear()
        self.widget = widget
        widget.send = lambda content, buffers=(): self.answers.append((content, buffers))
        code = [widget._esm, widget._css, widget.spec, views, deaf]
        self.page.evaluate(MOUNT, code)
        if not deaf:
            self.page.wait_for_function(SETTLED)
        return self.page

    def clear(self) -> None:
        """As it was at first."""
        if self.widget is not None:
            self.page.evaluate(CLEAR)
        self.widget = None
        self.page.mouse.move(1, 1)
        self.page.set_viewport_size(WINDOW)
        media = ("color_scheme", "reduced_motion", "contrast", "forced_colors")
        self.page.emulate_media(**dict.fromkeys(media, "null"))

    def _answer(self, message):
        self.widget.conversation.respond(message, self.widget.send)
        content, buffers = self.answers.pop()
        if self.stopped:
            content |= dict(kernel=0, core=0)
        return content, [base64.b64encode(part).decode() for part in buffers]
