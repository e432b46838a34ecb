"""The trivial learned baseline over a test set: principal components, one uniform step, learned tables, our stream."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measuring.checks import amortised_bytes
from benchmarks.measuring.images import Images
from benchmarks.measuring.measure import through_files
from vaecodec.bitstream.stream import unpack
from vaecodec.evaluation.pca import PcaBasis, PcaCodec
from vaecodec.evaluation.rd import RatePoint, measure_point

COMPONENTS = (64, 192)
STEPS = {"mnist": (1000, 600, 400, 250, 150, 90), "dsprites": (3200, 2000, 1300, 800, 500, 300)}  # grey levels
FIT_IMAGES = 20_000  # the basis of 64 x 64 images takes 16 KB an image while it is fitted
SEED = 0


@dataclass(frozen=True, slots=True)
class PcaPoint:
    """One number of components and one step."""

    point: RatePoint
    components: int
    coded_components: int
    step: float
    model_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "point": self.point.to_dict(),
            "components": self.components,
            "coded_components": self.coded_components,
            "step": self.step,
            "model_bytes": self.model_bytes,
            "bytes_with_model_over": amortised_bytes(self.point.file_bytes, self.model_bytes),
        }


def measure_pca(data: str, training: Images, images: Images, *, most: int = FIT_IMAGES) -> list[PcaPoint]:
    """Every setting over the test images; the basis is of at most `most` training images, evenly spaced."""
    chosen = training[:: max(1, -(-len(training) // most))]
    whole = PcaBasis.fit(chosen, max(COMPONENTS), rng=np.random.default_rng(SEED))
    points = []
    for components in COMPONENTS:
        basis = PcaBasis(whole.mean, whole.components[:components], whole.height, whole.width)
        for step in STEPS[data]:
            points.append(measure_setting(PcaCodec.fit(basis, float(step), chosen), images))
    return points


def measure_setting(codec: PcaCodec, images: Images) -> PcaPoint:
    """One setting by real files. The model's bytes are the basis as float16 and the tables as they are stored."""
    files = through_files([codec.pack_symbols(row) for row in codec.analyse(images)])
    symbols = np.stack([codec.unpack_symbols(stream) for stream in files.streams])
    basis, tables = codec.basis, codec.tables
    point = measure_point(
        "PCA",
        f"{len(basis.components)} components, step {codec.step:g}",
        images,
        codec.synthesise(symbols),
        file_sizes=files.sizes,
        payload_sizes=[len(unpack(stream).payload) for stream in files.streams],
        information_bits=list(codec.information_bits(symbols)),
    )
    tables_bytes = sum(array.nbytes for array in tables.to_arrays().values())
    model_bytes = 2 * (basis.mean.size + basis.components.size) + tables_bytes
    return PcaPoint(point, len(basis.components), int(tables.coded.sum()), codec.step, model_bytes)
