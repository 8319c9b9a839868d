// A book without a server: opened, sealed, let go of. With a library of another build none of it may begin: that is tried as well.

import Foundation
import Wanhu
import XCTest

final class OpeningTests: XCTestCase {
    private var directory: URL!

    override func setUpWithError() throws { directory = try emptyDirectory() }

    override func tearDownWithError() throws {
        // A book that nobody holds any more closes beside this: of its files some go by themselves.
        while FileManager.default.fileExists(atPath: directory.path) {
            do { try FileManager.default.removeItem(at: directory) } catch CocoaError.fileNoSuchFile { continue }
        }
    }

    private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func testTheVaultKeepsTheKeyAndMayBeLocked() async throws {
        let (vault, path) = (InMemory(), path("sealed"))
        var ledger = try await Ledger.openSealed(path, vault: vault)
        _ = try await ledger.createHousehold(431_022_208_217, family("陈永昌"))
        try await ledger.close()
        XCTAssertEqual(vault.key?.count, 32)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        XCTAssertFalse(bytes.isEmpty)
        XCTAssertNil(bytes.range(of: Data("陈永昌".utf8)))
        vault.isLocked = true
        let locked = await fault { _ = try await Ledger.openSealed(path, vault: vault) }
        XCTAssertEqual(locked, .InvalidInput(field: "vault", reason: "locked"))
        vault.isLocked = false
        ledger = try await Ledger.openSealed(path, vault: vault)
        let status = try await ledger.status()
        XCTAssertEqual(status.households, 1)
    }

    func testTheSequencesOfALedgerNobodyHoldsEnd() async throws {
        var ledger: Ledger? = try await Ledger.open(path("a"))
        let versions = try XCTUnwrap(ledger).versions()
        ledger = nil
        let screen = Task<Void, any Error> { for await _ in versions {} }
        try await soon(screen).get()
    }

    func testSchemaAndWordsAreThere() {
        let members = recordSchema().containers.first { $0.name == "members" }
        XCTAssertEqual(members?.zh, "家庭成员")
        XCTAssertEqual(words(list: "task_kind", code: "verify")?.zh, "入户核实")
        XCTAssertEqual(errorWords(error: .NotFound(kind: "household", id: "x"))?.zh, "没有找到")
        XCTAssertEqual(wordList(name: "error")?.codes.count, 11)
        XCTAssertNil(wordList(name: "nothing"))
    }
}
