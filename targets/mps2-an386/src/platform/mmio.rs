//! Device registers.

/// The registers of one device: 32-bit words.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    base: usize,
    len: usize,
}

impl Block {
    /// `len` is a power of two, at least 4.
    pub(super) const fn at(base: usize, len: usize) -> Self {
        assert!(base.is_multiple_of(len) && len.is_power_of_two() && len >= size_of::<u32>());
        Self { base, len }
    }

    /// Reads the register at `offset` bytes.
    pub(crate) fn read(self, offset: usize) -> u32 {
        let register = core::ptr::with_exposed_provenance::<u32>(self.address(offset));
        // SAFETY: blocks are made in the board's table only, whose entries are device memory; `address` stays within the
        // block and on a word. Reading device memory races with nothing the compiler knows of.
        unsafe { register.read_volatile() }
    }

    /// Writes the register at `offset` bytes.
    pub(crate) fn write(self, offset: usize, value: u32) {
        let register = core::ptr::with_exposed_provenance_mut::<u32>(self.address(offset));
        // SAFETY: as in `read`. No device of the table writes to memory by itself, so no write can change what the
        // compiler knows of.
        unsafe { register.write_volatile(value) }
    }

    /// An offset that is outside the block, or between words, comes out within it.
    const fn address(self, offset: usize) -> usize {
        self.base + (offset & (self.len - size_of::<u32>()))
    }
}
