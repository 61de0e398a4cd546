import ClubProtocol
import ServiceKit

/// Registration rules that need no database.
enum RegistrationRules {
    /// Anyone may register themselves; a representative also people of their own organization; an operator anyone.
    static func mayRegister(_ person: PersonCopy, by principal: Principal) -> Bool {
        if person.gone { return false }
        switch principal.role {
        case .operator: return true
        case .representative:
            return person.id == principal.person
                || (principal.organization != nil && person.organization == principal.organization)
        default: return person.id == principal.person
        }
    }

    /// The sessions that the person asks for, best first; if they name none, the only session.
    static func choices(_ asked: [Session.ID], among sessions: [Session.ID]) throws -> [Session.ID] {
        if asked.isEmpty {
            guard sessions.count == 1 else {
                throw Problem.invalid("/choices", "must name a session: the event has \(sessions.count)")
            }
            return sessions
        }
        guard asked.count <= sessions.count else {
            throw Problem.invalid("/choices", "names more sessions than the event has")
        }
        var seen: Set<Session.ID> = []
        for (index, choice) in asked.enumerated() {
            guard sessions.contains(choice) else {
                throw Problem.invalid("/choices/\(index)", "is not a session of the event")
            }
            guard seen.insert(choice).inserted else {
                throw Problem.invalid("/choices/\(index)", "is named twice")
            }
        }
        return asked
    }
}
