"""The employers' pages: what waits, filling in, the roster, materials, handing in, the case, the unit."""

from webapp.employer import cases, home, materials, roster, steps, submitting, unit
from webapp.employer.blueprint import bp

__all__ = ["bp", "cases", "home", "materials", "roster", "steps", "submitting", "unit"]
