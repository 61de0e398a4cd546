import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/referral-invitations`, `/v1/referral-follow-ups`: the pages behind the links of the letters.
struct ReferralPageRoutes: Sendable {
    let backend: Backend
    let renderer: PageRenderer

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowReferralInvitation.self, showInvitation)
        builder.routes.write(AnswerReferralInvitation.self, answerInvitation)
        builder.routes.read(ShowReferralFollowUp.self, showFollowUp)
        builder.routes.write(ReportReferralOutcome.self, reportOutcome)
    }

    private var transitions: ReferralTransitions { ReferralTransitions(backend: backend) }

    @Sendable func showInvitation(_ call: Call<ShowReferralInvitation>) async throws -> RouteResponse<TextDocument> {
        let id = try await ReferralLink.offer(call.path, by: backend.links, on: backend.database)
        guard let offer = try await ReferralLetterStore.shown(id, on: backend.database) else {
            throw Problem(.notFound)
        }
        return .text(
            renderer.html(
                .referralOffer, title: Self.offerTitle,
                offer.content(at: ReferralLink.invitation(call.path))))
    }

    @Sendable func answerInvitation(
        _ call: Call<AnswerReferralInvitation>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let id = try await ReferralLink.offer(call.path, by: backend.links, on: transaction)
        guard let offer = try await ReferralLetterStore.shown(id, on: transaction) else { throw Problem(.notFound) }
        let next = call.body.answer.state
        // Submitted twice, or too late: the page shows the current state.
        if offer.state.allows(next) {
            let note = ReferralNote(call.body.note)
            guard note.error == nil else {
                let content = offer.content(at: ReferralLink.invitation(call.path), note)
                return .text(
                    renderer.html(.referralOffer, title: Self.offerTitle, content), status: .unprocessableContent)
            }
            // In the expert's own name, with the rights of its own token.
            let principal = Principal(
                subject: "expert:\(offer.expert)", role: .expert, organization: Organization.ID(offer.expert.uuid))
            _ = try await transitions.change(
                id, .init(state: next, note: note.value), at: offer.version, by: principal, in: transaction)
        }
        return .seeOther(ReferralLink.invitation(call.path))
    }

    @Sendable func showFollowUp(_ call: Call<ShowReferralFollowUp>) async throws -> RouteResponse<TextDocument> {
        let id = try await ReferralLink.referral(call.path, by: backend.links, on: backend.database)
        return .text(try await followUp(id, at: ReferralLink.followUp(call.path), on: backend.database))
    }

    @Sendable func reportOutcome(
        _ call: Call<ReportReferralOutcome>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let id = try await ReferralLink.referral(call.path, by: backend.links, on: transaction)
        let path = ReferralLink.followUp(call.path)
        guard let told = try await ReferralLetterStore.told(call.body.offer, of: id, on: transaction) else {
            throw Problem(.notFound)
        }
        // Reported already, here or by the expert: the page shows the current state.
        guard told.isToBeTold else { return .seeOther(path) }
        var satisfaction: Int?
        if call.body.outcome == .done {
            satisfaction = call.body.satisfaction.flatMap { Int($0) }.flatMap { (1...5).contains($0) ? $0 : nil }
            guard satisfaction != nil else {
                return .text(
                    try await followUp(id, at: path, without: call.body.offer, on: transaction),
                    status: .unprocessableContent)
            }
        }
        // In the ambassador's own name, with the rights of its own token.
        let principal = Principal(
            subject: "ambassador:\(told.ambassador)", role: .ambassador, person: told.person)
        do {
            _ = try await transitions.change(
                call.body.offer, .init(state: call.body.outcome.state, satisfaction: satisfaction),
                at: told.version, by: principal, in: transaction)
        } catch let problem as Problem where [.stale, .transitionNotAllowed].contains(problem.type) {
            // By someone else at the same time.
        }
        return .seeOther(path)
    }

    private static let offerTitle = "Un besoin pour vous"

    /// - Parameter offer: one reported as done, but without a satisfaction.
    private func followUp(
        _ id: Referral.ID, at path: String, without offer: ReferralOffer.ID? = nil, on executor: any PostgresExecutor
    ) async throws -> String {
        guard let referral = try await ReferralLetterStore.followed(id, on: executor) else { throw Problem(.notFound) }
        let replies = try await ReferralLetterStore.replies(to: id, on: executor)
        return renderer.html(
            .referral, title: "Votre demande",
            referral.content(replies.map { $0.content(at: path, isSatisfactionMissing: $0.id == offer) }))
    }
}

extension ReferralLetterStore.Shown {
    /// - Parameter note: one that was not valid.
    fileprivate func content(at path: String, _ note: ReferralNote? = nil) -> [String: Any] {
        var content: [String: Any] = [
            "path": path, "open": state == .sent, "expert": expertName,
            "topics": topics.joined(separator: ", "), "place": ReferralPlace.text(postalCode, departement),
            "description": description.paragraphs, "answerBy": FrenchFormat.day(answerBy), "who": who,
            "several": places > 1,
            "places": places, "note": note?.typed ?? "",
        ]
        content["noteError"] = note?.error
        content["said"] = said
        content["hasWay"] = state == .accepted || state == .done
        let adviser = adviserEmail.map { ["name": "Votre interlocuteur au Club", "value": $0] }
        content["firm"] = (firm?.facts ?? []) + [adviser].compactMap(\.self)
        return content
    }

    private var who: String {
        guard let adviser else { return "L’équipe du Club" }
        return home.map { "\(adviser), \($0)" } ?? adviser
    }

    private var said: String? {
        switch state {
        case .sent: nil
        case .accepted: "Vous avez accepté. Merci\u{A0}: l’entreprise attend votre appel."
        case .declined: "Vous avez décliné. Merci d’avoir répondu."
        case .expired: "Le délai pour répondre est passé. Le Club ne vous en tient pas rigueur."
        case .withdrawn:
            "D’autres experts ont accepté, la demande a été close, ou vous avez quitté le réseau\u{A0}: vous n’avez plus à répondre."
        case .done: "Ce besoin est satisfait. Merci."
        case .abandoned: "Cette mise en relation a été abandonnée."
        }
    }
}

extension ReferralLetterStore.Followed {
    fileprivate func content(_ replies: [[String: Any]]) -> [String: Any] {
        [
            "topics": topics.joined(separator: ", "), "place": ReferralPlace.text(postalCode, departement),
            "description": description.paragraphs, "createdOn": FrenchFormat.day(createdAt), "state": said,
            "hasReplies": !replies.isEmpty, "replies": replies,
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
    fileprivate func content(at path: String, isSatisfactionMissing: Bool) -> [String: Any] {
        var content: [String: Any] = ["name": name, "place": place, "said": said]
        if isToBeTold {
            var form: [String: Any] = [
                "path": path, "offer": id.text, "isDone": state == .done,
                "choices": Self.degrees.map { degree in
                    ["value": degree.value, "label": degree.label, "selected": degree.value == satisfaction]
                        as [String: Any]
                },
            ]
            if isSatisfactionMissing { form["error"] = "Dites aussi si l’entreprise est satisfaite." }
            content["outcome"] = form
        }
        content["note"] = note
        let facts = [("Contact", contact), ("Adresse électronique", email), ("Téléphone", telephone?.written)]
        content["facts"] = facts.compactMap { name, value in value.map { (name, $0) } }.facts
        return content
    }

    private var said: String {
        let day = answeredAt.map { " le \(FrenchFormat.day($0))" } ?? ""
        return switch state {
        case .sent: "doit répondre jusqu’au \(FrenchFormat.day(answerBy))"
        case .accepted: "a accepté\(day)"
        case .declined: "a décliné\(day)"
        case .expired: "n’a pas répondu à temps"
        case .withdrawn: "n’a plus à répondre"
        case .done: "a fait le travail" + (satisfaction.map { " (satisfaction\u{A0}: \($0) sur 5)" } ?? "")
        case .abandoned: "l’affaire n’a pas abouti"
        }
    }

    private static let degrees: [(value: Int, label: String)] = [
        (5, "5 – très satisfaite"), (4, "4 – satisfaite"), (3, "3 – assez satisfaite"), (2, "2 – peu satisfaite"),
        (1, "1 – pas du tout satisfaite"),
    ]
}

extension Firm {
    fileprivate var facts: [[String: String]] {
        [
            ("Entreprise", name?.text), ("Contact", contact?.text), ("Adresse électronique", email?.text),
            ("Téléphone", telephone?.written),
        ].compactMap { name, value in value.map { (name, $0) } }.facts
    }
}

extension [(String, String)] {
    /// In the form that the templates use for the rows of a `dl`.
    fileprivate var facts: [[String: String]] { map { ["name": $0.0, "value": $0.1] } }
}

extension String {
    /// Separated by blank lines.
    fileprivate var paragraphs: [String] {
        unicodeScalars.split(whereSeparator: \.endsLine).map(String.init).filter { !$0.isBlank }
    }
}
