import HTTPTypes

// The lists as tables and cards, with the same filters and visibility rules. Tables follow RFC 4180 and are safe to
// open in a spreadsheet: an apostrophe is put before each `=`, `+`, `-`, `@` or control character at the beginning of
// a cell, or of what another separator would make a cell. An import removes it.

/// Exports experts as a table that can be imported unchanged.
package enum ExportExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts.csv", "Exports the experts as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert), produces: .csv)

    package typealias Query = Table<ListExperts.Filter>
    package typealias Response = TextDocument
}

/// Exports organizations as a table.
package enum ExportOrganizations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations.csv", "Exports the organizations as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador), produces: .csv)

    package typealias Query = Table<ListOrganizations.Filter>
    package typealias Response = TextDocument
}

/// Exports people as a table.
package enum ExportPeople: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.csv", "Exports the people as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .csv)

    package typealias Query = Table<ListPeople.Filter>
    package typealias Response = TextDocument
}

/// Exports ambassadors as a table.
package enum ExportAmbassadors: Endpoint {
    package static let operation = Operation(
        .get, "/v1/ambassadors.csv", "Exports the ambassadors as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative, .ambassador), produces: .csv)

    package typealias Query = Table<ListAmbassadors.Filter>
    package typealias Response = TextDocument
}
