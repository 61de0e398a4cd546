/// Coding of path variables and query parameters: names and texts, without nesting.
package enum FlatCoding {
    // MARK: Queries

    /// Decodes the query of a request target, the part after `?`.
    ///
    /// `%XX` and `+` (a space) are decoded. Throws a ``Problem``: `malformed` (400) for anything but percent-encoded
    /// UTF-8, more pairs than ``mostPairs``, an unknown parameter, a single-valued parameter given several times, and
    /// a text that cannot be a ``Cursor``; `invalid` (422), with the parameter's name as pointer, for any other
    /// invalid or missing value.
    package static func decodeQuery<T: Decodable>(_ type: T.Type, from query: String?) throws -> T {
        do {
            let decoder = FlatDecoder(try values(in: query ?? ""))
            let result = try decoder.decode(type)
            try decoder.checkBounds(of: type)
            return result
        } catch let fault as FlatFault {
            throw fault.problem
        } catch let error as DecodingError {
            throw FlatFault.reading(error, as: type, of: "").problem
        }
    }

    /// The maximum number of pairs in a query or a form.
    package static let mostPairs = 64

    private static func values(in query: String) throws(FlatFault) -> [FlatValue] {
        var values: [FlatValue] = []
        var count = 0
        // As an array, which is walked several times as fast as a view of a string.
        var rest = Array(query.utf8)[...]
        while !rest.isEmpty {
            let pair = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[pair.endIndex...].dropFirst()
            guard !pair.isEmpty else { continue }
            count += 1
            guard count <= mostPairs else { throw .malformed("There are more than \(mostPairs) parameters.") }
            let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let value = end == pair.endIndex ? pair[end...] : pair[pair.index(after: end)...]
            guard let name = FormEncoding.decode(pair[..<end]), let text = FormEncoding.decode(value) else {
                throw .malformed("The query is not percent-encoded UTF-8.")
            }
            // A text that cannot be one of our names is not compared with them.
            guard name.couldBeName else { throw .stranger(name) }
            if let index = values.firstIndex(where: { $0.name.hasSameBytes(as: name) }) {
                values[index].texts.append(text)
            } else {
                values.append(FlatValue(name: name, texts: [text]))
            }
        }
        return values
    }

    /// Encodes a query, without `?`: names sorted, everything but unreserved characters percent-encoded, one pair for
    /// each element of an array; empty if there are no parameters. Throws `EncodingError` for a nested value.
    package static func encodeQuery(_ value: some Encodable) throws -> String {
        let values = try FlatEncoder.values(of: value)
        return values.sorted { $0.key < $1.key }.flatMap { name, texts in
            texts.map { "\(FormEncoding.encode(name))=\(FormEncoding.encode($0))" }
        }.joined(separator: "&")
    }

    // MARK: Paths

    /// Decodes path variables that are already percent-decoded, by their names.
    ///
    /// Throws `Problem(.notFound)` for an invalid value: no resource can have it.
    ///
    /// - Parameter values: one for each name.
    package static func decodePath<T: PathVariables>(
        _ type: T.Type, names: [String], values: [String]
    ) throws(Problem) -> T {
        do { return try T(names: names, values: values) } catch { throw Problem(.notFound) }
    }

    /// The path of an operation with its variables filled in: `/v1/events/0193…/registrations`.
    ///
    /// Throws `EncodingError` if a variable is missing, or has a value that would change the path: empty, `.` or
    /// `..`.
    package static func path(of operation: Operation, with value: some PathVariables) throws -> String {
        let values = try value.values(of: operation.variables)
        return try operation.segments.reduce(into: "") { path, segment in
            switch segment {
            case .word(let word): path += "/\(word)"
            case .variable(let name):
                guard let text = values[name], !["", ".", ".."].contains(text) else {
                    throw EncodingError.invalidValue(
                        value,
                        .init(codingPath: [], debugDescription: "no value for {\(name)} in \(operation.path)"))
                }
                path += "/\(FormEncoding.encode(text))"
            }
        }
    }
}

/// Percent-encoding (RFC 3986, 2.1) as used in queries, where `+` is a space.
enum FormEncoding {
    /// Nil for a `%` without two hexadecimal digits, or if the result is not UTF-8.
    ///
    /// - Parameter text: a part of valid UTF-8.
    static func decode(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(decoding: text, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(Hexadecimal.value),
                    let low = rest.next().flatMap(Hexadecimal.value)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Leaves unreserved characters (letters, digits, `-._~`) as they are.
    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
