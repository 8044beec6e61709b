"""The pages that need no login: 公示 and objections, the register, the progress query, pay slips, the verification of papers."""

from webapp.public import objecting, pages, progress, publicity, register, slip, verifying
from webapp.public.blueprint import bp

__all__ = ["bp", "objecting", "pages", "progress", "publicity", "register", "slip", "verifying"]
