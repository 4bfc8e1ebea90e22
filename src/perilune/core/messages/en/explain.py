"""The long form of codes whose short form does not say it all, and the labels of the page."""

MESSAGES = {
    "explain.exit": "exit {status}",
    "explain.what": "What",
    "explain.seen": "Seen as",
    "explain.does": "Does",
    "explain.can": "You can",
    "explain.see": "See also",
    "explain.PL-QUOTA-5H.title": "the 5-hour window of a Kimi Code plan is spent",
    "explain.PL-QUOTA-5H.what": "The server refuses requests until the window's reset.",
    "explain.PL-QUOTA-5H.seen": '403 access_terminated_error "… 5-hour usage limit …"; older: 429; or\n'
    '"billing cycle" wording while usages shows the 5-hour window full.',
    "explain.PL-QUOTA-5H.does": "The gateway leaves this account until the reset and uses the next\n"
    'slot. Nothing is retried before. status shows "spent".',
    "explain.PL-QUOTA-5H.can": "wait (free) · use a fallback · buy extra usage · take a larger plan",
    "explain.PL-QUOTA-5H.see": "PL-QUOTA-7D, PL-QUOTA-MONTH, PL-QUOTA-UNKNOWN",
}
