"""A model over a set of images, by real files: written into a folder, sized on the disk, read back, decoded from there.

images (n, h, w) --compress at a level--> n files --stat--> bytes --read--> decompress --> RatePoint

A model that takes β as an input has a level for each point of its curve; other models have one.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.checks import BetaPoint, amortised_bytes
from benchmarks.measuring.images import Images
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Setting
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse
from vaecodec.evaluation.rd import RatePoint, measure_point
from vaecodec.exact.network import evaluate
from vaecodec.families import training_config
from vaecodec.modelfile.model import Model
from vaecodec.recipes.objective_config import ObjectiveConfig

CHUNK = 256  # images at once: bounds the memory of the feature maps


@dataclass(frozen=True, slots=True)
class Files:
    """What came back from the disk: sizes of the files, and their bytes."""

    sizes: list[int]
    streams: list[bytes]


@dataclass(frozen=True, slots=True)
class ModelPoint:
    """A model at one level on a test set. distortion_nats: of its own objective, on the logits that the file gives.

    rate_nats, train_seconds: from the run's metrics, the validation set's at the last step; None where there are none.
    """

    name: str
    level: int
    beta: float
    objective: ObjectiveConfig
    point: RatePoint
    coded_latents: int
    distortion_nats: float
    rate_nats: float | None
    train_seconds: float | None
    model_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "level": self.level,
            "beta": self.beta,
            "likelihood": self.objective.likelihood,
            "pixel_sigma": self.objective.pixel_sigma if self.objective.likelihood == "gaussian" else None,
            "rate": self.objective.rate,
            "point": self.point.to_dict(),
            "coded_latents": self.coded_latents,
            "distortion_nats": self.distortion_nats,
            "validation_rate_nats_in_training": self.rate_nats,
            "train_seconds": self.train_seconds,
            "model_bytes": self.model_bytes,
            "bytes_with_model_over": amortised_bytes(self.point.file_bytes, self.model_bytes),
        }

    def for_check(self) -> BetaPoint:
        """What the check of neighbouring β looks at."""
        return BetaPoint(self.beta, self.point.file_bytes, self.distortion_nats, self.point.mse, self.coded_latents)


@dataclass(frozen=True, slots=True)
class LevelPoint:
    """One point of a curve: a level of a model, its encoder at one effort."""

    level: int
    beta: float
    effort: int
    coded_latents: int
    point: RatePoint

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return {
            "level": self.level,
            "beta": self.beta,
            "effort": self.effort,
            "coded_latents": self.coded_latents,
            "point": self.point.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LevelPoint":
        """The inverse of `to_dict`."""
        return cls(**{**values, "point": RatePoint.from_dict(values["point"])})


@dataclass(frozen=True, slots=True)
class SetPoint:
    """A level on some images: mean bytes of the streams and of their information, PSNR from the mean MSE."""

    images: int
    file_bytes: float
    information_bytes: float
    psnr_db: float


def through_files(streams: Sequence[bytes]) -> Files:
    """Write each stream into a file of a temporary folder, and read sizes and bytes back from the disk."""
    with tempfile.TemporaryDirectory(prefix="vaecodec-bench-") as folder:
        paths = [Path(folder) / f"{k:06}.vae" for k in range(len(streams))]
        for path, stream in zip(paths, streams, strict=True):
            path.write_bytes(stream)
        return Files([path.stat().st_size for path in paths], [path.read_bytes() for path in paths])


def lossy_streams(codec: Codec, images: Images, level: int, effort: int = 0) -> list[bytes]:
    """Streams of the level for images uint8 (n, h, w), also where the model would code some exactly in fewer bytes."""
    return codec.lossy.compress(codec.frame.fit_all(images), [Setting(level, effort)] * len(images))


def measure_codec(codec: Codec, images: Images, level: int, *, effort: int = 0) -> tuple[RatePoint, NDArray[np.int32]]:
    """The point of a level over images uint8 (n, h, w), and the symbols int32 (n, latents) that its files hold."""
    files = through_files(lossy_streams(codec, images, level, effort))
    decoded = np.stack(codec.decompress_batch(files.streams))
    symbols = np.stack([codec.lossy.parse(stream)[1] for stream in files.streams])
    point = measure_point(
        codec.model.family,
        setting_of(codec.model, level, effort),
        images,
        decoded,
        file_sizes=files.sizes,
        payload_sizes=[len(unpack(stream).payload) for stream in files.streams],
        information_bits=list(codec.lossy.information_bits(symbols, level)),
    )
    return point, symbols


def setting_of(model: Model, level: int, effort: int = 0) -> str:
    """What a point is called: its β, the level where there are several, and the effort where there is any."""
    beta = f"beta {model.levels[level].beta:.4g}" + (f", effort {effort}" if effort else "")
    return f"level {level}, {beta}" if len(model.levels) > 1 else beta


def measure_level(codec: Codec, images: Images, level: int, effort: int) -> LevelPoint:
    """A level over images uint8 (n, h, w), as a point of the model's curve."""
    point, _ = measure_codec(codec, images, level, effort=effort)
    chosen = codec.model.levels[level]
    return LevelPoint(level, chosen.beta, effort, int(chosen.tables.coded.sum()), point)


def levels_to_measure(model: Model, every: int) -> list[int]:
    """Every so many levels, the coarsest and the finest among them."""
    last = len(model.levels) - 1
    return sorted({*range(0, last, every), last})


def measure_model(
    codec: Codec, path: Path, images: Images, metrics: dict[str, Any] | None, *, level: int | None = None
) -> ModelPoint:
    """Everything that is said of one level of a model file, the default one where none is given.

    metrics: the last line of its run's metrics.
    """
    number = codec.model.default_level if level is None else level
    chosen = codec.model.levels[number]
    objective = objective_of(codec)
    point, symbols = measure_codec(codec, images, number)
    return ModelPoint(
        name=codec.model.name,
        level=number,
        beta=chosen.beta,
        objective=objective,
        point=point,
        coded_latents=int(chosen.tables.coded.sum()),
        distortion_nats=distortion_nats(codec, symbols, images, objective, level=number),
        rate_nats=None if metrics is None else metrics["validation_rate_nats"],
        train_seconds=None if metrics is None else metrics["elapsed_s"],
        model_bytes=path.stat().st_size,
    )


def measure_curve(
    codec: Codec, path: Path, images: Images, metrics: dict[str, Any] | None, *, every: int = 1
) -> Iterator[ModelPoint]:
    """A model file at every so many of its levels, from the coarsest on."""
    for level in levels_to_measure(codec.model, every):
        yield measure_model(codec, path, images, metrics, level=level)


def measure_set(codec: Codec, images: Images, level: int) -> SetPoint:
    """The point of a level over images uint8 (n, h, w), in memory."""
    streams = lossy_streams(codec, images, level)
    symbols = np.stack([codec.lossy.parse(stream)[1] for stream in streams])
    return SetPoint(
        images=len(images),
        file_bytes=float(np.mean([len(stream) for stream in streams])),
        information_bytes=float(codec.lossy.information_bits(symbols, level).mean()) / 8,
        psnr_db=psnr_db_from_mse(float(mse(images, codec.lossy.synthesise(symbols, level)).mean())),
    )


def objective_of(codec: Codec) -> ObjectiveConfig:
    """The objective that the model was trained with, from the record in its file."""
    return training_config(codec.model.about["config"]).objective


def distortion_nats(
    codec: Codec, symbols: NDArray[np.int32], images: Images, objective: ObjectiveConfig, *, level: int = 0
) -> float:
    """Mean over the images of the objective's distortion, as training counts it, at the logits that a file gives.

    The synthesis' last operation looks pixels up by an index; the table that it holds says which logit that stands for.
    """
    import torch  # 3 s

    from vaecodec.layers.exact.pixel_scales import scale_of

    network = codec.model.synthesis
    scale, inputs = scale_of(network), codec.lossy.synthesis_input(symbols, level)
    total = 0.0
    for start in range(0, len(images), CHUNK):
        part = np.clip(inputs[start : start + CHUNK], network.input_low, network.input_high).astype(np.float32)
        index = torch.from_numpy(evaluate(network.ops[:-1], part)[..., 0].astype(np.float64))
        logits = scale.logits_of(index).numpy()
        x = images[start : start + CHUNK].astype(np.float64) / 255
        if objective.likelihood == "bernoulli":
            total += float((np.logaddexp(0, logits) - x * logits).sum())
        else:
            total += float(np.square(1 / (1 + np.exp(-logits)) - x).sum()) / (2 * objective.pixel_sigma**2)
    return total / len(images)
