"""``/finance/funds``: entering an appropriation, its entries, changing its amount, carrying over what is left."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field, Option
from webapp.access import allow
from webapp.database import reading
from webapp.filters import money
from webapp.finance.blueprint import Question, ask, bp, manages, may, own_county, page, seen
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
            required=True,
            hint="从这一天起，审核通过的申请可以预占这笔资金。",
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
                as_day(given["enabled_from"]) or today(),
            ),
        )
        said = f"已登记 {fund.document_number}，{money(fund.total_fen)}，现在可用。"
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
                "enabled_from": day.isoformat(),
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
        targets=views.carry_targets(session, found),
    )


@bp.route("/funds/<int:fund_id>/amount", methods=["GET", "POST"])
@allow("officer")
def fund_change(fund_id: int) -> ResponseReturnValue:
    """调整金额: to a new total."""
    session = reading()
    found = _managed(session, fund_id)
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


@bp.route("/funds/<int:fund_id>/carry", methods=["GET", "POST"])
@allow("officer")
def fund_carry(fund_id: int) -> ResponseReturnValue:
    """结转: all that is available goes to another appropriation of the same source."""
    session = reading()
    found = _managed(session, fund_id)
    available = session.get_one(Balance, found.id).available_fen
    targets = views.carry_targets(session, found)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        target = int(given["to"])
        fen = appropriations.carry_over(writing, who, fund_id, target, given["memo"])
        return f"已结转 {money(fen)}，下面是转入的资金。", url_for("finance.fund", fund_id=target)

    return ask(
        Question(
            title="结转",
            caption=f"{found.title}　{found.document_number}",
            intro="可用余额全部转入同一来源的另一笔资金；已预占和在途的留在这里，按原资金拨付。",
            facts=(("可用余额", money(available)),),
            fields=(
                Field(
                    key="to",
                    label="转入哪一笔资金",
                    type="choice",
                    required=True,
                    options=tuple(
                        Option(str(one.id), f"{one.year}年　{one.title}　{one.document_number}")
                        for one in targets
                    ),
                ),
                MEMO,
            ),
            main=f"结转 {money(available)}",
            back=url_for("finance.fund", fund_id=fund_id),
        ),
        act,
    )


def _seen(session: Session, fund_id: int) -> Appropriation:
    found = appropriations.get(session, fund_id)
    seen(session, found.county_code)
    return found


def _managed(session: Session, fund_id: int) -> Appropriation:
    """The appropriation, if the person on the page looks after its money."""
    found = appropriations.get(session, fund_id)
    manages(session, found.county_code)
    return found
