//! Parses the files in which Linux describes its network. Pure, except for the search for a program.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Processes to examine when searching for a port's holder; each costs a few system calls.
const MAX_PROCESSES: usize = 4096;

/// The mDNS group, 224.0.0.251, as the file writes it.
const GROUP: &str = "FB0000E0";

/// The state of a listening TCP socket.
const LISTENS: &str = "0A";

/// Parses `/proc/net/arp`: the addresses that the system asked for on its links, and whether a machine
/// answered.
pub(super) fn neighbours(table: &str) -> Vec<(Ipv4Addr, bool)> {
    let row = |line: &str| {
        let mut columns = line.split_whitespace();
        let ip = columns.next()?.parse().ok()?;
        let flags = columns.nth(1)?.strip_prefix("0x")?;
        // ATF_COM: the entry has a hardware address.
        Some((ip, u32::from_str_radix(flags, 16).ok()? & 0x2 != 0))
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// The same for one address; `None` if the system did not ask for it.
pub(super) fn neighbour(table: &str, ip: Ipv4Addr) -> Option<bool> {
    let rows: Vec<bool> = neighbours(table).into_iter().filter(|row| row.0 == ip).map(|row| row.1).collect();
    (!rows.is_empty()).then(|| rows.contains(&true))
}

/// Parses `/proc/net/igmp`: the interfaces on which a program listens to the mDNS group.
pub(super) fn members(table: &str) -> Vec<String> {
    let mut link = None;
    let mut members = Vec::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split_whitespace();
        if line.starts_with(char::is_whitespace) {
            if columns.next() == Some(GROUP) {
                members.extend(link.take());
            }
        } else {
            link = columns.nth(1).map(|name| name.trim_end_matches(':').to_owned());
        }
    }
    members
}

/// Parses `/proc/net/tcp` or `tcp6`: where programs listen on a port.
pub(super) fn listeners(table: &str, port: u16) -> Vec<SocketAddr> {
    let row = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let addr = socket_addr(columns.get(1)?).filter(|addr| addr.port() == port)?;
        (*columns.get(3)? == LISTENS).then_some(addr)
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// Finds the first program that holds a UDP port, among those that this user may examine.
pub(super) fn holder(tables: &[String], port: u16) -> Option<String> {
    let inodes: HashSet<String> = tables.iter().flat_map(|table| sockets(table, port)).collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
    processes.take(MAX_PROCESSES).find_map(|process| {
        let own = process.path();
        let mut files = fs::read_dir(own.join("fd")).ok()?.flatten();
        let holds = files.any(|file| {
            let target = fs::read_link(file.path()).unwrap_or_default();
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            inode.is_some_and(|inode| inodes.contains(inode))
        });
        let name = holds.then(|| fs::read_to_string(own.join("comm")).ok()).flatten()?;
        Some(format!("{} (process {})", name.trim(), process.file_name().to_string_lossy()))
    })
}

/// Lists the inodes of a table's sockets on a port.
fn sockets(table: &str, port: u16) -> Vec<String> {
    let row = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        socket_addr(columns.get(1)?).filter(|addr| addr.port() == port)?;
        columns.get(9).map(|inode| (*inode).to_owned())
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// Parses `0100007F:1DF3`, or the same with 32 digits: groups of 8 digits in the machine's byte order.
fn socket_addr(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words: Option<Vec<u8>> = ip
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok())
        .map(|word| word.map(u32::to_ne_bytes))
        .collect::<Option<Vec<_>>>()
        .map(|words| words.concat());
    let bytes = words?;
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Parses `/proc/net/netstat`: one of its counters.
pub(super) fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|line| line.strip_prefix(group)?.strip_prefix(": "));
    let at = rows.next()?.split_whitespace().position(|column| column == name)?;
    rows.next()?.split_whitespace().nth(at)?.parse().ok()
}

#[cfg(target_endian = "little")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_there_if_it_has_a_hardware_address() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
            10.78.0.1        0x1         0x0         00:00:00:00:00:00     *        lan0\n\
            10.78.0.3        0x1         0x2         b2:9e:7b:5b:7c:3a     *        lan0\n";
        let there = |ip: &str| neighbour(table, ip.parse().unwrap());
        assert_eq!(
            (there("10.78.0.1"), there("10.78.0.3"), there("10.78.0.9")),
            (Some(false), Some(true), None)
        );
    }

    #[test]
    fn the_links_of_the_group_are_those_above_its_rows() {
        let table = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
            1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
            2\tlan0      :     2      V3\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n";
        assert_eq!(members(table), ["lan0"]);
    }

    #[test]
    fn only_sockets_that_listen_are_listeners() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1DF3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1\n\
            1: 0100007F:1DF3 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 12 1\n\
            2: 00000000000000000000000000000000:1DF3 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 13 1\n";
        let listed =
            |text: &str| -> Vec<String> { listeners(text, 7667).iter().map(ToString::to_string).collect() };
        assert_eq!(listed(table), ["127.0.0.1:7667", "[::]:7667"]);
        assert_eq!(sockets(table, 7667), ["11", "12", "13"]);
        assert!(listeners(table, 80).is_empty() && listeners("x\nnonsense\n0: zz:zz", 1).is_empty());
    }

    #[test]
    fn a_counter_is_found_by_its_column() {
        let text = "TcpExt: A TCPRetransFail B\nTcpExt: 1 2 3\nIpExt: C\nIpExt: 4\n";
        assert_eq!(counter(text, "TcpExt", "TCPRetransFail"), Some(2));
        assert_eq!((counter(text, "TcpExt", "C"), counter("", "TcpExt", "A")), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn no_table_makes_them_panic(text in "(\\PC|\n|\t)*") {
            let _ = (neighbours(&text), members(&text), listeners(&text, 1));
            let _ = counter(&text, "TcpExt", "A");
        }
    }
}
