/// The kinds of messages from the server that follow the handshake (PostgreSQL documentation, 55.7).
enum BackendMessage {
    static let parseComplete = UInt8(ascii: "1")
    static let bindComplete = UInt8(ascii: "2")
    static let closeComplete = UInt8(ascii: "3")
    static let notification = UInt8(ascii: "A")
    static let commandComplete = UInt8(ascii: "C")
    static let dataRow = UInt8(ascii: "D")
    static let error = UInt8(ascii: "E")
    static let emptyQuery = UInt8(ascii: "I")
    static let notice = UInt8(ascii: "N")
    static let noData = UInt8(ascii: "n")
    static let parameterStatus = UInt8(ascii: "S")
    static let rowDescription = UInt8(ascii: "T")
    static let parameterDescription = UInt8(ascii: "t")
    static let ready = UInt8(ascii: "Z")

    /// The kind and the length of a message, before its content.
    static let headerBytes = 5
    /// The server's own limit for a value is 1 GiB (PostgreSQL documentation, appendix K).
    static let longest = 1 << 30 + 1 << 16

    /// The state of the session in `ReadyForQuery`.
    static let idle = UInt8(ascii: "I")
    static let failedTransaction = UInt8(ascii: "E")
}

/// The server has sent what the protocol does not allow here.
struct ProtocolViolation: Error {}
