"""Who may do what: one table, permission → named predicates over the actor and plain facts.

A permission is given when one of its predicates holds. The facts are handed down by the room that owns the thing, so
that nothing here asks a database. Auditors read everything and change nothing; administrators keep offices and users
and see no case; an officer sees a case only through an office that takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from workflows.base.errors import Forbidden
from workflows.organisations.actors import Actor


@dataclass(frozen=True)
class Facts:
    """What a permission is asked about.

    :param division_chain: codes from the thing's own division upwards (village or township … province).
    :param employer_id: the employer it belongs to.
    :param user_id: the user it belongs to.
    """

    division_chain: tuple[str, ...] = ()
    employer_id: int | None = None
    user_id: int | None = None


@dataclass(frozen=True)
class ItemFacts:
    """The work item at hand: whose it is, who claimed it, whether it still waits."""

    step: str
    department_id: int | None = None
    employer_id: int | None = None
    claimed_by: int | None = None
    is_open: bool = True


@dataclass(frozen=True, kw_only=True)
class CaseFacts(Facts):
    """What permissions ask about a case.

    :param departments: the offices of its lanes, of its county and township: who has taken part or will.
    :param item: the work item at hand, where one is.
    :param open_items: all that wait now.
    :param acted: user → the steps already decided by that user in this case, all rounds.
    :param recallable: submitted, and nobody has claimed or decided anything since.
    :param finished: the case has ended.
    :param applied: the employer asked for it; not so a 年审, which it must not be able to end.
    :param lead: kind of the office that answers for the process.
    :param handed_in: it is no draft that its employer has not submitted yet, or has taken back.
    """

    county_code: str
    departments: frozenset[int] = frozenset()
    item: ItemFacts | None = None
    open_items: tuple[ItemFacts, ...] = ()
    acted: Mapping[int, frozenset[str]] | None = None
    recallable: bool = False
    finished: bool = False
    applied: bool = False
    lead: str = "hrss"
    handed_in: bool = True


@dataclass(frozen=True, kw_only=True)
class StartFacts(Facts):
    """What is asked when an office begins a case: ``kinds`` of office that process.yaml lets begin it."""

    kinds: frozenset[str] = frozenset()


Predicate = Callable[[Actor, Facts], bool]


def both(*predicates: Predicate) -> Predicate:
    """All of them hold."""

    def check(actor: Actor, facts: Facts) -> bool:
        return all(predicate(actor, facts) for predicate in predicates)

    return check


# Who -----------------------------------------------------------------------------------------------------------------


def anyone(actor: Actor, facts: Facts) -> bool:
    return True


def the_system(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "system"


def auditor_of_the_division(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "auditor" and actor.division_code in facts.division_chain


def any_auditor(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "auditor"


def administrator_of_the_division(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "admin" and actor.division_code in facts.division_chain


def any_administrator(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "admin"


def oneself(actor: Actor, facts: Facts) -> bool:
    return actor.user_id is not None and actor.user_id == facts.user_id


def employers_user(actor: Actor, facts: Facts) -> bool:
    return actor.kind == "employer"


def member_of_the_employer(actor: Actor, facts: Facts) -> bool:
    return facts.employer_id is not None and facts.employer_id in actor.employer_ids


def owner_of_the_employer(actor: Actor, facts: Facts) -> bool:
    return any(one.employer_id == facts.employer_id and one.role == "owner" for one in actor.employers)


def _office_in_the_division(kind: str) -> Predicate:
    def check(actor: Actor, facts: Facts) -> bool:
        return any(post.kind == kind and post.division_code in facts.division_chain for post in actor.posts)

    return check


township_of_the_division = _office_in_the_division("township")
hrss_of_the_division = _office_in_the_division("hrss")
rural_of_the_division = _office_in_the_division("rural")
ndrc_of_the_division = _office_in_the_division("ndrc")
finance_of_the_division = _office_in_the_division("finance")


# Cases ---------------------------------------------------------------------------------------------------------------


def in_an_office_of_the_case(actor: Actor, facts: Facts) -> bool:
    """A draft is its employer's own: no office reads it before it is handed in."""
    return isinstance(facts, CaseFacts) and facts.handed_in and bool(actor.department_ids & facts.departments)


def item_is_open(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and facts.item is not None and facts.item.is_open


def in_the_office_of_the_item(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and facts.item is not None and actor.holds(facts.item.department_id)


def head_of_the_office_of_the_item(actor: Actor, facts: Facts) -> bool:
    return (
        isinstance(facts, CaseFacts)
        and facts.item is not None
        and actor.holds(facts.item.department_id, "head")
    )


def unclaimed_or_claimed_by_oneself(actor: Actor, facts: Facts) -> bool:
    return (
        isinstance(facts, CaseFacts)
        and facts.item is not None
        and (facts.item.claimed_by is None or facts.item.claimed_by in actor.stands_for)
    )


def claimed_by_oneself(actor: Actor, facts: Facts) -> bool:
    return (
        isinstance(facts, CaseFacts) and facts.item is not None and facts.item.claimed_by in actor.stands_for
    )


def item_waits_for_own_employer(actor: Actor, facts: Facts) -> bool:
    return (
        isinstance(facts, CaseFacts)
        and facts.item is not None
        and facts.item.employer_id is not None
        and facts.item.employer_id in actor.employer_ids
    )


def nobody_has_acted(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and facts.recallable and not facts.finished


def case_is_running(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and not facts.finished


def employer_asked_for_it(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and facts.applied


def in_the_lead_office(actor: Actor, facts: Facts) -> bool:
    """Of the county's office that answers for the process: 人社 for workshops and rewards, 发改 for 以工代赈."""
    return isinstance(facts, CaseFacts) and any(
        post.kind == facts.lead and post.division_code in facts.division_chain for post in actor.posts
    )


def in_an_office_that_starts_it(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, StartFacts) and any(
        post.kind in facts.kinds and post.division_code in facts.division_chain for post in actor.posts
    )


def heads_the_lead_office_of_the_county(actor: Actor, facts: Facts) -> bool:
    return isinstance(facts, CaseFacts) and any(
        post.kind == facts.lead
        and post.post == "head"
        and post.division_code == facts.county_code
        and post.department_id in facts.departments
        for post in actor.posts
    )


# The table -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One line of the table: any of ``given_to`` suffices; ``refusal`` is the Chinese sentence otherwise."""

    given_to: tuple[Predicate, ...]
    refusal: str


_OPEN_OFFICE_ITEM = both(item_is_open, in_the_office_of_the_item, unclaimed_or_claimed_by_oneself)
_OPEN_OWN_ITEM = both(item_is_open, item_waits_for_own_employer)

PERMISSIONS: dict[str, Rule] = {
    # Reading a case
    "case.view": Rule(
        (in_an_office_of_the_case, member_of_the_employer, auditor_of_the_division),
        "您的岗位不能查看这件申请。",
    ),
    "document.download": Rule(
        (in_an_office_of_the_case, member_of_the_employer, auditor_of_the_division),
        "您的岗位不能下载这份文书。",
    ),
    "attachment.download": Rule(
        (in_an_office_of_the_case, member_of_the_employer, auditor_of_the_division),
        "您的岗位不能下载这份材料。",
    ),
    "roster.unmask": Rule(
        (in_an_office_of_the_case, auditor_of_the_division),
        "您的岗位不能查看完整的身份证号、电话和账号。",
    ),
    # Moving a case
    "case.start": Rule((member_of_the_employer,), "只有本单位已确认的经办人可以发起申请。"),
    "case.start_office": Rule(
        (in_an_office_that_starts_it,), "这个事项不由您的岗位发起。请回到“发起办理”，查看可以发起的事项。"
    ),
    "case.start_review": Rule(
        (hrss_of_the_division, rural_of_the_division, the_system),
        "只有本县人社部门或乡村振兴部门可以发起年审。",
    ),
    "case.act": Rule((_OPEN_OFFICE_ITEM, _OPEN_OWN_ITEM), "这项工作不由您的岗位办理，或者已由其他人员领取。"),
    "case.claim": Rule((_OPEN_OFFICE_ITEM,), "这项工作不由您的岗位办理，或者已由其他人员领取。"),
    "case.unclaim": Rule(
        (both(item_is_open, in_the_office_of_the_item, claimed_by_oneself),),
        "只有领取这项工作的人员可以交还。",
    ),
    "case.reassign": Rule(
        (both(item_is_open, head_of_the_office_of_the_item),), "只有承办单位的负责人可以改派这项工作。"
    ),
    "case.recall": Rule(
        (both(member_of_the_employer, nobody_has_acted),),
        "已有单位开始办理，不能再撤回；确需停止的，请联系受理单位。",
    ),
    "case.terminate": Rule(
        (
            both(case_is_running, heads_the_lead_office_of_the_county),
            both(case_is_running, employer_asked_for_it, member_of_the_employer),
        ),
        "申请已经办结，或者不由您终止：申请单位可以放弃自己提出的申请，其他情形由本县主管部门的负责人终止。",
    ),
    "draft.edit": Rule(
        (_OPEN_OFFICE_ITEM, _OPEN_OWN_ITEM), "这份表单不由您的岗位填写，或者已由其他人员领取。"
    ),
    "roster.upload": Rule((_OPEN_OWN_ITEM,), "只有申请单位可以在填报或补正时上传花名册。"),
    "roster.decide": Rule((_OPEN_OFFICE_ITEM,), "这份花名册现在不由您的岗位逐人审核，或者已由其他人员领取。"),
    "attachment.upload": Rule(
        (_OPEN_OFFICE_ITEM, _OPEN_OWN_ITEM), "现在不由您的岗位提交材料，或者已由其他人员领取。"
    ),
    # Registers
    "register.view": Rule((anyone,), ""),
    "employer.register": Rule((employers_user,), "请使用用人单位账号登记单位。"),
    "employer.view": Rule(
        (
            member_of_the_employer,
            township_of_the_division,
            hrss_of_the_division,
            rural_of_the_division,
            auditor_of_the_division,
        ),
        "您的岗位不能查看这个单位的登记信息。",
    ),
    "employer.edit": Rule((member_of_the_employer,), "只有本单位已确认的经办人可以修改联系信息。"),
    "employer.confirm": Rule(
        (township_of_the_division, the_system), "只有经营地址所在乡镇的工作人员可以确认单位账号。"
    ),
    "employer.correct": Rule(
        (township_of_the_division,), "只有经营地址所在乡镇的工作人员可以更正单位的登记信息。"
    ),
    "employer.members": Rule((owner_of_the_employer, the_system), "只有本单位的首个账号可以确认其他经办人。"),
    "identities.import": Rule(
        (rural_of_the_division, the_system), "只有本县乡村振兴部门可以导入脱贫人口和监测对象名单。"
    ),
    "identities.view": Rule(
        (rural_of_the_division, auditor_of_the_division), "您的岗位不能查看脱贫人口和监测对象名单的导入记录。"
    ),
    # Money and grants
    "funds.view": Rule(
        (
            finance_of_the_division,
            hrss_of_the_division,
            rural_of_the_division,
            ndrc_of_the_division,
            auditor_of_the_division,
        ),
        "您的岗位不能查看资金情况。",
    ),
    "funds.manage": Rule((finance_of_the_division,), "只有本县财政部门可以登记资金、办理支付和对账。"),
    "payment.remove": Rule(
        (both(case_is_running, in_the_lead_office),), "只有本县主管部门可以在办结前剔除已审定的人员。"
    ),
    "recovery.decide": Rule((hrss_of_the_division, ndrc_of_the_division), "只有本县主管部门可以决定追回。"),
    "recovery.receive": Rule((finance_of_the_division,), "只有本县财政部门可以登记收回的款项。"),
    "grants.look_up": Rule(
        (finance_of_the_division, hrss_of_the_division, rural_of_the_division, auditor_of_the_division),
        "您的岗位不能查询奖补登记。",
    ),
    "grants.import": Rule((hrss_of_the_division, the_system), "只有本县人社部门可以导入历史发放记录。"),
    # Audit
    "audit.read": Rule((auditor_of_the_division,), "只有审计人员可以查看操作记录。"),
    "audit.verify": Rule((auditor_of_the_division,), "只有审计人员可以核验操作记录。"),
    "audit.verify_all": Rule((any_auditor, the_system), "只有审计人员可以核验全部操作记录。"),
    # Administration
    "admin.enter": Rule((any_administrator,), "只有系统管理员可以进入系统管理。"),
    "admin.users": Rule(
        (administrator_of_the_division, the_system), "只有负责该地区的系统管理员可以管理用户。"
    ),
    "admin.offices": Rule(
        (administrator_of_the_division, the_system), "只有负责该地区的系统管理员可以管理区划和单位。"
    ),
    "admin.calendar": Rule((any_administrator, the_system), "只有系统管理员可以修改工作日历。"),
    "admin.parameters": Rule(
        (administrator_of_the_division, the_system), "只有负责该地区的系统管理员可以设置办理参数。"
    ),
    "account.own": Rule((oneself,), "只能修改自己的账号。"),
}


def allowed(actor: Actor, permission: str, facts: Facts | None = None) -> bool:
    """Whether the actor has the permission over what the facts describe; ``KeyError`` for an unknown one."""
    asked = facts or Facts()
    return any(predicate(actor, asked) for predicate in PERMISSIONS[permission].given_to)


def require(actor: Actor, permission: str, facts: Facts | None = None) -> None:
    """Raise ``Forbidden`` with the table's sentence unless allowed."""
    if not allowed(actor, permission, facts):
        raise Forbidden(PERMISSIONS[permission].refusal)


def conflict(
    incompatible: Iterable[tuple[str, str] | list[str]],
    acted: Iterable[str],
    step: str,
    titles: Mapping[str, str] | None = None,
) -> str | None:
    """Why the person who did ``acted`` in a case must not do ``step`` in it, or ``None``.

    It asks for the person and not for the post: rounds, transfers and substitutions change nothing. The same step in a
    later round is no conflict.

    :param incompatible: pairs of step keys as process.yaml lists them; the order in a pair says nothing.
    :param acted: the steps the same person decided in the case, in any round.
    :param titles: step key → what a person reads.
    """
    names = titles or {}
    done = set(acted)
    for first, second in incompatible:
        for earlier, later in ((first, second), (second, first)):
            if later == step and earlier in done:
                return (
                    f"您在本案已办理“{names.get(earlier, earlier)}”，按岗位分离要求不能再办理"
                    f"“{names.get(step, step)}”，请交由其他人员办理。"
                )
    return None
