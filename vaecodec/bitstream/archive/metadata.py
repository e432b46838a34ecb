"""The one JSON record of an archive: what its maker wants to say about it."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from vaecodec.bitstream.archive.limits import KIND_METADATA, MAX_METADATA_BYTES
from vaecodec.bitstream.archive.record import pack_record, unpack_record
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField, LimitExceeded, NotCanonical


def pack_metadata(metadata: Mapping[str, Any]) -> bytes:
    """The record of a JSON object, in the container's canonical spelling. Raises BadField, LimitExceeded."""
    try:
        text = _spell(dict(metadata))
        if json.loads(text) != metadata:
            raise ValueError("it reads back as something else")
        record = pack_record(KIND_METADATA, text.encode("utf-8"))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadField(f"metadata: not plain JSON: {error}") from error
    if len(record) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"metadata: {len(record)} bytes, at most {MAX_METADATA_BYTES} allowed")
    return record


def unpack_metadata(data: Buffer) -> dict[str, Any]:
    """The inverse of pack_metadata. Raises FormatError's children."""
    if len(data) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"metadata: {len(data)} bytes, at most {MAX_METADATA_BYTES} allowed")
    body = bytes(unpack_record(data, KIND_METADATA))
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        canonical = _spell(value).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadField(f"metadata: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadField("metadata: expected an object")
    if canonical != body:
        raise NotCanonical("metadata: not the canonical form of its JSON")
    return value


def _spell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
