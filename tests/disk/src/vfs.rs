//! The disk as SQLite sees it: its table of C functions over [`State`]. Thin: every function finds the state,
//! does one thing and answers with SQLite's code.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::file::Handle;
use crate::{Call, Operation, State, write_at};

type Shared = Mutex<State>;

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// An open file, laid out behind what SQLite expects.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    state: *const Shared,
    name: *mut String,
    handle: Handle,
    deletes_on_close: bool,
}

/// Makes a disk known to SQLite. The table lives until the process ends: a connection may outlive its test.
pub(crate) fn register(state: Arc<Shared>) -> String {
    let name = format!("wanhu-disk-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let c_name = CString::new(name.clone()).expect("no zero byte").into_raw();
    let table = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).expect("small"),
        mxPathname: 512,
        pNext: std::ptr::null_mut(),
        zName: c_name,
        pAppData: Arc::into_raw(state).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the table and everything it points to is leaked and so valid for ever.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(table)), 0) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a disk");
    name
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The disk behind a table.
unsafe fn disk<'a>(vfs: *mut ffi::sqlite3_vfs) -> MutexGuard<'a, State> {
    // SAFETY: `register` put a leaked mutex there.
    let shared = unsafe { &*(*vfs).pAppData.cast::<Shared>() };
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk behind an open file, the file's name and its handle.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> (MutexGuard<'a, State>, &'a str, Handle) {
    // SAFETY: SQLite hands back what `open` filled in, until `close`.
    let (file, shared, name) = unsafe {
        let file = &*file.cast::<OpenFile>();
        (file, &*file.state, &*file.name)
    };
    (shared.lock().unwrap_or_else(PoisonError::into_inner), name, file.handle)
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let handle = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = if name.is_null() {
        format!("temporary-{handle}")
    } else {
        // SAFETY: SQLite's names end with a zero byte.
        unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
    };
    // SAFETY: SQLite reserved szOsFile bytes; without methods it will not call close.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: `vfs` is one of ours.
    let mut state = unsafe { disk(vfs) };
    if state.call(Call::Open) {
        return ffi::SQLITE_CANTOPEN;
    }
    if !state.files.contains_key(&name) {
        if flags & ffi::SQLITE_OPEN_CREATE == 0 {
            return ffi::SQLITE_CANTOPEN;
        }
        state.files.insert(name.clone(), Vec::new());
        state.record(&name, Operation::Create);
    }
    drop(state);
    // SAFETY: as above; the whole struct is written at once, and `out_flags` may be null.
    unsafe {
        file.cast::<OpenFile>().write(OpenFile {
            base: ffi::sqlite3_file { pMethods: &raw const METHODS },
            state: (*vfs).pAppData.cast(),
            name: Box::into_raw(Box::new(name)),
            handle,
            deletes_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        });
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `file` was opened by us and is closed once.
    let (mut state, name, handle) = unsafe { opened(file) };
    // SAFETY: as above.
    let deletes = unsafe { (*file.cast::<OpenFile>()).deletes_on_close };
    if let Some(locks) = state.locks.get_mut(name) {
        locks.forget(handle);
    }
    if deletes {
        state.files.remove(name);
        state.record(name, Operation::Delete);
    }
    drop(state);
    // SAFETY: made by Box::into_raw in `open`; nobody uses it after close.
    drop(unsafe { Box::from_raw((*file.cast::<OpenFile>()).name) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and a buffer of `count` bytes.
    let (mut state, name, _) = unsafe { opened(file) };
    // SAFETY: as above.
    let out = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size(count.into())) };
    if state.call(Call::Read) {
        return ffi::SQLITE_IOERR_READ;
    }
    let content = state.files.get(name).map_or(&[][..], Vec::as_slice);
    let there = content.get(size(offset)..).unwrap_or_default();
    let got = there.len().min(out.len());
    out[..got].copy_from_slice(&there[..got]);
    out[got..].fill(0);
    if got == out.len() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and a buffer of `count` bytes.
    let (mut state, name, _) = unsafe { opened(file) };
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), size(count.into())) };
    if state.call(Call::Write) {
        return ffi::SQLITE_IOERR_WRITE;
    }
    let offset = size(offset);
    if !state.has_room(name, offset + bytes.len()) {
        return ffi::SQLITE_FULL;
    }
    write_at(state.files.entry(name.to_owned()).or_default(), offset, bytes);
    state.record(name, Operation::Write { offset, bytes: bytes.to_vec() });
    ffi::SQLITE_OK
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, _) = unsafe { opened(file) };
    if state.call(Call::Truncate) {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    state.files.entry(name.to_owned()).or_default().truncate(size(length));
    state.record(name, Operation::Truncate { size: size(length) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, _) = unsafe { opened(file) };
    if state.call(Call::Sync) {
        state.record(name, Operation::FailedSync);
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if !state.lies {
        state.record(name, Operation::Sync);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and a place for one number.
    let (state, name, _) = unsafe { opened(file) };
    let length = state.files.get(name).map_or(0, Vec::len);
    // SAFETY: as above.
    unsafe { *out = i64::try_from(length).unwrap_or(i64::MAX) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, handle) = unsafe { opened(file) };
    let locked = state.locks.entry(name.to_owned()).or_default().lock(handle, level);
    if locked { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, handle) = unsafe { opened(file) };
    state.locks.entry(name.to_owned()).or_default().unlock(handle, level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file, and a place for one number.
    let (state, name, _) = unsafe { opened(file) };
    let reserved = state.locks.get(name).is_some_and(|locks| locks.is_reserved());
    // SAFETY: as above.
    unsafe { *out = c_int::from(reserved) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    512
}

/// Nothing is promised: a write may be torn, and may harm what stands beside it in its sector.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    0
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file, and a place for one address.
    let (mut state, name, _) = unsafe { opened(file) };
    let regions = &mut state.locks.entry(name.to_owned()).or_default().regions;
    let wanted = size(region.into());
    while extend != 0 && regions.len() <= wanted {
        // Words, because the index is read and written in words.
        let memory = vec![0u64; size(bytes.into()).div_ceil(8)].into_boxed_slice();
        regions.push(Box::leak(memory).as_mut_ptr().expose_provenance());
    }
    let address = regions
        .get(wanted)
        .map_or(std::ptr::null_mut(), |address| std::ptr::with_exposed_provenance_mut(*address));
    // SAFETY: as above.
    unsafe { *out = address };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, handle) = unsafe { opened(file) };
    let locks = state.locks.entry(name.to_owned()).or_default();
    let locked = locks.lock_slots(handle, size(first.into()), size(count.into()), flags);
    if locked { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // The disk's mutex is a barrier.
    // SAFETY: an open file.
    drop(unsafe { opened(file) });
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _deletes: c_int) -> c_int {
    // SAFETY: an open file.
    let (mut state, name, handle) = unsafe { opened(file) };
    if let Some(locks) = state.locks.get_mut(name) {
        locks.forget_slots(handle);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte, and `vfs` is one of ours.
    let (name, mut state) =
        unsafe { (CStr::from_ptr(name).to_string_lossy().into_owned(), disk(vfs)) };
    if state.call(Call::Delete) {
        return ffi::SQLITE_IOERR_DELETE;
    }
    if state.files.remove(&name).is_none() {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    state.record(&name, Operation::Delete);
    if sync_directory != 0 && !state.lies {
        state.record(&name, Operation::Sync);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte, `vfs` is one of ours, `out` holds one number.
    unsafe {
        let name = CStr::from_ptr(name).to_string_lossy();
        *out = c_int::from(disk(vfs).files.contains_key(&*name));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    count: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte; `out` holds `count` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > size(count.into()) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

/// The machine's own disk, for what has nothing to do with files.
fn real() -> *mut ffi::sqlite3_vfs {
    // SAFETY: without a name SQLite gives its default.
    unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) }
}

unsafe extern "C" fn randomness(
    _vfs: *mut ffi::sqlite3_vfs,
    count: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: passed on as it came.
    unsafe { (*real()).xRandomness.map_or(0, |call| call(real(), count, out)) }
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: passed on as it came.
    unsafe { (*real()).xSleep.map_or(0, |call| call(real(), microseconds)) }
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: passed on as it came.
    unsafe { (*real()).xCurrentTime.map_or(ffi::SQLITE_ERROR, |call| call(real(), out)) }
}

unsafe extern "C" fn current_time_int64(
    _vfs: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: passed on as it came.
    unsafe { (*real()).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |call| call(real(), out)) }
}

fn size(number: i64) -> usize {
    usize::try_from(number).expect("SQLite asks for nothing negative")
}
