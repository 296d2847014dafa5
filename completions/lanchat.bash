# Completions of lanchat for bash; needs no bash-completion. lanchat itself knows the words.

_lanchat() {
    local answer kind word
    COMPREPLY=()
    answer=$(command lanchat completions bash -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null </dev/null) || return
    {
        read -r kind
        while IFS= read -r word; do
            COMPREPLY+=("$word")
        done
    } <<< "$answer"
    case $kind in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
    esac
}

# bash before 4.4 cannot keep the order.
complete -o nosort -F _lanchat lanchat 2>/dev/null || complete -F _lanchat lanchat
