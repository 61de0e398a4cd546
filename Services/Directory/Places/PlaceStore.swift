import ClubProtocol
import Postgres
import ServiceKit

extension SQL {
    /// Whether a row's département is one of a région; what is asked for stands first in the index of a list by département.
    static func isLocated(in region: Region) -> SQL { "departement = any (\(region.departements))" }

    /// The same of an expert, as the index of words, topics, brands and places has it: one scan, as `= any` would be one for
    /// each département.
    static func isExpertLocated(in region: Region) -> SQL { "array[departement] && \(region.departements)" }

    /// Whether a row serves a région, in one département at least.
    static func serves(_ region: Region) -> SQL { "departements && \(region.departements)" }

    /// The région of a row of this table, by its département.
    static func region(of table: SQL) -> SQL {
        "(select place.region from directory.departement as place where place.code = \(table).departement)"
    }

    /// What a row of an import says about where a record of this table lies: a département of its own, or a postal code that the record
    /// does not have, which tells it anew. Else nothing: what had been said of the same postal code stays. So does what had been said
    /// before there was a postal code, where that tells one nearby: some communes have the code of a neighbour.
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

    /// How many départements may have a border with one, itself not counted.
    private static var neighbours: Int { 10 }

    /// Further addresses as they are answered: each with its département, said or told by its postal code, and with the région.
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

/// Where an address lies.
enum PlaceStore {
    /// Addresses as they are kept: with the département that was said, where the postal code tells another one that lies beside it,
    /// and without the rest, which follows.
    ///
    /// - Throws: 422 naming a région in which the département does not lie, or a postal code that is missing.
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

    /// The département of what must have one.
    ///
    /// - Parameter pointer: of what has the two members.
    /// - Throws: 422 where nothing tells it, or where a postal code is missing that every place of the French post has.
    static func departement(
        said: Departement?, _ postalCode: PostalCode?, at pointer: String = ""
    ) throws(Problem) -> Departement {
        guard let departement = Departement(said: said, postalCode: postalCode),
            postalCode != nil || departement == .abroad
        else {
            throw postalCode == nil
                ? Problem.invalid(
                    "\(pointer)/postalCode", "is missing; only abroad (département 990) there may be none")
                : Problem.invalid("\(pointer)/departement", "the postal code does not tell it")
        }
        return departement
    }

    /// Every région with its name, as the French sort them.
    static func regions(on executor: any PostgresExecutor) async throws -> [(code: Region, name: String)] {
        try await executor.query("select code, name from region order by directory.folded(name)").map {
            (try $0["code"], try $0["name"])
        }
    }
}
