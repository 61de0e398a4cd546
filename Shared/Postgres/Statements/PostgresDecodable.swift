package import FoundationEssentials

/// A value that can be decoded from a column, from PostgreSQL's text form.
package protocol PostgresDecodable: PostgresArrayDecodable {
    /// - Parameters:
    ///   - text: the column's bytes, valid during the call only.
    ///   - type: the column's type (`pg_type.oid`).
    /// - Throws: `PostgresError.mismatch(_:_:)`; the row adds the column's name. Never a value.
    static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Self
}

/// A possible element of an array that is decoded: any `PostgresDecodable`; bytes have their own form (`bytea`).
package protocol PostgresArrayDecodable: Sendable {
    static func decode(array text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Self]
}

extension PostgresDecodable {
    package static func decode(array text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Self] {
        let element = try ArrayText.elementType(of: type, as: [Self].self)
        return unsafe try ArrayText.read(text, as: [Self].self, type: type) { bytes throws(PostgresError) in
            guard let bytes = unsafe bytes else { throw .mismatch([Self].self, type) }
            return unsafe try Self.decode(postgres: bytes, type: element)
        }
    }
}

extension Array: PostgresArrayDecodable where Element: PostgresArrayDecodable {}

extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Element] {
        unsafe try Element.decode(array: text, type: type)
    }
}

extension Optional: PostgresArrayDecodable where Wrapped: PostgresDecodable {
    package static func decode(array text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Wrapped?] {
        let element = try ArrayText.elementType(of: type, as: [Wrapped?].self)
        return unsafe try ArrayText.read(text, as: [Wrapped?].self, type: type) { bytes throws(PostgresError) in
            guard let bytes = unsafe bytes else { return nil }
            return unsafe try Wrapped.decode(postgres: bytes, type: element)
        }
    }
}

/// `[UInt8]` decodes a `bytea`.
extension UInt8: PostgresArrayDecodable {
    package static func decode(array text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [UInt8] {
        guard type == PostgresType.bytea.rawValue, text.count >= 2, text.count % 2 == 0,
            unsafe text[0] == UInt8(ascii: "\\"), unsafe text[1] == UInt8(ascii: "x")
        else { throw .mismatch([UInt8].self, type) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = unsafe Hexadecimal.value(text[index]), let low = unsafe Hexadecimal.value(text[index + 1])
            else { throw .mismatch([UInt8].self, type) }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue == String {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Self {
        guard let value = unsafe Self(rawValue: try String.decode(postgres: text, type: type)) else {
            throw .mismatch(Self.self, type)
        }
        return value
    }
}

/// Any column has a text form, so any column can be read as a string.
extension String: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> String {
        unsafe String(decoding: text, as: UTF8.self)
    }
}

extension Bool: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Bool {
        guard type == PostgresType.bool.rawValue, text.count == 1 else { throw .mismatch(Bool.self, type) }
        return unsafe text[0] == UInt8(ascii: "t")
    }
}

enum Decimal {
    /// Parses an integer; nil if it is not one or does not fit.
    static func read<Integer: FixedWidthInteger>(_ text: UnsafeRawBufferPointer, as: Integer.Type) -> Integer? {
        var index = 0
        var negative = false
        if let first = unsafe text.first, first == UInt8(ascii: "-") {
            negative = true
            index = 1
        }
        guard index < text.count else { return nil }
        var value: Integer = 0
        while index < text.count {
            let digit = unsafe text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) =
                negative
                ? product.subtractingReportingOverflow(Integer(digit))
                : product.addingReportingOverflow(Integer(digit))
            if overflow || carried { return nil }
            value = sum
            index += 1
        }
        return value
    }

    static func decode<Integer: FixedWidthInteger>(
        _ text: UnsafeRawBufferPointer, type: UInt32, as: Integer.Type
    ) throws(PostgresError) -> Integer {
        switch PostgresType(rawValue: type) {
        case .int8, .int4, .int2, .numeric, .oid, .xid, .xid8:
            guard let value = unsafe read(text, as: Integer.self) else { throw .mismatch(Integer.self, type) }
            return value
        default:
            throw .mismatch(Integer.self, type)
        }
    }
}

extension Int: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int {
        unsafe try Decimal.decode(text, type: type, as: Int.self)
    }
}

extension Int64: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int64 {
        unsafe try Decimal.decode(text, type: type, as: Int64.self)
    }
}

extension Int32: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int32 {
        unsafe try Decimal.decode(text, type: type, as: Int32.self)
    }
}

extension Int16: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int16 {
        unsafe try Decimal.decode(text, type: type, as: Int16.self)
    }
}

extension Double: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Double {
        switch PostgresType(rawValue: type) {
        case .float8, .float4, .numeric, .int8, .int4, .int2:
            guard let value = unsafe Double(String(decoding: text, as: UTF8.self)) else {
                throw .mismatch(Double.self, type)
            }
            return value
        default:
            throw .mismatch(Double.self, type)
        }
    }
}

extension UUID: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> UUID {
        guard type == PostgresType.uuid.rawValue, let value = unsafe read(text) else {
            throw .mismatch(UUID.self, type)
        }
        return value
    }

    static func read(_ text: UnsafeRawBufferPointer) -> UUID? {
        guard text.count == 36 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        for index in 0..<36 {
            let byte = unsafe text[index]
            if byte == UInt8(ascii: "-") { continue }
            guard let value = Hexadecimal.value(byte) else { return nil }
            if digits < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt64(value) }
            digits += 1
        }
        guard digits == 32 else { return nil }
        func octet(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - index * 8)) }
        return UUID(
            uuid: (
                octet(high, 0), octet(high, 1), octet(high, 2), octet(high, 3),
                octet(high, 4), octet(high, 5), octet(high, 6), octet(high, 7),
                octet(low, 0), octet(low, 1), octet(low, 2), octet(low, 3),
                octet(low, 4), octet(low, 5), octet(low, 6), octet(low, 7)
            ))
    }
}

extension Date: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Date {
        switch PostgresType(rawValue: type) {
        case .timestamptz, .timestamp, .date:
            guard let moment = unsafe TimestampText.read(text) else { throw .mismatch(Date.self, type) }
            return Date(timeIntervalSince1970: Double(moment) / 1_000_000)
        default:
            throw .mismatch(Date.self, type)
        }
    }
}

extension JSONText: PostgresDecodable {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> JSONText {
        switch PostgresType(rawValue: type) {
        case .json, .jsonb: unsafe JSONText(String(decoding: text, as: UTF8.self))
        default: throw .mismatch(JSONText.self, type)
        }
    }
}

extension PostgresError {
    /// The bytes of a column cannot be decoded as the type that the code expects. The row adds the column's name.
    package static func mismatch(_ wanted: Any.Type, _ type: UInt32) -> PostgresError {
        PostgresError(.decoding, message: "\(PostgresType(rawValue: type)) cannot be read as \(wanted)")
    }
}
