"""The photograph of the demo: others get no fewer bytes than we do, and without a model there is a line instead."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
MOST_EXAMPLE_BYTES = 200_000


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("photograph", EXAMPLES / "photograph.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_is_small_and_plain_rgb(demo):
    assert demo.EXAMPLE.stat().st_size <= MOST_EXAMPLE_BYTES
    with Image.open(demo.EXAMPLE) as image:
        assert (image.mode, image.info) == ("RGB", {})
        left, top, right, bottom = demo.DETAIL
        assert 0 <= left < right <= image.width
        assert 0 <= top < bottom <= image.height


def test_rivals_have_the_fewest_bytes_that_are_no_fewer_than_ours(demo):
    rows, columns = np.mgrid[:48, :64]
    pixels = np.stack([4 * columns, 5 * rows, 128 + 40 * np.sin(rows * columns / 99)], axis=-1).astype(np.uint8)
    ours = demo.Version("vaecodec", pixels, 400)
    found = demo.rivals(pixels, ours)
    assert "WebP" in [one.name for one in found]
    for one in found:
        image_format, options = demo.RIVALS[one.name]
        sizes = [len(demo.encoded(pixels, image_format, options, quality)) for quality in range(101)]
        assert one.size_bytes >= 400
        quality = sizes.index(one.size_bytes)
        assert quality == 0 or sizes[quality - 1] < 400
        assert one.pixels.shape == pixels.shape


def test_each_line_says_bytes_and_psnr(demo):
    black = np.zeros((4, 4, 3), np.uint8)
    assert demo.Version("original", black, None).label(black) == "original"
    assert demo.Version("WebP", black + np.uint8(1), 1234).label(black) == "WebP: 1,234 bytes, 48.13 dB"


def test_without_a_model_there_is_a_line_and_no_picture(demo, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    demo.show_photograph(tmp_path, "no-such-model")
    assert "left out" in capsys.readouterr().out
    assert not (tmp_path / "photograph.png").exists()
