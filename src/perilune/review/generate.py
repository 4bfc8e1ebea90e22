"""Stages 8 and 9: every unit asked, its answers read, one re-ask where an answer cannot be read or was cut."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, structs

from perilune.core.errors import Problem
from perilune.patches.finding import Candidate
from perilune.patches.model import File
from perilune.review.answer.parse import ParsedAnswer, parse_answer
from perilune.review.ask import Desk, NotAsked, Outcome, Question, problem_of
from perilune.review.coverage import CoverageState
from perilune.review.plan.planner import OUTPUT_LIMITS, Plan
from perilune.review.plan.units import Limits, Ranked, Unit, pack
from perilune.review.ports import Deferred, ModelAnswer, ModelRequest, Refused, Thinking
from perilune.review.prompt.build import Excerpt, Prompt, Setting, Shown, generate_prompt, reask_prompt, show
from perilune.review.prompt.system import FINDINGS_SCHEMA
from perilune.review.risk import Risk
from perilune.review.rules import RuleSet

_UNDER_THE_LIMIT = 8


class Said(Struct, frozen=True):
    """One candidate with the unit, vote and answer it came from."""

    candidate: Candidate
    unit: str
    vote: int
    answer: ModelAnswer


class Gathered(Struct, frozen=True, kw_only=True):
    """What all units gave. `states` are those of the parts of each file; `units` the ones really asked."""

    said: tuple[Said, ...]
    states: Mapping[str, list[tuple[CoverageState, str | None, str]]]
    shown: Mapping[str, Shown]
    malformed: int
    problems: tuple[Problem, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """How questions are put."""

    run: str
    route: str
    thinking: Thinking
    thinks: bool
    setting: Setting
    rules: RuleSet
    heads: Mapping[str, Sequence[str]]
    related: Callable[[Unit], Iterable[Excerpt]] = lambda _unit: ()

    @property
    def output_limit(self) -> int:
        return OUTPUT_LIMITS["generate"][self.thinks]


class _Task(Struct, frozen=True):
    """One vote on one unit."""

    shown: Shown
    vote: int
    prompt: Prompt
    question: Question


class _Read(Struct, frozen=True):
    """What became of one task."""

    task: _Task
    outcome: Outcome
    parsed: ParsedAnswer | None


class Generation:
    """One pass over all units of a plan."""

    def __init__(self, desk: Desk, policy: Policy) -> None:
        self._desk = desk
        self._policy = policy
        self._said: list[Said] = []
        self._states: dict[str, list[tuple[CoverageState, str | None, str]]] = {}
        self._shown: dict[str, Shown] = {}
        self._malformed = 0
        self._problems: list[Problem] = []

    async def run(self, plan: Plan) -> Gathered:
        """Ask every unit and gather what was said, in the order of units and votes."""
        again = await self._ask_units(plan.units, plan.votes, may_split=True)
        if again:
            await self._ask_units(again, {}, may_split=False)
        return Gathered(
            said=tuple(self._said),
            states=self._states,
            shown=self._shown,
            malformed=self._malformed,
            problems=tuple(self._problems),
        )

    async def _ask_units(self, units: Sequence[Unit], votes: Mapping[str, int], *, may_split: bool) -> list[Unit]:
        """Units asked once; those that must be asked in smaller parts are given back."""
        tasks = await asyncio.to_thread(self._tasks, units, votes)
        outcomes = await self._desk.ask_all([task.question for task in tasks])
        read = [self._read(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True)]
        read = await self._mended(read)
        smaller: list[Unit] = []
        for unit in units:
            mine = [entry for entry in read if entry.task.shown.unit.id == unit.id]
            parts = _parts(unit, mine) if may_split else []
            smaller += parts
            if not parts:
                self._take(unit, mine)
        return smaller

    def _tasks(self, units: Sequence[Unit], votes: Mapping[str, int]) -> list[_Task]:
        """The questions of all units; reads what they lean on, so it takes a thread of its own."""
        tasks: list[_Task] = []
        for unit in units:
            shown = self._shown[unit.id] = self._show(unit)
            tasks += [self._task(shown, vote) for vote in range(votes.get(unit.id, 1))]
        return tasks

    def _show(self, unit: Unit) -> Shown:
        related = self._policy.related(unit)
        return show(unit, self._policy.heads, redacts=self._policy.setting.redacts, related=related)

    def _task(self, shown: Shown, vote: int) -> _Task:
        unit = shown.unit
        setting = structs.replace(self._policy.setting, rules=self._policy.rules.text_for(unit.names).text)
        prompt = generate_prompt(shown, setting, self._policy.thinking, vote)
        return _Task(shown, vote, prompt, self._question(prompt, unit.id, self._policy.output_limit))

    def _question(self, prompt: Prompt, unit: str, limit: int, *, is_reask: bool = False) -> Question:
        request = ModelRequest(
            system=prompt.system,
            user=prompt.user,
            max_output_tokens=limit,
            thinking=self._policy.thinking if not is_reask else "off",
            schema=FINDINGS_SCHEMA,
            schema_name="findings",
            route=self._policy.route,
            run=self._policy.run,
            unit=unit,
            pass_name="reask" if is_reask else "generate",
        )
        return Question(prompt.key, request)

    def _read(self, task: _Task, outcome: Outcome) -> _Read:
        parsed = parse_answer(outcome.text) if isinstance(outcome, ModelAnswer) else None
        if parsed is not None and isinstance(outcome, ModelAnswer) and outcome.finish_reason == "length":
            parsed = structs.replace(parsed, is_cut=True)
        return _Read(task, outcome, parsed)

    async def _mended(self, read: list[_Read]) -> list[_Read]:
        """Answers that could not be read, or were cut, asked for once more."""
        broken = [index for index, entry in enumerate(read) if _is_broken(entry)]
        if not broken:
            return read
        outcomes = await self._desk.ask_all([self._again(read[index]) for index in broken])
        for index, outcome in zip(broken, outcomes, strict=True):
            read[index] = self._with_rest(read[index], outcome)
        return read

    def _again(self, entry: _Read) -> Question:
        """The re-ask of one answer: its text in the right form, or the files that it did not come to."""
        unit = entry.task.shown.unit
        answer = entry.outcome
        if entry.parsed is None and isinstance(answer, ModelAnswer) and answer.finish_reason != "length":
            prompt = reask_prompt(answer.text, entry.task.question.key, self._policy.setting)
            return self._question(prompt, unit.id, self._policy.output_limit, is_reask=True)
        rest = structs.replace(unit, files=_unanswered(entry))
        shown = self._show(rest)
        setting = structs.replace(self._policy.setting, rules=self._policy.rules.text_for(rest.names).text)
        prompt = generate_prompt(shown, setting, self._policy.thinking, entry.task.vote, attempt=1)
        question = self._question(prompt, unit.id, self._policy.output_limit * 2)
        return structs.replace(question, request=structs.replace(question.request, pass_name="reask"))

    def _with_rest(self, entry: _Read, outcome: Outcome) -> _Read:
        again = self._read(entry.task, outcome)
        before = entry.parsed
        if again.parsed is None or again.parsed.is_cut:
            kept = (before.candidates if before else ()) + (again.parsed.candidates if again.parsed else ())
            return structs.replace(entry, parsed=ParsedAnswer(candidates=kept, malformed=1, is_cut=True))
        if before is None:
            return structs.replace(again, outcome=outcome)
        joined = structs.replace(again.parsed, candidates=before.candidates + again.parsed.candidates)
        return structs.replace(entry, parsed=joined)

    def _take(self, unit: Unit, read: Sequence[_Read]) -> None:
        """Count what was read of a unit and say what became of its files."""
        for entry in read:
            self._count(entry)
        state, reason = _state_of(read)
        for name in unit.names:
            mentioned = state is CoverageState.PARTIAL and reason == "malformed" and _is_mentioned(name, read)
            settled = (CoverageState.REVIEWED, None) if mentioned and len(unit.files) > 1 else (state, reason)
            self._states.setdefault(name, []).append((*settled, unit.id))

    def _count(self, entry: _Read) -> None:
        problem = problem_of(entry.outcome)
        if problem is not None and problem not in self._problems:
            self._problems.append(problem)
        if entry.parsed is None:
            return
        self._malformed += entry.parsed.malformed
        if isinstance(entry.outcome, ModelAnswer):
            unit = entry.task.shown.unit.id
            self._said += [Said(found, unit, entry.task.vote, entry.outcome) for found in entry.parsed.candidates]


def _is_broken(entry: _Read) -> bool:
    is_answer = isinstance(entry.outcome, ModelAnswer)
    return is_answer and (entry.parsed is None or entry.parsed.is_cut)


def _unanswered(entry: _Read) -> tuple[File, ...]:
    """The files of a cut answer that it says nothing of; all where it speaks of each."""
    parsed = entry.parsed
    files = entry.task.shown.unit.files
    if parsed is None:
        return files
    named = {candidate.path for candidate in parsed.candidates} | set(parsed.files_reviewed)
    return tuple(file for file in files if file.name not in named) or files


def _is_mentioned(name: str, read: Sequence[_Read]) -> bool:
    parsed = [entry.parsed for entry in read if entry.parsed is not None]
    return any(name in answer.files_reviewed for answer in parsed)


def _state_of(read: Sequence[_Read]) -> tuple[CoverageState, str | None]:
    """The state of a unit's files: read by one vote is read."""
    states = [_state_of_one(entry) for entry in read]
    order = (CoverageState.REVIEWED, CoverageState.PARTIAL, CoverageState.FAILED, CoverageState.SKIPPED)
    return min(states, key=lambda state: order.index(state[0]), default=(CoverageState.SKIPPED, "budget"))


def _state_of_one(entry: _Read) -> tuple[CoverageState, str | None]:
    match entry.outcome:
        case NotAsked():
            return CoverageState.SKIPPED, "budget"
        case Deferred():
            return CoverageState.FAILED, "deferred"
        case Refused():
            return CoverageState.FAILED, "content_filter" if entry.outcome.is_content else entry.outcome.problem.code
        case ModelAnswer():
            is_whole = entry.parsed is not None and not entry.parsed.is_cut
            return (CoverageState.REVIEWED, None) if is_whole else (CoverageState.PARTIAL, "malformed")


def _parts(unit: Unit, read: Sequence[_Read]) -> list[Unit]:
    """A unit in smaller parts, where a filter or the model's window refused it whole."""
    refused = next((entry.outcome for entry in read if isinstance(entry.outcome, Refused)), None)
    if refused is None or any(isinstance(entry.outcome, ModelAnswer) for entry in read):
        return []
    if refused.is_content and len(unit.files) > 1:
        return [
            structs.replace(unit, id=f"{unit.id}.{number}", files=(file,)) for number, file in enumerate(unit.files, 1)
        ]
    if refused.token_limit is not None:
        return _repacked(unit, refused.token_limit)
    return []


def _repacked(unit: Unit, limit: int) -> list[Unit]:
    limits = Limits(tokens=max(limit * _UNDER_THE_LIMIT // 10 // 2, 1_000), changed=1_000_000, files=150)
    ranked = [Ranked(file, Risk(unit.risk, ())) for file in unit.files]
    units = pack(ranked, limits)
    if len(units) < 2:
        return []
    return [structs.replace(part, id=f"{unit.id}.{number}") for number, part in enumerate(units, 1)]
