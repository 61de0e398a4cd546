/// How each column of a result is written as JSON: determined once, used for every row.
final class JSONPlan: Sendable {
    private enum Form {
        case verbatim
        /// A text that needs no escaping.
        case quoted
        case number
        case bool
        case moment
        case string
        case array(PostgresType)
    }

    private struct Column {
        let index: Int
        /// The range of `,"key":` in `keys`.
        let key: Range<Int>
        let form: Form
    }

    /// The column that contains the whole object.
    private let document: Int?
    private let keys: [UInt8]
    private let columns: [Column]

    init(_ description: RowDescription) {
        document = description.index(of: RowDescription.document)
        var keys: [UInt8] = []
        var columns: [Column] = []
        for (index, column) in description.columns.enumerated() where column.name.utf8.first != UInt8(ascii: "_") {
            let start = keys.count
            keys.append(UInt8(ascii: ","))
            JSONText.writeString(column.name, into: &keys)
            keys.append(UInt8(ascii: ":"))
            let type = PostgresType(rawValue: column.type)
            columns.append(Column(index: index, key: start..<keys.count, form: JSONPlan.form(of: type)))
        }
        self.keys = keys
        self.columns = columns
    }

    /// Writes rows as objects, with `separator` between them.
    func write(_ result: QueryResult, rows: Range<Int>, separator: UInt8, into writer: inout JSONWriter) {
        let width = result.columnCount
        unsafe keys.withUnsafeBytes { keys in
            unsafe result.withRows { bytes, cells in
                for row in rows {
                    if row != rows.lowerBound { writer.append(separator) }
                    let first = row * width
                    if let document, cells[first + document].length >= 0 {
                        unsafe writer.append(JSONPlan.value(cells[first + document], in: bytes))
                    } else {
                        unsafe write(bytes, cells, first, keys, into: &writer)
                    }
                }
            }
        }
    }

    /// Appends rows that are whole objects already, as one copy each. False, without any effect, if one is not.
    func appendDocuments(
        of result: QueryResult, rows: Range<Int>, separator: UInt8, to bytes: inout [UInt8]
    ) -> Bool {
        guard let document else { return false }
        let width = result.columnCount
        return unsafe result.withRows { content, cells in
            var size = 0
            for row in rows {
                let length = cells[row * width + document].length
                guard length >= 0 else { return false }
                size += Int(length) + 1
            }
            // And for what follows them in a page.
            bytes.reserveCapacity(bytes.count + size + 256)
            for row in rows {
                if row != rows.lowerBound { bytes.append(separator) }
                unsafe bytes.append(contentsOf: JSONPlan.value(cells[row * width + document], in: content))
            }
            return true
        }
    }

    private static func value(_ cell: QueryResult.Cell, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = Int(cell.offset)
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(cell.length)])
    }

    private static func form(of type: PostgresType) -> Form {
        switch type {
        case .bool: .bool
        case .int2, .int4, .int8, .float4, .float8, .numeric, .oid: .number
        case .json, .jsonb: .verbatim
        case .uuid, .date: .quoted
        case .timestamptz: .moment
        default: type.element.map { .array($0) } ?? .string
        }
    }

    /// - Parameter first: the index of the row's first cell.
    private func write(
        _ bytes: UnsafeRawBufferPointer, _ cells: [QueryResult.Cell], _ first: Int, _ keys: UnsafeRawBufferPointer,
        into writer: inout JSONWriter
    ) {
        writer.append(UInt8(ascii: "{"))
        var isFirst = true
        for column in columns {
            let cell = cells[first + column.index]
            guard cell.length >= 0 else { continue }
            let key = isFirst ? column.key.dropFirst() : column.key
            isFirst = false
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: keys[key]))
            unsafe JSONPlan.write(JSONPlan.value(cell, in: bytes), column.form, into: &writer)
        }
        writer.append(UInt8(ascii: "}"))
    }

    private static func write(_ value: UnsafeRawBufferPointer, _ form: Form, into writer: inout JSONWriter) {
        switch form {
        case .verbatim: unsafe writer.append(value)
        case .quoted: unsafe writer.appendQuoted(value)
        case .number: unsafe writeNumber(value, into: &writer)
        case .bool: writer.append(unsafe value.first == UInt8(ascii: "t") ? "true" : "false")
        case .moment: unsafe writeMoment(value, into: &writer)
        case .string: unsafe writer.appendString(value)
        case .array(let element): unsafe writeArray(value, of: element, into: &writer)
        }
    }

    /// `NaN` and the infinities are not valid JSON numbers, so they are written as strings.
    private static func writeNumber(_ value: UnsafeRawBufferPointer, into writer: inout JSONWriter) {
        if let last = unsafe value.last, last &- UInt8(ascii: "0") < 10 {
            unsafe writer.append(value)
        } else {
            unsafe writer.appendQuoted(value)
        }
    }

    /// Writes `2026-11-22 23:14:16.123456+00` as RFC 3339; anything in another form (`infinity`, years BC) stays
    /// unchanged.
    private static func writeMoment(_ value: UnsafeRawBufferPointer, into writer: inout JSONWriter) {
        guard unsafe TimestampText.isCommon(value) else { return unsafe writer.appendQuoted(value) }
        writer.append(UInt8(ascii: "\""))
        unsafe writer.append(UnsafeRawBufferPointer(rebasing: value[0..<10]))
        writer.append(UInt8(ascii: "T"))
        unsafe writer.append(UnsafeRawBufferPointer(rebasing: value[11..<value.count - 3]))
        writer.append("Z\"")
    }

    private static func writeArray(
        _ value: UnsafeRawBufferPointer, of type: PostgresType, into writer: inout JSONWriter
    ) {
        let form = form(of: type)
        let start = writer.count
        writer.append(UInt8(ascii: "["))
        var isFirst = true
        let complete = unsafe try? ArrayText.each(value) { element throws(PostgresError) in
            if !isFirst { writer.append(UInt8(ascii: ",")) }
            isFirst = false
            if let element = unsafe element {
                unsafe write(element, form, into: &writer)
            } else {
                writer.append("null")
            }
        }
        guard complete == true else {
            // More than one dimension is written as its text.
            writer.truncate(to: start)
            unsafe writer.appendString(value)
            return
        }
        writer.append(UInt8(ascii: "]"))
    }
}
