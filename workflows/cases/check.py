"""``wengang check``: engine state, work items, timers, decisions and events say the same (invariant 4), and nothing is
missing that the counts promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only, undefer

from workflows.audit.model import Event
from workflows.audit.verify import verify_anchors, verify_chain, verify_streams, verify_uncovered
from workflows.base.session import Database
from workflows.cases.check_money import check_money
from workflows.cases.jobs import chain_heads
from workflows.cases.model import Case, CaseTimer, Decision, Objection, Publicity, WorkItem
from workflows.cases.process import process_of
from workflows.cases.roster_digest import altered
from workflows.cases.roster_model import Roster
from workflows.documents.model import IssuedDocument, NumberSeries
from workflows.engine import EngineError, runner
from workflows.registers.identities import altered_snapshots


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: the case or chain, and a Chinese sentence."""

    subject: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


#: Kinds of events that stand for one decision each.
DECIDED = ("step-decided", "signature-sent-back")
Progress = Callable[[int, int], None]


def check(database: Database, progress: Progress | None = None) -> list[Finding]:
    """Check every case; read-only, case by case, so that work goes on meanwhile."""
    findings: list[Finding] = []
    with database.reading() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
    for number, case_id in enumerate(ids, 1):
        with database.reading() as session:
            findings += check_case(session, case_id)
        if progress is not None:
            progress(number, len(ids))
    with database.reading() as session:
        findings += _check_series(session)
        findings += _check_objections(session)
        findings += [Finding(subject, message) for subject, message in check_money(session)]
    return findings


def check_case(session: Session, case_id: int) -> list[Finding]:
    """What does not hold for one case."""
    case = session.scalars(
        select(Case).where(Case.id == case_id).options(undefer(Case.state), undefer(Case.passed))
    ).one()
    return [Finding(case.number, message) for message in _problems(session, case)]


def _problems(session: Session, case: Case) -> Iterator[str]:
    process = process_of(session, case.version_id)
    try:
        state = runner.tasks(process.published, case.state)
    except EngineError as error:
        yield f"流程状态无法读取：{error.message}"
        return
    items = list(session.scalars(select(WorkItem).where(WorkItem.case_id == case.id)))
    open_items = [item for item in items if item.closed_at is None]
    tasks = set() if case.finished_at is not None else {task.task_id for task in state.tasks}
    rows = {item.task_id for item in open_items}
    for task in sorted(tasks - rows):
        yield f"流程有待办环节 {task}，工作列表中没有。"
    for task in sorted(rows - tasks):
        yield f"工作列表有一项 {task}，流程中没有这个待办环节。"
    for task_id in sorted(rows & tasks):
        element = next(task.element for task in state.tasks if task.task_id == task_id)
        offices = [item.department_id for item in open_items if item.task_id == task_id]
        if len(offices) != len(set(offices)):
            yield f"环节“{process.step(element).title}”在同一单位重复出现。"
        if any(item.step != element for item in open_items if item.task_id == task_id):
            yield f"工作列表中的环节与流程不符（{element}）。"
    timers = {
        timer.task_id: timer.due_at
        for timer in session.scalars(
            select(CaseTimer).where(CaseTimer.case_id == case.id, CaseTimer.closed_at.is_(None))
        )
    }
    waiting = {} if case.finished_at is not None else {timer.task_id: timer.due for timer in state.timers}
    if set(timers) != set(waiting):
        yield "等待中的期限与流程不一致。"
    elif timers != waiting:
        yield "等待中的期限被改动：登记的到期时间与流程的不同。"
    messages = set() if case.finished_at is not None else {message.message for message in state.messages}
    if set(case.waiting) != messages:
        yield "等待中的消息与流程不一致。"
    if state.finished != (case.finished_at is not None):
        yield "流程已经走完，申请没有办结。" if state.finished else "申请登记为已办结，流程还没有走完。"
    final = bool(process.config["statuses"].get(case.status, {}).get("final"))
    if (case.end is not None, final) != (case.finished_at is not None,) * 2:
        yield f"办结情况与状态“{process.status_title(case.status)}”不符。"
    if case.finished_at is not None and (open_items or timers):
        yield "已办结，但仍有待办或期限。"
    if case.finished_at is None and not (open_items or timers or case.waiting):
        yield "未办结，但没有任何待办、期限或等待的消息。"
    yield from _decisions(session, case, items)
    publicities = list(session.scalars(select(Publicity).where(Publicity.case_id == case.id)))
    running = [publicity for publicity in publicities if publicity.closed_at is None]
    if len(running) > 1 or (running and case.finished_at is not None):
        yield "公示没有随流程结束。"
    if running and timers and running[0].ends_at not in timers.values():
        yield "公示截止时间与等待中的期限不一致。"
    for publicity in publicities:
        if (
            publicity.closed_as == "completed"
            and publicity.closed_at
            and publicity.closed_at < publicity.ends_at
        ):
            yield "公示期未满即被结束。"
    for roster in session.scalars(
        select(Roster).where(Roster.case_id == case.id, Roster.status == "current")
    ):
        yield from altered(session, roster)
    papers = session.scalars(select(IssuedDocument).where(IssuedDocument.case_id == case.id)).all()
    heads = set(session.scalars(select(Event.hash).where(Event.stream == case.stream_name)))
    for paper in papers:
        if paper.chain_head not in heads:
            yield f"文书“{paper.title}”上的校验码不在本案记录中。"


def _decisions(session: Session, case: Case, items: list[WorkItem]) -> Iterator[str]:
    decided = set(
        session.scalars(
            select(Decision.work_item_id).where(Decision.case_id == case.id, Decision.outcome != "sent_back")
        )
    )
    for item in items:
        if item.closed_as == "done" and item.id not in decided:
            yield f"环节“{item.title}”已办结但没有办理意见。"
        if item.closed_at is None and item.id in decided:
            yield f"环节“{item.title}”已有办理意见但仍为待办。"
    given = session.scalar(select(func.count()).select_from(Decision).where(Decision.case_id == case.id))
    noted = session.scalar(
        select(func.count())
        .select_from(Event)
        .where(Event.stream == case.stream_name, Event.kind.in_(DECIDED))
    )
    if given != noted:
        yield f"办理意见 {given} 条，操作记录 {noted} 条：有意见没有记录，或者有记录没有意见。"


def _check_series(session: Session) -> list[Finding]:
    """Numbers have no gaps: a number without its case or paper means that something was removed whole."""
    findings = []
    for series in session.scalars(select(NumberSeries)):
        if series.series.startswith("case:"):
            _, prefix, county = series.series.split(":")
            count = session.scalar(
                select(func.count())
                .select_from(Case)
                .where(Case.number.like(f"{prefix}{county}-{series.year}-%"))
            )
        elif series.series.startswith("document:"):
            name = series.series.removeprefix("document:")
            count = session.scalar(
                select(func.count())
                .select_from(IssuedDocument)
                .where(IssuedDocument.series == name, IssuedDocument.year == series.year)
            )
        else:
            continue
        if count != series.last:
            findings.append(
                Finding(
                    series.series, f"{series.year}年已编到 {series.last} 号，实有 {count} 件：有整件被删除。"
                )
            )
    return findings


def _check_objections(session: Session) -> list[Finding]:
    findings = []
    for objection in session.scalars(select(Objection)):
        case = session.get_one(Case, objection.case_id)
        if (objection.result is None) != (case.finished_at is None or case.end == "terminated"):
            findings.append(Finding(case.number, "异议的处理结果与其办理状态不一致。"))
    return findings


def verify_case(session: Session, case_id: int) -> list[Finding]:
    """The chain of one case."""
    # the head alone: the row itself, altered perhaps, is read where it is compared
    head = load_only(Case.id, Case.chain_seq, Case.chain_head)
    case = session.get_one(Case, case_id, options=[head])
    findings = [
        Finding(problem.stream, f"{problem.where}：{problem.message}")
        for problem in verify_chain(session, case)
    ]
    # one digest covers the rows of a roster: thousands of them are one row of an event
    rosters = select(Roster).where(Roster.case_id == case_id, Roster.status == "current")
    findings += [
        Finding(case.stream_name, f"花名册 {roster.id}：{problem}")
        for roster in session.scalars(rosters)
        for problem in altered(session, roster)
    ]
    return findings


def verify_everything(database: Database, progress: Progress | None = None) -> list[Finding]:
    """Every chain, every covered row, every anchor, and rows that no event covers."""
    findings: list[Finding] = []
    with database.reading() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
    for number, case_id in enumerate(ids, 1):
        with database.reading() as session:
            findings += verify_case(session, case_id)
        if progress is not None:
            progress(number, len(ids))
    with database.reading() as session:
        heads = {name: (seq, head) for name, seq, head in chain_heads(session)}
        problems = [*verify_streams(session), *verify_anchors(session, heads.get), *verify_uncovered(session)]
        findings += [Finding(one.stream, f"{one.where}：{one.message}") for one in problems]
        findings += [
            Finding("registers", f"名单 {one.id}：人员与导入时的摘要不符：被改动。")
            for one in altered_snapshots(session)
        ]
        findings += _check_series(session)
    return findings
