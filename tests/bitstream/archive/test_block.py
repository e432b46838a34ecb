"""Blocks: laws, one way to write each, hostile bytes, and what they cost."""

import random
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bitstream.windows import windows
from tests.independent.blocks import Start
from tests.independent.records import Record
from tests.independent.refusal import Refused
from vaecodec.bitstream.archive.block import Block, names_of_damaged, pack_block, unpack_block, unpack_head
from vaecodec.bitstream.archive.codings import Codings
from vaecodec.bitstream.archive.columns import pack_labels, pack_names, take_labels, unpack_names
from vaecodec.bitstream.archive.limits import KIND_BLOCK, MAX_BLOCK_BYTES
from vaecodec.bitstream.archive.record import pack_frame
from vaecodec.bitstream.reader import Reader
from vaecodec.bitstream.window import Window
from vaecodec.errors import BadChecksum, BadField, FormatError, LimitExceeded, NotCanonical, TrailingData, Truncated

FINGERPRINT = bytes(range(32))
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
SIZES = st.tuples(st.integers(1, 256), st.integers(1, 256))


def of(model):
    return {3: FINGERPRINT}[model]


@st.composite
def codings(draw, count):
    among = draw(st.sampled_from([range(112), (124, 126, 127), (124, 125, 126), (7,), (124,), (125,), (126,), (127,)]))
    each = random.Random(draw(st.integers(0, 99))).choices(among, k=count)
    error = draw(st.integers(1, 127)) if 125 in each else 0
    check = draw(st.integers(0, 2**32 - 1)) if {125, 127} & set(each) else 0
    return Codings(tuple(each), error, check)


@st.composite
def blocks(draw):
    count = draw(st.integers(1, 128))
    columns = draw(st.integers(1, 3))
    labels = draw(st.none() | st.lists(INT64, min_size=count * columns, max_size=count * columns))
    each = draw(st.none() | st.lists(windows(), min_size=1, max_size=2))
    rng = random.Random(count)
    names = draw(st.none() | st.lists(st.text(min_size=1, max_size=9).filter(_encodes), min_size=count, max_size=count))
    return Block(
        model=3,
        first=draw(st.integers(0, 2**40)),
        codings=draw(codings(count)),
        sizes=draw(st.none() | st.lists(SIZES, min_size=count, max_size=count).map(tuple)),
        labels=None if labels is None else np.array(labels, np.int64).reshape(count, columns),
        names=None if names is None else pack_names(names),
        payload=draw(st.binary(max_size=60)),
        windows=None if each is None else tuple(rng.choice(each) for _ in range(count)),
    )


def _encodes(text):
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def fields(block):
    labels = None if block.labels is None else block.labels.tolist()
    return block.model, block.first, block.codings, block.sizes, labels, block.names, block.payload, block.windows


@given(blocks())
@settings(max_examples=60, deadline=None)
def test_unpack_inverts_pack(block):
    assert fields(unpack_block(pack_block(block, FINGERPRINT), of)) == fields(block)


@given(st.lists(st.text(min_size=1, max_size=12).filter(_encodes), max_size=40))
@settings(max_examples=60, deadline=None)
def test_names_come_back(names):
    assert unpack_names(pack_names(names), len(names)) == tuple(names)


@given(st.lists(st.tuples(INT64, st.integers(-3, 3)), min_size=1, max_size=128))
@settings(max_examples=60, deadline=None)
def test_labels_come_back(rows):
    labels = np.array(rows, np.int64)
    reader = Reader(pack_labels(labels))
    assert np.array_equal(take_labels(reader, len(rows)), labels)
    reader.end("labels")


def example(**changes):
    values = {
        "model": 3,
        "first": 699_904,
        "codings": Codings((5,) * 128),
        "sizes": None,
        "labels": None,
        "names": None,
    }
    return Block(**{**values, "payload": bytes(1500), **changes})


def test_a_block_costs_at_most_16_bytes():
    assert len(pack_block(example(), FINGERPRINT)) - 1500 <= 15  # and under a byte for the coder's ending
    assert len(pack_block(example(sizes=((20, 20),) * 128), FINGERPRINT)) - 1500 <= 17


def test_every_cut_and_every_flipped_byte_is_found():
    block = example(codings=Codings((1, 2)), sizes=((1, 2), (3, 4)), labels=np.array([[1], [9]]), payload=b"payload")
    data = pack_block(block, FINGERPRINT)
    for end in range(len(data)):
        with pytest.raises(Truncated):
            unpack_block(data[:end], of)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(FormatError):
            unpack_block(damaged, of)
    with pytest.raises(TrailingData):
        unpack_block(data + b"\0", of)
    with pytest.raises(BadChecksum):
        unpack_block(data, lambda _: bytes(32))
    with pytest.raises(BadChecksum, match="model number"):
        unpack_block(data, {}.__getitem__)


@pytest.mark.parametrize("each", [(5, 127), (126, 5), (125, 127), (127, 127)])
def test_codings_that_do_not_go_together_are_refused(each):
    body = bytes([3, 1, 0, *each]) + (b"\x03" if 125 in each else b"") + bytes(4) + b"payload"
    frame = pack_frame(128 + 16, len(body)) + body
    data = frame + zlib.crc32(frame, zlib.crc32(FINGERPRINT)).to_bytes(4, "little")
    with pytest.raises(NotCanonical if each == (127, 127) else BadField):
        unpack_block(data, of)


def test_names_and_pixels_are_damaged_apart():
    names = pack_names([f"folder/{k}" for k in range(128)])
    data = bytearray(pack_block(example(names=names), FINGERPRINT))
    data[40] ^= 1
    with pytest.raises(BadChecksum):
        unpack_block(data, of)
    assert names_of_damaged(data) == tuple(f"folder/{k}" for k in range(128))
    data[40] ^= 1
    data[-40] ^= 1
    with pytest.raises(BadChecksum):
        unpack_names(unpack_block(data, of).names, 128)
    assert names_of_damaged(data) is None


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_hostile_bytes_raise_format_errors_only(data):
    body = data[:150]
    for hostile in (data, b"\xb7\x3a" + data, pack_frame(0x80 | data[0] % 32 if data else 0x80, len(body)) + body):
        for parse in (lambda d: unpack_block(d, of), lambda d: unpack_names(d, 3), lambda d: take_labels(Reader(d), 3)):
            try:
                parse(hostile)
            except FormatError:
                continue


@pytest.mark.parametrize(
    ("section", "error"),
    [
        ([(0, b"ab"), (0, b"ac")], NotCanonical),  # shares a byte that it does not say
        ([(1, b"a")], BadField),  # shares with nothing
        ([(0, b"")], LimitExceeded),
        ([(0, b"\xff")], BadField),
        ([(0, b"x" * 4097)], LimitExceeded),
    ],
)
def test_names_are_written_in_one_way(section, error):
    from vaecodec.bitstream.reader import Writer

    writer = Writer()
    for shared, rest in section:
        writer.uvarint(shared)
        writer.uvarint(len(rest))
        writer.raw(rest)
    body = writer.getvalue()
    with pytest.raises(error):
        unpack_names(body + zlib.crc32(body).to_bytes(4, "little"), len(section))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x00", LimitExceeded),  # no column
        (b"\x01\x01\x00\x00", NotCanonical),  # zero needs no byte
        (b"\x01\x00\x02\x40", NotCanonical),  # differences 1, 0, 0 fit one bit
        (b"\x01\x00\x01\xe0", NotCanonical),  # the lowest is not reached
        (b"\x01\x00\x01\x81", NotCanonical),  # padding
        (b"\x01\x09", BadField),
        (b"\x01\x00\x41", BadField),
        (b"\x01\x08" + b"\xff" * 7 + b"\x7f\x01\x40", BadField),  # beyond int64
    ],
)
def test_labels_are_written_in_one_way(data, error):
    with pytest.raises(error):
        take_labels(Reader(data), 3)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"codings": Codings(())}, LimitExceeded),
        ({"codings": Codings((1,) * 129)}, LimitExceeded),
        ({"codings": Codings((112,))}, BadField),
        ({"codings": Codings((5, 127))}, BadField),
        ({"codings": Codings((5, 126))}, BadField),
        ({"codings": Codings((125, 127), 3)}, BadField),
        ({"codings": Codings((125, 126), 0)}, BadField),
        ({"codings": Codings((125, 126), 128)}, BadField),
        ({"codings": Codings((127, 126), 3)}, BadField),
        ({"sizes": ((1, 1),)}, BadField),
        ({"windows": (Window(0, 9, "uint16"),)}, BadField),
        ({"windows": (Window(0, 9, "uint16"),) * 2, "codings": Codings((123, 123)), "sizes": None}, BadField),
        ({"sizes": ((1, 257),) * 128}, LimitExceeded),
        ({"labels": np.zeros((1, 1), np.int64)}, BadField),
        ({"labels": np.zeros((128, 65), np.int64)}, LimitExceeded),
        ({"payload": bytes(1 << 24)}, LimitExceeded),
    ],
)
def test_what_has_no_place_in_a_block_is_refused(changes, error):
    with pytest.raises(error):
        pack_block(example(**changes), FINGERPRINT)


def test_the_limit_of_a_blocks_bytes_counts_all_but_its_check():
    frame = len(pack_frame(KIND_BLOCK, MAX_BLOCK_BYTES))
    for body, is_refused in ((MAX_BLOCK_BYTES - frame, False), (MAX_BLOCK_BYTES - frame + 1, True)):
        data = pack_frame(KIND_BLOCK, body) + bytes(body + 4)
        record = Record.at(data, 0, len(data))
        if is_refused:
            with pytest.raises(LimitExceeded):
                unpack_head(data)
            with pytest.raises(Refused):
                Start.of(record)
        else:
            assert unpack_head(data).count == Start.of(record).images == 1
