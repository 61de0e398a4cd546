/// JSON without strings: the server's bytes are written directly into the response.
///
/// Each row is an object whose keys are the columns' aliases. NULL columns are omitted, and so are aliases that start
/// with `_` (cursors, versions). `bool` and numbers are written as such, `json` and `jsonb` unchanged, `timestamptz`
/// as RFC 3339 in UTC, arrays as JSON arrays, everything else as a string escaped as in RFC 8259. A column
/// `_document` is already the whole object: it is written unchanged, and the others are omitted.
extension Rows {
    /// Writes `{…}`.
    package func writeJSON(row: Int, into bytes: inout [UInt8]) {
        write(row..<row + 1, separator: 0, into: &bytes)
    }

    /// Writes `[{…},{…}]`.
    package func writeJSONArray(range: Range<Int>, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        write(range, separator: UInt8(ascii: ","), into: &bytes)
        bytes.append(UInt8(ascii: "]"))
    }

    /// Writes `{…}` and a line feed for each row (NDJSON).
    package func writeJSONLines(range: Range<Int>, into bytes: inout [UInt8]) {
        guard !range.isEmpty else { return }
        write(range, separator: UInt8(ascii: "\n"), into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    private func write(_ range: Range<Int>, separator: UInt8, into bytes: inout [UInt8]) {
        let plan = result.description.plan
        if plan.appendDocuments(of: result, rows: range, separator: separator, to: &bytes) { return }
        var writer = JSONWriter(capacity: 64 + range.count * 512)
        plan.write(result, rows: range, separator: separator, into: &writer)
        // And for what follows it in a page.
        bytes.reserveCapacity(bytes.count + writer.count + 256)
        writer.move(to: &bytes)
    }
}

extension JSONText {
    /// Appends a JSON string.
    package static func writeString(_ value: String, into bytes: inout [UInt8]) {
        var value = value
        value.withUTF8 { unsafe writeString(UnsafeRawBufferPointer($0), into: &bytes) }
    }

    /// Appends a JSON string (RFC 8259, section 7).
    package static func writeString(_ value: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        var writer = JSONWriter(capacity: value.count + 16)
        unsafe writer.appendString(value)
        writer.move(to: &bytes)
    }
}
