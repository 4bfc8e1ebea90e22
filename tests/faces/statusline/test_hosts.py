"""Each host is given its own form, escaped by its own rules."""

import json
import re

import msgspec
import pytest
from tests.support.lines import NOW_S, drawn, g1_line, with_account, with_window

from perilune.faces.statusline.hosts import claude, i3bar, i3status_rs, kimi, plain, polybar, tmux, waybar, xbar

LINE = g1_line()
SPENT = with_account(LINE, state="spent", blocked_by="5h", until=NOW_S + 7620)
SGR = re.compile(r"\x1b\[[0-9;]*m")


def renamed(name: str):
    return msgspec.structs.replace(with_account(LINE, name=name), routes=())


@pytest.mark.case("experience L1")
def test_plain_is_the_full_string() -> None:
    assert plain.render(drawn(LINE)) == "5h 69% 2h07m · 7d 10% · USD 18.43"


def test_tmux_colours_the_state_part_alone() -> None:
    assert tmux.render(drawn(LINE)) == "#[fg=colour214]5h 69% 2h07m#[default] · 7d 10% · USD 18.43"
    assert tmux.render(drawn(LINE, has_colour=False)) == "5h 69% 2h07m · 7d 10% · USD 18.43"


@pytest.mark.case("experience L7")
def test_tmux_doubles_a_literal_number_sign() -> None:
    assert "a##b" in tmux.render(drawn(renamed("a#b"), template="{account}"))
    work = LINE.accounts[0]
    line = with_account(LINE, windows=(msgspec.structs.replace(work.windows[0], id="5#h"), *work.windows[1:]))
    assert "5##h 69%" in tmux.render(drawn(with_account(line, binding="5#h")))


def test_polybar_colours_the_state_part_and_breaks_up_its_own_sign() -> None:
    assert polybar.render(drawn(LINE)) == "%{F#E69F00}5h 69% 2h07m%{F-} · 7d 10% · USD 18.43"
    assert "%%{T}" in polybar.render(drawn(renamed("%{T}"), template="{account}"))


@pytest.mark.case("experience L2")
def test_waybar_gets_exactly_its_keys() -> None:
    assert waybar.render(drawn(LINE)) == (
        '{"text":"5h 69% 2h07m · 7d 10% · USD 18.43","alt":"high","class":["high"],"percentage":69,"tooltip":"work · '
        "Kimi Code cn · 12s ago\\n5 h 69% used, 61 left, resets 22:07\\nempty 21:15, 52m too early\\n7 days 10% used, "
        '1834 left, resets Wed 25 Nov 23:23\\nci USD 18.43 · lab CNY 49.59"}'
    )


@pytest.mark.case("experience L3")
def test_waybar_escapes_markup() -> None:
    told = waybar.render(drawn(renamed("a<b>&c")))
    assert "a&lt;b&gt;&amp;c" in json.loads(told)["tooltip"]


@pytest.mark.case("experience L4")
def test_waybar_gets_no_percentage_of_an_unknown_use() -> None:
    line = with_window(LINE, used_ratio=None, used=None, remaining=None, reliable=False)
    line = with_account(line, state="unknown", binding=None, windows=line.accounts[0].windows[:1])
    told = json.loads(waybar.render(drawn(line)))
    assert "percentage" not in told
    assert told["alt"] == "unknown"


def test_waybar_classes_say_conflict_sandbox_and_paid_in_this_order() -> None:
    line = msgspec.structs.replace(with_window(SPENT, conflict=True), sandbox=True)
    assert json.loads(waybar.render(drawn(line)))["class"] == ["spent", "conflict", "sandbox", "paid"]
    assert json.loads(waybar.render(drawn(LINE)))["class"] == ["high"]


def test_waybar_s_percentage_is_clamped() -> None:
    assert json.loads(waybar.render(drawn(with_window(LINE, used_ratio=1.04))))["percentage"] == 100


@pytest.mark.case("experience L5")
def test_an_i3bar_block_is_urgent_on_the_edge_alone() -> None:
    stream = i3bar.Stream()
    first = stream.update([drawn(SPENT)], is_due=True)
    second = stream.update([drawn(SPENT)], is_due=True)
    assert first is not None
    assert second is not None
    told = [json.loads(line.lstrip(","))[0] for line in (first, second)]
    assert [block["urgent"] for block in told] == [True, False]
    assert told[0]["full_text"] == "K spent → 22:07"


def test_i3bar_s_stream_is_one_array_of_arrays() -> None:
    stream = i3bar.Stream()
    lines = [stream.update([drawn(line)], is_due=True) for line in (LINE, SPENT, LINE)]
    header, *_ = i3bar.HEADER.split("\n")
    assert json.loads(header) == {"version": 1, "click_events": True}
    body = i3bar.HEADER.partition("\n")[2] + "".join(line or "" for line in lines)
    assert [len(blocks) for blocks in json.loads(body + "]")] == [0, 1, 1, 1]


def test_i3bar_is_told_nothing_when_nothing_changed_and_none_is_due() -> None:
    stream = i3bar.Stream()
    assert stream.update([drawn(LINE)], is_due=True) is not None
    assert stream.update([drawn(LINE)], is_due=False) is None
    assert stream.update([drawn(LINE, now=NOW_S + 60)], is_due=False) is not None


def test_one_i3bar_block() -> None:
    assert i3bar.render(drawn(LINE)) == (
        '{"name":"perilune","instance":"work","full_text":"5h 69% 2h07m · 7d 10% · USD 18.43",'
        '"short_text":"K 69% 2h07m","color":"#E69F00","urgent":false,"markup":"none"}'
    )


@pytest.mark.parametrize(
    ("event", "button"),
    [
        ('[{"name":"perilune","button":1,"x":1}', 1),
        (',{"name":"perilune","button":3}', 3),
        ('{"name":"clock","button":1}', None),
        ("[", None),
        ("not json", None),
    ],
)
def test_a_click_is_read_from_the_host_s_endless_array(event: str, button: int | None) -> None:
    assert i3bar.click_of(event) == button


@pytest.mark.case("experience L6")
def test_i3status_rust_is_critical_when_spent() -> None:
    assert json.loads(i3status_rs.render(drawn(SPENT)))["state"] == "Critical"


def test_i3status_rust_has_its_keys() -> None:
    assert i3status_rs.render(drawn(LINE)) == (
        '{"icon":"","state":"Warning","text":"5h 69% 2h07m · 7d 10% · USD 18.43","short_text":"K 69% 2h07m"}'
    )


XBAR = """\
5h 69% 2h07m | color=#8A5A00,#E69F00 tooltip="work 5 h 69% used, resets 22:07"
---
work · Kimi Code cn · 12s ago | color=#5A6068,#9AA3AD
5 h  69% used, 61 left, high | font=Menlo
-- resets 22:07 (in 2h 07m)
-- empty 21:15, 52m too early
7 days  10% used, 1834 left, ok | font=Menlo
ci  USD 18.43 available, ok
---
Refresh | bash=perilune param1=status param2=--refresh terminal=false refresh=true
Open dashboard | href=http://127.0.0.1:8787/"""


def test_xbar_s_menu() -> None:
    assert xbar.render(drawn(LINE)) == XBAR


@pytest.mark.case("experience L8")
def test_xbar_never_has_its_separator_in_a_title() -> None:
    title, _, parameters = (
        xbar.render(drawn(renamed("a|b"), template="{account} x")).partition("\n")[0].partition(" | ")
    )
    assert title == "a¦b x"
    assert "|" not in parameters


def test_swiftbar_gets_a_symbol_too() -> None:
    assert "sfimage=" in xbar.render(drawn(LINE, environment={"SWIFTBAR": "1"})).partition("\n")[0]


@pytest.mark.case("experience L10")
def test_kimi_gets_spans_marked_and_the_context_last() -> None:
    assert kimi.render(drawn(LINE, stdin={"contextUsage": 0.42})) == "5h 69% ~2h07m · 7d 10% ~5d3h · ctx 42%"


@pytest.mark.parametrize("found", [{}, {"contextUsage": None}, {"contextUsage": "much"}, {"contextUsage": True}])
def test_kimi_without_a_context_leaves_it_out(found: dict[str, object]) -> None:
    assert kimi.render(drawn(LINE, stdin=found)) == "5h 69% ~2h07m · 7d 10% ~5d3h"


CONTEXT = {"context_window": {"used_percentage": 42}}
THEIRS = {**CONTEXT, "rate_limits": {"five_hour": {"used_percentage": 12.4, "resets_at": NOW_S + 60}}}


def test_claude_is_coloured_on_the_state_part_alone() -> None:
    environment = {"ANTHROPIC_BASE_URL": "https://api.kimi.com/coding"}
    told = claude.render(drawn(LINE, stdin=THEIRS, environment=environment))
    assert told == "Kimi \x1b[33m5h 69% 2h07m\x1b[0m · 7d 10% │ ctx 42%"
    bare = claude.render(drawn(LINE, stdin=THEIRS, environment=environment, has_colour=False))
    assert bare == "Kimi 5h 69% 2h07m · 7d 10% │ ctx 42%"


@pytest.mark.parametrize(
    ("base", "label"),
    [
        ("http://127.0.0.1:8787", "Kimi 5h"),
        ("http://localhost:8787/", "Kimi 5h"),
        ("https://api.moonshot.ai/anthropic", "USD 18.43"),
        ("https://api.anthropic.com", "Claude 5h 12%"),
        ("", "Claude 5h 12%"),
        ("http://127.0.0.1:9999", "Claude 5h 12%"),
    ],
)
def test_claude_is_shown_the_limits_of_whoever_answers_it(base: str, label: str) -> None:
    told = claude.render(drawn(LINE, stdin=THEIRS, environment={"ANTHROPIC_BASE_URL": base} if base else {}))
    assert SGR.sub("", told).startswith(label)


def test_claude_s_context_is_counted_when_no_percent_is_given() -> None:
    usage = {"input_tokens": 10_000, "cache_read_input_tokens": 74_000}
    found = {"context_window": {"context_window_size": 200_000, "current_usage": usage}}
    assert claude.render(drawn(LINE, stdin=found)).endswith("│ ctx 42%")


@pytest.mark.parametrize("found", [{"rate_limits": 3}, {"rate_limits": {"five_hour": []}}, {"context_window": "x"}])
def test_claude_s_odd_input_is_passed_over(found: dict[str, object]) -> None:
    assert SGR.sub("", claude.render(drawn(LINE, stdin=found))) == "Kimi 5h 69% 2h07m · 7d 10%"


@pytest.mark.parametrize("host", [plain, tmux, waybar, i3bar, i3status_rs, polybar, xbar, claude, kimi])
@pytest.mark.parametrize("line", [None, LINE, SPENT])
def test_every_host_can_draw_everything(host, line) -> None:
    for is_broken in (False, True):
        for language in ("en", "zh-CN"):
            told = host.render(drawn(line, is_broken=is_broken, language=language))
            assert told.split("\n")[0]
            if is_broken:
                assert "K ! store" in told
