"""项目办结: what is unpaid, in dispute or under way keeps a project open; a closed one takes nobody and pays nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from workflows.base import clock
from workflows.base.errors import Conflict, Forbidden, NotFound
from workflows.base.session import Database
from workflows.cases import check, recovering
from workflows.cases.employer_starts import begin_own, offers
from workflows.cases.model import Case, RuleResult
from workflows.cases.office_starts import begin_in_office
from workflows.cases.officer_views import processes
from workflows.cases.project_figures import ProjectFigures, figures_of
from workflows.cases.scenarios import Run, Scenarios, opening_instant
from workflows.cases.walking import employers_actor
from workflows.documents.model import IssuedDocument
from workflows.funds.model import Payable
from workflows.funds.recoveries import Finding
from workflows.registers import projects
from workflows.registers.project_model import Project
from workflows.registers.projects import ProjectData

from .stage import actor, county_of, unsigned

Mover = Callable[[timedelta], None]
CLOSE = Scenarios.read("work_relief_closeout")
STRAIGHT = CLOSE.get("straight")
PAYROLL = Scenarios.read("work_relief_payroll")


@pytest.fixture
def database(published_sqlite: Database, papers_unrendered: None) -> Database:
    return published_sqlite


@pytest.fixture
def move(database: Database) -> Iterator[Mover]:
    with clock.frozen(opening_instant(STRAIGHT)) as moved:
        yield moved


def runner(database: Database, move: Mover, scenarios: Scenarios = CLOSE, seed: int = 1) -> Run:
    county = county_of(database)
    return Run(database, unsigned, scenarios, county.employers[1].id, county.county_code, move, seed=seed)


def walked(database: Database, move: Mover, steps: int, **changes: Any) -> Run:
    """The straight close-out with this many lines of its walk."""
    run = runner(database, move)
    run.run({**STRAIGHT, "walk": STRAIGHT["walk"][:steps], **changes})
    return run


def fired(database: Database, run: Run) -> list[str]:
    with database.reading() as session:
        result = session.scalars(
            select(RuleResult).where(RuleResult.case_id == run.walk.case_id).order_by(RuleResult.id.desc())
        ).first()
        assert result is not None
        return [one["id"] for one in result.fired]


def figures(database: Database) -> ProjectFigures:
    with database.reading() as session:
        project = session.scalars(select(Project.id)).one()
        return figures_of(session, [project])[project]


def status(database: Database, run: Run) -> str:
    with database.reading() as session:
        return session.get_one(Case, run.walk.case_id).status


def test_wages_that_are_approved_and_not_paid_keep_it_open(database: Database, move: Mover) -> None:
    before = [{"process": "work_relief_payroll", "scenario": "straight", "until": "pay"}]
    run = walked(database, move, 1, before=before)
    assert figures(database).owed_people == 5
    assert (status(database, run), fired(database, run)) == ("not_ready", ["closeout_owed"])


def test_a_draft_of_a_payroll_keeps_it_open(database: Database, move: Mover) -> None:
    run = runner(database, move)
    run.begin(STRAIGHT)
    run.take({"begin": {"name": "extra", "process": "work_relief_payroll", "scenario": "straight"}}, STRAIGHT)
    run.take(STRAIGHT["walk"][0], STRAIGHT)
    assert (status(database, run), fired(database, run)) == ("not_ready", ["closeout_under_way"])


def payroll(database: Database, move: Mover, walk: list[Mapping[str, Any]], **changes: Any) -> Run:
    run = runner(database, move, PAYROLL)
    content = PAYROLL.get("straight")
    run.run({**content, "project": {**content["project"], **STRAIGHT["project"]}, "walk": walk, **changes})
    return run


def test_a_disputed_row_keeps_it_open_until_its_month_is_paid(database: Database, move: Mover) -> None:
    people = [{"kind": "doubter", "count": 1}, {"kind": "daily", "count": 3}]
    said = {"slip": {"kind": "doubter", "agrees": False, "words": "少记 2 天。"}}
    straight = list(PAYROLL.get("straight")["walk"])
    straight[-2:] = [{"pay": {}}]
    payroll(database, move, [straight[0], said, *straight[2:]], roster=people)
    assert figures(database).disputed == 1
    run = walked(database, move, 1, before=[])
    assert (status(database, run), fired(database, run)) == ("not_ready", ["closeout_disputed"])
    payroll(
        database,
        move,
        [straight[0], *straight[2:]],
        roster=people[:1],
        application={"batch": "supplement_1", "supplement_reason": "核实后补发。"},
        funds=None,
    )
    assert figures(database).disputed == 0
    assert figures(database).owed_people == 0
    again = walked(database, move, 1, before=[])
    assert fired(database, again) == ["closeout_all"]


def test_what_came_in_between_is_seen_at_the_last_signature(database: Database, move: Mover) -> None:
    run = walked(database, move, 7)
    run.take({"begin": {"name": "extra", "process": "work_relief_payroll", "scenario": "straight"}}, STRAIGHT)
    with pytest.raises(Conflict, match="现在不能办结"):
        run.take(STRAIGHT["walk"][7], STRAIGHT)
    with database.reading() as session:
        assert session.scalars(select(Project.status)).one() == "running"
    run.take({"in": "extra", "give_up": "误发起。"}, STRAIGHT)
    run.take(STRAIGHT["walk"][7], STRAIGHT)
    assert status(database, run) == "settled"


def test_a_closed_project_takes_nobody_and_pays_nothing(database: Database, move: Mover) -> None:
    run = walked(database, move, 8)
    with database.reading() as session:
        case = session.get_one(Case, run.walk.case_id)
        project = session.get_one(Project, case.project_id or 0)
        assert (project.status, project.closed_on) == ("closed", clock.today())
        report = session.scalars(
            select(IssuedDocument).where(
                IssuedDocument.case_id == case.id, IssuedDocument.name == "closeout_report"
            )
        ).one()
    told = report.context["closeout"]
    assert (told["ratio"], told["people"], told["owed"], told["disputed"]) == ("2.92%", 5, 0, 0)
    assert sum(one["amount"] for one in report.context["payrolls"]) == told["paid"]
    assert told["paid"] == 3 * 396_000 + 376_250 + 191_887
    with database.transaction() as session:
        employer = employers_actor(session, run.employer_id)
        offered = {one.process.key for one in offers(session, employer, processes(session))}
        assert not offered & {"work_relief_payroll", "work_relief_entry", "work_relief_closeout"}
        with pytest.raises(Conflict, match="这个项目现在的状态不能办理"):
            begin_own(session, employer, "work_relief_payroll", "month", run.employer_id, None, project.id)
        with pytest.raises(Conflict, match="这个项目现在的状态不能办理"):
            begin_in_office(
                session, actor(session, "fagai.clerk"), "work_relief_project", "amend", project_id=project.id
            )
        with pytest.raises(Conflict, match="不能再登记人员"):
            projects.enter_workers(session, project.id, [], case_id=0, actor_id=None)
        with pytest.raises(Conflict, match="项目已经办结"):
            projects.close(session, project.id, actor_id=None)
        with pytest.raises(NotFound):
            projects.close(session, project.id + 99, actor_id=None)
    assert check.check(database) == []


def test_money_that_is_demanded_back_keeps_it_open_and_the_letter_says_so(
    database: Database, move: Mover
) -> None:
    run = payroll(database, move, [*PAYROLL.get("straight")["walk"][:-2], {"pay": {}}])
    with database.transaction() as session:
        payable = session.scalars(select(Payable).order_by(Payable.id)).first()
        assert payable is not None
        finding = Finding("4月1日、2日没有出工，多发两天。", "劳务报酬按实际出工发放。", date(2026, 7, 15))
        with pytest.raises(Forbidden, match="发展和改革局决定"):
            recovering.decide(session, actor(session, "renshe.head"), payable.id, finding)
        recovery = recovering.decide(session, actor(session, "fagai.head"), payable.id, finding)
        letter = recovering.letter_of(session, recovery)
        assert letter is not None
        assert letter.title == "追回多发劳务报酬通知书"
        assert letter.context["addressee"] == run.people[0].name
        assert letter.context["repay"]["name"].startswith("通榆县财政局财政专户")
    assert figures(database).recovering == 1
    assert fired(database, walked(database, move, 1, before=[])) == ["closeout_recovering"]


def test_raw_sql_that_moves_a_payroll_to_another_project_is_found(database: Database, move: Mover) -> None:
    run = payroll(database, move, PAYROLL.get("straight")["walk"][:1])
    with database.transaction() as session:
        own = session.scalars(select(Project)).one()
        fields = {key: getattr(own, key) for key in ProjectData.__dataclass_fields__}
        other = projects.register(
            session, ProjectData(**fields), "演示〔2026〕9号", case_id=None, actor_id=None
        )
        key = other.id
    assert check.check(database) == []
    with database.transaction() as session:
        session.execute(
            text("UPDATE cases SET project_id = :other WHERE id = :case"),
            {"other": key, "case": run.walk.case_id},
        )
    assert any("cases" in str(one) for one in check.verify_everything(database))
