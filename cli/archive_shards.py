"""vaecodec archive create OUT --shards N: a plan, its shards by an engine, and what becomes of them meanwhile."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vaecodec.errors import ConfigError, DataError, OutputExists

from .boundary import plain
from .files import STANDARD, naming, say, warn
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.archive.folder import Folder
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.target import Target
    from vaecodec.sharding.engine import Engine
    from vaecodec.sharding.plan import Plan, Wish
    from vaecodec.sharding.run import Outcome
    from vaecodec.sharding.run import Progress as Done
    from vaecodec.sharding.task import Attempt

F = TypeVar("F", bound=Callable[..., Any])
ENGINES = ("local", "ray")


@dataclass(frozen=True, slots=True)
class Sharding:
    """How shards are made; shards or images: into how many, or of how many images each."""

    shards: int | None
    shard_images: int | None
    shard_index: int | None
    engine: str
    address: str | None
    workers: int | None
    retries: int
    resume: bool


def shard_options(function: F) -> F:
    """The options of shards, given to the command as one argument, `sharding`: None where no shards are asked for."""

    @functools.wraps(function)
    def command(
        shards: int | None,
        shard_images: int | None,
        shard_index: int | None,
        engine: str | None,
        address: str | None,
        workers: int | None,
        retries: int | None,
        resume: bool,
        **rest: Any,
    ) -> Any:
        asked = shards is not None or shard_images is not None
        if not asked and (resume or {shard_index, engine, address, workers, retries} != {None}):
            raise click.UsageError("this is of shards: give --shards or --shard-images too")
        if shards is not None and shard_images is not None:
            raise click.UsageError("--shards and --shard-images: give one of them")
        if address is not None and engine != "ray":
            raise click.UsageError("--address is of --engine ray")
        sharding = None
        if asked:
            from vaecodec.sharding.run import DEFAULT_RETRIES

            limit = DEFAULT_RETRIES if retries is None else retries
            sharding = Sharding(shards, shard_images, shard_index, engine or "local", address, workers, limit, resume)
        return function(sharding=sharding, **rest)

    decorated: Any = command
    for option in (
        click.option(
            "--shard-index", type=click.IntRange(0), metavar="K", help="Make shard K alone, as a job of an array."
        ),
        click.option("--resume", is_flag=True, help="Go on with the plan that is in OUT, if there is one."),
        click.option("--retries", type=click.IntRange(0), metavar="N", help="Of a shard that fails.  [default: 3]"),
        click.option("--workers", type=click.IntRange(1, 1024), help="Of the engine local.  [default: one a core]"),
        click.option(
            "--address", metavar="A", help="Of a Ray cluster.  [default: RAY_ADDRESS, or one on this machine]"
        ),
        click.option("--engine", type=click.Choice(ENGINES), help="Processes here, or Ray's.  [default: local]"),
        click.option("--shard-images", type=click.IntRange(1), metavar="M", help="Make shards of M images each."),
        click.option("--shards", type=click.IntRange(1), metavar="N", help="Make N shards."),
    ):
        decorated = option(decorated)
    result: F = decorated
    return result


def create_shards(
    target: str,
    sources: tuple[str, ...],
    sharding: Sharding,
    wanted: Target,
    metadata: dict[str, Any] | None,
    embed_model: bool,
    force: bool,
    as_json: bool,
    options: dict[str, Any],
) -> None:
    """Plan, make, and say what is missing, with exit code 1."""
    from vaecodec.archive.folder import open_folder
    from vaecodec.archive.shards import ShardSettings
    from vaecodec.archive.writer import usual_block_images
    from vaecodec.sharding.lease import hold
    from vaecodec.sharding.plan import Cut, Wish
    from vaecodec.sharding.run import run

    if target == STANDARD:
        raise click.UsageError("shards are files of a folder: name it")
    block_images = options["block_images"] or usual_block_images(exact=wanted.exact)
    wish = Wish(
        sources,
        Cut(sharding.shards, sharding.shard_images),
        ShardSettings(wanted, block_images, embed_model, metadata),
        named=not options["no_names"],
        strip=options["strip"],
        model=options["model"] or "",
    )
    with naming(target):
        folder = open_folder(target)
        if sharding.shard_index is not None:
            _make_one(folder, _planned(folder, wish, sharding, force, options), sharding.shard_index, as_json)
            return
        bar = Progress(quiet=as_json)

        def report(done: Done, last: Attempt | None) -> None:
            if as_json and last is not None:
                click.echo(json.dumps({"event": "shard", **_attempt(last), **_counts(done)}))
            if bar.due():
                bar.draw(_line(done))

        with hold(folder):
            plan = _planned(folder, wish, sharding, force, options)
            outcome = run(
                folder, plan, lambda: _engine(target, plan, sharding), retries=sharding.retries, report=report
            )
        bar.clear()
    _tell(target, outcome, as_json)


def _planned(folder: Folder, wish: Wish, sharding: Sharding, force: bool, options: dict[str, Any]) -> Plan:
    """The plan in the folder, or a new one. Raises OutputExists where there is one and nothing was said of it."""
    from vaecodec.sharding.plan import Plan, publish_plan
    from vaecodec.sharding.sources import pieces_of

    from .archive_sources import lines
    from .mirror import say_linked

    goes_on = sharding.resume or sharding.shard_index is not None
    there = None if force and not goes_on else Plan.read(folder)
    if there is not None:
        if not goes_on:
            raise OutputExists("a plan of shards is there already; --resume goes on with it")
        there.check_wish(wish)
        return there
    if not force and folder.sizes() and not goes_on:
        raise OutputExists("the folder is not empty")
    pieces = pieces_of(wish.sources, data_dir=options["data_dir"], listed=lines, on_linked=say_linked)
    first = next(pieces, None)
    if first is None:
        raise DataError("the sources hold no image")

    def all_pieces() -> Iterator[Any]:
        yield first
        yield from pieces

    return publish_plan(folder, wish, all_pieces(), _codec_for(first, wish), replace=force)


def _codec_for(first: Any, wish: Wish) -> AnyCodec:
    """The codec that was asked for, or that of the first image."""
    from dataclasses import replace

    from vaecodec.sharding.sources import FilePiece, read_pieces

    from .choose import Codecs

    target = wish.settings.target
    piece = first if isinstance(first, FilePiece) else replace(first, count=1)
    image = next(read_pieces([piece], named=False, strip=wish.strip)).image
    return Codecs(wish.model or None, exact=target.exact).for_picture(image, target)


def _engine(target: str, plan: Plan, sharding: Sharding) -> Engine:
    """Raises OutputError where Ray is not installed."""
    if sharding.engine == "local":
        from vaecodec.sharding.local import LocalEngine

        return LocalEngine(target, plan.id, sharding.workers)
    from vaecodec.integrations.ray import RayEngine

    return RayEngine(target, plan.id, sharding.address)


def _make_one(folder: Folder, plan: Plan, shard: int, as_json: bool) -> None:
    """One shard, if it is not there."""
    from vaecodec.sharding.run import records_there
    from vaecodec.sharding.task import attempt

    if shard >= len(plan.rows):
        raise ConfigError(f"shard {shard}: the plan has shards 0..{len(plan.rows) - 1}")
    if shard in records_there(folder, plan, [shard]):
        say(f"{folder.address}: shard {shard} is there")
        return
    done = attempt(folder.address, plan.id, shard)
    if as_json:
        click.echo(json.dumps({"event": "shard", **_attempt(done)}))
    if done.error:
        warn(f"vaecodec: error: {folder.address}: shard {shard}: {plain(done.error)}")
        raise click.exceptions.Exit(1)
    assert done.record is not None  # there is no error
    say(f"{folder.address}: shard {shard}: {done.record.written.images} images, {done.record.size_bytes} bytes")


def _tell(target: str, outcome: Outcome, as_json: bool) -> None:
    """The end: what is there, what is missing; exit code 1 for the latter."""
    from vaecodec.sharding.run import missing_lines

    done = outcome.progress
    whole = outcome.manifest is not None
    if as_json:
        missing = [{"shard": shard, "error": error} for shard, error in sorted(outcome.missing.items())]
        misfits = sum(len(record.written.misfits) for record in outcome.records)
        click.echo(
            json.dumps(
                {
                    "event": "end",
                    "whole": whole,
                    **_counts(done),
                    "retried": outcome.retried,
                    "misfits": misfits,
                    "missing": missing,
                }
            )
        )
    say(f"{target}: {done.there + done.made} of {done.shards} shards, {_line(done)}")
    poor = [name for record in outcome.records for name in record.written.misfits]
    if poor:
        warn(
            "vaecodec: warning: images of a kind that the model was not made for (misfits in the shards' records), "
            f"e.g. {plain(poor[0])}"
        )
    for line in missing_lines(outcome):
        warn(f"missing\t{plain(line)}")
    if not whole:
        warn(f"vaecodec: error: {target}: {len(outcome.missing)} of {done.shards} shards missing; --resume makes them")
        raise click.exceptions.Exit(1)


def _attempt(done: Attempt) -> dict[str, Any]:
    record = done.record
    return {
        "shard": done.shard,
        "made": record is not None,
        "error": done.error or None,
        "psnr_db": None if record is None else record.written.psnr_db,
        "shard_s": round(done.elapsed_s, 3),
    }


def _counts(done: Done) -> dict[str, Any]:
    return {
        "shards": done.shards,
        "there": done.there,
        "done": done.there + done.made,
        "failed": done.failed,
        "images": done.images,
        "all_images": done.all_images,
        "size_bytes": done.size_bytes,
        "source_bytes": done.source_bytes,
        "images_per_s": round(done.images_per_s, 1),
        "elapsed_s": round(done.elapsed_s, 3),
        "left_s": None if done.left_s is None else round(done.left_s, 1),
    }


def _line(done: Done) -> str:
    """One line of progress."""
    ratio = f", {done.source_bytes / done.size_bytes:.1f} times smaller" if done.size_bytes else ""
    left = "" if not done.left_s else f", {done.left_s:.0f} s left"
    failed = f", {done.failed} shards failed" if done.failed else ""
    return f"{done.images} of {done.all_images} images, {done.images_per_s:.0f} images/s{ratio}{left}{failed}"
