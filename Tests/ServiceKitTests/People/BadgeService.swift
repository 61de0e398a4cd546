import ClubProtocol
import Postgres
import TestKit

@testable import ServiceKit

/// The smallest service that copies people: badges for them, with a note of their own. It may keep addresses, but not for
/// whom people work.
enum BadgeService: ServiceApplication {
    static let name = ServiceName.events
    static let title = "Badges"
    static let endpoints: [any Endpoint.Type] = [ReadChanges.self]
    static let peers = [ServiceName.directory]
    static let migrations = [
        ServiceMigrations.merges, ServiceMigrations.people,
        Migration(
            "0001-badge",
            sql: Array(
                """
                alter table person_copy add column email text check (not gone or email is null);
                create table badge (
                    id uuid primary key, person uuid not null references person_copy, note text,
                    version integer not null default 1, updated_at timestamptz not null default now()
                );
                """.utf8)),
    ]

    static let merges = MergeFollower([.person: .moving(MergedRows("badge", naming: "person"), .badge, by: .events)])

    static func people(_ backend: Backend) -> PeopleMirror {
        PeopleMirror(backend, keeping: [.email], merges: merges) { people, transaction in
            try await transaction.execute("update badge set note = null where person = any(\(people))")
        }
    }

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        people(backend).mount(on: &builder)
    }
}

extension EntityName {
    static let badge = EntityName(rawValue: "badge")
}

/// The service, beside a directory whose people the test sets. The test applies changes itself, or waits for the feed.
struct BadgeOffice {
    let service: TestService
    /// Nil if there is no directory that responds.
    let directory: TestService?

    var people: PeopleMirror { BadgeService.people(service.backend) }

    /// Applies a batch as the follower does.
    func apply(_ changes: [Change]) async throws {
        try await service.backend.database.transaction { try await people.apply(changes, in: $0) }
    }

    func erase(_ people: [Person.ID]) async throws {
        try await service.backend.database.transaction {
            _ = try await self.people.erase(people.map { DataSubject.ID($0.uuid) }, in: $0)
        }
    }

    /// The row of the copy, whom the directory is not asked about.
    func copy(_ id: Person.ID) async throws -> PersonCopy? {
        try await service.backend.database.first("select * from person_copy where id = \(id)")?.decode(PersonCopy.self)
    }

    func count(_ table: SQL) async throws -> Int {
        try await service.backend.database.first("select count(*) from \(table)")?["count"] ?? 0
    }

    // MARK: Badges

    struct Badge: Decodable, Hashable {
        typealias ID = Identifier<Badge>

        var id: ID
        var person: Person.ID
        var note: String?
        var version: Int
    }

    func badge(for person: Person.ID, note: String? = nil) async throws -> Badge.ID {
        let id = Badge.ID()
        try await service.backend.database.execute(
            "insert into badge (id, person, note) values (\(id), \(person), \(note))")
        return id
    }

    func badge(_ id: Badge.ID) async throws -> Badge? {
        try await service.backend.database.first("select id, person, note, version from badge where id = \(id)")?
            .decode(Badge.self)
    }

    /// Whose badge it is.
    func holder(_ id: Badge.ID) async throws -> Person.ID? { try await badge(id)?.person }
}

/// Runs the service and a directory.
func withBadges(_ body: (BadgeOffice) async throws -> Void) async throws {
    try await withServices([FakeDirectory.self, BadgeService.self]) { services in
        try await body(BadgeOffice(service: services[.events], directory: services[.directory]))
    }
}

/// Runs the service; no directory responds.
func withBadgesAlone(_ body: (BadgeOffice) async throws -> Void) async throws {
    try await withService(BadgeService.self) { try await body(BadgeOffice(service: $0, directory: nil)) }
}

/// Changes as the directory's feed has them.
extension Change {
    static func of(_ person: Person, _ action: Change.Action = .changed) throws -> Change {
        Change(
            cursor: try Cursor(validating: "1.1"), entity: .person, id: person.id.text, action: action,
            version: person.version, at: .now,
            data: try LenientJSON.decode(JSONValue.self, from: WireJSON.encode(person)))
    }

    static func gone(_ person: Person.ID, _ action: Change.Action) throws -> Change {
        Change(
            cursor: try Cursor(validating: "1.1"), entity: .person, id: person.text, action: action, version: nil,
            at: .now, data: nil)
    }

    /// A change of a merge, whose state is that at the time of reading; nil once the directory has forgotten it.
    static func merge(
        _ merged: Person.ID, into survivor: Person.ID, _ id: Merge.ID, _ state: Merge.State?,
        kind: RecordKind = .person
    ) throws -> Change {
        let notice = state.map {
            MergeNotice(id: id, kind: kind, survivor: .init(survivor.uuid), merged: .init(merged.uuid), state: $0)
        }
        return Change(
            cursor: try Cursor(validating: "1.1"), entity: .merge, id: id.text, action: .changed, version: nil,
            at: .now, data: try notice.map { try LenientJSON.decode(JSONValue.self, from: WireJSON.encode($0)) })
    }
}
