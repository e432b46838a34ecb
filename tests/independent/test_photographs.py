"""A decoder of photographs by the page gives the package's pixels, and the model file's known answers."""

import hashlib

import numpy as np
import pytest

from tests.independent import photographs
from tests.independent.refusal import Refused
from tests.photo.tiny import LEVELS, smooth_picture, tiny_photo_model
from vaecodec.photo.coder import encode_picture


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
