//! The mail server answers as the standard says, and fails as planned.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::{SmtpFault, SmtpServer};
use crate::run;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(server: &SmtpServer) -> Self {
        Self(BufReader::new(TcpStream::connect(server.address()).await.unwrap()))
    }

    /// Connects, reads the greeting and says hello.
    async fn greeted(server: &SmtpServer) -> Self {
        let mut client = Self::connect(server).await;
        assert!(client.answer().await.starts_with("220 "));
        assert!(client.ask("EHLO me").await.starts_with("250 "));
        client
    }

    async fn ask(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// The last line of an answer; empty once the server closed the connection.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    /// Sends a message and answers the code of each step.
    async fn send(&mut self, to: &[&str], content: &str) -> Vec<String> {
        let mut answers = vec![self.ask("MAIL FROM:<a@brisa.example>").await];
        for to in to {
            answers.push(self.ask(&format!("RCPT TO:<{to}>")).await);
        }
        answers.push(self.ask("DATA").await);
        if answers.last().is_some_and(|answer| answer.starts_with("354")) {
            answers.push(self.ask(&format!("{content}\r\n.")).await);
        }
        answers.iter().map(|answer| answer.chars().take(3).collect()).collect()
    }
}

const MAIL: &str = "From: a@brisa.example\r\nSubject: =?utf-8?q?Ma=C3=B1ana?=\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\nMa=C3=B1ana=\r\n!\r\n..\r\n--x\r\n\
    Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+TWHDsWFuYTwvYj4=\r\n--x--\r\n";

#[test]
fn a_message_arrives_whole_and_decoded() {
    run(async {
        let server = SmtpServer::start().await;
        let mut client = Client::greeted(&server).await;
        assert_eq!(
            client.send(&["b@brisa.example", "c@brisa.example"], MAIL).await,
            ["250", "250", "250", "354", "250"]
        );
        server.received(1).await;
        let mail = &server.mails()[0];
        assert_eq!(mail.envelope_from(), "a@brisa.example");
        assert_eq!(mail.envelope_to(), ["b@brisa.example", "c@brisa.example"]);
        assert_eq!(mail.subject().unwrap(), "Mañana");
        assert_eq!(mail.text().unwrap().trim_end(), "Mañana!\n.", "the stuffed dot is one dot");
        assert_eq!(mail.html().unwrap(), "<b>Mañana</b>");
        assert_eq!(mail.header("mime-version").as_deref(), Some("1.0"));
        assert!(!format!("{mail:?} {server:?}").contains("brisa"));
        assert_eq!(client.ask("QUIT").await, "221 2.0.0 bye\r\n");
    });
}

#[test]
fn a_mail_of_plain_text_alone_has_no_html() {
    run(async {
        let server = SmtpServer::start().await;
        Client::greeted(&server).await.send(&["b@brisa.example"], "Subject: x\r\n\r\nHello").await;
        let mail = &server.mails()[0];
        assert_eq!(mail.text().as_deref().map(str::trim_end), Some("Hello"));
        assert_eq!(mail.html(), None);
    });
}

#[test]
fn a_greylisted_recipient_is_taken_the_second_time() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::Greylist);
        let mut client = Client::greeted(&server).await;
        assert_eq!(client.send(&["b@brisa.example"], MAIL).await, ["250", "451", "503"]);
        assert_eq!(client.send(&["b@brisa.example"], MAIL).await, ["250", "250", "354", "250"]);
        assert_eq!(
            client.send(&["c@brisa.example"], MAIL).await,
            ["250", "451", "503"],
            "each recipient anew"
        );
        assert_eq!(server.mail_count(), 1);
    });
}

#[test]
fn one_refused_recipient_does_not_keep_the_others_from_their_mail() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::RefuseRecipient("B@brisa.example".into()));
        let mut client = Client::greeted(&server).await;
        let answers = client.send(&["b@Brisa.example", "c@brisa.example"], MAIL).await;
        assert_eq!(answers, ["250", "550", "250", "354", "250"]);
        assert_eq!(server.mails()[0].envelope_to(), ["c@brisa.example"]);
    });
}

#[test]
fn faults_of_the_content_happen_once_and_in_order() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::FullDisk);
        server.add_fault_times(&SmtpFault::RefuseContent, 1);
        assert_eq!(server.outstanding_faults(), 2);
        let mut client = Client::greeted(&server).await;
        for code in ["452", "554", "250"] {
            assert_eq!(client.send(&["b@brisa.example"], MAIL).await.pop().unwrap(), code);
        }
        assert_eq!((server.outstanding_faults(), server.mail_count()), (0, 1));
    });
}

#[test]
fn a_vanishing_server_has_the_mail_or_not_and_says_neither() {
    run(async {
        for (fault, taken) in [(SmtpFault::VanishAfterAccepting, 1), (SmtpFault::VanishInContent, 0)] {
            let server = SmtpServer::start().await;
            server.add_fault(fault);
            let mut client = Client::greeted(&server).await;
            for line in ["MAIL FROM:<a@brisa.example>", "RCPT TO:<b@brisa.example>", "DATA"] {
                client.ask(line).await;
            }
            client.0.write_all(b"Subject: x\r\n\r\nHello\r\n.\r\n").await.unwrap();
            // However the connection ends, there is no answer on it.
            let mut rest = Vec::new();
            let _ = client.0.read_to_end(&mut rest).await;
            assert!(rest.is_empty());
            assert_eq!(server.mail_count(), taken);
        }
    });
}

#[test]
fn a_busy_or_absent_server_takes_nothing_until_it_is_back() {
    run(async {
        let server = SmtpServer::start().await;
        server.add_fault(SmtpFault::TooBusy);
        assert!(Client::connect(&server).await.answer().await.starts_with("421"));
        let mut open = Client::greeted(&server).await;
        server.go_down().await;
        assert_eq!(open.0.read_to_end(&mut Vec::new()).await.unwrap_or(0), 0, "open connections end");
        assert!(TcpStream::connect(server.address()).await.is_err());
        server.come_back().await;
        let answers = Client::greeted(&server).await.send(&["b@brisa.example"], MAIL).await;
        assert_eq!(answers.last().unwrap(), "250");
        server.connected(3).await;
    });
}

#[test]
fn nothing_is_taken_without_the_login() {
    run(async {
        let server = SmtpServer::with_login("mailer", "s3cret").await;
        let mut client = Client::greeted(&server).await;
        assert!(client.ask("MAIL FROM:<a@brisa.example>").await.starts_with("530"));
        // "\0mailer\0wrong" and "\0mailer\0s3cret".
        assert!(client.ask("AUTH PLAIN AG1haWxlcgB3cm9uZw==").await.starts_with("535"));
        assert!(client.ask("AUTH PLAIN AG1haWxlcgBzM2NyZXQ=").await.starts_with("235"));
        assert_eq!(client.send(&["b@brisa.example"], MAIL).await.last().unwrap(), "250");
        let mut other = Client::greeted(&server).await;
        other.ask("AUTH LOGIN").await;
        other.ask("bWFpbGVy").await;
        assert!(other.ask("czNjcmV0").await.starts_with("235"));
    });
}
