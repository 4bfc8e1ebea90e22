"""Stages 2 to 6: the diff, what of it is read, under which rules, and the plan. Nothing here asks a model or writes."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct, structs

from perilune.core.errors import ConfigError, Problem
from perilune.patches.model import File, FileKind, Status, decode
from perilune.review.acquire.inputs import Acquired
from perilune.review.attributes import Attributes, directories_of
from perilune.review.coverage import CoverageState
from perilune.review.plan.planner import Basis, Plan, Shortfall, make_plan
from perilune.review.plan.tokens import tokens_of
from perilune.review.plan.units import Ranked
from perilune.review.ports import SlotView
from perilune.review.prompt.build import surroundings
from perilune.review.prompt.secrets import Redactor
from perilune.review.prompt.system import GENERATE
from perilune.review.result import ConfigFacts, InputFacts, RuleFacts
from perilune.review.risk import risk_of
from perilune.review.rules import RuleSet, read_rules
from perilune.review.select import Choice, Selection, select
from perilune.review.settings import KODUS_FILE, REPOSITORY_FILE, ReviewSettings, settings_of

_RULE_WEIGHT = 5
_LARGEST_HEAD = 4 * 1024 * 1024


class Prepared(Struct, frozen=True, kw_only=True):
    """A review that is ready to be asked, or that does not fit."""

    acquired: Acquired
    settings: ReviewSettings
    config: ConfigFacts
    rules: RuleSet
    selection: Selection
    ranked: tuple[Ranked, ...]
    plan: Plan | Shortfall
    heads: Mapping[str, tuple[str, ...]]
    contents: Mapping[str, bytes]
    surroundings: str

    @property
    def source(self) -> InputFacts:
        """What is reviewed."""
        acquired = self.acquired
        return InputFacts(
            kind=acquired.kind,
            base=acquired.base,
            merge_base=acquired.merge_base,
            head=acquired.head,
            diff_sha256=acquired.digest,
            paths=acquired.paths,
            forge=acquired.pull.forge if acquired.pull is not None else None,
            repository=acquired.pull.repository if acquired.pull is not None else None,
            number=acquired.pull.number if acquired.pull is not None else None,
        )


def prepare(
    acquired: Acquired,
    slots: Sequence[SlotView],
    user: Mapping[str, Any] | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    is_lenient: bool = False,
) -> Prepared:
    """Everything up to the plan. `is_lenient`: settings of the repository that cannot be used give way to defaults.

    Raises: ConfigError (PL-REVIEW-CONFIG).
    """
    told = _told(acquired, user, flags, is_lenient=is_lenient)
    settings = told.settings
    rules = read_rules(
        acquired.config_ref, acquired.diff, settings.rules.files, settings.paths, acquired.git, acquired.objects
    )
    choice = Choice(ignore=settings.ignore, include=settings.include, max_file_bytes=settings.max_file_bytes)
    selection = select(acquired.diff, choice, _attributes(acquired), acquired.objects)
    ranked = tuple(Ranked(file, risk_of(file, _rule_weight(file, settings))) for file in selection.files)
    contents = _contents(selection.files, acquired)
    plan = make_plan(_basis(ranked, settings, slots, rules))
    return Prepared(
        acquired=acquired,
        settings=settings,
        config=_config_facts(acquired, told, user, rules),
        rules=rules,
        selection=selection,
        ranked=ranked,
        plan=plan,
        heads={name: tuple(decode(content).split("\n")) for name, content in contents.items()},
        contents=contents,
        surroundings=_surroundings(acquired, selection, redacts=settings.redact_secrets),
    )


def replanned(prepared: Prepared, slots: Sequence[SlotView]) -> Prepared:
    """The same review planned against other slots."""
    basis = _basis(prepared.ranked, prepared.settings, slots, prepared.rules)
    return structs.replace(prepared, plan=make_plan(basis))


def _basis(
    ranked: tuple[Ranked, ...],
    settings: ReviewSettings,
    slots: Sequence[SlotView],
    rules: RuleSet,
) -> Basis:
    text = rules.text_for([entry.file.name for entry in ranked]).text
    prefix = tokens_of(len(GENERATE.encode()) + len(text.encode()))
    return Basis(
        ranked=ranked, effort=settings.effort, budget=settings.budget, slots=tuple(slots), prefix_tokens=prefix
    )


class _Told(Struct, frozen=True, kw_only=True):
    """The settings, and where they came from."""

    settings: ReviewSettings
    ignored: tuple[str, ...]
    repository: bytes | None
    not_carried: tuple[str, ...] = ()
    toml: str | None = None
    problem: Problem | None = None


def _told(
    acquired: Acquired, user: Mapping[str, Any] | None, flags: Mapping[str, Any] | None, *, is_lenient: bool
) -> _Told:
    repository = _file_of(acquired, REPOSITORY_FILE)
    kodus = _file_of(acquired, KODUS_FILE) if repository is None else None
    toml, left = _migrated(kodus) if kodus is not None else (None, ())
    theirs = toml.encode() if toml is not None else repository
    try:
        settings, ignored = settings_of(theirs, user, flags)
    except ConfigError as error:
        if not is_lenient or theirs is None:
            raise
        settings, ignored = settings_of(None, user, flags)
        return _Told(settings=settings, ignored=ignored, repository=None, problem=error.problem)
    return _Told(settings=settings, ignored=ignored, repository=kodus or repository, toml=toml, not_carried=left)


def _migrated(content: bytes) -> tuple[str, tuple[str, ...]]:
    from perilune.review.kodus import migrate  # only where there is such a file: a plan is made in milliseconds

    found = migrate(content)
    return found.toml, found.not_carried


def _file_of(acquired: Acquired, name: str) -> bytes | None:
    if acquired.config_ref is None:
        return None
    return acquired.objects.read(f"{acquired.config_ref}:{name}")


def _attributes(acquired: Acquired) -> Attributes:
    if acquired.config_ref is None:
        return Attributes({})
    directories = {directory for file in acquired.diff.files for directory in directories_of(file.name)}
    found: dict[str, str] = {}
    for directory in sorted(directories):
        path = f"{directory}/.gitattributes" if directory else ".gitattributes"
        content = acquired.objects.read(f"{acquired.config_ref}:{path}")
        if content is not None:
            found[directory] = content.decode(errors="replace")
    return Attributes(found)


def _rule_weight(file: File, settings: ReviewSettings) -> int:
    from perilune.review.globs import compile_glob

    matching = (rule for rule in settings.paths if compile_glob(rule.match).fullmatch(file.name))
    return _RULE_WEIGHT * sum(1 for _ in matching)


def _contents(files: Sequence[File], acquired: Acquired) -> dict[str, bytes]:
    """The new content of the files that are read, where it is an object."""
    found: dict[str, bytes] = {}
    for file in files:
        if file.new_oid is None or file.kind is not FileKind.TEXT or file.status is Status.DELETED:
            continue
        content = acquired.objects.read(file.new_oid)
        if content is not None and len(content) <= _LARGEST_HEAD:
            found[file.name] = content
    return found


def _surroundings(acquired: Acquired, selection: Selection, *, redacts: bool) -> str:
    hidden = [(item.path, item.reason or "") for item in selection.items if item.state is CoverageState.SKIPPED]
    about = (acquired.pull.title, acquired.pull.text) if acquired.pull is not None else ("", "")
    return surroundings(acquired.subjects, hidden, Redactor(is_on=redacts), *about)


def _config_facts(
    acquired: Acquired,
    told: _Told,
    user: Mapping[str, Any] | None,
    rules: RuleSet,
) -> ConfigFacts:
    repository = told.repository
    source = (
        "kodus" if told.toml is not None else "repository" if repository is not None else "user" if user else "default"
    )
    return ConfigFacts(
        source=source,
        ref=acquired.config_ref,
        sha256=sha256(repository).hexdigest() if repository is not None else None,
        rules_changed_in_head=rules.changed_in_head,
        rules=tuple(
            RuleFacts(
                path=file.path,
                scope=file.scope,
                sha256=file.sha256,
                bytes=file.bytes,
                missing_imports=file.missing_imports,
            )
            for file in rules.files
        ),
        ignored_keys=told.ignored,
        not_carried=told.not_carried,
        migrated=told.toml,
        problem=told.problem,
    )
