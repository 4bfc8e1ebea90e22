"""How much an account is in use, as a service sees it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from perilune.compose.use import Use, saves_power
from perilune.monitor.interval import interval_s

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_service_that_nobody_looks_at_reads_less_and_less() -> None:
    now, screens, served = [START], [0], dict[str, datetime]()
    use = Use(served.get, lambda: screens[0], lambda: now[0], lambda: False)
    seen = []
    for hours in (0, 1, 4):
        now[0] = START + timedelta(hours=hours)
        seen.append(interval_s(300, use.activity("work"), now[0]))
    screens[0] = 1
    seen.append(interval_s(300, use.activity("work"), now[0]))
    screens[0] = 0
    now[0] += timedelta(minutes=30)
    seen.append(interval_s(300, use.activity("work"), now[0]))
    served["work"] = now[0]
    seen.append(interval_s(300, use.activity("work"), now[0]))
    assert seen == [300, 900, 1800, 120, 300, 120]


def test_saving_power_is_told_by_the_firmware(tmp_path: Path) -> None:
    file = tmp_path / "platform_profile"
    assert not saves_power(file)
    for text, is_saving in (("low-power\n", True), ("balanced\n", False)):
        file.write_text(text)
        assert saves_power(file) is is_saving
    now = START
    use = Use(lambda _: now, lambda: 1, lambda: now, lambda: True)
    assert interval_s(300, use.activity("work"), now) == 1800
