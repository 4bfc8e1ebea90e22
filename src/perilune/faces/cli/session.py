"""Session: what one run of a command has at hand: the reader's voice, the output, the flags, the services."""

import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol, TextIO

from perilune.core.errors import Problem
from perilune.core.messages import Language, Voice, pick_language
from perilune.faces.cli.flags import Flags
from perilune.faces.cli.output import Output


class DisplaySettings(Protocol):
    """How the configuration wants figures shown."""

    @property
    def lang(self) -> str | None: ...
    @property
    def tz(self) -> str | None: ...
    @property
    def ambiguous_width(self) -> int: ...


class Session:
    """One run of one command.

    `workbench` builds the services; a command says what it needs of it by a Protocol of its own:
    `services: StatusServices = session.workbench`. The answer goes to `answer` or `document` (stdout), everything else
    to `note`, `warn` and `fail` (stderr).
    """

    def __init__(self, workbench: Any, *, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.workbench = workbench
        self.environment: Mapping[str, str] = workbench.environment
        self.flags = Flags()
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.wants_json = False
        self.has_machine_text = False

    @classmethod
    def of_process(cls, workbench: Any) -> "Session":
        """The session of this process."""
        return cls(workbench, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)

    @cached_property
    def display(self) -> DisplaySettings:
        """The settings under `display`, the defaults when the configuration cannot be read."""
        settings: DisplaySettings = self.workbench.display()
        return settings

    @cached_property
    def out(self) -> Output:
        """Standard output."""
        return self._output(self.stdout)

    @cached_property
    def err(self) -> Output:
        """Standard error."""
        return self._output(self.stderr)

    @cached_property
    def language(self) -> Language:
        """The reader's language; English where ASCII is all that the output can show."""
        if not self.out.is_utf8:
            return "en"
        return pick_language(self.environment, self.display.lang, self.flags.lang)

    @cached_property
    def voice(self) -> Voice:
        """How this reader hears numbers, times and sentences."""
        from perilune.faces.cli.zones import reader_zone

        return Voice(
            language=self.language,
            zone=reader_zone(self.flags.tz, self.environment, self.display.tz),
            now=self.workbench.now(),
            clock_format=getattr(self.display, "clock", "24h"),
            with_currency_codes=self.out.is_ascii,
        )

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        return not self.flags.no_input and self.stdin.isatty() and self.err.is_terminal

    def answer(self, text: str = "") -> None:
        """Print lines of the answer; nothing with `-q`."""
        if not self.flags.quiet:
            self.out.line(text)

    def machine_text(self, text: str) -> None:
        """Print text that a program reads (a script, CSV, a report), without any line of ours behind it."""
        self.has_machine_text = True
        self.out.stream.write(text)

    def document(self, document: object) -> None:
        """Print one JSON document. Documents of ours say when the vendors are played."""
        from perilune.core.encode import encode_document, to_builtins

        plain = to_builtins(document)
        if self.environment.get("PERILUNE_UPSTREAM") and str(plain.get("schema", "")).startswith("perilune."):
            plain["sandbox"] = True
        self.machine_text(encode_document(plain, indent=True).decode() + "\n")

    def note(self, text: str) -> None:
        """Print lines beside the answer; nothing with `-q`."""
        if not self.flags.quiet:
            self.err.line(text)

    def warn(self, problem: Problem) -> None:
        """Print a warning; the exit status stays."""
        from perilune.faces.cli.problem import problem_lines

        if not self.flags.quiet:
            self.err.line("\n".join(problem_lines(problem, self.voice, self.err, label="warning")))

    def fail(self, problem: Problem) -> int:
        """Print an error, as JSON too when JSON was asked for, and return its exit status."""
        from perilune.faces.cli.problem import error_document, problem_lines

        self.err.line("\n".join(problem_lines(problem, self.voice, self.err)))
        if self.wants_json and not self.out.has_written:
            self.document(error_document(problem, self.voice))
        return problem.exit_code

    def _output(self, stream: TextIO) -> Output:
        output = Output(stream, self.environment)
        output.has_colour = output.has_colour and not self.flags.no_color
        output.is_ascii = output.is_ascii or self.flags.ascii or self.display.ambiguous_width == 2
        return output
