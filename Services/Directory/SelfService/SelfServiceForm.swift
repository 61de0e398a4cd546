import ClubProtocol

/// The submitted form of the own record, validated field by field.
struct SelfServiceForm {
    private(set) var contactName: Line?
    private(set) var honorificPrefix: Line?
    private(set) var jobTitle: Line?
    private(set) var email: EmailAddress?
    private(set) var otherEmails: [EmailAddress] = []
    private(set) var telephone: Telephone?
    private(set) var otherTelephones: [Telephone] = []
    private(set) var website: WebAddress?
    private(set) var departements: [Departement] = []
    private(set) var topics: [Topic] = []
    private(set) var brands: [Line] = []
    let consents: ConsentChoices
    /// What is wrong, by the name of the field; in French, because people read it.
    private(set) var errors: [String: String] = [:]

    /// - Parameter known: the vocabulary of topics.
    init(_ body: ChangeOwnRecord.Body, known: Set<Topic>) {
        // An unticked box is a no.
        consents = ConsentChoices(
            flashInfo: body.flashInfo ?? false, eventInvitations: body.eventInvitations ?? false,
            publicDirectory: body.publicDirectory ?? false, partnerOffers: body.partnerOffers ?? false)
        contactName = read(body.contactName, "contactName", "200 caractères au plus, sur une ligne.")
        email = read(body.email, "email", "Cette adresse n’est pas valide. Exemple\u{A0}: nom@exemple.fr")
        telephone = read(body.telephone, "telephone", "Ce numéro n’est pas valide. Exemple\u{A0}: 05 59 00 00 00")
        honorificPrefix = read(body.honorificPrefix, "honorificPrefix", "200 caractères au plus, sur une ligne.")
        jobTitle = read(body.jobTitle, "jobTitle", "200 caractères au plus, sur une ligne.")
        otherEmails = readFurther(
            body.otherEmails, "otherEmails", "Une adresse valide par ligne, dix au plus. Exemple\u{A0}: nom@exemple.fr")
        otherTelephones = readFurther(
            body.otherTelephones, "otherTelephones",
            "Un numéro valide par ligne, dix au plus. Exemple\u{A0}: 05 59 00 00 00"
        )
        website = read(
            body.website.map { $0.isBlank ? $0 : Cell.address(Self.trimmed($0)) },
            "website", "Cette adresse n’est pas valide. Exemple\u{A0}: https://www.exemple.fr")
        let codes = (body.departements ?? "").unicodeScalars.split { $0.isBlank || ",;/".unicodeScalars.contains($0) }
        departements = readAll(
            codes.prefix(Self.most + 1).map { $0.count == 1 ? "0\($0)" : Substring($0).asciiUppercased },
            "departements",
            "Séparez les numéros par des virgules. Exemple\u{A0}: 64, 40, 2A")
        if codes.count > Self.most {
            errors["departements"] = "\(Self.most) numéros au plus."
        } else if errors["departements"] == nil, departements.isEmpty {
            errors["departements"] = "Indiquez au moins un département."
        }
        topics = readAll(body.topics, "topics", "Choisissez parmi les sujets proposés.")
        if topics.contains(where: { !known.contains($0) }) {
            errors["topics"] = "Choisissez parmi les sujets proposés."
        } else if topics.count > Topic.mostOfOne {
            errors["topics"] = "\(Topic.mostOfOne) sujets au plus."
        }
        let lines = (body.brands ?? "").unicodeScalars.split(whereSeparator: \.endsLine)
            .map { Self.trimmed(String($0)) }.filter { !$0.isEmpty }
        brands = readAll(
            Array(lines.prefix(Self.most + 1)), "brands", "Une marque par ligne, 200 caractères au plus.")
        if lines.count > Self.most { errors["brands"] = "\(Self.most) marques au plus." }
    }

    /// Marks a field as invalid.
    mutating func refuse(_ field: String, _ advice: String) {
        errors[field] = advice
    }

    /// The maximum number of values read of a field.
    private static let most = Departement.mostOfOne

    private static func trimmed(_ text: String) -> String { String(text.trimmingBlanks) }

    /// The value of a field; nil for an empty one.
    private mutating func read<Value: TextValue>(_ text: String?, _ field: String, _ advice: String) -> Value? {
        let text = Self.trimmed(text ?? "")
        guard !text.isEmpty else { return nil }
        do {
            return try Value(validating: text)
        } catch {
            errors[field] = advice
            return nil
        }
    }

    /// The values of a field with one per line, at most ten.
    private mutating func readFurther<Value: TextValue>(_ text: String?, _ field: String, _ advice: String) -> [Value] {
        let lines = (text ?? "").unicodeScalars.split(whereSeparator: \.endsLine)
            .map { Self.trimmed(String($0)) }.filter { !$0.isEmpty }
        if lines.count > Person.mostFurther { errors[field] = advice }
        return readAll(Array(lines.prefix(Person.mostFurther)), field, advice)
    }

    /// The values of a field that accepts several, each once.
    private mutating func readAll<Value: TextValue>(_ texts: [String], _ field: String, _ advice: String) -> [Value] {
        var values: [Value] = []
        var known: Set<ByteKey> = []
        for text in texts {
            guard let value = try? Value(validating: text) else {
                errors[field] = advice
                continue
            }
            if known.insert(ByteKey(value.text)).inserted { values.append(value) }
        }
        return values
    }
}
