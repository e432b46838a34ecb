"""The command line with a model that has a lossless part."""

import json

import numpy as np
import pytest
from PIL import Image

from vaecodec.codec.codec import Codec, load
from vaecodec.modelfile.model import read_model

from .conftest import TESTS

EXACT, JOINED = (TESTS / "golden" / "v1" / f"{name}.vaem" for name in ("exact", "joined"))


@pytest.fixture
def joined(folders):
    """The installed model that --model names."""
    (folders / "golden-joined-1.vaem").write_bytes(JOINED.read_bytes())
    return "golden-joined-1"


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image)


def test_lossless_gives_the_picture_back(run, digit, joined):
    done = run("compress", digit, "x.vae", "--model", joined, "--lossless")
    assert done.exit_code == 0
    assert "lossless, model golden-joined-1" in done.stderr
    assert run("decompress", "x.vae").exit_code == 0
    assert np.array_equal(pixels_of("x.png"), pixels_of(digit))


def test_quality_100_is_lossless(run, digit, joined):
    for name, option in (("a.vae", ["--quality", "100"]), ("b.vae", ["--lossless"])):
        assert run("compress", digit, name, "--model", joined, *option).exit_code == 0
    with open("a.vae", "rb") as a, open("b.vae", "rb") as b:
        assert a.read() == b.read()


def test_max_error_bounds_every_pixel(run, digit, joined):
    found = json.loads(run("compress", digit, "x.vae", "--model", joined, "--max-error", 6, "--json").stdout)
    assert (found["kind"], found["max_error"], found["level"], found["beta"]) == ("near-lossless", 6, None, None)
    assert found["warnings"] == []
    assert 0 < found["information_bits"] <= 8 * found["payload_bytes"]
    run("decompress", "x.vae")
    assert np.abs(pixels_of("x.png").astype(int) - pixels_of(digit)).max() <= 6


def test_lossless_and_another_setting_are_wrong_usage(run, digit, joined):
    for options in (["--max-error", "3"], ["--quality", "50"]):
        assert run("compress", digit, "x.vae", "--model", joined, "--lossless", *options).exit_code == 2
    assert run("compress", digit, "x.vae", "--model", joined, "--max-error", "128").exit_code == 2


def test_a_model_without_the_part_says_so(fails, digit):
    assert "has no lossless part" in fails("compress", digit, "x.vae", "--model", "golden-tiny-1", "--lossless")


def test_a_folder_is_compressed_exactly(run, tmp_path, digit, joined):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    images = {"digit.png": pixels_of(digit), "noise.png": rng.integers(0, 256, (28, 28), np.uint8)}
    for name, image in images.items():
        Image.fromarray(image).save(tmp_path / "in" / name)
    done = run("compress", "in", "out", "--model", joined, "--lossless", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["psnr_db"] is None
    assert run("decompress", "out", "back").exit_code == 0
    for name, image in images.items():
        assert np.array_equal(pixels_of(tmp_path / "back" / name), image)


def test_archives_are_exact_and_go_on_so(run, tmp_path, digit, joined):
    assert run("archive", "create", "x.vaea", digit, "--model", joined, "--lossless").exit_code == 0
    assert run("archive", "append", "x.vaea", digit, "--max-error", 9).exit_code == 0
    assert run("archive", "verify", "x.vaea").exit_code == 0
    assert run("archive", "extract", "x.vaea", "out", "--range", "0:1").exit_code == 0
    (file,) = (tmp_path / "out").iterdir()
    assert np.array_equal(pixels_of(file), pixels_of(digit))


def test_info_says_what_the_bits_are_spent_on(run, digit, joined):
    run("compress", digit, "x.vae", "--model", joined, "--lossless")
    found = json.loads(run("info", "x.vae", "--json").stdout)
    assert (found["coding"], found["verified"]) == ("lossless", True)
    assert "level" not in found
    assert list(found["bits"]) == ["latents", "flags", "values"]
    assert sum(found["bits"].values()) == pytest.approx(found["information_bits"])
    assert sum(found["bytes"].values()) == found["file_bytes"]
    assert "flags" in run("info", "x.vae").stdout


def test_info_of_stored_and_near_lossless_streams(run, digit, joined):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save("noise.png")
    run("compress", "noise.png", "noise.vae", "--model", joined, "--lossless")
    found = json.loads(run("info", "noise.vae", "--json").stdout)
    assert (found["coding"], found["bits"]) == ("stored", {"pixels": 8.0 * 784})
    run("compress", digit, "near.vae", "--model", joined, "--max-error", "2")
    found = json.loads(run("info", "near.vae", "--json").stdout)
    assert (found["coding"], found["max_error"], found["bytes"]["max error"]) == ("near-lossless", 2, 1)
    assert sum(found["bytes"].values()) == found["file_bytes"]


def test_info_of_an_exact_stream_whose_model_is_missing(run, digit, joined, monkeypatch, tmp_path):
    run("compress", digit, "x.vae", "--model", joined, "--lossless")
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    found = json.loads(run("info", "x.vae", "--json").stdout)
    assert (found["coding"], found["verified"], found["information_bits"]) == ("lossless", False, None)


@pytest.mark.parametrize("path", [EXACT, JOINED])
def test_info_of_models(run, path):
    found = json.loads(run("info", path, "--json").stdout)
    assert (found["lossless_bit_depth"], found["lossless_latents"]) == (8, 4)
    assert found["bytes"]["lossless part"] > 0
    assert sum(found["bytes"].values()) == found["file_bytes"] == path.stat().st_size
    assert "lossless part" in run("info", path).stdout


def test_models_can_be_joined_added_and_listed(run, fails, tmp_path, digit, tiny, folders):
    arguments = ("models", "join", tiny, EXACT, "new.vaem", "--name", "both")
    assert run(*arguments).exit_code == 0
    assert "--force" in fails(*arguments)
    assert load(tmp_path / "new.vaem").fingerprint == load(JOINED).fingerprint
    for path in ("new.vaem", EXACT):
        assert run("models", "add", path).exit_code == 0
    found = {model["name"]: model for model in json.loads(run("models", "--json").stdout)}
    assert (found["both"]["lossless"], len(found["both"]["betas"])) == (True, 1)
    assert (found["golden-exact-1"]["lossless"], found["golden-exact-1"]["betas"]) == (True, [])
    assert "lossless" in run("models").stdout
    assert run("compress", digit, "x.vae", "--model", "golden-exact-1").exit_code == 0
    assert "no lossy levels" in fails("compress", digit, "y.vae", "--model", "golden-exact-1", "--level", 0)


def test_models_that_do_not_fit_are_not_joined(fails, tiny, tmp_path):
    bits = TESTS / "golden" / "v1" / "bits.vaem"
    assert "28x28" in fails("models", "join", tiny, bits, "new.vaem", "--name", "both")
    assert "no lossless part" in fails("models", "join", tiny, tiny, "new.vaem", "--name", "both")
    assert "model name" in fails("models", "join", tiny, EXACT, "new.vaem", "--name", "../both")
    assert not (tmp_path / "new.vaem").exists()


def test_evaluate_measures_exact_streams(run, joined):
    data = ("--data", "mnist", "--data-dir", str(TESTS / "fixtures" / "data"), "--limit", "5", "--json")
    found = json.loads(run("evaluate", "--model", joined, *data, "--lossless").stdout)
    assert (found["setting"], found["psnr_db"], found["exact"]) == ("lossless", None, True)
    assert found["information_bytes"] <= found["payload_bytes"]
    found = json.loads(run("evaluate", "--model", str(EXACT), *data).stdout)
    assert found["setting"] == "lossless"


def test_damage_is_one_line(fails, digit, joined, run):
    run("compress", digit, "x.vae", "--model", joined, "--lossless")
    with open("x.vae", "rb") as file:
        data = bytearray(file.read())
    data[30] ^= 1
    with open("y.vae", "wb") as file:
        file.write(data)
    assert "y.vae: " in fails("decompress", "y.vae")


def test_models_that_share_the_short_fingerprint_are_told_apart_by_decoding(run, digit, joined, folders):
    from vaecodec.codec.choice import Candidate, codec_among

    run("compress", digit, "x.vae", "--model", joined, "--lossless")
    with open("x.vae", "rb") as file:
        data = file.read()
    right, model = load(JOINED), read_model(EXACT)
    vars(model)["fingerprint"] = right.fingerprint[:2] + bytes(30)
    twin = Candidate.of(Codec(model))
    for candidates in ([twin, Candidate.of(right)], [Candidate.of(right), twin]):
        assert codec_among(candidates, data) is right
    assert codec_among([], data) is None
