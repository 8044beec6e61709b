"""Claims on the register of grants: which rows claim a slot, which are held, whose hold is lifted.

``grant`` in process.yaml says under which policy and scope: no process has Python of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from workflows.base.errors import CatalogueError, Conflict
from workflows.cases.action import Action
from workflows.cases.approving import named
from workflows.cases.facts import CaseView, case_facts_of
from workflows.cases.functions import latest_answers
from workflows.cases.process import Process
from workflows.cases.roster_digest import RosterDigest, digested
from workflows.cases.roster_model import RosterRow
from workflows.cases.verdicts import AGREE, REFUSE, current_roster
from workflows.registers import grants, work_days
from workflows.registers.grant_model import Grant
from workflows.registers.grants import Claim, Claimant, Claimed, Obstacle, Policy
from workflows.registers.model import Employer

#: What a held row's reasons say, by obstacle. The citation is the parameter ``repeat_reading`` of the process.
_HELD = {
    "other_employer": "这个人已由其他单位申报或者享受，暂缓，须由人社部门、财政部门分别写明理由解除，否则不予奖补。",
    "affiliate": "这个人已由关联单位（同一法定代表人或者同一地址）申报或者享受，暂缓，须由两部门分别写明理由解除。",
    "other_policy": "这个人已享受一次性吸纳就业补贴，暂缓，须由人社部门、财政部门分别写明理由解除。",
}


_REPEATED = "这个人在本单位已经登记过（{document}），同一人同一单位不重复享受。"


def policy_of(process: Process) -> Policy:
    """What ``grant`` in process.yaml says."""
    described = process.config.get("grant")
    if not described:
        raise CatalogueError(["process.yaml：没有 grant，不能登记奖补。"])
    return Policy(
        described["policy"],
        tuple(described.get("related", ())),
        elsewhere=described.get("elsewhere", "hold") == "hold",
    )


def scopes(view: CaseView, employer: Employer) -> Callable[[Mapping[str, Any]], str]:
    """Finds the scope of a row: the employer's credit code or facts of the case (a month), read once for all rows, or
    what a column says (a course)."""
    described = view.process.config["grant"]["scope"]
    if described != "employer" and "column" in described:
        return lambda values: str(values.get(described["column"]) or "")[:64]
    scope = employer.credit_code
    if described != "employer":
        found = case_facts_of(view.process, view, described["facts"])
        scope = "/".join(str(found[name]) for name in described["facts"])[:64]
    return lambda values: scope


def row_obstacles(
    view: CaseView, rows: Iterable[tuple[int | None, Mapping[str, Any]]]
) -> dict[int, Obstacle]:
    """What stands in the way of rows, by person, before anything is claimed: shown while the employer fills in."""
    employer = _employer(view)
    scope = scopes(view, employer)
    wanted = {person: scope(values) for person, values in rows if person is not None}
    return grants.obstacles(view.session, policy_of(view.process), wanted, employer, but_case=view.case.id)


def _employer(view: CaseView) -> Employer:
    return view.session.get_one(Employer, view.case.employer_id)


def claim_grants(action: Action) -> None:
    """Take a slot for every row that the rules did not refuse; rows that lost the race in between say so."""
    view = CaseView.of(action.session, action.case, action.process)
    roster = view.roster
    if roster is None:
        raise Conflict("还没有花名册，不能登记奖补。")
    employer = _employer(view)
    described = action.process.config["row_result"]
    everyone = action.session.scalars(digested(roster.id)).all()
    rows = {row.person_id: row for row in everyone if row.person_id is not None and not row.bad}
    open_rows = [row for row in rows.values() if row.result != described["refused"]]
    scope = scopes(view, employer)
    claimed = grants.claim(
        action.session,
        policy_of(action.process),
        Claimant(action.case.id, employer, action.case.county_code),
        [
            Claim(
                row.person_id or 0,
                row.id,
                amount_of(action, row),
                scope(row.values),
            )
            for row in open_rows
        ],
        actor_id=action.actor_id,
    )
    ruled = _rule_again(action, rows, claimed)
    if ruled:
        digest = RosterDigest()
        digest.add_rows(everyone)
        roster.judged = digest.judged
    action.record(
        "claims-entered",
        (roster,) if ruled else (),
        free=len(claimed.free),
        held=len(claimed.held),
        refused=len(claimed.refused),
    )


def _rule_again(action: Action, rows: Mapping[int, RosterRow], claimed: Claimed) -> bool:
    """Rows that lost the race between the rules and the register get the register's word. Whether there are any."""
    described = action.process.config["row_result"]
    refused, held = described["refused"], described.get("held", {}).get("result")
    ruled = False
    for person, obstacle in claimed.refused.items():
        _rule(action, rows[person], refused, refusal_text(action.process, obstacle))
        ruled = True
    for person, grant in claimed.held.items():
        if rows[person].result != held:
            _rule(action, rows[person], held, _HELD[str(grant.obstacle)])
            ruled = True
    return ruled


def amount_of(action: Action, row: RosterRow) -> int:
    """What one row is granted, in fen: a parameter, a column of the roster, or what its facts come to."""
    described = action.process.config["grant"]["amount"]
    if "parameter" in described:
        return int(action.parameter(described["parameter"]))
    if "fact" in described:
        return int(row.facts.get(described["fact"]) or 0)
    return int(row.values.get(described["column"]) or 0)


def refusal_text(process: Process, obstacle: Obstacle) -> str:
    """Why a repeat is refused, in the words of the process. Names the earlier grant, and nobody else's affairs."""
    text = str(process.config["grant"].get("repeated") or _REPEATED)
    return text.replace("{document}", obstacle.grant.document_number or "另一件申请")


def _rule(action: Action, row: RosterRow, result: str, text: str) -> None:
    citation = f"依据：{action.case.rules['parameters']['repeat_reading']['basis']}"
    row.result = result
    row.fired = [*row.fired, {"id": "grant_register", "citation": citation, "annotation": text}]


def lift_holds(action: Action) -> None:
    """Both offices have spoken on the held rows: lift where both agreed by name with a reason, free where one refused."""
    roster = current_roster(action.session, action.case.id)
    if roster is None:
        return
    agreed, refused = named(action.session, roster, AGREE), named(action.session, roster, REFUSE)
    for grant in grants.of_case(action.session, action.case.id):
        if grant.state != "held":
            continue
        words = {word.kind: word for word in agreed.get(grant.row_id or 0, [])}
        if grant.row_id in refused:
            free_some(action, [grant])
        elif all(office in words for office in ("hrss", "finance")):
            for office, word in words.items():
                if office in ("hrss", "finance"):
                    grants.lift(action.session, grant, office, actor_id=word.by or 0, reason=word.reason)


def free_grants(action: Action) -> None:
    """The claim ends without payment: every slot it took is given back."""
    living = [
        one
        for one in grants.of_case(action.session, action.case.id)
        if one.state in ("claimed", "held", "approved")
    ]
    free_some(action, living)


def free_some(action: Action, some: Sequence[Grant]) -> None:
    """Give back the slots of some people, and with them the days that the sheet claimed for them."""
    if some:
        grants.free(action.session, some, actor_id=action.actor_id)
        if action.process.config.get("days"):
            work_days.free(action.session, action.case.id, [one.row_id or 0 for one in some])


def payee_account(action: Action, values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Payee, account and bank of one row, as ``payment`` in process.yaml says: the employer's, or the person's own."""
    described = action.process.config["payment"]
    if described["payee"] == "employer":
        employer = action.session.get_one(Employer, action.case.employer_id)
        answers = latest_answers(action, described["form"])
        return employer.name, str(answers[described["account"]]), str(answers.get(described["bank"]) or "")
    return (
        str(values[described["name"]]),
        str(values[described["account"]]),
        str(values.get(described["bank"]) or ""),
    )


def values_by_row(action: Action, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Key of a roster row → its values: nothing else of thousands of rows is deciphered."""
    found: dict[int, Mapping[str, Any]] = {}
    for start in range(0, len(ids), 5_000):
        some = RosterRow.id.in_(ids[start : start + 5_000])
        found |= dict(action.session.execute(select(RosterRow.id, RosterRow.values).where(some)).all())
    return found
