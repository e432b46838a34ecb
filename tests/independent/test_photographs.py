"""A decoder of photographs by the page gives the package's pixels, and the model file's known answers."""

import hashlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from tests.independent import container, photographs, writing
from tests.independent.refusal import Refused
from tests.photo.tiny import LEVELS, smooth_picture, tiny_photo_model
from vaecodec.errors import FormatError
from vaecodec.photo.coder import encode_picture
from vaecodec.photo.model import PhotoModel


@pytest.fixture(scope="module")
def by_the_page():
    return photographs.PhotographModel(tiny_photo_model().to_bytes())


@pytest.mark.parametrize("level", range(LEVELS))
def test_pixels_by_the_page_are_the_packages(by_the_page, level):
    encoded = encode_picture(tiny_photo_model(), smooth_picture(45, 70), level)
    found = photographs.decode(by_the_page, list(encoded.payloads), level, (45, 70))
    assert np.array_equal(found, encoded.pixels)


def test_a_picture_of_two_regions_has_no_seam_of_its_own(by_the_page):
    encoded = encode_picture(tiny_photo_model(), smooth_picture(16, 2048 + 20), 0)
    assert len(encoded.payloads) == 2
    found = photographs.decode(by_the_page, list(encoded.payloads), 0, (16, 2048 + 20))
    assert np.array_equal(found, encoded.pixels)


def test_known_answers_are_those_of_the_page(by_the_page):
    for answer, payload in by_the_page.answers:
        size = (16 * answer["height"], 16 * answer["width"])
        pixels = photographs.decode(by_the_page, [payload], answer["level"], size)
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == answer["sha256"]


def test_another_spelling_of_a_payload_is_refused(by_the_page):
    (payload,) = encode_picture(tiny_photo_model(), smooth_picture(30, 30), 1).payloads
    with pytest.raises(Refused):
        photographs.decode(by_the_page, [payload + b"\0"], 1, (30, 30))


NAMED = {"name": "a", "family": "photo"}
HEADERS = [
    ("encode", {"betas": [4, 3.5, 0, 1e300], "default_level": 3}, True),
    ("encode", {"betas": [4, 3, 2, 1], "more": None}, True),
    ("about", {**NAMED, "more": []}, True),
    *[("encode", {"betas": betas}, False) for betas in (None, "", "abcd", {}, {"a": 1}, 4, True, [], [1, 2, 3])],
    *[("encode", {"betas": [4, 3, 2, beta]}, False) for beta in (None, "1", True, -1, [1])],
    *[("encode", {"betas": [4] * 4, "default_level": level}, False) for level in (0, 4, -1, True, None, 1.0, "1")],
    *[("about", about, False) for about in ({"name": "a"}, {"family": "a"}, {**NAMED, "name": 1}, [], None)],
    *[(part, None, False) for part in ("encode", "about", "decode")],
]


@pytest.mark.parametrize(("part", "value", "is_taken"), HEADERS)
def test_both_take_or_refuse_a_header(part, value, is_taken):
    held = container.read(replace(tiny_photo_model(), encoder=None).to_bytes())
    data = writing.container({**held.meta, part: value}, held.sections)
    by_the_page = by_the_program = None
    with suppress(Refused):
        by_the_page = photographs.PhotographModel(data)
    with suppress(FormatError):
        by_the_program = PhotoModel.from_bytes(data)
    assert (by_the_page is not None, by_the_program is not None) == (is_taken, is_taken)
    if is_taken:
        assert by_the_page.fingerprint == by_the_program.fingerprint == tiny_photo_model().fingerprint
