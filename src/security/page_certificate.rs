//! Judges a certificate as a browser would: whether it is valid now, for which names, and who made it.
//!
//! It knows no list of authorities: each browser has its own.

use super::certificate::provider;
use crate::fingerprint::Fingerprint;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use std::time::Duration;

/// A name that no certificate has.
const NO_NAME: &str = "name.invalid";

/// A server's certificate, with those between it and its authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain(Vec<CertificateDer<'static>>);

/// The time for which a certificate is valid does not contain the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateTime {
    /// It ended then.
    Ended(Timestamp),
    /// It begins then.
    Begins(Timestamp),
}

/// A certificate's statements about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateReview {
    /// `None`: it is valid now.
    pub time: Option<CertificateTime>,
    /// Whether nobody but its own key vouches for it.
    pub is_self_made: bool,
    /// Whether each of the others vouches for one of them, up to the last one.
    pub is_linked: bool,
    /// How many others come with it.
    pub others: usize,
}

impl CertificateChain {
    /// The server's own certificate is the first one.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>) -> Self {
        Self(chain)
    }

    /// The SHA-256 of the server's own certificate, as browsers show it.
    pub fn sha256(&self) -> Fingerprint {
        let own = self.0.first().map(|own| own.as_ref()).unwrap_or_default();
        Fingerprint::new(digest(&SHA256, own).as_ref().try_into().unwrap_or_default())
    }

    /// Whether it is for this name or address.
    pub fn is_for(&self, host: &str) -> bool {
        let name = ServerName::try_from(host.to_owned());
        name.is_ok_and(|name| self.verify_name(&name).is_ok())
    }

    /// The names and addresses that it is for.
    pub fn names(&self) -> Vec<String> {
        let Ok(nobody) = ServerName::try_from(NO_NAME) else { return Vec::new() };
        match self.verify_name(&nobody) {
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented, ..
            })) => presented.iter().filter_map(|name| plain_name(name)).collect(),
            _ => Vec::new(),
        }
    }

    /// The names by which browsers get in without a warning, if they know its authority; none if it has none.
    pub fn trusted_names(&self, now: Timestamp) -> Vec<String> {
        if self.review(now).is_self_made {
            return Vec::new();
        }
        self.names().into_iter().filter(|name| !name.starts_with('*')).collect()
    }

    pub fn review(&self, now: Timestamp) -> CertificateReview {
        let now = unix_time(now);
        let (time, at) = match self.verify(0, &[], now) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                (Some(CertificateTime::Ended(timestamp(not_after))), not_after)
            }
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                (Some(CertificateTime::Begins(timestamp(not_before))), not_before)
            }
            _ => (None, now),
        };
        let others = self.0.len().saturating_sub(1);
        let is_unknown = |result: Result<(), Error>| {
            matches!(result, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)))
        };
        let between = self.0.get(1..others).unwrap_or_default();
        CertificateReview {
            time,
            is_self_made: !is_unknown(self.verify(0, &[], at)),
            is_linked: others == 0 || !is_unknown(self.verify(others, between, at)),
            others,
        }
    }

    /// Whether the certificate at `anchor` vouches for the first one, by way of those between.
    fn verify(&self, anchor: usize, between: &[CertificateDer<'_>], at: UnixTime) -> Result<(), Error> {
        let (own, anchor) = (self.own()?, self.0.get(anchor).ok_or(CertificateError::BadEncoding)?);
        let mut roots = RootCertStore::empty();
        roots.add(anchor.clone())?;
        let algorithms = provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&own, &roots, between, at, algorithms)
    }

    fn verify_name(&self, name: &ServerName<'_>) -> Result<(), Error> {
        verify_server_name(&self.own()?, name)
    }

    fn own(&self) -> Result<ParsedCertificate<'_>, Error> {
        ParsedCertificate::try_from(self.0.first().ok_or(CertificateError::BadEncoding)?)
    }
}

/// A name without what rustls writes around it: `DnsName("chat.example")`, `IpAddress(10.0.0.1)`.
fn plain_name(name: &str) -> Option<String> {
    let inner = name.strip_prefix("DnsName(").or_else(|| name.strip_prefix("IpAddress("))?;
    Some(inner.strip_suffix(')')?.trim_matches('"').to_owned())
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().try_into().unwrap_or_default()))
}

fn timestamp(at: UnixTime) -> Timestamp {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Valid in 2026.
    fn parameters(names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
        parameters
    }

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut parameters = parameters(&[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn its_time_and_its_names_are_read() {
        let key = KeyPair::generate().unwrap();
        let der = parameters(&["chat.example", "10.0.0.1", "fd00::1"]).self_signed(&key).unwrap();
        let chain = CertificateChain::new(vec![der.into()]);
        assert_eq!(chain.names(), ["chat.example", "10.0.0.1", "fd00::1"]);
        assert!(chain.is_for("chat.example") && chain.is_for("10.0.0.1"));
        assert!(!chain.is_for("other.example") && !chain.is_for("10.0.0.2") && !chain.is_for(""));
        let review = chain.review(at("2026-06-01T00:00:00Z"));
        assert_eq!(review, CertificateReview { time: None, is_self_made: true, is_linked: true, others: 0 });
        let early = chain.review(at("2025-12-31T00:00:00Z"));
        assert_eq!(early.time, Some(CertificateTime::Begins(at("2026-01-01T00:00:00Z"))));
        let late = chain.review(at("2027-02-01T00:00:00Z"));
        assert_eq!(late.time, Some(CertificateTime::Ended(at("2027-01-01T00:00:00Z"))));
        assert!(early.is_self_made && late.is_self_made);
    }

    #[test]
    fn it_is_seen_who_made_it() {
        let now = at("2026-06-01T00:00:00Z");
        let (root, other) = (authority("house"), authority("elsewhere"));
        let mut parameters = parameters(&[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "between");
        let between = CertifiedIssuer::signed_by(parameters, KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = self::parameters(&["*.house.example"]).signed_by(&key, &between).unwrap();
        let review = |others: &[&rcgen::Certificate]| {
            let others = others.iter().map(|other| other.der().clone());
            CertificateChain::new([own.der().clone()].into_iter().chain(others).collect()).review(now)
        };
        let alone = review(&[]);
        assert_eq!((alone.is_self_made, alone.is_linked, alone.others), (false, true, 0));
        assert!(
            review(&[between.as_ref()]).is_linked && review(&[between.as_ref(), root.as_ref()]).is_linked
        );
        assert!(!review(&[root.as_ref()]).is_linked && !review(&[other.as_ref()]).is_linked);
        assert!(CertificateChain::new(vec![own.der().clone()]).is_for("chat.house.example"));
    }
}
