"""vaecodec models: the models on this machine; models add: one more; models join: one of two; models strip: less."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .boundary import plain
from .completion import complete_files, complete_models
from .files import naming, print_json, read_bytes, say, write_bytes
from .options import quiet_option

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.modelfile.installed import InstalledModel

MAX_NAME_CHARS = 64  # a file name with room for a suffix on every file system
NAME_WIDTH = 20
SHOWN_HEX = 8  # digits of a fingerprint; a stream holds the first four


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the installed models: those that ship with vaecodec, then your own.

    --json says more: every level's β, the whole fingerprint, and where the file lies.
    """
    if context.invoked_subcommand is not None:
        return
    from vaecodec.modelfile.installed import installed_models, user_folder

    found = [describe_installed(installed) for installed in installed_models()]
    if as_json:
        print_json(found)
        return
    for line in table(found):
        click.echo(line)
    if not found:
        say(f"no models are installed; `vaecodec models add FILE` puts one into {user_folder()}")


def table(models: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of at most 80 letters: names, size of the images, levels and their β, exactness, bytes, fingerprint."""
    if not models:
        return
    row = f"{{:<{NAME_WIDTH}}} {{:<7}} {{:<22}} {{:<8}} {{:>7}} {{}}".format
    yield row("MODEL", "PIXELS", "LEVELS", "LOSSLESS", "SIZE", "FINGERPRINT")
    for model in models:
        name = plain(model["name"])
        if len(name) > NAME_WIDTH:
            yield name
            name = ""
        pixels = "any" if model["photograph"] else f"{model['height']}x{model['width']}"
        lossless = "yes" if model["lossless"] else "no"
        size = f"{model['file_bytes'] / 1e6:.1f} MB"
        yield row(name, pixels, _levels(model["betas"]), lossless, size, model["fingerprint"][:SHOWN_HEX])
        notes = [f"--model {alias} means this one" for alias in model["aliases"]]
        notes += [] if model["compresses"] else ["decodes only"]
        yield from (f"  {plain(note)}" for note in notes)


def _levels(betas: list[float]) -> str:
    """How many levels there are, and from which β to which."""
    if len(betas) < 2:
        return f"1, β {betas[0]:.2g}" if betas else "none"
    return f"{len(betas)}, β {betas[0]:.2g}..{betas[-1]:.2g}"


def describe_installed(installed: InstalledModel) -> dict[str, Any]:
    """What the list says of a model, for JSON."""
    summary = installed.summary
    return {
        "name": installed.name,
        "aliases": list(installed.aliases),
        "family": summary.family,
        "photograph": summary.is_photograph,
        "height": summary.height or None,
        "width": summary.width or None,
        "betas": list(summary.betas),
        "lossless": summary.has_lossless,
        "compresses": summary.has_analysis,
        "fingerprint": summary.fingerprint.hex(),
        "file_bytes": os.path.getsize(installed.path),
        "path": str(installed.path),
    }


@command.command("add")
@click.argument("source", metavar="FILE", shell_complete=complete_files)
@click.option("-f", "--force", is_flag=True, help="Replace a model of yours that has the same name.")
@quiet_option
def add(source: str, force: bool) -> None:
    """Install the model FILE in your model folder, under the name that it holds.

    Streams that it made are then decompressed without --model. The folder is $VAECODEC_MODELS, or your data folder.
    """
    from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES
    from vaecodec.codec.codec import codec_of
    from vaecodec.errors import OutputError
    from vaecodec.modelfile.installed import SUFFIX, aliases, user_folder, zoo_folder

    with naming(source):
        data = read_bytes(source, MAX_CONTAINER_BYTES)
        codec = codec_of(data)
        name = codec.model.name
        _check_name(name)
        if name in aliases() or (zoo_folder() / f"{name}{SUFFIX}").exists():
            raise OutputError(f"{name} is the name of a released model, which is never replaced")
        _prove(codec)
    target = user_folder() / f"{name}{SUFFIX}"
    if target.is_file() and target.read_bytes() == data:
        say(f"{name} is installed already")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(str(target), data, force=force)
    say(f"{name} is installed as {target}")


def _prove(codec: AnyCodec) -> None:
    """Reads all of a model. Refuses where something is damaged, or this machine does not give the known answers."""
    from vaecodec.codec.codec import Codec
    from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH

    if not isinstance(codec, Codec):
        codec.prove()
        return
    model = codec.model
    model.analysis.check()
    if model.levels:
        codec.lossy.synthesise(model.known_answer.symbols[:, : model.latents])
    if model.lossless is not None:
        model.lossless.analysis.check()
        codec.lossless.prove(KNOWN_ANSWER_BATCH)


@command.command("join")
@click.argument("lossy", metavar="LOSSY", shell_complete=complete_models)
@click.argument("lossless", metavar="LOSSLESS", shell_complete=complete_models)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.option("--name", required=True, metavar="NAME", help="The new model's name.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@quiet_option
def join(lossy: str, lossless: str, target: str, name: str, force: bool) -> None:
    """Make one model file OUT of two: the levels of LOSSY and the lossless part of LOSSLESS, names or files.

    It is a new model with a fingerprint of its own: streams of LOSSY and LOSSLESS still need these.
    """
    from vaecodec.modelfile.derived import join_models
    from vaecodec.modelfile.installed import find_model
    from vaecodec.modelfile.model import pack_model

    from .files import check_target

    check_target(target, force)
    model = join_models(find_model(lossy), find_model(lossless), name)
    _check_name(model.name)
    data = pack_model(model)
    write_bytes(target, data, force=force)
    say(f"{target}: {model.name}, {len(data)} bytes, fingerprint {model.fingerprint.hex()[:16]}")


@command.command("strip")
@click.argument("source", metavar="MODEL", shell_complete=complete_models)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@quiet_option
def strip(source: str, target: str, force: bool) -> None:
    """Write MODEL, a name or file, to OUT without what only compressing needs: about half the bytes.

    Its name and fingerprint stay, and it decompresses every file that MODEL made.
    """
    from vaecodec.archive.models import model_file
    from vaecodec.codec.codec import Codec, load
    from vaecodec.modelfile.derived import strip_analysis

    from .files import check_target

    check_target(target, force)
    codec = load(source)
    stripped = Codec(strip_analysis(codec.model)) if isinstance(codec, Codec) else codec.stripped()
    data = model_file(stripped)
    write_bytes(target, data, force=force)
    say(f"{target}: {codec.model.name}, {len(data)} bytes for {len(model_file(codec))}, decompresses only")


def _check_name(name: str) -> None:
    """A name from a file becomes the name of a file: it must not lead elsewhere."""
    from vaecodec.errors import BadField

    allowed = all((c.isascii() and c.isalnum()) or c in "-_." for c in name)
    if not allowed or name.startswith(".") or not 1 <= len(name) <= MAX_NAME_CHARS:
        raise BadField(f"model name {plain(name)!r}: expected 1 to {MAX_NAME_CHARS} letters, digits, '-', '_', '.'")
