//! Proves a shared passphrase to a closed server, by SPAKE2 over the encrypted channel.
//!
//! Neither a listener nor the peer learns anything that would help to guess the passphrase later: each run
//! tests one guess, and both ends notice a wrong one. The proof is bound to the keys of both ends, so a man in
//! the middle, who has other keys, cannot pass it on. Knows no packets and counts no guesses.
//!
//! The server sends its element; the client answers with its own element and its confirmation; then the server
//! confirms. The client goes first, so that the server sees every guess. Elements have 33 bytes, as `spake2`
//! libraries in several languages exchange them (the client is side A). Confirmations have 32: HMAC-SHA256 of
//! the binding, the server's element and the client's, with a key that HKDF-SHA256 derives from the shared one
//! (no salt, one label for each end).

use super::passphrase::Passphrase;
use crate::fingerprint::Fingerprint;
use ring::digest::{Context, SHA256};
use ring::{hkdf, hmac};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use std::fmt;
use zeroize::Zeroizing;

/// Prefix of each binding, so that no other use of these hashes yields the same.
const BINDING_LABEL: &[u8] = b"lanchat cb v1";

/// For the client's confirmation key and its identity.
const CLIENT_LABEL: &[u8] = b"lanchat pake client";

/// For the server's.
const SERVER_LABEL: &[u8] = b"lanchat pake server";

const MAC_BYTES: usize = 32;

type Group = Ed25519Group;

/// The two ends of a proof: SHA-256 of a label, the server's fingerprint (itself the SHA-256 of its
/// SubjectPublicKeyInfo), and the client's, or 32 zeros for a client without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; 32]);

/// The passphrase was wrong, or there is a man in the middle; it is impossible to tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wrong passphrase, or the other end does not know it")]
pub struct WrongPassphrase;

impl Binding {
    /// Binds a proof to the keys of a channel.
    pub fn new(server: &Fingerprint, client: Option<&Fingerprint>) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(BINDING_LABEL);
        hash.update(server.as_bytes());
        hash.update(client.map_or(&[0; 32], |key| key.as_bytes()));
        let mut binding = [0; 32];
        binding.copy_from_slice(hash.finish().as_ref());
        Self(binding)
    }

    /// Binds a proof to nobody, so that it can be passed on. For tests that show why bindings are necessary.
    #[doc(hidden)]
    pub fn none() -> Self {
        Self([0; 32])
    }

    fn identity(&self, label: &[u8]) -> Identity {
        Identity::new(&[label, &self.0].concat())
    }

    /// The client's identity, then the server's.
    fn identities(&self) -> (Identity, Identity) {
        (self.identity(CLIENT_LABEL), self.identity(SERVER_LABEL))
    }
}

/// The server's side, for one answer.
pub struct Challenge {
    state: Spake2<Group>,
    element: Vec<u8>,
    binding: Binding,
}

impl Challenge {
    /// Starts a proof.
    pub fn new(passphrase: &Passphrase, binding: Binding) -> Self {
        let (client, server) = binding.identities();
        let password = Password::new(passphrase.as_bytes());
        let (state, element) = Spake2::start_b(&password, &client, &server);
        Self { state, element, binding }
    }

    /// To be sent to the client.
    pub fn element(&self) -> &[u8] {
        &self.element
    }

    /// Checks the client's answer, and returns the server's confirmation.
    ///
    /// # Errors
    /// The client does not know the passphrase, is bound to other keys, or sent nonsense.
    pub fn verify(self, element: &[u8], mac: &[u8]) -> Result<[u8; MAC_BYTES], WrongPassphrase> {
        let shared = Zeroizing::new(self.state.finish(element).map_err(|_| WrongPassphrase)?);
        let transcript = [&self.binding.0, &*self.element, element].concat();
        confirmation(&shared, CLIENT_LABEL)?.verify(&transcript, mac)?;
        Ok(confirmation(&shared, SERVER_LABEL)?.sign(&transcript))
    }
}

/// The client's side: its answer, and the confirmation that it expects.
pub struct PakeResponse {
    element: Vec<u8>,
    mac: [u8; MAC_BYTES],
    server: Confirmation,
    transcript: Vec<u8>,
}

impl PakeResponse {
    /// Answers a server's element.
    ///
    /// # Errors
    /// If the server did not send an element.
    pub fn new(
        passphrase: &Passphrase,
        binding: Binding,
        server_element: &[u8],
    ) -> Result<Self, WrongPassphrase> {
        let (client, server) = binding.identities();
        let password = Password::new(passphrase.as_bytes());
        let (state, element) = Spake2::<Group>::start_a(&password, &client, &server);
        let shared = Zeroizing::new(state.finish(server_element).map_err(|_| WrongPassphrase)?);
        let transcript = [&binding.0, server_element, &element].concat();
        let mac = confirmation(&shared, CLIENT_LABEL)?.sign(&transcript);
        Ok(Self { element, mac, server: confirmation(&shared, SERVER_LABEL)?, transcript })
    }

    /// The client's element.
    pub fn element(&self) -> &[u8] {
        &self.element
    }

    /// The client's confirmation.
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// Checks the server's confirmation, which proves that the server knows the passphrase.
    ///
    /// # Errors
    /// The server does not know it, or is bound to other keys.
    pub fn check(self, server_mac: &[u8]) -> Result<(), WrongPassphrase> {
        self.server.verify(&self.transcript, server_mac)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

impl fmt::Debug for PakeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PakeResponse").finish_non_exhaustive()
    }
}

/// The key for one end's confirmation.
struct Confirmation(hmac::Key);

impl Confirmation {
    fn sign(&self, transcript: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(hmac::sign(&self.0, transcript).as_ref());
        mac
    }

    /// Compares in constant time.
    fn verify(&self, transcript: &[u8], mac: &[u8]) -> Result<(), WrongPassphrase> {
        hmac::verify(&self.0, transcript, mac).map_err(|_| WrongPassphrase)
    }
}

fn confirmation(shared: &[u8], label: &[u8]) -> Result<Confirmation, WrongPassphrase> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(shared);
    let label = [label];
    // Fails only for keys longer than HKDF can derive.
    let key = derived.expand(&label, hmac::HMAC_SHA256).map_err(|_| WrongPassphrase)?;
    Ok(Confirmation(key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: u8) -> Fingerprint {
        Fingerprint::new([number; 32])
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    /// The result of a run for each end, in which each has its own view: (the server, the client). The
    /// client hears nothing if the server has refused it.
    fn run(
        server: (&str, Binding),
        client: (&str, Binding),
    ) -> (Result<(), WrongPassphrase>, Option<Result<(), WrongPassphrase>>) {
        let challenge = Challenge::new(&passphrase(server.0), server.1);
        let answer = PakeResponse::new(&passphrase(client.0), client.1, challenge.element()).unwrap();
        match challenge.verify(answer.element(), answer.mac()) {
            Ok(mac) => (Ok(()), Some(answer.check(&mac))),
            Err(error) => (Err(error), None),
        }
    }

    #[test]
    fn the_right_passphrase_proves_both_ends() {
        for client in [Some(key(2)), None] {
            let binding = Binding::new(&key(1), client.as_ref());
            assert_eq!(run(("long enough", binding), ("long enough", binding)), (Ok(()), Some(Ok(()))));
        }
    }

    #[test]
    fn a_wrong_passphrase_proves_neither() {
        let binding = Binding::new(&key(1), Some(&key(2)));
        assert_eq!(run(("long enough", binding), ("long enougH", binding)), (Err(WrongPassphrase), None));
    }

    #[test]
    fn other_keys_than_those_of_the_channel_are_refused() {
        let seen = Binding::new(&key(1), Some(&key(2)));
        for other in [
            Binding::new(&key(2), Some(&key(1))),
            Binding::new(&key(3), Some(&key(2))),
            Binding::new(&key(1), Some(&key(3))),
            Binding::new(&key(1), None),
            Binding::none(),
        ] {
            assert_eq!(run(("long enough", seen), ("long enough", other)).0, Err(WrongPassphrase));
            assert_eq!(run(("long enough", other), ("long enough", seen)).0, Err(WrongPassphrase));
        }
    }

    #[test]
    fn a_proof_that_is_passed_on_is_worth_nothing() {
        // A man in the middle has his own key for both sides.
        let (server, client, middle) = (key(1), key(2), key(3));
        let at_server = Binding::new(&server, Some(&middle));
        let at_client = Binding::new(&middle, Some(&client));
        assert_eq!(run(("long enough", at_server), ("long enough", at_client)), (Err(WrongPassphrase), None));
        // Even with the server's stolen key.
        let at_client = Binding::new(&server, Some(&client));
        assert_eq!(run(("long enough", at_server), ("long enough", at_client)), (Err(WrongPassphrase), None));
        // The control: without the binding, it would be worth all.
        let unbound = Binding::none();
        assert_eq!(run(("long enough", unbound), ("long enough", unbound)), (Ok(()), Some(Ok(()))));
    }

    #[test]
    fn a_server_that_does_not_know_the_passphrase_is_noticed() {
        let binding = Binding::new(&key(1), Some(&key(2)));
        let challenge = Challenge::new(&passphrase("a mere guess"), binding);
        let answer = PakeResponse::new(&passphrase("long enough"), binding, challenge.element()).unwrap();
        // It cannot even use the client's own confirmation.
        let mac = answer.mac().to_vec();
        assert_eq!(answer.check(&mac), Err(WrongPassphrase));
    }

    #[test]
    fn an_answer_counts_for_one_challenge() {
        let binding = Binding::new(&key(1), Some(&key(2)));
        let word = passphrase("long enough");
        let first = Challenge::new(&word, binding);
        let answer = PakeResponse::new(&word, binding, first.element()).unwrap();
        let second = Challenge::new(&word, binding);
        assert_eq!(second.verify(answer.element(), answer.mac()), Err(WrongPassphrase));
        // An own element sent back is refused as well.
        let third = Challenge::new(&word, binding);
        let element = third.element().to_vec();
        assert_eq!(third.verify(&element, answer.mac()), Err(WrongPassphrase));
    }

    #[test]
    fn the_binding_is_what_the_protocol_says() {
        // printf 'lanchat cb v1' | cat - <(head -c 32 /dev/zero | tr '\0' '\1') <(head -c 32 /dev/zero) |
        // sha256sum
        let hex: String = Binding::new(&key(1), None).0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0d5377031c2db39051a068a6aa71f538b613462db7cd8f5f2581b8a8cb249bb6");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

        #[test]
        fn nonsense_is_refused_and_never_panics(
            element in proptest::collection::vec(any::<u8>(), 0..40),
            side in 0_u8..3,
            mac in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut element = element;
            if let Some(first) = element.first_mut() {
                *first = b'A' + side;
            }
            let binding = Binding::new(&key(1), None);
            let word = passphrase("long enough");
            prop_assert!(Challenge::new(&word, binding).verify(&element, &mac).is_err());
            if let Ok(answer) = PakeResponse::new(&word, binding, &element) {
                prop_assert!(answer.check(&mac).is_err());
            }
        }
    }
}
