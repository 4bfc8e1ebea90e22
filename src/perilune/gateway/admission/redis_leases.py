"""Leases kept by Redis or Valkey: one sorted set per group, each member a live lease with its end by the server's time.

Every change is one script, so that two hosts never see the same free place.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

EXPIRY_MS = 30_000
HOST_EXPIRY_MS = 45_000
_WAITING_MS = 200
_HOSTS = "perilune:hosts"
_WAKING = "perilune:wake:"

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_TAKE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
local cap, reserved = tonumber(ARGV[1]), tonumber(ARGV[2])
if #members >= cap then return -1 end
local taken = {{}}
for _, member in ipairs(members) do taken[tonumber(string.match(member, '^%d+'))] = true end
local function free(first, last)
  for place = first, last do if not taken[place] then return place end end
end
local place = ARGV[3] == '1' and free(cap - reserved, cap - 1) or nil
place = place or free(0, cap - reserved - 1)
if not place then return -1 end
redis.call('ZADD', KEYS[1], now + {EXPIRY_MS}, place .. ':' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], {2 * EXPIRY_MS})
return place
"""
_PROLONG = f"""{_NOW}
local gone = {{}}
for _, member in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], member) then redis.call('ZADD', KEYS[1], now + {EXPIRY_MS}, member)
  else gone[#gone + 1] = member end
end
redis.call('PEXPIRE', KEYS[1], {2 * EXPIRY_MS})
return gone
"""
_PUT_BACK = f"""{_NOW}
for _, member in ipairs(ARGV) do redis.call('ZADD', KEYS[1], now + {EXPIRY_MS}, member) end
redis.call('PEXPIRE', KEYS[1], {2 * EXPIRY_MS})
return #ARGV
"""
_DROP = """
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local id = string.match(member, ':(.*)$')
  for _, dropped in ipairs(ARGV) do
    if id == dropped then redis.call('ZREM', KEYS[1], member) end
  end
end
return 0
"""
_MARK = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + {_WAITING_MS}, ARGV[1])
redis.call('PEXPIRE', KEYS[1], {10 * _WAITING_MS})
return redis.call('ZCARD', KEYS[1]) - 1
"""
_GREET = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + {HOST_EXPIRY_MS}, ARGV[1])
return redis.call('ZCARD', KEYS[1])
"""
_GIVE_BACK = f"""{_NOW}
redis.call('ZREM', KEYS[1], ARGV[1])
local waiting = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')
local others = {{}}
for _, mark in ipairs(waiting) do if mark ~= ARGV[2] then others[#others + 1] = mark end end
if #others == 0 then return 0 end
redis.call('PUBLISH', '{_WAKING}' .. others[1 + tonumber(ARGV[3]) % #others], ARGV[4])
return 1
"""
_OCCUPIED = f"""{_NOW}
return redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')
"""


class Held(NamedTuple):
    """One lease of ours: the place it stands on and its id."""

    place: int
    lease_id: str

    @property
    def member(self) -> str:
        return f"{self.place}:{self.lease_id}"


class RedisLeases:
    """What is asked of the server. Every call waits at most `timeout_s`.

    Raises: every method the client's own errors; nothing is tried twice.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._client = _client(url, timeout_s)
        self._listening: Any = None
        self._scripts = {
            name: self._client.register_script(text)
            for name, text in {
                "take": _TAKE, "prolong": _PROLONG, "put_back": _PUT_BACK, "drop": _DROP, "mark": _MARK,
                "greet": _GREET, "occupied": _OCCUPIED, "give_back": _GIVE_BACK,
            }.items()
        }  # fmt: skip

    def take(self, group: str, cap: int, reserved: int, lease_id: str, *, may_use_reserved: bool) -> int | None:
        """A place of the group, None when none is free."""
        place = int(self._run("take", _leases(group), cap, reserved, int(may_use_reserved), lease_id))
        return None if place < 0 else place

    def give_back(self, group: str, held: Held, mark: str) -> None:
        """Free a place, and wake one other process that waits for it."""
        arguments = [held.member, mark, int(held.lease_id[:6], 16), group]
        self._scripts["give_back"](keys=[_leases(group), _waiting(group)], args=arguments)

    def drop(self, group: str, lease_ids: Collection[str]) -> None:
        """Free the places of leases of which only the id is known: the answer to their taking never came."""
        self._run("drop", _leases(group), *lease_ids)

    def prolong(self, group: str, held: Collection[Held]) -> list[Held]:
        """Move the end of leases; those that are gone."""
        gone = {_text(member) for member in self._run("prolong", _leases(group), *(one.member for one in held))}
        return [one for one in held if one.member in gone]

    def put_back(self, group: str, held: Collection[Held]) -> None:
        """Count leases that the server does not know, whatever the cap says: they are live."""
        self._run("put_back", _leases(group), *(one.member for one in held))

    def others_wait(self, group: str, mark: str) -> int:
        """Say that a process waits, and hear how many others do."""
        return int(self._run("mark", _waiting(group), mark))

    def woken(self, mark: str, timeout_s: float) -> str | None:
        """Wait for the next waking of a process; the group it is about, None when there was none in that time."""
        if self._listening is None:
            self._listening = self._client.pubsub(ignore_subscribe_messages=True)
            self._listening.subscribe(_WAKING + mark)
        message = self._listening.get_message(timeout=timeout_s)
        return None if message is None else _text(message["data"])

    def greet(self, host: str) -> int:
        """Say that a host is there; how many there are."""
        return int(self._run("greet", _HOSTS, host))

    def part(self, host: str) -> None:
        """Say that a host is there no more."""
        self._client.zrem(_HOSTS, host)

    def occupied(self, group: str) -> int:
        """How many leases are live."""
        return int(self._run("occupied", _leases(group)))

    def wake(self, mark: str) -> None:
        """Wake a process that waits in `woken`."""
        self._client.publish(_WAKING + mark, "")

    def close(self) -> None:
        """Close the connection."""
        if self._listening is not None:
            self._listening.close()
        self._client.close()

    def _run(self, name: str, key: str, *arguments: object) -> Any:
        return self._scripts[name](keys=[key], args=list(arguments))


def errors() -> tuple[type[Exception], ...]:
    """What the client raises when the server cannot be asked or does not understand."""
    from redis.exceptions import RedisError

    return (RedisError, OSError)


def of_group(held: Mapping[tuple[str, int], Held], group: str) -> list[Held]:
    """The leases of one group."""
    return [one for (name, _), one in held.items() if name == group]


def _leases(group: str) -> str:
    return f"perilune:leases:{group}"


def _waiting(group: str) -> str:
    return f"perilune:waiting:{group}"


def _text(member: bytes | str) -> str:
    return member.decode() if isinstance(member, bytes) else member


def _client(url: str, timeout_s: float) -> Any:
    """One connection that is never repaired behind our back: a repair could take longer than a request may wait."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
    )
