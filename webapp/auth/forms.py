"""The questions of login, passwords and registration, and where one may be sent afterwards."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from forms.model import Field
from webapp.questions import options
from workflows.organisations.model import Department, Division
from workflows.registers.employers import EMPLOYER_KINDS

USERNAME_HINT = "3 至 40 位小写字母、数字、点、横线，以字母开头，登录时使用。"
PASSWORD_HINT = "至少 12 个字符；或至少 8 个字符，并含大写字母、小写字母、数字、符号中的三类。"  # noqa: S105 - a hint

#: Townships by county: what a select draws in groups.
Townships = list[tuple[str, list[tuple[str, str]]]]


def safe_next(target: str | None) -> str:
    """An address within this site, or the home page: a login must not send people elsewhere."""
    home = url_for("home.index")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    if any(ord(character) < 33 or character == "\\" for character in target):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


def townships(session: Session) -> Townships:
    """The townships that have an office here, under the names of their counties."""
    county = aliased(Division)
    rows = session.execute(
        select(county.name, Division.code, Division.name)
        .join(Department, (Department.division_code == Division.code) & (Department.kind == "township"))
        .join(county, county.code == Division.parent_code)
        .order_by(county.code, Division.code)
    )
    grouped: dict[str, list[tuple[str, str]]] = {}
    for county_name, code, name in rows:
        grouped.setdefault(county_name, []).append((code, name))
    return list(grouped.items())


def unit_fields(places: Townships) -> tuple[Field, ...]:
    """What is asked about the unit."""
    return (
        Field(
            key="credit_code",
            label="统一社会信用代码",
            type="credit_code",
            required=True,
            hint="营业执照上的 18 位代码。",
        ),
        Field(key="name", label="单位名称", required=True, max_length=120, hint="与营业执照一致，不用简称。"),
        Field(key="kind", label="单位类型", type="choice", required=True, options=options(EMPLOYER_KINDS)),
        Field(
            key="division_code",
            label="经营地址所在乡镇",
            type="choice",
            required=True,
            hint="由这个乡镇确认账号、受理申请。不在列表中的，说明当地尚未开通。",
            options=options([pair for _, pairs in places for pair in pairs]),
        ),
        Field(key="address", label="经营地址", required=True, max_length=200),
        Field(key="legal_representative", label="法定代表人（负责人）", required=True, max_length=60),
        Field(
            key="legal_id_number",
            label="法定代表人身份证号",
            type="id_number",
            hint="只用于核对关联单位，不保存原号。",
        ),
    )


AUTHORISATION = Field(
    key="authorisation",
    label="授权书",
    type="files",
    required=True,
    accept=("pdf", "image"),
    maximum=1,
    hint="写明授权经办人姓名，加盖单位公章后扫描或拍照。",
)


def contact_fields() -> tuple[Field, ...]:
    """Who acts for the unit."""
    return (
        Field(
            key="contact_name",
            label="经办人姓名",
            required=True,
            max_length=40,
            hint="与授权书一致。",
        ),
        Field(
            key="contact_phone",
            label="经办人手机号",
            type="phone",
            required=True,
            hint="办理进度会用到它的后四位。",
        ),
    )


def account_fields() -> tuple[Field, ...]:
    """The account to be opened; the passwords are drawn apart."""
    return (Field(key="username", label="用户名", required=True, max_length=40, hint=USERNAME_HINT),)
