/// JSON without strings: libpq's bytes are written straight into the answer.
///
/// Each row is an object whose keys are the columns' aliases. NULL leaves the key out, and so does an alias that starts with
/// `_` (cursors, versions). `bool` and numbers are written as such, `json` and `jsonb` as they are, `timestamptz` as RFC 3339
/// in UTC, arrays as JSON arrays, everything else as a string escaped after RFC 8259.
extension Rows {
    package func writeJSON(row: Int, into bytes: inout [UInt8]) {
        JSONPlan(handle).write(row: row, into: &bytes)
    }

    /// Writes `[{…},{…}]`.
    package func writeJSONArray(range: Range<Int>, into bytes: inout [UInt8]) {
        let plan = JSONPlan(handle)
        bytes.append(UInt8(ascii: "["))
        for row in range {
            if row != range.lowerBound { bytes.append(UInt8(ascii: ",")) }
            plan.write(row: row, into: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}

/// How each column of a result is written: found out once, used for every row.
private struct JSONPlan {
    private enum Form {
        case verbatim
        case number
        case bool
        case moment
        case string
        case array(PostgresType)
    }

    private struct Column {
        let index: Int
        /// `"key":`
        let key: [UInt8]
        let form: Form
    }

    private let handle: ResultHandle
    private let columns: [Column]

    init(_ handle: ResultHandle) {
        self.handle = handle
        var columns: [Column] = []
        columns.reserveCapacity(handle.columnCount)
        for index in 0..<handle.columnCount {
            guard let name = unsafe handle.name(index), unsafe name[0] != CChar(UInt8(ascii: "_")) else { continue }
            var key: [UInt8] = []
            let alias = unsafe String(cString: name)
            JSONText.writeString(alias, into: &key)
            key.append(UInt8(ascii: ":"))
            let type = PostgresType(rawValue: handle.type(index))
            columns.append(Column(index: index, key: key, form: JSONPlan.form(of: type)))
        }
        self.columns = columns
    }

    private static func form(of type: PostgresType) -> Form {
        switch type {
        case .bool: .bool
        case .int2, .int4, .int8, .float4, .float8, .numeric, .oid: .number
        case .json, .jsonb: .verbatim
        case .timestamptz: .moment
        default: type.element.map { .array($0) } ?? .string
        }
    }

    func write(row: Int, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var first = true
        for column in columns {
            guard let value = unsafe handle.bytes(row: row, column: column.index) else { continue }
            if !first { bytes.append(UInt8(ascii: ",")) }
            first = false
            bytes.append(contentsOf: column.key)
            unsafe JSONPlan.write(value, column.form, into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func write(_ value: UnsafeRawBufferPointer, _ form: Form, into bytes: inout [UInt8]) {
        switch form {
        case .verbatim: unsafe bytes.append(contentsOf: value)
        case .number: unsafe writeNumber(value, into: &bytes)
        case .bool:
            bytes.append(contentsOf: unsafe value.first == UInt8(ascii: "t") ? "true".utf8 : "false".utf8)
        case .moment:
            bytes.append(UInt8(ascii: "\""))
            unsafe TimestampText.writeRFC3339(value, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .string: unsafe JSONText.writeString(value, into: &bytes)
        case .array(let element): unsafe writeArray(value, of: element, into: &bytes)
        }
    }

    /// `NaN` and the infinities are no JSON numbers: they become strings.
    private static func writeNumber(_ value: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        guard let last = unsafe value.last, last &- UInt8(ascii: "0") < 10 else {
            unsafe JSONText.writeString(value, into: &bytes)
            return
        }
        unsafe bytes.append(contentsOf: value)
    }

    private static func writeArray(_ value: UnsafeRawBufferPointer, of type: PostgresType, into bytes: inout [UInt8]) {
        let form = form(of: type)
        let start = bytes.count
        bytes.append(UInt8(ascii: "["))
        var first = true
        let complete = unsafe try? ArrayText.each(value) { element throws(PostgresError) in
            if !first { bytes.append(UInt8(ascii: ",")) }
            first = false
            if let element = unsafe element {
                unsafe write(element, form, into: &bytes)
            } else {
                bytes.append(contentsOf: "null".utf8)
            }
        }
        guard complete == true else {
            // More than one dimension: its text is all that is known of it.
            bytes.removeSubrange(start...)
            unsafe JSONText.writeString(value, into: &bytes)
            return
        }
        bytes.append(UInt8(ascii: "]"))
    }
}

extension JSONText {
    /// Appends a JSON string.
    package static func writeString(_ value: String, into bytes: inout [UInt8]) {
        var value = value
        value.withUTF8 { unsafe writeString(UnsafeRawBufferPointer($0), into: &bytes) }
    }

    /// Appends a JSON string (RFC 8259, section 7): quote, backslash and U+0000 to U+001F are escaped, all else stays.
    package static func writeString(_ value: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        let count = value.count
        for index in 0..<count {
            let byte = unsafe value[index]
            if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
            unsafe bytes.append(contentsOf: value[start..<index])
            start = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
            case 0x08: bytes.append(UInt8(ascii: "b"))
            case 0x09: bytes.append(UInt8(ascii: "t"))
            case 0x0A: bytes.append(UInt8(ascii: "n"))
            case 0x0C: bytes.append(UInt8(ascii: "f"))
            case 0x0D: bytes.append(UInt8(ascii: "r"))
            default:
                bytes.append(contentsOf: "u00".utf8)
                bytes.append(Hexadecimal.digit(byte >> 4))
                bytes.append(Hexadecimal.digit(byte & 15))
            }
        }
        unsafe bytes.append(contentsOf: value[start..<count])
        bytes.append(UInt8(ascii: "\""))
    }
}
