// What goes wrong in the library ends a call and not the app, and its text goes no further.

import Foundation
import WanhuFFIFFI
import XCTest

@testable import Wanhu

/// Bytes that are nowhere: no facade makes them, and the library gives up by panicking.
private var nowhere: RustBuffer { RustBuffer(capacity: 8, len: 8, data: nil) }

final class PanicTests: TownshipCase {
    func testAPanicInTheLibraryEndsACallAndNothingElse() throws {
        let book = try WanhuFFI.Ledger.open(path: path("a"))
        var status = RustCallStatus(code: 0, errorBuf: RustBuffer(capacity: 0, len: 0, data: nil))
        uniffi_wanhu_fn_method_ledger_record_visit(book.uniffiCloneHandle(), nowhere, nowhere, &status)
        XCTAssertEqual(status.code, 2, "a panic")
        XCTAssertEqual(try book.status().households, 0)
        _ = try book.createHousehold(village: 431_022_208_217, edit: family("陈永昌"))
        XCTAssertEqual(try book.status().households, 1, "the book goes on")
        try book.close()
    }

    func testAPanicInASyncEndsItAndNothingElse() async throws {
        let ledger = try await phone("a", "li.ming")
        _ = try await ledger.createHousehold(village, family("陈永昌"))
        let crossing = Crossing.taken()
        crossing.breaks = true
        let told = await fault { try await ledger.sync() }
        crossing.breaks = false
        XCTAssertEqual(told, .Internal(reportId: "panic"))
        XCTAssertEqual(crossing.broken, 1, "it ended there")
        XCTAssertEqual(crossing.givenBack, 1, "the observer was given back")
        let before = try await ledger.status()
        XCTAssertEqual(before.pending, 1)
        let heard = expectation(description: "progress")
        heard.assertForOverFulfill = false
        let report = try await ledger.sync { _ in heard.fulfill() }
        XCTAssertEqual(report.receipts, 1, "the book goes on")
        await fulfillment(of: [heard], timeout: 10)
        try await ledger.close()
    }

    func testWhatGoesWrongInTheLibraryIsACodeWithoutItsWords() async throws {
        let told = await fault { try await typed { throw Failed(what: "陈永昌's data in a message") } }
        XCTAssertEqual(told, .Internal(reportId: "panic"))
        let kept = await fault { try await typed { throw LedgerError.Offline(retryAfterMs: 7) } }
        XCTAssertEqual(kept, .Offline(retryAfterMs: 7), "the ledger's own stay as they are")
    }
}

/// Stands between the library and its observers, and does what the generated half did there; on demand what an observer failed
/// with is nowhere, and the library panics while a sync is under way.
private final class Crossing: @unchecked Sendable {
    private static let shared = Crossing()
    private let lock = NSLock()
    private var state = (breaks: false, broken: 0, givenBack: 0, observers: [UInt64: any SyncObserver]())

    private func with<T>(_ work: (inout (breaks: Bool, broken: Int, givenBack: Int, observers: [UInt64: any SyncObserver])) -> T) -> T {
        lock.lock()
        defer { lock.unlock() }
        return work(&state)
    }

    var broken: Int { with { $0.broken } }
    var givenBack: Int { with { $0.givenBack } }
    var breaks: Bool {
        get { with { $0.breaks } }
        set { with { $0.breaks = newValue } }
    }

    /// Stays as long as the process: nobody hands out what stood there before.
    static func taken() -> Crossing {
        let table = UnsafeMutablePointer<UniffiVTableCallbackInterfaceSyncObserver>.allocate(capacity: 1)
        table.initialize(
            to: UniffiVTableCallbackInterfaceSyncObserver(
                uniffiFree: { Crossing.shared.free($0) },
                uniffiClone: { _ in fatalError("the library keeps observers, and hands out none") },
                onProgress: { handle, phase, done, total, _, status in
                    if Crossing.shared.breaksNow() {
                        status.pointee.code = 1
                        status.pointee.errorBuf = nowhere
                        return
                    }
                    guard let phase = try? FfiConverterTypeSyncPhase_lift(phase) else { return }
                    try? Crossing.shared.observer(handle)?.onProgress(phase: phase, done: done, total: total)
                }
            ))
        uniffi_wanhu_fn_init_callback_vtable_syncobserver(table)
        return shared
    }

    private func breaksNow() -> Bool {
        with { state in
            state.broken += state.breaks ? 1 : 0
            return state.breaks
        }
    }

    /// The generated half gives an observer out once.
    private func observer(_ handle: UInt64) -> (any SyncObserver)? {
        with { state in
            if state.observers[handle] == nil {
                state.observers[handle] = try? FfiConverterTypeSyncObserver_lift(handle)
            }
            return state.observers[handle]
        }
    }

    private func free(_ handle: UInt64) {
        _ = observer(handle)
        with { state in
            state.observers[handle] = nil
            state.givenBack += 1
        }
    }
}
