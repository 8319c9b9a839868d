// What a phone says about its own households, and what it does with two records of one family; each as Kotlin and Python tell it.

import Foundation
import Wanhu
import XCTest

final class RecordTests: TownshipCase {
    /// A record with a bill, a measure and a tag.
    private func helped(_ today: Day) -> RecordEdit {
        var form = family("陈永昌")
        form.fields.append(
            FieldChange(container: "class", key: "tag_serious_illness", value: .bool(true)))
        let bill = [text("kind", "medical"), text("to", today), number("self_pay_fen", 3_000_000)]
        let measure = [
            text("kind", "industry"), text("status", "under_way"), text("period", "month"),
            number("amount_fen", 10_000), text("from", "2024-03-01"), text("to", "2024-08-31"),
        ]
        form.newRows.append(NewRow(container: "spending", fields: bill))
        form.newRows.append(NewRow(container: "measures", fields: measure))
        return form
    }

    func testAHouseholdWithHelpIsWarnedOfCheckedAndCounted() async throws {
        let ledger = try await phone("a", "li.ming")
        // The township's rules come with it.
        try await ledger.sync()
        let today = try await ledger.today()
        let chen = try await ledger.createHousehold(village, helped(today))
        let (warnings, findings) = (try await ledger.warnings(chen), try await ledger.checks(chen))
        XCTAssertEqual(warnings.map(\.rule), ["medical-self-pay-other"])
        let warning = try XCTUnwrap(warnings.first)
        XCTAssertEqual([warning.input, warning.threshold], [3_000_000, 2_000_000])
        XCTAssertEqual([warning.risk, warning.firedOn], ["illness", today])
        XCTAssertEqual(warning.rows.count, 1)
        XCTAssertEqual(findings.map(\.check), [.industryNoIncome])
        let finding = try XCTUnwrap(findings.first)
        let told = findingWords(finding: finding)
        XCTAssertEqual([told.code, told.zh], ["industry_no_income", "已落实产业帮扶,但生产经营性收入为0.00元"])

        let help = try await ledger.help(chen, year: 2024)
        XCTAssertEqual([Int64(help.year), help.totalFen], [2024, 60_000])
        XCTAssertEqual(help.measures.map(\.payments), [6])
        XCTAssertEqual(help.families, ["industry": HelpOfFamily(measures: 1, inEffect: 1, fen: 60_000)])
        let before = try await ledger.help(chen, year: 2023)
        XCTAssertEqual(before.totalFen, 0)

        let figures = try await ledger.figures(village, from: "2024-01-01", to: today, withIds: [.tag])
        let tagged = try XCTUnwrap(figures.first { $0.code == .tag && $0.of == "tag_serious_illness" })
        XCTAssertEqual([tagged.numerator, tagged.value, tagged.people], [1, 1, 1])
        XCTAssertEqual(tagged.unit, .households)
        XCTAssertEqual(tagged.households, [chen])
        let covered = try XCTUnwrap(figures.first { $0.code == .coverage && $0.of == String(village) })
        XCTAssertEqual(covered.numerator, 1)
        XCTAssertEqual(covered.households, [], "no ids but those asked for")
        let elsewhere = try await ledger.figures(village, from: "2024-01-01", to: today, grid: "第三网格")
        XCTAssertTrue(elsewhere.allSatisfy { $0.numerator == 0 }, "nobody is in that grid")
        let rows = try await ledger.list(ListFilter(grid: "第三网格"))
        XCTAssertEqual(rows, [])
    }

    func testTwoRecordsOfOneFamilyBecomeOne() async throws {
        let ledger = try await phone("a", "li.ming")
        let chen = try await ledger.createHousehold(village, family("陈永昌"))
        // Somebody opened a record that was there.
        var form = family("陈永昌")
        let address = FieldChange(container: "basic", key: "address", value: .text("上洞 3 组"))
        form.fields.append(address)
        let second = try await ledger.createHousehold(village, form)
        let pairs = try await ledger.duplicates()
        XCTAssertEqual(pairs.map(\.likeness), [.sameFamily])
        XCTAssertEqual(Set(pairs.flatMap { [$0.first, $0.second] }), [chen, second])
        try await ledger.merge(chen, second)
        let (left, rows) = (try await ledger.duplicates(), try await ledger.list())
        XCTAssertEqual(left, [])
        XCTAssertEqual(rows.map(\.id), [chen])
        let record = try await ledger.show(chen)
        XCTAssertEqual(record.fields.first { $0.key == "address" }?.value, address.value)
        let again = await fault { try await ledger.merge(chen, second) }
        XCTAssertEqual(again, invalid("duplicate", "merged_before"))
        let report = try await ledger.sync()
        XCTAssertEqual(report.refused, 0)
    }

    func testAHeadOnRecordIsNotOpenedTwice() async throws {
        let (ledger, village) = (try await phone("a", "li.ming"), village)
        var record = setting("basic", "head_name", "文秀芬")
        let wife = [
            text("name", "文秀芬"), text("relation", "head"),
            text("identity_number", "431022197003080028"),
        ]
        record.newRows = [NewRow(container: "members", fields: wife)]
        let household = try await ledger.createHousehold(village, record)
        let again = await fault { [record] in
            _ = try await ledger.createHousehold(village, record)
        }
        XCTAssertEqual(again, .AlreadyOnRecord(household: household))
        let rows = try await ledger.list()
        XCTAssertEqual(rows.map(\.id), [household])
    }

    func testAPlaceIsToldByItsNames() async throws {
        let (ledger, village) = (try await phone("a", "li.ming"), village)
        let path = try await ledger.regionPath(village)
        XCTAssertEqual(path, ["湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"])
        let nowhere = try await ledger.regionPath(7)
        XCTAssertEqual(nowhere, [])
    }

    func testAListGoesOnBehindTheLastRowOfAPage() async throws {
        let ledger = try await phone("a", "li.ming")
        let heads = ["陈永昌", "胡甫武", "李桂英"]
        for head in heads { _ = try await ledger.createHousehold(village, family(head)) }
        var seen: [ListRow] = []
        var page = try await ledger.list(rowsMax: 1)
        while let last = page.last, seen.count <= heads.count {
            XCTAssertEqual(page.count, 1)
            seen.append(last)
            let behind = PageStart(scope: last.scope, headName: last.headName, id: last.id)
            page = try await ledger.list(after: behind, rowsMax: 1)
        }
        XCTAssertEqual(Set(seen.map(\.headName)), Set(heads))
        let whole = try await ledger.list()
        XCTAssertEqual(seen, whole, "in the order of the whole list")
    }

    func testAPhoneFillsInAFormFromItsOwnRecords() async throws {
        let cadre = try await phone("a", "li.ming")
        let chen = try await cadre.createHousehold(village, family("陈永昌"))
        try await cadre.sync()
        try township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", "431022")
        let ledger = try await phone("b", "county")
        try await ledger.sync()
        let carriedOver = StepForm(stage: .monitored, reason: "两摸底结果转入")
        try await ledger.takeStep(chen, carriedOver, with: setting("class", "monitored_kind", "sudden"))
        let forms = try await ledger.forms()
        let form = try XCTUnwrap(forms.first { $0.id == "members" })
        let (sheet, today) = (try await ledger.sheet(form.id, village), try await ledger.today())
        XCTAssertEqual([sheet.form, sheet.title, sheet.asOf], ["members/\(form.version)", form.zh, today])
        let table = try XCTUnwrap(sheet.tables.first)
        XCTAssertEqual(table.lines.map(\.household), [chen])
        let line = try XCTUnwrap(table.lines.first)
        XCTAssertEqual([line.cells.count, line.checkCode.count], [table.header.count, 16])
        XCTAssertTrue(line.cells.contains("陈永昌"))
        let outside = await fault { _ = try await ledger.sheet(form.id, 431_025) }
        XCTAssertEqual(outside, invalid("area", "outside_area"))
        let unknown = await fault { [village] in _ = try await ledger.sheet("no_such", village) }
        XCTAssertEqual(unknown, .NotFound(kind: "form", id: "no_such"))
    }
}
