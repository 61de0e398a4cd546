import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/unsubscriptions/{token}` and `/v1/preferences/{token}`: what readers say by the links in their mails.
struct ReaderRoutes: Sendable {
    let backend: Backend
    let pages: ReaderPages

    func mount(on builder: inout ServiceBuilder) {
        let links = backend.links
        builder.routes.read(ShowUnsubscription.self, showUnsubscription)
        builder.routes.write(
            Unsubscribe.self, isUncounted: { (try? ReaderLink($0, links))?.purpose != nil }, unsubscribe)
        builder.routes.read(ShowPreferences.self, showPreferences)
        builder.routes.write(ChangePreferences.self, changePreferences)
        builder.routes.problemPage(pages.problem)
        builder.snapshot(.consentReturn, ReaderStore.returns)
    }

    // MARK: Leaving

    @Sendable func showUnsubscription(_ call: Call<ShowUnsubscription>) async throws -> RouteResponse<TextDocument> {
        let (link, purpose) = try leaving(call.path)
        let standing = try await standing(of: link, on: backend.database)
        guard let departure = standing.departure(from: purpose) else {
            return .text(pages.leave(link, from: purpose, call.path))
        }
        return .text(pages.left(link, from: purpose, isFresh: departure.isFresh, call.path))
    }

    /// With one click, in the reader's mail program (RFC 8058): no redirect and no content, which nobody would see.
    @Sendable func unsubscribe(
        _ call: Call<Unsubscribe>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        let (link, purpose) = try leaving(call.path)
        // An erased person gets no mail anyway; suppressing the address would store it again.
        if try await !ErasedReaders.contains(link.email, in: transaction) {
            try await leave(link, [purpose], by: call.principal, in: transaction)
        }
        var answer = RouteResponse<Empty>.empty
        answer.status = .ok
        return answer
    }

    /// - Throws: 404 for a link that is not valid, and for one that was asked for, by which nothing is left at once.
    private func leaving(_ token: String) throws -> (ReaderLink, Suppression.Purpose) {
        let link = try ReaderLink(token, backend.links)
        guard let purpose = link.purpose else { throw Problem(.notFound) }
        return (link, purpose)
    }

    private func leave(
        _ link: ReaderLink, _ purposes: [Suppression.Purpose], by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        for purpose in purposes {
            try await SuppressionStore.add(
                link.email, .unsubscribed, for: purpose, by: principal, in: transaction)
        }
        if let mail = link.mail, let purpose = link.purpose, purposes.contains(purpose) {
            try await MailReportStore.addDeparture(of: MailMessage.ID(mail), from: nil, in: transaction)
        }
    }

    // MARK: Preferences

    @Sendable func showPreferences(_ call: Call<ShowPreferences>) async throws -> RouteResponse<TextDocument> {
        let link = try ReaderLink(call.path, backend.links)
        return .text(pages.preferences(link, try await standing(of: link, on: backend.database), call.path))
    }

    @Sendable func changePreferences(
        _ call: Call<ChangePreferences>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let link = try ReaderLink(call.path, backend.links)
        guard try await !ErasedReaders.contains(link.email, in: transaction) else { throw Problem(.erased) }
        let purpose = call.body.purpose ?? link.purpose ?? .flashInfo
        switch call.body.action {
        case .save: return try await save(link, call, transaction)
        case .leave:
            try await leave(link, [purpose], by: call.principal, in: transaction)
            return .text(pages.left(link, from: purpose, isFresh: true, call.path))
        case .leaveAll:
            try await leave(link, Suppression.Purpose.allCases, by: call.principal, in: transaction)
            return try await shown(.left, link, call.path, transaction)
        case .comeBack: return try await comeBack(link, to: purpose, call, transaction)
        }
    }

    private func save(
        _ link: ReaderLink, _ call: Call<ChangePreferences>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        var form = PreferenceForm(call.body)
        let standing = try await standing(of: link, on: transaction)
        let invitations = standing.departure(from: .eventInvitations)
        if form.wantsInvitations, invitations?.isFresh == false { form.refuseInvitations() }
        guard form.errors.isEmpty else {
            var answer = RouteResponse.text(
                pages.preferences(link, standing, call.path, sent: call.body, errors: form.errors))
            answer.status = .unprocessableContent
            return answer
        }
        try await ReaderStore.save(form.preference, of: link.email, by: call.principal, in: transaction)
        if form.wantsInvitations, invitations != nil {
            _ = try await ReaderStore.comeBack(
                link.email, to: .eventInvitations, by: call.principal, in: transaction)
        } else if !form.wantsInvitations, invitations == nil {
            try await leave(link, [.eventInvitations], by: call.principal, in: transaction)
        }
        return try await shown(.saved, link, call.path, transaction)
    }

    private func comeBack(
        _ link: ReaderLink, to purpose: Suppression.Purpose, _ call: Call<ChangePreferences>,
        _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let isBack = try await ReaderStore.comeBack(link.email, to: purpose, by: call.principal, in: transaction)
        // Asked twice, they are back all the same.
        guard !isBack, try await standing(of: link, on: transaction).departure(from: purpose) != nil else {
            return try await shown(.back(purpose), link, call.path, transaction)
        }
        var answer = try await shown(.tooLate(purpose), link, call.path, transaction)
        answer.status = .conflict
        return answer
    }

    private func shown(
        _ done: ReaderPages.Done, _ link: ReaderLink, _ token: String, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        .text(pages.preferences(link, try await standing(of: link, on: transaction), token, done: done))
    }

    /// - Throws: 410 if the reader of the address was erased at their own request.
    private func standing(
        of link: ReaderLink, on executor: any PostgresExecutor
    ) async throws -> ReaderStore.Standing {
        let standing = try await ReaderStore.standing(of: link.email, on: executor)
        guard !standing.isErased else { throw Problem(.erased) }
        return standing
    }
}
