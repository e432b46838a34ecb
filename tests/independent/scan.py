"""Looking for whole records where a footer is damaged (section 13.6).

[ start … end )  --sync bytes, records whose check matches-->  models, embedded files, blocks, metadata
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tests.independent import embedded
from tests.independent.blocks import Start, require_block_check
from tests.independent.embedded import ModelRecord
from tests.independent.footers import fingerprints_in
from tests.independent.records import BLOCK, EMBEDDED, FOOTER, METADATA, MODEL, SYNC, Record, holds
from tests.independent.refusal import Refused


@dataclass(slots=True)
class Found:
    """Whole records, in the order found; embedded models by the place of the model that stands before them.

    blocks: each with the fingerprint that its check matches.
    """

    models: list[tuple[ModelRecord, Record]] = field(default_factory=list)
    embedded: dict[int, Record] = field(default_factory=dict)
    metadata: list[Record] = field(default_factory=list)
    blocks: list[tuple[Start, Record, bytes]] = field(default_factory=list)
    footers: list[Record] = field(default_factory=list)


def scan(data: bytes, start: int, end: int, known: Collection[bytes]) -> Found:
    """Everything whole in a region; known: fingerprints that blocks may have been made with.

    A second time, where a model's record or a footer that is found tells other fingerprints.
    """
    found = _scan_once(data, start, end, known)
    told = {model.fingerprint for model, _ in found.models}
    for record in found.footers:
        try:
            told |= fingerprints_in(record)
        except Refused:
            continue
    return found if told <= set(known) else _scan_once(data, start, end, {*known, *told})


def _scan_once(data: bytes, start: int, end: int, known: Collection[bytes]) -> Found:
    found = Found()
    position = data.find(SYNC, start, end)
    while position >= 0:
        record = _record_at(data, position, end)
        taken = record is not None and _take(record, found, known)
        position = data.find(SYNC, record.end if record is not None and taken else position + 1, end)
    return found


def footers_from(data: bytes, start: int) -> Iterator[Record]:
    """The records of footers whose check matches, from an offset on."""
    position = data.find(SYNC + bytes([FOOTER]), start)
    while position >= 0:
        record = _record_at(data, position, len(data))
        if record is not None and record.is_checked():
            yield record
        position = data.find(SYNC + bytes([FOOTER]), position + 1)


def _record_at(data: bytes, position: int, end: int) -> Record | None:
    try:
        return Record.at(data, position, end)
    except Refused:
        return None


def _take(record: Record, found: Found, known: Collection[bytes]) -> bool:
    """Takes the record if it is whole; whether it was."""
    try:
        if record.kind & BLOCK:
            return _take_block(record, found, known)
        if record.kind == EMBEDDED:
            if not embedded.head_is_whole(record):
                return False
            if found.models and found.models[-1][1].end == record.start:
                found.embedded[len(found.models) - 1] = record
        elif not record.is_checked():
            return False
        elif record.kind == MODEL:
            found.models.append((embedded.read_model_record(record), record))
        elif record.kind == METADATA:
            found.metadata.append(record)
        elif record.kind == FOOTER:
            found.footers.append(record)
    except Refused:
        return False
    return True


def _take_block(record: Record, found: Found, known: Collection[bytes]) -> bool:
    start = Start.of(record)
    for fingerprint in {*known, *(model.fingerprint for model, _ in found.models)}:
        if holds(require_block_check, record, fingerprint):
            found.blocks.append((start, record, fingerprint))
            return True
    return False
