"""以工代赈: sums to the fen against plain arithmetic, no day paid twice whatever happens, one winner of a race."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
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
from workflows.cases.scenario_people import sheet_of
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.documents.model import IssuedDocument
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Balance, LedgerEntry, Payable
from workflows.registers.grant_model import Grant
from workflows.registers.project_model import Project, WorkDay

from .stage import county_of, unsigned

pytestmark = pytest.mark.usefixtures("papers_unrendered")
Mover = Callable[[timedelta], None]
MADE = Scenarios.read("work_relief_payroll")
STRAIGHT = MADE.get("straight")
OPENED = opening_instant(STRAIGHT)
SUBMIT = STRAIGHT["walk"][0]


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


@st.composite
def pay_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of a sheet, as it is read: money in fen, days in hundredths, quantities as exact texts."""
    mode = draw(st.sampled_from(["day", "hour", "piece"]))
    days = draw(st.lists(hundredths, min_size=0, max_size=31))
    return {
        "pay_mode": mode,
        "rate": draw(st.integers(1, 10_000_000)),
        **{f"day_{number:02d}": value for number, value in enumerate(days, 1)},
        "pieces": draw(amounts) if mode == "piece" else draw(st.none() | amounts),
        "overtime": draw(st.none() | st.decimals(0, 200, places=2).map(str)),
        "overtime_rate": draw(st.none() | st.integers(0, 1_000_000)),
        **{key: draw(st.none() | fen) for key in ("social_fen", "tax_fen", "advance_fen", "other_fen")},
        "hand_gross": draw(st.none() | st.integers(0, 100_000_000)),
    }


@pytest.fixture
def move(published_sqlite: Database) -> Iterator[Mover]:
    with clock.frozen(OPENED) as moved:
        yield moved


def runner(
    database: Database, move: Mover, *, unit: int = 1, seed: int = 1, scenarios: Scenarios = MADE
) -> Run:
    county = county_of(database)
    return Run(database, unsigned, scenarios, county.employers[unit].id, county.county_code, move, seed=seed)


@pytest.fixture(scope="module")
def arithmetic() -> dict[str, Any]:
    return {}


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


def with_rows(kinds: list[Mapping[str, Any]]) -> tuple[Scenarios, list[Mapping[str, Any]]]:
    """The scenarios with a kind of person for each of these rows, and the roster of all."""
    base = MADE.content["people"]["daily"]
    people = {f"kind{number}": {**base, "row": {**base["row"], **row}} for number, row in enumerate(kinds)}
    content = {**MADE.content, "people": {**MADE.content["people"], **people}}
    return Scenarios("work_relief_payroll", content), [{"kind": key, "count": 1} for key in people]


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
            run = pay_all(
                database,
                moved,
                [{**row, "advance_fen": None} if row["advance_fen"] else row for row in kinds],
            )
            one_sum(database, run)

    any_sheet()


# No day twice ---------------------------------------------------------------------------------------------------------


def days_paid(database: Database) -> Counter[tuple[int, date]]:
    """(person, day) of every row that holds a living slot, counted from the sheets and not from the register of days."""
    counted: Counter[tuple[int, date]] = Counter()
    with database.reading() as session:
        for row, case in session.execute(
            select(RosterRow, Case)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .join(Case, Case.id == Roster.case_id)
            .join(Grant, (Grant.case_id == Case.id) & (Grant.row_id == RosterRow.id))
            .where(Grant.state.in_(("claimed", "approved", "paid")))
        ):
            year, month = (int(part) for part in _month(session, case).split("-"))
            for key, value in row.values.items():
                if key.startswith("day_") and value:
                    counted[row.person_id or 0, date(year, month, int(key[4:]))] += 1
        claimed = session.execute(
            select(WorkDay.person_id, WorkDay.day).where(WorkDay.state == "claimed")
        ).all()
        assert len(claimed) == len(set(claimed))
        assert {(person, day) for person, day in claimed} == set(counted)
    return counted


def _month(session: Any, case: Case) -> str:
    process = newest(session, "work_relief_payroll")
    return str(CaseView.of(session, case, process).answers("payroll_form")["month"])


def content(people: Scenarios, roster: list[Mapping[str, Any]], batch: str) -> dict[str, Any]:
    more = {} if batch == "regular" else {"supplement_reason": "补发。"}
    return {**STRAIGHT, "roster": roster, "application": {"batch": batch, **more}, "walk": []}


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
                run.begin(content(scenarios, roster, batch))
                open_runs[unit] = run
                run.take(SUBMIT, content(scenarios, roster, batch))
            elif kind == "correct" and run is not None and "confirmation" in run.walk.open_steps():
                run.take({"step": "confirmation", "by": "employer", "outcome": "correct"}, STRAIGHT)
                run.scenarios, run.people = scenarios, run._people(roster)
                with database.reading() as session:
                    definition = newest(session, "work_relief_payroll").roster
                assert definition is not None
                run.walk.upload(sheet_of(definition, run.people))
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


# Races ----------------------------------------------------------------------------------------------------------------


def race(*actions: Callable[[], None]) -> list[Exception]:
    """Run at the same moment, each in a thread of its own; returns what they raised."""
    start, raised = threading.Barrier(len(actions)), []

    def run(action: Callable[[], None]) -> None:
        start.wait(20)
        try:
            action()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return raised


def test_two_contractors_who_claim_the_same_day_at_once(published: Database) -> None:
    """Each person's day goes to one of them; the other is told so, or finds the rows refused with both projects named."""
    with clock.frozen(OPENED) as move:
        scenarios, roster = with_rows([{"days": {"from": 1, "to": 5}}, {"days": {"from": 3, "to": 8}}])
        runs = []
        for unit in (1, 2):
            run = runner(published, move, unit=unit, seed=3, scenarios=scenarios)
            wanted = content(scenarios, roster, "regular")
            run.begin(wanted)
            with published.reading() as session:
                definition = newest(session, "work_relief_payroll").roster
            assert definition is not None
            run.walk.upload(sheet_of(definition, run.people))
            runs.append(run)
        raised = race(*(lambda run=run: run.take(SUBMIT, wanted) for run in runs))
        assert [type(one) for one in raised] == [Conflict], raised
        assert all(count == 1 for count in days_paid(published).values())
        assert len(days_paid(published)) == 11
        with published.reading() as session:
            lost = [run for run in runs if session.get_one(Case, run.walk.case_id).submitted_at is None]
        assert len(lost) == 1
        with pytest.raises(Conflict, match="没有可以发放的人员"):
            lost[0].take(SUBMIT, wanted)
        assert check.check(published) == []
