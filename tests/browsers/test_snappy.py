"""Snappy blocks: what was compressed comes back, and nothing else does harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.browsers.stores import snappy

from perilune.browsers.snappy import decompress


@given(
    st.binary(max_size=3000) | st.lists(st.sampled_from([b"abcd", b"token", b"\x00" * 9]), max_size=300).map(b"".join)
)
def test_what_was_compressed_comes_back(data: bytes) -> None:
    assert decompress(snappy(data)) == data


def test_far_copies_and_long_literals_come_back() -> None:
    import random

    noise = random.Random(5).randbytes(70_500)
    data = noise + b"needle-needle-needle" + noise[:64] * 2
    assert decompress(snappy(data)) == data


def test_an_overlapping_copy_repeats_what_it_writes() -> None:
    assert decompress(bytes([10, 0, ord("a"), (9 - 4) << 2 | 1, 1])) == b"a" * 10


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_or_read_without_harm(data: bytes) -> None:
    try:
        decompress(data)
    except ValueError:
        return


@pytest.mark.parametrize("block", [b"", b"\x05\x10ab", b"\x04\x09\x01", b"\xff\xff\xff\xff\x7f", b"\x01\x04ab"])
def test_a_broken_block_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError):
        decompress(block)
