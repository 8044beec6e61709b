"""培训补贴: one claim per course whoever applies, both amounts on paper and paid to the trainee, all without Python of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenarios import Run, Scenarios
from workflows.documents.model import IssuedDocument
from workflows.funds.model import Payable
from workflows.registers.grant_model import Grant

from .stage import MONDAY, county_of, unsigned

Mover = Callable[[timedelta], None]
MADE = Scenarios.read("training_allowance")
ONE = [{"kind": "trained", "count": 1}]


@pytest.fixture
def database(published_sqlite: Database, papers_unrendered: None) -> Database:
    return published_sqlite


@pytest.fixture
def move(database: Database) -> Iterator[Mover]:
    with clock.frozen(MONDAY) as moved:
        yield moved


def applied(
    database: Database, move: Mover, employer: int, roster: list[Mapping[str, Any]], walk: int = 1, **row: Any
) -> Run:
    """The straight walk's first steps by a unit, for the same people whoever it is; ``row`` changes cells of all."""
    county = county_of(database)
    content = dict(MADE.content)
    content["people"] = {
        key: {**kind, "row": {**kind["row"], **row}} if "row" in kind else kind
        for key, kind in content["people"].items()
    }
    run = Run(
        database,
        unsigned,
        Scenarios("training_allowance", content),
        county.employers[employer].id,
        county.county_code,
        move,
        seed=7,
    )
    straight = MADE.get("straight")
    run.run({**straight, "roster": roster, "walk": straight["walk"][:walk]})
    return run


def rows(database: Database, run: Run) -> list[RosterRow]:
    with database.reading() as session:
        return list(
            session.scalars(
                select(RosterRow)
                .join(Roster, Roster.id == RosterRow.roster_id)
                .where(Roster.case_id == run.walk.case_id, Roster.status == "current")
                .order_by(RosterRow.number)
            )
        )


def claims(database: Database) -> list[tuple[int, str, int]]:
    with database.reading() as session:
        return [
            (one.case_id or 0, one.scope, one.amount_fen)
            for one in session.scalars(
                select(Grant).where(Grant.policy == "training_allowance").order_by(Grant.id)
            )
        ]


def test_one_claim_per_course_whoever_applies(database: Database, move: Mover) -> None:
    first = applied(database, move, 1, ONE)
    again = applied(database, move, 2, ONE)
    other = applied(database, move, 2, ONE, class_number="演示人社培〔2026〕9号", attended=16)
    assert claims(database) == [
        (first.walk.case_id, "演示人社培〔2026〕7号", 100_000 + 19 * 5_000),
        (other.walk.case_id, "演示人社培〔2026〕9号", 100_000 + 16 * 5_000),
    ]
    (refused,) = rows(database, again)
    assert refused.result == "not"
    assert any("同一人同一期培训班只补贴一次" in one["annotation"] for one in refused.fired)
    assert check.check(database) == []


@pytest.mark.parametrize(
    ("kind", "attended", "fen"),
    [("trained", 16, 100_000 + 80_000), ("brand", 20, 120_000 + 100_000), ("rural", 12, 60_000 + 60_000)],
)
def test_the_amount_is_the_course_and_the_days(
    database: Database, move: Mover, kind: str, attended: int, fen: int
) -> None:
    run = applied(database, move, 1, [{"kind": kind, "count": 1}], attended=attended)
    (row,) = rows(database, run)
    assert row.result == "qualifies"
    assert row.facts["allowance_fen"] == fen
    assert [amount for _, _, amount in claims(database)] == [fen]


@pytest.mark.parametrize(
    ("attended", "result"), [(15, "not"), (16, "qualifies"), (20, "qualifies"), (21, "not")]
)
def test_four_fifths_of_the_days_are_enough(
    database: Database, move: Mover, attended: int, result: str
) -> None:
    (row,) = rows(database, applied(database, move, 1, ONE, attended=attended))
    assert row.result == result


def test_the_papers_say_both_amounts_and_the_money_goes_to_the_trainee(
    database: Database, move: Mover
) -> None:
    people = [{"kind": "trained", "count": 1}, {"kind": "rural", "count": 1}]
    run = applied(database, move, 1, people, walk=99)
    with database.reading() as session:
        papers = {
            one.name: one.context
            for one in session.scalars(
                select(IssuedDocument).where(IssuedDocument.case_id == run.walk.case_id)
            )
        }
        paid = [
            (one.payee_name, one.amount_fen, one.state)
            for one in session.scalars(
                select(Payable).where(Payable.case_id == run.walk.case_id).order_by(Payable.id)
            )
        ]
    names = [str(one.values["name"]) for one in rows(database, run)]
    assert paid == [(names[0], 195_000, "paid"), (names[1], 120_000, "paid")]
    listed = papers["approval_form"]["listed"]
    assert listed["headings"][-4:] == ["培训补贴", "生活费补贴", "合计", "结论"]
    assert [row["cells"][-4:] for row in listed["rows"]] == [
        ["1,000.00 元", "950.00 元", "1,950.00 元", "符合"],
        ["600.00 元", "600.00 元", "1,200.00 元", "符合"],
    ]
    numbers = [str(one.values["id_number"]) for one in rows(database, run)]
    printed = str(papers)
    assert not any(number in printed for number in numbers)
    assert papers["payment_list"]["money"]["paid"] == 315_000


def test_no_python_names_it() -> None:
    """It is files of bpmn/ and forms/ and nothing else: no line of the program knows its key."""
    root = Path(str(files("workflows"))).parent
    python = [path for room in ("workflows", "webapp", "forms") for path in (root / room).rglob("*.py")]
    assert len(python) > 200
    assert [path for path in python if "training" in path.read_text(encoding="utf-8")] == []
