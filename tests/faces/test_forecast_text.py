"""The forecast as people read it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.support.g1 import G1, WORK, voice
from tests.support.readings import HISTORIES

from perilune.core.schemas import schema_files
from perilune.core.width import width
from perilune.faces.text.forecast import forecast_lines
from perilune.quota.forecast import forecast
from perilune.sandbox import SandboxThread, keys

SOURCE = Path(__file__).resolve().parents[2] / "src"
EN = """\
ACCOUNT  LIMIT    USED  RATE         RUNS OUT            RESET             SURE
work     5 h       69%  24.1% an h   21:15, 52m early    22:07             high
work     7 days    10%  5.6% a day   no                  Wed 25 Nov 23:23  mid
ci       balance     –  USD 1.15/d   about 6 Dec         –                 mid
lab      balance     –  –            not known yet       –                 –
To last until 22:07, work can take 28 more requests an hour (now 48)."""
ZH = """\
账号     限额     已用  速度          预计用尽            重置                  把握
work     5 小时    69%  每小时 24.1%  21:15，早 52 分钟   22:07                 高
work     7 天      10%  每天 5.6%     不会                11月25日 周三 23:23   中
ci       余额        –  每天 USD 1.15 约 12月6日          –                     中
lab      余额        –  –             尚不清楚            –                     –
要撑到 22:07，work 每小时还可请求 28 次（现在 48 次）。"""


def test_the_table_of_g1() -> None:
    assert "\n".join(forecast_lines(forecast(G1, HISTORIES), voice())) == EN


def test_the_table_in_chinese_has_the_same_rows() -> None:
    lines = forecast_lines(forecast(G1, HISTORIES), voice("zh-CN"))
    assert [line.split() for line in lines] == [line.split() for line in ZH.splitlines()]


def test_a_ratio_is_allowed_in_percent() -> None:
    windows = [msgspec.structs.replace(one, unit="ratio", used=None, remaining=None) for one in WORK.windows]
    document = msgspec.structs.replace(G1, accounts=[msgspec.structs.replace(WORK, windows=windows)])
    assert forecast_lines(forecast(document, HISTORIES), voice())[-1] == (
        "To last until 22:07, work can use 14.3% more an hour (now 24.1%)."
    )


@pytest.mark.parametrize("columns", [40, 60])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_narrow_terminals_get_one_fact_a_line(columns: int, language) -> None:
    lines = forecast_lines(forecast(G1, HISTORIES), voice(language), columns)
    assert lines[0].startswith("work  5 ")
    assert max(width(line) for line in lines[:-1]) <= 40


def test_too_few_readings_are_said_to_be_so() -> None:
    lines = forecast_lines(forecast(G1, {}), voice())
    assert lines[1].split()[-4:] == ["known", "yet", "22:07", "–"]
    assert len(lines) == 5


def test_from_outside_one_reading_is_not_enough(sandbox: SandboxThread) -> None:
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "KIMI_CODE_API_KEY": keys.KIMI_CN}
    command = [sys.executable, "-W", "error", "-m", "perilune", "forecast", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(schema_files()["forecast"].read_bytes()))
    assert (done.returncode, done.stderr) == (0, b"")
    assert {window["confidence"] for window in document["accounts"][0]["windows"]} == {None}
