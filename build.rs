//! Generates the C header into OUT_DIR, with feature `header` only.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::generate();
}

#[cfg(feature = "header")]
mod header {
    use std::path::{Path, PathBuf};

    /// The files of the C ABI in the order of the header. Only they are read, so that nothing else gets into it.
    const FILES: [&str; 14] = [
        "version",
        "result",
        "values",
        "config",
        "node",
        "output",
        "status",
        "fxo/callback",
        "fxo/report",
        "fxo/mod",
        "service",
        "mailbox",
        "log",
        "names",
    ];
    /// What Rust wants said of every function, and C readers find at the top.
    const SAFETY: &str = " *\n * # Safety\n * See the rules at the top of the header.\n";

    pub(super) fn generate() {
        let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for name in FILES {
            builder = builder.with_src(source(&root, name));
        }
        let mut header = Vec::new();
        builder.generate().expect("the header can be generated").write(&mut header);
        let header = String::from_utf8(header).expect("the sources are UTF-8").replace(SAFETY, "");
        std::fs::write(out.join("ucm_ha.h"), header).expect("OUT_DIR can be written");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-changed=src/capi");
    }

    fn source(root: &Path, name: &str) -> PathBuf {
        root.join("src/capi").join(name).with_extension("rs")
    }
}
