"""The help page of `perilune doctor`."""

MESSAGES = {
    "help_doctor.more": "Accounts are read by free calls with their own keys; other official hosts are only connected to, "
    "without a key. Exit 1 with a problem, 0 with warnings alone.",
    "help_doctor.examples": "perilune doctor\nperilune doctor --fix\nperilune doctor --bundle report.zip",
    "help_doctor.exits": "0 1 2",
    "help_doctor.environment": "PERILUNE_HOME PERILUNE_UPSTREAM PERILUNE_LANG",
    "help_doctor.schema": "perilune.doctor.v1",
    "help_doctor.option.fix": "do what is reversible: file modes, lost lines, missing folders",
    "help_doctor.option.bundle": "write a redacted archive and print what is in it; nothing is sent",
}
