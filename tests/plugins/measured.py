"""Coverage is measured once: not again on PostgreSQL, in the browser, or where other processes do the work.

Measuring makes a test half as slow again, and these run code that the others ran already. Loaded by ``script/test``.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

#: Folders whose tests walk through what other tests measure.
ELSEWHERE = {"browser", "faults"}


def _again(item: pytest.Item) -> bool:
    """Whether a test runs what is measured elsewhere."""
    folder = Path(item.path).relative_to(item.config.rootpath / "tests").parts[0]
    return folder in ELSEWHERE or item.get_closest_marker("postgres") is not None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Leave such a test out, with what its fixtures do."""
    controller = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if controller is None or not _again(item):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()
