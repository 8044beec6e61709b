"""A bank's answer taken over by the worker: the same as at once, all or nothing, once, whatever dies. Both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.database.money import (
    answer_csv,
    appropriate,
    employer,
    nobody_blocked,
    person,
    problems,
    released,
    reserved,
)
from tests.database.test_funds import accounts
from tests.factories import actor_named, workbook
from workflows.base.clock import today
from workflows.base.errors import Conflict, Forbidden, Invalid, NotFound
from workflows.base.files import FileStore
from workflows.base.outbox import OutboxRow
from workflows.base.session import Database
from workflows.funds import answer_uploads, batches
from workflows.funds.batch_model import AnswerUpload, BankAnswer, PaymentBatch
from workflows.funds.model import Appropriation, Payable
from workflows.organisations.actors import Actor
from workflows.organisations.model import User
from workflows.registers.membership import load_actor

pytestmark = pytest.mark.usefixtures("clock")


def actor_of(session: Session, user_id: int) -> Actor:
    return load_actor(session, session.get_one(User, user_id))


@pytest.fixture
def batch(county_database: Database, store: FileStore) -> int:
    """A released batch of three."""
    with county_database.transaction() as session:
        fund = appropriate(session, 500_000)
        reserved(session, employer(session, 1), 1, [person(session, n) for n in (1, 2, 3)])
        return released(session, fund, store).id


def handed_in(
    database: Database, store: FileStore, batch: int, content: bytes | None = None, by: str = "caizheng.b"
) -> int:
    with database.transaction() as session:
        found = batches.get(session, batch)
        text = answer_csv(session, found, bounced=[2]) if content is None else content
        actor = actor_named(session, by)
        return answer_uploads.hand_in(session, actor, batch, text, store, value_date=today()).id


def test_the_worker_books_what_was_handed_in(county_database: Database, store: FileStore, batch: int) -> None:
    upload = handed_in(county_database, store, batch)
    with county_database.reading() as session:
        assert session.scalars(select(BankAnswer)).all() == []
        assert "read_answer" in set(session.scalars(select(OutboxRow.kind)))
    for _ in range(2):  # whoever comes twice does nothing more
        answer_uploads.take_over(county_database, store, upload, actor_of)
    with county_database.transaction() as session:
        row = session.get_one(AnswerUpload, upload)
        assert (row.state, row.done, row.total, row.problems) == ("done", 3, 3, [])
        answer = session.scalars(select(BankAnswer)).one()
        assert (answer.paid_count, answer.bounced_count, answer.file_id) == (2, 1, row.file_id)
        assert answer.imported_by == actor_named(session, "caizheng.b").user_id
        states = session.scalars(select(Payable.state).order_by(Payable.id)).all()
        assert states == ["paid", "bounced", "paid"]
        assert accounts(session, session.scalars(select(Appropriation)).one()) == (2000, 1000, 0, 2000)
        assert problems(session) == []
    with pytest.raises(Conflict, match="导入过"):
        handed_in(county_database, store, batch)


def test_a_wrong_file_is_refused_whole_with_every_problem(
    county_database: Database, store: FileStore, batch: int
) -> None:
    with county_database.reading() as session:
        good = answer_csv(session, batches.get(session, batch))
        number = batches.get(session, batch).number
    lines = good.decode("utf-8-sig").splitlines()
    cases = {
        "\r\n".join(lines[:2]): ["回执少了 2 笔（序号 2、3）"],
        good.decode("utf-8-sig").replace("1000.00", "999.00"): [
            "序号 1 的金额是 999.00 元",
            "序号 2",
            "序号 3",
        ],
        good.decode("utf-8-sig").replace(number, "ZF1"): ["不是本批次"] * 3,
        f'{lines[0]}\r\n"{number}': ["文件不是完整的 CSV"],
    }
    for text, said in cases.items():
        upload = handed_in(county_database, store, batch, text.encode())
        answer_uploads.take_over(county_database, store, upload, actor_of)
        with county_database.reading() as session:
            row = session.get_one(AnswerUpload, upload)
            assert row.state == "refused"
            assert len(row.problems) == len(said), row.problems
            for problem, words in zip(row.problems, said, strict=True):
                assert words in problem
            assert session.scalars(select(BankAnswer)).all() == []
            assert session.get_one(PaymentBatch, batch).state == "released"
    answer_uploads.take_over(county_database, store, handed_in(county_database, store, batch), actor_of)
    with county_database.reading() as session:
        assert session.get_one(PaymentBatch, batch).state == "settled"
        assert problems(session) == []


def test_what_can_be_said_at_once_is_said_at_once(
    county_database: Database, store: FileStore, batch: int
) -> None:
    with county_database.transaction() as session:
        finance = actor_named(session, "caizheng.b")
        given = (batch, b"x", store)
        with pytest.raises(Forbidden):
            answer_uploads.hand_in(session, actor_named(session, "renshe.a"), *given, value_date=today())
        with pytest.raises(Invalid) as refused:
            answer_uploads.hand_in(session, finance, *given, value_date=today() + timedelta(days=1))
        assert set(refused.value.errors) == {"value_date"}
        with pytest.raises(NotFound):
            answer_uploads.hand_in(session, finance, 99, b"x", store, value_date=today())
        reserved(session, employer(session, 2), 2, [person(session, 9)])
        made = batches.make(
            session,
            finance,
            session.scalars(select(Appropriation.id)).one(),
            "one_time_reward",
            blocked=nobody_blocked,
        )
        with pytest.raises(Conflict, match="还没有拨付"):
            answer_uploads.hand_in(session, finance, made.id, b"x", store, value_date=today())
    handed_in(county_database, store, batch)
    with pytest.raises(Conflict, match="正在核对"):
        handed_in(county_database, store, batch, b"another")
    with county_database.transaction() as session:
        # mutant: nobody looked whether one is under way
        first = session.scalars(select(AnswerUpload)).one()
        again = {
            "batch_id": batch,
            "file_id": first.file_id,
            "value_date": today(),
            "state": "waiting",
            "uploaded_by": first.uploaded_by,
        }
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(insert(AnswerUpload).values(**again))


def test_whoever_handed_it_in_must_still_look_after_the_money(
    county_database: Database, store: FileStore, batch: int
) -> None:
    upload = handed_in(county_database, store, batch)

    def nobody(session: Session, user_id: int) -> Actor:
        return Actor(user_id, "", "officer")

    answer_uploads.take_over(county_database, store, upload, nobody)
    with county_database.reading() as session:
        row = session.get_one(AnswerUpload, upload)
        assert (row.state, row.problems) == ("refused", ["只有本县财政部门可以登记资金、办理支付和对账。"])


def test_a_worker_that_dies_leaves_nothing_half_done(
    county_database: Database, store: FileStore, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = handed_in(county_database, store, batch)

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    for where in ("read_answer", "book"):
        with monkeypatch.context() as patch:
            patch.setattr(answer_uploads, where, dies)
            with pytest.raises(RuntimeError):
                answer_uploads.take_over(county_database, store, upload, actor_of)
        with county_database.reading() as session:
            assert session.get_one(AnswerUpload, upload).state in answer_uploads.LIVING
            assert session.get_one(PaymentBatch, batch).state == "released"
    answer_uploads.take_over(county_database, store, upload, actor_of)
    with county_database.reading() as session:
        assert session.get_one(PaymentBatch, batch).state == "settled"
        assert problems(session) == []


def test_a_workbook_is_an_answer_too(county_database: Database, store: FileStore, batch: int) -> None:
    with county_database.reading() as session:
        text = answer_csv(session, batches.get(session, batch)).decode("utf-8-sig")
    heads, *rows = [line.split(",") for line in text.splitlines()]
    upload = handed_in(county_database, store, batch, workbook(heads, *rows, sheet="回执"))
    answer_uploads.take_over(county_database, store, upload, actor_of)
    with county_database.reading() as session:
        assert session.get_one(AnswerUpload, upload).state == "done"
        assert session.scalars(select(BankAnswer)).one().paid_count == 3
