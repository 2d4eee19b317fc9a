//! One connection of a client: the dialogue of RFC 5321, with the faults that were planned.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::{ReceivedMail, Shared, SmtpFault};
use crate::mock::lock;

/// The longest line that is read, CRLF included.
const MAX_LINE: u64 = 64 * 1024;

pub(super) struct Session {
    stream: BufReader<TcpStream>,
    shared: Arc<Shared>,
    logged_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// What becomes of the connection after a command.
enum Next {
    Command,
    Close,
}

impl Session {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let logged_in = shared.login.is_none();
        Self { stream: BufReader::new(stream), shared, logged_in, from: None, to: Vec::new() }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        self.stream.get_ref().set_nodelay(true)?;
        match self.shared.take_fault(|fault| matches!(fault, SmtpFault::TooBusy | SmtpFault::Silence)) {
            Some(SmtpFault::Silence) => return self.until_closed().await,
            Some(_) => return self.say("421 4.3.2 try again later").await,
            None => {}
        }
        self.say("220 mail.test ESMTP").await?;
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Next::Close = self.command(&line).await? {
                break;
            }
        }
        Ok(())
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.greet().await?,
            "HELO" | "RSET" | "NOOP" => {
                self.reset();
                self.say("250 2.0.0 ok").await?;
            }
            "AUTH" => self.log_in(rest).await?,
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => return self.content().await,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::Close);
            }
            _ => self.say("500 5.5.1 unknown command").await?,
        }
        Ok(Next::Command)
    }

    async fn greet(&mut self) -> io::Result<()> {
        self.reset();
        let login = if self.shared.login.is_some() { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
        let offers =
            format!("250-mail.test\r\n{login}250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES");
        self.say(&offers).await
    }

    async fn log_in(&mut self, method: &str) -> io::Result<()> {
        let given = match method.split_once(' ').unwrap_or((method, "")) {
            (name, initial) if name.eq_ignore_ascii_case("PLAIN") => {
                let answer = if initial.is_empty() { self.ask("").await? } else { decode(initial) };
                let mut parts = answer.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            (name, _) if name.eq_ignore_ascii_case("LOGIN") => {
                (self.ask("VXNlcm5hbWU6").await?, self.ask("UGFzc3dvcmQ6").await?)
            }
            _ => return self.say("504 5.5.4 unknown method").await,
        };
        self.logged_in = self.shared.login.as_ref() == Some(&given);
        let answer = if self.logged_in { "235 2.7.0 welcome" } else { "535 5.7.8 wrong login" };
        self.say(answer).await
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<String> {
        self.say(&format!("334 {challenge}")).await?;
        let answer = self.line().await?.unwrap_or_default();
        Ok(decode(&String::from_utf8_lossy(&answer)))
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.logged_in {
            return self.say("530 5.7.0 log in first").await;
        }
        let Some(from) = address(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address>").await;
        };
        self.reset();
        self.from = Some(from);
        self.say("250 2.1.0 ok").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let (Some(from), Some(to)) = (self.from.clone(), address(rest, "TO:")) else {
            return self.say("503 5.5.1 MAIL FROM first, then RCPT TO:<address>").await;
        };
        let refused = |fault: &SmtpFault| matches!(fault, SmtpFault::RefuseRecipient(address) if address.eq_ignore_ascii_case(&to));
        if self.shared.take_fault(refused).is_some() {
            return self.say("550 5.1.1 no such recipient").await;
        }
        if self.shared.take_fault(|fault| *fault == SmtpFault::Greylist).is_some()
            && lock(&self.shared.greylisted).insert((from, to.clone()))
        {
            return self.say("451 4.7.1 greylisted, try again later").await;
        }
        self.to.push(to);
        self.say("250 2.1.5 ok").await
    }

    async fn content(&mut self) -> io::Result<Next> {
        if self.to.is_empty() {
            self.say("503 5.5.1 no valid recipients").await?;
            return Ok(Next::Command);
        }
        self.say("354 end with a dot").await?;
        let fault = self.shared.take_fault(|fault| {
            use SmtpFault as F;
            matches!(
                fault,
                F::RefuseContent
                    | F::FullDisk
                    | F::VanishAfterAccepting
                    | F::VanishInContent
                    | F::SilenceAfterContent
            )
        });
        let Some(raw) = self.message(fault == Some(SmtpFault::VanishInContent)).await? else {
            return Ok(Next::Close);
        };
        self.conclude(raw, fault).await
    }

    /// The message up to the dot; none if the connection ends before it.
    async fn message(&mut self, vanish: bool) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        while let Some(line) = self.line().await? {
            if vanish {
                return Ok(None);
            }
            if line == b"." {
                return Ok(Some(raw));
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            raw.extend_from_slice(b"\r\n");
        }
        Ok(None)
    }

    async fn conclude(&mut self, raw: Vec<u8>, fault: Option<SmtpFault>) -> io::Result<Next> {
        let answer = match fault {
            Some(SmtpFault::RefuseContent) => Some("554 5.7.1 refused"),
            Some(SmtpFault::FullDisk) => Some("452 4.3.1 no room"),
            _ => None,
        };
        if let Some(answer) = answer {
            self.reset();
            self.say(answer).await?;
            return Ok(Next::Command);
        }
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        self.shared.keep(ReceivedMail::new(from, to, raw));
        match fault {
            Some(SmtpFault::VanishAfterAccepting) => return Ok(Next::Close),
            Some(SmtpFault::SilenceAfterContent) => self.until_closed().await?,
            _ => self.say("250 2.0.0 taken").await?,
        }
        Ok(Next::Command)
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// The next line without its end; none once the client closed the connection.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Ok(None);
        }
        line.pop_if(|last| *last == b'\r');
        Ok(Some(line))
    }

    async fn until_closed(&mut self) -> io::Result<()> {
        while self.line().await?.is_some() {}
        Ok(())
    }
}

/// The address between angle brackets after a keyword.
fn address(rest: &str, keyword: &str) -> Option<String> {
    let (found, rest) = rest.split_at_checked(keyword.len())?;
    let (address, _) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    found.eq_ignore_ascii_case(keyword).then(|| address.to_owned())
}

fn decode(text: &str) -> String {
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
