//! One vendor API in use, and the one place where the order of execution is written down.

use std::future::ready;
use std::sync::Arc;

use hris_core::{Delivery, Error, ErrorKind, Result, SharedClock};
use serde::de::DeserializeOwned;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::auth::Token;
use crate::body::Watch;
use crate::budget::{Outcome, Permit};
use crate::classify::{ByStatus, by_status};
use crate::clock::Deadline;
use crate::retry::Tries;
use crate::{Answer, Auth, BaseUrl, BodyStream, Budget, Classify, Request, RetryPolicy, Transport, Verdict};

/// How large a buffered answer may be unless its request says otherwise.
const MAX_BYTES: usize = 16 << 20;

/// A vendor's API for one credential: where it is, how to prove who asks, and how careful to be.
///
/// Cheap to clone. See the crate's documentation for what happens to a request, step by step.
#[derive(Clone, Debug)]
pub struct Session {
    transport: Transport,
    base: BaseUrl,
    auth: Auth,
    budget: Arc<Budget>,
    policy: Arc<RetryPolicy>,
    classify: Arc<dyn Classify>,
}

impl Session {
    /// A session without credentials and without a budget, with the default policy, that judges answers by status.
    pub fn new(transport: &Transport, base: BaseUrl) -> Self {
        Self {
            transport: transport.clone(),
            base,
            auth: Auth::none(),
            budget: Arc::new(Budget::unlimited()),
            policy: Arc::default(),
            classify: Arc::new(ByStatus),
        }
    }

    /// Proves who asks.
    #[must_use]
    pub fn with_auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Takes part in a budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = Arc::new(budget);
        self
    }

    /// Tries and waits by another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Lets the vendor's classifier judge answers first.
    #[must_use]
    pub fn with_classify(mut self, classify: impl Classify) -> Self {
        self.classify = Arc::new(classify);
        self
    }

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// The clock that the session goes by.
    pub fn clock(&self) -> &SharedClock {
        self.transport.clock()
    }

    /// Sends a request and returns its successful answer.
    pub async fn execute(&self, request: &Request) -> Result<Answer> {
        self.execute_with(request, Ok).await
    }

    /// Sends a request and decodes the JSON of its answer; an answer that is no whole JSON document counts as
    /// transient.
    pub async fn execute_json<T: DeserializeOwned + Send>(&self, request: &Request) -> Result<T> {
        self.execute_with(request, |answer| answer.json()).await
    }

    /// Sends a request and makes something of its successful answer, as part of the attempt: a retryable error of
    /// `read` is tried again like any other. For decoding that borrows, or keeps, the body.
    pub async fn execute_with<T: Send>(
        &self,
        request: &Request,
        read: impl Fn(Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.run(request, Whole(read)).await
    }

    /// Sends a request and returns the body of its successful answer as it arrives. Only what happens before the
    /// headers arrived is tried again, and the vendor's classifier does not see a success.
    pub async fn stream(&self, request: &Request) -> Result<BodyStream> {
        self.stream_with(request, |body| ready(Ok(body))).await
    }

    /// Sends a request and makes something of the beginning of its successful answer, as part of the attempt: a
    /// retryable error of `begin` is tried again like any other. For vendors that say inside a 200 that they are
    /// busy: `begin` reads as far as the first record, and returns what reads on.
    pub async fn stream_with<T: Send, Fut: Future<Output = Result<T>> + Send>(
        &self,
        request: &Request,
        begin: impl Fn(BodyStream) -> Fut + Send + Sync,
    ) -> Result<T> {
        self.run(request, Streamed(begin)).await
    }

    /// Span, and error context. In between, [`Session::attempts`].
    async fn run<R: Receive>(&self, request: &Request, receive: R) -> Result<R::Output> {
        let span = tracing::info_span!(
            "http.request",
            operation = request.operation(),
            method = request.method().as_str(),
            host = self.base.authority(),
            attempts = Empty,
            status = Empty,
        );
        let mut tries = Tries::new(&self.policy, request.is_repeatable());
        let attempts = self.attempts(request, &receive, &mut tries, &span).instrument(span.clone());
        let result = attempts.await;
        span.record("attempts", tries.count());
        result.map_err(|error| self.in_context(request, error).with_context("attempts", tries.count()))
    }

    /// The order of execution, and the only loop that sends.
    async fn attempts<R: Receive>(
        &self,
        request: &Request,
        receive: &R,
        tries: &mut Tries,
        span: &Span,
    ) -> Result<R::Output> {
        let prepared = Transport::prepare(&self.base, &self.auth, request)?;
        let deadline = Deadline::after(self.clock(), self.policy.deadline);
        loop {
            // Before the permit: fetching a token may need one of the same scope, and would wait for ourselves.
            let token = self.token(request, &deadline).await?;
            tries.begin();
            let attempt = async {
                let permit = self.transport.budgets().acquire(&self.budget, deadline.at()).await?;
                let exchange = async {
                    let response = self.transport.send(request, &prepared, token.as_ref()).await?;
                    span.record("status", response.status().as_u16());
                    receive.receive(self, request, response, permit).await
                };
                let limit = request.timeout().unwrap_or(self.policy.attempt_timeout);
                deadline.race(limit, exchange).await.unwrap_or_else(|| Err(timed_out(Delivery::Unknown)))
            };
            let error = match attempt.await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            if error.kind() == ErrorKind::Unauthorized
                && tries.may_renew()
                && self.auth.forget(token.as_ref()).await
            {
                continue;
            }
            let wait = tries.wait_after(error, deadline.left())?;
            self.clock().sleep(wait).await;
        }
    }

    /// The token to send, if there is one to send. Its source retried on its own terms, so its error is final.
    async fn token(&self, request: &Request, deadline: &Deadline<'_>) -> Result<Option<Token>> {
        if !request.is_authenticated() {
            return Ok(None);
        }
        match deadline.race(deadline.left(), self.auth.token(self.clock())).await {
            Some(fetched) => fetched.map_err(|error| error.with_delivery(Delivery::NotSent)),
            None => Err(timed_out(Delivery::NotSent).with_retryable(false)),
        }
    }

    /// Reads an answer to its end and judges it. One whose status is no success always ends as an error.
    async fn answer(&self, request: &Request, response: reqwest::Response) -> Result<Answer> {
        let limit = request.max_bytes().unwrap_or(MAX_BYTES);
        let answer = Answer::read(response, self.clock().now(), limit).await?;
        let error = match self.classify.classify(request.operation(), &answer) {
            Verdict::ByStatus => by_status(&answer),
            Verdict::Failed(error) => Some(answered(error)),
            Verdict::Refused(error) => Some(error.with_delivery(Delivery::NotSent)),
        };
        let Some(error) = error else { return Ok(answer) };
        self.report(&error).await;
        Err(error.with_context("status", answer.status()))
    }

    /// Lets the budget learn from an answer that is a failure.
    async fn report(&self, error: &Error) {
        let outcome = match (error.kind(), error.retry_after()) {
            (ErrorKind::RateLimited, Some(wait)) => Outcome::SlowDown(wait),
            (ErrorKind::RateLimited, None) => return,
            _ => Outcome::Failed,
        };
        self.transport.budgets().report(&self.budget, outcome).await;
    }

    fn in_context(&self, request: &Request, error: Error) -> Error {
        error.with_context("operation", request.operation()).with_context("host", self.base.authority())
    }
}

/// Corrects what an error of a vendor's reader says by default: that nothing was sent.
fn answered(error: Error) -> Error {
    error.with_delivery(Delivery::Answered)
}

fn timed_out(delivery: Delivery) -> Error {
    Error::new(ErrorKind::Timeout, "no answer in the time allowed").with_delivery(delivery)
}

/// What becomes of a response: the step of an attempt in which buffered and streamed answers differ.
trait Receive: Sync {
    type Output: Send;

    fn receive(
        &self,
        session: &Session,
        request: &Request,
        response: reqwest::Response,
        permit: Permit,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Read to the end with a limit, judged, and decoded.
struct Whole<F>(F);

impl<T: Send, F: Fn(Answer) -> Result<T> + Send + Sync> Receive for Whole<F> {
    type Output = T;

    async fn receive(
        &self,
        session: &Session,
        request: &Request,
        response: reqwest::Response,
        permit: Permit,
    ) -> Result<T> {
        let answer = session.answer(request, response).await?;
        drop(permit);
        (self.0)(answer).map_err(answered)
    }
}

/// Handed on as it comes if the status says success, and otherwise judged like a whole one.
struct Streamed<F>(F);

impl<T, F, Fut> Receive for Streamed<F>
where
    T: Send,
    F: Fn(BodyStream) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T>> + Send,
{
    type Output = T;

    async fn receive(
        &self,
        session: &Session,
        request: &Request,
        response: reqwest::Response,
        permit: Permit,
    ) -> Result<T> {
        if !response.status().is_success() {
            let answer = session.answer(request, response).await?;
            let error = Error::new(ErrorKind::Protocol, "the answer is no success");
            return Err(answered(error).with_context("status", answer.status()));
        }
        let watch = Watch {
            clock: Arc::clone(session.clock()),
            idle: session.policy.idle_timeout,
            limit: request.max_bytes(),
            operation: request.operation(),
            host: session.base.authority().to_owned(),
        };
        match (self.0)(BodyStream::new(response, permit, watch)).await {
            Ok(begun) => Ok(begun),
            Err(error) => {
                session.report(&error).await;
                Err(answered(error))
            }
        }
    }
}
