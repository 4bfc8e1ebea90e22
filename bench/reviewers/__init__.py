"""Two reviewers side by side on one scripted model: Perilune, and Open Code Review where it is installed."""
