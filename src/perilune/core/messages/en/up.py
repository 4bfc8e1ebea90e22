"""`perilune up`."""

MESSAGES = {
    "up.ready": "perilune {version} · {url}   ({reach})",
    "up.reach_local": "this machine only, no login",
    "up.reach_network": "token required",
    "up.in_clear": (
        "listening on {listen}: token required; keys, prompts and answers cross the network in clear\n(no TLS here)"
    ),
    "up.gateway": "  gateway    /v1   3 dialects, {routes}",
    "up.routes_none": "no route yet",
    "up.routes_one": "1 route: {route}",
    "up.routes_many": "{count} routes: {route} …",
    "up.caps": "{route}, cap {caps}",
    "up.and": " and ",
    "up.dashboard": "  dashboard  {url}/",
    "up.monitor": "  monitor    {count} accounts, every {minutes} min",
    "up.monitor_one": "  monitor    1 account, every {minutes} min",
    "up.reviews_hooks": "  reviews    webhooks on {paths}",
    "up.reviews": "  reviews    worker idle, no webhook configured",
    "up.point": "Point a tool here: perilune gateway env claude|codex|opencode|kimi|sh",
    "up.demo": "DEMO: no real account is used; the sandbox inside this program plays every number.",
    "up.demo_no_key": "No key yet, so the page shows a marked demo. Paste a key there, or: perilune add",
    "up.terms": "{account}: {plan} is reserved for one person's own development work",
}
