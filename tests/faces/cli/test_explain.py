"""`perilune explain`."""

import json

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli

from perilune.core.codes import CODES
from perilune.core.schemas import schema_files
from perilune.core.width import width

PAGE = """\
PL-QUOTA-5H  the 5-hour window of a Kimi Code plan is spent       exit 5
What     The server refuses requests until the window's reset.
Seen as  403 access_terminated_error "… 5-hour usage limit …"; older: 429; or
         "billing cycle" wording while usages shows the 5-hour window full.
Does     The gateway leaves this account until the reset and uses the next
         slot. Nothing is retried before. status shows "spent".
You can  wait (free) · use a fallback · buy extra usage · take a larger plan
See also PL-QUOTA-7D, PL-QUOTA-MONTH, PL-QUOTA-UNKNOWN
"""


@pytest.mark.parametrize("name", ["PL-QUOTA-5H", "pl-quota-5h", "quota-5h", "Quota_5H"])
def test_a_code_is_found_in_any_case_with_or_without_its_prefix(cli: Cli, name: str) -> None:
    ran = cli("explain", name)
    assert (ran.status, ran.out) == (0, PAGE)


def test_an_unknown_code_names_the_nearest(cli: Cli) -> None:
    ran = cli("explain", "quta-5h")
    assert ran.status == 2
    assert "There is no code 'quta-5h'. Nearest: PL-QUOTA-5H." in ran.err


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_code_has_a_page_that_fits(cli: Cli, language: str) -> None:
    listed = cli("explain", "--lang", language).out
    for code in CODES:
        assert f"{code} " in listed
        page = cli("explain", code, "--lang", language).out
        assert all(width(line) <= 80 for line in page.splitlines()), code
        assert page.startswith(f"{code}  ")


def test_json_is_one_document_of_its_schema(cli: Cli) -> None:
    schema = json.loads(schema_files()["explain"].read_text())
    one, every = json.loads(cli("explain", "PL-BUG", "--json").out), json.loads(cli("explain", "--json").out)
    jsonschema.validate(one, schema)
    jsonschema.validate(every, schema)
    assert (one["exit"], len(every["codes"])) == (1, len(CODES))
