"""`perilune up`: the page, the API, the marked demo, a key pasted in the page, a clean stop."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any


def browser() -> urllib.request.OpenerDirector:
    """A client that keeps cookies and follows to the same host."""
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))


def read(opener: urllib.request.OpenerDirector, url: str, **fields: str) -> tuple[int, str]:
    data = urllib.parse.urlencode(fields).encode() if fields else None
    try:
        with opener.open(url, data=data, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_with_no_key_the_page_asks_for_one_and_shows_a_marked_demo(alone: Any, start: Callable[..., Any]) -> None:
    service = start(alone)
    status, page = read(browser(), service.url + "/")
    assert status == 200
    assert "DEMO" in page
    assert 'name="key"' in page
    assert read(browser(), service.url + "/healthz")[0] == 200
    assert read(browser(), service.url + "/readyz")[0] == 200
    assert service.stop() == 0
    assert "Traceback" not in service.stderr


def test_a_key_pasted_in_the_page_is_tried_saved_and_shown(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    key = sandbox.world.accounts["moonshot-cn"].keys[0]
    service = start(program)
    opener = browser()
    _, page = read(opener, service.url + "/add")
    status, result = read(opener, service.url + "/add", csrf=csrf_of(page), key=f' "{key}" ')
    assert status == 200, result
    assert "moonshot.cn" in result
    assert key not in result
    _, overview = read(opener, service.url + "/")
    assert "CNY" in overview or "¥" in overview
    assert "DEMO" not in overview
    assert key not in overview
    saved = json.loads(read(opener, service.url + "/api/v1/status")[1])
    assert [account["plan"] for account in saved["accounts"]] == ["moonshot"]
    assert saved["sandbox"] is True
    assert service.stop() == 0


def test_a_write_without_our_token_is_refused(program: Any, start: Callable[..., Any]) -> None:
    service = start(program)
    assert read(browser(), service.url + "/add", key="sk-x", csrf="forged")[0] == 403


def test_the_demo_tells_its_story_only_with_played_numbers(alone: Any, start: Callable[..., Any]) -> None:
    service = start(alone, "--demo")
    opener = browser()
    document = json.loads(read(opener, service.url + "/api/v1/status")[1])
    plans = {(account["plan"], account["region"]) for account in document["accounts"]}
    assert plans == {("kimi-code", "cn"), ("kimi-code", "intl"), ("moonshot", "cn"), ("moonshot", "intl")}
    assert document["sandbox"] is True
    assert "DEMO" in read(opener, service.url + "/")[1]
    assert service.stop() == 0
    assert not list(alone.home.glob("**/*.db")), "a demo keeps nothing"


def test_an_address_that_is_taken_is_said_with_its_holder(alone: Any, start: Callable[..., Any]) -> None:
    service = start(alone)
    port = service.url.rpartition(":")[2]
    again = alone.run("up", "--listen", f"127.0.0.1:{port}")
    assert again.returncode == 1
    assert "PL-PORT" in again.stderr
    assert str(service.process.pid) in again.stderr


def test_beyond_loopback_a_token_is_demanded(alone: Any) -> None:
    refused = alone.run("up", "--listen", "0.0.0.0:0")
    assert refused.returncode == 2
    assert "PL-LISTEN" in refused.stderr
