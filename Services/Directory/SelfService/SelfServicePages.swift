import ClubProtocol
import ServiceKit

/// The content of the pages of the own record.
struct SelfServicePages: Sendable {
    /// In the form of `directory.topic`.
    typealias Vocabulary = [(code: Topic, label: String)]

    let renderer: PageRenderer

    func linkRequest(sent: Bool = false, value: String = "", error: String? = nil) -> String {
        var content: [String: Any] = ["sent": sent, "value": value]
        content["error"] = error
        return renderer.html(.selfLinkRequest, title: "Votre fiche dans l’annuaire", content)
    }

    func record(
        _ record: SelfRecord, at path: String, _ topics: Vocabulary, done: ShowOwnRecord.Done?, isErasureAsked: Bool
    ) -> String {
        var content: [String: Any] = [
            "path": path, "facts": Self.facts(record, topics), "consents": Self.answers(record.consents),
            "confirmed": FrenchFormat.day(record.confirmedAt), "stale": record.isStale,
            "erasureAsked": isErasureAsked,
        ]
        content["left"] = record.leftOn.map { FrenchFormat.day($0) }
        content["done"] = done.map(Self.said)
        return renderer.html(.selfRecord, title: record.title, content)
    }

    /// The form with the record's values, or with the submitted ones that were not valid.
    ///
    /// - Parameter questions: the questions on consent, by purpose: the ones shown are the ones that the ledger
    ///   records.
    func form(
        of record: SelfRecord, at path: String, _ topics: Vocabulary, questions: [String: String],
        sent: ChangeOwnRecord.Body? = nil, errors: [String: String] = [:]
    ) -> String {
        let shown = sent ?? record.form
        let chosen = Set(shown.topics)
        var content: [String: Any] = [
            "path": path, "version": shown.version, "hasErrors": !errors.isEmpty,
            "fields": record.fields(shown).map { $0.content(errors[$0.name]) },
            "topics": topics.map { topic in
                ["code": topic.code.text, "label": topic.label, "checked": chosen.contains(topic.code.text)]
                    as [String: Any]
            },
            "consents": Self.boxes(shown, questions),
        ]
        content["personVersion"] = shown.personVersion
        content["topicsError"] = errors["topics"]
        return renderer.html(.selfForm, title: "Corriger votre fiche", content)
    }

    // MARK: Parts

    private static func said(_ done: ShowOwnRecord.Done) -> String {
        switch done {
        case .confirmed: "Merci\u{A0}: votre fiche est confirmée."
        case .changed: "Merci\u{A0}: votre fiche est enregistrée et confirmée."
        case .left: "Vous avez quitté le réseau. Merci pour le chemin parcouru ensemble."
        case .erasureAsked:
            "Votre demande est enregistrée. Dès que tout sera effacé, ce lien ne mènera plus à rien."
        case .enrolled: "Bienvenue\u{A0}: vous faites de nouveau partie du réseau."
        }
    }

    private static func facts(_ record: SelfRecord, _ topics: Vocabulary) -> [[String: String]] {
        let labels = Dictionary(topics.map { ($0.code, $0.label) }) { first, _ in first }
        var facts: [(String, String?)] = []
        if case .expert(let expert) = record {
            facts += [
                ("Activité", expert.subKind == .webAgency ? "Agence web" : "Revendeur"),
                ("SIRET", expert.siret?.text), ("Commune", expert.place),
                ("Contact", expert.contactName?.text), ("Site web", expert.website?.text),
            ]
        }
        if case .ambassador(_, let person) = record {
            facts += [("Civilité", person.honorificPrefix?.text), ("Fonction", person.jobTitle?.text)]
        }
        facts += [("Adresse électronique", record.email?.text), ("Téléphone", record.telephone?.written)]
        if case .ambassador(_, let person) = record {
            facts += [
                ("Autres adresses", person.otherEmails?.map(\.text).joined(separator: ", ")),
                ("Autres téléphones", person.otherTelephones?.map(\.written).joined(separator: ", ")),
            ]
        }
        facts += [
            ("Départements servis", record.departements.map(\.text).joined(separator: ", ")),
            ("Sujets", record.topics.map { labels[$0] ?? $0.text }.joined(separator: ", ")),
        ]
        if case .expert(let expert) = record {
            facts.append(("Marques", expert.brands.map(\.text).joined(separator: ", ")))
        }
        return facts.map { name, value in ["name": name, "value": value.flatMap { $0.isEmpty ? nil : $0 } ?? "–"] }
    }

    private static let purposes: [(name: String, label: String)] = [
        ("flashInfo", "Recevoir le Flash info"), ("eventInvitations", "Recevoir les invitations"),
        ("publicDirectory", "Figurer dans l’annuaire public"), ("partnerOffers", "Recevoir les offres des partenaires"),
    ]

    private static func answers(_ consents: Consents) -> [[String: String]] {
        zip(
            purposes, [consents.flashInfo, consents.eventInvitations, consents.publicDirectory, consents.partnerOffers]
        )
        .map { purpose, consent in
            ["name": purpose.label, "value": consent.map { $0.agreed ? "Oui" : "Non" } ?? "Pas encore répondu"]
        }
    }

    private static func boxes(_ form: ChangeOwnRecord.Body, _ questions: [String: String]) -> [[String: Any]] {
        zip(purposes, [form.flashInfo, form.eventInvitations, form.publicDirectory, form.partnerOffers]).map {
            ["name": $0.name, "label": questions[$0.name] ?? $0.label, "checked": $1 ?? false]
        }
    }
}

/// A text field of the form.
struct SelfServiceField {
    var name: String
    var label: String
    var type = "text"
    var hint: String?
    var autocomplete: String?
    var isLong = false
    var value: String?

    fileprivate func content(_ error: String?) -> [String: Any] {
        var content: [String: Any] = [
            "name": name, "label": label, "type": type, "isLong": isLong, "value": value ?? "",
        ]
        content["hint"] = hint
        content["autocomplete"] = autocomplete
        content["error"] = error
        let described = [hint.map { _ in "\(name)-aide" }, error.map { _ in "\(name)-erreur" }].compactMap { $0 }
        if !described.isEmpty { content["described"] = described.joined(separator: " ") }
        return content
    }
}

extension SelfRecord {
    /// Hidden because it has not been confirmed for too long.
    var isStale: Bool {
        let (now, confirmed) = (Day.today, FrenchFormat.dayInParis(confirmedAt))
        let months = (now.year - confirmed.year) * 12 + now.month - confirmed.month
        return months > Freshness.staleMonths || (months == Freshness.staleMonths && now.day >= confirmed.day)
    }

    /// The form as it is first opened.
    fileprivate var form: ChangeOwnRecord.Body {
        var form = ChangeOwnRecord.Body(version: 0, topics: topics.map(\.text))
        switch self {
        case .ambassador(let ambassador, let person):
            (form.version, form.personVersion) = (ambassador.version, person.version)
            form.honorificPrefix = person.honorificPrefix?.text
            form.jobTitle = person.jobTitle?.text
            form.otherEmails = person.otherEmails?.map(\.text).joined(separator: "\n")
            form.otherTelephones = person.otherTelephones?.map(\.written).joined(separator: "\n")
        case .expert(let expert):
            form.version = expert.version
            form.contactName = expert.contactName?.text
            form.website = expert.website?.text
            form.brands = expert.brands.map(\.text).joined(separator: "\n")
        }
        form.email = email?.text
        form.telephone = telephone?.written
        form.departements = departements.map(\.text).joined(separator: ", ")
        form.flashInfo = consents.flashInfo?.agreed
        form.eventInvitations = consents.eventInvitations?.agreed
        form.publicDirectory = consents.publicDirectory?.agreed
        form.partnerOffers = consents.partnerOffers?.agreed
        return form
    }

    fileprivate func fields(_ form: ChangeOwnRecord.Body) -> [SelfServiceField] {
        var fields = [
            SelfServiceField(
                name: "email", label: "Adresse électronique", type: "email", autocomplete: "email", value: form.email),
            SelfServiceField(
                name: "telephone", label: "Téléphone", type: "tel", autocomplete: "tel", value: form.telephone),
            SelfServiceField(
                name: "departements", label: "Départements servis",
                hint: "Leurs numéros, séparés par des virgules\u{A0}: 64, 40, 2A",
                value: form.departements),
        ]
        if case .expert = self {
            fields.insert(
                SelfServiceField(
                    name: "contactName", label: "Contact", autocomplete: "name", value: form.contactName), at: 0)
            fields += [
                SelfServiceField(
                    name: "website", label: "Site web", type: "url", autocomplete: "url", value: form.website),
                SelfServiceField(
                    name: "brands", label: "Marques", hint: "Une par ligne", isLong: true, value: form.brands),
            ]
        }
        if case .ambassador = self {
            fields.insert(
                SelfServiceField(
                    name: "otherTelephones", label: "Autres téléphones", hint: "Un par ligne", isLong: true,
                    value: form.otherTelephones), at: 2)
            fields.insert(
                SelfServiceField(
                    name: "otherEmails", label: "Autres adresses électroniques",
                    hint: "Une par ligne\u{202F}; le Club écrit à la première adresse, ci-dessus", isLong: true,
                    value: form.otherEmails), at: 1)
            fields.insert(SelfServiceField(name: "jobTitle", label: "Fonction", value: form.jobTitle), at: 0)
            fields.insert(
                SelfServiceField(
                    name: "honorificPrefix", label: "Civilité", autocomplete: "honorific-prefix",
                    value: form.honorificPrefix), at: 0)
        }
        return fields
    }
}
