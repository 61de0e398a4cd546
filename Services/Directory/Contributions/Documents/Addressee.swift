import ClubProtocol
import Postgres

/// The organization that a call or a receipt is addressed to, as the document names it.
struct Addressee: Decodable {
    var name: String
    var siren: String?
    var siret: String?
    var street: String?
    var postalCode: String?
    var commune: String?

    /// The column `addressee`, from expressions for its parts.
    static func column(
        name: SQL, siren: SQL, siret: SQL, street: SQL, postalCode: SQL, commune: SQL
    ) -> SQL {
        """
        json_build_object(
            'name', \(name), 'siren', \(siren), 'siret', \(siret), 'street', \(street), 'postalCode', \(postalCode),
            'commune', \(commune)) as addressee
        """
    }

    /// Below the name: `3 rue Serviez`, `64000 Pau`. What is unknown is left out.
    var addressLines: [String] {
        let town = Address.townLine(postalCode: postalCode, commune: commune)
        return [street, town.isEmpty ? nil : town].compactMap(\.self)
    }

    /// For the templates of pages.
    var content: [String: Any] {
        var content: [String: Any] = ["organization": name]
        if !addressLines.isEmpty { content["address"] = addressLines.joined(separator: ", ") }
        content["siren"] = siren
        content["siret"] = siret
        return content
    }
}
