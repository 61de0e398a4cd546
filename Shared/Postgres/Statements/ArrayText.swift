/// The text form of one-dimensional arrays: `{1,2}`, `{"a,b",NULL,"c \"d\""}` (PostgreSQL documentation, 8.15.6).
enum ArrayText {
    /// Writes an array; `encode` appends one element's text, or returns false for NULL.
    static func write<Element>(
        _ array: [Element], into bytes: inout [UInt8], encode: (Element, inout [UInt8]) -> Bool
    ) {
        var scratch: [UInt8] = []
        bytes.append(UInt8(ascii: "{"))
        for (index, element) in array.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            scratch.removeAll(keepingCapacity: true)
            guard encode(element, &scratch) else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            // Always quoted, so that an empty text, the word null and delimiters have no special meaning.
            bytes.append(UInt8(ascii: "\""))
            for byte in scratch {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// The type of an array's elements. Arrays of enums and domains have types of their own; their elements are read
    /// as text.
    static func elementType(of type: UInt32, as: Any.Type) throws(PostgresError) -> UInt32 {
        if let element = PostgresType(rawValue: type).element { return element.rawValue }
        guard type >= firstUserType else { throw .mismatch(`as`, type) }
        return PostgresType.text.rawValue
    }

    /// Types defined in a database start here (`FirstNormalObjectId`).
    static let firstUserType: UInt32 = 16384

    static func read<Element>(
        _ text: UnsafeRawBufferPointer, as: Any.Type, type: UInt32,
        decode: (UnsafeRawBufferPointer?) throws(PostgresError) -> Element
    ) throws(PostgresError) -> [Element] {
        var elements: [Element] = []
        let complete = unsafe try each(text) { bytes throws(PostgresError) in
            elements.append(unsafe try decode(bytes))
        }
        guard complete else { throw .mismatch(`as`, type) }
        return elements
    }

    /// Calls `body` with each element, nil for NULL. False if the text is not a one-dimensional array.
    static func each(
        _ text: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer?) throws(PostgresError) -> Void
    ) throws(PostgresError) -> Bool {
        guard text.count >= 2, unsafe text[0] == UInt8(ascii: "{"),
            unsafe text[text.count - 1] == UInt8(ascii: "}")
        else { return false }
        let end = text.count - 1
        var index = 1
        if index == end { return true }
        var scratch: [UInt8] = []
        while index <= end {
            if unsafe index < end && text[index] == UInt8(ascii: "\"") {
                index += 1
                let start = index
                var escaped = false
                scratch.removeAll(keepingCapacity: true)
                while unsafe index < end && text[index] != UInt8(ascii: "\"") {
                    if unsafe text[index] == UInt8(ascii: "\\") {
                        if !escaped { unsafe scratch.append(contentsOf: text[start..<index]) }
                        escaped = true
                        index += 1
                        guard index < end else { return false }
                    }
                    if escaped { unsafe scratch.append(text[index]) }
                    index += 1
                }
                guard index < end else { return false }
                if escaped {
                    unsafe try withBytes(of: scratch, body)
                } else {
                    unsafe try body(UnsafeRawBufferPointer(rebasing: text[start..<index]))
                }
                index += 1
            } else {
                let start = index
                while unsafe index < end && text[index] != UInt8(ascii: ",") {
                    if unsafe text[index] == UInt8(ascii: "{") { return false }
                    index += 1
                }
                let element = unsafe UnsafeRawBufferPointer(rebasing: text[start..<index])
                unsafe try body(isNull(element) ? nil : element)
            }
            guard unsafe index == end || text[index] == UInt8(ascii: ",") else { return false }
            index += 1
        }
        return true
    }

    private static func withBytes(
        of scratch: [UInt8], _ body: (UnsafeRawBufferPointer?) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        let outcome: Result<Void, PostgresError> = unsafe scratch.withUnsafeBytes { bytes in
            do throws(PostgresError) {
                unsafe try body(bytes)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    private static func isNull(_ element: UnsafeRawBufferPointer) -> Bool {
        guard element.count == 4 else { return false }
        return unsafe element[0] == UInt8(ascii: "N") && element[1] == UInt8(ascii: "U")
            && element[2] == UInt8(ascii: "L") && element[3] == UInt8(ascii: "L")
    }
}
