"""`perilune install`."""

MESSAGES = {
    "install.nothing_written": "Nothing written. Write it: {command}",
    "install.backup": "Backup goes to {file}",
    "install.backup_kept": "Backup: {file}",
    "install.written": "Written: {file}",
    "install.same": "Already there; nothing to change: {file}",
    "install.undone": "Our lines were taken out of {file}",
    "install.removed": "{file} was ours alone and was removed",
    "install.changed_since": "{file} has changed since; what others wrote stays",
    "install.nothing_there": "Nothing of ours is in {file}",
    "install.paste": "Put this into {file} by hand; what is there now is yours to keep or replace.",
    "install.unfit": "{file} cannot be edited: {why}",
    "install.no_service": "this system has neither systemd nor launchd",
    "install.note.tmux": "Then: tmux source-file, or start tmux anew",
    "install.note.polybar": "Then add perilune to a modules-right line of your bar",
    "install.note.waybar": 'Then add "custom/perilune" to modules-right',
    "install.no_repository": "this is no git repository",
    "install.note.git_hook": "Once without it: PERILUNE_SKIP_HOOK=1 git push",
    "install.note.systemd": "Then: systemctl --user enable --now perilune",
    "install.note.launchd": "Then: launchctl load the file",
}
