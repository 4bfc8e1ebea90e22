"""What only the command line needs to add an account: asking a person, keys of the environment, the telling."""
