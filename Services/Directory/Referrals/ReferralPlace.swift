import ClubProtocol

/// A firm's location, in French.
enum ReferralPlace {
    /// `64000 (Pyrénées-Atlantiques)`; `Étranger` if there is no postal code.
    static func text(_ postalCode: PostalCode?, _ departement: Departement) -> String {
        postalCode.map { "\($0) (\(departement.name))" } ?? departement.name
    }

    /// To follow "une entreprise": `du 64000`, with the département if given; `à l’étranger`.
    static func phrase(_ postalCode: PostalCode?, _ departement: Departement? = nil) -> String {
        guard let postalCode else { return "à l’étranger" }
        return "du \(departement.map { text(postalCode, $0) } ?? postalCode.text)"
    }
}
