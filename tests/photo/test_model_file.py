"""What a photograph model file claims is checked before anything is computed with it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.photo.tiny import tiny_photo_model
from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.errors import BadField, FormatError, KnownAnswerMismatch, LimitExceeded, ModelError, NotExact
from vaecodec.photo.convolution import ExactConvolution
from vaecodec.photo.model import PhotoModel
from vaecodec.photo.stored import CONVOLUTIONS


def with_section(name, change):
    model = tiny_photo_model()
    return replace(model, sections={**model.sections, name: change(model.sections[name])})


def with_field(name, value):
    model = tiny_photo_model()
    decode = json.loads(json.dumps(model.decode))
    decode["photograph"][name] = value
    return replace(model, decode=decode)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("silent", 9),
        ("silent", True),
        ("levels", 0),
        ("levels", 10**9),
        ("base_slices", [2, 4]),
        ("base_slices", []),
        ("base_slices", [0, 5]),
        ("base_slices", "ab"),
        ("detail_slices", [16, 33]),
        ("detail_slices", [4096, 4096]),
        ("branches", [[3], [2]]),
        ("branches", [[10**9], [2], [2]]),
        ("branches", [[2], [2], [2]]),
        ("branches", None),
    ],
)
def test_a_description_that_lies_is_refused(name, value):
    with pytest.raises((FormatError, NotExact)):
        _ = with_field(name, value).networks


def test_bytes_that_are_not_convolutions_are_refused():
    for changed in (lambda s: s[:-1], lambda s: s + b"\0", lambda s: b"", lambda s: b"\2" + s[1:]):
        with pytest.raises(FormatError):
            _ = with_section(CONVOLUTIONS, changed).networks


def test_a_convolution_that_claims_many_weights_allocates_nothing():
    head = bytes([5]) + (4096).to_bytes(2, "little") * 2
    with pytest.raises(LimitExceeded):
        _ = with_section(CONVOLUTIONS, lambda s: head + s).networks


def test_any_changed_byte_of_a_section_is_refused_or_noticed_by_the_known_answer():
    rng = np.random.default_rng(0)
    model = tiny_photo_model()
    noticed = 0
    for name in sorted(model.sections):
        for _ in range(3):
            data = bytearray(model.sections[name])
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
            try:
                _ = replace(model, sections={**model.sections, name: bytes(data)}).networks
            except (FormatError, ModelError):
                noticed += 1
    assert noticed > 2 * len(model.sections)  # a bit of a level or table that the answer does not need may go by


@pytest.mark.parametrize(
    ("name", "value"), [("level_bias/1", 2**20), ("detail/offset", 2**20), ("step", -1), ("basis", 2**30)]
)
def test_tables_beyond_what_is_exact_are_refused(name, value):
    def change(data):
        array = unpack_array(data).astype(np.int32)
        array.flat[0] = value
        return pack_array(array)

    with pytest.raises((BadField, NotExact)):
        _ = with_section(f"decode/{name}", change).networks


def test_a_missing_section_is_refused():
    model = tiny_photo_model()
    for name in model.sections:
        with pytest.raises((FormatError, KnownAnswerMismatch)):
            _ = replace(model, sections={k: v for k, v in model.sections.items() if k != name}).networks


def test_betas_and_levels_must_agree():
    model = tiny_photo_model()
    with pytest.raises(BadField, match="a row for each level"):
        PhotoModel.from_bytes(replace(model, betas=model.betas[1:]).to_bytes())
    with pytest.raises(BadField, match="default level"):
        PhotoModel.from_bytes(replace(model, default_level=99).to_bytes())


def test_a_clamp_that_float32_does_not_hold_is_refused():
    weights = np.ones((1, 1, 1, 1), np.int16)
    zeros = np.zeros(1, np.int64)
    with pytest.raises(NotExact, match="2\\^23"):
        ExactConvolution(weights, zeros, zeros, np.full(1, 2**20 - 1, np.int32), input_shift=8)


def test_products_in_float32_are_those_in_float64():
    rng = np.random.default_rng(3)
    weights = rng.integers(-511, 512, (3, 3, 40, 8)).astype(np.int16)
    rows = rng.integers(-2000, 2000, (9, 11, 40)).astype(np.float32)
    bias, shift = rng.integers(-(2**20), 2**20, 8), np.full(8, 9)
    for limit in (10, 400, 32767):
        convolution = ExactConvolution(weights, bias, shift, np.full(40, limit, np.int32))
        padded = convolution.whole(rows).astype(np.int64)
        expected = [
            (np.einsum("xyi,xyio->o", padded[r : r + 3, c : c + 3], weights.astype(np.int64)) + bias + 256) >> 9
            for r in range(9)
            for c in range(11)
        ]
        windows = [convolution.whole(rows)[r : r + 3, c : c + 3].reshape(1, 3, -1) for r in range(9) for c in range(11)]
        assert np.array_equal(np.concatenate([convolution.of_windows(w) for w in windows]), expected)
