"""The parameters of the processes: value, authority, from when; what was in force before stays on the page."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.model import Field
from webapp.access import actor, allow, page_actor
from webapp.admin.blueprint import act, below, bp, division_pairs, show
from webapp.database import reading
from webapp.filters import money
from webapp.questions import Answers, as_day, options, read_answers
from workflows.base.clock import today
from workflows.base.errors import NotFound
from workflows.base.parameters import Parameter, Value, in_force
from workflows.cases.model import ProcessVersion
from workflows.cases.package import Package
from workflows.organisations.divisions import chain_codes
from workflows.organisations.model import Division, User
from workflows.organisations.settings import set_parameter

#: What an account is made of, and how it is asked for.
ACCOUNT = (("payee_name", "户名"), ("account_number", "账号"), ("bank_name", "开户行"))


def configs(session: Session) -> dict[str, dict[str, Any]]:
    """process.yaml of the newest version of every published process."""
    newest = select(func.max(ProcessVersion.id)).group_by(ProcessVersion.process)
    rows = session.scalars(
        select(ProcessVersion.package).where(ProcessVersion.id.in_(newest)).order_by(ProcessVersion.process)
    )
    found = [Package.from_text(text).config for text in rows]
    return {config["key"]: config for config in found}


def said(value: Any, meta: dict[str, Any]) -> str:
    """A value as people read it: fen as yuan, a basis by title and number, an account with its bank."""
    if value is None or value == "":
        return "未设置"
    if meta.get("shape") == "account":
        return "，".join(value[key] for key, _ in ACCOUNT) if value else "未设置"
    if isinstance(value, dict):
        return f"《{value.get('title', '')}》{value.get('number', '')}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if meta.get("unit") == "分":
        return money(int(value))
    return f"{value} {meta.get('unit') or ''}".strip()


@bp.get("/parameters")
@allow("admin")
def parameters() -> ResponseReturnValue:
    """Every parameter with what is in force today in the administrator's division."""
    session = reading()
    codes = list(chain_codes(session, page_actor().division_code or ""))
    names = {code: session.get_one(Division, code).name for code in codes}
    groups = []
    for key, config in configs(session).items():
        metas = config.get("parameters", {})
        defaults = {name: Value(meta.get("value"), meta.get("basis", "")) for name, meta in metas.items()}
        values = in_force(session, key, codes, today(), defaults)
        groups.append(
            {
                "key": key,
                "title": config["title"],
                "rows": [
                    {
                        "process": key,
                        "key": name,
                        "title": meta.get("title", name),
                        "value": said(values[name].value, meta),
                        "basis": values[name].basis,
                        "place": names.get(values[name].division_code, "全省默认"),
                        "fixed": bool(meta.get("fixed")),
                    }
                    for name, meta in metas.items()
                ],
            }
        )
    return show("parameters", groups=groups)


@bp.route("/parameters/<process>/<key>", methods=["GET", "POST"])
@allow("admin")
def parameter(process: str, key: str) -> ResponseReturnValue:
    """One parameter: its history, and a new value from a day on."""
    session = reading()
    config = configs(session).get(process, {})
    meta = config.get("parameters", {}).get(key)
    if meta is None:
        raise NotFound("没有这个参数。")
    places = below(session)
    fields = () if meta.get("fixed") else _fields(meta, places)
    answers = Answers(
        typed={"valid_from": today().isoformat(), "division_code": page_actor().division_code or ""}
    )
    if request.method == "POST" and fields:
        answers = read_answers(fields)
        given = answers.values

        def save(inner: Session) -> str:
            set_parameter(
                inner,
                actor(inner),
                process=process,
                key=key,
                division_code=given["division_code"],
                value=_value(meta, given),
                basis=given["basis"],
                valid_from=as_day(given["valid_from"]) or today(),
                valid_to=as_day(given["valid_to"]),
            )
            return "参数已登记。正在办理的申请仍按受理时的参数办理。"

        if done := act(answers, save, url_for("admin.parameter", process=process, key=key)):
            return done
    return show(
        "parameter",
        answers,
        meta=meta,
        process_title=config["title"],
        default=said(meta.get("value"), meta),
        rows=_history(session, process, key, meta, {one.code: one.name for one in places}),
        fields=fields,
    )


def _history(
    session: Session, process: str, key: str, meta: dict[str, Any], names: dict[str, str]
) -> list[dict[str, Any]]:
    found = session.execute(
        select(Parameter, User.name)
        .outerjoin(User, User.id == Parameter.entered_by)
        .where(Parameter.process == process, Parameter.key == key)
        .order_by(Parameter.valid_from.desc(), Parameter.id.desc())
    )
    return [
        {
            "value": said(row.value, meta),
            "place": names.get(row.division_code) or _place(session, row.division_code),
            "from": row.valid_from,
            "to": row.valid_to,
            "basis": row.basis,
            "by": name or "系统",
            "at": row.entered_at,
        }
        for row, name in found
    ]


def _place(session: Session, code: str) -> str:
    row = session.get(Division, code) if code else None
    return row.name if row else "全省默认"


def _fields(meta: dict[str, Any], places: list[Division]) -> tuple[Field, ...]:
    unit = meta.get("unit") or ""
    if meta.get("shape") == "basis":
        asked: tuple[Field, ...] = (
            Field(key="title", label="文件名称", required=True, max_length=120),
            Field(key="number", label="文号", required=True, max_length=60, hint="例如 通就联〔2026〕3号。"),
            Field(key="article", label="条款", required=True, max_length=60),
        )
    elif meta.get("shape") == "account":
        asked = tuple(
            Field(
                key=key,
                label=label,
                type="bank_account" if key == "account_number" else "text",
                required=True,
                max_length=120,
                hint="与开户银行登记的名称一字不差。" if key == "payee_name" else "",
            )
            for key, label in ACCOUNT
        )
    else:
        kind = "money" if unit == "分" else "decimal" if isinstance(meta.get("value"), float) else "integer"
        asked = (
            Field(
                key="value",
                label=meta.get("title", "数值"),
                type=kind,
                required=True,
                unit=unit,
                minimum=meta.get("min", 0),
                maximum=meta.get("max"),
            ),
        )
    return (
        Field(
            key="division_code",
            label="适用地区",
            type="choice",
            required=True,
            options=options(division_pairs(places)),
            hint="适用于该地区及其下级地区。",
        ),
        *asked,
        Field(
            key="basis",
            label="依据",
            type="textarea",
            required=True,
            max_length=300,
            hint="写明文件名称、文号和条款，会随办件一起保存。",
        ),
        Field(key="valid_from", label="开始日期", type="date", required=True),
        Field(key="valid_to", label="结束日期", type="date", hint="长期有效的不填。"),
    )


def _value(meta: dict[str, Any], given: dict[str, Any]) -> Any:
    if meta.get("shape") == "account":
        return {key: given[key] for key, _ in ACCOUNT}
    if meta.get("shape") != "basis":
        return given["value"]
    start = date.fromisoformat(given["valid_from"])
    return {
        "id": f"local_{given['division_code']}_{start:%Y%m%d}",
        "title": given["title"],
        "number": given["number"],
        "article": given["article"],
        "valid_from": given["valid_from"],
        "valid_to": given["valid_to"],
        "fictional": False,
    }
