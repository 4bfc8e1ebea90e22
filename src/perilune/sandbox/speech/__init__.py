"""What is asked of a played model and what it says, before either takes the form of a dialect."""

from perilune.sandbox.speech.asked import Asked, Tool, Turn
from perilune.sandbox.speech.said import Call, Said, Usage
from perilune.sandbox.speech.script import Answerer, Line, Script, Speaker

__all__ = ["Answerer", "Asked", "Call", "Line", "Said", "Script", "Speaker", "Tool", "Turn", "Usage"]
