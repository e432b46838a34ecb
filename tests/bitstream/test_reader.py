import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaecodec.bitstream.reader import Reader, Writer
from vaecodec.errors import LimitExceeded, NotCanonical, TrailingData, Truncated


@given(
    st.integers(0, 255), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1), st.binary()
)
def test_reading_inverts_writing(a: int, b: int, c: int, d: int, e: bytes) -> None:
    writer = Writer()
    writer.u8(a)
    writer.u16(b)
    writer.u32(c)
    writer.uvarint(d)
    writer.raw(e)
    reader = Reader(writer.getvalue())
    assert (reader.u8("a"), reader.u16("b"), reader.u32("c"), reader.uvarint("d")) == (a, b, c, d)
    assert reader.remaining == len(e)
    assert bytes(reader.take(len(e), "e")) == e
    reader.end("record")
    assert reader.offset == len(writer)


@given(st.binary(max_size=12))
def test_each_number_has_one_uvarint(data: bytes) -> None:
    reader, writer = Reader(data), Writer()
    try:
        writer.uvarint(reader.uvarint("number"))
    except (Truncated, NotCanonical, LimitExceeded):
        return
    assert writer.getvalue() == data[: reader.offset]


@pytest.mark.parametrize("read", [Reader.u8, Reader.u16, Reader.u32, Reader.uvarint])
def test_a_cut_number_is_truncated(read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Truncated, match="height: need"):
        read(Reader(b""), "height")


def test_a_truncated_message_names_offset_need_and_have() -> None:
    reader = Reader(b"abc")
    reader.u8("first")
    with pytest.raises(Truncated, match="payload: need 5 bytes at offset 1, have 2"):
        reader.take(5, "payload")


def test_a_uvarint_that_ends_in_zero_is_not_canonical() -> None:
    with pytest.raises(NotCanonical):
        Reader(b"\x80\x00").uvarint("number")


def test_a_uvarint_of_ten_bytes_exceeds_the_limit() -> None:
    with pytest.raises(LimitExceeded):
        Reader(b"\xff" * 9 + b"\x01").uvarint("number")


def test_bytes_after_the_end_are_trailing_data() -> None:
    with pytest.raises(TrailingData, match="record: ends at offset 0, but 1 bytes follow"):
        Reader(b"a").end("record")


@pytest.mark.parametrize("value", [-1, 2**63])
def test_a_number_without_a_uvarint_is_our_own_bug(value: int) -> None:
    with pytest.raises(OverflowError):
        Writer().uvarint(value)
