"""Damaged and made-up model files, the same ones for the same seed.

golden files --change arrays, header, bytes--> bytes, hashes and known answers made right in a share of them
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import arrays, container, known_answer, model_file, writing
from tests.independent.priors import Priors
from tests.independent.refusal import Refused

_DTYPES = ("u1", "i1", "<u2", "<i2", "<u4", "<i4", "<i8", "<f2", "<f4", "<f8")
_NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    7,
    24,
    25,
    127,
    128,
    255,
    256,
    4096,
    2**15,
    2**20,
    2**24 - 1,
    2**24,
    2**31,
    2**63,
    0.5,
    1e300,
)
_VALUES = (None, True, False, "", "x", [], {}, [0], 1.0, -0.0)


def mutants(files: Sequence[bytes], rng: Random) -> Iterator[bytes]:
    """Mutants without end."""
    held = [container.read(file) for file in files]
    while True:
        number = rng.randrange(len(files))
        if rng.random() < 0.15:
            yield _damaged(files[number], files, rng)
            continue
        meta, sections = copy.deepcopy(held[number].meta), dict(held[number].sections)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            rng.choice(CHANGES)(meta, sections, rng)
        if rng.random() < 0.6:
            meta = answered(meta, sections)
        yield _spelt(meta, sections, rng)


def answered(meta: dict[str, Any], sections: dict[str, bytes]) -> dict[str, Any]:
    """The meta with the known answers that the sections give, where they give any."""
    try:
        model = model_file.read(writing.container(meta, sections))
    except Refused:
        return meta
    meta = copy.deepcopy(meta)
    decode = meta["decode"]
    if model.synthesis is not None and model.answer is not None:
        decode["known_answer"] = _hashes(lambda rows: [model.synthesis.run(rows)], model.answer.rows)
    if isinstance(model.priors, Priors):
        decode["priors"]["known_answer"] = _hashes(model.priors.results, model.priors.answer.rows)
    if model.lossless is not None:
        decode["lossless"]["known_answer"] = _hashes(model.lossless.likeliest, model.lossless.answer.rows)
    return meta


def _hashes(results: Callable[[NDArray], list[NDArray]], rows: NDArray) -> dict[str, str]:
    return {"one": known_answer.hash_of(results(rows[:1])), "all": known_answer.hash_of(results(rows))}


def _spelt(meta: Any, sections: dict[str, bytes], rng: Random) -> bytes:
    data = writing.container(meta, sections)
    if rng.random() < 0.9:
        return data
    size = int.from_bytes(data[10:14], "little")
    header, body = data[46 : 46 + size], data[46 + size + -(46 + size) % 64 :]
    return writing.framed(rng.choice(SPELLINGS)(header, rng), body)


def _damaged(data: bytes, files: Sequence[bytes], rng: Random) -> bytes:
    """Bytes that no hash was made right for."""
    position = rng.randrange(len(data)) if rng.random() < 0.7 else rng.randrange(64)
    kind = rng.randrange(6)
    if kind == 0:
        return data[:position]
    if kind == 1:
        return data + bytes(rng.choice([1, 64]))
    if kind == 2:
        return data[:position] + rng.choice(files)[position:]
    if kind == 3:
        return data[:position] + data[position + rng.choice([1, 64]) :]
    return data[:position] + bytes([data[position] ^ (1 << rng.randrange(8))]) + data[position + 1 :]


def _change_values(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    name, values = _an_array(sections, rng)
    if values is None or values.size == 0:
        return
    flat = values.ravel().copy()
    for _ in range(rng.choice([1, 1, 3, 20])):
        info = np.iinfo(flat.dtype) if flat.dtype.kind in "iu" else None
        place = rng.randrange(len(flat))
        if info is None:
            flat[place] = rng.choice([0, -1, 0.25, np.nan, np.inf, 3])
        else:
            near = int(flat[place]) + rng.choice([-1, 1, -100, 100])
            chosen = rng.choice([near, near, info.min, info.max, 0, 1, 2])
            flat[place] = min(max(chosen, info.min), info.max)
    sections[name] = writing.array(flat.reshape(values.shape))


def _change_values_narrowly(meta: Any, sections: dict[str, bytes], rng: Random) -> None:
    """Values that stay in the network's reach, in the dtype that they must have."""
    name, values = _an_array(sections, rng, ("weight", "bias", "table", "shift", "known_answer"))
    if values is None or values.size == 0:
        return
    flat = values.astype(np.int64).ravel()
    for _ in range(rng.choice([1, 3, 20])):
        flat[rng.randrange(len(flat))] += rng.choice([-1, 1, -3, 3, 50])
    if np.abs(flat).max() < 2**31:
        sections[name] = writing.narrowest(flat.reshape(values.shape))


def _move_counts(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    """A row of counts with the same sum, and so one that is mostly allowed."""
    name, values = _an_array(sections, rng, ("counts",))
    if values is None or values.size < 2:
        return
    counts = values.copy()
    row = counts.reshape(-1, counts.shape[-1])[rng.randrange(counts.size // counts.shape[-1])]
    source, target = rng.randrange(len(row)), rng.randrange(len(row))
    moved = rng.randrange(int(row[source]) + 1)
    row[source] -= moved
    row[target] += moved
    sections[name] = writing.array(counts)


def _change_dtype(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    name, values = _an_array(sections, rng)
    if values is not None:
        with np.errstate(all="ignore"):
            sections[name] = writing.array(values.astype(rng.choice(_DTYPES)))


def _change_shape(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    name, values = _an_array(sections, rng)
    if values is None:
        return
    changed = rng.choice(
        [values[..., np.newaxis], values[np.newaxis], values.ravel(), values.T, values[:-1] if values.ndim else values]
    )
    if rng.random() < 0.3 and values.ndim:
        changed = np.repeat(values, 2, axis=rng.randrange(values.ndim))
    sections[name] = writing.array(changed)


def _change_bytes(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(sorted(sections))
    data = bytearray(sections[name])
    if data:
        data[rng.randrange(min(len(data), rng.choice([2, 6, 10, 1000])))] = rng.choice(
            [0, 1, 2, 9, 255, rng.randrange(256)]
        )
    sections[name] = bytes(data)[: len(data) - rng.choice([0, 0, 0, 1, 4])] + bytes(rng.choice([0, 0, 0, 1]))


def _change_sections(_: Any, sections: dict[str, bytes], rng: Random) -> None:
    name, other = rng.choice(sorted(sections)), rng.choice(sorted(sections))
    kind = rng.randrange(4)
    if kind == 0:
        del sections[name]
    elif kind == 1:
        sections[name], sections[other] = sections[other], sections[name]
    elif kind == 2:
        sections[rng.choice([name + "x", "decode/more", "encode/more", "more", name[:-1] + "0"])] = sections[other]
    else:
        sections[name] = b"" if name.endswith("onnx") else sections[name][:6]


def _change_meta(meta: Any, _: dict[str, bytes], rng: Random) -> None:
    """Another value, a key less, or a key more, somewhere in the meta."""
    part = rng.choice(["decode", "decode", "decode", "encode", "about"])
    places = list(_places(meta, part if part in meta else min(meta)))
    parent, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent["more"] = rng.choice(_VALUES)
    elif kind == 2:
        parent[key] = rng.choice(_VALUES)
    elif kind == 3 and isinstance(parent[key], list):
        parent[key].append(rng.choice([*parent[key], 0]))
    elif type(parent[key]) is int:
        parent[key] = rng.choice([parent[key] + 1, parent[key] - 1, rng.choice(_NUMBERS)])
    else:
        parent[key] = rng.choice(_NUMBERS)


def _change_operation(meta: Any, _: dict[str, bytes], rng: Random) -> None:
    """A whole number of an operation, by a little: what the proof must see."""
    places = [p for p in _places(meta, "decode") if type(p[0][p[1]]) is int] if "decode" in meta else []
    if places:
        parent, key = rng.choice(places)
        parent[key] = max(0, parent[key] + rng.choice([-1, 1, 2, -2, 10, -10]))


def _change_encode(meta: Any, _: dict[str, bytes], rng: Random) -> None:
    """Another default level or β; β too beyond what a double or the page's integers hold."""
    encode = meta.get("encode")
    betas = encode.get("betas") if isinstance(encode, dict) else None
    if not isinstance(betas, list):
        return
    if rng.random() < 0.5 or not betas:
        encode["default_level"] = rng.choice([0, 1, 2, 7, 8, -1, 1.0, True, None, "1", []])
    else:
        betas[rng.randrange(len(betas))] = rng.choice(
            [0, -0.0, -1, 1e308, 5, True, None, "1", 0.0, -1e-300, 10**308, 2**63 - 1, 2**63, 10**400]
        )


def _places(parent: Any, key: Any) -> Iterator[tuple[Any, Any]]:
    """Every value below parent[key], as what holds it and its key there."""
    yield parent, key
    value = parent[key]
    keys = sorted(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for inner in keys:
        yield from _places(value, inner)


def _an_array(sections: dict[str, bytes], rng: Random, endings: tuple[str, ...] = ("",)) -> tuple[str, NDArray | None]:
    names = [name for name in sorted(sections) if name.endswith(endings)]
    if not names:
        return "", None
    name = rng.choice(names)
    try:
        return name, arrays.read(sections[name], name)
    except Refused:
        return name, None


def _spaced(header: bytes, rng: Random) -> bytes:
    place = rng.choice([i for i, byte in enumerate(header) if byte in b",:{}[]"])
    return header[:place] + rng.choice([b" ", b"\n", b"\xef\xbb\xbf"]) + header[place:]


def _with_twice(header: bytes, _: Random) -> bytes:
    return header[:-1] + b',"sections":[]}'


def _with_number(header: bytes, rng: Random) -> bytes:
    """Numbers in "about" that JSON or Python may read and the page may not."""
    spellings = b"1.0 1e5 1E5 100000.0 1e400 NaN -0 -0.0 01 1.50 1e+16 1e16 0.1 0.10000000000000001 5e-324 +1 .5 1."
    spellings += b" 9223372036854775807 9223372036854775808 -9223372036854775807 -9223372036854775808 9" + b"0" * 5000
    return header.replace(b'"about":{', b'"about":{"a":' + rng.choice(spellings.split()) + b",", 1)


def _with_text(header: bytes, rng: Random) -> bytes:
    """Strings with what must, may and must not be escaped."""
    texts = r"\u0041 \u001f \u001F \n \u000a \/ \\ \" \u007f é \u00e9 \ud800 \ud83d\ude00 😀 \b\t\n\f\r \u0008 \x41"
    raw = [b"\x7f", b"\n", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", "\u2028".encode()]
    spelling = rng.choice([*(text.encode() for text in texts.split()), *raw])
    place = b'"about":{"a":"' + spelling + b'",'
    return header.replace(b'"about":{', place, 1)


def _with_depth(header: bytes, rng: Random) -> bytes:
    depth = rng.choice([10, 60, 61, 62, 63, 5000])
    return header.replace(b'"about":{', b'"about":{"a":' + b"[" * depth + b"]" * depth + b",", 1)


def _with_listed(header: bytes, rng: Random) -> bytes:
    """Another number, name or hash in the list of sections."""
    value = json.loads(header)
    section = rng.choice(value["sections"])
    key = rng.choice(sorted(section))
    section[key] = rng.choice([0, 64, 63, -64, "x", "", "a" * 65, "A", section[key], None, "0" * 64, 1.5, True])
    if rng.random() < 0.3:
        value["sections"].reverse()
    if rng.random() < 0.2:
        value[rng.choice(["more", "meta"])] = {}
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


SPELLINGS = (_spaced, _with_twice, _with_number, _with_text, _with_depth, _with_listed)
CHANGES = (
    _change_values,
    _change_values_narrowly,
    _change_values_narrowly,
    _move_counts,
    _change_dtype,
    _change_shape,
    _change_bytes,
    _change_sections,
    _change_meta,
    _change_meta,
    _change_operation,
    _change_operation,
    _change_encode,
)
