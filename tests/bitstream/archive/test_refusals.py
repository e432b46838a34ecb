"""What records of an archive refuse, at the edge: the last value that is allowed, and the first that is not."""

import zlib

import numpy as np
import pytest

from vaecodec.bitstream.archive import scan as scanning
from vaecodec.bitstream.archive.block import (
    Block,
    numbers_of_whole,
    pack_block,
    pack_streams,
    unpack_block,
    unpack_head,
    unpack_streams,
)
from vaecodec.bitstream.archive.codings import CODING_STREAMS, Codings
from vaecodec.bitstream.archive.columns import encode_name, pack_names
from vaecodec.bitstream.archive.index import (
    Footer,
    ModelEntry,
    name_hash,
    pack_footer,
    unpack_footer,
)
from vaecodec.bitstream.archive.limits import (
    KIND_BLOCK,
    KIND_FOOTER,
    KIND_METADATA,
    KIND_MODEL,
    MAX_ARCHIVE_MODELS,
    MAX_BLOCK_IMAGES,
    MAX_FOOTER_BYTES,
    MAX_METADATA_BYTES,
    MIN_BLOCK_BYTES,
    SCAN_WORK_FACTOR,
    most_images,
)
from vaecodec.bitstream.archive.metadata import pack_metadata, unpack_metadata
from vaecodec.bitstream.archive.model_record import (
    MAX_EMBEDDED_BYTES,
    ModelRecord,
    pack_embedded,
    pack_model_record,
    unpack_embedded,
    unpack_model_record,
)
from vaecodec.bitstream.archive.record import check_header, pack_frame, pack_header, pack_record
from vaecodec.bitstream.archive.scan import scan
from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES
from vaecodec.bitstream.reader import Writer
from vaecodec.bitstream.window import Window
from vaecodec.errors import (
    BadChecksum,
    BadField,
    LimitExceeded,
    NotCanonical,
    Truncated,
    WrongType,
)

FINGERPRINT = bytes(range(32))


def block(**changes):
    settings = {
        **{"model": 0, "first": 5, "codings": Codings((1, 1)), "sizes": None, "labels": None, "names": None},
        "payload": b"abc",
        **changes,
    }
    return Block(**settings)


def fingerprint_of(model):
    return {0: FINGERPRINT}[model]


def sealed(kind, body, names=b""):
    """A block's record of any fields, with the check that it needs."""
    data = pack_frame(kind, len(body) + len(names)) + body
    return data + names + zlib.crc32(data, zlib.crc32(FINGERPRINT)).to_bytes(4, "little")


# --- blocks


def test_a_fingerprint_of_another_length_is_refused():
    with pytest.raises(BadField, match="expected 32 bytes, found 31"):
        pack_block(block(), FINGERPRINT[:31])


def test_streams_of_a_block_come_back():
    streams = (b"one", b"", b"three")
    assert unpack_streams(pack_streams(streams), 3) == streams
    assert unpack_streams(pack_streams(streams[:1]), 1) == streams[:1]
    with pytest.raises(Truncated):
        unpack_streams(pack_streams(streams)[:3], 3)


def test_images_that_are_streams_say_their_sizes_themselves():
    streams = Codings((CODING_STREAMS,) * 2)
    with pytest.raises(BadField, match="say their sizes themselves"):
        pack_block(block(codings=streams, sizes=((1, 1), (1, 2))), FINGERPRINT)
    whole = pack_block(block(codings=streams), FINGERPRINT)
    assert unpack_block(whole, fingerprint_of).codings == streams
    body = whole[len(whole) - 4 - len(b"abc") - 1 :]  # from the coding on
    sized = sealed(KIND_BLOCK | 4, bytes([0, 1, 5]) + body[:1] + b"\x00\x00" + b"abc")
    with pytest.raises(BadField, match="say their sizes themselves"):
        unpack_block(sized, fingerprint_of)


def test_one_size_and_several_exclude_each_other():
    with pytest.raises(BadField, match="exclude each other"):
        unpack_block(sealed(KIND_BLOCK | 4 | 8, bytes([0, 1, 5, 1]) + bytes(9)), fingerprint_of)


def test_equal_sizes_are_written_once():
    with pytest.raises(NotCanonical, match="written once"):
        unpack_block(sealed(KIND_BLOCK | 8, bytes([0, 1, 5, 1]) + bytes([7, 7, 7, 7])), fingerprint_of)


WINDOW = Window(0, 4095, "uint16").pack()


@pytest.mark.parametrize(
    ("flags", "fields", "error", "what"),
    [
        (32 | 64, b"\x01" + WINDOW * 2, BadField, "exclude each other"),
        (32, bytes([CODING_STREAMS]) + WINDOW, BadField, "say their windows themselves"),
        (64, b"\x01" + WINDOW * 2, NotCanonical, "equal windows must be written once"),
    ],
)
def test_windows_of_a_block_are_written_in_one_way(flags, fields, error, what):
    with pytest.raises(error, match=what):
        unpack_block(sealed(KIND_BLOCK | flags, bytes([0, 1, 5]) + fields), fingerprint_of)
    one = unpack_block(sealed(KIND_BLOCK | 32, bytes([0, 1, 5, 1]) + WINDOW), fingerprint_of)
    assert one.windows == (Window(0, 4095, "uint16"),) * 2


@pytest.mark.parametrize(("images", "allowed"), [(MAX_BLOCK_IMAGES, True), (MAX_BLOCK_IMAGES + 1, False)])
def test_a_head_of_too_many_images_is_refused(images, allowed):
    data = sealed(KIND_BLOCK, bytes([0, images - 1, 5, 1]))
    if allowed:
        assert unpack_head(data).count == images
        return
    with pytest.raises(LimitExceeded, match=f"block: {images} images"):
        unpack_head(data)


@pytest.mark.parametrize(("model", "allowed"), [(MAX_ARCHIVE_MODELS - 1, True), (MAX_ARCHIVE_MODELS, False)])
def test_a_models_number_that_no_archive_has_is_refused(model, allowed):
    writer = Writer()
    writer.uvarint(model)
    data = sealed(KIND_BLOCK, writer.getvalue() + bytes([1, 5, 1]))
    if allowed:
        assert unpack_head(data).model == model
        with pytest.raises(BadChecksum, match=f"model number {model} is none of this archive's"):
            unpack_block(data, fingerprint_of)
        return
    with pytest.raises(LimitExceeded, match="block's model"):
        unpack_head(data)


@pytest.mark.parametrize(("more", "allowed"), [(0, True), (1, False)])
def test_names_take_no_more_than_the_block_has(more, allowed):
    names = pack_names(["a", "b"])
    body = bytes([0, 1, 5, len(names) + more])
    data = sealed(KIND_BLOCK | 1, body, names)
    if allowed:
        assert unpack_head(data).names_bytes == len(names)
        return
    with pytest.raises(BadField, match="names' bytes"):
        unpack_head(data)


def test_another_kind_of_record_is_no_block():
    with pytest.raises(BadField, match="is no block"):
        unpack_head(pack_record(KIND_MODEL, bytes(20)))


def test_numbers_of_a_block_are_told_only_where_its_check_matches():
    data = pack_block(block(names=pack_names(["a", "b"])), FINGERPRINT)
    assert numbers_of_whole(data, fingerprint_of) == (5, 2)
    assert numbers_of_whole(data + b"\0", fingerprint_of) is None
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1
        in_names = len(data) - 4 - len(pack_names(["a", "b"])) <= place < len(data) - 4
        assert (numbers_of_whole(damaged, fingerprint_of) == (5, 2)) == in_names, place
    with pytest.raises(KeyError):
        fingerprint_of(1)
    assert numbers_of_whole(pack_block(block(model=1), FINGERPRINT), fingerprint_of) is None


@pytest.mark.parametrize(
    ("name", "error"),
    [(7, WrongType), ("", BadField), ("a\udc80", BadField), ("é" * 2048 + "a", LimitExceeded)],
)
def test_a_name_that_an_archive_cannot_hold_is_refused(name, error):
    with pytest.raises(error, match="image name"):
        encode_name(name)


def test_the_longest_name_is_allowed():
    assert len(encode_name("é" * 2048)) == 4096


# --- records of models and metadata


def test_a_model_record_holds_names_of_255_bytes_and_sides_of_256():
    for model in (ModelRecord(FINGERPRINT, (256, 256), "n" * 255), ModelRecord(FINGERPRINT, (1, 1), "")):
        assert unpack_model_record(pack_model_record(model)) == model
    with pytest.raises(LimitExceeded, match="model name: 256 bytes"):
        pack_model_record(ModelRecord(FINGERPRINT, (28, 28), "n" * 256))
    for geometry in ((257, 1), (1, 257)):
        with pytest.raises(LimitExceeded, match="sides of at most 256"):
            pack_model_record(ModelRecord(FINGERPRINT, geometry, "n"))


def test_a_models_name_that_is_no_text_is_refused():
    with pytest.raises(BadField, match="not UTF-8"):
        unpack_model_record(pack_record(KIND_MODEL, FINGERPRINT + bytes([27, 27, 1]) + b"\xff"))


def test_an_embedded_model_is_neither_empty_nor_too_large():
    with pytest.raises(LimitExceeded, match="embedded model: 0 bytes"):
        pack_embedded(b"")
    with pytest.raises(LimitExceeded, match="not in 1"):
        pack_embedded(memoryview(bytes(MAX_CONTAINER_BYTES + 1)))
    with pytest.raises(LimitExceeded, match="at most"):
        unpack_embedded(memoryview(bytes(MAX_EMBEDDED_BYTES + 1)))


def test_metadata_is_an_object_of_at_most_16_mebibytes():
    spelt = len(pack_metadata({"a": ""}))
    room = MAX_METADATA_BYTES - spelt - 3  # a longer record's frame says its length in three bytes more
    largest = pack_metadata({"a": "x" * room})
    assert len(largest) == MAX_METADATA_BYTES
    assert unpack_metadata(largest) == {"a": "x" * room}
    with pytest.raises(LimitExceeded, match="metadata"):
        pack_metadata({"a": "x" * (room + 1)})
    with pytest.raises(LimitExceeded, match="metadata"):
        unpack_metadata(largest + b"\0")
    with pytest.raises(BadField, match="expected an object"):
        unpack_metadata(pack_record(KIND_METADATA, b"[1]"))


# --- the footer


def footer_of(**changes):
    settings = {
        **{"start": 9, "first_image": 0, "first_model": 0, "models": (), "metadata_bytes": 0, "names_bytes": 0},
        **{"counts": np.array([2, 2, 1]), "lengths": np.array([9, 300, 9]), "named": 0},
        "page_hashes": np.empty(0, np.uint32),
        **changes,
    }
    return Footer(**settings)


def body(*numbers):
    """Uvarints, and bytes where bytes are given."""
    writer = Writer()
    for number in numbers:
        writer.raw(number) if isinstance(number, bytes) else writer.uvarint(number)
    return writer.getvalue()


def refused(*numbers):
    return pack_record(KIND_FOOTER, body(*numbers))


START = (9, 0, 0, 0, 0)  # start, first image, first model, models, metadata's bytes


@pytest.mark.parametrize(
    ("fields", "error", "what"),
    [
        ((*START, 7, 0), LimitExceeded, "named images: 0 is not in"),
        ((*START, 7, 1 << 32), LimitExceeded, "named images: 4294967296"),
        ((*START, 7, 513, b"\2\0\0\0\1\0\0\0"), NotCanonical, "name hashes do not rise"),
        ((*START, 0, 9, b"\0", 9), LimitExceeded, "9 blocks in 2 bytes"),
        ((*START, 0, 1, b"\0", 0, b"\x0c" * 9), BadField, "a run of 0 blocks"),
        ((*START, 0, 1, b"\x80", 1, b"\x0c"), BadField, "a run of 1 blocks of 129 images"),
        ((*START, 0, 2, b"\0", 1, b"\0", 1, b"\x0c\x0c"), NotCanonical, "two runs of blocks could be one"),
        ((*START, 0, 2, b"\0", 3, b"\x0c\x0c"), BadField, "runs cover 3 blocks, expected 2"),
        ((*START, 0, 1, b"\0", 1, 0), LimitExceeded, "not in 1"),
        ((*START, 0, 1, b"\0", 1, (1 << 24) + 5), LimitExceeded, "not in 1"),
        ((*START, 99, 2, bytes(4), 1, b"\0", 1, b"\x0c"), LimitExceeded, "1 images and 2 names"),
        ((*START, 99, 1, bytes(4), 1, b"\0", 1, b"\x0c"), BadField, "a names' table of 99 bytes for 1 names"),
        ((9, 0, 0, MAX_ARCHIVE_MODELS + 1), LimitExceeded, "models: 4097"),
        ((9, 0, MAX_ARCHIVE_MODELS, 1), LimitExceeded, "models: 4097"),
    ],
)
def test_a_footer_that_lies_is_refused(fields, error, what):
    with pytest.raises(error, match=what):
        unpack_footer(refused(*fields))


def test_a_footers_last_allowed_values_come_back():
    models = (ModelEntry(FINGERPRINT, 50, 0),)
    for one in (
        footer_of(),
        footer_of(first_model=MAX_ARCHIVE_MODELS - 1, models=models),
        footer_of(counts=np.array([128]), lengths=np.array([(1 << 24) + 4])),
        footer_of(counts=np.array([], int), lengths=np.array([], int)),
    ):
        again = unpack_footer(pack_footer(one))
        assert (again.counts.tolist(), again.lengths.tolist()) == (one.counts.tolist(), one.lengths.tolist())
        assert (again.first_model, again.models) == (one.first_model, one.models)


def test_a_footer_is_at_most_256_mebibytes():
    with pytest.raises(LimitExceeded, match="footer"):
        unpack_footer(Zeros(MAX_FOOTER_BYTES + 1))
    with pytest.raises(BadChecksum):  # read: it is another record's that is wrong
        unpack_footer(bytes(pack_record(KIND_FOOTER, bytes(99)))[:-1] + b"\1")


class Zeros(bytes):
    """Bytes whose length is claimed, so that the limit is tested without that much memory."""

    def __new__(cls, length):
        made = super().__new__(cls)
        made.length = length
        return made

    def __len__(self):
        return self.length


def test_how_many_images_a_file_has_room_for():
    assert [most_images(size) for size in (0, MIN_BLOCK_BYTES - 1, MIN_BLOCK_BYTES)] == [0, 0, MAX_BLOCK_IMAGES]


def test_the_hash_of_a_name_is_the_beginning_of_its_sha256():
    assert name_hash(b"abc") == 0xBF1678BA  # SHA-256 of abc begins ba7816bf


def test_a_header_that_is_cut_is_truncated():
    for end in range(1, len(pack_header()) - 1):
        with pytest.raises(Truncated, match="magic"):
            check_header(pack_header()[:end])


# --- scanning


def scanned(data, *fingerprints):
    return list(scan(lambda at, n: data[at : at + n], 0, len(data), fingerprints))


def test_a_scan_goes_over_several_windows_and_false_starts(monkeypatch):
    monkeypatch.setattr(scanning, "WINDOW_BYTES", 64)
    model = pack_model_record(ModelRecord(FINGERPRINT, (28, 28), "m"))
    one, other = pack_block(block(), FINGERPRINT), pack_block(block(first=9), bytes(32))
    false = b"\xb7\x3a\x80\x00\x00\x00"  # a block's start, of a length that does not go on
    data = bytes(150) + model + bytes(61) + false + one + bytes(200) + other + b"\xb7\x3a"
    found = scanned(data)
    assert [(record.kind, record.offset) for record in found] == [(1, 150), (0x80, data.index(one))]
    assert [record.first for record in scanned(data, bytes(32))] == [0, 5, 9]


def test_a_scan_leaves_out_records_whose_check_does_not_match():
    for whole in (
        pack_model_record(ModelRecord(FINGERPRINT, (28, 28), "m")),
        pack_metadata({"a": 1}),
        pack_block(block(), FINGERPRINT),
    ):
        assert len(scanned(whole, FINGERPRINT)) == 1
        damaged = whole[:-1] + bytes([whole[-1] ^ 1])
        assert scanned(damaged, FINGERPRINT) == []
    assert scanned(pack_record(KIND_MODEL, b"too short"), FINGERPRINT) == []


def test_a_scan_goes_on_where_a_record_says_no_length():
    whole = pack_metadata({"a": 1})
    for false in (b"\xb7\x3a\x03" + b"\xff" * 12, b"\xb7\x3a\x03\x80\x00"):  # too long a number, not canonical
        assert [record.kind for record in scanned(false + whole)] == [3]


def test_a_scan_knows_a_head_that_is_none():
    assert scanned(sealed(KIND_BLOCK, bytes([0, 200, 5, 1])), FINGERPRINT) == []


def test_a_scan_knows_embedded_models_by_what_stands_before_them():
    whole = pack_embedded(b"file" * 99)
    assert [record.kind for record in scanned(whole)] == [2]
    length, table = len(pack_frame(2, len(whole) - 8)), bytearray(whole)
    table[length] ^= 1  # another length than the record's
    assert scanned(bytes(table)) == []
    table = bytearray(whole)
    table[length + 4] ^= 1  # a chunk's CRC, which the check covers
    assert scanned(bytes(table)) == []


def test_a_record_of_another_length_than_it_says_is_damaged():
    data = pack_metadata({"a": 1})

    def read(at, n):
        return (data + bytes(99))[at : at + n]

    scanning.check_record(read, 0, len(data))
    longer = len(data) + 4
    forged = data + zlib.crc32(data).to_bytes(4, "little")
    with pytest.raises(BadChecksum, match=f"{len(data)} bytes, expected {longer}"):
        scanning.check_record(lambda at, n: forged[at : at + n], 0, longer)


def test_more_models_than_an_archive_may_have_end_a_scan(monkeypatch):
    monkeypatch.setattr(scanning, "MAX_ARCHIVE_MODELS", 2)
    data = b"".join(pack_model_record(ModelRecord(bytes([k]) * 32, (28, 28), "m")) for k in range(3))
    assert len(scanned(data[: len(data) * 2 // 3])) == 2
    with pytest.raises(LimitExceeded, match="more than 2 models"):
        scanned(data)


def test_false_records_cost_a_scan_no_more_than_a_few_times_the_file(monkeypatch):
    monkeypatch.setattr(scanning, "WINDOW_BYTES", 16)
    size = 4096
    starts = pack_frame(3, size - 2 * len(pack_frame(3, size)))
    false = (starts + bytes(16 - len(starts))) * (size // 16)
    with pytest.raises(LimitExceeded, match=f"more than {SCAN_WORK_FACTOR} times"):
        scanned(false)
