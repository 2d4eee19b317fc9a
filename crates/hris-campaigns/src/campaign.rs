//! What a campaign is: whom it finds, when it sends, what it sends.

use chrono::NaiveTime;
use chrono_tz::Tz;
use hris_core::{CampaignId, EmployeeField, Error, Mailbox, Result, SourceField};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::template::MailTemplate;
use crate::{Filter, LeapDay, Milestones, Span, Window};

/// The date that a campaign celebrates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// A date of birth: month and day are all that is looked at.
    Birth(SourceField),
    /// A date of service, counted from with its year. Which field it is belongs to the occurrence: latest start,
    /// original hire or adjusted seniority are different countings.
    Service(SourceField),
}

impl Anchor {
    /// The canonical date of birth.
    pub fn birth_date() -> Self {
        Self::Birth(EmployeeField::BirthDate.into())
    }

    /// The canonical start date: the latest start, so that somebody who was hired again counts from then.
    pub fn start_date() -> Self {
        Self::Service(EmployeeField::StartDate.into())
    }

    /// Another date of service, such as `custom:original_hire_date`.
    pub fn service(field: impl Into<SourceField>) -> Self {
        Self::Service(field.into())
    }

    /// The field.
    pub fn field(&self) -> &SourceField {
        match self {
            Self::Birth(field) | Self::Service(field) => field,
        }
    }
}

/// How often the date comes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// Once in an employment, on the date itself.
    Once,
    /// Every year on its day.
    Yearly,
}

/// An address that a mail can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressSource {
    /// The private address.
    Personal,
    /// The address at work.
    Work,
}

impl AddressSource {
    /// The field.
    pub fn field(self) -> EmployeeField {
        match self {
            Self::Personal => EmployeeField::PersonalEmail,
            Self::Work => EmployeeField::WorkEmail,
        }
    }
}

/// In whose zone the send time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SendZone {
    /// The customer's.
    #[default]
    Customer,
    /// The recipient's, where the HR system knows it, else the customer's.
    Recipient,
    /// This one, for everybody.
    Fixed(Tz),
}

impl Serialize for SendZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Customer => "customer",
            Self::Recipient => "recipient",
            Self::Fixed(zone) => zone.name(),
        })
    }
}

impl<'de> Deserialize<'de> for SendZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*String::deserialize(deserializer)? {
            "customer" => Ok(Self::Customer),
            "recipient" => Ok(Self::Recipient),
            name => name.parse().map(Self::Fixed).map_err(serde::de::Error::custom),
        }
    }
}

/// Who is due when, and where the mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// The date.
    pub anchor: Anchor,
    /// Once or every year.
    pub recurrence: Recurrence,
    /// How many days after the date the gift is due; negative for before. 0 unless set.
    pub offset_days: i16,
    /// The days around today that are looked at.
    pub window: Window,
    /// Which years of service, for yearly dates of service.
    pub milestones: Milestones,
    /// What becomes of 29 February.
    pub leap_day: LeapDay,
    /// Whom it is for.
    pub filter: Filter,
    /// Where mails go, in order of preference. The seed designates one each; more is a fall-back by choice.
    pub addresses: Vec<AddressSource>,
    /// The time of day at which mails go out; 09:00 unless set.
    pub send_time: NaiveTime,
    /// In whose zone that is.
    pub zone: SendZone,
    /// How many days after its date a gift may still be sent; 7 for new hires, else 2 unless set. After that it is
    /// reported and never sent.
    pub max_late_days: u16,
    /// A field that says "no gifts" where its text is `true`, `yes`, `y` or `1`.
    pub opt_out: Option<SourceField>,
}

const NINE: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

impl Rule {
    fn new(
        anchor: Anchor,
        recurrence: Recurrence,
        window: Window,
        address: AddressSource,
        late: u16,
    ) -> Self {
        Self {
            anchor,
            recurrence,
            offset_days: 0,
            window,
            milestones: Milestones::Every,
            leap_day: LeapDay::default(),
            filter: Filter::everybody(),
            addresses: vec![address],
            send_time: NINE,
            zone: SendZone::default(),
            max_late_days: late,
            opt_out: None,
        }
    }

    /// The seed's new-hire rule: start dates from 7 days before to 30 days after today, mail to the personal address
    /// on the start date.
    pub fn new_hire() -> Self {
        Self::new(Anchor::start_date(), Recurrence::Once, Window::NEW_HIRE, AddressSource::Personal, 7)
    }

    /// The seed's anniversary rule: anniversaries of the coming 7 days, mail to the work address on the day.
    pub fn anniversary() -> Self {
        Self::new(Anchor::start_date(), Recurrence::Yearly, Window::COMING_WEEK, AddressSource::Work, 2)
    }

    /// The seed's birthday rule: birthdays of the coming 7 days, mail to the personal address on the day.
    pub fn birthday() -> Self {
        Self::new(Anchor::birth_date(), Recurrence::Yearly, Window::COMING_WEEK, AddressSource::Personal, 2)
    }

    /// Celebrates another date.
    #[must_use]
    pub fn with_anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    /// Moves the due date by days after (or before) the date.
    #[must_use]
    pub fn with_offset_days(mut self, days: i16) -> Self {
        self.offset_days = days;
        self
    }

    /// Looks at other days around today.
    #[must_use]
    pub fn with_window(mut self, look_back: Span, look_ahead: Span) -> Self {
        self.window = Window { look_back, look_ahead };
        self
    }

    /// Celebrates some years of service only.
    #[must_use]
    pub fn with_milestones(mut self, milestones: Milestones) -> Self {
        self.milestones = milestones;
        self
    }

    /// Decides about 29 February.
    #[must_use]
    pub fn with_leap_day(mut self, leap_day: LeapDay) -> Self {
        self.leap_day = leap_day;
        self
    }

    /// Is for some people only.
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Designates other addresses, in order of preference.
    #[must_use]
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = AddressSource>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// Sends at another time of day, in a zone.
    #[must_use]
    pub fn with_send_time(mut self, time: NaiveTime, zone: SendZone) -> Self {
        self.send_time = time;
        self.zone = zone;
        self
    }

    /// Allows another lateness; 0 sends on the day or not at all.
    #[must_use]
    pub fn with_max_late_days(mut self, days: u16) -> Self {
        self.max_late_days = days;
        self
    }

    /// Respects a field that says "no gifts".
    #[must_use]
    pub fn with_opt_out(mut self, field: impl Into<SourceField>) -> Self {
        self.opt_out = Some(field.into());
        self
    }

    /// The fields that it reads, beside names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = SourceField> {
        let addresses = self.addresses.iter().map(|address| address.field().into());
        let zone = (self.zone == SendZone::Recipient).then(|| EmployeeField::TimeZone.into());
        std::iter::once(self.anchor.field().clone())
            .chain(addresses)
            .chain(zone)
            .chain(self.opt_out.clone())
            .chain(self.filter.fields().cloned())
    }

    fn check(&self) -> Result<()> {
        let is_birth = matches!(self.anchor, Anchor::Birth(_));
        let problem = if self.addresses.is_empty() {
            Some((
                "a campaign without an address reaches nobody",
                "designate the personal or the work address",
            ))
        } else if is_birth && self.recurrence == Recurrence::Once {
            Some(("a birthday comes round every year", "use a yearly recurrence"))
        } else if is_birth && self.milestones != Milestones::Every {
            Some(("years of service cannot be counted from a date of birth", "leave milestones out"))
        } else if self.milestones.is_empty() {
            Some(("no year of service is a milestone", "name years from 1 on"))
        } else {
            None
        };
        problem.map_or(Ok(()), |(message, hint)| Err(Error::config(message, hint)))
    }
}

/// A gift campaign.
///
/// ```
/// use hris_campaigns::{Campaign, MailTemplate, Rule};
/// use hris_core::{Email, Mailbox};
/// let sender = Mailbox::new("Brisa", Email::parse("gifts@brisa.example").unwrap());
/// let mail = MailTemplate::new("Happy birthday, {{ first_name }}!", "Your gift: {{ claim_link }}")?;
/// let campaign = Campaign::new("birthdays", "Birthdays", "gift-mug", sender, mail, Rule::birthday())?;
/// assert_eq!(campaign.rule().window, hris_campaigns::Window::COMING_WEEK);
/// # Ok::<(), hris_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    id: CampaignId,
    name: String,
    gift: String,
    sender: Mailbox,
    mail: MailTemplate,
    rule: Rule,
}

impl Campaign {
    /// A campaign.
    ///
    /// # Errors
    /// [`hris_core::ErrorKind::Config`] for a rule that can find or reach nobody.
    pub fn new(
        id: impl Into<CampaignId>,
        name: impl Into<String>,
        gift: impl Into<String>,
        sender: Mailbox,
        mail: MailTemplate,
        rule: Rule,
    ) -> Result<Self> {
        let campaign = Self { id: id.into(), name: name.into(), gift: gift.into(), sender, mail, rule };
        campaign.rule.check().map_err(|error| error.with_context("campaign", &campaign.id))?;
        Ok(campaign)
    }

    /// Its id; part of every key, so that it never changes.
    pub fn id(&self) -> &CampaignId {
        &self.id
    }

    /// Its name, to show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The gift, in the portal's own words; opaque here.
    pub fn gift(&self) -> &str {
        &self.gift
    }

    /// Who the mails are from.
    pub fn sender(&self) -> &Mailbox {
        &self.sender
    }

    /// Subject and body.
    pub fn mail(&self) -> &MailTemplate {
        &self.mail
    }

    /// Who is due when.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The same with another look ahead.
    pub(crate) fn looking_ahead(mut self, ahead: Span) -> Self {
        self.rule.window.look_ahead = ahead;
        self
    }

    /// Checks that this definition may take the place of an earlier one. Date and recurrence are what occurrences are
    /// counted by, so that another choice would be another campaign.
    pub(crate) fn check_edit_of(&self, earlier: &Self) -> Result<()> {
        let same = self.id == earlier.id
            && self.rule.anchor == earlier.rule.anchor
            && self.rule.recurrence == earlier.rule.recurrence
            && self.rule.offset_days == earlier.rule.offset_days;
        if same {
            return Ok(());
        }
        Err(Error::config(
            "date, recurrence and offset of a campaign cannot be changed: gifts would be counted anew",
            "end this campaign and make another",
        )
        .with_context("campaign", &self.id))
    }
}
