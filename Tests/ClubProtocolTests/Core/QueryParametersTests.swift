import ClubProtocol
import Testing

@Suite("the parameters of a query")
struct QueryParametersTests {
    private static let endpoints =
        DirectoryAPI.endpoints + EventsAPI.endpoints + ContentAPI.endpoints + LobbyingAPI.endpoints

    /// The text of a query with none of its parameters; nil if it has required ones, or is not a list or a table.
    private static func empty<E: Endpoint>(_: E.Type) throws -> String? {
        guard let query = E.Query.self as? any OptionalParameters.Type else { return nil }
        return try FlatCoding.encodeQuery(query.init())
    }

    @Test("every list and every table can be asked for without a filter, and then sends no parameter")
    func unfiltered() throws {
        var count = 0
        for endpoint in Self.endpoints {
            let isPaged = isPaged(endpoint)
            guard isPaged || endpoint.operation.produces == .csv else { continue }
            count += 1
            #expect(try Self.empty(endpoint) == "", "\(endpoint)")
        }
        #expect(count > 50)
    }

    private func isPaged<E: Endpoint>(_: E.Type) -> Bool { E.Query.self is any PagedQuery.Type }

    @Test("a request without a filter sends the page alone, whatever the filter is made of")
    func requests() throws {
        func query<E: Endpoint>(_ request: Request<E>) throws -> String { try FlatCoding.encodeQuery(request.query) }
        // Filters of one identifier, of one state, of two types, and none at all; with a path and without.
        #expect(try query(ListReferralOffers.request(query: .init())) == "")
        #expect(try query(ListMerges.request(query: .init())) == "")
        #expect(try query(ListInvitations.request(path: CircleMeeting.ID(), query: .init())) == "")
        #expect(try query(ListInvitations.request(path: CircleMeeting.ID(), query: .init(), body: Empty())) == "")
        #expect(try query(ListExperts.request(query: .init())) == "")
        #expect(try query(SearchExperts.request(query: .init(limit: 3))) == "limit=3")
        #expect(try query(ListTopics.request(query: .init(limit: 200))) == "limit=200")
        #expect(try query(ListPeople.request(query: .init(limit: 200, cursor: nil))) == "limit=200")
        #expect(try query(ExportExperts.request(query: .init())) == "")
        #expect(try query(ExportMembers.request(query: .init(excel: true))) == "excel=true")
        #expect(try query(ExportCards.request(query: .init())) == "")
    }
}
