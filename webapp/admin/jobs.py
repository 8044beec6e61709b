"""What the worker could not do: named, counted, tried again."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from webapp import health, numbers
from webapp.access import actor, allow
from webapp.admin.blueprint import PER_PAGE, bp, show
from webapp.database import reading, transaction
from workflows.audit.record import record, stream
from workflows.base.clock import now
from workflows.base.errors import Conflict, NotFound
from workflows.base.heartbeat import lives
from workflows.base.outbox import MAX_ATTEMPTS, OutboxRow
from workflows.organisations.permissions import require

#: Kind of job → what people call it.
TITLES = {
    "render_document": "生成文书",
    "read_roster": "读取花名册",
    "read_identities": "读取身份名单",
    "notice": "发送通知",
    "send_notice": "发出邮件或短信",
    "notify-user": "发送通知",
    "notify-department": "发送通知",
    "read_answer": "核对银行回执",
    "money_notice": "发送通知",
    "payments_changed": "支付结果通知办件",
    "verify_everything": "核验操作记录",
}

#: Kind of error → what it means to whoever runs the installation. Other errors name themselves.
REASONS = {
    "OperationalError": "数据库当时连接不上或者繁忙",
    "InterfaceError": "数据库当时连接不上",
    "OSError": "读写文件或者连接外部服务失败，请检查磁盘空间、文件夹权限和网络",
    "FileNotFoundError": "要用的文件不在了，请从备份恢复",
    "PermissionError": "没有读写文件的权限",
    "ConnectionRefusedError": "邮件或短信服务器拒绝连接",
    "TimeoutError": "邮件或短信服务器没有回应",
    "SMTPAuthenticationError": "邮件服务器的用户名或密码不对",
    "SMTPRecipientsRefused": "邮件服务器不接受收件地址",
    "MemoryError": "内存不足",
    "InvalidTag": "加密数据无法解密，密钥不对或者数据被改动",
}


def why(error: str) -> str:
    """What ``last_error`` says, in words."""
    if not error.isascii():
        return error
    return REASONS.get(error, f"程序出错（{error}），请把编号告诉运行维护人员")


@bp.get("/jobs")
@allow("admin")
def jobs() -> ResponseReturnValue:
    """Failed jobs, newest first, and how much waits."""
    session = reading()
    failed = (OutboxRow.done_at.is_(None), OutboxRow.attempts > 0, OutboxRow.last_error.is_not(None))
    total = session.scalar(select(func.count()).select_from(OutboxRow).where(*failed)) or 0
    waiting = (
        session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))) or 0
    )
    page = request.args.get("page", 1, type=numbers.page)
    rows = [
        {
            "id": row.id,
            "title": TITLES.get(row.kind, "后台处理"),
            "created_at": row.created_at,
            "attempts": row.attempts,
            "why": why(row.last_error or ""),
            "next": None if row.attempts >= MAX_ATTEMPTS else row.due_at,
        }
        for row in session.scalars(
            select(OutboxRow)
            .where(*failed)
            .order_by(OutboxRow.id.desc())
            .limit(PER_PAGE)
            .offset((page - 1) * PER_PAGE)
        )
    ]
    return show(
        "jobs",
        rows=rows,
        total=total,
        waiting=waiting,
        page=page,
        per_page=PER_PAGE,
        worker=lives(session, health.WORKER),
    )


@bp.post("/jobs/<int:job_id>/retry")
@allow("admin")
def job_retry(job_id: int) -> ResponseReturnValue:
    """Let the worker try again now, with all its attempts."""
    with transaction() as session:
        who = actor(session)
        require(who, "admin.enter")
        row = session.scalars(select(OutboxRow).where(OutboxRow.id == job_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound("没有这项后台任务。")
        if row.done_at is not None:
            raise Conflict("这项后台任务已经完成。")
        row.attempts, row.due_at = 0, now()
        record(
            session,
            stream(session, "organisation"),
            "job-retried",
            actor_id=who.user_id,
            payload={"job": row.id, "kind": row.kind},
        )
        session.info["outbox"] = True
    flash("已重新安排，稍后刷新查看结果。", "success")
    return redirect(url_for("admin.jobs"), 303)
