# Sourced by the scripts beside it: finds a Python, makes and keeps `.venv`. POSIX sh.
# Expects $root to be the checkout.

export PIP_DISABLE_PIP_VERSION_CHECK=1

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The first Python that is new enough, or nothing. PYTHON in the environment is tried before all others.
fitting_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3.14 python3.13 python3.12 python3.11 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

need_python() {
    python=$(fitting_python) || stop \
        "Perilune needs Python 3.11 or newer, and none of python3.14 … python3.11, python3, python is." \
        "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python; python.org)" \
        "or name it: PYTHON=/path/to/python $0"
}

# Where programs are inside the environment (`Scripts` on Windows).
venv_bin() {
    if [ -d "$root/.venv/Scripts" ]; then echo "$root/.venv/Scripts"; else echo "$root/.venv/bin"; fi
}

venv_works() {
    "$(venv_bin)/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

make_venv() {
    need_python
    rm -rf "$root/.venv"
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$python" "$root/.venv" && return 0
    fi
    "$python" -m venv "$root/.venv" >/dev/null 2>&1 && return 0
    # Distributions ship venv without ensurepip; the pip outside can then serve the environment.
    rm -rf "$root/.venv"
    "$python" -m venv --without-pip "$root/.venv" && "$python" -m pip --version >/dev/null 2>&1 && return 0
    rm -rf "$root/.venv"
    stop "$python can make no virtual environment: it has neither ensurepip nor pip." \
        "Debian, Ubuntu: apt install python3-venv python3-pip"
}

into_venv() {
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$bin/python" "$@"
    elif "$bin/python" -m pip --version >/dev/null 2>&1; then
        "$bin/python" -m pip install --quiet "$@"
    else
        need_python
        "$python" -m pip --python "$bin/python" install --quiet "$@"
    fi
}

# What an environment depends on: the lock, the project file, the place of the checkout, the interpreter.
stamp_of() {
    "$bin/python" - "$root" "$1" <<'PYTHON'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
digest = hashlib.sha256(f"{root}\0{sys.version}\0".encode())
for name in (f"requirements/{sys.argv[2]}.txt", "pyproject.toml"):
    digest.update((root / name).read_bytes())
print(digest.hexdigest())
PYTHON
}

is_current() {
    [ -f "$root/.venv/perilune-$1" ] && [ "$(cat "$root/.venv/perilune-$1")" = "$(stamp_of "$1")" ]
}

# ensure_environment run|dev: `.venv` holds that lock and the project itself. Sets $bin. Costs one interpreter start
# when nothing changed. The lock `dev` holds everything of `run` (scripts/check proves it), so it serves for both.
ensure_environment() {
    venv_works || make_venv
    bin=$(venv_bin)
    is_current "$1" && return 0
    [ "$1" = run ] && is_current dev && return 0
    echo "Preparing .venv from requirements/$1.txt (once; again when the lock changes)" >&2
    rm -f "$root/.venv/perilune-run" "$root/.venv/perilune-dev"
    into_venv --require-hashes -r "$root/requirements/$1.txt" || stop \
        "The packages of requirements/$1.txt could not be installed (above: why)." \
        "Nothing was started. Behind a proxy or a mirror, set it for pip as usual and run this again."
    into_venv --no-deps -e "$root" || stop \
        "Perilune itself could not be installed into .venv (above: why)." \
        "Its build needs the package hatchling, fetched by pip for the build alone."
    stamp_of "$1" >"$root/.venv/perilune-$1"
}
