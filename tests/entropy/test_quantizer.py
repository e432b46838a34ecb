import numpy as np
import pytest

from vaecodec.entropy.quantizer import MAX_SYMBOL, Quantizer
from vaecodec.errors import BadField, ModelError


def quantizer() -> Quantizer:
    return Quantizer(np.array([0.0, 1.5, -2.0], np.float32), np.array([1.0, 0.1, 3.0], np.float32))


def test_rounding_inverts_dequantising() -> None:
    symbols = np.random.default_rng(0).integers(-1000, 1000, (40, 3)).astype(np.int32)
    assert np.array_equal(quantizer().round_to_symbols(quantizer().dequantise(symbols)), symbols)


def test_the_error_is_at_most_half_a_step() -> None:
    y = np.random.default_rng(0).normal(0, 5, (100, 3)).astype(np.float32)
    y_hat = quantizer().dequantise(quantizer().round_to_symbols(y))
    assert y_hat.dtype == np.float32
    assert (np.abs(y_hat - y) <= quantizer().step * 0.50001 + 1e-6).all()


def test_far_latents_are_clamped() -> None:
    y = np.array([np.inf, -np.inf, 3e38], np.float32)
    assert quantizer().round_to_symbols(y).tolist() == [MAX_SYMBOL, -MAX_SYMBOL, MAX_SYMBOL]


def test_nan_is_refused() -> None:
    with pytest.raises(ModelError, match="not a number"):
        quantizer().round_to_symbols(np.array([0, np.nan, 0], np.float32))


@pytest.mark.parametrize(
    ("center", "step"),
    [
        (np.zeros(2, np.float64), np.ones(2, np.float32)),
        (np.zeros(2, np.float32), np.ones(3, np.float32)),
        (np.zeros(2, np.float32), np.zeros(2, np.float32)),
        (np.zeros(2, np.float32), np.full(2, np.nan, np.float32)),
        (np.zeros((2, 1), np.float32), np.ones(2, np.float32)),
    ],
)
def test_a_quantizer_without_meaning_is_a_bad_field(center: np.ndarray, step: np.ndarray) -> None:
    with pytest.raises(BadField):
        Quantizer(center, step)
