"""Segment: what one writer adds to an archive, record by record, and the footer that makes it a part of the archive.

[model [model file]] block block … block [metadata] [names' table] footer trailer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vaecodec.archive.models import model_file
from vaecodec.archive.output import Output
from vaecodec.archive.spool import IndexSpool
from vaecodec.bitstream.archive.block import Block, pack_block
from vaecodec.bitstream.archive.index import ModelEntry, pack_footer
from vaecodec.bitstream.archive.metadata import pack_metadata
from vaecodec.bitstream.archive.model_record import ANY_SIZE, ModelRecord, pack_embedded, pack_model_record
from vaecodec.bitstream.archive.record import pack_header, pack_trailer

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec


class Segment:
    """images: in the archive, those of the blocks written here included."""

    def __init__(self, output: Output) -> None:
        self.images = output.images
        self._output = output
        self._spool = IndexSpool()
        self._models: list[ModelEntry] = []

    @property
    def size_bytes(self) -> int:
        """Bytes of the archive so far."""
        return self._output.position

    @property
    def closed(self) -> bool:
        """Whether it is finished or given up."""
        return self._output.closed

    def model_number(self, codec: AnyCodec, *, embed: bool) -> int:
        """The number of the codec's model in the archive; a new model's records are written."""
        fingerprint = codec.fingerprint
        if fingerprint in self._output.fingerprints:
            return self._output.fingerprints.index(fingerprint)
        record = pack_model_record(ModelRecord(fingerprint, codec.geometry or ANY_SIZE, codec.model.name))
        embedded = pack_embedded(model_file(codec)) if embed else b""
        self._output.write(record + embedded)
        self._models.append(ModelEntry(fingerprint, len(record), len(embedded)))
        return len(self._output.fingerprints)

    def add_block(self, block: Block, fingerprint: bytes, names: Sequence[str | None]) -> None:
        """Write a block; fingerprint: its model's; names: one for each of its images."""
        data = pack_block(block, fingerprint)
        self._output.write(data)
        self._spool.add_block(len(names), len(data))
        self._spool.add_names([name for name in names if name is not None], self.images - self._output.images)
        self.images += len(names)

    def finish(self, metadata: Mapping[str, Any] | None) -> None:
        """Write what closes the segment: all of it is on disk when this returns."""
        changed = self.images > self._output.images
        if changed or self._output.start <= len(pack_header()) or metadata is not None:
            self._write_footer(metadata)
        else:
            self._output.abort()  # nothing was appended: the old archive is the new one
        self._spool.close()

    def abort(self) -> None:
        """Give up what was added: no new archive, or the old one."""
        self._output.abort()
        self._spool.close()

    def _write_footer(self, metadata: Mapping[str, Any] | None) -> None:
        packed = b"" if metadata is None else pack_metadata(metadata)
        if packed:
            self._output.write(packed)
        footer = self._spool.footer(
            self._output.write,
            start=self._output.start,
            first_image=self._output.images,
            images=self.images - self._output.images,
            first_model=len(self._output.fingerprints),
            models=tuple(self._models),
            metadata_bytes=len(packed),
        )
        record = pack_footer(footer)
        self._output.commit(record + pack_trailer(len(record)))
