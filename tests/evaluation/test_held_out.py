"""A model's curve beside classical codecs: what the table and the chart say of curves that are known."""

import numpy as np

from vaecodec.evaluation.classical import classical_codecs
from vaecodec.evaluation.held_out import Curve, chart, few_of, table
from vaecodec.evaluation.rd import measure_point

OURS = Curve("mine", ((20.0, 30.0), (25.0, 60.0), (40.0, 300.0)))
WEBP = Curve("WebP", ((22.0, 100.0), (32.0, 200.0)))


def test_the_table_says_what_others_need_at_our_quality():
    lines = [line.split() for line in table([OURS, WEBP])]
    assert lines[0] == ["PSNR", "mine", "WebP"]
    assert lines[1] == ["20.0", "dB", "30", "B", "<100", "B"]
    assert lines[2] == ["25.0", "dB", "60", "B", "130", "B"]
    assert lines[3] == ["40.0", "dB", "300", "B", "-"]


def test_the_chart_has_a_line_for_each_codec():
    (panel,) = chart([OURS, WEBP], 12).panels
    assert [one.name for one in panel.series] == ["mine", "WebP"]
    assert panel.series[1].x == (100.0, 200.0)


def test_large_images_are_fewer():
    assert len(few_of(np.zeros((900, 28, 28), np.uint8))) == 300
    assert len(few_of(np.zeros((900, 56, 56, 3), np.uint8))) == 75
    assert len(few_of(np.zeros((9, 128, 128, 3), np.uint8))) == 9


def test_bits_a_pixel_count_a_pixel_of_colour_once():
    images = np.full((2, 16, 16, 3), 100, np.uint8)
    point = measure_point("x", "y", images, images + 1, file_sizes=[32, 96], payload_sizes=[32, 96])
    assert (point.file_bpp, point.mse) == (2.0, 1.0)
    assert 0.9 < point.ms_ssim <= 1


def test_classical_codecs_take_colour():
    image = np.zeros((32, 32, 3), np.uint8)
    image[..., 0] = 200
    for codec in classical_codecs(["PNG", "WebP"]):
        decoded = codec.decode(codec.encode(image), colour=True)
        assert decoded.shape == image.shape
        assert abs(int(decoded[5, 5, 0]) - 200) < 12
        if codec.lossless:
            np.testing.assert_array_equal(decoded, image)
