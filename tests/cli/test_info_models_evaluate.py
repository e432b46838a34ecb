import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaecodec.modelfile.model import pack_model, read_model

NAME = "golden-tiny-1"
FIXTURES = Path(__file__).parent.parent / "fixtures" / "data"


def test_info_says_what_a_streams_bytes_are_spent_on(run, tmp_path, stream, codec):
    (tmp_path / "x.vae").write_bytes(stream)
    found = json.loads(run("info", "x.vae", "--json").stdout)
    assert found["bytes"] == {"header": 4, "size": 0, "payload": len(stream) - 7, "check": 3}
    assert sum(found["bytes"].values()) == found["file_bytes"] == len(stream)
    assert (found["model"], found["fingerprint"], found["verified"]) == (NAME, codec.fingerprint.hex(), True)
    assert (found["height"], found["width"], found["level"]) == (28, 28, 0)
    assert 0 < found["information_bits"] < 8 * found["bytes"]["payload"] + 1
    assert NAME in run("info", "x.vae").stdout


def test_info_counts_the_size_of_a_smaller_image(run, tmp_path, codec):
    (tmp_path / "x.vae").write_bytes(codec.compress(np.zeros((9, 5), np.uint8)))
    found = json.loads(run("info", "x.vae", "--json").stdout)
    assert (found["height"], found["width"], found["bytes"]["size"]) == (9, 5, 2)
    assert sum(found["bytes"].values()) == found["file_bytes"]


def test_info_describes_a_stream_whose_model_is_missing(run, tmp_path, stream, monkeypatch, tiny):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    (tmp_path / "x.vae").write_bytes(stream)
    found = json.loads(run("info", "x.vae", "--json").stdout)
    assert (found["model"], found["verified"], found["information_bits"]) == (None, False, None)
    assert found["fingerprint"] == stream[2:4].hex()
    assert "not installed" in run("info", "x.vae").stdout
    assert json.loads(run("info", "x.vae", "--json", "--model", tiny).stdout)["verified"]


def test_info_of_a_model_file(run, tiny, codec):
    found = json.loads(run("info", tiny, "--json").stdout)
    assert (found["kind"], found["model"], found["fingerprint"]) == ("model", NAME, codec.fingerprint.hex())
    assert sum(found["bytes"].values()) == found["file_bytes"] == tiny.stat().st_size
    assert min(found["bytes"].values()) > 0
    assert NAME in run("info", tiny).stdout


def test_models_lists_what_is_installed(run, folders, codec):
    found = {model["name"]: model for model in json.loads(run("models", "--json").stdout)}
    assert found[NAME]["fingerprint"] == codec.fingerprint.hex()
    assert found[NAME]["path"] == str(folders / f"{NAME}.vaem")
    assert (found[NAME]["height"], found[NAME]["width"]) == (28, 28)
    assert NAME in run("models").stdout


@pytest.mark.parametrize("name", ["a", "m" * 64])
def test_the_table_of_models_fits_80_columns(run, tiny, folders, name):
    (folders / f"{name}.vaem").write_bytes(pack_model(replace(read_model(tiny), name=name, family="another")))
    lines = run("models").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    listed = json.loads(run("models", "--json").stdout)
    assert sum(model["fingerprint"][:8] in line for model in listed for line in lines) >= len(listed)
    assert [line for line in lines if line.startswith(name)]
    assert "  --model mnist means this one" in lines
    (many,) = [model for model in listed if "mnist" in model["aliases"]]
    assert any(f"{len(many['betas'])}, β {many['betas'][0]:.2g}.." in line for line in lines)


def test_a_stripped_model_decompresses_and_refuses_to_compress(run, tmp_path, tiny, digit, stream, folders):
    assert run("models", "strip", NAME, "decoder.vaem").exit_code == 0
    assert (tmp_path / "decoder.vaem").stat().st_size < tiny.stat().st_size
    assert run("models", "strip", NAME, "decoder.vaem").exit_code == 1  # is there already
    (tmp_path / "x.vae").write_bytes(stream)
    assert run("decompress", "x.vae", "whole.png").exit_code == 0
    (folders / f"{NAME}.vaem").write_bytes((tmp_path / "decoder.vaem").read_bytes())
    assert "decodes only" in run("models").stdout
    assert run("decompress", "x.vae", "again.png").exit_code == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "whole.png").read_bytes()
    refused = run("compress", digit, "y.vae", "--model", NAME)
    assert refused.exit_code == 1
    assert "decoder alone" in refused.stderr


def test_an_added_model_decompresses_without_being_named(run, tmp_path, tiny, stream, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "new" / "models"))
    (tmp_path / "x.vae").write_bytes(stream)
    assert run("decompress", "x.vae").exit_code == 1
    assert run("models", "add", tiny).exit_code == 0
    assert run("decompress", "x.vae").exit_code == 0
    again = run("models", "add", tiny)
    assert (again.exit_code, "installed already" in again.stderr) == (0, True)


def test_another_model_of_that_name_needs_force(run, fails, tmp_path, tiny):
    model = read_model(tiny)
    (tmp_path / "other.vaem").write_bytes(pack_model(replace(model, family="another")))
    assert "--force" in fails("models", "add", "other.vaem")
    assert run("models", "add", "other.vaem", "--force").exit_code == 0
    assert json.loads(run("info", tmp_path / "other.vaem", "--json").stdout)["family"] == "another"


@pytest.mark.parametrize("name", ["../escape", "/abs", ".hidden", "", "a" * 65, "new\nline", "ünïcode"])
def test_a_name_that_leads_elsewhere_is_refused(fails, tmp_path, tiny, folders, name):
    (tmp_path / "bad.vaem").write_bytes(pack_model(replace(read_model(tiny), name=name)))
    assert "model name" in fails("models", "add", "bad.vaem")
    assert [path.name for path in folders.iterdir()] == [f"{NAME}.vaem"]


def test_a_model_that_does_not_give_its_known_answer_is_refused(fails, tmp_path, tiny):
    model = read_model(tiny)
    wrong = replace(model, name="wrong", known_answer=replace(model.known_answer, sha256_all="0" * 64))
    (tmp_path / "bad.vaem").write_bytes(pack_model(wrong))
    assert "known answer" in fails("models", "add", "bad.vaem")


def test_evaluate_measures_real_streams(run, codec):
    result = run("evaluate", "--model", NAME, "--data", "mnist", "--data-dir", FIXTURES, "--limit", 40, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    from vaecodec.data import load_dataset

    images = load_dataset("mnist", "test", data_dir=FIXTURES).images[:40]
    streams = codec.compress_batch(images)
    assert found["images"] == len(images)
    assert found["file_bytes"] == pytest.approx(np.mean([len(s) for s in streams]))
    assert found["payload_bytes"] == pytest.approx(found["file_bytes"] - 7)
    assert found["information_bytes"] < found["payload_bytes"]
    assert found["psnr_db"] < found["mean_image_psnr_db"]
    assert (found["ms_ssim_scales"], found["split"]) == (2, "test")
    text = run("evaluate", "--model", NAME, "--data", "mnist", "--data-dir", FIXTURES, "--limit", 3).stdout
    assert "from the mean MSE" in text
    assert "2 scales" in text


def test_evaluate_takes_a_folder_and_its_options(run, fails, tmp_path, digit):
    (tmp_path / "folder").mkdir()
    rng = np.random.default_rng(0)
    for k in range(30):
        Image.fromarray(rng.integers(0, 255, (20, 20, 3), np.uint8)).save(tmp_path / "folder" / f"{k}.png")
    options = ("evaluate", "--model", NAME, "--data", "folder", "--split", "train")
    assert "--grey" in fails(*options)
    assert run(*options, "--grey", "--resize", "28x28").exit_code == 0
    assert run(*options, "--grey", "--resize", "28").exit_code == 2
    assert "takes at most 28x28" in fails(*options, "--grey", "--resize", "32x32")
    assert "neither a folder nor a data set" in fails("evaluate", "--model", NAME, "--data", "nowhere")


@pytest.mark.parametrize("source", [["a", 1], {"x": "y"}, {"x": 1}, 7, 2.5, True, "\u009b", [["a"]], ""])
def test_info_says_whatever_a_model_file_tells_of_its_training(run, tiny, tmp_path, source):
    model = read_model(tiny)
    path = tmp_path / "a.vaem"
    path.write_bytes(pack_model(replace(model, about={"data": {"source": source}})))
    shown = run("info", path).stdout
    assert "trained on" in shown
    told = json.loads(run("info", path, "--json").stdout)["trained_on"]
    assert told == (source if isinstance(source, str) else json.dumps(source))
