"""The one JSON record of an archive: what its maker wants to say about it."""

from collections.abc import Mapping
from typing import Any

from vaecodec.bitstream.archive.limits import KIND_METADATA, MAX_METADATA_BYTES
from vaecodec.bitstream.archive.record import pack_record, unpack_record
from vaecodec.bitstream.canonical_json import parse, spell_checked
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField, LimitExceeded


def pack_metadata(metadata: Mapping[str, Any]) -> bytes:
    """The record of a JSON object, in the container's canonical spelling. Raises BadField, LimitExceeded."""
    record = pack_record(KIND_METADATA, spell_checked(dict(metadata), "metadata"))
    if len(record) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"metadata: {len(record)} bytes, at most {MAX_METADATA_BYTES} allowed")
    return record


def unpack_metadata(data: Buffer) -> dict[str, Any]:
    """The inverse of pack_metadata. Raises FormatError's children."""
    if len(data) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"metadata: {len(data)} bytes, at most {MAX_METADATA_BYTES} allowed")
    value = parse(bytes(unpack_record(data, KIND_METADATA)), "metadata")
    if not isinstance(value, dict):
        raise BadField("metadata: expected an object")
    return value
