"""The rules for Chinese texts, as a function from a text to what is wrong with it.

Placeholders, quoted code and everything in `…` stay out of it: commands, codes and names are never translated.
"""

import re
from collections.abc import Iterator

# Rejected word, the one to use instead, and longer words in which the rejected one is fine.
GLOSSARY = (
    ("帐号", "账号", ()),
    ("账户", "账号", ()),
    ("帐户", "账号", ()),
    ("计划", "套餐", ()),
    ("地区", "区域", ()),
    ("国内", "中国大陆", ()),
    ("海外", "国际", ()),
    ("小时限额", "5 小时窗口", ()),
    ("周限制", "7 天额度", ()),
    ("月限制", "本月额度", ()),
    ("使用了", "已用", ()),
    ("还有", "剩余", ()),
    ("耗尽", "用尽", ()),
    ("跑完", "用尽", ()),
    ("优惠券", "代金券", ()),
    ("负债", "欠费", ()),
    ("并行", "并发", ()),
    ("主力", "主用", ()),
    ("后备", "备用", ()),
    ("容灾", "故障切换", ()),
    ("基础地址", "接入地址", ()),
    ("钥匙", "密钥", ("钥匙串",)),
    ("词元", "token", ()),
    ("步调", "进度", ()),
    ("问题单", "发现", ()),
    ("沙箱", "沙盒", ()),
    ("抱歉", "", ()),
    ("您", "你", ()),
    ("请", "", ("请求", "申请")),
)
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_UNTRANSLATED = re.compile(r"`[^`]*`|https?://[\w./:%-]+")
_SPACING = (
    (re.compile(rf"[{_HAN}][A-Za-z0-9]"), "no space between Han and Latin or digit"),
    (re.compile(rf"[A-Za-z0-9%][{_HAN}]"), "no space between Latin or digit and Han"),
    (re.compile(rf"[{_HAN}] (?!周)[{_HAN}]"), "space between Han characters"),
    (re.compile(r"(?<! ) [，。：；、（）“”]|[，。：；、（）“”] (?! )"), "space beside full-width punctuation"),
)
_HALF_WIDTH = re.compile(rf"[{_HAN}][,:;.?!][{_HAN}]|[{_HAN}],|[{_HAN}][,:;!?](?:\s|$)|[{_HAN}]\(|\)[{_HAN}]")
_EXCLAMATION = re.compile(r"[!！]")
_DATE = re.compile(r"\d+(?=[年月日])|(?<=[年月])\d+")


def faults(text: str) -> Iterator[str]:
    """What is wrong with a Chinese text."""
    prose = _UNTRANSLATED.sub("`", text)
    for rejected, instead, fine in GLOSSARY:
        rest = prose
        for word in fine:
            rest = rest.replace(word, "")
        if rejected in rest:
            yield f"{rejected} → {instead or 'leave it out'}"
    if _EXCLAMATION.search(prose):
        yield "exclamation mark"
    if match := _HALF_WIDTH.search(prose):
        yield f"half-width punctuation: {match[0]}"
    spaced = _DATE.sub("日", re.sub(r"\{[a-z_]+\}", "{}", prose))
    for pattern, what in _SPACING:
        if match := pattern.search(spaced):
            yield f"{what}: {match[0]}"
