//! Whether phones whose memory pages are 16 KB can load a native library, as its program headers say. Must not know who
//! linked it, nor how: what is asked of our own libraries is asked of others' alike.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use object::elf::{ET_DYN, FileHeader32, FileHeader64, PF_W, PT_GNU_RELRO, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind};

/// Bytes of the largest page an Android phone has.
const PAGE: u64 = 16 * 1024;

/// Judges each file and says so; an error where one of them is no library or would not load.
pub(crate) fn pages(files: &[PathBuf]) -> Result<(), String> {
    let mut unfit = Vec::new();
    for file in files {
        let name = file.display();
        let judged = fs::read(file).map_err(|error| vec![Fault::Unreadable(error.to_string())]);
        match judged.and_then(|bytes| judge(&bytes)) {
            Ok(fit) => println!("→ {name}: {fit}"),
            Err(faults) => unfit.extend(faults.iter().map(|fault| format!("{name}: {fault}"))),
        }
    }
    if unfit.is_empty() {
        return Ok(());
    }
    Err(format!("pages\n  {}", unfit.join("\n  ")))
}

/// Why a library may be shipped.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// Its segments can be mapped page by page.
    Aligned { segments: usize },
    /// No phone with a 32-bit processor has pages of 16 KB.
    Exempt,
}

/// Why a file must not be shipped. Addresses are those of the segment at fault.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Unreadable(String),
    NotElf(String),
    NotShared,
    NothingToLoad,
    /// The file ends before its segment, or the segment before its own beginning.
    CutOff {
        address: u64,
    },
    Alignment {
        address: u64,
        alignment: u64,
    },
    /// The segment stands elsewhere within a page of the file than within a page of memory, so it cannot be mapped.
    Offset {
        address: u64,
        offset: u64,
    },
    /// What is locked after loading ends within a page that the library still writes to: its first write there ends the app.
    Relro {
        end: u64,
    },
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aligned { segments } => {
                write!(f, "{segments} 段均按 16 KB 对齐 · all {segments} segments fit 16 KB pages")
            }
            Self::Exempt => write!(f, "32 位,无此要求 · 32-bit, nothing is asked of it"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "无法读取 · cannot be read: {reason}"),
            Self::NotElf(reason) => write!(f, "不是 ELF 文件 · not a sound ELF file: {reason}"),
            Self::NotShared => write!(f, "不是动态库 · not a shared library"),
            Self::NothingToLoad => write!(f, "没有可加载的段 · no segment to load"),
            Self::CutOff { address } => {
                write!(f, "段 {address:#x} 不完整 · segment {address:#x} is cut off")
            }
            Self::Alignment { address, alignment } => write!(
                f,
                "段 {address:#x} 按 {alignment} 字节对齐,应为 16384 · segment {address:#x} is aligned to {alignment} \
                 bytes, not 16384"
            ),
            Self::Offset { address, offset } => write!(
                f,
                "段 {address:#x} 在文件中位于 {offset:#x},无法映射 · segment {address:#x} stands at {offset:#x} of the \
                 file, where it cannot be mapped"
            ),
            Self::Relro { end } => write!(
                f,
                "只读区止于 {end:#x},未到页尾 · what is locked after loading ends at {end:#x}, within a page still \
                 written to"
            ),
        }
    }
}

fn unsound(error: object::read::Error) -> Vec<Fault> {
    vec![Fault::NotElf(error.to_string())]
}

fn judge(bytes: &[u8]) -> Result<Fit, Vec<Fault>> {
    let kind = FileKind::parse(bytes).map_err(unsound)?;
    if kind == FileKind::Elf32 {
        let segments = segments::<FileHeader32<Endianness>>(bytes)?;
        let cut = segments.iter().filter(|segment| segment.is_load).find_map(|segment| {
            segment.is_cut_off(bytes).then_some(Fault::CutOff { address: segment.address })
        });
        return cut.map_or(Ok(Fit::Exempt), |fault| Err(vec![fault]));
    }
    let segments = segments::<FileHeader64<Endianness>>(bytes)?;
    let loaded: Vec<&Segment> = segments.iter().filter(|segment| segment.is_load).collect();
    let mut faults: Vec<Fault> = loaded.iter().filter_map(|segment| segment.fault(bytes)).collect();
    let locked = segments.iter().filter(|segment| segment.is_relro);
    faults.extend(locked.filter_map(|relro| locked_too_far(relro, &loaded)));
    if faults.is_empty() { Ok(Fit::Aligned { segments: loaded.len() }) } else { Err(faults) }
}

/// What a program header says of a part that is loaded, or locked once loaded.
struct Segment {
    is_load: bool,
    is_relro: bool,
    is_writable: bool,
    offset: u64,
    address: u64,
    file_bytes: u64,
    memory_bytes: u64,
    alignment: u64,
}

impl Segment {
    fn end(&self) -> Option<u64> {
        self.address.checked_add(self.memory_bytes)
    }

    fn is_cut_off(&self, file: &[u8]) -> bool {
        let within_file =
            self.offset.checked_add(self.file_bytes).is_some_and(|end| end <= file.len() as u64);
        !within_file || self.end().is_none() || self.file_bytes > self.memory_bytes
    }

    fn fault(&self, file: &[u8]) -> Option<Fault> {
        let (address, offset, alignment) = (self.address, self.offset, self.alignment);
        if self.is_cut_off(file) {
            return Some(Fault::CutOff { address });
        }
        if !alignment.is_power_of_two() || alignment < PAGE {
            return Some(Fault::Alignment { address, alignment });
        }
        (address % alignment != offset % alignment).then_some(Fault::Offset { address, offset })
    }
}

/// Reads the headers that matter here. The counts and places in them are checked against the file's length by the reader.
fn segments<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Vec<Segment>, Vec<Fault>> {
    let header = H::parse(bytes).map_err(unsound)?;
    let endian = header.endian().map_err(unsound)?;
    if header.e_type(endian) != ET_DYN {
        return Err(vec![Fault::NotShared]);
    }
    let headers = header.program_headers(endian, bytes).map_err(unsound)?;
    let segments: Vec<Segment> = headers
        .iter()
        .map(|segment| Segment {
            is_load: segment.p_type(endian) == PT_LOAD,
            is_relro: segment.p_type(endian) == PT_GNU_RELRO,
            is_writable: segment.p_flags(endian) & PF_W != 0,
            offset: segment.p_offset(endian).into(),
            address: segment.p_vaddr(endian).into(),
            file_bytes: segment.p_filesz(endian).into(),
            memory_bytes: segment.p_memsz(endian).into(),
            alignment: segment.p_align(endian).into(),
        })
        .collect();
    if !segments.iter().any(|segment| segment.is_load) {
        return Err(vec![Fault::NothingToLoad]);
    }
    Ok(segments)
}

/// The system's loader locks whole pages, so it locks up to the end of the page in which the locked part ends.
fn locked_too_far(relro: &Segment, loaded: &[&Segment]) -> Option<Fault> {
    let fault = Fault::CutOff { address: relro.address };
    let Some(end) = relro.end() else { return Some(fault) };
    let Some(locked_until) = end.checked_next_multiple_of(PAGE) else { return Some(fault) };
    let writes_there = |segment: &&&Segment| {
        let written_from = segment.address.max(end);
        segment.end().is_some_and(|until| written_from < until.min(locked_until))
    };
    let written = loaded.iter().filter(|segment| segment.is_writable).any(|s| writes_there(&s));
    written.then_some(Fault::Relro { end })
}

#[cfg(test)]
mod tests;
