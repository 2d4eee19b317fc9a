//! A mapping compiled to a flat list of steps. Every jump goes forward, so that no mapping can loop.

use std::borrow::Cow;

use super::condition::{Answer, Test, all};
use super::op::{Fit, MAX_TEXT, Op, Refused, blank_is_null, owned, too_long};
use crate::mapping::Mapped;
use crate::problem::{FieldProblem, rule};
use crate::{Field, FieldSource, SourceField, Value, ValueRef};

/// One step. Numbers of sources are positions in [`Program::sources`].
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A whole rule that copies a field, perhaps changed: most rules of most mappings.
    Copy { field: SourceField, ops: Box<[Op]>, fit: Fit },
    /// Reads a field.
    Load(usize),
    /// Takes a text of the document.
    Constant(Box<str>),
    /// Changes the value.
    Apply(Op),
    /// Begins to join.
    JoinStart,
    /// Adds the value as a part.
    JoinPart { separator: Box<str>, is_field: bool },
    /// Takes what was joined as the value.
    JoinEnd,
    /// Goes on if the tests are true, and else to the next alternative at `otherwise`.
    When { tests: Box<[Test]>, otherwise: usize },
    /// Ends an alternative: a value ends the rule.
    Offer,
    /// Ends a rule.
    Finish(Box<End>),
}

/// How a rule ends.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) fit: Fit,
    /// What is written for a null; absent: the attribute keeps what it has.
    pub(super) null: Field<Value>,
    /// What is written if nothing was delivered.
    pub(super) absent: Option<Value>,
    pub(super) required: bool,
    /// The field that stands for the rule in reports.
    pub(super) reported: SourceField,
}

/// The compiled rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) sources: Vec<SourceField>,
    pub(super) steps: Vec<Step>,
    /// For each rule, where it ends.
    pub(super) ends: Vec<usize>,
}

/// What is under way in a rule.
struct Run<'a> {
    value: Field<ValueRef<'a>>,
    /// The field that was read last.
    reading: usize,
    /// An alternative was null, or absent.
    saw: Seen,
    /// A condition cannot be told.
    undecided: bool,
    refused: Option<Refused>,
    join: Join,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Absent,
    Null,
}

#[derive(Default)]
struct Join {
    text: String,
    has_field: bool,
    is_absent: bool,
}

impl Run<'_> {
    fn new() -> Self {
        Self {
            value: Field::Absent,
            reading: 0,
            saw: Seen::Nothing,
            undecided: false,
            refused: None,
            join: Join::default(),
        }
    }
}

enum Next {
    Step,
    Jump(usize),
    /// To the end of the rule.
    End,
}

impl Program {
    /// Maps one person.
    pub(super) fn run<'a>(&self, source: &'a dyn FieldSource) -> Mapped<'a> {
        let mut mapped =
            Mapped { values: Vec::with_capacity(self.ends.len()), problems: Vec::new(), missing: 0 };
        let mut run = Run::new();
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            let next = match step {
                Step::Copy { field, ops, fit } => {
                    let value = copy(field, ops, *fit, source, &mut mapped.problems);
                    mapped.values.push(value);
                    at += 1;
                    continue;
                }
                Step::Finish(end) => {
                    self.finish(end, std::mem::replace(&mut run, Run::new()), &mut mapped);
                    Next::Step
                }
                step => self.step(step, source, &mut run),
            };
            // No jump leads back, whatever a compiler did.
            at = match next {
                Next::Step => at + 1,
                Next::Jump(to) => to.max(at + 1),
                Next::End => self.ends.get(mapped.values.len()).copied().unwrap_or_default().max(at + 1),
            };
        }
        mapped
    }

    fn load<'a>(&self, from: usize, source: &'a dyn FieldSource) -> Field<ValueRef<'a>> {
        self.sources.get(from).map_or(Field::Absent, |field| blank_is_null(source.field(field)))
    }

    fn step<'a>(&self, step: &Step, source: &'a dyn FieldSource, run: &mut Run<'a>) -> Next {
        match step {
            Step::Load(from) => {
                run.reading = *from;
                run.value = self.load(*from, source);
            }
            Step::Constant(text) => {
                let text = ValueRef::Text(Cow::Owned(text.to_string()));
                run.value = blank_is_null(Field::Value(text));
            }
            Step::Apply(op) => match op.apply(std::mem::take(&mut run.value)) {
                Ok(value) => run.value = value,
                Err(refused) => return run.refuse(refused),
            },
            Step::JoinStart => run.join = Join::default(),
            Step::JoinPart { separator, is_field } => return run.join_part(separator, *is_field),
            Step::JoinEnd => run.value = std::mem::take(&mut run.join).value(),
            Step::When { tests, otherwise } => match all(tests, source) {
                Answer::True => {}
                Answer::False => return Next::Jump(*otherwise),
                Answer::Unknown => {
                    run.undecided = true;
                    return Next::End;
                }
            },
            Step::Offer => match run.value {
                Field::Value(_) => return Next::End,
                Field::Null => run.saw = Seen::Null,
                Field::Absent if run.saw == Seen::Nothing => run.saw = Seen::Absent,
                Field::Absent => {}
            },
            Step::Copy { .. } | Step::Finish(_) => {}
        }
        Next::Step
    }

    fn finish<'a>(&self, end: &End, run: Run<'a>, mapped: &mut Mapped<'a>) {
        let mut value = match self.outcome(end, run) {
            Ok(value) => value,
            Err(problem) => {
                mapped.problems.extend(problem);
                Field::Absent
            }
        };
        if end.required && value.value().is_none() {
            mapped.missing |= 1_u64.checked_shl(bits(mapped.values.len())).unwrap_or_default();
            if value == Field::Null {
                let message = "is required and has no value".into();
                let field = end.reported.clone();
                mapped.problems.push(FieldProblem { field, rule: rule::FIELD_REQUIRED, message });
                value = Field::Absent;
            }
        }
        mapped.values.push(value);
    }

    fn outcome<'a>(&self, end: &End, run: Run<'a>) -> Result<Field<ValueRef<'a>>, Option<FieldProblem>> {
        if let Some(refused) = run.refused {
            return Err(self.problem(run.reading, refused));
        }
        if run.undecided {
            return Ok(Field::Absent);
        }
        match (run.value, run.saw) {
            (Field::Value(value), _) => match end.fit.accept(value) {
                Ok(value) => Ok(Field::Value(value)),
                Err(refused) => Err(self.problem(run.reading, refused)),
            },
            (_, Seen::Null) => Ok(end.null.as_ref().map(owned)),
            (_, Seen::Absent) => Ok(end.absent.as_ref().map_or(Field::Absent, |v| Field::Value(owned(v)))),
            (_, Seen::Nothing) => Ok(Field::Absent),
        }
    }

    fn problem(&self, from: usize, (rule, message): Refused) -> Option<FieldProblem> {
        let field = self.sources.get(from)?.clone();
        Some(FieldProblem { field, rule, message })
    }
}

impl Run<'_> {
    fn refuse(&mut self, refused: Refused) -> Next {
        self.refused = Some(refused);
        Next::End
    }

    fn join_part(&mut self, separator: &str, is_field: bool) -> Next {
        match std::mem::take(&mut self.value) {
            Field::Absent => self.join.is_absent = true,
            Field::Null => {}
            Field::Value(value) => {
                let text = value.to_text();
                if self.join.text.len() + separator.len() + text.len() > MAX_TEXT {
                    return self.refuse(too_long());
                }
                if !self.join.text.is_empty() {
                    self.join.text.push_str(separator);
                }
                self.join.text.push_str(&text);
                self.join.has_field |= is_field;
            }
        }
        Next::Step
    }
}

impl Join {
    fn value<'a>(self) -> Field<ValueRef<'a>> {
        if self.is_absent {
            Field::Absent
        } else if self.has_field {
            blank_is_null(Field::Value(ValueRef::Text(Cow::Owned(self.text))))
        } else {
            Field::Null
        }
    }
}

#[inline]
fn copy<'a>(
    field: &SourceField,
    ops: &[Op],
    fit: Fit,
    source: &'a dyn FieldSource,
    problems: &mut Vec<FieldProblem>,
) -> Field<ValueRef<'a>> {
    let value = blank_is_null(source.field(field));
    if ops.is_empty() && fit.takes(&value) {
        return value;
    }
    changed(value, ops, fit).unwrap_or_else(|(rule, message)| {
        problems.push(FieldProblem { field: field.clone(), rule, message });
        Field::Absent
    })
}

/// A value after its transforms, as its attribute takes it.
fn changed<'a>(value: Field<ValueRef<'a>>, ops: &[Op], fit: Fit) -> Result<Field<ValueRef<'a>>, Refused> {
    match ops.iter().try_fold(value, |value, op| op.apply(value))? {
        Field::Value(value) => fit.accept(value).map(Field::Value),
        nothing => Ok(nothing),
    }
}

fn bits(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
