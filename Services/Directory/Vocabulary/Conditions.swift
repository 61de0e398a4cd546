import ClubProtocol
import Postgres
import ServiceKit

/// Conditions shared by several lists. A condition that selects few rows for some values and nearly all for others has
/// its statement planned by its value.
extension SQL {
    /// Which records that organizations have, such as memberships, a caller may see: a representative those of its own.
    static func recordsOfOrganizations(visibleTo principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["organization = \(principal.organization)"]
        case .ambassador, .expert: ["false"]
        }
    }

    static func isAbout(_ topic: Topic) -> SQL {
        let condition: SQL = "topics @> \([topic])::text[]"
        return condition.plannedByValue
    }

    static func serves(_ departement: Departement) -> SQL {
        let condition: SQL = "departements @> \([departement])::text[]"
        return condition.plannedByValue
    }

    static func resells(_ brand: Line) -> SQL {
        let condition: SQL = "brand_keys @> array[directory.folded(\(brand.text))]"
        return condition.plannedByValue
    }

    /// Whether an e-mail address or a telephone number of a row contains this part.
    static func hasContact(_ part: ContactPart) -> SQL {
        let pattern = part.pattern.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        let condition: SQL = "contact_text like \("%\(pattern)%")"
        return condition.plannedByValue
    }

    /// Whether mail to an address of a row comes back. Indexes by name list the few of which that is true.
    static func isUnreachable(_ unreachable: Bool) -> SQL {
        unreachable ? "unreachable is not null" : "unreachable is null"
    }

    static func hasChanged(since time: Timestamp) -> SQL {
        let condition: SQL = "updated_at >= \(time)"
        return condition.plannedByValue
    }

    /// Whether a period, `during`, contains this day. Indexes on its first day bound the scan.
    static func isActive(on day: Day) -> SQL {
        let condition: SQL = "(during @> \(day)::date and from_day <= \(day)::date)"
        return condition.plannedByValue
    }

    /// Whether a row's text contains all of `words`, ignoring inflection and accents, or something spelt like each of
    /// them.
    static func matches(_ words: Line) -> SQL {
        let condition: SQL = """
            (search @@ directory.search_query(\(words.text))
                or (\(spelling(of: words))))
            """
        return condition.plannedByValue
    }

    /// Whether a row's name contains, for each of `words`, something spelt like it.
    static func nameMatches(_ words: Line) -> SQL {
        spelling(of: words).plannedByValue
    }

    /// Each word on its own, so that their order does not matter. Words of one or two letters are too short to exclude
    /// a row and are ignored, unless there are no others; beyond eight, words only add cost. "St" counts as "Saint", as
    /// in the column, which is built with `directory.searched`; as the last word it also counts as the beginning of a
    /// word.
    private static func spelling(of words: Line) -> SQL {
        let all = words.text.split { $0.isWhitespace || $0.isPunctuation }.map(String.init)
        let abbreviations = ["st", "ste", "sts", "stes"]
        func isSaint(_ word: String) -> Bool { abbreviations.contains(word.lowercased()) }
        let long = all.filter { $0.count > 2 || isSaint($0) }
        let counted = (long.isEmpty ? all : long).prefix(8)
        let conditions = counted.enumerated().map { index, word -> SQL in
            let typed: SQL = "directory.folded(\(word)) operator(directory.<%) search_text"
            guard isSaint(word) else { return typed }
            let saint: SQL = "directory.searched(\(word)) operator(directory.<%) search_text"
            return index == counted.count - 1 ? "(\(saint) or \(typed))" : saint
        }
        return conditions.isEmpty ? "false" : conditions.all
    }

    /// Whether an expert is in the public directory: its list, its pages, and what ambassadors can choose from. The one
    /// place that decides it.
    ///
    /// Nearly all agree, which the planner cannot know of a condition on `jsonb`: written as a boolean expression, it
    /// has statistics, and an index by name of the experts who meet it (`expert_published_idx`).
    static var published: SQL { "\(listed) and \(isPresent)" }

    /// The experts in the public directory's index by name: those who are shown, and those who would be if their record
    /// were fresh.
    private static var listed: SQL { "(\(agreed(to: .publicDirectory))) is true and left_on is null" }

    /// Whether a row's person or firm agreed to a purpose.
    static func agreed(to purpose: Purpose) -> SQL {
        switch purpose {
        case .flashInfo: #"consents @> '{"flashInfo": {"agreed": true}}'"#
        case .eventInvitations: #"consents @> '{"eventInvitations": {"agreed": true}}'"#
        case .publicDirectory: #"consents @> '{"publicDirectory": {"agreed": true}}'"#
        case .partnerOffers: #"consents @> '{"partnerOffers": {"agreed": true}}'"#
        }
    }
}
