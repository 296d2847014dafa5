# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lanchat_global_optspecs
    string join \n color= config= v/verbose q/quiet H/host= no-discovery server= fingerprint= plaintext timeout= n/name= passphrase-file= commands plain h/help V/version
end

function __fish_lanchat_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lanchat_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lanchat_using_subcommand
    set -l cmd (__fish_lanchat_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lanchat -n "__fish_lanchat_needs_command" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_needs_command" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_needs_command" -s H -l host -d 'Use this server instead of searching: a host, or a link from `lanchat invite`' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_needs_command" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l fingerprint -d 'Accept only a server with this key; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l timeout -d 'How long to search for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -s n -l name -d 'Your name in the chat [default: your login name]' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l passphrase-file -d 'File with a closed server\'s passphrase [default: ask at the terminal]' -r -F
complete -c lanchat -n "__fish_lanchat_needs_command" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_needs_command" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_needs_command" -l no-discovery -d 'Do not open a multicast socket; needs --host'
complete -c lanchat -n "__fish_lanchat_needs_command" -l plaintext -d 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything'
complete -c lanchat -n "__fish_lanchat_needs_command" -l commands -d 'Take lines from a pipe that start with a slash as commands; otherwise, all of them are text'
complete -c lanchat -n "__fish_lanchat_needs_command" -l plain -d 'Chat in plain lines without a prompt, as for a screen reader'
complete -c lanchat -n "__fish_lanchat_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_needs_command" -s V -l version -d 'Print version'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "serve" -d 'Run a server'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "discover" -d 'List the servers on this network'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "send" -d 'Send one message, wait for the server\'s receipt, and exit'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "tail" -d 'Print messages as they arrive'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "doctor" -d 'Find out why a server cannot be reached, and what to do about it'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "fingerprint" -d 'Print a key\'s fingerprint, for people to compare'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "trust" -d 'Accept a server\'s key'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "invite" -d 'Print links for joining the server on this machine'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "export" -d 'Print a server\'s history'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "backup" -d 'Copy a server\'s history, key and other files to one file'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "restore" -d 'Restore a backup, here or on another machine'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "repair" -d 'Recover a damaged history'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "completions" -d 'Print the completion script for a shell'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "man" -d 'Show a man page'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s H -l host -d 'The address to listen on [default: all of this machine\'s addresses]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s p -l port -d 'The port to listen on; 0 picks a free one [default: 7667]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s n -l name -d 'The server\'s display name [default: the host name]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l max-clients -d 'Maximum number of connected clients [default: 20000, or as file descriptors allow]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l max-per-ip -d 'Connections that one address may have even on a nearly full server. Connections from this machine are not limited' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l rate-limit -d 'Messages per second that a user may send, and how many at once. The server delays the rest' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l backlog -d 'Data that may wait for a slow client before the server disconnects it' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l memory -d 'Memory that the server may use; a quarter of it is for data that waits for clients [default: the limit of the service or container, or half of the machine\'s memory]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l data-dir -d 'Directory for the server\'s identity and history [default: ~/.local/share/lanchat]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l retain -d 'How long to keep messages' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l retain-size -d 'Disk space for messages before the server removes some' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l motd -d 'Text file to show to everyone who joins' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l passphrase-file -d 'File with the closed server\'s passphrase [default: generate one and keep it in the data directory]' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l interface -d 'Announce the server only on this network interface; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l advertise -d 'Announce only this address of the machine; may be repeated. It must belong to one of the machine\'s networks' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l no-history -d 'Keep no messages and rooms on disk: deliver messages only to the people online'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l closed -d 'Admit only people who have proved the passphrase once'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l allow-plaintext -d 'Also accept unencrypted connections, on the same port. Their users cannot own names'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l ascii-names -d 'Allow only names of ASCII letters, digits and punctuation'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l no-discovery -d 'Do not announce the server, and do not open a multicast socket'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l timeout -d 'How long to wait for answers; ends earlier when no further servers turn up' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l json -d 'Print one JSON array instead of a table'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l scan -d 'Also try every address of this machine\'s networks, up to 1022 per network'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l first -d 'Stop at the first server'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s H -l host -d 'Use this server instead of searching: a host, or a link from `lanchat invite`' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l fingerprint -d 'Accept only a server with this key; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l timeout -d 'How long to search for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s n -l name -d 'Your name in the chat [default: your login name]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l passphrase-file -d 'File with a closed server\'s passphrase [default: ask at the terminal]' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l to -d 'The recipient: a user (even offline), a #room, an IP address, all, or server for a command' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l room -d 'Send to this room; the same as --to #ROOM. The # may be left out' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]. If you may read it, you send as an operator' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l no-discovery -d 'Do not open a multicast socket; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l plaintext -d 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l json -d 'Print the receipt as one line of JSON, or the error with its code'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s h -l help -d 'Print help'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s H -l host -d 'Use this server instead of searching: a host, or a link from `lanchat invite`' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l fingerprint -d 'Accept only a server with this key; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l timeout -d 'How long to search for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l passphrase-file -d 'File with a closed server\'s passphrase [default: ask at the terminal]' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l since -d 'Start with the messages of the last 1h or 7d, or since 2026-11-21 or 2026-11-21T12:00 [default: only new messages]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l room -d 'Join this room and print only its messages; may be repeated. The # may be left out' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l name -d 'Your name in the chat [default: your login name]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s n -l last -d 'Start with the last N messages, at most 200' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l no-discovery -d 'Do not open a multicast socket; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l plaintext -d 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l json -d 'Print each message\'s packet as one line of JSON'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s f -l follow -d 'Accepted for users of the system\'s tail; lanchat always follows'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s H -l host -d 'Use this server instead of searching: a host, or a link from `lanchat invite`' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l fingerprint -d 'Accept only a server with this key; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l timeout -d 'How long to search for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l no-discovery -d 'Do not open a multicast socket; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l plaintext -d 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l json -d 'Print one JSON object with class, exit status, cause, verdict, remedies and checks'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l report -d 'Print a report to paste into a ticket; it contains addresses, but no keys'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s H -l host -d 'Ask the server at this address. This does not prove that nobody intercepts the connection' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l me -d 'Print your own key\'s fingerprint, by which servers and other users know you'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l art -d 'Also draw the fingerprint as a picture'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l replace -d 'Stop accepting the server\'s previous key'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s H -l host -d 'The address for the link [default: each of this machine\'s addresses]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l format -d 'Output format: text, jsonl (one packet per line) or csv' -r -f -a "text\t'For people: local time, room, author, text. Safe for a terminal'
jsonl\t'The packets of the wire protocol, one per line'
csv\t'A table with a header; times in UTC'"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l since -d 'Only messages of the last 2h or 7d, or since 2026-11-21 or 2026-11-21T12:00' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l room -d 'Only messages in this room. The # may be left out' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l with -d 'Only direct messages from or to this user' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s o -l output -d 'Write to a new file instead of standard output' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l unchecked -d 'Restore even if the backup was changed after it was made'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l data-dir -d 'The data directory of the server on this machine [default: the usual one]' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s h -l help -d 'Print help'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that supports it, unless `NO_COLOR` is set'
always\t'In pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s v -l verbose -d 'Log more; repeat it to log everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s q -l quiet -d 'Log and print less; repeat it for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
