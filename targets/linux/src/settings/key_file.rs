//! The pre-shared key: 32 bytes in hexadecimal, in a file that only its owner may read.

use crate::regular_file;
use crate::text::escaped;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use ucm_ha::types::{KEY_LEN, Key};

/// Longest key file that is looked at, in bytes: the digits, and blanks around them.
const MAX_FILE_LEN: u64 = 256;

/// Reads the key; an error says what is wrong with the file and what to do. The key itself is never repeated.
pub(super) fn read(path: &Path) -> Result<Key, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}; create it with `openssl rand -hex 32`");
    let file = regular_file::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "has mode {mode:04o}, others may read it; run `chmod 0600 {}`",
            escaped(&path.to_string_lossy())
        ));
    }
    let mut text = Vec::new();
    file.take(MAX_FILE_LEN).read_to_end(&mut text).map_err(unreadable)?;
    let digits = text.trim_ascii();
    parse(digits).map(Key).ok_or_else(|| {
        let wanted = KEY_LEN * 2;
        format!("must hold {KEY_LEN} bytes as {wanted} hexadecimal digits; create it with `openssl rand -hex 32`")
    })
}

fn parse(digits: &[u8]) -> Option<[u8; KEY_LEN]> {
    let mut key = [0; KEY_LEN];
    if digits.len() != KEY_LEN * 2 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(key)
}
