// The calls that go over the network, and how they are watched and stopped: a generated call does not notice that its task was
// cancelled, so that every sync has the core's own handle. Must not know what is exchanged.

import WanhuFFI

/// How far a sync is: bytes while sending, log entries while receiving, milliseconds while waiting.
public struct SyncProgress: Hashable, Sendable {
    public let phase: SyncPhase
    public let done: UInt64
    public let total: UInt64
}

/// A sync under way. It goes on while nobody watches it, and stops with `cancel`.
public struct RunningSync: Sendable {
    /// How it gets on, of reports in quick succession the last; ends with the sync.
    public let progress: AsyncStream<SyncProgress>
    fileprivate let task: Task<SyncReport, any Error>

    /// What it came to. Cancelling the task that waits here stops the sync as well.
    public func report() async throws -> SyncReport {
        try await withTaskCancellationHandler { try await task.value } onCancel: { task.cancel() }
    }

    /// Stops it at once; what was applied stays.
    public func cancel() { task.cancel() }
}

extension Ledger {
    /// Enrols this phone with a one-time code; `authorityPem` is the server's own certificate authority. Goes on to its end
    /// when the task is cancelled: a code that is spent must not be lost. Closing the book meanwhile loses it.
    @discardableResult
    public func enrol(
        _ url: String, code: String, deviceName: String, authorityPem: String? = nil
    ) async throws -> Enrolled {
        try await typed {
            try await native.enrol(
                url: url, authorityPem: authorityPem, code: code, deviceName: deviceName)
        }
    }

    /// Exchanges with the server until both hold the same. Cancelling the task stops it at once, with `CancellationError`.
    /// `progress` is called by the thread that syncs; if it throws, the sync goes on.
    @discardableResult
    public func sync(
        _ progress: @escaping @Sendable (SyncProgress) throws -> Void = { _ in }
    ) async throws -> SyncReport {
        let cancel = Cancel()
        begin(cancel)
        defer { end(cancel) }
        do {
            return try await withTaskCancellationHandler {
                try await typed {
                    try await native.sync(observer: Observer(progress), cancel: cancel)
                }
            } onCancel: {
                cancel.cancel()
            }
        } catch {
            // The core knows a stopped sync only as one without a line.
            try Task.checkCancellation()
            throw error
        }
    }

    /// Begins a sync whose progress is a sequence.
    public func startSync() -> RunningSync {
        let (progress, heard) = AsyncStream.makeStream(
            of: SyncProgress.self, bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            defer { heard.finish() }
            return try await sync { heard.yield($0) }
        }
        return RunningSync(progress: progress, task: task)
    }
}

private final class Observer: SyncObserver {
    private let progress: @Sendable (SyncProgress) throws -> Void

    init(_ progress: @escaping @Sendable (SyncProgress) throws -> Void) { self.progress = progress }

    func onProgress(phase: SyncPhase, done: UInt64, total: UInt64) throws {
        try progress(SyncProgress(phase: phase, done: done, total: total))
    }
}
