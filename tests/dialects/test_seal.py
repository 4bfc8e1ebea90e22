"""Our own mark on reasoning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.dialects.seal import Seal, Sealed, is_ours

SEAL = Seal(b"k" * 32)


@given(st.text(), st.text(max_size=12))
def test_a_token_belongs_to_its_text_and_family(text: str, family: str) -> None:
    token = SEAL.sign(text, family)
    assert is_ours(token)
    assert SEAL.verify(token, text) == family
    assert SEAL.verify(token, text + "x") is None
    assert Seal(b"other key of thirty-two bytes....").verify(token, text) is None


@given(st.text(), st.text(max_size=12), st.none() | st.text(max_size=8))
def test_an_envelope_gives_back_what_it_holds(text: str, family: str, signature: str | None) -> None:
    sealed = Sealed(text, family, signature)
    envelope = SEAL.seal(sealed)
    assert SEAL.open(envelope) == sealed
    assert SEAL.seal(sealed) == envelope
    assert Seal(b"z" * 32).open(envelope) is None


@pytest.mark.parametrize("envelope", ["", "plr1.", "plr1.AAAA", "plr1.!!!", "gAAAAAB", "plr1." + "A" * 60])
def test_a_foreign_or_broken_envelope_is_no_error(envelope: str) -> None:
    assert SEAL.open(envelope) is None
    assert SEAL.verify(envelope, "text") is None


def test_a_changed_envelope_does_not_open() -> None:
    envelope = SEAL.seal(Sealed("a thought"))
    for place in range(5, len(envelope)):
        other = "A" if envelope[place] != "A" else "B"
        assert SEAL.open(envelope[:place] + other + envelope[place + 1 :]) in (None, Sealed("a thought"))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")
