//! Settings of the chat that are not the same at all its servers.

use crate::support::cluster::Cluster;
use crate::support::soon;
use lanchat::server::ServerOptions;

fn motd_of_its_own(options: &mut ServerOptions) {
    if options.node.as_ref().is_some_and(|node| node.number == 1) {
        options.motd = "hello".into();
    }
}

fn differing(cluster: &Cluster, number: u8) -> Option<u64> {
    cluster.server(number).numbers().settings_differing
}

#[test]
fn each_server_hears_that_a_setting_differs_until_it_is_the_same() {
    let mut cluster = Cluster::with(3, motd_of_its_own);
    let soon = |cluster: &Cluster, number: u8, count: u64| {
        soon::until(|| (differing(cluster, number) == Some(count)).then_some(()));
    };
    [0, 1, 2].iter().for_each(|number| soon(&cluster, *number, 1));
    cluster.stop_server(1);
    cluster.change = |_| {};
    cluster.start_server(1);
    [0, 1, 2].iter().for_each(|number| soon(&cluster, *number, 0));
}
