"""An objection as it comes from the public page: one form, one case, however often it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.digest import canonical
from workflows.base.errors import Invalid, NotFound
from workflows.base.privacy import keyring
from workflows.cases.action import lock_case
from workflows.cases.commands import remember, replayed
from workflows.cases.model import Case, Publicity
from workflows.cases.objections import object_to
from workflows.cases.process import process_of
from workflows.cases.public_views import answer_due

#: Fewer characters name no fact that could be looked into.
LEAST = 10
ANONYMOUS = "匿名"


@dataclass(frozen=True)
class Receipt:
    """What the objector keeps: the number of the new case, and the day by which an answer is due."""

    number: str
    answer_by: date


def content_problem(content: str) -> str:
    """What is wrong with the text of an objection; empty when nothing is."""
    if len("".join(content.split())) >= LEAST:
        return ""
    return f"异议内容太短，请写明哪一项不符、事实和理由，不少于{LEAST}个字。"


def submit_objection(
    session: Session, token: str, *, key: str, content: str, name: str = "", phone: str = ""
) -> Receipt:
    """Open a case for an objection; the same form sent again gets the same receipt and does nothing.

    :param key: the form's own key, 32 characters.
    :param name: empty for somebody who stays anonymous; so is ``phone``.
    :raises Invalid: the content is too short, or the key was used for another text.
    :raises Conflict: the 公示 is over.
    """
    if message := content_problem(content):
        raise Invalid(message, {"content": message})
    case_id = session.scalar(select(Publicity.case_id).where(Publicity.token == token))
    if case_id is None:
        raise NotFound("没有这个公示，或者公示已经结束。")
    lock_case(session, case_id)  # two copies of one form come one after the other
    # keyed: the digest of a name and a phone must not be something that can be guessed at
    digest = keyring().digest(canonical([token, content, name, phone]), "objection")
    done = replayed(session, key, digest)
    if done is not None:
        return Receipt(str(done["number"]), date.fromisoformat(str(done["answer_by"])))
    objection = object_to(session, token, name=name or ANONYMOUS, phone=phone, content=content)
    case = session.get_one(Case, objection.case_id)
    receipt = Receipt(case.number, answer_due(session, process_of(session, case.version_id), case))
    result = {"number": receipt.number, "answer_by": receipt.answer_by.isoformat()}
    remember(session, key, digest, None, case.id, result)
    return receipt
