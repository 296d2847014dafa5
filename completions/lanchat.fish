# Completions of lanchat for fish. lanchat itself knows the words.

function __lanchat_complete
    command -q lanchat
    or return
    set -l current (commandline -ct)
    set -l answer (command lanchat completions fish -- (commandline -opc) "$current" 2>/dev/null </dev/null)
    or return
    set -l option (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -- "$option" '' "$current")
    switch "$answer[1]"
        case files
            for file in (__fish_complete_path "$path")
                printf '%s\n' "$option$file"
            end
        case folders
            for folder in (__fish_complete_directories "$path" '')
                printf '%s\n' "$option$folder"
            end
        case words
            set -q answer[2]
            and printf '%s\n' $answer[2..-1]
    end
end

complete --command lanchat --no-files --keep-order --arguments '(__lanchat_complete)'
