import ClubProtocol
import TestKit
import Testing

/// Everything that reads input, over the shapes that the services accept: the cost of a text compared with plain ASCII.
@Suite("the cost of texts", .serialized)
struct TextCostTests {
    private func read<T: Decodable>(_ type: T.Type, _ json: String) {
        _ = try? StrictJSON.decode(type, from: Array(json.utf8))
    }

    private static func escaped(_ text: String) -> String {
        text.utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    @Test("a key, single or repeated, at every position")
    func keys() {
        TextCost.check("key") { read(CreatePerson.Body.self, "{\"\($0)\":1}") }
        TextCost.check("inner key") { read(CreatePerson.Body.self, #"{"givenName":"A","consents":{"\#($0)":true}}"#) }
        TextCost.check("key of a choice") { read(MergeRecords.Body.self, #"{"choices":{"\#($0)":"merged"}}"#) }
        TextCost.check("many keys", bytes: 600) { text in
            let members = (0..<100).map { "\"\(text)\($0)\":1" }.joined(separator: ",")
            read(CreatePerson.Body.self, "{\(members)}")
        }
        TextCost.check("many unlike keys", bytes: 60, texts: [.fewMarks, .accents, .longS]) { text in
            let members = (0..<1000).map { "\"\($0)\(text)\":1" }.joined(separator: ",")
            read(CreatePerson.Body.self, "{\(members)}")
        }
    }

    @Test("an escaped text")
    func escapes() {
        for hostile in [HostileText.marks, .mixedMarks, .fewMarks] {
            let text = Self.escaped(hostile.text(bytes: 20_000))
            let plain = Self.escaped(String(repeating: "a", count: text.utf8.count / 6))
            for json in [#"{"givenName":"%"}"#, #"{"%":1}"#] {
                let known = TextCost.nanoseconds { read(CreatePerson.Body.self, json.replacing("%", with: plain)) }
                let ratio =
                    TextCost.nanoseconds { read(CreatePerson.Body.self, json.replacing("%", with: text)) } / known
                #expect(ratio <= TextCost.limit, "\(hostile): \(ratio)")
            }
        }
    }

    @Test("a value of an enumeration, alone and in a list")
    func enumerations() {
        TextCost.check("enumeration") { read(CreateExpert.Body.self, #"{"subKind":"\#($0)"}"#) }
        TextCost.check("choice") {
            read(MergeRecords.Body.self, #"{"kind":"\#($0)"}"#)
        }
        TextCost.check("list of enumerations") { read(Audience.self, #"{"roles":["\#($0)"],"purposes":["\#($0)"]}"#) }
        TextCost.check("parameter") { _ = try? FlatCoding.decodeQuery(SearchExperts.Query.self, from: "subKind=\($0)") }
    }

    @Test("the addresses and events of webhooks, a région, a place in a list")
    func values() {
        TextCost.check("webhook address") { read(CreateWebhook.Body.self, #"{"url":"\#($0)"}"#) }
        TextCost.check("webhook address that begins well") {
            read(CreateWebhook.Body.self, #"{"url":"https://\#($0)"}"#)
        }
        TextCost.check("webhook event") {
            read(CreateWebhook.Body.self, #"{"url":"https://a.fr","events":["\#($0)"]}"#)
        }
        TextCost.check("région") { _ = try? FlatCoding.decodeQuery(SearchExperts.Query.self, from: "region=\($0)") }
        TextCost.check("place") { _ = try? FlatCoding.decodeQuery(ShowExperts.Query.self, from: "apres=0~\($0)~x") }
    }

    @Test("a parameter's name and value, literal and percent-encoded; a form of many pairs")
    func forms() {
        for encode in [{ $0 }, { $0.utf8.map { "%" + String($0, radix: 16) }.joined() }] as [(String) -> String] {
            TextCost.check("name", bytes: 20_000) {
                _ = try? FlatCoding.decodeQuery(SearchExperts.Query.self, from: "\(encode($0))=1")
            }
            TextCost.check("value", bytes: 20_000) {
                _ = try? FlatCoding.decodeQuery(ChangeOwnRecord.Body.self, from: "brands=\(encode($0))")
            }
            TextCost.check("truth", bytes: 20_000) {
                _ = try? FlatCoding.decodeQuery(SearchExperts.Query.self, from: "enrolled=\(encode($0))")
            }
        }
        // Thousands of names cost only their bytes: those beyond the limit are not looked at.
        let few = (0..<64).map { "n\($0)=" + String(repeating: "a", count: 1000) }.joined(separator: "&")
        let many = (0..<8000).map { "n\($0)" }.joined(separator: "&")
        let known = TextCost.nanoseconds { _ = try? FlatCoding.decodeQuery(ChangeOwnRecord.Body.self, from: few) }
        let cost = TextCost.nanoseconds { _ = try? FlatCoding.decodeQuery(ChangeOwnRecord.Body.self, from: many) }
        #expect(cost <= known * TextCost.limit, "\(cost / known)")
    }

    @Test("escaping for HTML")
    func html() {
        TextCost.check("HTML") { _ = HTMLText.escaped("<\($0)>") }
    }
}
