"""An nvae trains, is exported with its conditional priors, and its files come back: small, real, end to end."""

import dataclasses
import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.measuring.torch_evaluator import evaluate_in_torch, synthesise_in_torch
from tests.families.small import NVAE
from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.groups import GroupCoder
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import BadField, FormatError, KnownAnswerMismatch, ModelError
from vaecodec.families import training_config
from vaecodec.modelfile.model import Model, pack_model, read_model, unpack_model
from vaecodec.recipes.config import Hardware
from vaecodec.training.checkpoint import load_checkpoint
from vaecodec.training.run import export, run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one
DATA = Path(__file__).parents[2] / "fixtures" / "data"
SETS = [load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation", "test")]
IMAGES = SETS[2].images[:100]
CONFIG: dict[str, Any] = {
    "name": "small-nvae",
    "family": "nvae",
    "data": "mnist",
    "model": {**NVAE, "groups": [3, 3]},
    "objective": {"likelihood": "gaussian", "pixel_sigma": 0.02, "warmup_steps": 10},
    "optimiser": {"steps": 60, "batch_size": 32, "learning_rate": 3e-3, "warmup_steps": 5},
    "finish": {"synthesis_steps": 5, "prior_steps": 60},
}
THREADS = """
import sys
import numpy as np
from vaecodec.codec.groups import GroupCoder
from vaecodec.modelfile.model import read_model
payloads = [bytes.fromhex(line) for line in sys.stdin.read().split("\\n") if line]
np.save(sys.argv[2], GroupCoder(read_model(sys.argv[1])).decode(payloads))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small nvae."""
    made = tmp_path_factory.mktemp("nvae")
    config = training_config(CONFIG)
    run(config, made, SETS[0], SETS[1], hardware=Hardware(device="cpu"), show_progress=False)
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return read_model(folder / "small-nvae.vaem")


@pytest.fixture(scope="module")
def codec(model: Model) -> Codec:
    return Codec(model)


@pytest.fixture(scope="module")
def symbols(codec: Codec) -> np.ndarray:
    return codec.lossy.analyse(IMAGES)


def test_its_files_round_trip_and_cost_what_their_symbols_carry(codec: Codec, symbols: np.ndarray) -> None:
    streams = codec.compress_batch(IMAGES)
    for data, row in zip(streams, symbols, strict=True):
        np.testing.assert_array_equal(codec.lossy.parse(data)[1], row)
    np.testing.assert_array_equal(codec.decompress_batch(streams), codec.lossy.synthesise(symbols))
    payload_bits = float(np.mean([8 * len(unpack(data).payload) for data in streams]))
    information_bits = float(codec.lossy.information_bits(symbols).mean())
    assert information_bits > 20  # it says something
    assert payload_bits <= 1.02 * information_bits + 4
    assert [codec.compress(image) for image in IMAGES[:3]] == streams[:3]
    np.testing.assert_array_equal(codec.decompress(streams[0]), codec.lossy.synthesise(symbols[:1])[0])


def test_the_record_has_the_bits_of_every_group(codec: Codec) -> None:
    found = codec.model.about["finish"]
    for bits in found["validation_bits"].values():
        assert len(bits) == 6
        assert np.isfinite(bits).all()
    assert found["coded_latents"] > 0
    assert codec.model.about["config"]["objective"]["scale_betas"] == []


def test_symbols_far_from_their_means_escape_and_come_back(codec: Codec, symbols: np.ndarray) -> None:
    coded = codec.model.levels[0].tables.coded
    far = symbols[:4].copy()
    far[:, coded] += np.array([[70], [-90], [1000], [-123456]], np.int32)
    assert codec.lossy.groups is not None
    np.testing.assert_array_equal(codec.lossy.groups.decode(codec.lossy.groups.encode(far)), far)
    payloads = codec.lossy.groups.encode(far)
    spent = codec.lossy.information_bits(far)
    assert all(8 * len(data) < 1.02 * bits + 8 for data, bits in zip(payloads, spent, strict=True))


@pytest.mark.parametrize("batch", [1, 16, 64])
def test_torch_decodes_the_same_symbols_and_pixels(codec: Codec, symbols: np.ndarray, batch: int) -> None:
    payloads = [codec.lossy.encode_payload(row) for row in symbols[:64]]
    engine = functools.partial(evaluate_in_torch, batch=batch)
    coder = GroupCoder(codec.model, engine)
    found = np.concatenate([coder.decode(payloads[k : k + batch]) for k in range(0, 64, batch)])
    np.testing.assert_array_equal(found, symbols[:64])
    in_torch = synthesise_in_torch(codec.model.synthesis, found, batch=batch)
    np.testing.assert_array_equal(in_torch, codec.lossy.synthesise(symbols[:64]))


@pytest.mark.parametrize("threads", [1, 2])
def test_numpy_decodes_the_same_symbols_with_any_number_of_threads(
    folder: Path, codec: Codec, symbols: np.ndarray, threads: int, tmp_path: Path
) -> None:
    payloads = "\n".join(codec.lossy.encode_payload(row).hex() for row in symbols[:64])
    variables = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, "-c", THREADS, str(folder / "small-nvae.vaem"), str(tmp_path / "found.npy")]
    subprocess.run(command, input=payloads, text=True, check=True, env={**os.environ, **variables})
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), symbols[:64])


@pytest.mark.parametrize("batch", [1, 16, 64])
def test_numpy_decodes_the_same_symbols_at_every_batch_size(codec: Codec, symbols: np.ndarray, batch: int) -> None:
    payloads = [codec.lossy.encode_payload(row) for row in symbols[:64]]
    assert codec.lossy.groups is not None
    found = np.concatenate([codec.lossy.groups.decode(payloads[k : k + batch]) for k in range(0, 64, batch)])
    np.testing.assert_array_equal(found, symbols[:64])


def test_archives_hold_its_images(codec: Codec, tmp_path: Path) -> None:
    path, expected = tmp_path / "some.vaea", codec.lossy.synthesise(codec.lossy.analyse(IMAGES[:20]))
    with ArchiveWriter.create(path, codec, block_images=8) as writer:
        writer.add_batch(IMAGES[:20])
    with Archive(path, model=codec) as archive:
        np.testing.assert_array_equal(np.stack(list(archive)), expected)


def test_the_model_file_comes_back_byte_for_byte(model: Model) -> None:
    data = pack_model(model)
    again = unpack_model(data)
    assert pack_model(again) == data
    assert again.fingerprint == model.fingerprint
    assert again.priors is not None
    assert model.priors is not None
    assert again.priors.sizes == model.priors.sizes == (4, 4, 4, 49, 49, 49)


def test_the_exact_synthesis_is_the_trained_one(folder: Path, model: Model) -> None:
    """Exporting again from the checkpoint gives the same networks: fitting is seeded, rounding exact."""
    again = export(folder, SETS[0], SETS[1])
    assert again.fingerprint == model.fingerprint
    assert any(name.startswith("norms.") for name in load_checkpoint(folder).model)


def test_a_prior_with_another_known_answer_is_refused_at_the_first_use(model: Model, symbols: np.ndarray) -> None:
    assert model.priors is not None
    other = dataclasses.replace(model.priors.known_answer, sha256_one="0" * 64, sha256_all="0" * 64)
    wrong = dataclasses.replace(model, priors=dataclasses.replace(model.priors, known_answer=other))
    with pytest.raises(KnownAnswerMismatch):
        GroupCoder(wrong).encode(symbols[:1])
    with pytest.raises(KnownAnswerMismatch):
        GroupCoder(wrong).encode(symbols[:2])


def test_another_payload_of_the_same_symbols_is_refused(codec: Codec, symbols: np.ndarray) -> None:
    payload = codec.lossy.encode_payload(symbols[0])
    for wrong in (payload + b"\0", payload[:-1] + bytes([payload[-1] ^ 1])):
        try:
            found = codec.lossy.decode_payload(wrong)
        except FormatError:
            continue
        assert not np.array_equal(found, symbols[0])
        assert codec.lossy.encode_payload(found) == wrong


def test_priors_that_do_not_fit_are_refused(model: Model) -> None:
    priors = model.priors
    assert priors is not None
    changes: list[dict[str, Any]] = [
        {"sizes": priors.sizes[:-1]},
        {"sizes": (5, *priors.sizes[1:])},
        {"sizes": (*priors.sizes[:-1], 48)},
        {"networks": priors.networks[:-1]},
        {"networks": priors.networks[::-1]},
    ]
    for change in changes:
        with pytest.raises(BadField):
            dataclasses.replace(priors, **change)
    two_levels = dataclasses.replace(model, levels=model.levels * 2)
    with pytest.raises(BadField):
        unpack_model(pack_model(two_levels))


def test_effort_is_refused_because_moving_a_symbol_changes_what_later_ones_cost(codec: Codec) -> None:
    with pytest.raises(ModelError):
        codec.compress_batch(IMAGES[:1], target=Target(level=0, effort=1))
