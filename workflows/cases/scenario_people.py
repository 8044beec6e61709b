"""People for scenarios: fictional, checksum-valid, made from the kinds that scenarios.yaml describes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from forms.definition import RosterDefinition
from workflows.organisations.actors import SYSTEM
from workflows.registers.demo_people import id_number
from workflows.registers.demo_roster import roster_workbook
from workflows.registers.identities import add_rows, close_snapshot, open_snapshot
from workflows.registers.identity_list import IdentityRow

_DAY = re.compile(r"^today([+-]\d+)?$")
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN = ("秀兰", "桂英", "玉珍", "淑芬", "建国", "志强", "文博", "雨桐", "海燕", "春梅", "䶮", "㛃")


@dataclass(frozen=True)
class ScenarioPerson:
    """One row to be: its kind, the cells, and what the row rules must say of it."""

    kind: str
    name: str
    id_number: str
    cells: dict[str, Any]
    identity: str | None
    result: str
    #: On no project's real-name register.
    unregistered: bool = False


def day_of(value: Any, today: date) -> Any:
    """``today``, ``today-200``, ``today+164`` as a date; everything else as it is."""
    if isinstance(value, str) and (found := _DAY.match(value)):
        return today + timedelta(days=int(found.group(1) or 0))
    return value


def kind_of(people: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A kind with what it takes over from another."""
    own = dict(people[name])
    if "like" in own:
        base = kind_of(people, own["like"])
        return {**base, **own, "row": {**base.get("row", {}), **own.get("row", {})}}
    return own


def worked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its attendance written out: ``days: {from: 1, to: 22, each: "1"}`` fills 1日 to 22日."""
    cells = dict(row)
    days = cells.pop("days", None)
    if days:
        cells |= {f"day_{day:02d}": str(days.get("each", "1")) for day in range(days["from"], days["to"] + 1)}
    return cells


def make_people(
    kinds: Mapping[str, Any],
    wanted: Sequence[Mapping[str, Any]],
    *,
    today: date,
    owner_id: str,
    village: str,
    seed: int,
) -> list[ScenarioPerson]:
    """The people of a roster.

    :param wanted: ``[{kind, count}]``. :param owner_id: the ID number that ``@owner`` stands for.
    """
    made: list[ScenarioPerson] = []
    for group in wanted:
        kind = kind_of(kinds, group["kind"])
        for _ in range(int(group.get("count", 1))):
            number = seed * 10_000 + len(made)
            # the birthday has passed by today, whatever today is: an age means what it says; a day has 999 numbers
            born = date(today.year - int(kind["age"]), 1, 1) + timedelta(days=len(made) // 999)
            own = owner_id if kind.get("person") == "@owner" else id_number(born, number)
            cells = {key: day_of(value, today) for key, value in worked(kind["row"]).items()}
            cells |= {
                "name": _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number % len(_GIVEN)],
                "id_number": own,
                "village": village,
                "phone": f"138{number % 100_000_000:08d}",
            }
            made.append(
                ScenarioPerson(
                    group["kind"],
                    cells["name"],
                    own,
                    cells,
                    kind.get("identity"),
                    kind.get("result", ""),
                    bool(kind.get("unregistered")),
                )
            )
    return made


def sheet_of(definition: RosterDefinition, people: Sequence[ScenarioPerson]) -> bytes:
    """The people as an Excel file with the roster's own headings and words."""
    columns = [(column.key, column.label) for column in definition.columns]
    labels = {
        column.key: {option.value: option.label for option in column.options} for column in definition.columns
    }
    rows = [
        {
            key: labels.get(key, {}).get(value, value)
            for key, value in person.cells.items()
            if value is not None
        }
        for person in people
    ]
    return roster_workbook(columns, rows, sheet=definition.sheet)


def enter_identities(
    session: Session, county_code: str, people: Sequence[ScenarioPerson], as_of: date
) -> None:
    """Put those with an identity into a snapshot of the register."""
    rows = [
        IdentityRow(
            name=person.name,
            id_number=person.id_number,
            category=person.identity,
            village_code=None,
            household="",
            since=as_of - timedelta(days=365),
            until=None,
        )
        for person in people
        if person.identity
    ]
    key = hashlib.sha256("".join(row.id_number for row in rows).encode()).hexdigest()
    snapshot = open_snapshot(
        session, SYSTEM, division_code=county_code, as_of=as_of, source="情景演练名册（虚构）", sha256=key
    )
    add_rows(session, snapshot.id, rows)
    close_snapshot(session, SYSTEM, snapshot.id)
