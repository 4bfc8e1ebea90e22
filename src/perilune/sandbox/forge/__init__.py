"""The forges, played strictly: GitHub, GitLab and Gitea over real bare git repositories."""

from perilune.sandbox.forge.run import ForgeThread, running_forge
from perilune.sandbox.forge.state import Forge, Pull, Repository, User

__all__ = ["Forge", "ForgeThread", "Pull", "Repository", "User", "running_forge"]
