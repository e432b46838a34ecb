"""Damaged and made-up archives, the same ones for the same seed.

archives by the page, and golden ones --damage a record, the footer's numbers, the order, the bytes--> bytes
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random

from tests.independent.archives_by_the_page import plans
from tests.independent.blocks import Start
from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.model_file import Model
from tests.independent.names_table import NAMES_PER_PAGE, number_bytes
from tests.independent.records import BLOCK, EMBEDDED, FOOTER, NAMES, SYNC, Record
from tests.independent.refusal import Refused
from tests.independent.writing_archives import (
    HEADER,
    SegmentPlan,
    footer_fields,
    record,
    segment,
    trailer,
    u32,
    uvarint,
)


def mutants(models: Mapping[str, tuple[Model, bytes]], rng: Random, goldens: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Mutants without end; models: by name, with their files."""
    while True:
        if goldens and rng.random() < 0.2:
            data = rng.choice(goldens)
            for _ in range(rng.choice([1, 1, 2, 3])):
                data = rng.choice(CHANGES_OF_BYTES)(data, rng)
            yield data
            continue
        segments = plans(models, rng)
        if rng.random() < 0.4:
            for _ in range(rng.choice([1, 1, 2])):
                rng.choice(CHANGES_OF_PLANS)(segments, rng)
        parts = [HEADER]
        for plan in segments:
            start = sum(map(len, parts))
            written = segment(plan, start)
            if rng.random() < 0.25:
                written[-2:] = _another_footer(plan, start, rng)
            parts += written
        if rng.random() < 0.6:
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                if any(parts):
                    rng.choice(CHANGES_OF_PARTS)(parts, rng)
        data = b"".join(parts)
        if rng.random() < 0.4:
            data = rng.choice(CHANGES_OF_BYTES)(data, rng)
        yield data


def _another_footer(plan: SegmentPlan, start: int, rng: Random) -> list[bytes]:
    """A footer with a number or another field changed, and its trailer."""
    fields = footer_fields(plan, start)
    place = rng.choice([0, 1, 2, 3, rng.randrange(len(fields))])
    kind = rng.randrange(4)
    if kind == 0:
        fields[place] = uvarint(rng.choice([0, 1, 2, 8, 9, 127, 128, 2**32, 2**62]))
    elif kind == 1 and len(fields[place]) < 9:
        fields[place] = uvarint(max(0, int.from_bytes(fields[place], "little") + rng.choice([-1, 1, 2])))
    elif kind == 2:
        fields.insert(place, b"\0")
    else:
        del fields[place]
    footer = record(FOOTER, b"".join(fields))
    size = len(footer) if rng.random() < 0.8 else len(footer) + rng.choice([-1, 1, 16, 2**40])
    return [footer, trailer(size, rng.choice([1, 1, 1, 2]))]


def _rechecked(part: bytes, changed: bytes) -> bytes:
    """The changed record with a check that fits it, if the check covers all of the record."""
    return changed[:-4] + u32(crc32(changed[:-4])) if part[2] not in {EMBEDDED} and part[2] < BLOCK else changed


def _change_block(segments: list[SegmentPlan], rng: Random) -> None:
    """A byte of a block's first fields or anywhere, with the check made right."""
    plan = rng.choice(segments)
    if not plan.blocks:
        return
    place = rng.randrange(len(plan.blocks))
    images, written = plan.blocks[place]
    changed = bytearray(written)
    for _ in range(rng.choice([1, 1, 2])):
        position = rng.randrange(2, min(len(changed), rng.choice([4, 12, 12, 20, 1000])))
        changed[position] = rng.choice([0, 1, 2, 3, 27, 127, 128, 255, changed[position] ^ 1, rng.randrange(256)])
    if rng.random() < 0.3:
        position = rng.randrange(4, len(changed))
        changed[position:position] = rng.randbytes(1)
    found = [reblocked(bytes(changed), fingerprint) for s in segments for fingerprint, _, _ in s.models]
    plan.blocks[place] = (images, rng.choice(found) if found else bytes(changed))


def reblocked(written: bytes, fingerprint: bytes) -> bytes:
    """A block's record with its length and its check made right for a model."""
    cursor = Cursor(written)
    try:
        cursor.take(3, "sync and kind")
        cursor.uvarint("length")
        body = written[cursor.position : -4]
        fields = Cursor(body)
        fields.uvarint("model")
        fields.take(1, "images")
        fields.uvarint("first image")
        names = fields.uvarint("names' bytes") if written[2] & 1 else 0
    except Refused:
        return written
    return record(written[2], body, before=fingerprint, unchecked=min(names, len(body)))


def _change_model(segments: list[SegmentPlan], rng: Random) -> None:
    """A byte of a model's record, with the check made right; or its fingerprint in the footer alone."""
    plan = rng.choice(segments)
    if not plan.models:
        return
    place = rng.randrange(len(plan.models))
    fingerprint, of_model, of_file = plan.models[place]
    kind = rng.randrange(4)
    if kind == 0:
        fingerprint = rng.randbytes(32)
    elif kind == 1:
        of_file = b""
    elif kind == 2:
        of_file = rng.choice([m for s in segments for _, _, m in s.models])
    else:
        position = rng.randrange(4, len(of_model) - 4)
        changed = of_model[:position] + rng.choice([b"\0", b"\xff", b"\x1b"]) + of_model[position + 1 :]
        of_model = _rechecked(of_model, changed)
    plan.models[place] = (fingerprint, of_model, of_file)


def _change_other(segments: list[SegmentPlan], rng: Random) -> None:
    """A byte of the metadata or the names' table, with the check made right."""
    plan = rng.choice(segments)
    field = rng.choice(["metadata", "names"])
    written = getattr(plan, field)
    if written:
        position = rng.randrange(2, len(written) - 4)
        changed = written[:position] + rng.choice([b"\0", b" ", b"\xff", b"\x04"]) + written[position + 1 :]
        setattr(plan, field, _rechecked(written, changed))


def _change_table(segments: list[SegmentPlan], rng: Random) -> None:
    """Entries of a names' table in another order, twice, or of another number or hash; all checks made right."""
    plan = rng.choice(segments)
    if not plan.entries or plan.entries > NAMES_PER_PAGE:
        return
    width = 4 + number_bytes(plan.images)
    try:
        body = Record.exactly(plan.names, 0, len(plan.names)).body[:-4]
    except Refused:  # changed before, or not there though its entries are counted
        return
    entries = [body[i : i + width] for i in range(0, len(body), width)]
    place, kind = rng.randrange(len(entries)), rng.randrange(5)
    if kind == 0:
        rng.shuffle(entries)
    elif kind == 1:
        entries[place] = rng.choice(entries)
    elif kind == 2:
        entries[place] = entries[place][:4] + (rng.choice([0, plan.images, 255]) % 256).to_bytes(width - 4, "little")
    elif kind == 3:
        entries[place] = rng.choice([bytes(4), b"\xff" * 4]) + entries[place][4:]
    else:
        entries.sort(key=lambda entry: entry[::-1])
    page = b"".join(entries)
    plan.names = record(NAMES, page + u32(crc32(page)))
    if rng.random() < 0.5:
        plan.page_hashes = [int.from_bytes(page[:4], "little")]


def _names_size(written: bytes) -> int:
    """Of a block; 0 where it says nothing that can be."""
    try:
        return Start.of(Record.exactly(written, 0, len(written))).names_size
    except Refused:
        return 0


def _change_names(segments: list[SegmentPlan], rng: Random) -> None:
    """A byte of the names in a block, with their check made right."""
    plan = rng.choice(segments)
    named = [place for place, (_, written) in enumerate(plan.blocks) if _names_size(written) > 4]
    if not named:
        return
    place = rng.choice(named)
    images, written = plan.blocks[place]
    size = _names_size(written)
    names = bytearray(written[-4 - size : -8])
    names[rng.randrange(len(names))] = rng.choice([0, 1, 2, 0x78, 0x7F, 0x80, 0xC3, 0xFF])
    plan.blocks[place] = (images, written[: -4 - size] + bytes(names) + u32(crc32(bytes(names))) + written[-4:])


def _reorder(segments: list[SegmentPlan], rng: Random) -> None:
    plan = rng.choice(segments)
    kind = rng.randrange(4)
    if kind == 0:
        rng.shuffle(plan.blocks)
    elif kind == 1:
        plan.models.reverse()
    elif kind == 2 and plan.blocks:
        plan.blocks.append(rng.choice(plan.blocks))
    else:
        segments.reverse()


def _change_numbers(segments: list[SegmentPlan], rng: Random) -> None:
    plan = rng.choice(segments)
    kind = rng.randrange(4)
    if kind == 0:
        plan.first_image = max(0, plan.first_image + rng.choice([-1, 1, 5]))
    elif kind == 1:
        plan.first_model = max(0, plan.first_model + rng.choice([-1, 1, 5]))
    elif kind == 2:
        plan.entries = max(0, plan.entries + rng.choice([-1, 1, 512]))
    elif plan.page_hashes:
        plan.page_hashes[0] = rng.choice([0, 2**32 - 1, plan.page_hashes[0] + 1 & 0xFFFFFFFF])


def _flip_part(parts: list[bytes], rng: Random) -> None:
    """One or a few bytes of a part that is damaged: a part is as likely as another, however long."""
    place = rng.choice([place for place, part in enumerate(parts) if part])
    changed = bytearray(parts[place])
    where = rng.choice([len(changed), min(len(changed), 8), min(len(changed), 60)])
    for _ in range(rng.choice([1, 1, 1, 5])):
        changed[rng.randrange(where)] ^= 1 << rng.randrange(8)
    parts[place] = bytes(changed)


def _damage_embedded(parts: list[bytes], rng: Random) -> None:
    """A byte or a burst in an embedded model's record."""
    places = [place for place, part in enumerate(parts) if part[:3] == SYNC + bytes([EMBEDDED])]
    if not places:
        return
    place = rng.choice(places)
    part = parts[place]
    size = rng.choice([1, 1, 40, 4096, 12288, 12289, 16384])
    position = rng.choice([rng.randrange(3, 100), rng.randrange(3, len(part))])
    burst = bytes(byte ^ 0xFF for byte in part[position : position + size])
    parts[place] = part[:position] + burst + part[position + len(burst) :]


def _remove_part(parts: list[bytes], rng: Random) -> None:
    if len(parts) > 1:
        del parts[rng.randrange(len(parts))]


def _repeat_part(parts: list[bytes], rng: Random) -> None:
    parts.insert(rng.randrange(len(parts) + 1), rng.choice(parts))


def _swap_parts(parts: list[bytes], rng: Random) -> None:
    """Two blocks, or other parts, each in the place of the other."""
    blocks = [place for place, part in enumerate(parts) if part[2:3] >= bytes([BLOCK])]
    among = blocks if len(blocks) > 1 and rng.random() < 0.8 else range(len(parts))
    a, b = rng.choice(among), rng.choice(among)
    parts[a], parts[b] = parts[b], parts[a]


def _zero(parts: list[bytes], rng: Random) -> None:
    """A row of bytes that are gone, across parts, as a page of a disk is."""
    data = bytearray(b"".join(parts))
    size = rng.choice([30, 100, 300])
    ends = list(accumulate(map(len, parts)))
    start = max(0, rng.choice([rng.randrange(len(data)), rng.choice(ends) - rng.randrange(size)]))
    data[start : start + size] = bytes(len(data[start : start + size]))
    parts[:] = [bytes(data[end - len(part) : end]) for end, part in zip(ends, parts, strict=True)]


def _insert_part(parts: list[bytes], rng: Random) -> None:
    junk = [b"\0", SYNC, SYNC + b"\x80", rng.randbytes(30), b"VAZ\1", trailer(50), record(FOOTER, b"\x09\0\0\0\0\0\0")]
    parts.insert(rng.randrange(len(parts) + 1), rng.choice(junk))


def _end_early(parts: list[bytes], rng: Random) -> None:
    """As an append that was not finished leaves it."""
    kept = rng.randrange(1, len(parts) + 1)
    part = parts[kept - 1]
    parts[kept - 1 :] = [part[: rng.choice([0, len(part), rng.randrange(len(part) + 1)])]]
    parts[:] = [part for part in parts if part] or [b""]


def _cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.choice([rng.randrange(len(data) + 1), max(0, len(data) - rng.randrange(1, 40))])]


def _flip(data: bytes, rng: Random) -> bytes:
    if not data:
        return data
    near = [
        rng.randrange(len(data)),
        rng.randrange(min(9, len(data))),
        len(data) - rng.randrange(1, min(100, len(data) + 1)),
    ]
    position = rng.choice(near)
    return data[:position] + bytes([data[position] ^ (1 << rng.randrange(8))]) + data[position + 1 :]


def _lengthen(data: bytes, rng: Random) -> bytes:
    return data + rng.choice([bytes(16), rng.randbytes(20), data[9:], data[-16:], data])


def _remove(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 1, 16, 1000]) :]


CHANGES_OF_PLANS = (
    _change_block,
    _change_block,
    _change_block,
    _change_model,
    _change_other,
    _change_table,
    _change_names,
    _reorder,
    _change_numbers,
)
CHANGES_OF_PARTS = (
    _flip_part,
    _flip_part,
    _flip_part,
    _damage_embedded,
    _remove_part,
    _repeat_part,
    _swap_parts,
    _swap_parts,
    _zero,
    _zero,
    _insert_part,
    _end_early,
)
CHANGES_OF_BYTES: Sequence = (_cut, _flip, _flip, _lengthen, _remove)
