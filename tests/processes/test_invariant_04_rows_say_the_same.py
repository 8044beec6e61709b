"""Invariant 4: engine state, work items, timers, decisions and events say the same; the checker names what does not.

That it is silent after everything people do is shown by the scenarios and the walks; here somebody with the database's
own rights makes each kind of disagreement, and the checker must say which.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check

from .stage import MONDAY, bring_to, decide, open_item
from .test_invariant_06_chain import unlock

pytestmark = pytest.mark.usefixtures("papers_unrendered")

ITEM = "(SELECT min(id) FROM work_items WHERE closed_at IS NULL)"
CLOSED = "(SELECT min(id) FROM work_items WHERE step = 'application')"
#: A work item like the open one, under a task that the engine does not know.
COPY = (
    "INSERT INTO work_items (case_id, task_id, step, lane, title, round, department_id, opened_at, due_at, version)"
    " SELECT case_id, {task}, step, lane, title, round, {office}, opened_at, due_at, 1"
    f" FROM work_items WHERE id = {ITEM}"
)
LATER = "'2026-04-01 00:00:00+00:00'"

#: What was done to a case with both reviews → the statements, and the checker's words.
TO_A_REVIEW = {
    "an orphan item": ([COPY.format(task="'nobody'", office="department_id")], "流程中没有这个待办环节"),
    "a lost item": ([f"DELETE FROM work_items WHERE id = {ITEM}"], "工作列表中没有"),
    "an item closed without a decision": (
        [f"UPDATE work_items SET closed_at = opened_at, closed_as = 'done' WHERE id = {ITEM}"],
        "没有办理意见",
    ),
    "a decided item opened again": (
        [f"UPDATE work_items SET closed_at = NULL, closed_as = NULL WHERE id = {CLOSED}"],
        "已有办理意见但仍为待办",
    ),
    "an item for the same office twice": ([COPY.format(task="task_id", office="department_id")], "重复出现"),
    "an item of another step": (
        [f"UPDATE work_items SET step = 'meeting' WHERE id = {ITEM}"],
        "环节与流程不符",
    ),
    "a timer of nothing": (
        [f"INSERT INTO case_timers (case_id, task_id, element, due_at) VALUES (1, 'x', 'y', {LATER})"],
        "期限与流程不一致",
    ),
    "a message that nobody waits for": (
        ["UPDATE cases SET waiting = '[\"objection_upheld\"]'"],
        "消息与流程不一致",
    ),
    "a decision without its event": (
        [
            "INSERT INTO decisions (case_id, work_item_id, step, form, round, outcome, opinion, answers, decided_at)"
            " SELECT case_id, work_item_id, step, form, round, 'sent_back', opinion, answers, decided_at"
            " FROM decisions LIMIT 1"
        ],
        "有意见没有记录",
    ),
    "a decision that is gone": (
        ["DELETE FROM decisions WHERE id = (SELECT max(id) FROM decisions)"],
        "有记录没有意见",
    ),
    "a case said to be finished": (
        [
            f"UPDATE work_items SET closed_at = {LATER}, closed_as = 'cancelled' WHERE closed_at IS NULL",
            f"UPDATE cases SET finished_at = {LATER}, status = 'refused', \"end\" = 'end_refused'",
        ],
        "流程还没有走完",
    ),
    "a final status of a running case": (["UPDATE cases SET status = 'recognised'"], "不符"),
    "an end of a running case": (["UPDATE cases SET \"end\" = 'end_recognised'"], "不符"),
    "a state that cannot be read": (
        ["UPDATE cases SET state = (SELECT content FROM nonsense)"],
        "无法读取",
    ),
    "a roster with a person more": (
        [
            'INSERT INTO roster_rows (roster_id, number, "values", raw, errors, warnings, across, result, bad, facts,'
            ' fired) SELECT roster_id, 999, "values", raw, errors, warnings, across, result, bad, facts, fired'
            " FROM roster_rows WHERE id = (SELECT min(id) FROM roster_rows)"
        ],
        "花名册的人员与读取时的摘要不符",
    ),
    "a worker who passes although the rules said no": (
        ["UPDATE roster_rows SET result = 'forged', fired = '[]'"],
        "花名册的审核结果与规则运行时的摘要不符",
    ),
    "a number skipped": (
        ["UPDATE number_series SET last = last + 1 WHERE series LIKE 'case:%'"],
        "整件被删除",
    ),
}
#: The same for a case in its 公示.
TO_A_PUBLICITY = {
    "a dead timer": (
        [f"UPDATE case_timers SET closed_at = {LATER}, closed_as = 'fired'"],
        "期限与流程不一致",
    ),
    "a timer moved": (["UPDATE case_timers SET due_at = '2026-03-03 16:00:00+00:00'"], "期限被改动"),
    "a publicity that ends at another time": (
        ["UPDATE publicities SET ends_at = '2026-03-03 16:00:00+00:00'"],
        "公示截止时间与等待中的期限不一致",
    ),
    "a publicity closed before its end": (
        ["UPDATE publicities SET closed_at = '2026-03-03 16:00:00+00:00', closed_as = 'completed'"],
        "公示期未满即被结束",
    ),
    "a second publicity": (
        [
            "INSERT INTO publicities (case_id, county_code, kind, token, title, content, opens_at, ends_at, days, unit)"
            " SELECT case_id, county_code, kind, 'another', title, content, opens_at, ends_at, days, unit"
            " FROM publicities"
        ],
        "公示没有随流程结束",
    ),
    "a paper that is gone": (["DELETE FROM issued_documents"], "整件被删除"),
    "a paper of another chain": (["UPDATE issued_documents SET chain_head = 'abc'"], "校验码不在本案记录中"),
}
TABLES = ("decisions",)


def disagree(database: Database, statements: list[str]) -> list[str]:
    """Do it with raw SQL and hear the checker."""
    assert check.check(database) == []
    with database.transaction() as session:
        for table in TABLES:
            unlock(session, table)
        for statement in statements:
            if "nonsense" in statement:
                session.execute(text("UPDATE cases SET state = :bytes"), {"bytes": b"\x00nonsense"})
            else:
                assert session.execute(text(statement)).rowcount, statement
    return [f"{one.subject} {one.message}" for one in check.check(database)]


@pytest.mark.parametrize("name", TO_A_REVIEW)
def test_a_disagreement_about_open_work_is_named(at_reviews: Database, name: str) -> None:
    statements, words = TO_A_REVIEW[name]
    found = disagree(at_reviews, statements)
    assert any(words in one for one in found), found


@pytest.mark.parametrize("name", TO_A_PUBLICITY)
def test_a_disagreement_about_a_wait_is_named(at_publicity: Database, name: str) -> None:
    statements, words = TO_A_PUBLICITY[name]
    found = disagree(at_publicity, statements)
    assert any(words in one for one in found), found


def test_an_objection_settled_past_its_case_is_named(at_publicity: Database) -> None:
    from workflows.cases.model import Publicity
    from workflows.cases.objections import object_to

    with clock.frozen(MONDAY):
        with at_publicity.transaction() as session:
            token = session.query(Publicity).one().token
            object_to(session, token, name="钱守义", phone="", content="场地是借用的。")
        found = disagree(at_publicity, [f"UPDATE objections SET result = 'rejected', settled_at = {LATER}"])
    assert any("异议的处理结果" in one for one in found), found


def test_a_finished_case_that_is_opened_again_is_named(published: Database) -> None:
    with clock.frozen(MONDAY) as move:
        run = bring_to(published, move, "township_acceptance")
        with published.transaction() as session:
            item = open_item(session, run.walk.case_id, "township_acceptance")
            decide(session, "shifan.clerk", item, "not_accept", {"facts": ["不在本乡镇辖区。"]})
        found = disagree(
            published, ["UPDATE cases SET finished_at = NULL, \"end\" = NULL, status = 'accepting'"]
        )
        assert any("流程已经走完" in one for one in found), found
        assert any("没有任何待办" in one for one in found), found
        move(timedelta(days=1))


def test_the_subject_is_the_case(at_reviews: Database) -> None:
    statements, _ = TO_A_REVIEW["a lost item"]
    assert disagree(at_reviews, statements)[0].startswith("RD220822-2026-00001 ")
