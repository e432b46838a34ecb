"""vaecodec show: blocks of colour in the terminal, a picture, a page, numbers."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.blocks import HALF, bars, blocks

from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec.codec.stream_report import report_streams


@pytest.fixture
def file(tmp_path, stream):
    (tmp_path / "digit.vae").write_bytes(stream)
    return "digit.vae"


def test_the_numbers_are_those_of_the_stream(run, file, stream, codec, digit):
    found = json.loads(run("show", file, "--json", "--original", digit).stdout)
    (report,) = report_streams(codec, [stream])
    assert found["information_bits"] == pytest.approx(report.information_bits)
    assert sum(found["latent_bits"].values()) == pytest.approx(report.information_bits)
    assert list(found["latent_bits"].values()) == sorted(found["latent_bits"].values(), reverse=True)
    assert (found["file_bytes"], found["payload_bytes"]) == (len(stream), len(report.stream.payload))
    error = np.mean((codec.decompress(stream).astype(float) - np.array(Image.open(digit))) ** 2)
    assert found["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error))


def test_the_terminal_gets_pictures_and_bars(run, file, digit):
    result = run("show", file, "--original", digit)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert sum(HALF in line for line in lines) == 3 * 14  # three pictures of 28 rows, two a line
    assert [line.split()[0] for line in lines if line[:1] in "roa"] == ["reconstruction", "original", "absolute"]
    assert sum(line.startswith("latent ") for line in lines) == 8


def test_blocks_hold_the_pixels():
    pixels = np.array([[0, 255], [10, 20], [7, 8]], np.uint8)
    first, second = blocks(pixels, 80)
    assert first.count(HALF) == 2
    assert first.startswith("\x1b[38;2;0;0;0m\x1b[48;2;10;10;10m")
    assert "38;2;7;7;7m\x1b[48;2;7;7;7m" in second  # an odd last row is its own ground
    assert {line.count(HALF) for line in blocks(np.zeros((8, 100), np.uint8), 20)} == {20}


def test_bars_are_as_long_as_their_share():
    long, short = bars([("a", 4.0), ("bb", 1.0)], 34)
    assert long.count("█") == 4 * short.count("█") > 0
    assert list(bars([], 80)) == []
    assert next(iter(bars([("nothing", 0.0)], 80))).count("█") == 0


def test_an_exact_stream_shows_its_parts(run, tmp_path, digit):
    assert run("compress", digit, "exact.vae", "--model", "mnist", "--lossless").exit_code == 0
    found = json.loads(run("show", "exact.vae", "--json", "--original", digit).stdout)
    assert (found["kind"], found["level"], found["psnr_db"], found["latent_bits"]) == ("lossless", None, None, {})
    assert list(found["spent_bits"]) == ["latents", "flags", "values"]
    assert "values" in run("show", "exact.vae").stdout


def test_a_picture_and_a_page_are_written(run, file, digit, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("plotly")
    for name, options in (("a.png", ("--original", digit)), ("a.svg", ()), ("a.html", ("--original", digit))):
        result = run("show", file, "-o", name, *options)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == ""
    assert min(Image.open(BytesIO((tmp_path / "a.png").read_bytes())).size) > 500
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert "digit.vae" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert run("show", file, "-o", "a.png").exit_code == 1  # it is there


def test_what_cannot_be_shown_is_said_in_one_line(run, fails, file, tmp_path):
    Image.new("L", (5, 5)).save(tmp_path / "small.png")
    assert "small.png: digit.vae: decodes to (28, 28), the original is (5, 5)" in fails(
        "show", file, "--original", "small.png"
    )
    (tmp_path / "bad.vae").write_bytes(b"none")
    assert "bad.vae" in fails("show", "bad.vae")
    assert run("show", file, "-o", "a.gif").exit_code == 2


def test_a_photograph_shows_where_its_bits_went(run, tmp_path, special_models_alone, folders):
    model, pixels = tiny_photo_model(), smooth_picture(60, 90)
    (folders / "photo-1.vaem").write_bytes(model.to_bytes())
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for level in (0, 3):
        assert run("compress", "a.png", f"{level}.vae", "--model", "photo-1", "--level", str(level)).exit_code == 0
        found = json.loads(run("show", f"{level}.vae", "--json", "--original", "a.png").stdout)
        assert list(found["spent_bits"]) == ["hyperlatents", "base", "detail"]
        assert (found["spent_bits"]["detail"] == 0) == (level == 0)  # the first level tells nothing of it
        assert found["information_bits"] == pytest.approx(sum(found["spent_bits"].values()))
        assert 0 < 8 * found["payload_bytes"] - found["information_bits"] < 8 * (0.01 * found["payload_bytes"] + 32)
    lines = run("show", "3.vae", "--original", "a.png").stdout.splitlines()
    headings = [line.split(" ")[0] for line in lines if HALF not in line][1:5]
    assert headings == ["reconstruction", "original", "absolute", "bits"]
    shown = json.loads(run("info", "3.vae", "--json").stdout)
    assert shown["information_bits"] == pytest.approx(found["information_bits"])
