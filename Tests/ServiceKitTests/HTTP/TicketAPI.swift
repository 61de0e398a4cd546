import ClubProtocol
import HTTPTypes
import NIOCore
import Postgres
import Synchronization

@testable import ServiceKit

/// A small service for tests of the HTTP stack: tickets in one table.
struct Ticket: Codable, Sendable, Equatable {
    typealias ID = Identifier<Ticket>
    var id: ID
    var title: Line
    var version: Int
}

enum MakeTicket: Endpoint {
    static let operation = Operation(
        .post, "/v1/tickets", "Makes a ticket.", success: .created,
        access: .roles(.operator, .editor, .expert, .representative, .service))
    struct Body: Codable, Sendable {
        var title: Line
        var note: Prose?
        var places: Int?
    }
    typealias Response = Ticket
}

enum ReadTicket: Endpoint {
    static let operation = Operation(
        .get, "/v1/tickets/{ticket}", "Reads a ticket.", access: .roles(.operator, .expert), problems: [.notFound])
    typealias Path = Ticket.ID
    typealias Response = Ticket
}

enum ListTickets: Endpoint {
    static let operation = Operation(.get, "/v1/tickets", "Lists tickets.", access: .roles(.operator, .expert))
    struct Filter: Codable, Sendable { var word: Line? }
    typealias Query = Paged<Filter>
    typealias Response = Page<Ticket>
}

enum ChangeTicket: Endpoint {
    static let operation = Operation(
        .patch, "/v1/tickets/{ticket}", "Changes a ticket.", access: .roles(.operator), problems: [.notFound, .stale],
        requiresIfMatch: true)
    typealias Path = Ticket.ID
    struct Body: Codable, Sendable { var title: Line? }
    typealias Response = Ticket
}

enum DropTicket: Endpoint {
    static let operation = Operation(
        .delete, "/v1/tickets/{ticket}", "Drops a ticket.", success: .noContent, access: .roles(.operator))
    typealias Path = Ticket.ID
}

/// Lines until the requested number is sent; fails where it is told to.
enum StreamTickets: Endpoint {
    static let operation = Operation(
        .get, "/v1/ticket-lines", "Streams tickets.", access: .anyone, produces: .ndjson)
    struct Query: Codable, Sendable {
        var count: Int
        var failAfter: Int?
    }
    struct Response: Codable, Sendable { var number: Int }
}

enum LoadTickets: Endpoint {
    static let operation = Operation(
        .post, "/v1/ticket-loads", "Counts what comes.", access: .roles(.operator), consumes: .csv)
    struct Query: Codable, Sendable {
        /// Stops reading after this many.
        var enough: Int?
        /// Waits at the gate before it reads.
        var waits: Bool?
    }
    struct Response: Codable, Sendable { var bytes: Int }
}

/// Waits at the gate, then responds.
enum WaitAtGate: Endpoint {
    static let operation = Operation(.post, "/v1/gate", "Waits.", access: .roles(.operator))
    typealias Response = Page<Ticket>
}

/// Waits at the gate as if for something outside, then responds.
enum WaitOutside: Endpoint {
    static let operation = Operation(.post, "/v1/outside", "Waits outside.", access: .roles(.operator))
    typealias Response = Page<Ticket>
}

enum AskDatabase: Endpoint {
    static let operation = Operation(.get, "/v1/naps", "Sleeps in the database.", access: .anyone)
    struct Query: Codable, Sendable { var seconds: Int }
    struct Response: Codable, Sendable { var done: Bool }
}

enum OldPing: Endpoint {
    static let operation = Operation(
        .get, "/v1/ping", "Says that it is there.", access: .anyone,
        deprecation: .init(
            since: Timestamp(microseconds: 1_767_225_600_000_000), sunset: Timestamp(microseconds: 784_111_777_000_000))
    )
    struct Response: Codable, Sendable { var pong: Bool }
}

enum ShowTicketPage: Endpoint {
    static let operation = Operation(
        .get, "/v1/ticket-page", "Shows a page.", access: .anyone, problems: [.notFound], produces: .html)
    struct Query: Codable, Sendable { var title: Line }
    typealias Response = TextDocument
}

enum SendTicketForm: Endpoint {
    static let operation = Operation(
        .post, "/v1/ticket-page", "Takes a form.", success: .seeOther, access: .anyone, consumes: .form, produces: .html
    )
    struct Body: Codable, Sendable { var title: Line }
    typealias Response = TextDocument
}

enum DownloadTickets: Endpoint {
    static let operation = Operation(
        .get, "/v1/tickets.csv", "Writes numbers.", access: .anyone, produces: .csv)
    struct Query: Codable, Sendable { var count: Int }
    typealias Response = TextDocument
}

/// What the tests observe and control in the handlers.
final class TicketDesk: Sendable {
    let runs = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    let broken = Atomic<Int>(0)
    /// The trace of the last ping.
    let trace = Mutex<TraceContext?>(nil)
    private let gate = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = gate.withLock { gate in
                if !gate.isOpen { gate.waiting.append(continuation) }
                return gate.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = gate.withLock { gate in
            gate.isOpen = true
            defer { gate.waiting = [] }
            return gate.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    static let endpoints: [any Endpoint.Type] = [
        MakeTicket.self, ReadTicket.self, ListTickets.self, ChangeTicket.self, DropTicket.self, StreamTickets.self,
        LoadTickets.self, WaitAtGate.self, WaitOutside.self, AskDatabase.self, OldPing.self, ShowTicketPage.self,
        SendTicketForm.self,
        DownloadTickets.self,
    ]

    static let migration = Migration(
        "0001-tickets",
        sql: Array(
            """
            create table ticket (
                id uuid primary key, title text not null constraint ticket_title_key unique, version int not null default 1,
                places int constraint ticket_places check (places > 0))
            """.utf8))

    func routes(on database: PostgresClient) -> Routes {
        var routes = Routes()
        routes.write(MakeTicket.self) { call, transaction in
            self.runs.add(1, ordering: .relaxed)
            return try .row(
                await transaction.query(
                    """
                    insert into ticket (id, title, places) values (\(Ticket.ID()), \(call.body.title), \(call.body.places))
                    returning id, title, version
                    """))
        }
        routes.read(ReadTicket.self) { call in
            try .row(await database.query("select id, title, version from ticket where id = \(call.path)"))
        }
        routes.read(ListTickets.self) { call in
            let rows = try await database.query(
                """
                select id, title, version, title as _key from ticket
                 where (\(call.query.word)::text is null or title like \(call.query.word)::text || '%')
                   and (\(call.page.after?.first)::text is null or title > \(call.page.after?.first)::text)
                 order by title limit \(call.page.limit + 1)
                """)
            return try .page(rows, call.page, key: "_key")
        }
        routes.write(ChangeTicket.self) { call, transaction in
            let rows = try await transaction.query(
                """
                update ticket set title = coalesce(\(call.body.title), title), version = version + 1
                 where id = \(call.path) and version = \(call.ifMatch) returning id, title, version
                """)
            if rows.isEmpty { throw Problem(.stale) }
            return try .row(rows)
        }
        routes.write(DropTicket.self) { call, transaction in
            guard try await transaction.execute("delete from ticket where id = \(call.path)") > 0 else {
                throw Problem(.notFound)
            }
            return .empty
        }
        routes.stream(StreamTickets.self) { call, lines in
            do {
                for number in 0..<call.query.count {
                    if number == call.query.failAfter { throw Problem(.conflict) }
                    try await lines.write(.init(number: number))
                }
            } catch {
                self.broken.add(1, ordering: .relaxed)
                throw error
            }
        }
        routes.upload(LoadTickets.self) { call, body in
            var bytes = 0
            if call.query.waits == true { await self.wait() }
            do {
                for try await part in body {
                    bytes += part.readableBytes
                    if let enough = call.query.enough, bytes >= enough { break }
                }
            } catch {
                self.broken.add(1, ordering: .relaxed)
                throw error
            }
            return .value(.init(bytes: bytes))
        }
        routes.read(WaitAtGate.self) { call in
            self.runs.add(1, ordering: .relaxed)
            await self.wait()
            return .value(Page(items: []))
        }
        routes.read(WaitOutside.self) { call in
            try await call.waitOutside {
                self.runs.add(1, ordering: .relaxed)
                await self.wait()
            }
            return .value(Page(items: []))
        }
        routes.read(AskDatabase.self) { call in
            do {
                _ = try await database.query("select pg_sleep(\(Double(call.query.seconds)))")
            } catch {
                self.cancelled.add(1, ordering: .relaxed)
                throw error
            }
            return .value(.init(done: true))
        }
        routes.read(ShowTicketPage.self) { call in
            guard call.query.title != "gone" else { throw Problem(.notFound, "It is gone.") }
            return .text("<p>\(call.query.title.text)")
        }
        routes.write(SendTicketForm.self) { call, transaction in
            try await transaction.execute(
                "insert into ticket (id, title) values (\(Ticket.ID()), \(call.body.title))")
            return .seeOther("/v1/ticket-page?title=done")
        }
        routes.download(
            DownloadTickets.self, headers: [.contentDisposition: "attachment; filename=\"tickets.csv\""]
        ) { call, output in
            for number in 0..<call.query.count { try await output.write { $0 += "\(number)\r\n".utf8 } }
        }
        routes.problemPage(below: ["/v1/ticket-page"]) { problem, requestID in
            "<h1>\(problem.type.slug) \(requestID)</h1>"
        }
        routes.read(OldPing.self) { _ in
            self.trace.withLock { $0 = TraceContext.current }
            return .value(.init(pong: true))
        }
        routes.constraint("ticket_title_key", Problem(.alreadyExists, "There is a ticket of this title."))
        return routes
    }
}
