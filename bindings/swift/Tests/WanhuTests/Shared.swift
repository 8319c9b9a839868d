// What the tests share: forms as people fill them in, a key store, what a call fails with. Must not know a server.

import Foundation
import Wanhu
import XCTest

func text(_ field: String, _ value: String) -> FieldValue {
    FieldValue(field: field, value: .text(value))
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

/// The code of an error, as the documents write it.
func codeOf(_ error: LedgerError) -> String {
    switch error {
    case .InvalidInput: "invalid_input"
    case .NotPermitted: "not_permitted"
    case .AlreadyOnRecord: "already_on_record"
    case .NotFound: "not_found"
    case .IllegalStep: "illegal_step"
    case .Offline: "offline"
    case .SessionExpired: "session_expired"
    case .UpgradeRequired: "upgrade_required"
    case .StorageFull: "storage_full"
    case .StorageDamaged: "storage_damaged"
    case .Internal: "internal"
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
