"""A confirmed month that the contractor takes back, one in which nobody is left, and a month that changes while its sheet is
read: what was claimed stays claimed, no 公示 of nobody begins, and days are those of the month that is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.errors import Conflict
from workflows.base.session import Database
from workflows.cases import check, recalling, rosters
from workflows.cases.model import Publicity
from workflows.cases.roster_model import RosterRow
from workflows.cases.scenarios import Run
from workflows.cases.slip_model import PaySlip
from workflows.cases.slip_views import shown_slip
from workflows.cases.slips import answer_slip
from workflows.cases.walking import employers_actor
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import WorkDay

from .wage_stage import OPENED, STRAIGHT, Mover, days_paid, runner, upload

pytestmark = pytest.mark.usefixtures("papers_unrendered")
#: Handed in, one worker's word, confirmed with the signed sheet.
CONFIRMED = [STRAIGHT["walk"][0], STRAIGHT["walk"][2]]
AFTERWARDS = STRAIGHT["walk"][2:-2]


@pytest.fixture
def move(published_sqlite: Database) -> Iterator[Mover]:
    with clock.frozen(OPENED) as moved:
        yield moved


def handed_in(database: Database, move: Mover) -> Run:
    run = runner(database, move)
    run.begin(STRAIGHT)
    run.take(CONFIRMED[0], STRAIGHT)
    return run


def take_back(database: Database, run: Run) -> None:
    with database.transaction() as session:
        recalling.recall(session, employers_actor(session, run.employer_id), run.walk.case_id)
    assert run.walk.open_steps() == ["confirmation"]


def slots(database: Database) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.scalars(select(Grant.state)))


def test_a_confirmation_taken_back_leaves_slots_and_days(published_sqlite: Database, move: Mover) -> None:
    run = handed_in(published_sqlite, move)
    held = days_paid(published_sqlite)
    run.take(CONFIRMED[1], STRAIGHT)
    take_back(published_sqlite, run)
    assert slots(published_sqlite) == {"claimed": 5}
    assert days_paid(published_sqlite) == held
    for action in [*AFTERWARDS, {"pay": {}}]:
        run.take(action, STRAIGHT)
    assert (run.walk.status(), slots(published_sqlite)) == ("paid", {"paid": 5})
    assert check.check(published_sqlite) == []


def test_a_row_that_was_set_apart_stays_apart(published_sqlite: Database, move: Mover) -> None:
    """Its worker is told so instead of confirming a slip that this payroll no longer pays."""
    run = handed_in(published_sqlite, move)
    with published_sqlite.transaction() as session:
        slip = session.scalars(select(PaySlip).order_by(PaySlip.id)).first()
        assert slip is not None
        code, last = slip.code, session.get_one(RosterRow, slip.row_id).values["id_number"][-4:]
        answer_slip(session, code, last, agrees=False, words="少记 2 天。")
    run.take(CONFIRMED[1], STRAIGHT)
    take_back(published_sqlite, run)
    with published_sqlite.transaction() as session, pytest.raises(Conflict, match="已经单列"):
        answer_slip(session, code, last, agrees=True)
    with published_sqlite.reading() as session:
        shown = shown_slip(session, code, last)
        assert (shown.answerable, shown.payment) == (False, "有异议，没有列入这次发放；核实后补发")
    run.take(CONFIRMED[1], STRAIGHT)
    with published_sqlite.reading() as session:
        rows = session.scalars(select(RosterRow).where(RosterRow.result == "disputed")).all()
        assert [[one["id"] for one in row.fired].count("pay_slip") for row in rows] == [1]
    assert slots(published_sqlite) == {"claimed": 4, "freed": 1}
    assert check.check(published_sqlite) == []


def test_nobody_is_shown_to_the_public(published_sqlite: Database, move: Mover) -> None:
    """The owner refused everybody: 乡镇 sends it back, and no 公示 stands for seven days about nobody."""
    run = handed_in(published_sqlite, move)
    run.take(CONFIRMED[1], STRAIGHT)
    everybody = [
        {"kind": one["kind"], "verdict": "refuse", "reason": "没有出工"} for one in STRAIGHT["roster"]
    ]
    run.take({"step": "owner_review", "by": "owner", "outcome": "agree", "rows": everybody}, STRAIGHT)
    with pytest.raises(Conflict, match=r"没有可以发放的人员，不能公示。请退回"):
        run.take({"step": "township_check", "by": "township", "outcome": "agree"}, STRAIGHT)
    with published_sqlite.reading() as session:
        assert session.scalars(select(Publicity)).all() == []
    run.take(
        {"step": "township_check", "by": "township", "outcome": "return", "opinion": "业主没有同意任何人。"},
        STRAIGHT,
    )
    assert run.walk.open_steps() == ["correction"]
    assert check.check(published_sqlite) == []


def test_a_month_that_changes_while_the_sheet_is_read(
    published_sqlite: Database, move: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half the rows were staged as days of March; what is handed in is April."""
    asked = []

    def typed(*_: object) -> dict[str, dict[str, str]]:
        asked.append(1)
        return {"payroll_form": {"month": "2026-03" if len(asked) == 1 else "2026-04", "batch": "regular"}}

    run = runner(published_sqlite, move)
    run.begin(STRAIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(rosters, "CHUNK", 1)
        patch.setattr(rosters, "typed_answers", typed)
        upload(published_sqlite, run)
    with published_sqlite.reading() as session:
        months = {day.month for day in session.scalars(select(WorkDay.day))}
        assert months == {3, 4}
    run.take(CONFIRMED[0], STRAIGHT)
    with published_sqlite.reading() as session:
        claimed = session.scalars(select(WorkDay.day).where(WorkDay.state == "claimed")).all()
        assert {(day.year, day.month) for day in claimed} == {(2026, 4)}
        assert len(claimed) == len(days_paid(published_sqlite))
    assert check.check(published_sqlite) == []
