import NIOCore

/// The messages that begin a session, or end one that has begun (PostgreSQL documentation, 55.7).
enum HandshakeRequest {
    static func tls() -> ByteBuffer {
        var message = ByteBuffer()
        message.writeMultipleIntegers(Int32(8), Int32(80_877_103))
        return message
    }

    static func cancel(processID: Int32, secretKey: Int32) -> ByteBuffer {
        var message = ByteBuffer()
        message.writeMultipleIntegers(Int32(16), Int32(80_877_102), processID, secretKey)
        return message
    }

    static func start(_ parameters: SessionParameters) throws(PostgresError) -> ByteBuffer {
        let fields = [("user", parameters.user), ("database", parameters.database)] + parameters.startup
        var body = ByteBuffer()
        body.writeInteger(Int32(3) << 16)
        for (name, value) in fields {
            // It would end the value, and the rest would become another parameter.
            guard !name.utf8.contains(0), !value.utf8.contains(0) else {
                throw .noSession("U+0000 in a parameter of the session")
            }
            body.writeNullTerminatedString(name)
            body.writeNullTerminatedString(value)
        }
        body.writeInteger(UInt8(0))
        var message = ByteBuffer()
        message.writeInteger(Int32(body.readableBytes + 4))
        message.writeBuffer(&body)
        return message
    }

    /// A cleartext password, or its MD5 hash.
    static func password(_ text: String) throws(PostgresError) -> ByteBuffer {
        guard !text.utf8.contains(0) else { throw .noSession("U+0000 in the password") }
        var body = ByteBuffer()
        body.writeNullTerminatedString(text)
        return answer(body)
    }

    static func sasl(mechanism: String, first: String) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeNullTerminatedString(mechanism)
        body.writeInteger(Int32(first.utf8.count))
        body.writeString(first)
        return answer(body)
    }

    static func sasl(next: String) -> ByteBuffer { answer(ByteBuffer(string: next)) }

    static func terminate() -> ByteBuffer {
        var message = ByteBuffer()
        message.writeMultipleIntegers(UInt8(ascii: "X"), Int32(4))
        return message
    }

    private static func answer(_ body: ByteBuffer) -> ByteBuffer {
        var message = ByteBuffer()
        message.writeMultipleIntegers(UInt8(ascii: "p"), Int32(body.readableBytes + 4))
        message.writeImmutableBuffer(body)
        return message
    }
}
