import re
from pathlib import Path

import pytest

from perilune.core import errors
from perilune.core.codes import CODES
from perilune.core.errors import CredentialError, PeriluneError, Problem


def test_a_code_is_upper_case_and_has_an_exit_status_of_ours() -> None:
    assert all(re.fullmatch(r"PL-[A-Z0-9]+(-[A-Z0-9]+)*", code) for code in CODES)
    assert set(CODES.values()) <= {0, 1, 2, 4, 5, 69}


def test_a_problem_knows_its_exit_status() -> None:
    assert Problem(code="PL-401-KEY").exit_code == 4


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="PL-NOT-THERE"):
        Problem(code="PL-NOT-THERE")


def test_an_error_is_made_of_its_code_and_facts() -> None:
    error = CredentialError.of("PL-401-KEY", variant="add", account="work", host="api.kimi.com")
    assert isinstance(error, CredentialError)
    assert error.problem == Problem(code="PL-401-KEY", variant="add", account="work", facts={"host": "api.kimi.com"})
    assert str(error) == "PL-401-KEY {'host': 'api.kimi.com'}"


def test_the_drawing_of_the_tree_shows_every_error() -> None:
    drawn = set(re.findall(r"── (\w+Error)", errors.__doc__ or ""))
    defined = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, PeriluneError)
    }
    assert drawn == defined - {"PeriluneError"}


def test_every_code_that_the_program_names_exists() -> None:
    named = re.compile(r"\"(PL-[A-Z0-9]+(?:-[A-Z0-9]+)*)\"")
    source = Path(errors.__file__).parents[1]
    unknown = {
        code for path in source.rglob("*.py") for code in named.findall(path.read_text("utf-8")) if code not in CODES
    }
    assert not unknown
