"""``/work``: what waits for the actor's offices, the most urgent first."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from webapp import numbers
from webapp.access import allow, page_actor
from webapp.database import reading
from webapp.glance import tallied
from webapp.navigation import COUNTS
from webapp.officer.blueprint import bp, replaced
from workflows.base.clock import now
from workflows.cases import worklist
from workflows.cases.officer_views import own_steps, processes, waiting_count
from workflows.cases.worklist import Filters

#: Tab → title, tone of its count.
TABS = {
    "all": ("全部", ""),
    "mine": ("我的", ""),
    "unclaimed": ("未领取", ""),
    "soon": ("临期", "amber"),
    "overdue": ("超期", "red"),
}
#: Why a tab is empty, and what to do.
EMPTY = {
    "all": ("本单位没有待办。", "有新的工作转来时会出现在这里。要查看办过的申请，请到“办件查询”。"),
    "mine": ("您没有领取待办。", "到“未领取”中领取，或者直接打开一件办理。"),
    "unclaimed": ("没有未领取的待办。", "本单位的待办都已有人办理。"),
    "soon": ("没有临期的待办。", "两个自然日内到期的会列在这里。"),
    "overdue": ("没有超期的待办。", ""),
}
_KEPT = ("tab", "process", "step", "q")
_MEMORY = "work_list"


def remembered() -> dict[str, str]:
    """The conditions last used, while the session lasts."""
    kept = session.get(_MEMORY, {})
    return {key: str(kept[key]) for key in _KEPT if kept.get(key)}


def filters_of(given: dict[str, str]) -> Filters:
    """The conditions as the use case knows them. ``step`` is ``process:step``."""
    tab, process = given.get("tab", ""), given.get("process", "")
    of_process, _, step = given.get("step", "").partition(":")
    if step and process not in ("", of_process):
        step = ""
    return Filters(
        process=process or (of_process if step else ""),
        step=step,
        mine=tab == "mine",
        unclaimed=tab == "unclaimed",
        light=tab if tab in ("soon", "overdue") else "",
        search=given.get("q", ""),
    )


@bp.get("/work", endpoint="worklist")
@allow("officer")
def worklist_page() -> ResponseReturnValue:
    if "clear" in request.args:
        session.pop(_MEMORY, None)
        return redirect(url_for("officer.worklist"), 303)
    given = {key: request.args.get(key, "").strip()[:60] for key in _KEPT}
    asked = any(key in request.args for key in _KEPT)
    if not asked:
        given = {**given, **remembered()}
    if given["tab"] not in TABS:
        given["tab"] = "all"
    kept = {key: value for key, value in given.items() if value and value != "all"}
    if asked and kept != session.get(_MEMORY, {}):
        session[_MEMORY] = kept
    return render_template("officer/worklist.html", **_context(given))


def _context(given: dict[str, str]) -> dict[str, Any]:
    database, me = reading(), page_actor()
    departments = sorted(me.department_ids)
    after = request.args.get("after", "")
    after = after if _is_key(after) else ""
    tallies = tallied(database)
    narrowed = any(given[key] for key in ("process", "step", "q"))
    page = worklist.page(
        database,
        departments,
        filters_of(given),
        user_id=me.user_id,
        after=after or None,
        counted=None if narrowed else tallies[given["tab"]],
    )
    known = processes(database)
    steps = own_steps(known, me)
    titles = {process.key: process.config.get("short") or process.title for process in known}
    instant = now()
    rows = [
        {
            "id": item.id,
            "item": item,
            "number": item.case.number,
            "who": item.case.employer.name if item.case.employer else "—",
            "what": item.title,
            "process": titles.get(item.case.process, ""),
            "since": item.opened_at,
            "light": worklist.light(item, instant),
            "holder": item.claimant.name if item.claimant else "",
            "own": item.claimed_by in me.stands_for,
            "office": item.department.name if item.department else "",
            "round": item.round,
        }
        for item in page.items
    ]
    here = {key: given[key] for key in _KEPT}
    return {
        "given": given,
        "at_a_glance": not after and given["tab"] == "all" and not narrowed,
        "page": page,
        "rows": rows,
        "offices": len(departments),
        "narrowed": narrowed,
        "tabs": [
            {
                "title": title,
                "href": url_for("officer.worklist", **replaced(here, tab=name)),
                "count": tallies[name][0] + (1 if tallies[name][1] else 0),
                "active": name == given["tab"],
                "tone": tone if tallies[name][0] else "",
            }
            for name, (title, tone) in TABS.items()
        ],
        "process_options": [("", "全部事项"), *((process.key, process.title) for process, _ in steps)],
        "step_options": [
            ("", "全部环节"),
            *(
                (process.title, [(f"{process.key}:{key}", title) for key, title in found])
                for process, found in steps
            ),
        ],
        "empty": EMPTY[given["tab"]],
        "first_href": url_for("officer.worklist", **replaced(here)) if after else "",
        "next_href": url_for("officer.worklist", **replaced(here, after=page.next_after))
        if page.next_after
        else "",
    }


def _is_key(text: str) -> bool:
    stamp, _, last = text.partition("_")
    return len(numbers.keys([stamp, last])) == 2 and len(stamp) <= 11


def _waiting() -> int:
    if "tallied" in g:  # the page asked already
        count, capped = tallied(reading())["all"]
        return count + capped
    return waiting_count(reading(), sorted(page_actor().department_ids))


COUNTS["officer.worklist"] = _waiting
