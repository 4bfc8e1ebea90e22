"""The surface in front: paths, bases, who may ask, what leaves and what comes back."""

import pytest

from .conftest import KEYS, Build, route

DIALECTS = ["chat", "responses", "messages"]
AGENT = {
    "user-agent": "kimi-code-cli/2.1.0",
    "x-msh-platform": "kimi_code_cli",
    "x-msh-version": "2.1.0",
    "x-msh-device-id": "d-1",
    "x-msh-os-version": "linux",
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("slot", ["work/kimi-for-coding", "ci/kimi-k2.6", "ci/kimi-k3", "router/moonshotai/kimi-k2.6"])
async def test_every_dialect_is_answered_by_every_plan(build: Build, dialect: str, stream: bool, slot: str) -> None:
    house = build(route(slot))
    answer = await house.client.ask(dialect, stream=stream)
    assert answer.status == 200, answer.body
    assert house.in_flight() == 0
    assert house.rows.requests[0].outcome == "ok"
    assert house.rows.requests[0].usage.output_total
    assert not house.rows.requests[0].is_estimated


@pytest.mark.case("gateway SU-01")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/coding", "/anthropic", "/v1"])
async def test_a_base_answers_a_look(build: Build, method: str, path: str) -> None:
    house = build()
    answer = await house.client.request(method, path, headers={"host": "anything"})
    assert (answer.status, answer.body) == (200, b"")
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert house.seen() == []


@pytest.mark.parametrize("path", ["/v1", "/coding", "/anthropic"])
async def test_a_base_says_what_is_here(build: Build, path: str) -> None:
    answer = await build().client.request("GET", path)
    assert set(answer.json["surfaces"]) == {"chat", "responses", "messages"}


@pytest.mark.case("gateway SU-02")
async def test_messages_leave_for_kimi_code_under_our_own_name(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    assert (await house.client.messages()).status == 200
    seen = house.seen()[0]
    assert (seen.host, seen.path) == ("api.kimi.com", "/coding/v1/messages")
    assert seen.headers["user-agent"].startswith("perilune/")
    assert seen.headers["authorization"].startswith("Bearer ")
    assert seen.headers["anthropic-version"] == "2023-06-01"


@pytest.mark.case("gateway SU-03")
async def test_chat_of_any_client_goes_to_kimi_code_as_messages(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    answer = await house.client.chat(headers={"user-agent": "OpenAI/Python 3.52.0"})
    assert answer.status == 200
    assert [seen.path for seen in house.seen()] == ["/coding/v1/messages"]


@pytest.mark.case("gateway SU-04")
async def test_a_listed_agent_keeps_its_own_name_on_chat(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    assert (await house.client.chat(headers=AGENT, stream=True)).status == 200
    seen = house.seen()[0]
    assert seen.path == "/coding/v1/chat/completions"
    assert seen.headers["user-agent"] == "kimi-code-cli/2.1.0"
    assert (seen.headers["x-msh-platform"], seen.headers["x-msh-version"]) == ("kimi_code_cli", "2.1.0")
    assert not [name for name in seen.headers if "device" in name or "os-version" in name]


@pytest.mark.case("gateway SU-05")
async def test_a_refused_agent_goes_on_as_messages_and_stays_there(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    house.world.queue_fault(refusal="code-err-403-client-not-allowed", path="/coding/v1/chat/completions")
    answer = await house.client.chat(headers=AGENT)
    assert (answer.status, answer.attempts) == (200, 2)
    assert (await house.client.chat(headers=AGENT)).attempts == 1
    paths = [seen.path for seen in house.seen()]
    assert paths == ["/coding/v1/chat/completions", "/coding/v1/messages", "/coding/v1/messages"]


@pytest.mark.case("gateway SU-06")
async def test_forwarding_can_be_switched_off(build: Build) -> None:
    house = build(route("work/kimi-for-coding", gateway='forward_user_agent = "never"'))
    await house.client.messages(headers={"user-agent": "claude-cli/2.1"})
    assert house.seen()[0].headers["user-agent"].startswith("perilune/")


async def test_a_listed_agent_keeps_its_name_on_messages_too(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    await house.client.messages(headers={"user-agent": "claude-cli/2.1"})
    assert house.seen()[0].headers["user-agent"] == "claude-cli/2.1"


@pytest.mark.case("gateway SU-07")
async def test_other_plans_get_our_own_name(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    await house.client.chat(headers=AGENT)
    assert house.seen()[0].headers["user-agent"].startswith("perilune/")
    assert not [name for name in house.seen()[0].headers if name.startswith("x-msh")]


@pytest.mark.case("gateway SU-08")
async def test_a_continued_stored_response_is_refused(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    answer = await house.client.responses(previous_response_id="resp_1")
    assert (answer.status, answer.error["code"]) == (400, "PL-UNSUPPORTED")
    assert house.seen() == []


@pytest.mark.case("gateway SU-09")
async def test_unknown_paths_name_the_nearest(build: Build) -> None:
    client = build().client
    twice = await client.request("POST", "/v1/v1/chat/completions", {})
    assert (twice.status, twice.error["code"]) == (404, "PL-404-PATH")
    assert "/v1 twice" in twice.error["message"]
    other = await client.request("POST", "/v1/foo", {})
    assert (other.status, other.error["code"]) == (404, "PL-404-PATH")
    assert "/v1/" in other.error["message"]
    typed = await client.request("POST", "/anthropic/v1/mesages", {})
    assert typed.json["type"] == "error"
    assert "/v1/messages" in typed.json["error"]["message"]


@pytest.mark.case("gateway SU-10")
async def test_the_international_region_has_its_own_host(build: Build) -> None:
    house = build(route("intl/kimi-for-coding"))
    assert (await house.client.messages()).status == 200
    assert {seen.host for seen in house.seen()} == {"api.kimi.ai"}


@pytest.mark.case("gateway SU-11")
async def test_one_model_of_two_slots_can_what_both_can(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.6", "work/kimi-for-coding"))
    from perilune.catalog.models import Model

    seeing = Model(id="kimi-k2.6", plans=("moonshot",), context=262_144, inputs=("image",))
    blind = Model(id="kimi-k2.6", plans=("moonshot",), context=131_072)
    known = {"ci": seeing, "lab": blind}
    house.readings.traits = lambda account, plan, model: known.get(account)
    listed = (await house.client.request("GET", "/v1/models")).json["data"]
    entry = next(one for one in listed if one["id"] == "kimi-k2.6")
    assert [one["id"] for one in listed] == ["kimi-k2.6", "kimi-for-coding"]
    assert (entry["supports_image_in"], entry["context_length"]) == (False, 131_072)
    single = await house.client.request("GET", "/coding/v1/models/kimi-k2.6")
    assert single.json["id"] == "kimi-k2.6"
    assert (await house.client.request("GET", "/v1/models/none")).status == 404


@pytest.mark.case("gateway SU-12")
async def test_a_vendors_key_sent_by_a_client_goes_nowhere(build: Build, caplog) -> None:
    house = build(route("ci/kimi-k2.6"))
    caplog.set_level("DEBUG")
    answer = await house.client.chat(headers={"authorization": "Bearer sk-kimi-abc"})
    assert answer.status == 200
    assert house.rows.requests[0].owner == "local"
    assert "sk-kimi-abc" not in caplog.text
    assert "sk-kimi-abc" not in str([seen.headers for seen in house.seen()])
    assert house.seen()[0].account == "moonshot-intl"


@pytest.mark.case("gateway SU-13")
async def test_counting_falls_back_and_remembers(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    house.world.behave(serves_count_tokens=False)
    body = {"model": "kimi-for-coding", "messages": [{"role": "user", "content": "How many tokens is this?"}]}
    for _ in range(3):
        answer = await house.client.request("POST", "/v1/messages/count_tokens", body)
        assert (answer.status, answer.headers["x-perilune-estimate"]) == (200, "local")
        assert answer.json["input_tokens"] > 0
    assert len(house.world.requests(path="*count_tokens")) == 1
    house.clock.advance(24 * 3600 + 1)
    await house.client.request("POST", "/v1/messages/count_tokens", body)
    assert len(house.world.requests(path="*count_tokens")) == 2
    assert house.admission.state("work").oldest_lease_age_s is None


async def test_counts_come_from_the_vendor_where_it_counts(build: Build) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "How many tokens is this?"}]}
    same = await build(route("work/kimi-for-coding")).client.request("POST", "/v1/messages/count_tokens", body)
    assert same.headers["x-perilune-estimate"] == "upstream"
    house = build(route("ci/kimi-k2.6"))
    own = await house.client.request("POST", "/v1/tokenizers/estimate-token-count", body)
    assert (own.headers["x-perilune-estimate"], own.json["data"]["total_tokens"] > 0) == ("tokenizer", True)


@pytest.mark.case("gateway SU-14")
@pytest.mark.parametrize("version", [{"anthropic-version": "2026-10-21"}, {}])
async def test_any_version_is_accepted(build: Build, version: dict[str, str]) -> None:
    house = build(route("work/kimi-for-coding"))
    answer = await house.client.request("POST", "/v1/messages?beta=true", MESSAGE, version)
    assert answer.status == 200
    assert house.seen()[0].headers["anthropic-version"] == version.get("anthropic-version", "2023-06-01")


MESSAGE = {"model": "kimi-for-coding", "max_tokens": 64, "messages": [{"role": "user", "content": "ping"}]}


@pytest.mark.parametrize("prefix", ["/coding", "/anthropic"])
async def test_vendor_paths_are_aliases(build: Build, prefix: str) -> None:
    house = build(route("work/kimi-for-coding"))
    assert (await house.client.request("POST", f"{prefix}/v1/messages", MESSAGE)).status == 200


@pytest.mark.case("gateway SE-02")
async def test_strange_hosts_and_origins_are_refused(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    host = await house.client.chat(headers={"host": "evil.example"})
    assert (host.status, host.error["code"]) == (403, "PL-WEB-HOST")
    origin = await house.client.chat(headers={"origin": "https://evil.example"})
    assert (origin.status, origin.error["code"]) == (403, "PL-WEB-ORIGIN")
    own = await house.client.chat(headers={"origin": "http://127.0.0.1:8787"})
    assert own.status == 200
    assert len(house.seen()) == 1


@pytest.mark.case("gateway SE-05")
async def test_nothing_of_the_clients_own_leaves(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    sent = {
        "cookie": "c=1",
        "x-forwarded-for": "10.0.0.9",
        "forwarded": "for=10.0.0.9",
        "via": "x",
        "authorization": "Bearer other",
        "x-stainless-lang": "python",
        "x-session-id": "s-1",
        "x-perilune-priority": "batch",
        "anthropic-beta": "b",
    }
    await house.client.messages(headers=sent)
    seen = house.seen()[0].headers
    allowed = {
        "host",
        "content-type",
        "accept",
        "accept-encoding",
        "user-agent",
        "authorization",
        "anthropic-version",
        "content-length",
    }
    assert set(seen) == allowed
    assert seen["accept-encoding"] == "identity"


@pytest.mark.case("gateway SE-06")
async def test_nothing_of_the_vendors_own_comes_back(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.queue_fault(path="*", headers={"set-cookie": "a=b", "server": "x", "msh-org-id": "org-1"})
    answer = await house.client.chat()
    assert not {"set-cookie", "server", "msh-org-id", "msh-uid", "msh-gid", "msh-project-id"} & set(answer.headers)
    assert {"x-perilune-request-id", "x-perilune-route", "x-perilune-account", "x-perilune-attempts"} <= set(
        answer.headers
    )


@pytest.mark.case("gateway SE-07")
async def test_two_lengths_are_refused_in_front(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    base = [(b"host", b"127.0.0.1")]
    for lengths in ([b"4", b"4"], [b"4"]):
        raw = base + [(b"content-length", length) for length in lengths]
        raw += [(b"transfer-encoding", b"chunked")] if len(lengths) == 1 else []
        answer = await house.client.request("POST", "/v1/chat/completions", {}, raw_headers=raw)
        assert answer.status == 400
    assert house.seen() == []


@pytest.mark.case("gateway SE-08")
async def test_limits_of_body_and_head(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    large = await house.client.request("POST", "/v1/chat/completions", b"x" * (33 * 1024 * 1024))
    assert (large.status, large.error["code"]) == (413, "PL-400-BODY")
    many = [(b"host", b"127.0.0.1"), *((f"x-{n}".encode(), b"1") for n in range(101))]
    assert (await house.client.request("POST", "/v1/chat/completions", {}, raw_headers=many)).status == 431
    long = await house.client.request("POST", "/v1/chat/completions?" + "x" * 9000, {})
    assert long.status == 414
    packed = await house.client.chat(headers={"content-encoding": "gzip"})
    assert packed.status == 415


async def test_a_key_of_ours_must_be_right_even_on_loopback(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    answer = await house.client.chat(headers={"authorization": "Bearer plk_nothing1234"})
    assert (answer.status, answer.error["code"]) == (401, "PL-GW-KEY")
    assert answer.headers["x-should-retry"] == "false"
    assert "1234" in answer.error["message"]
    assert house.seen() == []


async def test_beyond_loopback_a_key_or_the_token_is_needed(build: Build) -> None:
    from perilune.core.secret import Secret

    house = build(route("ci/kimi-k2.6", gateway='listen = "0.0.0.0:8787"\nhosts = ["box.lan"]'), token=Secret("t" * 20))
    host = {"host": "box.lan:8787"}
    assert (await house.client.chat(headers=host)).status == 401
    assert (await house.client.chat(headers=host | {"x-api-key": "t" * 20})).status == 200


@pytest.mark.case("gateway PA-14")
async def test_a_key_that_stands_twice_is_refused(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    body = b'{"model":"a","model":"b","messages":[]}'
    answer = await house.client.request("POST", "/v1/chat/completions", body)
    assert (answer.status, answer.error["code"]) == (400, "PL-BODY-INVALID")


async def test_no_route_and_no_account_are_told_apart(build: Build) -> None:
    only = build(route("ci/kimi-k2.6", extra='match = ["kimi-*"]'))
    answer = await only.client.chat(model="gpt-5")
    assert (answer.status, answer.error["code"]) == (404, "PL-GW-ROUTE")
    assert answer.error["message"] == "No route takes model 'gpt-5'. Routes: default (kimi-*)."
    assert KEYS["ci"] not in str(answer.json)
    nothing = build("[gateway]\n")
    assert (await nothing.client.chat()).error["code"] == "PL-GW-ROUTE"


async def test_a_fault_of_ours_is_told_in_the_dialect_and_frees_the_lease(build: Build, monkeypatch, caplog) -> None:
    house = build(route("ci/kimi-k2.6"))

    async def broken(asking):
        raise RuntimeError("sk-secretsecret")

    monkeypatch.setattr(house.gateway.core.services.dispatcher, "send", broken)
    answer = await house.client.messages()
    assert (answer.status, answer.error["code"], answer.json["type"]) == (500, "PL-BUG", "error")
    assert "sk-secret" not in answer.body.decode()
    assert house.in_flight() == 0
    assert house.rows.requests[0].code == "PL-BUG"
    assert caplog.records


async def test_a_key_of_another_plan_is_named(build: Build) -> None:
    from perilune.core.secret import Secret

    house = build(route("ci/kimi-k2.6"), secrets={"ci": Secret(KEYS["work"])})
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"]) == (403, "PL-401-HOST")
    assert "looks like a key of Kimi Code" in answer.error["message"]
    assert {seen.host for seen in house.seen()} == {"api.moonshot.ai"}


async def test_a_listed_private_endpoint_is_reached_and_an_unlisted_one_is_not(build: Build, sandbox) -> None:
    own = (
        f'[[accounts]]\nname = "own"\nplan = "openai-compatible"\nbase_url = "{sandbox.url}/llm.example/v1"\n[gateway]'
    )
    config = route("own/local-model", gateway="allow_private = []").replace("[gateway]", own)
    refused = build(config, guarded=True)
    assert (await refused.client.chat()).status == 503
    assert refused.seen() == []
    listed = build(config.replace("[]", '["127.0.0.0/8"]', 1), guarded=True)
    answer = await listed.client.chat()
    assert answer.status == 200, answer.body
