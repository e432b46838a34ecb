"""The integer tables of the Gaussians, and the checkerboard."""

import math

import numpy as np
import pytest

from vaecodec.entropy.coder import ConstrictionDecoder, ConstrictionEncoder, SymbolDecoder, SymbolEncoder
from vaecodec.entropy.reference import ReferenceDecoder, ReferenceEncoder
from vaecodec.photo.checkerboard import colours
from vaecodec.photo.convolution import ExactConvolution
from vaecodec.photo.gaussians import GREATEST_SCALE, LEAST_SCALE, TABLES, GaussianTables


def test_integer_tables_have_the_bits_of_the_gaussians():
    tables = GaussianTables.make()
    for number in (5, 30, TABLES - 1):
        scale = LEAST_SCALE * (GREATEST_SCALE / LEAST_SCALE) ** (number / (TABLES - 1))
        for symbol in range(int(3 * scale) + 1):
            edges = [math.erfc((symbol + side) / (scale * math.sqrt(2))) / 2 for side in (-0.5, 0.5)]
            assert tables.bits[number, symbol] == pytest.approx(-math.log2(edges[0] - edges[1]), abs=0.02)


def test_symbols_of_one_table_are_coded_alike_by_both_coders():
    pytest.importorskip("constriction")
    tables, rng = GaussianTables.make().tables, np.random.default_rng(0)
    payloads = []
    for backend in (ConstrictionEncoder(), ReferenceEncoder()):
        encoder = SymbolEncoder(backend)
        for number, spread in ((0, 1), (20, 2), (63, 2000)):
            encoder.encode_alike(rng.integers(-spread, spread + 1, 500).astype(np.int32), tables[number])
        payloads.append(encoder.finish())
        rng = np.random.default_rng(0)
    assert payloads[0] == payloads[1]
    for backend in (ConstrictionDecoder, ReferenceDecoder):
        decoder, rng = SymbolDecoder(payloads[0], backend(payloads[0])), np.random.default_rng(0)
        for number, spread in ((0, 1), (20, 2), (63, 2000)):
            expected = rng.integers(-spread, spread + 1, 500)
            assert np.array_equal(decoder.decode_alike(500, tables[number]), expected)
        decoder.finish()


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (4, 6), (5, 3), (7, 8)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_at_one_colour_is_the_whole_one_there(shape, kernel):
    rng = np.random.default_rng(kernel)
    values = rng.integers(-50, 50, (*shape, 3)).astype(np.int16)
    convolution = ExactConvolution(
        rng.integers(-9, 10, (kernel, kernel, 3, 4)).astype(np.int16),
        rng.integers(-99, 99, 4),
        np.array([0, 1, 3, 5]),
        np.full(3, 40, np.int32),
    )
    windows = [
        convolution.whole(values)[r : r + kernel, c : c + kernel].reshape(1, kernel, -1)
        for r in range(shape[0])
        for c in range(shape[1])
    ]
    expected = np.concatenate([convolution.of_windows(window) for window in windows]).reshape(*shape, 4)
    whole = np.zeros((*shape, 4), np.float32)
    for colour in colours(shape):
        rows = colour.convolved(convolution, values)
        assert np.array_equal(rows, colour.pick(expected))
        assert np.array_equal(colour.pick(colour.place(rows)), rows)
        whole += colour.place(rows)
    assert np.array_equal(whole, expected)
