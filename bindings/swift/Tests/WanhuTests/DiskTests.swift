// A full disk and a damaged file: each ends a call, says so in a code, and the book goes on with everything that was saved.

import Foundation
import Wanhu
import XCTest

final class DiskTests: TownshipCase {
    /// Nothing can be written meanwhile: `bindings/tests/full_disk.c`, which has to be loaded before the program.
    private func fullDisk(_ work: () async throws -> Void) async throws {
        let symbol = try XCTUnwrap(dlsym(dlopen(nil, RTLD_NOW), "wanhu_disk_full"))
        let full = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)
        full(1)
        defer { full(0) }
        try await work()
    }

    func testAFullDiskChangesNothingAndWithRoomTheBookGoesOn() async throws {
        let (a, b) = (try await phone("a", "li.ming"), try await phone("b", "wang.fang"))
        let chen = try await a.createHousehold(village, family("陈永昌"))
        try await a.sync()
        let (met, third) = ([text("met", "head")], path("c"))
        try await fullDisk {
            let saving = await fault { try await a.recordVisit(chen, met) }
            let syncing = await fault { try await b.sync() }
            let opening = await fault { _ = try await Ledger.open(third) }
            XCTAssertEqual([saving, syncing, opening], Array(repeating: .StorageFull(neededBytes: 0), count: 3))
            let heads = try await a.list().map(\.headName)
            XCTAssertEqual(heads, ["陈永昌"], "reading needs no room")
        }
        let (unsent, none) = (try await a.unsent(), try await b.list())
        XCTAssertEqual(unsent, [])
        XCTAssertEqual(none, [])
        try await a.recordVisit(chen, met)
        let (sent, taken) = (try await a.sync(), try await b.sync())
        XCTAssertEqual([sent.receipts, taken.refused], [1, 0])
        let heads = try await b.list().map(\.headName)
        XCTAssertEqual(heads, ["陈永昌"])
        for ledger in [a, b, try await Ledger.open(third)] { try await ledger.close() }
    }

    func testDamageIsToldByWhoeverComesUponItAndWhatCannotBeOpenedIsSetAsideWhole() async throws {
        let (path, pageBytes) = (path("a"), 4096)
        let (file, files) = (URL(fileURLWithPath: path), FileManager.default)
        let ledger = try await Ledger.open(path)
        let chen = try await ledger.createHousehold(village, family("陈永昌"))
        try await ledger.close()
        let whole = try Data(contentsOf: file)
        var (opening, calling) = ([String](), [String]())
        for start in stride(from: 0, to: whole.count, by: pageBytes) {
            var damaged = whole
            damaged.replaceSubrange(start..<start + pageBytes, with: Data(repeating: 0x5A, count: pageBytes))
            try damaged.write(to: file)
            let ledger: Ledger
            do {
                ledger = try await Ledger.open(path)
            } catch LedgerError.StorageDamaged(let keptAs) {
                let kept = try Data(contentsOf: URL(fileURLWithPath: keptAs))
                // Whoever got as far as opening it may have counted that on the first page.
                XCTAssertEqual(kept.dropFirst(pageBytes), damaged.dropFirst(pageBytes))
                XCTAssertFalse(files.fileExists(atPath: path))
                opening.append(keptAs)
                continue
            }
            if case .StorageDamaged(let keptAs) = await outcome({ _ = try await ledger.show(chen) }) as? LedgerError {
                calling.append(keptAs)
            }
            try await ledger.close()
            XCTAssertTrue(files.fileExists(atPath: path), "nobody moves an open book")
        }
        XCTAssertGreaterThan(opening.count, 1)
        XCTAssertFalse(opening.contains(""))
        XCTAssertEqual(Set(calling), [""])
        try? files.removeItem(at: file)
        let afresh = try await Ledger.open(path)
        let status = try await afresh.status()
        XCTAssertEqual(status.households, 0)
    }
}
