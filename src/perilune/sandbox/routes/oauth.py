"""The sign-in host: the device flow and its rotating tokens."""

from typing import Any

from perilune.sandbox.accounts import Membership
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.logins import Token
from perilune.sandbox.routes.call import Call

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_SITES = {"cn": "https://www.kimi.com", "intl": "https://www.kimi.ai"}


class SignIn:
    """Plays one region's sign-in host."""

    def __init__(self, region: str | None) -> None:
        self.region = region or "cn"

    def start(self, call: Call) -> Reply:
        if not call.request.form().get("client_id"):
            return _error("invalid_client")
        logins = call.world.logins
        device = logins.start(call.now)
        address = f"{_SITES[self.region]}/code/authorize_device"
        body = {
            "user_code": device.user_code,
            "device_code": device.device_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={device.user_code}",
            "expires_in": logins.settings.expires_in,
            "interval": device.interval,
        }
        return Reply.json(body)

    def token(self, call: Call) -> Reply:
        form, logins = call.request.form(), call.world.logins
        if form.get("grant_type") == "refresh_token":
            token = logins.refresh(form.get("refresh_token", ""), call.now)
            return _error("invalid_grant") if token is None else self._told(call, token)
        if form.get("grant_type") != _DEVICE:
            return _error("unsupported_grant_type")
        word = logins.poll(form.get("device_code", ""), call.now)
        return _error(word) if word != "ok" else self._told(call, logins.issue(self._account(call), call.now))

    def _told(self, call: Call, token: Token) -> Reply:
        body: dict[str, Any] = {"access_token": token.access, "refresh_token": token.refresh}
        body |= {"expires_in": call.world.logins.settings.token_life_s, "scope": "kimi-code", "token_type": "Bearer"}
        return Reply.json(body)

    def _account(self, call: Call) -> str:
        """Whose login it is: the scenario's choice, else the region's first membership."""
        chosen = call.world.logins.settings.account
        members = [
            name
            for name, account in call.world.accounts.items()
            if isinstance(account, Membership) and account.region == self.region
        ]
        return chosen or next(iter(members), "")


def _error(word: str) -> Reply:
    return Reply.json({"error": word, "error_description": word.replace("_", " ")}, 400)
