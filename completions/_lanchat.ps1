
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
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept a server with this key only; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to look for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'The file with the passphrase of a closed server; at a terminal it is asked for without one')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Open no multicast socket at all; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a server')
            [CompletionResult]::new('discover', 'discover', [CompletionResultType]::ParameterValue, 'List the servers on this network')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send one message, wait for the server''s receipt, and exit')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Print messages as they come')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out why a server cannot be reached, and what to do about it')
            [CompletionResult]::new('fingerprint', 'fingerprint', [CompletionResultType]::ParameterValue, 'Print a key''s fingerprint, to be compared by people')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Accept a server''s key')
            [CompletionResult]::new('invite', 'invite', [CompletionResultType]::ParameterValue, 'Print links that lead to the server on this machine and to no other')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Print a server''s history')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy all that a server is to a file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put a backup back, here or on another machine')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Save what can be saved of a damaged history')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a man page, as roff')
            break
        }
        'lanchat;serve' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The address to listen on; all of this machine''s if none is given')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The address to listen on; all of this machine''s if none is given')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port to listen on; 0 takes any free one [default: 7667]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on; 0 takes any free one [default: 7667]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The server''s name, as people see it; the host name if none is given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The server''s name, as people see it; the host name if none is given')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'How many clients may be connected at once [default: 20000, or what descriptors allow]')
            [CompletionResult]::new('--max-per-ip', '--max-per-ip', [CompletionResultType]::ParameterName, 'How many connections one address may have however few places are left; this machine''s own may have any number')
            [CompletionResult]::new('--rate-limit', '--rate-limit', [CompletionResultType]::ParameterName, 'How many messages a second a user may send, and how many at once; what is more waits its turn')
            [CompletionResult]::new('--backlog', '--backlog', [CompletionResultType]::ParameterName, 'What may wait for a client that reads too slowly, before it is disconnected')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'What the server may use of the machine''s memory [default: what its service or container is granted, or half of the machine''s]; a quarter of it is for what waits for clients')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Where the server keeps what must outlive it')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'How long messages are kept')
            [CompletionResult]::new('--retain-size', '--retain-size', [CompletionResultType]::ParameterName, 'How much of the disk they may take, before some are removed')
            [CompletionResult]::new('--motd', '--motd', [CompletionResultType]::ParameterName, 'A text file that everybody is shown on joining')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'The file with a closed server''s passphrase; without one it is made up and kept in the data directory')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Announce the server on this network interface only; may be repeated')
            [CompletionResult]::new('--advertise', '--advertise', [CompletionResultType]::ParameterName, 'Announce this address of the machine''s only; may be repeated. One that lies in none of the machine''s networks can''t be announced')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-history', '--no-history', [CompletionResultType]::ParameterName, 'Keep no messages, mail and rooms on disk: they are for those who are here, and gone')
            [CompletionResult]::new('--closed', '--closed', [CompletionResultType]::ParameterName, 'Let in those only who know the passphrase, and who have proved it once')
            [CompletionResult]::new('--allow-plaintext', '--allow-plaintext', [CompletionResultType]::ParameterName, 'Also take connections that are not encrypted, on the same port. Those who use them own no names')
            [CompletionResult]::new('--ascii-names', '--ascii-names', [CompletionResultType]::ParameterName, 'Take names of ASCII letters, digits and punctuation only')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Do not announce the server: no multicast socket is opened')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;discover' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to listen for answers at most; it ends earlier when no more servers turn up')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON array instead of a table')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Also try every address of this machine''s own networks, of each 1022 at most')
            [CompletionResult]::new('--first', '--first', [CompletionResultType]::ParameterName, 'Stop at the first server')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;send' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept a server with this key only; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to look for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'The file with the passphrase of a closed server; at a terminal it is asked for without one')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Who gets it: a user''s name, here or away, a #room, an IP address, all, or, for a command, server')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one: whoever may read it is an operator there')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Open no multicast socket at all; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'lanchat;tail' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept a server with this key only; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to look for a server and wait for its answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Your name in the chat; the login name if none is given')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'The file with the passphrase of a closed server; at a terminal it is asked for without one')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Begin with what was said in that time (1h, 7d), or from then on (2026-11-21, 2026-11-21T12:00); from now on without it')
            [CompletionResult]::new('--room', '--room', [CompletionResultType]::ParameterName, 'Print what is said in this room only, and become a member of it; may be repeated')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Open no multicast socket at all; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each message as one line of JSON: its packet')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;doctor' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The server to use, instead of looking for one; or the link that `lanchat invite` prints')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Pick one of several servers, by its name or the start of its id')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Accept a server with this key only; may be repeated')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to look for a server and wait for its answer')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--no-discovery', '--no-discovery', [CompletionResultType]::ParameterName, 'Open no multicast socket at all; needs --host')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: class, exit status, cause, verdict, remedies and checks')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Print one text to paste into a ticket; it has addresses, and no keys')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;fingerprint' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Ask the server at this address, which proves nothing about the way to it')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Ask the server at this address, which proves nothing about the way to it')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--me', '--me', [CompletionResultType]::ParameterName, 'Your own key''s, by which servers and other people know you')
            [CompletionResult]::new('--art', '--art', [CompletionResultType]::ParameterName, 'Draw a picture of it as well')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;trust' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Give up the key that the server had before')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;invite' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'The address that guests use, if not those of this machine')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The address that guests use, if not those of this machine')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;export' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How messages are written: text, jsonl (the packets of the wire, one a line) or csv')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what was said in that time (2h, 7d), or from then on (2026-11-21, 2026-11-21T12:00)')
            [CompletionResult]::new('--room', '--room', [CompletionResultType]::ParameterName, 'Only what was said in this room')
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'Only direct messages from or to the user of this name')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write a new file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write a new file instead of standard output')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;backup' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;restore' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('--unchecked', '--unchecked', [CompletionResultType]::ParameterName, 'Put it back even if it was changed since it was made')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;repair' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'The data directory of the server on this machine, if not the usual one')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lanchat;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'lanchat;man' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always or never')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file instead of the user''s own')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Log and print less; twice for errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
