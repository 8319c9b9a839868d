// Opens a book at the path it is given, keeps a household in it, and says what is there then. Knows no server.

import Foundation
import Wanhu

let ledger = try await Ledger.open(CommandLine.arguments[1])
let name = FieldChange(container: "basic", key: "head_name", value: .text("陈永昌"))
let id = try await ledger.createHousehold(431_022_208_217, RecordEdit(fields: [name]))
let place = try await ledger.regionPath(431_022_208_217).joined()
for row in try await ledger.list(ListFilter(search: "cyc")) {
    print(row.id == id ? "新建" : "已有", row.headName, place)
}
try await ledger.close()
