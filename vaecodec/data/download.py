"""Fetches the official files of a data set that is not on this machine, checks them, and only then puts them in place.

    address --urllib--> temporary file beside the target --check--> rename --> target

A file that is cut, altered or not the official one never gets its name, and what a killed run leaves is removed by a
later one (vaecodec/files/outputs.py). Where there is no network, the error says which file to put where.
"""

import http.client
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from vaecodec.data.dsprites import OFFICIAL_NAME, SUBSET_NAME
from vaecodec.data.dsprites_official import check_official
from vaecodec.data.location import ENVIRONMENT_VARIABLE
from vaecodec.data.mnist import UNPACKED_SHA256, file_names, find_idx, read_idx
from vaecodec.errors import BadDataset, DatasetMissing
from vaecodec.files.outputs import OutputFile, WholeFile

MNIST_ADDRESSES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
DSPRITES_ADDRESSES = ("https://github.com/google-deepmind/dsprites-dataset/raw/master/",)
MAX_DOWNLOAD_BYTES = 2**26  # the largest file, dSprites, has 27 MB
CHUNK_BYTES = 2**16
TIMEOUT_S = 30


def ensure_mnist(folder: Path, split: str, *, addresses: Sequence[str] = MNIST_ADDRESSES) -> None:
    """Fetch those of the split's files that are not in the folder.

    DatasetMissing where none of the addresses answers, BadDataset where what they give is not the official file.
    """
    for name in file_names(split):
        try:
            find_idx(folder, name)
        except DatasetMissing:
            dimensions = 3 if "idx3" in name else 1
            fetch(
                [f"{address}{name}.gz" for address in addresses],
                folder / f"{name}.gz",
                lambda path, name=name, dimensions=dimensions: check_mnist(path, name, dimensions),  # type: ignore[misc]
            )


def ensure_dsprites(folder: Path, *, addresses: Sequence[str] = DSPRITES_ADDRESSES) -> None:
    """Fetch the official file unless it or a subset is in the folder; errors as `ensure_mnist`."""
    if not any((folder / name).is_file() for name in (OFFICIAL_NAME, SUBSET_NAME)):
        fetch([f"{address}{OFFICIAL_NAME}" for address in addresses], folder / OFFICIAL_NAME, check_official)


def check_mnist(path: Path, name: str, dimensions: int) -> None:
    """BadDataset where the file, unpacked, is not the official one."""
    _, found = read_idx(path, dimensions=dimensions)
    if found != UNPACKED_SHA256[name]:
        raise BadDataset(f"{name}: expected SHA-256 {UNPACKED_SHA256[name]} of the unpacked file, found {found}")


def fetch(urls: Sequence[str], target: Path, check: Callable[[Path], None]) -> None:
    """The first of the addresses whose file passes the check gives the target; a failure leaves nothing behind.

    check: raises BadDataset for a file that is not the one wanted. Progress goes to stderr.
    """
    reasons: list[str] = []
    refused: BadDataset | None = None
    for url in urls:
        try:
            fetch_one(url, target, check)
            return
        except BadDataset as error:
            refused = error
            reasons.append(f"{url}: {error}")
        # OSError: no network, no room on the disk; HTTPException: a broken answer; ValueError: a bad address.
        except (OSError, http.client.HTTPException, ValueError) as error:
            reasons.append(f"{url}: {error}")
    message = (
        f"{target.name} is not in {target.parent} and could not be downloaded ({'; '.join(reasons)}). "
        f"Get it from {urls[0]} and put it at {target}, or name the folder above {target.parent.name}/ "
        f"with --data-dir or {ENVIRONMENT_VARIABLE}"
    )
    if refused is not None:
        raise BadDataset(message) from refused
    raise DatasetMissing(message)


def fetch_one(url: str, target: Path, check: Callable[[Path], None]) -> None:
    """One attempt at one address; OSError, HTTPException or BadDataset where it fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    file = WholeFile(str(target), overwrite=True)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            copy(answer, file, target.name)
        file.sync()
        check(Path(file.temporary))
    except BaseException:
        file.abort()
        raise
    file.commit()


def copy(answer: http.client.HTTPResponse, file: OutputFile, what: str) -> None:
    """The whole answer into the file; OSError where it ends early or is larger than any file we want."""
    length = answer.headers.get("Content-Length")
    expected = int(length) if length is not None and length.isdigit() else None
    progress = Progress(what, expected)
    done = 0
    try:
        while chunk := answer.read(CHUNK_BYTES):
            done += len(chunk)
            if done > MAX_DOWNLOAD_BYTES:
                raise OSError(f"expected at most {MAX_DOWNLOAD_BYTES} bytes, found more")
            file.write(chunk)
            progress.show(done)
    finally:
        progress.end(done)
    if expected is not None and done != expected:
        raise OSError(f"the connection ended after {done} of {expected} bytes")


class Progress:
    """How much of a download is done: on stderr, one line that is rewritten on a terminal, else one line at the end."""

    def __init__(self, what: str, expected_bytes: int | None) -> None:
        self._what = what
        self._total = f" of {expected_bytes / 1e6:.1f}" if expected_bytes else ""
        self._next_s = 0.0

    def show(self, done_bytes: int) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + 0.1
            self._write(done_bytes, before="\r", after="")

    def end(self, done_bytes: int) -> None:
        self._write(done_bytes, before="\r" if sys.stderr.isatty() else "", after="\n")

    def _write(self, done_bytes: int, *, before: str, after: str) -> None:
        text = f"{before}downloading {self._what}: {done_bytes / 1e6:.1f}{self._total} MB{after}"
        print(text, end="", file=sys.stderr, flush=True)
