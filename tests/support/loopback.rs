//! A rewards platform that another process holds: a few lines of JSON over loopback, with a mock target behind them.
//! It can kill its caller before or after the effect of any call.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use hris_core::{
    Action, Attributes, Email, EmployeeId, Error, ErrorKind, Invitations, MemberId, MemberQuery,
    MemberRecord, Outcome, ProvisioningTarget, Result, TargetCapabilities,
};
use hris_testkit::MockTarget;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;

#[derive(Serialize, Deserialize)]
enum Call {
    FindId(MemberId),
    FindEmployeeId(EmployeeId),
    FindEmail(Email),
    Apply(Vec<Action>),
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Found(Vec<WireMember>),
    Failed(String),
    Outcomes(Vec<WireOutcome>),
}

#[derive(Serialize, Deserialize)]
struct WireMember {
    id: MemberId,
    active: bool,
    attributes: Attributes,
}

#[derive(Serialize, Deserialize)]
enum WireOutcome {
    Applied(MemberId),
    AlreadySo(MemberId),
    Rejected(String),
    Conflict(String),
    NotAttempted(String),
}

/// When the caller is killed: at its `call`th write, before the effect or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Number of the write, from 1.
    pub call: u64,
    /// Whether the effect happens and only the answer is lost.
    pub after_effect: bool,
}

/// The platform's side.
#[derive(Debug)]
pub struct TargetServer {
    listener: TcpListener,
    target: MockTarget,
}

impl TargetServer {
    /// Offers a platform on a loopback port.
    pub async fn start(target: MockTarget) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0").await?, target })
    }

    /// The port.
    pub fn port(&self) -> std::io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves one caller until it ends. Whether it was killed here.
    pub async fn serve(&self, mut caller: Child, death: Option<Death>) -> std::io::Result<Ended> {
        let (mut writes, mut killed) = (0, false);
        let caller_ended = loop {
            tokio::select! {
                status = caller.wait() => break status?,
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted?;
                    if self.answer(stream, &mut writes, death, &mut caller).await? {
                        killed = true;
                    }
                }
            }
        };
        Ok(Ended { killed, success: caller_ended.success() })
    }

    /// One call on one connection. Whether the caller was killed.
    async fn answer(
        &self,
        stream: TcpStream,
        writes: &mut u64,
        death: Option<Death>,
        caller: &mut Child,
    ) -> std::io::Result<bool> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let call: Call = serde_json::from_str(&line)?;
        let due = if let Call::Apply(_) = call {
            *writes += 1;
            death.filter(|death| death.call == *writes)
        } else {
            None
        };
        if due.is_some_and(|death| !death.after_effect) {
            caller.kill().await?;
            return Ok(true);
        }
        let answer = self.carry_out(call).await;
        if due.is_some() {
            caller.kill().await?;
            return Ok(true);
        }
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        stream.write_all(text.as_bytes()).await?;
        Ok(false)
    }

    async fn carry_out(&self, call: Call) -> Answer {
        let query = match call {
            Call::Apply(actions) => {
                let outcomes = self.target.apply(&actions).await;
                return Answer::Outcomes(outcomes.into_iter().map(WireOutcome::of).collect());
            }
            Call::FindId(id) => MemberQuery::Id(id),
            Call::FindEmployeeId(id) => MemberQuery::EmployeeId(id),
            Call::FindEmail(email) => MemberQuery::Email(email),
        };
        match self.target.find(&query).await {
            Ok(members) => Answer::Found(members.into_iter().map(WireMember::of).collect()),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// How a caller ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Killed by the platform's side.
    pub killed: bool,
    /// Ended by itself, and well.
    pub success: bool,
}

impl WireMember {
    fn of(member: MemberRecord) -> Self {
        Self { id: member.id, active: member.active, attributes: member.attributes }
    }

    fn into_member(self) -> MemberRecord {
        let mut member = MemberRecord::new(self.id, self.attributes);
        member.active = self.active;
        member
    }
}

impl WireOutcome {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Applied(member) => Self::Applied(member),
            Outcome::AlreadySo(member) => Self::AlreadySo(member),
            Outcome::Rejected(error) => Self::Rejected(error.to_string()),
            Outcome::Conflict(error) => Self::Conflict(error.to_string()),
            Outcome::NotAttempted(error) | Outcome::InDoubt(error) => Self::NotAttempted(error.to_string()),
            _ => Self::NotAttempted("an outcome that this wire does not know".into()),
        }
    }

    fn into_outcome(self) -> Outcome {
        match self {
            Self::Applied(member) => Outcome::Applied(member),
            Self::AlreadySo(member) => Outcome::AlreadySo(member),
            Self::Rejected(why) => Outcome::Rejected(Error::new(ErrorKind::Invalid, why)),
            Self::Conflict(why) => Outcome::Conflict(Error::new(ErrorKind::Conflict, why)),
            Self::NotAttempted(why) => Outcome::NotAttempted(Error::new(ErrorKind::Unavailable, why)),
        }
    }
}

/// The caller's side.
#[derive(Debug)]
pub struct LoopbackTarget {
    port: u16,
    max_batch: NonZeroUsize,
}

impl LoopbackTarget {
    /// The platform behind a loopback port.
    pub fn new(port: u16, max_batch: NonZeroUsize) -> Self {
        Self { port, max_batch }
    }

    async fn call(&self, call: &Call) -> std::io::Result<Answer> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?);
        let mut text = serde_json::to_string(call)?;
        text.push('\n');
        stream.write_all(text.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        Ok(serde_json::from_str(&line)?)
    }
}

#[async_trait]
impl ProvisioningTarget for LoopbackTarget {
    fn capabilities(&self) -> TargetCapabilities {
        let mut capabilities = TargetCapabilities::default();
        capabilities.invitations = Invitations::PerRecord;
        capabilities.max_batch = self.max_batch;
        capabilities.close_down_days = Some(60);
        capabilities
    }

    async fn find(&self, query: &MemberQuery) -> Result<Vec<MemberRecord>> {
        let call = match query {
            MemberQuery::Id(id) => Call::FindId(id.clone()),
            MemberQuery::EmployeeId(id) => Call::FindEmployeeId(id.clone()),
            MemberQuery::Email(email) => Call::FindEmail(email.clone()),
            _ => return Err(Error::unsupported("this wire does not know the query")),
        };
        match self.call(&call).await {
            Ok(Answer::Found(members)) => Ok(members.into_iter().map(WireMember::into_member).collect()),
            Ok(Answer::Failed(why)) => Err(Error::new(ErrorKind::Unavailable, why)),
            Ok(Answer::Outcomes(_)) => {
                Err(Error::new(ErrorKind::Protocol, "outcomes in answer to a look-up"))
            }
            Err(error) => Err(Error::new(ErrorKind::Unavailable, "the platform is gone").with_source(error)),
        }
    }

    async fn apply(&self, actions: &[Action]) -> Vec<Outcome> {
        if let Ok(Answer::Outcomes(outcomes)) = self.call(&Call::Apply(actions.to_vec())).await {
            return outcomes.into_iter().map(WireOutcome::into_outcome).collect();
        }
        let doubt = || Outcome::InDoubt(Error::new(ErrorKind::Unavailable, "no answer came"));
        actions.iter().map(|_| doubt()).collect()
    }
}
