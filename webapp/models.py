"""Every module that owns tables, imported so that the metadata is whole: for migrations and tests."""

from __future__ import annotations

from webapp.audit import model as audit_pages
from webapp.auth import model as auth
from workflows.audit import model as audit
from workflows.base import calendar, files, heartbeat, outbox, parameters
from workflows.cases import model as cases
from workflows.cases import reasons, roster_model, slip_model
from workflows.documents import model as documents
from workflows.funds import batch_model
from workflows.funds import model as funds
from workflows.organisations import model as organisations
from workflows.registers import grant_model as grants
from workflows.registers import model as registers
from workflows.registers import project_model as projects

MODELS = (
    calendar,
    files,
    heartbeat,
    outbox,
    parameters,
    audit,
    organisations,
    registers,
    grants,
    projects,
    funds,
    batch_model,
    documents,
    cases,
    reasons,
    roster_model,
    slip_model,
    auth,
    audit_pages,
)
