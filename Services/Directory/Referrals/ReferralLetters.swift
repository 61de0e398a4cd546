import ClubProtocol
import Postgres
import ServiceKit

/// The letters about referrals: to each expert who is asked; to the ambassador on each answer, and a month after an
/// acceptance.
///
/// They name no person and no expert, and leave out the need, whose text may name someone: the pages behind their links
/// show it, from the records as they are when the page is opened. So the content service's copy of a letter to one
/// person says nothing about another.
struct ReferralLetters: Sendable {
    /// A change to an offer's state.
    struct Answered: Codable, Sendable {
        var offer: ReferralOffer.ID
        var state: ReferralOffer.State
    }

    private static let invitation = JobKind<ReferralOffer.ID>("referral.invitation", maximumAttempts: 500)
    private static let answer = JobKind<Answered>("referral.answer", maximumAttempts: 500)
    private static let outcome = JobKind<ReferralOffer.ID>("referral.outcome", maximumAttempts: 500)

    let backend: Backend
    let letters: LetterClient

    func mount(on builder: inout ServiceBuilder) {
        builder.job(Self.invitation, concurrency: 2) { offer, _ in try await invite(offer) }
        builder.job(Self.answer, concurrency: 2) { answered, _ in try await tell(answered) }
        builder.job(Self.outcome, concurrency: 2) { offer, _ in try await askOutcome(of: offer) }
        builder.schedule("referral-outcomes", .every(.seconds(3600))) { job in
            try await askOutcomes { try await job.heartbeat() }
        }
    }

    /// Writes to the experts of these new offers, once the transaction has committed. An offer belongs to one expert
    /// and one referral, and has one letter however often its job runs.
    static func invite(
        _ offers: [ReferralOffer.ID], _ backend: Backend, in transaction: PostgresTransaction
    ) async throws {
        try await backend.jobs.enqueue(invitation, all: offers, unique: { $0.text }, in: transaction)
    }

    /// Tells the ambassador who brought the need, once the transaction has committed.
    static func tell(_ answers: [Answered], _ backend: Backend, in transaction: PostgresTransaction) async throws {
        try await backend.jobs.enqueue(
            answer, all: answers, unique: { "\($0.offer):\($0.state.rawValue)" }, in: transaction)
    }

    /// Asks ambassadors for the outcome of their needs, once for each accepted offer.
    func askOutcomes(betweenPieces: () async throws -> Void = {}) async throws {
        var count = 1
        while count > 0 {
            count = try await backend.database.transaction { transaction in
                let offers = try await ReferralOfferStore.askOutcomes(in: transaction)
                try await backend.jobs.enqueue(Self.outcome, all: offers, unique: { $0.text }, in: transaction)
                return offers.count
            }
            try await betweenPieces()
        }
    }

    private func invite(_ offer: ReferralOffer.ID) async throws {
        guard let open = try await ReferralLetterStore.invitation(offer, on: backend.database) else { return }
        try await letters.send(
            .referralInvitation, key: "referral:\(offer)", to: open.recipient, open.letter,
            link: ReferralLink.path(to: offer, at: open.recipient.email, answerBy: open.answerBy, by: backend.links))
    }

    private func tell(_ answered: Answered) async throws {
        guard let news = try await ReferralLetterStore.news(of: answered.offer, on: backend.database) else { return }
        switch answered.state {
        case .accepted, .declined, .abandoned, .expired, .withdrawn: break
        case .sent, .done: return
        }
        try await letters.send(
            .referralAnswer, key: "referral-answer:\(answered.offer):\(answered.state.rawValue)", to: news.recipient,
            news.letter(on: answered.state),
            link: ReferralLink.path(to: news.referral, at: news.recipient.email, by: backend.links))
    }

    /// Sends nothing if the outcome was reported meanwhile.
    private func askOutcome(of offer: ReferralOffer.ID) async throws {
        guard let news = try await ReferralLetterStore.news(of: offer, on: backend.database),
            news.answer == .accepted, let answeredAt = news.answeredAt
        else { return }
        try await letters.send(
            .referralOutcome, key: "referral-outcome:\(offer)", to: news.recipient, news.letter(answeredAt: answeredAt),
            link: ReferralLink.path(to: news.referral, at: news.recipient.email, by: backend.links))
    }
}

extension ReferralLetterStore.Invitation {
    /// The content of the letter to the expert.
    var letter: [String: Any] {
        var content: [String: Any] = [
            "departement": "\(departement.name) (\(departement))", "isAmbassadors": isAmbassadors,
            "place": ReferralPlace.phrase(postalCode, departement), "topics": topics,
            "answerBy": FrenchFormat.day(answerBy), "several": places > 1, "places": places,
        ]
        content["home"] = home
        return content
    }
}

extension ReferralLetterStore.News {
    private var need: [String: Any] {
        ["createdOn": FrenchFormat.day(createdAt), "place": ReferralPlace.phrase(postalCode), "topics": topics]
    }

    /// The content of the letter to the ambassador about a change to an offer's state.
    func letter(on answer: ReferralOffer.State) -> [String: Any] {
        let next =
            switch state {
            case .placed: "placed"
            case .closed: "closed"
            case .open: asked > 1 ? "severalAsked" : asked == 1 ? "oneAsked" : "noneAsked"
            }
        return need.merging([answer.rawValue: true, next: true, "asked": asked]) { $1 }
    }

    /// The content of the letter that asks the ambassador for the outcome.
    func letter(answeredAt: Timestamp) -> [String: Any] {
        need.merging(["answeredOn": FrenchFormat.day(answeredAt)]) { $1 }
    }
}
