"""Events in the words of the office."""

from __future__ import annotations

import re

#: Kind of event → what happened.
EVENTS = {
    "account-locked": "账号因连续输错密码暂停登录",
    "account-registered": "用人单位人员开通账号",
    "calendar-day-set": "登记工作日历",
    "case-finished": "办结",
    "case-recalled": "申请单位撤回",
    "case-started": "发起申请",
    "case-submitted": "提交申请",
    "case-terminated": "终止",
    "data-unmasked": "查看完整个人信息",
    "department-added": "添加单位",
    "department-updated": "修改单位信息",
    "division-added": "添加地区",
    "divisions-loaded": "载入行政区划",
    "document-fixed": "文书定稿",
    "document-issued": "文书签发",
    "document-restored": "文书恢复效力",
    "document-revoked": "文书撤销",
    "employer-contact-updated": "修改单位联系信息",
    "employer-corrected": "更正单位登记信息",
    "employer-registered": "单位登记",
    "identities-import-started": "开始导入身份名单",
    "identities-imported": "导入身份名单",
    "item-claimed": "领取",
    "item-reassigned": "改派",
    "item-unclaimed": "交还",
    "job-retried": "重新安排后台任务",
    "material-added": "上传材料",
    "material-removed": "删除材料",
    "membership-confirmed": "确认单位账号",
    "membership-ended": "单位账号结束",
    "membership-refused": "单位账号未通过",
    "membership-requested": "申请加入单位",
    "message-received": "流程收到消息",
    "objection-received": "收到异议",
    "objection-settled": "异议办结",
    "parameter-set": "登记参数",
    "password-changed": "修改密码",
    "password-reset": "重置密码",
    "post-assigned": "分配岗位",
    "post-ended": "岗位结束",
    "process-published": "发布流程",
    "publicity-closed": "公示结束",
    "publicity-extended": "公示延期",
    "publicity-opened": "公示开始",
    "roster-read": "花名册读取完毕",
    "roster-set-aside": "花名册没有采用",
    "roster-uploaded": "上传花名册",
    "rows-decided": "逐人审核",
    "rules-applied": "规则判断",
    "signature-sent-back": "退回会签",
    "status-set": "状态变化",
    "step-decided": "作出办理意见",
    "substitute-named": "设置代理人",
    "timer-fired": "期限届满",
    "user-created": "开通账号",
    "user-deactivated": "停用账号",
    "user-reactivated": "重新启用账号",
    "workshop-entered": "载入车间名录",
    "workshop-registered": "车间载入名录",
    "workshop-reviewed": "车间年审",
    "workshop-status-set": "车间状态变化",
}

#: Named chain → what it records.
STREAMS = {
    "organisation": "机构与人员",
    "registers": "名录与名单",
    "catalogue": "流程发布",
    "anchors": "每日封存",
    "-": "未登记的数据",
}


#: Table → what its rows are.
TABLES = {
    "assignments": "岗位",
    "attachments": "材料",
    "calendar_days": "工作日历",
    "cases": "办件",
    "decisions": "办理意见",
    "departments": "单位",
    "divisions": "地区",
    "employer_members": "单位账号",
    "employers": "用人单位",
    "identity_snapshots": "身份名单",
    "issued_documents": "文书",
    "objections": "异议",
    "parameters": "参数",
    "process_versions": "流程版本",
    "publicities": "公示",
    "rosters": "花名册",
    "row_verdicts": "逐人审核",
    "rule_results": "规则判断",
    "unmaskings": "查看完整个人信息",
    "users": "用户",
    "workshops": "车间",
}
_ROW = re.compile(r"^([a-z_]+) (\S+?)：")


def finding_text(message: str) -> str:
    """A finding without the inner names of tables."""
    return _ROW.sub(lambda found: f"{TABLES.get(found[1], '数据')}（编号 {found[2]}）：", message)


def event_title(kind: str) -> str:
    """What happened; an event nobody named yet is still an event."""
    return EVENTS.get(kind, "其他操作")
