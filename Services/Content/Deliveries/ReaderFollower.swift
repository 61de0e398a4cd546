import ClubProtocol
import Postgres
import ServiceKit

/// Follows the directory's readers while issues go out: a delivery that has not begun is suppressed when its reader
/// withdraws consent or leaves, and goes to the new address when it changes.
struct ReaderFollower: Sendable {
    func mount(on builder: inout ServiceBuilder) {
        builder.follow(.directory, name: "readers", apply)
    }

    /// What the directory says now about a reader.
    private struct State {
        /// Nil if the reader gets no Flash info any more.
        var email: EmailAddress?
        /// Why not.
        var reason = "the reader no longer agrees to the Flash info"
    }

    /// Idempotent: the changes carry the present state.
    @Sendable func apply(_ changes: [Change], in transaction: PostgresTransaction) async throws {
        var states: [String: State] = [:]
        // A person who is no ambassador any more may still be a reader of other editions.
        var left: Set<String> = []
        for change in changes where change.action != .erased && change.action != .merged {
            switch change.entity {
            case .person:
                let person = try change.data?.decoded(as: Person.self)
                states[change.id] = State(
                    email: person.flatMap { $0.consents.flashInfo?.agreed == true ? $0.email : nil })
            case .expert:
                let expert = try change.data?.decoded(as: Expert.self)
                states[change.id] = State(
                    email: expert.flatMap { $0.leftOn == nil && $0.consents.flashInfo?.agreed == true ? $0.email : nil }
                )
            case .ambassador:
                if let data = change.data, data["leftOn"] != nil, let person = data["person"]?.string {
                    left.insert(person)
                }
            default: break
            }
        }
        guard !states.isEmpty || !left.isEmpty else { return }
        for waiting in try await waiting(of: Array(states.keys) + Array(left), in: transaction) {
            if waiting.audience == .ambassadors, left.contains(waiting.reader) {
                try await suppress(waiting.id, because: "the reader has left", in: transaction)
            } else if let state = states[waiting.reader] {
                guard let email = state.email else {
                    try await suppress(waiting.id, because: state.reason, in: transaction)
                    continue
                }
                guard email.text.asciiLowercased != waiting.email.asciiLowercased else { continue }
                try await readdress(waiting.id, to: email, in: transaction)
            }
        }
    }

    private struct Waiting: Decodable {
        var id: Delivery.ID
        var audience: Edition.Audience
        var reader: String
        var email: String
    }

    /// The readers' deliveries that have not begun; a sender that holds one loses it.
    private func waiting(of readers: [String], in transaction: PostgresTransaction) async throws -> [Waiting] {
        try await transaction.query(
            """
            select delivery.id, delivery.audience, reader::text, email
            from delivery join outgoing_mail mail using (id)
            where reader = any(\(readers)::uuid[]) and mail.state = 'pending'
            order by delivery.id for update of mail
            """
        ).decode(Waiting.self)
    }

    private func suppress(_ delivery: Delivery.ID, because reason: String, in transaction: PostgresTransaction)
        async throws
    {
        try await transaction.execute(
            """
            update outgoing_mail set state = 'suppressed', sender = null, reply = \(reason), updated_at = now()
            where id = \(delivery)
            """)
    }

    /// If the new address has a copy already, this one is not needed.
    private func readdress(
        _ delivery: Delivery.ID, to email: EmailAddress, in transaction: PostgresTransaction
    ) async throws {
        let moved = try await transaction.execute(
            """
            update delivery set email = \(email) where id = \(delivery) and not exists (
                select from delivery other where other.issue = delivery.issue and lower(other.email) = lower(\(email)))
            """)
        guard moved == 1 else {
            return try await suppress(delivery, because: "the reader's new address has a copy", in: transaction)
        }
        let lane = try await LaneAssignment.known([email.domain], in: transaction)[email.domain] ?? LaneName.other
        try await transaction.execute(
            """
            update outgoing_mail set lane = \(lane), sender = null, due_at = now(), attempt = 0, class = null,
                updated_at = now()
            where id = \(delivery)
            """)
    }
}
