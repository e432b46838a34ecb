"""Man pages of all commands, made from the commands themselves: `python -m vaecodec.cli.manual FOLDER`.

One page for each command, vaecodec-archive-create.1 for `vaecodec archive create`, in roff with the macros of man(7).
click-man, which does this for other programs, sees no command of a group that imports its commands when they are used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import click

from vaecodec import __version__

from .main import command as program

SECTION = 1  # of the manual: programs
EXIT_STATUS = (
    ("0", "Done."),
    ("1", "An error, of which one line on standard error says what is wrong."),
    ("2", "Wrong usage."),
    ("130", "Interrupted from the keyboard. 143 and 129: ended by SIGTERM or SIGHUP."),
)
ENVIRONMENT = (
    ("VAECODEC_MODELS", "The folder of your own models."),
    ("VAECODEC_DATA", "Where mnist/ and dsprites/ lie."),
    ("VAECODEC_TRACEBACK", "If set, a bug shows where it is."),
)


def main(arguments: list[str]) -> int:
    """Write every page into a folder, which is made."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m vaecodec.cli.manual FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="ascii")
    return 0


def pages() -> dict[str, str]:
    """File name → text of each page."""
    return {f"{'-'.join(context.command_path.split())}.{SECTION}": page(context) for context in _contexts()}


def page(context: click.Context) -> str:
    """The man page of a command, in ASCII: letters that are not stand by their number."""
    command, name = context.command, "-".join(context.command_path.split())
    lines = [
        f'.TH "{_text(name.upper())}" "{SECTION}" "" "vaecodec {_text(__version__)}" "vaecodec"',
        ".SH NAME",
        f"{_text(name)} \\- {_text(command.get_short_help_str(200).rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_text(context.command_path)}",
        _text(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
    ]
    for paragraph in (command.help or "").split("\n\n"):
        lines += [".PP", _text(" ".join(paragraph.split()))]
    named = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    options = [record for one in named if (record := one.get_help_record(context))]
    lines += _listed("OPTIONS", options)
    if isinstance(command, click.Group):
        found = [(one, command.get_command(context, one)) for one in command.list_commands(context)]
        lines += _listed("COMMANDS", [(one, inner.get_short_help_str(200)) for one, inner in found if inner])
    lines += [*_listed("EXIT STATUS", EXIT_STATUS), *_listed("ENVIRONMENT", ENVIRONMENT)]
    return "\n".join([*lines, *_see_also(context)]) + "\n"


def _contexts(context: click.Context | None = None) -> Iterator[click.Context]:
    """That of the program, and of every command below it."""
    context = context or click.Context(program, info_name="vaecodec", **program.context_settings)
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            assert inner is not None  # it was listed
            yield from _contexts(click.Context(inner, info_name=name, parent=context))


def _listed(title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Iterator[str]:
    """A section of terms, each with what it means."""
    yield f".SH {title}"
    for term, meaning in rows:
        yield from (".TP", f".B {_text(term)}", _text(" ".join(meaning.split())))


def _see_also(context: click.Context) -> Iterator[str]:
    """The pages above this one, and those below it."""
    path = context.command_path.split()
    names = [path[:end] for end in range(1, len(path))]
    if isinstance(context.command, click.Group):
        names += [[*path, name] for name in context.command.list_commands(context)]
    yield ".SH SEE ALSO"
    for name in names:
        yield f".BR {_text('-'.join(name))} ({SECTION}){',' * (name is not names[-1])}"


def _text(words: str) -> str:
    """What is read as these words by roff: no command at the start of a line, no escape, hyphens that can be copied.

    Subscripts, which many fonts of terminals lack, become plain figures.
    """
    plain = "".join(figure if (figure := normalize("NFKC", c)).isdecimal() else c for c in words)
    escaped = plain.replace("\\", "\\e").replace("-", "\\-")
    escaped = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
