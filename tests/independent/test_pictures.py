"""The second decoder reads streams of version 2 as the program does: pixels, alpha, and what else came with them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from random import Random

import numpy as np
import pytest

from tests.independent.mutants_of_pictures import Fields, deflated, fields_of, mutants, sealed, uvarint
from tests.independent.mutants_of_streams import Respelling
from tests.independent.photographs import PhotographModel
from tests.independent.picture_streams import ALPHA, ICC, Picture
from tests.independent.program import GOLDEN, Refusal, decide_picture, pictures_differ, program_on_picture
from tests.photo.tiny import LEVELS, smooth_picture, tiny_photo_model
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.codec.picture import Picture as ProgramPicture
from vaecodec.modelfile.installed import zoo_folder

RECORD = json.loads((GOLDEN.parent / "v2" / "hashes.json").read_text())
SMALL = [name for name in RECORD["sha256"] if name[0] in "37"]  # of 64x64 and 1x240 pixels
CHUNKS = {"icc": bytes(500), "exif": b"MM\0*\0\0\0\x08\0\0", "xmp": b"<x:xmpmeta/>"}


@pytest.fixture(scope="module")
def released() -> PhotographModel:
    return PhotographModel((zoo_folder() / "photo-1.vaem").read_bytes())


@pytest.fixture(scope="module")
def codec() -> PhotographCodec:
    return PhotographCodec(tiny_photo_model())


@pytest.fixture(scope="module")
def by_the_page() -> PhotographModel:
    return PhotographModel(tiny_photo_model().to_bytes())


@pytest.fixture(scope="module")
def samples(codec: PhotographCodec) -> list[bytes]:
    """Streams of the program: colour and grey, with and without alpha and chunks, of one region and of two."""
    pixels = smooth_picture(20, 30)
    steps = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    mask = ((steps > 128) * 255).astype(np.uint8)
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    pictures = [
        ProgramPicture(pixels),
        ProgramPicture(smooth_picture(1, 1)),
        ProgramPicture(pixels, alpha=steps, chunks=CHUNKS),
        ProgramPicture(pixels, alpha=mask),
        ProgramPicture(pixels, alpha=np.full((20, 30), 9, np.uint8), chunks={"exif": CHUNKS["exif"]}),
        ProgramPicture(grey, grey=True, chunks={"icc": CHUNKS["icc"]}),
        ProgramPicture(grey, grey=True, alpha=mask),
    ]
    made = [codec.compress(picture, level=k % LEVELS) for k, picture in enumerate([*pictures, *pictures])]
    wide = codec.compress(smooth_picture(3, 2050), level=1)
    return [*made, wide, codec.compress(smooth_picture(2049, 2), level=0)]


def _check_golden(name: str, model: PhotographModel) -> None:
    found = decide_picture((GOLDEN.parent / "v2" / f"{name}.vae").read_bytes(), model)
    assert isinstance(found, Picture), found
    assert hashlib.sha256(found.pixels.tobytes()).hexdigest() == RECORD["sha256"][name]
    assert (found.alpha, found.chunks) == (None, {})


@pytest.mark.parametrize("name", SMALL)
def test_a_golden_photograph_gives_its_pixels(name: str, released: PhotographModel) -> None:
    assert released.fingerprint.hex() == RECORD["model"]
    _check_golden(name, released)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name in RECORD["sha256"] if name not in SMALL])
def test_a_large_golden_photograph_gives_its_pixels(name: str, released: PhotographModel) -> None:
    _check_golden(name, released)


def test_what_the_program_writes_is_read_by_the_page(
    samples: list[bytes], codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    kinds = set()
    for data in samples:
        ours = decide_picture(data, by_the_page)
        assert isinstance(ours, Picture), ours
        assert pictures_differ(ours, program_on_picture(data, codec)) == ""
        assert np.array_equal(codec.decompress(data), ours.pixels)
        kinds.add((ours.pixels.ndim, ours.alpha is None, *ours.chunks))
    assert len(kinds) == 6


def _alpha(fields: Fields, content: bytes) -> Fields:
    chunk = uvarint(2 * len(content)) + content
    return replace(fields, chunks={**fields.chunks, ALPHA: chunk}, flags=fields.flags | ALPHA)


def _of_plane(plane: bytes, kind: int = 0, after: bytes = b"") -> Callable[[Fields], Fields]:
    return lambda fields: _alpha(fields, bytes([kind]) + deflated(plane, 9) + after)


def _icc_of_zeros(count: int) -> Callable[[Fields], Fields]:
    def change(fields: Fields) -> Fields:
        packed = deflated(bytes(count), 9)
        return replace(fields, chunks={ICC: uvarint(2 * len(packed) + 1) + packed}, flags=ICC)

    return change


def _icc_as_it_is(content: bytes) -> Callable[[Fields], Fields]:
    return lambda fields: replace(fields, chunks={ICC: uvarint(2 * len(content)) + content}, flags=ICC)


PLANE = bytes(599) + b"\1"
TAKEN: dict[str, Callable[[Fields], Fields]] = {
    "a chunk that DEFLATE would make shorter": _icc_as_it_is(bytes(500)),
    "the longest chunk": _icc_of_zeros(1 << 24),
    "alpha of one value": lambda fields: _alpha(fields, b"\xfe"),
    **{f"alpha of kind {kind}": _of_plane(PLANE, kind) for kind in range(4)},
}
REFUSED: dict[str, Callable[[Fields], Fields]] = {
    "alpha of an opaque picture": lambda fields: _alpha(fields, b"\xff"),
    "alpha of one value in many bytes": _of_plane(bytes(600)),
    "alpha of an opaque picture in many bytes": _of_plane(b"\xff" * 600),
    "alpha of kind 4": _of_plane(PLANE, 4),
    "alpha that is too short": _of_plane(PLANE[1:]),
    "alpha that is too long": _of_plane(b"\0" + PLANE),
    "alpha that ends before its chunk": _of_plane(PLANE, 0, b"\0"),
    "no alpha": lambda fields: _alpha(fields, b""),
    "a chunk that is too long": _icc_as_it_is(bytes((1 << 24) + 1)),
    "a chunk that is too long, deflated": _icc_of_zeros((1 << 24) + 1),
    "an empty chunk": _icc_as_it_is(b""),
    "a flag more": lambda fields: replace(fields, flags=32),
    "a size without pixels": lambda fields: replace(fields, size=(0, 30)),
    "a level that the model does not have": lambda fields: replace(fields, level=LEVELS),
    "a level that no model has": lambda fields: replace(fields, level=112),
    "a payload that is too short for a size": lambda fields: replace(fields, size=(2048, 2048)),
}


@pytest.mark.parametrize("what", [*TAKEN, *REFUSED])
def test_both_take_or_refuse(
    what: str, samples: list[bytes], codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    data = sealed({**TAKEN, **REFUSED}[what](fields_of(samples[0])).joined(), by_the_page)
    ours, theirs = decide_picture(data, by_the_page), program_on_picture(data, codec)
    assert isinstance(ours, Picture) == (what in TAKEN), ours
    assert pictures_differ(ours, theirs) == ""


@pytest.mark.parametrize("level", [2, 3])
def test_a_payload_leaves_out_32_bytes_of_zeros_and_no_more(
    level: int, codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    fields = fields_of(codec.compress(smooth_picture(16, 32), level=level))
    decided = {}
    for length in range(len(fields.payloads[0])):
        payload = fields.payloads[0][:length]
        decoder = Respelling(payload)
        by_the_page.region(decoder, level, 1, 2)
        data = sealed(replace(fields, payloads=(payload,)).joined(), by_the_page)
        ours = decide_picture(data, by_the_page)
        assert pictures_differ(ours, program_on_picture(data, codec)) == ""
        if decoder.spelling() == payload:
            decided[length] = (decoder.bits // 8 - length, isinstance(ours, Picture))
    assert all(taken == (left_out <= 32) for left_out, taken in decided.values())
    assert {(32, True), (33, False)} <= set(decided.values())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_picture_of_four_regions_is_read_in_reading_order(
    codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    data = codec.compress(smooth_picture(2049, 2060), level=0)
    assert pictures_differ(decide_picture(data, by_the_page), program_on_picture(data, codec)) == ""


def _disagreements(
    seed: int, number: int, samples: list[bytes], codec: PhotographCodec, model: PhotographModel
) -> tuple[list[str], int]:
    """How the two differ, and how many mutants both take."""
    found, taken = [], 0
    for place, data in enumerate(islice(mutants(samples, model, Random(seed)), number)):
        ours = decide_picture(data, model)
        taken += isinstance(ours, Picture)
        if difference := pictures_differ(ours, program_on_picture(data, codec)):
            found.append(f"mutant {place} of seed {seed}, {data[:60].hex()}: {difference}")
    return found, taken


def test_the_program_decides_as_the_page_on_mutants(
    samples: list[bytes], codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    found, taken = _disagreements(1, 300, samples, codec, by_the_page)
    assert found == []
    assert 60 < taken < 240


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_program_decides_as_the_page_on_a_thousand_mutants(
    seed: int, samples: list[bytes], codec: PhotographCodec, by_the_page: PhotographModel
) -> None:
    found, _ = _disagreements(seed, 1000, samples, codec, by_the_page)
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_program_decides_as_the_page_on_mutants_of_golden_photographs(released: PhotographModel) -> None:
    golden = [(GOLDEN.parent / "v2" / f"{name}.vae").read_bytes() for name in SMALL]
    found, taken = _disagreements(1, 100, golden, PhotographCodec.load("photo-1"), released)
    assert found == []
    assert 20 < taken < 80


def test_another_models_stream_is_refused(samples: list[bytes], released: PhotographModel) -> None:
    assert isinstance(decide_picture(samples[0], released), Refusal)
