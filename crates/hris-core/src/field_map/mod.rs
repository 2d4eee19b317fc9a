//! The declarative mapping: rules in a form that configuration files can hold, compiled to a program once.

mod compile;
mod condition;
mod document;
mod faults;
mod op;
mod program;
mod rule;
mod scope;
mod transform;

use std::fmt;
use std::hash::Hasher as _;
use std::sync::Arc;

use serde::Serialize;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::mapping::{Mapped, MappingVersion, ScopeVerdict};
use crate::problem;
use crate::{
    EmployeeField, FieldDescriptor, FieldMapping, FieldSource, MemberField, Result, SourceField, TargetField,
};

pub use condition::{Answer, Is, Test};
pub use document::MappingDocument;
pub use faults::MappingFault;
pub use rule::{Alternative, FieldRule, OnAbsent, OnNull, Origin, Part};
pub use scope::{Clause, ScopeFilter};
pub use transform::{Otherwise, Transform};

use program::Program;

/// The normal [`FieldMapping`]: a list of [`FieldRule`]s and a [`ScopeFilter`], checked and compiled when it is built.
///
/// Nothing in it can panic, loop, or read a field that [`FieldMapping::sources`] does not name.
///
/// ```
/// use hris_core::{FieldMap, FieldMapping};
/// let rules = serde_json::from_str(
///     r#"[
///         { "target": "employee_id", "from": ["employee_id"] },
///         { "target": "email", "from": ["work_email", "personal_email"], "transforms": ["trim"] }
///     ]"#,
/// )?;
/// let mapping = FieldMap::new(rules)?;
/// assert_eq!(mapping.targets().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FieldMap {
    rules: Vec<FieldRule>,
    scope: ScopeFilter,
    program: Arc<Program>,
    sources: Vec<SourceField>,
    targets: Vec<TargetField>,
    create_only: u64,
    version: MappingVersion,
}

impl FieldMap {
    /// Checks and compiles rules. Employee ID and e-mail must be mapped, no attribute may be mapped twice, and types
    /// must fit.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] with everything that is wrong; [`FieldMap::check`] gives the same as a list.
    pub fn new(rules: Vec<FieldRule>) -> Result<Self> {
        let (program, faults) = compile::compile(&rules);
        if !faults.is_empty() {
            return Err(faults::error(&faults));
        }
        Ok(Self::assemble(rules, ScopeFilter::everybody(), Arc::new(program)))
    }

    /// Everything that is wrong with a list of rules.
    pub fn check(rules: &[FieldRule]) -> Vec<MappingFault> {
        compile::compile(rules).1
    }

    /// Limits the mapping to part of the population, in place of an earlier filter.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] with everything that is wrong with the filter.
    pub fn with_scope(self, scope: ScopeFilter) -> Result<Self> {
        let faults = scope.check();
        if !faults.is_empty() {
            return Err(faults::error(&faults));
        }
        Ok(Self::assemble(self.rules, scope, self.program))
    }

    /// The usual start: Employee ID and work e-mail, names, and what a rewards platform can use, each from the
    /// field of the same meaning.
    pub fn standard() -> Self {
        let rules = vec![
            FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId),
            FieldRule::copy(MemberField::Email, EmployeeField::WorkEmail).with(Transform::Trim),
            FieldRule::copy(MemberField::FirstName, EmployeeField::FirstName),
            FieldRule::copy(MemberField::LastName, EmployeeField::LastName),
            FieldRule::copy(MemberField::BirthDate, EmployeeField::BirthDate),
            FieldRule::copy(MemberField::Department, EmployeeField::Department),
            FieldRule::copy(MemberField::Location, EmployeeField::Location),
            FieldRule::copy(MemberField::JobTitle, EmployeeField::JobTitle),
        ];
        let (program, _) = compile::compile(&rules);
        Self::assemble(rules, ScopeFilter::everybody(), Arc::new(program))
    }

    fn assemble(rules: Vec<FieldRule>, scope: ScopeFilter, program: Arc<Program>) -> Self {
        let mut sources: Vec<_> = program.sources.iter().chain(scope.sources()).cloned().collect();
        sources.sort();
        sources.dedup();
        let targets = rules.iter().map(|rule| rule.target.clone()).collect();
        let on_create = |(index, rule): (usize, &FieldRule)| u64::from(rule.create_only) << index;
        let create_only = rules.iter().enumerate().map(on_create).fold(0, |mask, bit| mask | bit);
        // A mapping without a filter has the version that its rules alone give it.
        let version = if scope.is_everybody() { version_of(&rules) } else { version_of(&(&rules, &scope)) };
        Self { rules, scope, program, sources, targets, create_only, version }
    }

    /// The rules.
    pub fn rules(&self) -> &[FieldRule] {
        &self.rules
    }

    /// The filter.
    pub fn scope_filter(&self) -> &ScopeFilter {
        &self.scope
    }

    /// What of it an account does not offer, by [`crate::HrisConnector::fields`]. Such a field is never delivered.
    pub fn check_offered(&self, offered: &[FieldDescriptor]) -> Vec<MappingFault> {
        let always: [SourceField; 2] = [EmployeeField::RecordId.into(), EmployeeField::Status.into()];
        let is_missing = |field: &&SourceField| {
            !always.contains(field) && !offered.iter().any(|offer| offer.field == **field)
        };
        let fault = |place: String, field: &SourceField| {
            let message = format!("reads `{field}`, which this account does not offer");
            MappingFault::new(problem::rule::MAPPING_NOT_OFFERED, place, message)
        };
        let mut faults = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let place = format!("`{}` (rule {})", rule.target, index + 1);
            let missing = rule.sources().filter(is_missing);
            faults.extend(missing.map(|field| fault(place.clone(), field)));
        }
        let missing = self.scope.sources().filter(is_missing);
        faults.extend(missing.map(|field| fault("scope".to_owned(), field)));
        faults
    }
}

impl fmt::Debug for FieldMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("FieldMap");
        out.field("version", &self.version).field("rules", &self.rules).field("scope", &self.scope);
        out.finish_non_exhaustive()
    }
}

impl PartialEq for FieldMap {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules && self.scope == other.scope
    }
}

impl Eq for FieldMap {}

fn version_of(content: &impl Serialize) -> MappingVersion {
    // Serialising texts into memory has no way to fail.
    let content = serde_json::to_vec(content).unwrap_or_default();
    let mut hasher = SipHasher24::new();
    hasher.write(&content);
    MappingVersion::new(format!("{:032x}", hasher.finish128().as_u128()))
}

impl FieldMapping for FieldMap {
    fn version(&self) -> &MappingVersion {
        &self.version
    }

    fn sources(&self) -> &[SourceField] {
        &self.sources
    }

    fn targets(&self) -> &[TargetField] {
        &self.targets
    }

    fn scope(&self, source: &dyn FieldSource) -> ScopeVerdict {
        if self.scope.is_everybody() { ScopeVerdict::Inside } else { self.scope.judge(source) }
    }

    fn create_only(&self) -> u64 {
        self.create_only
    }

    fn map<'a>(&self, source: &'a dyn FieldSource) -> Mapped<'a> {
        self.program.run(source)
    }
}
