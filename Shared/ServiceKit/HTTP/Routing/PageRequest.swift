package import ClubProtocol
import Crypto
import FoundationEssentials

/// Which page of a list is requested.
package struct PageRequest: Sendable {
    package let limit: Int
    /// The key columns of the last row of the previous page, as text; nil on the first page.
    package let after: [String]?
    let scope: CursorScope

    /// The `next` of this page.
    func cursor(after key: [String]) -> String { scope.seal(key) }

    /// The `next` of a page that is part of a larger response; see ``RouteResponse/page(_:_:key:)``.
    package func next(after key: String...) throws(InvalidText) -> Cursor { try Cursor(validating: cursor(after: key)) }

    /// Where the list continues; nil on the first page.
    ///
    /// - Parameters:
    ///   - columns: how many columns the list is ordered by.
    ///   - read: makes a position of their texts; nil if they are invalid.
    /// - Throws: 400 when they are invalid: the cursor was made before the order of the list changed.
    package func place<Place>(of columns: Int, _ read: ([String]) -> Place?) throws(Problem) -> Place? {
        guard let after else { return nil }
        guard after.count == columns, let place = read(after) else { throw CursorScope.refusal }
        return place
    }

    /// Where a list continues that is ordered by one column and the identifier; nil on the first page.
    ///
    /// - Throws: 400 as ``place(of:_:)`` does.
    package func position<Entity>(of _: Entity.Type) throws -> (key: String, id: Identifier<Entity>)? {
        try place(of: 2) { key in
            (try? Identifier<Entity>(validating: key[1])).map { (key[0], $0) }
        }
    }

    /// - Throws: 400 for a cursor that this service did not make for this very list.
    init(_ paging: Paging, scope: CursorScope) throws(Problem) {
        limit = (paging.limit ?? .standard).value
        after = if let cursor = paging.cursor { try scope.open(cursor.text) } else { nil }
        self.scope = scope
    }
}

/// What a cursor belongs to: one path with one set of filters. The signature covers it, but the cursor does not contain
/// it, so that a cursor used on another list is refused.
struct CursorScope: Sendable {
    static let refusal = Problem(.malformed, "The cursor does not belong to this list.")
    private static let macBytes = 16
    /// Keyed, and updated with the list.
    private let code: HMAC<SHA256>

    /// - Parameters:
    ///   - code: keyed, and updated with nothing else.
    ///   - path: of the request, as it was sent.
    ///   - query: of the request, as it was sent; `cursor`, `limit` and the order of parameters are ignored.
    init(_ code: HMAC<SHA256>, path: Substring.UTF8View, query: Substring.UTF8View?) {
        var list = Array(path)
        var filters = query.map { Array($0).split(separator: UInt8(ascii: "&")) } ?? []
        filters.removeAll { $0.starts(with: "cursor=".utf8) || $0.starts(with: "limit=".utf8) }
        filters.sort { $0.lexicographicallyPrecedes($1) }
        for filter in filters {
            list.append(UInt8(ascii: "&"))
            list.append(contentsOf: filter)
        }
        list.append(0)
        var code = code
        code.update(data: list)
        self.code = code
    }

    /// base64url(16 bytes of HMAC-SHA256, then the texts of the key, each preceded by its length).
    func seal(_ texts: [String]) -> String {
        var sealed = [UInt8](repeating: 0, count: Self.macBytes)
        sealed.reserveCapacity(Self.macBytes + texts.reduce(0) { $0 + $1.utf8.count + 2 })
        for text in texts {
            let bytes = text.utf8
            // Keys of ordinary columns are short; a longer text would not fit a cursor's 2,048 bytes anyway.
            let length = UInt16(clamping: bytes.count)
            sealed.append(UInt8(truncatingIfNeeded: length >> 8))
            sealed.append(UInt8(truncatingIfNeeded: length))
            sealed.append(contentsOf: bytes.prefix(Int(length)))
        }
        sealed.replaceSubrange(..<Self.macBytes, with: mac(sealed[Self.macBytes...]))
        return Base64URL.encode(sealed)
    }

    func open(_ cursor: String) throws(Problem) -> [String] {
        guard let bytes = Base64URL.decode(Array(cursor.utf8)), bytes.count > Self.macBytes else { throw Self.refusal }
        var payload = bytes[Self.macBytes...]
        guard Self.isEqual(mac(payload), bytes[..<Self.macBytes]) else { throw Self.refusal }
        var texts: [String] = []
        while let high = payload.popFirst(), let low = payload.popFirst() {
            let length = Int(high) << 8 | Int(low)
            guard payload.count >= length else { throw Self.refusal }
            texts.append(String(decoding: payload.prefix(length), as: UTF8.self))
            payload = payload.dropFirst(length)
        }
        return texts
    }

    private func mac(_ payload: ArraySlice<UInt8>) -> [UInt8] {
        var code = code
        code.update(data: payload)
        return code.finalize().withUnsafeBytes { Array($0.prefix(Self.macBytes)) }
    }

    /// Compares in constant time.
    private static func isEqual(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
