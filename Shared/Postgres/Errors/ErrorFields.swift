import NIOCore

/// The fields of an ErrorResponse or NoticeResponse that we use (PostgreSQL documentation, 55.8).
struct ErrorFields: Sendable, Equatable {
    var sqlState: String
    /// The primary message, in the server's language. It may quote values.
    var message = ""
    /// `ERROR`, `FATAL`, `PANIC`, or what a notice has, in English.
    var severity: String?
    /// The place in the statement's text, in characters from 1.
    var position: Int?
    var table: String?
    var column: String?
    var constraint: String?
    /// The server's function that reported it.
    var function: String?

    /// Whether the server closes the connection after it.
    var endsSession: Bool { severity == "FATAL" || severity == "PANIC" }
}

extension ErrorFields {
    /// Reads the body of a message: fields of a type and a text each, and a zero byte. Nil if it is anything else, or
    /// has no SQLSTATE, which is always there.
    init?(reading body: ByteBuffer) {
        var body = body
        self.init(sqlState: "")
        while let code = body.readInteger(as: UInt8.self) {
            if code == 0 {
                guard body.readableBytes == 0, !sqlState.isEmpty else { return nil }
                return
            }
            guard let text = body.readNullTerminatedString() else { return nil }
            set(code, text)
        }
        return nil
    }

    private mutating func set(_ code: UInt8, _ text: String) {
        switch code {
        case UInt8(ascii: "C"): sqlState = text
        case UInt8(ascii: "M"): message = text
        case UInt8(ascii: "V"): severity = text
        case UInt8(ascii: "P"): position = Int(text)
        case UInt8(ascii: "t"): table = text
        case UInt8(ascii: "c"): column = text
        case UInt8(ascii: "n"): constraint = text
        case UInt8(ascii: "R"): function = text
        // Fields of unknown types are to be ignored.
        default: break
        }
    }
}
