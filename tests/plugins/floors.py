"""Floors of coverage, one for each part of the house: ``--floor forms=100``; ``--floor .=95`` is for the whole.

Loaded by ``script/test`` for whole runs. pytest-cov knows one floor for everything, under which a room could rot.
"""

from __future__ import annotations

import io

import pytest
from coverage.exceptions import CoverageException

REACHED = pytest.StashKey[list[tuple[str, float, float]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--floor", action="append", default=[], metavar="FOLDER=PERCENT", help="least coverage of a folder"
    )


def pytest_configure(config: pytest.Config) -> None:
    for floor in config.getoption("--floor"):
        _parsed(floor)


def _parsed(floor: str) -> tuple[str, float]:
    folder, _, percent = floor.partition("=")
    try:
        return folder, float(percent)
    except ValueError:
        raise pytest.UsageError(f"--floor {floor}: say FOLDER=PERCENT") from None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare, once the workers' figures are in; a run that was green fails under a floor."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    reached = [
        (folder, floor, _covered(session.config, folder))
        for folder, floor in map(_parsed, session.config.getoption("--floor"))
    ]
    session.config.stash[REACHED] = reached
    if session.exitstatus == pytest.ExitCode.OK and any(covered < floor for _, floor, covered in reached):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _covered(config: pytest.Config, folder: str) -> float:
    controller = getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if controller is None:
        return 0.0
    try:
        return float(
            controller.cov.report(include=None if folder == "." else [f"{folder}/*"], file=io.StringIO())
        )
    except CoverageException:
        return 0.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for folder, floor, covered in config.stash.get(REACHED, []):
        name = "everything" if folder == "." else folder
        low = covered < floor
        verdict = "TOO LOW, tests are missing" if low else "reached"
        terminalreporter.write_line(
            f"coverage of {name}: {covered:.2f} % (floor {floor:g} %: {verdict})", red=low, green=not low
        )
