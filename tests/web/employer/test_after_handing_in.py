"""Remarks, taking back, corrections, giving up; what other units and newcomers see."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.web.client import Browser, text_of
from tests.web.employer.world import (
    DAY,
    PDF,
    SECTIONS,
    attach_all,
    begin,
    hand_in,
    hidden,
    ready,
    upload,
    worker,
)
from tests.web.world import World
from workflows.base import clock
from workflows.base.installation import installation
from workflows.base.session import Database
from workflows.cases import claiming
from workflows.cases.answering import parse_answers
from workflows.cases.completing import complete
from workflows.cases.model import Attachment, Draft, WorkItem
from workflows.cases.roster_model import Roster
from workflows.organisations.model import User
from workflows.registers.membership import load_actor


def _decide(database: Database, step: str, outcome: str, username: str, **answers: Any) -> None:
    """An officer decides, as on the officers' pages."""
    with database.transaction() as session:
        item = session.scalars(
            select(WorkItem).where(WorkItem.step == step, WorkItem.closed_at.is_(None))
        ).one()
        user = session.scalars(select(User).where(User.username == username)).one()
        raw = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
        raw["outcome"] = [outcome]
        parsed = parse_answers(session, item.case, item, raw, outcome)
        assert not parsed.errors
        complete(
            session,
            load_actor(session, user),
            item.id,
            outcome,
            parsed,
            seen_version=item.version,
            command_key=f"{step}-{item.id}",
        )


def _correct(database: Database) -> None:
    _decide(
        database,
        "township_acceptance",
        "correct",
        "zhao",
        **{
            "defects-0-field": "staff_count",
            "defects-0-problem": "职工总数与工资表不一致",
            "defects-0-action": "按工资表核对后改正。",
            "defects-1-field": "photos",
            "defects-1-problem": "照片看不清",
            "opinion": "请一次补齐。",
            "verified_with": ["committee"],
        },
    )


def test_remarks_stand_beside_the_fields_they_name(zheng: Browser, web_database: Database) -> None:
    item = ready(zheng, web_database)
    number = text_of(hand_in(zheng, item).all("strong")[0])
    _correct(web_database)
    home = zheng.get("/employer")
    assert "按通知补正材料" in home.main
    page = zheng.get(f"/employer/cases/{number}")
    assert "请一次补齐" in page.main  # sent to the employer, so it reads it
    again = int(re.search(r"/employer/steps/(\d+)", page.source)[1])  # type: ignore[index]
    tasks = zheng.get(f"/employer/steps/{again}")
    assert "1 条意见" in tasks.main
    assert "补正、修改说明" in tasks.main
    fields = zheng.get(f"/employer/steps/{again}/form/workers")
    remark = fields.one("div", id="f-staff_count-remark")
    assert "职工总数与工资表不一致" in text_of(remark)
    assert fields.one("input", name="staff_count").get("value") == "12"
    assert "照片看不清" in zheng.get(f"/employer/steps/{again}/materials").main
    # what was handed in before can no longer be taken away, only added to
    assert "以前提交的" in zheng.get(f"/employer/steps/{again}/materials").main
    zheng.post(f"/employer/steps/{again}/form/workers", {**SECTIONS["workers"], "staff_count": "15"})
    assert "已提交：按通知补正材料" in hand_in(zheng, again).main


def test_the_words_of_offices_among_themselves_stay_with_them(zheng: Browser, web_database: Database) -> None:
    number = text_of(hand_in(zheng, ready(zheng, web_database)).all("strong")[0])
    _decide(
        web_database,
        "township_acceptance",
        "accept",
        "zhao",
        opinion="内部意见不外传。",
        verified_with=["committee"],
    )
    page = zheng.get(f"/employer/cases/{number}")
    assert "受理审查" in page.main
    assert "内部意见不外传" not in page.source
    assert "没有另写意见" not in page.main


def test_taking_back_before_anybody_acted(zheng: Browser, web_database: Database) -> None:
    number = text_of(hand_in(zheng, ready(zheng, web_database)).all("strong")[0])
    page = zheng.get(f"/employer/cases/{number}")
    ask = zheng.get(page.links()["撤回修改"])
    assert "不能再撤回" in ask.main
    back = zheng.submit(f"/employer/cases/{number}/recall")
    assert "已撤回" in back.main
    assert "已经填完" in back.main
    again = int(zheng.path.rsplit("/", 1)[1])
    assert "已提交" in hand_in(zheng, again).title
    # once an office has it, no more
    with web_database.transaction() as session:
        item = session.scalars(select(WorkItem).where(WorkItem.closed_at.is_(None))).one()
        user = session.scalars(select(User).where(User.username == "zhao")).one()
        claiming.claim(session, load_actor(session, user), item.id)
    assert "撤回修改" not in zheng.get(f"/employer/cases/{number}").main
    assert "已有单位开始办理" in zheng.refused(f"/employer/cases/{number}/recall", {}, 403).main


def test_what_was_added_before_taking_back_can_be_removed(zheng: Browser, web_database: Database) -> None:
    first = ready(zheng, web_database)
    number = text_of(hand_in(zheng, first).all("strong")[0])
    zheng.submit(f"/employer/cases/{number}/recall")
    again = int(zheng.path.rsplit("/", 1)[1])
    page = zheng.get(f"/employer/steps/{again}/materials")
    assert "不能删除" not in page.main
    with web_database.reading() as session:
        added = session.scalars(
            select(Attachment).where(Attachment.material == "license", Attachment.work_item_id == first)
        ).one()
    zheng.submit(f"/employer/steps/{again}/materials", {"license-remove": str(added.id), "stay": "license"})
    assert "已删除 1 个文件" in zheng.page.main  # type: ignore[union-attr]  # a page was fetched
    with web_database.reading() as session:
        assert session.get_one(Attachment, added.id).removed_at is not None
    assert "没有上传：营业执照" in zheng.get(f"/employer/steps/{again}/review").main
    # what an office has acted on stays: the step that follows can only add
    attach_all(zheng, again)
    hand_in(zheng, again)
    _decide(
        web_database,
        "township_acceptance",
        "correct",
        "zhao",
        **{"defects-0-field": ["license"], "defects-0-problem": ["看不清。"]},
    )
    with web_database.reading() as session:
        item = session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()
    assert "不能删除" in zheng.get(f"/employer/steps/{item}/materials").main


def _sent_back(browser: Browser, database: Database) -> int:
    """An application handed in and sent back for correction; the number of the step that waits now."""
    hand_in(browser, ready(browser, database))
    _correct(database)
    with database.reading() as session:
        return session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()


def test_a_correction_without_any_change_is_asked_about_once(zheng: Browser, web_database: Database) -> None:
    item = _sent_back(zheng, web_database)
    address = f"/employer/steps/{item}/review"
    page = zheng.get(address)
    assert "还没有改动任何内容" in page.main
    sent = {name: hidden(page, name) for name in ("command_key", "seen_version", "outcome")}
    page = zheng.refused(address, sent)
    assert "没有改动任何内容，确定交回吗？" in page.main
    assert "没有改动，仍然交回" in page.main
    with web_database.reading() as session:
        assert session.get_one(WorkItem, item).closed_at is None
    assert "已提交" in zheng.submit(address, {**sent, "unchanged": hidden(page, "unchanged")}).title


@pytest.mark.parametrize("change", ["answer", "file", "roster"])
def test_whatever_was_changed_in_a_correction_is_a_change(
    zheng: Browser, web_database: Database, change: str
) -> None:
    item = _sent_back(zheng, web_database)
    step = f"/employer/steps/{item}"
    if change == "answer":
        zheng.post(f"{step}/form/workers", {**SECTIONS["workers"], "staff_count": "13"})
    elif change == "file":
        files = {"license-upload": (io.BytesIO(PDF), "新执照.pdf"), "stay": "license"}
        zheng.submit(f"{step}/materials", files)
        assert "还没有改动任何内容" not in zheng.get(f"{step}/review").main
        with web_database.reading() as session:
            added = session.scalars(select(Attachment.id).where(Attachment.work_item_id == item)).one()
        zheng.submit(f"{step}/materials", {"license-remove": str(added), "stay": "license"})
        assert "还没有改动任何内容" in zheng.get(f"{step}/review").main, "added and taken away again"
        zheng.submit(
            f"{step}/materials", {"license-upload": (io.BytesIO(PDF), "新执照.pdf"), "stay": "license"}
        )
    else:
        with web_database.reading() as session:
            roster = session.scalars(select(Roster).where(Roster.status == "current")).one()
            assert roster.file is not None
            content = installation().files.read(roster.file)
        with clock.frozen(DAY + timedelta(hours=1)):
            upload(zheng, item, content)
            worker(web_database)
    assert "还没有改动任何内容" not in zheng.get(f"{step}/review").main
    assert "已提交" in hand_in(zheng, item).title


def test_a_number_of_people_that_is_not_the_rosters_is_warned_of(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database
) -> None:
    item = ready(zheng, web_database)
    page = zheng.get(f"/employer/steps/{item}/review")
    assert "与花名册人数不一致" not in page.main
    zheng.post(f"/employer/steps/{item}/form/workers", {**SECTIONS["workers"], "eligible_count": "5"})
    said = "与花名册人数不一致：“其中脱贫人口和监测对象”填的是 5 人，花名册上有 3 人，请核对，改正填错的一处"
    for place in ("form/workers", "review"):
        assert said in zheng.get(f"/employer/steps/{item}/{place}").main
    assert said in zheng.get(f"/employer/steps/{item}/roster").main
    assert "已提交" in hand_in(zheng, item).title, "it warns and stops nobody"
    with web_database.reading() as session:
        waiting = session.scalars(select(WorkItem.id).where(WorkItem.closed_at.is_(None))).one()
    page = sign_in("zhao").get(f"/work/{waiting}")
    assert "“其中脱贫人口和监测对象”填的是 5 人，花名册上有 3 人，两处不一致" in page.main


def test_giving_up_needs_a_reason_and_ends_the_case(zheng: Browser, web_database: Database) -> None:
    item = begin(zheng)
    with web_database.reading() as session:
        number = session.get_one(WorkItem, item).case.number
    address = f"/employer/cases/{number}/give-up"
    assert "不能再继续填写" in zheng.get(address).main
    assert zheng.refused(address, {"reason": ""}).errors
    page = zheng.submit(address, {"reason": "车间搬走了。"})
    assert "已终止" in page.main
    assert "车间搬走了" in page.main
    zheng.refused(address, {"reason": "再来一次"}, 403)


def test_invariant_7_another_employer_finds_nothing(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database
) -> None:
    item = begin(zheng)
    with web_database.reading() as session:
        number = session.get_one(WorkItem, item).case.number
    wang = sign_in("wang")
    step = f"/employer/steps/{item}"
    for address in (
        step,
        f"{step}/form/workers",
        f"{step}/roster",
        f"{step}/roster/template",
        f"{step}/roster/annotated",
        f"{step}/roster/progress",
        f"{step}/materials",
        f"{step}/review",
        f"{step}/done",
        f"/employer/cases/{number}",
        f"/employer/cases/{number}/roster",
        f"/employer/cases/{number}/diagram",
        f"/employer/cases/{number}/recall",
        f"/employer/cases/{number}/give-up",
    ):
        assert wang.fetch(address).status_code == 404, address
    for address in (
        f"{step}/form/workers",
        f"{step}/autosave",
        f"{step}/check",
        f"{step}/roster",
        f"{step}/materials",
        f"{step}/review",
        f"/employer/cases/{number}/recall",
        f"/employer/cases/{number}/give-up",
    ):
        answer = wang.client.post(address, data={"csrf_token": wang.token(), "reason": "别人的"})
        assert answer.status_code == 404, address
    with web_database.reading() as session:
        assert session.get(Draft, item) is None


def test_an_unconfirmed_employer_learns_what_comes_next(
    sign_in: Callable[[str], Browser], world: World
) -> None:
    feng = sign_in("feng")
    page = feng.get("/employer")
    assert "还没有通过确认" in page.title
    assert "核对授权书" in page.main
    answer = feng.client.post(
        f"/employer/start/workshop_recognition/apply?employer={world.employers['feng']}",
        data={"csrf_token": feng.token()},
    )
    assert answer.status_code == 403


def test_the_unit_its_contact_and_its_people(
    zheng: Browser, sign_in: Callable[[str], Browser], web_database: Database, guest: Browser
) -> None:
    page = zheng.get("/employer/unit")
    assert "91220822MA0Y2LKX58" in page.main
    assert zheng.refused("/employer/unit", {"contact_name": "郑小江", "contact_phone": "123"}).errors
    page = zheng.submit("/employer/unit", {"contact_name": "郑小江", "contact_phone": "13904360009"})
    assert "联系信息已保存" in page.main
    assert page.one("input", name="contact_phone").get("value") == "13904360009"
    # a colleague asks to act for the unit; the first account decides
    feng = sign_in("feng")
    feng.get("/register/unit")
    feng.post(
        "/register/unit",
        {
            "credit_code": "91220822MA0Y2LKX58",
            "name": "通榆县瑞丰农产品加工有限公司",
            "kind": "company",
            "division_code": "220822101",
            "address": "镇政府街 1 号",
            "legal_representative": "郑大江",
            "legal_id_number": "",
            "contact_name": "冯小满",
            "contact_phone": "13904360001",
            "authorisation-upload": (io.BytesIO(PDF), "授权书.pdf"),
        },
    )
    page = zheng.get("/employer/unit")
    assert "冯小满" in page.main
    confirm = next(one.get("action", "") for one in page.all("form") if "confirm" in one.get("action", ""))
    assert zheng.refused(confirm.replace("confirm", "refuse"), {"reason": ""}).errors
    assert "已同意冯小满" in zheng.submit(confirm).main
    assert "我的申请" in feng.get("/employer").title
    end = next(href for href in zheng.get("/employer/unit").links().values() if href.endswith("/end"))
    assert "立即不能再查看" in zheng.get(end).main
    zheng.submit(end)
    assert feng.fetch("/employer").status_code == 303, "what the session was begun for is over"
    feng = sign_in("feng")
    assert "还没有通过确认" in feng.get("/employer").title
