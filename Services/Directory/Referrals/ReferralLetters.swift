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
        let who =
            switch (open.isAmbassadors, open.home) {
            case (true, let home?): "Un ambassadeur du Club (\(home)) vous propose"
            case (true, nil): "Un ambassadeur du Club vous propose"
            case (false, _): "L’équipe du Club vous propose"
            }
        let first =
            open.places == 1
            ? "Le besoin revient au premier qui accepte."
            : "Le besoin revient aux \(open.places) premiers qui acceptent."
        try await letters.send(
            SendLetter.Body(
                key: try Line(validating: "referral:\(offer)"), purpose: .notice, email: open.recipient.email,
                name: open.recipient.name, reader: open.recipient.subject,
                subject: try Line(
                    validating: "Une entreprise cherche un expert\u{A0}: \(open.departement.name) (\(open.departement))"
                ),
                paragraphs: [
                    try Prose(
                        validating: "\(who) le besoin d’une entreprise "
                            + "\(ReferralPlace.phrase(open.postalCode, open.departement)). "
                            + "Sujet\u{A0}: \(open.topics.joined(separator: ", "))."),
                    try Prose(
                        validating:
                            "Vous pouvez accepter ou décliner jusqu’au \(FrenchFormat.day(open.answerBy)) inclus. \(first) "
                            + "La page décrit le besoin, et vous montre, dès que vous acceptez, à qui vous adresser."),
                    "Ce lien est le vôtre\u{A0}: ne le transmettez à personne.",
                ],
                action: .init(
                    label: "Lire et répondre",
                    url: try letters.link(
                        ReferralLink.path(
                            to: offer, at: open.recipient.email, answerBy: open.answerBy, by: backend.links)))))
    }

    private func tell(_ answered: Answered) async throws {
        guard let news = try await ReferralLetterStore.news(of: answered.offer, on: backend.database) else { return }
        let subject: Line
        let what: String
        switch answered.state {
        case .accepted: (subject, what) = ("Un expert a accepté votre demande", "Un expert a accepté")
        case .declined: (subject, what) = ("Un expert a décliné votre demande", "Un expert a décliné")
        case .abandoned: (subject, what) = ("Un expert a renoncé à votre demande", "Un expert a renoncé à")
        case .expired:
            (subject, what) = ("Un expert n’a pas répondu à temps", "Un expert a laissé passer le délai pour")
        case .withdrawn:
            (subject, what) = (
                "Un expert ne répondra pas à votre demande", "Un expert a quitté le réseau avant de répondre pour"
            )
        case .sent, .done: return
        }
        let next =
            switch news.state {
            case .placed: "Tous les experts qu’il faut sont trouvés\u{A0}: personne d’autre n’est sollicité."
            case .closed: "Vous avez clos cette demande\u{A0}: personne d’autre n’est sollicité."
            case .open where news.asked > 0:
                news.asked == 1
                    ? "Un autre expert doit encore répondre." : "\(news.asked) autres experts doivent encore répondre."
            case .open: "Plus aucun expert ne doit répondre\u{A0}: vous pouvez en solliciter d’autres."
            }
        try await letters.send(
            SendLetter.Body(
                key: try Line(validating: "referral-answer:\(answered.offer):\(answered.state.rawValue)"),
                purpose: .notice, email: news.recipient.email, name: news.recipient.name,
                reader: news.recipient.subject,
                subject: subject,
                paragraphs: [
                    try Prose(
                        validating:
                            "\(what) le besoin que vous avez transmis le \(FrenchFormat.day(news.createdAt)) pour une "
                            + "entreprise \(ReferralPlace.phrase(news.postalCode))\u{A0}: \(news.topics.joined(separator: ", "))."
                    ),
                    try Prose(validating: next),
                    "La page dit qui a répondu quoi, et comment joindre qui a accepté. Ne transmettez le lien à personne.",
                ],
                action: .init(
                    label: "Suivre ma demande",
                    url: try letters.link(
                        ReferralLink.path(to: news.referral, at: news.recipient.email, by: backend.links)))))
    }

    /// Sends nothing if the outcome was reported meanwhile.
    private func askOutcome(of offer: ReferralOffer.ID) async throws {
        guard let news = try await ReferralLetterStore.news(of: offer, on: backend.database),
            news.answer == .accepted, let answeredAt = news.answeredAt
        else { return }
        try await letters.send(
            SendLetter.Body(
                key: try Line(validating: "referral-outcome:\(offer)"), purpose: .notice, email: news.recipient.email,
                name: news.recipient.name, reader: news.recipient.subject,
                subject: "Qu’est devenue votre demande\u{202F}?",
                paragraphs: [
                    try Prose(
                        validating:
                            "Un expert a accepté, le \(FrenchFormat.day(answeredAt)), le besoin que vous avez transmis le "
                            + "\(FrenchFormat.day(news.createdAt)) pour une entreprise \(ReferralPlace.phrase(news.postalCode))\u{A0}: "
                            + "\(news.topics.joined(separator: ", "))."),
                    "Le travail est-il fait, et l’entreprise satisfaite\u{202F}? Ou l’affaire n’a-t-elle pas abouti\u{202F}? Dites-le sur la page de votre demande\u{A0}: les prochaines entreprises seront mieux conseillées.",
                    "Nous ne vous le demanderons pas une seconde fois. Ne transmettez le lien à personne.",
                ],
                action: .init(
                    label: "Dire ce qu’il en est",
                    url: try letters.link(
                        ReferralLink.path(to: news.referral, at: news.recipient.email, by: backend.links)))))
    }
}

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
                purpose: offer, subject: id.text, at: email, days: max(remaining, 0) + days, by: links))
    }

    static func path(to id: Referral.ID, at email: EmailAddress, by links: SignedLinks) -> String {
        followUp(AddressedLink.token(purpose: referral, subject: id.text, at: email, days: days, by: links))
    }

    static func followUp(_ token: String) -> String { "/v1/referral-follow-ups/\(token)" }

    static func invitation(_ token: String) -> String { "/v1/referral-invitations/\(token)" }

    /// - Throws: 404 for a token that was not made for an offer, has expired, or was mailed to an address that the
    ///   expert has given up.
    static func offer(
        _ token: String, by links: SignedLinks, on executor: any PostgresExecutor
    ) async throws -> ReferralOffer.ID {
        let link = try AddressedLink(token, purpose: offer, by: links)
        guard let id = try? ReferralOffer.ID(validating: link.subject) else { throw Problem(.notFound) }
        try link.check(try await ReferralLetterStore.addresses(of: id, on: executor), by: links)
        return id
    }

    /// - Throws: 404 for a token that was not made for a referral, has expired, or was mailed to an address that the
    ///   ambassador has given up.
    static func referral(
        _ token: String, by links: SignedLinks, on executor: any PostgresExecutor
    ) async throws -> Referral.ID {
        let link = try AddressedLink(token, purpose: referral, by: links)
        guard let id = try? Referral.ID(validating: link.subject) else { throw Problem(.notFound) }
        try link.check(try await ReferralLetterStore.addresses(of: id, on: executor), by: links)
        return id
    }
}
