"""Who acts in the benchmark's cases: one person a step, as plain values loaded once for a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from workflows.base.session import Database
from workflows.organisations.actors import Actor
from workflows.organisations.model import User
from workflows.registers.membership import load_actor
from workflows.registers.model import Employer

#: Step → account; each client acts for another employer of 示范镇.
ACCOUNTS = {
    "township": "shifan.clerk",
    "hrss": "renshe.a",
    "rural": "xiangcun.a",
    "finance": "caizheng.clerk",
}
OUTCOMES = {"submit": "submit", "township": "agree", "hrss": "agree", "rural": "agree", "finance": "pay"}
ANSWERS: Mapping[str, Mapping[str, object]] = {
    "submit": {"purpose": "一次性跨省务工交通补助", "amount": 150_000, "people": 12},
    "township": {"checked": "花名册、务工证明、银行卡复印件", "opinion": "材料齐全，符合受理条件。"},
    "hrss": {"checked": "劳动合同、工资流水", "opinion": "合同和工资真实，同意。"},
    "rural": {"checked": "全国防返贫监测信息系统", "opinion": "人员身份核对一致，同意。"},
    "finance": {"voucher": "2026-0815", "opinion": "同意拨付。"},
}


@dataclass(frozen=True)
class Clerks:
    """One client's people and places."""

    process: str
    employer_id: int
    township: str
    county: str
    actors: Mapping[str, Actor]
    #: Step → office.
    offices: Mapping[str, int]


def clerks(database: Database, process: str) -> Clerks:
    """The people of the demonstration county's first employer."""
    with database.reading() as session:
        people = {
            step: load_actor(session, session.scalars(select(User).where(User.username == name)).one())
            for step, name in {"submit": "qiye1", **ACCOUNTS}.items()
        }
        employer = session.get_one(Employer, people["submit"].employer_ids[0])
        return Clerks(
            process=process,
            employer_id=employer.id,
            township=employer.division_code,
            county=employer.division_code[:6],
            actors=people,
            offices={
                step: actor.posts[0].department_id for step, actor in people.items() if step != "submit"
            },
        )
