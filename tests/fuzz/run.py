"""Coverage-guided fuzzing of everything that reads a stranger's bytes (atheris, which is libFuzzer for Python).

python -m tests.fuzz.run [--seconds N] [TARGET ...]

Each target has its share of the time, in a process of its own. It begins with the sound files of targets.py and with
corpus/TARGET/; inputs that reach new code are kept in runs/fuzz/TARGET/ for the next run, and what raises a foreign
error, takes 10 s or 1.5 GB lies in runs/fuzz/findings/. Ends with 1 where there is such a thing.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).resolve().parent / "corpus"
WORK = ROOT / "runs" / "fuzz"
TARGETS = (
    "stream",
    "picture",
    "archive",
    "model",
    "photograph-model",
    "graph",
    "weights",
    "idx",
    "npz",
    "pack",
)
LONGEST_S, MOST_MIB = 10, 1500


def fuzz(name: str, seconds: int, seed: int) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["vaecodec"]):
        from tests.fuzz.targets import targets
        from vaecodec.errors import VaecodecError

    target = targets()[name]
    kept, seeds = WORK / name, WORK / "seeds" / name
    for folder in (kept, seeds, WORK / "findings"):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(data)

    def read(data: bytes) -> None:
        try:
            target.read(data)
        except VaecodecError:
            return

    folders = [kept, seeds, *[CORPUS / name] * (CORPUS / name).is_dir()]
    options = {
        "max_total_time": seconds,
        "max_len": target.most_bytes,
        "timeout": LONGEST_S,
        "rss_limit_mb": MOST_MIB,
        "print_final_stats": 1,
        "seed": seed,
        "artifact_prefix": f"{WORK / 'findings' / name}-",
    }
    atheris.Setup([name, *(f"-{key}={value}" for key, value in options.items()), *map(str, folders)], read)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all without")
    parser.add_argument("--seconds", type=int, default=600, help="of all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="one target, in this process")
    arguments = parser.parse_args()
    chosen = arguments.targets or list(TARGETS)
    if unknown := set(chosen) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    seconds = max(1, arguments.seconds // len(chosen))
    if arguments.here:
        fuzz(chosen[0], seconds, arguments.seed)
    from tests.fuzz import samples

    failed = []
    with samples.all_installed():
        for name in chosen:
            command = [sys.executable, "-m", "tests.fuzz.run", name, "--here"]
            command += ["--seconds", str(seconds), "--seed", str(arguments.seed)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
            said = done.stderr.splitlines()
            print(f"{name}: {_summary(said)}", flush=True)
            if done.returncode:
                failed.append(name)
                print("\n".join([*done.stdout.splitlines()[-30:], *said[-40:]]), file=sys.stderr)
    return int(bool(failed))


def _summary(said: list[str]) -> str:
    """How many inputs were tried and kept, and how much of the code was reached."""
    stats = {line.split(":")[1]: line.split()[-1] for line in said if line.startswith("stat::")} if said else {}
    wanted = ("number_of_executed_units", "new_units_added", "slowest_unit_time_sec", "peak_rss_mb")
    found = dict(line.removeprefix("stat::").split(":") for line in said if line.startswith("stat::"))
    edges = [line.split("cov: ")[1].split()[0] for line in said if "cov: " in line]
    numbers = ", ".join(f"{key} {found[key].strip()}" for key in wanted if key in found)
    return f"{numbers}, coverage {edges[-1] if edges else 'none'}" if stats else "it ended early"


if __name__ == "__main__":
    sys.exit(main())
