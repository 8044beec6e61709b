"""Every blueprint of the application. A new area adds its import and its place in the list, nothing else."""

from __future__ import annotations

from flask import Blueprint

from webapp.admin import bp as admin
from webapp.audit import bp as audit
from webapp.auth.account import bp as account
from webapp.auth.routes import bp as auth
from webapp.auth.second import bp as second
from webapp.employer import bp as employer
from webapp.finance import bp as finance
from webapp.health import bp as health
from webapp.home import bp as home
from webapp.metrics import bp as metrics
from webapp.officer import bp as officer
from webapp.officer.files import bp as files
from webapp.overview import bp as overview
from webapp.public import bp as public

BLUEPRINTS: tuple[Blueprint, ...] = (
    health,
    metrics,
    home,
    auth,
    second,
    account,
    admin,
    audit,
    officer,
    finance,
    overview,
    files,
    employer,
    public,
)
