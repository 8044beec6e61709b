"""What a document says, as primitives: each key of its ``document.yaml`` is found in process.yaml or by a provider here.

In ``documents.<name>`` of process.yaml a key may be written out (``review_note: …``, with ``{employer}``,
``{workshop}``, ``{county}``, ``{township}``), or taken from an answer (``statement_from: {step, field}``). What is left
comes from the providers below, which know cases and registers but no process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from workflows.base.clock import local
from workflows.base.errors import CatalogueError
from workflows.base.installation import installation
from workflows.base.privacy import mask_phone
from workflows.cases import context_parts as parts
from workflows.cases import project_parts
from workflows.cases.action import Action
from workflows.cases.facts import CaseView
from workflows.cases.functions import current_publicity, latest_answers
from workflows.cases.model import Decision, Objection
from workflows.cases.offices import LEAD, office_of
from workflows.cases.payment_parts import money, payee, payees
from workflows.cases.places import place_of_business
from workflows.cases.process import Process
from workflows.documents.templates import load_template
from workflows.organisations.model import Division
from workflows.registers.model import WORKSHOP_MODES, Employer, Workshop
from workflows.registers.project_model import Project

EVERY = frozenset(
    {
        "title",
        "number",
        "case_number",
        "issued_on",
        "chain_head",
        "verify_url",
        "verify_code",
        "demonstration",
    }
)


#: Keys of process.yaml that steer a provider of the same name rather than being the text themselves.
_CONFIGURES_PROVIDER = frozenset({"offices", "opinions", "hearing", "remedies", "inquiry", "listed"})


def document_config(process: Process, document: str) -> Mapping[str, Any]:
    """What process.yaml says of a document."""
    found = process.config.get("documents", {}).get(document)
    if found is None:
        raise CatalogueError([f"process.yaml：documents 中没有“{document}”。"])
    return found  # type: ignore[no-any-return]  # YAML


def document_title(action: Action, document: str) -> str:
    """The heading as printed, names filled in."""
    return fill(action, str(document_config(action.process, document)["title"]))


def register_number(action: Action) -> str:
    """The number under which the case's workshop stands in the register."""
    return action.session.get_one(Workshop, action.case.workshop_id).number


def fill(action: Action, text: str) -> str:
    """Put names into a configured text."""
    if "{" not in text:
        return text
    session, case = action.session, action.case
    county = session.get_one(Division, case.county_code)
    township = session.get(Division, case.division_code[:9])
    named = {"county": county.name, "township": township.name if township else ""}
    if case.employer_id is not None:
        named["employer"] = session.get_one(Employer, case.employer_id).name
    workshop = session.get(Workshop, case.workshop_id) if case.workshop_id else None
    named["workshop"] = workshop.name if workshop else named.get("employer", "")
    project = session.get(Project, case.project_id) if case.project_id else None
    named["project"] = project.name if project else ""
    for key, value in named.items():
        text = text.replace("{" + key + "}", value)
    return text


def build_context(
    action: Action, document: str, number: str, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every key the template asks for beyond those the documents room knows itself.

    :param given: keys that whoever issues the paper supplies; they go before what process.yaml says.
    """
    template = load_template(action.process.key, document)
    config = document_config(action.process, document)
    built: dict[str, Any] = {"title": document_title(action, document)}
    for key in template.context:
        if key in EVERY:
            continue
        if given is not None and key in given:
            built[key] = given[key]
            continue
        built[key] = _value(action, config, key, template.context[key])
    return built


def _value(action: Action, config: Mapping[str, Any], key: str, kind: Any) -> Any:
    if key in config and key not in _CONFIGURES_PROVIDER:
        value = config[key]
        if isinstance(value, str):
            return fill(action, value)
        if isinstance(value, list):
            return [fill(action, one) if isinstance(one, str) else one for one in value]
        return value
    source = config.get(f"{key}_from")
    if isinstance(source, dict) and key != "defects":
        return answer_text(action, source, kind)
    provider = PROVIDERS.get(key)
    if provider is None:
        raise CatalogueError([f"文书需要的“{key}”没有来源：请在 process.yaml 的 documents 中写明。"])
    return provider(action, config)


def answer_text(action: Action, source: Mapping[str, Any], kind: Any) -> Any:
    """An answer as a document prints it; empty text when it was not given. ``day``: the day of the decision itself."""
    step, field = source["step"], source.get("field", "opinion")
    decision = latest_decision(action, step)
    if field == "opinion":
        return decision.opinion if decision else ""
    if field == "day":
        return local(decision.decided_at).date().isoformat() if decision else ""
    value = decision.outcome if decision and field == "outcome" else None
    if value is None and decision is not None:
        value = decision.answers.get(field)
    if value is None and source.get("default") is not None:
        return fill(action, str(source["default"]))
    labels = source.get("labels", {})
    if value is not None and str(value) in labels:
        return labels[str(value)]
    if isinstance(value, str | int | bool | list):
        return value
    return [] if isinstance(kind, list) else ""


def latest_decision(action: Action, step: str) -> Decision | None:
    """The latest decision of a step."""
    return action.session.scalars(
        select(Decision)
        .where(Decision.case_id == action.case.id, Decision.step == step, Decision.outcome != "sent_back")
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()


# Providers -----------------------------------------------------------------------------------------------------------


def _offices(action: Action, config: Mapping[str, Any]) -> list[str]:
    return [office_of(action.session, action.case, kind).name for kind in config.get("offices", [])]


def _employer(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    employer = action.session.get_one(Employer, action.case.employer_id)
    return {
        "name": employer.name,
        "credit_code": employer.credit_code,
        "address": employer.address,
        "legal_representative": employer.legal_representative,
        "contact": f"{employer.contact_name} {mask_phone(employer.contact_phone)}",
    }


def _workshop(action: Action, config: Mapping[str, Any]) -> dict[str, Any]:
    workshop = action.session.get_one(Workshop, action.case.workshop_id)
    return {
        "name": workshop.name,
        "mode": WORKSHOP_MODES.get(workshop.mode, workshop.mode),
        "address": workshop.address,
        "people": workshop.worker_count,
        "number": workshop.number,
        "recognised_on": workshop.recognised_on.isoformat(),
    }


def _basis(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    in_force = action.case.rules.get("basis")
    listed = list(action.process.config.get("basis", []))
    bases = [in_force] if in_force else []
    bases += [one for one in listed if not in_force or one["id"] != in_force.get("id")]
    return [
        {
            "title": str(one.get("title", "")),
            "number": str(one.get("number", "")),
            "article": str(one.get("article", "")),
            "text": str(one.get("text", "")),
            "fictional": bool(one.get("fictional", False)),
        }
        for one in bases
    ]


def _inquiry(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    kind = config.get("inquiry") or config.get("offices", [LEAD])[0]
    office = office_of(action.session, action.case, kind)
    return {"office": office.name, "address": office.address, "phone": office.phone}


def _remedies(action: Action, config: Mapping[str, Any]) -> list[str]:
    return [fill(action, one) for one in config.get("remedies", [])]


def _service(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    return {"method": "", "place": ""}


def _applied_on(action: Action, config: Mapping[str, Any]) -> str:
    return local(action.case.submitted_at or action.at).date().isoformat()


def _due_on(action: Action, config: Mapping[str, Any]) -> str:
    """The last day of the step that answers this paper, which opens in the same transaction."""
    step = action.process.step(config["due_step"])
    if step.limit is None:
        raise CatalogueError([f"process.yaml：{config['due_step']} 没有时限，文书不能写截止日期。"])
    days = int(action.parameter(step.limit_parameter)) if step.limit_parameter else step.limit.days
    return action.calendar.add(local(action.at).date(), days, step.limit.unit).isoformat()


def _round(action: Action, config: Mapping[str, Any]) -> int:
    """1 for the first paper of its kind in the case."""
    source = config.get("defects_from", {})
    decision = latest_decision(action, source.get("step", "")) if source else None
    outcomes = action.session.scalars(
        select(Decision.id).where(
            Decision.case_id == action.case.id,
            Decision.step == source.get("step", ""),
            Decision.outcome == (decision.outcome if decision else ""),
        )
    ).all()
    return max(1, len(outcomes))


def _publicity(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    publicity = current_publicity(action)
    if publicity is None:
        raise CatalogueError(["还没有公示，文书不能写公示起止日期。请检查流程图的顺序。"])
    return {
        "from_on": local(publicity.opens_at).date().isoformat(),
        "to_on": (local(publicity.ends_at) - timedelta(seconds=1)).date().isoformat(),
    }


def _publicity_days(action: Action, config: Mapping[str, Any]) -> str:
    publicity = current_publicity(action)
    unit = {"working": "个工作日", "calendar": "天"}
    return f"{publicity.days}{unit[publicity.unit]}" if publicity else ""


def _objection_url(action: Action, config: Mapping[str, Any]) -> str:
    publicity = current_publicity(action)
    return f"{installation().public_url}/publicity/{publicity.token}" if publicity else ""


def _workshops(action: Action, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    answers = latest_answers(action, "application_form")
    employer = action.session.get_one(Employer, action.case.employer_id)
    counted = action.process.config.get("row_result", {}).get("counts", "")
    people = CaseView.of(action.session, action.case, action.process).row_results.get(counted, 0)
    workshop = str(answers.get("workshop_name") or "")
    return [
        {
            "name": f"{employer.name}（{workshop}）" if workshop else employer.name,
            "address": place_of_business(action),
            "mode": WORKSHOP_MODES.get(str(answers.get("mode")), ""),
            "people": people,
        }
    ]


def _printed_by(action: Action, config: Mapping[str, Any]) -> str:
    return _offices(action, config)[0]


def _inspected_on(action: Action, config: Mapping[str, Any]) -> str:
    source = config.get("defects_from") or {}
    decision = latest_decision(action, source.get("step", ""))
    if decision is None:
        return local(action.at).date().isoformat()
    return str(decision.answers.get("checked_on") or local(decision.decided_at).date().isoformat())


def _statement(action: Action, config: Mapping[str, Any]) -> str:
    return ""


def _year(action: Action, config: Mapping[str, Any]) -> int:
    return local(action.at).year


def _next_review(action: Action, config: Mapping[str, Any]) -> str:
    workshop = action.session.get_one(Workshop, action.case.workshop_id)
    day = workshop.review_due
    return f"{day.year}年{day.month}月{day.day}日前" if day else ""


def _suspended_on(action: Action, config: Mapping[str, Any]) -> str:
    workshop = action.session.get_one(Workshop, action.case.workshop_id)
    return (workshop.revoked_on or local(action.case.started_at).date()).isoformat()


def _hearing(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    source = config.get("hearing", {})
    decision = latest_decision(action, source.get("step", ""))
    response = source.get("response", {})
    return {
        "heard_on": local(decision.decided_at if decision else action.at).date().isoformat(),
        "statement": str((decision.answers.get(source.get("field", "")) if decision else "") or ""),
        "response": str(answer_text(action, response, "text")) if response else "",
    }


def _objection(action: Action) -> Objection:
    return action.session.scalars(select(Objection).where(Objection.case_id == action.case.id)).one()


def _objector(action: Action, config: Mapping[str, Any]) -> dict[str, str]:
    return {"name": _objection(action).objector_name}


def _objected_on(action: Action, config: Mapping[str, Any]) -> str:
    return local(_objection(action).received_at).date().isoformat()


def _employer_name(action: Action, config: Mapping[str, Any]) -> str:
    return action.session.get_one(Employer, action.case.employer_id).name


def _publicity_title(action: Action, config: Mapping[str, Any]) -> str:
    return _objection(action).publicity.title


def _points(action: Action, config: Mapping[str, Any]) -> list[dict[str, str]]:
    source = config.get("finding", {})
    finding = answer_text(action, source, "text") if source else ""
    return [{"claim": _objection(action).content, "finding": str(finding)}]


PROVIDERS: Mapping[str, Callable[[Action, Mapping[str, Any]], Any]] = {
    "offices": _offices,
    "employer": _employer,
    "workshop": _workshop,
    "basis": _basis,
    "facts": parts.facts,
    "reasons": parts.reasons,
    "opinions": parts.opinions,
    "roster": parts.roster,
    "listed": parts.listed,
    "defects": parts.defects,
    "remedies": _remedies,
    "inquiry": _inquiry,
    "service": _service,
    "application": parts.application,
    "summary": parts.summary,
    "submitted_on": _applied_on,
    "applied_on": _applied_on,
    "due_on": _due_on,
    "round": _round,
    "publicity": _publicity,
    "from_on": lambda action, config: _publicity(action, config)["from_on"],
    "to_on": lambda action, config: _publicity(action, config)["to_on"],
    "days": _publicity_days,
    "objection_url": _objection_url,
    "workshops": _workshops,
    "printed_by": _printed_by,
    "inspected_on": _inspected_on,
    "statement": _statement,
    "year": _year,
    "next_review": _next_review,
    "suspended_on": _suspended_on,
    "hearing": _hearing,
    "objector": _objector,
    "objected_on": _objected_on,
    "employer_name": _employer_name,
    "publicity_title": _publicity_title,
    "points": _points,
    "payees": payees,
    "money": money,
    "payee": payee,
    **project_parts.PROVIDERS,
}
