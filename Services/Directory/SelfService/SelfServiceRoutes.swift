import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/self-service`: the pages behind the links in mails. Each of them acts on the record of its link, in that
/// record's own name, and by the same statements as the API.
struct SelfServiceRoutes: Sendable {
    let backend: Backend
    let pages: SelfServicePages
    let links: SelfServiceLinks

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowSelfServiceEntry.self, showEntry)
        builder.routes.write(SubmitSelfServiceEmail.self, submitEmail)
        builder.routes.read(ShowOwnRecord.self, showRecord)
        builder.routes.read(ShowOwnRecordForm.self, showRecordForm)
        builder.routes.write(ConfirmOwnRecord.self, confirmRecord)
        builder.routes.write(TransitionOwnEnrolment.self, transitionEnrolment)
        builder.routes.read(GetOwnData.self, getData)
        builder.routes.write(RequestOwnErasure.self, requestErasure)
        builder.routes.write(ChangeOwnRecord.self, changeRecord)
    }

    @Sendable func showEntry(_: Call<ShowSelfServiceEntry>) async throws -> RouteResponse<TextDocument> {
        .text(pages.linkRequest())
    }

    @Sendable func submitEmail(
        _ call: Call<SubmitSelfServiceEmail>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        guard let email = try? EmailAddress(validating: call.body.email) else {
            return .text(
                pages.linkRequest(
                    value: call.body.email, error: "Cette adresse n’est pas valide. Exemple\u{A0}: nom@exemple.fr"),
                status: .unprocessableContent)
        }
        try await links.ask(email, in: transaction)
        return .text(pages.linkRequest(sent: true))
    }

    @Sendable func showRecord(_ call: Call<ShowOwnRecord>) async throws -> RouteResponse<TextDocument> {
        let record = try await record(call.path, on: backend.database)
        let topics = try await SelfServiceStore.topics(on: backend.database)
        let path = SelfServiceLink.path(call.path)
        let isAsked = try await ErasureStore.isRequested(for: record.subject, on: backend.database)
        return .text(
            pages.record(record, at: path, topics, done: call.query.done, isErasureAsked: isAsked))
    }

    @Sendable func showRecordForm(_ call: Call<ShowOwnRecordForm>) async throws -> RouteResponse<TextDocument> {
        let record = try await record(call.path, on: backend.database)
        guard record.leftOn == nil else { return .seeOther(SelfServiceLink.path(call.path)) }
        let topics = try await SelfServiceStore.topics(on: backend.database)
        let questions = try await ConsentStore.questions(on: backend.database)
        return .text(
            pages.form(of: record, at: SelfServiceLink.path(call.path), topics, questions: questions))
    }

    @Sendable func confirmRecord(
        _ call: Call<ConfirmOwnRecord>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        try await confirm(try await acting(call.path, in: transaction), in: transaction)
        return done(.confirmed, call.path)
    }

    @Sendable func transitionEnrolment(
        _ call: Call<TransitionOwnEnrolment>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let record = try await acting(call.path, in: transaction)
        let next = call.body.to
        try await EnrolmentTransitions(backend: backend).transition(
            record.enrollee, to: next, by: record.principal, in: transaction)
        return done(next == .left ? .left : .enrolled, call.path)
    }

    @Sendable func getData(_ call: Call<GetOwnData>) async throws -> RouteResponse<AccessDocument> {
        let record = try await record(call.path, on: backend.database)
        let document = try await PersonalRecords(backend: backend).document(
            of: record.subject, for: record.principal)
        var answer = RouteResponse<AccessDocument>.value(document)
        answer.headers = .attachment("mes-donnees.json")
        return answer
    }

    @Sendable func requestErasure(
        _ call: Call<RequestOwnErasure>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let record = try await acting(call.path, in: transaction)
        try await Eraser(backend: backend).requestOnce(record.subject, by: record.principal, in: transaction)
        return done(.erasureAsked, call.path)
    }

    @Sendable func changeRecord(
        _ call: Call<ChangeOwnRecord>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TextDocument> {
        let record = try await acting(call.path, in: transaction)
        let topics = try await SelfServiceStore.topics(on: transaction)
        var form = SelfServiceForm(call.body, known: Set(topics.map(\.code)))
        try await form.checkAddress(of: record, in: transaction)
        guard form.errors.isEmpty else {
            let path = SelfServiceLink.path(call.path)
            let questions = try await ConsentStore.questions(on: transaction)
            return .text(
                pages.form(
                    of: record, at: path, topics, questions: questions, sent: call.body, errors: form.errors),
                status: .unprocessableContent)
        }
        try await change(record, form, call.body, in: transaction)
        try await confirm(record, in: transaction)
        guard let old = record.email, let new = form.email, old.text.asciiLowercased != new.text.asciiLowercased
        else {
            return done(.changed, call.path)
        }
        let changed = try await SelfServiceStore.record(of: record.enrollee, on: transaction)
        try await links.tell(of: changed, at: old, in: transaction)
        // The link that the form was opened by is now one to the old address.
        return done(
            .changed,
            at: SelfServiceLink.path(
                to: record.enrollee, at: new, days: SelfServiceLinks.linkDays, isMailed: false, by: backend.links))
    }

    private func record(_ token: String, on executor: any PostgresExecutor) async throws -> SelfRecord {
        try await open(token, on: executor).record
    }

    /// The same for requests that change something; a page may be opened by a mail program.
    private func acting(_ token: String, in transaction: PostgresTransaction) async throws -> SelfRecord {
        let (record, address) = try await open(token, on: transaction)
        if let address { try await AddressStore.confirm(address, of: record.subject, in: transaction) }
        return record
    }

    /// The record of a link, and its address whose mailbox the user of the link is known to read.
    ///
    /// - Throws: 404 for a link that is not valid, or no longer.
    private func open(
        _ token: String, on executor: any PostgresExecutor
    ) async throws -> (record: SelfRecord, confirmed: EmailAddress?) {
        let link = try SelfServiceLink(token, by: backend.links)
        let record = try await SelfServiceStore.record(of: link.enrollee, on: executor)
        let addresses = try await AddressStore.addresses(of: record.subject, on: executor)
        guard link.isValid(at: addresses, by: backend.links) else { throw Problem(.notFound) }
        return (record, link.confirmed(among: addresses, by: backend.links))
    }

    private func confirm(_ record: SelfRecord, in transaction: PostgresTransaction) async throws {
        try await EnrolmentTransitions(backend: backend).confirm(
            record.enrollee, by: record.principal, in: transaction)
    }

    private func change(
        _ record: SelfRecord, _ form: SelfServiceForm, _ body: ChangeOwnRecord.Body, in transaction: PostgresTransaction
    ) async throws {
        let principal = record.principal
        try await ConsentStore.setProvenance(.own, by: principal, in: transaction)
        switch record {
        case .expert(let expert):
            let patch = ChangeExpert.Body(
                contactName: .some(form.contactName), email: .some(form.email), telephone: .some(form.telephone),
                departements: form.departements, topics: form.topics, brands: form.brands,
                website: .some(form.website), consents: form.consents)
            let rows = try await ExpertStore.change(expert.id, patch, at: body.version, by: principal, in: transaction)
            try await transaction.record(
                .changed, .expert, expert.id, version: try rows.first?["version"], values: patch, by: principal)
        case .ambassador(let ambassador, let person):
            let own = ChangePerson.Body(
                honorificPrefix: body.honorificPrefix.map { _ in form.honorificPrefix },
                email: .some(form.email), otherEmails: body.otherEmails.map { _ in form.otherEmails },
                telephone: .some(form.telephone),
                otherTelephones: body.otherTelephones.map { _ in form.otherTelephones },
                jobTitle: body.jobTitle.map { _ in form.jobTitle }, consents: form.consents)
            let changed = try await PersonStore.change(
                person.id, own, at: body.personVersion, by: principal, in: transaction)
            try await transaction.record(
                .changed, .person, person.id, version: try changed.first?["version"], values: own, by: principal)
            let patch = ChangeAmbassador.Body(topics: form.topics, departements: form.departements)
            let rows = try await AmbassadorStore.change(
                ambassador.id, patch, at: body.version, by: principal, in: transaction)
            try await transaction.record(
                .changed, .ambassador, ambassador.id, version: try rows.first?["version"], values: patch, by: principal)
        }
    }

    private func done(_ done: ShowOwnRecord.Done, _ token: String) -> RouteResponse<TextDocument> {
        self.done(done, at: SelfServiceLink.path(token))
    }

    private func done(_ done: ShowOwnRecord.Done, at path: String) -> RouteResponse<TextDocument> {
        .seeOther("\(path)?done=\(done.rawValue)")
    }
}

extension SelfServiceForm {
    /// Links and letters need an address, so an existing one may be changed but not removed. Two people do not share
    /// one; but anyone trying addresses must not learn whose one is, or that it is in use.
    fileprivate mutating func checkAddress(of record: SelfRecord, in transaction: PostgresTransaction) async throws {
        guard let email else {
            if record.email != nil, errors["email"] == nil {
                refuse("email", "Indiquez une adresse électronique\u{A0}: c’est là que le Club vous écrit.")
            }
            return
        }
        guard case .ambassador(_, let person) = record else { return }
        let advice =
            "Cette adresse ne peut pas être prise ici. Répondez au dernier message du Club\u{A0}: l’équipe s’en charge."
        if try await AddressStore.isTaken([email], besides: person.id, on: transaction) { refuse("email", advice) }
        if try await AddressStore.isTaken(otherEmails, besides: person.id, on: transaction) {
            refuse("otherEmails", advice)
        }
    }
}
