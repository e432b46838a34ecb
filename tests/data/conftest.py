"""Where the fixtures and, for some tests, the whole data sets are; a real server for the downloads."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def fixtures() -> Path:
    return Path(__file__).resolve().parents[1] / "fixtures" / "data"


@pytest.fixture
def whole_data() -> Path:
    """The folder of the whole data sets; the test is skipped where there is none."""
    folder = Path(os.environ.get("VAECODEC_DATA", "/nowhere"))
    images = folder / "mnist" / "train-images-idx3-ubyte.gz"
    if not images.is_file() or images.stat().st_size < 9_000_000:
        pytest.skip("needs the whole data sets: set VAECODEC_DATA to a folder with mnist/ and dsprites/")
    return folder


@dataclass
class Site:
    """What a real HTTP server on this machine gives: bytes for each path, for some fewer than it announces."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            body = site.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(site.announced.get(self.path, len(body))))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Be silent: stderr belongs to the progress that the tests look at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_port}/"
        yield site
        server.shutdown()
        thread.join()
