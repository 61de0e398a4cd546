import ClubProtocol
import Foundation
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    private typealias ID = Identifier<IdentifierTests>

    @Test("an identifier is written in lower case and read in either case")
    func text() throws {
        let text = "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"
        #expect(try ID(validating: text).text == text)
        #expect(try ID(validating: text.uppercased()).text == text)
        #expect(try ID(validating: text) == ID(validating: text.uppercased()))
    }

    @Test(
        "what is not a valid UUID is refused",
        arguments: [
            "", "1", "01930f2e7c507b3a9f532f6d1c0a4e11", "{01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11}",
            "urn:uuid:01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11", "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e1",
            "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e1g",
            "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e111", "01930f2e_7c50_7b3a_9f53_2f6d1c0a4e11",
            "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e1 ",
            "0193-0f2e7c50-7b3a-9f53-2f6d1c0a4e11",
        ])
    func refused(text: String) {
        #expect(refusal(ID.self, text) == "is not a valid UUID")
    }

    @Test("new identifiers are UUIDs of version 7 (RFC 9562) and sort in order of creation, as text too")
    func version7() {
        var before = ID()
        for _ in 0..<50_000 {
            let next = ID()
            let bytes = next.uuid.uuid
            #expect(bytes.6 >> 4 == 7)
            #expect(bytes.8 >> 6 == 0b10)
            #expect(before < next)
            #expect(before.text < next.text)
            before = next
        }
    }

    @Test("an identifier begins with its creation time in milliseconds")
    func milliseconds() {
        let before = ID().uuid.uuid
        let now = UInt64(Date().timeIntervalSince1970 * 1000)
        let made = [before.0, before.1, before.2, before.3, before.4, before.5].reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        #expect(made <= now + 60_000)
        #expect(made + 60_000 > now)
    }

    @Test("identifiers created concurrently by many tasks are all different")
    func concurrent() async {
        let all = await withTaskGroup(of: [ID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<5_000).map { _ in ID() } } }
            return await group.reduce(into: [ID]()) { $0 += $1 }
        }
        #expect(Set(all).count == 40_000)
    }

    @Test("a clock that is set back does not break the order")
    func clockGoesBack() {
        let now = UUIDv7.next()
        let earlier = UUIDv7.next(at: Date(timeIntervalSince1970: 1_000_000_000))
        #expect(now < earlier)
        #expect(UUIDv7.next(at: Date(timeIntervalSince1970: -5)) > earlier)
    }
}
