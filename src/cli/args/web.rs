//! Options of `lanchat serve` about browsers.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::cli::exit::ExitError;
use crate::discovery::{local_name, own_addresses};
use crate::protocol::WebAccess;
use crate::server::WebOptions;

#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct WebArgs {
    /// Also serve a page for browsers, on the same port: over https, or with --web=plaintext over http as well.
    ///
    /// Browsers warn of the certificate, which the server makes itself, and cannot check the server's key as lanchat
    /// does: see --web-cert. Over http, others on the network can read and alter everything, and users own no names.
    #[arg(
        long,
        value_name = "https|plaintext|off",
        env = "LANCHAT_SERVE_WEB",
        num_args = 0..=1,
        require_equals = true,
        default_value = "off",
        default_missing_value = "https",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) web: WebChoice,

    /// A certificate that browsers trust, in PEM, with those between it and its authority. Needs --web-key.
    ///
    /// The server's own certificate is the first in the file. A reload (SIGHUP) reads both files again, as after a
    /// renewal.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_WEB_CERT",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) web_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_WEB_KEY",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) web_key: Option<PathBuf>,

    /// A name by which browsers may call the server, besides addresses, names in .local and in --web-cert, and
    /// this machine's name; may be repeated.
    #[arg(
        long,
        value_name = "NAME",
        env = "LANCHAT_SERVE_WEB_HOST",
        value_delimiter = ',',
        value_parser = web_host
    )]
    pub(crate) web_host: Vec<String>,
}

/// Whether and how to serve browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WebChoice {
    Off,
    Https,
    Plaintext,
}

impl WebArgs {
    /// Rejects options that have no effect without `--web`, like those of [`super::ServeArgs::check`].
    pub(super) fn check(matches: &ArgMatches) -> Result<(), ExitError> {
        let given = |id: &str| {
            let source = matches.value_source(id);
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        let is_off = matches.get_one("web") == Some(&WebChoice::Off);
        if is_off && (given("web_cert") || given("web_key") || given("web_host")) {
            return Err(ExitError::usage(
                "--web-cert, --web-key and --web-host have no effect without --web; add --web",
            ));
        }
        Ok(())
    }

    /// `host`: the machine's name.
    pub(super) fn options(&self, host: String) -> Result<Option<WebOptions>, ExitError> {
        let Self { web, web_cert, web_key, web_host } = self;
        let mode = match web {
            WebChoice::Off => return Ok(None),
            WebChoice::Https => WebAccess::Https,
            WebChoice::Plaintext => WebAccess::Plaintext,
        };
        let certificate = match (web_cert, web_key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            (Some(_), None) => return Err(ExitError::usage("--web-cert needs its key; add --web-key FILE")),
            (None, Some(_)) => {
                return Err(ExitError::usage("--web-key needs its certificate; add --web-cert FILE"));
            }
        };
        Ok(Some(WebOptions {
            mode,
            hosts: web_host.iter().cloned().chain([host]).collect(),
            // They are only in the certificate, which browsers do not trust in any case.
            addresses: own_addresses().unwrap_or_default(),
            certificate,
            local_name,
        }))
    }
}

fn web_host(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match text.trim_end_matches('.').split('.').all(is_label) {
        true => Ok(text.trim_end_matches('.').to_ascii_lowercase()),
        false => Err("expected a name such as chat.example.org, without https:// and port".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_browsers_is_no_address_of_a_page() {
        assert_eq!(web_host("Chat.Example.org.").unwrap(), "chat.example.org");
        for text in ["", "https://chat.example.org", "chat.example.org:7667", "*.example.org", "a..b"] {
            assert!(web_host(text).is_err(), "{text}");
        }
    }
}
