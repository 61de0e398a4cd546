import ClubProtocol
import Postgres
import ServiceKit

extension Invitation.State: PostgresEncodable, PostgresDecodable {}

/// The SQL of invitations; columns are named after the keys of `Invitation`.
enum InvitationStore {
    private static let whole: SQL = """
        select invitation.id, meeting, official, person, coalesce(official.name, person_copy.name) as name,
            guest_of_honour as "guestOfHonour", state, invitation.version, invitation.created_at as "createdAt",
            invitation.updated_at as "updatedAt"
        from invitation left join official on official.id = invitation.official
            left join person_copy on person_copy.id = invitation.person
        """

    static func create(
        _ body: Invite.Body, to meeting: CircleMeeting.ID, in transaction: PostgresTransaction
    ) async throws -> Invitation.ID {
        let id = Invitation.ID()
        try await transaction.execute(
            """
            insert into invitation (id, meeting, official, person, guest_of_honour)
            values (\(id), \(meeting), \(body.official), \(body.person), \(body.guestOfHonour ?? false))
            """)
        return id
    }

    static func get(_ id: Invitation.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("\(whole) where invitation.id = \(id)")
    }

    static func list(
        of meeting: CircleMeeting.ID, _ query: ListInvitations.Query, _ page: PageRequest,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["meeting = \(meeting)"]
        if let state = query.state { rules.append("state = \(state)") }
        if let key = page.after?.first { rules.append("invitation.id > \(key)::uuid") }
        return try await executor.query(
            """
            \(whole) where \(rules.all)
            order by invitation.id
            limit \(page.limit + 1)
            """)
    }

    struct Current: Decodable {
        var state: Invitation.State
        var version: Int
    }

    static func lock(_ id: Invitation.ID, in transaction: PostgresTransaction) async throws -> Current? {
        try await transaction.query("select state, version from invitation where id = \(id) for update")
            .first?.decode(Current.self)
    }

    static func transition(
        _ id: Invitation.ID, to state: Invitation.State, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "update invitation set state = \(state), version = version + 1, updated_at = now() where id = \(id)")
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object(
            'meeting', meeting, 'official', official, 'person', person, 'state', state, 'version', version)) as data
        from invitation where id = any(\(ids))
        """
    }
}
