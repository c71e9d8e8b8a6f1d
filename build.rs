//! Generates the C header into OUT_DIR, with feature `header` only.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::generate();
}

#[cfg(feature = "header")]
mod header {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::path::{Path, PathBuf};

    /// A section of the header, and the files of the C ABI whose items it has. Only they are read, so that nothing else gets
    /// into it.
    struct Section {
        title: &'static str,
        files: &'static [&'static str],
    }

    /// In the order of the header; each needs types of earlier ones only.
    const SECTIONS: [Section; 12] = [
        Section { title: "Versions", files: &["version"] },
        Section { title: "Result codes", files: &["result"] },
        Section { title: "Named values", files: &["values"] },
        Section { title: "Settings, and the record that survives a restart", files: &["config"] },
        Section { title: "The node: facts go in", files: &["node"] },
        Section { title: "The node: effects come out", files: &["output"] },
        Section { title: "The node: a snapshot", files: &["status"] },
        Section { title: "FXO ports", files: &["fxo/callback", "fxo/report", "fxo/mod"] },
        Section { title: "Services", files: &["service"] },
        Section { title: "Mailbox for interrupts and threads", files: &["mailbox"] },
        Section { title: "Lines of a log", files: &["log"] },
        Section { title: "Names of values", files: &["names"] },
    ];
    /// What Rust wants said of every function, and C readers find at the top.
    const SAFETY: &str = " *\n * # Safety\n * See the rules at the top of the header.\n";
    /// Where the header of cbindgen.toml wants the list of sections.
    const INDEX: &str = " * @INDEX@\n";
    /// Words of the index begin here.
    const INDENT: &str = " *     ";
    const LINE_LEN: usize = 120;

    pub(super) fn generate() {
        let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
        let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
        let top = config.header.take().expect("cbindgen.toml has a header");
        let end = config.trailer.take().expect("cbindgen.toml has a trailer");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in SECTIONS.iter().flat_map(|section| section.files) {
            builder = builder.with_src(source(&root, file));
        }
        let mut items = Vec::new();
        builder.generate().expect("the header can be generated").write(&mut items);
        let items = String::from_utf8(items).expect("the sources are UTF-8").replace(SAFETY, "");
        let sections = sections(&root, &items);
        let mut header = top.trim_start().replace(INDEX, &index(&sections));
        for (section, items) in SECTIONS.iter().zip(&sections) {
            write!(header, "\n/* ---- {} ---- */\n", section.title).expect("a string takes everything");
            for item in items {
                write!(header, "\n{}\n", item.text).expect("a string takes everything");
            }
        }
        header.push_str(&end);
        std::fs::write(out.join("ucm_ha.h"), header).expect("OUT_DIR can be written");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-changed=src/capi");
    }

    fn source(root: &Path, name: &str) -> PathBuf {
        root.join("src/capi").join(name).with_extension("rs")
    }

    /// Something declared in C, with its comment.
    struct Item {
        name: String,
        text: String,
    }

    /// The items of each section: what its files declare, in the order of the generator (constants, types, functions).
    fn sections(root: &Path, items: &str) -> Vec<Vec<Item>> {
        let mut section_of = BTreeMap::new();
        for (number, section) in SECTIONS.iter().enumerate() {
            for file in section.files {
                let text = std::fs::read_to_string(source(root, file)).expect("the sources can be read");
                section_of.extend(declared(&text).map(|name| (name.to_owned(), number)));
            }
        }
        let mut sections: Vec<Vec<Item>> = SECTIONS.iter().map(|_| Vec::new()).collect();
        // Every item has a comment (`missing_docs`), and those of fields are indented.
        for text in format!("\n{items}").split("\n/**").skip(1).map(|text| format!("/**{text}")) {
            let (comment, code) = text.split_once("*/\n").expect("a comment ends");
            let code = code.split("#ifdef __cplusplus").next().unwrap_or_default().trim();
            let name = name_of(code).unwrap_or_else(|| panic!("what does this declare? {code}")).to_owned();
            let number = section_of.get(&name).unwrap_or_else(|| panic!("{name} is declared in none of the files"));
            sections[*number].push(Item { name, text: format!("{comment}*/\n{}", unsigned(code)) });
        }
        let found = sections.iter().map(Vec::len).sum::<usize>();
        assert_eq!(found, section_of.len(), "what the files declare stands in the header");
        sections
    }

    /// The names that a file of the C ABI declares.
    fn declared(text: &str) -> impl Iterator<Item = &str> {
        const BEGINNINGS: [&str; 5] =
            ["pub const ", "pub struct ", "pub type ", "pub extern \"C\" fn ", "pub unsafe extern \"C\" fn "];
        text.lines().filter_map(|line| BEGINNINGS.iter().find_map(|beginning| line.strip_prefix(beginning))).map(word)
    }

    fn word(text: &str) -> &str {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
    }

    /// The name that C code declares.
    fn name_of(code: &str) -> Option<&str> {
        let direct = ["#define ", "typedef struct "].iter().find_map(|beginning| code.strip_prefix(beginning));
        let callback = || code.split_once("(*").map(|(_, rest)| rest);
        let function = || code.split_once('(').and_then(|(before, _)| before.rsplit([' ', '*']).next());
        direct.or_else(callback).or_else(function).map(word)
    }

    /// A constant whose value cannot be misread: bits are unsigned, and a sign cannot join with what stands before the name.
    fn unsigned(code: &str) -> String {
        let Some((define, value)) = code.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) else {
            return code.to_owned();
        };
        if value.starts_with('-') { format!("#define {define} ({value})") } else { code.replace("(1 << ", "(1u << ") }
    }

    /// The sections with their names, several constants of one family as one.
    fn index(sections: &[Vec<Item>]) -> String {
        let mut index = String::new();
        for (section, items) in SECTIONS.iter().zip(sections) {
            let mut words: Vec<String> = Vec::new();
            for item in items {
                let alike = |other: &&Item| family(&other.name) == family(&item.name);
                let word = match family(&item.name) {
                    Some(family) if items.iter().filter(alike).count() > 1 => format!("{family}*"),
                    _ => item.name.clone(),
                };
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            writeln!(index, " *   {}:", section.title).expect("a string takes everything");
            wrap(&mut index, &words);
        }
        index
    }

    /// The beginning that constants of one family share: UCM_HA_ROLE_ of UCM_HA_ROLE_ACTIVE.
    fn family(name: &str) -> Option<&str> {
        let kind = name.strip_prefix("UCM_HA_")?.split_once('_')?.0;
        name.get(..="UCM_HA_".len() + kind.len())
    }

    fn wrap(text: &mut String, words: &[String]) {
        let mut line = INDENT.to_owned();
        for (at, word) in words.iter().enumerate() {
            let comma = if at + 1 < words.len() { "," } else { "" };
            if line.len() + 1 + word.len() + comma.len() > LINE_LEN {
                writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
                INDENT.clone_into(&mut line);
            }
            write!(line, "{word}{comma} ").expect("a string takes everything");
        }
        writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
    }
}
