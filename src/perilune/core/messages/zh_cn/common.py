"""Words used everywhere."""

MESSAGES = {
    "common.vendor_says": "官方原文：“{words}”",
    "common.sandbox": "沙盒：数据来自 {upstream}",
    "common.error": "error",
    "common.warning": "warning",
    "common.tried": "已试",
    "common.why": "原因",
    "common.fix": "解决",
    "common.note": "说明",
}
