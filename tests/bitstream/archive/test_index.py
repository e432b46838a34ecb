"""Footers, names' pages, models, metadata and scanning: laws and hostile bytes."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.bitstream.archive import limits as archive_limits
from vaecodec.bitstream.archive.block import Block, pack_block
from vaecodec.bitstream.archive.codings import Codings
from vaecodec.bitstream.archive.index import (
    Footer,
    ModelEntry,
    names_record_bytes,
    number_bytes_for,
    pack_footer,
    pack_page,
    take_uvarints,
    unpack_footer,
    unpack_page,
)
from vaecodec.bitstream.archive.metadata import pack_metadata, unpack_metadata
from vaecodec.bitstream.archive.model_record import (
    ModelRecord,
    pack_embedded,
    pack_model_record,
    unpack_embedded,
    unpack_model_record,
)
from vaecodec.bitstream.archive.record import (
    check_header,
    pack_header,
    pack_record,
    pack_trailer,
    unpack_record,
    unpack_trailer,
)
from vaecodec.bitstream.archive.scan import scan
from vaecodec.bitstream.reader import Reader, Writer
from vaecodec.errors import (
    BadChecksum,
    BadField,
    BadMagic,
    FormatError,
    LimitExceeded,
    NotCanonical,
    UnsupportedVersion,
)

FINGERPRINT = bytes(range(32))
TEXT = (Path(__file__).parents[3] / "docs" / "format.md").read_text(encoding="utf-8")


def footer(counts, lengths, named=0):
    counts = np.array(counts, np.int64)
    names_bytes = names_record_bytes(named, int(counts.sum())) if named else 0
    hashes = np.arange(-(-named // 512), dtype=np.uint32)
    models = (ModelEntry(FINGERPRINT, 50, 0), ModelEntry(FINGERPRINT[::-1], 51, 9000))
    return Footer(9, 0, 0, models, counts, np.array(lengths, np.int64), 77, names_bytes, named, hashes)


@given(st.lists(st.tuples(st.sampled_from([1, 64, 128]), st.integers(1, 1 << 24)), max_size=30))
@settings(max_examples=50, deadline=None)
def test_unpack_inverts_pack_of_footers(blocks):
    one = footer([count for count, _ in blocks], [length for _, length in blocks], named=bool(blocks))
    data = pack_footer(one)
    again = unpack_footer(data)
    assert pack_footer(again) == data
    assert (again.counts.tolist(), again.lengths.tolist()) == (one.counts.tolist(), one.lengths.tolist())
    assert again.offset == 9 + 50 + 51 + 9000 + sum(length for _, length in blocks) + 77 + one.names_bytes


def test_the_index_costs_two_bytes_a_block():
    data = pack_footer(footer([128] * 5468 + [96], [1400] * 5469))
    assert len(data) < 2 * 5469 + 200


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50))
@settings(max_examples=50, deadline=None)
def test_uvarints_in_bulk_are_uvarints(numbers):
    writer = Writer()
    for number in numbers:
        writer.uvarint(number)
    assert take_uvarints(Reader(writer.getvalue()), len(numbers)).tolist() == numbers


@pytest.mark.parametrize(
    ("data", "error"), [(b"\x80\x00", NotCanonical), (b"\x80", BadField), (b"\xff" * 9 + b"\x01", LimitExceeded)]
)
def test_uvarints_in_bulk_are_canonical(data, error):
    with pytest.raises(error):
        take_uvarints(Reader(data), 1)


@given(st.binary(max_size=80))
@settings(max_examples=150, deadline=None)
def test_hostile_bodies_raise_format_errors_only(body):
    parsers = ((5, unpack_footer), (1, unpack_model_record), (2, unpack_embedded), (3, unpack_metadata))
    for kind, parse in parsers:
        for data in (body, pack_record(kind, body)):
            try:
                parse(data)
            except FormatError:
                continue


def test_a_run_that_promises_more_blocks_than_there_are_allocates_nothing():
    writer = Writer()
    for number in (9, 0, 0, 0, 0, 0, 1 << 40):
        writer.uvarint(number)
    with pytest.raises(LimitExceeded):
        unpack_footer(pack_record(5, writer.getvalue()))


def test_pages_come_back_and_are_checked():
    rng = np.random.default_rng(0)
    hashes, numbers = rng.integers(0, 1 << 32, 512).astype(np.uint64), rng.permutation(512).astype(np.uint64)
    keys = np.sort(hashes << np.uint64(32) | numbers)
    for width in (2, 3, 4):
        data = pack_page(keys, width)
        assert np.array_equal(unpack_page(data, width), keys)
        for damaged in (data[:-1] + bytes([data[-1] ^ 1]), bytes([data[0] ^ 1]) + data[1:]):
            with pytest.raises(BadChecksum):
                unpack_page(damaged, width)
    with pytest.raises(NotCanonical):
        unpack_page(pack_page(keys[::-1], 2), 2)
    assert [number_bytes_for(n) for n in (1, 256, 257, 65536, 65537)] == [1, 1, 2, 2, 3]


def test_model_records_and_metadata_come_back():
    model = ModelRecord(FINGERPRINT, (28, 256), "mnist-β")
    assert unpack_model_record(pack_model_record(model)) == model
    for value in ({}, {"π": [1, 2.5, None, {"a": "b"}], "a": True}):
        assert unpack_metadata(pack_metadata(value)) == value
    for text, error in ((b'{"a": 1}', NotCanonical), (b"[]", BadField), (b"{", BadField), (b'{"a":NaN}', BadField)):
        with pytest.raises(error):
            unpack_metadata(pack_record(3, text))
    for bad in ({"a": float("inf")}, {1: 2}, {"a": {1}}, {"a": "\udc80"}):
        with pytest.raises(BadField):
            pack_metadata(bad)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 3 * 4096, 50_000])
def test_an_embedded_model_is_repaired(size):
    rng = np.random.default_rng(size)
    file = rng.bytes(size)
    data = pack_embedded(file)
    assert unpack_embedded(data) == (file, False)
    for position in rng.integers(0, len(data), 25).tolist():
        damaged = bytearray(data)
        damaged[position] ^= int(rng.integers(1, 256))
        assert unpack_embedded(damaged) == (file, True)
    damaged = bytearray(data)
    at = len(data) // 3
    damaged[at : at + 3 * 4096] = bytes(min(3 * 4096, len(data) - at))
    if size == 50_000:
        assert unpack_embedded(damaged) == (file, True)
        damaged[::50] = bytes(len(damaged[::50]))
        assert unpack_embedded(damaged)[1]
        assert unpack_embedded(damaged)[0] != file  # which has checks of its own


def test_a_scan_finds_every_whole_record():
    block = Block(0, 5, Codings((1, 1)), None, None, None, b"\xb7\x3a" * 20)
    parts = [
        pack_model_record(ModelRecord(FINGERPRINT, (28, 28), "m")),
        pack_embedded(b"\xb7\x3a" * 5000),
        b"\xb7\xb7\x3a\x80",
        pack_block(block, FINGERPRINT),
        pack_metadata({"a": 1}),
        pack_record(5, b"anything"),
    ]
    data = pack_header() + b"".join(parts)
    found = list(scan(lambda at, n: data[at : at + n], 9, len(data)))
    assert [record.kind for record in found] == [1, 2, 0x80, 3, 5]
    assert [(r.first, r.count, r.fingerprint) for r in found if r.kind == 0x80] == [(5, 2, FINGERPRINT)]
    without = data[9 + len(parts[0]) :]
    again = scan(lambda at, n: without[at : at + n], 0, len(without), [bytes(32), FINGERPRINT])
    assert [record.kind for record in again] == [2, 0x80, 3, 5]


def test_header_trailer_and_records_name_what_is_wrong():
    check_header(pack_header())
    assert unpack_trailer(pack_trailer(1 << 40)) == 1 << 40
    for data, error in (
        (b"\x89PNG\r\n\x1a\n\0", BadMagic),
        (b"", BadMagic),
        (pack_header()[:8] + b"\x02", UnsupportedVersion),
    ):
        with pytest.raises(error):
            check_header(data)
    trailer = pack_trailer(7)
    for data, error in (
        (trailer[:-1] + b"\x02", UnsupportedVersion),
        (b"\0" + trailer[1:], BadChecksum),
        (trailer[:12] + b"VAX\x01", BadMagic),
    ):
        with pytest.raises(error):
            unpack_trailer(data)
    with pytest.raises(BadField, match="kind"):
        unpack_record(pack_record(3, b""), 5)


def test_the_page_states_the_limits_and_numbers_of_the_code():
    stated = {name: int(value) for value, name in re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", TEXT, re.MULTILINE)}
    limits = {
        name: value
        for name, value in vars(archive_limits).items()
        if name.startswith(("MAX_", "MIN_", "SCAN_")) or name in {"NAMES_PER_PAGE", "CHUNK_BYTES", "PARITY_CHUNKS"}
    }
    assert stated == limits
    assert f"`{archive_limits.ARCHIVE_MAGIC.hex(' ')}`" in TEXT
    assert f"`{archive_limits.SYNC.hex(' ')}`" in TEXT
