//! The default gateway, where the server may be if this machine is a container, or a Linux in Windows.

use std::net::Ipv4Addr;

/// Linux's table of IPv4 routes, for this thread: tests run each thread in its own network.
const ROUTES: &str = "/proc/thread-self/net/route";

/// The gateways of the default routes; empty on other systems than Linux.
pub fn gateways() -> Vec<Ipv4Addr> {
    std::fs::read_to_string(ROUTES).map(|table| in_table(&table)).unwrap_or_default()
}

/// Parses a table: columns `Iface Destination Gateway`, in hexadecimal and in the machine's byte order.
fn in_table(table: &str) -> Vec<Ipv4Addr> {
    let gateway = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let (to, gateway) = (columns.next()?, columns.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok().filter(|gateway| *gateway != 0)?;
        (to == "00000000").then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    };
    table.lines().filter_map(gateway).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_default_routes_name_the_gateways() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\n\
                     eth0\t00000000\t010011AC\t0003\t0\n\
                     eth0\t000011AC\t00000000\t0001\t0\n\
                     tun0\t00000000\t00000000\t0001\t0\n\
                     eth1\t0000A8C0\t0100000A\t0003\t0\n";
        assert_eq!(in_table(table), [Ipv4Addr::new(172, 17, 0, 1)]);
        assert_eq!(in_table("nonsense\n\n00 00000000 xx"), Vec::<Ipv4Addr>::new());
    }
}
