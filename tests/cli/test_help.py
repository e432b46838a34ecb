"""Every command has help, and it and its options stand in docs/cli.md."""

from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from vaecodec.cli.main import COMMANDS, command

from vaecodec.bitstream.limits import MAX_ERROR, MAX_LEVEL
from vaecodec.codec.target import MAX_EFFORT

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def all_commands(group=command, prefix=()):
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        yield (*prefix, name), found
        if isinstance(found, click.Group):
            yield from all_commands(found, (*prefix, name))


EVERY = dict(all_commands())


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_help_and_stands_in_the_docs(run, path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert EVERY[path].help
    assert f"## vaecodec {' '.join(path)}" in PAGE
    section = PAGE.split(f"## vaecodec {' '.join(path)}")[1].split("\n## ")[0]
    assert f"vaecodec {' '.join(path)} " in section  # an example


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_has_help_and_stands_in_the_docs(path):
    for parameter in EVERY[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
            assert max(parameter.opts, key=len) in PAGE


def test_the_ranges_of_options_are_those_of_the_format():
    ranges = {option.name: option.type for option in EVERY["compress",].params if isinstance(option, click.Option)}
    assert (ranges["max_error"].min, ranges["max_error"].max) == (0, MAX_ERROR)
    assert (ranges["level"].min, ranges["level"].max) == (0, MAX_LEVEL)
    assert (ranges["effort"].min, ranges["effort"].max) == (0, MAX_EFFORT)


def test_the_group_lists_its_commands(run):
    result = run("--help")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.split("Commands:")[1].splitlines() if line] == list(COMMANDS)


NEEDS_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@pytest.mark.parametrize(
    "arguments",
    [(), ("nope",), ("compress",), ("compress", "--nope"), pytest.param(("train",), marks=NEEDS_TORCH)],
)
def test_wrong_usage_is_code_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: vaecodec" in result.stderr
