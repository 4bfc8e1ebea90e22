"""The workbench: what commands ask for, built when first needed."""


class Workbench:
    """Hands commands their services."""
