// What goes wrong in the library ends a call and not the app, and its text goes no further.

import Foundation
import WanhuFFIFFI
import XCTest

@testable import Wanhu

final class PanicTests: XCTestCase {
    func testAPanicInTheLibraryEndsACallAndNothingElse() throws {
        let directory = try emptyDirectory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let book = try WanhuFFI.Ledger.open(path: directory.appendingPathComponent("a").path)
        // Bytes that are nowhere: no facade makes them, and the library gives up by panicking.
        let nowhere = RustBuffer(capacity: 8, len: 8, data: nil)
        var status = RustCallStatus(code: 0, errorBuf: RustBuffer(capacity: 0, len: 0, data: nil))
        uniffi_wanhu_fn_method_ledger_record_visit(book.uniffiCloneHandle(), nowhere, nowhere, &status)
        XCTAssertEqual(status.code, 2, "a panic")
        XCTAssertEqual(try book.status().households, 0)
        _ = try book.createHousehold(village: 431_022_208_217, edit: family("陈永昌"))
        XCTAssertEqual(try book.status().households, 1, "the book goes on")
        try book.close()
    }

    func testWhatGoesWrongInTheLibraryIsACodeWithoutItsWords() async throws {
        let told = await fault { try await typed { throw Failed(what: "陈永昌's data in a message") } }
        XCTAssertEqual(told, .Internal(reportId: "panic"))
        let kept = await fault { try await typed { throw LedgerError.Offline(retryAfterMs: 7) } }
        XCTAssertEqual(kept, .Offline(retryAfterMs: 7), "the ledger's own stay as they are")
    }
}
