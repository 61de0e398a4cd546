import ClubProtocol
import Postgres
import ServiceKit

/// The seats of a session that come free: by a registration that is cancelled, a merge, an erasure, or more capacity.
enum SeatStore {
    /// Gives the free seats of a session to the first people on its waiting list, unless the event is over or
    /// cancelled.
    static func promote(in session: SQL) -> SQL {
        """
        update registration set state = 'confirmed', version = version + 1, updated_at = now()
        where id in (
            select waiting.id
            from registration waiting join session on session.id = waiting.session
                join event on event.id = waiting.event
            where waiting.session = \(session) and waiting.state = 'waitlisted'
                and event.state in ('published', 'closed') and session.ends_at > now()
            order by waiting.line_order
            limit (select capacity - confirmed from session where id = \(session)))
        returning id, version
        """
    }

    static func promote(in session: Session.ID) -> SQL { promote(in: "\(session)") }

    /// Journal entries for registrations that were given a seat.
    static func journalEntries(of promoted: Rows) throws -> [Journal.Entry] {
        try promoted.map { row in
            .init(.changed, .registration, try row["id", as: Registration.ID.self], version: try row["version"])
        }
    }
}
