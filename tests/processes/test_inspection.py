"""检查档案: everything about the wages of a project in one zip that verifies without the system, and shows every change."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from workflows.audit.anchors import make_anchor
from workflows.base import clock
from workflows.base.errors import Forbidden, Invalid, NotFound
from workflows.base.session import Database
from workflows.cases.inspection import inspection_archive
from workflows.cases.jobs import chain_heads
from workflows.cases.model import Unmasking
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.funds.model import Payable
from workflows.organisations.actors import Actor
from workflows.registers.project_model import Project

from .stage import actor, county_of, unsigned

PAYROLL = Scenarios.read("work_relief_payroll")
Mover = Callable[[timedelta], None]


def paid_project(database: Database, move: Mover) -> int:
    """A project with a payroll that is paid, one row bounced once; its key."""
    county = county_of(database)
    run = Run(database, unsigned, PAYROLL, county.employers[1].id, county.county_code, move)
    run.run(PAYROLL.get("straight"))
    with database.transaction() as session:
        make_anchor(session, lambda names: chain_heads(session, names))
        return session.scalars(select(Project.id)).one()


def paper_of_its_own(template: object, context: dict[str, Any]) -> bytes:
    """Papers differ, as real ones do."""
    return b"%PDF-1.4 " + str(context["title"]).encode()


def unpacked(database: Database, folder: Path, who: str = "shuili.clerk") -> Path:
    with database.transaction() as session:
        project = session.scalars(select(Project.id)).one()
        archive = inspection_archive(session, actor(session, who), project, "工资支付专项检查", unsigned)
    assert archive.name.endswith(".zip")
    zipfile.ZipFile(io.BytesIO(archive.content)).extractall(folder)
    return folder


def verified(folder: Path) -> tuple[int, str]:
    """Run the check that lies in the archive, as an inspector would: another program, no path to ours."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "核验.py")],
        capture_output=True,
        cwd="/",
        env={"PYTHONIOENCODING": "utf-8"},
    )
    return done.returncode, done.stdout.decode("utf-8") + done.stderr.decode("utf-8")


def test_the_archive_has_everything_and_verifies_alone(
    published_sqlite: Database, papers_unrendered: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workflows.cases.inspection.render", paper_of_its_own)
    monkeypatch.setattr("workflows.documents.issue.render", paper_of_its_own)
    with clock.frozen(opening_instant(PAYROLL.get("straight"))) as move:
        project = paid_project(published_sqlite, move)
        folder = unpacked(published_sqlite, tmp_path / "archive")
        with published_sqlite.transaction() as session:
            assert [one.reason for one in session.scalars(select(Unmasking))] == ["工资支付专项检查"]
            with pytest.raises(Invalid):
                inspection_archive(session, actor(session, "shuili.clerk"), project, " ", unsigned)
            stranger = Actor(1, "外人", "officer")
            with pytest.raises(Forbidden):
                inspection_archive(session, stranger, project, "看看", unsigned)
            with pytest.raises(NotFound):
                inspection_archive(session, actor(session, "shuili.clerk"), project + 9, "检查", unsigned)
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert {"台账.xlsx", "核验.py", "使用说明.txt", "SHA256SUMS", "清单（已签章）.pdf"} <= names
    assert sum(name.startswith("文书/") for name in names) == 4
    assert any(name.startswith("材料/") for name in names)
    code, told = verified(folder)
    assert code == 0, told
    assert "没有发现问题" in told
    assert "文书：4 份相符" in told
    head, *rows = list(openpyxl.load_workbook(folder / "台账.xlsx").active.values)
    lines = [dict(zip(head, row, strict=True)) for row in rows]
    with published_sqlite.reading() as session:
        payables = session.scalars(
            select(Payable).where(Payable.state == "paid").order_by(Payable.row_id)
        ).all()
        numbers = [
            str(row.values["id_number"])
            for row in session.scalars(select(RosterRow).order_by(RosterRow.number))
        ]
    assert [line["身份证号"] for line in lines] == numbers[: len(lines)]
    assert [round(line["实发（元）"] * 100) for line in lines] == [one.amount_fen for one in payables]
    assert {line["发放情况"] for line in lines} == {"已支付"}
    assert all(line["银行流水号"] and line["月份和批次"] == "2026年4月 本月工资" for line in lines)
    for change, found in CHANGES.items():
        broken = tmp_path / change.__name__
        for name in names:
            target = broken / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((folder / name).read_bytes())
        change(broken)
        code, told = verified(broken)
        assert code == 1, (change.__name__, told)
        assert found in told, (change.__name__, told)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _write(file: Path, lines: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), encoding="utf-8")
    _sums_again(file.parent.parent)


def _sums_again(folder: Path) -> None:
    """Somebody who changes a file writes its new sum too: only the chain says so then."""
    lines = []
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        path = line.partition("  ")[2]
        if (folder / path).is_file():
            lines.append(f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}")
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _first(folder: Path, pattern: str) -> Path:
    return sorted((folder / "存证").glob(pattern))[0]


def a_ledger_is_altered(folder: Path) -> None:
    (folder / "台账.xlsx").write_bytes(b"other")


def a_paper_is_exchanged(folder: Path) -> None:
    sorted((folder / "文书").glob("*.pdf"))[0].write_bytes(b"%PDF-1.4 other")
    _sums_again(folder)


def a_paper_is_taken_out(folder: Path) -> None:
    sorted((folder / "文书").glob("*.pdf"))[0].unlink()
    _sums_again(folder)


def an_event_is_altered(folder: Path) -> None:
    file = _first(folder, "*-事件.jsonl")
    lines = _lines(file)
    lines[1]["at"] = "2020-01-01T00:00:00+00:00"
    _write(file, lines)


def an_event_is_taken_out(folder: Path) -> None:
    file = _first(folder, "*-事件.jsonl")
    lines = _lines(file)
    _write(file, lines[:2] + lines[3:])


def the_end_of_the_chain_is_cut(folder: Path) -> None:
    file = _first(folder, "*-事件.jsonl")
    _write(file, _lines(file)[:-4])


def an_amount_is_altered(folder: Path) -> None:
    file = _first(folder, "资金*-内容.jsonl")
    lines = _lines(file)
    payable = next(one for one in lines if one["table"] == "payables")
    payable["values"]["amount_fen"] += 100
    _write(file, lines)


def a_file_is_put_in(folder: Path) -> None:
    (folder / "文书/另一份.pdf").write_bytes(b"%PDF-1.4 more")


def a_seal_is_altered(folder: Path) -> None:
    file = folder / "存证/每日封存.jsonl"
    lines = _lines(file)
    lines[0]["day"] = date(2020, 1, 1).isoformat()
    _write(file, lines)


CHANGES: dict[Callable[[Path], None], str] = {
    a_ledger_is_altered: "文件被改动：台账.xlsx",
    a_paper_is_exchanged: "文书不是系统签发时的文件",
    a_paper_is_taken_out: "缺少一份文书",
    an_event_is_altered: "操作记录被改动",
    an_event_is_taken_out: "前后接不上",
    the_end_of_the_chain_is_cut: "封存时的记录与档案不符",
    an_amount_is_altered: "内容与操作记录不符：payables",
    a_file_is_put_in: "多出来的文件",
    a_seal_is_altered: "每日封存被改动",
}
