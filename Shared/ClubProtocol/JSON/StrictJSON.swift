import FoundationEssentials

/// Strict decoding of JSON, for input.
package enum StrictJSON {
    /// Decodes a request body.
    ///
    /// Throws a ``Problem``: `malformed` (400) if it is not JSON or not UTF-8, has a duplicate key in an object or a
    /// lone surrogate, nests deeper than 64, is empty or continues after its value; `invalid` (422), with a JSON
    /// pointer for each value, for an unknown or missing key, a wrong type, a number out of range, an unnecessary
    /// `null`, an invalid text, a value that is not in its enumeration, a list or a number outside its
    /// ``FieldBound``, an object of more than 256 keys, a list of more than 1,000 elements, or more than 10,000
    /// values in all, where decoding stops. A ``Patched`` property is `nil` if its key is absent and `.some(nil)` if
    /// it is `null` (RFC 7396).
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: some Collection<UInt8>) throws -> T {
        try decode(type, from: bytes, within: .request)
    }

    /// Decodes a document of any shape just as strictly. It is never a request, so it may be as long as a peer's
    /// response.
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

/// Decoding of JSON written by a peer: the same parser, but unknown keys are ignored and `null` may stand for absent.
package enum LenientJSON {
    /// Throws ``UnreadableJSON``, never a ``Problem``: a peer's invalid response is not our caller's fault.
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

/// Why a response could not be decoded; never quotes its values.
package struct UnreadableJSON: Error, Hashable, Sendable, CustomStringConvertible {
    /// The JSON pointer (RFC 6901) to the error; empty for the whole document.
    package var pointer: String
    package var detail: String

    package var description: String { pointer.isEmpty ? detail : "\(pointer) \(detail)" }
}

/// Encoding of JSON: sorted keys, so that equal values have equal bytes, and no escaped slashes.
package enum WireJSON {
    /// Throws `EncodingError` for a number that JSON cannot represent (not finite).
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
