
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
            cand -H 'The server to use, instead of looking for one'
            cand --host 'The server to use, instead of looking for one'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand -n 'Your name in the chat; the login name if none is given'
            cand --name 'Your name in the chat; the login name if none is given'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Run a server'
            cand discover 'List the servers on this network'
            cand send 'Send one message, wait for the server''s receipt, and exit'
            cand doctor 'Find out why a server cannot be reached, and what to do about it'
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
            cand --max-clients 'How many clients may be connected at once [default: 10000, or what descriptors allow]'
            cand --backlog 'What may wait for a client that reads too slowly, before it is disconnected [default: 1MiB]'
            cand --data-dir 'Where the server keeps what must outlive it'
            cand --motd 'A text file that everybody is shown on joining'
            cand --interface 'Announce the server on this network interface only; may be repeated'
            cand --advertise 'Announce this address of the machine''s only; may be repeated. One that lies in none of the machine''s networks can''t be announced'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
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
            cand -H 'The server to use, instead of looking for one'
            cand --host 'The server to use, instead of looking for one'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand -n 'Your name in the chat; the login name if none is given'
            cand --name 'Your name in the chat; the login name if none is given'
            cand --to 'Who gets it: a user''s name, an IP address, or all'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -q 'Log and print less; twice for errors only'
            cand --quiet 'Log and print less; twice for errors only'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lanchat;doctor'= {
            cand -H 'The server to use, instead of looking for one'
            cand --host 'The server to use, instead of looking for one'
            cand --server 'Pick one of several servers, by its name or the start of its id'
            cand --timeout 'How long to look for a server and wait for its answer [default: 5s]'
            cand --color 'When to use colour: auto, always or never [default: auto]'
            cand --config 'Read this config file instead of the user''s own'
            cand --no-discovery 'Open no multicast socket at all; needs --host'
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
