import ClubProtocol
import ServiceKit

/// The signed links by which ambassadors and experts come to their own record, and to nothing else.
enum SelfServiceLink {
    private static let purpose = "self-service"

    /// The path of the page that the link leads to.
    static func path(to enrollee: Enrollee, days: Int, by links: SignedLinks) -> String {
        let token = links.token(
            purpose: purpose, subject: enrollee.text, expires: .now.advanced(by: .seconds(days * 86_400)))
        return path(token)
    }

    static func path(_ token: String) -> String { "/v1/self-service/\(token)" }

    /// Whose record a token opens.
    ///
    /// - Throws: 404 for every token that was not made for this, or has expired.
    static func open(_ token: String, by links: SignedLinks) throws -> Enrollee {
        guard let enrollee = Enrollee(text: try links.open(token, purpose: purpose)) else { throw Problem(.notFound) }
        return enrollee
    }
}

extension Enrollee {
    /// `expert:0193…`
    var text: String {
        switch self {
        case .ambassador(let id): "ambassador:\(id)"
        case .expert(let id): "expert:\(id)"
        }
    }

    init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "ambassador":
            guard let id = try? Ambassador.ID(validating: parts[1]) else { return nil }
            self = .ambassador(id)
        case "expert":
            guard let id = try? Expert.ID(validating: parts[1]) else { return nil }
            self = .expert(id)
        default: return nil
        }
    }
}
