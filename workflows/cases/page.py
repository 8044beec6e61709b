"""What a case page shows: where it is, who has it, until when, what was decided, what happened. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload, undefer

from forms.show import display
from workflows.audit.model import Event
from workflows.cases.facts import CaseView
from workflows.cases.lists import lists_for
from workflows.cases.model import Case, Decision, Objection, Publicity, WorkItem
from workflows.cases.process import Process
from workflows.cases.reasons import stated
from workflows.cases.recalling import TERMINATED
from workflows.cases.worklist import Light, light
from workflows.documents.model import IssuedDocument
from workflows.engine import draw
from workflows.organisations.model import Department, User


@dataclass(frozen=True)
class Waiting:
    """Who has the case now. ``office`` names the department, or the employer."""

    item: WorkItem
    title: str
    office: str
    person: str
    light: Light


@dataclass(frozen=True)
class StageView:
    """One stage of the stepper: ``state`` done, current or todo."""

    title: str
    state: str


@dataclass(frozen=True)
class OpinionView:
    """What an office decided."""

    title: str
    office: str
    person: str
    outcome: str
    opinion: str
    at: datetime
    round: int
    answers: list[tuple[str, str]]
    decision: Decision


@dataclass(frozen=True)
class TimelineEntry:
    """A line of the timeline."""

    at: datetime
    title: str
    office: str
    person: str
    outcome: str
    text: str
    seq: int
    hash: str


def waiting(session: Session, case: Case) -> list[Waiting]:
    """The open items of a case."""
    items = session.scalars(
        select(WorkItem)
        .where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
        .options(joinedload(WorkItem.department), joinedload(WorkItem.claimant))
        .order_by(WorkItem.id)
    ).unique()
    return [
        Waiting(
            item,
            item.title,
            item.department.name if item.department else "申请单位",
            item.claimant.name if item.claimant else "",
            light(item),
        )
        for item in items
    ]


def stages(case: Case, process: Process) -> list[StageView]:
    """The stepper in words. A case that ended badly stays where it stood."""
    keys = [key for key, _ in process.stages]
    done_all = bool(
        process.config["statuses"].get(case.status, {}).get("tone") == "good" and case.finished_at
    )
    here = keys.index(case.stage) if case.stage in keys else 0
    return [
        StageView(title, "done" if done_all or index < here else "current" if index == here else "todo")
        for index, (_, title) in enumerate(process.stages)
    ]


def show_answers(
    session: Session,
    case: Case,
    process: Process,
    form: str,
    answers: dict[str, Any],
    *,
    reveal: bool = False,
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Answers as a person reads them: section → (label, text). Empty ones are left out."""
    definition = process.forms.get(form)
    if definition is None:
        return []
    lists = lists_for(session, case, process)
    shown = []
    for section in definition.sections:
        lines = [
            (field.label, display(field, answers[field.key], lists=lists, reveal=reveal))
            for field in section.fields
            if answers.get(field.key) not in (None, "", []) and field.type not in ("roster", "files")
        ]
        if lines:
            shown.append((section.title, lines))
    return shown


def application_answers(
    session: Session, case: Case, process: Process, *, reveal: bool = False
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The employer's form as last submitted."""
    first = next((step for step in process.steps.values() if step.lane == "employer"), None)
    if first is None:
        return []
    answers = dict(CaseView.of(session, case, process).answers(first.form))
    return show_answers(session, case, process, first.form, answers, reveal=reveal)


def opinions(session: Session, case: Case, process: Process) -> list[OpinionView]:
    """Every decision of every round, the newest first."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.case_id == case.id)
        .options(joinedload(Decision.actor), joinedload(Decision.department), joinedload(Decision.work_item))
        .order_by(Decision.id.desc())
    ).unique()
    return [
        OpinionView(
            title=process.steps[decision.step].title if decision.step in process.steps else decision.step,
            office=decision.department.name if decision.department else "申请单位",
            person=decision.actor.name if decision.actor else "",
            outcome=process.outcome_label(decision.form, decision.outcome),
            opinion=decision.opinion,
            at=decision.decided_at,
            round=decision.round,
            answers=[
                line
                for _, lines in show_answers(session, case, process, decision.form, dict(decision.answers))
                for line in lines
            ]
            if decision.department_id is not None
            else [],
            decision=decision,
        )
        for decision in decisions
    ]


_TITLES = {
    "case-started": "开始填写",
    "case-submitted": "提交申请",
    "case-finished": "办结",
    "case-recalled": "撤回",
    "case-terminated": "终止",
    "item-claimed": "领取",
    "item-unclaimed": "交还",
    "item-reassigned": "改派",
    "roster-uploaded": "上传花名册",
    "roster-read": "花名册读取完成",
    "roster-set-aside": "花名册没有采用",
    "rows-decided": "逐人审核",
    "rows-judged": "按规则重新审核花名册",
    "claims-entered": "登记奖补申报",
    "demonstration-loaded": "装入演示数据",
    "row-removed": "公示后剔除人员",
    "days-claimed": "登记出勤日，查重",
    "slips-issued": "发出工资条",
    "slip-confirmed": "工人确认工资条",
    "slip-disputed": "工人对工资条提出异议",
    "slips-closed": "工资条确认结束",
    "rows-settled": "剔除没有通过审核的人员",
    "workers-entered": "实名登记完成",
    "project-entered": "项目登记完成",
    "project-settled": "项目办结",
    "project-changed": "项目变更完成",
    "publicity-posted": "公示栏已张贴",
    "funds-reserved": "预占资金",
    "funds-freed": "释放预占资金",
    "payables-ready": "款项可以拨付",
    "material-added": "上传材料",
    "material-removed": "移除材料",
    "rules-applied": "运行规则",
    "review-brought-forward": "提前发起年审",
    "publicity-opened": "开始公示",
    "publicity-closed": "公示结束",
    "publicity-corrected": "更正公示",
    "publicity-extended": "延长公示",
    "objection-received": "收到异议",
    "objection-settled": "异议办结",
    "document-fixed": "出具文书",
    "document-issued": "文书签章完成",
    "document-revoked": "文书失效",
    "document-restored": "文书恢复有效",
    "timer-fired": "期限届满",
    "message-received": "收到异议处理结果",
    "signature-sent-back": "退回会签",
    "workshop-entered": "登记车间",
    "workshop-status-set": "变更车间状态",
    "status-set": "状态变更",
    "data-unmasked": "查看完整个人信息",
}

#: Of interest to auditors, not to those who want to know where a case is.
_QUIET = frozenset(
    {
        "status-set",
        "rules-applied",
        "rows-judged",
        "item-claimed",
        "item-unclaimed",
        "message-received",
        "material-removed",
    }
)


def timeline(
    session: Session, case: Case, process: Process, *, everything: bool = False
) -> list[TimelineEntry]:
    """What happened, the newest first, with names, offices, times and opinions.

    :param everything: an auditor's view; others are spared the small print.
    """
    events = session.scalars(
        select(Event).where(Event.stream == case.stream_name).order_by(Event.seq.desc())
    ).all()
    people = _named(session, User, [event.actor_id for event in events])
    offices = _named(session, Department, [event.department_id for event in events])
    decisions = {
        str(decision.id): decision
        for decision in session.scalars(select(Decision).where(Decision.case_id == case.id))
    }
    reasons = stated(session, case.id)
    entries = []
    for event in events:
        if event.kind in _QUIET and not everything:
            continue
        payload = event.payload
        decided = next((decisions.get(key) for table, key, _ in event.covers if table == "decisions"), None)
        why = next((reasons.get(key, "") for table, key, _ in event.covers if table == "stated_reasons"), "")
        step = process.steps.get(str(payload.get("step", "")))
        title = _TITLES.get(event.kind, "")
        if event.kind == "step-decided" and step is not None:
            title = step.title
        elif event.kind == "case-started" and process.config.get("started_by") != "employer":
            title = "开始办理"  # nobody fills in anything
        elif step is not None and title:
            title = f"{title}：{step.title}"
        entries.append(
            TimelineEntry(
                at=event.at,
                title=title or "变更",
                office=offices.get(event.department_id or 0, "" if event.actor_id else "系统"),
                person=people.get(event.actor_id or 0, ""),
                outcome=process.outcome_label(decided.form, decided.outcome)
                if decided
                else _detail(process, event),
                text=decided.opinion if decided else why,
                seq=event.seq,
                hash=event.hash,
            )
        )
    return entries


def _detail(process: Process, event: Event) -> str:
    payload = event.payload
    if event.kind.startswith("document-"):
        config = process.config.get("documents", {}).get(payload.get("document"), {})
        title = str(config.get("title", "")).replace("{workshop}", "").replace("{employer}", "")
        return " ".join(part for part in (title, str(payload.get("number", ""))) if part)
    if event.kind == "status-set":
        return process.status_title(str(payload.get("status", "")))
    if event.kind == "roster-read":
        return f"{payload.get('rows', 0)} 人，其中 {payload.get('bad', 0)} 行需要改正"
    if event.kind == "objection-settled":
        return {"upheld": "异议成立", "rejected": "异议不成立"}.get(str(payload.get("result")), "")
    if event.kind == "publicity-corrected":
        return f"剔除 {payload.get('removed', 0)} 人"
    if event.kind == "publicity-closed":
        return {"completed": "公示期满", "cancelled": "异议成立，公示中止"}.get(str(payload.get("how")), "")
    return ""


def _named(
    session: Session, model: type[User] | type[Department], keys: Sequence[int | None]
) -> dict[int, str]:
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return {}
    return {
        row.id: row.name for row in session.execute(select(model.id, model.name).where(model.id.in_(wanted)))
    }


def documents(session: Session, case: Case) -> list[IssuedDocument]:
    """The case's papers, the newest first."""
    return list(
        session.scalars(
            select(IssuedDocument)
            .where(IssuedDocument.case_id == case.id)
            # what a paper of 5 000 lines says is a megabyte, and no list shows it
            .options(joinedload(IssuedDocument.file), defer(IssuedDocument.context))
            .order_by(IssuedDocument.id.desc())
        )
    )


def publicities(session: Session, case: Case) -> list[tuple[Publicity, list[tuple[Objection, Case]]]]:
    """The case's publicities with the objections to each."""
    found = []
    for publicity in session.scalars(
        select(Publicity).where(Publicity.case_id == case.id).order_by(Publicity.id.desc())
    ):
        objections = [
            (objection, session.get_one(Case, objection.case_id))
            for objection in session.scalars(
                select(Objection).where(Objection.publicity_id == publicity.id).order_by(Objection.id)
            )
        ]
        found.append((publicity, objections))
    return found


def diagram(session: Session, case: Case, process: Process) -> str:
    """The process as SVG with what was passed and where the case is."""
    passed = (
        session.scalars(select(Case).where(Case.id == case.id).options(undefer(Case.passed))).one().passed
    )
    current = {
        item.step
        for item in session.scalars(
            select(WorkItem).where(WorkItem.case_id == case.id, WorkItem.closed_at.is_(None))
        )
    }
    return draw(process.published, set(passed), current)


def was_terminated(case: Case) -> bool:
    """Whether the case was ended before its end."""
    return case.end == TERMINATED
