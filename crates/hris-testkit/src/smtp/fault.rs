//! What goes wrong at a mail server, as data.

use std::collections::VecDeque;

/// One thing that goes wrong. Most happen once, at the next occasion; two last until they are taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpFault {
    /// Lasts: each pair of sender and recipient is put off with `451 4.7.1` the first time, and taken after that.
    Greylist,
    /// Lasts: this recipient is refused for good with `550 5.1.1`, in whatever case its address is written.
    RefuseRecipient(String),
    /// Greets the next connection with `421 4.3.2` and closes it.
    TooBusy,
    /// Refuses the next message for good after its content, with `554 5.7.1`.
    RefuseContent,
    /// Puts the next message off after its content, with `452 4.3.1`.
    FullDisk,
    /// Takes the next message and closes the connection instead of saying so: the client cannot know.
    VanishAfterAccepting,
    /// Closes the connection in the middle of the next message, which is lost.
    VanishInContent,
    /// Takes the next connection and never says anything.
    Silence,
    /// Takes the next message and never answers it.
    SilenceAfterContent,
}

impl SmtpFault {
    fn lasts(&self) -> bool {
        matches!(self, Self::Greylist | Self::RefuseRecipient(_))
    }
}

/// The faults that are still to happen.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<SmtpFault>);

impl Faults {
    pub(super) fn add(&mut self, fault: SmtpFault) {
        self.0.push_back(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn outstanding(&self) -> usize {
        self.0.iter().filter(|fault| !fault.lasts()).count()
    }

    /// The first fault that fits the occasion; it is used up unless it lasts.
    pub(super) fn take(&mut self, wanted: impl Fn(&SmtpFault) -> bool) -> Option<SmtpFault> {
        let at = self.0.iter().position(wanted)?;
        if self.0.get(at).is_some_and(SmtpFault::lasts) {
            return self.0.get(at).cloned();
        }
        self.0.remove(at)
    }
}
