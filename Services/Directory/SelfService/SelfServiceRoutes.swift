import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/self-service`: the pages behind the links of mails. Every one of them acts on the record of its link, in that
/// record's own name, and by the same statements as the API.
struct SelfServiceRoutes: Sendable {
    let backend: Backend
    let pages: SelfServicePages
    let links: SelfServiceLinks

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.read(ShowSelfServiceDoor.self) { _ in .text(pages.door()) }
        parts.routes.write(KnockAtSelfService.self) { call, transaction in
            guard let email = try? EmailAddress(validating: call.body.email) else {
                return .text(
                    pages.door(
                        value: call.body.email, error: "Cette adresse n'est pas valide. Exemple : nom@exemple.fr"),
                    status: .unprocessableContent)
            }
            try await links.ask(email, in: transaction)
            return .text(pages.door(sent: true))
        }
        parts.routes.read(ShowSelf.self) { call in
            let record = try await record(call.path, on: database)
            let topics = try await SelfServiceStore.topics(on: database)
            let path = SelfServiceLink.path(call.path.token)
            let isAsked = try await ErasureStore.isAsked(of: record.subject, on: database)
            return .text(
                pages.record(record, at: path, topics, done: call.query.done, isErasureAsked: isAsked))
        }
        parts.routes.read(ShowSelfForm.self) { call in
            let record = try await record(call.path, on: database)
            guard record.leftOn == nil else { return .seeOther(SelfServiceLink.path(call.path.token)) }
            let topics = try await SelfServiceStore.topics(on: database)
            let questions = try await ConsentStore.questions(on: database)
            return .text(
                pages.form(of: record, at: SelfServiceLink.path(call.path.token), topics, questions: questions))
        }
        parts.routes.write(ConfirmSelf.self) { call, transaction in
            try await confirm(call.path, in: transaction)
            return done(.confirmed, call.path)
        }
        parts.routes.write(MoveSelf.self) { call, transaction in
            let enrollee = try SelfServiceLink.open(call.path.token, by: backend.links)
            let principal = try await SelfServiceStore.record(of: enrollee, on: transaction).principal
            let next = call.body.to
            let version = try await EnrolmentStore.move(enrollee, to: next, by: principal, in: transaction)
            try await backend.journal.record(enrollee, version, next.rawValue, by: principal, in: transaction)
            return done(next == .left ? .left : .enrolled, call.path)
        }
        parts.routes.read(GetSelfData.self) { call in
            let record = try await record(call.path, on: database)
            let document = try await PersonalRecords(backend: backend).document(
                of: record.subject, for: record.principal)
            var answer = Answer<AccessDocument>.value(document)
            answer.headers[.contentDisposition] = #"attachment; filename="mes-donnees.json""#
            return answer
        }
        parts.routes.write(AskSelfErasure.self) { call, transaction in
            let record = try await record(call.path, on: transaction)
            try await Eraser(backend: backend).ask(record.subject, by: record.principal, in: transaction)
            return done(.erasureAsked, call.path)
        }
        parts.routes.write(ChangeSelf.self) { call, transaction in
            let record = try await record(call.path, on: transaction)
            let topics = try await SelfServiceStore.topics(on: transaction)
            var form = SelfServiceForm(call.body, known: Set(topics.map(\.code)))
            if case .ambassador(_, let person) = record {
                try await form.checkAddress(of: person.id, in: transaction)
            }
            guard form.errors.isEmpty else {
                let path = SelfServiceLink.path(call.path.token)
                let questions = try await ConsentStore.questions(on: transaction)
                return .text(
                    pages.form(
                        of: record, at: path, topics, questions: questions, sent: call.body, errors: form.errors),
                    status: .unprocessableContent)
            }
            try await change(record, form, call.body, in: transaction)
            try await confirm(call.path, in: transaction)
            return done(.changed, call.path)
        }
    }

    private func record(_ path: SelfServicePath, on executor: any PostgresExecutor) async throws -> SelfRecord {
        try await SelfServiceStore.record(of: SelfServiceLink.open(path.token, by: backend.links), on: executor)
    }

    private func confirm(_ path: SelfServicePath, in transaction: PostgresTransaction) async throws {
        let enrollee = try SelfServiceLink.open(path.token, by: backend.links)
        let principal = try await SelfServiceStore.record(of: enrollee, on: transaction).principal
        let version = try await EnrolmentStore.confirm(enrollee, by: principal, in: transaction)
        try await backend.journal.record(enrollee, version, "confirmed", by: principal, in: transaction)
    }

    private func change(
        _ record: SelfRecord, _ form: SelfServiceForm, _ body: ChangeSelf.Body, in transaction: PostgresTransaction
    ) async throws {
        let (journal, principal) = (backend.journal, record.principal)
        try await ConsentStore.say(.own, by: principal, in: transaction)
        switch record {
        case .expert(let expert):
            let patch = ChangeExpert.Body(
                contactName: .some(form.contactName), email: .some(form.email), telephone: .some(form.telephone),
                departements: form.departements, topics: form.topics, brands: form.brands,
                website: .some(form.website), consents: form.consents)
            let rows = try await ExpertStore.change(expert.id, patch, at: body.version, by: principal, in: transaction)
            try await journal.record(
                .changed, "expert", expert.id, version: try rows.first?["version"], values: patch, by: principal,
                in: transaction)
        case .ambassador(let ambassador, let person):
            let own = ChangePerson.Body(
                email: .some(form.email), telephone: .some(form.telephone), consents: form.consents)
            let changed = try await PersonStore.change(
                person.id, own, at: body.personVersion, by: principal, in: transaction)
            try await journal.record(
                .changed, "person", person.id, version: try changed.first?["version"], values: own, by: principal,
                in: transaction)
            let patch = ChangeAmbassador.Body(topics: form.topics, departements: form.departements)
            let rows = try await AmbassadorStore.change(
                ambassador.id, patch, at: body.version, by: principal, in: transaction)
            try await journal.record(
                .changed, "ambassador", ambassador.id, version: try rows.first?["version"], values: patch,
                by: principal, in: transaction)
        }
    }

    private func done(_ done: ShowSelf.Done, _ path: SelfServicePath) -> Answer<TextDocument> {
        .seeOther("\(SelfServiceLink.path(path.token))?done=\(done.rawValue)")
    }
}

extension SelfServiceForm {
    /// Two people do not share an address; better said beside the field than by the constraint.
    fileprivate mutating func checkAddress(of person: Person.ID, in transaction: PostgresTransaction) async throws {
        guard let email else { return }
        let other = try await transaction.first(
            "select id from person where lower(email) = lower(\(email.text)) and id <> \(person)")
        if other != nil { refuse("email", "Cette adresse est celle d'une autre personne de l'annuaire.") }
    }
}

extension Answer where Value == TextDocument {
    /// A page that says what was wrong with the one before.
    fileprivate static func text(_ text: String, status: HTTPResponse.Status) -> Answer {
        var answer = Answer.text(text)
        answer.status = status
        return answer
    }
}
