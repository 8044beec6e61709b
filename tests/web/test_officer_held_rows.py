"""Held people on the officers' pages: an agreement to lift the hold keeps its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.web.client import Browser
from tests.web.officer_cases import Filled
from workflows.base.session import Database
from workflows.cases.roster_model import Roster, RosterRow, RowVerdict

Office = Callable[[str], Browser]


def held_row(database: Database, case_id: int) -> int:
    """One of the case's people is held, as another employer's earlier claim would make it."""
    with database.transaction() as session:
        row = session.scalars(
            select(RosterRow)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .where(Roster.case_id == case_id, Roster.status == "current")
            .order_by(RosterRow.number)
            .limit(1)
        ).one()
        row.result = "held"
        return row.id


@pytest.mark.tampers
def test_lifting_a_hold_asks_for_a_reason_and_keeps_it(
    office: Office, claims: Filled, money_database: Database
) -> None:
    row = held_row(money_database, claims.cases["early"])
    item = claims.items["early", "hrss_review", "hrss"]
    browser = office("renshe.a")
    page = browser.get(f"/work/{item}")
    assert "同意解除" in page.main
    form = {"held": str(row), f"verdict-{row}": "agree", f"reason-{row}": " "}
    refused = browser.refused(f"/work/{item}/rows", form)
    assert "同意解除暂缓的，也请写明理由" in refused.main
    browser.submit(f"/work/{item}/rows", {**form, f"reason-{row}": "前一单位未实际用工"})
    with money_database.reading() as session:
        word = session.scalars(
            select(RowVerdict).where(RowVerdict.row_id == row, RowVerdict.by.is_not(None))
        ).all()
        assert ("agree", "前一单位未实际用工") in {(one.verdict, one.reason) for one in word}


@pytest.mark.tampers
def test_of_other_people_an_agreement_keeps_no_forgotten_reason(
    office: Office, claims: Filled, money_database: Database
) -> None:
    """Somebody typed why not, and then agreed after all."""
    row = held_row(money_database, claims.cases["early"]) + 1
    item = claims.items["early", "hrss_review", "hrss"]
    browser = office("renshe.a")
    browser.get(f"/work/{item}")
    browser.submit(f"/work/{item}/rows", {f"verdict-{row}": "agree", f"reason-{row}": "工资不实"})
    with money_database.reading() as session:
        words = session.scalars(select(RowVerdict).where(RowVerdict.row_id == row)).all()
        assert [one.reason for one in words if one.verdict == "agree"] == [None] * len(words)
