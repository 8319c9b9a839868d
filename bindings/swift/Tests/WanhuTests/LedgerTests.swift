// The scenario every language tells: two phones of one village, a township's server, the line lost and found.

import Foundation
import Wanhu
import XCTest

final class LedgerTests: TownshipCase {
    func testTwoPhonesMeetAfterWorkingApart() async throws {
        let (a, b) = (try await phone("a", "li.ming"), try await phone("b", "wang.fang"))
        let chen = try await a.createHousehold(village, family("陈永昌"))
        let (sent, taken) = (try await a.sync(), try await b.sync())
        XCTAssertEqual(sent.receipts, 1)
        XCTAssertEqual(taken.received, 1)
        let found = try await b.list(ListFilter(search: "cyc"))
        XCTAssertEqual(found.map(\.headName), ["陈永昌"])
        // Both without a line: one field differs, the visits stand side by side.
        for (ledger, grade) in [(a, "b"), (b, "c")] {
            try await ledger.edit(chen, setting("living", "house_danger", grade))
            try await ledger.recordVisit(chen, [text("met", "head"), text("finding", "stable")])
        }
        let unsent = try await a.unsent()
        XCTAssertEqual(unsent.count, 2)
        XCTAssertEqual(unsent.first?.fields.first?.value, .text("b"))
        for ledger in [a, b, a] { try await ledger.sync() }
        let conflicts = try await a.conflicts(chen)
        XCTAssertEqual(conflicts.count, 1)
        let conflict = try XCTUnwrap(conflicts.first)
        XCTAssertEqual(Set(conflict.values.map(\.value)), [.text("b"), .text("c")])
        try await a.settle(conflict, 0)
        let moved = await fault { try await a.settle(conflict, 1) }
        XCTAssertEqual(moved, .NotFound(kind: "conflict", id: "living.house_danger"), "not as it was seen")
        for ledger in [a, b] { try await ledger.sync() }
        let (left, record, history) = (
            try await b.conflicts(chen), try await b.show(chen), try await b.history(chen)
        )
        XCTAssertEqual(left, [])
        let visits = record.fields.filter { $0.container == "visits" && $0.key.hasSuffix(".met") }
        XCTAssertEqual(visits.count, 2)
        XCTAssertFalse(history.isEmpty)
        XCTAssertTrue(history.allSatisfy(\.acknowledged))
        for ledger in [a, b] { try await ledger.close() }
    }

    func testADepartmentsTableBecomesATaskAndAVisitSettlesIt() async throws {
        try township.office("account-add", "yibao", "--name", "医保局", "--role", "department", "--area", "431022")
        let ledger = try await phone("a", "li.ming")
        var form = family("陈永昌")
        let wife = [text("name", "文秀芬"), text("identity_number", "431022197003080028")]
        form.newRows.append(NewRow(container: "members", fields: wife))
        let chen = try await ledger.createHousehold(village, form)
        try await ledger.sync()
        let (before, today) = (try await ledger.tasks(), try await ledger.today())
        XCTAssertEqual(before, [])
        try township.bills("yibao", """
            姓名,身份证号码,医疗类别,病种,入院日期,总费用,基本医保报销,个人自付
            文秀芬,431022197003080028,住院,乳腺恶性肿瘤,\(today),90000,60000,30000

            """)
        try await ledger.sync()
        let tasks = try await ledger.tasks()
        XCTAssertEqual(Set(tasks.map(\.household)), [chen])
        XCTAssertEqual(Set(tasks.map(\.task.kind)), [.verify, .answerWarning])
        var visited = setting("case", "consent_on", today)
        visited.fields.append(FieldChange(container: "case", key: "consent", value: .bool(true)))
        let visit = [text("date", today), text("met", "head"), text("finding", "difficult")]
        visited.newRows = [NewRow(container: "visits", fields: visit)]
        try await ledger.takeStep(chen, StepForm(stage: .verified), with: visited)
        let (path, left) = (try await ledger.case(chen).path, try await ledger.tasks())
        XCTAssertEqual(path.last?.stage, .verified)
        XCTAssertFalse(left.map(\.task.kind).contains(.verify))
        let report = try await ledger.sync()
        XCTAssertEqual(report.refused, 0)
    }

    func testWhatTheServerDoesNotTakeCanBeReadWithItsReason() async throws {
        let ledger = try await phone("a", "li.ming")
        let chen = try await ledger.createHousehold(village, family("陈永昌"))
        try await ledger.sync()
        try township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", "431022")
        try township.office("--by", "county", "move", chen, "431022208218")
        try await ledger.edit(chen, setting("basic", "head_name", "陈永盛"))
        let report = try await ledger.sync()
        XCTAssertEqual(report.refused, 1)
        let (refused, rows) = (try await ledger.refused(), try await ledger.list())
        XCTAssertEqual(refused.map(\.household), [chen])
        XCTAssertEqual(refused.map(\.code), ["outside_area"])
        XCTAssertEqual(refused.first?.fields.map(\.value), [.text("陈永盛")])
        XCTAssertEqual(words(list: "refusal", code: "outside_area")?.zh.isEmpty, false)
        XCTAssertEqual(rows, [], "it is another village's now")
        // Its office takes it back, and what was refused is made anew.
        try township.office("--by", "county", "move", chen, String(village))
        try await ledger.sync()
        try await ledger.reauthor(XCTUnwrap(refused.first))
        let again = try await ledger.sync()
        XCTAssertEqual(again.refused, 0)
        let (left, heads) = (try await ledger.refused(), try await ledger.list().map(\.headName))
        XCTAssertEqual(left, [])
        XCTAssertEqual(heads, ["陈永盛"])
    }

    func testWhatMayNotBeIsSaidInCodesWithFields() async throws {
        let stranger = try await Ledger.open(path("stranger"))
        let unknown = await fault { try await stranger.sync() }
        XCTAssertEqual(unknown, .SessionExpired(reason: "not_enrolled"))
        let url = township.url
        let refused = await fault {
            try await stranger.enrol(url, code: "WRONG-CODE1", deviceName: "a")
        }
        XCTAssertEqual(refused, .InvalidInput(field: "code", reason: "code_unknown"))
        let (ledger, village) = (try await phone("a", "li.ming"), village)
        let chen = try await ledger.createHousehold(village, family("陈永昌"))
        let nobody = "00000000-0000-0000-0000-000000000000"
        let settled = Conflict(household: chen, container: "basic", key: "head_name", values: [])
        let seventh = RefusedView(n: 7, household: chen, code: "", subject: "", fields: [])
        let wife = NewRow(container: "members", fields: [text("name", "文秀芬")], id: "wife.1")
        var wrong: [(LedgerError, () async throws -> Void)] = [
            (invalid("household", "not_an_id"), { _ = try await ledger.show("nonsense") }),
            (.NotFound(kind: "household", id: nobody), { _ = try await ledger.show(nobody) }),
            (invalid("rows_max", "out_of_range"), { _ = try await ledger.list(rowsMax: -1) }),
            (invalid("rows_max", "out_of_range"), { _ = try await ledger.list(rowsMax: .max) }),
            (invalid("tag", "not_in_list"), { _ = try await ledger.list(ListFilter(tag: "tag_monitord")) }),
            (invalid("area", "not_an_area"), { _ = try await ledger.list(ListFilter(area: 7)) }),
            (invalid("choice", "out_of_range"), { try await ledger.settle(settled, -1) }),
            (.NotFound(kind: "conflict", id: "basic.head_name"), { try await ledger.settle(settled, 7) }),
            (.NotFound(kind: "refused", id: "7"), { try await ledger.reauthor(seventh) }),
            (
                invalid("village", "not_a_village"),
                { _ = try await ledger.createHousehold(1, family("陈")) }
            ),
            (
                invalid("living.house_danger", "not_in_list"),
                { try await ledger.edit(chen, setting("living", "house_danger", "z")) }
            ),
            (
                invalid("nowhere", "unknown_container"),
                { try await ledger.edit(chen, setting("nowhere", "x", "y")) }
            ),
            (
                invalid("change", "nothing_to_change"),
                { try await ledger.edit(chen, RecordEdit()) }
            ),
            (
                invalid("members", "row_id_unfit"),
                { try await ledger.edit(chen, RecordEdit(newRows: [wife])) }
            ),
            (
                invalid("day", "not_a_day"),
                { _ = try await ledger.figures(village, from: "yesterday", to: "2024-01-01") }
            ),
            (
                invalid("period", "ends_before_it_begins"),
                { _ = try await ledger.figures(village, from: "2024-01-02", to: "2024-01-01") }
            ),
            (
                invalid("as_of", "not_yet"),
                {
                    let (first, last) = ("2024-01-01", "9999-12-31")
                    _ = try await ledger.figures(village, from: first, to: last, asOf: last)
                }
            ),
            (
                invalid("area", "not_an_area"),
                { _ = try await ledger.figures(7, from: "2024-01-01", to: "2024-01-02") }
            ),
            (
                invalid("area", "outside_area"),
                { _ = try await ledger.figures(431_022, from: "2024-01-01", to: "2024-01-02") }
            ),
            (
                invalid("authority", "not_a_certificate"),
                {
                    try await stranger.enrol(
                        url, code: "WRONG-CODE1", deviceName: "a", authorityPem: "no certificate")
                }
            ),
            (
                .NotPermitted(action: "add class.monitored_kind", levelNeeded: "county_office"),
                { try await ledger.edit(chen, setting("class", "monitored_kind", "sudden")) }
            ),
            (
                .NotPermitted(action: "add steps.state", levelNeeded: "village_committee"),
                { try await ledger.takeStep(chen, StepForm(stage: .appraised)) }
            ),
            (
                .IllegalStep(state: "", step: "to_close", reason: "not_from_here", until: ""),
                { try await ledger.takeStep(chen, StepForm(stage: .toClose)) }
            ),
        ]
        for place in ["", ":memory:", directory.path, directory.path + "/a\0b", path("no/such/folder")] {
            let expected = invalid("path", "not_a_file")
            wrong.append((expected, { _ = try await Ledger.open(place) }))
        }
        let taken = path("a")
        wrong.append((invalid("path", "in_use"), { _ = try await Ledger.open(taken) }))
        for (place, (expected, attempt)) in wrong.enumerated() {
            let error = await fault(attempt)
            XCTAssertEqual(error, expected, "attempt \(place)")
        }
        let kept = try await ledger.unsent()
        XCTAssertEqual(kept.count, 1, "nothing of it was saved")
    }

    func testAnObserverThatThrowsStopsNoSync() async throws {
        let ledger = try await phone("a", "li.ming")
        _ = try await ledger.createHousehold(village, family("陈永昌"))
        let heard = expectation(description: "heard")
        heard.assertForOverFulfill = false
        let report = try await ledger.sync { _ in
            heard.fulfill()
            throw Failed(what: "陈永昌's data in a stack trace")
        }
        XCTAssertEqual(report.receipts, 1)
        await fulfillment(of: [heard], timeout: 10)
    }

    func testTheProgressOfASyncIsASequence() async throws {
        let ledger = try await phone("a", "li.ming")
        _ = try await ledger.createHousehold(village, family("陈永昌"))
        let running = ledger.startSync()
        var phases: Set<SyncPhase> = []
        for await progress in running.progress { phases.insert(progress.phase) }
        XCTAssertFalse(phases.isEmpty)
        let report = try await running.report()
        XCTAssertEqual(report.receipts, 1)
    }

    func testASyncStopsWithItsTaskOrWithTheLedgerAndNothingIsLost() async throws {
        var ledger = try await phone("a", "li.ming")
        _ = try await ledger.createHousehold(village, family("陈永昌"))
        try await township.silent {
            let (cancelled, first) = begun(ledger)
            await fulfillment(of: [first], timeout: 10)
            cancelled.cancel()
            let stopped = await outcome { _ = try await soon(cancelled).get() }
            XCTAssertTrue(stopped is CancellationError, "\(String(describing: stopped))")

            let run = ledger.startSync()
            var phases = run.progress.makeAsyncIterator()
            let phase = await phases.next()?.phase
            XCTAssertEqual(phase, .sending)
            run.cancel()
            let ended = await outcome { _ = try await soon(Task { try await run.report() }).get() }
            XCTAssertTrue(ended is CancellationError, "\(String(describing: ended))")

            let (closed, second) = begun(ledger)
            await fulfillment(of: [second], timeout: 10)
            try await ledger.close()
            let broken = await fault { _ = try await soon(closed).get() }
            XCTAssertEqual(broken.flatMap { errorWords(error: $0)?.code }, "offline")
        }
        let shut = await fault { [ledger] in _ = try await ledger.status() }
        XCTAssertEqual(shut, .InvalidInput(field: "ledger", reason: "closed"))
        ledger = try await Ledger.open(path("a"))
        let status = try await ledger.status()
        XCTAssertEqual(status.pending, 1)
        let report = try await ledger.sync()
        XCTAssertEqual(report.receipts, 1)
    }

    /// A sync on a task of its own, and its first word.
    private func begun(_ ledger: Ledger) -> (Task<SyncReport, any Error>, XCTestExpectation) {
        let sending = expectation(description: "sending")
        sending.assertForOverFulfill = false
        let task = Task {
            try await ledger.sync { if $0.phase == .sending { sending.fulfill() } }
        }
        return (task, sending)
    }

    func testAListComesAgainWhenSomethingHasChanged() async throws {
        let ledger = try await phone("a", "li.ming")
        let (empty, full) = (expectation(description: "empty"), expectation(description: "full"))
        let screen = Task {
            for try await rows in ledger.rows() {
                if rows.isEmpty { empty.fulfill() }
                if rows.map(\.headName) == ["陈永昌"] { full.fulfill() }
            }
        }
        await fulfillment(of: [empty], timeout: 10)
        _ = try await ledger.createHousehold(village, family("陈永昌"))
        await fulfillment(of: [full], timeout: 10)
        // The screen's sequence ends with the book, and closing twice is no fault.
        try await ledger.close()
        try await ledger.close()
        try await soon(screen).get()
    }

    func testAScreenThatGoesAwayWaitsForNothing() async throws {
        let ledger = try await phone("a", "li.ming")
        let shown = expectation(description: "shown")
        let screen = Task { for try await _ in ledger.rows() { shown.fulfill() } }
        await fulfillment(of: [shown], timeout: 10)
        screen.cancel()
        try await soon(screen).get()
        let status = try await ledger.status()
        XCTAssertEqual(status.households, 0, "the book stays open")
    }

    func testTwoThousandCallsAtOnce() async throws {
        let ledger = try await phone("a", "li.ming")
        let chen = try await ledger.createHousehold(village, family("陈永昌"))
        let answers = try await withThrowingTaskGroup(of: Int.self) { calls in
            for n in 0..<2_000 {
                calls.addTask {
                    n % 2 == 0 ? try await ledger.list().count : try await ledger.show(chen).fields.count
                }
            }
            return try await calls.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(answers.filter { $0 > 0 }.count, 2_000)
    }

    func testTheMainThreadIsLeftFree() async throws {
        let (vault, path, url) = (InMemory(), path("sealed"), township.url)
        let (village, code) = (village, try township.code("li.ming"))
        let heard = expectation(description: "heard")
        heard.assertForOverFulfill = false
        let app = Task { @MainActor in
            XCTAssertTrue(Thread.isMainThread)
            let ledger = try await Ledger.openSealed(path, vault: vault)
            try await ledger.enrol(url, code: code, deviceName: "sealed")
            _ = try await ledger.createHousehold(village, family("陈永昌"))
            try await ledger.sync { _ in
                XCTAssertFalse(Thread.isMainThread)
                heard.fulfill()
            }
        }
        try await app.value
        XCTAssertEqual(vault.onMainThread, [false, false], "asked for a key, and given one")
        await fulfillment(of: [heard], timeout: 10)
    }
}
