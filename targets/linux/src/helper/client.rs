//! The daemon's end: asks the helper, and waits no longer than it wants to.

use super::protocol::{Answer, MAX_ANSWER_LEN, MAX_REQUEST_LEN, Request};
use crate::text::{escaped, repeated};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the service manager may take to start the helper, on a loaded machine.
const START_ALLOWANCE: Duration = Duration::from_secs(5);

/// A helper behind this socket.
#[derive(Clone, Debug)]
pub(crate) struct Helper {
    socket: PathBuf,
    /// What may pass until it runs.
    allowance: Duration,
}

impl Helper {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self { socket, allowance: START_ALLOWANCE }
    }

    /// Has something done that takes `duration` at most; an error says why it was not, and what to do.
    pub(crate) fn ask(&self, request: &Request, duration: Duration) -> Result<(), String> {
        let timeout = duration + self.allowance;
        let line = serde_json::to_string(request).map_err(|error| error.to_string())? + "\n";
        if line.len() > MAX_REQUEST_LEN {
            return Err(format!("it is {} bytes long with its event; {MAX_REQUEST_LEN} are allowed", line.len()));
        }
        let answer = self.exchange(&line, timeout).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                self.useless(format_args!("gives no answer within {} ms", timeout.as_millis()))
            }
            _ => self.useless(format_args!("cannot be asked: {error}")),
        })?;
        if answer.is_empty() {
            return Err(self.useless("ended the connection without an answer"));
        }
        let text = String::from_utf8_lossy(&answer);
        match serde_json::from_str(&text) {
            Ok(Answer::Done) => Ok(()),
            Ok(Answer::Failed { reason }) => Err(escaped(&reason)),
            Err(_) => Err(self.useless(format_args!("answers {}", repeated(text.trim_end())))),
        }
    }

    fn useless(&self, what: impl std::fmt::Display) -> String {
        format!("the helper at {} {what}; run `systemctl start ucm-ha-helper.socket`", self.socket.display())
    }

    /// Sends a line, and receives one.
    fn exchange(&self, line: &str, timeout: Duration) -> io::Result<Vec<u8>> {
        let end = Instant::now() + timeout;
        let mut stream = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // It bounds the connection too: where too many wait, one more is kept waiting.
        stream.set_write_timeout(Some(timeout))?;
        stream.connect(&SockAddr::unix(&self.socket)?)?;
        stream.write_all(line.as_bytes())?;
        let mut answer = Vec::new();
        let mut chunk = [0; MAX_ANSWER_LEN];
        while answer.last() != Some(&b'\n') && answer.len() < MAX_ANSWER_LEN {
            let left = end.saturating_duration_since(Instant::now());
            // No time at all would mean no bound.
            stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(len) => answer.extend_from_slice(chunk.get(..len).unwrap_or(&chunk)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread::{self, JoinHandle};

    const DURATION: Duration = Duration::from_millis(200);
    /// Far more than a bounded wait takes on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn at(dir: &tempfile::TempDir) -> Helper {
        Helper { socket: dir.path().join("helper.sock"), allowance: DURATION }
    }

    /// Asks a helper that has read the request and then does `then` with the connection.
    fn ask(then: impl FnOnce(&mut dyn Write) + Send + 'static) -> Result<(), String> {
        let dir = tempfile::tempdir().unwrap();
        let helper = at(&dir);
        let listener = UnixListener::bind(&helper.socket).unwrap();
        let thread: JoinHandle<String> = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while request.last() != Some(&b'\n') {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            then(&mut stream);
            String::from_utf8(request).unwrap()
        });
        let asked = helper.ask(&Request::Priority, DURATION);
        assert_eq!(thread.join().unwrap(), "{\"request\":\"priority\"}\n");
        asked
    }

    /// The error, which names the socket and what to do.
    fn useless(asked: Result<(), String>) -> String {
        let reason = asked.unwrap_err();
        assert!(
            reason.contains("helper.sock ") && reason.ends_with("; run `systemctl start ucm-ha-helper.socket`"),
            "{reason}"
        );
        reason
    }

    #[test]
    fn what_the_helper_has_done_is_done_and_its_reason_is_repeated() {
        assert_eq!(ask(|stream| stream.write_all(b"{\"answer\":\"done\"}\n").unwrap()), Ok(()));
        let failed = b"{\"answer\":\"failed\",\"reason\":\"it\\nfailed\"}\n";
        assert_eq!(ask(|stream| stream.write_all(failed).unwrap()), Err("it\\nfailed".to_owned()));
    }

    #[test]
    fn a_helper_that_answers_nonsense_is_said_so() {
        for nonsense in ["yes\n", "{\"answer\":\"perhaps\"}\n", "{\"answer\":\"done\"} and more\n", "\n"] {
            let reason = useless(ask(move |stream| stream.write_all(nonsense.as_bytes()).unwrap()));
            assert!(reason.contains(&format!(" answers {}", nonsense.trim_end())), "{reason}");
        }
        let reason = useless(ask(|stream| {
            // It may have been hung up on.
            let _cut = stream.write_all(&vec![b'x'; 20 * MAX_ANSWER_LEN]);
        }));
        assert!(reason.contains(" answers xxxx") && reason.len() < 300, "{reason}");
    }

    #[test]
    fn a_helper_that_says_nothing_or_is_not_there_is_said_so() {
        assert!(useless(ask(|_| {})).contains("ended the connection without an answer"));
        let dir = tempfile::tempdir().unwrap();
        let reason = useless(at(&dir).ask(&Request::Priority, DURATION));
        assert!(reason.contains("cannot be asked: No such file or directory"), "{reason}");
        drop(UnixListener::bind(&at(&dir).socket).unwrap());
        let reason = useless(at(&dir).ask(&Request::Priority, DURATION));
        assert!(reason.contains("cannot be asked: Connection refused"), "{reason}");
    }

    #[test]
    fn a_helper_that_hangs_is_not_waited_for() {
        let begin = Instant::now();
        let said = "gives no answer within 400 ms";
        // It trickles, so that each read is in time.
        let trickle = move |stream: &mut dyn Write| {
            while begin.elapsed() < PATIENCE && stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        };
        assert!(useless(ask(trickle)).contains(said));
        let dir = tempfile::tempdir().unwrap();
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&at(&dir).socket).unwrap()).unwrap();
        // Nobody takes a connection: the first waits in the queue for its answer, the next for the queue.
        listener.listen(0).unwrap();
        let asked: Vec<_> = (0..3)
            .map(|_| {
                let helper = at(&dir);
                thread::spawn(move || helper.ask(&Request::Priority, DURATION))
            })
            .collect();
        for asked in asked {
            assert!(useless(asked.join().unwrap()).contains(said));
        }
        assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    }

    #[test]
    fn a_command_that_is_too_long_for_the_helper_is_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        let words = vec!["x".repeat(MAX_REQUEST_LEN)];
        let (kind, name, event) = ("role".to_owned(), "Active".to_owned(), "{}".to_owned());
        let told = super::super::protocol::Told { words, user: None, kind, name, event };
        let reason = at(&dir).ask(&Request::Notify(told), DURATION).unwrap_err();
        assert!(reason.ends_with("bytes long with its event; 65536 are allowed"), "{reason}");
    }
}
