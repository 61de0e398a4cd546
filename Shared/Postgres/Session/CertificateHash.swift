import Crypto
import NIOCore

/// The hash of a certificate for the channel binding `tls-server-end-point`: by the hash function of the certificate's
/// own signature, or SHA-256 if that is MD5 or SHA-1 (RFC 5929, 4.1).
enum CertificateHash {
    /// Nil if the signature is of another kind; then there is no channel binding.
    ///
    /// - Parameter certificate: in DER.
    static func endPoint(_ certificate: [UInt8]) -> [UInt8]? {
        switch signatureAlgorithm(certificate) {
        // MD5, SHA-1 and SHA-256 with RSA (RFC 8017); SHA-1 and SHA-256 with ECDSA (RFC 5758).
        case rsa(4), rsa(5), rsa(11), ecdsa + [1], ecdsa + [3, 2]: Array(SHA256.hash(data: certificate))
        case rsa(12), ecdsa + [3, 3]: Array(SHA384.hash(data: certificate))
        case rsa(13), ecdsa + [3, 4]: Array(SHA512.hash(data: certificate))
        default: nil
        }
    }

    /// 1.2.840.113549.1.1 in DER.
    private static func rsa(_ last: UInt8) -> [UInt8] { [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, last] }
    /// 1.2.840.10045.4 in DER.
    private static let ecdsa: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4]

    /// A certificate is a sequence of what is signed, the algorithm, which is a sequence that begins with an identifier,
    /// and the signature (RFC 5280, 4.1).
    private static func signatureAlgorithm(_ certificate: [UInt8]) -> [UInt8]? {
        var whole = ByteBuffer(bytes: certificate)
        guard var fields = element(&whole, tag: 0x30), element(&fields, tag: 0x30) != nil,
            var algorithm = element(&fields, tag: 0x30), let identifier = element(&algorithm, tag: 0x06)
        else { return nil }
        return Array(identifier.readableBytesView)
    }

    /// Reads an element of DER and returns its contents.
    private static func element(_ bytes: inout ByteBuffer, tag: UInt8) -> ByteBuffer? {
        guard bytes.readInteger(as: UInt8.self) == tag, let first = bytes.readInteger(as: UInt8.self) else {
            return nil
        }
        guard first > 0x7F else { return bytes.readSlice(length: Int(first)) }
        guard first <= 0x84, let digits = bytes.readBytes(length: Int(first & 0x7F)) else { return nil }
        return bytes.readSlice(length: digits.reduce(0) { $0 << 8 | Int($1) })
    }
}
