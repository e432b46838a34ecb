"""docs/reliability.md, from what was run: the results that PARTS names."""

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measuring.machine import ROOT
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET, Result, read

PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# Reliability

Made by `python -m benchmarks.reliability` from benchmarks/results/, where each number has its command, seed, versions
and machine. A row with something wrong is shown as it is; what is known to stay broken stands at the end."""
KNOWN = """## What stays as it is

- A killed process leaves its temporary file, `.vaecodec-PROCESS-RANDOM.tmp`, beside the output; the next command that
  writes into that folder an hour later removes it. Nothing removes it where no command comes.
- A kill within the last millisecond of a command that writes two files (`report`: the page and its numbers) leaves the
  first without the second.
- Where a file system has no hard links, a new file's name is reserved by an empty file, which a kill in that moment
  leaves.
- Photograph weights of more than 15 MB are several files, `weights-0.npz`, `weights-1.npz`, …: a kill between them
  leaves one of this checkpoint beside one of the last. Each says which it is of, and they are refused together;
  `train --resume` reads none of them, and writes all anew.
- Ctrl-C before Python has begun to import `vaecodec` is Python's own traceback: nothing of ours runs yet.
- numpy 2.5 has no kernel Prescott in its OpenBLAS any more. `OPENBLAS_CORETYPE=Prescott` makes it take another one,
  which ends the process in a plain product of two small float32 matrices, without this package.
- Free-threaded Python (3.13t) was not tried: neither Debian 12 and 13 nor PyPI have it, and onnxruntime has no wheel
  for it.
- x87 arithmetic (32-bit x86 without SSE2) was not run. Whole numbers below 2^53 are exact in its 80 bits too, so that
  nothing should differ; a model's known answers are compared before its first use there as everywhere.
- What a library does below Python, such as a socket of ONNX Runtime's own, is not seen by the test that refuses
  sockets."""


def render(folder: Path) -> str:
    """The page, from the results in a folder; a result that is not there is said to be missing."""
    parts = [HEAD]
    for title, name, table in PARTS:
        results = [found for path in sorted(folder.glob(f"{name}.json")) if (found := read(path)) is not None]
        body = "\n\n".join(table(results)) if results else NOT_YET
        parts.append(f"## {title}\n\n{body}")
    return "\n\n".join([*parts, KNOWN]) + "\n"


def mutants(results: list[Result]) -> Iterator[str]:
    """Damaged and forged files."""
    yield (
        "A mutant is a golden file with bits, bytes, fields, blocks or regions changed; a re-checked one has "
        "its checksums made right again. Each must give one of our errors or the right picture; what passes a "
        "check that was made again is another valid file."
    )
    rows = [
        (
            kind,
            f"{found['mutants']:,}",
            f"{sum(found['refused'].values()):,}",
            f"{found['right']:,}",
            f"{found['another_valid_file']:,}",
            f"{found['faults']:,}",
            f"{found['slowest_s']:.2f}",
        )
        for result in results
        for kind, found in result["kinds"].items()
    ]
    yield markdown(("files", "mutants", "refused", "right", "another valid file", "wrong", "slowest, s"), rows)


def kills(results: list[Result]) -> Iterator[str]:
    """SIGKILL."""
    total = sum(result["kills"] for result in results)
    yield (
        f"{total:,} kills at random moments. After each, the output is the old file or the whole new one; an "
        "archive that was appended to is the old one or the new one, every block whole; a killed training goes "
        "on with `--resume`, and ends with the weights and the model file, bit for bit, of one that nobody "
        "killed."
    )
    rows = [
        (
            result["name"],
            str(result["kills"]),
            str(result["left_behind"]),
            "yes" if result["removed_later"] else "NO",
            str(len(result["wrong"])),
        )
        for result in results
    ]
    yield markdown(("command", "kills", "temporary files left", "removed later", "wrong"), rows)


def endings(results: list[Result]) -> Iterator[str]:
    """SIGTERM, SIGHUP, SIGINT."""
    yield (
        "A command that a signal ends leaves the old file or the new one and nothing beside it, says so in one "
        "line and has the signal's exit code. Ctrl-C also came within the import of modules that were chosen at "
        "random."
    )
    for result in results:
        rows = [
            (f"{command}, {name}", str(found["ended"]), str(len(found["wrong"])))
            for command, signals in result["signals"].items()
            for name, found in signals.items()
        ]
        rows += [
            (
                f"{command}, Ctrl-C in one of {found['imports_of_a_run']} imports",
                str(found["interrupted"]),
                str(len(found["wrong"])),
            )
            for command, found in result["imports"].items()
        ]
        yield markdown(("command and signal", "ended", "wrong"), rows)


def faults(results: list[Result]) -> Iterator[str]:
    """Disks, inputs and pipes."""
    yield (
        "A command that cannot do its work says so in one line, ends with code 1 and leaves what was there. One "
        "whose input changes while it reads says so, or has done one of the input's versions."
    )
    for result in results:
        rows = [
            (kind, "left out: " + found["left_out"], "", "", "")
            if "left_out" in found
            else (kind, str(found["runs"]), str(found["refused"]), str(found["done"]), str(len(found["wrong"])))
            for kind, found in result["kinds"].items()
        ]
        yield markdown(("fault", "runs", "said so", "done all the same", "wrong"), rows)


def sharing(results: list[Result]) -> Iterator[str]:
    """Processes and threads."""
    yield "Workers over one codec of each kind and one archive, all at once; each must find what one finds alone."
    for result in results:
        rows = [
            (
                f"{run['method']}, {'after' if run['used_before'] else 'before'} first use",
                str(run["workers"]),
                str(run["different"]),
            )
            for run in result["runs"]
        ]
        yield markdown(("workers", "number", "different"), rows)


def portability(results: list[Result]) -> Iterator[str]:
    """Other numerical libraries, kernels and machines."""
    for result in results:
        ran = [row for row in result["engines"] if "left_out" not in row]
        yield (
            "All golden files of both versions, and streams of the released models, decoded by each engine: symbols, "
            "pixels, and the bytes that golden symbols and pixels are encoded to. Of photographs and of the released "
            f"models' streams the emulated machine decodes every {max(row['every'] for row in ran)}th."
        )
        rows = [
            (
                row["engine"],
                row["architecture"],
                row["numpy"],
                row["blas_kernel"],
                row["coder"],
                str(row["comparisons"]),
                str(len(row["different"])),
            )
            for row in ran
            if row["comparisons"]
        ]
        head = ("engine", "machine", "numpy", "BLAS kernel", "coder", "compared", "different")
        yield markdown(head, rows)
        notes = [f"- {row['engine']}: left out, {row['left_out']}" for row in result["engines"] if "left_out" in row]
        notes += [f"- {row['engine']}: FAILED, {row['different'][0]}" for row in ran if not row["comparisons"]]
        if notes:
            yield "\n".join(notes)


def installs(results: list[Result]) -> Iterator[str]:
    """Empty environments."""
    for result in results:
        yield (
            f"The wheel ({result['wheel_bytes'] / 1e6:.1f} MB) in an empty environment: a digit and a photograph "
            "there and back, and an archive, with every socket refused."
        )
        rows = [
            (
                row["python"],
                str(len(row["packages"])),
                ", ".join(row["brings_training"]) or "none",
                row["failure"] or "works",
            )
            for row in result["pythons"]
            if "left_out" not in row
        ]
        yield markdown(("Python", "packages", "of training", "outcome"), rows)
        left = [f"- {row['asked']}: {row['left_out']}" for row in result["pythons"] if "left_out" in row]
        if left:
            yield "\n".join(left)


PARTS: tuple[tuple[str, str, Callable[[list[Result]], Iterator[str]]], ...] = (
    ("Damaged and forged files", "mutants", mutants),
    ("Kills", "kills-*", kills),
    ("Signals and Ctrl-C", "endings", endings),
    ("Disks, inputs and pipes", "faults", faults),
    ("Processes and threads", "sharing", sharing),
    ("Other engines and machines", "portability", portability),
    ("Installs", "installs", installs),
)
