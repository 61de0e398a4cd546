import ClubProtocol

/// All routes of a service, as a tree over the segments of their paths.
///
/// A word takes precedence over a variable. Segments are compared byte by byte as they were sent: `%2e%2e`, an empty
/// segment or a trailing slash match no word, so they are not found.
package struct RouteTable: Sendable {
    private struct Node: Sendable {
        var words: [(word: [UInt8], node: Int)] = []
        var variable: Int?
        /// By `RequestHead.Method`.
        var routes: [Route?] = Array(repeating: nil, count: RequestHead.Method.other.rawValue)
        /// `GET, HEAD, POST`; empty if no route ends here.
        var allow = ""
    }

    package enum Match {
        /// - Parameter values: the values of the variables, decoded, in the order of the path.
        case route(Route, values: [String], query: Substring?)
        case methodNotAllowed(allow: String)
        case none
    }

    private var nodes = [Node()]

    /// - Throws: if two routes have the same method and path.
    package init(_ routes: Routes) throws(RoutesError) {
        for route in routes.routes { try insert(route) }
    }

    /// The methods that any path supports: `GET, HEAD, POST`.
    var allow: String {
        let verbs = RequestHead.Method.allCases.filter { method in
            method != .other && nodes.contains { $0.routes[method.rawValue] != nil }
        }
        return verbs.map(\.name).joined(separator: ", ")
    }

    private mutating func insert(_ route: Route) throws(RoutesError) {
        var current = 0
        for segment in route.operation.segments {
            switch segment {
            case .word(let text):
                let word = Array(text.utf8)
                if let known = nodes[current].words.first(where: { $0.word == word }) {
                    current = known.node
                } else {
                    nodes.append(Node())
                    nodes[current].words.append((word, nodes.count - 1))
                    current = nodes.count - 1
                }
            case .variable:
                if let known = nodes[current].variable {
                    current = known
                } else {
                    nodes.append(Node())
                    nodes[current].variable = nodes.count - 1
                    current = nodes.count - 1
                }
            }
        }
        let method = RequestHead.Method(route.operation.method)
        guard method != .other, method != .head else { throw .unusableMethod(route.name) }
        guard nodes[current].routes[method.rawValue] == nil else { throw .mountedTwice(route.name) }
        nodes[current].routes[method.rawValue] = route
        // HEAD is supported wherever GET is (RFC 9110, 9.1).
        if method == .get { nodes[current].routes[RequestHead.Method.head.rawValue] = route }
        let verbs = RequestHead.Method.allCases.filter { $0 != .other && nodes[current].routes[$0.rawValue] != nil }
        nodes[current].allow = verbs.map(\.name).joined(separator: ", ")
    }

    /// Finds the route of a request.
    ///
    /// - Parameter target: the path and the query, as sent.
    package func match(_ method: RequestHead.Method, _ target: String) -> Match {
        var ranges: [Range<Int>] = []
        var path = target.utf8[...]
        var query: Substring?
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            query = target[target.utf8.index(after: mark)...]
            path = path[..<mark]
        }
        let found = path.withContiguousStorageIfAvailable { bytes -> Int? in
            guard let first = bytes.first, first == UInt8(ascii: "/") else { return nil }
            // The root has no segment.
            guard bytes.count > 1 else { return nodes[0].allow.isEmpty ? nil : 0 }
            return find(in: 0, bytes, from: 1, &ranges)
        }
        guard let found, let place = found else { return .none }
        var values: [String] = []
        if !ranges.isEmpty {
            values.reserveCapacity(ranges.count)
            for range in ranges {
                let start = path.index(path.startIndex, offsetBy: range.lowerBound)
                let end = path.index(start, offsetBy: range.count)
                guard let value = Self.decode(path[start..<end]) else { return .none }
                values.append(value)
            }
        }
        guard method != .other, let route = nodes[place].routes[method.rawValue] else {
            return .methodNotAllowed(allow: nodes[place].allow)
        }
        return .route(route, values: values, query: query)
    }

    /// The node at the end of the path, nil if no route ends there.
    private func find(
        in node: Int, _ path: UnsafeBufferPointer<UInt8>, from start: Int, _ ranges: inout [Range<Int>]
    ) -> Int? {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        guard end > start else { return nil }
        let segment = UnsafeBufferPointer(rebasing: path[start..<end])
        for (word, child) in nodes[node].words where word.count == segment.count && word.elementsEqual(segment) {
            if let found = descend(to: child, path, at: end, &ranges) { return found }
        }
        guard let child = nodes[node].variable else { return nil }
        ranges.append(start..<end)
        if let found = descend(to: child, path, at: end, &ranges) { return found }
        ranges.removeLast()
        return nil
    }

    private func descend(
        to node: Int, _ path: UnsafeBufferPointer<UInt8>, at end: Int, _ ranges: inout [Range<Int>]
    ) -> Int? {
        guard end < path.count else { return nodes[node].allow.isEmpty ? nil : node }
        return find(in: node, path, from: end + 1, &ranges)
    }

    /// Percent-decodes a segment; nil for an invalid value: an encoded slash or U+0000, a bad escape, invalid UTF-8.
    private static func decode(_ segment: Substring.UTF8View) -> String? {
        guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
        var bytes: [UInt8] = []
        var rest = segment
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let first = rest.popFirst(), let second = rest.popFirst(),
                let high = Hexadecimal.value(first), let low = Hexadecimal.value(second)
            else { return nil }
            let decoded = high << 4 | low
            guard decoded != 0, decoded != UInt8(ascii: "/") else { return nil }
            bytes.append(decoded)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
