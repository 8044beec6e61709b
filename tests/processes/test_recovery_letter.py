"""追回: the decision and its letter are one action; the letter says what, why, how much, until when and to which account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from workflows.base import clock
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases import check, recovering
from workflows.cases.model import Case
from workflows.cases.process import process_of
from workflows.cases.scenarios import Run
from workflows.documents.model import IssuedDocument
from workflows.funds.model import Payable, Recovery
from workflows.funds.recoveries import Finding
from workflows.organisations.actors import SYSTEM
from workflows.organisations.settings import set_parameter

from .reward_stage import PROCESS, reward
from .stage import MONDAY, actor

Mover = Callable[[timedelta], None]
FINDING = Finding(
    "核查工资发放情况，银行流水由他人代签。\n单位法定代表人承认上述情况。",
    "不属于吸纳就业，不符合奖补条件。",
    date(2026, 5, 15),
)


def paid(database: Database, move: Mover) -> tuple[Run, int]:
    """A claim of three that is paid and closed, and one of its payments."""
    run = reward(database, move, "")
    with database.reading() as session:
        return run, session.scalars(
            select(Payable.id).where(Payable.state == "paid").order_by(Payable.id)
        ).first() or 0


def decided(database: Database, payable: int, by: str = "renshe.a", finding: Finding = FINDING) -> int:
    with database.transaction() as session:
        return recovering.decide(session, actor(session, by), payable, finding).id


def letter(database: Database, recovery: int) -> IssuedDocument:
    with database.reading() as session:
        found = recovering.letter_of(session, session.get_one(Recovery, recovery))
        assert found is not None
        return found


def silent(database: Database) -> None:
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def test_the_printed_letter_says_everything(published_sqlite: Database) -> None:
    """The paper itself, from the decision to the signed file."""
    with clock.frozen(MONDAY) as move:
        run, payable = paid(published_sqlite, move)
        row = decided(published_sqlite, payable)
        run.walk.work()
        found = letter(published_sqlite, row)
        assert found.status == "issued"
        with published_sqlite.reading() as session:
            file = session.get_one(IssuedDocument, found.id).file
            assert file is not None
            content = installation().files.read(file)
            case = session.get_one(Case, run.walk.case_id)
            batch = found.context["batch"]
        text = "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
        text = "".join(text.split())
        person = run.people[0]
        for words in (
            "追回一次性奖补资金通知书",
            "通榆人社奖补追〔2026〕1号",
            case.number,
            person.name,
            f"{person.id_number[:6]}********{person.id_number[-4:]}",
            "1,000.00元",
            "人民币壹仟元整",
            "银行流水由他人代签",
            "单位法定代表人承认",
            "不符合奖补条件",
            "吉人社联〔2022〕81号",
            "2026年5月15日前",
            "通榆县财政局财政专户",
            "07108220900000000017",
            "行政复议",
            "送达回证",
            batch,
            found.token,
        ):
            assert words in text, words
        assert person.id_number not in text
        silent(published_sqlite)


@pytest.mark.usefixtures("papers_unrendered")
def test_the_decision_and_its_letter_are_one_action(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run, payable = paid(published, move)
        with pytest.raises(Forbidden, match="由通榆县人力资源和社会保障局决定"):
            decided(published, payable, "caizheng.clerk")
        with pytest.raises(NotFound):
            decided(published, 99_999)
        with pytest.raises(Invalid) as refused:
            decided(published, payable, finding=Finding(" ", " ", today()))
        assert set(refused.value.errors) == {"reason", "grounds", "due_on"}
        row = decided(published, payable)
        with pytest.raises(Conflict, match="已经决定追回"):
            decided(published, payable)
        with published.reading() as session:
            assert session.scalars(select(IssuedDocument.name)).all().count("recovery_letter") == 1
        with pytest.raises(Conflict, match="正在签章"), published.transaction() as session:
            recovering.demand(session, actor(session, "renshe.a"), row)
        run.walk.work()
        with published.transaction() as session:
            recovering.demand(session, actor(session, "renshe.a"), row)
        silent(published)


@pytest.mark.usefixtures("papers_unrendered")
def test_a_finding_that_does_not_hold_takes_the_letter_back(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run, payable = paid(published, move)
        row = decided(published, payable)
        with published.transaction() as session:
            recovering.cancel(session, actor(session, "renshe.a"), row)
        assert letter(published, row).status == "revoked"
        run.walk.work()  # sealed after it was taken back: it stays so
        assert letter(published, row).status == "revoked"
        with published.transaction() as session, pytest.raises(NotFound):
            recovering.cancel(session, actor(session, "renshe.a"), 99)
        again = decided(published, payable)
        assert letter(published, again).number == "通榆人社奖补追〔2026〕2号"
        silent(published)


@pytest.mark.usefixtures("papers_unrendered")
def test_without_an_account_nothing_is_decided(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        _, payable = paid(published, move)
        with published.transaction() as session:
            for value in ({}, {"payee_name": "甲", "account_number": "62226", "bank_name": "乙"}):
                set_parameter(
                    session,
                    SYSTEM,
                    process=PROCESS,
                    key="recovery_account",
                    division_code="220822",
                    value=value,
                    basis="情景",
                    valid_from=today() + timedelta(days=bool(value)),
                )
        with pytest.raises(Invalid, match="还没有登记追回款项的收款账户"):
            decided(published, payable)
        with published.reading() as session:
            assert session.scalars(select(Recovery)).all() == []
        move(timedelta(days=1))  # the account of the day of the decision, not of the day the case began
        row = decided(published, payable)
        assert letter(published, row).context["repay"] == {"name": "甲", "account": "62226", "bank": "乙"}


@pytest.mark.usefixtures("papers_unrendered")
def test_a_process_whose_recoveries_have_no_paper(
    published_sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions of a process that were published before name none: the decision stands without."""
    with clock.frozen(MONDAY) as move:
        run, payable = paid(published_sqlite, move)
        with published_sqlite.reading() as session:
            process = process_of(session, session.get_one(Case, run.walk.case_id).version_id)
        # put back at the end: one process in memory serves every database with the same text
        monkeypatch.setitem(process.config, "payment", {**process.config["payment"], "recovery": None})  # type: ignore[arg-type]
        with published_sqlite.transaction() as session:
            assert recovering.repay_account(session, replace(process), "220822") is None
            row = recovering.decide(session, actor(session, "renshe.a"), payable, FINDING)
            assert recovering.letter_of(session, row) is None
            recovering.demand(session, actor(session, "renshe.a"), row.id)
            recovering.cancel(session, actor(session, "renshe.a"), row.id)
        silent(published_sqlite)
