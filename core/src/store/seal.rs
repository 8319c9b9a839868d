//! What the bytes of a file tell without opening it: whether anybody can read it, whether a key fits it, whether a record can
//! be in it. Knows how SQLite and SQLCipher lay out pages; must not know any table.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

const PAGE_BYTES: usize = 4096;
const PLAIN_HEAD: &[u8; 16] = b"SQLite format 3\0";
/// What an encrypted file begins with in its place.
const SALT_BYTES: usize = 16;
/// Ends an encrypted page, behind an initialisation vector that counts as its content.
const TAG_BYTES: usize = 32;
const LOG_HEAD_BYTES: u64 = 32;

/// Whether a file says that anybody can read it.
pub fn is_plain(path: &Path) -> bool {
    let mut head = [0; PLAIN_HEAD.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *PLAIN_HEAD
}

/// Whether a file shows that it was written with this key, or with none: some page of it is authentic, or lies there open.
/// One flipped bit or a lost page does not hide that; a file that is lost whole, or has lost its salt, fits no key.
pub fn fits(path: &Path, key: Option<&[u8; 32]>) -> bool {
    let Some(key) = key else {
        return is_plain(path) || any_page(path, |_, page| is_open_tree(page));
    };
    let mut tag_key = None;
    any_page(path, |number, page| {
        let tag_key = tag_key.get_or_insert_with(|| tag_key_of(key, page));
        is_authentic(number, page, tag_key)
    })
}

/// Whether no record can be in a file: it has no more than the first page, which is SQLite's own, and its log nothing. So a
/// power cut leaves a file that was just being made.
pub fn holds_no_record(path: &Path) -> bool {
    let is_within = |path: &Path, bytes_max: u64| match std::fs::metadata(path) {
        Ok(found) => found.len() <= bytes_max,
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    is_within(path, PAGE_BYTES as u64) && is_within(log.as_ref(), LOG_HEAD_BYTES)
}

/// Whether any page, numbered from 1, is as asked; none where the file cannot be read so far.
fn any_page(path: &Path, mut is_it: impl FnMut(u32, &[u8; PAGE_BYTES]) -> bool) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut file = BufReader::new(file);
    let mut page = [0; PAGE_BYTES];
    let mut next_is_it = |number| file.read_exact(&mut page).is_ok().then(|| is_it(number, &page));
    (1..=u32::MAX).map_while(&mut next_is_it).any(|is_it| is_it)
}

/// Whether a page is a node of a tree of SQLite's in which every cell lies where it can: noise is one in 2³⁰ at most.
fn is_open_tree(page: &[u8; PAGE_BYTES]) -> bool {
    let number = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let head_bytes = match page[0] {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return false,
    };
    let (free, cells, content, scattered) = (number(1), number(3), number(5), page[7]);
    let cells_end = head_bytes + 2 * cells;
    free < PAGE_BYTES
        && scattered <= 60
        && (cells_end..=PAGE_BYTES).contains(&content)
        && (0..cells).all(|cell| (content..PAGE_BYTES).contains(&number(head_bytes + 2 * cell)))
}

/// SQLCipher's key of the pages' tags: PBKDF2 with HMAC-SHA-512, two rounds, over the changed salt.
fn tag_key_of(key: &[u8; 32], first_page: &[u8; PAGE_BYTES]) -> [u8; 32] {
    let hash = |text: &[u8]| -> [u8; 64] {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key) else { unreachable!() };
        mac.update(text);
        mac.finalize().into_bytes().into()
    };
    let mut salt: Vec<u8> = first_page[..SALT_BYTES].iter().map(|byte| byte ^ 0x3a).collect();
    salt.extend(1_u32.to_be_bytes());
    let first = hash(&salt);
    let second = hash(&first);
    std::array::from_fn(|at| first[at] ^ second[at])
}

fn is_authentic(number: u32, page: &[u8; PAGE_BYTES], tag_key: &[u8; 32]) -> bool {
    let begin = if number == 1 { SALT_BYTES } else { 0 };
    let (content, tag) = page.split_at(PAGE_BYTES - TAG_BYTES);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(tag_key) else { unreachable!() };
    mac.update(&content[begin..]);
    mac.update(&number.to_le_bytes());
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::open::{self, Access, Migrations, Sharing};

    const KEY: [u8; 32] = [7; 32];
    const TABLES: Migrations = Migrations(&["CREATE TABLE a (n INTEGER); CREATE TABLE b (t TEXT)"]);

    fn made(path: &Path, key: Option<&[u8; 32]>) -> Vec<u8> {
        drop(open::open(path, Access { sharing: Sharing::Alone, key }, TABLES).unwrap());
        std::fs::read(path).unwrap()
    }

    #[test]
    fn any_page_that_is_left_shows_the_key() {
        let dir = tempfile::tempdir().unwrap();
        for key in [None, Some(&KEY)] {
            let path = dir.path().join(format!("{}", key.is_some()));
            let whole = made(&path, key);
            let pages = whole.len() / PAGE_BYTES;
            assert!(pages > 2, "{pages}");
            for left in 0..pages {
                let mut bytes = vec![0x5a; whole.len()];
                bytes[..SALT_BYTES].copy_from_slice(&whole[..SALT_BYTES]);
                let page = left * PAGE_BYTES..(left + 1) * PAGE_BYTES;
                bytes[page.clone()].copy_from_slice(&whole[page]);
                std::fs::write(&path, &bytes).unwrap();
                assert!(fits(&path, key), "{left}");
                assert_eq!(fits(&path, None), key.is_none(), "{left}");
                assert!(!fits(&path, Some(&[8; 32])), "{left}");
                assert_eq!(is_plain(&path), key.is_none(), "{left}");
            }
            std::fs::write(&path, vec![0x5a; whole.len()]).unwrap();
            assert!(!fits(&path, key), "nothing is left");
        }
    }

    #[test]
    fn a_plain_file_without_its_head_is_known_by_its_trees() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut bytes = made(&path, None);
        bytes[..PAGE_BYTES].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        assert!(fits(&path, None) && !is_plain(&path));
        assert!(!fits(&dir.path().join("nowhere"), None));
    }

    #[test]
    fn a_record_needs_a_second_page_or_a_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        assert!(holds_no_record(&path("a")));
        std::fs::write(path("a"), [1; PAGE_BYTES]).unwrap();
        std::fs::write(path("a-wal"), [1; 32]).unwrap();
        assert!(holds_no_record(&path("a")));
        std::fs::write(path("a-wal"), [1; 33]).unwrap();
        assert!(!holds_no_record(&path("a")));
        std::fs::write(path("b"), [1; PAGE_BYTES + 1]).unwrap();
        assert!(!holds_no_record(&path("b")));
    }

    proptest! {
        #[test]
        fn noise_is_no_tree(head in any::<[u8; 64]>(), kind in prop::sample::select(vec![2, 5, 10, 13])) {
            let mut page = [0x5a; PAGE_BYTES];
            page[..64].copy_from_slice(&head);
            page[0] = kind;
            prop_assert!(!is_open_tree(&page));
        }
    }
}
