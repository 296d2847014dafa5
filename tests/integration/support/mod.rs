//! What the tests stand on: a server of their own, raw peers, terminals, networks.

pub mod avahi;
pub mod browser;
#[cfg(target_os = "linux")]
pub mod chromium;
#[cfg(target_os = "linux")]
pub mod clock;
pub mod cluster;
pub mod document;
pub mod fake_server;
pub mod file_peer;
pub mod home;
pub mod lan;
pub mod one_engine;
pub mod one_node;
pub mod peer;
pub mod process;
#[cfg(unix)]
pub mod proxy;
pub mod relay;
pub mod server;
#[cfg(unix)]
pub mod shell;
#[cfg(target_os = "linux")]
pub mod small_disk;
pub mod soon;
#[cfg(unix)]
pub mod storm;
#[cfg(unix)]
pub mod terminal;
pub mod tls;
#[cfg(unix)]
pub mod tools;
pub mod tree;
