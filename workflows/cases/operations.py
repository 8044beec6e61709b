"""The operations that diagrams name. Each does its database work in the deciding transaction; what leaves the database
goes through the outbox. Keyword arguments are the texts written in the diagram."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from forms.show import display
from workflows.base import outbox
from workflows.base.clock import local
from workflows.base.errors import Conflict, WengangError
from workflows.cases import days, granting, paying, projecting, slips
from workflows.cases.action import Action, begin
from workflows.cases.contexts import build_context, document_config, document_title, register_number
from workflows.cases.deadlines import pause, resume
from workflows.cases.facts import CaseView, case_facts_of, show_fact
from workflows.cases.functions import latest_answers
from workflows.cases.offices import lead_of
from workflows.cases.places import is_address, place_of_business
from workflows.cases.publicity import end_publicity, settle_objection
from workflows.cases.publicity import open_publicity as publish
from workflows.documents import issue
from workflows.documents.model import IssuedDocument
from workflows.documents.numbering import next_number, official
from workflows.organisations.model import Division
from workflows.registers import workshops
from workflows.registers.model import WORKSHOP_STATUSES, Employer, Workshop


def set_status(action: Action, *, status: str) -> None:
    """The case's status from here on, a key of process.yaml ``statuses``."""
    described = action.process.config["statuses"].get(status, {})
    action.case.status = status
    if described.get("stage"):
        action.case.stage = described["stage"]
    action.record("status-set", (action.case,), status=status)


def issue_document(action: Action, *, document: str) -> None:
    """Fix a document (number, chain head, context) now; the worker renders and signs it."""
    fix_document(action, document)


def fix_document(action: Action, document: str, given: Mapping[str, Any] | None = None) -> IssuedDocument:
    """The same, for a paper that no diagram issues.

    :param given: context keys that the caller knows and process.yaml does not, e.g. of a recovery.
    """
    config = document_config(action.process, document)
    numbering = _numbering(action, document, config)
    row = issue.fix(
        action.session,
        case_id=action.case.id,
        case_number=action.case.number,
        process=action.process.key,
        name=document,
        numbering=numbering,
        day=local(action.at).date(),
        chain_head=action.case.chain_head,
        build=lambda number: build_context(action, document, number, given),
    )
    row.title = document_title(action, document)
    action.record("document-fixed", (row,), document=document, number=row.number)
    outbox.put(action.session, "render_document", str(row.id), {"document": row.id})
    return row


def _numbering(action: Action, document: str, config: Mapping[str, object]) -> issue.Numbering:
    described = config.get("number")
    place = action.case.county_code
    if not isinstance(described, dict):
        return issue.Numbering(f"unnumbered:{document}:{place}", "")
    pattern = str(described["pattern"])
    if config.get("register_number") and action.case.workshop_id is not None:
        # the number stands in the register already: the paper repeats it
        return issue.Numbering(f"copy:{document}:{place}", register_number(action))
    if "{township}" in pattern:
        place = action.case.division_code[:9]
    township = action.session.get(Division, action.case.division_code[:9])
    county = action.session.get_one(Division, action.case.county_code)
    pattern = pattern.replace("{township}", township.name if township else "").replace(
        "{county}", short_name(county.name)
    )
    if "{lead}" in pattern:  # each office numbers its own papers
        lead = lead_of(action.session, action.case)
        place, pattern = f"{lead}:{place}", pattern.replace("{lead}", OFFICE_WORDS[lead])
    return issue.Numbering(f"{described['series']}:{place}", pattern)


#: How offices are called in document numbers.
OFFICE_WORDS = {"hrss": "人社", "rural": "乡振", "ndrc": "发改", "finance": "财", "township": "政"}


def short_name(name: str) -> str:
    """通榆县 → 通榆, as offices write it in document numbers."""
    return name[:-1] if len(name) > 2 and name[-1] in "县市区" else name


def open_publicity(action: Action, *, kind: str) -> None:
    """Publish what process.yaml ``publicity.<kind>.shows`` names, for the days of its parameter."""
    config = action.process.config["publicity"][kind]
    days = int(action.parameter(config["parameter"])) if config.get("parameter") else int(config["days"])
    publish(
        action,
        kind=kind,
        title=config["title"],
        content=published_content(action, kind),
        days=days,
        unit=config.get("unit", "working"),
    )
    if config.get("status"):
        set_status(action, status=config["status"])


def published_content(action: Action, kind: str) -> list[dict[str, str]]:
    """What ``publicity.<kind>.shows`` names, as it is now: label and value, in their order."""
    from_fields = []
    view = CaseView.of(action.session, action.case, action.process)
    for name in action.process.config["publicity"][kind].get("shows", []):
        source, _, field = name.partition(".")
        if source == "employer":
            employer = action.session.get_one(Employer, action.case.employer_id)
            from_fields.append({"label": "单位名称", "value": str(getattr(employer, field))})
        elif source == "facts":
            described = action.process.config["facts"][field]
            value = case_facts_of(action.process, view, [field])[field]
            from_fields.append(
                {"label": described["title"], "value": show_fact(action.process, field, value)}
            )
        else:
            answers = latest_answers(action, source)
            definition = action.process.forms[source].field(field)
            if is_address(action.process, source, field):
                from_fields.append({"label": definition.label, "value": place_of_business(action)})
            elif answers.get(field) is not None:
                from_fields.append({"label": definition.label, "value": display(definition, answers[field])})
    return from_fields


def close_publicity(action: Action) -> None:
    """The period is over and no objection is open; refused otherwise, whatever the diagram says."""
    end_publicity(action, "completed")


def cancel_publicity(action: Action) -> None:
    """An objection was upheld: the publicity ends without effect."""
    end_publicity(action, "cancelled")


def register_workshop(action: Action) -> None:
    """Enter the employer's workshop in the register, under a number of its series."""
    case, session = action.case, action.session
    if case.employer_id is None:
        raise Conflict("没有申请单位，不能登记车间。")
    if case.workshop_id is not None:
        raise Conflict("这个申请已经登记过车间。")
    answers = latest_answers(action, "application_form")
    employer = session.get_one(Employer, case.employer_id)
    day = local(action.at).date()
    view = CaseView.of(session, case, action.process)
    counted = action.process.config.get("row_result", {}).get("counts", "")
    config = next(
        (one for one in action.process.config["documents"].values() if one.get("register_number")), None
    )
    if config is None:
        raise WengangError("流程没有写明登记编号取自哪份文书，不能登记。请联系系统管理员。")
    numbering = _numbering(action, "register", {**config, "register_number": False})
    number = official(
        numbering.pattern, day.year, next_number(session, f"register:{numbering.series}", day.year)
    )
    workshop = workshops.register(
        session,
        workshops.WorkshopData(
            employer_id=employer.id,
            name=str(answers.get("workshop_name") or employer.name),
            mode=str(answers.get("mode", "factory")),
            number=number,
            address=place_of_business(action),
            division_code=case.division_code,
            worker_count=view.row_results.get(counted, 0),
            recognised_on=day,
            review_due=months_later(day, int(action.parameter("review_months"))),
            case_id=case.id,
            resettlement=bool(answers.get("resettlement", False)),
        ),
        actor_id=action.actor_id,
    )
    case.workshop_id = workshop.id
    action.record("workshop-entered", (case,), workshop=workshop.id)


def update_workshop(action: Action, *, status: str) -> None:
    """Change the register's entry: ``rectifying``, ``revoked`` or ``active``; a revocation revokes its certificate."""
    case, session = action.case, action.session
    if case.workshop_id is None:
        raise Conflict("这件办理没有对应的车间。")
    day = local(action.at).date()
    workshop = session.get_one(Workshop, case.workshop_id)
    months = int(action.parameter("review_months")) if status == "active" else 0
    due = months_later(day, months) if months else None
    if workshop.status == status:
        if due is not None:
            workshops.set_review_due(session, workshop.id, due, actor_id=action.actor_id)
    else:
        workshops.change_status(
            session, workshop.id, status, on=day, actor_id=action.actor_id, review_due=due
        )
    action.record("workshop-status-set", (), workshop=workshop.id, status=WORKSHOP_STATUSES[status])
    _certificates(action, workshop, revoked=status == "revoked")


def _certificates(action: Action, workshop: Workshop, *, revoked: bool) -> None:
    """The QR page of a revoked workshop's papers says so from now on; a restored one's says valid again."""
    if workshop.case_id is None:
        return
    papers = action.session.scalars(
        select(IssuedDocument).where(
            IssuedDocument.case_id == workshop.case_id, IssuedDocument.name == "certificate"
        )
    ).all()
    if not papers:
        return
    origin = (
        begin(action.session, workshop.case_id, action.actor_id)
        if workshop.case_id != action.case.id
        else action
    )
    for paper in papers:
        if revoked and paper.status != "revoked":
            issue.revoke(action.session, paper)
            origin.record("document-revoked", (paper,), document=paper.name)
        elif not revoked and paper.status == "revoked":
            paper.status = "issued" if paper.file_id is not None else "pending"
            paper.revoked_at = None
            origin.record("document-restored", (paper,), document=paper.name)


def notify(action: Action, *, to: str, text: str) -> None:
    """A message in the application. ``to``: ``employer`` or a department kind."""
    key = f"{action.case.id}-{action.case.chain_seq}-{to}"
    outbox.put(action.session, "notice", key, {"case": action.case.id, "to": to, "text": text, "key": key})


def settle_objection_operation(action: Action, *, result: str) -> None:
    """The objection that this case handles is ``rejected`` or ``upheld``; the case objected to hears of it."""
    settle_objection(action, result)


def pause_clock(action: Action) -> None:
    """Stop the time limits of the offices' open items."""
    pause(action)


def resume_clock(action: Action) -> None:
    """Let them run again, later by the time they stood still."""
    resume(action)


def months_later(day: date, months: int) -> date:
    """The same day of a later month; its last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for candidate in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, candidate)
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


OPERATIONS: Mapping[str, Callable[..., None]] = {
    "claim_grants": granting.claim_grants,
    "lift_holds": granting.lift_holds,
    "settle_rows": paying.settle_rows,
    "reserve_funds": paying.reserve_funds,
    "unreserve_funds": paying.unreserve_funds,
    "free_funds": paying.free_funds,
    "make_payable": paying.make_payable,
    "claim_days": days.claim_days,
    "issue_slips": slips.issue_slips,
    "close_slips": slips.close_slips,
    "post_publicity": projecting.post_publicity,
    "register_project": projecting.register_project,
    "enter_workers": projecting.enter_workers,
    "close_project": projecting.close_project,
    "set_status": set_status,
    "issue_document": issue_document,
    "open_publicity": open_publicity,
    "close_publicity": close_publicity,
    "cancel_publicity": cancel_publicity,
    "register_workshop": register_workshop,
    "update_workshop": update_workshop,
    "notify": notify,
    "settle_objection": settle_objection_operation,
    "pause_clock": pause_clock,
    "resume_clock": resume_clock,
}
