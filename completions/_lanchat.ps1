
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'lanchat' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'lanchat'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'lanchat' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, created if it does not exist [default: client.pem in your state directory]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with a closed server''s passphrase [default: ask at the terminal]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--guest', '--guest', [CompletionResultType]::ParameterName, 'Do not reserve your name: others can take it while you are away, and no messages wait for you')
            [CompletionResult]::new('--commands', '--commands', [CompletionResultType]::ParameterName, 'Take lines from a pipe that start with a slash as commands; otherwise, all of them are text')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'Chat in plain lines without a prompt, as for a screen reader')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Take part as a program: read and write one JSON object a line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a server')
            [CompletionResult]::new('discover', 'discover', [CompletionResultType]::ParameterValue, 'List the servers on this network')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send one message, wait for the server''s receipt, and exit')
            [CompletionResult]::new('receive', 'receive', [CompletionResultType]::ParameterValue, 'Receive the files that others offer')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Print messages as they arrive')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Print a server''s own numbers: users, refused connections, memory, database and more')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out why a server cannot be reached, and what to do about it')
            [CompletionResult]::new('fingerprint', 'fingerprint', [CompletionResultType]::ParameterValue, 'Print a key''s fingerprint, for people to compare')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Accept a server''s key')
            [CompletionResult]::new('invite', 'invite', [CompletionResultType]::ParameterValue, 'Print links for joining the server on this machine')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print a server''s history')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy a server''s history, key and other files to one file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Restore a backup, here or on another machine')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Recover a damaged history')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Erase a person from a server')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Show a man page')
            break
        }
        'lanchat;serve' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The address to listen on [default: all of this machine''s addresses]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The address to listen on [default: all of this machine''s addresses]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port to listen on; 0 picks a free one [default: 7667]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on; 0 picks a free one [default: 7667]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The server''s display name [default: the host name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The server''s display name [default: the host name]')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'Maximum number of connected clients [default: 20000, or as file descriptors allow]')
            [CompletionResult]::new('--max-per-ip', '--max-per-ip', [CompletionResultType]::ParameterName, 'Connections that one address may have even on a nearly full server. Connections from this machine are not limited')
            [CompletionResult]::new('--rate-limit', '--rate-limit', [CompletionResultType]::ParameterName, 'Messages per second that a user may send, and how many at once. The server delays the rest')
            [CompletionResult]::new('--new-names-per-hour', '--new-names-per-hour', [CompletionResultType]::ParameterName, 'How many names per hour may begin to belong to users at one address [default: 600 at once, then 60 per hour; on an open server, 5 for a public IPv4 address]')
            [CompletionResult]::new('--backlog', '--backlog', [CompletionResultType]::ParameterName, 'Data that may wait for a slow client before the server disconnects it')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Memory that the server may use; a quarter of it is for data that waits for clients [default: the limit of the service or container, or half of the machine''s memory]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Directory for the server''s identity and history [default: ~/.local/share/lanchat]')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'How long to keep messages')
            [CompletionResult]::new('--retain-size', '--retain-size', [CompletionResultType]::ParameterName, 'Disk space for messages before the server removes some')
            [CompletionResult]::new('--motd', '--motd', [CompletionResultType]::ParameterName, 'Text file to show to everyone who joins')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with the closed server''s passphrase [default: systemd''s credential "passphrase"; without one, generate a passphrase and keep it in the data directory]')
            [CompletionResult]::new('--max-file', '--max-file', [CompletionResultType]::ParameterName, 'The biggest file or folder that users may send each other')
            [CompletionResult]::new('--max-transfers', '--max-transfers', [CompletionResultType]::ParameterName, 'Files that users may send each other at a time')
            [CompletionResult]::new('--file-rate', '--file-rate', [CompletionResultType]::ParameterName, 'Bytes per second that all files together may take')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Serve metrics at http://ADDR:PORT/metrics in the OpenMetrics format [default: none; port 7668]')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'The format of the log: text, or one JSON object a line')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Announce the server only on this network interface; may be repeated')
            [CompletionResult]::new('--advertise', '--advertise', [CompletionResultType]::ParameterName, 'Announce only this address of the machine; may be repeated. It must belong to one of the machine''s networks')
            [CompletionResult]::new('--log-level', '--log-level', [CompletionResultType]::ParameterName, 'How much to log: error, warn, info, debug or trace. --verbose and --quiet raise and lower it')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-history', '--no-history', [CompletionResultType]::ParameterName, 'Keep no messages and rooms on disk: deliver messages only to the people online')
            [CompletionResult]::new('--closed', '--closed', [CompletionResultType]::ParameterName, 'Admit only people who have proved the passphrase once')
            [CompletionResult]::new('--allow-plaintext', '--allow-plaintext', [CompletionResultType]::ParameterName, 'Also accept unencrypted connections, on the same port. Their users cannot own names')
            [CompletionResult]::new('--ascii-names', '--ascii-names', [CompletionResultType]::ParameterName, 'Allow only names of ASCII letters, digits and punctuation')
            [CompletionResult]::new('--no-files', '--no-files', [CompletionResultType]::ParameterName, 'Pass no files on from user to user')
            [CompletionResult]::new('--log-connections', '--log-connections', [CompletionResultType]::ParameterName, 'Log who connects and disconnects, with name, key and address')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not announce the server, and do not open a multicast socket')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Check the options, the config file and the files that they name, and exit without serving')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;discover' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for answers; ends earlier when no further servers turn up')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON array instead of a table')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Also try every address of this machine''s networks, up to 1022 per network')
            [CompletionResult]::new('--first', '--first', [CompletionResultType]::ParameterName, 'Stop at the first server')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;send' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, created if it does not exist [default: client.pem in your state directory]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with a closed server''s passphrase [default: ask at the terminal]')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The recipient: a user (even offline), a #room, an IP address, all, or server for a command [default: all; for a file, none]')
            [CompletionResult]::new('--room', '--room', [CompletionResultType]::ParameterName, 'Send to this room; the same as --to #ROOM. The # may be left out')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Offer this file or folder instead of a message, and stay until the recipient has it; several become one folder. Hidden files in a folder go with it. - is standard input')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Offer the file under this name [default: its own]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Give up if nobody accepts the file, no bytes move, or the server stays away for so long [default: wait]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]. If you may read it, you send as an operator')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--guest', '--guest', [CompletionResultType]::ParameterName, 'Do not reserve your name: others can take it while you are away, and no messages wait for you')
            [CompletionResult]::new('--join', '--join', [CompletionResultType]::ParameterName, 'Join the room first, which creates it if it does not exist')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the receipt as one line of JSON, or the error with its code; with --file, a line per event')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;receive' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, created if it does not exist [default: client.pem in your state directory]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with a closed server''s passphrase [default: ask at the terminal]')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Take only the files of this user, and leave the others to your other sessions')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Put files into this folder, which must be there [default: your folder for downloads]')
            [CompletionResult]::new('--yes-from', '--yes-from', [CompletionResultType]::ParameterName, 'Take this user''s files without a question: key:FINGERPRINT, or the name of a user whose key you have verified; may be repeated')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Take no file or folder over this size')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--guest', '--guest', [CompletionResultType]::ParameterName, 'Do not reserve your name: others can take it while you are away, and no messages wait for you')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Exit after the first file')
            [CompletionResult]::new('--yes-to-all', '--yes-to-all', [CompletionResultType]::ParameterName, 'Take everybody''s files without a question, also of users whom nothing proves')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each event as one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;tail' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, created if it does not exist [default: client.pem in your state directory]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with a closed server''s passphrase [default: ask at the terminal]')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Start with the messages of the last 1h or 7d, or since 2026-11-21 or 2026-11-21T12:00 [default: only new messages]')
            [CompletionResult]::new('--room', '--room', [CompletionResultType]::ParameterName, 'Join this room and print only its messages; may be repeated. The # may be left out')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Start with the last N messages, at most 200')
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'Start with the last N messages, at most 200')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--guest', '--guest', [CompletionResultType]::ParameterName, 'Do not reserve your name: others can take it while you are away, and no messages wait for you')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each message''s packet as one line of JSON')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Accepted for users of the system''s tail; lanchat always follows')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Accepted for users of the system''s tail; lanchat always follows')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;status' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat [default: your login name]')
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, created if it does not exist [default: client.pem in your state directory]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'File with a closed server''s passphrase [default: ask at the terminal]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--guest', '--guest', [CompletionResultType]::ParameterName, 'Do not reserve your name: others can take it while you are away, and no messages wait for you')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the numbers as one line of JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;doctor' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Use this server instead of searching: a host, or a link from `lanchat invite`')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept only a server with this key; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to search for a server and wait for its answer')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not open a multicast socket; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: anyone on the path can read and alter everything')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object with class, exit status, cause, verdict, remedies and checks')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Print a report to paste into a ticket; it contains addresses, but no keys')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;fingerprint' {
            [CompletionResult]::new('--key-file', '--key-file', [CompletionResultType]::ParameterName, 'File with your private key, for --me [default: client.pem in your state directory]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Ask the server at this address. This does not prove that nobody intercepts the connection')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Ask the server at this address. This does not prove that nobody intercepts the connection')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--me', '--me', [CompletionResultType]::ParameterName, 'Print your own key''s fingerprint, by which servers and other users know you')
            [CompletionResult]::new('--art', '--art', [CompletionResultType]::ParameterName, 'Also draw the fingerprint as a picture')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;trust' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Stop accepting the server''s previous key')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;invite' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The address for the link [default: each of this machine''s addresses]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The address for the link [default: each of this machine''s addresses]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;export' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format: text, jsonl (one packet per line) or csv (an apostrophe precedes what a spreadsheet could take for a formula)')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only messages of the last 2h or 7d, or since 2026-11-21 or 2026-11-21T12:00')
            [CompletionResult]::new('--room', '--room', [CompletionResultType]::ParameterName, 'Only messages in this room. The # may be left out')
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'Only direct messages from or to this user')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a new file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a new file instead of standard output')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;backup' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;restore' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--unchecked', '--unchecked', [CompletionResultType]::ParameterName, 'Restore even if the backup was changed after it was made')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;repair' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;forget' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine [default: the usual one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;man' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat it to log everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; repeat it for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
