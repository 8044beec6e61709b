"""A skipped test is a test that nobody runs: it is said loudly at the end, and where nobody watches the run fails.

Loaded by ``script/test``. ``CI=true`` says that nobody watches.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped, and why (xdist hands the reports of its workers to the main process)."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _remember(report.nodeid, report.longrepr)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that skips itself whole is not even collected."""
    if report.skipped:
        _remember(report.nodeid, report.longrepr)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist says nothing of modules that a worker did not collect: the worker does."""
    for line in getattr(node, "workeroutput", {}).get("skipped", []):
        _keep(line)


def _remember(name: str, why: object) -> None:
    _keep(f"{name}: {why[2] if isinstance(why, tuple) else why}")


def _keep(line: str) -> None:
    if line not in _skipped:
        _skipped.append(line)


def nobody_watches() -> bool:
    return os.environ.get("CI") == "true"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _skipped:
        return
    verdict = "which fails this run" if nobody_watches() else "this run does not show that all is well"
    terminalreporter.section(f"{len(_skipped)} SKIPPED: {verdict}", sep="!", red=True, bold=True)
    for line in _skipped:
        terminalreporter.write_line(f"not run: {line}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["skipped"] = _skipped
    elif _skipped and nobody_watches() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
