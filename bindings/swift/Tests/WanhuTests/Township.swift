// A township's server as a process of its own, with an office that types commands. Knows nothing of the ledger.

import Foundation
import XCTest

final class Township: @unchecked Sendable {
    private static let programs = ProcessInfo.processInfo.environment["WANHU_PROGRAMS"]
    private let directory: URL
    private let server: URL
    private let process = Process()
    let url: String

    init() throws {
        let programs = try XCTUnwrap(Self.programs, "WANHU_PROGRAMS: where the programs are")
        server = URL(fileURLWithPath: programs).appendingPathComponent("wanhu-server")
        directory = try emptyDirectory()
        process.executableURL = server
        process.arguments = ["serve", "--data-dir", directory.path, "--listen", "127.0.0.1:0"]
        let said = Pipe()
        process.standardOutput = said
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The first line says where it listens.
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = said.fileHandleForReading.readData(ofLength: 1)
            guard !more.isEmpty else { throw Failed(what: "the server ended") }
            line.append(more)
        }
        let words = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        url = "http://" + (words.components(separatedBy: "http://").last ?? "")
    }

    /// What an office's command answers, as JSON.
    @discardableResult
    func office(_ words: String...) throws -> [String: Any] { try command(["admin"] + words) }

    /// Delivers a table of hospital bills as this account.
    func bills(_ account: String, _ table: String) throws {
        let file = directory.appendingPathComponent("bills.csv")
        try Data(table.utf8).write(to: file)
        try command(["import", "--by", account, "department", file.path, "--kind", "medical"])
    }

    @discardableResult
    private func command(_ words: [String]) throws -> [String: Any] {
        let command = Process()
        command.executableURL = server
        command.arguments = words + ["--data-dir", directory.path, "--json"]
        let said = Pipe()
        command.standardOutput = said
        command.standardError = said
        try command.run()
        let answer = said.fileHandleForReading.readDataToEndOfFile()
        command.waitUntilExit()
        guard command.terminationStatus == 0 else {
            throw Failed(what: "\(words): \(String(decoding: answer, as: UTF8.self))")
        }
        return try JSONSerialization.jsonObject(with: answer) as? [String: Any] ?? [:]
    }

    /// A one-time code for a phone of this account.
    func code(_ account: String) throws -> String {
        try XCTUnwrap(try office("code", account)["code"] as? String)
    }

    /// Stopped, not ended: the line stands, and nobody answers.
    func silent(_ work: () async throws -> Void) async throws {
        kill(process.processIdentifier, SIGSTOP)
        defer { kill(process.processIdentifier, SIGCONT) }
        try await work()
    }

    func close() throws {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try FileManager.default.removeItem(at: directory)
    }
}

struct Failed: Error {
    let what: String
}

func emptyDirectory() throws -> URL {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    return directory
}
