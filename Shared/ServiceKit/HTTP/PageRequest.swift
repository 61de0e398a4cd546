package import ClubProtocol
import Crypto
import FoundationEssentials

/// Which page of a list is asked for.
package struct PageRequest: Sendable {
    package let limit: Int
    /// The key columns of the last row of the page before, as text; nil on the first page.
    package let after: [String]?
    let scope: CursorScope

    /// The `next` of this page.
    func cursor(after key: [String]) -> String { scope.seal(key) }

    /// The `next` of a page that is answered beside something else; see ``RouteResponse/page(_:_:key:)``.
    package func next(after key: String...) throws(InvalidText) -> Cursor { try Cursor(validating: cursor(after: key)) }

    /// Where the list goes on; nil on the first page.
    ///
    /// - Parameters:
    ///   - columns: how many the list is ordered by.
    ///   - read: makes a place of their texts; nil if they are none.
    /// - Throws: 400 when they are none: the cursor was made before the order of the list was changed.
    package func place<Place>(of columns: Int, _ read: ([String]) -> Place?) throws(Problem) -> Place? {
        guard let after else { return nil }
        guard after.count == columns, let place = read(after) else { throw CursorScope.refusal }
        return place
    }

    /// - Throws: 400 for a cursor that was not made by us for this very list.
    init(_ query: any PagedQuery, scope: CursorScope) throws(Problem) {
        limit = (query.limit ?? .standard).value
        after = if let cursor = query.cursor { try scope.open(cursor.text) } else { nil }
        self.scope = scope
    }
}

/// What a cursor belongs to: one path with one set of filters. It is under the signature and not in the cursor, so that a
/// cursor taken to another list does not open.
struct CursorScope: Sendable {
    static let refusal = Problem(.malformed, "The cursor does not belong to this list.")
    private static let macBytes = 16
    /// Keyed, and with the list in it.
    private let code: HMAC<SHA256>

    /// - Parameters:
    ///   - code: keyed, and nothing else.
    ///   - path: of the request, as it was sent.
    ///   - query: of the request, as it was sent; `cursor` and `limit` do not count, nor does the order.
    init(_ code: HMAC<SHA256>, path: Substring.UTF8View, query: Substring.UTF8View?) {
        var list = Array(path)
        let filters = query?.split(separator: UInt8(ascii: "&")).filter { parameter in
            !parameter.starts(with: "cursor=".utf8) && !parameter.starts(with: "limit=".utf8)
        }
        for filter in (filters ?? []).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            list.append(UInt8(ascii: "&"))
            list.append(contentsOf: filter)
        }
        list.append(0)
        var code = code
        code.update(data: list)
        self.code = code
    }

    /// base64url(16 bytes of HMAC-SHA256, then the key's texts, each with its length before it).
    func seal(_ texts: [String]) -> String {
        var payload: [UInt8] = []
        for text in texts {
            let bytes = text.utf8
            // Keys of ordinary columns are short; a longer text would not fit a cursor's 2,048 bytes anyhow.
            let length = UInt16(clamping: bytes.count)
            payload.append(UInt8(truncatingIfNeeded: length >> 8))
            payload.append(UInt8(truncatingIfNeeded: length))
            payload.append(contentsOf: bytes.prefix(Int(length)))
        }
        return Base64URL.encode(mac(payload) + payload)
    }

    func open(_ cursor: String) throws(Problem) -> [String] {
        guard let bytes = Base64URL.decode(cursor.utf8), bytes.count > Self.macBytes else { throw Self.refusal }
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

    private func mac(_ payload: some Collection<UInt8>) -> [UInt8] {
        var code = code
        code.update(data: Array(payload))
        return Array(code.finalize().prefix(Self.macBytes))
    }

    /// Takes the same time wherever the first difference is.
    private static func isEqual(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
