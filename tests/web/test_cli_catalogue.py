"""``wengang catalogue``: any file and folder judged, any table tried, within time and memory."""

from __future__ import annotations

import json
import os
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webapp.bounded import Exceeded, bounded
from webapp.cli import main

REWARD = Path(str(files("bpmn"))) / "one_time_reward"
OPEN = REWARD / "reward_open.dmn"


def wengang(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    assert "Traceback" not in result.output
    return result


def judged(*paths: object, status: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        wengang("catalogue", "lint", "--json", *paths, status=status).stdout
    )
    return found


def test_files_and_folders_are_walked_and_each_gets_its_verdict(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    shutil.copy(OPEN, inner / "good.dmn")
    shutil.copy(REWARD / "process.bpmn", tmp_path / "PROCESS.BPMN")
    (tmp_path / "broken.bpmn").write_text("<definitions>")
    (tmp_path / "other.xml").write_text("<project/>")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    found = judged(tmp_path, tmp_path / "nobody.dmn", status=1)
    assert [(Path(one["file"]).name, one["kind"], one["verdict"]) for one in found] == [
        ("PROCESS.BPMN", "bpmn", "accepted"),
        ("broken.bpmn", "bpmn", "refused"),
        ("good.dmn", "dmn", "accepted"),
        ("nobody.dmn", "", "refused"),
    ]
    assert all(one["problems"][0]["reason"] for one in found if not one["accepted"])
    said = wengang("catalogue", "lint", tmp_path, status=1)
    assert "broken.bpmn" in said.stdout
    assert "没有问题" in said.stderr


def test_a_folder_of_a_process_is_judged_whole(tmp_path: Path) -> None:
    shutil.copytree(REWARD.parent, tmp_path / "bpmn")
    shutil.copytree(str(files("forms")), tmp_path / "forms")
    process = tmp_path / "bpmn" / "one_time_reward"
    assert [(one["kind"], one["accepted"]) for one in judged(process)] == [("process", True)]
    (process / "reward_open.dmn").unlink()
    (found,) = judged(process, status=1)
    assert any("reward_open" in one["reason"] for one in found["problems"])
    (process / "process.bpmn").unlink()
    (found,) = judged(process, status=1)
    assert any("process.bpmn" in one["reason"] for one in found["problems"])


def test_a_table_is_tried(tmp_path: Path) -> None:
    answer = json.loads(
        wengang(
            "catalogue", "decide", REWARD.parent / "shared/worker_age.dmn", "--input", '{"age": 15}'
        ).stdout
    )
    assert (answer["ok"], answer["outputs"], [rule["id"] for rule in answer["rules"]]) == (
        True,
        {"result": "fails"},
        ["age_under_16"],
    )
    given = tmp_path / "facts.json"
    given.write_text('{"age": 61.5}', encoding="utf-8")
    table = REWARD.parent / "shared/worker_age.dmn"
    assert json.loads(wengang("catalogue", "decide", table, "--input", f"@{given}").stdout)["ok"]


@pytest.mark.parametrize(
    ("file", "arguments", "part"),
    [
        ("shared/worker_age.dmn", ["--input", "{}"], "没有提供"),
        ("shared/worker_age.dmn", ["--input", "nonsense"], "JSON"),
        ("shared/worker_age.dmn", ["--input", "@/no/such/file"], "读不出输入文件"),
        ("shared/worker_age.dmn", ["--decision", "nobody", "--input", "{}"], "nobody"),
        ("one_time_reward/process.bpmn", ["--input", "{}"], "不是 DMN"),
        ("nothing.dmn", ["--input", "{}"], "不存在"),
    ],
)
def test_what_cannot_be_answered_says_why(file: str, arguments: list[str], part: str) -> None:
    result = wengang("catalogue", "decide", REWARD.parent / file, *arguments, status=1)
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert part in answer["problems"][0]["reason"]
    assert part in result.stderr


def test_what_is_no_file_and_what_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.dmn")
    closed = tmp_path / "closed"
    closed.mkdir()
    foreign = os.fsdecode(b"\xd6\xd0.dmn")
    (tmp_path / foreign).write_text("<x")
    scandir = os.scandir

    def refuse(place: str) -> Any:
        if str(place) == str(closed):
            raise PermissionError(13, "no", str(closed))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    found = judged(tmp_path, "/dev/zero", status=1)
    reasons = {Path(one["file"]).name: one["problems"][0]["reason"] for one in found}
    assert "读不出来" in reasons["pipe.dmn"]
    assert "文件夹读不出来" in reasons["closed"]
    assert "读不出来" in reasons["zero"]
    assert "XML" in reasons[foreign]
    for facts in ('{"\\ud800": 1, "\\ud800": 2}', "@/dev/zero", f"@{tmp_path}/pipe.dmn"):
        said = wengang("catalogue", "decide", OPEN, "--input", facts, status=1)
        assert json.loads(said.stdout)["ok"] is False


def test_work_without_end_is_ended() -> None:
    def turn() -> None:
        while True:
            pass

    assert bounded(lambda: 6 * 7) == 42
    with pytest.raises(Exceeded):
        bounded(turn, seconds=1)
    with pytest.raises(Exceeded):
        bounded(lambda: len(bytearray(2**31)), memory=2**28)
