# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lanchat_global_optspecs
    string join \n color= config= v/verbose q/quiet H/host= no-discovery server= fingerprint= plaintext timeout= n/name= passphrase-file= h/help V/version
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

complete -c lanchat -n "__fish_lanchat_needs_command" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_needs_command" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_needs_command" -s H -l host -d 'The server to use, instead of looking for one; or the link that `lanchat invite` prints' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_needs_command" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l fingerprint -d 'Accept a server with this key only; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l timeout -d 'How long to look for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -s n -l name -d 'Your name in the chat; the login name if none is given' -r
complete -c lanchat -n "__fish_lanchat_needs_command" -l passphrase-file -d 'The file with the passphrase of a closed server; at a terminal it is asked for without one' -r -F
complete -c lanchat -n "__fish_lanchat_needs_command" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_needs_command" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_needs_command" -l no-discovery -d 'Open no multicast socket at all; needs --host'
complete -c lanchat -n "__fish_lanchat_needs_command" -l plaintext -d 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
complete -c lanchat -n "__fish_lanchat_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_needs_command" -s V -l version -d 'Print version'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "serve" -d 'Run a server'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "discover" -d 'List the servers on this network'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "send" -d 'Send one message, wait for the server\'s receipt, and exit'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "tail" -d 'Print messages as they come'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "doctor" -d 'Find out why a server cannot be reached, and what to do about it'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "fingerprint" -d 'Print a key\'s fingerprint, to be compared by people'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "trust" -d 'Accept a server\'s key'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "invite" -d 'Print links that lead to the server on this machine and to no other'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "export" -d 'Print a server\'s history'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "backup" -d 'Copy all that a server is to a file'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "restore" -d 'Put a backup back, here or on another machine'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "repair" -d 'Save what can be saved of a damaged history'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c lanchat -n "__fish_lanchat_needs_command" -f -a "man" -d 'Print a man page, as roff'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s H -l host -d 'The address to listen on; all of this machine\'s if none is given' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s p -l port -d 'The port to listen on; 0 takes any free one [default: 7667]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s n -l name -d 'The server\'s name, as people see it; the host name if none is given' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l max-clients -d 'How many clients may be connected at once [default: 20000, or what descriptors allow]' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l max-per-ip -d 'How many connections one address may have however few places are left; this machine\'s own may have any number' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l rate-limit -d 'How many messages a second a user may send, and how many at once; what is more waits its turn' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l backlog -d 'What may wait for a client that reads too slowly, before it is disconnected' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l memory -d 'What the server may use of the machine\'s memory [default: what its service or container is granted, or half of the machine\'s]; a quarter of it is for what waits for clients' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l data-dir -d 'Where the server keeps what must outlive it' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l retain -d 'How long messages are kept' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l retain-size -d 'How much of the disk they may take, before some are removed' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l motd -d 'A text file that everybody is shown on joining' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l passphrase-file -d 'The file with a closed server\'s passphrase; without one it is made up and kept in the data directory' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l interface -d 'Announce the server on this network interface only; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l advertise -d 'Announce this address of the machine\'s only; may be repeated. One that lies in none of the machine\'s networks can\'t be announced' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l no-history -d 'Keep no messages, mail and rooms on disk: they are for those who are here, and gone'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l closed -d 'Let in those only who know the passphrase, and who have proved it once'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l allow-plaintext -d 'Also take connections that are not encrypted, on the same port. Those who use them own no names'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l ascii-names -d 'Take names of ASCII letters, digits and punctuation only'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -l no-discovery -d 'Do not announce the server: no multicast socket is opened'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l timeout -d 'How long to listen for answers at most; it ends earlier when no more servers turn up' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l json -d 'Print one JSON array instead of a table'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l scan -d 'Also try every address of this machine\'s own networks, of each 1022 at most'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -l first -d 'Stop at the first server'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand discover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s H -l host -d 'The server to use, instead of looking for one; or the link that `lanchat invite` prints' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l fingerprint -d 'Accept a server with this key only; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l timeout -d 'How long to look for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s n -l name -d 'Your name in the chat; the login name if none is given' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l passphrase-file -d 'The file with the passphrase of a closed server; at a terminal it is asked for without one' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l to -d 'Who gets it: a user\'s name, here or away, a #room, an IP address, all, or, for a command, server' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l data-dir -d 'The data directory of the server on this machine, if not the usual one: whoever may read it is an operator there' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l no-discovery -d 'Open no multicast socket at all; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -l plaintext -d 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand send" -s h -l help -d 'Print help'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s H -l host -d 'The server to use, instead of looking for one; or the link that `lanchat invite` prints' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l fingerprint -d 'Accept a server with this key only; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l timeout -d 'How long to look for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s n -l name -d 'Your name in the chat; the login name if none is given' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l passphrase-file -d 'The file with the passphrase of a closed server; at a terminal it is asked for without one' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l since -d 'Begin with what was said in that time (1h, 7d), or from then on (2026-11-21, 2026-11-21T12:00); from now on without it' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l room -d 'Print what is said in this room only, and become a member of it; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l no-discovery -d 'Open no multicast socket at all; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l plaintext -d 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -l json -d 'Print each message as one line of JSON: its packet'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s H -l host -d 'The server to use, instead of looking for one; or the link that `lanchat invite` prints' -r -f -a "(__fish_print_hostnames)"
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l server -d 'Pick one of several servers, by its name or the start of its id' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l fingerprint -d 'Accept a server with this key only; may be repeated' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l timeout -d 'How long to look for a server and wait for its answer' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l no-discovery -d 'Open no multicast socket at all; needs --host'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l plaintext -d 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l json -d 'Print one JSON object: class, exit status, cause, verdict, remedies and checks'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -l report -d 'Print one text to paste into a ticket; it has addresses, and no keys'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s H -l host -d 'Ask the server at this address, which proves nothing about the way to it' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l me -d 'Your own key\'s, by which servers and other people know you'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -l art -d 'Draw a picture of it as well'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand fingerprint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -l replace -d 'Give up the key that the server had before'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand trust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s H -l host -d 'The address that guests use, if not those of this machine' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand invite" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l format -d 'How messages are written: text, jsonl (the packets of the wire, one a line) or csv' -r -f -a "text\t'For people: local time, where, who, what. Nothing in it can drive a terminal'
jsonl\t'The packets of the wire, one a line'
csv\t'With a head; times in UTC'"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l since -d 'Only what was said in that time (2h, 7d), or from then on (2026-11-21, 2026-11-21T12:00)' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l room -d 'Only what was said in this room' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l with -d 'Only direct messages from or to the user of this name' -r
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s o -l output -d 'Write a new file instead of standard output' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -l unchecked -d 'Put it back even if it was changed since it was made'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l data-dir -d 'The data directory of the server on this machine, if not the usual one' -r -f -a "(__fish_complete_directories)"
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand repair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand completions" -s h -l help -d 'Print help'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'On a terminal that can, unless `NO_COLOR` is set'
always\t'Into pipes and files too'
never\t'Never'"
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -l config -d 'Read this config file instead of the user\'s own' -r -F
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s v -l verbose -d 'Log more; twice for everything'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s q -l quiet -d 'Log and print less; twice for errors only'
complete -c lanchat -n "__fish_lanchat_using_subcommand man" -s h -l help -d 'Print help'
