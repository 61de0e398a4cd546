import Crypto
import NIOCore

/// How the client proves who it is: the server's requests, and our answers. A value that knows no connection.
struct Authentication {
    /// What follows from a request.
    enum Step {
        case answer(ByteBuffer)
        /// To be answered by ``answer(_:saltedPassword:)`` once the password is salted.
        case salt(SCRAM.Challenge, password: [UInt8])
        case wait
        case complete
    }

    private enum State {
        case idle
        /// A password or its hash was sent.
        case answered
        case begun(SCRAM)
        case salting(SCRAM)
        case proven(SCRAM)
        /// The server has proven that it knows the password.
        case verified
        case complete
    }

    private let parameters: SessionParameters
    /// For `tls-server-end-point`: the hash of the server's certificate; nil without TLS.
    private let endPoint: [UInt8]?
    private var state = State.idle

    init(_ parameters: SessionParameters, endPoint: [UInt8]?) {
        self.parameters = parameters
        self.endPoint = endPoint
    }

    var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Reads an Authentication message.
    mutating func receive(_ body: ByteBuffer) throws(PostgresError) -> Step {
        var body = body
        guard let code = body.readInteger(as: Int32.self) else { throw .otherProtocol }
        switch (code, state) {
        case (0, .idle), (0, .answered), (0, .verified): return try finish(body)
        case (3, .idle): return try answer(.password, body, extra: 0) { password, _, _ in password }
        case (5, .idle): return try answer(.md5, body, extra: 4, Self.hash)
        case (10, .idle): return try begin(body)
        case (11, .begun(let scram)): return try salt(scram, body)
        case (12, .proven(let scram)):
            try scram.verify(body)
            state = .verified
            return .wait
        case (2, .idle), (6...9, .idle):
            throw .noSession("the server asks for an authentication method that is not supported here (\(code))")
        default: throw .otherProtocol
        }
    }

    /// Answers a challenge.
    mutating func answer(
        _ challenge: SCRAM.Challenge, saltedPassword: SymmetricKey
    ) throws(PostgresError) -> ByteBuffer {
        guard case .salting(var scram) = state else { throw .otherProtocol }
        let text = scram.answer(challenge, saltedPassword: saltedPassword)
        state = .proven(scram)
        return HandshakeRequest.sasl(next: text)
    }

    private mutating func finish(_ body: ByteBuffer) throws(PostgresError) -> Step {
        guard body.readableBytes == 0 else { throw .otherProtocol }
        if case .idle = state { try accept(AuthenticationMethod.none) }
        state = .complete
        return .complete
    }

    private mutating func answer(
        _ method: AuthenticationMethod, _ body: ByteBuffer, extra: Int,
        _ make: (_ password: String, _ user: String, _ salt: ByteBuffer) -> String
    ) throws(PostgresError) -> Step {
        guard body.readableBytes == extra else { throw .otherProtocol }
        try accept(method)
        state = .answered
        return .answer(try HandshakeRequest.password(make(try password(), parameters.user, body)))
    }

    /// Begins a SCRAM exchange: the body lists mechanisms, each ended by a zero byte, and another one at the end.
    private mutating func begin(_ body: ByteBuffer) throws(PostgresError) -> Step {
        var (body, mechanisms) = (body, [String]())
        while let name = body.readNullTerminatedString() { mechanisms.append(name) }
        guard body.readableBytes == 0, mechanisms.popLast() == "" else { throw .otherProtocol }
        let binding: SCRAM.Binding
        if let endPoint, mechanisms.contains(SCRAM.boundMechanism) {
            binding = .endPoint(endPoint)
        } else if mechanisms.contains(SCRAM.mechanism) {
            binding = endPoint == nil ? .unsupported : .notOffered
        } else {
            throw .noSession("the server offers no SASL mechanism that is supported here")
        }
        try accept(.scramSHA256)
        // Not only when the challenge comes: the server would wait for a password that we do not have.
        _ = try password()
        let scram = SCRAM(binding)
        state = .begun(scram)
        return .answer(HandshakeRequest.sasl(mechanism: scram.mechanism, first: scram.first))
    }

    private mutating func salt(_ scram: SCRAM, _ body: ByteBuffer) throws(PostgresError) -> Step {
        let challenge = try scram.challenge(body)
        let prepared = try PasswordPreparation.prepare(try password())
        state = .salting(scram)
        return .salt(challenge, password: prepared)
    }

    private func accept(_ method: AuthenticationMethod) throws(PostgresError) {
        guard let accepted = parameters.acceptedMethods, !accepted.contains(method) else { return }
        throw .noSession("the server asks for the authentication method \(method.rawValue), which is not accepted")
    }

    private func password() throws(PostgresError) -> String {
        guard let password = parameters.password, !password.isEmpty else {
            throw .noSession("the server asks for a password, and there is none")
        }
        return password
    }

    private static func hash(_ password: String, _ user: String, _ salt: ByteBuffer) -> String {
        let inner = hexadecimal(Insecure.MD5.hash(data: Array((password + user).utf8)))
        return "md5" + hexadecimal(Insecure.MD5.hash(data: Array(inner.utf8) + Array(salt.readableBytesView)))
    }

    private static func hexadecimal(_ digest: Insecure.MD5Digest) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
