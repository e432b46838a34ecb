"""Limits of this program hold unless they are lifted, and nothing else than a known one is lifted."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from vaecodec.cli.main import command

from vaecodec.errors import ConfigError, LimitExceeded
from vaecodec.limits import Limits, lift, lifted, limits
from vaecodec.modelfile.model import open_model


def test_a_lifted_limit_holds_within_the_block_alone():
    before = limits()
    with lifted(picture_pixels=7, graph_nodes=3) as found:
        assert found == limits() == Limits(picture_pixels=7, graph_nodes=3)
        with lifted(picture_pixels=8):
            assert (limits().picture_pixels, limits().graph_nodes) == (8, 3)
        assert limits().picture_pixels == 7
    assert limits() == before == Limits()


def test_limits_come_back_after_an_error():
    with pytest.raises(KeyError), lifted(data_bytes=1):
        raise KeyError
    assert limits() == Limits()


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9", None])
def test_a_limit_is_a_whole_number_above_zero(value):
    with pytest.raises(ConfigError, match="picture_pixels"):
        lift(picture_pixels=value)


def test_a_limit_that_there_is_not_is_an_error_that_names_those_there_are():
    with pytest.raises(ConfigError, match="no limit pixels; there are: picture_pixels, image_pixels"):
        lift(pixels=5)
    assert limits() == Limits()


def test_the_command_line_lifts_the_pixels_of_a_picture(monkeypatch):
    seen = []
    monkeypatch.setattr("vaecodec.limits.lift", lambda **changes: seen.append(changes))
    assert CliRunner().invoke(command, ["--max-pixels", "900", "models"]).exit_code == 0
    assert CliRunner().invoke(command, ["--max-pixels", "0", "models"]).exit_code == 2
    assert seen == [{"picture_pixels": 900}]


def test_the_page_states_every_limit():
    text = (Path(__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", text, re.MULTILINE))
    assert {name: int(value) for name, value in rows.items()} == asdict(Limits())


def test_a_model_file_of_more_than_is_held_for_decoding_is_refused():
    data = (Path(__file__).parent / "golden" / "v1" / "mini.vaem").read_bytes()
    with lifted(decode_bytes=100), pytest.raises(LimitExceeded, match="limit decode_bytes"):
        open_model(data)
    assert open_model(data).name == "golden-mini-1"
