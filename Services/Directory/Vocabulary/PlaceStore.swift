import ClubProtocol
import Postgres
import ServiceKit

extension SQL {
    /// Whether a row's département is in a région; this column comes first in the index of a list by département.
    static func isLocated(in region: Region) -> SQL { "departement = any (\(region.departements))" }

    /// The same for an expert, using the index of words, topics, brands and places: one scan, where `= any` would be
    /// one for each département.
    static func isExpertLocated(in region: Region) -> SQL { "array[departement] && \(region.departements)" }

    /// Whether a row serves at least one département of a région.
    static func serves(_ region: Region) -> SQL { "departements && \(region.departements)" }

    /// The région of a row of this table, by its département.
    static func region(of table: SQL) -> SQL {
        "(select place.region from directory.departement as place where place.code = \(table).departement)"
    }

    /// The département that a row of an import gives a record of this table: its own, or that of a postal code that is
    /// new to the record. Otherwise none: a département given earlier for the same postal code is kept. One given
    /// before there was a postal code is kept, too, if the postal code's is nearby: some communes have the code of a
    /// neighbouring département.
    static func importedDepartement(of table: SQL) -> SQL {
        """
        case when row.departement is not null or row."postalCode" <> coalesce(\(table).postal_code, '')
            then directory.departement_at(coalesce(row."postalCode", \(table).postal_code), coalesce(row.departement, case
                when \(table).postal_code is null and coalesce(
                        directory.town_key(\(table).commune) = directory.town_key(row.commune), true)
                    then (
                        select origin from directory.departement_near
                        where origin = \(table).departement
                            and departement_near.departement = directory.departement_of(row."postalCode")
                            and rank <= \(neighbours)) end)) end
        """
    }

    /// How many départements may border on one, not counting itself.
    private static var neighbours: Int { 10 }

    /// Additional addresses as the API returns them: each with its département, given or derived from its postal code,
    /// and with the région.
    static let placedAddresses: SQL = """
        case when addresses = '[]' then addresses else (
            select jsonb_agg(
                address.value || jsonb_strip_nulls(jsonb_build_object('departement', place.code, 'region', place.region))
                order by address.number)
            from jsonb_array_elements(addresses) with ordinality as address (value, number)
            left join directory.departement as place
                on place.code = directory.departement_at(
                    address.value ->> 'postalCode', address.value ->> 'departement')) end
        """
}

/// The location of an address.
enum PlaceStore {
    /// Addresses in their stored form: with the given département if the postal code's is a different, neighbouring
    /// one, and without anything that can be derived.
    ///
    /// - Throws: 422 naming a région that does not contain the département, or a missing postal code.
    static func kept(_ addresses: [Address]) throws(Problem) -> [Address] {
        try addresses.enumerated().map { number, address throws(Problem) in
            let departement =
                if let code = address.postalCode {
                    Departement(said: address.departement, postalCode: code)
                } else {
                    try departement(said: address.departement, nil, at: "/addresses/\(number)")
                }
            guard address.region == nil || address.region == departement.flatMap(Region.init(of:)) else {
                throw Problem.invalid("/addresses/\(number)/region", "does not follow from the postal code")
            }
            return Address(
                use: address.use, street: address.street, postalCode: address.postalCode, commune: address.commune,
                departement: departement == address.postalCode.flatMap { Departement(postalCode: $0) }
                    ? nil : departement)
        }
    }

    /// The département of a record that must have one.
    ///
    /// - Parameter pointer: of the object that has the two members.
    /// - Throws: 422 if it cannot be derived, or if a postal code is missing, which only places abroad may lack.
    static func departement(
        said: Departement?, _ postalCode: PostalCode?, at pointer: String = ""
    ) throws(Problem) -> Departement {
        guard let departement = Departement(said: said, postalCode: postalCode),
            postalCode != nil || departement == .abroad
        else {
            throw postalCode == nil
                ? Problem.invalid(
                    "\(pointer)/postalCode", "is missing; only an address abroad (département 990) may lack it")
                : Problem.invalid("\(pointer)/departement", "cannot be derived from the postal code")
        }
        return departement
    }

    /// Every région with its name, in French alphabetical order.
    static func regions(on executor: any PostgresExecutor) async throws -> [(code: Region, name: String)] {
        try await executor.query("select code, name from region order by directory.folded(name)").map {
            (try $0["code"], try $0["name"])
        }
    }
}
