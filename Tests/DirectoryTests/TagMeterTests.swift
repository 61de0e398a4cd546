import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("XML tags")
struct TagMeterTests {
    private func accepts(_ text: String, inPiecesOf size: Int) -> Bool {
        var meter = TagMeter()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard meter.take(Array(rest.prefix(size))) else { return false }
            rest = rest.dropFirst(size)
        }
        return true
    }

    @Test(
        "a tag is measured wherever it is; comments, CDATA and instructions contain none",
        arguments: [1, 7, 100_000])
    func measured(size: Int) {
        let long = String(repeating: "z ", count: 2000)
        for (text, isGood) in [
            ("<a><!-- <export by bank\n\(long)--></a>", true), ("<a><![CDATA[ <b \(long)]]></a>", true),
            ("<a><?x <y \(long)?></a>", true), ("<a>\(long)</a>", true),
            ("<!-- l'entrée <a 'x --><a>", true), ("<a b='>'/>", true),
            // They end at their proper ends, and what follows is measured.
            ("<!-- x --><b \(long)>", false), ("<!-- x ---><b \(long)>", false), ("<!---->\(long)<b \(long)>", false),
            ("<![CDATA[]]]><b \(long)>", false), ("<![CDATA[ ]] >]]><b \(long)>", false), ("<?x ??><b \(long)>", false),
            ("<!--><b \(long)-->", true), ("<!--->  <b \(long)-->", true),
            // Looks like one at the beginning, but is not.
            ("<!-<b \(long)>", false), ("<![CDATA<b \(long)>", false), ("<!DOCTYPE a><b \(long)>", false),
            ("<![cdata[<b \(long)>", false), ("<b '<!--' \(long)>", false), ("<b \(long)>", false),
            ("<!--\(String(repeating: "x", count: TagMeter.longestRemark))-->", false),
            ("<![CDATA[\(String(repeating: "x", count: TagMeter.longestRemark))]]>", true),
        ] { #expect(accepts(text, inPiecesOf: size) == isGood, "\(text.prefix(40))") }
    }

    @Test("a statement with long comments, instructions and CDATA is read; a long tag after them is refused")
    func statement() async throws {
        try await withDirectory { directory in
            let long = String(repeating: "z ", count: 2000)
            let good = Camt(statements: [
                [.init(cents: 100, day: "2026-11-20", reference: "A", parts: [.init(cents: 100, text: "TEXTE")])]
            ]).text
            let remarks = "<!-- <export by bank\n\(long)--><?x <y \(long)?>"
            let text = good.replacing("<CdtDbtInd>", with: "\(remarks)<CdtDbtInd>")
                .replacing("TEXTE", with: "<![CDATA[COT <2026-4> & co]]>")
            func send(_ text: String) async throws -> RawAnswer {
                try await directory.raw(
                    .post, "/v1/bank-statements", role: .operator, headers: ["Content-Type": "application/xml"],
                    body: Array(text.utf8))
            }
            let attributes = (0..<400).map { "a\($0)=''" }.joined(separator: " ")
            #expect(try await send(text.replacing("<CdtDbtInd>", with: "<x \(attributes)/><CdtDbtInd>")).status == 422)
            let answer = try await send(text)
            #expect(answer.status == 201, "\(answer.text)")
            let lines = try await directory.client(.operator).send(ListBankLines.request(query: .init())).items
            #expect(lines.map { $0.remittance?.text } == ["COT <2026-4> & co"])
        }
    }
}
