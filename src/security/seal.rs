//! Seals the records and messages that the servers of a chat leave with their engine: without the chat's key, nobody
//! can read them or forge one (ChaCha20-Poly1305, RFC 8439).
//!
//! Each process seals with a key of its own, derived from the chat's (HKDF, RFC 5869) with a random salt, and counts its
//! nonces. So no two seals share a key and a nonce, however many there are. The salt is part of each seal.

use super::Keypair;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac::{self, HMAC_SHA256};
use std::collections::VecDeque;
use std::fmt;

/// Of a mark: enough to tell a few secrets apart.
const MARK_BYTES: usize = 4;

const SALT_BYTES: usize = 16;

/// Keys of other processes to keep: a house has a few servers, each of which restarts now and then.
const KEYS_KEPT: usize = 16;

/// Seals and opens.
pub struct Seal {
    chat: Prk,
    own: ProcessKey,
    /// Sealed so far.
    count: u64,
    /// Keys of other processes, the one used last at the end.
    others: VecDeque<ProcessKey>,
}

/// Makes short marks by which servers with the same key see whether they have the same secret. A mark tells nothing of the
/// secret to anyone without the key.
#[derive(Debug, Clone)]
pub struct SecretMarks(
    /// `None`: never, as the key has the right length.
    Option<hmac::Key>,
);

struct ProcessKey {
    salt: [u8; SALT_BYTES],
    key: LessSafeKey,
}

/// Its author has another key, or someone changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not of a server with this chat's key")]
pub struct NotSealed;

impl Seal {
    /// With the chat's key.
    ///
    /// # Errors
    /// If the system provides no random numbers.
    pub fn new(keys: &Keypair) -> Result<Self, getrandom::Error> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt)?;
        let chat = Salt::new(HKDF_SHA256, b"lanchat servers' log").extract(keys.seal_secret());
        let own = ProcessKey::derive(&chat, salt).ok_or(getrandom::Error::UNEXPECTED)?;
        Ok(Self { chat, own, count: 0, others: VecDeque::new() })
    }

    /// `context` says what it is; [`open`](Self::open) must say the same.
    pub fn seal(&mut self, context: &[u8], bytes: &[u8]) -> Vec<u8> {
        let number = self.count.to_le_bytes();
        self.count += 1;
        let mut sealed =
            Vec::with_capacity(SALT_BYTES + number.len() + bytes.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&self.own.salt);
        sealed.extend_from_slice(&number);
        let head = sealed.len();
        sealed.extend_from_slice(bytes);
        let done =
            self.own.key.seal_in_place_separate_tag(nonce(number), Aad::from(context), &mut sealed[head..]);
        // Fails only for more bytes than memory has.
        done.into_iter().for_each(|tag| sealed.extend_from_slice(tag.as_ref()));
        sealed
    }

    /// # Errors
    /// If it was not sealed with the chat's key and this context, or was changed.
    pub fn open(&mut self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let (salt, rest) = sealed.split_first_chunk::<SALT_BYTES>().ok_or(NotSealed)?;
        let (number, content) = rest.split_first_chunk::<8>().ok_or(NotSealed)?;
        let mut bytes = content.to_vec();
        let key = self.key_of(salt).ok_or(NotSealed)?;
        let opened = key.open_in_place(nonce(*number), Aad::from(context), &mut bytes);
        let length = opened.map_err(|_| NotSealed)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    fn key_of(&mut self, salt: &[u8; SALT_BYTES]) -> Option<&LessSafeKey> {
        if *salt == self.own.salt {
            return Some(&self.own.key);
        }
        let known = self.others.iter().position(|other| other.salt == *salt);
        let key = match known.and_then(|place| self.others.remove(place)) {
            Some(key) => key,
            None => ProcessKey::derive(&self.chat, *salt)?,
        };
        if self.others.len() >= KEYS_KEPT {
            self.others.pop_front();
        }
        self.others.push_back(key);
        self.others.back().map(|other| &other.key)
    }
}

impl SecretMarks {
    /// With the chat's key.
    pub fn new(keys: &Keypair) -> Self {
        let chat = Salt::new(HKDF_SHA256, b"lanchat marks of secrets").extract(keys.seal_secret());
        Self(chat.expand(&[], HMAC_SHA256).ok().map(hmac::Key::from))
    }

    pub fn of(&self, secret: &[u8]) -> String {
        let tag = self.0.as_ref().map(|key| hmac::sign(key, secret));
        tag.iter().flat_map(hmac::Tag::as_ref).take(MARK_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl ProcessKey {
    fn derive(chat: &Prk, salt: [u8; SALT_BYTES]) -> Option<Self> {
        let info = [salt.as_slice()];
        let key: UnboundKey = chat.expand(&info, &CHACHA20_POLY1305).ok()?.into();
        Some(Self { salt, key: LessSafeKey::new(key) })
    }
}

fn nonce(number: [u8; 8]) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..number.len()].copy_from_slice(&number);
    Nonce::assume_unique_for_key(nonce)
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_with_the_same_key_read_each_other_and_nobody_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keypair::load_or_create(&dir.path().join("key.pem")).unwrap();
        let again = Keypair::load(&dir.path().join("key.pem")).unwrap();
        let (mut one, mut other) = (Seal::new(&keys).unwrap(), Seal::new(&again).unwrap());
        let mut stranger = Seal::new(&Keypair::ephemeral().unwrap()).unwrap();
        let sealed = one.seal(b"record", b"hello");
        assert_eq!(one.open(b"record", &sealed).unwrap(), b"hello");
        assert_eq!(other.open(b"record", &sealed).unwrap(), b"hello");
        assert_eq!(other.open(b"message", &sealed), Err(NotSealed));
        assert_eq!(stranger.open(b"record", &sealed), Err(NotSealed));
        assert_ne!(one.seal(b"record", b"hello"), sealed);
        assert!(!sealed.windows(5).any(|bytes| bytes == b"hello"));
    }

    #[test]
    fn a_mark_tells_another_secret_and_needs_the_key() {
        let keys = Keypair::ephemeral().unwrap();
        let marks = SecretMarks::new(&keys);
        assert_eq!(marks.of(b"one").len(), 2 * MARK_BYTES);
        assert_eq!(marks.of(b"one"), SecretMarks::new(&keys).of(b"one"));
        assert_ne!(marks.of(b"one"), marks.of(b"other"));
        assert_ne!(marks.of(b"one"), SecretMarks::new(&Keypair::ephemeral().unwrap()).of(b"one"));
    }

    #[test]
    fn what_was_changed_or_cut_is_not_opened() {
        let mut seal = Seal::new(&Keypair::ephemeral().unwrap()).unwrap();
        let sealed = seal.seal(b"", b"hello");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(seal.open(b"", &changed), Err(NotSealed), "{place}");
            assert_eq!(seal.open(b"", &sealed[..place]), Err(NotSealed), "{place}");
        }
    }

    #[test]
    fn the_keys_of_many_starts_are_known_again() {
        let keys = Keypair::ephemeral().unwrap();
        let mut reader = Seal::new(&keys).unwrap();
        let mut starts: Vec<Seal> = (0..2 * KEYS_KEPT).map(|_| Seal::new(&keys).unwrap()).collect();
        for _ in 0..2 {
            for start in &mut starts {
                let sealed = start.seal(b"", b"x");
                assert_eq!(reader.open(b"", &sealed).unwrap(), b"x");
            }
        }
        assert_eq!(reader.others.len(), KEYS_KEPT);
    }
}
