"""Publishing from disk: a changed text is a new version, an unchanged one is none, a wrong one is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from workflows.audit.verify import verify_streams, verify_uncovered
from workflows.base.errors import CatalogueError
from workflows.cases.model import ProcessVersion
from workflows.cases.publishing import problems_of, process_keys, publish_process

ROOT = Path(__file__).resolve().parents[2]
KEY = "objection"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A copy of one process, to be changed."""
    for part in ("bpmn", "forms"):
        shutil.copytree(ROOT / part / KEY, tmp_path / part / KEY)
    shutil.copytree(ROOT / "forms/shared", tmp_path / "forms/shared")
    (tmp_path / "bpmn/notes").mkdir()
    return tmp_path


def publish(session: Session, disk: Path) -> ProcessVersion | None:
    return publish_process(session, KEY, actor_id=1, bpmn=disk / "bpmn", forms=disk / "forms")


def entitle(disk: Path, old: str, new: str) -> None:
    file = disk / "bpmn" / KEY / "process.yaml"
    text = file.read_text("utf-8")
    assert f"title: {old}\n" in text
    file.write_text(text.replace(f"title: {old}\n", f"title: {new}\n", 1), "utf-8")


def test_only_folders_with_a_diagram_are_processes(disk: Path) -> None:
    assert process_keys(disk / "bpmn") == [KEY]
    assert KEY in process_keys()


def test_each_changed_text_is_one_version_and_going_back_is_one_too(session: Session, disk: Path) -> None:
    """Publishing runs at every start: an unchanged disk must never make a version."""
    title = "公示异议处理"
    made = []
    for old, new in [(title, title), (title, "异议"), ("异议", title), (title, "异议")]:
        entitle(disk, old, new)
        version = publish(session, disk)
        assert version is not None
        made.append(version.number)
        assert publish(session, disk) is None
        assert publish(session, disk) is None
    assert made == [1, 2, 3, 4]
    packages = {row.number: row.package for row in session.scalars(select(ProcessVersion))}
    assert packages[1] == packages[3]
    assert packages[1] != packages[2]
    assert list(verify_streams(session)) == []
    assert verify_uncovered(session) == []


def test_a_process_with_problems_is_not_published(session: Session, disk: Path) -> None:
    form = next(iter(sorted((disk / "forms" / KEY).glob("*.yaml"))))
    form.write_text("title: [\n", "utf-8")
    with pytest.raises(CatalogueError, match=form.stem):
        publish(session, disk)
    assert session.scalars(select(ProcessVersion)).all() == []


def test_a_form_that_shows_what_nothing_supplies_is_a_problem_of_the_catalogue(tmp_path: Path) -> None:
    """A question that hangs on a value nobody gives would never be asked, and nobody would notice."""
    sources = (
        "employer.shoe_size",
        "case.colour",
        "parameter.nothing",
        "parameter.publicity_days.title",
        "decision.nothing.result",
        "decision.office_meeting.nothing",
        "somewhere.else",
    )
    fields = "".join(f"      - {{key: f{n}, label: 甲, read_from: {one}}}\n" for n, one in enumerate(sources))
    good = (
        "      - {key: g1, label: 乙, read_from: parameter.publicity_days.basis}\n"
        "      - {key: g2, label: 乙, prefill: decision.office_meeting.approved_fen}\n"
        "      - {key: g3, label: 乙, read_from: case.number}\n"
    )
    text = f"title: 会审\nsections:\n  - key: one\n    title: 一\n    fields:\n{fields}{good}"
    key = "one_time_reward"
    for part in (f"bpmn/{key}", "bpmn/shared", f"forms/{key}", "forms/shared"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / f"forms/{key}/extra.yaml").write_text(text, "utf-8")
    found = [str(problem) for problem in problems_of(key, tmp_path / "bpmn", tmp_path / "forms")]
    assert len(found) == len(sources), found
    assert all(any(f"没有“{one}”这个来源" in problem for problem in found) for one in sources), found


def test_a_form_that_cannot_be_read_is_a_problem_of_the_catalogue(disk: Path) -> None:
    (disk / "forms" / KEY / "roster.yaml").write_text("columns: nothing\n", "utf-8")
    found = [str(problem) for problem in problems_of(KEY, disk / "bpmn", disk / "forms")]
    assert any("roster.yaml" in problem for problem in found), found
