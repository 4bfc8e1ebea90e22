"""Device logins: codes waiting for approval, tokens, refresh tokens that rotate."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from perilune.sandbox.scenario import Login

_CODE_LETTERS = "ABCDEFGH"


class Device(Struct, kw_only=True):
    """One login under way."""

    device_code: str
    user_code: str
    expires_at: datetime
    interval: int
    state: Literal["pending", "approved", "denied", "used"] = "pending"
    polls: int = 0
    polled_at: datetime | None = None


class Token(Struct, kw_only=True):
    """One pair that was handed out."""

    access: str
    refresh: str
    expires_at: datetime
    account: str
    is_refreshable: bool = True


class Logins:
    """Everything the sign-in host knows."""

    def __init__(self, settings: Login) -> None:
        self.settings = settings
        self.devices: dict[str, Device] = {}
        self.tokens: list[Token] = []

    def start(self, now: datetime) -> Device:
        number = len(self.devices) + 1
        letters = _CODE_LETTERS[number % 8 :] + _CODE_LETTERS[: number % 8]
        device = Device(
            device_code=f"dev-{number:04d}",
            user_code=f"{letters[:4]}-{letters[4:]}",
            expires_at=now + timedelta(seconds=self.settings.expires_in),
            interval=self.settings.interval,
        )
        self.devices[device.device_code] = device
        return device

    def decide(self, user_code: str, *, approve: bool) -> bool:
        """Approves or denies by user code; False when there is no such login."""
        for device in self.devices.values():
            if device.user_code == user_code and device.state == "pending":
                device.state = "approved" if approve else "denied"
                return True
        return False

    def poll(self, device_code: str, now: datetime) -> str:
        """`ok` once approved, else the OAuth error word."""
        device = self.devices.get(device_code)
        if device is None or device.state == "used":
            return "invalid_grant"
        if device.state == "denied":
            return "access_denied"
        if now >= device.expires_at:
            return "expired_token"
        is_hasty = device.polled_at is not None and (now - device.polled_at).total_seconds() < device.interval - 0.5
        device.polled_at = now
        device.polls += 1
        after = self.settings.auto_approve_after
        if after is not None and device.polls > after:
            device.state = "approved"
        if self.settings.enforces_interval and is_hasty:
            device.interval += 5
            return "slow_down"
        if device.state == "pending":
            return "authorization_pending"
        device.state = "used"
        return "ok"

    def issue(self, account: str, now: datetime) -> Token:
        number = len(self.tokens) + 1
        token = Token(
            access=f"at-{number:04d}",
            refresh=f"rt-{number:04d}",
            expires_at=now + timedelta(seconds=self.settings.token_life_s),
            account=account,
        )
        self.tokens.append(token)
        return token

    def refresh(self, refresh_token: str, now: datetime) -> Token | None:
        """A new pair; the old refresh token works no more."""
        for token in self.tokens:
            if token.refresh == refresh_token and token.is_refreshable:
                token.is_refreshable = False
                return self.issue(token.account, now)
        return None

    def account_of(self, access: str, now: datetime) -> str | None:
        return next((token.account for token in self.tokens if token.access == access and now < token.expires_at), None)
