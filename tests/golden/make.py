"""Writes golden files of version 1 that are not there: small models, streams that they made, and damaged files.

python tests/golden/make.py

v1/ holds them (tests only read them):

tiny.vaem                        a real model of 28x28 images, trained for seconds on the MNIST fixtures
levels.vaem                      a real conditioned-vae of 28x28 images with 8 levels, trained likewise
mini.vaem                        a made-up model of 4x6 images: every operation, two levels, a collapsed latent
groups.vaem                      a made-up model of 4x4 images: three groups of symbols, two with conditional priors
exact.vaem                       a made-up lossless part for 28x28 images of 8 bits
bits.vaem                        a made-up lossless part for 12x10 images of 1 bit
joined.vaem                      the levels of tiny.vaem and the lossless part of exact.vaem
streams/MODEL-WHAT.bin, .npz     a stream, and the symbols and pixels that it decodes to for ever
bad/<ErrorName>-<what>.bin       a damaged stream of tiny.vaem: what it must raise; where <what> begins with "exact-" of
                                 exact.vaem, with "bits-" of bits.vaem; with "model-" a damaged mini.vaem, with
                                 "model-exact-" a damaged model with a lossless part, with "model-groups-" a damaged
                                 groups.vaem, with "model-weights-" mini.vaem with packed weights, with
                                 "use-" a sound one that fails when it is used

Goldens say that files written once can be read for ever, and so they are frozen: what is there is compared with what
this would write, and other bytes are an error (frozen.py). New damage gets a new file; a new version of the format gets
a folder beside this one. docs/format.md says what a version may change. The trained models tiny and levels are not made
again, since training is not bit-equal across machines: CONFIG and LEVELS_CONFIG say what they were made with.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
V1 = HERE / "v1"

from damage import damaged_models, damaged_streams  # noqa: E402
from damage_exact import damaged_exact_models, damaged_exact_streams  # noqa: E402
from damage_groups import damaged_groups  # noqa: E402
from damage_weights import damaged_weights  # noqa: E402
from exact_models import bits_streams, exact_model, exact_streams  # noqa: E402
from frozen import write, write_arrays  # noqa: E402
from groups import groups_model, groups_streams  # noqa: E402
from mini import mini_model  # noqa: E402

from vaecodec.bitstream.stream import is_exact, pack  # noqa: E402
from vaecodec.codec.codec import Codec  # noqa: E402
from vaecodec.data import load_dataset  # noqa: E402
from vaecodec.entropy.coder import encode_symbols  # noqa: E402
from vaecodec.modelfile.derived import join_models  # noqa: E402
from vaecodec.modelfile.model import pack_model, read_model  # noqa: E402

FIXTURES = HERE.parent / "fixtures" / "data"
CONFIG = {
    "name": "golden-tiny-1",
    "data": "mnist",
    "model": {"height": 28, "width": 28, "latents": 8, "channels": [8, 16], "hidden": 14},
    "objective": {"beta": 2.0, "likelihood": "gaussian", "pixel_sigma": 0.1, "rate": "gaussian-kl"},
    "optimiser": {
        "steps": 2500,
        "batch_size": 32,
        "learning_rate": 4e-3,
        "warmup_steps": 100,
        "shift_pixels": 1,
        "validate_every": 2500,
        "checkpoint_every": 2500,
    },
    "finish": {"step_multipliers": [2.5], "synthesis_steps": 400},
}


LEVELS_CONFIG = {
    "name": "golden-levels-1",
    "family": "conditioned-vae",
    "data": "mnist",
    "model": {
        "height": 28,
        "width": 28,
        "latents": 24,
        "units": 28,
        "hidden": 28,
        "blocks": 1,
        "encoder_units": 28,
        "encoder_blocks": 1,
        "levels": 8,
        "knots": 3,
        "beta_high": 16.0,
        "beta_low": 0.25,
    },
    "objective": {"likelihood": "gaussian", "pixel_sigma": 0.1, "rate": "uniform-noise"},
    "optimiser": {
        "steps": 4000,
        "batch_size": 64,
        "learning_rate": 4e-3,
        "warmup_steps": 100,
        "shift_pixels": 1,
        "validate_every": 4000,
        "checkpoint_every": 4000,
    },
    "finish": {"synthesis_steps": 400},
}


def train_small_model(settings: dict[str, Any], target: Path) -> None:
    """Half a minute on one core."""
    from vaecodec.families import training_config
    from vaecodec.recipes.config import Hardware
    from vaecodec.training.run import run

    config = training_config(settings)
    training, validation = (load_dataset("mnist", split, data_dir=FIXTURES) for split in ("train", "validation"))
    with tempfile.TemporaryDirectory() as folder:
        hardware = Hardware(device="cpu")
        made = run(config, Path(folder), training, validation, hardware=hardware, show_progress=False)
        target.write_bytes(made.read_bytes())


def tiny_streams(codec: Codec) -> dict[str, bytes]:
    """Digits, extremes of the image, smaller images, and symbols that only the escape can code."""
    digits = load_dataset("mnist", "test", data_dir=FIXTURES).images
    images = {f"digit-{k}": digits[k] for k in range(6)}
    images["black"] = np.zeros((28, 28), np.uint8)
    images["white"] = np.full((28, 28), 255, np.uint8)
    images["chequered"] = ((np.indices((28, 28)).sum(axis=0) % 2) * 255).astype(np.uint8)
    images["20x28"] = digits[6, :20]
    images["1x1"] = digits[7, 14:15, 14:15]
    streams = {name: codec.compress(image) for name, image in images.items()}
    escaped = np.zeros(codec.model.latents, np.int32)
    escaped[:4] = -(2**31), 2**31 - 1, -1000, 1000
    for name, symbols in (("zeros", np.zeros_like(escaped)), ("escaped", escaped)):
        streams[name] = pack(0, codec.fingerprint, None, codec.lossy.encode_payload(symbols))
    return streams


def mini_streams(codec: Codec) -> dict[str, bytes]:
    """Both levels of the model with a collapsed latent."""
    rows = np.array([[0, 7, 0], [-3, 7, 2], [900, 7, -40]], np.int32)
    streams = {}
    for level, chosen in enumerate(codec.model.levels):
        for k, symbols in enumerate(chosen.tables.fill_collapsed(rows)):
            payload = encode_symbols(symbols, chosen.tables)
            streams[f"level-{level}-{k}"] = pack(level, codec.fingerprint, None if k else (3, 6), payload)
    return streams


def write_streams(codec: Codec, prefix: str, streams: dict[str, bytes]) -> None:
    """Each stream with what it decodes to."""
    for name, data in streams.items():
        write(V1 / "streams" / f"{prefix}-{name}.bin", data)
        stored = {"pixels": codec.decompress(data)}
        if not is_exact(data):
            stored = {"symbols": codec.lossy.parse(data)[1], **stored}
        write_arrays(V1 / "streams" / f"{prefix}-{name}.npz", stored)


def write_exact_files() -> None:
    """Models with a lossless part, their streams, and damaged ones."""
    digits = load_dataset("mnist", "test", data_dir=FIXTURES).images
    exact, bits = exact_model("golden-exact-1", 28, 28, 8), exact_model("golden-bits-1", 12, 10, 1)
    models = {
        "exact": exact,
        "bits": bits,
        "joined": join_models(read_model(V1 / "tiny.vaem"), exact, "golden-joined-1"),
    }
    for name, model in models.items():
        write(V1 / f"{name}.vaem", pack_model(model))
    write_streams(Codec(exact), "exact", exact_streams(Codec(exact), digits))
    write_streams(Codec(bits), "bits", bits_streams(Codec(bits)))
    joined = Codec(models["joined"])
    chosen = {"lossy": joined.compress(digits[0]), "lossless": joined.compress(digits[0], quality=100)}
    write_streams(joined, "joined", chosen)
    damaged = damaged_exact_streams(Codec(exact), Codec(bits), digits[0])
    damaged |= damaged_exact_models(pack_model(exact_model("golden-exact-small", 4, 4, 8)))
    for name, data in damaged.items():
        write(V1 / "bad" / f"{name}.bin", data)


def write_groups_files() -> None:
    """The model with conditional priors, its streams, and damaged ones."""
    data = pack_model(groups_model())
    write(V1 / "groups.vaem", data)
    codec = Codec(read_model(V1 / "groups.vaem"))
    write_streams(codec, "groups", groups_streams(codec))
    for name, damaged in damaged_groups(data).items():
        write(V1 / "bad" / f"{name}.bin", damaged)


def main() -> None:
    tiny_path, mini_path, levels_path = (V1 / f"{name}.vaem" for name in ("tiny", "mini", "levels"))
    for path, settings in ((tiny_path, CONFIG), (levels_path, LEVELS_CONFIG)):
        if not path.exists():
            train_small_model(settings, path)
    write(mini_path, pack_model(mini_model()))
    tiny, mini, levels = (Codec(read_model(path)) for path in (tiny_path, mini_path, levels_path))
    write_streams(tiny, "tiny", tiny_streams(tiny))
    write_streams(mini, "mini", mini_streams(mini))
    digit = load_dataset("mnist", "test", data_dir=FIXTURES).images[0]
    every_level = {f"level-{k}": levels.compress(digit, level=k) for k in range(len(levels.model.levels))}
    write_streams(levels, "levels", every_level)
    good = (V1 / "streams" / "tiny-digit-0.bin").read_bytes()
    damaged = {
        **damaged_streams(good, tiny),
        **damaged_models(mini_path.read_bytes()),
        **damaged_weights(mini_path.read_bytes()),
    }
    for name, data in damaged.items():
        write(V1 / "bad" / f"{name}.bin", data)
    write_exact_files()
    write_groups_files()


if __name__ == "__main__":
    main()
