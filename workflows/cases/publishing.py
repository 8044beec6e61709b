"""Publishing: every process on disk is linted; a changed one becomes a new immutable version."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workflows.audit import record, stream
from workflows.base.errors import CatalogueError
from workflows.cases.known_values import unknown_sources
from workflows.cases.model import ProcessVersion
from workflows.cases.package import Package, parse_config, read_texts, source_digest
from workflows.cases.vocabulary import VOCABULARY
from workflows.documents.templates import load_template
from workflows.engine import Problem, ProcessPackage, lint, load_package, publish, read_decisions


def process_keys(bpmn: Traversable | None = None) -> list[str]:
    """The folders of ``bpmn/`` that hold a process."""
    root = bpmn or files("bpmn")
    return sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and entry.joinpath("process.bpmn").is_file()
    )


def problems_of(key: str, bpmn: Traversable | None = None, forms: Traversable | None = None) -> list[Problem]:
    """Everything wrong with a process on disk: diagram, rules, process.yaml, forms and document templates."""
    root_bpmn, root_forms = bpmn or files("bpmn"), forms or files("forms")
    package = load_package(root_bpmn, root_forms, key)
    problems = list(lint(package, VOCABULARY))
    try:
        loaded = _package(key, "", root_bpmn, root_forms)
        loaded.load_all()
        problems += [Problem("forms", key, text) for text in _unknown_sources(package, loaded)]
    except CatalogueError as error:
        problems += [Problem("forms", key, problem) for problem in error.problems]
    if forms is None:
        for name in sorted(package.documents):
            try:
                load_template(key, name)
            except CatalogueError as error:
                problems += [Problem(f"forms/{key}/documents/{name}", name, text) for text in error.problems]
    return problems


def _unknown_sources(package: ProcessPackage, loaded: Package) -> list[str]:
    """Values that forms want to show and that nothing supplies."""
    decisions = {one.id: one for file, text in package.dmn.items() for one in read_decisions(text, file)[0]}
    return [
        problem
        for form in loaded.load_forms().values()
        for problem in unknown_sources(form, loaded.config, decisions)
    ]


def _package(key: str, engine: str, bpmn: Traversable, forms: Traversable) -> Package:
    texts = read_texts(forms.joinpath(key)) if forms.joinpath(key).is_dir() else {}
    shared = read_texts(forms.joinpath("shared"), "shared/") if forms.joinpath("shared").is_dir() else {}
    return Package(
        config=parse_config(bpmn.joinpath(key, "process.yaml").read_text(encoding="utf-8")),
        engine=engine,
        forms={name: text for name, text in texts.items() if name != "roster"},
        shared=shared,
        roster=texts.get("roster"),
    )


def _again(digest: str, last: int) -> str:
    """The digest of an earlier text that follows version ``last``: a digest stands once in the table."""
    return source_digest({"again": digest, "after": str(last)})


def publish_process(
    session: Session,
    key: str,
    *,
    actor_id: int | None = None,
    bpmn: Traversable | None = None,
    forms: Traversable | None = None,
) -> ProcessVersion | None:
    """Publish a process from disk if it changed; ``None`` when the newest version is the same.

    :raises CatalogueError: it has problems; nothing is published.
    """
    root_bpmn, root_forms = bpmn or files("bpmn"), forms or files("forms")
    problems = problems_of(key, bpmn, forms)
    if problems:
        raise CatalogueError([str(problem) for problem in problems])
    source = load_package(root_bpmn, root_forms, key)
    package = _package(key, "", root_bpmn, root_forms)
    digest = source_digest(
        {"engine": source.digest, **package.forms, **package.shared, "roster": package.roster or ""}
    )
    newest = session.scalars(
        select(ProcessVersion)
        .where(ProcessVersion.process == key)
        .order_by(ProcessVersion.number.desc())
        .limit(1)
    ).one_or_none()
    if newest is not None and newest.digest in (digest, _again(digest, newest.number - 1)):
        return None
    same = session.scalars(
        select(ProcessVersion).where(ProcessVersion.process == key, ProcessVersion.digest == digest)
    ).one_or_none()
    last = session.scalar(select(func.max(ProcessVersion.number)).where(ProcessVersion.process == key)) or 0
    if same is not None:  # going back to an earlier text: its number must be the newest again
        digest = _again(digest, last)
    version = ProcessVersion(
        process=key,
        number=last + 1,
        digest=digest,
        package=_package(key, publish(source, VOCABULARY).dump(), root_bpmn, root_forms).to_text(),
    )
    session.add(version)
    record(
        session,
        stream(session, "catalogue"),
        "process-published",
        actor_id=actor_id,
        payload={"process": key, "number": version.number},
        covers=(version,),
    )
    return version


def publish_all(session: Session) -> list[ProcessVersion]:
    """Publish whatever changed on disk; returns the new versions."""
    return [version for key in process_keys() if (version := publish_process(session, key)) is not None]
