import ClubProtocol
import Crypto
import CryptoExtras
import FoundationEssentials
import ServiceKit

/// `DKIM_KEYS_FILE` cannot be used: one line for the operator, never with key material.
struct DKIMKeysInvalid: Error, Hashable, CustomStringConvertible {
    var reason: String

    var description: String { "DKIM_KEYS_FILE \(reason)" }
}

/// A key that mails are signed with.
struct DKIMKey: Sendable {
    enum Algorithm: String, CaseIterable, Decodable {
        case rsa = "rsa-sha256"
        case ed25519 = "ed25519-sha256"
    }

    private enum Secret: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    /// The label of its record, before `._domainkey.` and the domain.
    let selector: String
    let algorithm: Algorithm
    private let secret: Secret

    /// - Parameters:
    ///   - pem: the private key, as PKCS #8 (RFC 5958), for RSA also PKCS #1 (RFC 8017).
    ///   - place: the key in `DKIM_KEYS_FILE`, for the error.
    init(selector: String, algorithm: Algorithm, pem: String, place: String) throws(DKIMKeysInvalid) {
        self.selector = selector
        self.algorithm = algorithm
        switch algorithm {
        case .rsa:
            guard let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) else {
                throw DKIMKeysInvalid(
                    reason: "\(place)/file is not a private RSA key in PEM, or has less than 1024 bits")
            }
            // Receivers do not verify longer keys (RFC 8301, 3.2).
            guard (2048...4096).contains(key.keySizeInBits) else {
                throw DKIMKeysInvalid(
                    reason: "\(place)/file is an RSA key of \(key.keySizeInBits) bits; 2048 to 4096")
            }
            secret = .rsa(key)
        case .ed25519:
            guard let key = Self.ed25519(pem) else {
                throw DKIMKeysInvalid(reason: "\(place)/file is not a private Ed25519 key in PEM (PKCS #8)")
            }
            secret = .ed25519(key)
        }
    }

    /// The TXT record to publish at `<selector>._domainkey.<domain>` (RFC 6376, 3.6.1; RFC 8463, 4). In a zone file it
    /// is cut into strings of at most 255 bytes.
    var record: String {
        switch secret {
        case .rsa(let key): "v=DKIM1; k=rsa; p=\(key.publicKey.derRepresentation.base64EncodedString())"
        case .ed25519(let key): "v=DKIM1; k=ed25519; p=\(key.publicKey.rawRepresentation.base64EncodedString())"
        }
    }

    /// The same for the same digest: RSA is signed as PKCS #1 version 1.5 by definition, and Ed25519 signs the digest as
    /// its message (RFC 8463, 3).
    func signature(for digest: SHA256Digest) throws -> [UInt8] {
        switch secret {
        case .rsa(let key): Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
        case .ed25519(let key): Array(try key.signature(for: Array(digest)))
        }
    }

    /// RFC 8410, 7. swift-crypto would take a key of another algorithm on the same curve.
    private static func ed25519(_ pem: String) -> Curve25519.Signing.PrivateKey? {
        let lines = pem.withLineFeeds.split(atByte: UInt8(ascii: "\n"), omittingEmpty: true)
        guard lines.first?.hasSameBytes(as: "-----BEGIN PRIVATE KEY-----") == true,
            lines.last?.hasSameBytes(as: "-----END PRIVATE KEY-----") == true,
            let der = Data(base64Encoded: lines.dropFirst().dropLast().joined())
        else { return nil }
        // A sequence of the version, the algorithm 1.3.101.112, and the 32 bytes of the key; then perhaps attributes
        // and the public key.
        let bytes = Array(der)
        let algorithm: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]
        guard bytes.count >= 48, bytes[0] == 0x30, Int(bytes[1]) == bytes.count - 2, bytes[2] == 0x02, bytes[3] == 0x01,
            bytes[4] <= 1, bytes[5..<16].elementsEqual(algorithm)
        else { return nil }
        return try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes[16..<48])
    }
}

/// Printing a key shows only its name.
extension DKIMKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "DKIMKey(\(selector), \(algorithm.rawValue))" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["selector": selector, "algorithm": algorithm]) }
}

/// The content of `DKIM_KEYS_FILE`, with the keys in the files that it names, which are relative to it.
///
/// `{"domain": "club.example", "keys": [{"selector": "s2026a", "algorithm": "rsa-sha256", "file": "rsa.pem"}]}`
struct DKIMKeys {
    private struct Document: Decodable {
        var domain: String
        var keys: [Entry]
    }

    private struct Entry: Decodable {
        var selector: String
        var algorithm: DKIMKey.Algorithm
        var file: String
    }

    /// More than any of the files has.
    private static let longestFile = 64 << 10

    /// In lower case, with A-labels.
    let domain: String
    let keys: [DKIMKey]

    init(path: String) throws(DKIMKeysInvalid) {
        let document = try Self.document(path)
        guard let domain = DomainName.ascii(document.domain.utf8), domain.hasSameBytes(as: document.domain) else {
            throw DKIMKeysInvalid(reason: "\(path): /domain is not a domain name in lower case, with A-labels")
        }
        guard !document.keys.isEmpty else { throw DKIMKeysInvalid(reason: "\(path): /keys is empty") }
        var selectors: Set<String> = []
        var keys: [DKIMKey] = []
        for (index, entry) in document.keys.enumerated() {
            let place = "\(path): /keys/\(index)"
            guard Self.isLabel(entry.selector) else {
                throw DKIMKeysInvalid(reason: "\(place)/selector is not a label of the DNS")
            }
            // Names in the DNS are the same in either case.
            guard selectors.insert(entry.selector.asciiLowercased).inserted else {
                throw DKIMKeysInvalid(reason: "\(place)/selector is that of another key")
            }
            let isAbsolute = entry.file.hasBytePrefix("/")
            let file = isAbsolute ? entry.file : "\(Self.folder(of: path))\(entry.file)"
            let pem = String(decoding: try Self.read(file, "\(place)/file"), as: UTF8.self)
            keys.append(
                try DKIMKey(selector: entry.selector, algorithm: entry.algorithm, pem: pem, place: place))
        }
        self.domain = domain
        self.keys = keys
    }

    private static func document(_ path: String) throws(DKIMKeysInvalid) -> Document {
        let bytes = try read(path, path)
        do {
            return try StrictJSON.decode(Document.self, from: bytes)
        } catch {
            guard let field = (error as? Problem)?.errors.first else {
                throw DKIMKeysInvalid(reason: "\(path): is not JSON, or has a duplicate member")
            }
            // It may name a key of the file.
            let fault = "\(field.pointer) \(field.detail)".removingScalars(where: \.endsLine)
            throw DKIMKeysInvalid(reason: "\(path): \(fault)")
        }
    }

    /// - Parameter place: where the file is named.
    private static func read(_ file: String, _ place: String) throws(DKIMKeysInvalid) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try OpenFile(reading: file).readToEnd(atMost: longestFile + 1)
        } catch {
            throw DKIMKeysInvalid(reason: "\(place) cannot be read: \(error)")
        }
        guard bytes.count <= longestFile else {
            throw DKIMKeysInvalid(reason: "\(place) is longer than \(longestFile) bytes")
        }
        return bytes
    }

    private static func folder(of path: String) -> Substring {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        return end.map { path[...$0] } ?? ""
    }

    /// RFC 1035, 2.3.1, and RFC 1123, 2.1: letters, digits and hyphens.
    private static func isLabel(_ text: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...63).contains(text.utf8.count) && text.utf8.first != hyphen && text.utf8.last != hyphen
            && text.utf8.allSatisfy { FileName.isLetterOrDigit($0) || $0 == hyphen }
    }
}
