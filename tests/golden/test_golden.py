"""Files written once: they decode to the stored symbols and pixels for ever, and damaged ones raise what they say."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec import errors
from vaecodec.bitstream.stream import pack
from vaecodec.runtime.codec import Codec
from vaecodec.runtime.model_file import pack_model, read_model, unpack_model

HERE = Path(__file__).parent
STREAMS = sorted((HERE / "streams").glob("*.bin"))
BAD = sorted((HERE / "bad").glob("*.bin"))
FINGERPRINTS = {
    "mini": "b9dfadbca62f090588c3168137bfbdc71e397e49e3433fa268eacf5c718c288b",
    "tiny": "fdbe6ca58b4f936ef2e1de8d3a8f4de0133626522d3ca59330b3af6cf998511c",
}


@cache
def codec(name: str) -> Codec:
    return vaecodec.load(HERE / f"{name}.vaem")


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", STREAMS, ids=stem)
def test_a_golden_stream_decodes_to_the_stored_symbols_and_pixels(path: Path) -> None:
    model = codec(path.stem.split("-")[0])
    stored = np.load(path.with_suffix(".npz"))
    _, symbols = model.parse(path.read_bytes())
    assert symbols.dtype == np.int32
    np.testing.assert_array_equal(symbols, stored["symbols"])
    np.testing.assert_array_equal(model.decompress(path.read_bytes()), stored["pixels"])


@pytest.mark.parametrize("path", STREAMS, ids=stem)
def test_stored_symbols_encode_to_the_golden_streams_bytes(path: Path) -> None:
    model = codec(path.stem.split("-")[0])
    stream, _ = model.parse(path.read_bytes())
    payload = model.encode_payload(np.load(path.with_suffix(".npz"))["symbols"], stream.coding)
    assert pack(stream.coding, model.fingerprint, stream.size, payload) == path.read_bytes()


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_golden_models_fingerprint_is_what_it_was(name: str) -> None:
    assert codec(name).fingerprint.hex() == FINGERPRINTS[name]


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_golden_model_packs_to_its_own_bytes(name: str) -> None:
    data = (HERE / f"{name}.vaem").read_bytes()
    assert pack_model(unpack_model(data)) == data


def test_golden_streams_in_one_batch_are_the_same_pixels() -> None:
    paths = [path for path in STREAMS if path.stem.startswith("mini")]
    images = codec("mini").decompress_batch([path.read_bytes() for path in paths])
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(image, np.load(path.with_suffix(".npz"))["pixels"])


def use(path: Path) -> None:
    data = path.read_bytes()
    if "-model-" in path.stem:
        unpack_model(data)
    elif "-use-" in path.stem:
        model = Codec(unpack_model(data))
        model.synthesise(np.zeros((1, model.model.latents), np.int32))
    else:
        codec("tiny").decompress(data)


@pytest.mark.parametrize("path", BAD, ids=stem)
def test_a_damaged_file_raises_the_error_that_its_name_says(path: Path) -> None:
    with pytest.raises(errors.VaecodecError) as caught:
        use(path)
    assert type(caught.value).__name__ == path.stem.split("-")[0]
    message = str(caught.value)
    assert message
    assert "\n" not in message


@pytest.mark.parametrize("path", [p for p in BAD if "-use-" in p.stem], ids=stem)
def test_a_model_that_fails_in_use_is_sound_as_a_file(path: Path) -> None:
    assert read_model(path).name == "golden-mini-1"


def test_there_is_damage_for_every_kind_of_format_error() -> None:
    kinds = {kind.__name__ for kind in errors.FormatError.__subclasses__()}
    kinds |= {"ModelMismatch", "KnownAnswerMismatch", "NotExact"}
    assert kinds <= {path.stem.split("-")[0] for path in BAD}
