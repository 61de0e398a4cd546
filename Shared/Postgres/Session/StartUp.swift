import Crypto
import NIOCore

/// What the server says between the start-up message and the first ReadyForQuery (PostgreSQL documentation, 55.2.1),
/// and our answers. A value that knows no connection.
struct StartUp {
    enum Step {
        case wait
        case answer(ByteBuffer)
        /// To be answered by ``answer(_:saltedPassword:)`` once the password is salted.
        case salt(SCRAM.Challenge, password: [UInt8])
        case ready(Report)
    }

    /// What the server has told about the session.
    struct Report {
        var parameters: [String: String] = [:]
        var processID: Int32 = 0
        var secretKey: Int32 = 0
    }

    private var authentication: Authentication
    private var report = Report()
    private var hasKey = false

    /// - Parameter endPoint: see ``Authentication``.
    init(_ parameters: SessionParameters, endPoint: [UInt8]?) {
        authentication = Authentication(parameters, endPoint: endPoint)
    }

    var isAuthenticated: Bool { authentication.isComplete }

    mutating func receive(_ message: HandshakeMessage) throws(PostgresError) -> Step {
        switch (message.kind, isAuthenticated) {
        case (UInt8(ascii: "E"), _):
            guard let fields = ErrorFields(reading: message.body) else { throw .otherProtocol }
            throw .refused(fields)
        // A notice may quote values.
        case (UInt8(ascii: "N"), _): break
        case (UInt8(ascii: "v"), false): try readVersion(message.body)
        case (UInt8(ascii: "R"), false): return try authenticate(message.body)
        case (UInt8(ascii: "S"), true): try readParameter(message.body)
        case (UInt8(ascii: "K"), true): try readKey(message.body)
        case (UInt8(ascii: "Z"), true): return try finish(message.body)
        default: throw .otherProtocol
        }
        return .wait
    }

    mutating func answer(
        _ challenge: SCRAM.Challenge, saltedPassword: SymmetricKey
    ) throws(PostgresError) -> ByteBuffer {
        try authentication.answer(challenge, saltedPassword: saltedPassword)
    }

    private mutating func authenticate(_ body: ByteBuffer) throws(PostgresError) -> Step {
        switch try authentication.receive(body) {
        case .answer(let message): .answer(message)
        case .salt(let challenge, let password): .salt(challenge, password: password)
        case .wait, .complete: .wait
        }
    }

    /// NegotiateProtocolVersion: the newest version that the server speaks, and the options that it does not know. We
    /// ask for the oldest version, without any.
    private func readVersion(_ body: ByteBuffer) throws(PostgresError) {
        var body = body
        guard let (_, unknown) = body.readMultipleIntegers(as: (Int32, Int32).self), unknown == 0,
            body.readableBytes == 0
        else { throw .otherProtocol }
    }

    private mutating func readParameter(_ body: ByteBuffer) throws(PostgresError) {
        var body = body
        guard let name = body.readNullTerminatedString(), let value = body.readNullTerminatedString(),
            body.readableBytes == 0
        else { throw .otherProtocol }
        report.parameters[name] = value
    }

    private mutating func readKey(_ body: ByteBuffer) throws(PostgresError) {
        var body = body
        guard let (processID, secretKey) = body.readMultipleIntegers(as: (Int32, Int32).self), body.readableBytes == 0
        else { throw .otherProtocol }
        (report.processID, report.secretKey, hasKey) = (processID, secretKey, true)
    }

    private func finish(_ body: ByteBuffer) throws(PostgresError) -> Step {
        // In no transaction.
        guard hasKey, body.readableBytesView.elementsEqual([UInt8(ascii: "I")]) else { throw .otherProtocol }
        return .ready(report)
    }
}
