// What the tests share: a township with two cadres, forms as people fill them in, a key store, what a call fails with.

import Foundation
import Wanhu
import XCTest

/// A server with accounts for two cadres of one village, and a folder for their phones.
class TownshipCase: XCTestCase {
    let village: UInt64 = 431_022_208_217
    private(set) var township: Township!
    private(set) var directory: URL!

    override func setUpWithError() throws {
        township = try Township()
        directory = try emptyDirectory()
        for account in ["li.ming", "wang.fang"] {
            try township.office("account-add", account, "--name", account, "--area", String(village))
        }
    }

    override func tearDownWithError() throws {
        try township.close()
        try FileManager.default.removeItem(at: directory)
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func phone(_ name: String, _ account: String) async throws -> Ledger {
        let ledger = try await Ledger.open(path(name))
        try await ledger.enrol(township.url, code: township.code(account), deviceName: name)
        return ledger
    }
}

func text(_ field: String, _ value: String) -> FieldValue {
    FieldValue(field: field, value: .text(value))
}

func number(_ field: String, _ value: Int64) -> FieldValue {
    FieldValue(field: field, value: .int(value))
}

func setting(_ container: String, _ key: String, _ value: String) -> RecordEdit {
    RecordEdit(fields: [FieldChange(container: container, key: key, value: .text(value))])
}

/// A form save that opens a household's record.
func family(_ head: String) -> RecordEdit {
    var form = setting("basic", "head_name", head)
    let member = [text("name", head), text("relation", "head")]
    form.newRows = [NewRow(container: "members", fields: member)]
    return form
}

/// An input that must be corrected.
func invalid(_ field: String, _ reason: String) -> LedgerError {
    .InvalidInput(field: field, reason: reason)
}

/// What a call fails with; nothing where it does not.
func outcome(_ work: () async throws -> Void) async -> (any Error)? {
    do {
        try await work()
        return nil
    } catch {
        return error
    }
}

/// The same, of the ledger's own errors; any other and none at all are failures of the test.
func fault(
    _ work: () async throws -> Void, file: StaticString = #filePath, line: UInt = #line
) async -> LedgerError? {
    let error = await outcome(work)
    XCTAssertTrue(error is LedgerError, "\(String(describing: error))", file: file, line: line)
    return error as? LedgerError
}

extension XCTestCase {
    /// What a task comes to, long before the core would give a silent server up.
    func soon<T>(_ task: Task<T, any Error>) async -> Result<T, any Error> {
        let over = expectation(description: "over")
        Task {
            _ = await task.result
            over.fulfill()
        }
        guard await XCTWaiter().fulfillment(of: [over], timeout: 10) == .completed else {
            return .failure(Failed(what: "it goes on"))
        }
        return await task.result
    }
}

/// Keeps a key as long as the test runs, and notes which thread asked.
final class InMemory: KeyVault, @unchecked Sendable {
    private let lock = NSLock()
    private var state: (key: Data?, isLocked: Bool, onMainThread: [Bool]) = (nil, false, [])

    private func with<T>(_ work: (inout (key: Data?, isLocked: Bool, onMainThread: [Bool])) throws -> T)
        rethrows -> T
    {
        lock.lock()
        defer { lock.unlock() }
        return try work(&state)
    }

    var key: Data? { with { $0.key } }
    var onMainThread: [Bool] { with { $0.onMainThread } }
    var isLocked: Bool {
        get { with { $0.isLocked } }
        set { with { $0.isLocked = newValue } }
    }

    func load() throws -> Data? {
        try with { state in
            state.onMainThread.append(Thread.isMainThread)
            if state.isLocked { throw KeyVaultError.Locked }
            return state.key
        }
    }

    func keep(key: Data) throws {
        with { state in
            state.onMainThread.append(Thread.isMainThread)
            state.key = key
        }
    }

    func forget() throws { with { $0.key = nil } }
}
