//! What a mapping can read: what the vendor's schema offers, and how many of this tenant's people fill each field.

use futures_util::TryStreamExt as _;
use hris_core::{
    Employee, EmploymentStatus, Field, FieldSet, FieldSource as _, HrisConnector, ReadEvent, ReadQuery,
    Result, SourceField, ValueRef,
};

/// What an account offers, and how far it is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovery {
    /// Every field that the vendor's schema has for this account, custom ones included.
    pub fields: Vec<DiscoveredField>,
    /// How many people were looked at. Inactive people do not count, since their records are often emptied.
    pub people: u64,
    /// Whether everybody was looked at.
    pub everybody: bool,
}

/// A field that the vendor's schema has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveredField {
    /// The field.
    pub field: SourceField,
    /// A name to show to people.
    pub label: String,
    /// What reading it costs or needs, if that is remarkable.
    pub remark: Option<String>,
    /// Of how many people it has a value, is empty, and was not delivered; `None` if it was not looked at.
    pub fill: Option<Fill>,
}

/// How far a field is filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a field has a value, has none, or was not delivered")]
pub struct Fill {
    /// People with a value.
    pub filled: u64,
    /// People for whom the vendor says that there is no value.
    pub null: u64,
    /// People for whom the vendor says nothing.
    pub absent: u64,
}

impl Fill {
    /// The share of people with a value in whole percent; `None` if nobody was looked at. Few is told from none and
    /// most from all: 0 and 100 mean exactly that.
    pub fn percent(&self) -> Option<u8> {
        let people = self.filled + self.null + self.absent;
        let share = (u128::from(self.filled) * 100).checked_div(u128::from(people))?;
        Some(match u8::try_from(share).unwrap_or(100) {
            0 if self.filled > 0 => 1,
            share => share,
        })
    }

    fn add(&mut self, value: &Field<ValueRef<'_>>) {
        match value {
            Field::Value(ValueRef::Text(text)) if text.trim().is_empty() => self.null += 1,
            Field::Value(_) => self.filled += 1,
            Field::Null => self.null += 1,
            Field::Absent => self.absent += 1,
        }
    }
}

/// Asks a connector which fields the account offers, and reads people to see who fills them.
///
/// `fields` are those to look at; some cost a request a person, as the remarks of [`HrisConnector::fields`] say.
/// Reading stops after about `people` who are not inactive; the rest of a page is looked at too.
///
/// # Errors
/// The connector's. A reading that breaks off is one.
///
/// ```
/// # use hris_core::{Employee, EmployeeField, EmploymentStatus, Field, FieldSet};
/// # let people = ["r1", "r2", "r3"].map(|record| {
/// #     let mut person = Employee::new(record, EmploymentStatus::Active);
/// #     person.department = if record == "r1" { Field::Value("Sales".to_owned()) } else { Field::Null };
/// #     person
/// # });
/// # let connector = hris_testkit::MockConnector::new(people);
/// # hris_testkit::run(async {
/// let wanted = FieldSet::from_iter([EmployeeField::Department]);
/// let found = hris_sync::discover(&connector, &wanted, 500).await?;
/// let department = found.fields.iter().find(|field| field.label == "department");
/// assert_eq!(department.and_then(|field| field.fill?.percent()), Some(33));
/// # Ok::<(), hris_core::Error>(())
/// # }).unwrap();
/// ```
#[tracing::instrument(name = "hris.discover", skip_all)]
pub async fn discover(connector: &dyn HrisConnector, fields: &FieldSet, people: u64) -> Result<Discovery> {
    let mut discovery = Discovery { fields: Vec::new(), people: 0, everybody: false };
    for offered in connector.fields().await? {
        let is_wanted = match &offered.field {
            SourceField::Employee(field) => fields.has(*field),
            SourceField::Custom(name) => fields.has_custom(name),
        };
        let fill = is_wanted.then(Fill::default);
        discovery.fields.push(DiscoveredField {
            field: offered.field,
            label: offered.label,
            remark: offered.remark,
            fill,
        });
    }
    let mut events = connector.read(ReadQuery::everyone(fields.clone()));
    while discovery.people < people {
        match events.try_next().await? {
            Some(ReadEvent::Employees(page)) => page.iter().for_each(|employee| discovery.look_at(employee)),
            Some(ReadEvent::End(_)) => {
                discovery.everybody = true;
                break;
            }
            Some(_) => {}
            None => return Err(super::planning::without_receipt()),
        }
    }
    Ok(discovery)
}

impl Discovery {
    fn look_at(&mut self, employee: &Employee) {
        if employee.status == EmploymentStatus::Inactive {
            return;
        }
        self.people += 1;
        for field in &mut self.fields {
            if let Some(fill) = &mut field.fill {
                fill.add(&employee.field(&field.field));
            }
        }
    }
}
