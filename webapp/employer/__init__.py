"""The employers' pages: what waits, filling in, the roster, materials, handing in, the case, pay slips, attendance, the unit."""

from webapp.employer import attendance, cases, home, materials, roster, slips, steps, submitting, unit
from webapp.employer.blueprint import bp

__all__ = ["attendance", "bp", "cases", "home", "materials", "roster", "slips", "steps", "submitting", "unit"]
