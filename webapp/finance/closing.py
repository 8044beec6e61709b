"""``/finance/funds/N/enable``, ``/carry``, ``/give-back``, ``/close``: when an appropriation may be used, and its end."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.model import Field, Option
from webapp.access import allow
from webapp.database import reading
from webapp.filters import day as day_text
from webapp.filters import money
from webapp.finance.blueprint import Question, ask, bp, managed_fund
from webapp.questions import as_day
from workflows.base.clock import today
from workflows.funds import closing, views
from workflows.funds.model import Appropriation, Balance
from workflows.organisations.actors import Actor

#: Value of the choice that gives the rest back; the others are keys of appropriations.
GIVE_BACK = "give_back"


def _memo(hint: str, label: str = "依据") -> Field:
    return Field(key="memo", label=label, required=True, max_length=200, hint=hint)


def _caption(fund: Appropriation) -> str:
    return f"{fund.year}年　{fund.title}　{fund.document_number}"


def _targets(session: Session, fund: Appropriation) -> tuple[Option, ...]:
    return tuple(Option(str(one.id), _caption(one)) for one in views.carry_targets(session, fund))


@bp.route("/funds/<int:fund_id>/enable", methods=["GET", "POST"])
@allow("officer")
def fund_enable(fund_id: int) -> ResponseReturnValue:
    """启用: the county decides that it pays out of this money."""
    session = reading()
    found = managed_fund(session, fund_id)
    back = url_for("finance.fund", fund_id=fund_id)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        fund = closing.enable(writing, who, fund_id, as_day(given["day"]) or today(), given["memo"])
        return f"已启用，{day_text(fund.enabled_from)}起可以申报和预占。", back

    return ask(
        Question(
            title="启用资金",
            caption=_caption(found),
            intro="奖补不是必须发放的项目，由县里决定是否从这笔资金中安排。启用以前，单位不能申报，审核通过的申请不能预占。",
            facts=(
                ("下达日期", day_text(found.received_on)),
                ("可用余额", money(session.get_one(Balance, found.id).available_fen)),
                (
                    "现在",
                    f"登记为{day_text(found.enabled_from)}起启用" if found.enabled_from else "还没有启用",
                ),
            ),
            fields=(
                Field(
                    key="day",
                    label="从哪一天起启用",
                    type="date",
                    required=True,
                    hint="不早于下达日期。还没有到的日期，以后可以再改。",
                ),
                _memo("县里决定启用的文件，例如：通榆县政府常务会议纪要〔2026〕5号。", "启用的依据"),
            ),
            usual={"day": today().isoformat()},
            main="启用这笔资金",
            back=back,
        ),
        act,
    )


@bp.route("/funds/<int:fund_id>/carry", methods=["GET", "POST"])
@allow("officer")
def fund_carry(fund_id: int) -> ResponseReturnValue:
    """结转: all that is available goes to another appropriation of the same source."""
    session = reading()
    found = managed_fund(session, fund_id)
    available = session.get_one(Balance, found.id).available_fen

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        target = int(given["to"])
        fen = closing.carry_over(writing, who, fund_id, target, given["memo"])
        return f"已结转 {money(fen)}，下面是转入的资金。", url_for("finance.fund", fund_id=target)

    return ask(
        Question(
            title="结转",
            caption=_caption(found),
            intro="可用余额全部转入同一来源的另一笔资金；已预占和在途的留在这里，按原资金拨付。",
            facts=(("可用余额", money(available)),),
            fields=(
                Field(
                    key="to",
                    label="转入哪一笔资金",
                    type="choice",
                    required=True,
                    options=_targets(session, found),
                ),
                _memo("文件名称和文号，例如：吉财农〔2026〕30号。写入分录，审计人员会看到。"),
            ),
            main=f"结转 {money(available)}",
            back=url_for("finance.fund", fund_id=fund_id),
        ),
        act,
    )


@bp.route("/funds/<int:fund_id>/give-back", methods=["GET", "POST"])
@allow("officer")
def fund_give_back(fund_id: int) -> ResponseReturnValue:
    """上级收回: what is left goes back to whom it came from."""
    session = reading()
    found = managed_fund(session, fund_id)
    available = session.get_one(Balance, found.id).available_fen
    back = url_for("finance.fund", fund_id=fund_id)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        fen = closing.give_back(writing, who, fund_id, given["memo"])
        return f"已登记上级收回 {money(fen)}。", back

    return ask(
        Question(
            title="登记上级收回",
            caption=_caption(found),
            intro="可用余额全部收回上级财政；已预占和在途的留在这里，按原资金拨付。收回后不能撤销，再次下达的另行登记。",
            facts=(("可用余额", money(available)),),
            fields=(_memo("收回资金的文件名称和文号。写入分录，审计人员会看到。"),),
            main=f"登记收回 {money(available)}",
            danger=True,
            back=back,
        ),
        act,
    )


@bp.route("/funds/<int:fund_id>/close", methods=["GET", "POST"])
@allow("officer")
def fund_close(fund_id: int) -> ResponseReturnValue:
    """关闭: nothing is reserved or paid out of it any more; what is left is carried over or given back."""
    session = reading()
    found = managed_fund(session, fund_id)
    balance = session.get_one(Balance, found.id)
    back = url_for("finance.fund", fund_id=fund_id)

    def act(writing: Session, who: Actor, given: dict[str, Any]) -> tuple[str, str]:
        rest = given.get("rest") or ""
        carried = rest not in ("", GIVE_BACK)
        left = closing.close(
            writing,
            who,
            fund_id,
            given["memo"],
            rest=closing.CARRY if carried else rest,
            to_id=int(rest) if carried else None,
        )
        how = ("，结转 " if carried else "，上级收回 ") + money(left) if left else ""
        return f"资金已关闭{how}。", back

    fields = [_memo("关闭的原因和文件，例如：2026年度结束，通财发〔2027〕1号清理结余。", "关闭的依据")]
    if balance.available_fen:
        choices = tuple(Option(one.value, f"结转到：{one.label}") for one in _targets(session, found))
        fields.insert(
            0,
            Field(
                key="rest",
                label="可用余额怎么处理",
                type="choice",
                required=True,
                options=(*choices, Option(GIVE_BACK, "上级收回")),
                hint=f"可用余额 {money(balance.available_fen)}。"
                + ("" if choices else "没有可以转入的资金：要结转的，请先登记下一年度同一来源的资金。"),
            ),
        )
    return ask(
        Question(
            title="关闭资金",
            caption=_caption(found),
            intro="关闭后不能再预占和拨付，不能再启用。还有预占或者在途的，办完以后才能关闭；以后追回的款项仍回到这里，再结转或者收回。",
            facts=(
                ("预占", money(balance.reserved_fen)),
                ("已拨在途", money(balance.released_fen)),
                ("可用", money(balance.available_fen)),
            ),
            fields=fields,
            main="关闭这笔资金",
            danger=True,
            back=back,
        ),
        act,
    )
