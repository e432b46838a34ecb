"""A model stripped to its decoder: the same fingerprint and the same images, and no compressing."""

from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec.codec import Codec
from vaecodec.errors import ModelError
from vaecodec.modelfile.derived import strip_analysis
from vaecodec.modelfile.model import pack_model, read_model, unpack_model
from vaecodec.modelfile.summary import read_summary

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MODELS = ("tiny", "levels", "exact", "joined")


def stripped(name: str) -> bytes:
    return pack_model(strip_analysis(read_model(GOLDEN / f"{name}.vaem")))


@pytest.mark.parametrize("name", MODELS)
def test_nothing_but_the_graphs_goes(name: str, tmp_path: Path) -> None:
    whole, data = GOLDEN / f"{name}.vaem", stripped(name)
    assert len(data) < whole.stat().st_size
    (tmp_path / "decoder.vaem").write_bytes(data)
    before, after = read_summary(whole), read_summary(tmp_path / "decoder.vaem")
    assert after.fingerprint == unpack_model(data).fingerprint == before.fingerprint
    assert (before.has_analysis, after.has_analysis) == (True, False)
    assert (after.name, after.about, after.betas) == (before.name, before.about, before.betas)
    assert pack_model(strip_analysis(unpack_model(data))) == data


@pytest.mark.parametrize("name", MODELS)
def test_files_of_the_whole_model_decode_to_the_same_images(name: str) -> None:
    whole = read_model(GOLDEN / f"{name}.vaem")
    image = np.random.default_rng(3).integers(0, 256, (whole.height, whole.width), dtype=np.uint8)
    codec, decoder = Codec(whole), Codec(unpack_model(stripped(name)))
    for lossless in [False] * bool(whole.levels) + [True] * whole.has_lossless:
        data = codec.compress(image, lossless=lossless)
        np.testing.assert_array_equal(decoder.decompress(data), codec.decompress(data))
        with pytest.raises(ModelError, match="decoder alone"):
            decoder.compress(image, lossless=lossless)
