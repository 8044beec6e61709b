"""Administration: offices, users, posts, working calendar, parameters, failed jobs. No case is seen from here."""

from webapp.admin import calendar, jobs, offices, parameters, posts, users
from webapp.admin.blueprint import bp

__all__ = ["bp", "calendar", "jobs", "offices", "parameters", "posts", "users"]
