import TestKit
import Testing

@testable import Content

@Suite("DNS messages")
struct DNSMessageTests {
    private typealias Query = ScriptedNameServer.Query

    private func sent(_ name: String, _ type: DNSQuery.RecordType = .mx, id: UInt16 = 7) throws -> (DNSQuery, Query) {
        let query = try #require(DNSQuery(name, type))
        return (query, Query(bytes: query.message(id: id)))
    }

    private func fault(_ bytes: [UInt8], _ query: DNSQuery) -> DNSMessageFault? {
        do throws(DNSMessageFault) {
            _ = try DNSResponse(bytes, to: query, id: 7)
            return nil
        } catch {
            return error
        }
    }

    @Test("a query asks for recursion, and for responses that fit a datagram")
    func query() throws {
        let query = try #require(DNSQuery("Ab.fr", .mx))
        let expected: [UInt8] = [
            0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1, 2, 0x61, 0x62, 2, 0x66, 0x72, 0, 0, 15, 0, 1,
            0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0,
        ]
        #expect(query.message(id: 0x1234) == expected)
    }

    @Test(
        "what is no name is not asked for",
        arguments: [
            "", ".", "a..b", "a.", ".a", "é.fr", "a b.fr", "a\0b.fr", String(repeating: "a", count: 64) + ".fr",
            String(repeating: "a.", count: 130) + "fr",
        ])
    func invalidNames(name: String) {
        #expect(DNSQuery(name, .mx) == nil)
    }

    @Test("a response with compressed names and options is decoded")
    func compressed() throws {
        let (query, _) = try sent("ab.fr")
        let bytes: [UInt8] = [
            0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 1, 2, 0x41, 0x62, 2, 0x46, 0x52, 0, 0, 15, 0, 1,
            0xC0, 12, 0, 15, 0, 1, 0, 0, 1, 0x2C, 0, 8, 0, 20, 3, 0x6D, 0x78, 0x32, 0xC0, 12,
            0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 0x64, 0, 8, 0, 10, 3, 0x4D, 0x58, 0x31, 0xC0, 15,
            0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0,
        ]
        let records: [DNSRecord] = [
            .exchanger(MailExchanger(preference: 20, host: "mx2.ab.fr")),
            .exchanger(MailExchanger(preference: 10, host: "mx1.fr")),
        ]
        #expect(try DNSResponse(bytes, to: query, id: 7) == .records(records, lifetime: 100))
    }

    @Test("a null MX is a record with an empty host")
    func nullExchanger() throws {
        let (query, sent) = try sent("club.example")
        let response = try DNSResponse(sent.response([.mx(0, "")]), to: query, id: 7)
        #expect(response == .records([.exchanger(.null)], lifetime: 300))
    }

    @Test("the strings of a TXT record are one text")
    func text() throws {
        let (query, sent) = try sent("club.example", .txt)
        let response = try DNSResponse(sent.response([.txt(["v=spf1 ", "", "-all"]), .txt([])]), to: query, id: 7)
        #expect(response == .records([.text("v=spf1 -all"), .text("")], lifetime: 300))
    }

    @Test("bytes that no host name has are escaped: a label with a dot is not two labels")
    func escapedLabels() throws {
        let (query, sent) = try sent("club.example")
        let host: [UInt8] = [6] + Array("a.b\\\u{1}C".utf8) + [2, 0x66, 0x72, 0]
        var bytes = sent.response()
        bytes[7] = 1
        bytes += Query.record([0xC0, 12], 15, 300, [0, 1] + host)
        let exchanger = MailExchanger(preference: 1, host: "a\\046b\\092\\001c.fr")
        #expect(try DNSResponse(bytes, to: query, id: 7) == .records([.exchanger(exchanger)], lifetime: 300))
    }

    @Test("aliases are followed, and records of other names are not the answer")
    func aliases() throws {
        let (query, sent) = try sent("club.example")
        let exchanger = DNSRecord.exchanger(MailExchanger(preference: 1, host: "mx.example"))
        let followed = sent.response([.alias("a.example"), .alias("b.example"), .mx(1, "mx.example")], lifetime: 9)
        #expect(try DNSResponse(followed, to: query, id: 7) == .records([exchanger], lifetime: 9))
        #expect(
            try DNSResponse(sent.response([.alias("a.example")]), to: query, id: 7) == .missing(lifetime: nil))
        var foreign = sent.response()
        foreign[7] = 1
        foreign += Query.record(Query.name("other.example"), 15, 300, [0, 1] + Query.name("mx.example"))
        #expect(try DNSResponse(foreign, to: query, id: 7) == .missing(lifetime: nil))
        // An alias of itself.
        let endless = sent.response([.alias("club.example"), .alias("club.example")])
        #expect(try DNSResponse(endless, to: query, id: 7) == .missing(lifetime: nil))
    }

    @Test("what is not there is distinguished from what was not answered")
    func missing() throws {
        let (query, sent) = try sent("club.example")
        let cases: [([UInt8], DNSResponse)] = [
            (sent.response(minimum: 900), .missing(lifetime: 900)),
            (sent.response(code: 3, minimum: 900), .missing(lifetime: 900)),
            // The SOA record's own time is the limit (RFC 2308, 5).
            (sent.response(minimum: 1_000_000), .missing(lifetime: 86_400)),
            (sent.response(), .missing(lifetime: nil)),
            (sent.response(minimum: 900, referral: true), .missing(lifetime: 900)),
            (sent.response(referral: true), .referred),
            (sent.response(code: 2), .failed(code: 2)),
            (sent.response(code: 5), .failed(code: 5)),
            (sent.response(isTruncated: true), .truncated),
        ]
        for (bytes, response) in cases { #expect(try DNSResponse(bytes, to: query, id: 7) == response) }
    }

    @Test("the upper bits of an error are in the options, and a time with the highest bit set is none")
    func edges() throws {
        let (query, sent) = try sent("club.example")
        var refused = sent.response()
        refused[11] = 1
        refused += [0, 0, 41, 4, 0xD0, 1, 0, 0, 0, 0, 0]
        #expect(try DNSResponse(refused, to: query, id: 7) == .failed(code: 16))
        let exchanger = DNSRecord.exchanger(MailExchanger(preference: 1, host: "mx.example"))
        let endless = sent.response([.mx(1, "mx.example")], lifetime: 1 << 31)
        #expect(try DNSResponse(endless, to: query, id: 7) == .records([exchanger], lifetime: 0))
    }

    @Test("a message that does not respond to the query is foreign")
    func foreign() throws {
        let (query, sent) = try sent("club.example")
        let good = sent.response([.mx(1, "mx.example")])
        #expect(fault(good, query) == nil)
        // Identifier, query instead of response, operation, number of questions, name, type, class.
        for (place, byte): (Int, UInt8) in [(1, 8), (2, 0x01), (2, 0x89), (5, 0), (13, 0x64), (26, 16), (28, 3)] {
            var bytes = good
            #expect(bytes[place] != byte)
            bytes[place] = byte
            #expect(fault(bytes, query) == .foreign, "byte \(place)")
        }
        let other = try #require(DNSQuery("club.example", .txt))
        #expect(fault(good, other) == .foreign)
        #expect(fault([], query) == .foreign)
    }

    @Test("a message that is cut anywhere is refused")
    func cut() throws {
        let (query, sent) = try sent("club.example")
        let (textQuery, textSent) = try self.sent("club.example", .txt)
        for (query, good) in [
            (query, sent.response([.alias("a.example"), .mx(1, "mx.example")], minimum: 900)),
            (textQuery, textSent.response([.txt(["v=spf1", "-all"])], minimum: 900)),
        ] {
            #expect(fault(good, query) == nil)
            for length in 0..<good.count { #expect(fault(Array(good.prefix(length)), query) != nil, "\(length)") }
        }
    }

    @Test(
        "a name with an endless, forward, overlong or reserved part is refused",
        arguments: [
            // To itself, forward, into the header; 30 is where the record begins, 44 its name.
            [0xC0, 44], [0xC0, 46, 0], [0xC0, 2], [0xC1], [0xC0], [0x40, 0x61, 0], [0x80, 0x61, 0], [5, 0x61],
            Array(repeating: [63] + Array(repeating: UInt8(0x61), count: 63), count: 4).flatMap { $0 } + [0],
        ] as [[UInt8]])
    func invalidNamesInRecords(name: [UInt8]) throws {
        let (query, sent) = try sent("club.example")
        var bytes = sent.response()
        #expect(bytes.count == 30)
        bytes[7] = 1
        bytes += Query.record([0xC0, 12], 15, 300, [0, 1] + name)
        #expect(fault(bytes, query) == .garbled)
    }

    @Test("pointers may lead on to pointers, but not often: a response cannot cost more than its length")
    func chains() throws {
        let (query, sent) = try sent("club.example")
        for (pointers, isValid) in [(15, true), (16, false), (400, false)] {
            var bytes = sent.response()
            // A record of another type whose data is a chain of pointers, the first to the question.
            var chain: [UInt8] = []
            let start = bytes.count + 12
            for place in 0..<pointers {
                let target = place == 0 ? 12 : start + 2 * (place - 1)
                chain += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
            }
            let last = start + 2 * (pointers - 1)
            bytes[7] = 2
            bytes += Query.record([0xC0, 12], 99, 300, chain)
            bytes += Query.record([0xC0, 12], 15, 300, [0, 1, 0xC0 | UInt8(last >> 8), UInt8(last & 0xFF)])
            #expect((fault(bytes, query) == nil) == isValid, "\(pointers)")
        }
    }

    @Test("data that is shorter or longer than its record says, and too many records, are refused")
    func lengths() throws {
        let (query, sent) = try sent("club.example")
        var bytes = sent.response([.mx(1, "mx.example")])
        let length = bytes.count - 14 - 1
        #expect(bytes[length] == 14)
        bytes[length] = 13
        #expect(fault(bytes, query) == .garbled)
        let many = sent.response(Array(repeating: .mx(1, "mx"), count: 501))
        #expect(fault(many, query) == .garbled)
        #expect(fault(sent.response(Array(repeating: .mx(1, "mx"), count: 500)), query) == nil)
    }

    @Test("random bytes and changed messages never crash")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        for type in [DNSQuery.RecordType.mx, .txt] {
            let (query, sent) = try sent("club.example", type)
            let good = sent.response(
                [.alias("a.example"), .mx(1, "mx.example"), .txt(["v=spf1", "-all"])], minimum: 900, referral: true)
            for _ in 0..<5000 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count)] = .random(in: .min ... .max, using: &generator)
                }
                _ = fault(bytes, query)
                // Random from the counts of records on, so that it is read beyond the question.
                let rest = (0..<Int.random(in: 0..<300)).map { _ in UInt8.random(in: .min ... .max) }
                _ = fault(Array(good.prefix(30)) + rest, query)
                _ = fault(rest, query)
            }
        }
    }
}
