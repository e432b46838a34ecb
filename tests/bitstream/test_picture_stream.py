import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bitstream.windows import windows
from vaecodec.bitstream import limits
from vaecodec.bitstream.picture_stream import (
    MIN_PICTURE_STREAM_BYTES,
    is_picture_stream,
    pack_picture,
    region_count,
    short_fingerprint_of,
    unpack_picture,
    verify_picture,
)
from vaecodec.bitstream.stream import pack, unpack
from vaecodec.bitstream.window import Window
from vaecodec.errors import (
    BadChecksum,
    BadField,
    BadMagic,
    FormatError,
    LimitExceeded,
    NotCanonical,
    Truncated,
    UnsupportedVersion,
)

FINGERPRINT = bytes(range(100, 132))
SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
CONTENTS = st.binary(min_size=1, max_size=400).filter(lambda content: content != b"\xff")
CHUNKS = st.dictionaries(st.sampled_from(["alpha", "icc", "exif", "xmp"]), CONTENTS)
EVERYTHING = {"alpha": b"\x80", "icc": bytes(3000), "exif": b"Exif\0\0MM", "xmp": b"<x/>" * 99}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 111), st.binary(min_size=32, max_size=32), SIZES, st.booleans(), CHUNKS, st.randoms())
def test_unpack_inverts_pack(
    level: int, fingerprint: bytes, size: tuple[int, int], grey: bool, chunks: dict[str, bytes], rng: random.Random
) -> None:
    payloads = tuple(rng.randbytes(rng.randrange(200)) for _ in range(region_count(size)))
    data = pack_picture(level, fingerprint, size, payloads, grey=grey, chunks=chunks)
    verify_picture(data, fingerprint)
    found = unpack_picture(data)
    assert (found.level, found.size, found.grey, found.payloads) == (level, size, grey, payloads)
    assert found.chunks == chunks
    assert found.short_fingerprint == short_fingerprint_of(data) == fingerprint[:2]
    assert found.check == int.from_bytes(data[-4:], "little")


@given(windows())
def test_a_window_is_the_last_chunk_and_never_deflated(window: Window) -> None:
    record = window.pack()
    data = pack_picture(7, FINGERPRINT, (8, 8), [b"payload"], chunks={"icc": b"a profile", "window": record})
    assert data[4] == 36
    assert record + b"payload" in data
    assert unpack_picture(data).window == window
    assert unpack_picture(pack_picture(7, FINGERPRINT, (8, 8), [b""])).window is None
    for wrong in (record[:-1], record + b"\0", b"\x08" + record[1:], b"\0"):
        with pytest.raises(FormatError):
            unpack_picture(pack_picture(7, FINGERPRINT, (8, 8), [b""], chunks={"window": wrong}))
    with pytest.raises(NotCanonical, match="window"):
        unpack_picture(sealed(HEAD + b"\x20" + SMALL + bytes([2 * len(record) + 1]) + record))


def test_a_plain_picture_of_one_region_costs_13_bytes() -> None:
    for size in ((1, 1), (512, 768), (2048, 2048)):
        assert len(pack_picture(7, FINGERPRINT, size, [b"payload"])) == 13 + len(b"payload")
    assert len(pack_picture(7, FINGERPRINT, (2049, 2048), [b"a" * 127, b"b" * 1000])) == 14 + 1127


def test_chunks_are_deflated_only_where_that_is_shorter() -> None:
    plain = len(pack_picture(0, FINGERPRINT, (8, 8), [b""]))
    noise = random.Random(0).randbytes(1000)
    assert len(pack_picture(0, FINGERPRINT, (8, 8), [b""], chunks={"xmp": noise})) == plain + 2 + 1000
    assert len(pack_picture(0, FINGERPRINT, (8, 8), [b""], chunks={"xmp": bytes(1000)})) < plain + 20
    assert len(pack_picture(0, FINGERPRINT, (8, 8), [b""], chunks={"alpha": bytes(1000)})) == plain + 2 + 1000


def test_the_versions_know_each_other() -> None:
    one, two = pack(3, FINGERPRINT, None, b"payload"), pack_picture(3, FINGERPRINT, (5, 5), [b"payload"])
    assert is_picture_stream(two)
    assert not is_picture_stream(one)
    assert not is_picture_stream(b"")
    with pytest.raises(UnsupportedVersion, match="version 2"):
        unpack(two)
    with pytest.raises(UnsupportedVersion, match="version 1"):
        unpack_picture(one)
    with pytest.raises(BadMagic):
        unpack_picture(b"PNG")


def refuse(data: bytes) -> None:
    with pytest.raises(FormatError):
        read(data)


def read(data: bytes) -> None:
    unpack_picture(data)
    verify_picture(data, FINGERPRINT)


SAMPLES = {
    "plain": pack_picture(5, FINGERPRINT, (300, 200), [b"\x5a" * 20]),
    "regions": pack_picture(5, FINGERPRINT, (2100, 4100), [bytes([k]) * k * 9 for k in range(6)]),
    "chunks": pack_picture(5, FINGERPRINT, (30, 20), [b"\x5a" * 20], grey=True, chunks=EVERYTHING),
}


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)
def test_every_flipped_bit_and_every_cut_is_refused(data: bytes) -> None:
    for bit in range(8 * len(data)):
        refuse((int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big"))
    for length in range(len(data)):
        refuse(data[:length])
    for more in (b"\0", bytes(4), b"\xff", b"\n"):
        refuse(data + more)


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)
def test_every_burst_of_up_to_32_bits_is_detected(data: bytes) -> None:
    rng = random.Random(0)
    for _ in range(2000):
        burst = rng.getrandbits(32) | 1
        shifted = burst << rng.randrange(8 * len(data) - 32)
        refuse((int.from_bytes(data, "big") ^ shifted).to_bytes(len(data), "big"))


def test_splices_of_two_streams_are_refused() -> None:
    rng = random.Random(1)
    streams = list(SAMPLES.values())
    for _ in range(3000):
        one, other = rng.sample(streams, 2)
        spliced = one[: rng.randrange(1, len(one))] + other[rng.randrange(len(other) - 1) :]
        if spliced not in streams:
            refuse(spliced)


def sealed(body: bytes) -> bytes:
    """With a check that matches: what is wrong must be found without it."""
    return body + zlib.crc32(body, zlib.crc32(FINGERPRINT)).to_bytes(4, "little")


HEAD = b"\xba\x05" + FINGERPRINT[:2]
SMALL = b"\x08\0\x08\0"


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (BadField, b"\xba\x70" + FINGERPRINT[:2] + b"\0" + SMALL),  # level 112
        (BadField, HEAD + b"\x40" + SMALL),  # a flag that means nothing
        (LimitExceeded, HEAD + b"\0" + b"\0\0\x08\0"),  # no rows
        (LimitExceeded, HEAD + b"\0" + b"\x08\0\0\0"),  # no columns
        (Truncated, HEAD + b"\0" + b"\xff\xff\xff\xff"),  # 1024 regions, and not one length
        (NotCanonical, HEAD + b"\0" + b"\x01\x08\x08\0" + b"\x80\0"),  # a length in two bytes that fits in one
        (Truncated, HEAD + b"\0" + b"\x01\x08\x08\0" + b"\x09" + b"eight by"),  # a region longer than what is there
        (LimitExceeded, HEAD + b"\0" + b"\x01\x08\x08\0" + b"\x81\x80\x80\x20"),  # 2**26 + 1
        (NotCanonical, HEAD + b"\x04" + SMALL + b"\0"),  # an empty chunk
        (NotCanonical, HEAD + b"\x04" + SMALL + b"\x01"),  # an empty one that is deflated
        (NotCanonical, HEAD + b"\x02" + SMALL + b"\x02\xff"),  # alpha that is opaque everywhere
        (Truncated, HEAD + b"\x10" + SMALL + b"\x20" + b"short"),
        (BadField, HEAD + b"\x04" + SMALL + b"\x07" + b"\xff\xff\xff"),  # no DEFLATE
        (BadField, HEAD + b"\x04" + SMALL + b"\x0f" + b"\x03\0more."),  # bytes after its end
        (NotCanonical, HEAD + b"\x04" + SMALL + b"\x07" + b"\x73\x04\0"),  # "A", which plain is shorter
        (NotCanonical, HEAD + b"\x02" + SMALL + b"\x07" + b"\x73\x04\0"),  # alpha, which is packed already
    ],
)
def test_what_a_stream_claims_is_checked_though_its_check_matches(error: type[FormatError], body: bytes) -> None:
    with pytest.raises(error):
        unpack_picture(sealed(body))


def test_a_chunk_that_inflates_beyond_its_limit_is_refused_before_it_fills_the_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(limits.MAX_CHUNK_BYTES + 1)) + packer.flush()
    length = 2 * len(bomb) + 1
    prefix = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
    with pytest.raises(LimitExceeded):
        unpack_picture(sealed(HEAD + b"\x10" + SMALL + prefix + bomb))
    with pytest.raises(LimitExceeded):
        pack_picture(0, FINGERPRINT, (8, 8), [b""], chunks={"icc": bytes(limits.MAX_CHUNK_BYTES + 1)})


def test_packing_refuses_what_has_no_place() -> None:
    for size in ((0, 1), (1, 0), (65536, 1), (1, 65536)):
        with pytest.raises(LimitExceeded):
            pack_picture(0, FINGERPRINT, size, [b""])
    with pytest.raises(BadField):
        pack_picture(112, FINGERPRINT, (1, 1), [b""])
    with pytest.raises(BadField, match="2 in"):
        pack_picture(0, FINGERPRINT, (2049, 1), [b""])
    with pytest.raises(BadField, match="thumbnail"):
        pack_picture(0, FINGERPRINT, (1, 1), [b""], chunks={"thumbnail": b"x"})
    with pytest.raises(BadField, match="left out"):
        pack_picture(0, FINGERPRINT, (1, 1), [b""], chunks={"icc": b""})
    with pytest.raises(BadField, match="left out"):
        pack_picture(0, FINGERPRINT, (1, 1), [b""], chunks={"alpha": b"\xff"})
    with pytest.raises(BadField, match="fingerprint"):
        pack_picture(0, b"short", (1, 1), [b""])


def test_another_model_is_a_bad_check_and_a_short_stream_is_truncated() -> None:
    data = pack_picture(0, FINGERPRINT, (1, 1), [b""])
    assert len(data) == MIN_PICTURE_STREAM_BYTES
    with pytest.raises(BadChecksum):
        verify_picture(data, FINGERPRINT[:2] + bytes(30))
    with pytest.raises(Truncated):
        verify_picture(data[:-1], FINGERPRINT)


@settings(max_examples=500)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"\xba\x01ab" + rest))
def test_any_bytes_are_a_format_error_or_a_stream_that_packs_to_as_many(data: bytes) -> None:
    try:
        found = unpack_picture(data)
    except FormatError:
        return
    again = pack_picture(
        found.level,
        found.short_fingerprint + bytes(30),
        found.size,
        found.payloads,
        grey=found.grey,
        chunks=found.chunks,
    )
    assert again[:9] == data[:9]
    assert found.chunks or again[:-4] == data[:-4]
