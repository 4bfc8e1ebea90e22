"""The scripts that shells read. Each hands the line to the program and takes back candidates, one a line."""

BASH = """\
# perilune completion for bash: eval "$(perilune completion bash)"
_perilune_complete() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\\t'*}")
    done < <(_PERILUNE_COMPLETE=1 "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _perilune_complete perilune
"""

ZSH = """\
#compdef perilune
# perilune completion for zsh: eval "$(perilune completion zsh)", or a file _perilune in fpath
_perilune_complete() {
    local line
    local -a lines described
    lines=("${(@f)$(_PERILUNE_COMPLETE=1 "${words[1]}" "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${lines[@]}"; do
        [[ -n $line ]] || continue
        described+=("${${line%%$'\\t'*}//:/\\\\:}:${${line#*$'\\t'}:#${line}}")
    done
    if (( ${#described} )); then
        _describe -V perilune described
    else
        _files
    fi
}
if [[ $funcstack[1] == _perilune ]]; then
    _perilune_complete "$@"
else
    compdef _perilune_complete perilune
fi
"""

FISH = """\
# perilune completion for fish: perilune completion fish | source
function __perilune_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    test (count $last) -eq 0; and set last ""
    _PERILUNE_COMPLETE=1 $words[1] $words[2..-1] $last 2>/dev/null
end
complete -c perilune -f -a '(__perilune_complete)'
"""

POWERSHELL = """\
# perilune completion for PowerShell: perilune completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName perilune -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $env:_PERILUNE_COMPLETE = if ($wordToComplete -eq '') { 'new' } else { '1' }
    try {
        perilune @words 2>$null | ForEach-Object {
            $value, $told = $_ -split "`t", 2
            if (-not $told) { $told = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $told)
        }
    } finally {
        Remove-Item Env:_PERILUNE_COMPLETE
    }
}
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}
