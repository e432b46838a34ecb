"""The second decoder decides on every golden file as its record, or its name, says."""

from pathlib import Path

import numpy as np
import pytest

from tests.independent import container, model_file, packed_weights, streams, writing
from tests.independent.model_file import Model
from tests.independent.program import (
    GOLDEN,
    GOLDEN_WINDOWS,
    NAMES,
    Refusal,
    decide_archive,
    decide_model,
    decide_stream,
    golden_file,
    same_pixels,
    same_values,
)
from tests.independent.refusal import Refused

# The page says no order of the rules; here this decoder meets another broken rule first.
OTHER_KINDS = {
    "BadField-model-no-levels": "NotCanonical",
    "NotCanonical-model-exact-levels-1": "BadField",
    "NotExact-model-weight-beyond-int16": "BadField",
}
# The model that a bad stream or archive of this beginning is read with; all others are tiny's.
MODELS_OF_BAD = {"exact": "exact", "bits": "bits"}


def _files(folder: str, suffix: str) -> list[Path]:
    return sorted(path for golden in (GOLDEN, GOLDEN_WINDOWS) for path in (golden / folder).glob(f"*{suffix}"))


DECODED_BAD = [path for path in _files("bad", ".bin") if "-model-weights-" not in path.name]


@pytest.mark.parametrize("path", _files("streams", ".bin"), ids=lambda path: path.stem)
def test_a_golden_stream_gives_its_pixels(path: Path, models: dict[str, Model]) -> None:
    image = decide_stream(path.read_bytes(), models[path.stem.split("-")[0]])
    assert isinstance(image, np.ndarray), image
    with np.load(path.with_suffix(".npz")) as recorded:
        assert same_pixels(image, recorded["pixels"])
        window = streams.parse(path.read_bytes()).window
        assert (window is None) == ("values" not in recorded)
        if window is not None:
            assert same_values(window.values(image), recorded["values"])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "joined"])
def test_a_golden_model_gives_its_known_answers(name: str, models: dict[str, Model]) -> None:
    models[name].check()


@pytest.mark.parametrize("name", NAMES)
def test_a_stripped_model_has_the_same_fingerprint_and_decodes(name: str, models: dict[str, Model]) -> None:
    held = container.read(golden_file(name))
    sections = held.sections | {n: b"" for n in held.sections if n.endswith(".onnx")}
    stripped = model_file.read(writing.container(held.meta, sections))
    assert stripped.fingerprint == models[name].fingerprint
    path = _files("streams", ".bin")[[p.stem.split("-")[0] for p in _files("streams", ".bin")].index(name)]
    ours, theirs = (decide_stream(path.read_bytes(), model) for model in (stripped, models[name]))
    assert isinstance(ours, np.ndarray)
    assert isinstance(theirs, np.ndarray)
    assert same_pixels(ours, theirs)


@pytest.mark.parametrize("path", _files("bad", "model-weights-*.bin"), ids=lambda path: path.stem)
def test_whoever_only_decodes_does_not_look_at_packed_weights(path: Path, models: dict[str, Model]) -> None:
    model = decide_model(path.read_bytes())
    assert isinstance(model, Model), model
    assert model.fingerprint == models["mini"].fingerprint


@pytest.mark.parametrize("path", DECODED_BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_for_what_its_name_says(path: Path, models: dict[str, Model]) -> None:
    kind, what = path.stem.split("-", 1)
    data = path.read_bytes()
    decision: object
    if what.startswith("model-weights-"):
        with pytest.raises(Refused) as refused:
            packed_weights.check(container.read(data))
        decision = Refusal(refused.value.kind, str(refused.value))
    elif what.startswith("model-"):
        decision = decide_model(data)
    elif what.startswith("use-"):
        with pytest.raises(Refused) as refused:
            model_file.read(data).check()
        decision = Refusal(refused.value.kind, str(refused.value))
    else:
        decision = decide_stream(data, models[MODELS_OF_BAD.get(what.split("-")[0], "tiny")])
    assert isinstance(decision, Refusal)
    assert decision.kind == OTHER_KINDS.get(path.stem, kind)


@pytest.mark.parametrize(("name", "model"), [("discs", "tiny"), ("exact", "joined")])
def test_a_golden_archive_gives_its_images_names_and_labels(name: str, model: str, models: dict[str, Model]) -> None:
    contents = decide_archive((GOLDEN / "archives" / f"{name}.vaea").read_bytes(), {model: models[model]})
    assert not isinstance(contents, Refusal)
    with np.load(GOLDEN / "archives" / f"{name}.npz") as recorded:
        images = list(recorded["images"]) if "images" in recorded else [recorded[str(i)] for i in range(12)]
        labels = recorded.get("labels", np.zeros((0, 0), np.int64)).tolist()
        names = {n: str(text) for n, text in enumerate(recorded["names"]) if text} if name == "discs" else None
    assert len(contents.images) == contents.length == len(images)
    for number, image in contents.images.items():
        height, width = image.shape  # discs' record is padded with zeros where an image is smaller
        assert same_pixels(image, images[number][:height, :width])
    assert contents.labels == {number: tuple(row) for number, row in enumerate(labels)}
    assert names is None or contents.names == names
    assert contents.found == {text: number for number, text in contents.names.items()}


@pytest.mark.parametrize("path", _files("archives/bad", ".vaea"), ids=lambda path: path.stem)
def test_a_bad_archive_is_refused_or_loses_its_damaged_block(path: Path, models: dict[str, Model]) -> None:
    contents = decide_archive(path.read_bytes(), {"tiny": models["tiny"]})
    if path.stem == "BadChecksum-last-block":
        assert not isinstance(contents, Refusal)
        assert (contents.length, sorted(contents.images)) == (12, list(range(7)))
    else:
        assert isinstance(contents, Refusal)
        assert contents.kind == path.stem.split("-")[0]
