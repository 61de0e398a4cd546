import ClubProtocol
import Crypto
import CryptoExtras
import Foundation
import NIOCore
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what providers judge a sender by")
struct MailChecksTests {
    /// What a zone publishes, as a test changes it.
    private struct Zone: Sendable {
        var texts: [String: [String]] = [:]
        var exchangers: [String: [String]] = ["club.example": ["mx.club.example"]]
        /// Names for which the servers fail.
        var broken: Set<String> = []

        func answer(_ query: ScriptedNameServer.Query) -> [[UInt8]] {
            if broken.contains(query.name) { return [query.response(code: 2)] }
            // The type follows the name.
            let isMX = query.question.dropLast(2).last == 15
            let records: [ScriptedNameServer.Record]
            if isMX {
                records = exchangers[query.name, default: []].map { .mx(10, $0) }
            } else {
                records = texts[query.name, default: []].map { .txt(Self.strings($0)) }
            }
            return [records.isEmpty ? query.response(minimum: 60) : query.response(records)]
        }

        /// A text as it is published: in strings of 255 bytes at most.
        private static func strings(_ text: String) -> [String] {
            let bytes = Array(text.utf8)
            return stride(from: 0, to: bytes.count, by: 255).map { start in
                String(decoding: bytes[start..<min(bytes.count, start + 255)], as: UTF8.self)
            }
        }
    }

    private static let selectors = ["rsa1", "ed1"]

    private static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048).pkcs8PEMRepresentation }

    private func signer(_ domain: String) throws -> DKIMSigner {
        let folder = try KeyFolder()
        defer { folder.remove() }
        try folder.write("rsa.pem", Self.rsa.get())
        try folder.write("ed.pem", Curve25519.Signing.PrivateKey().pemRepresentation)
        return try DKIMSigner(
            keysFile: folder.write(
                "keys.json",
                """
                {"domain": "\(domain)", "keys": [
                  {"selector": "rsa1", "algorithm": "rsa-sha256", "file": "rsa.pem"},
                  {"selector": "ed1", "algorithm": "ed25519-sha256", "file": "ed.pem"}]}
                """))
    }

    /// A zone in which nothing is wrong.
    private func goodZone(_ signer: DKIMSigner) -> Zone {
        var zone = Zone()
        for key in signer.keys { zone.texts["\(key.selector)._domainkey.\(signer.domain)"] = [key.record] }
        zone.texts["club.example"] = ["google-site-verification=x", "v=spf1 include:relay.example -all"]
        zone.texts["_dmarc.club.example"] = ["v=DMARC1; p=reject"]
        return zone
    }

    /// The results of the checks that are not good, by kind.
    private func faults(
        from sender: EmailAddress = "flash@club.example", returnDomain: String = "club.example",
        signedFor domain: String? = "club.example", publicURL: String? = "https://club.example",
        timeLimit: Duration = .seconds(5), delay: TimeAmount = .zero, _ change: (inout Zone) -> Void = { _ in }
    ) async throws -> [MailCheck.Kind: MailCheck.Result] {
        let signer = try signer(domain ?? "club.example")
        var zone = goodZone(signer)
        change(&zone)
        let published = zone
        return try await ScriptedNameServer.run(delay: delay) {
            published.answer($0)
        } during: { server in
            let dns = DNSClient(try ResolverConfiguration(servers: "127.0.0.1:\(server.port)"))
            let checks = MailChecks(
                sender: sender, returnDomain: returnDomain, signer: domain == nil ? nil : signer,
                publicURL: publicURL, dns: dns, timeLimit: timeLimit)
            let found = await checks.run()
            #expect(Set(found.map(\.kind)) == Set(MailCheck.Kind.allCases))
            #expect(found.count == MailCheck.Kind.allCases.count + (domain == nil ? 0 : signer.keys.count - 1))
            #expect(found.allSatisfy { $0.detail.hasSuffix(".") || $0.detail.contains("publish v=DKIM1") })
            return found.reduce(into: [:]) { if $1.result != .ok { $0[$1.kind] = $1.result } }
        }
    }

    @Test("a zone as it should be has nothing to complain about")
    func good() async throws {
        #expect(try await faults() == [:])
        // From below the signing domain, with the policy of the domain above, and bounces beside it.
        #expect(
            try await faults(from: "flash@news.club.example", returnDomain: "return.club.example") { zone in
                zone.texts["return.club.example"] = ["v=spf1 -all"]
                zone.exchangers["return.club.example"] = ["mx.club.example"]
            } == [:])
    }

    @Test("a key that is not published, or another one, is wrong; one that is folded is ours")
    func keys() async throws {
        #expect(try await faults { $0.texts["rsa1._domainkey.club.example"] = nil } == [.dkim: .wrong])
        #expect(
            try await faults { $0.texts["ed1._domainkey.club.example"] = ["v=DKIM1; k=ed25519; p="] }
                == [.dkim: .wrong])
        #expect(
            try await faults {
                $0.texts["ed1._domainkey.club.example"] = $0.texts["rsa1._domainkey.club.example"]
            } == [.dkim: .wrong])
        #expect(
            try await faults { zone in
                let record = zone.texts["rsa1._domainkey.club.example"]?.first ?? ""
                zone.texts["rsa1._domainkey.club.example"] = [
                    "something else",
                    "k=rsa;p="
                        + record.dropFirst(18).enumerated().map {
                            $0.offset.isMultiple(of: 60) ? " \($0.element)" : String($0.element)
                        }.joined(),
                ]
            } == [:])
        #expect(try await faults(signedFor: nil) == [.dkim: .wrong, .signatureAlignment: .wrong])
    }

    @Test(
        "an SPF record is needed, one only, and not for everybody",
        arguments: [
            ([], true), (["v=spf1 +all"], true), (["v=spf1 a ALL"], true), (["v=spf1 -all", "v=spf1 ~all"], true),
            (["v=spf10 -all"], true), (["v=spf1"], false), (["V=SPF1 mx ~ALL"], false),
            (["v=spf1 redirect=relay.example"], false), (["v=spf1 include:all.example -all"], false),
        ])
    func spf(_ texts: [String], isWrong: Bool) async throws {
        #expect(try await faults { $0.texts["club.example"] = texts } == (isWrong ? [.spf: .wrong] : [:]))
    }

    @Test(
        "a DMARC record is needed, one only, with a policy",
        arguments: [
            ([], true), (["v=DMARC1"], true), (["v=DMARC1; p=maybe"], true), (["p=none; v=DMARC1"], true),
            (["v=DMARC1; p=none", "v=DMARC1; p=reject"], true), (["v=DMARC1;p=None;rua=mailto:a@b.example"], false),
            (["other", "v=DMARC1 ; p = quarantine"], false),
        ])
    func dmarc(_ texts: [String], isWrong: Bool) async throws {
        #expect(try await faults { $0.texts["_dmarc.club.example"] = texts } == (isWrong ? [.dmarc: .wrong] : [:]))
    }

    @Test("what signs and what bounces come back to is of the domain of From, the very same if its policy is strict")
    func alignment() async throws {
        func back(_ domain: String, _ policy: String = "v=DMARC1; p=none") async throws
            -> [MailCheck.Kind: MailCheck.Result]
        {
            try await faults(returnDomain: domain) { zone in
                zone.texts[domain] = ["v=spf1 -all"]
                zone.exchangers[domain] = ["mx.club.example"]
                zone.texts["_dmarc.club.example"] = [policy]
            }
        }
        #expect(try await back("return.club.example") == [:])
        #expect(try await back("relay.example") == [.returnAlignment: .wrong])
        #expect(try await back("notclub.example") == [.returnAlignment: .wrong])
        #expect(try await back("return.club.example", "v=DMARC1; p=none; aspf=s") == [.returnAlignment: .wrong])
        #expect(try await back("return.club.example", "v=DMARC1; p=none; adkim=s") == [:])
        #expect(
            try await faults(from: "flash@news.club.example") { zone in
                zone.texts["_dmarc.news.club.example"] = ["v=DMARC1; p=none; adkim=s"]
            } == [.signatureAlignment: .wrong])
    }

    @Test("bounces need a mail exchanger, and links need TLS")
    func rest() async throws {
        #expect(try await faults { $0.exchangers = [:] } == [.returnExchanger: .wrong])
        #expect(try await faults { $0.exchangers["club.example"] = ["."] } == [.returnExchanger: .wrong])
        #expect(try await faults(publicURL: nil) == [.publicURL: .wrong])
        #expect(try await faults(publicURL: "http://club.example") == [.publicURL: .wrong])
    }

    @Test("without an answer a result is unknown, never good")
    func unknown() async throws {
        let names = ["club.example", "_dmarc.club.example"] + Self.selectors.map { "\($0)._domainkey.club.example" }
        let all: [MailCheck.Kind: MailCheck.Result] = [
            .dkim: .unknown, .spf: .unknown, .dmarc: .unknown, .returnExchanger: .unknown,
        ]
        #expect(try await faults { $0.broken = Set(names) } == all)
        #expect(
            try await faults(returnDomain: "return.club.example") { zone in
                zone.broken = Set(names + ["return.club.example"])
            } == all.merging([.returnAlignment: .unknown]) { $1 })
    }

    @Test("a server that does not answer in time leaves the results unknown")
    func slow() async throws {
        let start = ContinuousClock.now
        let found = try await faults(timeLimit: .milliseconds(300), delay: .seconds(20))
        #expect(found[.dkim] == .unknown && found[.spf] == .unknown && found[.dmarc] == .unknown)
        #expect(found[.publicURL] == nil && found[.signatureAlignment] == nil)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("staff see them, and so does the auditor")
    func route() async throws {
        try await ScriptedNameServer.run { query in
            [query.response(minimum: 60)]
        } during: { server in
            let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: mail) }
            try await withService(
                ContentApplication.self,
                adjust: {
                    $0.mailURL = "maildir:\(mail)?from=flash@club.example"
                    $0.nameServers = "127.0.0.1:\(server.port)"
                    $0.publicURL = "https://club.example"
                }
            ) { content in
                for role in [Role.operator, .editor, .auditor] {
                    let checks = try await content.client(role).send(ListMailChecks.request()).checks
                    #expect(checks.first { $0.kind == .spf }?.name == "club.example")
                    #expect(
                        checks.filter { $0.result == .ok }.map(\.kind) == [.returnAlignment, .publicURL])
                    #expect(checks.allSatisfy { $0.result != .unknown })
                }
            }
        }
    }
}
