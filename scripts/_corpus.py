"""Writes the replay corpus: generated changes with seeded defects in ten languages, and changes of our own history."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "corpus" / "replay"
NAMES = ("basket", "refund", "invoice", "stock", "parcel", "coupon", "ledger")
SHAPES: dict[str, tuple[str, str, str, str, str, str, str]] = {
    # ending: opening, guard, first value, loop, call that is added, return, closing
    "py": (
        "def {n}_total(items):",
        "    if not {n}_items(items):\n        return 0",
        "    {n} = items[{i}]",
        "    for item in items:\n        {n} += item.{n}",
        "    audit_row(items)",
        "    return {n}",
        "",
    ),
    "js": (
        "function {n}Total(items) {{",
        "  if (!{n}Items(items)) {{\n    return 0;\n  }}",
        "  let {n} = items[{i}];",
        "  for (const item of items) {{\n    {n} += item.{n};\n  }}",
        "  auditRow(items);",
        "  return {n};",
        "}}",
    ),
    "ts": (
        "export function {n}Total(items: Row[]): number {{",
        "  if (!{n}Items(items)) {{\n    return 0;\n  }}",
        "  let {n}: number = items[{i}].value;",
        "  for (const item of items) {{\n    {n} += item.{n};\n  }}",
        "  auditRow(items);",
        "  return {n};",
        "}}",
    ),
    "go": (
        "func {n}Total(items []Row) int {{",
        "\tif !{n}Items(items) {{\n\t\treturn 0\n\t}}",
        "\t{n} := items[{i}].Value",
        "\tfor _, item := range items {{\n\t\t{n} += item.{n}\n\t}}",
        "\tauditRow(items)",
        "\treturn {n}",
        "}}",
    ),
    "java": (
        "    int {n}Total(List<Row> items) {{",
        "        if (!{n}Items(items)) {{\n            return 0;\n        }}",
        "        int {n} = items.get({i}).value;",
        "        for (Row item : items) {{\n            {n} += item.{n};\n        }}",
        "        auditRow(items);",
        "        return {n};",
        "    }}",
    ),
    "rs": (
        "fn {n}_total(items: &[Row]) -> i64 {{",
        "    if !{n}_items(items) {{\n        return 0;\n    }}",
        "    let mut {n} = items[{i}].value;",
        "    for item in items {{\n        {n} += item.{n};\n    }}",
        "    audit_row(items);",
        "    {n}",
        "}}",
    ),
    "rb": (
        "def {n}_total(items)",
        "  return 0 unless {n}_items(items)\n  check_{n}(items)",
        "  {n} = items[{i}].value",
        "  items.each do |item|\n    {n} += item.{n}\n  end",
        "  audit_row(items)",
        "  {n} * 1",
        "end",
    ),
    "c": (
        "int {n}_total(struct row *items, int count) {{",
        "  if (!{n}_items(items)) {{\n    return 0;\n  }}",
        "  int {n} = items[{i}].value;",
        "  for (int at = 0; at < count; at++) {{\n    {n} += items[at].{n};\n  }}",
        "  audit_row(items);",
        "  return {n};",
        "}}",
    ),
    "kt": (
        "fun {n}Total(items: List<Row>): Int {{",
        "    if (!{n}Items(items)) {{\n        return 0\n    }}",
        "    var {n} = items[{i}].value",
        "    for (item in items) {{\n        {n} += item.{n}\n    }}",
        "    auditRow(items)",
        "    return {n}",
        "}}",
    ),
    "php": (
        "function {n}Total($items) {{",
        "    if (!{n}Items($items)) {{\n        return 0;\n    }}",
        "    ${n} = $items[{i}];",
        "    foreach ($items as $item) {{\n        ${n} += $item->{n};\n    }}",
        "    auditRow($items);",
        "    return ${n};",
        "}}",
    ),
}
FIRST = {"go": "package shop\n\n", "php": "<?php\n\n", "java": "class Shop {\n\n"}
LAST = {"java": "}\n"}


def function(ending: str, name: str, *, changed: str = "") -> str:
    """One function, whole or with one defect: a guard gone, a wrong index, a call added, or three lines added."""
    opening, guard, value, loop, call, returned, closing = SHAPES[ending]
    parts = [opening, guard, value, loop, returned, closing]
    if changed == "guard":
        parts.remove(guard)
    if changed == "call":
        parts.insert(4, call)
    if changed == "lines":
        parts.insert(4, "\n".join(call.replace("audit", word + "_") for word in ("first", "second", "third")))
    index = 1 if changed == "index" else 0
    return "\n".join(part.format(n=name, i=index) for part in parts if part) + "\n"


def module(ending: str, changes: dict[str, str]) -> str:
    """A module of seven functions."""
    bodies = [function(ending, name, changed=changes.get(name, "")) for name in NAMES]
    return FIRST.get(ending, "") + "\n\n".join(bodies) + LAST.get(ending, "")


def generated(ending: str) -> dict[str, Any]:
    """A change with five defects, and one place outside it."""
    path = f"src/shop.{ending}"
    changes = {
        "basket": "guard",
        "refund": "index",
        "invoice": "lines",
        "stock": "call",
        "parcel": "call",
        "coupon": "call",
    }
    base, head = module(ending, {}), module(ending, changes)
    shape = SHAPES[ending]
    guard = shape[1].format(n="basket")
    call, index = shape[4].format(), shape[2].format(n="refund", i=1)
    lines = "\n".join(call.replace("audit", word + "_") for word in ("first", "second", "third"))
    calls = [number for number, line in enumerate(head.split("\n"), 1) if line == call]
    outside = shape[5].format(n="ledger")
    goldens = [
        golden(path, "old", base, guard, "The guard is gone"),
        golden(path, "new", head, index, "The first row is skipped")
        | {"replacement": shape[2].format(n="refund", i=0)},
        golden(path, "new", head, lines, "Three calls where one was meant") | {"replacement": call},
        golden(path, "new", head, call, "The row is audited twice", at=calls[1]),
        golden(path, "new", head, outside, "The unchanged sum overflows") | {"place": "outside"},
    ]
    negatives = [
        golden(path, "new", head, shape[3].format(n=name), f"The loop over {name} never ends")
        for name in ("refund", "stock")
    ]
    return entry(f"generated-{ending}", ending, {path: base}, [(({path: head}), goldens, negatives)])


def golden(path: str, side: str, text: str, quote: str, title: str, at: int | None = None) -> dict[str, Any]:
    """A comment whose place is known."""
    rows, wanted = text.split("\n"), quote.split("\n")
    places = [number for number in range(1, len(rows) + 1) if rows[number - 1 : number - 1 + len(wanted)] == wanted]
    start = at if at is not None else places[0]
    if start not in places:
        raise ValueError(quote)
    return {
        "path": path, "side": side, "start_line": start, "end_line": start + len(wanted) - 1, "quote": quote,
        "text": title, "category": "bug", "place": "hunk",
    }  # fmt: skip


def entry(
    name: str,
    language: str,
    base: dict[str, str],
    heads: Sequence[tuple[dict[str, str | None], list[dict[str, Any]], list[dict[str, Any]]]],
    source: str = "generated",
) -> dict[str, Any]:
    """One entry of the corpus."""
    return {
        "name": name, "source": source, "licence": "Apache-2.0", "language": language, "base": base,
        "heads": [{"files": files, "goldens": good, "negatives": bad} for files, good, bad in heads],
    }  # fmt: skip


def with_two_heads(ending: str) -> dict[str, Any]:
    """A change, and a second push: lines above, one defect put right, the others still there."""
    made = generated(ending)
    path = f"src/shop.{ending}"
    first = made["heads"][0]
    comment = "# " if ending in ("py", "rb") else "// "
    changes = {"basket": "guard", "invoice": "lines", "stock": "call", "parcel": "call", "coupon": "call"}
    above = "".join(f"{comment}a note that moves everything down, number {number}\n" for number in range(30))
    head = module(ending, changes)
    cut = len(FIRST.get(ending, ""))
    head = head[:cut] + above + head[cut:]
    still = [one for one in first["goldens"] if one["place"] == "hunk" and one["text"] != "The first row is skipped"]
    moved = [
        one if one["side"] == "old" else one | {"start_line": one["start_line"] + 30, "end_line": one["end_line"] + 30}
        for one in still
    ]
    return entry(f"two-heads-{ending}", ending, made["base"], [
        (first["files"], [one for one in first["goldens"] if one["place"] == "hunk"], first["negatives"]),
        ({path: head}, moved, []),
    ])  # fmt: skip


def renamed(ending: str) -> dict[str, Any]:
    """A file that moves and changes."""
    made = generated(ending)
    old, new = f"src/shop.{ending}", f"lib/store.{ending}"
    head = made["heads"][0]
    goldens = [one | {"path": new} for one in head["goldens"]]
    negatives = [one | {"path": new} for one in head["negatives"]]
    files = {old: None, new: head["files"][old]}
    return entry(f"renamed-{ending}", ending, made["base"], [(files, goldens, negatives)])


def large(ending: str, count: int) -> dict[str, Any]:
    """More than a hundred files, one changed line each."""
    shape = SHAPES[ending]
    base: dict[str, str] = {}
    files: dict[str, str | None] = {}
    goldens = []
    for number in range(count):
        path = f"src/part{number % 12}/module{number}.{ending}"
        name = f"{NAMES[number % len(NAMES)]}{number}"
        base[path] = FIRST.get(ending, "") + function(ending, name) + LAST.get(ending, "")
        files[path] = head = FIRST.get(ending, "") + function(ending, name, changed="index") + LAST.get(ending, "")
        if number % 15 == 0:
            goldens.append(
                golden(path, "new", head, shape[2].format(n=name, i=1), f"Row one of {name} is skipped")
                | {"replacement": shape[2].format(n=name, i=0)}
            )
    negatives = [one | {"text": f"{one['text']} for ever", "quote": one["quote"]} for one in goldens[:2]]
    return entry(f"large-{ending}", ending, base, [(files, goldens[2:], negatives)])


def own(count: int) -> Iterator[dict[str, Any]]:
    """Small changes of our own history, with comments on changed lines."""
    found = 0
    for commit in _git("rev-list", "--no-merges", "--reverse", "HEAD", "--", "src").split():
        changed = [line.split("\t") for line in _git("show", "--format=", "--name-status", "-M", commit).splitlines()]
        sources = [row for row in changed if row[-1].startswith("src/") and row[-1].endswith(".py")]
        if not 2 <= len(sources) <= 4 or any(row[0] != "M" for row in sources):
            continue
        base = {row[1]: _git("show", f"{commit}^:{row[1]}") for row in sources}
        head: dict[str, str | None] = {row[1]: _git("show", f"{commit}:{row[1]}") for row in sources}
        goldens = _on_changes(commit, base, head)
        if len(goldens) < 4 or sum(map(len, base.values())) > 40_000:
            continue
        negatives = [
            one | {"text": f"Negative {number}: this is never called"} for number, one in enumerate(goldens[3:6])
        ]
        yield entry(f"own-{found:02}", "py", base, [(head, goldens[:3], negatives)], f"Perilune {commit[:12]}")
        found += 1
        if found == count:
            return


def _on_changes(seed: str, base: dict[str, str], head: dict[str, str | None]) -> list[dict[str, Any]]:
    """Comments on lines that are new and stand nowhere else."""
    every = [line for text in (*base.values(), *head.values()) for line in (text or "").split("\n")]
    found = []
    for path, text in head.items():
        before = base[path].split("\n")
        found += [
            golden(path, "new", text or "", line, f"{' '.join(line.split())[:40].strip()} fails")
            for line in (text or "").split("\n")
            if len(line.strip()) > 24 and every.count(line) == 1 and line not in before
        ]
    random.Random(seed).shuffle(found)  # noqa: S311 - a draw, not a secret
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = {path.name for path in FOLDER.glob("own-*.json")} if "--all" not in sys.argv else set()
    entries = [generated(ending) for ending in SHAPES]
    entries += [with_two_heads(ending) for ending in ("py", "js", "go", "rs", "rb")]
    entries += [renamed(ending) for ending in ("ts", "java", "c", "kt", "php")]
    entries += [large(ending, count) for ending, count in (("py", 105), ("ts", 110), ("go", 120))]
    entries += [] if kept else list(own(10))
    for made in entries:
        text = json.dumps(made, ensure_ascii=False, indent=1)
        (FOLDER / f"{made['name']}.json").write_text(text + "\n", encoding="utf-8")
    files = list(FOLDER.glob("*.json"))
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} entries, {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
