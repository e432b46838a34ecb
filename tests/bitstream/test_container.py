import hashlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.bitstream import limits
from vaecodec.bitstream.container import CONTAINER_MAGIC, pack_container, unpack_container
from vaecodec.errors import (
    BadChecksum,
    BadField,
    BadMagic,
    FormatError,
    LimitExceeded,
    NotCanonical,
    TrailingData,
    Truncated,
    UnsupportedVersion,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
METAS = st.dictionaries(st.text(max_size=6), JSON, max_size=4)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,10}", fullmatch=True)


def container(header: Any, body: bytes = b"") -> bytes:
    """A container with any header, as a hostile or careless writer would write it."""
    text = header if isinstance(header, bytes) else canonical(header)
    data = CONTAINER_MAGIC + struct.pack("<HI", 1, len(text)) + hashlib.sha256(text).digest() + text
    return data + bytes(-len(data) % 64) + body


def canonical(header: Any) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def section(name: Any = "a", data: bytes = b"abc", **changes: Any) -> dict[str, Any]:
    entry = {"name": name, "offset": 0, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return entry | changes


@settings(max_examples=100, deadline=None)
@given(METAS, st.dictionaries(NAMES, st.binary(max_size=150), max_size=4))
def test_unpack_inverts_pack(meta: dict[str, Any], sections: dict[str, bytes]) -> None:
    data = pack_container(meta, sections)
    again_meta, again = unpack_container(data)
    assert again_meta == meta
    assert {name: bytes(view) for name, view in again.items()} == sections
    assert list(again) == sorted(sections)
    assert pack_container(again_meta, {name: bytes(view) for name, view in reversed(again.items())}) == data


def test_sections_are_aligned() -> None:
    data = pack_container({"name": "x"}, {"a": b"abc", "b": b"defg"})
    assert data.index(b"abc") % 64 == 0
    assert data.index(b"defg") == data.index(b"abc") + 64
    assert data.endswith(b"defg")


def test_every_flipped_bit_is_detected() -> None:
    data = pack_container({"name": "x"}, {"a": b"abc", "b": b"defg"})
    for bit in range(8 * len(data)):
        damaged = int.from_bytes(data, "big") ^ 1 << bit
        with pytest.raises(FormatError):
            unpack_container(damaged.to_bytes(len(data), "big"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=80))
def test_random_bytes_are_a_format_error(header: bytes, body: bytes) -> None:
    for data in (body, container(header, body), CONTAINER_MAGIC + body):
        with pytest.raises(FormatError):
            unpack_container(data)


def test_another_kind_of_file_is_bad_magic() -> None:
    with pytest.raises(BadMagic):
        unpack_container(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(BadMagic):
        unpack_container(b"PK")


def test_another_version_is_unsupported() -> None:
    data = bytearray(pack_container({}, {}))
    data[8] = 2
    with pytest.raises(UnsupportedVersion, match="version 2"):
        unpack_container(data)


def test_every_cut_is_truncated() -> None:
    data = pack_container({"name": "x"}, {"a": b"abc", "b": b"defg"})
    for length in range(len(data)):
        with pytest.raises(Truncated):
            unpack_container(data[:length])


def test_bytes_after_the_last_section_are_trailing_data() -> None:
    for sections in ({}, {"a": b"abc"}):
        with pytest.raises(TrailingData):
            unpack_container(pack_container({}, sections) + b"\0")


def test_a_changed_section_is_a_bad_checksum() -> None:
    data = bytearray(pack_container({}, {"a": b"abc"}))
    data[-1] ^= 1
    with pytest.raises(BadChecksum, match="section a"):
        unpack_container(data)
    data[50] ^= 1
    with pytest.raises(BadChecksum, match="header"):
        unpack_container(data)


@pytest.mark.parametrize(
    "header",
    [
        b'{"meta": {},"sections":[]}',
        b'{"sections":[],"meta":{}}',
        b'{"meta":{"a":1,"a":1},"sections":[]}',
        b'{"meta":{"a":1.0e0},"sections":[]}',
        b'{"meta":{"a":"\\u0041"},"sections":[]}',
        b'{"meta":{"a":-0},"sections":[]}',
    ],
)
def test_another_spelling_of_the_header_is_not_canonical(header: bytes) -> None:
    with pytest.raises(NotCanonical):
        unpack_container(container(header))


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth > 1 else []


def test_the_deepest_value_and_the_largest_integers_are_read_and_written() -> None:
    meta = {"a": nested(limits.MAX_JSON_DEPTH - 2), "b": [2**63 - 1, 1 - 2**63, 0.00012345678901234567]}
    data = container({"meta": meta, "sections": []})
    assert unpack_container(data)[0] == meta
    assert pack_container(meta, {}) == data


def test_brackets_in_strings_do_not_nest() -> None:
    meta = {"[" * 100: '\\"' + "{[" * 100, "\\": "]" * 100}
    assert unpack_container(pack_container(meta, {}))[0] == meta


@pytest.mark.parametrize("depth", [limits.MAX_JSON_DEPTH - 1, 10_000, 250_000])
def test_a_value_nested_too_deep_exceeds_the_limit(depth: int) -> None:
    header = b'{"meta":{"a":' + b"[" * depth + b"]" * depth + b'},"sections":[]}'
    with pytest.raises(LimitExceeded, match="nest deeper than 64"):
        unpack_container(container(header))


def test_meta_beyond_the_limits_is_not_written() -> None:
    with pytest.raises(LimitExceeded):
        pack_container({"a": nested(limits.MAX_JSON_DEPTH - 1)}, {})
    for integer in (2**63, -(2**63), 10**400):
        with pytest.raises(BadField):
            pack_container({"a": integer}, {})


def test_padding_that_is_not_zero_is_not_canonical() -> None:
    data = bytearray(pack_container({}, {"a": b"abc", "b": b"d"}))
    data[data.index(b"abc") + 3] = 1
    with pytest.raises(NotCanonical, match="padding before section b"):
        unpack_container(data)


def test_sections_out_of_order_or_twice_are_not_canonical() -> None:
    for names in ("ba", "aa"):
        entries = [section(names[0]), section(names[1], offset=64)]
        with pytest.raises(NotCanonical):
            unpack_container(container({"meta": {}, "sections": entries}, b"abc" + bytes(61) + b"abc"))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"meta":{"a":NaN},"sections":[]}',
        b'{"meta":{"a":1e999},"sections":[]}',
        b'{"meta":{"a":' + b"9" * 5000 + b'},"sections":[]}',
        b'{"meta":{"a":"\\ud800"},"sections":[]}',
        b'{"meta":{"a":"' + b'\\"' * 100_000,
        b'{"meta":{"a":[[}]},"sections":[]}',
        {"meta": {"a": 2**63}, "sections": []},
        {"meta": {"a": -(2**63)}, "sections": []},
        [],
        {"meta": {}},
        {"meta": {}, "sections": [], "more": 1},
        {"meta": [], "sections": []},
        {"meta": {}, "sections": {}},
        {"meta": {}, "sections": [1]},
        {"meta": {}, "sections": [section() | {"more": 1}]},
        {"meta": {}, "sections": [section("A")]},
        {"meta": {}, "sections": [section(1)]},
        {"meta": {}, "sections": [section("")]},
        {"meta": {}, "sections": [section("a" * 65)]},
        {"meta": {}, "sections": [section(size=3.0)]},
        {"meta": {}, "sections": [section(offset=False)]},
        {"meta": {}, "sections": [section(offset=64)]},
        {"meta": {}, "sections": [section(sha256=1)]},
    ],
)
def test_a_header_without_meaning_is_a_bad_field(header: Any) -> None:
    with pytest.raises(BadField):
        unpack_container(container(header, b"abc"))


def test_a_header_that_asks_for_too_much_exceeds_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="header length"):
        unpack_container(CONTAINER_MAGIC + struct.pack("<HI", 1, limits.MAX_HEADER_BYTES + 1))
    for size in (-1, limits.MAX_CONTAINER_BYTES + 1):
        with pytest.raises(LimitExceeded, match="size"):
            unpack_container(container({"meta": {}, "sections": [section(size=size)]}))
    with pytest.raises(LimitExceeded, match="sections"):
        unpack_container(container({"meta": {}, "sections": [0] * (limits.MAX_SECTIONS + 1)}))


def test_a_huge_container_exceeds_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack_container({}, {"a": bytes(5000)})
    monkeypatch.setattr("vaecodec.bitstream.container.MAX_CONTAINER_BYTES", 4000)
    with pytest.raises(LimitExceeded):
        unpack_container(data)
    with pytest.raises(LimitExceeded):
        pack_container({}, {"a": bytes(5000)})


@pytest.mark.parametrize("meta", [{"a": float("nan")}, {1: 2}, {"a": (1, 2)}, {"a": {1}}, {"a": b"x"}, {"a": "\ud800"}])
def test_meta_that_is_not_json_is_a_bad_field(meta: dict[Any, Any]) -> None:
    with pytest.raises(BadField):
        pack_container(meta, {})


def test_a_section_name_without_meaning_is_a_bad_field() -> None:
    for name in ("", "A", "a b", "-a", "a\n", "ä"):
        with pytest.raises(BadField):
            pack_container({}, {name: b""})
