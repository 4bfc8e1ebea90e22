"""The catalogue: complete in both languages, same placeholders, and the rules for Chinese texts."""

import pkgutil
import re
from importlib import import_module
from string import Formatter

import pytest
from tests.core.lint_zh import faults

from perilune.core.codes import CODES
from perilune.core.messages import message, message_ids

EN = sorted(message_ids("en"))
ZH = sorted(message_ids("zh-CN"))
PARTS = re.compile(r"(?P<code>PL-[A-Z0-9-]+)\.(?:(?:what|title|why|fix\.[1-5]|note|long|brief)(?:\.[A-Za-z0-9_-]+)?)")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def text_of(language, message_id: str) -> str:
    text = message(language, message_id)
    assert text is not None
    return text


def test_both_languages_have_the_same_messages() -> None:
    assert set(EN) - set(ZH) == set()
    assert set(ZH) - set(EN) == set()


@pytest.mark.parametrize("message_id", EN)
def test_both_languages_fill_in_the_same_facts(message_id: str) -> None:
    english, chinese = placeholders(text_of("en", message_id)), placeholders(text_of("zh-CN", message_id))
    assert english == chinese
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in english)


@pytest.mark.parametrize("message_id", EN)
def test_an_english_text_says_it_without_blame_or_shouting(message_id: str) -> None:
    text = text_of("en", message_id)
    assert text == text.strip() or not message_id.startswith("PL-")
    assert not re.search(r"!(?![=\w{])|\b(?:please|oops|sorry)\b", text, re.IGNORECASE)
    assert not re.search(r"[，。：；（）！？\u4e00-\u9fff]", text)


@pytest.mark.parametrize("message_id", ZH)
def test_a_chinese_text_keeps_the_rules(message_id: str) -> None:
    assert list(faults(text_of("zh-CN", message_id))) == []


@pytest.mark.parametrize("message_id", [name for name in EN if name.startswith("PL-")])
def test_the_words_of_an_error_belong_to_a_code(message_id: str) -> None:
    match = PARTS.fullmatch(message_id)
    assert match is not None, "CODE.what, .title, .brief, .why, .fix.N, .note or .long, with a variant behind"
    assert match["code"] in CODES


@pytest.mark.parametrize("code", sorted({name.partition(".")[0] for name in EN if name.startswith("PL-")}))
def test_a_code_with_words_has_a_headline_in_both_languages(code: str) -> None:
    headlines = (f"{code}.what", f"{code}.title")
    assert [name for name in EN if name.startswith(headlines)]
    assert [name for name in ZH if name.startswith(headlines)]


@pytest.mark.case("experience Z4")
@pytest.mark.parametrize("text", ["帐号已保存", "请重试", "密钥有误,已跳过", "无法连接,请检查"])
def test_the_lint_refuses_what_the_rules_refuse(text: str) -> None:
    assert list(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "完成！",
        "您的密钥",
        "剩余5 小时",
        "用了 3个",
        "沙箱已启动",
        "词元用量",
        "钥匙有误",
        "原因:网络",
        "密钥(只读)",
        "账号 已保存",
        "已保存 ，继续",
        "并行上限",
    ],
)
def test_the_lint_refuses(text: str) -> None:
    assert list(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "请求被拒绝",
        "本月 1,048,576 个 token",
        "11月25日 周三 23:23 重置（5 天 3 小时后）",
        "官方原文：“{words}”",
        "无法连接 {host}，暂不能判断该密钥是否有效",
        "钥匙串已锁定",
        "已用 69%",
        "运行 `perilune add --plan kimi-code` 后重试",
        "沙盒：数据来自 {upstream}",
        "5 小时  ████ 已用 69%",
        "perilune {version} · {url}   （{reach}）",
    ],
)
def test_the_lint_accepts(text: str) -> None:
    assert list(faults(text)) == []


@pytest.mark.parametrize("package", ["perilune.core.messages.en", "perilune.core.messages.zh_cn"])
def test_no_id_stands_in_two_areas(package: str) -> None:
    homes: dict[str, list[str]] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for message_id in import_module(f"{package}.{module.name}").MESSAGES:
            homes.setdefault(message_id, []).append(module.name)
    assert {name: areas for name, areas in homes.items() if len(areas) > 1} == {}
