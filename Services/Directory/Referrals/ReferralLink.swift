import ClubProtocol
import Postgres
import ServiceKit

/// The signed links that give an expert access to one offer, and an ambassador to one referral, and to nothing else,
/// while they have the address that the link was mailed to.
enum ReferralLink {
    private static let offer = "referral-offer"
    private static let referral = "referral"
    /// How long a link still shows the outcome.
    private static let days = 60

    static func path(
        to id: ReferralOffer.ID, at email: EmailAddress, answerBy: Day, by links: SignedLinks
    ) -> String {
        let remaining = answerBy.daysSince1970 - Day.today.daysSince1970
        return invitation(
            AddressedLink.token(
                purpose: offer, subject: id, at: email, days: max(remaining, 0) + days, by: links))
    }

    static func path(to id: Referral.ID, at email: EmailAddress, by links: SignedLinks) -> String {
        followUp(AddressedLink.token(purpose: referral, subject: id, at: email, days: days, by: links))
    }

    static func followUp(_ token: String) -> String { "/v1/referral-follow-ups/\(token)" }

    static func invitation(_ token: String) -> String { "/v1/referral-invitations/\(token)" }

    /// - Throws: 404 for a token that was not made for an offer, has expired, or was mailed to an address that the
    ///   expert has given up.
    static func offer(
        _ token: String, by links: SignedLinks, on executor: any PostgresExecutor
    ) async throws -> ReferralOffer.ID {
        let link = try AddressedLink<ReferralOffer>(token, purpose: offer, by: links)
        try link.check(try await ReferralLetterStore.addresses(of: link.subject, on: executor))
        return link.subject
    }

    /// - Throws: 404 for a token that was not made for a referral, has expired, or was mailed to an address that the
    ///   ambassador has given up.
    static func referral(
        _ token: String, by links: SignedLinks, on executor: any PostgresExecutor
    ) async throws -> Referral.ID {
        let link = try AddressedLink<Referral>(token, purpose: referral, by: links)
        try link.check(try await ReferralLetterStore.addresses(of: link.subject, on: executor))
        return link.subject
    }
}
