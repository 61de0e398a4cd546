import ClubProtocol

/// Where a firm is, in French.
enum ReferralPlace {
    /// `64000 (Pyrénées-Atlantiques)`; `Étranger` where there is no postal code.
    static func text(_ postalCode: PostalCode?, _ departement: Departement) -> String {
        postalCode.map { "\($0) (\(departement.name))" } ?? departement.name
    }

    /// As it follows "une entreprise": `du 64000`, with the département where it is given; `à l’étranger`.
    static func phrase(_ postalCode: PostalCode?, _ departement: Departement? = nil) -> String {
        guard let postalCode else { return "à l’étranger" }
        return "du \(departement.map { text(postalCode, $0) } ?? postalCode.text)"
    }
}
