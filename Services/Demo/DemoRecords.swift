import AsyncAlgorithms
import ClubProtocol
import CommandKit
import NIOCore
import ServiceKit

/// Keeping records: who represented which organization when, a duplicate person, a table with bad rows, and an export.
struct DemoRecords: Sendable {
    static let chamber: Line = "Chambre de commerce de Pau"

    let directory: ServiceClient

    /// The head of a network changes its representative at New Year; each is recorded for their time.
    func represent() async throws -> Demo.Outcome {
        let organizations: [Organization] = try await directory.all(ListOrganizations.self) {
            ListOrganizations.request(query: .init(.init(kind: .institution), limit: 200, cursor: $0))
        }
        guard let chamber = organizations.first(where: { $0.name == Self.chamber })?.id else {
            throw CommandFailure("\(Self.chamber) is gone")
        }
        let year = Day.today.year
        let (newYear, last) = try (Day(validating: "\(year)-01-01"), Day(validating: "\(year - 1)-12-31"))
        let earlier = try Day(validating: "\(year - 1)-03-14")
        let terms: [(adviser: Int, from: Day, until: Day?)] = [
            (0, try Day(validating: "\(year - 1)-01-01"), last), (1, newYear, nil),
        ]
        for term in terms where try await representative(of: chamber, on: term.from) == nil {
            let email = try EmailAddress(validating: DemoPopulation.adviser(term.adviser).email)
            guard
                let person = try await directory.send(ListPeople.request(query: .init(.init(email: email)))).items.first
            else { throw CommandFailure("the demo's ambassadors are gone") }
            _ = try await directory.send(
                CreateMandate.request(
                    path: chamber,
                    body: .init(person: person.id, kind: .titular, from: term.from, until: term.until)))
        }
        guard let then = try await representative(of: chamber, on: earlier),
            let now = try await representative(of: chamber, on: .today)
        else { throw CommandFailure("\(Self.chamber) has no representative") }
        return "\(Self.chamber): on \(earlier) represented by \(then.name), today by \(now.name)"
    }

    private func representative(of organization: Organization.ID, on day: Day) async throws -> Person? {
        let mandates = try await directory.send(
            ListMandates.request(
                path: organization, query: .init(.init(kind: .titular, asOf: day)), body: Empty()))
        guard let person = mandates.items.first?.person else { return nil }
        return try await directory.send(GetPerson.request(path: person))
    }

    /// Merges a duplicate person, then undoes the merge and restores both exactly.
    func mergeAndUndo() async throws -> Demo.Outcome {
        let kept = try await person("dominique.laborde@doublon.example")
        let known = try await directory.send(
            ListMerges.request(query: .init(.init(record: .init(kept.uuid)), limit: 1)))
        if let merge = known.items.first, merge.state == .undone { return "merged and brought back before" }
        let merge: Merge
        var before: [Person] = []
        if let unfinished = known.items.first {
            merge = unfinished
        } else {
            let double = try await person("d.laborde@doublon.example")
            before = try await [read(kept), read(double)]
            merge = try await directory.send(
                MergeRecords.request(
                    body: .init(kind: .person, survivor: .init(kept.uuid), merged: .init(double.uuid))))
        }
        _ = try await directory.send(UndoMerge.request(path: merge.id))
        let after = try await [read(Person.ID(merge.survivor.uuid)), read(Person.ID(merge.merged.uuid))]
        for (before, after) in zip(before, after) {
            guard (before.name, before.email, before.consents) == (after.name, after.email, after.consents) else {
                throw CommandFailure("\(after.name) is not as before the merge")
            }
        }
        let addresses = after.compactMap(\.email?.text).joined(separator: " and ")
        return "\(after[0].name) was there twice; merged, and by one call brought back: \(addresses)"
    }

    private func read(_ person: Person.ID) async throws -> Person {
        try await directory.send(GetPerson.request(path: person))
    }

    private func person(_ email: EmailAddress) async throws -> Person.ID {
        let known = try await directory.send(ListPeople.request(query: .init(.init(email: email))))
        if let person = known.items.first { return person.id }
        return try await directory.send(
            CreatePerson.request(
                body: .init(givenName: "Dominique", familyName: "Laborde", email: email))
        ).id
    }

    /// Imports a realistic table as a dry run: errors are reported row by row, and nothing changes.
    func tryTable() async throws -> Demo.Outcome {
        let table = """
            Raison sociale;SIRET;Type;Code postal;Ville;E-mail
            Atelier du Gave;;Agence web;64000;Pau;contact@gave.example
            Micro Services;12345678901234;Revendeur;64100;Bayonne;contact@micro.example
            Le Pixel;;Boulangerie;64000;Pau;pixel

            """
        let report = try await directory.upload(
            ImportExperts.request(query: .init(mode: .dryRun, rejects: .skipRow)),
            body: [ByteBuffer(string: table)].async, isRepeatable: true)
        let faults = report.errors.map { error in
            "row \(error.row)\(error.column.map { ", \($0)" } ?? ""): \(error.detail)"
        }
        return "dry run of \(report.rows) rows, \(report.rejected) bad: " + faults.joined(separator: "; ")
    }

    /// Exports all experts as a table that the import accepts.
    func export() async throws -> Demo.Outcome {
        var lines = 0
        var bytes = 0
        try await directory.download(ExportExperts.request(query: .init())) { piece in
            bytes += piece.readableBytes
            lines += piece.readableBytesView.count { $0 == UInt8(ascii: "\n") }
        }
        return "\(lines - 1) experts, \(bytes / 1024) KB of CSV"
    }
}
