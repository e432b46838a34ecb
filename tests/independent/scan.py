"""Looking for whole records where a footer is damaged (section 13.6).

[ start … end )  --sync bytes, records whose check matches-->  models, blocks, metadata, what models' files are there
"""

from dataclasses import dataclass, field

from tests.independent import embedded
from tests.independent.blocks import Start, require_block_check
from tests.independent.footers import read_footer
from tests.independent.records import BLOCK, EMBEDDED, FOOTER, METADATA, MODEL, NAMES, SYNC, Record, holds
from tests.independent.refusal import Refused


@dataclass(slots=True)
class Found:
    """Whole records, in the order found."""

    models: list[bytes] = field(default_factory=list)
    model_records: dict[int, Record] = field(default_factory=dict)
    embedded: dict[int, Record] = field(default_factory=dict)
    metadata: Record | None = None
    blocks: list[tuple[Start, Record]] = field(default_factory=list)


def scan(data: bytes, start: int, end: int) -> Found:
    """Everything whole between two offsets."""
    found = Found()
    position = data.find(SYNC, start, end)
    while position >= 0:
        after = _take(data, position, end, found)
        position = data.find(SYNC, after, end)
    return found


def last_footer(data: bytes, start: int) -> Record | None:
    """The last whole footer's record from an offset on."""
    found = None
    position = data.find(SYNC, start)
    while position >= 0:
        try:
            record = Record.at(data, position, len(data))
        except Refused:
            record = None
        if record is not None and record.kind == FOOTER and holds(read_footer, record):
            found = record
        position = data.find(SYNC, position + 1)
    return found


def _take(data: bytes, position: int, end: int, found: Found) -> int:
    """Takes the record at a sync if it is whole; where to go on."""
    try:
        record = Record.at(data, position, end)
        if record.kind & BLOCK:
            _take_block(record, found)
        elif record.kind == MODEL:
            number = len(found.models)
            found.models.append(embedded.read_model_record(record).fingerprint)
            found.model_records[number] = record
        elif record.kind == EMBEDDED:
            if not embedded.head_is_whole(record) or not found.models:
                return position + 1
            found.embedded[len(found.models) - 1] = record
        elif record.kind == METADATA:
            record.checked_body(METADATA)
            found.metadata = record
        elif record.kind == NAMES:
            return position + 1
        else:
            record.checked_body(FOOTER)
    except Refused:
        return position + 1
    return record.end


def _take_block(record: Record, found: Found) -> None:
    start = Start.of(record)
    if start.model >= len(found.models):
        raise Refused("BadField", "a block of a model that was not found")
    require_block_check(record, found.models[start.model])
    found.blocks.append((start, record))
