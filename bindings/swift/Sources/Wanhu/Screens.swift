// A book as screens follow it: something comes whenever the book has changed, and no more once it is closed or the task is
// cancelled; of changes in quick succession a slow screen sees the last. Must not keep rows.

import Foundation
import WanhuFFI

extension Ledger {
    /// The version of the book now, and later ones until it is closed. A sync that brings nothing makes one as well: do not
    /// sync whenever there is one.
    public func versions() -> AsyncStream<UInt64> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { screens.add($0) }
    }

    /// A page that comes again whenever something in the book has changed.
    public func rows(_ filter: ListFilter = ListFilter(), rowsMax: Int = 50) -> Rows {
        Rows(ledger: self, filter: filter, rowsMax: rowsMax)
    }
}

/// A page of the list now, and again whenever it has become another.
public struct Rows: AsyncSequence, Sendable {
    public typealias Element = [ListRow]

    let ledger: Ledger
    let filter: ListFilter
    let rowsMax: Int

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let rows: Rows
        private var versions: AsyncStream<UInt64>.Iterator
        private var shown: [ListRow]?

        init(_ rows: Rows) {
            self.rows = rows
            versions = rows.ledger.versions().makeAsyncIterator()
        }

        public mutating func next() async throws -> [ListRow]? {
            while await versions.next() != nil {
                do {
                    let page = try await rows.ledger.list(rows.filter, rowsMax: rows.rowsMax)
                    if page != shown {
                        shown = page
                        return page
                    }
                } catch {
                    // The end and no fault.
                    if rows.ledger.hasClosed { return nil }
                    throw error
                }
            }
            return nil
        }
    }
}

/// The screens that follow a book, told by one call that waits for all of them: a generated call cannot be called off, so that
/// none is made for a screen, which may go away.
final class Screens: @unchecked Sendable {
    private let native: WanhuFFI.Ledger
    // Guards what follows. No screen is ended while it is held, for that removes the screen.
    private let lock = NSLock()
    private var screens: [Int: AsyncStream<UInt64>.Continuation] = [:]
    private var added = 0
    private var isWatched = false
    private var hasEnded = false

    init(_ native: WanhuFFI.Ledger) { self.native = native }

    func add(_ screen: AsyncStream<UInt64>.Continuation) {
        lock.lock()
        defer { lock.unlock() }
        if hasEnded { return screen.finish() }
        let (place, version) = (added, native.version())
        added += 1
        screen.onTermination = { [weak self] _ in self?.remove(place) }
        screens[place] = screen
        screen.yield(version)
        if !isWatched {
            isWatched = true
            Task { await watch(version) }
        }
    }

    private func watch(_ version: UInt64) async {
        var seen = version
        repeat {
            // Nothing comes of a book that is closed, by whomever.
            guard let next = try? await native.changed(seen: seen) else { return end() }
            seen = next
        } while tell(seen)
    }

    /// Whether anybody is there to be told.
    private func tell(_ version: UInt64) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        screens.values.forEach { $0.yield(version) }
        isWatched = !screens.isEmpty
        return isWatched
    }

    private func remove(_ place: Int) {
        lock.lock()
        defer { lock.unlock() }
        screens[place] = nil
    }

    func end() { takeAll().forEach { $0.finish() } }

    private func takeAll() -> [AsyncStream<UInt64>.Continuation] {
        lock.lock()
        defer { lock.unlock() }
        defer { screens = [:] }
        hasEnded = true
        return Array(screens.values)
    }
}
