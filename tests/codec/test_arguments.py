"""Arguments of a codec: what holds bytes or pixels is taken, what does not is an error of ours."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.errors import ConfigError, ImageError, WrongType

CODEC = vaecodec.load(Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem")
IMAGE = np.random.default_rng(3).integers(0, 256, (28, 28), dtype=np.uint8)
STREAM = CODEC.compress(IMAGE)


@pytest.mark.parametrize("wrong", [[1, 2], IMAGE.tolist(), None, "a", Path("a.png"), b"x", 5, (IMAGE,)])
def test_what_is_no_image_is_refused_in_words(wrong):
    with pytest.raises(ImageError, match="expected an array uint8 or a PIL image"):
        CODEC.compress(wrong)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_of_other_kinds_are_their_pixels():
    for kind in (np.matrix, np.ma.array):
        assert CODEC.compress(kind(IMAGE)) == STREAM
    assert CODEC.compress(np.matrix(IMAGE[:9, :7])) == CODEC.compress(IMAGE[:9, :7])
    with pytest.raises(ImageError, match="mask"):
        CODEC.compress(np.ma.array(IMAGE, mask=IMAGE > 9))


@pytest.mark.parametrize(
    "setting",
    [
        *({"level": wrong} for wrong in (3.5, "3", True, [1])),
        *({"effort": wrong} for wrong in ("1", None)),
        *({"quality": wrong} for wrong in ("75", float("nan"))),
        {"target_bytes": "9"},
        {"max_error": 1.5},
    ],
)
def test_settings_of_another_type_are_refused(setting):
    with pytest.raises(ConfigError):
        CODEC.compress(IMAGE, **setting)


def test_numbers_of_numpy_are_numbers():
    assert CODEC.compress(IMAGE, level=np.int64(0), effort=np.uint8(0)) == STREAM
    assert CODEC.compress(IMAGE, quality=np.float32(0)) == STREAM


def test_a_target_that_is_none_is_refused():
    for wrong in ("a", {"level": 0}, 3):
        with pytest.raises(ConfigError, match="target"):
            CODEC.compress_batch([IMAGE], target=wrong)


def test_a_stream_may_be_any_object_that_holds_bytes():
    expected = CODEC.decompress(STREAM)
    whole = np.frombuffer(STREAM, np.uint8)
    for same in (bytearray(STREAM), memoryview(STREAM), whole, whole.view(np.int8), np.repeat(whole, 2)[::2]):
        assert np.array_equal(CODEC.decompress(same), expected)


@pytest.mark.parametrize(
    "wrong",
    ["abc", None, 5, [1, 2], np.frombuffer(STREAM, np.uint8)[None], np.zeros(40), np.zeros(40, np.uint16)],
)
def test_what_is_no_stream_is_refused_in_words(wrong):
    with pytest.raises(WrongType, match="stream: expected bytes"):
        CODEC.decompress(wrong)


def test_batches_may_come_from_generators():
    images = CODEC.decompress_batch(stream for stream in [STREAM] * 40)
    assert np.array_equal(images, [CODEC.decompress(STREAM)] * 40)
    assert CODEC.compress_batch(image for image in [IMAGE] * 2) == [STREAM] * 2
    assert CODEC.decompress_batch(iter(())) == []
    with pytest.raises(WrongType, match="found int"):
        CODEC.decompress_batch(STREAM)
