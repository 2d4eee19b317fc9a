//! What a plan proposes about single people and leaves to somebody to accept: that a person moved to another record, and
//! that the person of a record is still the same.

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hris_core::keys::Prints;
use hris_core::store::Lease;
use hris_core::{
    EmployeeRef, Error, ErrorKind, PlanId, Problem, ProvisioningPlan as _, RecordId, Result, RunId,
    RunReport, Trigger, rule,
};

use crate::engine::Engine;
use crate::view::PlanView;

/// What only somebody who knows the person can tell. Until it is accepted, nothing is changed for the people concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proposal {
    /// A member's record is gone from a complete listing, and a new one seems to be of the same person, such as where an
    /// HR system without record ids changed somebody's Employee ID. Accepted, the member belongs to the new record.
    ReKey {
        /// The member's record and Employee ID so far.
        person: EmployeeRef,
        /// The new record.
        to: RecordId,
    },
    /// Everything that tells people apart is another than when the record was last seen, as where an id was given to
    /// somebody else. Accepted, it is the same person all the same, and the member gets what the HR system says.
    SamePerson {
        /// The record and its Employee ID.
        person: EmployeeRef,
    },
}

impl Proposal {
    /// The person whose member it is about.
    pub fn person(&self) -> &EmployeeRef {
        match self {
            Self::ReKey { person, .. } | Self::SamePerson { person } => person,
        }
    }

    fn of(problem: Problem) -> Option<Self> {
        let person = EmployeeRef { record: problem.record?, employee_id: problem.employee_id };
        if problem.rule == rule::EMPLOYEE_ID_REUSED {
            return Some(Self::SamePerson { person });
        }
        let to = problem.other.filter(|_| problem.rule == rule::EMPLOYEE_ID_MOVED)?;
        Some(Self::ReKey { person, to })
    }
}

impl PlanView {
    /// What the plan proposes, in no order. Each can be accepted with [`Engine::accept`], whether or not the rest of the
    /// plan was applied.
    pub fn proposals(&self) -> BoxStream<'_, Result<Proposal>> {
        self.planning_problems()
            .try_filter_map(|problem| std::future::ready(Ok(Proposal::of(problem))))
            .boxed()
    }
}

impl Engine {
    /// Accepts what a stored plan proposes about the person of `record`, the member's record so far. The link is
    /// changed and nothing else: the next run plans what follows from it, under the guards, as an ordinary change of a
    /// known member. Overrides move along. Plans that wait are given up, since they were made before.
    ///
    /// The answer is put into the history, with who accepted and when.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the plan proposes nothing about the record; [`ErrorKind::Stale`] where the record
    /// is not linked any more or the other one is by now, and while a plan is half applied; [`ErrorKind::Leased`] while
    /// a run is under way.
    pub async fn accept(&self, plan: &PlanId, record: &RecordId, actor: &str) -> Result<RunReport> {
        let proposal = self.proposal(plan, record).await?;
        let baseline = self.parts.store.baseline(&self.parts.connection).await?;
        let print = self.parts.fingerprinter(baseline.as_ref()).await?.record(record);
        // The history outlives people, so that it names them by a keyed fingerprint only.
        let run = RunId::from(format!("accept {print:?} of {plan}"));
        let lease = self.take_lease(&run).await?;
        let work = async {
            let mut report =
                RunReport::started(run.clone(), self.parts.connection.clone(), Trigger::Accept, self.now());
            report.actor = Some(actor.to_owned());
            self.dismiss_waiting(&lease).await?;
            match &proposal {
                Proposal::ReKey { to, .. } => self.move_link(&lease, record, to).await?,
                Proposal::SamePerson { .. } => self.confirm_link(&lease, record).await?,
            }
            report.finished_at = self.now();
            self.parts.store.record_run(&lease, &report).await?;
            Ok(report)
        };
        self.under(&lease, work).await
    }

    async fn proposal(&self, plan: &PlanId, record: &RecordId) -> Result<Proposal> {
        let view = self.stored(plan).await?;
        let mut proposals = view.proposals();
        while let Some(proposal) = proposals.try_next().await? {
            if proposal.person().record == *record {
                return Ok(proposal);
            }
        }
        Err(Error::new(ErrorKind::NotFound, "the plan proposes nothing about this record")
            .with_hint("name the record that the member belongs to so far")
            .with_context("plan", &view.header().id))
    }

    async fn move_link(&self, lease: &Lease, from: &RecordId, to: &RecordId) -> Result<()> {
        let store = &self.parts.store;
        let mut links =
            store.links_of(&self.parts.connection, &[from.clone(), to.clone()]).await?.into_iter();
        let (Some(Some(mut link)), Some(None)) = (links.next(), links.next()) else {
            return Err(stale());
        };
        link.record = to.clone();
        let overrides = self.overrides().await?;
        let mut moving: Vec<_> = overrides.into_iter().filter(|one| one.record == *from).collect();
        let fields: Vec<_> = moving.iter().map(|one| (from.clone(), one.field.clone())).collect();
        for one in &mut moving {
            one.record = to.clone();
        }
        if !moving.is_empty() {
            store.put_overrides(lease, &moving).await?;
        }
        store.put_links(lease, &[link]).await?;
        if !fields.is_empty() {
            store.remove_overrides(lease, &fields).await?;
        }
        self.read_again(lease, std::slice::from_ref(to)).await
    }

    /// Nothing is known of the member's attributes from then on, so that there is nothing to differ from. The address
    /// stays, so that somebody else who takes it waits for this member to give it up.
    async fn confirm_link(&self, lease: &Lease, record: &RecordId) -> Result<()> {
        let records = std::slice::from_ref(record);
        let links = self.parts.store.links_of(&self.parts.connection, records).await?;
        let mut link = links.into_iter().flatten().next().ok_or_else(stale)?;
        link.prints = Prints::default();
        self.parts.store.put_links(lease, &[link]).await?;
        self.read_again(lease, records).await
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.parts.clock.now()
    }
}

fn stale() -> Error {
    Error::new(ErrorKind::Stale, "the links are not as they were when this was proposed")
        .with_hint("look at a new plan")
}
