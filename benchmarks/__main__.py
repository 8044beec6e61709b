"""``script/bench [NAME …] [--quick]``: one JSON object a line while it runs, a table for people at the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

from benchmarks import (
    batch_release,
    case_bytes,
    case_throughput,
    cockpit,
    grant_lookup,
    page_http,
    payroll,
    pdf_render,
    rework_growth,
    roster_import,
    roster_size,
    worklist_growth,
    writer_fairness,
)
from benchmarks.figures import Figure, table
from benchmarks.world import World, world

BENCHMARKS: Mapping[str, Callable[..., Iterator[Figure]]] = {
    "case_throughput": case_throughput.run,
    "worklist_growth": worklist_growth.run,
    "writer_fairness": writer_fairness.run,
    "case_bytes": case_bytes.run,
    "rework_growth": rework_growth.run,
    "roster_size": roster_size.run,
    "roster_import": roster_import.run,
    "pdf_render": pdf_render.run,
    "page_http": page_http.run,
}
#: Larger questions of single parts: asked by name, or with ``--all``.
FURTHER: Mapping[str, Callable[..., Iterator[Figure]]] = {
    "payroll_size": payroll.run_size,
    "attendance_import": payroll.run_import,
    "grant_lookup": grant_lookup.run,
    "batch_release": batch_release.run,
    "cockpit": cockpit.run,
}


def main() -> int:
    """Run what is asked for. A goal that is missed is said, not punished: the figures decide what to do about it."""
    parser = argparse.ArgumentParser(
        prog="script/bench", description="性能测试：每个数字都与同时测得的基准相比。"
    )
    every = {**BENCHMARKS, **FURTHER}
    parser.add_argument("names", nargs="*", metavar="NAME", help="、".join(every))
    parser.add_argument("--all", action="store_true", help="也测只在点名时才测的大项")
    parser.add_argument("--quick", action="store_true", help="小规模试跑，数字不作数")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in every]
    if unknown:
        parser.error(f"没有这项测试：{'、'.join(unknown)}；可选：{'、'.join(every)}")
    figures: list[Figure] = []
    with world() as place:
        for name in asked.names or (every if asked.all else BENCHMARKS):
            figures += _measured(every[name], place, quick=asked.quick)
    sys.stdout.write(f"\n{table(figures)}\n")
    return 0


def _measured(benchmark: Callable[..., Iterator[Figure]], place: World, *, quick: bool) -> Iterator[Figure]:
    for figure in benchmark(place, quick=quick):
        sys.stdout.write(f"{figure.line()}\n")
        sys.stdout.flush()
        yield figure


if __name__ == "__main__":
    sys.exit(main())
