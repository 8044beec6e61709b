"""Invariant 6: each change has one event; altering or removing any row, the newest and whole cases included, is found."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from workflows.audit.model import append_only_ddl
from workflows.base import clock
from workflows.base.session import Database
from workflows.cases import check
from workflows.cases.jobs import anchor_today

from .stage import MONDAY

pytestmark = pytest.mark.usefixtures("papers_unrendered")


def unlock(session, table: str) -> None:  # type: ignore[no-untyped-def]
    """What somebody with the database's own rights would do first."""
    if session.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
    else:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


def findings(database: Database) -> list[str]:
    return [f"{one.subject} {one.message}" for one in check.verify_everything(database)]


@pytest.mark.parametrize("table", ["events", "decisions"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_happened(
    at_reviews: Database, table: str, verb: str
) -> None:
    with pytest.raises(DatabaseError, match="append-only"), at_reviews.transaction() as session:
        session.execute(text(verb.format(table)))


ATTACKS = {
    "an opinion is rewritten": (
        "decisions",
        "UPDATE decisions SET outcome = 'propose_refuse' WHERE step = 'hrss_review'",
    ),
    "an event is rewritten": (
        "events",
        "UPDATE events SET payload = '{}' WHERE stream LIKE 'case:%' AND seq = 3",
    ),
    "an event in the middle goes": ("events", "DELETE FROM events WHERE stream LIKE 'case:%' AND seq = 3"),
    "the newest event goes": (
        "events",
        "DELETE FROM events WHERE stream = 'case:1' AND seq = (SELECT chain_seq FROM cases WHERE id = 1)",
    ),
    "an answer is written over with what does not decrypt": (
        "decisions",
        "UPDATE decisions SET answers = 'AAAA' WHERE step = 'hrss_review'",
    ),
    "the rules a case keeps are written over with what is no JSON": (
        "cases",
        "UPDATE cases SET rules = 'gone' WHERE id = 1",
    ),
    "a case is moved to another status": ("cases", "UPDATE cases SET status = 'recognised' WHERE id = 1"),
    "a roster is reported smaller": ("rosters", "UPDATE rosters SET total = 2"),
    "a worker of a roster is another": ("roster_rows", "UPDATE roster_rows SET number = 9 WHERE number = 2"),
    "a row of a roster is written over with what does not decrypt": (
        "roster_rows",
        "UPDATE roster_rows SET \"values\" = 'AAAA' WHERE number = 2",
    ),
    "what the rules said of a worker is rewritten": (
        "roster_rows",
        "UPDATE roster_rows SET result = 'not_qualified' WHERE number = 2",
    ),
    "the reasons for it are rewritten": (
        "roster_rows",
        "UPDATE roster_rows SET fired = '[]' WHERE number = 2",
    ),
    "a row of the roster is another person's": (
        "roster_rows",
        "UPDATE roster_rows SET person_id = (SELECT max(id) FROM people) WHERE number = 2",
    ),
    "a person on the list becomes another kind": (
        "identities",
        "UPDATE identities SET category = CASE category WHEN 'monitored' THEN 'poverty_alleviated' ELSE 'monitored' END"
        " WHERE id = (SELECT MIN(id) FROM identities)",
    ),
    "an end of a publicity is moved": (
        "publicities",
        "UPDATE publicities SET ends_at = '2026-03-03 00:00:00'",
    ),
    "a user becomes an officer": ("users", "UPDATE users SET kind = 'officer' WHERE username = 'qiye1'"),
    "a parameter changes": ("parameters", "UPDATE parameters SET value = '9' WHERE id = 1"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_raw_sql_is_found(at_publicity: Database, name: str) -> None:
    table, statement = ATTACKS[name]
    with clock.frozen(MONDAY):
        assert findings(at_publicity) == []
        with at_publicity.transaction() as session:
            unlock(session, table)
            changed = session.execute(text(statement)).rowcount
        assert changed
        found = findings(at_publicity)
        assert found, name
        assert any(table in one or re.search("条记录|链头|花名册|名单", one) for one in found), found


def test_a_row_put_in_past_the_system_is_found(at_reviews: Database) -> None:
    with clock.frozen(MONDAY):
        with at_reviews.transaction() as session:
            session.execute(
                text(
                    "INSERT INTO decisions (case_id, work_item_id, step, form, round, outcome, opinion, answers,"
                    " decided_at) SELECT case_id, work_item_id, 'hrss_review', form, 1, 'agree', opinion, answers,"
                    " decided_at FROM decisions LIMIT 1"
                )
            )
        assert any("没有任何记录" in one for one in findings(at_reviews))


def test_a_newest_event_removed_together_with_its_head_is_found_by_the_anchor(at_reviews: Database) -> None:
    with clock.frozen(MONDAY) as move:
        assert anchor_today(at_reviews)
        with at_reviews.transaction() as session:
            unlock(session, "events")
            session.execute(
                text(
                    "DELETE FROM events WHERE stream = 'case:1' AND seq = (SELECT chain_seq FROM cases WHERE id = 1)"
                )
            )
            session.execute(
                text(
                    "UPDATE cases SET chain_seq = chain_seq - 1, chain_head ="
                    " (SELECT hash FROM events WHERE stream = 'case:1' ORDER BY seq DESC LIMIT 1) WHERE id = 1"
                )
            )
        assert any("锚点" in one for one in findings(at_reviews))
        move(timedelta(days=1))


def test_a_case_removed_whole_is_found(at_reviews: Database) -> None:
    with clock.frozen(MONDAY):
        anchor_today(at_reviews)
        with at_reviews.transaction() as session:
            wipe(session, 1)
        found = findings(at_reviews)
        assert any("整件被删除" in one for one in found), found


def test_a_case_removed_whole_before_any_anchor_is_missed_in_the_numbers(at_reviews: Database) -> None:
    with clock.frozen(MONDAY):
        with at_reviews.transaction() as session:
            wipe(session, 1)
        assert any("有整件被删除" in one for one in findings(at_reviews))


def wipe(session, case_id: int) -> None:  # type: ignore[no-untyped-def]
    for table in ("events", "decisions"):
        unlock(session, table)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
    inner = f"(SELECT id FROM rosters WHERE case_id = {case_id})"
    statements = [
        f"DELETE FROM row_verdicts WHERE row_id IN (SELECT id FROM roster_rows WHERE roster_id IN {inner})",
        f"DELETE FROM roster_rows WHERE roster_id IN {inner}",
        *(
            f"DELETE FROM {table} WHERE case_id = {case_id}"
            for table in ("rosters", "attachments", "rule_results", "decisions", "notices", "case_timers")
        ),
        f"DELETE FROM drafts WHERE work_item_id IN (SELECT id FROM work_items WHERE case_id = {case_id})",
        f"DELETE FROM work_items WHERE case_id = {case_id}",
        f"DELETE FROM issued_documents WHERE case_id = {case_id}",
        f"DELETE FROM events WHERE stream = 'case:{case_id}'",
        f"DELETE FROM cases WHERE id = {case_id}",
    ]
    for statement in statements:
        session.execute(text(statement))


def test_rotating_the_keys_breaks_nothing(at_reviews: Database) -> None:
    """Digests are over plaintext: the same rows under another key verify."""
    from tests.conftest import TEST_KEYRING
    from workflows.base.privacy import Keyring, use_keyring

    with clock.frozen(MONDAY):
        rotated = Keyring({"test": bytes(range(32)), "new": bytes(reversed(range(32)))}, bytes(range(32, 64)))
        use_keyring(rotated)
        try:
            with at_reviews.transaction() as session:
                from sqlalchemy.orm.attributes import flag_modified

                from workflows.cases.roster_model import RosterRow

                for row in session.query(RosterRow):
                    flag_modified(row, "values")
            assert findings(at_reviews) == []
            assert check.check(at_reviews) == []
        finally:
            use_keyring(TEST_KEYRING)


def test_triggers_are_named_for_both_databases() -> None:
    assert len(append_only_ddl("events", "sqlite")) == 2
    assert len(append_only_ddl("events", "postgresql")) == 3
