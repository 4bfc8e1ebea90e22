"""The tool that llm offers: runs a command."""

import subprocess


def bash(command: str) -> str:
    """Run a command and give its output."""
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
