"""以工代赈: sums to the fen against plain arithmetic, one sum from row to ledger, no day held twice in any history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from workflows.base import clock
from workflows.base.errors import Conflict, Invalid
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.facts import CaseView
from workflows.cases.model import Case
from workflows.cases.process import newest
from workflows.cases.project_figures import figures_of
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.row_facts import RowInput, apply_row_rules
from workflows.cases.scenarios import Run
from workflows.documents.model import IssuedDocument
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Balance, LedgerEntry, Payable
from workflows.registers.project_model import Project

from .wage_stage import (
    OPENED,
    STRAIGHT,
    SUBMIT,
    Mover,
    days_paid,
    month_of,
    runner,
    upload,
    with_rows,
)

pytestmark = pytest.mark.usefixtures("papers_unrendered")


# Plain arithmetic -----------------------------------------------------------------------------------------------------


def half_up(amount: Fraction) -> int:
    """To a whole fen, half a fen upwards: as wages are rounded. Nothing here knows the program."""
    return int((amount * 2 + 1) // 2)


def plain(row: Mapping[str, Any]) -> dict[str, int]:
    """What a row comes to, in fen, by hand."""
    worked = Fraction(sum(value for key, value in row.items() if key.startswith("day_") and value), 100)
    units = Fraction(row["pieces"] or 0) if row["pay_mode"] == "piece" else worked
    base = half_up(units * row["rate"])
    overtime = half_up(Fraction(row["overtime"] or 0) * (row["overtime_rate"] or 0))
    gross = row["hand_gross"] if row["hand_gross"] is not None else base + overtime
    deductions = sum(row[key] or 0 for key in ("social_fen", "tax_fen", "advance_fen", "other_fen"))
    return {"gross": gross, "deductions": deductions, "net": gross - deductions, "computed": base + overtime}


hundredths = st.integers(0, 2400)
fen = st.integers(0, 10_000_000)
amounts = st.decimals(0, 1_000_000, places=3, allow_nan=False, allow_infinity=False).map(str)
#: As long as a cell may be typed.
long_amounts = st.integers(0, 10**40).map(lambda number: f"{number // 10**36}.{number % 10**36:036d}")


@st.composite
def pay_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of a sheet, as it is read: money in fen, days in hundredths, quantities as exact texts."""
    mode = draw(st.sampled_from(["day", "hour", "piece"]))
    days = draw(st.lists(hundredths, min_size=0, max_size=31))
    return {
        "pay_mode": mode,
        "rate": draw(st.integers(1, 10_000_000)),
        **{f"day_{number:02d}": value for number, value in enumerate(days, 1)},
        "pieces": draw(amounts | long_amounts) if mode == "piece" else draw(st.none() | amounts),
        "overtime": draw(st.none() | st.decimals(0, 200, places=2).map(str)),
        "overtime_rate": draw(st.none() | st.integers(0, 1_000_000)),
        **{key: draw(st.none() | fen) for key in ("social_fen", "tax_fen", "advance_fen", "other_fen")},
        "hand_gross": draw(st.none() | st.integers(0, 100_000_000)),
    }


@pytest.fixture
def move(published_sqlite: Database) -> Iterator[Mover]:
    with clock.frozen(OPENED) as moved:
        yield moved


def test_gross_less_deductions_is_net_for_any_rates_and_rounding(
    published_sqlite: Database, move: Mover
) -> None:
    run = runner(published_sqlite, move)
    run.begin({**STRAIGHT, "roster": []})
    with published_sqlite.reading() as session:
        process = newest(session, "work_relief_payroll")
        view = CaseView.of(session, session.get_one(Case, run.walk.case_id), process)

        @given(st.lists(pay_rows(), min_size=20, max_size=20))
        @settings(max_examples=settings.default.max_examples)
        def rows_come_to_what_they_must(rows: list[dict[str, Any]]) -> None:
            for row, outcome in zip(
                rows, apply_row_rules(process, view, [RowInput(row, None) for row in rows]), strict=True
            ):
                expected, facts = plain(row), outcome.facts
                found = {
                    "gross": facts["gross_fen"],
                    "deductions": facts["deductions_fen"],
                    "net": facts["net_fen"],
                    "computed": facts["computed_fen"],
                }
                assert found == expected, row
                assert facts["changed"] is (bool(row["hand_gross"]))
                assert all(isinstance(value, int) for value in found.values())

        rows_come_to_what_they_must()


# One sum everywhere ---------------------------------------------------------------------------------------------------


sheet_rows = st.fixed_dictionaries(
    {
        "pay_mode": st.sampled_from(["day", "hour", "piece"]),
        "rate": st.decimals("1", 300, places=2).map(str),
        "pieces": st.decimals("0.5", 90, places=2).map(str),
        "days": st.builds(
            lambda first, length, each: {"from": first, "to": min(30, first + length), "each": each},
            st.integers(1, 28),
            st.integers(0, 25),
            st.sampled_from(["1", "0.5", "0.75"]),
        ),
        "advance_fen": st.none() | st.decimals(0, 20, places=2).map(str),
    }
)


def one_sum(database: Database, run: Run) -> None:
    """Σ rows = table = payables = batches = ledger = balance, and the share of the project is that sum's."""
    with database.reading() as session:
        case = session.get_one(Case, run.walk.case_id)
        rows = session.scalars(
            select(RosterRow)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .where(Roster.case_id == case.id, Roster.status == "current", RosterRow.result == "qualifies")
        ).all()
        table = session.scalars(
            select(IssuedDocument)
            .where(IssuedDocument.case_id == case.id, IssuedDocument.name == "pay_table")
            .order_by(IssuedDocument.id.desc())
        ).first()
        assert table is not None
        total = sum(row.facts["gross_fen"] - row.facts["deductions_fen"] for row in rows)
        assert sum(row["net"] for row in table.context["pay_rows"]) == total
        assert table.context["money"]["total"] == total
        assert (
            session.scalar(
                select(func.sum(Payable.amount_fen)).where(
                    Payable.case_id == case.id, Payable.state == "paid"
                )
            )
            == total
        )
        assert (
            session.scalar(select(func.sum(PaymentBatch.total_fen)).where(PaymentBatch.state != "cancelled"))
            == total
        )
        paid = session.scalar(select(func.sum(LedgerEntry.amount_fen)).where(LedgerEntry.debit == "paid"))
        assert (paid or 0) == total
        assert session.scalar(select(func.sum(Balance.paid_fen))) == total
        project = session.get_one(Project, case.project_id or 0)
        figures = figures_of(session, [project.id])[project.id]
        assert figures.paid_fen == total
        assert figures.ratio == int(Fraction(total, project.ratio_base_fen) * 10_000)
    assert check.check(database) == []


def pay_all(database: Database, move: Mover, kinds: list[Mapping[str, Any]]) -> Run:
    scenarios, roster = with_rows(kinds)
    run = runner(database, move, scenarios=scenarios)
    walk = [*STRAIGHT["walk"][:1], *STRAIGHT["walk"][2:-2], {"pay": {}}]
    run.run({**STRAIGHT, "roster": roster, "walk": walk, "funds": 90_000_000})
    return run


EDGES: list[Mapping[str, Any]] = [
    {"pay_mode": "piece", "rate": "1.01", "pieces": "0.5"},  # half a fen: a whole one
    {"pay_mode": "piece", "rate": "1.03", "pieces": "1.49"},
    {"pay_mode": "hour", "rate": "33.33", "days": {"from": 1, "to": 3, "each": "7.33"}},
    {"pay_mode": "day", "rate": "180", "days": {"from": 1, "to": 30, "each": "0.5"}, "advance_fen": "0.01"},
    {"pay_mode": "day", "rate": "99.99", "days": {"from": 30, "to": 30, "each": "1"}},
]


def test_rows_table_batch_and_ledger_are_one_sum(published_sqlite: Database, move: Mover) -> None:
    one_sum(published_sqlite, pay_all(published_sqlite, move, EDGES))


@pytest.mark.long
def test_rows_table_batch_and_ledger_are_one_sum_for_any_sheet(
    sqlite_house: Any, published_sqlite: Database
) -> None:
    from .conftest import _published

    @given(st.lists(sheet_rows, min_size=1, max_size=6))
    @settings(max_examples=40)
    def any_sheet(kinds: list[Mapping[str, Any]]) -> None:
        with sqlite_house.fresh("published", _published) as database, clock.frozen(OPENED) as moved:
            one_sum(database, pay_all(database, moved, [EDGES[3], *kinds]))  # somebody is paid

    any_sheet()


# No day twice ---------------------------------------------------------------------------------------------------------


Step = tuple[str, int, int, int]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """What two contractors do with the same people: submit days from–to, correct them, give up."""
    return [
        (
            draw(st.sampled_from(["submit", "submit", "correct", "give_up"])),
            draw(st.integers(0, 1)),
            first := draw(st.integers(1, 20)),
            draw(st.integers(first, 25)),
        )
        for _ in range(draw(st.integers(3, 6)))
    ]


def live(database: Database, move: Mover, history: list[Step]) -> None:
    """Walk a history; after each step no day of anybody is held twice."""
    open_runs: dict[int, Run] = {}
    batches = [iter(["regular", "supplement_1", "supplement_2", "supplement_3"]) for _ in range(2)]
    for kind, unit, first, last in history:
        days = {"from": first, "to": last}
        scenarios, roster = with_rows([{"days": days}, {"pay_mode": "hour", "days": {**days, "each": "7.5"}}])
        run = open_runs.get(unit)
        try:
            if kind == "submit":
                batch = next(batches[unit], None)
                if batch is None:
                    continue
                run = runner(database, move, unit=unit + 1, seed=3, scenarios=scenarios)
                run.begin(month_of(roster, batch))
                open_runs[unit] = run
                run.take(SUBMIT, month_of(roster, batch))
            elif kind == "correct" and run is not None and "confirmation" in run.walk.open_steps():
                run.take({"step": "confirmation", "by": "employer", "outcome": "correct"}, STRAIGHT)
                run.scenarios, run.people = scenarios, run._people(roster)
                upload(database, run)
                run.take(
                    {
                        "step": "correction",
                        "by": "employer",
                        "outcome": "submit",
                        "answers": {"reply": "已核对。"},
                    },
                    STRAIGHT,
                )
            elif kind == "give_up" and run is not None:
                run.take({"give_up": "不再申报。"}, STRAIGHT)
                del open_runs[unit]
        except (Conflict, Invalid):  # everybody's day was taken: nothing is left to hand in
            pass
        assert all(count == 1 for count in days_paid(database).values())


HISTORY: list[Step] = [
    ("submit", 0, 1, 10),
    ("submit", 1, 5, 15),
    ("correct", 0, 1, 3),
    ("submit", 1, 5, 15),
    ("give_up", 1, 0, 0),
    ("submit", 0, 2, 12),
]


def test_no_day_is_held_twice_by_projects_corrections_and_reruns(
    published_sqlite: Database, move: Mover
) -> None:
    live(published_sqlite, move, HISTORY)
    assert check.check(published_sqlite) == []
    assert check.verify_everything(published_sqlite) == []


@pytest.mark.long
def test_no_day_is_held_twice_in_any_history(sqlite_house: Any, published_sqlite: Database) -> None:
    from .conftest import _published

    @given(histories())
    @settings(max_examples=40)
    def any_history(history: list[Step]) -> None:
        with sqlite_house.fresh("published", _published) as database, clock.frozen(OPENED) as moved:
            live(database, moved, history)
            assert check.check(database) == []

    any_history()
