//! Receiving from senders that sign nothing: an address that nobody can guess, and a bound on what is taken.

use hris_core::{Error, Result};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

/// How short a secret may be: 32 characters of hexadecimal digits are 128 bits.
const SHORTEST: usize = 32;
/// How large a body may be.
const MAX_BYTES: usize = 1 << 20;

/// Why a delivery is not acted on. [`InboundRefusal::status`] is the answer to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InboundRefusal {
    /// The secret part of the address is another one.
    #[error(
        "the webhook came to an address without the right secret; compare the address in the vendor's settings"
    )]
    WrongSecret,
    /// The body is larger than any event.
    #[error("the webhook is larger than 1 MiB")]
    TooLarge,
}

impl InboundRefusal {
    /// The HTTP status to answer. A wrong secret is answered like an address that does not exist.
    pub fn status(self) -> u16 {
        match self {
            Self::WrongSecret => 404,
            Self::TooLarge => 413,
        }
    }
}

/// The secret part of an address to which a vendor sends webhooks that it does not sign.
///
/// Whoever knows the address can send anything: take what comes as a reason to read, and believe none of it. Give a
/// connection a secret of its own, made of at least 128 bits of chance, such as by `openssl rand -hex 32`; keep it out of
/// logs of addresses; and while it is replaced, give both the new and the old one.
///
/// ```
/// use hris_http::{InboundRefusal, InboundSecrets};
/// let secrets = InboundSecrets::new(["9f86d081884c7d659a2feaa0c55ad015".into()])?;
/// secrets.check("9f86d081884c7d659a2feaa0c55ad015", br#"{"ActionId": 2}"#).unwrap();
/// assert_eq!(secrets.check("guessed", b"").unwrap_err(), InboundRefusal::WrongSecret);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InboundSecrets(Vec<SecretString>);

impl InboundSecrets {
    /// Lets any of these secrets in.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](hris_core::ErrorKind::Config) without one, or if one has fewer than 32 characters, or
    /// characters that a path cannot hold as they are: letters, digits, `-`, `_`, `.` and `~` can.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self> {
        let secrets: Vec<_> = secrets.into_iter().collect();
        if secrets.is_empty() || !secrets.iter().all(|secret| is_unguessable(secret.expose_secret())) {
            let message =
                "an address for webhooks needs a secret of at least 32 letters, digits, `-`, `_`, `.` or `~`";
            return Err(Error::config(
                message,
                "make one by chance, for example with `openssl rand -hex 32`",
            ));
        }
        Ok(Self(secrets))
    }

    /// Checks one delivery: the secret part of the address that it came to, in constant time, and the raw body's length.
    ///
    /// # Errors
    /// See [`InboundRefusal`].
    pub fn check(&self, secret: &str, body: &[u8]) -> Result<(), InboundRefusal> {
        // Every secret is compared, so that the time tells nothing of which one fits. Their lengths are no secret.
        let fits = self.0.iter().fold(Choice::from(0), |fits, known| {
            fits | known.expose_secret().as_bytes().ct_eq(secret.as_bytes())
        });
        match (bool::from(fits), body.len() > MAX_BYTES) {
            (false, _) => Err(InboundRefusal::WrongSecret),
            (true, true) => Err(InboundRefusal::TooLarge),
            (true, false) => Ok(()),
        }
    }
}

fn is_unguessable(secret: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    secret.len() >= SHORTEST && secret.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    const OLD: &str = "fcde2b2edba56bf408601fb721fe9b5c";

    fn both() -> InboundSecrets {
        InboundSecrets::new([NEW.into(), OLD.into()]).unwrap()
    }

    #[test]
    fn every_secret_of_a_rotation_is_let_in_and_nothing_that_is_not_exactly_one() {
        for secret in [NEW, OLD] {
            assert_eq!(both().check(secret, b"{}"), Ok(()));
        }
        let longer = format!("{OLD}0");
        let upper = OLD.to_uppercase();
        for secret in ["", &OLD[..31], &NEW[..32], &longer, &upper, " ", &format!(" {OLD}")] {
            let refused = both().check(secret, b"{}").unwrap_err();
            assert_eq!((refused, refused.status()), (InboundRefusal::WrongSecret, 404), "{secret:?}");
        }
    }

    #[test]
    fn a_body_beyond_any_event_is_refused_and_strangers_do_not_learn_the_bound() {
        let large = vec![b' '; MAX_BYTES + 1];
        let refused = both().check(NEW, &large).unwrap_err();
        assert_eq!((refused, refused.status()), (InboundRefusal::TooLarge, 413));
        assert_eq!(both().check(NEW, &large[1..]), Ok(()));
        assert_eq!(both().check("guessed", &large), Err(InboundRefusal::WrongSecret));
    }

    #[test]
    fn a_secret_that_can_be_guessed_or_does_not_stay_as_it_is_in_a_path_is_a_mistake() {
        let with_slash = format!("{OLD}/x");
        for secrets in [vec![], vec![""], vec!["acme"], vec![NEW, &OLD[1..]], vec![&*with_slash]] {
            let error = InboundSecrets::new(secrets.iter().map(|secret| (*secret).into())).unwrap_err();
            assert_eq!(error.kind(), hris_core::ErrorKind::Config, "{secrets:?}");
            assert!(!format!("{error} {error:?}").contains(&OLD[1..]), "{error:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?} {:?}", both(), both().check("guessed", b""));
        assert!(!shown.contains(NEW) && !shown.contains(OLD) && !shown.contains("guessed"), "{shown}");
    }
}
