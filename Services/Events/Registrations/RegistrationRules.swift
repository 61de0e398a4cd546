import ClubProtocol
import ServiceKit

/// The rules of registrations that need no database.
enum RegistrationRules {
    /// Everybody registers themself; a representative also the people of the own organization; the operator anybody.
    static func mayRegister(_ member: Member, by principal: Principal) -> Bool {
        if member.gone { return false }
        switch principal.role {
        case .operator: return true
        case .representative:
            return member.id == principal.person
                || (principal.organization != nil && member.organization == principal.organization)
        default: return member.id == principal.person
        }
    }

    /// What the person asks for, best first: the only session where nothing is said.
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
