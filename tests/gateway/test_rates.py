"""Rates that refusals named are believed for a day."""

from perilune.gateway.rates import Rate, Rates


async def test_a_learned_rate_ends_and_the_users_own_stays() -> None:
    now_s = [0.0]
    rates = Rates(clock=lambda: now_s[0])
    rates.configure({"g": Rate(tpm=900)})
    rates.recall("g", Rate(rpm=3))
    rates.recall("g", Rate(tpm=500), for_s=60)
    gate = rates.gate("g")
    assert gate is not None
    assert gate.limits == (3, 500)
    now_s[0] = 61
    assert rates.gate("g") is gate
    assert gate.limits == (3, 900)
    now_s[0] = 24 * 3600
    rates.gate("g")
    assert gate.limits == (None, 900)
