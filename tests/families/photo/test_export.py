"""The command that makes a model file of weights."""

import numpy as np
import pytest
from PIL import Image

from tests.families.photo.tiny import TINY, smooth_pictures, tiny_model
from vaecodec.errors import CheckpointError
from vaecodec.families.photo import export
from vaecodec.families.photo.weights import save_weights
from vaecodec.photo.coder import decode_picture, encode_picture
from vaecodec.photo.model import open_photo_model

pytest.importorskip("compressai")


def test_weights_and_photographs_become_a_model_file(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "PRIOR_STEPS", 3)
    weights = save_weights(tmp_path, "weights", TINY, tiny_model().state_dict())
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for number, pixels in enumerate(smooth_pictures(2, 264)):
        Image.fromarray(pixels).save(photographs / f"{number}.png")
    out = tmp_path / "small.vaem"
    values = [*map(str, weights), "--calibrate", str(photographs), "--out", str(out), "--levels", "5"]
    export.export(export.arguments(values))
    model = open_photo_model(out)
    assert (model.name, len(model.betas), model.default_level) == ("small", 5, 2)
    assert list(model.betas) == sorted(model.betas, reverse=True)
    pixels = smooth_pictures(1, 64, seed=3)[0]
    encoded = encode_picture(model, pixels, 4)
    assert np.array_equal(decode_picture(model, encoded.payloads, 4, (64, 64)), encoded.pixels)


def test_what_is_no_weights_is_refused(tmp_path):
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"no")
    values = [str(wrong), "--calibrate", str(tmp_path), "--out", str(tmp_path / "small.vaem")]
    with pytest.raises(CheckpointError):
        export.export(export.arguments(values))


def test_extremes_are_as_large_as_the_crops():
    made = export.extremes(100)
    assert made.shape == (7, 100, 100, 3)
    assert {0, 255} <= set(np.unique(made[1:]))
