"""A store that speaks S3, on this machine, by moto: it counts what is asked of it, waits as a distant one, and fails.

    with Store(latency_s=0.02) as store:
        store.failing = 0.1                  # every tenth request is answered 503, by a fixed seed
        vaecodec.Archive(f"{store.address}/folder")
        store.counts                         # requests by method; bytes that were sent and received

The environment of this process, and of those that it starts, says where it is.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

BUCKET = "bucket"
BUSY = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"""


@dataclass
class Counts:
    """requests: by method and status. sent, received: bytes of bodies, as the store sees them."""

    requests: Counter[str] = field(default_factory=Counter)
    sent_bytes: int = 0
    received_bytes: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())


class Store:
    """A context manager. latency_s: before each answer. failing: the share of requests that is answered 503."""

    def __init__(self, *, latency_s: float = 0.0, seed: int = 0) -> None:
        self.latency_s, self.failing = latency_s, 0.0
        self.counts = Counts()
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Of its one bucket."""
        return f"s3://{BUCKET}"

    def __enter__(self) -> "Store":
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            """Keeps connections, and says nothing."""

            protocol_version = "HTTP/1.1"

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                pass

        self._app: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._before = dict(os.environ)
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{self._server.server_port}",
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_DEFAULT_REGION="us-east-1",
        )
        _forget_connections()
        import s3fs

        s3fs.S3FileSystem().mkdir(BUCKET)
        self.counts = Counts()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        os.environ.clear()
        os.environ.update(self._before)
        _forget_connections()

    def _answer(self, environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        time.sleep(self.latency_s)
        method = environment["REQUEST_METHOD"]
        with self._lock:
            busy = self._random.random() < self.failing
            self.counts.received_bytes += int(environment.get("CONTENT_LENGTH") or 0)
        if busy:
            environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
            body = b"" if method == "HEAD" else BUSY
            self._count(f"{method} 503", 0)
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        status: list[str] = []

        def started(line: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            status.append(line.partition(" ")[0])
            return start(line, headers, *rest)

        body = b"".join(self._app(environment, started))
        self._count(f"{method} {status[0]}", len(body))
        return [body]

    def _count(self, what: str, sent_bytes: int) -> None:
        with self._lock:
            self.counts.requests[what] += 1
            self.counts.sent_bytes += sent_bytes


def _forget_connections() -> None:
    """File systems that fsspec keeps would go on to ask a store that is gone."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
