import ClubProtocol
import Postgres
import ServiceKit

/// The people who write the Flash info, as the service itself writes to them.
struct Editors: Sendable {
    /// `EDITORS_EMAIL`; nil: nothing is written, and what they should know is on the health page only.
    let email: EmailAddress?

    /// Writes them a letter that goes out if the transaction commits. The texts may come from outside: what no letter
    /// may contain is left out, and what is too long is cut off.
    ///
    /// - Parameters:
    ///   - paragraphs: in French; at most 20 are sent.
    ///   - replyTo: who gets the answer.
    func tell(
        subject: String, paragraphs: [String], replyTo: EmailAddress? = nil, in transaction: PostgresTransaction
    ) async throws {
        guard let email else { return }
        let prose = paragraphs.compactMap { try? Prose(validating: Self.cleaned($0, atMost: 20_000, keepsLines: true)) }
        let body = SendLetter.Body(
            key: try Line(validating: "editors/\(Letter.ID())"), purpose: .notice, email: email, replyTo: replyTo,
            subject: (try? Line(validating: Self.cleaned(subject, atMost: 200, keepsLines: false))) ?? "Flash info",
            paragraphs: prose.isEmpty ? ["(Message sans texte.)"] : Array(prose.prefix(20)))
        _ = try await LetterIntake(principal: .service(.content), transaction: transaction).take([.init(body: body)])
    }

    /// Without control characters, and without those that change the direction of what follows.
    private static func cleaned(_ text: String, atMost count: Int, keepsLines: Bool) -> String {
        let kept = text.prefix(scalars: 4 * count).removingScalars { scalar in
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: !keepsLines
            case 0...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C, 0x2028, 0x2029,
                0xFFFE, 0xFFFF:
                true
            default: false
            }
        }
        return String(kept.prefix(scalars: count))
    }
}
