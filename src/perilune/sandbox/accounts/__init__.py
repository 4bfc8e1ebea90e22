"""What the played vendors know of their customers: memberships, organisations, neighbours."""

from perilune.sandbox.accounts.membership import Membership, QuotaWindow, Wallet
from perilune.sandbox.accounts.neighbours import Compatible, DeepSeek, K2Relay, OpenRouter, SiliconFlow, Zai
from perilune.sandbox.accounts.organisation import TIERS, Limits, Organisation

Account = Membership | Organisation | OpenRouter | K2Relay | DeepSeek | SiliconFlow | Zai | Compatible

__all__ = [
    "TIERS",
    "Account",
    "Compatible",
    "DeepSeek",
    "K2Relay",
    "Limits",
    "Membership",
    "OpenRouter",
    "Organisation",
    "QuotaWindow",
    "SiliconFlow",
    "Wallet",
    "Zai",
]
