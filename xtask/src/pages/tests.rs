//! Libraries that this machine's linker made with small and large pages, and files that lie about themselves. Must not
//! depend on which processor the linker is for.

use std::path::Path;
use std::process::Command;

use super::*;

/// Has data that is locked after loading, data that is not, and data that is in no file.
const SOURCE: &str = "int written = 7; static int zeroed[5000]; int *const locked[] = {&written};\n\
                      int sum(void) { return written + zeroed[3] + *locked[0]; }\n";
/// Where a 64-bit file keeps what the tests forge.
const CLASS: usize = 4;
const TYPE: usize = 16;
const PROGRAM_HEADERS_AT: usize = 32;
const PROGRAM_HEADER_BYTES: usize = 54;
const PROGRAM_HEADER_COUNT: usize = 56;
/// Within a program header.
const FLAGS: usize = 4;
const OFFSET: usize = 8;
const ADDRESS: usize = 16;
const FILE_BYTES: usize = 32;
const MEMORY_BYTES: usize = 40;
const ALIGNMENT: usize = 48;

fn link(folder: &Path, page: u64) -> PathBuf {
    let source = folder.join("library.c");
    fs::write(&source, SOURCE).unwrap();
    let library = folder.join(format!("lib{page}.so"));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    compiler.arg(format!("-Wl,-z,relro,-z,max-page-size={page}"));
    assert!(compiler.status().unwrap().success());
    library
}

fn linked(page: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::read(link(folder.path(), page)).unwrap()
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn forge(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Where the program headers of a kind stand in the file.
fn headers(bytes: &[u8], kind: u32) -> Vec<usize> {
    let first = usize::try_from(word(bytes, PROGRAM_HEADERS_AT)).unwrap();
    let count = u16::from_le_bytes([bytes[PROGRAM_HEADER_COUNT], bytes[PROGRAM_HEADER_COUNT + 1]]);
    (0..usize::from(count))
        .map(|number| first + number * 56)
        .filter(|at| bytes[*at..at + 4] == kind.to_le_bytes())
        .collect()
}

#[test]
fn large_pages_fit_and_small_ones_do_not() {
    let Ok(Fit::Aligned { segments }) = judge(&linked(16384)) else { panic!("16384 does not fit") };
    assert!(segments >= 2);
    assert!(judge(&linked(65536)).is_ok());
    let small = linked(4096);
    let faults = judge(&small).unwrap_err();
    let misaligned =
        faults.iter().filter(|f| matches!(f, Fault::Alignment { alignment: 4096, .. }));
    assert_eq!(misaligned.count(), headers(&small, PT_LOAD).len());
}

#[test]
fn one_segment_out_of_place_is_found() {
    let good = linked(16384);
    let last = *headers(&good, PT_LOAD).last().unwrap();
    let address = word(&good, last + ADDRESS);

    let mut small = good.clone();
    forge(&mut small, last + ALIGNMENT, &4096_u64.to_le_bytes());
    assert_eq!(judge(&small), Err(vec![Fault::Alignment { address, alignment: 4096 }]));

    let mut shifted = good.clone();
    let offset = word(&good, last + OFFSET) - 8;
    forge(&mut shifted, last + OFFSET, &offset.to_le_bytes());
    assert_eq!(judge(&shifted), Err(vec![Fault::Offset { address, offset }]));
}

#[test]
fn a_lock_that_ends_within_a_written_page_is_found() {
    let mut bytes = linked(16384);
    let relro = headers(&bytes, PT_GNU_RELRO)[0];
    let size = word(&bytes, relro + MEMORY_BYTES) - 16;
    let end = word(&bytes, relro + ADDRESS) + size;
    forge(&mut bytes, relro + MEMORY_BYTES, &size.to_le_bytes());
    assert_eq!(judge(&bytes), Err(vec![Fault::Relro { end }]));
    // Nobody writes there once the segment is not writable.
    for header in headers(&bytes, PT_LOAD) {
        forge(&mut bytes, header + FLAGS, &4_u32.to_le_bytes());
    }
    assert!(judge(&bytes).is_ok());
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole = linked(16384);
    let last = *headers(&whole, PT_LOAD).last().unwrap();
    let end = word(&whole, last + OFFSET) + word(&whole, last + FILE_BYTES);
    let end = usize::try_from(end).unwrap();
    assert!(judge(&whole[..end]).is_ok());
    for length in (0..1024).chain((1024..end).step_by(61)) {
        assert!(judge(&whole[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn forged_counts_and_places_are_errors() {
    let good = linked(16384);
    let loads = headers(&good, PT_LOAD);
    let (load, last) = (loads[0], loads[loads.len() - 1]);
    let relro = headers(&good, PT_GNU_RELRO)[0];
    let most = u64::MAX.to_le_bytes();
    let forgeries: [(usize, &[u8]); 13] = [
        (0, b"PK\x03\x04"),
        (CLASS, &[9]),
        (TYPE, &[1, 0]),
        (PROGRAM_HEADERS_AT, &most),
        (PROGRAM_HEADER_BYTES, &[0, 0]),
        (PROGRAM_HEADER_COUNT, &[0, 0]),
        (PROGRAM_HEADER_COUNT, &[0xfe, 0xff]),
        (load + OFFSET, &most),
        (load + MEMORY_BYTES, &[0; 8]),
        (last + MEMORY_BYTES, &most),
        (load + ALIGNMENT, &[0; 8]),
        (load + ALIGNMENT, &[1, 0x40, 0, 0, 0, 0, 0, 0]),
        (relro + MEMORY_BYTES, &most),
    ];
    for (at, value) in forgeries {
        let mut bytes = good.clone();
        forge(&mut bytes, at, value);
        assert!(judge(&bytes).is_err(), "{value:?} at {at}");
    }
}

#[test]
fn any_byte_of_the_headers_may_be_wrong() {
    let good = linked(16384);
    let end = headers(&good, PT_GNU_RELRO)[0] + 56;
    for at in 0..end {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            // Whatever is found, it is found without a panic.
            let _ = judge(&bytes);
        }
    }
}

/// A header and one segment, as 32-bit files have them.
fn small_processor() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x01\x01\x01".to_vec();
    bytes.resize(84, 0);
    forge(&mut bytes, TYPE, &[3, 0, 40, 0, 1]);
    forge(&mut bytes, 28, &[52]);
    forge(&mut bytes, 40, &[52, 0, 32, 0, 1]);
    // Of the segment: its kind, its bytes in the file and in memory, and its alignment of 4096.
    forge(&mut bytes, 52, &[1]);
    forge(&mut bytes, 68, &[84, 0, 0, 0, 84, 0, 0, 0, 5, 0, 0, 0, 0, 0x10]);
    bytes
}

#[test]
fn nothing_is_asked_of_32_bit_libraries_but_to_be_whole() {
    let bytes = small_processor();
    assert_eq!(judge(&bytes), Ok(Fit::Exempt));
    let mut longer = bytes.clone();
    forge(&mut longer, 68, &[85]);
    assert_eq!(judge(&longer), Err(vec![Fault::CutOff { address: 0 }]));
    for length in 0..bytes.len() {
        assert!(judge(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn every_file_at_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let [small, large] = [4096, 16384].map(|page| link(folder.path(), page));
    let missing = folder.path().join("missing.so");
    assert_eq!(pages(std::slice::from_ref(&large)), Ok(()));
    let said = pages(&[small.clone(), large.clone(), missing.clone()]).unwrap_err();
    assert!(said.contains(small.to_str().unwrap()) && said.contains(missing.to_str().unwrap()));
    assert!(!said.contains(large.to_str().unwrap()));
}
