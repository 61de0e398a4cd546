import ClubProtocol
import Postgres
import ServiceKit

/// `/annuaire`: the public directory as pages in French
struct PageRoutes {
    let backend: Backend
    let renderer: PageRenderer

    /// Entries on a page of a list.
    private static let pageSize = 20

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.read(ShowExperts.self) { call in
            let query = call.query
            let rows = try await PublicStore.experts(
                ListPublicExperts.Query(
                    q: query.q?.value, departement: query.departement?.value, region: query.region?.value,
                    topic: query.topic?.value, subKind: query.subKind?.value),
                from: .init(after: query.after), limit: Self.pageSize + 1, on: database)
            let items = try rows.decode(PublicExpert.self).map { expert in
                ListPage.Item(
                    id: expert.id.text, name: expert.name, link: "/annuaire/experts/\(expert.id)",
                    line: "\(expert.subKind.french) · \(expert.commune) (\(expert.departement))", topics: expert.topics)
            }
            return try await list(
                .experts,
                ListPage.Search(
                    q: query.q?.value?.text, departement: query.departement?.value, region: query.region?.value,
                    theme: query.topic?.value, type: query.subKind?.value?.rawValue, apres: query.after?.text),
                items)
        }
        parts.routes.read(ShowMembers.self) { call in
            let query = call.query
            let rows = try await PublicStore.members(
                ListPublicMembers.Query(
                    q: query.q?.value, kind: query.kind?.value, departement: query.departement?.value,
                    region: query.region?.value, topic: query.topic?.value),
                from: .init(after: query.after), limit: Self.pageSize + 1, on: database)
            let items = try rows.decode(PublicMember.self).map { member in
                ListPage.Item(
                    id: member.id.text, name: member.name, link: "/annuaire/membres/\(member.id)",
                    line: [member.french, member.place].compactMap(\.self).joined(separator: " · "),
                    topics: member.topics)
            }
            return try await list(
                .members,
                ListPage.Search(
                    q: query.q?.value?.text, departement: query.departement?.value, region: query.region?.value,
                    theme: query.topic?.value, type: query.kind?.value?.rawValue, apres: query.after?.text),
                items)
        }
        parts.routes.read(ShowExpert.self) { call in
            let rows = try await PublicStore.expert(call.path.expert, on: database)
            guard let expert = try rows.first?.decode(PublicExpert.self) else { throw Problem(.notFound) }
            return .text(renderer.html(.publicExpert, title: expert.name.text, try await words().content(of: expert)))
        }
        parts.routes.read(ShowMember.self) { call in
            let rows = try await PublicStore.member(call.path.organization, on: database)
            guard let member = try rows.first?.decode(PublicMember.self) else { throw Problem(.notFound) }
            return .text(renderer.html(.publicMember, title: member.name.text, try await words().content(of: member)))
        }
    }

    private func list(
        _ subject: ListPage.Subject, _ search: ListPage.Search, _ items: [ListPage.Item]
    ) async throws -> Answer<TextDocument> {
        let page = ListPage(
            subject: subject, search: search, items: items, size: Self.pageSize, words: try await words())
        return .text(renderer.html(.publicList, title: page.title, try page.content()))
    }

    private func words() async throws -> PublicWords {
        PublicWords(
            topics: try await PublicStore.topics(on: backend.database),
            regions: try await PlaceStore.regions(on: backend.database), publicURL: backend.configuration.publicURL)
    }
}
