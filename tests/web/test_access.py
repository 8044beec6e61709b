"""Invariant 7, at the door: every route and whom it serves, in one table. What a post may do with one case is asked
behind the door, by the use cases, and tested with them.

A new route is added to ``ROUTES``; one that is missing here, or that changes something on GET, fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from werkzeug.routing import Rule

from tests.web.client import Browser, Page
from tests.web.world import COUNTY, PASSWORD, World
from webapp.access import KINDS, allow
from workflows.base.session import Database

GUEST, EMPLOYER, OFFICER, AUDITOR, ADMIN = KINDS
EVERYONE = frozenset(KINDS)
SIGNED_IN = EVERYONE - {GUEST}


def only(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


#: Endpoint → the kinds of visitor it serves.
ROUTES: dict[str, frozenset[str]] = {
    # Everybody
    "static": EVERYONE,
    "bootstrap.static": EVERYONE,
    "health.healthz": EVERYONE,
    "metrics.metrics": EVERYONE,
    "home.index": EVERYONE,
    # Login and account
    "auth.login": only(GUEST),
    "second.code": only(GUEST),
    "auth.logout": EVERYONE,
    "auth.forgotten": EVERYONE,
    "auth.password": SIGNED_IN,
    "auth.register": only(GUEST),
    "auth.join": only(EMPLOYER),
    "auth.pending": only(EMPLOYER),
    "account.profile": SIGNED_IN,
    "second.enrol": SIGNED_IN,
    "account.notices": SIGNED_IN,
    "account.open_notice": SIGNED_IN,
    "account.read_notices": SIGNED_IN,
    # Officers; an auditor reads what they read
    "officer.worklist": only(OFFICER),
    "officer.item": only(OFFICER),
    "officer.claim": only(OFFICER),
    "officer.unclaim": only(OFFICER),
    "officer.reassign": only(OFFICER),
    "officer.decide": only(OFFICER),
    "officer.draft": only(OFFICER),
    "officer.rows": only(OFFICER),
    "officer.done": only(OFFICER),
    "officer.terminate": only(OFFICER),
    "officer.review": only(OFFICER),
    "officer.employers": only(OFFICER),
    "officer.authorisation": only(OFFICER),
    "officer.employer_confirm": only(OFFICER),
    "officer.employer_refuse": only(OFFICER),
    "officer.employer_correct": only(OFFICER),
    "officer.employers_registered": only(OFFICER),
    "officer.cases": only(OFFICER, AUDITOR),
    "officer.case": only(OFFICER, AUDITOR),
    "officer.diagram": only(OFFICER, AUDITOR),
    "officer.register": only(OFFICER, AUDITOR),
    "officer.starts": only(OFFICER),
    "officer.start": only(OFFICER),
    "officer.unmask_application": only(OFFICER, AUDITOR),
    "officer.unmask_objector": only(OFFICER, AUDITOR),
    "officer.unmask_row": only(OFFICER, AUDITOR),
    "files.attachment": only(EMPLOYER, OFFICER, AUDITOR),
    "files.document": only(EMPLOYER, OFFICER, AUDITOR),
    "officer.remove_paid": only(OFFICER),
    "officer.grants": only(OFFICER, AUDITOR),
    "officer.grants_import": only(OFFICER),
    "officer.grants_template": only(OFFICER),
    "officer.identities": only(OFFICER, AUDITOR),
    "officer.identities_progress": only(OFFICER),
    "officer.identities_template": only(OFFICER),
    "officer.identities_confirm": only(OFFICER),
    "officer.identities_drop": only(OFFICER),
    # Money; who of the officers may act there is asked behind the door
    "finance.index": only(OFFICER, AUDITOR),
    "finance.index_sheet": only(OFFICER, AUDITOR),
    "finance.fund": only(OFFICER, AUDITOR),
    "finance.fund_new": only(OFFICER),
    "finance.fund_change": only(OFFICER),
    "finance.fund_carry": only(OFFICER),
    "finance.fund_enable": only(OFFICER),
    "finance.fund_give_back": only(OFFICER),
    "finance.fund_close": only(OFFICER),
    "finance.batches": only(OFFICER, AUDITOR),
    "finance.batch": only(OFFICER, AUDITOR),
    "finance.batch_new": only(OFFICER),
    "finance.batch_file": only(OFFICER),
    "finance.batch_check": only(OFFICER),
    "finance.batch_return": only(OFFICER),
    "finance.batch_release": only(OFFICER),
    "finance.batch_cancel": only(OFFICER),
    "finance.batch_answer": only(OFFICER),
    "finance.batch_answer_progress": only(OFFICER),
    "finance.bounced": only(OFFICER, AUDITOR),
    "finance.correct": only(OFFICER),
    "finance.correction_decide": only(OFFICER),
    "finance.reconciliation": only(OFFICER, AUDITOR),
    "finance.reconciliation_sheet": only(OFFICER, AUDITOR),
    "finance.recoveries": only(OFFICER, AUDITOR),
    "overview.projects": only(OFFICER, AUDITOR),
    "overview.projects_sheet": only(OFFICER, AUDITOR),
    "overview.archive": only(OFFICER, AUDITOR),
    "overview.counts": only(OFFICER, AUDITOR),
    "overview.counts_sheet": only(OFFICER, AUDITOR),
    "finance.recover": only(OFFICER),
    "finance.recover_receive": only(OFFICER),
    "finance.recovery_demand": only(OFFICER),
    "finance.recovery_cancel": only(OFFICER),
    # Employers
    "employer.case": only(EMPLOYER),
    "employer.case_people": only(EMPLOYER),
    "employer.attendance": only(EMPLOYER),
    "employer.noted": only(EMPLOYER),
    "employer.slips": only(EMPLOYER),
    "employer.slips_pdf": only(EMPLOYER),
    "employer.diagram": only(EMPLOYER),
    "employer.recall": only(EMPLOYER),
    "employer.give_up": only(EMPLOYER),
    "employer.index": only(EMPLOYER),
    "employer.start": only(EMPLOYER),
    "employer.materials": only(EMPLOYER),
    "employer.roster": only(EMPLOYER),
    "employer.roster_progress": only(EMPLOYER),
    "employer.roster_template": only(EMPLOYER),
    "employer.roster_annotated": only(EMPLOYER),
    "employer.step": only(EMPLOYER),
    "employer.section": only(EMPLOYER),
    "employer.autosave": only(EMPLOYER),
    "employer.check": only(EMPLOYER),
    "employer.review": only(EMPLOYER),
    "employer.done": only(EMPLOYER),
    "employer.unit": only(EMPLOYER),
    "employer.member_confirm": only(EMPLOYER),
    "employer.member_refuse": only(EMPLOYER),
    "employer.member_end": only(EMPLOYER),
    # The public
    "public.index": EVERYONE,
    "public.policies": EVERYONE,
    "public.publicities": EVERYONE,
    "public.publicity": EVERYONE,
    "public.object_to": EVERYONE,
    "public.objected": EVERYONE,
    "public.register": EVERYONE,
    "public.progress": EVERYONE,
    "public.slip": EVERYONE,
    "public.verify": EVERYONE,
    "public.paper": EVERYONE,
    "public.robots": EVERYONE,
    # Administration
    "admin.offices": only(ADMIN),
    "admin.office_new": only(ADMIN),
    "admin.office": only(ADMIN),
    "admin.office_edit": only(ADMIN),
    "admin.divisions": only(ADMIN),
    "admin.division_page": only(ADMIN),
    "admin.users": only(ADMIN),
    "admin.user_new": only(ADMIN),
    "admin.user": only(ADMIN),
    "admin.user_reset": only(ADMIN),
    "admin.user_reset_factor": only(ADMIN),
    "admin.user_deactivate": only(ADMIN),
    "admin.user_reactivate": only(ADMIN),
    "admin.user_post_new": only(ADMIN),
    "admin.user_post_end": only(ADMIN),
    "admin.user_substitute": only(ADMIN),
    "admin.calendar": only(ADMIN),
    "admin.parameters": only(ADMIN),
    "admin.parameter": only(ADMIN),
    "admin.jobs": only(ADMIN),
    "admin.job_retry": only(ADMIN),
    # Audit
    "audit.events": only(AUDITOR),
    "audit.verification": only(AUDITOR),
    "audit.verification_ask": only(AUDITOR),
    "audit.verification_run": only(AUDITOR),
}

#: One person of each kind.
VISITORS = {GUEST: "", EMPLOYER: "zheng", OFFICER: "sun", AUDITOR: "shen", ADMIN: "guan"}
#: Pages of one office alone, refused behind the door to the others: who of it goes there.
OF_ONE_OFFICE = {
    "finance.fund_new": "wubo",
    "finance.batch_new": "wubo",
    "officer.identities": "zhou",
    "officer.identities_progress": "zhou",
    "officer.identities_template": "zhou",
}
#: What stands in an address: the name of the argument → an example.
EXAMPLES: dict[str, Callable[[World], object]] = {
    "user_id": lambda world: world.users["zhao"],
    "office_id": lambda world: next(iter(world.departments.values())),
    "post_id": lambda world: 1,
    "code": lambda world: COUNTY,
    "process": lambda world: "workshop_recognition",
    "key": lambda world: "publicity_days",
    "filename": lambda world: "favicon.svg",
}


def address(app: Flask, rule: Rule, world: World) -> str:
    values = {name: EXAMPLES.get(name, lambda _: 1)(world) for name in rule.arguments}
    with app.test_request_context():
        built = rule.build(values)
    assert built is not None, rule
    return built[1]


def test_every_route_stands_in_the_table(app: Flask) -> None:
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known - set(ROUTES) == set(), "add the new routes to ROUTES, with whom they serve"
    assert set(ROUTES) - known == set(), "these routes are gone"


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_enters_where_the_table_says_and_nowhere_else(app: Flask, world: World, kind: str) -> None:
    browser = Browser(app)
    if VISITORS[kind]:
        browser.login(VISITORS[kind], PASSWORD)
    token = browser.token()
    colleagues = {}
    for username in set(OF_ONE_OFFICE.values()) if kind == OFFICER else ():
        colleagues[username] = Browser(app)
        colleagues[username].login(username, PASSWORD)
    wrong = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ROUTES:
            continue  # said once, by the test above
        path = address(app, rule, world)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if rule.endpoint == "auth.logout":
                continue  # it would end the walk
            if method == "POST" and kind in ROUTES[rule.endpoint]:
                continue  # what a POST does when it is allowed is tested with its page
            who = colleagues.get(OF_ONE_OFFICE.get(rule.endpoint, ""), browser)
            with who.client.open(path, method=method, data={"csrf_token": token}) as answer:
                allowed = kind in ROUTES[rule.endpoint]
                if problem := _misjudged(kind, ROUTES[rule.endpoint], allowed, answer):
                    wrong.append(f"{method} {path} ({rule.endpoint}) as {kind}: {problem}")
    assert wrong == []


def _misjudged(kind: str, kinds: frozenset[str], allowed: bool, answer: object) -> str:
    status, location = answer.status_code, answer.headers.get("Location", "")
    to_login = status == 303 and location.startswith("/login?next=")
    if allowed:
        fine = status in {200, 404, 503} or (status == 303 and not to_login)
        if fine and status == 200 and answer.mimetype == "text/html":
            fine = not Page(answer.text, "").problems()
    elif kind == GUEST:
        fine = to_login or status == 401
    elif kinds == {GUEST}:
        fine = status == 303 and location == "/"
    else:
        fine = status == 403
    return "" if fine else f"{status} {location}"


def test_no_get_changes_anything(app: Flask, world: World, web_database: Database) -> None:
    colleagues = [(OFFICER, username) for username in sorted(set(OF_ONE_OFFICE.values()))]
    for kind, username in [*VISITORS.items(), *colleagues]:
        browser = Browser(app)
        if username:
            browser.login(username, PASSWORD)
        before = digest(web_database)
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or set()) and kind in ROUTES.get(rule.endpoint, EVERYONE):
                path = address(app, rule, world)
                browser.client.get(path).close()
                after = digest(web_database)
                assert after == before, f"GET {path} as {kind} changed the database"


def test_nothing_changes_without_the_forms_token(app: Flask, world: World, web_database: Database) -> None:
    """Every address that takes a POST, by somebody who may: with no token, a made up one, and one of somebody else's page."""
    stranger = Browser(app)
    stranger.login("guan", PASSWORD)
    forged = [{}, {"csrf_token": "IjEi.aaaaaa.bbbbbbbbbb"}, {"csrf_token": stranger.token()}]
    asked, wrong = set(), []
    for kind, username in VISITORS.items():
        browser = Browser(app)
        if username:
            browser.login(username, PASSWORD)
        before = digest(web_database)
        for rule in app.url_map.iter_rules():
            if "POST" not in (rule.methods or set()) or kind not in ROUTES[rule.endpoint]:
                continue
            asked.add(rule.endpoint)
            path = address(app, rule, world)
            for data in forged:
                with browser.client.post(
                    path, data=data, headers={"Origin": "http://elsewhere.example"}
                ) as answer:
                    if answer.status_code != 400:
                        wrong.append(f"POST {path} as {kind} with {data}: {answer.status_code}")
        assert digest(web_database) == before
    taking = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert (wrong, taking - asked) == ([], set())


def digest(database: Database) -> str:
    """Everything that stands in the database, as one number."""
    with database.reading() as session:
        names = sorted(inspect(session.connection()).get_table_names())
        whole = [
            (name, sorted(map(repr, session.execute(text(f'select * from "{name}"'))))) for name in names
        ]
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def test_a_route_must_name_kinds_that_exist() -> None:
    with pytest.raises(ValueError, match="unknown"):
        allow("everybody")
    with pytest.raises(ValueError, match="none given"):
        allow()
