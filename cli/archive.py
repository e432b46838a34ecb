"""vaecodec archive: many images in one file. The group, and the commands that only read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from .boundary import plain
from .completion import complete_files
from .files import STANDARD, naming, print_json
from .options import model_option

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive

HOMES = {"create": "archive_write", "append": "archive_write", "extract": "archive_extract"}


class ArchiveGroup(click.Group):
    """Finds create, append and extract in their own files."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return ["create", "list", "extract", "append", "verify", "info"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name in HOMES:
            found: click.Command = getattr(import_module(f".{HOMES[cmd_name]}", __package__), cmd_name)
            return found
        return super().get_command(ctx, cmd_name)


@click.group(cls=ArchiveGroup)
def command() -> None:
    """Keep many images in one file, with random access by number and name."""


archive_model_option = model_option("The model, where it is neither embedded nor installed.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def open_archive(path: str, model: str | None, beginning: bytes = b"") -> Iterator[Archive]:
    """An archive, errors naming it. `-` is standard input, of which `beginning` has been read already."""
    from vaecodec.archive.reader import Archive

    with naming(path), ExitStack() as stack:
        place = stack.enter_context(_standard_input_as_file(beginning)) if path == STANDARD else path
        yield stack.enter_context(Archive(place, model=model))


@contextmanager
def _standard_input_as_file(beginning: bytes) -> Iterator[str]:
    """The path of a copy: archives are read by place, and a pipe has none. Raises BadMagic, OSError."""
    import shutil
    import tempfile

    from vaecodec.bitstream.archive.limits import ARCHIVE_MAGIC
    from vaecodec.errors import BadMagic, OutputError

    if sys.stdin is None:
        raise OutputError("standard input is closed")
    beginning = beginning or sys.stdin.buffer.read(len(ARCHIVE_MAGIC))
    if not beginning.startswith(ARCHIVE_MAGIC):  # found out before anything endless is copied
        raise BadMagic("not an archive; one whose beginning is damaged is read as a file")
    with tempfile.TemporaryDirectory(prefix="vaecodec-") as folder:
        place = os.path.join(folder, "standard-input")
        with open(place, "wb") as file:
            file.write(beginning)
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield place


@command.command("list")
@click.argument("path", metavar="ARCHIVE", shell_complete=complete_files)
@json_option
def list_(path: str, as_json: bool) -> None:
    """List the images: number, name, labels."""
    with open_archive(path, None) as archive:
        for number, row in enumerate(_rows(archive)):
            if as_json:
                opening = "[" if number == 0 else ","
                click.echo(opening + _compact_json(row))
            else:
                labels = " ".join(map(str, row["labels"] or ()))
                click.echo(f"{number}\t{plain(row['name'] or '')}\t{labels}".rstrip("\t"))
        if as_json:
            click.echo("]" if len(archive) else "[]")


def _rows(archive: Archive) -> Any:
    """{number, name, labels} of each image."""
    for number in range(len(archive)):
        label = archive.label(number)
        yield {"number": number, "name": archive.names[number], "labels": None if label is None else label.tolist()}


def _compact_json(value: Any) -> str:
    import json

    return json.dumps(value)


@command.command()
@click.argument("path", metavar="ARCHIVE", shell_complete=complete_files)
@archive_model_option
@json_option
def verify(path: str, model: str | None, as_json: bool) -> None:
    """Read everything and say which images are lost. Exit code 1 where anything is damaged."""
    with open_archive(path, model) as archive:
        result = archive.verify()
    if as_json:
        lost = [{"number": image.number, "name": image.name} for image in result.lost]
        problems = list(result.problems)
        print_json({"images": result.images, "whole": result.whole, "lost": lost, "problems": problems})
    else:
        for image in result.lost:
            click.echo(f"lost\t{image.number}\t{plain(image.name or '')}".rstrip("\t"))
        for problem in result.problems:
            click.echo(f"damage\t{plain(problem)}")
        click.echo(f"{result.images} images, {len(result.lost)} lost{'' if result.problems else ', nothing damaged'}")
    if not result.whole:
        raise click.exceptions.Exit(1)


@command.command()
@click.argument("path", metavar="ARCHIVE", shell_complete=complete_files)
@json_option
def info(path: str, as_json: bool) -> None:
    """Say what the archive holds, from its index alone."""
    print_info(path, as_json)


def print_info(path: str, as_json: bool, model: str | None = None, beginning: bytes = b"") -> None:
    """What vaecodec info says of an archive."""
    with open_archive(path, model, beginning) as archive:
        found, metadata = archive.info(), archive.metadata
    result: dict[str, Any] = {
        "kind": "archive",
        "images": found.images,
        "blocks": found.blocks,
        "segments": found.segments,
        "file_bytes": found.size_bytes,
        "block_bytes": found.block_bytes,
        "bytes_per_image": found.size_bytes / found.images if found.images else None,
        "named": found.named,
        "models": [{"name": n, "fingerprint": f, "embedded": e} for n, f, e in found.models],
        "metadata": metadata,
        "problems": list(found.problems),
    }
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        if key == "models":
            value = ", ".join(f"{m['name']} ({m['fingerprint'][:16]}{', embedded' * m['embedded']})" for m in value)
        elif key == "problems":
            value = "; ".join(value) or "none"
        elif isinstance(value, float):
            value = f"{value:.2f}"
        click.echo(f"{key.replace('_', ' '):<20}{plain(str(value))}")
