//! The key port, and the keyed fingerprints that stand in for people's values in a store.

use std::fmt;
use std::hash::Hasher as _;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::Datelike as _;
use hmac::{Hmac, KeyInit, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::{ConnectionKey, Error, Field, RecordId, Result, TargetField, ValueRef, fold_email};

/// Names one secret key; stored beside what was made with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Wraps the name.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret key of 32 bytes. Fingerprints, tombstones, campaign keys and claim tokens all come from such keys.
#[derive(Clone)]
pub struct SecretKey {
    id: KeyId,
    bytes: Arc<SecretBox<[u8; 32]>>,
}

impl SecretKey {
    /// A key made of random bytes, with its name.
    pub fn new(id: KeyId, bytes: [u8; 32]) -> Self {
        Self { id, bytes: Arc::new(SecretBox::new(Box::new(bytes))) }
    }

    /// The name.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// HMAC-SHA256 over a purpose and parts, for tokens that nobody may guess. Parts are told apart by their lengths.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.hmac(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether `tag` is the beginning, at least 16 bytes long, of [`SecretKey::mac`]; compared in constant time.
    pub fn verify_mac(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= 16 && self.hmac(purpose, parts).verify_truncated_left(tag).is_ok()
    }

    fn hmac(&self, purpose: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A key shorter than a block is padded with zeros, RFC 2104; so that no key is of a wrong length.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(self.bytes.expose_secret()) {
            *to = *from;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }

    /// A 128-bit key for one purpose, so that no two uses share one.
    fn derive(&self, purpose: &str, context: &str) -> u128 {
        let (key, rest) = self.bytes.expose_secret().split_at(16);
        let mut hasher = SipHasher24::new_with_key(&copy16(key));
        for part in [rest, purpose.as_bytes(), context.as_bytes()] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

fn copy16(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where secret keys come from. They live outside the store's file, so that its fingerprints alone tell nothing.
#[async_trait]
pub trait KeyProvider: fmt::Debug + Send + Sync + 'static {
    /// The key for new connections.
    async fn current(&self) -> Result<SecretKey>;

    /// An earlier key, for what was made with it. Unknown: [`crate::ErrorKind::Config`].
    async fn key(&self, id: &KeyId) -> Result<SecretKey>;
}

/// One fixed key, for tests, examples and applications that take theirs from the environment.
#[async_trait]
impl KeyProvider for SecretKey {
    async fn current(&self) -> Result<SecretKey> {
        Ok(self.clone())
    }

    async fn key(&self, id: &KeyId) -> Result<SecretKey> {
        if *id == self.id {
            return Ok(self.clone());
        }
        Err(Error::config(
            format!("the store was written with the key `{}`, which is not at hand", id.as_str()),
            "provide that key, or start a new store",
        ))
    }
}

/// A keyed fingerprint of one value: equal for equal values under one key, and telling nothing without it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Print(pub u64);

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The fingerprints of a person's attributes, each under the tag of its attribute so that they survive a change of
/// mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prints(Vec<(FieldTag, Print)>);

impl Prints {
    /// Fingerprints in the order of a mapping's targets.
    pub fn new(prints: Vec<(FieldTag, Print)>) -> Self {
        Self(prints)
    }

    /// The fingerprint of an attribute, if one is kept.
    pub fn get(&self, tag: FieldTag) -> Option<Print> {
        self.0.iter().find(|(known, _)| *known == tag).map(|(_, print)| *print)
    }

    /// Tags and fingerprints in the order kept.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FieldTag, Print)> {
        self.0.iter().copied()
    }

    /// The same with others in the place of those of some attributes.
    #[must_use]
    pub fn with(&self, changed: &[(FieldTag, Print)]) -> Self {
        let is_kept = |tag: FieldTag| changed.iter().all(|(other, _)| *other != tag);
        Self(self.iter().filter(|(tag, _)| is_kept(*tag)).chain(changed.iter().copied()).collect())
    }

    /// One fingerprint over all of them, whatever their order.
    pub fn row(&self) -> Print {
        Print(self.0.iter().fold(0, |row, (_, print)| row ^ print.0))
    }
}

/// A short stable tag of an attribute's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldTag(pub u32);

impl FieldTag {
    /// The tag of an attribute: a hash of its name that never changes between versions.
    pub fn of(field: &TargetField) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(field.to_string().as_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "a tag is the low half of the hash")]
        Self(hasher.finish() as u32)
    }
}

/// Makes fingerprints for one connection.
///
/// The key is derived per connection, so that equal people of two tenants have nothing in common in a store.
#[derive(Clone)]
pub struct Fingerprinter {
    values: SipHasher13,
    digests: SipHasher24,
    key: KeyId,
}

impl Fingerprinter {
    /// Fingerprints for one connection under a key.
    pub fn new(key: &SecretKey, connection: &ConnectionKey) -> Self {
        let context = format!("{}\0{}", connection.tenant(), connection.connection());
        let values = key.derive("hris/fingerprint/1", &context).to_le_bytes();
        let digests = key.derive("hris/digest/1", &context).to_le_bytes();
        Self {
            values: SipHasher13::new_with_key(&values),
            digests: SipHasher24::new_with_key(&digests),
            key: key.id.clone(),
        }
    }

    /// The key in use.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The fingerprint of a record id.
    pub fn record(&self, record: &RecordId) -> Print {
        self.text(b'r', record.as_str())
    }

    /// The fingerprint under which an e-mail address is matched: case is folded.
    pub fn email(&self, address: &str) -> Print {
        self.text(b'e', &fold_email(address))
    }

    /// The fingerprint under which an Employee ID is matched: exact.
    pub fn employee_id(&self, id: &str) -> Print {
        self.text(b'i', id)
    }

    fn text(&self, kind: u8, text: &str) -> Print {
        let mut hasher = self.values;
        hasher.write_u8(kind);
        hasher.write(text.as_bytes());
        Print(hasher.finish())
    }

    /// The fingerprint of an attribute's value for change detection: exact, by type, `None` being "no value".
    pub fn attribute(&self, tag: FieldTag, value: Option<&ValueRef<'_>>) -> Print {
        let mut hasher = self.values;
        hasher.write_u32(tag.0);
        match value {
            None => hasher.write_u8(0),
            Some(ValueRef::Text(text)) => {
                hasher.write_u8(1);
                hasher.write(text.as_bytes());
            }
            Some(ValueRef::Date(date)) => {
                hasher.write_u8(2);
                hasher.write_i32(date.num_days_from_ce());
            }
            Some(ValueRef::BirthDate(date)) => {
                hasher.write_u8(3);
                hasher.write_i32(date.year().unwrap_or(i32::MIN));
                hasher.write_u32(date.month() * 32 + date.day());
            }
            Some(ValueRef::Bool(flag)) => hasher.write_u8(4 + u8::from(*flag)),
        }
        Print(hasher.finish())
    }

    /// Starts a keyed digest: nobody without the key can make one that fits an altered plan.
    pub fn digester(&self) -> Digester {
        Digester(self.digests)
    }
}

/// A keyed digest in the making.
#[derive(Clone)]
pub struct Digester(SipHasher24);

impl Digester {
    /// Adds a part. Parts are told apart: `ab` and `c` give another digest than `a` and `bc`.
    pub fn add(&mut self, part: &[u8]) {
        self.0.write_usize(part.len());
        self.0.write(part);
    }

    /// The digest, as 32 hexadecimal digits.
    pub fn finish(&self) -> String {
        format!("{:032x}", self.0.finish128().as_u128())
    }

    /// The digest, as bytes in the order of [`Digester::finish`].
    pub fn bytes(&self) -> [u8; 16] {
        self.0.finish128().as_u128().to_be_bytes()
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprinter").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Fingerprints of a mapped row, aligned with the mapping's targets; an absent field has none.
pub fn row_prints(
    fingerprinter: &Fingerprinter,
    tags: &[FieldTag],
    values: &[Field<ValueRef<'_>>],
    prints: &mut Vec<Option<Print>>,
) {
    prints.clear();
    prints.extend(tags.iter().zip(values).map(|(tag, value)| match value {
        Field::Absent => None,
        Field::Null => Some(fingerprinter.attribute(*tag, None)),
        Field::Value(value) => Some(fingerprinter.attribute(*tag, Some(value))),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprinter(tenant: &str, seed: u8) -> Fingerprinter {
        Fingerprinter::new(&SecretKey::new(KeyId::new("k"), [seed; 32]), &ConnectionKey::new(tenant, "c"))
    }

    #[test]
    fn prints_differ_by_key_tenant_attribute_and_value() {
        let tag = FieldTag::of(&TargetField::EMAIL);
        let value = ValueRef::text("a@b.example");
        let print = fingerprinter("t", 1).attribute(tag, Some(&value));
        assert_eq!(print, fingerprinter("t", 1).attribute(tag, Some(&value)));
        assert_ne!(print, fingerprinter("t", 2).attribute(tag, Some(&value)));
        assert_ne!(print, fingerprinter("u", 1).attribute(tag, Some(&value)));
        assert_ne!(print, fingerprinter("t", 1).attribute(FieldTag(tag.0 ^ 1), Some(&value)));
        assert_ne!(print, fingerprinter("t", 1).attribute(tag, Some(&ValueRef::text("A@b.example"))));
        assert_ne!(print, fingerprinter("t", 1).attribute(tag, None));
    }

    #[test]
    fn matching_prints_fold_the_case_of_addresses_but_not_of_employee_ids() {
        let f = fingerprinter("t", 1);
        assert_eq!(f.email("A@B.example"), f.email("a@b.example"));
        assert_ne!(f.employee_id("A1"), f.employee_id("a1"));
    }

    #[test]
    fn field_tags_are_the_same_in_every_version() {
        // Stored beside fingerprints: a change here would make every known person look changed.
        assert_eq!(FieldTag::of(&TargetField::EMAIL), FieldTag(TAG_OF_EMAIL));
    }

    const TAG_OF_EMAIL: u32 = 2_483_941_789;
}
