"""An office's word on each roster row: one by one, over a selection, and "the rest" in one word.

Five thousand rows cost an officer one action: what is not named row by row follows the word on the rest, which is kept
with the decision; nothing is written per row. Whether a row is undecided is asked of the database, not counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from workflows.base.errors import Invalid
from workflows.cases.access import require_case
from workflows.cases.action import Action, begin
from workflows.cases.model import WorkItem
from workflows.cases.process import Step
from workflows.cases.roster_model import Roster, RosterRow, RowVerdict
from workflows.cases.turns import guard_turn
from workflows.organisations.actors import Actor
from workflows.organisations.model import Department

AGREE, REFUSE = "agree", "refuse"
#: Key under which a decision keeps the word on the rows not named.
REST = "_rest_verdict"


def current_roster(session: Session, case_id: int) -> Roster | None:
    """The roster that counts: the last one swapped in."""
    return session.scalars(
        select(Roster)
        .where(Roster.case_id == case_id, Roster.status == "current")
        .order_by(Roster.id.desc())
        .limit(1)
    ).one_or_none()


def give(
    session: Session, actor: Actor, item_id: int, row_ids: Sequence[int], verdict: str, reason: str = ""
) -> int:
    """Say ``agree`` or ``refuse`` on rows of the case's roster; a refusal needs a reason. Returns how many rows.

    :raises Conflict: somebody else was faster.
    """
    if verdict not in (AGREE, REFUSE):
        raise Invalid("请选择“同意”或“不同意”。")
    if verdict == REFUSE and not reason.strip():
        raise Invalid("不同意的人员须写明理由。", {"reason": "请写明不同意的理由，申请单位会看到。"})
    item = session.get_one(WorkItem, item_id)
    action = begin(session, item.case_id, actor.user_id, item.department_id)
    session.refresh(item)
    guard_turn(session, actor, item)
    require_case(session, actor, "roster.decide", action.case, item)
    roster = current_roster(session, item.case_id)
    if roster is None or item.department_id is None:
        raise Invalid("这个申请没有花名册。")
    wanted = select(RosterRow.id).where(RosterRow.roster_id == roster.id, RosterRow.id.in_(row_ids))
    if action.process.step(item.step).config.get("roster_rest") == "ignored":
        held = action.process.config["row_result"]["held"]["result"]
        wanted = wanted.where(RosterRow.result == held)
        if len(session.scalars(wanted).all()) != len(set(row_ids)):
            raise Invalid("这一环节只处理标“暂缓”的人员，请去掉其他人员后再保存。")
    rows = session.scalars(wanted).all()
    given = {
        row.row_id: row
        for row in session.scalars(
            select(RowVerdict).where(
                RowVerdict.row_id.in_(rows), RowVerdict.department_id == item.department_id
            )
        )
    }
    covers = []
    for row_id in rows:
        row = given.get(row_id)
        if row is None:
            row = RowVerdict(row_id=row_id, department_id=item.department_id)
            session.add(row)
        row.verdict, row.reason, row.by, row.at = verdict, reason.strip() or None, actor.user_id, action.at
        covers.append(row)
    if covers:
        action.record("rows-decided", tuple(covers), step=item.step, verdict=verdict, rows=len(covers))
    return len(covers)


def undecided(session: Session, roster: Roster, department_id: int) -> int:
    """How many rows the office has not named."""
    named = select(RowVerdict.row_id).where(RowVerdict.department_id == department_id)
    return (
        session.scalar(
            select(func.count())
            .select_from(RosterRow)
            .where(RosterRow.roster_id == roster.id, RosterRow.id.not_in(named))
        )
        or 0
    )


def refused_rows(roster_id: int) -> Select[int]:
    """Rows that some office refused: they count for nothing."""
    return (
        select(RowVerdict.row_id)
        .join(RosterRow, RosterRow.id == RowVerdict.row_id)
        .where(RosterRow.roster_id == roster_id, RowVerdict.verdict == REFUSE)
    )


def confirmed_rows(roster_id: int) -> Select[int]:
    """Rows that an office agreed to by name: what the rules left open is closed only so, never by "the rest"."""
    return (
        select(RowVerdict.row_id)
        .join(RosterRow, RosterRow.id == RowVerdict.row_id)
        .where(RosterRow.roster_id == roster_id, RowVerdict.verdict == AGREE)
    )


def lifted_rows(roster_id: int, office: str) -> Select[int]:
    """Held rows that one office agreed to by name, with its reason."""
    return (
        select(RowVerdict.row_id)
        .join(RosterRow, RosterRow.id == RowVerdict.row_id)
        .join(Department, Department.id == RowVerdict.department_id)
        .where(
            RosterRow.roster_id == roster_id,
            RowVerdict.verdict == AGREE,
            Department.kind == office,
            RowVerdict.reason.is_not(None),
        )
    )


def _guard_holds(action: Action, roster: Roster, department_id: int) -> None:
    """Every held row needs this office's word by name, an agreement its reason too (single payment across employers)."""
    held = action.process.config.get("row_result", {}).get("held")
    if not held:
        return
    spoken = select(RowVerdict.row_id).where(
        RowVerdict.department_id == department_id, RowVerdict.reason.is_not(None)
    )
    left = action.session.scalar(
        select(func.count())
        .select_from(RosterRow)
        .where(
            RosterRow.roster_id == roster.id,
            RosterRow.result == held["result"],
            RosterRow.id.not_in(spoken),
            RosterRow.id.not_in(refused_rows(roster.id)),
        )
    )
    if left:
        raise Invalid(
            f"还有 {left} 名暂缓人员没有逐人写明意见。",
            {
                "rest_verdict": f"还有 {left} 名暂缓人员：请逐人点“同意”并写明解除的理由，或者点“不同意”并写明理由。"
            },
        )


def guard_rows(
    action: Action, step: Step, item: WorkItem, outcome: str, rest_verdict: str | None
) -> dict[str, Any]:
    """What a decision on a step with a roster needs, and what it keeps of it.

    ``edit``: a roster that was read without an error left. ``decide``: every row named, or a word on the rest; outcomes
    that send the case back need neither (process.yaml ``roster_free``).
    """
    if outcome in step.config.get("roster_free", ()):
        return {}
    roster = current_roster(action.session, action.case.id)
    if step.roster == "edit":
        if roster is None:
            raise Invalid("还没有上传花名册。", {"roster": "请先下载模板，填好后上传花名册。"})
        if roster.bad:
            raise Invalid(
                "花名册还有需要改正的行。",
                {"roster": f"花名册有 {roster.bad} 行需要改正，请改正后重新上传。"},
            )
        return {}
    if roster is None or item.department_id is None:
        return {}
    if step.config.get("holds") == "lift":
        _guard_holds(action, roster, item.department_id)
    if step.config.get("roster_rest") == "ignored":
        return {}
    if rest_verdict is None:
        left = undecided(action.session, roster, item.department_id)
        if left:
            raise Invalid(
                f"花名册还有 {left} 人没有审核。",
                {"rest_verdict": f"还有 {left} 人没有逐人审核：请逐人审核，或勾选“其余人员均同意”。"},
            )
        return {}
    if rest_verdict != AGREE:
        raise Invalid("请逐人写明不同意的理由。", {"rest_verdict": "不同意须逐人写明理由。"})
    return {REST: rest_verdict}
