"""Administrative divisions: the province's list as published, townships and villages as a county adds them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources

from sqlalchemy import Select, bindparam, literal, select
from sqlalchemy.orm import Session

from workflows.audit.record import record, stream
from workflows.base.errors import Invalid, NotFound
from workflows.organisations.actors import Actor
from workflows.organisations.model import Division
from workflows.organisations.permissions import Facts, require

PROVINCE = "220000"
#: Digits of a code at each level (GB/T 2260, GB/T 10114).
CODE_LENGTH = {"township": 9, "village": 12}
#: A division and everything above it, in one question: row by row it took four.
_above = (
    select(Division.code, Division.parent_code, literal(0).label("height"))
    .where(Division.code == bindparam("code"))
    .cte("above", recursive=True)
)
_above = _above.union_all(
    select(Division.code, Division.parent_code, _above.c.height + 1).join(
        _above, Division.code == _above.c.parent_code
    )
)
_CHAIN = select(Division).join(_above, Division.code == _above.c.code).order_by(_above.c.height)
_CODES = (
    select(Division.code, Division.level)
    .join(_above, Division.code == _above.c.code)
    .order_by(_above.c.height)
)
_PREFECTURE_KINDS = (("自治州", "自治州"), ("委员会", "管理委员会"), ("市", "地级市"))


def load_divisions(session: Session) -> int:
    """Put the province, its prefectures and its county-level divisions in the table; returns how many were new.

    What is there already stays as it is: a county may have edited the reporting line or the flags.
    """
    known = set(session.scalars(select(Division.code)))
    new = [division for division in _published() if division.code not in known]
    session.add_all(new)
    if new:
        record(
            session,
            stream(session, "organisation"),
            "divisions-loaded",
            actor_id=None,
            payload={"count": len(new)},
            covers=new,
        )
    return len(new)


def _published() -> list[Division]:
    """Parents before children: the foreign key is checked row by row."""
    text = resources.files("workflows.organisations").joinpath("jilin_divisions.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    province = Division(code=PROVINCE, name="吉林省", kind="省", level="province")
    prefectures = {
        row["prefecture_code"]: Division(
            code=row["prefecture_code"],
            name=row["prefecture"],
            kind=next(kind for ending, kind in _PREFECTURE_KINDS if row["prefecture"].endswith(ending)),
            level="prefecture",
            parent_code=PROVINCE,
            national_code=row["national_code"] == "yes",
        )
        for row in rows
    }
    counties = [
        Division(
            code=row["code"],
            name=row["name"],
            kind=row["kind"],
            level="county",
            parent_code=row["prefecture_code"],
            national_code=row["national_code"] == "yes",
        )
        for row in rows
    ]
    return [province, *prefectures.values(), *counties]


def division(session: Session, code: str) -> Division:
    """The division of that code; raises ``NotFound``."""
    found = session.get(Division, code)
    if found is None:
        raise NotFound(f"没有代码为 {code} 的行政区划。")
    return found


def chain(session: Session, code: str) -> list[Division]:
    """The division and everything above it, nearest first."""
    found = list(session.scalars(_CHAIN, {"code": code}))
    return found or [division(session, code)]


def chain_codes(session: Session, code: str) -> tuple[str, ...]:
    """The codes of :func:`chain`: what permissions and parameters ask for."""
    return tuple(levels_above(session, code))


def levels_above(session: Session, code: str) -> dict[str, str]:
    """Code → level of :func:`chain`, nearest first."""
    found = {one.code: one.level for one in session.execute(_CODES, {"code": code})}
    if not found:
        raise NotFound(f"没有代码为 {code} 的行政区划。")
    return found


def county_of(session: Session, code: str) -> Division:
    """The county-level division that ``code`` is or lies in; raises ``NotFound`` above the counties."""
    return division(session, county_among(levels_above(session, code)))


def county_among(levels: Mapping[str, str]) -> str:
    """The code of the county among :func:`levels_above`; raises ``NotFound`` when all of them lie above the counties."""
    for code, level in levels.items():
        if level == "county":
            return code
    raise NotFound("该行政区划不在任何一个县（市、区）内，请选择到县或乡镇。")


def township_of(session: Session, code: str) -> Division:
    """The township that ``code`` is or lies in; raises ``NotFound`` above the townships."""
    for one in chain(session, code):
        if one.level == "township":
            return one
    raise NotFound("该行政区划没有到乡镇，请选择到乡镇或村。")


def full_address(session: Session, code: str, text: str) -> str:
    """An address with its township and village in front, once each: people write them or leave them out.

    :param code: the village (or township) in which the place lies.
    :param text: what was typed: 二组, 前进村二组, 通榆县示范镇前进村二组.
    """
    places = list(reversed(chain(session, code)))
    rest = text.strip()
    for place in places:
        rest = rest.removeprefix(place.name)
    return "".join(one.name for one in places if one.level in ("township", "village")) + rest


def children(session: Session, code: str) -> list[Division]:
    """The divisions directly below, by code."""
    return list(session.scalars(select(Division).where(Division.parent_code == code).order_by(Division.code)))


def codes_below(code: str | None) -> Select[tuple[str]]:
    """A query for the codes of a division and of all below it."""
    tree = select(Division.code).where(Division.code == code).cte(recursive=True)
    tree = tree.union_all(select(Division.code).join(tree, Division.parent_code == tree.c.code))
    return select(tree.c.code)


def add_township(
    session: Session, actor: Actor, *, county_code: str, code: str, name: str, kind: str = "乡镇"
) -> Division:
    """Add a township to a county. Its code begins with the county's and has nine digits."""
    return _add(session, actor, county_code, "county", "township", code, name, kind)


def add_village(
    session: Session, actor: Actor, *, township_code: str, code: str, name: str, kind: str = "行政村"
) -> Division:
    """Add a village to a township. Its code begins with the township's and has twelve digits."""
    return _add(session, actor, township_code, "township", "village", code, name, kind)


def _add(
    session: Session,
    actor: Actor,
    parent_code: str,
    parent_level: str,
    level: str,
    code: str,
    name: str,
    kind: str,
) -> Division:
    parents = chain_codes(session, parent_code)
    require(actor, "admin.offices", Facts(division_chain=parents))
    errors: dict[str, str] = {}
    if division(session, parent_code).level != parent_level:
        errors["parent"] = "上级区划的层级不对：乡镇设在县下，村设在乡镇下。"
    if not (code.isdigit() and len(code) == CODE_LENGTH[level] and code.startswith(parent_code)):
        errors["code"] = f"代码应为 {CODE_LENGTH[level]} 位数字，并以上级代码 {parent_code} 开头。"
    elif session.get(Division, code) is not None:
        errors["code"] = f"代码 {code} 已经使用。"
    if not name.strip():
        errors["name"] = "请填写名称。"
    if errors:
        raise Invalid("行政区划没有保存，请改正下列内容。", errors)
    added = Division(code=code, name=name.strip(), kind=kind, level=level, parent_code=parent_code)
    session.add(added)
    record(
        session,
        stream(session, "organisation"),
        "division-added",
        actor_id=actor.user_id,
        covers=[added],
    )
    return added
