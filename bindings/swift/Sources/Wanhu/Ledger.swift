// The ledger (台账) for Swift: no call blocks the thread that makes it, every change of the book comes as a sequence. Must not
// decide anything; the core does.

import Foundation
// The types of records, errors and the vault are the generated ones; the `Ledger` of this module hides the generated one.
@_exported import WanhuFFI

/// A phone's record book. Errors are `LedgerError` and its kinds: codes and values, the app has the words.
///
/// Close it when the app no longer needs it: running syncs stop, sequences end, nothing is lost, and the file is free for
/// another `open` at once. One that nobody holds any more closes by itself, a little later.
public final class Ledger: @unchecked Sendable {
    let native: WanhuFFI.Ledger
    let screens: Screens
    // The core does one thing at a time with a book: more threads than one would only wait for each other.
    private let queue: DispatchQueue
    // Guards what follows.
    private let lock = NSLock()
    private var running: [ObjectIdentifier: Cancel] = [:]
    private var isClosed = false

    private init(_ open: @escaping @Sendable () throws -> WanhuFFI.Ledger) async throws {
        // A library of another build is refused here and not believed.
        uniffiEnsureWanhuInitialized()
        queue = DispatchQueue(label: "cn.wanhu.ledger", qos: .userInitiated)
        native = try await Self.on(queue, open)
        screens = Screens(native)
    }

    deinit {
        screens.end()
        queue.async { [native] in try? native.close() }
    }

    /// Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps.
    public static func openSealed(_ path: String, vault: any KeyVault) async throws -> Ledger {
        try await Ledger { try WanhuFFI.Ledger.openSealed(path: path, vault: vault) }
    }

    /// Opens or creates the ledger at `path` without encryption: for tests.
    public static func open(_ path: String) async throws -> Ledger {
        try await Ledger { try WanhuFFI.Ledger.open(path: path) }
    }

    /// Closes the book; again is no fault. Every later call is refused.
    public func close() async throws {
        stopAll()
        screens.end()
        try await io { try $0.close() }
    }

    private func stopAll() {
        lock.lock()
        defer { lock.unlock() }
        isClosed = true
        running.values.forEach { $0.cancel() }
    }

    /// What asks a book that is just being closed gets no answer.
    var hasClosed: Bool {
        lock.lock()
        defer { lock.unlock() }
        return isClosed
    }

    /// Does local work, which blocks, where nobody waits for a thread.
    func io<T>(_ work: @escaping @Sendable (WanhuFFI.Ledger) throws -> T) async throws -> T {
        try await Self.on(queue) { [native] in try work(native) }
    }

    private static func on<T>(
        _ queue: DispatchQueue, _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await typed {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { continuation.resume(with: Result(catching: work)) }
            }
        }
    }

    /// Closing stops a sync that has begun, and one that begins later.
    func begin(_ cancel: Cancel) {
        lock.lock()
        defer { lock.unlock() }
        running[ObjectIdentifier(cancel)] = cancel
        if isClosed { cancel.cancel() }
    }

    func end(_ cancel: Cancel) {
        lock.lock()
        defer { lock.unlock() }
        running[ObjectIdentifier(cancel)] = nil
    }
}

/// A call that fails with nothing but `LedgerError`. What else the generated half throws went wrong in the library, and its text
/// may hold what was on record.
func typed<T>(_ work: () async throws -> T) async throws -> T {
    do {
        return try await work()
    } catch let error as LedgerError {
        throw error
    } catch {
        throw LedgerError.Internal(reportId: "panic")
    }
}
