import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/callers`: the person or organization named by a token, as the directory knows them today.
struct CallerRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.callers = .own { try await CallerStore.isKnown($0, on: database) }
        builder.routes.read(CheckCaller.self) { call in
            .value(CallerStanding(isKnown: try await CallerStore.isKnown(call.query, on: database)))
        }
    }
}

/// What the directory knows of callers.
enum CallerStore {
    /// Whether this representative, ambassador or expert exists and has not left. A merged or erased one is no longer in
    /// its table.
    static func isKnown(_ caller: CheckCaller.Query, on executor: any PostgresExecutor) async throws -> Bool {
        let condition: SQL
        switch caller.role {
        case .representative: condition = representative(caller)
        case .ambassador:
            condition = "exists (select from ambassador where person = \(caller.person) and left_on is null)"
        case .expert:
            condition = """
                exists (select from expert where id = \(caller.organization) and left_on is null)
                and (\(caller.person)::uuid is null or exists (select from person where id = \(caller.person)))
                """
        case .operator, .editor, .lobbyist, .auditor, .service: return true
        }
        return try await executor.first("select \(condition) as known")?["known"] ?? false
    }

    /// A person who belongs to the organization: by their record, or by a mandate in force today. A token without a
    /// person is the organization's own.
    private static func representative(_ caller: CheckCaller.Query) -> SQL {
        """
        exists (select from organization where id = \(caller.organization))
        and (
            \(caller.person)::uuid is null
            or exists (select from person where id = \(caller.person) and organization = \(caller.organization))
            or exists (
                select from mandate
                where person = \(caller.person) and organization = \(caller.organization) and during @> \(Day.today)::date
            )
        )
        """
    }
}
