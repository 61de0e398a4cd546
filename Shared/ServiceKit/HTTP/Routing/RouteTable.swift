import ClubProtocol

/// All routes of a service, as a tree over the segments of their paths.
///
/// A word takes precedence over a variable. Segments are compared byte by byte as they were sent: `%2e%2e`, an empty
/// segment or a trailing slash match no word, so they are not found.
package struct RouteTable: Sendable {
    /// A word, compared by its length and its first eight bytes before anything else.
    private struct Word: Sendable {
        let count: Int
        let start: UInt64
        let bytes: [UInt8]
        let node: Int

        init(_ bytes: [UInt8], node: Int) {
            count = bytes.count
            start = bytes.withUnsafeBufferPointer(Self.start)
            self.bytes = bytes
            self.node = node
        }

        static func start(of bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
            var start: UInt64 = 0
            for byte in bytes.prefix(8) { start = start << 8 | UInt64(byte) }
            return start
        }

        func matches(_ segment: UnsafeBufferPointer<UInt8>, start: UInt64) -> Bool {
            guard count == segment.count, self.start == start else { return false }
            var index = 8
            while index < count {
                guard bytes[index] == segment[index] else { return false }
                index += 1
            }
            return true
        }
    }

    /// Where the variables' values are in a path.
    private struct Captures {
        static let most = 4

        private(set) var ranges = InlineArray<4, Range<Int>>(repeating: 0..<0)
        private(set) var count = 0

        mutating func append(_ range: Range<Int>) {
            ranges[count] = range
            count += 1
        }

        mutating func removeLast() { count -= 1 }
    }

    private struct Node: Sendable {
        var words: [Word] = []
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
        guard route.variables.count <= Captures.most else { throw .tooManyVariables(route.name) }
        for segment in route.operation.segments {
            switch segment {
            case .word(let text):
                let word = Array(text.utf8)
                if let known = nodes[current].words.first(where: { $0.bytes == word }) {
                    current = known.node
                } else {
                    nodes.append(Node())
                    nodes[current].words.append(Word(word, node: nodes.count - 1))
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
        var target = target
        var values: [String] = []
        var end = 0
        let place = target.withUTF8 { bytes -> Int? in
            while end < bytes.count, bytes[end] != UInt8(ascii: "?") { end += 1 }
            let path = UnsafeBufferPointer(rebasing: bytes[..<end])
            guard path.first == UInt8(ascii: "/") else { return nil }
            // The root has no segment.
            guard path.count > 1 else { return nodes[0].allow.isEmpty ? nil : 0 }
            var captures = Captures()
            guard let place = find(in: 0, path, from: 1, &captures) else { return nil }
            values.reserveCapacity(captures.count)
            for index in 0..<captures.count {
                guard let value = Self.decode(UnsafeBufferPointer(rebasing: path[captures.ranges[index]])) else {
                    return nil
                }
                values.append(value)
            }
            return place
        }
        guard let place else { return .none }
        let query = end < target.utf8.count ? target[target.utf8.index(target.startIndex, offsetBy: end + 1)...] : nil
        guard method != .other, let route = nodes[place].routes[method.rawValue] else {
            return .methodNotAllowed(allow: nodes[place].allow)
        }
        return .route(route, values: values, query: query)
    }

    /// The node at the end of the path, nil if no route ends there.
    private func find(
        in node: Int, _ path: UnsafeBufferPointer<UInt8>, from start: Int, _ captures: inout Captures
    ) -> Int? {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        guard end > start else { return nil }
        let segment = UnsafeBufferPointer(rebasing: path[start..<end])
        let key = Word.start(of: segment)
        for word in nodes[node].words where word.matches(segment, start: key) {
            if let found = descend(to: word.node, path, at: end, &captures) { return found }
        }
        guard let child = nodes[node].variable else { return nil }
        captures.append(start..<end)
        if let found = descend(to: child, path, at: end, &captures) { return found }
        captures.removeLast()
        return nil
    }

    private func descend(
        to node: Int, _ path: UnsafeBufferPointer<UInt8>, at end: Int, _ captures: inout Captures
    ) -> Int? {
        guard end < path.count else { return nodes[node].allow.isEmpty ? nil : node }
        return find(in: node, path, from: end + 1, &captures)
    }

    /// Percent-decodes a segment; nil for an invalid value: an encoded slash or U+0000, a bad escape, invalid UTF-8.
    private static func decode(_ segment: UnsafeBufferPointer<UInt8>) -> String? {
        guard segment.contains(UInt8(ascii: "%")) else { return String(decoding: segment, as: UTF8.self) }
        var bytes: [UInt8] = []
        var rest = segment[...]
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
