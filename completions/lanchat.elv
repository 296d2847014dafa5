
use builtin;
use str;

set edit:completion:arg-completer[lanchat] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'lanchat'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'lanchat'= {
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand -H 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --host 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --fingerprint 'Accept a server with this key only; may be repeated'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand -n 'Your name in the chat; the login name if none is given'
            cand --name 'Your name in the chat; the login name if none is given'
            cand --passphrase-file 'The file with the passphrase of a closed server; at a terminal it is asked for without one'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
            cand --plaintext 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Run a server'
            cand discover 'List the servers on this network'
            cand send 'Send one message, wait for the server''s receipt, and exit'
            cand doctor 'Find out why a server cannot be reached, and what to do about it'
            cand fingerprint 'Print a key''s fingerprint, to be compared by people'
            cand trust 'Accept a server''s new key'
            cand invite 'Print links that lead to the server on this machine and to no other'
            cand completions 'Print the completions for a shell'
            cand man 'Print a man page, as roff'
        }
        &'lanchat;serve'= {
            cand -H 'The address to listen on; all of this machine''s if none is given'
            cand --host 'The address to listen on; all of this machine''s if none is given'
            cand -p 'The port to listen on; 0 takes any free one [default: 7667]'
            cand --port 'The port to listen on; 0 takes any free one [default: 7667]'
            cand -n 'The server''s name, as people see it; the host name if none is given'
            cand --name 'The server''s name, as people see it; the host name if none is given'
            cand --max-clients 'How many clients may be connected at once [default: 20000, or what descriptors allow]'
            cand --max-per-ip 'How many connections one address may have while the server is over half full [default: 64]; this machine''s own may have any number'
            cand --rate-limit 'How many messages a second a user may send, and how many at once [default: 5:20]; what is more waits its turn'
            cand --backlog 'What may wait for a client that reads too slowly, before it is disconnected [default: 1MiB]'
            cand --data-dir 'Where the server keeps what must outlive it'
            cand --motd 'A text file that everybody is shown on joining'
            cand --passphrase-file 'The file with a closed server''s passphrase; without one it is made up and kept in the data directory'
            cand --interface 'Announce the server on this network interface only; may be repeated'
            cand --advertise 'Announce this address of the machine''s only; may be repeated. One that lies in none of the machine''s networks can''t be announced'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --closed 'Let in those only who know the passphrase, and who have proved it once'
            cand --allow-plaintext 'Also take connections that are not encrypted, on the same port. Those who use them own no names'
            cand --ascii-names 'Take names of ASCII letters, digits and punctuation only'
            cand --no-discovery 'Do not announce the server: no multicast socket is opened'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lanchat;discover'= {
            cand --timeout 'How long to listen for answers [default: 2s]'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --json 'Print one JSON array instead of a table'
            cand --scan 'Also try every address of this machine''s own networks, /24 at most'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lanchat;send'= {
            cand -H 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --host 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --fingerprint 'Accept a server with this key only; may be repeated'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand -n 'Your name in the chat; the login name if none is given'
            cand --name 'Your name in the chat; the login name if none is given'
            cand --passphrase-file 'The file with the passphrase of a closed server; at a terminal it is asked for without one'
            cand --to 'Who gets it: a user''s name, an IP address, or all'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
            cand --plaintext 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lanchat;doctor'= {
            cand -H 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --host 'The server to use, instead of looking for one; or the link that `lanchat invite` prints'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --fingerprint 'Accept a server with this key only; may be repeated'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
            cand --plaintext 'Connect without encryption, to a server that allows it: everybody on the way can read and change all of it'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lanchat;fingerprint'= {
            cand -H 'Ask the server at this address, which proves nothing about the way to it'
            cand --host 'Ask the server at this address, which proves nothing about the way to it'
            cand --data-dir 'The data directory of the server on this machine, if not the usual one'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --me 'Your own key''s, by which servers and other people know you'
            cand --art 'Draw a picture of it as well'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lanchat;trust'= {
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lanchat;invite'= {
            cand -H 'The address that guests use, if not those of this machine'
            cand --host 'The address that guests use, if not those of this machine'
            cand --data-dir 'The data directory of the server on this machine, if not the usual one'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lanchat;completions'= {
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lanchat;man'= {
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
