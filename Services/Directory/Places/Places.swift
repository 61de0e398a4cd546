import ClubProtocol
import Postgres
import ServiceKit

extension SQL {
    /// Whether a row's département is one of a région; what is asked for stands first in the index of a list by département.
    static func lies(in region: Region) -> SQL { "departement = any (\(region.departements))" }

    /// The same of an expert, as the index of words, topics, brands and places has it: one scan, as `= any` would be one for
    /// each département.
    static func expertLies(in region: Region) -> SQL { "array[departement] && \(region.departements)" }

    /// Whether a row serves a région, in one département at least.
    static func serves(_ region: Region) -> SQL { "departements && \(region.departements)" }

    /// The région of a row of this table, by its département.
    static func region(of table: SQL) -> SQL {
        "(select place.region from directory.departement as place where place.code = \(table).departement)"
    }

    /// Further addresses as they are answered: each with the département and the région that follow from its postal code.
    static let placedAddresses: SQL = """
        case when addresses = '[]' then addresses else (
            select jsonb_agg(
                address.value || jsonb_strip_nulls(jsonb_build_object('departement', place.code, 'region', place.region))
                order by address.number)
            from jsonb_array_elements(addresses) with ordinality as address (value, number)
            left join directory.departement as place
                on place.code = directory.departement_of(address.value ->> 'postalCode')) end
        """
}

/// What follows from a postal code.
enum PlaceStore {
    /// Addresses as they are kept: without what follows.
    ///
    /// - Throws: 422 naming the département or région that does not follow from the postal code beside it.
    static func kept(_ addresses: [Address], on executor: any PostgresExecutor) async throws -> [Address] {
        for (number, address) in addresses.enumerated() where address.departement != nil || address.region != nil {
            let row = try await executor.first(
                """
                select code, region from departement where code = directory.departement_of(\(address.postalCode))
                """)
            let departement: Departement? = try row?["code"]
            let region: Region? = try row?["region"]
            guard address.departement == nil || address.departement == departement else {
                throw Problem.invalid("/addresses/\(number)/departement", "does not follow from the postal code")
            }
            guard address.region == nil || address.region == region else {
                throw Problem.invalid("/addresses/\(number)/region", "does not follow from the postal code")
            }
        }
        return addresses.map { Address(use: $0.use, street: $0.street, postalCode: $0.postalCode, commune: $0.commune) }
    }

    /// Every région with its name, as the French sort them.
    static func regions(on executor: any PostgresExecutor) async throws -> [(code: Region, name: String)] {
        try await executor.query("select code, name from region order by directory.folded(name)").map {
            (try $0["code"], try $0["name"])
        }
    }
}
