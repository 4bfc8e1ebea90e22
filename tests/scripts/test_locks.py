import pytest

from scripts import _locks

GOOD = """\
# made by a resolver
click==8.5.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via perilune (pyproject.toml)
uvloop==0.23.0 ; sys_platform != 'win32' \\
    --hash=sha256:cccc
"""


def test_a_lock_with_hashes_and_no_address_is_good() -> None:
    assert list(_locks.faults("run", GOOD)) == []
    assert _locks.pins(GOOD) == {"click": "8.5.1", "uvloop": "0.23.0"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("msgspec==1.0", "no hash: msgspec==1.0"),
        ("msgspec>=1.0 --hash=sha256:aaaa", "not pinned with ==: msgspec>=1.0"),
        ("--index-url https://example.com/simple", "holds an address: --index-url"),
        ("msgspec @ https://example.com/x.whl", "holds an address: https://"),
    ],
)
def test_what_is_wrong_with_a_lock_is_said(line: str, fault: str) -> None:
    assert f"run: {fault}" in list(_locks.faults("run", GOOD + line + "\n"))


def test_the_tests_run_with_the_packages_of_the_program() -> None:
    assert list(_locks.missing_from_dev({"a": "1", "b": "2"}, {"a": "1", "b": "3"})) == ["dev: b is 3, in run it is 2"]


def test_the_projects_locks_hold() -> None:
    assert _locks.main() == 0
