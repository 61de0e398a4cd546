import Crypto
import CryptoExtras
import FoundationEssentials
import NIOCore

/// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), a value that knows no connection.
///
/// The order: ``first``, ``challenge(_:)``, the derivation of the salted password from the challenge, which takes long,
/// ``answer(_:saltedPassword:)``, ``verify(_:)``.
struct SCRAM: Sendable {
    /// What the exchange says of the TLS below it.
    enum Binding: Sendable {
        /// There is none, or we do not know its certificate.
        case unsupported
        /// We could, but the server offers only the mechanism without it: if somebody between us removed the other
        /// one, the server will notice.
        case notOffered
        /// `tls-server-end-point`, RFC 5929.
        case endPoint([UInt8])

        fileprivate var header: String {
            switch self {
            case .unsupported: "n,,"
            case .notOffered: "y,,"
            case .endPoint: "p=tls-server-end-point,,"
            }
        }

        fileprivate var data: [UInt8] {
            if case .endPoint(let data) = self { data } else { [] }
        }
    }

    /// The server's salt for the password.
    struct Challenge: Sendable {
        fileprivate let message: String
        fileprivate let nonce: String
        let salt: [UInt8]
        let iterations: Int
    }

    static let (mechanism, boundMechanism) = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
    /// A server may not let us compute for longer than this.
    static let mostIterations = 1_000_000

    private let binding: Binding
    private let nonce: String
    private let bareFirst: String
    private var expected: (key: SymmetricKey, message: [UInt8])?

    /// - Parameter user: the server ignores it and uses the one of the start-up message.
    init(_ binding: Binding, user: String = "", nonce: String = Self.newNonce()) {
        self.binding = binding
        self.nonce = nonce
        bareFirst = "n=\(user),r=\(nonce)"
    }

    var mechanism: String {
        if case .endPoint = binding { Self.boundMechanism } else { Self.mechanism }
    }

    /// The client's first message.
    var first: String { binding.header + bareFirst }

    /// Reads the server's first message.
    func challenge(_ message: ByteBuffer) throws(PostgresError) -> Challenge {
        let text = String(buffer: message)
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 3, let nonce = Self.value("r", fields[0]), let salt = Self.bytes("s", fields[1]),
            let count = Self.value("i", fields[2])
        else { throw .noSession("the server's SCRAM challenge is malformed") }
        guard nonce.utf8.starts(with: self.nonce.utf8), nonce.utf8.count > self.nonce.utf8.count,
            nonce.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .noSession("the server's SCRAM nonce does not extend ours") }
        guard !salt.isEmpty, count.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let iterations = Int(count),
            (1...Self.mostIterations).contains(iterations)
        else { throw .noSession("the server's SCRAM challenge has no usable salt and number of iterations") }
        return Challenge(message: text, nonce: nonce, salt: salt, iterations: iterations)
    }

    /// The client's final message, which proves the password.
    mutating func answer(_ challenge: Challenge, saltedPassword: SymmetricKey) -> String {
        let header = Data(Array(binding.header.utf8) + binding.data).base64EncodedString()
        let unproven = "c=\(header),r=\(challenge.nonce)"
        let message = Array("\(bareFirst),\(challenge.message),\(unproven)".utf8)
        let clientKey = Self.hmac("Client Key", saltedPassword)
        let storedKey = SymmetricKey(data: SHA256.hash(data: Array(clientKey)))
        let signature = HMAC<SHA256>.authenticationCode(for: message, using: storedKey)
        expected = (SymmetricKey(data: Self.hmac("Server Key", saltedPassword)), message)
        let proof = Data(zip(clientKey, signature).map { $0 ^ $1 }).base64EncodedString()
        return "\(unproven),p=\(proof)"
    }

    /// Reads the server's final message, which proves that it knows the password too.
    func verify(_ message: ByteBuffer) throws(PostgresError) {
        let field = Substring(String(buffer: message))
        // The server's reason: it may still send an error of its own, but need not.
        if Self.value("e", field) != nil { throw .noSession("the server ended the SCRAM exchange") }
        guard let expected, let signature = Self.bytes("v", field) else {
            throw .noSession("the server's last SCRAM message is malformed")
        }
        guard
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: expected.message, using: expected.key)
        else { throw .noSession("the server does not know the password: its SCRAM signature is wrong") }
    }

    /// 144 random bits.
    static func newNonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<18).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString()
    }

    private static func hmac(_ text: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }

    private static func value(_ name: String, _ field: Substring) -> String? {
        field.hasPrefix("\(name)=") ? String(field.dropFirst(2)) : nil
    }

    private static func bytes(_ name: String, _ field: Substring) -> [UInt8]? {
        guard let text = value(name, field), let data = Data(base64Encoded: text) else { return nil }
        return Array(data)
    }
}

extension SCRAM.Challenge {
    /// The salted password: takes milliseconds to some hundreds of them, so never on an event loop.
    func salt(_ password: [UInt8]) throws -> SymmetricKey {
        try KDF.Insecure.PBKDF2.deriveKey(
            from: password, salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: iterations)
    }
}
