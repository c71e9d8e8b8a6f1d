//! Text to the host by semihosting. Without `core::fmt`: formatting brings panics of its own into the image.

use cortex_m_semihosting::hio;

/// Decimal digits of the largest `usize` of the target.
const MAX_DIGITS: usize = 10;

/// Writes `text` and a line end.
pub fn line(text: &str) {
    write(text.as_bytes());
    write(b"\n");
}

/// Writes `name`, a space, `value` and a line end.
pub fn figure(name: &str, value: usize) {
    write(name.as_bytes());
    write(b" ");
    let mut digits = [b'0'; MAX_DIGITS];
    let mut rest = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    write(digits.get(MAX_DIGITS - used..).unwrap_or_default());
    write(b"\n");
}

fn write(bytes: &[u8]) {
    // Without a host that listens there is nobody to tell.
    let _ = hio::hstdout().and_then(|mut stdout| stdout.write_all(bytes));
}
