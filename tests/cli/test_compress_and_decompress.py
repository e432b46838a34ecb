import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.pictures import image_file

import vaecodec
from tests.photo.tiny import zoo_without_photographs
from vaecodec.codec.picture import as_picture
from vaecodec.modelfile.installed import aliases

NAME = "golden-tiny-1"


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image.convert("L"))


@pytest.fixture
def compressed(tmp_path, stream):
    path = tmp_path / "digit.vae"
    path.write_bytes(stream)
    return path


def test_compress_writes_the_codecs_stream(run, digit, tmp_path, stream):
    result = run("compress", "--model", NAME, digit, "out.vae")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out.vae").read_bytes() == stream
    assert result.stdout == ""
    assert f"{len(stream)} bytes" in result.stderr


def test_decompress_finds_the_model_and_inverts_compress(run, compressed, tmp_path, codec, stream):
    result = run("decompress", compressed)
    assert result.exit_code == 0, result.stderr
    assert (pixels_of(tmp_path / "digit.png") == codec.decompress(stream)).all()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["digit.png", "digit.vae"]


@pytest.mark.parametrize("suffix", ["png", "webp", "avif", "jp2", "gif", "tiff", "bmp", "pgm", "tga", "PNG"])
def test_the_outputs_suffix_chooses_the_format(run, compressed, tmp_path, codec, stream, suffix):
    assert run("decompress", compressed, f"out.{suffix}").exit_code == 0
    with Image.open(tmp_path / f"out.{suffix}") as image:
        assert image.format == {"pgm": "PPM", "jp2": "JPEG2000"}.get(suffix, suffix.upper())
    assert (pixels_of(tmp_path / f"out.{suffix}") == codec.decompress(stream)).all()


def test_a_format_that_changes_the_pixels_is_said_to(run, compressed, tmp_path, codec, stream):
    for suffix in ("jpg", "jpeg", "jfif"):
        done = run("decompress", compressed, f"out.{suffix}")
        assert "changes the pixels a little" in done.stderr
        error = pixels_of(tmp_path / f"out.{suffix}").astype(int) - codec.decompress(stream)
        assert 0 < np.abs(error).max() < 16
    assert "changes the pixels" not in run("decompress", compressed, "out.png").stderr


@pytest.mark.parametrize("suffix", ["ico", "icns"])
def test_a_format_that_changes_the_size_is_refused(fails, compressed, tmp_path, suffix):
    assert "another size; try .png" in fails("decompress", compressed, f"out.{suffix}")
    assert not (tmp_path / f"out.{suffix}").exists()


def test_a_format_that_pillow_cannot_write_is_an_error_that_names_one_it_can(fails, compressed, tmp_path):
    assert "try .png" in fails("decompress", compressed, "out.xyz")
    assert not (tmp_path / "out.xyz").exists()


def test_jpeg_xl_is_written_or_the_package_for_it_named(run, compressed, tmp_path, codec, stream):
    result = run("decompress", compressed, "out.jxl")
    if result.exit_code:
        assert "pip install pillow-jxl-plugin" in result.stderr
    else:
        assert (pixels_of(tmp_path / "out.jxl") == codec.decompress(stream)).all()


def test_a_hyphen_is_standard_input_and_output(run, digit, stream, codec):
    forth = run("compress", "--model", NAME, "--force", "-", "-", input=digit.read_bytes())
    assert forth.stdout_bytes == stream
    back = run("decompress", "--force", "-", input=stream)
    assert back.stdout_bytes == image_file(as_picture(codec.decompress(stream)), "-")


def test_compress_reports_in_json(run, digit, stream, codec):
    found = json.loads(run("compress", "--json", "--model", NAME, digit, "out.vae").stdout)
    assert found["file_bytes"] == len(stream)
    assert found["payload_bytes"] == len(stream) - 7
    assert found["fingerprint"] == codec.fingerprint.hex()
    assert (found["height"], found["width"]) == (28, 28)
    assert found["information_bits"] < 8 * found["payload_bytes"] + 1


def test_json_tells_exact_from_not_verified(run, digit, tmp_path):
    exact = Path(__file__).parents[1] / "golden" / "v1" / "exact.vaem"
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "digit.png").write_bytes(digit.read_bytes())

    def told(source, target, *options):
        found = json.loads(run("compress", "--json", "--force", source, target, *options).stdout)
        return found["verified"], found["exact"], found["psnr_db"]

    for source, target in ((digit, "out.vae"), ("pictures", "out")):
        assert told(source, target, "--model", exact) == (True, True, None)
        assert told(source, target, "--model", exact, "--no-verify") == (False, None, None)
        verified, is_exact, psnr_db = told(source, target, "--model", NAME)
        assert (verified, is_exact, psnr_db > 5) == (True, False, True)
        assert told(source, target, "--model", NAME, "--no-verify") == (False, None, None)


def test_json_and_the_stream_do_not_share_standard_output(run, digit):
    assert run("compress", "--json", "--model", NAME, digit, "-").exit_code == 2


def test_a_model_file_does_as_a_model(run, digit, tiny, tmp_path, monkeypatch, stream):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    assert run("compress", "--model", tiny, digit, "out.vae").exit_code == 0
    assert (tmp_path / "out.vae").read_bytes() == stream
    assert run("decompress", "--model", tiny, "out.vae").exit_code == 0


def test_an_existing_output_is_kept_without_force(run, fails, compressed, digit, tmp_path, stream):
    (tmp_path / "digit.png").write_text("precious")
    assert "digit.png: exists already; --force" in fails("decompress", compressed)
    assert "exists already; --force" in fails("compress", "--model", NAME, digit, compressed)
    assert (tmp_path / "digit.png").read_text() == "precious"
    assert run("decompress", compressed, "--force").exit_code == 0
    assert pixels_of(tmp_path / "digit.png").shape == (28, 28)


def test_force_writes_through_a_link_and_leaves_it_a_link(run, compressed, tmp_path):
    (tmp_path / "real.png").write_text("old")
    (tmp_path / "link.png").symlink_to("real.png")
    assert run("decompress", compressed, "link.png", "--force").exit_code == 0
    assert (tmp_path / "link.png").is_symlink()
    assert pixels_of(tmp_path / "real.png").shape == (28, 28)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGB", "RGBA"])
def test_images_that_are_grey_in_fact_compress_alike(run, tmp_path, mode, codec):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 12:16] = 255
    Image.fromarray(pixels).convert(mode).save("image.png")
    assert run("compress", "--model", NAME, "image.png", "out.vae").exit_code == 0
    assert (tmp_path / "out.vae").read_bytes() == codec.compress(pixels)


def test_without_photograph_models_a_smaller_image_needs_an_explicit_model_and_comes_back_in_its_size(
    run, fails, tmp_path, monkeypatch
):
    zoo = zoo_without_photographs(tmp_path / "zoo")
    monkeypatch.setattr("vaecodec.modelfile.installed.zoo_folder", lambda: zoo)
    Image.new("L", (20, 17), 200).save("small.png")
    message = fails("compress", "small.png", "out.vae")
    assert "images of 17x20" in message
    assert f"{NAME} (28x28, " in message
    assert "vaecodec train FOLDER" in message
    assert "--model" in message
    assert run("compress", "--model", NAME, "small.png", "out.vae").exit_code == 0
    assert run("decompress", "out.vae").exit_code == 0
    assert pixels_of(tmp_path / "out.png").shape == (17, 20)


def test_without_a_model_the_alias_for_the_images_size_is_taken(run, digit):
    found = json.loads(run("compress", "--json", digit, "out.vae").stdout)
    assert found["model"] == aliases()["mnist"]
    assert run("decompress", "out.vae").exit_code == 0


def test_options_for_size_and_quality_are_kept(run, fails, tmp_path, digit):
    levels = str(Path(__file__).parents[1] / "golden" / "v1" / "levels.vaem")
    out = tmp_path / "out.vae"
    for option, value in (("--quality", 0), ("--quality", 100), ("--beta", 1), ("--level", 3), ("--target-bytes", 20)):
        result = run("compress", digit, out, "--model", levels, "--force", "--json", option, value)
        report = json.loads(result.stdout)
        assert report["file_bytes"] == out.stat().st_size
        assert report["psnr_db"] > 5
    assert report["file_bytes"] <= 20
    report = json.loads(run("compress", digit, out, "--model", levels, "--force", "--json", "--target-psnr", 9).stdout)
    assert report["psnr_db"] >= 9
    assert "dB" in fails("compress", digit, out, "--model", levels, "--force", "--target-psnr", 60)
    assert "needs" in fails("compress", digit, out, "--model", levels, "--force", "--target-bytes", 2)


def test_effort_is_spent_on_files_folders_and_archives_alike(run, tmp_path, digit):
    path = Path(__file__).parents[1] / "golden" / "v1" / "levels.vaem"
    codec, pixels = vaecodec.load(path), pixels_of(digit)
    Path("pictures").mkdir()
    Image.fromarray(pixels).save("pictures/digit.png")
    options = ("--model", path, "--level", 5, "--effort", 1)
    assert run("compress", digit, "one.vae", *options).exit_code == 0
    assert run("compress", "pictures", "streams", *options).exit_code == 0
    assert run("archive", "create", "all.vaea", "pictures", *options).exit_code == 0
    assert run("archive", "append", "all.vaea", "pictures", *options[:4], "--effort", 2).exit_code == 0
    refined = [codec.compress(pixels, level=5, effort=effort) for effort in (1, 2)]
    assert Path("one.vae").read_bytes() == Path("streams/digit.vae").read_bytes() == refined[0]
    with vaecodec.Archive("all.vaea", model=codec) as archive:
        for found, data in zip(archive, refined, strict=True):
            assert np.array_equal(found, codec.decompress(data))
    assert run("compress", digit, "two.vae", *options[:4], "--effort", 3).exit_code == 2


def test_two_targets_at_once_are_wrong_usage(run, tmp_path, digit):
    result = run("compress", digit, tmp_path / "o.vae", "--quality", 3, "--beta", 1)
    assert result.exit_code == 2
    assert "give one" in result.stderr
