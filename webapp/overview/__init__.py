"""Overviews for officers and auditors: projects of 以工代赈 and their ledgers, and the counts that the notice names."""

from webapp.overview import archive, counts, projects
from webapp.overview.blueprint import bp

__all__ = ["archive", "bp", "counts", "projects"]
