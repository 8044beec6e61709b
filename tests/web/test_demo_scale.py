"""``wengang demo load --scale``: a year of paid claims that the checker and the auditors find nothing wrong with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.databases import SqliteHouse
from tests.processes.stage import paper, unsigned
from webapp import demo_scale
from webapp.demo_scale import Size
from workflows.base.files import FileStore
from workflows.base.installation import Installation, use_installation
from workflows.base.session import Database
from workflows.cases import check, process
from workflows.cases.model import Case
from workflows.cases.publishing import publish_all
from workflows.documents import issue
from workflows.funds.batch_model import PaymentBatch
from workflows.funds.model import Appropriation, Balance
from workflows.registers import demo_county
from workflows.registers.demo_county import DemoCounty
from workflows.registers.grant_model import Grant


@pytest.fixture
def county(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoCounty]:
    """The demonstration county, processes published, nobody's cases yet."""
    store = FileStore(tmp_path / "files")
    use_installation(Installation("http://127.0.0.1:8000", True, store))
    process.forget()
    monkeypatch.setattr(issue, "render", paper)
    with database.transaction() as session:
        publish_all(session)
        loaded = demo_county.load(session, demonstration=True, store=store)
        session.expunge_all()
    yield loaded
    process.forget()


def test_a_year_of_a_county_is_loaded_once_and_holds(database: Database, county: DemoCounty) -> None:
    seen: list[tuple[int, int]] = []
    size = Size(employers=4, people=3, batches=2)

    def load() -> int:
        return demo_scale.load(database, unsigned, county, "county", lambda *step: seen.append(step), size)

    assert load() == 2
    assert seen == [(1, 2), (2, 2)]
    assert load() == 0
    with database.reading() as session:
        # the claim that was walked has a batch of its own
        assert session.scalars(select(PaymentBatch.line_count)).all() == [2, 6, 6]
        assert session.scalar(select(func.count()).select_from(Grant).where(Grant.state == "paid")) == 14
        assert set(session.scalars(select(Case.status))) == {"paid"}
        of_one, of_all = session.scalars(select(Balance).order_by(Balance.appropriation_id))
        assert (of_one.available_fen, of_one.paid_fen) == (0, 200_000)
        assert (of_all.paid_fen, of_all.reserved_fen, of_all.released_fen) == (1_200_000, 0, 0)
    assert check.check(database) == []
    assert check.verify_everything(database) == []


def test_an_interrupted_load_goes_on(database: Database, county: DemoCounty) -> None:
    size = Size(employers=2, people=1, batches=2)

    def stop(done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo_scale.load(database, unsigned, county, "county", stop, size)
    assert demo_scale.load(database, unsigned, county, "county", None, size) == 1
    assert check.check(database) == []


@pytest.mark.long
def test_every_county_of_the_province(
    sqlite_house: SqliteHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_installation(Installation("http://127.0.0.1:8000", True, FileStore(tmp_path / "files")))
    process.forget()
    monkeypatch.setattr(issue, "render", paper)
    with sqlite_house.fresh("empty", None) as database:
        with database.transaction() as session:
            publish_all(session)
            loaded = demo_county.load(session, demonstration=True)
            session.expunge_all()
        made = demo_scale.load(
            database, unsigned, loaded, "province", size=Size(employers=1, people=1, batches=1)
        )
        with database.reading() as session:
            funds = session.scalars(
                select(Appropriation.county_code).where(Appropriation.document_number.like("演示批量%"))
            ).all()
        assert made == len(funds) == len(set(funds)) == 63
        assert check.check(database) == []
    process.forget()
