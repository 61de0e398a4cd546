import NIOCore

/// A message from the server while a session begins.
struct HandshakeMessage {
    let kind: UInt8
    var body: ByteBuffer
}

/// Splits the server's bytes into messages. Who speaks another protocol is found out early, and cannot make us store
/// much.
struct HandshakeMessageReader {
    /// The maximum length of a message, and of all of them together.
    static let (longest, most) = (65_536, 1_048_576)

    /// What is not yet read.
    private(set) var rest = ByteBuffer()
    private var received = 0

    mutating func append(_ bytes: ByteBuffer) throws(PostgresError) {
        received += bytes.readableBytes
        guard received <= Self.most else { throw .otherProtocol }
        rest.writeImmutableBuffer(bytes)
    }

    /// The next message; nil while it is incomplete.
    mutating func next() throws(PostgresError) -> HandshakeMessage? {
        let start = rest.readerIndex
        guard let kind = rest.getInteger(at: start, as: UInt8.self),
            let length = rest.getInteger(at: start + 1, as: Int32.self)
        else { return nil }
        // The length counts itself.
        guard length >= 4, length <= Self.longest else { throw .otherProtocol }
        guard rest.readableBytes > Int(length) else { return nil }
        rest.moveReaderIndex(forwardBy: 5)
        guard let body = rest.readSlice(length: Int(length) - 4) else { throw .otherProtocol }
        return HandshakeMessage(kind: kind, body: body)
    }
}

extension PostgresError {
    static let otherProtocol = PostgresError(.connection, message: "the server speaks another protocol")

    /// Why a session did not begin.
    static func noSession(_ reason: String) -> PostgresError { PostgresError(.connection, message: reason) }

    /// The server refuses the session. Its own words are about hosts, databases, roles and settings only.
    static func refused(_ fields: ErrorFields) -> PostgresError {
        var error = server(fields)
        error.kind = .connection
        if !fields.message.isEmpty { error.message = fields.message }
        return error
    }
}
