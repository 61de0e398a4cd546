import ClubProtocol
import Postgres

/// The SQL of the seats of a session.
///
/// Seats are given and given up under their session's lock, in one round trip: first the lock, then statements that see
/// what its previous holder committed. The lock is held until the commit, so do everything else before taking it.
/// Several sessions are locked in order of their identifiers.
enum SeatStore {
    /// Makes everyone else who wants a seat in one of these sessions wait.
    static func lock(_ sessions: [Session.ID]) -> SQL {
        "select id from session where id = any(\(sessions)) order by id for update"
    }

    /// Gives the free seats of a session to the first people on its waitlist, unless the event is over or
    /// cancelled. Returns the identifiers and versions of their registrations.
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
}
