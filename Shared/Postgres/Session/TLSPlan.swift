import FoundationEssentials
import NIOCore
import NIOSSL

/// TLS as the parameters of a session want it (PostgreSQL documentation, 34.19).
struct TLSPlan: Sendable {
    let context: NIOSSLContext
    /// The name that the server is told (SNI): never an address.
    let indicatedName: String?
    /// What the server's certificate must be for, besides being trusted; nil unless the mode is `verify-full`.
    let verifiedName: String?

    /// Reads the certificates, which blocks.
    ///
    /// - Parameter hostName: the host's name or address as the URL has it.
    init(_ parameters: SessionParameters, hostName: String?) throws(PostgresError) {
        let isFull = parameters.tls == .verifyFull
        guard !isFull || hostName != nil else { throw .noSession("verify-full needs the name of the host") }
        verifiedName = isFull ? hostName : nil
        indicatedName = hostName.flatMap { $0.isEmpty || Resolver.isAddress($0) ? nil : $0 }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["postgresql"]
        // A server that hangs is not waited for when a connection is closed.
        configuration.shutdownTimeout = .seconds(1)
        if let roots = try Self.roots(parameters) {
            // The name is checked by our own rules, as NIOSSL would also accept a certificate for the address.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = roots
        } else {
            configuration.certificateVerification = .none
        }
        do {
            try Self.identify(&configuration, parameters)
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .noSession("the certificates for TLS cannot be used: \(error)")
        }
    }

    /// The authorities that may have issued the server's certificate. Nil for any: without a file of them, only the
    /// modes `verify-…` insist.
    private static func roots(_ parameters: SessionParameters) throws(PostgresError) -> NIOSSLTrustRoots? {
        let verifies = parameters.tls == .verifyCA || parameters.tls == .verifyFull
        if parameters.rootCertificates == "system" {
            // Everybody can have a certificate of these authorities, for a name of their own.
            guard parameters.tls == .verifyFull else { throw .noSession("sslrootcert=system needs verify-full") }
            return .default
        }
        if let file = parameters.rootCertificates, exists(file) { return .file(file) }
        guard !verifies else { throw .noSession("the file of root certificates does not exist") }
        return nil
    }

    /// Our own certificate, for servers that ask for one.
    private static func identify(_ configuration: inout TLSConfiguration, _ parameters: SessionParameters) throws {
        guard let certificate = parameters.clientCertificate, exists(certificate),
            let key = parameters.clientKey
        else { return }
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
    }

    private static func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }
}

/// How one connection uses TLS.
enum TLSUse: Sendable {
    case never
    /// If the server can.
    case offered(TLSPlan)
    case required(TLSPlan)

    var plan: TLSPlan? {
        switch self {
        case .never: nil
        case .offered(let plan), .required(let plan): plan
        }
    }
}
