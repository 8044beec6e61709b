"""The ``wengang`` command: what it prints where, and how it ends."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select, text

from tests.conftest import TEST_KEYRING
from webapp.audit.words import EVENTS
from webapp.cli import main
from webapp.progress import Progress
from workflows.audit.model import Event
from workflows.base import installation
from workflows.base.clock import now
from workflows.base.privacy import Keyring, use_keyring
from workflows.base.session import Database
from workflows.cases.model import Case, WorkItem
from workflows.cases.project_overview import Wanted, project_page
from workflows.organisations.actors import Actor
from workflows.organisations.model import User
from workflows.registers.model import IdentitySnapshot
from workflows.registers.project_model import AttendanceMark

PROVINCE = Actor(None, "省级审计", "auditor", division_code="220000")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A demonstration in a folder of its own; what commands set for their process is taken back."""
    for name, value in {"WENGANG_DEMO": "1", "WENGANG_DATA_DIR": str(tmp_path), "PORT": "8123"}.items():
        monkeypatch.setenv(name, value)
    root, before = logging.getLogger(), installation._installation
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    installation._installation = before
    use_keyring(TEST_KEYRING)


def wengang(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def installed(_environment: None, tmp_path: Path) -> Iterator[Database]:
    """Keys and tables."""
    wengang("init-keys")
    wengang("migrate")
    database = Database(f"sqlite:///{tmp_path / 'wengang.db'}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demonstration, loaded once."""
    folder = tmp_path_factory.mktemp("demonstration")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WENGANG_DEMO": "1", "WENGANG_DATA_DIR": str(folder)}.items():
            patch.setenv(name, value)
        for command in (("init-keys",), ("migrate",), ("demo", "load")):
            wengang(*command)
    return folder


@pytest.fixture
def demonstrated(_environment: None, loaded: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of it."""
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    database = Database(f"sqlite:///{tmp_path / 'wengang.db'}")
    yield database
    database.close()


def test_keys_are_made_once(tmp_path: Path) -> None:
    assert "已生成密钥文件" in wengang("init-keys").stderr
    keys = (tmp_path / "keys.json").read_bytes()
    assert "没有改动" in wengang("init-keys").stderr
    assert (tmp_path / "keys.json").read_bytes() == keys


def test_a_missing_setting_is_said_without_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    result = wengang("check", status=1)
    assert "密钥文件不存在" in result.stderr
    assert "Traceback" not in result.output
    monkeypatch.delenv("WENGANG_DEMO")
    assert "请设置 WENGANG_PUBLIC_URL" in wengang("check", status=1).stderr


def test_migrating_publishes_what_changed(installed: Database) -> None:
    assert wengang("migrate").stderr == "数据库已是最新。\n"


@pytest.mark.parametrize("lost", ["DROP TABLE ledger_entries", "ALTER TABLE outbox DROP COLUMN last_error"])
def test_a_database_of_an_earlier_day_is_refused(installed: Database, lost: str) -> None:
    """The one migration before the first release calls it up to date; pages would break one by one."""
    with installed.engine.begin() as connection:
        connection.execute(text(lost))
    refused = wengang("migrate", status=1)
    assert "数据库由较早的开发版本建立" in refused.stderr
    assert ("ledger_entries" if "TABLE ledger" in lost else "outbox") in refused.stderr


def test_the_first_administrator(installed: Database) -> None:
    arguments = ("--username", "guanli", "--name", "管志远", "--kind", "admin", "--division", "220822")
    result = wengang("create-user", *arguments)
    assert len(result.stdout.strip()) == 19
    with installed.reading() as session:
        assert session.scalars(select(User.must_change_password)).one()
    result = wengang("create-user", *arguments, status=1)
    assert "已经使用" in result.stderr


def test_the_demonstration_has_cases_at_every_step_and_holds(demonstrated: Database) -> None:
    assert json.loads(wengang("check").stdout) == {"ok": True, "findings": []}
    assert json.loads(wengang("audit", "verify").stdout)["ok"]
    with demonstrated.reading() as session:
        waiting = set(session.scalars(select(WorkItem.step).where(WorkItem.closed_at.is_(None))))
        late = session.scalars(
            select(WorkItem.id).where(WorkItem.closed_at.is_(None), WorkItem.due_at < now())
        ).all()
        statuses = set(session.scalars(select(Case.status)))
        assert session.scalars(select(Event.id).where(Event.at > now())).all() == []
        assert set(session.scalars(select(Event.kind))) <= set(EVENTS), (
            "name the new events in webapp/audit/words.py"
        )
    assert waiting == {
        "application",
        "township_acceptance",
        "correction",
        "hrss_review",
        "rural_review",
        "site_check",
        "rectification",
        "meeting",
        "joint_issue",
        "acknowledge",
        "confirmation",
        "township_check",
    }
    assert late
    assert {"recognised", "publicised", "paying", "paid"} <= statuses


def test_the_demonstration_has_a_month_paid_and_wages_that_are_late(
    demonstrated: Database, tmp_path: Path
) -> None:
    use_keyring(Keyring.load(tmp_path / "keys.json"))
    with demonstrated.reading() as session:
        one, other = project_page(session, PROVINCE, Wanted()).lines[::-1]
        assert (one.figures.paid_fen, one.figures.owed_fen) == (11 * 22 * 180_00, 0)
        assert (one.figures.people, one.figures.poor) == (11, 8)
        assert [holder.office for holder in one.holders] == ["示范镇人民政府"]
        assert (other.figures.paid_fen, other.late) == (0, True)
        assert [holder.office for holder in other.holders] == ["施工单位"]
        assert session.scalar(select(func.count()).select_from(AttendanceMark)) == 2 * (11 + 6)


def test_the_demonstration_is_loaded_once(demonstrated: Database) -> None:
    with demonstrated.reading() as session:
        before = session.scalar(select(func.count()).select_from(Event))
    wengang("demo", "load")
    with demonstrated.reading() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == before
    assert "shifan.clerk" in wengang("demo", "accounts").stdout


def test_files_that_no_row_names_are_listed_and_then_deleted(demonstrated: Database, tmp_path: Path) -> None:
    def found(*arguments: str, status: int = 0) -> int:
        return int(
            json.loads(wengang("sweep-files", *arguments, status=status).stdout.splitlines()[0])["files"]
        )

    files = set((tmp_path / "files").glob("??/*"))
    orphan = tmp_path / "files" / "aa" / "orphan"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left by a crash")
    for path in (*files, orphan):
        os.utime(path, (0, 0))
    assert found() == 1
    assert orphan.exists()
    assert found("--delete") == 1
    assert set((tmp_path / "files").glob("??/*")) == files
    assert found("--delete") == 0


def test_the_files_of_another_database_are_left_alone(installed: Database, tmp_path: Path) -> None:
    orphan = tmp_path / "files" / "aa" / "orphan"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"of another database")
    os.utime(orphan, (0, 0))
    assert "请先确认数据库和数据目录是同一套" in wengang("sweep-files", "--delete", status=1).stderr
    assert orphan.exists()


def test_an_altered_row_is_named(demonstrated: Database) -> None:
    with demonstrated.transaction() as session:
        session.execute(text("update employers set name = '改动后的名称' where id = 1"))
    result = wengang("audit", "verify", status=1)
    assert not json.loads(result.stdout)["ok"]
    assert "被改动" in result.stderr


def test_demonstration_data_is_refused_elsewhere(
    installed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENGANG_DEMO", "0")
    monkeypatch.setenv("WENGANG_PUBLIC_URL", "https://wengang.example.gov.cn")
    assert "只能装入演示环境" in wengang("demo", "load", status=1).stderr


def test_a_list_of_identities_is_imported(demonstrated: Database, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    book = Workbook()
    book.active.append(["姓名", "身份证号", "类别", "村"])
    book.active.append(["测试甲", "220822199001011230", "脱贫人口", "前进村"])
    book.save(bad)
    arguments = ("--county", "220822", "--as-of", "2026-01-31", "--source", "测试名单")
    result = wengang("import-identities", str(bad), *arguments, status=1)
    assert "处问题" in result.stderr
    stream = io.BytesIO()
    book.active.cell(row=2, column=2).value = "22082219900101123" + _check_digit("22082219900101123")
    book.save(stream)
    good.write_bytes(stream.getvalue())
    result = wengang("import-identities", str(good), *arguments, status=1)
    assert "这份名单 1 人，上一份 2025年12月31日的有" in result.stderr
    assert "加 --confirm 重新执行" in result.stderr
    result = wengang("import-identities", str(good), *arguments, "--confirm")
    assert "已导入，共 1 人" in result.stderr
    assert "以前导入过" in wengang("import-identities", str(good), *arguments).stderr
    with demonstrated.reading() as session:
        assert session.scalars(
            select(IdentitySnapshot.row_count).where(IdentitySnapshot.source == "测试名单")
        ).one()


def test_the_empty_list_is_written_and_nothing_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "名单.xlsx"
    assert "已写出模板" in wengang("identity-template", str(target)).stderr
    content = target.read_bytes()
    assert "名单" in load_workbook(io.BytesIO(content)).sheetnames
    assert "没有覆盖" in wengang("identity-template", str(target), status=1).stderr
    assert target.read_bytes() == content
    assert "写不了" in wengang("identity-template", str(tmp_path / "没有" / "名单.xlsx"), status=1).stderr


def _check_digit(body: str) -> str:
    from workflows.base.privacy import id_check_digit

    return id_check_digit(body)


def test_the_catalogue_has_no_problems() -> None:
    assert wengang("catalogue", "lint").stdout == ""


def test_a_whole_case_without_a_browser(tmp_path: Path) -> None:
    result = wengang("demo", "run", "workshop_recognition", "--output", str(tmp_path / "papers"))
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["status"] == "recognised"
    assert {"work_item", "office", "outcome"} == set(told["steps"][0])
    assert [Path(one["file"]).name for one in told["documents"]][-1].endswith("certificate.pdf")
    for one in told["documents"]:
        content = Path(one["file"]).read_bytes()
        assert content.startswith(b"%PDF")
        assert hashlib.sha256(content).hexdigest() == one["sha256"]


def test_an_objection_walks_inside_its_case(tmp_path: Path) -> None:
    result = wengang("demo", "run", "objection", "--output", str(tmp_path / "papers"))
    assert json.loads(result.stdout.splitlines()[-1])["process"] == "objection"


def test_an_unknown_process_or_scenario_is_answered_with_what_there_is(tmp_path: Path) -> None:
    output = str(tmp_path / "papers")
    assert "workshop_review" in wengang("demo", "run", "nothing", "--output", output, status=1).stderr
    arguments = ("workshop_review", "--scenario", "nothing", "--output", output)
    assert "可选：" in wengang("demo", "run", *arguments, status=1).stderr


def test_progress_for_people_and_for_logs() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream in (io.StringIO(), Terminal()):
        progress = Progress("正在检查", stream)
        progress.began -= 10
        progress.shown -= 10
        for done in range(1, 4):
            progress(done, 3)
        assert "1/3，约剩 2" in stream.getvalue()
        assert stream.getvalue().endswith("3/3\n") or "3/3\033[K\n" in stream.getvalue()
