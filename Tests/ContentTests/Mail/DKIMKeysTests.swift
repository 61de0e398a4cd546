import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import Content

/// A folder for key files.
struct KeyFolder {
    let path = NSTemporaryDirectory() + "dkim-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

@Suite("DKIM_KEYS_FILE")
struct DKIMKeysTests {
    private static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    private func document(_ selector: String, _ algorithm: String, _ file: String, domain: String = "club.example")
        -> String
    {
        #"{"domain": "\#(domain)", "keys": [{"selector": "\#(selector)", "algorithm": "\#(algorithm)", "file": "\#(file)"}]}"#
    }

    /// - Returns: the error's line without the path of the file; nil if there is none.
    private func fault(_ document: String, _ folder: KeyFolder) throws -> String? {
        let file = try folder.write("keys.json", document)
        do {
            _ = try DKIMSigner(keysFile: file)
            return nil
        } catch {
            #expect(!error.description.contains("\n") && !error.description.contains("PRIVATE"))
            return error.description.replacing("\(file): ", with: "")
        }
    }

    @Test("keys are read from PKCS #8 and PKCS #1, from files beside it or anywhere")
    func read() throws {
        let folder = try KeyFolder()
        defer { folder.remove() }
        let rsa = try Self.rsa.get()
        let ed25519 = Curve25519.Signing.PrivateKey()
        try folder.write("pkcs1.pem", rsa.pemRepresentation)
        try folder.write("pkcs8.pem", rsa.pkcs8PEMRepresentation)
        try folder.write("ed.pem", ed25519.pemRepresentation.replacing("\n", with: "\r\n") + "\r\n")
        #expect(rsa.pemRepresentation.contains("BEGIN RSA PRIVATE KEY"))
        let record = "v=DKIM1; k=rsa; p=\(rsa.publicKey.derRepresentation.base64EncodedString())"
        for name in ["pkcs1.pem", "pkcs8.pem", "\(folder.path)/pkcs8.pem"] {
            let file = try folder.write("keys.json", document("s-1", "rsa-sha256", name))
            let signer = try DKIMSigner(keysFile: file)
            #expect(signer.domain == "club.example" && signer.keys.map(\.record) == [record])
            #expect("\(signer)".contains("DKIMKey(s-1, rsa-sha256)") && !"\(signer)".contains("Secret"))
        }
        let signer = try DKIMSigner(keysFile: folder.write("keys.json", document("E1", "ed25519-sha256", "ed.pem")))
        #expect(
            signer.keys.first?.record
                == "v=DKIM1; k=ed25519; p=\(ed25519.publicKey.rawRepresentation.base64EncodedString())")
    }

    @Test("each fault is one line that says where it is")
    func faults() throws {
        let folder = try KeyFolder()
        defer { folder.remove() }
        try folder.write("rsa.pem", Self.rsa.get().pemRepresentation)
        try folder.write("short.pem", _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).pemRepresentation)
        try folder.write("ed.pem", Curve25519.Signing.PrivateKey().pemRepresentation)
        try folder.write("x25519.pem", Curve25519.KeyAgreement.PrivateKey().pemRepresentation)
        try folder.write("public.pem", Self.rsa.get().publicKey.pemRepresentation)
        try folder.write("empty.pem", "")
        try folder.write("long.pem", String(repeating: "a", count: 70_000))
        let notRSA = "/keys/0/file is not a private RSA key in PEM, or has less than 1024 bits"
        let notEd25519 = "/keys/0/file is not a private Ed25519 key in PEM (PKCS #8)"
        let twice = #"{"selector": "s", "algorithm": "rsa-sha256", "file": "rsa.pem"}"#
        for (document, expected) in [
            ("", "is not JSON, or has a duplicate member"), ("{", "is not JSON, or has a duplicate member"),
            (#"{"domain": "a.b", "domain": "a.b", "keys": []}"#, "is not JSON, or has a duplicate member"),
            ("{}", "/domain is missing"), (#"{"domain": "club.example"}"#, "/keys is missing"),
            (#"{"domain": "club.example", "keys": []}"#, "/keys is empty"),
            (#"{"domain": "club.example", "keys": [], "key": 1}"#, #"/key "key" is not a key of this object"#),
            (
                #"{"domain": "club.example", "keys": [\#(twice), \#(twice.replacing("\"s\"", with: "\"S\""))]}"#,
                "/keys/1/selector is that of another key"
            ),
            (#"{"domain": "club.example", "keys": [], "a\nb": 1}"#, #"/ab "ab" is not a key of this object"#),
            (document("s", "rsa-sha1", "rsa.pem"), "/keys/0/algorithm must be one of rsa-sha256, ed25519-sha256"),
            (document("s", "rsa-sha256", "none.pem"), "/keys/0/file cannot be read: No such file or directory"),
            (document("s", "rsa-sha256", "."), "/keys/0/file cannot be read: Is a directory"),
            (document("s", "rsa-sha256", "long.pem"), "/keys/0/file is longer than 65536 bytes"),
            (document("s", "rsa-sha256", "short.pem"), "/keys/0/file is an RSA key of 1024 bits; 2048 to 4096"),
            (document("s", "rsa-sha256", "ed.pem"), notRSA), (document("s", "rsa-sha256", "public.pem"), notRSA),
            (document("s", "rsa-sha256", "empty.pem"), notRSA),
            (document("s", "ed25519-sha256", "rsa.pem"), notEd25519),
            (document("s", "ed25519-sha256", "x25519.pem"), notEd25519),
            (document("s", "ed25519-sha256", "empty.pem"), notEd25519),
        ] {
            #expect(try fault(document, folder) == "DKIM_KEYS_FILE \(expected)", "\(document)")
        }
        for selector in ["", "a.b", "a_b", "-a", "a-", "a b", "é", String(repeating: "a", count: 64), #"a\nb"#] {
            let line = try fault(document(selector, "rsa-sha256", "rsa.pem"), folder)
            #expect(line == "DKIM_KEYS_FILE /keys/0/selector is not a label of the DNS")
        }
        for domain in ["", "club", "Club.example", "école.example", "club.example.", "a b.example"] {
            let line = try fault(document("s", "rsa-sha256", "rsa.pem", domain: domain), folder)
            #expect(line == "DKIM_KEYS_FILE /domain is not a domain name in lower case, with A-labels")
        }
        #expect {
            try DKIMSigner(keysFile: "\(folder.path)/nowhere.json")
        } throws: {
            "\($0)" == "DKIM_KEYS_FILE \(folder.path)/nowhere.json cannot be read: No such file or directory"
        }
    }
}
