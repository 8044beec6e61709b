"""Events in the words of the office."""

from __future__ import annotations

import re

#: Kind of event → what happened.
EVENTS = {
    "account-correction-confirmed": "确认账户更正",
    "account-correction-entered": "录入账户更正",
    "account-correction-refused": "否决账户更正",
    "account-locked": "账号因连续输错密码暂停登录",
    "account-registered": "用人单位人员开通账号",
    "batch-cancelled": "作废支付批次",
    "batch-checked": "复核支付批次",
    "batch-made": "生成支付批次",
    "batch-returned": "退回支付批次",
    "calendar-day-set": "登记工作日历",
    "case-finished": "办结",
    "case-recalled": "申请单位撤回",
    "case-started": "发起申请",
    "case-submitted": "提交申请",
    "case-terminated": "终止",
    "claims-entered": "登记奖补申报",
    "data-unmasked": "查看完整个人信息",
    "demonstration-loaded": "装入演示数据",
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
    "fund-closed": "关闭资金",
    "fund-enabled": "启用资金",
    "funds-appropriate": "下达资金",
    "funds-bounce": "银行退票",
    "funds-carry-in": "结转转入",
    "funds-carry-out": "结转转出",
    "funds-free": "释放预占资金",
    "funds-freed": "释放预占",
    "funds-give-back": "上级收回资金",
    "funds-lower": "调减资金",
    "funds-pay": "支付成功",
    "funds-recover": "收回款项",
    "funds-release": "拨付资金",
    "funds-reserve": "预占资金",
    "funds-reserved": "预占",
    "grants-approved": "奖补审定",
    "grants-claimed": "奖补申报",
    "grants-freed": "释放奖补名额",
    "grants-looked-up": "查询奖补登记",
    "grants-paid": "奖补发放",
    "grants-recovered": "奖补追回",
    "grants-reopened": "奖补重新审核",
    "hold-lifted": "解除暂缓",
    "identities-confirmed": "确认导入有疑问的身份名单",
    "identities-dropped": "决定不导入身份名单",
    "identities-import-started": "开始导入身份名单",
    "identities-imported": "导入身份名单",
    "identities-read": "身份名单读取完毕",
    "identities-uploaded": "上传身份名单",
    "item-claimed": "领取",
    "item-reassigned": "改派",
    "item-unclaimed": "交还",
    "job-retried": "重新安排后台任务",
    "lift-agreed": "同意解除暂缓",
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
    "past-grants-imported": "导入历史发放记录",
    "payables-ready": "转入待拨付",
    "post-assigned": "分配岗位",
    "post-ended": "岗位结束",
    "process-published": "发布流程",
    "publicity-closed": "公示结束",
    "publicity-extended": "公示延期",
    "publicity-opened": "公示开始",
    "recovery-cancelled": "撤销追回",
    "recovery-decided": "决定追回",
    "recovery-demanded": "送达追回通知书",
    "review-brought-forward": "提前发起年审",
    "roster-read": "花名册读取完毕",
    "roster-set-aside": "花名册没有采用",
    "roster-uploaded": "上传花名册",
    "row-removed": "剔除人员",
    "rows-decided": "逐人审核",
    "rows-judged": "按规则重新审核花名册",
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
    "account_corrections": "账户更正",
    "answer_uploads": "银行回执文件",
    "appropriations": "资金",
    "assignments": "岗位",
    "attachments": "材料",
    "bank_answers": "银行回执",
    "calendar_days": "工作日历",
    "cases": "办件",
    "decisions": "办理意见",
    "departments": "单位",
    "divisions": "地区",
    "employer_corrections": "单位登记信息更正",
    "employer_members": "单位账号",
    "employers": "用人单位",
    "grant_lookups": "奖补登记查询",
    "grants": "奖补登记",
    "identity_snapshots": "身份名单",
    "identity_uploads": "上传的身份名单",
    "issued_documents": "文书",
    "ledger_entries": "资金分录",
    "objections": "异议",
    "parameters": "参数",
    "payables": "款项",
    "payment_batches": "支付批次",
    "process_versions": "流程版本",
    "publicities": "公示",
    "recoveries": "追回",
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


def chain_title(name: str, otherwise: str = "其他") -> str:
    """What a named chain records."""
    kind = name.partition(":")[0]
    return STREAMS.get(name) or {"fund": "资金", "grants": "奖补登记"}.get(kind, otherwise)
