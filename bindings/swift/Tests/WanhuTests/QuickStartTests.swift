// The lines of bindings/README.md for Swift, as they stand there.

import Foundation
import Wanhu
import XCTest

final class QuickStartTests: XCTestCase {
    func testTheLinesWork() async throws {
        let township = try Township()
        defer { XCTAssertNoThrow(try township.close()) }
        try township.office("account-add", "li.ming", "--name", "李明", "--area", "431022208217")
        let directory = try emptyDirectory()
        defer { XCTAssertNoThrow(try FileManager.default.removeItem(at: directory)) }
        let (path, vault) = (directory.appendingPathComponent("ledger").path, InMemory())
        let (url, code) = (township.url, try township.code("li.ming"))
        let heard = expectation(description: "progress")
        heard.assertForOverFulfill = false
        @Sendable func show(_ something: Any) { if something is SyncProgress { heard.fulfill() } }
        // From here on as in the README.
        let ledger = try await Ledger.openSealed(path, vault: vault)
        try await ledger.enrol(url, code: code, deviceName: "李明的手机")
        let name = FieldChange(container: "basic", key: "head_name", value: .text("陈永昌"))
        let id = try await ledger.createHousehold(431022208217, RecordEdit(fields: [name]))
        try await ledger.recordVisit(id, [FieldValue(field: "met", value: .text("head"))])
        let screen = Task { for try await rows in ledger.rows(ListFilter(search: "cyc")) { show(rows) } }
        let report = try await ledger.sync { progress in show(progress) }
        screen.cancel()
        try await ledger.close()
        // As far as here.
        XCTAssertEqual(report.receipts, 2)
        await fulfillment(of: [heard], timeout: 10)
    }

    func testTheyAreTheLinesOfTheReadme() throws {
        let bindings = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: bindings.appendingPathComponent("README.md"), encoding: .utf8)
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let theirs = try XCTUnwrap(part(of: readme, from: "## Swift\n", to: "\n## "), "no chapter of its own")
            .components(separatedBy: "\n").filter { $0.hasPrefix("    ") }
            .map { $0.components(separatedBy: "   //")[0].trimmingCharacters(in: .whitespaces) }
        let (from, to) = ("as in the README." + "\n", "// As far" + " as here.")
        let ours = try XCTUnwrap(part(of: source, from: from, to: to))
            .components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        XCTAssertFalse(ours.isEmpty)
        XCTAssertEqual(theirs, ours)
    }

    private func part(of text: String, from: String, to: String) -> String? {
        guard let start = text.range(of: from)?.upperBound,
            let end = text.range(of: to, range: start..<text.endIndex)?.lowerBound
        else { return nil }
        return String(text[start..<end])
    }
}
