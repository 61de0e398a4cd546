import NIOCore

/// Messages to the server (PostgreSQL documentation, 55.7). Values are sent, and requested, in their text form.
extension ByteBuffer {
    /// Prepares a statement, and asks for its columns.
    mutating func writePrepare(_ statement: SQL, as name: StatementName) {
        writeParse(statement, as: name)
        // Describe: `S`, the name.
        writeMultipleIntegers(UInt8(ascii: "D"), UInt32(5 + name.bytes.count), UInt8(ascii: "S"))
        writeBytes(name.bytes)
    }

    /// Runs a prepared statement, whose columns are known.
    mutating func writeExecute(_ name: StatementName, _ parameters: [SQLParameter]) {
        writeBind(name, parameters)
        writeExecute()
    }

    /// Runs a statement once, without a name, and asks for its columns.
    mutating func writeOnce(_ statement: SQL) {
        writeParse(statement, as: .none)
        writeBind(.none, statement.parameters)
        // Describe: `P`, no name.
        writeMultipleIntegers(UInt8(ascii: "D"), UInt32(6), UInt8(ascii: "P"), UInt8(0))
        writeExecute()
    }

    private mutating func writeParse(_ statement: SQL, as name: StatementName) {
        let count = statement.parameters.count
        writeMultipleIntegers(
            UInt8(ascii: "P"), UInt32(7 + name.bytes.count + statement.text.utf8.count + 4 * count))
        writeBytes(name.bytes)
        writeString(statement.text)
        writeMultipleIntegers(UInt8(0), UInt16(truncatingIfNeeded: count))
        for parameter in statement.parameters { writeInteger(parameter.type.rawValue) }
    }

    private mutating func writeBind(_ name: StatementName, _ parameters: [SQLParameter]) {
        var length = 11 + name.bytes.count
        for parameter in parameters { length += 4 + (parameter.text?.count ?? 0) }
        // No name for the portal.
        writeMultipleIntegers(UInt8(ascii: "B"), UInt32(length), UInt8(0))
        writeBytes(name.bytes)
        // No formats: all parameters are texts.
        writeMultipleIntegers(UInt16(0), UInt16(truncatingIfNeeded: parameters.count))
        for parameter in parameters {
            guard let text = parameter.text else {
                writeInteger(Int32(-1))
                continue
            }
            writeInteger(UInt32(text.count))
            writeBytes(text)
        }
        // All results as texts.
        writeInteger(UInt16(0))
    }

    /// The portal without a name, to its end.
    private mutating func writeExecute() {
        writeMultipleIntegers(UInt8(ascii: "E"), UInt32(9), UInt8(0), UInt32(0))
    }

    /// Forgets a prepared statement.
    mutating func writeClose(_ name: StatementName) {
        writeMultipleIntegers(UInt8(ascii: "C"), UInt32(5 + name.bytes.count), UInt8(ascii: "S"))
        writeBytes(name.bytes)
    }

    /// Ends what belongs together: the server commits, unless a transaction is open, and after an error goes on here.
    mutating func writeSync() {
        writeMultipleIntegers(UInt8(ascii: "S"), UInt32(4))
    }

    /// A script of several statements (the simple query protocol), which needs no `Sync`.
    mutating func writeScript(_ text: [UInt8]) {
        writeMultipleIntegers(UInt8(ascii: "Q"), UInt32(5 + text.count))
        writeBytes(text)
        writeInteger(UInt8(0))
    }

    mutating func writeTerminate() {
        writeMultipleIntegers(UInt8(ascii: "X"), UInt32(4))
    }
}

/// The name of a prepared statement on one connection: `s1`, `s2`, … and none.
struct StatementName: Sendable {
    /// Zero-terminated.
    let bytes: [UInt8]

    static let none = StatementName(bytes: [0])

    init(_ serial: Int) {
        bytes = Array("s\(serial)".utf8) + [0]
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}
