import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/referral-invitations`, `/v1/referral-follow-ups`: the pages behind the links of the letters.
struct ReferralPageRoutes: Sendable {
    let backend: Backend
    let renderer: PageRenderer

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        let answers = ReferralAnswers(backend: backend)
        parts.routes.read(ShowReferralInvitation.self) { call in
            let id = try ReferralLink.offer(call.path.token, by: backend.links)
            guard let offer = try await ReferralLetterStore.shown(id, on: database) else { throw Problem(.notFound) }
            return .text(
                renderer.html(
                    .referralOffer, title: "Un besoin pour vous",
                    offer.content(at: ReferralLink.invitation(call.path.token))))
        }
        parts.routes.write(AnswerReferralInvitation.self) { call, transaction in
            let id = try ReferralLink.offer(call.path.token, by: backend.links)
            guard let offer = try await ReferralLetterStore.shown(id, on: transaction) else { throw Problem(.notFound) }
            let next = call.body.answer.state
            // Pressed twice, or too late: the page says how it stands.
            if offer.state.allows(next) {
                let note: Prose? = try call.body.note.flatMap { note in
                    try note.allSatisfy(\.isWhitespace) ? nil : Prose(validating: note)
                }
                // In the expert's own name, with the rights that its own token would have.
                let principal = Principal(
                    subject: "expert:\(offer.expert)", role: .expert, organization: Organization.ID(offer.expert.uuid))
                _ = try await answers.change(
                    id, .init(state: next, note: note), at: offer.version, by: principal, in: transaction)
            }
            return .seeOther(ReferralLink.invitation(call.path.token))
        }
        parts.routes.read(ShowReferralFollowUp.self) { call in
            let id = try ReferralLink.referral(call.path.token, by: backend.links)
            guard let referral = try await ReferralLetterStore.followed(id, on: database) else {
                throw Problem(.notFound)
            }
            let replies = try await ReferralLetterStore.replies(to: id, on: database)
            return .text(renderer.html(.referral, title: "Votre demande", referral.content(replies)))
        }
    }
}

extension ReferralLetterStore.Shown {
    fileprivate func content(at path: String) -> [String: Any] {
        var content: [String: Any] = [
            "path": path, "open": state == .sent, "expert": expertName,
            "topics": topics.joined(separator: ", "), "place": "\(postalCode) (\(departement.name))",
            "description": description.paragraphs, "answerBy": French.day(answerBy), "who": who, "several": places > 1,
            "places": places,
        ]
        content["said"] = said
        content["hasWay"] = state == .accepted || state == .done
        let adviser = adviserEmail.map { ["name": "Votre interlocuteur au Club", "value": $0] }
        content["firm"] = (firm?.facts ?? []) + [adviser].compactMap(\.self)
        return content
    }

    private var who: String {
        guard let adviser else { return "L'équipe du Club" }
        return home.map { "\(adviser), \($0)" } ?? adviser
    }

    private var said: String? {
        switch state {
        case .sent: nil
        case .accepted: "Vous avez accepté. Merci : l'entreprise attend votre appel."
        case .declined: "Vous avez décliné. Merci d'avoir répondu."
        case .expired: "Le délai pour répondre est passé. Le Club ne vous en tient pas rigueur."
        case .withdrawn: "D'autres experts ont accepté, ou la demande a été close : vous n'avez plus à répondre."
        case .done: "Ce besoin est satisfait. Merci."
        case .abandoned: "Cette mise en relation a été abandonnée."
        }
    }
}

extension ReferralLetterStore.Followed {
    fileprivate func content(_ replies: [ReferralLetterStore.Reply]) -> [String: Any] {
        [
            "topics": topics.joined(separator: ", "), "place": "\(postalCode) (\(departement.name))",
            "description": description.paragraphs, "createdOn": French.day(createdAt), "state": said,
            "hasReplies": !replies.isEmpty, "replies": replies.map(\.content),
        ]
    }

    private var said: String {
        switch state {
        case .open: "Il reste une place à prendre."
        case .placed: "Les experts sont trouvés."
        case .closed: "Vous avez clos cette demande."
        }
    }
}

extension ReferralLetterStore.Reply {
    fileprivate var content: [String: Any] {
        var content: [String: Any] = ["name": name, "place": place, "said": said]
        content["note"] = note
        let facts = [("Contact", contact), ("Adresse électronique", email), ("Téléphone", telephone)]
        content["facts"] = facts.compactMap { name, value in value.map { (name, $0) } }.facts
        return content
    }

    private var said: String {
        let day = answeredAt.map { " le \(French.day($0))" } ?? ""
        return switch state {
        case .sent: "doit répondre jusqu'au \(French.day(answerBy))"
        case .accepted: "a accepté\(day)"
        case .declined: "a décliné\(day)"
        case .expired: "n'a pas répondu à temps"
        case .withdrawn: "n'a plus à répondre"
        case .done: "a fait le travail"
        case .abandoned: "a renoncé"
        }
    }
}

extension Firm {
    fileprivate var facts: [[String: String]] {
        [
            ("Entreprise", name?.text), ("Contact", contact?.text), ("Adresse électronique", email?.text),
            ("Téléphone", telephone?.text),
        ].compactMap { name, value in value.map { (name, $0) } }.facts
    }
}

extension [(String, String)] {
    /// As the templates take the lines of a `dl`.
    fileprivate var facts: [[String: String]] { map { ["name": $0.0, "value": $0.1] } }
}

extension String {
    /// What blank lines part.
    fileprivate var paragraphs: [String] {
        split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
