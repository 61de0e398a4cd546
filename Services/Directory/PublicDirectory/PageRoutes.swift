import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/annuaire`: the public directory as pages in French
struct PageRoutes {
    let backend: Backend
    let renderer: PageRenderer

    /// Entries on a page of a list.
    private static let pageSize = 20

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowExperts.self, showExperts)
        builder.routes.read(ShowMembers.self, showMembers)
        builder.routes.read(ShowExpert.self, showExpert)
        builder.routes.read(ShowMember.self, showMember)
    }

    @Sendable func showExperts(_ call: Call<ShowExperts>) async throws -> RouteResponse<TextDocument> {
        let query = call.query
        let filter = ListPublicExperts.Filter(
            q: query.q?.value, departement: query.departement?.value, region: query.region?.value,
            topic: query.topic?.value, subKind: query.subKind?.value, brand: query.brand?.value,
            near: query.near?.value)
        // A list by distance only has a next page.
        let before = filter.near == nil ? query.before : nil
        let slice = try await slice(after: query.after, before: before) { start, limit in
            try await PublicStore.experts(filter, from: start, limit: limit, on: backend.database).map { row in
                let expert = try row.decode(PublicExpert.self)
                let position = ListPosition<Expert>(stage: try row["_stage"], key: try row["_key"], id: expert.id)
                return ListPage.Item(
                    position: position.text, name: expert.name, link: "/annuaire/experts/\(expert.id)",
                    line: "\(expert.subKind.french) · \(expert.commune) (\(expert.departement))",
                    topics: expert.topics)
            }
        }
        return try await list(
            .experts,
            ListPage.Search(
                q: filter.q?.text, departement: filter.departement, region: filter.region, theme: filter.topic,
                type: filter.subKind?.rawValue, marque: filter.brand?.text, pres: filter.near),
            slice)
    }

    @Sendable func showMembers(_ call: Call<ShowMembers>) async throws -> RouteResponse<TextDocument> {
        let query = call.query
        let filter = ListPublicMembers.Filter(
            q: query.q?.value, kind: query.kind?.value, departement: query.departement?.value,
            region: query.region?.value, topic: query.topic?.value)
        let slice = try await slice(after: query.after, before: query.before) { start, limit in
            try await PublicStore.members(filter, from: start, limit: limit, on: backend.database).map { row in
                let member = try row.decode(PublicMember.self)
                let position = ListPosition<Organization>(stage: 0, key: try row["_key"], id: member.id)
                return ListPage.Item(
                    position: position.text, name: member.name, link: "/annuaire/membres/\(member.id)",
                    line: [member.french, member.place].compactMap(\.self).joined(separator: " · "),
                    topics: member.topics)
            }
        }
        return try await list(
            .members,
            ListPage.Search(
                q: filter.q?.text, departement: filter.departement, region: filter.region, theme: filter.topic,
                type: filter.kind?.rawValue),
            slice)
    }

    @Sendable func showExpert(_ call: Call<ShowExpert>) async throws -> RouteResponse<TextDocument> {
        let rows = try await PublicStore.expert(call.path, on: backend.database)
        guard let expert = try rows.first?.decode(PublicExpert.self) else {
            return try await notFoundOrMerged(of: call.path)
        }
        return .text(renderer.html(.publicExpert, title: expert.name.text, try await words().content(of: expert)))
    }

    @Sendable func showMember(_ call: Call<ShowMember>) async throws -> RouteResponse<TextDocument> {
        let rows = try await PublicStore.member(call.path, on: backend.database)
        guard let member = try rows.first?.decode(PublicMember.self) else {
            return try await notFoundOrMerged(of: call.path)
        }
        return .text(renderer.html(.publicMember, title: member.name.text, try await words().content(of: member)))
    }

    private func list(
        _ subject: ListPage.Subject, _ search: ListPage.Search, _ slice: PublicSlice
    ) async throws -> RouteResponse<TextDocument> {
        let page = ListPage(subject: subject, search: search, slice: slice, words: try await words())
        return .text(renderer.html(.publicList, title: page.title, try page.content()))
    }

    /// The entries of a page; fetches one more than it shows, to know whether the list goes on. Going back to a place
    /// with no full page before it gives the normal first page.
    private func slice<Record>(
        after: ListPosition<Record>?, before: ListPosition<Record>?,
        _ fetch: (PublicStore.Start<Record>, Int) async throws -> [ListPage.Item]
    ) async throws -> PublicSlice {
        let size = Self.pageSize
        if let before {
            let items = try await fetch(.before(before), size + 1)
            if items.count > size {
                return PublicSlice(items: items.prefix(size).reversed(), isFirst: false, hasNext: true)
            }
        }
        let start = before == nil ? after : nil
        let items = try await fetch(.init(after: start), size + 1)
        return PublicSlice(items: Array(items.prefix(size)), isFirst: start == nil, hasNext: items.count > size)
    }

    /// The response for an expert that is not shown: a redirect to the one it was merged into; otherwise 410 if it may
    /// be indexed by a search engine, so that it is removed there.
    private func notFoundOrMerged(of id: Expert.ID) async throws -> RouteResponse<TextDocument> {
        if let survivor = try await MergedRecords.survivor(of: id, .expert, on: backend.database),
            try await !PublicStore.expert(Expert.ID(survivor.uuid), on: backend.database).isEmpty
        {
            return .movedPermanently("/annuaire/experts/\(survivor)")
        }
        throw Problem(try await PublicStore.wasShown(id, on: backend.database) ? .noLongerShown : .notFound)
    }

    private func notFoundOrMerged(of id: Organization.ID) async throws -> RouteResponse<TextDocument> {
        if let survivor = try await MergedRecords.survivor(of: id, .organization, on: backend.database),
            try await !PublicStore.member(Organization.ID(survivor.uuid), on: backend.database).isEmpty
        {
            return .movedPermanently("/annuaire/membres/\(survivor)")
        }
        throw Problem(try await PublicStore.wasShown(id, on: backend.database) ? .noLongerShown : .notFound)
    }

    private func words() async throws -> PublicWords {
        PublicWords(
            topics: try await PublicStore.topics(on: backend.database),
            regions: try await PlaceStore.regions(on: backend.database), publicURL: backend.configuration.publicURL)
    }
}

extension RouteResponse where Value == TextDocument {
    /// 301: the page has permanently moved.
    fileprivate static func movedPermanently(_ location: String) -> RouteResponse {
        var answer = RouteResponse.seeOther(location)
        answer.status = .movedPermanently
        return answer
    }
}
