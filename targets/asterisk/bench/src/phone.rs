//! A SIP phone (RFC 3261) on the LAN: it registers with digest authentication, and asks whether it is served.

use crate::asterisk::PHONE_USER;
use lab::error::Context;
use lab::netns::Netns;
use lab::plan::{CLUSTER_IP, PHONE};
use md5::{Digest, Md5};
use std::io::{self, ErrorKind};
use std::net::{SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

const SIP_PORT: u16 = 5060;
/// How long a registration is to last.
const EXPIRES_S: u32 = 60;
/// How long the phone waits before it sends a request again; T1 of RFC 3261 is 500 ms.
const RETRANSMIT: Duration = Duration::from_millis(500);
/// How often it asks while it looks for the moment from which it is served.
const ASK_PERIOD: Duration = Duration::from_millis(5);
const MAX_MESSAGE_LEN: usize = 4096;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The name of the node, as its Asterisk gives it.
    pub(crate) server: String,
    text: String,
}

/// The phone. It has one socket, connected to the cluster IP: what comes from another address is not heard.
pub(crate) struct Phone {
    socket: UdpSocket,
    sequence: u32,
}

impl Phone {
    pub(crate) fn new(netns: &Netns) -> io::Result<Self> {
        let socket = netns
            .run(|| {
                let socket = UdpSocket::bind((PHONE.address, SIP_PORT))?;
                socket.connect(SocketAddrV4::new(CLUSTER_IP.address, SIP_PORT))?;
                Ok(socket)
            })
            .context("the phone has no socket")?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Registers: a request, the challenge, the request with the answer to it. Which node took it.
    pub(crate) fn register(&mut self, patience: Duration) -> io::Result<String> {
        let challenge = self.ask_for("REGISTER", "", patience)?;
        if challenge.status != 401 {
            return Err(io::Error::other(format!("REGISTER was answered by {} and no challenge", challenge.status)));
        }
        let authorization = authorization(&challenge.text)?;
        let answer = self.ask_for("REGISTER", &authorization, patience)?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("REGISTER with a password was answered by {}", answer.status)));
        }
        Ok(answer.server)
    }

    /// Asks until this node's Asterisk answers; when that was.
    pub(crate) fn wait_until_served_by(&mut self, server: &str, patience: Duration) -> io::Result<Instant> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(answer) = self.ask_once("OPTIONS", "", ASK_PERIOD)?
                && answer.server == server
            {
                return Ok(Instant::now());
            }
        }
        Err(io::Error::other(format!("{server} does not serve the phone within {patience:?}")))
    }

    /// Sends a request, again where nothing comes, until it is answered.
    fn ask_for(&mut self, method: &str, header: &str, patience: Duration) -> io::Result<Answer> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(answer) = self.ask_once(method, header, RETRANSMIT)? {
                return Ok(answer);
            }
        }
        Err(io::Error::other(format!("{method} was not answered within {patience:?}")))
    }

    fn ask_once(&mut self, method: &str, header: &str, timeout: Duration) -> io::Result<Option<Answer>> {
        self.sequence += 1;
        match self.socket.send(self.request(method, header).as_bytes()) {
            Ok(_) => {}
            // What ICMP said about an earlier one.
            Err(error) if is_unreachable(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            let mut buffer = [0; MAX_MESSAGE_LEN];
            match self.socket.recv(&mut buffer) {
                Ok(len) => {
                    let text = String::from_utf8_lossy(buffer.get(..len).unwrap_or(&buffer)).into_owned();
                    if let Some(answer) = self.answer_in(text, method) {
                        return Ok(Some(answer));
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if is_unreachable(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn request(&self, method: &str, header: &str) -> String {
        let (user, _) = PHONE_USER;
        let (registrar, own, sequence) = (CLUSTER_IP.address, PHONE.address, self.sequence);
        format!(
            "{method} sip:{registrar} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {own}:{SIP_PORT};branch=z9hG4bK-bench-{sequence}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{registrar}>;tag=bench\r\n\
             To: <sip:{user}@{registrar}>\r\n\
             Call-ID: bench-{method}@{own}\r\n\
             CSeq: {sequence} {method}\r\n\
             Contact: <sip:{user}@{own}:{SIP_PORT}>\r\n\
             Expires: {EXPIRES_S}\r\n\
             {header}\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// The final answer to the newest request.
    fn answer_in(&self, text: String, method: &str) -> Option<Answer> {
        let status: u16 = text.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()?;
        let is_newest = header(&text, "CSeq")? == format!("{} {method}", self.sequence);
        let server = header(&text, "Server")?.to_owned();
        (is_newest && status >= 200).then_some(Answer { status, server, text })
    }
}

fn is_unreachable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable)
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The answer to a challenge (RFC 2617, with or without `qop`).
fn authorization(challenge: &str) -> io::Result<String> {
    let challenge =
        header(challenge, "WWW-Authenticate").ok_or_else(|| io::Error::other("a 401 without a challenge"))?;
    let value = |name: &str| {
        let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
        rest.split('"').next()
    };
    let (Some(realm), Some(nonce)) = (value("realm"), value("nonce")) else {
        return Err(io::Error::other(format!("a challenge without realm or nonce: {challenge}")));
    };
    let (user, secret) = PHONE_USER;
    let uri = format!("sip:{}", CLUSTER_IP.address);
    let who = hex(&format!("{user}:{realm}:{secret}"));
    let what = hex(&format!("REGISTER:{uri}"));
    let opaque = value("opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
    let (proof, quality) = if value("qop").is_some() {
        (hex(&format!("{who}:{nonce}:00000001:bench:auth:{what}")), ", qop=auth, nc=00000001, cnonce=\"bench\"")
    } else {
        (hex(&format!("{who}:{nonce}:{what}")), "")
    };
    Ok(format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{proof}\", algorithm=MD5{opaque}{quality}\r\n"
    ))
}

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
