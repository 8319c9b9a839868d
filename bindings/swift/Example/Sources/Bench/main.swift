// What calls from Swift cost, on a book that `cargo xtask bench ffi` has filled. Prints a line a figure: name, value, unit, aim.
// Decides nothing.

import Dispatch
import Foundation
import Wanhu

let (calls, fewCalls) = (5_000, 300)

func tell(_ what: String, _ us: Double) { print("\(what)\t\(us)\tus\t") }

func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

/// The middle of many calls in microseconds, after as many to warm up.
func median(_ calls: Int = calls, _ call: (Int) throws -> Void) rethrows -> Double {
    for n in 0..<calls { try call(n) }
    var times: [UInt64] = []
    for n in 0..<calls {
        let begin = now()
        try call(n)
        times.append(now() - begin)
    }
    return Double(times.sorted()[calls / 2]) / 1e3
}

/// The same of calls that wait.
func median(_ call: () async throws -> Void) async rethrows -> Double {
    for _ in 0..<calls { try await call() }
    var times: [UInt64] = []
    for _ in 0..<calls {
        let begin = now()
        try await call()
        times.append(now() - begin)
    }
    return Double(times.sorted()[calls / 2]) / 1e3
}

func failing(_ call: () throws -> Void) {
    do {
        try call()
        fatalError("it worked")
    } catch LedgerError.InvalidInput {
    } catch {
        fatalError("\(error)")
    }
}

/// A key store whose key is none: whoever asks for it gets no further.
final class Vault: KeyVault {
    func load() -> Data? { Data("short".utf8) }
    func keep(key: Data) { fatalError("there is a key") }
    func forget() { fatalError("nobody was shut out") }
}

let (path, vault) = (CommandLine.arguments[1], Vault())
// The generated half, as the tables of the other languages have it, and one line of the facade.
let book = try WanhuFFI.Ledger.open(path: path)
let page = { (rows: UInt32, search: String?) in
    _ = try book.list(filter: ListFilter(search: search), after: nil, rowsMax: rows)
}
let households = try book.list(filter: ListFilter(), after: nil, rowsMax: 500).map(\.id)
let someone = { (n: Int) in households[n % households.count] }
let visit = [FieldValue(field: "met", value: .text("head"))]
tell("call that does nothing", median { _ in _ = book.version() })
tell("call that fails with a typed error", median { _ in failing { _ = try book.show(household: "nonsense") } })
tell("call back into the app, and a typed error for what it says", median { _ in failing { _ = try WanhuFFI.Ledger.openSealed(path: "/nowhere", vault: vault) } })
tell("one household whole", try median { n in _ = try book.show(household: someone(n)) })
tell("page of 50", try median { _ in try page(50, nil) })
tell("page of 500", try median(fewCalls) { _ in try page(500, nil) })
tell("search by initials, 50 rows", try median(fewCalls) { _ in try page(50, "cy") })
tell("asynchronous call that does nothing", await median { _ = await book.changed(seen: .max) })
tell("a visit, safe on disk", try median(fewCalls) { n in try book.recordVisit(household: someone(n), fields: visit) })
try book.close()
let ledger = try await Ledger.open(path)
tell("page of 50 by the facade", try await median { _ = try await ledger.list() })
try await ledger.close()
