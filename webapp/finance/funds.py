"""``/finance/funds``: entering an appropriation, its entries, changing its amount."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field, Option
from webapp.access import allow
from webapp.database import reading
from webapp.filters import money
from webapp.finance.blueprint import Question, ask, bp, fund_stage, managed_fund, may, own_county, page, seen
from webapp.officer.blueprint import page_number
from webapp.questions import as_day, options
from workflows.base.clock import today
from workflows.cases.finance_views import paying_processes
from workflows.funds import appropriations, views
from workflows.funds.model import ACCOUNTS, FUND_SOURCES, MOVES, Appropriation, Balance
from workflows.organisations.actors import Actor

MEMO = Field(
    key="memo",
    label="依据",
    required=True,
    max_length=200,
    hint="文件名称和文号，例如：吉财农〔2026〕30号追加下达。写入分录，审计人员会看到。",
)


def _fields(session: Session) -> tuple[Field, ...]:
    known = paying_processes(session)
    return (
        Field(
            key="year",
            label="年度",
            type="integer",
            required=True,
            minimum=2000,
            maximum=today().year + 1,
            unit="年",
        ),
        Field(key="source", label="资金来源", type="choice", required=True, options=options(FUND_SOURCES)),
        Field(
            key="document_number",
            label="下达文件文号",
            required=True,
            max_length=80,
            hint="例如：吉财农〔2026〕12号。同一年度、同一来源、同一文号只登记一次。",
        ),
        Field(key="title", label="资金名称", max_length=120, hint="不填时用资金来源的名称。"),
        Field(key="amount", label="金额", type="money", required=True, minimum=1),
        Field(
            key="processes",
            label="可以用于",
            type="multichoice",
            required=True,
            options=tuple(Option(one.key, one.title) for one in known),
        ),
        Field(key="received_on", label="下达日期", type="date", required=True, maximum="today"),
        Field(
            key="enabled_from",
            label="启用日期",
            type="date",
            hint="县里已经决定从这笔资金安排的，从这一天起可以申报和预占；还没有决定的不填，以后再启用。",
        ),
        Field(
            key="enabled_basis",
            label="启用的依据",
            max_length=200,
            hint="填了启用日期的必填，例如：县政府常务会议纪要〔2026〕5号。",
        ),
    )


@bp.route("/funds/new", methods=["GET", "POST"])
@allow("officer")
def fund_new() -> ResponseReturnValue:
    """登记资金."""
    session = reading()
    county = own_county(session, "funds.manage")

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        fund = appropriations.appropriate(
            writing,
            who,
            appropriations.AppropriationData(
                county,
                given["year"],
                given["source"],
                given["document_number"],
                given["title"] or "",
                given["amount"],
                tuple(given["processes"]),
                as_day(given["received_on"]) or today(),
                as_day(given["enabled_from"]),
                given["enabled_basis"] or "",
            ),
        )
        said = f"已登记 {fund.document_number}，{money(fund.total_fen)}。"
        if fund.enabled_from is None:
            said += "这笔资金还没有启用，启用以前不能申报和预占。"
        return said, url_for("finance.fund", fund_id=fund.id)

    day = today()
    known = paying_processes(session)
    return ask(
        Question(
            title="登记资金",
            intro="按资金下达文件登记。登记后金额记为“下达”，可以预占和拨付；以后有追加或者调减的，在这笔资金上调整，不另外登记。",
            fields=_fields(session),
            usual={
                "year": str(day.year),
                "received_on": day.isoformat(),
                "processes": [known[0].key] if len(known) == 1 else [],
            },
            main="登记并下达",
            back=url_for("finance.index"),
        ),
        act,
    )


@bp.get("/funds/<int:fund_id>")
@allow("officer", "auditor")
def fund(fund_id: int) -> ResponseReturnValue:
    """One appropriation: how it stands and every entry."""
    session = reading()
    found = _seen(session, fund_id)
    state = views.fund_state(found, session.get_one(Balance, found.id), today())
    shown = views.entries(session, found.id, page_number())
    titles = {one.key: one.title for one in paying_processes(session)}
    return page(
        "finance/fund.html",
        session,
        fund=found,
        state=state,
        source=FUND_SOURCES[found.source],
        processes=[titles.get(key, key) for key in found.processes],
        entries=[
            {
                "at": entry.at,
                "kind": MOVES[entry.kind][0],
                "from": ACCOUNTS[entry.credit],
                "to": ACCOUNTS[entry.debit],
                "amount": entry.amount_fen,
                "memo": entry.memo,
                "who": name or "系统",
                "batch": batch,
                "batch_id": entry.batch_id,
            }
            for entry, name, batch in shown.rows
        ],
        shown=shown,
        manages=may(session, "funds.manage", found.county_code),
        stage=fund_stage(state),
        enabling=found.closed_on is None and (found.enabled_from is None or found.enabled_from > today()),
        targets=views.carry_targets(session, found),
    )


@bp.route("/funds/<int:fund_id>/amount", methods=["GET", "POST"])
@allow("officer")
def fund_change(fund_id: int) -> ResponseReturnValue:
    """调整金额: to a new total."""
    session = reading()
    found = managed_fund(session, fund_id)
    balance = session.get_one(Balance, found.id)
    used = balance.reserved_fen + balance.released_fen + balance.paid_fen

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        changed = appropriations.change_amount(writing, who, fund_id, given["amount"], given["memo"])
        return f"金额已调整为 {money(changed.total_fen)}。", url_for("finance.fund", fund_id=fund_id)

    return ask(
        Question(
            title="调整金额",
            caption=f"{found.title}　{found.document_number}",
            facts=(
                ("现在的下达金额", money(found.total_fen)),
                ("已预占、已拨付", money(used)),
                ("可用", money(balance.available_fen)),
            ),
            fields=(
                Field(
                    key="amount",
                    label="调整后的下达金额",
                    type="money",
                    required=True,
                    hint=f"追加和调减后的总额，不少于已预占、已拨付的 {money(used)}。",
                ),
                MEMO,
            ),
            main="调整金额",
            back=url_for("finance.fund", fund_id=fund_id),
        ),
        act,
    )


def _seen(session: Session, fund_id: int) -> Appropriation:
    found = appropriations.get(session, fund_id)
    seen(session, found.county_code)
    return found
