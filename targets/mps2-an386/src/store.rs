//! The record in a file of the host: written aside, then renamed, so that a cut leaves the old one or the new one. See
//! [`RecordStore`] for what a real board does.

use crate::platform::host;
use board::record::{RecordStore, STORED_LEN, Stored, decode, encode};
use heapless::Vec;

/// Longest name of the file, with what is put behind it, in bytes.
const MAX_NAME_LEN: usize = 256;

type Name = Vec<u8, MAX_NAME_LEN>;

/// A file of the host; or nothing, where no name was given: then the record lives until the next reset.
pub(crate) struct HostFile {
    names: Option<(Name, Name)>,
}

impl HostFile {
    /// The file `name`, or none for an empty name. `Err` for a name that is too long.
    pub(crate) fn new(name: &str) -> Result<Self, ()> {
        let names = if name.is_empty() { None } else { Some((with_end(name, "")?, with_end(name, ".new")?)) };
        Ok(Self { names })
    }
}

impl RecordStore for HostFile {
    fn load(&mut self) -> Option<Stored> {
        let (name, _) = self.names.as_ref()?;
        let mut bytes = [0; STORED_LEN];
        host::read_file(name, &mut bytes).then(|| decode(&bytes)).flatten()
    }

    fn store(&mut self, stored: &Stored) -> bool {
        let Some((name, new)) = &self.names else { return false };
        host::write_file(new, &encode(stored)) && host::rename_file(new, name)
    }
}

fn with_end(name: &str, end: &str) -> Result<Name, ()> {
    let mut bytes = Name::new();
    for part in [name.as_bytes(), end.as_bytes(), &[0]] {
        bytes.extend_from_slice(part).map_err(drop)?;
    }
    Ok(bytes)
}
