"""docs/reliability.md, of what is stored in results/.

python -m benchmarks.reliability [--check]
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages.page import out_of_date, write_pages
from benchmarks.pages.reliability_page import PAGE, render


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; with --check, 1 where it is not what the results say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is up to date")
    options = parser.parse_args(arguments)
    fresh = {PAGE: render(RESULTS)}
    if options.check:
        for path in out_of_date(fresh):
            print(f"{path} is not what the results say: python -m benchmarks.reliability")
        return int(bool(out_of_date(fresh)))
    write_pages(fresh)
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
