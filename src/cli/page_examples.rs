//! The examples in the man pages.

/// Returns examples: purposes, each with its command line.
pub(super) fn examples(subcommand: Option<&str>) -> &'static [(&'static str, &'static str)] {
    match subcommand {
        None => &[
            ("Find the server on this network and join the chat:", "lanchat"),
            ("Join a server that discovery does not reach:", "lanchat 192.168.1.20"),
            ("Join under another name:", "lanchat --name alice"),
            (
                "Join a server whose key you were given:",
                "lanchat --host 'lanchat://192.168.1.20:7667/?fp=SHA256:I3aEa...'",
            ),
            ("Let a program send messages:", "tail -F build.log | lanchat --name builds"),
            ("Let a program take part:", "coproc lanchat --json --name bot"),
        ],
        Some("serve") => &[
            ("Run a server for everyone on this network:", "lanchat serve --name Office"),
            ("Run one that only this machine can reach:", "lanchat serve --host 127.0.0.1 --no-discovery"),
            ("Run one for people who know a passphrase:", "lanchat serve --closed"),
            ("Run one that phones and browsers can join, too:", "lanchat serve --web"),
            (
                "Run one that announces only one of the machine's addresses:",
                "lanchat serve --advertise 192.168.1.20",
            ),
            (
                "Run one whose log and metrics programs read:",
                "lanchat serve --log-format json --log-connections --metrics 127.0.0.1",
            ),
        ],
        Some("status") => &[
            ("Look at the server on this machine:", "lanchat status"),
            ("Look at the system service:", "sudo lanchat status"),
            ("Look at another server, as one of its operators:", "lanchat status --server Office"),
            ("Learn in a script how many users are present:", "lanchat status --json | jq .users"),
        ],
        Some("fingerprint") => &[
            ("On the server, for others to compare:", "lanchat fingerprint"),
            ("Your own:", "lanchat fingerprint --me"),
            ("Of the certificate of which browsers warn:", "lanchat fingerprint --web"),
        ],
        Some("trust") => &[
            ("See which servers that you know have other keys now, and accept them:", "lanchat trust"),
            (
                "Accept the new key of a server that was reinstalled:",
                "lanchat trust --replace \"Office\" SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844",
            ),
            (
                "Accept a second server of that name, on another network:",
                "lanchat trust \"Office\" SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM",
            ),
        ],
        Some("export") => &[
            ("Read the messages of the last two hours:", "lanchat export --since 2h | less"),
            ("Export a room as a table:", "lanchat export --room '#games' --format csv --output games.csv"),
            (
                "Count the messages of each user:",
                "lanchat export --format jsonl | jq -r .from.name | sort | uniq -c",
            ),
        ],
        Some("backup") => &[
            ("Copy your own server:", "lanchat backup lanchat.db"),
            (
                "Copy the system service, to a new file each day:",
                "sudo lanchat backup \"/var/backups/lanchat-$(date +%F).db\"",
            ),
        ],
        Some("restore") => &[
            ("Restore a backup of your own server:", "lanchat restore lanchat.db"),
            (
                "Restore a backup of the system service:",
                "sudo systemctl stop lanchat && sudo lanchat restore /var/backups/lanchat-2026-11-26.db && \
                 sudo systemctl start lanchat",
            ),
            (
                "Move a service to another machine, on which lanchat is installed but has not run yet:",
                "sudo lanchat restore lanchat.db --data-dir /var/lib/lanchat",
            ),
        ],
        Some("repair") => &[
            ("Repair the history of your own server:", "lanchat repair"),
            (
                "Repair that of the system service:",
                "sudo systemctl stop lanchat && sudo lanchat repair && sudo systemctl start lanchat",
            ),
        ],
        Some("forget") => &[
            ("Erase a person from your own server:", "lanchat forget alice"),
            (
                "Erase the owner of a key from the system service, without a question:",
                "sudo systemctl stop lanchat && \
                 sudo lanchat forget --yes key:SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844 && \
                 sudo systemctl start lanchat",
            ),
        ],
        Some("cluster") => &[
            (
                "Make the files for a chat of three servers, on any machine:",
                "lanchat cluster new office --box a=192.168.1.21 --box b=192.168.1.22 --box c=192.168.1.23",
            ),
            (
                "Make them for a chat that goes on with the key of the system service:",
                "sudo systemctl disable --now lanchat && sudo lanchat cluster new office --box a=192.168.1.21 \
                 --box b=192.168.1.22 --box c=192.168.1.23 --from /var/lib/lanchat",
            ),
            (
                "Make a machine with the system service a server of the chat:",
                "sudo lanchat cluster join a.join",
            ),
            (
                "Do so without the system service, in directories of your own:",
                "lanchat cluster join a.join --data-dir chat --out engine",
            ),
            ("See how all servers and engines are doing:", "sudo lanchat cluster status"),
            ("The same without the system service:", "lanchat cluster status --engine-file chat/engine.toml"),
        ],
        Some("invite") => &[
            ("Print the links:", "lanchat invite"),
            ("Print links and a QR code for browsers:", "lanchat invite --web"),
            ("Print a link with another host name:", "lanchat invite --host chat.example:7667"),
            ("Print links to the system service:", "sudo lanchat invite --data-dir /var/lib/lanchat"),
        ],
        Some("discover") => &[
            ("List the servers:", "lanchat discover"),
            ("List them even if multicast is blocked:", "lanchat discover --scan"),
            ("Take the first server's name:", "lanchat discover --json | jq -r '.[0].name'"),
        ],
        Some("send") => &[
            ("Send to everyone:", "lanchat send lunch is ready"),
            ("Send to a room:", "lanchat send --room builds 'the build is done'"),
            ("Learn whether a message was stored:", "lanchat send --json --to bob hi | jq .seq"),
            ("Send a program's output to one user:", "make 2>&1 | tail -5 | lanchat send --to bob -"),
            (
                "Send from a machine that keeps nothing, as a user with a key:",
                "lanchat send --key-file /run/secrets/build.pem --name build the build is done",
            ),
            ("Send from there under a name that stays free:", "lanchat send --guest --name build done"),
            ("Send a folder:", "lanchat send --file photos --to bob"),
            (
                "Send what a program writes, as a file:",
                "tar cz src | lanchat send --file - --as src.tar.gz --to bob",
            ),
        ],
        Some("receive") => &[
            ("Take files, and be asked for each:", "lanchat receive"),
            (
                "Take the next file of a user whose key you have verified:",
                "lanchat receive --yes-from bob --once",
            ),
            (
                "Collect the files of one key:",
                "lanchat receive --to inbox --yes-from key:SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844",
            ),
            (
                "Let a program handle each file:",
                "lanchat receive --json | jq -r 'select(.type == \"received\").path'",
            ),
        ],
        Some("tail") => &[
            ("Follow the chat:", "lanchat tail"),
            ("Start with the last 20 messages:", "lanchat tail -n 20"),
            ("Append the last hour and all new messages to a log:", "lanchat tail --since 1h >> chat.log"),
            ("Let a program read a room:", "lanchat tail --json --room builds | jq -r .msg"),
        ],
        Some("doctor") => &[
            ("Find out why no server is found:", "lanchat doctor"),
            ("Check that a server answers, in a script:", "lanchat doctor --host 127.0.0.1 -q"),
            ("Write a report for a ticket:", "lanchat doctor --report > report.txt"),
            ("Print the lines that may help:", "lanchat doctor --json | jq -r '.remedies[].line'"),
        ],
        Some("completions") => &[
            ("Complete in this bash:", "source <(lanchat completions bash)"),
            (
                "Install the completions for bash, if it has the package bash-completion:",
                "lanchat completions bash > ~/.local/share/bash-completion/completions/lanchat",
            ),
            (
                "Install the completions for zsh, in a directory of $fpath:",
                "lanchat completions zsh > ~/.zfunc/_lanchat",
            ),
            (
                "Install the completions for fish:",
                "lanchat completions fish > ~/.config/fish/completions/lanchat.fish",
            ),
        ],
        Some("man") => &[
            ("Read a page:", "lanchat man serve"),
            ("Install a page:", "lanchat man > /usr/local/share/man/man1/lanchat.1"),
        ],
        _ => &[],
    }
}
