//! LEB128 numbers and length-prefixed bytes, as automerge and our folded state use them.

use super::DocumentError;

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f).to_le_bytes()[0];
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A bounded reader over bytes that may end anywhere.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next number.
    pub(crate) fn number(&mut self) -> Result<u64, DocumentError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(DocumentError::Malformed)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DocumentError::Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                // One number, one spelling.
                let is_padded = byte == 0 && shift > 0;
                return if is_padded { Err(DocumentError::Malformed) } else { Ok(value) };
            }
        }
        Err(DocumentError::Malformed)
    }

    /// The next signed number.
    pub(crate) fn signed(&mut self) -> Result<i64, DocumentError> {
        let (mut value, mut was_negative) = (0i64, None);
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= i64::from(byte & 0x7f) << shift;
            let is_negative = byte & 0x40 != 0;
            if byte & 0x80 == 0 {
                let says_only_the_sign = matches!(byte, 0x00 | 0x7f);
                // The tenth byte has room for the sign only; elsewhere a byte for it alone is padding.
                if (shift == 63 && !says_only_the_sign)
                    || (says_only_the_sign && was_negative == Some(is_negative))
                {
                    return Err(DocumentError::Malformed);
                }
                let filled = shift + 7;
                return Ok(if is_negative && filled < 64 { value | (-1 << filled) } else { value });
            }
            was_negative = Some(is_negative);
        }
        Err(DocumentError::Malformed)
    }

    /// The next number as a length or index.
    pub(crate) fn size(&mut self) -> Result<usize, DocumentError> {
        usize::try_from(self.number()?).map_err(|_| DocumentError::Malformed)
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DocumentError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(DocumentError::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DocumentError> {
        self.take(N)?.try_into().map_err(|_| DocumentError::Malformed)
    }

    /// A length and that many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], DocumentError> {
        let count = self.size()?;
        self.take(count)
    }

    /// A length and that many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, DocumentError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DocumentError::Malformed)
    }
}
