"""The permission table, asked about every kind of actor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories import administrator, auditor, employers_person, officer
from workflows.base.errors import Forbidden
from workflows.organisations.actors import PUBLIC, SYSTEM, Actor
from workflows.organisations.permissions import (
    PERMISSIONS,
    CaseFacts,
    Facts,
    ItemFacts,
    StartFacts,
    allowed,
    conflict,
    require,
)

TOWNSHIP, COUNTY = "220822901", "220822"
CHAIN = (TOWNSHIP, COUNTY, "220800", "220000")
TOWN_OFFICE, HRSS, RURAL, FINANCE, OTHER_HRSS, NDRC, WATER, ROADS = 1, 2, 3, 4, 5, 6, 7, 8

CLERK = officer(10, TOWN_OFFICE, "township", TOWNSHIP)
HRSS_CLERK = officer(20, HRSS, "hrss", COUNTY)
HRSS_HEAD = officer(21, HRSS, "hrss", COUNTY, "head")
RURAL_CLERK = officer(30, RURAL, "rural", COUNTY)
FINANCE_CLERK = officer(40, FINANCE, "finance", COUNTY)
NDRC_CLERK = officer(45, NDRC, "ndrc", COUNTY)
NDRC_HEAD = officer(46, NDRC, "ndrc", COUNTY, "head")
PROJECT_OWNER, OTHER_OWNER = officer(47, WATER, "owner", COUNTY), officer(48, ROADS, "owner", COUNTY)
OTHER_COUNTY = officer(50, OTHER_HRSS, "hrss", "220881", "head")
OTHER_TOWNSHIP = officer(11, 9, "township", "220822902")
OWNER, MEMBER = employers_person(60, 7), employers_person(61, 7, "clerk")
STRANGER = employers_person(62, 8)
AUDITOR, OTHER_AUDITOR = auditor(70, COUNTY), auditor(71, "220881")
ADMIN, OTHER_ADMIN = administrator(80, COUNTY), administrator(81, "220881")

EVERYBODY: dict[str, Actor] = {
    "township": CLERK,
    "hrss": HRSS_CLERK,
    "hrss_head": HRSS_HEAD,
    "rural": RURAL_CLERK,
    "finance": FINANCE_CLERK,
    "ndrc": NDRC_CLERK,
    "ndrc_head": NDRC_HEAD,
    "project_owner": PROJECT_OWNER,
    "other_owner": OTHER_OWNER,
    "other_county": OTHER_COUNTY,
    "other_township": OTHER_TOWNSHIP,
    "owner": OWNER,
    "member": MEMBER,
    "stranger": STRANGER,
    "auditor": AUDITOR,
    "other_auditor": OTHER_AUDITOR,
    "admin": ADMIN,
    "other_admin": OTHER_ADMIN,
    "public": PUBLIC,
    "system": SYSTEM,
}

HRSS_ITEM = ItemFacts("hrss_review", department_id=HRSS)
EMPLOYER_ITEM = ItemFacts("correction", employer_id=7)
CASE = CaseFacts(
    division_chain=CHAIN,
    employer_id=7,
    county_code=COUNTY,
    departments=frozenset({TOWN_OFFICE, HRSS, RURAL}),
    item=HRSS_ITEM,
)
LABOUR = replace(CASE, departments=frozenset({TOWN_OFFICE, NDRC, WATER}), lead="ndrc")
START = StartFacts(division_chain=CHAIN, kinds=frozenset({"ndrc"}))
PLACE = Facts(division_chain=CHAIN, employer_id=7, user_id=60)

READERS = {"township", "hrss", "hrss_head", "rural", "owner", "member", "auditor"}
IN_THE_ITEMS_OFFICE = {"hrss", "hrss_head"}

#: permission → facts → exactly who has it.
MATRIX: list[tuple[str, Facts, set[str]]] = [
    ("case.view", CASE, READERS),
    ("document.download", CASE, READERS),
    ("attachment.download", CASE, READERS),
    ("roster.unmask", CASE, READERS - {"owner", "member"}),
    ("case.start", CASE, {"owner", "member"}),
    ("case.start_office", START, {"ndrc", "ndrc_head"}),
    ("case.start_office", PLACE, set()),
    ("case.start_review", CASE, {"hrss", "hrss_head", "rural", "system"}),
    ("case.act", CASE, IN_THE_ITEMS_OFFICE),
    ("case.act", replace(CASE, item=EMPLOYER_ITEM), {"owner", "member"}),
    ("case.act", replace(CASE, item=None), set()),
    ("case.act", replace(CASE, item=replace(HRSS_ITEM, claimed_by=20)), {"hrss"}),
    ("case.act", replace(CASE, item=replace(HRSS_ITEM, is_open=False)), set()),
    ("case.claim", CASE, IN_THE_ITEMS_OFFICE),
    ("case.claim", replace(CASE, item=EMPLOYER_ITEM), set()),
    ("case.unclaim", CASE, set()),
    ("case.unclaim", replace(CASE, item=replace(HRSS_ITEM, claimed_by=20)), {"hrss"}),
    ("case.reassign", replace(CASE, item=replace(HRSS_ITEM, claimed_by=20)), {"hrss_head"}),
    ("case.recall", CASE, set()),
    ("case.recall", replace(CASE, recallable=True), {"owner", "member"}),
    ("case.recall", replace(CASE, recallable=True, finished=True), set()),
    ("case.terminate", CASE, {"hrss_head"}),
    ("case.terminate", LABOUR, {"ndrc_head"}),
    ("case.terminate", replace(CASE, finished=True), set()),
    ("case.terminate", replace(CASE, applied=True), {"hrss_head", "owner", "member"}),
    ("case.terminate", replace(CASE, applied=True, finished=True), set()),
    ("draft.edit", CASE, IN_THE_ITEMS_OFFICE),
    ("draft.edit", replace(CASE, item=EMPLOYER_ITEM), {"owner", "member"}),
    ("roster.upload", CASE, set()),
    ("roster.upload", replace(CASE, item=EMPLOYER_ITEM), {"owner", "member"}),
    ("roster.decide", CASE, IN_THE_ITEMS_OFFICE),
    ("roster.decide", replace(CASE, item=EMPLOYER_ITEM), set()),
    ("attachment.upload", CASE, IN_THE_ITEMS_OFFICE),
    ("register.view", PLACE, set(EVERYBODY)),
    ("employer.register", PLACE, {"owner", "member", "stranger"}),
    (
        "employer.view",
        PLACE,
        {"owner", "member", "township", "hrss", "hrss_head", "rural", "auditor"},
    ),
    ("employer.edit", PLACE, {"owner", "member"}),
    ("employer.confirm", PLACE, {"township", "system"}),
    ("employer.correct", PLACE, {"township"}),
    ("employer.members", PLACE, {"owner", "system"}),
    ("identities.import", PLACE, {"rural", "system"}),
    ("identities.view", PLACE, {"rural", "auditor"}),
    ("funds.view", PLACE, {"finance", "hrss", "hrss_head", "rural", "ndrc", "ndrc_head", "auditor"}),
    ("funds.manage", PLACE, {"finance"}),
    ("payment.remove", CASE, {"hrss", "hrss_head"}),
    ("payment.remove", LABOUR, {"ndrc", "ndrc_head"}),
    ("payment.remove", replace(CASE, finished=True), set()),
    ("recovery.decide", PLACE, {"hrss", "hrss_head", "ndrc", "ndrc_head"}),
    ("recovery.receive", PLACE, {"finance"}),
    ("grants.look_up", PLACE, {"finance", "hrss", "hrss_head", "rural", "auditor"}),
    ("grants.import", PLACE, {"hrss", "hrss_head", "system"}),
    ("audit.read", PLACE, {"auditor"}),
    ("audit.verify", PLACE, {"auditor"}),
    ("audit.verify_all", PLACE, {"auditor", "other_auditor", "system"}),
    ("admin.enter", PLACE, {"admin", "other_admin"}),
    ("admin.users", PLACE, {"admin", "system"}),
    ("admin.offices", PLACE, {"admin", "system"}),
    ("admin.calendar", PLACE, {"admin", "other_admin", "system"}),
    ("admin.parameters", PLACE, {"admin", "system"}),
    ("account.own", PLACE, {"owner"}),
]


@pytest.mark.parametrize(("permission", "facts", "expected"), MATRIX)
def test_invariant_7_exactly_these_have_the_permission(
    permission: str, facts: Facts, expected: set[str]
) -> None:
    assert {name for name, actor in EVERYBODY.items() if allowed(actor, permission, facts)} == expected


def test_the_matrix_asks_about_every_permission() -> None:
    assert {permission for permission, _, _ in MATRIX} == set(PERMISSIONS)


CHANGING = [
    name
    for name in PERMISSIONS
    if name.split(".")[1] not in ("view", "download", "unmask", "read", "enter", "look_up")
]


@pytest.mark.parametrize(
    "permission", [name for name in CHANGING if not name.startswith("audit.") and name != "account.own"]
)
@pytest.mark.parametrize("item", [HRSS_ITEM, EMPLOYER_ITEM])
def test_an_auditor_changes_nothing(permission: str, item: ItemFacts) -> None:
    assert not allowed(AUDITOR, permission, replace(CASE, item=item, recallable=True))


@pytest.mark.parametrize(
    "permission", [name for name in PERMISSIONS if name.startswith(("case.", "roster."))]
)
@pytest.mark.parametrize("item", [HRSS_ITEM, EMPLOYER_ITEM])
def test_an_administrator_has_no_way_into_a_case(permission: str, item: ItemFacts) -> None:
    assert not allowed(ADMIN, permission, replace(CASE, item=item, recallable=True))


def test_a_substitute_continues_what_the_absent_officer_claimed() -> None:
    claimed = replace(CASE, item=replace(HRSS_ITEM, claimed_by=20))
    substitute = officer(22, HRSS, "hrss", COUNTY, substitute_for=20)
    colleague = officer(23, HRSS, "hrss", COUNTY)
    assert allowed(substitute, "case.act", claimed)
    assert not allowed(colleague, "case.act", claimed)


def test_case_permissions_need_the_facts_of_a_case() -> None:
    assert not any(
        allowed(actor, permission, PLACE)
        for actor in (CLERK, HRSS_HEAD)
        for permission in PERMISSIONS
        if permission.startswith("case.") and not permission.startswith("case.start_")
    )


def test_a_refusal_is_a_sentence_without_internal_names() -> None:
    with pytest.raises(Forbidden) as refused:
        require(STRANGER, "case.view", CASE)
    assert refused.value.message == "您的岗位不能查看这件申请。"
    for name, rule in PERMISSIONS.items():
        assert name == "register.view" or rule.refusal.endswith("。")
        assert not any(character.isascii() and character.isalpha() for character in rule.refusal)


def test_require_is_silent_when_allowed_and_an_unknown_permission_is_a_mistake() -> None:
    require(HRSS_CLERK, "case.view", CASE)
    require(PUBLIC, "register.view")
    with pytest.raises(KeyError):
        allowed(HRSS_CLERK, "case.viewed", CASE)


PAIRS = [["application", "meeting"], ["hrss_review", "meeting"]]
TITLES = {"hrss_review": "审核合同", "meeting": "会审"}


@pytest.mark.parametrize(
    ("acted", "step", "refused"),
    [
        (["hrss_review"], "meeting", True),
        (["meeting"], "hrss_review", True),
        (["hrss_review", "site_check"], "meeting", True),
        (["hrss_review"], "hrss_review", False),
        (["hrss_review"], "site_check", False),
        (["site_check"], "meeting", False),
        ([], "meeting", False),
    ],
)
def test_invariant_8_nobody_holds_two_incompatible_posts(acted: list[str], step: str, refused: bool) -> None:
    reason = conflict(PAIRS, acted, step, TITLES)
    assert (reason is not None) is refused


def test_invariant_8_the_reason_names_both_steps() -> None:
    assert conflict(PAIRS, ["hrss_review"], "meeting", TITLES) == (
        "您在本案已办理“审核合同”，按岗位分离要求不能再办理“会审”，请交由其他人员办理。"
    )
    assert "“application”" in (conflict(PAIRS, ["application"], "meeting") or "")


def test_an_actor_without_account_stands_for_nobody() -> None:
    assert PUBLIC.stands_for == frozenset()
    assert HRSS_CLERK.stands_for == {20}
    assert officer(22, HRSS, "hrss", COUNTY, substitute_for=20).stands_for == {20, 22}
    assert OWNER.employer_ids == (7,)
    assert HRSS_HEAD.holds(HRSS, "head")
    assert not HRSS_HEAD.holds(HRSS, "clerk")
