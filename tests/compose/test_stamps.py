"""A running service knows what a test by hand has shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from perilune.compose.background import Background
from perilune.compose.stamps import Stamps, keep_stamp, stamps_among
from perilune.config.schema import AccountConfig, Config
from perilune.core.secret import Secret
from perilune.quota.stamp import Stamp
from perilune.store import learned
from perilune.store.engine import open_store

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONFIG = Config(accounts=(AccountConfig(name="work", plan="kimi-code", region="cn", key="vault:work"),))


def test_a_stamp_of_another_process_is_taken_in_once_and_never_lowers(tmp_path: Path) -> None:
    store, behind = open_store(tmp_path / "perilune.db"), Background()
    ours = Stamps(store, behind, lambda: NOW, b"salt")
    ours.load(CONFIG, {"work": Secret("sk-kimi-EXAMPLE1")})
    assert ours.of("work") is None

    def shown(stamp: Stamp) -> bool:
        with store.begin() as connection:
            keep_stamp(connection, "work", stamp)
        with store.read() as connection:
            return ours.take_in(stamps_among(learned.known(connection, NOW)))

    probe = Stamp(by="probe", at=NOW, place=vars(ours)["_places"]["work"])
    assert shown(probe)
    assert ours.of("work") == probe
    assert not shown(probe)
    assert not shown(replace(probe, by="catalog", at=NOW + timedelta(hours=1)))
    assert not shown(replace(probe, place="of another key", at=NOW + timedelta(hours=2)))
    assert ours.of("work") == probe
    behind.close()
    store.close()
