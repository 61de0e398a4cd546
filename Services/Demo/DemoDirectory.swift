import AsyncAlgorithms
import ClubProtocol
import CommandKit
import NIOCore
import ServiceKit

/// The club's people and organizations: adds those missing and leaves the others unchanged.
extension Demo {
    /// How many requests run at once.
    private static let width = 8

    func loadOrganizations() async throws -> Outcome {
        let known = try await organizations()
        let missing = Self.organizations.filter { known[$0.name] == nil }
        try await forEach(missing, width: Self.width) { body in
            _ = try await directory.send(CreateOrganization.request(body: body))
        }
        let all = try await organizations()
        // Including those without a membership because an earlier run stopped early or was in another year.
        let members = Set(
            try await directory.all(ListMemberships.self) {
                ListMemberships.request(query: .init(.init(asOf: .today), limit: 200, cursor: $0))
            }.map(\.organization))
        let year = Day.today.year
        let (first, last) = try (Day(validating: "\(year)-01-01"), Day(validating: "\(year)-12-31"))
        let joining = Self.organizations.compactMap { body in
            all[body.name].flatMap { members.contains($0) ? nil : ($0, body.kind) }
        }
        try await forEach(joining, width: Self.width) { organization, kind in
            _ = try await directory.send(
                CreateMembership.request(
                    body: .init(
                        organization: organization, tier: kind == .brand ? "premium" : "standard", from: first,
                        until: last)))
        }
        return "\(missing.count) added; \(joining.count) become members for \(year); \(all.count) in all"
    }

    func loadAmbassadors() async throws -> Outcome {
        let homes = try await organizations()
        let known = try await knownPeople()
        let enrolled = Set(
            try await directory.all(ListAmbassadors.self) {
                ListAmbassadors.request(query: .init(limit: 200, cursor: $0))
            }.map(\.person))
        let missing = try (0..<DemoPopulation.ambassadors).map { ($0, DemoPopulation.adviser($0)) }.compactMap {
            number, adviser -> (Int, DemoPopulation.Adviser, EmailAddress, Person.ID?)? in
            let email = try EmailAddress(validating: adviser.email)
            let person = known[email]
            if let person, enrolled.contains(person) { return nil }
            return (number, adviser, email, person)
        }
        try await forEach(missing, width: Self.width) { number, adviser, email, person in
            let home = homes[DemoPopulation.institutionNames[number % DemoPopulation.institutions].name]
            var person = person
            if person == nil {
                person = try await directory.send(
                    CreatePerson.request(
                        body: .init(
                            givenName: Line(validating: adviser.givenName),
                            familyName: Line(validating: adviser.familyName), email: email, organization: home,
                            consents: .init(flashInfo: adviser.agreed, eventInvitations: true)))
                ).id
            }
            guard let person else { return }
            let departement = try Departement(validating: adviser.territory.code)
            _ = try await directory.send(
                CreateAmbassador.request(
                    body: .init(
                        person: person, organization: home, topics: ["businessCreation", "management"],
                        departements: [departement])))
        }
        return "\(missing.count) added; \(enrolled.count + missing.count) in all"
    }

    /// Imports the experts from a table, as an operator would.
    func loadExperts() async throws -> Outcome {
        let report = try await directory.upload(
            ImportExperts.request(query: .init(mode: .apply)), body: Self.expertsTable.async, isRepeatable: true)
        guard report.applied else {
            let reasons = report.errors.prefix(3).map { "row \($0.row): \($0.detail)" }
            throw CommandFailure("the experts were not imported: \(reasons.joined(separator: "; "))")
        }
        return "\(report.created) added, \(report.updated) updated, \(report.skipped) as they were"
    }

    /// The demo's people by their e-mail addresses.
    func knownPeople() async throws -> [EmailAddress: Person.ID] {
        let people = try await directory.all(ListPeople.self) {
            ListPeople.request(query: .init(limit: 200, cursor: $0))
        }
        return people.reduce(into: [:]) { known, person in
            if let email = person.email, email.text.hasSuffix("@conseil.example") { known[email] = person.id }
        }
    }

    private func organizations() async throws -> [Line: Organization.ID] {
        let list = try await directory.all(ListOrganizations.self) {
            ListOrganizations.request(query: .init(limit: 200, cursor: $0))
        }
        return list.reduce(into: [:]) { $0[$1.name] = $1.id }
    }

    private static let organizations: [CreateOrganization.Body] =
        DemoPopulation.institutionNames.map { .init(kind: .institution, subKind: $0.kind, name: $0.name) }
        + DemoPopulation.brandNames.map { .init(kind: .brand, name: $0) }

    /// A header and 5,150 rows, in chunks of some hundred rows.
    private static var expertsTable: [ByteBuffer] {
        let header =
            "subKind,name,siret,contactName,email,telephone,postalCode,commune,departement,departements,topics,brands,flashInfo\n"
        let rows = (0..<DemoPopulation.experts).map { number -> String in
            let expert = DemoPopulation.provider(number)
            let cells = [
                expert.isWebAgency ? "webAgency" : "reseller", expert.name, expert.siret, expert.contact, expert.email,
                expert.telephone, expert.commune.postalCode, expert.commune.name, expert.territory.code,
                expert.territory.code, expert.topics.map(\.text).joined(separator: "|"),
                expert.brands.map(\.text).joined(separator: "|"), expert.agreed ? "true" : "false",
            ]
            return cells.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",") + "\n"
        }
        return [ByteBuffer(string: header)]
            + stride(from: 0, to: rows.count, by: 250).map { start in
                ByteBuffer(string: rows[start..<min(start + 250, rows.count)].joined())
            }
    }
}
