"""The book, built once for all tests, and served as any static server would, under a path of its own."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

PREFIX = "/some/where/"
"""The path under which the site is served: it must not matter."""
STRICT = "strict.html"
"""Below this name the front page is served with a policy that forbids WebAssembly."""
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:"


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder, and what tests leave in `extra`."""

    extra: Mapping[str, bytes] = MappingProxyType({})

    def do_GET(self):
        """Answer with a file below the prefix, or with what a test left."""
        path = self.path.partition("?")[0]
        if path in self.extra:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.extra[path])))
            self.end_headers()
            self.wfile.write(self.extra[path])
        elif path.startswith(PREFIX):
            self.path = path.removeprefix(PREFIX.rstrip("/"))
            self.is_strict = path.endswith(STRICT)
            if self.is_strict:
                self.path = "/index.html"
            super().do_GET()
        else:
            self.send_error(404)

    def end_headers(self):
        """Add the policy where it is asked for."""
        if getattr(self, "is_strict", False):
            self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def serve(folder: Path, extra: dict[str, bytes] | None = None) -> Iterator[str]:
    """A server of a folder; its address, with the prefix."""
    handler = partial(
        type("Own", (Handler,), {"extra": {} if extra is None else extra}), directory=folder
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()
