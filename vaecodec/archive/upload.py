"""Upload: a new archive at an address that fsspec knows (s3://bucket/name.vaea), by way of a file on this machine.

blocks, as they come ──> temporary file ──whole──> put_file ──> size there = size here

An address is written once and whole: object stores cannot go on where a file ends, and nobody may see half an archive.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress

from vaecodec.archive.source import connect, naming
from vaecodec.errors import OutputError, OutputExists

SPOOL_BUFFER_BYTES = 1 << 20


class Upload:
    """An output file (vaecodec/files/outputs.py). Nothing is at the address before commit().

    Raises OutputExists where something is there and overwrite is not set, OutputError without fsspec, OSError.
    """

    def __init__(self, address: str, *, overwrite: bool) -> None:
        self._address, self._overwrite = address, overwrite
        self._filesystem, self._path = connect(address)
        self._check_free()
        self._bytes = 0
        self._spool = tempfile.NamedTemporaryFile(  # noqa: SIM115
            prefix="vaecodec-", suffix=".vaea", buffering=SPOOL_BUFFER_BYTES
        )

    def write(self, data: bytes | memoryview) -> None:
        self._spool.write(data)
        self._bytes += len(data)

    def sync(self) -> None:
        """The spool need not last: the address is written when it is whole."""

    def commit(self) -> None:
        """Send it. Raises OSError, OutputError where what arrived is not as long, OutputExists."""
        try:
            self._spool.flush()
            self._check_free()
            with naming(self._address):
                self._filesystem.put_file(self._spool.name, self._path)
                self._filesystem.invalidate_cache()
                arrived = int(self._filesystem.size(self._path))
            if arrived != self._bytes:
                raise OutputError(f"{self._address}: {self._bytes} bytes were sent, {arrived} arrived")
        finally:
            self._spool.close()

    def abort(self) -> None:
        """Nothing was sent."""
        with suppress(OSError):
            self._spool.close()

    def _check_free(self) -> None:
        with naming(self._address):
            taken = not self._overwrite and bool(self._filesystem.exists(self._path))
        if taken:
            raise OutputExists(f"{self._address}: exists already")
