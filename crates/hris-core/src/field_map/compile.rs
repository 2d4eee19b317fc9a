//! From rules to a program, and everything that is wrong with the rules on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::MappingFault;
use super::op::{Fit, Kind, Op, literal};
use super::program::{End, Program, Step};
use super::rule::{Alternative, FieldRule, OnAbsent, OnNull, Origin, Part};
use super::transform::Transform;
use crate::mapping::MAX_TARGETS;
use crate::problem::{RuleCode, rule};
use crate::{EmployeeField, Field, MemberField, SourceField, TargetField, ValueRef};

/// How many alternatives a rule may have, and transforms, parts or tests an alternative.
const MAX_PARTS: usize = 32;

/// How long a text of a document may be, in bytes.
const MAX_LITERAL: usize = 4 * 1024;

/// How many entries a lookup table may have.
const MAX_ENTRIES: usize = 10_000;

/// Compiles rules. The program is usable if there is no fault.
pub(super) fn compile(rules: &[FieldRule]) -> (Program, Vec<MappingFault>) {
    let sources: BTreeSet<_> = rules.iter().flat_map(FieldRule::sources).cloned().collect();
    let sources: Vec<_> = sources.into_iter().collect();
    let positions = sources.iter().cloned().zip(0..).collect();
    let mut compiler = Compiler {
        positions,
        program: Program { sources, ..Program::default() },
        faults: Vec::new(),
        place: String::new(),
    };
    compiler.check_targets(rules);
    for (index, rule) in rules.iter().enumerate() {
        compiler.place = format!("`{}` (rule {})", rule.target, index + 1);
        compiler.rule(rule);
    }
    (compiler.program, compiler.faults)
}

struct Compiler {
    positions: BTreeMap<SourceField, usize>,
    program: Program,
    faults: Vec<MappingFault>,
    place: String,
}

impl Compiler {
    fn fault(&mut self, rule: RuleCode, message: impl Into<std::borrow::Cow<'static, str>>) {
        let fault = MappingFault::new(rule, self.place.clone(), message);
        // A transform of a rule is compiled once for each alternative.
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn check_targets(&mut self, rules: &[FieldRule]) {
        for mandatory in [TargetField::EMPLOYEE_ID, TargetField::EMAIL] {
            if !rules.iter().any(|rule| rule.target == mandatory) {
                self.place = format!("`{mandatory}`");
                let message =
                    "is not mapped; no account can be created without Employee ID and e-mail address";
                self.fault(rule::MAPPING_MANDATORY, message);
            }
        }
        if rules.len() > MAX_TARGETS {
            "the mapping".clone_into(&mut self.place);
            let message = format!("has {} rules; map at most {MAX_TARGETS} attributes", rules.len());
            self.fault(rule::MAPPING_TOO_LARGE, message);
        }
        let mut seen = BTreeSet::new();
        for (index, rule) in rules.iter().enumerate() {
            if !seen.insert(&rule.target) {
                self.place = format!("`{}` (rule {})", rule.target, index + 1);
                self.fault(rule::MAPPING_TWICE, "is mapped twice; keep one of the rules");
            }
        }
    }

    fn rule(&mut self, rule: &FieldRule) {
        self.check_size(rule);
        self.check_unique(rule);
        self.check_reach(rule);
        if rule.from.is_empty() {
            self.fault(
                rule::MAPPING_EMPTY,
                "is mapped from no field; name one in `from`, or leave the rule out",
            );
        }
        let fit = fit_of(&rule.target);
        if let Some(field) = copied_field(rule) {
            let copy = self.copy(rule, field, fit);
            self.program.steps.push(copy);
            self.program.ends.push(self.program.steps.len());
            return;
        }
        for alternative in &rule.from {
            self.alternative(rule, alternative, fit);
        }
        let end = self.end(rule, fit);
        self.program.ends.push(self.program.steps.len());
        self.program.steps.push(Step::Finish(Box::new(end)));
    }

    /// A rule that copies one field. The steps of its transforms become part of the one step.
    fn copy(&mut self, rule: &FieldRule, field: &SourceField, fit: Fit) -> Step {
        let first = self.program.steps.len();
        let kind = self.transforms(kind_of(field), rule.transforms.iter());
        self.check_fit(kind, fit);
        let ops = self.program.steps.drain(first..);
        let ops = ops.filter_map(|step| if let Step::Apply(op) = step { Some(op) } else { None }).collect();
        Step::Copy { field: field.clone(), ops, fit }
    }

    fn alternative(&mut self, rule: &FieldRule, alternative: &Alternative, fit: Fit) {
        let condition = self.program.steps.len();
        if !alternative.when.is_empty() {
            for test in &alternative.when {
                if let Some(why) = test.fault() {
                    self.fault(rule::MAPPING_CONDITION, format!("has the condition `{test}`, which {why}"));
                }
            }
            let tests = alternative.when.clone().into_boxed_slice();
            self.program.steps.push(Step::When { tests, otherwise: 0 });
        }
        let kind = self.origin(&alternative.origin);
        let first = self.program.steps.len();
        let kind = self.transforms(kind, alternative.transforms.iter().chain(&rule.transforms));
        match &alternative.origin {
            Origin::Constant(text) => self.check_constant(text, first, fit),
            _ => self.check_fit(kind, fit),
        }
        self.program.steps.push(Step::Offer);
        let next = self.program.steps.len();
        if let Some(Step::When { otherwise, .. }) = self.program.steps.get_mut(condition) {
            *otherwise = next;
        }
    }

    fn origin(&mut self, origin: &Origin) -> Kind {
        match origin {
            Origin::Field(field) => {
                let load = Step::Load(self.position(field));
                self.program.steps.push(load);
                kind_of(field)
            }
            Origin::Constant(text) => {
                self.program.steps.push(Step::Constant(text.as_str().into()));
                Kind::Text
            }
            Origin::Join { parts, separator } => {
                self.join(parts, separator);
                Kind::Text
            }
        }
    }

    fn join(&mut self, parts: &[Part], separator: &str) {
        if !parts.iter().any(|part| matches!(part, Part::Field(..))) {
            self.fault(rule::MAPPING_EMPTY, "joins no field");
        }
        self.program.steps.push(Step::JoinStart);
        for part in parts {
            let is_field = match part {
                Part::Field(field, transforms) => {
                    let load = Step::Load(self.position(field));
                    self.program.steps.push(load);
                    self.transforms(kind_of(field), transforms.iter());
                    true
                }
                Part::Constant(text) => {
                    self.program.steps.push(Step::Constant(text.as_str().into()));
                    false
                }
            };
            self.program.steps.push(Step::JoinPart { separator: separator.into(), is_field });
        }
        self.program.steps.push(Step::JoinEnd);
    }

    /// Compiles transforms one after the other; answers the type of what they make.
    fn transforms<'t>(&mut self, kind: Kind, transforms: impl Iterator<Item = &'t Transform>) -> Kind {
        transforms.fold(kind, |kind, transform| {
            match Op::compile(transform, kind) {
                Ok(op) => self.program.steps.push(Step::Apply(op)),
                Err(why) => {
                    self.fault(rule::MAPPING_ARGUMENT, format!("has a transform that cannot work: {why}"));
                }
            }
            after(transform, kind).unwrap_or_else(|expected| {
                let (name, given) = (transform.name(), name_of(kind));
                self.fault(
                    rule::MAPPING_TYPE,
                    format!("gives {given} to `{name}`, which changes {expected}"),
                );
                Kind::Any
            })
        })
    }

    fn check_fit(&mut self, kind: Kind, fit: Fit) {
        let remedy = match (kind, fit) {
            (Kind::Text, Fit::Date | Fit::BirthDate) => "is a date and gets text; add `date` with its format",
            (Kind::Date | Kind::BirthDate, Fit::Text) => "is text and gets a date; add `format`",
            (Kind::Date | Kind::BirthDate, Fit::Email) => "is an e-mail address and gets a date",
            (Kind::BirthDate, Fit::Date) => "is a date and gets a birth date, whose year may be hidden",
            _ => return,
        };
        self.fault(rule::MAPPING_TYPE, remedy);
    }

    /// Runs a constant through the steps compiled for it, since its outcome is the same for everybody.
    fn check_constant(&mut self, text: &str, first: usize, fit: Fit) {
        let ops = self.program.steps.iter().skip(first);
        let mut ops = ops.filter_map(|step| if let Step::Apply(op) = step { Some(op) } else { None });
        let start = super::op::blank_is_null(Field::Value(ValueRef::text(text)));
        let outcome = ops.try_fold(start, |value, op| op.apply(value));
        let outcome = outcome.and_then(|value| value.into_value().map(|value| fit.accept(value)).transpose());
        let why = outcome.err().map(|(_, why)| why);
        if let Some(why) = why {
            self.fault(rule::MAPPING_ARGUMENT, format!("has a constant that {why}"));
        }
    }

    fn end(&mut self, rule: &FieldRule, fit: Fit) -> End {
        let mut default = |what: &str, text: &str| {
            literal(text, fit)
                .map_err(|why| {
                    self.fault(rule::MAPPING_ARGUMENT, format!("has a default in `{what}` that {why}"));
                })
                .ok()
        };
        let null = match &rule.on_null {
            OnNull::Clear => Field::Null,
            OnNull::Keep => Field::Absent,
            OnNull::Default(text) => Field::from_option(default("on_null", text)),
        };
        let absent = match &rule.on_absent {
            OnAbsent::Keep => None,
            OnAbsent::Default(text) => default("on_absent", text),
        };
        let reported = rule.sources().next().cloned().unwrap_or(EmployeeField::RecordId.into());
        End { fit, null, absent, required: rule.required, reported }
    }

    /// What must differ from person to person cannot be a text of the document, and is always kept in step.
    fn check_unique(&mut self, rule: &FieldRule) {
        if !rule.target.is_mandatory() {
            return;
        }
        let is_default = |transform: &Transform| matches!(transform, Transform::Default(_));
        let alternatives_fixed = rule.from.iter().any(|alternative| {
            let constant = matches!(&alternative.origin, Origin::Constant(text) if !text.trim().is_empty());
            constant || alternative.transforms.iter().any(is_default)
        });
        let policies_fixed =
            matches!(rule.on_null, OnNull::Default(_)) || matches!(rule.on_absent, OnAbsent::Default(_));
        if alternatives_fixed || policies_fixed || rule.transforms.iter().any(is_default) {
            self.fault(rule::MAPPING_UNIQUE, "would be the same for several people; it cannot be a constant");
        }
        if rule.create_only {
            self.fault(rule::MAPPING_UNIQUE, "is always kept in step; it cannot be `create_only`");
        }
    }

    fn check_reach(&mut self, rule: &FieldRule) {
        let is_default = |transform: &Transform| matches!(transform, Transform::Default(_));
        let ends = |alternative: &Alternative| {
            let constant = matches!(&alternative.origin, Origin::Constant(text) if !text.trim().is_empty());
            let default = alternative.transforms.iter().chain(&rule.transforms).any(is_default);
            alternative.when.is_empty() && (constant || default)
        };
        let before_last = rule.from.len().saturating_sub(1);
        if let Some(at) = rule.from.iter().take(before_last).position(ends) {
            let message = format!(
                "never comes to what stands after alternative {}, which always has a value; put it last",
                at + 1
            );
            self.fault(rule::MAPPING_UNREACHABLE, message);
        }
    }

    fn check_size(&mut self, rule: &FieldRule) {
        let parts = |alternative: &Alternative| match &alternative.origin {
            Origin::Join { parts, .. } => {
                let longest = parts.iter().map(|part| match part {
                    Part::Field(_, transforms) => transforms.len(),
                    Part::Constant(_) => 0,
                });
                parts.len().max(longest.max().unwrap_or_default())
            }
            _ => 0,
        };
        let longest = |alternative: &Alternative| {
            parts(alternative).max(alternative.transforms.len()).max(alternative.when.len())
        };
        let longest = rule.from.iter().map(longest).max().unwrap_or_default();
        if rule.from.len().max(rule.transforms.len()).max(longest) > MAX_PARTS {
            let message = format!("has more than {MAX_PARTS} alternatives, transforms, parts or conditions");
            self.fault(rule::MAPPING_TOO_LARGE, message);
        }
        if texts(rule).any(|text| text.len() > MAX_LITERAL) {
            self.fault(rule::MAPPING_TOO_LARGE, format!("has a text of more than {MAX_LITERAL} bytes"));
        }
        let tables = transforms_of(rule).filter_map(|transform| match transform {
            Transform::Lookup { table, .. } => Some(table.len()),
            _ => None,
        });
        if tables.sum::<usize>() > MAX_ENTRIES {
            self.fault(
                rule::MAPPING_TOO_LARGE,
                format!("has more than {MAX_ENTRIES} entries in lookup tables"),
            );
        }
    }

    fn position(&self, field: &SourceField) -> usize {
        self.positions.get(field).copied().unwrap_or(usize::MAX)
    }
}

/// The field of a rule that copies one and has no policies of its own.
fn copied_field(rule: &FieldRule) -> Option<&SourceField> {
    let [Alternative { origin: Origin::Field(field), transforms, when }] = rule.from.as_slice() else {
        return None;
    };
    let plain = !rule.required && rule.on_null == OnNull::Clear && rule.on_absent == OnAbsent::Keep;
    (plain && transforms.is_empty() && when.is_empty()).then_some(field)
}

/// Every transform of a rule, those of parts of joins too.
fn transforms_of(rule: &FieldRule) -> impl Iterator<Item = &Transform> {
    let of_alternatives = rule.from.iter().flat_map(|alternative| {
        let parts = match &alternative.origin {
            Origin::Join { parts, .. } => parts.as_slice(),
            _ => [].as_slice(),
        };
        let of_parts = parts.iter().flat_map(|part| match part {
            Part::Field(_, transforms) => transforms.as_slice(),
            Part::Constant(_) => [].as_slice(),
        });
        alternative.transforms.iter().chain(of_parts)
    });
    rule.transforms.iter().chain(of_alternatives)
}

/// The texts of a rule that can end up in an attribute or are looked for in every value.
fn texts(rule: &FieldRule) -> impl Iterator<Item = &str> {
    let of_transforms = transforms_of(rule).flat_map(|transform| match transform {
        Transform::Date(text) | Transform::Format(text) | Transform::Default(text) => vec![text.as_str()],
        Transform::Replace { find, with } => vec![find.as_str(), with.as_str()],
        Transform::Split { on, .. } => vec![on.as_str()],
        Transform::Lookup { table, .. } => {
            table.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect()
        }
        Transform::Trim | Transform::Lower | Transform::Upper | Transform::Nfc => Vec::new(),
    });
    let of_origins = rule.from.iter().flat_map(|alternative| match &alternative.origin {
        Origin::Field(_) => Vec::new(),
        Origin::Constant(text) => vec![text.as_str()],
        Origin::Join { parts, separator } => {
            let parts = parts.iter().filter_map(|part| match part {
                Part::Constant(text) => Some(text.as_str()),
                Part::Field(..) => None,
            });
            parts.chain([separator.as_str()]).collect()
        }
    });
    let null = if let OnNull::Default(text) = &rule.on_null { Some(text.as_str()) } else { None };
    let absent = if let OnAbsent::Default(text) = &rule.on_absent { Some(text.as_str()) } else { None };
    of_transforms.chain(of_origins).chain(null).chain(absent)
}

/// The type of what a transform makes of a type, or what it changes if that does not fit.
fn after(transform: &Transform, kind: Kind) -> Result<Kind, &'static str> {
    match (transform, kind) {
        (Transform::Trim | Transform::Lower | Transform::Upper | Transform::Nfc, Kind::Text | Kind::Any) => {
            Ok(kind)
        }
        (Transform::Trim | Transform::Lower | Transform::Upper | Transform::Nfc, _) => Err("text"),
        (Transform::Date(_), Kind::BirthDate) | (Transform::Default(_), _) => Ok(kind),
        (Transform::Date(_), _) => Ok(Kind::Date),
        (Transform::Format(_), Kind::Text) => Err("dates; put `date` before it"),
        (
            Transform::Format(_)
            | Transform::Replace { .. }
            | Transform::Split { .. }
            | Transform::Lookup { .. },
            _,
        ) => Ok(Kind::Text),
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Date => "a date",
        Kind::BirthDate => "a birth date",
        Kind::Any => "any value",
    }
}

fn kind_of(field: &SourceField) -> Kind {
    match field {
        SourceField::Employee(EmployeeField::StartDate | EmployeeField::EndDate) => Kind::Date,
        SourceField::Employee(EmployeeField::BirthDate) => Kind::BirthDate,
        SourceField::Employee(_) => Kind::Text,
        SourceField::Custom(_) => Kind::Any,
    }
}

fn fit_of(target: &TargetField) -> Fit {
    match target {
        TargetField::Member(MemberField::Email | MemberField::PersonalEmail) => Fit::Email,
        TargetField::Member(MemberField::StartDate | MemberField::EndDate) => Fit::Date,
        TargetField::Member(MemberField::BirthDate) => Fit::BirthDate,
        TargetField::Member(_) => Fit::Text,
        TargetField::Custom(_) => Fit::Anything,
    }
}
