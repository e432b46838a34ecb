"""What was measured, read back from a folder of results, and what is missing there.

families/<run>.json           ──> TrainedRun: rate, distortion, bound, curves of one training
disentanglement-<data>.json   ──> CodedModel: every metric of one kept model with its null, bits, pairs
joint-price-<data>.json       ──> Price: bytes that a joint prior saves
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaecodec.errors import BadDataset, DatasetMissing
from vaecodec.evaluation.disentanglement.records import Interval, Measurement, Value

DATA = ("mnist", "dsprites")
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Of a training, after `step` steps; nats an image."""

    step: int
    train_distortion_nats: float
    train_rate_nats: float
    validation_distortion_nats: float
    validation_rate_nats: float


@dataclass(frozen=True, slots=True, eq=False)
class TrainedRun:
    """One training, and the files of its model over a test set.

    Bytes and bits an image, nats an image; training: hash of the training images; seconds: of the training.
    mean_absolute_latent: mean of |μ|. mean_sigma: of the posteriors' σ, None of older rows. gradient_energy: the
    reconstructions' over the originals'. stored: the whole row.
    """

    name: str
    family: str
    data: str
    setting: str
    knob: float | None
    swept: bool
    beta: float
    seed: int
    file_bytes: float
    psnr_db: float
    ms_ssim: float
    reconstruction_nats: float
    kl_nats: float
    mean_absolute_latent: float
    mean_sigma: float | None
    gradient_energy: float
    fingerprint: str
    seconds: float
    curves: tuple[CurvePoint, ...]
    stored: Record

    @property
    def bound_nats(self) -> float:
        """Reconstruction and KL: the negative of the ELBO."""
        return self.reconstruction_nats + self.kl_nats


@dataclass(frozen=True, slots=True, eq=False)
class CodedModel:
    """The codes of one kept model at one level, measured. means, symbols: a measurement and its verdicts a metric."""

    name: str
    data: str
    family: str
    level: int
    latents: int
    means: Mapping[str, Measurement]
    symbols: Mapping[str, Measurement]
    nulls: Mapping[str, Mapping[str, Interval]]  # of the means: metric, value
    verdicts: Mapping[str, Mapping[str, str]]  # of the means, against their null
    entangled_bits: Interval
    marginal_bits: float
    latent_bits: tuple[float, ...]
    mutual_bits: tuple[tuple[float, ...], ...]
    pairs: Measurement | None
    stored: Record

    def value(self, metric: str, name: str) -> Value | None:
        """A value of the means; None where that metric was left out."""
        found = self.means.get(metric)
        return None if found is None else found[name]


@dataclass(frozen=True, slots=True)
class Price:
    """An image's payload with a factorised prior and with a joint one, in bytes, means over `images`."""

    name: str
    data: str
    images: int
    alone_bytes: float
    joint_bytes: float

    @property
    def saved_bytes(self) -> float:
        """What the joint prior saves."""
        return self.alone_bytes - self.joint_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Everything of a folder. sources: file name → what it says of itself; missing: a sentence for each gap."""

    folder: Path
    runs: tuple[TrainedRun, ...]
    models: tuple[CodedModel, ...]
    prices: tuple[Price, ...]
    ceilings: Mapping[str, Record]
    factors: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, Record]
    missing: tuple[str, ...]

    def of(self, data: str) -> list[TrainedRun]:
        """The runs on a data set, by name."""
        return [run for run in self.runs if run.data == data]

    def coded(self, data: str) -> list[CodedModel]:
        """The measured models of a data set, by name."""
        return [model for model in self.models if model.data == data]

    def model_path(self, run: TrainedRun) -> Path | None:
        """Where the run's model file is kept; None where it is not."""
        path = self.folder / "families" / f"{run.name}.vaem"
        return path if path.is_file() else None

    def kept(self, data: str) -> list[TrainedRun]:
        """The runs whose model files are there."""
        return [run for run in self.of(data) if self.model_path(run) is not None]


def read_results(folder: Path) -> Results:
    """All that is there. Raises DatasetMissing where nothing is, BadDataset for a file that is no result."""
    runs, models, prices = [], [], []
    ceilings: dict[str, Record] = {}
    factors: dict[str, tuple[str, ...]] = {}
    sources: dict[str, Record] = {}
    for path in sorted((folder / "families").glob("*.json")):
        with _reading(path) as found:
            runs.append(_run(found))
            sources[f"families/{path.name}"] = _source(found)
    for data in DATA:
        path = folder / f"disentanglement-{data}.json"
        if path.is_file():
            with _reading(path) as found:
                models += [_model(row, data) for row in found["models"]]
                ceilings[data], factors[data] = found["ceilings"], tuple(found["data"]["factors"])
                sources[path.name] = _source(found)
        path = folder / f"joint-price-{data}.json"
        if path.is_file():
            with _reading(path) as found:
                prices += [_price(row, data) for row in found["models"]]
                sources[path.name] = _source(found)
    if not sources:
        raise DatasetMissing(f"{folder}: no results, neither families/*.json nor disentanglement-*.json")
    missing = tuple(_missing(folder, models, prices))
    return Results(folder, tuple(runs), tuple(models), tuple(prices), ceilings, factors, sources, missing)


class _reading:
    """The JSON of a file; what is not there, or of another kind, becomes one error that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Record:
        try:
            found: Record = json.loads(self._path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadDataset(f"{self._path}: not JSON: {error}") from error
        return found

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | AttributeError):
            raise BadDataset(f"{self._path}: not a result of the benchmarks: {error!r}") from error


def _run(row: Record) -> TrainedRun:
    point, floats = row["files"]["point"], row["float"]
    curve = [
        CurvePoint(*(line[name] for name in CurvePoint.__slots__))  # the fields have the names of the log
        for line in row["curves"]
    ]
    return TrainedRun(
        name=row["name"],
        family=row["family"],
        data=row["data"],
        setting=row["setting"],
        knob=row["knob"],
        swept=row["swept"],
        beta=row["config"]["objective"]["beta"],
        seed=row["config"]["seed"],
        file_bytes=point["file_bytes"],
        psnr_db=point["psnr_db"],
        ms_ssim=point["ms_ssim"],
        reconstruction_nats=floats["reconstruction_nats"],
        kl_nats=floats["kl_nats"],
        mean_absolute_latent=floats["mean_latent"],
        mean_sigma=floats.get("mean_sigma"),
        gradient_energy=row["files"]["gradient_energy_ratio"],
        fingerprint=row["fingerprint"],
        seconds=row["curves"][-1]["elapsed_s"],
        curves=tuple(curve),
        stored=row,
    )


def _model(row: Record, data: str) -> CodedModel:
    means = {said["metric"]: Measurement.from_dict(said) for said in row["means"]}
    bounds = row["entanglement"]["bounds"]
    return CodedModel(
        name=row["name"],
        data=data,
        family=row["family"],
        level=row["level"],
        latents=row["coded_latents"],
        means=means,
        symbols={said["metric"]: Measurement.from_dict(said) for said in row["symbols"]},
        nulls={
            said["metric"]: {null["name"]: Interval(**null["range"]) for null in said["null"]} for said in row["means"]
        },
        verdicts={said["metric"]: said["against_null"] for said in row["means"]},
        entangled_bits=Interval(**bounds),
        marginal_bits=row["entanglement"]["marginals"]["value"],
        latent_bits=tuple(row["information"]["latent_bits"]),
        mutual_bits=tuple(tuple(line) for line in row["information"]["mutual_bits"]),
        pairs=row["pairs"] and Measurement.from_dict(row["pairs"]),
        stored=row,
    )


def _price(row: Record, data: str) -> Price:
    return Price(row["name"], data, row["images"], row["alone_bytes"], row["joint_bytes"])


def _source(found: Record) -> Record:
    """Provenance and data of a stored result; where versions stand beside them, those too."""
    kept = {name: found[name] for name in ("provenance", "versions", "training_sha256", "test_sha256") if name in found}
    return kept | ({"data": found["data"]} if isinstance(found.get("data"), Mapping) else {})


def _missing(folder: Path, models: Sequence[CodedModel], prices: Sequence[Price]) -> Iterator[str]:
    """Kept models that no metric was measured of, and measured ones without a joint prior."""
    for data in DATA:
        measured = {model.name for model in models if model.data == data}
        kept = [path.stem for path in sorted((folder / "families").glob(f"*-{data}*.vaem"))]
        for name in kept:
            if name not in measured:
                yield f"{name}: its latents are not measured yet (python -m benchmarks.disentanglement --data {data})"
        priced = {price.name for price in prices if price.data == data}
        for name in sorted(measured - priced):
            yield f"{name}: its joint prior is not measured yet (python -m benchmarks.joint_price --data {data})"
