"""Many people, several processes of the web, several workers: one effect for each action."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.model import Command, Decision, WorkItem
from workflows.organisations.model import User

from .conftest import Stormy
from .person import Answer, Person
from .storm import Storm

CLERKS = {"hrss_review": ("renshe.a", "renshe.b"), "rural_review": ("xiangcun.a", "xiangcun.b")}


def at_once(*sends: tuple[Person, str, dict[str, list[str]]]) -> list[Answer]:
    """Forms sent at the same moment by different people."""
    ready, answers = threading.Barrier(len(sends)), [None] * len(sends)

    def send(number: int, person: Person, path: str, form: dict[str, list[str]]) -> None:
        ready.wait(30)
        answers[number] = person.post(path, form)  # type: ignore[call-overload]  # a place of its own

    crew = [threading.Thread(target=send, args=(number, *one)) for number, one in enumerate(sends)]
    for one in crew:
        one.start()
    for one in crew:
        one.join(60)
    assert all(answers)
    return answers  # type: ignore[return-value]  # all are there


def races(storm: Storm, wanted: int) -> None:
    """Both clerks of an office send their word on one item: one wins, the other learns who, and gets the opinion back."""
    done = 0
    while True:
        for case_id in storm.cases:
            for step, clerks in CLERKS.items():
                if done == wanted:
                    return
                race(storm, case_id, step, clerks)
                done += 1
            storm.walk_on(case_id, "rework")


def give_back(storm: Storm, case_id: int, step: str) -> None:
    """In a later round the step goes to whoever had it first: given back, it is anybody's again."""
    with storm.database.reading() as session:
        item, username = session.execute(
            select(WorkItem.id, User.username)
            .outerjoin(User, User.id == WorkItem.claimed_by)
            .where(WorkItem.case_id == case_id, WorkItem.step == step, WorkItem.closed_at.is_(None))
        ).one()
    if username:
        assert storm.person(username).post(f"/work/{item}/unclaim", {}).status == 303


def race(storm: Storm, case_id: int, step: str, clerks: Sequence[str]) -> None:
    both = [storm.person(one) for one in clerks]
    give_back(storm, case_id, step)
    forms = [storm.step(case_id, step, one.username, outcome="return") for one in both]
    opinions = [f"{one.username}的意见：请补充第{storm.chance.randint(1, 9)}项。" for one in both]
    for form, opinion in zip(forms, opinions, strict=True):
        form.typed["opinion"] = [opinion]
    answers = at_once(*((form.person, form.path, form.typed) for form in forms))
    assert sorted(one.status for one in answers) == [303, 409], [one.text for one in answers]
    lost = next(number for number, one in enumerate(answers) if one.status == 409)
    assert opinions[lost] in answers[lost].text
    assert re.search("已由他人办理：.*于.*办理", answers[lost].text)
    with storm.database.reading() as session:
        found = session.scalars(select(Decision.opinion).where(Decision.work_item_id == forms[0].item)).all()
    assert found == [opinions[1 - lost]]


def test_two_officers_at_once(postgres_county: Database, stormy: Stormy) -> None:
    with stormy(postgres_county, 1, until="hrss_review", processes=2) as storm:
        races(storm, 4)
        assert check.check(postgres_county) == []


@pytest.mark.long
def test_two_officers_at_once_a_thousand_times(county: Database, stormy: Stormy) -> None:
    """Five hundred on each database."""
    with stormy(county, 10, until="hrss_review", processes=2) as storm:
        races(storm, 500)
        assert check.check(county) == []


def test_a_lost_reply_is_asked_for_ten_times(sqlite_county: Database, stormy: Stormy) -> None:
    """The web dies right after the commit: the form sent again ten times has one effect, and another text is refused."""
    county = sqlite_county
    with stormy(county, 1) as storm:
        step = storm.step(storm.cases[0])
        storm.site.order("web", "after_commit", 1)
        answer = storm.struck_by(step.send)
        assert answer is None
        assert not storm.site.withdraw("web")
        storm.site.wait_for_web()
        with county.reading() as session:
            before = session.scalar(select(func.count()).select_from(Decision))
            key = session.scalar(select(func.count()).where(Command.key == step.typed["command_key"][0]))
        again = [step.send() for _ in range(5)]
        again += at_once(*[(step.person, step.path, step.typed)] * 5)
        assert {(one.status, one.to) for one in again} == {(303, f"/work/{step.item}/done")}
        step.typed["opinion"] = ["改了意见。"]
        refused = step.send()
        assert (refused.status, "改了意见。" in refused.text) == (422, True)
        with county.reading() as session:
            assert session.scalar(select(func.count()).select_from(Decision)) == before
            assert key == 1
        assert check.check(county) == []


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.long), "redis"])
def queue_url(request: pytest.FixtureRequest, postgres_county: Database, tmp_path: Path) -> Iterator[str]:
    """The database itself, or a Redis server."""
    if request.param == "postgres":
        yield postgres_county.url
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server:
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


def test_several_processes_and_workers_with_the_queue_on_a_server(
    postgres_county: Database, stormy: Stormy, queue_url: str
) -> None:
    """Three processes of the web, two workers, the nudges through PostgreSQL or Redis."""
    with stormy(postgres_county, 1, processes=3, workers=2, queue_url=queue_url) as storm:
        storm.blows = 0
        storm.weather(0)
        logs = storm.site.logs()
        assert "did not take a nudge" not in logs
        assert "the queue does not answer" not in logs
