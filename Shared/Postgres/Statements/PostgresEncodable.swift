package import FoundationEssentials

/// A value that can be bound to a statement, in PostgreSQL's text form.
package protocol PostgresEncodable: PostgresArrayEncodable {
    static var postgresType: PostgresType { get }
    /// Appends the text form, in UTF-8, without quotes and without a terminating zero.
    func encode(into bytes: inout [UInt8])
}

/// A possible element of an array that is bound: any `PostgresEncodable`; bytes have their own form (`bytea`).
package protocol PostgresArrayEncodable: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encode(array: [Self], into bytes: inout [UInt8])
}

extension PostgresEncodable {
    package static var postgresArrayType: PostgresType { postgresType.array }

    package static func encode(array: [Self], into bytes: inout [UInt8]) {
        ArrayText.write(array, into: &bytes) { element, bytes in
            element.encode(into: &bytes)
            return true
        }
    }
}

extension Array: PostgresArrayEncodable where Element: PostgresArrayEncodable {}

/// `\(ids)` binds one array parameter: `where id = any(\(ids))`.
extension Array: PostgresEncodable where Element: PostgresArrayEncodable {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package static var postgresArrayType: PostgresType { .unspecified }

    package func encode(into bytes: inout [UInt8]) {
        Element.encode(array: self, into: &bytes)
    }
}

/// An array with NULL elements.
extension Optional: PostgresArrayEncodable where Wrapped: PostgresEncodable {
    package static var postgresArrayType: PostgresType { Wrapped.postgresType.array }

    package static func encode(array: [Wrapped?], into bytes: inout [UInt8]) {
        ArrayText.write(array, into: &bytes) { element, bytes in
            guard let element else { return false }
            element.encode(into: &bytes)
            return true
        }
    }
}

/// `[UInt8]` is a `bytea`.
extension UInt8: PostgresArrayEncodable {
    package static var postgresArrayType: PostgresType { .bytea }

    package static func encode(array: [UInt8], into bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + 2 + array.count * 2)
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: "x"))
        for byte in array {
            bytes.append(Hexadecimal.digit(byte >> 4))
            bytes.append(Hexadecimal.digit(byte & 15))
        }
    }
}

/// An enum of strings is bound to an enum, a domain or a text of the server, which infers the type.
extension PostgresEncodable where Self: RawRepresentable, RawValue == String {
    package static var postgresType: PostgresType { .unspecified }

    package func encode(into bytes: inout [UInt8]) {
        rawValue.encode(into: &bytes)
    }
}

extension String: PostgresEncodable {
    package static var postgresType: PostgresType { .text }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: utf8)
    }
}

extension Bool: PostgresEncodable {
    package static var postgresType: PostgresType { .bool }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(self ? UInt8(ascii: "t") : UInt8(ascii: "f"))
    }
}

extension FixedWidthInteger {
    fileprivate func encodeDecimal(into bytes: inout [UInt8]) {
        var magnitude = self.magnitude
        if self < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder))
            magnitude = quotient
        } while magnitude != 0
        bytes[start...].reverse()
    }
}

extension Int: PostgresEncodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into bytes: inout [UInt8]) { encodeDecimal(into: &bytes) }
}

extension Int64: PostgresEncodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into bytes: inout [UInt8]) { encodeDecimal(into: &bytes) }
}

extension Int32: PostgresEncodable {
    package static var postgresType: PostgresType { .int4 }
    package func encode(into bytes: inout [UInt8]) { encodeDecimal(into: &bytes) }
}

extension Int16: PostgresEncodable {
    package static var postgresType: PostgresType { .int2 }
    package func encode(into bytes: inout [UInt8]) { encodeDecimal(into: &bytes) }
}

extension Double: PostgresEncodable {
    package static var postgresType: PostgresType { .float8 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: description.utf8) }
}

extension UUID: PostgresEncodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into bytes: inout [UInt8]) {
        // Appended at once: to make room for each of 36 bytes costs ten times as much as the bytes.
        var text = InlineArray<36, UInt8>(repeating: UInt8(ascii: "-"))
        unsafe withUnsafeBytes(of: uuid) { octets in
            var place = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 { place += 1 }
                let octet = unsafe octets[index]
                text[place] = Hexadecimal.digit(octet >> 4)
                text[place + 1] = Hexadecimal.digit(octet & 15)
                place += 2
            }
        }
        unsafe text.span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }
}

/// A point in time, to the microsecond.
extension Date: PostgresEncodable {
    package static var postgresType: PostgresType { .timestamptz }

    package func encode(into bytes: inout [UInt8]) {
        TimestampText.write(microsecondsSince1970: (timeIntervalSince1970 * 1_000_000).rounded(), into: &bytes)
    }
}

/// JSON as text: bound as `jsonb`, decoded from `json` or `jsonb`.
package struct JSONText: PostgresEncodable, Hashable, CustomStringConvertible {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { text }
    package static var postgresType: PostgresType { .jsonb }

    package func encode(into bytes: inout [UInt8]) {
        text.encode(into: &bytes)
    }
}

enum Hexadecimal {
    static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
