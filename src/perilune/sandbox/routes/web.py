"""The vendor's web site: what its own console asks with a browser's session."""

import re

from perilune.sandbox.accounts import Membership
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.refusals import Refusal, Refused
from perilune.sandbox.routes import usages
from perilune.sandbox.routes.call import Call

_UNAUTHENTICATED = Refusal(status=401, kind="unauthenticated", message="unauthenticated")


class Web:
    """Plays one region's web site."""

    def __init__(self, region: str | None) -> None:
        self.region = region

    def visitor(self, call: Call) -> Membership:
        """The membership of the session; cookie and bearer must be the same token. Raises: Refused (401)."""
        cookie = re.search(r"(?:^|;\s*)kimi-auth=([^;\s]+)", call.request.header("cookie"))
        token = call.secret
        account = call.world.accounts.get(call.entry.account)
        if cookie is None or cookie[1] != token or not isinstance(account, Membership):
            raise Refused(_UNAUTHENTICATED)
        if token not in account.web_sessions or (self.region not in (None, account.region)):
            raise Refused(_UNAUTHENTICATED)
        return account

    def usages(self, call: Call) -> Reply:
        visitor = self.visitor(call)
        body = call.request.json() if call.request.body else {}
        if "FEATURE_CODING" not in (body.get("scope") or []):
            return Reply.json({"usages": []})
        return Reply.json(usages.web_usages(visitor, call.now, call.world.behaviour))

    def stats(self, call: Call) -> Reply:
        return Reply.json(usages.web_stats(self.visitor(call), call.now, call.world.behaviour))

    def subscription(self, call: Call) -> Reply:
        return Reply.json(usages.web_subscription(self.visitor(call), call.now, call.world.behaviour))
