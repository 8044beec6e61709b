"""Steps of two offices: the joint site check with its photos, sent back and signed; the meeting; the joint issue."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.web.client import Browser, Page, text_of
from tests.web.officer_cases import Filled, answered, picture, worker
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases.check import check
from workflows.cases.model import Attachment, Case, CaseTimer, Decision, WorkItem
from workflows.documents.model import IssuedDocument
from workflows.registers.model import Workshop

Enter = Callable[[str], Browser]
Mover = Callable[[timedelta], None]
CHECKED: dict[str, Any] = {
    "checked_on": "2026-03-02",
    "inspector_hrss": "任可心",
    "inspector_rural": "田小满",
    "on_duty_count": "11",
    "sampled_count": "3",
    "sampled_notes": "抽查三人，本人所说与花名册一致。",
    "findings": "场地、生产、用工情况属实。",
}


def photo(name: str = "车间门头.png", content: bytes | None = None) -> dict[str, Any]:
    return {"photos-upload": (io.BytesIO(picture() if content is None else content), name)}


def open_item(database: Database, case_id: int, step: str, office: str) -> int:
    """The open item of a step of an office."""
    with database.reading() as session:
        return next(
            item.id
            for item in session.scalars(
                select(WorkItem).where(
                    WorkItem.case_id == case_id, WorkItem.step == step, WorkItem.closed_at.is_(None)
                )
            )
            if item.department is not None and item.department.kind == office
        )


def photos(database: Database, case_id: int) -> list[str]:
    with database.reading() as session:
        return [
            one.file.name
            for one in session.scalars(
                select(Attachment).where(
                    Attachment.case_id == case_id,
                    Attachment.material == "photos",
                    Attachment.removed_at.is_(None),
                    Attachment.work_item_id.is_not(None),
                )
            )
            if "车间照片" not in one.file.name
        ]


@pytest.fixture
def check_item(cases: Filled) -> int:
    """县人社局's part of the site check; nobody has signed."""
    return cases.items["site", "site_check", "hrss"]


# Photos --------------------------------------------------------------------------------------------------------------


def test_photos_are_kept_with_what_is_typed(
    enter: Enter, check_item: int, cases: Filled, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{check_item}")
    sent = answered(page, outcome="pass", findings="先记到这里。")
    page = browser.submit(f"/work/{check_item}/decide", {**sent, **photo(), "upload": "1"})
    assert "照片和已填内容已保存。" in page.text
    assert page.form("decision")["findings"] == ["先记到这里。"]
    assert photos(officer_database, cases.cases["site"]) == ["车间门头.png"]
    links = {one.get("href", "") for one in page.all("a") if text_of(one).startswith("车间门头.png")}
    assert len(links) == 1
    answer = browser.fetch(links.pop())
    assert answer.status_code == 200
    assert answer.data == picture()
    assert answer.mimetype == "image/png"
    box = page.all("input", name="photos-remove")[0].get("value", "")
    page = browser.submit(
        f"/work/{check_item}/decide", {**page.form("decision"), "photos-remove": box, "upload": "1"}
    )
    assert photos(officer_database, cases.cases["site"]) == []


def test_a_bad_photo_loses_neither_the_good_one_nor_the_text(
    enter: Enter, check_item: int, cases: Filled, officer_database: Database
) -> None:
    browser = enter("renshe.a")
    page = browser.get(f"/work/{check_item}")
    sent = answered(page, outcome="pass", **CHECKED)
    files = {
        "photos-upload": [
            (io.BytesIO(picture()), "在岗.png"),
            (io.BytesIO(b"MZ\x90\x00" + b"\0" * 100), "程序.png"),
        ]
    }
    refused = browser.refused(f"/work/{check_item}/decide", {**sent, **files})
    assert any("程序.png" in one for one in refused.errors), refused.errors
    again = refused.form("decision")
    assert again["findings"] == [CHECKED["findings"]]
    assert again["outcome"] == ["pass"]
    assert photos(officer_database, cases.cases["site"]) == ["在岗.png"]
    browser.submit(f"/work/{check_item}/decide", again)
    with officer_database.reading() as session:
        decision = session.scalars(select(Decision).where(Decision.work_item_id == check_item)).one()
        assert len(decision.answers["photos"]) == 1


def test_without_a_photo_nothing_is_signed(enter: Enter, check_item: int, officer_database: Database) -> None:
    browser = enter("renshe.a")
    sent = answered(browser.get(f"/work/{check_item}"), outcome="pass", **CHECKED)
    for strange in ({}, {"photos": "1"}, {"photos": ["1", "2"]}):
        refused = browser.refused(f"/work/{check_item}/decide", {**sent, **strange})
        assert any("照片" in one for one in refused.errors), strange
    assert "车间照片.png" in text_of(refused.one("section", id="materials")), (
        "the employer's own do not count"
    )
    with officer_database.reading() as session:
        assert session.scalars(select(Decision).where(Decision.work_item_id == check_item)).all() == []


def test_photos_after_somebody_was_faster_give_the_text_back(enter: Enter, check_item: int) -> None:
    slow, fast = enter("renshe.b"), enter("renshe.a")
    sent = answered(slow.get(f"/work/{check_item}"), outcome="pass", **CHECKED)
    page = fast.get(f"/work/{check_item}")
    fast.submit(f"/work/{check_item}/decide", {**answered(page, outcome="pass", **CHECKED), **photo()})
    late = slow.refused(f"/work/{check_item}/decide", {**sent, **photo("晚到.png")}, 409)
    assert "任可心于3月2日 11:00 办理" in late.main
    assert CHECKED["sampled_notes"] in late.main


# Two signatures ------------------------------------------------------------------------------------------------------


def test_the_second_office_reads_and_signs(
    enter: Enter, check_item: int, cases: Filled, officer_database: Database
) -> None:
    case_id, number = cases.cases["site"], cases.numbers["site"]
    first = enter("renshe.a")
    page = first.get(f"/work/{check_item}")
    sent = {**answered(page, outcome="pass", opinion="同意送会审。", **CHECKED), **photo()}
    done = first.submit(f"/work/{check_item}/decide", sent)
    assert "通榆县乡村振兴局：两局联合现场核查" in done.main
    with officer_database.reading() as session:
        assert session.get_one(Case, case_id).status == "inspecting", "one signature moves nothing"
    second = enter("xiangcun.a")
    theirs = cases.items["site", "site_check", "rural"]
    page = second.get(f"/work/{theirs}")
    signed = text_of(page.one("section", id="signed"))
    assert CHECKED["findings"] in signed
    assert "任可心" in signed
    assert "同意送会审。" in signed
    assert [one.get("alt") for one in page.all("img") if one.get("alt") == "车间门头.png"]
    assert [one.get("value") for one in page.all("input", name="outcome")] == ["pass", "sent_back"]
    assert "findings" not in page.form("decision"), "what was signed is not changed by the second"
    page = second.submit(
        f"/work/{theirs}/decide", answered(page, outcome="pass", opinion="同意。", findings="改写别人的话")
    )
    with officer_database.reading() as session:
        assert session.get_one(Case, case_id).status == "deliberating"
        answers = [
            one.answers["findings"]
            for one in session.scalars(
                select(Decision).where(Decision.case_id == case_id, Decision.step == "site_check")
            )
        ]
    assert answers == [CHECKED["findings"]] * 2
    assert "会审" in second.get(f"/cases/{number}").main
    assert check(officer_database) == []


def test_the_second_office_cannot_turn_the_conclusion(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    item = cases.items["signed", "site_check", "rural"]
    browser = enter("xiangcun.a")
    sent = answered(browser.get(f"/work/{item}"), outcome="adverse", opinion="要求整改。")
    refused = browser.refused(f"/work/{item}/decide", sent)
    assert any("同意并签署" in one for one in refused.errors)
    assert refused.form("decision")["opinion"] == ["要求整改。"]
    refused = browser.refused(f"/work/{item}/decide", {**sent, "outcome": "sent_back", "opinion": ""})
    assert any("哪里需要改" in one for one in refused.errors)


def test_the_employer_reads_what_both_offices_said(
    enter: Enter, check_item: int, cases: Filled, officer_database: Database
) -> None:
    first, second = enter("renshe.a"), enter("xiangcun.a")
    defect = {
        "defects-0-field": "safety",
        "defects-0-problem": "灭火器过期。",
        "defects-0-action": "更换灭火器。",
    }
    page = first.get(f"/work/{check_item}")
    sent = answered(page, outcome="adverse", opinion="消防不合格，请整改。", **CHECKED, **defect)
    first.submit(f"/work/{check_item}/decide", {**sent, **photo()})
    theirs = cases.items["site", "site_check", "rural"]
    page = second.get(f"/work/{theirs}")
    second.submit(f"/work/{theirs}/decide", answered(page, outcome="adverse", opinion="同意整改。"))
    worker(officer_database)
    employer = enter("qiye5")
    with officer_database.reading() as session:
        item = session.scalars(
            select(WorkItem.id).where(
                WorkItem.case_id == cases.cases["site"],
                WorkItem.closed_at.is_(None),
                WorkItem.employer_id.is_not(None),
            )
        ).one()
    both = "通榆县人力资源和社会保障局、通榆县乡村振兴局的意见"
    page = employer.get(f"/employer/steps/{item}/review")
    assert both in page.main
    assert "通榆县人力资源和社会保障局：消防不合格，请整改。" in page.main
    assert "通榆县乡村振兴局：同意整改。" in page.main
    assert page.main.count("灭火器过期。") == 1, "what both signed is said once"
    page = employer.get(f"/employer/cases/{cases.numbers['site']}")
    assert "消防不合格，请整改。" in text_of(page.one("section", id="opinions"))
    assert "同意整改。" in text_of(page.one("section", id="opinions"))


def test_sent_back_the_first_office_finds_its_words_and_signs_again(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    item, case_id = cases.items["signed", "site_check", "rural"], cases.cases["signed"]
    second = enter("xiangcun.a")
    page = second.get(f"/work/{item}")
    second.submit(
        f"/work/{item}/decide", answered(page, outcome="sent_back", opinion="抽查人数太少，请补充抽查情况。")
    )
    again = open_item(officer_database, case_id, "site_check", "hrss")
    waiting = second.get(f"/work/{item}")
    assert [one.get("value") for one in waiting.all("input", name="outcome")] == [
        "pass",
        "adverse",
        "propose_refuse",
    ], "nothing is signed now: whoever is first fills in"
    with officer_database.reading() as session:
        first_name = session.get_one(WorkItem, again).claimant.username  # type: ignore[union-attr]
    first = enter(first_name)
    page = first.get(f"/work/{again}")
    assert "通榆县乡村振兴局退回会签" in page.main
    assert "抽查人数太少，请补充抽查情况。" in page.main
    form = page.form("decision")
    assert form["findings"][0], "what was written before stands in the fields"
    assert form["outcome"] == ["pass"]
    first.submit(
        f"/work/{again}/decide", answered(page, sampled_count="5", sampled_notes="又抽查两人，一致。")
    )
    page = second.get(f"/work/{item}")
    assert "又抽查两人，一致。" in text_of(page.one("section", id="signed"))
    second.submit(f"/work/{item}/decide", answered(page, outcome="pass"))
    with officer_database.reading() as session:
        assert session.get_one(Case, case_id).status == "deliberating"
    assert check(officer_database) == []


# Meeting, publicity, issue -------------------------------------------------------------------------------------------


def test_from_the_meeting_to_the_sealed_certificate(
    enter: Enter, cases: Filled, officer_database: Database, move: Mover
) -> None:
    case_id, number = cases.cases["signed"], cases.numbers["signed"]
    second = enter("xiangcun.a")
    item = cases.items["signed", "site_check", "rural"]
    second.submit(f"/work/{item}/decide", answered(second.get(f"/work/{item}"), outcome="pass"))
    meeting = open_item(officer_database, case_id, "meeting", "hrss")
    reviewer = enter(acted(officer_database, case_id, "hrss_review"))
    page = reviewer.get(f"/work/{meeting}")
    assert "按岗位分离要求不能再办理“会审”" in page.main
    assert page.all("form", id="decision") == []
    head = enter("renshe.head")
    page = head.get(f"/work/{meeting}")
    refused = head.refused(f"/work/{meeting}/decide", answered(page, outcome="agree", minutes="一致同意。"))
    assert len(refused.errors) >= 2, "the day and who was there are part of the record"
    assert refused.form("decision")["minutes"] == ["一致同意。"]
    done = head.submit(
        f"/work/{meeting}/decide",
        answered(
            refused,
            held_on="2026-03-02",
            attendees="县人社局任建华（主持）、县乡村振兴局田守信",
            minutes="一致同意。",
        ),
    )
    assert "公示" in done.main
    case = head.get(f"/cases/{number}")
    assert "公示中" in case.main
    assert "任建华（主持）" in text_of(case.one("section", id="opinions"))
    with officer_database.reading() as session:
        due = session.scalars(
            select(CaseTimer.due_at).where(CaseTimer.case_id == case_id, CaseTimer.closed_at.is_(None))
        ).one()
    move(due - clock.now())
    worker(officer_database)
    for username, office in (("renshe.head", "hrss"), ("xiangcun.head", "rural")):
        browser = enter(username)
        issue = open_item(officer_database, case_id, "joint_issue", office)
        page = browser.get(f"/work/{issue}")
        if office == "hrss":
            refused = browser.refused(f"/work/{issue}/decide", answered(page, outcome="issue"))
            assert any("没有勾选" in one or "核对" in one for one in refused.errors), refused.errors
            page = refused
        done = browser.submit(f"/work/{issue}/decide", answered(page, outcome="issue", checked="yes"))
    assert "就业帮扶车间认定证书" in done.main
    worker(officer_database)
    case = browser.get(f"/cases/{number}")
    assert "已认定" in case.main
    with officer_database.reading() as session:
        papers = {
            one.name: one.id
            for one in session.scalars(select(IssuedDocument).where(IssuedDocument.case_id == case_id))
        }
        workshop = session.get_one(Workshop, session.get_one(Case, case_id).workshop_id)
        name, register_number = workshop.name, workshop.number
    assert {"certificate", "joint_notice", "approval_form"} <= set(papers)
    paper = browser.fetch(f"/documents/{papers['certificate']}/pdf")
    assert paper.status_code == 200
    assert paper.mimetype == "application/pdf"
    register = browser.get("/workshops")
    assert name in register.main
    assert register_number in register.main
    assert check(officer_database) == []


def acted(database: Database, case_id: int, step: str) -> str:
    """Who decided a step."""
    with database.reading() as session:
        decision = session.scalars(
            select(Decision).where(Decision.case_id == case_id, Decision.step == step)
        ).one()
        assert decision.actor is not None
        return decision.actor.username


def test_what_the_meeting_refuses_leaves_with_its_paper(
    enter: Enter, cases: Filled, officer_database: Database
) -> None:
    case_id = cases.cases["signed"]
    second = enter("xiangcun.a")
    item = cases.items["signed", "site_check", "rural"]
    second.submit(f"/work/{item}/decide", answered(second.get(f"/work/{item}"), outcome="pass"))
    meeting = open_item(officer_database, case_id, "meeting", "hrss")
    head = enter("renshe.head")
    page: Page = head.get(f"/work/{meeting}")
    record = {
        "held_on": "2026-03-02",
        "attendees": "任建华、田守信",
        "minutes": "不同意。",
        "opinion": "劳动关系不真实。",
    }
    refused = head.refused(f"/work/{meeting}/decide", answered(page, outcome="refuse", **record))
    assert refused.errors, "a refusal states its facts"
    lacking = [
        one.get("name", "")
        for one in refused.root.iter("textarea")
        if one.get("aria-invalid") == "true" and one.get("name")
    ]
    done = head.submit(
        f"/work/{meeting}/decide",
        answered(refused, **dict.fromkeys(lacking, "经核查，名册所列人员未实际在岗。")),
    )
    assert "不予认定决定书" in done.main
    assert "不予认定" in head.get(f"/cases/{cases.numbers['signed']}").main
    worker(officer_database)
    assert check(officer_database) == []
