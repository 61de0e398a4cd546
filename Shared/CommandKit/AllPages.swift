package import ClubProtocol
package import ServiceKit

extension ServiceClient {
    /// Every item of a list, page after page.
    package func all<E: Endpoint, Item>(
        _ endpoint: E.Type, _ request: (Cursor?) -> Request<E>
    ) async throws -> [Item] where E.Response == Page<Item> {
        var items: [Item] = []
        var cursor: Cursor?
        repeat {
            let page = try await send(request(cursor))
            items += page.items
            cursor = page.next
        } while cursor != nil
        return items
    }
}
