"""The command line with a photograph model installed: any picture becomes a file and comes back."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.photograph import PhotographCodec

pytestmark = pytest.mark.usefixtures("special_models_alone")  # each test installs what it speaks of

PIXELS = smooth_picture(60, 90)
ICC, XMP = b"\0\0\1\0" + b"appl" * 60, b"<x:xmpmeta/>"


@pytest.fixture(scope="module")
def photo():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture
def installed(photo, folders):
    """The model, as the user's own."""
    (folders / "photo-1.vaem").write_bytes(photo.model.to_bytes())
    return photo


@pytest.fixture
def picture(tmp_path):
    """photograph.png: with alpha, a profile and XMP."""
    image = Image.fromarray(PIXELS)
    image.putalpha(Image.fromarray(PIXELS[..., 0]))
    image.save(tmp_path / "photograph.png", icc_profile=ICC, pnginfo=xmp_of_png())
    return tmp_path / "photograph.png"


def xmp_of_png():
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image)


def test_a_photograph_goes_there_and_back_with_what_comes_with_it(installed, picture, run):
    done = run("compress", picture, "a.vae")
    assert done.exit_code == 0, done.stderr
    assert "model tiny-photo" in done.stderr
    assert " dB, " in done.stderr
    assert run("decompress", "a.vae").exit_code == 0
    with Image.open("a.png") as found:
        assert found.mode == "RGBA"
        np.testing.assert_array_equal(np.array(found)[..., 3], PIXELS[..., 0])
        assert found.info["icc_profile"] == ICC
        assert found.info["xmp"] == XMP
        decoded = installed.decompress(Path("a.vae").read_bytes())
        np.testing.assert_array_equal(np.array(found)[..., :3], decoded)


def test_strip_leaves_out_what_is_not_seen(installed, picture, run):
    assert run("compress", picture, "a.vae", "--strip").exit_code == 0
    found = installed.decompress_picture(Path("a.vae").read_bytes())
    assert not found.chunks
    np.testing.assert_array_equal(found.alpha, PIXELS[..., 0])


def test_a_format_that_does_not_keep_what_comes_with_the_pixels_says_so(installed, picture, run):
    Image.fromarray(PIXELS).save("plain.png", icc_profile=ICC)
    run("compress", "plain.png", "a.vae")
    done = run("decompress", "a.vae", "a.ppm")
    assert "note: a.ppm: this format does not keep icc; .png does" in done.stderr
    assert "note" not in run("decompress", "a.vae", "a.tiff").stderr
    with Image.open("a.tiff") as found:
        assert found.info["icc_profile"] == ICC
    run("compress", picture, "b.vae")
    done = run("decompress", "b.vae", "b.jpg")
    assert done.exit_code == 1
    assert "an image with transparency" in done.stderr


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (28, 28), (64, 64), (17, 3)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "LA", "1"])
def test_every_size_and_mode_comes_back_as_it_was(installed, run, size, mode):
    Image.fromarray(smooth_picture(*size)).convert(mode).save("a.png")
    done = run("compress", "a.png", "a.vae")
    assert done.exit_code == 0, done.stderr
    assert run("decompress", "a.vae", "b.png").exit_code == 0
    found = pixels_of("b.png")
    assert found.shape[:2] == size
    with Image.open("b.png") as image:
        assert (image.mode in ("L", "1")) == (mode in ("L", "1", "LA"))


def test_json_says_what_was_written(installed, picture, run):
    found = json.loads(run("compress", "--json", picture, "a.vae", "--quality", "100").stdout)
    stream = Path("a.vae").read_bytes()
    assert (found["height"], found["width"], found["kind"], found["level"]) == (60, 90, "lossy", 3)
    assert found["beta"] == installed.model.betas[3]
    assert found["file_bytes"] == len(stream)
    assert 0 < found["payload_bytes"] < len(stream) - 13
    assert found["verified"]
    assert found["information_bits"] is None
    assert found["warnings"] == []


@pytest.mark.parametrize(
    ("options", "level"),
    [
        (["--quality", "0"], 0),
        (["--beta", "500"], 2),
        (["--level", "1"], 1),
        (["--target-bytes", "500"], 1),
        (["--max-mse", "1e4"], 0),
        (["--target-psnr", "5"], 0),
    ],
)
def test_every_setting_finds_its_level(installed, run, options, level):
    Image.fromarray(PIXELS).save("a.png")
    assert run("compress", "a.png", "a.vae", "--no-verify", *options).exit_code == 0
    assert installed.receive(Path("a.vae").read_bytes()).level == level


def test_lossless_names_what_does_it(installed, run, fails):
    Image.fromarray(PIXELS).save("a.png")
    assert "PNG and JPEG XL" in fails("compress", "a.png", "a.vae", "--lossless")
    assert "effort 1" in fails("compress", "a.png", "a.vae", "--effort", "1", "--model", "photo-1")


def test_info_says_what_a_photograph_is(installed, picture, run):
    run("compress", picture, "a.vae")
    found = json.loads(run("info", "--json", "a.vae").stdout)
    assert (found["version"], found["height"], found["width"], found["verified"]) == (2, 60, 90, True)
    assert (found["model"], found["chunks"], found["regions"]) == ("tiny-photo", "alpha, icc, xmp", 1)
    assert sum(found["bytes"].values()) == found["file_bytes"] == Path("a.vae").stat().st_size
    assert "tiny-photo" in run("info", "a.vae").stdout


def test_info_and_decompress_without_the_model(photo, run, fails):
    Path("a.vae").write_bytes(photo.compress(PIXELS))
    found = json.loads(run("info", "--json", "a.vae").stdout)
    assert (found["model"], found["verified"], found["height"]) == (None, False, 60)
    assert f"starts with {photo.fingerprint.hex()[:4]}" in fails("decompress", "a.vae")
    Path("m.vaem").write_bytes(photo.model.to_bytes())
    assert run("decompress", "a.vae", "--model", "m.vaem").exit_code == 0


def test_a_model_of_the_other_kind_is_refused(installed, run, fails, stream):
    Path("photograph.vae").write_bytes(installed.compress(PIXELS))
    Path("digit.vae").write_bytes(stream)
    assert "a photograph model, which" in fails("decompress", "photograph.vae", "x.png", "--model", "mnist")
    assert "a model of one geometry, which" in fails("decompress", "digit.vae", "x.png", "--model", "photo-1")


def test_a_mixed_folder_goes_there_and_back(installed, run, digit):
    Path("in/a").mkdir(parents=True)
    shutil.copy(digit, "in/a/digit.png")
    Image.fromarray(PIXELS).save("in/a/large.jpg")
    Image.fromarray(smooth_picture(64, 64)).convert("L").save("in/sprite-sized.png")
    Image.fromarray(smooth_picture(30, 20)).convert("CMYK").save("in/inks.tiff")
    done = run("compress", "in", "out", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["images"] == 3
    assert [failure["file"] for failure in found["failed"]] == ["inks.tiff"]
    digits = Codec.load("mnist")
    assert Path("out/a/digit.vae").read_bytes()[:1] == b"\xb9"
    assert Path("out/a/digit.vae").read_bytes()[2:4] == digits.fingerprint[:2]
    assert Path("out/sprite-sized.vae").read_bytes()[:1] == b"\xba"
    assert run("decompress", "out", "back").exit_code == 0
    assert pixels_of("back/a/large.png").shape == PIXELS.shape
    assert pixels_of("back/sprite-sized.png").shape == (64, 64)


def test_a_damaged_stream_is_one_line_and_the_rest_of_a_folder_goes_on(installed, run, fails):
    data = bytearray(installed.compress(PIXELS))
    Path("in").mkdir()
    Path("in/whole.vae").write_bytes(data)
    data[40] ^= 4
    Path("in/bad.vae").write_bytes(data)
    assert "check at offset" in fails("decompress", "in/bad.vae", "x.png")
    done = run("decompress", "in", "out")
    assert done.exit_code == 1
    assert Path("out/whole.png").exists()
    assert "in/bad.vae: check at offset" in done.stderr


def test_standard_streams(installed, run):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    forth = run("compress", "--force", "-", "-", input=buffer.getvalue())
    assert forth.stdout_bytes == installed.compress(PIXELS)
    back = run("decompress", "--force", "-", input=forth.stdout_bytes)
    np.testing.assert_array_equal(pixels_of(io.BytesIO(back.stdout_bytes)), installed.decompress(forth.stdout_bytes))


def test_archives_of_photographs(installed, picture, run):
    Path("in").mkdir()
    shutil.copy(picture, "in/a.png")
    Image.fromarray(smooth_picture(33, 40)).convert("L").save("in/b.png")
    assert run("archive", "create", "t.vaea", "in", "--quality", "50").exit_code == 0
    assert run("archive", "verify", "t.vaea").exit_code == 0
    assert run("archive", "extract", "t.vaea", "out").exit_code == 0
    with Image.open("out/a.png") as found:
        assert (found.mode, found.info["icc_profile"]) == ("RGBA", ICC)
    with Image.open("out/b.png") as found:
        assert (found.mode, found.size) == ("L", (40, 33))
    done = run("archive", "extract", "t.vaea", "out.npz")
    assert done.exit_code == 1
    assert "refused: image 0: has alpha" in done.stderr
    assert run("archive", "append", "t.vaea", picture, "--strip").exit_code == 0
    assert json.loads(run("archive", "info", "--json", "t.vaea").stdout)["images"] == 3


def test_without_a_photograph_model_all_is_as_it_was_and_errors_say_that_there_is_none(picture, run, fails, digit):
    assert "no photograph model" in fails("compress", picture, "a.vae")
    Image.fromarray(PIXELS).convert("L").save("grey.png")
    assert "no photograph model" in fails("compress", "grey.png", "a.vae")
    with Image.open(digit) as image:
        image.save("digit.png", icc_profile=ICC)
    done = run("compress", "digit.png", "digit.vae")
    assert done.exit_code == 0
    assert "warning: digit.png: icc: not kept" in done.stderr
    assert load("mnist").decompress(Path("digit.vae").read_bytes()).shape == (28, 28)


def test_models_lists_it_beside_the_others(installed, run):
    rows = run("models").stdout.splitlines()
    assert any(row.startswith("photo-1 ") and " any " in row for row in rows)
    found = {model["name"]: model for model in json.loads(run("models", "--json").stdout)}
    assert found["photo-1"]["photograph"]
    assert not found["golden-tiny-1"]["photograph"]
    assert found["photo-1"]["fingerprint"] == installed.fingerprint.hex()


def test_models_add_installs_it_and_strip_leaves_its_decoder(photo, run, fails, folders):
    Path("m.vaem").write_bytes(photo.model.to_bytes())
    assert run("models", "add", "m.vaem").exit_code == 0
    assert (folders / "tiny-photo.vaem").read_bytes() == photo.model.to_bytes()
    done = run("models", "strip", "m.vaem", "small.vaem")
    assert done.exit_code == 0, done.stderr
    assert Path("small.vaem").stat().st_size < Path("m.vaem").stat().st_size
    small = load("small.vaem")
    assert small.fingerprint == photo.fingerprint
    stream = photo.compress(PIXELS)
    np.testing.assert_array_equal(small.decompress(stream), photo.decompress(stream))
    Image.fromarray(PIXELS).save("a.png")
    assert "only decodes" in fails("compress", "a.png", "a.vae", "--model", "small.vaem")
    damaged = bytearray(photo.model.to_bytes())
    damaged[-100] ^= 1
    Path("bad.vaem").write_bytes(damaged)
    assert "bad.vaem: " in fails("models", "add", "bad.vaem")


def test_info_describes_its_model_file(photo, run):
    Path("m.vaem").write_bytes(photo.model.to_bytes())
    found = json.loads(run("info", "--json", "m.vaem").stdout)
    assert (found["kind"], found["model"], found["size"]) == ("photograph model", "tiny-photo", "any")
    assert found["betas"] == list(photo.model.betas)
    assert sum(found["bytes"].values()) == found["file_bytes"]


def test_evaluate_measures_every_picture_of_a_folder(installed, run):
    Path("in").mkdir()
    sizes = [(40, 50), (60, 30)]
    for k, size in enumerate(sizes):
        Image.fromarray(smooth_picture(*size, seed=k)).save(f"in/{k}.png")
    done = run("evaluate", "--model", "photo-1", "--data", "in", "--quality", "100", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    streams = [installed.compress(smooth_picture(*size, seed=k), quality=100) for k, size in enumerate(sizes)]
    assert (found["images"], found["pixels"]) == (2, 40 * 50 + 60 * 30)
    assert found["file_bytes"] == sum(map(len, streams)) / 2
    assert found["file_bpp"] == 8 * sum(map(len, streams)) / found["pixels"]
    assert found["model_file_bytes"] == len(installed.model.to_bytes())
    assert 0 < found["ms_ssim"] < 1
    assert "PSNR" in run("evaluate", "--model", "photo-1", "--data", "in", "--limit", "1").stdout
