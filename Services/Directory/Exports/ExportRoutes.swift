import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/experts.csv` and the other lists as tables; `/v1/people.vcf`
struct ExportRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.download(ExportExperts.self, headers: Self.file("experts.csv")) { call, output in
            let condition = try await database.transaction(readOnly: true) { transaction in
                try await ExpertWalk.prepare(transaction)
                return try await ExpertStore.selection(call.query.filter, for: call.principal, in: transaction)
                    .map(\.condition).all
            }
            try await Self.write(
                .experts, where: condition, TableFormat(isForExcel: call.query.excel == true), from: database,
                to: output)
        }
        parts.routes.download(ExportOrganizations.self, headers: Self.file("organizations.csv")) { call, output in
            try await Self.write(
                .organizations, where: OrganizationStore.selection(call.query.filter, for: call.principal),
                TableFormat(isForExcel: call.query.excel == true), from: database, to: output)
        }
        parts.routes.download(ExportPeople.self, headers: Self.file("people.csv")) { call, output in
            try await Self.write(
                .people, where: PersonStore.selection(call.query.filter, for: call.principal),
                TableFormat(isForExcel: call.query.excel == true), from: database, to: output)
        }
        parts.routes.download(ExportAmbassadors.self, headers: Self.file("ambassadors.csv")) { call, output in
            let isShown = PersonStore.selection(ListPeople.Query(), for: call.principal)
            try await Self.write(
                .ambassadors(isShown: isShown),
                where: AmbassadorStore.selection(call.query.filter, for: call.principal),
                TableFormat(isForExcel: call.query.excel == true), from: database, to: output)
        }
        parts.routes.download(ExportCards.self, headers: Self.file("people.vcf")) { call, output in
            let query = Self.cards(where: PersonStore.selection(call.query.filter, for: call.principal))
            // Bytes that have gone out cannot be taken back, so nothing here is run again.
            try await database.transaction(readOnly: true, retries: 0) { transaction in
                for try await rows in transaction.stream(query) {
                    let cards = try rows.decode(Card.self)
                    try await output.write { bytes in
                        for card in cards { bytes.append(contentsOf: card.text.utf8) }
                    }
                }
            }
        }
        parts.routes.read(GetCard.self) { call in
            let query = Self.cards(where: PersonStore.selection(call.path.person, for: call.principal))
            guard let row = try await database.first(query) else { throw Problem(.notFound) }
            return .text(try row.decode(Card.self).text, headers: Self.file("person.vcf"))
        }
    }

    private static func file(_ name: String) -> HTTPFields {
        [.contentDisposition: "attachment; filename=\"\(name)\""]
    }

    private static func cards(where condition: SQL) -> SQL {
        """
        select id, given_name as "givenName", family_name as "familyName", email, telephone,
            (select name from organization where organization.id = person.organization) as organization,
            updated_at as "updatedAt"
        from person where \(condition) order by sort_key, id
        """
    }

    private static func write(
        _ table: ExportTable, where condition: SQL, _ format: TableFormat, from database: PostgresClient,
        to output: TextWriter
    ) async throws {
        let columns = table.columns.indices
        // Bytes that have gone out cannot be taken back, so nothing here is run again.
        try await database.transaction(readOnly: true, retries: 0) { transaction in
            try await output.write { bytes in
                bytes.append(contentsOf: format.mark)
                for column in columns {
                    format.append(table.columns[column].header.utf8, to: &bytes)
                    format.end(isLast: column == columns.last, in: &bytes)
                }
            }
            for try await rows in transaction.stream(table.query(where: condition)) {
                try await output.write { bytes in
                    for row in rows {
                        for column in columns {
                            row.withBytes(column) { cell in
                                if let cell = unsafe cell { unsafe format.append(cell, to: &bytes) }
                            }
                            format.end(isLast: column == columns.last, in: &bytes)
                        }
                    }
                }
            }
        }
    }
}
