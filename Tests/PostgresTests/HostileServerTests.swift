import Logging
import NIOCore
import TestKit
import Testing

@testable import Postgres

/// With a server that opens sessions as it should, and then answers statements as no server does.
@Suite("A session with a hostile server") struct HostileServerTests {
    private typealias Server = ScriptedServer

    /// What a server says once a statement is prepared: its name is the only column.
    private static let prepared =
        Server.message("1") + Server.message("t", [0, 0])
        + Server.message(
            "T", [0, 1] + Array("name\0".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255] + [0, 0, 0, 0, 0, 0])
    private static let bound = Server.message("2")
    private static let row = Server.message("D", [0, 1, 0, 0, 0, 1, 65])
    private static let complete = Server.message("C", Array("SELECT 1\0".utf8))
    private static let ready = Server.message("Z", Array("I".utf8))

    /// Runs a statement with a server that answers each `Sync` with these bytes.
    private func outcome(_ bytes: [UInt8]?) async throws -> Result<String, PostgresError> {
        try await Server.run { number, message in
            if number == 0 { return Server.welcome }
            return message.getInteger(at: message.readerIndex, as: UInt8.self) == UInt8(ascii: "S") ? bytes : []
        } _: { server in
            let port = try server.address().port ?? 0
            var configuration = try PostgresConfiguration(url: "postgres://a@127.0.0.1:\(port)/a?sslmode=disable")
            configuration.statementTimeout = .milliseconds(200)
            return try await withPostgresClient(configuration, logger: Logger(label: "test")) { client in
                do {
                    return .success(try await client.query("select name")[0]["name", as: String.self])
                } catch let error as PostgresError {
                    return .failure(error)
                }
            }
        }
    }

    @Test("works if the answer is as it should be, whatever notices are in it")
    func control() async throws {
        let notice = Server.message("N", Array("SNOTICE\0Mhello\0\0".utf8))
        let answer = [Self.prepared, Self.bound, Self.row, Self.complete, Self.ready].flatMap { notice + $0 }
        #expect(try await outcome(answer).get() == "A")
    }

    @Test(
        "loses the connection, and says so, at the first message that does not belong there",
        arguments: [
            // Rows and ends of nothing.
            row, bound, complete + complete, ready + ready, prepared + row, Server.message("T"),
            prepared + prepared, Server.message("t", [0, 0]) + Server.message("n") + Server.message("n"),
            // Columns and rows that are not what they say.
            Server.message("1") + Server.message("t", [0, 0]) + Server.message("T", [0, 1, 65]),
            Server.message("1") + Server.message("t", [0, 0]) + Server.message("T", [255, 255, 0]),
            prepared + bound + Server.message("D"), prepared + bound + Server.message("D", [0, 2, 0, 0, 0, 0]),
            prepared + bound + Server.message("D", [0, 1]), prepared + bound + Server.message("D", [0, 1, 0, 0]),
            prepared + bound + Server.message("D", [0, 1, 0, 0, 0, 2, 65]),
            prepared + bound + Server.message("D", [0, 1, 127, 255, 255, 255, 65]),
            prepared + bound + Server.message("D", [0, 1, 0, 0, 0, 1, 65, 66]),
            prepared + bound + Server.message("D", [0, 1, 255, 255, 255, 255, 65]),
            prepared + bound + row + complete + Server.message("Z"),
            // Errors and parameters without their ends; what belongs to a handshake or a COPY.
            Server.message("E", Array("SERROR".utf8)), Server.message("E"),
            Server.message("S", Array("in_hot_standby".utf8)), Server.message("A", [0, 0]),
            Server.authentication(3), Server.message("G", [0, 0, 0]), Server.message("H", [0, 0, 0]),
            Server.message("d", [65]), Server.message("v", [0, 0, 0, 0, 0, 0, 0, 0]), Server.message("!"),
            // Lengths that no message has.
            [UInt8(ascii: "D"), 0, 0, 0, 3], [UInt8(ascii: "D"), 255, 255, 255, 255],
            [UInt8](repeating: 0, count: 100), Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
        ] as [[UInt8]])
    func unexpected(bytes: [UInt8]) async throws {
        let error = try #require(try await failure(bytes))
        #expect(error.kind == .connection)
    }

    @Test(
        "has a time limit for an answer that does not come, or not whole",
        arguments: [
            [], Array(prepared.dropLast()), prepared + bound + row + complete,
            [UInt8(ascii: "D"), 0x3F, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]])
    func silent(bytes: [UInt8]) async throws {
        let error = try #require(try await failure(bytes))
        #expect(error == .noAnswer)
    }

    @Test("ends with a server that closes the connection")
    func closing() async throws {
        let error = try #require(try await failure(nil))
        #expect(error.kind == .connection)
    }

    private func failure(_ bytes: [UInt8]?) async throws -> PostgresError? {
        if case .failure(let error) = try await outcome(bytes) { error } else { nil }
    }
}
