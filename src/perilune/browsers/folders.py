"""Browser profiles counted by their folders. No store of a browser is opened here."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from perilune.browsers.places import find_profiles


def count_profiles(
    home: Path, platform: str = sys.platform, environment: Mapping[str, str] | None = None
) -> Mapping[str, int]:
    """How many profiles each browser has; browsers without any are left out."""
    around = os.environ if environment is None else environment
    return Counter(profile.browser for profile in find_profiles(home, around, platform=platform))
