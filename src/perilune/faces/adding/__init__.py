"""A key becomes an account, whoever gave it: cleaned, tried, saved. The command line and the page both use it."""
