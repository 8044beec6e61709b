"""Invariant 7, behind the door: nobody sees or does what their post does not allow.

``tests/web/test_access.py`` asks which kinds of visitor a route serves. Here every route whose address names a case, an
item, a file, a person, a workshop … is asked on behalf of everybody who could try: one table says for whom it answers.
A new route with such an address fails until it stands in ``TABLE``. The pages of 财政 have a table of their own:
``tests/web/test_finance_access.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.conftest import TEST_KEYRING
from tests.databases import PostgresHouse, SqliteHouse
from tests.web.client import Browser
from tests.web.conftest import OfficerPlace
from tests.web.officer_cases import Filled
from tests.web.test_access import ROUTES, digest
from webapp.audit.verifying import ask
from workflows.base.clock import today
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.cases.attachments import attach
from workflows.cases.model import Attachment, Case, Notice, WorkItem
from workflows.cases.roster_model import Roster, RosterRow
from workflows.cases.scenario_answers import PDF
from workflows.cases.starting import start
from workflows.cases.walking import employers_actor
from workflows.documents.model import IssuedDocument
from workflows.organisations.model import Assignment, Department, User
from workflows.organisations.passwords import DEMO_PASSWORD
from workflows.registers import identity_uploads as uploads
from workflows.registers import workshops
from workflows.registers.identity_list import list_template
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer, EmployerMember, Workshop

GUEST = "guest"
#: Who tries. The cases are of 示范镇, but for the one objected to, which is of 向阳乡.
VISITORS: dict[str, str] = {
    GUEST: "",
    "own employer": "qiye3",
    "another employer": "qiye4",
    "an employer of another county": "taonan.qiye",
    "township": "shifan.clerk",
    "another township": "xiangyang.clerk",
    "a township of another county": "taonan.shili",
    "hrss": "renshe.a",
    "head of hrss": "renshe.head",
    "rural": "xiangcun.a",
    "ndrc": "fagai.clerk",
    "finance": "caizheng.clerk",
    "hrss of another county": "taonan.renshe",
    "rural of another county": "taonan.xiangcun",
    "auditor": "shenji",
    "auditor of another county": "taonan.shenji",
    "administrator": "guanli",
    "administrator of another county": "taonan.guanli",
}
NOBODY: frozenset[str] = frozenset()
OFFICES = frozenset({"township", "hrss", "head of hrss", "rural"})
READERS = OFFICES | {"auditor"}
EMPLOYER = frozenset({"own employer"})
HRSS = frozenset({"hrss", "head of hrss"})
ADMIN = frozenset({"administrator"})
AUDITORS = frozenset({"auditor", "auditor of another county"})
#: Arguments that name nothing of anybody: whatever else stands in an address does.
FREE = {"filename", "token", "code", "process", "start", "key", "section"}
#: (endpoint, thing) → for whom GET answers, for whom POST does.
TABLE: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {
    ("officer.case", "case"): (READERS, NOBODY),
    ("officer.diagram", "case"): (READERS, NOBODY),
    ("officer.unmask_application", "case"): (READERS, READERS),
    ("officer.unmask_row", "case"): (READERS, READERS),
    ("officer.unmask_objector", "objection"): (HRSS | {"auditor"}, HRSS | {"auditor"}),
    ("officer.case", "objection"): (HRSS | {"auditor"}, NOBODY),
    ("officer.diagram", "objection"): (HRSS | {"auditor"}, NOBODY),
    ("officer.case", "draft"): (frozenset({"auditor"}), NOBODY),
    ("officer.unmask_application", "draft"): (frozenset({"auditor"}), frozenset({"auditor"})),
    ("files.attachment", "draft"): (EMPLOYER | {"auditor"}, NOBODY),
    ("files.attachment", "case"): (READERS | EMPLOYER, NOBODY),
    ("files.document", "case"): (
        frozenset({"another township", "hrss", "head of hrss", "rural", "auditor"}),
        NOBODY,
    ),
    ("officer.item", "case"): (OFFICES, NOBODY),
    ("officer.done", "case"): (OFFICES, NOBODY),
    ("officer.claim", "case"): (NOBODY, HRSS),
    ("officer.decide", "case"): (OFFICES, HRSS),
    ("officer.draft", "case"): (NOBODY, HRSS),
    ("officer.rows", "case"): (NOBODY, HRSS),
    ("officer.unclaim", "case"): (NOBODY, frozenset({"hrss"})),
    ("officer.reassign", "case"): (frozenset({"head of hrss"}), frozenset({"head of hrss"})),
    ("officer.terminate", "case"): (frozenset({"head of hrss"}), frozenset({"head of hrss"})),
    ("officer.remove_paid", "case"): (HRSS, HRSS),
    ("officer.review", "case"): (HRSS | {"rural"}, HRSS | {"rural"}),
    ("officer.identities_confirm", "upload"): (NOBODY, frozenset({"rural"})),
    ("officer.identities_drop", "upload"): (NOBODY, frozenset({"rural"})),
    ("officer.authorisation", "member"): (frozenset({"township"}), NOBODY),
    ("officer.employer_refuse", "member"): (frozenset({"township"}), frozenset({"township"})),
    ("officer.employer_correct", "employer"): (frozenset({"township"}), frozenset({"township"})),
    ("officer.employer_confirm", "member"): (NOBODY, frozenset({"township"})),
    ("employer.case", "case"): (EMPLOYER, NOBODY),
    ("employer.case_people", "case"): (EMPLOYER, NOBODY),
    # A recognition has no pay slips; those of a payroll: test_slips.
    ("employer.slips", "case"): (NOBODY, NOBODY),
    ("employer.slips_pdf", "case"): (NOBODY, NOBODY),
    # No project is registered here; who may see one and its ledger: test_overview.
    ("overview.archive", "case"): (NOBODY, NOBODY),
    ("employer.attendance", "case"): (NOBODY, NOBODY),
    ("employer.diagram", "case"): (EMPLOYER, NOBODY),
    ("employer.case", "objection"): (NOBODY, NOBODY),
    ("employer.case", "draft"): (EMPLOYER, NOBODY),
    ("employer.recall", "case"): (NOBODY, NOBODY),
    ("employer.give_up", "case"): (EMPLOYER, EMPLOYER),
    ("employer.step", "draft"): (EMPLOYER, NOBODY),
    ("employer.section", "draft"): (EMPLOYER, EMPLOYER),
    ("employer.autosave", "draft"): (NOBODY, EMPLOYER),
    ("employer.check", "draft"): (NOBODY, EMPLOYER),
    ("employer.materials", "draft"): (EMPLOYER, EMPLOYER),
    ("employer.roster", "draft"): (EMPLOYER, EMPLOYER),
    ("employer.roster_progress", "draft"): (NOBODY, NOBODY),
    ("employer.roster_template", "draft"): (EMPLOYER, NOBODY),
    # A recognition pays no days; those of a payroll: test_attendance.
    ("employer.noted", "draft"): (NOBODY, NOBODY),
    ("employer.roster_annotated", "draft"): (EMPLOYER, NOBODY),
    ("employer.review", "draft"): (EMPLOYER, EMPLOYER),
    ("employer.done", "draft"): (EMPLOYER, NOBODY),
    ("employer.member_confirm", "member"): (NOBODY, NOBODY),
    ("employer.member_refuse", "member"): (NOBODY, NOBODY),
    ("employer.member_end", "member"): (NOBODY, NOBODY),
    ("account.open_notice", "notice"): (NOBODY, frozenset({"head of hrss"})),
    ("audit.verification_run", "run"): (AUDITORS, NOBODY),
    ("admin.office", "office"): (ADMIN, NOBODY),
    ("admin.office_edit", "office"): (ADMIN, ADMIN),
    ("admin.job_retry", "job"): (NOBODY, ADMIN | {"administrator of another county"}),
    ("admin.user", "user"): (ADMIN, NOBODY),
    ("admin.user_post_new", "user"): (ADMIN, ADMIN),
    ("admin.user_substitute", "user"): (ADMIN, ADMIN),
    ("admin.user_post_end", "user"): (NOBODY, ADMIN),
    ("admin.user_reset", "user"): (NOBODY, ADMIN),
    ("admin.user_reset_factor", "user"): (NOBODY, ADMIN),
    ("admin.user_deactivate", "user"): (NOBODY, ADMIN),
    ("admin.user_reactivate", "user"): (NOBODY, ADMIN),
}
Things = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def things(cases: Filled, officer_database: Database, move: Callable[[timedelta], None]) -> Things:
    """Thing → the arguments of its addresses."""
    with officer_database.transaction() as session:
        employer = session.get_one(Employer, session.get_one(Case, cases.cases["reviewing"]).employer_id)
        workshop = session.scalars(select(Workshop)).first() or workshops.register(
            session,
            workshops.WorkshopData(
                employer_id=employer.id,
                name="巧手就业帮扶车间",
                mode="factory",
                number="通就帮车间〔2025〕9号",
                address=employer.address,
                division_code=employer.division_code,
                worker_count=6,
                recognised_on=date(2025, 2, 20),
                review_due=date(2026, 2, 20),
            ),
            actor_id=None,
        )
        draft = start(
            session,
            employers_actor(session, employer.id),
            "workshop_recognition",
            division_code=employer.division_code,
            employer=employer,
        )
        session.flush()
        step = session.scalars(select(WorkItem).where(WorkItem.case_id == draft.id)).one()
        attach(session, employers_actor(session, employer.id), step.id, "license", PDF, "执照.pdf")
        auditor = load_actor(session, session.get_one(User, cases.users["shenji"]))
        run = ask(session, auditor)
        notice = Notice(user_id=cases.users["renshe.head"], text="请查看。", key="access")
        session.add(notice)
        session.flush()
        return _things(session, cases, draft.number, step.id, workshop.id, run.id, notice.id)


def _things(
    session: Session, cases: Filled, draft: str, step: int, workshop: int, run: int, notice: int
) -> Things:
    case_id = cases.cases["reviewing"]

    def first(query: Select[int]) -> int:
        found = session.scalars(query.limit(1)).first()
        assert found is not None, query
        return found

    of_case = {
        "number": cases.numbers["reviewing"],
        "item_id": cases.items["reviewing", "hrss_review", "hrss"],
        "attachment_id": first(select(Attachment.id).where(Attachment.case_id == case_id)),
        "document_id": first(
            select(IssuedDocument.id).where(IssuedDocument.case_id == cases.cases["objected"])
        ),
        "row_id": first(
            select(RosterRow.id)
            .join(Roster, Roster.id == RosterRow.roster_id)
            .where(Roster.case_id == case_id)
        ),
        "workshop_id": workshop,
        "first": 1,
        "project_id": 1,
    }
    post = select(Assignment.id).where(Assignment.user_id == cases.users["renshe.b"])
    return {
        "case": of_case,
        "objection": {"number": cases.numbers["objected-objection"]},
        "draft": {
            "number": draft,
            "item_id": step,
            "section": "employer",
            "attachment_id": first(select(Attachment.id).where(Attachment.work_item_id == step)),
        },
        "member": {
            "member_id": first(
                select(EmployerMember.id).where(EmployerMember.user_id == cases.users["qiye9"])
            )
        },
        "notice": {"notice_id": notice},
        "employer": {"employer_id": first(select(Case.employer_id).where(Case.id == case_id))},
        "run": {"run_id": run},
        "user": {"user_id": cases.users["renshe.b"], "post_id": first(post)},
        "office": {
            "office_id": first(
                select(Department.id).where(Department.kind == "hrss", Department.division_code == "220822")
            )
        },
        "upload": {"upload_id": _doubtful_list(session, cases)},
        "job": {"job_id": first(select(OutboxRow.id))},
    }


def _doubtful_list(session: Session, cases: Filled) -> int:
    """A list of the county that waits for somebody's word."""
    rural = load_actor(session, session.get_one(User, cases.users["xiangcun.a"]))
    list_ = uploads.upload(
        session, rural, list_template(), "名单.xlsx", division_code="220822", as_of=today(), source="测试"
    )
    list_.status, list_.doubts = "doubtful", ["人数少了一半以上。"]
    return list_.id


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.long])],
)
def engine(request: pytest.FixtureRequest) -> str:
    """Both kinds of database; PostgreSQL in the long profile: what is asked here is who may see what, not how rows are kept."""
    return str(request.param)


@pytest.fixture
def officer_house(engine: str, request: pytest.FixtureRequest) -> SqliteHouse | PostgresHouse:
    found: SqliteHouse | PostgresHouse = request.getfixturevalue(f"{engine}_house")
    return found


@pytest.fixture(scope="module")
def _officer_place(engine: str, tmp_path_factory: pytest.TempPathFactory) -> OfficerPlace:
    folder = tmp_path_factory.mktemp(f"officer-{engine}")
    TEST_KEYRING.save(folder / "keys.json")
    return OfficerPlace(folder, template=f"officer_{engine}")


class Visitors(dict[str, FlaskClient]):
    """Everybody by what they are, signed in when first asked for."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app

    def __missing__(self, name: str) -> FlaskClient:
        browser = Browser(self.app)
        if VISITORS[name]:
            browser.login(VISITORS[name], DEMO_PASSWORD)
        browser.client.environ_base["HTTP_X_TOKEN"] = browser.token()
        self[name] = browser.client
        return browser.client


@pytest.fixture
def visitors(officer_app: Flask, move: object) -> Visitors:
    return Visitors(officer_app)


def send(client: FlaskClient, method: str, path: str) -> TestResponse:
    data = {"csrf_token": client.environ_base["HTTP_X_TOKEN"]} if method == "POST" else None
    return client.open(path, method=method, data=data)


def addresses(app: Flask, things: Things) -> dict[tuple[str, str], tuple[str, set[str]]]:
    """(endpoint, thing) → address and methods, for every line of the table."""
    found = {}
    for rule in app.url_map.iter_rules():
        for endpoint, thing in TABLE:
            if endpoint == rule.endpoint:
                with app.test_request_context():
                    built = rule.build({name: things[thing][name] for name in rule.arguments})
                assert built is not None, rule
                found[endpoint, thing] = built[1], (rule.methods or set()) & {"GET", "POST"}
    return found


def judged(visitor: str, answer: TestResponse, allowed: bool) -> str:
    """What is wrong with an answer, or nothing."""
    location = answer.headers.get("Location", "")
    refused = answer.status_code in {401, 403, 404} or location.startswith("/login")
    if answer.status_code >= 500:
        return f"{visitor}: {answer.status_code}"
    return "" if allowed is not refused else f"{visitor}: {answer.status_code} {location}"


def test_every_address_that_names_something_stands_in_the_table(officer_app: Flask) -> None:
    naming = {rule.endpoint for rule in officer_app.url_map.iter_rules() if rule.arguments - FREE}
    naming = {endpoint for endpoint in naming if not endpoint.startswith("finance.")}
    assert naming - {endpoint for endpoint, _ in TABLE} == set(), "say in TABLE for whom these answer"
    assert {endpoint for endpoint, _ in TABLE} - naming == set(), "these name nothing any more"


def test_invariant_7_nobody_reads_what_their_post_does_not_allow(
    officer_app: Flask, things: Things, visitors: Visitors
) -> None:
    wrong = []
    for key, (path, methods) in addresses(officer_app, things).items():
        if "GET" not in methods:
            assert TABLE[key][0] == NOBODY, f"{key}: nothing to be read"
            continue
        for visitor in VISITORS:
            with send(visitors[visitor], "GET", path) as answer:
                if problem := judged(visitor, answer, visitor in TABLE[key][0]):
                    wrong.append(f"GET {path} {key} as {problem}")
    assert wrong == []


def test_invariant_7_nobody_does_what_their_post_does_not_allow(
    officer_app: Flask, things: Things, visitors: Visitors, officer_database: Database
) -> None:
    """First all who must be refused, on the cases as they are, then all who may, each after the other."""
    wrong = []
    for visitor in VISITORS:
        assert visitors[visitor] is not None  # signed in before the database is compared
    found = {
        key: path for key, (path, methods) in addresses(officer_app, things).items() if "POST" in methods
    }
    assert {key for key, (_, act) in TABLE.items() if act} - set(found) == set(), "nothing to be done there"
    for key, path in found.items():
        before = digest(officer_database)
        for visitor in VISITORS:
            if visitor not in TABLE[key][1]:
                with send(visitors[visitor], "POST", path) as answer:
                    if problem := judged(visitor, answer, False):
                        wrong.append(f"POST {path} {key} as {problem}")
        if digest(officer_database) != before:
            wrong.append(f"POST {path} {key} changed something for somebody who was refused")
    assert wrong == []
    for key in sorted(found, key=list(TABLE).index):
        for visitor in VISITORS:
            if visitor in TABLE[key][1]:
                with send(visitors[visitor], "POST", found[key]) as answer:
                    if problem := judged(visitor, answer, True):
                        wrong.append(f"POST {found[key]} {key} as {problem}")
    assert wrong == []


def test_lists_show_what_one_may_open(
    officer_app: Flask, things: Things, visitors: Visitors, cases: Filled
) -> None:
    """The search finds what the case page opens; nothing else is even named."""
    everything = {**cases.numbers, "draft": str(things["draft"]["number"])}
    for visitor in VISITORS:
        client = visitors[visitor]
        found = client.get("/cases")
        for name, number in everything.items():
            opens = client.get(f"/cases/{number}").status_code == 200
            if name == "draft":
                assert number not in found.text, visitor
            else:
                assert (number in found.text) is opens, f"{visitor}: {name}"
    for visitor in ("another employer", "an employer of another county"):
        home = visitors[visitor].get("/employer").text
        assert [number for number in everything.values() if number in home] == [], visitor


@pytest.mark.parametrize("number", ["9" * 18, "9" * 19, "9" * 40, "0"])
def test_what_no_row_can_be_is_not_found(officer_app: Flask, visitors: Visitors, number: str) -> None:
    """Never an error of the database."""
    wrong = []
    inside = {"employer": "own employer", "officer": "hrss", "auditor": "auditor", "admin": "administrator"}
    for rule in officer_app.url_map.iter_rules():
        counted = rule.arguments - FREE - {"number"}
        if not counted:
            continue
        others = dict.fromkeys(rule.arguments - counted, "x")
        path = str(rule)
        for name in counted:
            path = path.replace(f"<int:{name}>", number)
        for name in others:
            path = path.replace(f"<{name}>", "x")
        for kind in ROUTES[rule.endpoint] & set(inside):
            for method in (rule.methods or set()) & {"GET", "POST"}:
                with send(visitors[inside[kind]], method, path) as answer:
                    if answer.status_code not in {403, 404}:
                        wrong.append(f"{method} {path} as {kind}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/cases?after={}", "/work?after={}_{}", "/notices?page={}", "/workshops?page={}"]
)
def test_a_place_in_a_list_that_cannot_be_is_the_beginning(visitors: Visitors, path: str) -> None:
    for strange in ("9" * 30, "-1", "²", "x", ""):
        assert visitors["hrss"].get(path.format(strange, strange)).status_code == 200
