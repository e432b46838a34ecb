"""A folder of results is read whole, says what is missing, and refuses what is no result in one line."""

import json
from pathlib import Path

import pytest

from tests.evaluation.results.rows import model, run, write
from vaecodec.errors import BadDataset, DatasetMissing
from vaecodec.evaluation.results.stored import read_results

COMMITTED = Path(__file__).parents[3] / "benchmarks" / "results"


def test_runs_models_and_prices_come_back(tmp_path):
    price = {"name": "vae-dsprites", "images": 30, "alone_bytes": 4.0, "joint_bytes": 3.25}
    write(tmp_path, [run("vae", 1.0, loss=70.0), run("vae", 1.0, seed=1)], [model("vae", 0.3)], [price])
    (tmp_path / "families" / "vae-mnist-vae-seed-0.vaem").write_bytes(b"")
    found = read_results(tmp_path)
    assert [(one.family, one.seed, one.reconstruction_nats) for one in found.of("mnist")] == [
        ("vae", 0, 70),
        ("vae", 1, 80),
    ]
    (coded,) = found.coded("dsprites")
    assert coded.value("mig", "MIG").value == 0.3
    assert coded.value("dci-es", "DCI-ES E") is None
    assert coded.verdicts["mig"] == {"MIG": "above"}
    assert [one.saved_bytes for one in found.prices] == [0.75]
    assert [one.name for one in found.kept("mnist")] == ["vae-mnist-vae-seed-0"]
    assert any(line.startswith("vae-mnist-vae-seed-0: its latents are not measured") for line in found.missing)


def test_a_model_without_a_price_is_missing_one(tmp_path):
    found = read_results(write(tmp_path, models=[model("vae", 0.3)]))
    assert [line.split(":")[0] for line in found.missing] == ["vae-dsprites"]
    assert "joint_price" in found.missing[0]


def test_an_empty_folder_is_no_folder_of_results(tmp_path):
    with pytest.raises(DatasetMissing, match="no results"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}', '{"files": 3}'])
def test_a_damaged_row_is_named(tmp_path, text):
    write(tmp_path)
    (tmp_path / "families" / "odd.json").write_text(text)
    with pytest.raises(BadDataset, match=r"odd\.json"):
        read_results(tmp_path)


def test_the_committed_results_are_read_to_the_last_number():
    found = read_results(COMMITTED)
    assert len(found.runs) == len(list((COMMITTED / "families").glob("*.json")))
    row = json.loads((COMMITTED / "families" / "vae-dsprites.json").read_text(encoding="utf-8"))
    (one,) = (one for one in found.runs if one.name == "vae-dsprites")
    assert (one.psnr_db, one.kl_nats) == (row["files"]["point"]["psnr_db"], row["float"]["kl_nats"])
    assert one.curves[-1].validation_distortion_nats == row["curves"][-1]["validation_distortion_nats"]
