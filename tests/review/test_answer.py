"""Answers as models damage them."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.review.scripted import finding

from perilune.review.answer.parse import parse_answer

FOUND = [finding("a.py", 'x = "1"', title=f"Title {number}", body='It says "no", and [x] {y}.') for number in range(3)]
GOOD = {"findings": FOUND, "files_reviewed": ["a.py"]}
TEXT = json.dumps(GOOD)
PRETTY = json.dumps(GOOD, indent=2)
YAML = """\
findings:
  - path: a.py
    quote: |
      x = "1"
      y = 2
    severity: P1
    title: Bad value
    body: >
      It is
      wrong.
  - path: b.py
    title: 'It''s wrong'
    line: 7
files_reviewed: []
"""


def titles(text: str) -> list[str]:
    parsed = parse_answer(text)
    assert parsed is not None
    return [candidate.title for candidate in parsed.candidates]


@pytest.mark.case("review R16.1")
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "\ufeff" + TEXT,
        f"Here are my findings (see [1]):\n\n{PRETTY}\n\nHope that helps {{really}}.",
        f"```json\n{PRETTY}\n```",
        f"```\n{PRETTY}",
        f'<think>Maybe {{"findings": []}}?</think>\n{TEXT}',
        f"reasoning without a start</think>{TEXT}",
        json.dumps(FOUND),
        json.dumps({"result": GOOD}),
        json.dumps({"review": {"data": FOUND}}),
        json.dumps({"code_suggestions": FOUND}),
        json.dumps(
            {
                "Findings": [
                    {
                        "relevantFile": "a.py",
                        "existingCode": "x",
                        "suggestionContent": "It is wrong.",
                        "oneSentenceSummary": f"Title {n}",
                        "label": "bug",
                    }
                    for n in range(3)
                ]
            }
        ),
        repr(GOOD),
        PRETTY.replace("},", "},,").replace('"a.py"\n', '"a.py",\n'),
        PRETTY.replace('"path":', "path:").replace('"title":', "title:"),
        PRETTY.replace('"no"', "no").replace('\\"no\\"', '"no"'),
        PRETTY.replace('"side"', '// the side\n "side"'),
        "{" + TEXT.strip("{}"),
        TEXT.replace(', "files_reviewed"', '\n"files_reviewed"'),
    ],
)
def test_three_findings_are_read_whatever_stands_around_them(text: str) -> None:
    assert titles(text) == ["Title 0", "Title 1", "Title 2"]


def test_yaml_with_the_same_keys_is_read() -> None:
    for text in (YAML, f"Sure:\n```yaml\n{YAML}```\nDone."):
        parsed = parse_answer(text)
        assert parsed is not None
        first, second = parsed.candidates
        assert (first.quote, first.severity, first.body) == ('x = "1"\ny = 2', "high", "It is wrong.")
        assert (second.title, second.start_line) == ("It's wrong", 7)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("P0", "critical"),
        ("p3", "low"),
        ("error", "high"),
        ("Warning", "medium"),
        ("info", "low"),
        ("blocker", "critical"),
        ("major", "high"),
        ("minor", "low"),
        ("nit", "nit"),
        ("?", "medium"),
    ],
)
def test_other_scales_of_severity(word: str, severity: str) -> None:
    parsed = parse_answer(json.dumps({"findings": [{"path": "a", "title": "t", "severity": word}]}))
    assert parsed is not None
    assert parsed.candidates[0].severity == severity


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "null",
        "LGTM",
        "",
        "   ",
        '{"findings": null}',
        '{"findings": "none"}',
        '{"ok": true}',
        '{"findings": [1, 2]}',
        "[" * 5_000,
        '{"a":' * 200 + "1",
    ],
)
def test_what_holds_no_finding_is_malformed_and_not_clean(text: str) -> None:
    assert parse_answer(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"findings": []}',
        '{"findings": [], "files_reviewed": ["a"]}',
        '```json\n{"findings": []}\n```',
        '{"result": {"findings": []}}',
        "findings: []\n",
    ],
)
def test_an_empty_list_is_clean(text: str) -> None:
    parsed = parse_answer(text)
    assert parsed is not None
    assert (parsed.candidates, parsed.malformed, parsed.is_cut) == ((), 0, False)


@pytest.mark.case("review R16.3")
@pytest.mark.parametrize("whole", [TEXT, PRETTY, f"Findings:\n```json\n{PRETTY}\n```"])
def test_every_prefix_keeps_what_is_complete_and_is_never_clean(whole: str) -> None:
    end = whole.rindex("}") + 1
    for cut in range(end):
        parsed = parse_answer(whole[:cut])
        if parsed is None:
            continue
        complete = whole[:cut].count('"rule": ""') if cut else 0
        assert parsed.is_cut
        assert complete - 1 <= len(parsed.candidates) <= complete


@pytest.mark.case("review R16.2")
def test_of_hundreds_of_damaged_answers_ninety_nine_in_a_hundred_are_read() -> None:
    damages = [
        lambda text, rng: text.replace("},", "},,", rng.randint(1, 3)),
        lambda text, rng: text.replace('"confidence": 90', '"confidence": "90%"'),
        lambda text, rng: text.replace('"side": "new"', "'side': 'new'"),
        lambda text, rng: text.replace('"category"', "category"),
        lambda text, rng: text.replace("]}", "],}"),
        lambda text, rng: text.replace("empty list. Return", "empty list.\nReturn"),
        lambda text, rng: text.replace('\\"', '"', rng.randint(1, 2)),
        lambda text, rng: "Sure!\n```json\n" + text + rng.choice(["", "\n```", "\n```\nDone."]),
        lambda text, rng: "<think>hm [1]</think>" + text,
        lambda text, rng: text.rstrip("}"),
        lambda text, rng: text.replace('"rule": ""', '"rule": None'),
        lambda text, rng: text.replace('{"path"', '/* one */ {"path"'),
    ]
    rng = random.Random(7)
    read = total = 0
    for _ in range(300):
        text = rng.choice([TEXT, PRETTY])
        for damage in rng.sample(damages, rng.randint(1, 3)):
            text = damage(text, rng)
        parsed = parse_answer(text)
        total += 1
        read += parsed is not None and len(parsed.candidates) >= 2
    assert read / total >= 0.99


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.sampled_from("{}[]\",:\\'\n abc:-|>#/*`<"), max_size=120))
def test_nothing_makes_the_reader_fail(text: str) -> None:
    parse_answer(text)
    parse_answer('{"findings": [{"title": "' + text)


def test_one_bad_finding_never_drops_its_neighbours() -> None:
    parsed = parse_answer(
        json.dumps(
            {
                "findings": [
                    FOUND[0],
                    {"path": "a.py"},
                    "text",
                    FOUND[1] | {"start_line": "x", "evidence": 3, "suggestion": []},
                ]
            }
        )
    )
    assert parsed is not None
    assert (len(parsed.candidates), parsed.malformed) == (2, 2)


def test_texts_are_cut_at_their_limits() -> None:
    long = {
        "path": "a",
        "title": "t" * 200,
        "body": "b" * 9_000,
        "trigger": "c" * 900,
        "quote": "\n".join("q" * 900 for _ in range(9)),
    }
    parsed = parse_answer(json.dumps({"findings": [long]}))
    assert parsed is not None
    found = parsed.candidates[0]
    assert (len(found.title), len(found.body), len(found.trigger), len(found.quote.encode())) == (80, 4_000, 600, 1_801)


def test_no_field_that_places_a_finding_is_invented() -> None:
    parsed = parse_answer('{"findings": [{"title": "t", "body": "b"}]}')
    assert parsed is not None
    found = parsed.candidates[0]
    assert (found.path, found.quote, found.start_line) == ("", "", None)


def test_the_last_of_equal_keys_counts() -> None:
    assert titles('{"findings": [{"path": "a", "title": "one", "title": "two"}]}') == ["two"]
