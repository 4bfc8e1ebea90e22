"""Puts a unit into a prompt, and names what was asked by a hash that leaves out what changes from run to run."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec
from msgspec import Struct, field

from perilune.patches.model import File
from perilune.patches.scene import FileText, file_text, joined
from perilune.review.context import context_numbers
from perilune.review.plan.units import Unit
from perilune.review.ports import Thinking
from perilune.review.prompt import system
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.prompt.fences import draw, fenced, nonce_for, rules_nonce
from perilune.review.prompt.layout import Laid, SecretFound, lay_out, shorten
from perilune.review.prompt.secrets import Redactor

_LANGUAGES = {"en": "English", "zh-CN": "Simplified Chinese"}
_MOST_TEXT = 500
_MOST_NAMES = 50
_MOST_SUBJECT = 200
_RELATED = "\nrelated code at the head, unchanged here, for reading only:"


class Shown(Struct, frozen=True, kw_only=True):
    """A unit as the model sees it: the material, and how to find quotes in it again."""

    unit: Unit
    body: str
    texts: Mapping[str, FileText]
    secrets: tuple[SecretFound, ...] = ()
    related: str = ""


class Excerpt(Protocol):
    """Some lines of a file that a unit leans on, and why they are shown."""

    @property
    def path(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def numbers(self) -> Sequence[int]: ...
    @property
    def lines(self) -> Sequence[str]: ...


class Setting(Struct, frozen=True, kw_only=True):
    """What is equal for all prompts of a run. `surroundings` is material about the run and in no hash."""

    rules: str = ""
    language: str = "en"
    surroundings: str = ""
    local_secret: bytes = b"perilune"
    nonces: Callable[[], str] = field(default_factory=lambda: draw)
    redacts: bool = True


class Prompt(Struct, frozen=True):
    """A prompt and the key its answer is stored by."""

    system: str
    user: str
    key: str


def show(
    unit: Unit,
    heads: Mapping[str, Sequence[str]],
    *,
    redacts: bool = True,
    related: Iterable[Excerpt] = (),
) -> Shown:
    """The files of a unit laid out, with context from their new content where that is known.

    Shape: `related` is code from elsewhere, the most telling first; all context together is no longer than the diff.
    """
    blocks: list[str] = []
    texts: dict[str, FileText] = {}
    secrets: list[SecretFound] = []
    room = rows = 0
    for file in unit.files:
        redactor = Redactor(is_on=redacts)
        laid = lay_out(file, redactor)
        room += len(laid.text.encode())
        around, used = _context(file, heads.get(file.name), redactor, room)
        room -= used
        texts[file.name] = _merged(texts.get(file.name), laid, heads.get(file.name), rows)
        blocks.append(laid.text + around)
        rows += blocks[-1].count("\n") + 1
        secrets += laid.secrets
    leaned = _related(related, Redactor(is_on=redacts), room)
    return Shown(unit=unit, body="\n".join(blocks), texts=texts, secrets=tuple(secrets), related=leaned)


def _related(excerpts: Iterable[Excerpt], redactor: Redactor, room: int) -> str:
    """Excerpts as long as there is room; one that does not fit whole is left out."""
    rows: list[str] = []
    used = len(_RELATED)
    for excerpt in excerpts:
        texts, _ = redactor.redact(list(excerpt.lines))
        lines = [f"{number} {shorten(visible(text))}" for number, text in zip(excerpt.numbers, texts, strict=True)]
        block = [f"= {one_line(excerpt.path, _MOST_SUBJECT)}: {one_line(excerpt.why, _MOST_SUBJECT)}", *lines]
        size = sum(len(row.encode()) + 1 for row in block)
        if used + size > room:
            continue
        used += size
        rows += block
    return "\n".join((_RELATED, *rows)) if rows else ""


def _context(file: File, head: Sequence[str] | None, redactor: Redactor, room: int) -> tuple[str, int]:
    """The context of a file, never more than the diff of its unit is long."""
    if head is None:
        return "", 0
    numbers = context_numbers(file, head)
    texts, _ = redactor.redact([head[number - 1] for number in numbers])
    rows: list[str] = []
    used = 0
    for number, text in zip(numbers, texts, strict=True):
        row = f"{number} {shorten(visible(text))}"
        used += len(row.encode()) + 1
        if used > room:
            break
        rows.append(row)
    return ("\ncontext:\n" + "\n".join(rows), used) if rows else ("", 0)


def _merged(before: FileText | None, laid: Laid, head: Sequence[str] | None, row: int) -> FileText:
    """The text of a file of which one unit may hold several parts."""
    text = file_text(laid.file, laid.shown, laid.listing, head)
    text = msgspec.structs.replace(text, listing_start=row)
    return text if before is None else joined(before, text)


def generate_prompt(shown: Shown, setting: Setting, thinking: Thinking, vote: int, attempt: int = 0) -> Prompt:
    """The prompt of one vote on one unit. From the second vote on the files come in an order seeded by the unit."""
    body = (shown.body if vote == 0 else _shuffled(shown, vote)) + shown.related
    language = _LANGUAGES.get(setting.language, "English")
    task = f"Write titles and bodies in {language}. Review this change and answer in json."
    rules = _rules_block(setting)
    whole = f"{body}\0{setting.surroundings}\0{setting.rules}"
    nonce = nonce_for(whole, setting.nonces)
    around = fenced("about the change", setting.surroundings, nonce) + "\n" if setting.surroundings else ""
    user = f"{rules}{task}\n{around}{fenced('diff', body, nonce)}\n"
    policy = (str(thinking), str(vote), str(attempt), system.PROMPT_VERSION, system.SCHEMA_VERSION)
    key = stored_key("generate", system.GENERATE, setting.rules, task, body, *policy)
    return Prompt(system.GENERATE, user, key)


def _rules_block(setting: Setting) -> str:
    if not setting.rules:
        return ""
    rules = "\n".join(visible(line) for line in setting.rules.split("\n"))
    nonce = rules_nonce(rules, setting.local_secret)
    return "Rules of the repository:\n" + fenced("rules", rules, nonce) + "\n"


def _shuffled(shown: Shown, vote: int) -> str:
    """The blocks of the files in another order."""
    blocks = shown.body.split("\n## ")
    blocks = [blocks[0], *("## " + block for block in blocks[1:])]
    seed = sha256(shown.body.encode("utf-8", "surrogatepass")).hexdigest()
    random.Random(f"{seed}{vote}").shuffle(blocks)  # noqa: S311 - an order, not a secret
    return "\n".join(blocks)


def reask_prompt(broken: str, raw_key: str, setting: Setting) -> Prompt:
    """Asks for the same content in the right form; carries the broken text alone."""
    text = visible_block(broken.encode()[: 16 * 1024].decode(errors="ignore"))
    nonce = nonce_for(text, setting.nonces)
    shape = msgspec.json.encode(system.FINDINGS_SCHEMA).decode()
    user = f"The json schema:\n{shape}\n{fenced('answer', text, nonce)}\n"
    return Prompt(system.REASK, user, stored_key("reask", raw_key, system.PROMPT_VERSION))


def verify_prompt(claims: str, code: str, setting: Setting) -> Prompt:
    """Asks for verdicts on a batch of claims, in a context of its own."""
    nonce = nonce_for(claims + "\0" + code, setting.nonces)
    user = f"Answer in json.\n{fenced('claims', claims, nonce)}\n{fenced('code', code, nonce)}\n"
    return Prompt(system.VERIFY, user, stored_key("verify", claims, code, system.PROMPT_VERSION))


def visible_block(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def stored_key(*parts: str) -> str:
    """The hash of what is asked."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def surroundings(
    subjects: Sequence[str], skipped: Sequence[tuple[str, str]], redactor: Redactor, title: str = "", text: str = ""
) -> str:
    """Material about the run: title and text of a pull request, commit subjects, names of files that are not shown."""
    rows = [f"title: {one_line(title, _MOST_SUBJECT)}"] if title else []
    rows += [f"text: {one_line(text, _MOST_TEXT)}"] if text else []
    rows += [f"commit: {one_line(subject, _MOST_SUBJECT)}" for subject in subjects]
    rows += [f"not shown ({reason}): {one_line(name, _MOST_SUBJECT)}" for name, reason in skipped[:_MOST_NAMES]]
    if len(skipped) > _MOST_NAMES:
        rows.append(f"and {len(skipped) - _MOST_NAMES} more files not shown")
    return "\n".join(redactor.redact(rows)[0])
