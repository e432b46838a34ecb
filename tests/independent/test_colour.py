"""A model of colour, made up here: both decoders give the same image, and refuse the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.independent import container, writing
from tests.independent.known_answer import hash_of
from tests.independent.model_file import Model
from tests.independent.mutants_of_streams import rechecked, respelt
from tests.independent.program import Refusal, decide_model, decide_stream, golden_file, program_on_model
from tests.independent.program import program_on_stream as program

SHAPE = (4, 6, 3)


def colour_model(**changes: Any) -> bytes:
    """mini's levels, with a synthesis that makes pixels of colour of three symbols within 0 … 1."""
    held = container.read(golden_file("mini"))
    sections = {name: data for name, data in held.sections.items() if not name.startswith("decode/synthesis/")}
    weight = np.arange(72 * 3).reshape(72, 3) % 5
    bias, high = np.arange(72), np.ones(3, np.int32)
    prefix = "decode/synthesis/"
    sections |= {f"{prefix}low": writing.array(0 * high), f"{prefix}high": writing.array(high)}
    sections |= {f"{prefix}0/weight": writing.narrowest(weight), f"{prefix}0/bias": writing.narrowest(bias)}
    rows = np.arange(64 * 3).reshape(64, 3) % 2
    sections["decode/known_answer"] = writing.narrowest(rows)
    image = (rows @ weight.T + bias).reshape(64, *SHAPE)
    reshape = {"op": "reshape", "sources": [1], "height": 4, "width": 6}
    meta = held.meta
    meta["decode"] |= {
        "channels": 3,
        "synthesis": [{"op": "dense", "sources": [0]}, reshape],
        "known_answer": {"one": hash_of([image[:1]]), "all": hash_of([image])},
        **changes,
    }
    return writing.container(meta, sections)


def test_a_stream_in_colour_gives_the_same_image(tmp_path: Path) -> None:
    model, codec = decide_model(colour_model()), program_on_model(colour_model(), tmp_path)
    assert isinstance(model, Model), model
    model.check()
    for size, shape in (("", SHAPE), ("0204", (3, 5, 3))):
        coding = 0x80 if size else 0
        head = bytes([0xB9, coding]) + model.fingerprint[:2] + bytes.fromhex(size)
        data = rechecked(respelt(head + b"\x12\x34" + bytes(3), model), model)
        ours, theirs = decide_stream(data, model), program(data, codec)
        assert isinstance(ours, np.ndarray), ours
        assert ours.shape == shape
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("channels", [1, 2, 4, 0, "3", 3.0, True, None])
def test_other_numbers_of_channels_are_refused(channels: Any, tmp_path: Path) -> None:
    data = colour_model(channels=channels)
    assert isinstance(decide_model(data), Refusal)
    assert isinstance(program_on_model(data, tmp_path), Refusal)
