import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import Postgres
@testable import ServiceKit

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

    // MARK: - Failures at the wrong moment

    /// What has happened on a server whose answers a test may replace.
    private struct Conversation {
        var text = ""
        var isFailed = false
        var listens = 0
    }

    /// Runs a client with a server that answers as one without data does, but for what `exception` returns: for the
    /// kind of a message, and the statement that was prepared last.
    ///
    /// - Parameter loop: of the only connection for reads.
    private func withServer<Value: Sendable>(
        on loop: (any EventLoop)? = nil,
        _ exception: @escaping @Sendable (Character, inout Conversation) -> [UInt8]?,
        _ body: (PostgresClient) async throws -> Value
    ) async throws -> Value {
        let conversation = Mutex(Conversation())
        return try await Server.run { number, message in
            if number == 0 { return Server.welcome }
            return conversation.withLock { conversation in
                let usual = Server.answer(to: message, &conversation.text, isFailed: conversation.isFailed)
                let kind = message.getInteger(at: message.readerIndex, as: UInt8.self) ?? 0
                return exception(Character(UnicodeScalar(kind)), &conversation) ?? usual
            }
        } _: { server in
            let port = try server.address().port ?? 0
            var configuration = try PostgresConfiguration(url: "postgres://a@127.0.0.1:\(port)/a?sslmode=disable")
            configuration.statementTimeout = .milliseconds(200)
            if let loop {
                configuration.eventLoops = loop
                configuration.sharedConnections = 1
            }
            return try await withPostgresClient(configuration, logger: Logger(label: "test"), body)
        }
    }

    /// Runs a transaction, and returns its error and how often its body has run.
    private func transaction(
        _ exception: @escaping @Sendable (Character, inout Conversation) -> [UInt8]?,
        _ body: @escaping @Sendable (PostgresTransaction) async throws -> Void
    ) async throws -> (error: PostgresError?, runs: Int) {
        try await withServer(exception) { client in
            let runs = Mutex(0)
            do {
                try await client.transaction { transaction in
                    runs.withLock { $0 += 1 }
                    try await body(transaction)
                }
                return (nil, runs.withLock(\.self))
            } catch let error as PostgresError {
                return (error, runs.withLock(\.self))
            }
        }
    }

    @Test("works as a server without data does, if nothing is replaced")
    func usual() async throws {
        let outcome = try await transaction { _, _ in
            nil
        } _: {
            try await $0.execute("update thing")
        }
        #expect(outcome.error == nil && outcome.runs == 1)
    }

    @Test("has an unknown outcome if the server ends the connection after it has said that it committed")
    func endedAfterCommit() async throws {
        let outcome = try await transaction { kind, conversation in
            guard kind == "S", conversation.text == "commit" else { return nil }
            return Server.error("57P01", severity: "FATAL") + Server.message("!")
        } _: {
            try await $0.execute("update thing")
        }
        #expect(outcome.error?.kind == .unknownOutcome)
        #expect(outcome.error?.sqlState == SQLState.adminShutdown)
        #expect(outcome.runs == 1)
    }

    @Test("does not run a transaction again whose commit may have worked, whatever failed before")
    func lostCommit() async throws {
        let outcome = try await transaction { kind, conversation in
            if kind == "E", conversation.text == "select conflict" {
                conversation.isFailed = true
                return Server.error(SQLState.serializationFailure)
            }
            if kind == "P", conversation.text.hasPrefix("rollback to") { conversation.isFailed = false }
            return kind == "S" && conversation.text == "commit" ? Server.message("!") : nil
        } _: { transaction in
            try await transaction.execute("update thing")
            _ = try? await transaction.savepoint { try await $0.query("select conflict").count }
        }
        #expect(outcome.error?.kind == .unknownOutcome)
        #expect(outcome.runs == 1)
    }

    @Test("loses the connection if it ends a group of reads before it has answered all of them")
    func shortGroup() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        // The statements that have run since it answers only the first.
        let count = Mutex<Int?>(nil)
        try await withServer(on: loop) { kind, _ in
            count.withLock { count in
                guard kind == "E", let before = count else { return nil }
                count = before + 1
                return before == 0 ? nil : []
            }
        } _: { client in
            // Once it is known, it is in a group.
            for _ in 0..<3 { try await client.query("select quick") }
            count.withLock { $0 = 0 }
            let results = await client.inOneTurn(of: LoopExecutor(loop), Array(repeating: "select quick", count: 3))
            #expect((try? results[0].get()) != nil)
            for result in results.dropFirst() {
                let error = #expect(throws: PostgresError.self) { try result.get() }
                #expect(error?.kind == .connection)
            }
        }
    }

    @Test("sends what belongs to the commit together with it")
    func roundTrips() async throws {
        let synced = Mutex<[String]>([])
        let outcome = try await transaction { kind, conversation in
            if kind == "S" { synced.withLock { $0.append(conversation.text) } }
            return nil
        } _: { transaction in
            try await transaction.execute("update thing")
            try transaction.commit(with: "insert into answer")
        }
        #expect(outcome.error == nil)
        #expect(synced.withLock(\.self) == ["update thing", "commit"])
    }

    @Test("does not run a transaction again on a server that does not answer")
    func unanswered() async throws {
        let outcome = try await transaction { kind, conversation in
            kind == "S" && conversation.text == "select slow" ? [] : nil
        } _: {
            try await $0.query("select slow")
        }
        #expect(outcome.error == .noAnswer)
        #expect(outcome.runs == 1)
    }

    @Test("subscribes to notifications again if that has failed", .timeLimit(.minutes(1)))
    func refusedListen() async throws {
        try await withServer { kind, conversation in
            guard kind == "E", conversation.text.hasPrefix("listen") else { return nil }
            conversation.listens += 1
            return conversation.listens <= 2 ? Server.error("57014") : nil
        } _: { client in
            for await event in client.listen("jobs") {
                #expect(event == .reconnected)
                break
            }
        }
    }

    private func failure(_ bytes: [UInt8]?) async throws -> PostgresError? {
        if case .failure(let error) = try await outcome(bytes) { error } else { nil }
    }
}
