import pytest

from perilune.core.messages import message, message_ids, pick_language


@pytest.mark.case("experience Z1")
def test_a_traditional_chinese_locale_reads_simplified_chinese() -> None:
    assert pick_language({"LC_ALL": "zh_TW.UTF-8"}) == "zh-CN"
    assert message(pick_language({"LC_ALL": "zh_TW.UTF-8"}), "common.why") == "原因"


@pytest.mark.case("experience Z2")
def test_the_stronger_variable_decides() -> None:
    assert pick_language({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}) == "en"


@pytest.mark.parametrize(
    ("environment", "configured", "flag", "language"),
    [
        ({}, None, None, "en"),
        ({"LANG": "zh_CN.UTF-8"}, None, None, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, None, None, "zh-CN"),
        ({"LC_MESSAGES": "zh_HK.UTF-8", "LANG": "de_DE.UTF-8"}, None, None, "zh-CN"),
        ({"LC_ALL": "POSIX"}, None, None, "en"),
        ({"LC_ALL": "zh_CN.UTF-8"}, "en", None, "en"),
        ({"PERILUNE_LANG": "zh-CN"}, "en", None, "zh-CN"),
        ({"PERILUNE_LANG": "zh-CN"}, "zh-CN", "en", "en"),
        ({}, None, "ZH", "zh-CN"),
    ],
)
def test_flag_then_variable_then_configuration_then_locale(
    environment: dict[str, str], configured: str | None, flag: str | None, language: str
) -> None:
    assert pick_language(environment, configured, flag) == language


def test_an_unknown_id_has_no_text() -> None:
    assert message("zh-CN", "common.not_there") is None
    assert message("en", "no_such_area.x") is None
    assert message("en", "PL-NOT-THERE.what") is None
    assert message("en", "") is None


def test_every_id_is_found_where_it_is_looked_for() -> None:
    for language in ("en", "zh-CN"):
        assert [name for name in message_ids(language) if message(language, name) is None] == []
