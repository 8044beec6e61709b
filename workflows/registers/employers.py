"""Employers: registered under their 统一社会信用代码, kept in contact, found again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from forms.identifiers import check_credit_code, check_id, check_phone
from workflows.audit.record import record, stream
from workflows.base.clock import today
from workflows.base.errors import Invalid, NotFound
from workflows.base.privacy import digest_id
from workflows.organisations.actors import Actor
from workflows.organisations.divisions import township_of
from workflows.organisations.permissions import require
from workflows.registers.membership import employer_facts, request_membership
from workflows.registers.model import Employer, EmployerMember

#: Kinds of employer. 农民劳务专业合作社 is encouraged by the notice, art. 二（三）.
EMPLOYER_KINDS = {
    "company": "企业",
    "cooperative": "农民专业合作社",
    "labour_cooperative": "农民劳务专业合作社",
    "family_farm": "家庭农场",
    "individual": "个体工商户",
    "collective": "农村集体经济组织",
    "other": "其他",
}


@dataclass(frozen=True)
class EmployerData:
    """What is said about an employer when it registers.

    :param division_code: the township or village of the 经营地址.
    :param legal_id_number: kept as an HMAC alone; finds affiliates and the owner on his own roster.
    """

    credit_code: str
    name: str
    kind: str
    legal_representative: str
    contact_name: str
    contact_phone: str
    address: str
    division_code: str
    legal_id_number: str = ""


def find_by_credit_code(session: Session, credit_code: str) -> Employer | None:
    """The employer with that code, typed in whatever way."""
    code, _, _ = check_credit_code(credit_code)
    return session.scalars(select(Employer).where(Employer.credit_code == code)).one_or_none()


def register_employer(
    session: Session, actor: Actor, data: EmployerData, *, authorisation_file_id: int | None
) -> EmployerMember:
    """Register an employer with its first account, which waits for the township; or ask to join the one registered.

    A refused employer may register again with other data; data of one that waits or is confirmed is left alone.
    """
    require(actor, "employer.register")
    known = find_by_credit_code(session, data.credit_code)
    if known is not None and known.status != "refused":
        return request_membership(session, actor, known, authorisation_file_id=authorisation_file_id)
    clean = _checked(session, data)
    if authorisation_file_id is None:
        raise Invalid("单位没有登记，请改正下列内容。", {"authorisation": "请上传加盖公章的授权书。"})
    employer = known or Employer(credit_code=clean.credit_code)
    employer.status = "pending"
    _fill(employer, clean)
    session.add(employer)
    _record(session, "employer-registered", actor, employer)
    return request_membership(session, actor, employer, authorisation_file_id=authorisation_file_id)


def _fill(employer: Employer, data: EmployerData) -> None:
    employer.name = data.name
    employer.kind = data.kind
    employer.legal_representative = data.legal_representative
    employer.legal_id_digest = digest_id(data.legal_id_number) if data.legal_id_number else None
    employer.contact_name = data.contact_name
    employer.contact_phone = data.contact_phone
    employer.address = data.address
    employer.division_code = data.division_code


def _checked(session: Session, data: EmployerData) -> EmployerData:
    errors: dict[str, str] = {}
    code, wrong, _ = check_credit_code(data.credit_code)
    if wrong:
        errors["credit_code"] = wrong
    phone, wrong, _ = check_phone(data.contact_phone)
    if wrong:
        errors["contact_phone"] = wrong
    legal_id: object = ""
    if data.legal_id_number.strip():
        legal_id, wrong, _ = check_id(data.legal_id_number, today())
        if wrong:
            errors["legal_id_number"] = wrong
    if not data.contact_name.strip() or len(data.contact_name.strip()) > 40:
        errors["contact_name"] = "请填写联系人，不超过 40 个字。"
    errors |= licence_errors(
        session, data.name, data.kind, data.legal_representative, data.address, data.division_code
    )
    if errors:
        raise Invalid("单位没有登记，请改正下列内容。", errors)
    return EmployerData(
        credit_code=str(code),
        name=data.name.strip(),
        kind=data.kind,
        legal_representative=data.legal_representative.strip(),
        contact_name=data.contact_name.strip(),
        contact_phone=str(phone),
        address=data.address.strip(),
        division_code=data.division_code,
        legal_id_number=str(legal_id),
    )


def licence_errors(
    session: Session, name: str, kind: str, legal_representative: str, address: str, division_code: str
) -> dict[str, str]:
    """What is wrong with what the 营业执照 says of a unit: field → message."""
    errors: dict[str, str] = {}
    if kind not in EMPLOYER_KINDS:
        errors["kind"] = "请选择单位类型。"
    for field, text, longest, label in (
        ("name", name, 120, "单位名称"),
        ("legal_representative", legal_representative, 60, "法定代表人"),
        ("address", address, 200, "经营地址"),
    ):
        if not text.strip() or len(text.strip()) > longest:
            errors[field] = f"请填写{label}，不超过 {longest} 个字。"
    try:
        township_of(session, division_code)
    except NotFound:
        errors["division_code"] = "请选择经营地址所在的乡镇。"
    return errors


def employer_of(session: Session, employer_id: int) -> Employer:
    """The employer; raises ``NotFound``."""
    found = session.get(Employer, employer_id)
    if found is None:
        raise NotFound("没有这个单位。")
    return found


def update_contact(
    session: Session, actor: Actor, employer_id: int, *, contact_name: str, contact_phone: str
) -> Employer:
    """Change who is called. The new phone's last four digits open the public progress query from now on."""
    employer = employer_of(session, employer_id)
    require(actor, "employer.edit", employer_facts(session, employer))
    errors: dict[str, str] = {}
    phone, wrong, _ = check_phone(contact_phone)
    if wrong:
        errors["contact_phone"] = wrong
    if not contact_name.strip() or len(contact_name.strip()) > 40:
        errors["contact_name"] = "请填写联系人，不超过 40 个字。"
    if errors:
        raise Invalid("联系信息没有保存，请改正下列内容。", errors)
    employer.contact_name, employer.contact_phone = contact_name.strip(), str(phone)
    _record(session, "employer-contact-updated", actor, employer)
    return employer


def _record(session: Session, kind: str, actor: Actor, employer: Employer) -> None:
    record(
        session,
        stream(session, "registers"),
        kind,
        actor_id=actor.user_id,
        covers=[employer],
    )
