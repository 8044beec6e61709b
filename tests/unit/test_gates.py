"""The gates of ``script/test`` shut: a run that skipped, or that covers too little, does not pass for a good one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HALF = "def half(yes):\n    if yes:\n        return 1\n    return 2\n"
#: Only what the gates need: the other plugins take a second each time.
PLUGINS = ("-p", "no:cacheprovider", "-p", "xdist", "-p", "pytest_cov")
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}


def run(folder: Path, test: str, *arguments: str, ci: bool = False) -> subprocess.CompletedProcess[str]:
    """pytest in a small project of its own, with the plugins of this one."""
    (folder / "part").mkdir()
    (folder / "part" / "__init__.py").write_text(HALF, "utf-8")
    (folder / "test_part.py").write_text(test, "utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGINS, *arguments],
        cwd=folder,
        env=environment
        | {"PYTHONPATH": str(ROOT), "CI": "true" if ci else "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


SKIPS = {
    "a test": "import pytest\n@pytest.mark.skip(reason='no Chromium')\ndef test_page(): ...\ndef test_other(): ...\n",
    "a whole module": "import pytest\npytest.skip('no Chromium', allow_module_level=True)\n",
    "a missing package": "import pytest\npytest.importorskip('chromium_of_nobody', reason='no Chromium')\n",
}


@pytest.mark.parametrize("what", SKIPS)
def test_a_skip_fails_where_nobody_watches(tmp_path: Path, what: str) -> None:
    done = run(tmp_path, SKIPS[what], "-p", "tests.plugins.no_skips", ci=True)
    assert done.returncode != 0
    assert re.search(r"1 SKIPPED: which fails this run", done.stdout)
    assert re.search(r"not run: test_part.py.*no Chromium", done.stdout)


@pytest.mark.parametrize("what", ["a test", "a whole module"])
def test_a_skip_on_a_workers_process_fails_too(tmp_path: Path, what: str) -> None:
    done = run(tmp_path, SKIPS[what], "-p", "tests.plugins.no_skips", "-n", "1", ci=True)
    assert done.returncode != 0
    assert re.search(r"not run: test_part.py.*no Chromium", done.stdout)


def test_a_skip_is_said_loudly_where_somebody_watches(tmp_path: Path) -> None:
    done = run(tmp_path, SKIPS["a test"], "-p", "tests.plugins.no_skips")
    assert done.returncode == 0
    assert "!! 1 SKIPPED: this run does not show that all is well !!" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 passed, 1 skipped"), "the runner's line comes last"


HALF_TESTED = "from part import half\ndef test_half():\n    assert half(True) == 1\n"
FLOOR = ("-p", "tests.plugins.floors", "--cov=part", "--cov-branch", "--cov-report=")


@pytest.mark.parametrize("spread", [(), ("-n", "1")])
def test_a_part_under_its_floor_fails_though_the_whole_is_well(
    tmp_path: Path, spread: tuple[str, ...]
) -> None:
    done = run(tmp_path, HALF_TESTED, *FLOOR, "--floor", ".=50", "--floor", "part=100", *spread)
    assert done.returncode == 1
    assert re.search(r"coverage of everything: \d\d\.\d\d % \(floor 50 %: reached\)", done.stdout)
    assert re.search(r"coverage of part: \d\d\.\d\d % \(floor 100 %: TOO LOW", done.stdout)
    assert done.stdout.splitlines()[-1].startswith("1 passed"), "the runner's line comes last"


def test_a_part_that_is_covered_passes(tmp_path: Path) -> None:
    done = run(tmp_path, HALF_TESTED + "    assert half(False) == 2\n", *FLOOR, "--floor", "part=100")
    assert (done.returncode, "coverage of part: 100.00 % (floor 100 %: reached)" in done.stdout) == (0, True)


def test_a_floor_without_any_measurement_is_not_reached(tmp_path: Path) -> None:
    done = run(tmp_path, HALF_TESTED, "-p", "tests.plugins.floors", "--floor", "part=1")
    assert done.returncode == 1
    assert "coverage of part: 0.00 %" in done.stdout


def test_a_floor_is_a_figure(tmp_path: Path) -> None:
    done = run(tmp_path, HALF_TESTED, "-p", "tests.plugins.floors", "--floor", "part")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--floor part: say FOLDER=PERCENT" in done.stderr


def test_every_gate_stands_in_the_script() -> None:
    """``.ci/run`` runs what everybody runs, and that is everything quality needs."""
    script = (ROOT / "script" / "test").read_text("utf-8")
    gates = re.findall(r"^gate (.+)$", script, re.M)
    assert gates == [
        "ruff format --check .",
        "ruff check .",
        "mypy",
        "lint-imports",
        "wengang catalogue lint",
    ]
    assert re.search(r"^floors=\(.*--floor forms=\d", script, re.M)
    assert "exec script/test" in (ROOT / ".ci" / "run").read_text("utf-8")
