"""``/overview/projects/<id>/archive``: the wages of a project as one archive for an inspection, with a reason."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import actor, allow, page_actor
from webapp.database import reading, transaction
from webapp.officer.blueprint import reason_field
from webapp.officer.files import send_bytes
from webapp.overview.blueprint import bp
from webapp.questions import Answers, read_answers
from webapp.services import services
from webapp.startup import signer
from workflows.base.errors import Invalid, NotFound
from workflows.cases.inspection import inspection_archive
from workflows.cases.project_overview import visible_project

REASON = reason_field(
    "档案里有完整的身份证号和账号。写明为什么导出，例如：人社部门工资支付检查。导出人、时间和理由记入每件申请的办理记录。",
    "导出的理由",
)
ZIP = "application/zip"


@bp.route("/projects/<int:project_id>/archive", methods=["GET", "POST"])
@allow("officer", "auditor")
def archive(project_id: int) -> ResponseReturnValue:
    """Ask for the reason, then hand out the zip."""
    project = visible_project(reading(), page_actor(), project_id)
    if project is None:
        raise NotFound("没有这个项目，或者不在您管理的范围。")
    caption = f"{project.number}　{project.name}"
    answers = Answers()
    if request.method == "POST":
        answers = read_answers((REASON,))
        if not answers.errors:
            try:
                with transaction() as session:
                    made = inspection_archive(
                        session,
                        actor(session),
                        project_id,
                        str(answers.values["reason"]),
                        signer(services().settings),
                    )
            except Invalid as error:
                answers.refuse(error.errors, error.message)
            else:
                return send_bytes(made.content, made.name, ZIP, download=True)
    page = render_template(
        "officer/ask.html",
        title="导出检查档案",
        caption=caption,
        intro="一个压缩文件：工资支付台账（Excel）、签发的文书、上传的材料、操作记录和核验工具，附签章的清单，不用本系统也能核验。人多、月份多的，要等一会儿。",
        fields=(REASON,),
        answers=answers,
        main="导出",
        back=url_for("overview.projects"),
    )
    return page, 422 if answers.errors else 200
