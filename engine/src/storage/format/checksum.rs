//! Checksums that also say where the bytes belong.

use twox_hash::XxHash3_64;

/// Which file bytes belong to. Part of every checksum, so that bytes of another file, of another
/// database or of a copy that went its own way fail even where their content is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The database.
    pub database: [u8; 16],
    /// The file's number in the database.
    pub file: u64,
    /// A random number drawn when the file was created.
    pub seal: u64,
}

impl Identity {
    /// XXH3 of `payload`, seeded with XXH3 of this identity, `offset` and the payload's length.
    pub fn checksum(&self, offset: u64, payload: &[u8]) -> u64 {
        // On the stack: every page and directory entry that is looked at comes by here.
        let mut place = [0; 48];
        let words = [self.file, self.seal, offset, payload.len() as u64].map(u64::to_le_bytes);
        let parts = self.database.iter().chain(words.as_flattened());
        for (target, byte) in place.iter_mut().zip(parts) {
            *target = *byte;
        }
        XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(&place), payload)
    }
}

/// XXH3 of `bytes` alone, for the header, which carries the identity itself.
pub(super) fn plain_checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_offset_or_length_is_another_checksum() {
        let identity = Identity { database: [7; 16], file: 3, seal: 9 };
        let sum = identity.checksum(64, b"payload");
        assert_eq!(sum, identity.checksum(64, b"payload"));
        assert_ne!(sum, identity.checksum(128, b"payload"));
        assert_ne!(sum, identity.checksum(64, b"payload\0"));
        assert_ne!(sum, Identity { file: 4, ..identity }.checksum(64, b"payload"));
        assert_ne!(sum, Identity { seal: 8, ..identity }.checksum(64, b"payload"));
        assert_ne!(sum, Identity { database: [8; 16], ..identity }.checksum(64, b"payload"));
    }
}
