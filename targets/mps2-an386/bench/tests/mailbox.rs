//! The mailbox on a real processor's interrupt.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn an_interrupt_that_overfills_the_mailbox_loses_no_crash() {
    let image = PathBuf::from(std::env::var_os("UCM_HA_MPS2_IMAGE").expect("targets/mps2-an386/test sets it"));
    let output = Command::new("timeout")
        .args(["60", "qemu-system-arm", "-machine", "mps2-an386", "-display", "none", "-monitor", "none"])
        .args(["-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(image.with_file_name("mailbox"))
        .output()
        .expect("qemu-system-arm is installed");
    assert!(output.status.success() && output.stdout == b"ok\n", "{output:?}");
}
