"""Coverage is measured once: not again on PostgreSQL, in the browser, in walks that others made before, or where other processes work.

Measuring makes a test half as slow again, and these run code that the others ran already. Loaded by ``script/test``.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

#: Folders whose tests walk through what other tests measure.
ELSEWHERE = {"browser", "faults"}
#: Parts of the names of modules that walk the whole house once more: by chance, with hostile texts, as everybody.
AGAIN = ("machine", "hostile_text", "invariant_07", "invariant_12")


def _again(item: pytest.Item) -> bool:
    """Whether a test runs what is measured elsewhere."""
    folder = Path(item.path).relative_to(item.config.rootpath / "tests").parts[0]
    again = any(part in Path(item.path).name for part in AGAIN)
    return again or folder in ELSEWHERE or item.get_closest_marker("postgres") is not None


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
