import Postgres
import TestKit
import Testing

extension PostgresExecutor {
    fileprivate func notify(_ channel: String, _ payload: String = "") async throws {
        try await execute("select pg_notify(\(channel), \(payload))")
    }
}

@Suite("Notifications") struct NotificationTests {
    @Test("listeners receive the notifications on their channels at commit")
    func listen() async throws {
        struct Refusal: Error {}
        try await withDatabase { database in
            try await database.withClient { client in
                var jobs = client.listen("jobs").makeAsyncIterator()
                #expect(await jobs.next() == .reconnected)
                var both = client.listen("jobs", "strange \"channel\"").makeAsyncIterator()
                #expect(await both.next() == .reconnected)
                try await client.notify("other", "nobody")
                _ = try? await client.transaction { transaction in
                    try await transaction.notify("jobs", "rolled back")
                    throw Refusal()
                }
                try await client.transaction { try await $0.notify("jobs", "é") }
                try await client.notify("strange \"channel\"")
                #expect(await jobs.next() == .message(channel: "jobs", payload: "é"))
                #expect(await both.next() == .message(channel: "jobs", payload: "é"))
                #expect(await both.next() == .message(channel: "strange \"channel\"", payload: ""))
            }
        }
    }

    @Test("a listener reconnects after its connection was cut, and reports it")
    func reconnection() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                var jobs = client.listen("jobs").makeAsyncIterator()
                #expect(await jobs.next() == .reconnected)
                for round in 1...3 {
                    try await database.cluster.terminateAllConnections(database.name)
                    #expect(await jobs.next() == .reconnected)
                    _ = try? await client.notify("jobs", "lost, perhaps")
                    var wanted = "after \(round)"
                    while true {
                        do {
                            try await client.notify("jobs", wanted)
                            break
                        } catch let error as PostgresError where error.isUnavailable {
                            wanted += " again"
                        }
                    }
                    while let next = await jobs.next(), next != .message(channel: "jobs", payload: wanted) {}
                }
            }
        }
    }

    @Test("the stream ends with the client, and the connection with the last stream")
    func end() async throws {
        try await withDatabase { database in
            let stream = try await database.withClient { client in
                do {
                    var short = client.listen("a").makeAsyncIterator()
                    _ = await short.next()
                }
                // The first listener is gone; the channel can be listened to again.
                let stream = client.listen("a")
                var iterator = stream.makeAsyncIterator()
                #expect(await iterator.next() == .reconnected)
                return stream
            }
            for await _ in stream {}
        }
    }
}
