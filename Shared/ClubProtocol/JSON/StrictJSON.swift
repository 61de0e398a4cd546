import FoundationEssentials

/// Strict reading of JSON, as the rules of the wire want it for what comes in.
package enum StrictJSON {
    /// Reads a request's body.
    ///
    /// Throws a ``Problem``: `malformed` (400) for what is no JSON, no UTF-8, has a key twice in one object, one half of a
    /// surrogate pair, nests deeper than 64, is empty or goes on after its value; `invalid` (422), with a JSON pointer for
    /// each value, for an unknown or missing key, a wrong type, a number that does not fit, a `null` that says nothing, a
    /// text that its type refuses, a value that its enumeration does not list, a list or a number beyond its ``FieldBound``,
    /// and for an object of more than 256 keys, a list of more than 1,000 elements and the first of more than 10,000 values, at
    /// which reading ends. A ``Patched`` property is `nil` when its key is absent and `.some(nil)` when it is `null` (RFC 7396).
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: some Collection<UInt8>) throws -> T {
        try decode(type, from: bytes, within: .request)
    }

    /// Reads a document of whatever shape, read as strictly: nobody's request is one, so that it may be as long as a peer's answer.
    package static func decode(_ type: JSONValue.Type, from bytes: some Collection<UInt8>) throws -> JSONValue {
        try decode(type, from: bytes, within: .document)
    }

    private static func decode<T: Decodable>(
        _ type: T.Type, from bytes: some Collection<UInt8>, within limits: JSONLimits
    ) throws -> T {
        let node: JSONNode
        do {
            node = try JSONParser.parse(Array(bytes), within: limits)
        } catch {
            guard let pointer = error.pointer else { throw Problem(.malformed, error.reason) }
            throw Problem(.invalid, errors: [.init(pointer, error.reason)])
        }
        do {
            return try JSONNodeDecoder(node, strict: true).read(type)
        } catch let invalid as InvalidJSON {
            throw Problem(.invalid, errors: invalid.fields)
        }
    }
}

/// Reading of JSON that a peer made: the same parser, but unknown keys are ignored and `null` may stand for absent.
package enum LenientJSON {
    /// Throws ``UnreadableJSON``, never a ``Problem``: a peer's wrong answer is not our caller's fault.
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: some Collection<UInt8>) throws -> T {
        let node: JSONNode
        do {
            node = try JSONParser.parse(Array(bytes), within: .document)
        } catch {
            throw UnreadableJSON(pointer: error.pointer ?? "", detail: error.reason)
        }
        do {
            return try JSONNodeDecoder(node, strict: false).read(type)
        } catch let invalid as InvalidJSON {
            let field = invalid.fields.first
            throw UnreadableJSON(pointer: field?.pointer ?? "", detail: field?.detail ?? "is not valid")
        }
    }
}

/// Why an answer could not be read; quotes no value of it.
package struct UnreadableJSON: Error, Hashable, Sendable, CustomStringConvertible {
    /// The JSON pointer (RFC 6901) of what is wrong; empty for the whole.
    package var pointer: String
    package var detail: String

    package var description: String { pointer.isEmpty ? detail : "\(pointer) \(detail)" }
}

/// Writing of JSON: sorted keys, so that the same value always gives the same bytes, and no escaped slashes.
package enum WireJSON {
    /// Throws `EncodingError` for a number that JSON cannot write (not finite).
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
