"""Archives at fsspec addresses: one image costs the index and one block, not the file."""

import http.server
import multiprocessing
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

fsspec = pytest.importorskip("fsspec")

import vaecodec  # noqa: E402
from vaecodec.errors import OutputError, OutputExists  # noqa: E402


class RangeServer(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with range requests, and counts the bytes that it sends."""

    sent = 0
    gives_ranges = True

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        span = self.headers.get("Range") if self.gives_ranges else None
        status = 200
        if span:
            status, total = 206, len(data)
            first, _, last = span.removeprefix("bytes=").partition("-")
            start = int(first) if first else max(0, total - int(last))
            end = min(total, int(last) + 1) if first and last else total
            data = data[start:end]
        self.send_response(status)
        if span:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        RangeServer.sent += len(data)

    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """serve(path): its address."""
    servers = []

    def start(path):
        handler = partial(RangeServer, directory=str(path.parent))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        RangeServer.sent = 0
        return f"http://127.0.0.1:{servers[-1].server_port}/{path.name}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_archive_in_memory_reads_as_one_on_disk(archive_path, pixels):
    fsspec.filesystem("memory").pipe("/folder/a.vaea", archive_path.read_bytes())
    with vaecodec.Archive("memory://folder/a.vaea") as archive:
        assert np.array_equal(list(archive), pixels)
        assert archive.verify().whole


def test_one_image_over_http_costs_the_index_and_one_block(serve, tmp_path, codec):
    noise = np.random.default_rng(1).integers(0, 256, (3000, 28, 28), dtype=np.uint8)
    with vaecodec.ArchiveWriter.create(tmp_path / "a.vaea", codec) as writer:
        writer.add_batch(noise, [f"{k}" for k in range(3000)])
    archive = vaecodec.Archive(serve(tmp_path / "a.vaea"))
    opening = RangeServer.sent
    image = archive["2000"]
    assert np.array_equal(image, codec.lossy.synthesise(codec.lossy.analyse(noise[2000:2001]))[0])
    assert opening <= 17_000
    block, page = int(archive._directory.lengths.max()), 512 * 6 + 4
    # Some names stand on a page whose first hash is their own: then the page before is read too.
    assert RangeServer.sent - opening <= block + 2 * page + 200  # and the model record


def test_a_forked_reader_makes_connections_of_its_own(serve, archive_path, pixels):
    archive = vaecodec.Archive(serve(archive_path))
    assert np.array_equal(archive[7], pixels[7])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put(int(archive[30].sum())))
    child.start()
    assert queue.get(timeout=60) == int(pixels[30].sum())
    child.join()


def test_what_an_address_does_not_give_is_an_error_with_a_reason(serve, archive_path, tmp_path, monkeypatch):
    address = serve(archive_path)
    there = address.rpartition("/")[0]
    for bad, reason in (
        ("nosuch://x", "nosuch"),
        ("memory://nowhere.vaea", "not found"),
        (f"file://{tmp_path}/nowhere.vaea", "not found"),
        (f"{there}/nowhere.vaea", "not found"),
        ("http://127.0.0.1:9/a.vaea", "."),
    ):
        with pytest.raises(OSError, match=reason) as caught:
            vaecodec.Archive(bad)
        assert str(caught.value).startswith(f"{bad}: ")
    monkeypatch.setattr(RangeServer, "gives_ranges", False)
    with pytest.raises(OSError, match="whole files only"):
        vaecodec.Archive(address)


def test_a_protocol_whose_package_is_missing_names_it():
    code = """
import sys
sys.modules["aiohttp"] = None
import vaecodec
try:
    vaecodec.Archive("http://127.0.0.1:9/a.vaea")
except vaecodec.VaecodecError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("http://127.0.0.1:9/a.vaea: "), done.stderr
    assert "aiohttp" in done.stdout
    assert "pip install" in done.stdout


def test_an_archive_is_written_to_an_address_when_it_is_whole(codec, archive_path):
    memory, address = fsspec.filesystem("memory"), "memory://new/a.vaea"
    with vaecodec.Archive(archive_path) as archive, vaecodec.ArchiveWriter.create(address, codec) as writer:
        writer.add_batch(archive)
        assert not memory.exists("/new/a.vaea")
    with vaecodec.Archive(address) as there:
        assert len(there) == len(writer)
        assert memory.size("/new/a.vaea") == writer.size_bytes


def test_an_address_keeps_what_it_has(codec):
    memory = fsspec.filesystem("memory")
    memory.pipe("/kept/a.vaea", b"something else")
    with pytest.raises(OutputExists, match="exists already"):
        vaecodec.ArchiveWriter.create("memory://kept/a.vaea", codec)
    with pytest.raises(RuntimeError), vaecodec.ArchiveWriter.create("memory://kept/a.vaea", codec, overwrite=True):
        raise RuntimeError("given up")
    assert memory.cat("/kept/a.vaea") == b"something else"
    with vaecodec.ArchiveWriter.create("memory://kept/a.vaea", codec, overwrite=True):
        pass
    with vaecodec.Archive("memory://kept/a.vaea") as there:
        assert len(there) == 0
    writer = vaecodec.ArchiveWriter.create("memory://kept/b.vaea", codec)
    memory.pipe("/kept/b.vaea", b"came meanwhile")
    with pytest.raises(OutputExists):
        writer.close()
    assert memory.cat("/kept/b.vaea") == b"came meanwhile"


def test_what_an_address_cannot_do_is_one_line(codec):
    with pytest.raises(OutputError, match="disk"):
        vaecodec.ArchiveWriter.append("memory://a", codec)
    with pytest.raises(OSError, match="nonsense://a: "):
        vaecodec.ArchiveWriter.create("nonsense://a", codec)


def test_an_archive_goes_to_s3_and_is_read_there(codec, archive_path, monkeypatch):
    """By a server that speaks S3 on this machine."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "none"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ):
            monkeypatch.setenv(name, value)
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("pictures")
        address = "s3://pictures/digits.vaea"
        with vaecodec.Archive(archive_path) as archive, vaecodec.ArchiveWriter.create(address, codec) as writer:
            writer.add_batch(archive)
        with vaecodec.Archive(address) as there:
            assert len(there) == len(writer)
            assert there.verify().whole
        with pytest.raises(OutputExists, match=r"s3://pictures/digits\.vaea: exists already"):
            vaecodec.ArchiveWriter.create(address, codec)
        with (
            pytest.raises(OSError, match=r"s3://nowhere/a\.vaea: "),
            vaecodec.ArchiveWriter.create("s3://nowhere/a.vaea", codec) as lost,
        ):
            lost.add_batch([])
    finally:
        server.stop()
