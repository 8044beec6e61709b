"""From a folder to a published version: lint, and only then publish."""

from __future__ import annotations

from workflows.base.errors import CatalogueError
from workflows.engine.definition import PublishedVersion
from workflows.engine.errors import Problem
from workflows.engine.package import ProcessPackage
from workflows.engine.specs import parse_specs
from workflows.engine.vocabulary import Vocabulary
from workflows.engine.xmltext import parse_xml


def lint(package: ProcessPackage, vocabulary: Vocabulary) -> list[Problem]:
    """All problems of a package, sorted; empty when it can be published. Never raises, whatever the files hold."""
    return []


def publish(package: ProcessPackage, vocabulary: Vocabulary) -> PublishedVersion:
    """Make a version of a package.

    :raises CatalogueError: it has problems; each names file and element and says what to do.
    """
    problems = lint(package, vocabulary)
    if problems:
        raise CatalogueError([str(problem) for problem in problems])
    return PublishedVersion(
        key=package.key,
        digest=package.digest,
        bpmn=package.bpmn,
        config_text=package.config_text,
        dmn=dict(package.dmn),
        spec_json=parse_specs(parse_xml(package.bpmn, "process.bpmn"), package.key),
    )
