"""Thousands of mutants of streams, archives and model files: each is refused by an error of ours, or right.

python -m tests.fuzz.mutants [--share S] [--seed N] [--only KIND ...]

plain       changes.py, no check made right: refused, or exactly a picture of the originals
re-checked  tests/independent/mutants_of_*.py, most with checks and known answers made right: refused, or another valid
            file, for which the second decoder must give the same pixels

Writes benchmarks/results/mutants.json: how many of each kind, what became of them, the longest time of one, and how far
the process grew; kinds that are not run again stay as they are. It ends with 1 where one was wrong, raised a foreign
error, or took longer than 10 s.
"""

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import vaecodec
from benchmarks.measuring.machine import RESULTS, provenance, write_results
from tests.fuzz import samples
from tests.fuzz.changes import changed
from tests.fuzz.verdicts import Tally, Wrong, is_one_of, judged
from tests.independent import (
    mutants_of_archives,
    mutants_of_models,
    mutants_of_pictures,
    mutants_of_streams,
)
from tests.independent.model_file import Model
from tests.independent.photographs import PhotographModel
from tests.independent.program import (
    Contents,
    Refusal,
    archives_differ,
    decide_archive,
    decide_model,
    decide_picture,
    decide_stream,
    differ,
    golden_models,
    pictures_differ,
    program_on_archive,
    program_on_picture,
)
from tests.independent.refusal import Refused
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.errors import FormatError, VaecodecError
from vaecodec.photo.model import PhotoModel

WRITTEN_WITH = ("mini", "groups", "bits", "tiny")  # the small models that re-checked archives are written with
EXACT_ARCHIVE = 1  # of the samples: its images take long to decode, so that it is chosen less often
ALTERED = ("mini", "groups", "bits", "tiny", "exact", "levels", "joined")


@dataclass(frozen=True, slots=True)
class Named:
    """A mutant and the name of the model that it is given to."""

    model: str
    data: bytes


@cache
def second_models() -> dict[str, Model]:
    """The second decoder's golden models."""
    return golden_models()


@cache
def second_photograph_model() -> PhotographModel:
    """The second decoder's photograph model."""
    return PhotographModel(samples.model_files()[samples.PHOTOGRAPH])


@cache
def pictures_of(model: str) -> tuple[np.ndarray, ...]:
    """What the sample streams of a model decode to."""
    if model == samples.PHOTOGRAPH:
        return tuple(samples.photograph_codec().decompress(data) for data in samples.picture_streams())
    return tuple(samples.codecs()[model].decompress(data) for data in samples.golden_streams()[model])


def plain_streams(rng: Random) -> Iterator[Named]:
    names = sorted(samples.golden_streams())
    while True:
        name = rng.choice(names)
        yield Named(name, changed(samples.golden_streams()[name], rng))


def judge_plain_stream(mutant: Named) -> bool:
    if not is_one_of(samples.codecs()[mutant.model].decompress(mutant.data), pictures_of(mutant.model)):
        raise Wrong("another picture")
    return True


def rechecked_streams(rng: Random) -> Iterator[Named]:
    of_models = samples.golden_streams().items()
    held = [mutants_of_streams.Sample(name, data) for name, streams in of_models for data in streams]
    for mutant in mutants_of_streams.mutants(held, second_models(), rng):
        yield Named(mutant.model, mutant.data)


def judge_rechecked_stream(mutant: Named) -> bool:
    pixels = samples.codecs()[mutant.model].decompress(mutant.data)
    _refuse(differ(decide_stream(mutant.data, second_models()[mutant.model]), pixels))
    return False


def plain_pictures(rng: Random) -> Iterator[Named]:
    while True:
        yield Named(samples.PHOTOGRAPH, changed(samples.picture_streams(), rng))


def judge_plain_picture(mutant: Named) -> bool:
    if not is_one_of(samples.photograph_codec().decompress(mutant.data), pictures_of(mutant.model)):
        raise Wrong("another picture")
    return True


def rechecked_pictures(rng: Random) -> Iterator[Named]:
    for data in mutants_of_pictures.mutants(samples.picture_streams(), second_photograph_model(), rng):
        yield Named(samples.PHOTOGRAPH, data)


def judge_rechecked_picture(mutant: Named) -> bool:
    _same_picture(mutant.data, samples.photograph_codec(), second_photograph_model())
    return False


def _same_picture(data: bytes, codec: PhotographCodec, model: PhotographModel) -> None:
    """Raises Wrong, and VaecodecError where the program refuses."""
    codec.decompress_picture(data)
    _refuse(pictures_differ(decide_picture(data, model), program_on_picture(data, codec)))


def _refuse(difference: str) -> None:
    if difference:
        raise Wrong(difference)


def plain_archives(rng: Random) -> Iterator[Named]:
    files = [sample.data for sample in samples.archives()]
    chosen = [file for file in files for _ in range(1 if len(file) == len(files[EXACT_ARCHIVE]) else 3)]
    while True:
        yield Named("", changed(chosen, rng))


def judge_plain_archive(mutant: Named) -> bool:
    with samples.opened(mutant.data) as archive:
        for first, images in archive.readable():
            for number, image in enumerate(images, first):
                known = [s.images[number] for s in samples.archives() if number in s.images]
                if not is_one_of(image, known):
                    raise Wrong(f"image {number}: another picture")
        archive.verify()
        for number in range(min(len(archive), 20)):
            _or_refused(lambda n=number: archive.names[n])
            _or_refused(lambda n=number: archive.label(n))
        _or_refused(lambda: archive.metadata)
    return True


def _or_refused(action: Callable[[], Any]) -> None:
    """What is damaged within an archive has an error of its own, and the rest goes on."""
    with suppress(VaecodecError, KeyError, AttributeError):
        action()


def rechecked_archives(rng: Random) -> Iterator[Named]:
    files = {name: (second_models()[name], samples.model_files()[name]) for name in WRITTEN_WITH}
    for data in mutants_of_archives.mutants(files, rng, [sample.data for sample in samples.archives()[:2]]):
        yield Named("", data)


def judge_rechecked_archive(mutant: Named) -> bool:
    with TemporaryDirectory(dir=samples.memory_folder()) as folder:
        path = Path(folder) / "a.vaea"
        path.write_bytes(mutant.data)
        theirs = decide_archive(mutant.data, second_models())
        found = program_on_archive(path, theirs)
        _refuse(archives_differ(theirs, found))
        if isinstance(found, Refusal):
            raise FormatError(found.words)
        assert isinstance(found, Contents)
    return False


def plain_models(rng: Random) -> Iterator[Named]:
    files = [file for name, file in samples.model_files().items() if name != samples.PHOTOGRAPH]
    while True:
        yield Named("", changed(files, rng))


def plain_photograph_models(rng: Random) -> Iterator[Named]:
    files = [samples.model_files()[name] for name in (samples.PHOTOGRAPH, samples.PHOTOGRAPH, "mini")]
    while True:
        yield Named(samples.PHOTOGRAPH, changed(files, rng))


def judge_plain_model(mutant: Named) -> bool:
    with TemporaryDirectory(dir=samples.memory_folder()) as folder:
        path = Path(folder) / "m.vaem"
        path.write_bytes(mutant.data)
        vaecodec.load(path)
    if mutant.data not in samples.model_files().values():
        raise Wrong("another file is a model")
    return True


def rechecked_models(rng: Random) -> Iterator[Named]:
    for data in mutants_of_models.mutants([samples.model_files()[name] for name in ALTERED], rng):
        yield Named("", data)


def judge_rechecked_model(mutant: Named) -> bool:
    """It is read whole, decodes a stream, and compresses an image by its graph."""
    with TemporaryDirectory(dir=samples.memory_folder()) as folder:
        path = Path(folder) / "m.vaem"
        path.write_bytes(mutant.data)
        codec = vaecodec.load(path)
        if codec.model.has_lossless:
            _ = codec.lossless
    theirs = decide_model(mutant.data)
    _refuse(differ(theirs, codec))
    assert isinstance(theirs, Model)
    _compare_streams(codec, theirs)
    _or_refused(lambda: codec.compress(np.zeros(codec.model.shape, np.uint8)))
    return False


def _compare_streams(codec: Any, model: Model) -> None:
    """A stream of zeros at each level decodes to what the second decoder gives, where the known answer holds."""
    for level in range(min(len(model.levels), 3)):
        body = bytes([0xB9, level]) + model.fingerprint[:2]
        data = mutants_of_streams.rechecked(mutants_of_streams.respelt(body + bytes(3), model), model)
        try:
            pixels: Any = codec.decompress(data)
        except VaecodecError as error:
            pixels = Refusal(type(error).__name__, str(error))
        try:
            model.check_levels()
        except Refused as refused:
            _refuse(differ(Refusal(refused.kind, str(refused)), pixels))
            continue
        _refuse(differ(decide_stream(data, model), pixels))


def rechecked_photograph_models(rng: Random) -> Iterator[Named]:
    for data in mutants_of_models.mutants([samples.model_files()[samples.PHOTOGRAPH]], rng):
        yield Named(samples.PHOTOGRAPH, data)


def judge_rechecked_photograph_model(mutant: Named) -> bool:
    """Its known answers are decoded, and a picture by both decoders where they hold; its graphs are run."""
    codec = PhotographCodec(PhotoModel.from_bytes(mutant.data))
    codec.prove()
    theirs = PhotographModel(mutant.data)
    for data in samples.picture_streams()[:2]:
        of_this = data[:2] + codec.fingerprint[:2] + data[4 : -mutants_of_pictures.PICTURE_CHECK_BYTES]
        sealed = mutants_of_pictures.sealed(of_this, theirs)
        _refuse(pictures_differ(decide_picture(sealed, theirs), program_on_picture(sealed, codec)))
    _or_refused(lambda: codec.compress(np.zeros((5, 7, 3), np.uint8)))
    return False


@dataclass(frozen=True, slots=True)
class Kind:
    """Mutants of one kind. count: of the whole run."""

    count: int
    made: Callable[[Random], Iterator[Named]]
    judge: Callable[[Named], bool]


KINDS = {
    "streams 1, plain": Kind(60_000, plain_streams, judge_plain_stream),
    "streams 1, re-checked": Kind(10_000, rechecked_streams, judge_rechecked_stream),
    "streams 2, plain": Kind(27_000, plain_pictures, judge_plain_picture),
    "streams 2, re-checked": Kind(3_000, rechecked_pictures, judge_rechecked_picture),
    "archives, plain": Kind(17_000, plain_archives, judge_plain_archive),
    "archives, re-checked": Kind(3_000, rechecked_archives, judge_rechecked_archive),
    "models, plain": Kind(8_000, plain_models, judge_plain_model),
    "models, re-checked": Kind(4_000, rechecked_models, judge_rechecked_model),
    "photograph models, plain": Kind(6_000, plain_photograph_models, judge_plain_model),
    "photograph models, re-checked": Kind(2_000, rechecked_photograph_models, judge_rechecked_photograph_model),
}


def tally_of(name: str, count: int, seed: int) -> Tally:
    """Judge so many mutants of a kind; the models must be installed (samples.all_installed)."""
    kind = KINDS[name]
    mutants = kind.made(Random(f"{seed}/{name}"))
    return judged(mutants, count, kind.judge, lambda mutant: f"{mutant.model} {mutant.data[:4000].hex()}")


def peak_mib() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the whole numbers")
    parser.add_argument("--seed", type=int, default=25)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--out", type=Path, default=RESULTS / "mutants.json")
    arguments = parser.parse_args()
    found: dict[str, Any] = json.loads(arguments.out.read_text())["kinds"] if arguments.out.exists() else {}
    with samples.all_installed():
        for name in arguments.only:
            tally_of(name, 3, arguments.seed)  # so that what is loaded once does not count as growth
            before = peak_mib()
            tally = tally_of(name, round(KINDS[name].count * arguments.share), arguments.seed)
            made_by = {"git_commit": provenance(seed=arguments.seed)["git_commit"], "seed": arguments.seed}
            found[name] = {**tally.record(), "peak_growth_mib": peak_mib() - before, **made_by}
            faults = sum(kind["faults"] for kind in found.values())
            print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
            write_results(arguments.out, {"faults": faults, "kinds": found}, seed=arguments.seed)  # so far
    return int(any(kind["faults"] for kind in found.values()))


if __name__ == "__main__":
    sys.exit(main())
