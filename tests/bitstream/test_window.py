"""Windows: values come back within half a step, records have one spelling, and what is no window is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bitstream.windows import windows
from vaecodec.bitstream.window import DTYPES, Window, unpack_window
from vaecodec.errors import BadField, ConfigError, FormatError, ImageError, TrailingData, Truncated


@given(windows())
def test_unpack_inverts_pack(window: Window) -> None:
    assert unpack_window(window.pack()) == window
    assert len(window.pack()) == 1 + 2 * np.dtype(window.dtype).itemsize


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=17) | st.binary(max_size=4).map(lambda rest: b"\x01" + rest))
def test_any_bytes_are_a_format_error_or_a_window_that_packs_to_them(data: bytes) -> None:
    try:
        window = unpack_window(data)
    except FormatError:
        return
    assert window.pack() == data


@given(windows(), st.randoms(use_true_random=False))
def test_values_inside_come_back_within_half_a_step(window: Window, rng: object) -> None:
    """And, where they are integers, half a one more."""
    kind = np.dtype(window.dtype)
    inside = np.linspace(window.low, window.high, 300).reshape(20, 15)
    values = np.clip((np.rint(inside) if kind.kind in "iu" else inside).astype(kind), window.low, window.high)
    values = values.astype(kind)
    back = window.restore(window.scale(values))
    assert back.dtype == kind
    rounding = 0.5 if kind.kind in "iu" else float(np.finfo(kind).eps) * max(abs(window.low), abs(window.high), 1e-3)
    assert np.abs(back.astype(np.float64) - values.astype(np.float64)).max() <= window.step / 2 * (1 + 1e-9) + rounding
    assert window.clipped(values) == 0


@given(windows())
def test_every_pixel_stands_for_a_value_that_scales_to_it(window: Window) -> None:
    """Where the type has a value for each of them."""
    pixels = np.arange(256, dtype=np.uint8)
    values = window.restore(pixels)
    assert values[0] == window.low
    assert values[255] == window.high
    if len(set(values.tolist())) == 256 and window.step > 1e-2:
        np.testing.assert_array_equal(window.scale(values), pixels)


def test_what_lies_beyond_is_clipped_and_counted() -> None:
    window = Window(100, 1120, "uint16")
    values = np.array([[0, 99, 100, 102, 103], [610, 1118, 1120, 1121, 65535]], np.uint16)
    assert window.scale(values).tolist() == [[0, 0, 0, 0, 1], [128, 254, 255, 255, 255]]
    assert window.restore(window.scale(values)).tolist() == [[100, 100, 100, 100, 104], [612, 1116, 1120, 1120, 1120]]
    assert window.clipped(values) == 4


def test_a_window_of_one_value_gives_it_back() -> None:
    window = Window(7, 7, "int32")
    assert window.restore(window.scale(np.full((2, 2), 7, np.int32))).tolist() == [[7, 7], [7, 7]]


def test_large_pictures_are_scaled_in_parts_and_alike() -> None:
    values = np.arange(3 << 20, dtype=np.uint32).reshape(3, 1 << 10, 1 << 10)
    window = Window(0, 3 << 20, "uint32")
    np.testing.assert_array_equal(window.scale(values)[1], window.scale(values[1]))


@pytest.mark.parametrize(
    ("low", "high", "dtype", "words"),
    [
        (0, 1, "uint8", "expected one of"),
        (0, 1, "int64", "expected one of"),
        (2, 1, "uint16", "above"),
        (-1, 1, "uint16", "beyond uint16"),
        (0, 65536, "uint16", "beyond uint16"),
        (0.5, 2, "uint16", "does not hold"),
        (0.1, 2, "float32", "does not hold"),
        (0, float("inf"), "float32", "finite"),
        (float("nan"), 1, "float64", "finite"),
        (-1.7e308, 1.7e308, "float64", "finite distance"),
        (0, 1e30, "float16", "beyond float16"),
    ],
)
def test_what_is_no_window_is_refused(low: float, high: float, dtype: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Window(low, high, dtype)


def test_near_rounds_to_what_the_type_holds() -> None:
    assert Window.near(0.1, 0.3, "float32") == Window(float(np.float32(0.1)), float(np.float32(0.3)), "float32")
    assert Window.near(0.4, 99.6, "int16") == Window(0, 100, "int16")
    with pytest.raises(ConfigError, match="expected one of"):
        Window.near(0, 1, "complex64")


def test_hostile_records_are_refused() -> None:
    assert sorted(DTYPES) == list(range(1, 8))
    for data, error in (
        (b"\0\0\0\1\0", BadField),
        (b"\x08" + bytes(16), BadField),
        (b"\x01\1\0\0\0", BadField),  # low above high
        (b"\x06" + np.float32([np.nan, 1]).tobytes(), BadField),
        (b"\x06" + np.float32([0, np.inf]).tobytes(), BadField),
        (b"\x06" + np.float32([-0.0, 1]).tobytes(), BadField),  # zero is spelt without a sign
        (b"\x07" + np.float64([-1e308, 1e308]).tobytes(), BadField),
        (b"\x01\0\0\1", Truncated),
        (b"\x01\0\0\1\0\0", TrailingData),
    ):
        with pytest.raises(error):
            unpack_window(data)


def test_values_of_another_type_are_refused() -> None:
    with pytest.raises(ImageError, match="does not fit values of int32"):
        Window(0, 9, "uint16").scale(np.zeros((2, 2), np.int32))


def test_a_window_is_said_in_words() -> None:
    assert str(Window(0, 4095, "uint16")) == "0 to 4095 of uint16"


@pytest.mark.parametrize("end", [float("nan"), float("inf")])
def test_no_window_near_what_is_no_number(end: float) -> None:
    with pytest.raises(ConfigError, match="expected finite numbers"):
        Window.near(0, end, "float32")
