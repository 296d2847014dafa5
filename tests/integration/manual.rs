//! The lines of the manual on backup, restore, move and forget do what it says, for a system service whose data
//! only root reaches, as with systemd's DynamicUser.

use crate::support::home::LANCHAT;
use std::process::{Command, Stdio};

/// The environment variable that turns a skipped test into a failed one; as for networks, which need the same
/// rights.
const REQUIRE: &str = "LANCHAT_REQUIRE_LAN";

/// Runs in namespaces of its own, where /var/lib, /var/backups and the network are empty. `systemctl` starts
/// and stops a server as the service's user; `sudo` and `date` are those of a machine with a fixed day.
const MACHINE: &str = r#"
set -eu
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /var/backups
mkdir -p /var/lib/bin /var/lib/home
cp "$0" /var/lib/bin/lanchat
cat > /var/lib/bin/sudo <<'END'
#!/bin/sh
exec "$@"
END
cat > /var/lib/bin/date <<'END'
#!/bin/sh
echo 2026-11-26
END
cat > /var/lib/bin/systemctl <<'END'
#!/bin/sh
case $1 in
start)
    cd /
    # Not the line of an earlier start.
    rm -f /var/lib/log
    touch /var/lib/log
    # Its user cannot pass /var/lib/private, so it gets a view of its own, in which that only leads there.
    unshare --mount sh -c '
        mount --bind /var/lib/private/lanchat /mnt
        mount -t tmpfs -o mode=755 tmpfs /var/lib/private
        mkdir /var/lib/private/lanchat
        mount --bind /mnt /var/lib/private/lanchat
        exec setpriv --reuid 64000 --regid 64000 --clear-groups /var/lib/bin/lanchat serve --no-discovery \
            --host 127.0.0.1 --data-dir /var/lib/lanchat' > /var/lib/log 2>&1 < /dev/null &
    echo $! > /var/lib/pid
    until grep -q "serving" /var/lib/log; do
        kill -0 $! || { cat /var/lib/log >&2; exit 1; }
        sleep 0.05
    done ;;
stop)
    kill "$(cat /var/lib/pid)"
    while kill -0 "$(cat /var/lib/pid)" 2> /dev/null; do sleep 0.05; done ;;
esac
END
chmod 755 /var/lib/bin/*
PATH=/var/lib/bin:$PATH HOME=/var/lib/home
unset XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME
cd /var/lib/home

install_service() {
    mkdir -m 700 /var/lib/private
    mkdir -m 700 /var/lib/private/lanchat
    chown 64000:64000 /var/lib/private/lanchat
    ln -s private/lanchat /var/lib/lanchat
}
say() { lanchat send -q -n alice -H 127.0.0.1 --no-discovery "$1"; }
texts() { lanchat export --data-dir /var/lib/lanchat --format jsonl | sed 's/.*"msg":"\([^"]*\)".*/\1/' | tr '\n' ' '; }
expect() { [ "$1" = "$2" ] || { echo "found \"$1\", not \"$2\": $3" >&2; exit 1; }; }

install_service
systemctl start lanchat
key=$(lanchat fingerprint --data-dir /var/lib/lanchat | head -1)
say before
sh -c "$BACKUP"
say after
expect "$(texts)" "before after " "a running server"
sh -c "$RESTORE"
expect "$(texts)" "before " "restored"
say again
sh -c "$REPAIR"
say more
expect "$(texts)" "before again more " "repaired"

# To another machine: the service is installed and has not run.
sudo lanchat backup lanchat.db
systemctl stop lanchat
rm -r /var/lib/private /var/lib/lanchat
install_service
sh -c "$MOVE"
systemctl start lanchat
expect "$(texts)" "before again more " "moved"
expect "$(lanchat fingerprint --data-dir /var/lib/lanchat | head -1)" "$key" "the key"
say here

refused() {
    status=$1 words=$2
    shift 2
    found=0
    "$@" 2> /var/lib/refusal < /dev/null || found=$?
    expect "$found" "$status" "$*"
    grep -q "$words" /var/lib/refusal || { cat /var/lib/refusal >&2; exit 1; }
}
refused 1 "is using the data directory .*; stop it with .systemctl stop lanchat., run this again, and start it" lanchat forget --yes alice --data-dir /var/lib/lanchat
refused 2 "confirm it with --yes" lanchat forget alice --data-dir /var/lib/lanchat
sh -c "$(printf %s "$FORGET" | sed "s|key:[^ ]*|key:$(lanchat fingerprint --me | head -1)|")"
expect "$(texts)" "" "forgotten"
say back
expect "$(texts)" "back " "a new start"
systemctl stop lanchat
echo done
"#;

/// The examples of a page, each as one line.
pub(crate) fn examples(page: &str) -> Vec<String> {
    let output = Command::new(LANCHAT).args(["man", page]).stdin(Stdio::null()).output().unwrap();
    let source = String::from_utf8(output.stdout).unwrap();
    let (_, examples) = source.split_once(".SH EXAMPLES\n").expect("examples");
    let (examples, _) = examples.split_once(".SH").expect("a section after them");
    let bold = examples.split("\\fB").skip(1).filter_map(|part| Some(part.split_once("\\fR")?.0));
    bold.map(|line| line.replace('\n', " ").replace("\\-", "-").replace("\\(aq", "'")).collect()
}

#[track_caller]
fn example(page: &str, words: &str) -> String {
    let found = examples(page).into_iter().find(|line| line.contains(words));
    found.unwrap_or_else(|| panic!("no example with {words:?} in {:?}", examples(page)))
}

#[test]
fn the_lines_of_the_manual_save_restore_move_and_erase_a_system_services_data() {
    let mut machine = Command::new("unshare");
    machine.args(["--mount", "--net", "sh", "-c", MACHINE, LANCHAT]);
    machine.env("BACKUP", example("backup", "sudo lanchat backup"));
    machine.env("RESTORE", example("restore", "systemctl stop"));
    machine.env("MOVE", example("restore", "--data-dir"));
    machine.env("REPAIR", example("repair", "systemctl stop"));
    machine.env("FORGET", example("forget", "systemctl stop"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        machine.env_remove(name);
    }
    let mut attempt = Command::new("unshare");
    attempt.args(["--mount", "--net", "sh", "-c", "ip link set lo up && setpriv --version"]);
    if !attempt.output().is_ok_and(|output| output.status.success()) {
        let is_required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
        assert!(!is_required, "{REQUIRE}=1, but no namespaces here");
        eprintln!("skipped: no namespaces here");
        return;
    }
    let output = machine.stdin(Stdio::null()).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("done"), "{said}");
}
