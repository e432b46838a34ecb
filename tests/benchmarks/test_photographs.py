"""The benchmark of photographs goes on where it was, and measures nothing twice."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bjontegaard")

from benchmarks import photographs
from benchmarks.measuring.photo_codecs import OURS, WEBP, pillow_codec
from tests.photo.tiny import smooth_picture, tiny_photo_model

QUALITIES = (0, 20, 40, 60, 80)


@pytest.fixture
def crops(tmp_path, monkeypatch):
    """A validation pack of two smooth pictures, and two anchors of five settings."""
    files = []
    for seed in (1, 2):
        path = tmp_path / "crop.png"
        Image.fromarray(smooth_picture(256, 256, seed)).save(path)
        files.append(np.fromfile(path, np.uint8))
    (tmp_path / "photos").mkdir()
    offsets = np.cumsum([0, *map(len, files)])
    np.savez(tmp_path / "photos" / "photos-b.npz", blob=np.concatenate(files), offsets=offsets)
    monkeypatch.setenv("VAECODEC_DATA", str(tmp_path))
    monkeypatch.setattr(photographs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(photographs, "anchors", lambda: iter([*of(WEBP, "WEBP"), *of("JPEG", "JPEG")]))
    return tmp_path


def of(name, image_format):
    return [pillow_codec(name, image_format, quality) for quality in QUALITIES]


def run(folder, *arguments):
    photographs.main(["--validation", "--out", str(folder), *arguments])
    return json.loads((folder / "photographs-validation.json").read_text(encoding="utf-8"))


def test_anchors_are_measured_once_and_ours_joins_them(crops, capsys):
    first = run(crops)
    assert list(first["curves"]) == [WEBP, "JPEG"]
    assert (first["model"], first["bars"]) == (None, None)
    assert [point["photographs"] for point in first["curves"][WEBP]] == [2] * len(QUALITIES)
    capsys.readouterr()
    (crops / "tiny.vaem").write_bytes(tiny_photo_model().to_bytes())
    both = run(crops, "--model", str(crops / "tiny.vaem"), "--levels", "3")
    said = capsys.readouterr().err
    assert OURS in said
    assert WEBP not in said
    assert {name: both["curves"][name] for name in first["curves"]} == first["curves"]
    assert [point["setting"] for point in both["curves"][OURS]] == ["level 0", "level 2", "level 3"]
    assert both["model"]["name"] == "tiny-photo"
    assert set(both["of_ours"]) == {WEBP, "JPEG"}
    assert run(crops)["curves"] == both["curves"]


def test_a_run_that_was_cut_short_goes_on_and_force_begins_again(crops, monkeypatch):
    whole = run(crops)
    (crops / "photographs-validation.json").unlink()
    point = next((crops / "cache").rglob("*q40.json"))
    kept = json.loads(point.read_text(encoding="utf-8"))
    kept["photographs"][0]["file_bytes"] += 1000
    point.write_text(json.dumps(kept), encoding="utf-8")
    assert run(crops)["curves"] != whole["curves"]
    assert run(crops, "--force")["curves"] == whole["curves"]


def test_a_curve_of_other_settings_is_measured_again(crops, monkeypatch):
    run(crops)
    fewer = [*of(WEBP, "WEBP"), *of("JPEG", "JPEG")[1:]]
    monkeypatch.setattr(photographs, "anchors", lambda: iter(fewer))
    assert len(run(crops)["curves"]["JPEG"]) == len(QUALITIES) - 1


@pytest.mark.parametrize(("count", "most"), [(64, 12), (12, 12), (4, 12), (100, 10)])
def test_levels_are_evenly_spread_with_both_ends(count, most):
    levels = photographs.evenly_spread(count, most)
    assert (levels[0], levels[-1], len(levels)) == (0, count - 1, min(count, most))
    assert max(np.diff(levels)) - min(np.diff(levels)) <= 1
