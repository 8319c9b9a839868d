// What a screen asks of the ledger and what a form tells it: one call a screen, each a delegation. Must not hold a rule.

import WanhuFFI

extension Ledger {
    /// What the first screen shows.
    public func status() async throws -> LedgerStatus { try await io { try $0.status() } }

    /// The ISO day it is in China, by the server's clock where this phone has heard it.
    public func today() async throws -> Day { try await io { $0.today() } }

    /// The names of a division and of those it lies in, the province's first, as far as this phone has them; of a code that is
    /// nowhere none.
    public func regionPath(_ code: UInt64) async throws -> [String] {
        try await io { try $0.regionPath(code: code) }
    }

    /// One page of the list, by village and head's name.
    public func list(
        _ filter: ListFilter = ListFilter(), after: PageStart? = nil, rowsMax: Int = 50
    ) async throws -> [ListRow] {
        let rows = try counted("rows_max", rowsMax)
        return try await io { try $0.list(filter: filter, after: after, rowsMax: rows) }
    }

    /// One household whole.
    public func show(_ household: HouseholdId) async throws -> RecordView {
        try await io { try $0.show(household: household) }
    }

    /// Opens a record for a new household in a village.
    public func createHousehold(_ village: UInt64, _ edit: RecordEdit) async throws -> HouseholdId {
        try await io { try $0.createHousehold(village: village, edit: edit) }
    }

    /// Saves a form: one change, safe on disk when this returns.
    public func edit(_ household: HouseholdId, _ edit: RecordEdit) async throws {
        try await io { try $0.edit(household: household, edit: edit) }
    }

    /// Records a visit, stamped with the person who is enrolled.
    public func recordVisit(_ household: HouseholdId, _ fields: [FieldValue]) async throws {
        try await io { try $0.recordVisit(household: household, fields: fields) }
    }

    /// What this person has to do, the most urgent first.
    public func tasks() async throws -> [TaskView] { try await io { try $0.tasks() } }

    /// Where a household's monitoring case is.
    public func `case`(_ household: HouseholdId) async throws -> CaseView {
        try await io { try $0.case(household: household) }
    }

    /// Takes a step of the case, with whatever is saved together with it.
    public func takeStep(
        _ household: HouseholdId, _ step: StepForm, with edit: RecordEdit = RecordEdit()
    ) async throws {
        try await io { try $0.takeStep(household: household, step: step, with: edit) }
    }

    /// The warnings that fire for a household today and that nobody was warned of yet.
    public func warnings(_ household: HouseholdId) async throws -> [Warning] {
        try await io { try $0.warnings(household: household) }
    }

    /// What contradicts on a household's record. Nothing of it blocks anything.
    public func checks(_ household: HouseholdId) async throws -> [Finding] {
        try await io { try $0.checks(household: household) }
    }

    /// What help brings a household in a calendar year.
    public func help(_ household: HouseholdId, year: Int32) async throws -> HelpView {
        try await io { try $0.help(household: household, year: year) }
    }

    /// Figures of an area that is all on this phone; `withIds` names those whose households are wanted. `asOf` is a past
    /// day, by the clocks of those who wrote; else it is today. With `grid`, of the grids of that name alone.
    public func figures(
        _ area: UInt64, from: Day, to: Day, withIds: [Statistic] = [], asOf: Day? = nil, grid: String? = nil
    ) async throws -> [Figure] {
        try await io {
            try $0.figures(area: area, from: from, to: to, withIds: withIds, asOf: asOf, grid: grid)
        }
    }

    /// The department forms of this release.
    public func forms() async throws -> [FormView] { try await io { try $0.forms() } }

    /// A form filled in from the records of an area that is all on this phone, as they are now.
    public func sheet(_ form: String, _ area: UInt64) async throws -> SheetView {
        try await io { try $0.sheet(form: form, area: area) }
    }

    /// The fields of a household that hold several values.
    public func conflicts(_ household: HouseholdId) async throws -> [Conflict] {
        try await io { try $0.conflicts(household: household) }
    }

    /// Settles a conflict as it was `seen`, by the place of one of its values; not found where others stand there now.
    public func settle(_ seen: Conflict, _ choice: Int) async throws {
        let place = try counted("choice", choice)
        try await io { try $0.settle(seen: seen, choice: place) }
    }

    /// Every field every change set, oldest first.
    public func history(_ household: HouseholdId) async throws -> [HistoryLine] {
        try await io { try $0.history(household: household) }
    }

    /// The changes the server did not take.
    public func refused() async throws -> [RefusedView] { try await io { try $0.refused() } }

    /// Makes a refused change anew on what is on record now.
    public func reauthor(_ refused: RefusedView) async throws {
        try await io { try $0.reauthor(n: refused.n) }
    }

    /// Every change that waits to be sent, to be kept elsewhere.
    public func unsent() async throws -> [UnsentView] { try await io { try $0.unsent() } }

    /// Records on this phone that may be of one family, the surest first.
    public func duplicates() async throws -> [Duplicate] { try await io { try $0.duplicates() } }

    /// Makes two records one; the duplicate stays readable.
    public func merge(_ kept: HouseholdId, _ duplicate: HouseholdId) async throws {
        try await io { try $0.merge(kept: kept, duplicate: duplicate) }
    }
}

/// A number as the core takes it: from 0 on, and no larger than it counts.
private func counted(_ field: String, _ number: Int) throws -> UInt32 {
    guard let fitting = UInt32(exactly: number) else {
        throw LedgerError.InvalidInput(field: field, reason: "out_of_range")
    }
    return fitting
}
