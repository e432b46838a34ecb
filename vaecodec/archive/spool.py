"""What a writer must remember until the footer, on disk: a million images cost next to no memory."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.archive.index import (
    Footer,
    ModelEntry,
    name_hash,
    number_bytes_for,
    pack_page,
    table_bytes,
)
from vaecodec.bitstream.archive.limits import KIND_NAMES, NAMES_PER_PAGE
from vaecodec.bitstream.archive.record import RECORD_CHECK_BYTES, pack_frame
from vaecodec.errors import OutputError

Int64 = npt.NDArray[np.int64]


@contextmanager
def _saying_what_for() -> Iterator[None]:
    """Errors of temporary files, which have no name, say whose they are and where they lie. Raises OutputError."""
    try:
        yield
    except OSError as error:
        place = tempfile.tempdir or "a temporary folder (TMPDIR)"
        raise OutputError(f"the archive's index, in {place}: {error.strerror or error}") from error


class IndexSpool:
    """Counts and lengths of blocks, and the names' hashes, in temporary files."""

    def __init__(self) -> None:
        with ExitStack() as stack, _saying_what_for():
            self._blocks = stack.enter_context(tempfile.TemporaryFile())
            self._names = stack.enter_context(tempfile.TemporaryFile())
            stack.pop_all()  # closed by close()
        self._named = 0

    def close(self) -> None:
        """Give the files back."""
        for file in (self._blocks, self._names):
            with suppress(OSError):  # what is left in its buffer is of no use any more
                file.close()

    def add_block(self, count: int, length: int) -> None:
        """A block of so many images and bytes."""
        self.add_blocks(np.array([count], np.int64), np.array([length], np.int64))

    def add_blocks(self, counts: Int64, lengths: Int64) -> None:
        """Blocks of so many images and bytes each."""
        with _saying_what_for():
            self._blocks.write(np.stack([counts, lengths], axis=1).astype("<i8").tobytes())

    def add_names(self, names: Sequence[str], first: int) -> None:
        """The names of images first, first + 1 … of the segment."""
        keys = [name_hash(name.encode()) << 32 | first + k for k, name in enumerate(names)]
        self.add_keys(np.array(keys, np.uint64))

    def add_keys(self, keys: npt.NDArray[np.uint64]) -> None:
        """Names by their keys, hash · 2^32 + number."""
        with _saying_what_for():
            self._names.write(keys.astype("<u8").tobytes())
        self._named += len(keys)

    def blocks(self) -> tuple[Int64, Int64]:
        """(counts, lengths) of all blocks."""
        with _saying_what_for():
            self._blocks.seek(0)
        table = np.frombuffer(self._blocks.read(), "<i8").reshape(-1, 2).astype(np.int64)
        return table[:, 0], table[:, 1]

    def write_names(self, write: Callable[[bytes], None], images: int) -> tuple[int, int, npt.NDArray[np.uint32]]:
        """Write the names' table, page by page: (the record's bytes, names, first hash of each page)."""
        if not self._named:
            return 0, 0, np.empty(0, np.uint32)
        with _saying_what_for():
            self._names.flush()
        keys = np.memmap(self._names, "<u8", "r+", shape=(self._named,))
        keys.sort()  # in the file's own pages, which the system may take back
        width = number_bytes_for(images)
        body_bytes = table_bytes(self._named, width)
        frame = pack_frame(KIND_NAMES, body_bytes)
        write(frame)
        check = zlib.crc32(frame)
        for start in range(0, self._named, NAMES_PER_PAGE):
            page = pack_page(np.asarray(keys[start : start + NAMES_PER_PAGE], np.uint64), width)
            check = zlib.crc32(page, check)
            write(page)
        write(check.to_bytes(RECORD_CHECK_BYTES, "little"))
        hashes = np.asarray(keys[::NAMES_PER_PAGE] >> np.uint64(32), np.uint32)
        return len(frame) + body_bytes + RECORD_CHECK_BYTES, self._named, hashes

    def footer(
        self,
        write: Callable[[bytes], None],
        *,
        start: int,
        first_image: int,
        images: int,
        first_model: int,
        models: tuple[ModelEntry, ...],
        metadata_bytes: int,
    ) -> Footer:
        """Write the names' table; the footer that follows it."""
        names_bytes, named, page_hashes = self.write_names(write, images)
        counts, lengths = self.blocks()
        return Footer(
            start=start,
            first_image=first_image,
            first_model=first_model,
            models=models,
            counts=counts,
            lengths=lengths,
            metadata_bytes=metadata_bytes,
            names_bytes=names_bytes,
            named=named,
            page_hashes=page_hashes,
        )
