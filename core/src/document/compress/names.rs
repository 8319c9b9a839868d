//! People's row names taken out of bytes that are to be compressed. A name is a keyed hash, which does not compress, and
//! stands before each of a member's fields; told once and pointed at, the fields of all families look alike again. Must not
//! know where in a record a name stands: what looks like one is treated as one, and every byte comes back.

use super::CompressError;
use crate::document::varint;

/// `p` and this many hexadecimal digits: see [`crate::domain::person::PersonKey::member_row`].
const DIGITS: usize = 10;
const NAME_BYTES: usize = DIGITS / 2;
/// Not a byte of any UTF-8 text. What follows says what stands here.
const MARK: u8 = 0xc1;
const THE_BYTE_ITSELF: u8 = 0;
const A_NEW_NAME: u8 = 1;
/// The name that stood last; the one before it is the next number, and so on.
const THE_LAST: u8 = 2;
const REMEMBERED: usize = (u8::MAX - THE_LAST) as usize + 1;

type Name = [u8; NAME_BYTES];

/// The names met so far, the last one first.
#[derive(Default)]
struct Recent(Vec<Name>);

impl Recent {
    fn place(&self, name: &Name) -> Option<u8> {
        let place = self.0.iter().position(|known| known == name)?;
        u8::try_from(place).ok()
    }

    fn again(&mut self, place: u8) -> Option<Name> {
        let upto = self.0.get_mut(..=usize::from(place))?;
        upto.rotate_right(1);
        upto.first().copied()
    }

    fn meet(&mut self, name: Name) {
        self.0.truncate(REMEMBERED - 1);
        self.0.insert(0, name);
    }
}

/// The bytes with every name told once: how many names, the names, the rest.
pub(super) fn take_out(raw: &[u8]) -> Vec<u8> {
    let (mut names, mut rest) = (Vec::new(), Vec::with_capacity(raw.len()));
    let mut recent = Recent::default();
    let mut left = raw;
    while let Some((&byte, behind)) = left.split_first() {
        left = behind;
        match byte {
            b'p' => match behind.get(..DIGITS).and_then(name_of) {
                Some(name) => {
                    let said = match recent.place(&name) {
                        Some(place) => recent.again(place).map(|_| THE_LAST + place),
                        None => None,
                    };
                    if said.is_none() {
                        recent.meet(name);
                        names.extend(name);
                    }
                    rest.extend([MARK, said.unwrap_or(A_NEW_NAME)]);
                    left = &behind[DIGITS..];
                }
                None => rest.push(byte),
            },
            MARK => rest.extend([MARK, THE_BYTE_ITSELF]),
            _ => rest.push(byte),
        }
    }
    let mut told = Vec::with_capacity(names.len() + rest.len() + 2);
    varint::put(&mut told, (names.len() / NAME_BYTES) as u64);
    told.extend(names);
    told.extend(rest);
    told
}

/// The bytes as they were, at most `bytes_max` of them.
///
/// # Errors
/// Where a mark points at nothing, a name is left over, or the bytes become too many.
pub(super) fn put_back(told: &[u8], bytes_max: usize) -> Result<Vec<u8>, CompressError> {
    let mut reader = varint::Reader(told);
    let count = reader.number().ok().and_then(|count| usize::try_from(count).ok());
    let names_bytes = count.and_then(|count| count.checked_mul(NAME_BYTES)).ok_or(CompressError)?;
    let (names, mut rest) = reader.0.split_at_checked(names_bytes).ok_or(CompressError)?;
    let mut names = names.as_chunks::<NAME_BYTES>().0.iter();
    let mut recent = Recent::default();
    let mut raw = Vec::with_capacity(rest.len().min(bytes_max));
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == MARK {
            let (&said, behind) = behind.split_first().ok_or(CompressError)?;
            rest = behind;
            match said {
                THE_BYTE_ITSELF => raw.push(MARK),
                A_NEW_NAME => {
                    let name = *names.next().ok_or(CompressError)?;
                    recent.meet(name);
                    put_name(&mut raw, name);
                }
                place => put_name(&mut raw, recent.again(place - THE_LAST).ok_or(CompressError)?),
            }
        } else {
            raw.push(byte);
        }
        if raw.len() > bytes_max {
            return Err(CompressError);
        }
    }
    if names.next().is_some() { Err(CompressError) } else { Ok(raw) }
}

fn name_of(digits: &[u8]) -> Option<Name> {
    let mut name = Name::default();
    for (byte, pair) in name.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(name)
}

/// The value of a digit as row names have them: no capitals, which would not come back.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn put_name(raw: &mut Vec<u8>, name: Name) {
    raw.push(b'p');
    for byte in name {
        raw.extend([byte >> 4, byte & 15].map(|value| b"0123456789abcdef"[usize::from(value)]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            // Few names that come again, and many.
            (0u8..4).prop_map(|n| format!("p00000000{n:02x}.name").into_bytes()),
            any::<[u8; 5]>().prop_map(|name| {
                let mut raw = Vec::new();
                put_name(&mut raw, name);
                raw
            }),
            any::<Vec<u8>>(),
            Just(vec![MARK, THE_LAST]),
            Just(b"pp12345678Ap123456789".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn every_byte_comes_back(pieces in prop::collection::vec(piece(), 0..600)) {
            let raw = pieces.concat();
            prop_assert_eq!(put_back(&take_out(&raw), raw.len()), Ok(raw));
        }

        #[test]
        fn any_bytes_are_read_within_their_bound(told in any::<Vec<u8>>(), bytes_max in 0usize..64) {
            if let Ok(raw) = put_back(&told, bytes_max) {
                prop_assert!(raw.len() <= bytes_max);
            }
        }
    }

    #[test]
    fn a_name_is_told_once() {
        let raw = b"p00112233aa.name p00112233aa.age p00112233bb.name p00112233aa.sex";
        let told = take_out(raw);
        let expected: &[&[u8]] = &[
            &[2, 0x00, 0x11, 0x22, 0x33, 0xaa, 0x00, 0x11, 0x22, 0x33, 0xbb],
            &[MARK, A_NEW_NAME],
            b".name ",
            &[MARK, THE_LAST],
            b".age ",
            &[MARK, A_NEW_NAME],
            b".name ",
            &[MARK, THE_LAST + 1],
            b".sex",
        ];
        assert_eq!(told, expected.concat());
    }

    #[test]
    fn names_are_remembered_to_the_last_one_and_no_further() {
        for count in REMEMBERED - 1..=REMEMBERED + 2 {
            let mut raw = Vec::new();
            for _ in 0..2 {
                for number in 0..count {
                    let [.., high, low] = number.to_be_bytes();
                    put_name(&mut raw, [0, 0, 0, high, low]);
                }
            }
            let told = take_out(&raw);
            assert_eq!(put_back(&told, raw.len()), Ok(raw.clone()), "{count}");
            assert_eq!(put_back(&told, raw.len() - 1), Err(CompressError), "{count}");
            // One more than are remembered, and each is forgotten just before it comes again.
            let is_told_once = told.len() < count * (NAME_BYTES + 2 * 2) + 4;
            assert_eq!(is_told_once, count <= REMEMBERED, "{count}");
        }
    }

    #[test]
    fn what_points_at_nothing_is_refused() {
        for told in [
            &b""[..],
            &[1],
            &[0, MARK],
            &[0, MARK, A_NEW_NAME],
            &[0, MARK, THE_LAST],
            &[1, 1, 2, 3, 4, 5, b'x'],
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            assert_eq!(put_back(told, 100), Err(CompressError), "{told:?}");
        }
    }
}
