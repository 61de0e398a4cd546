import Documents
import Foundation
import Testing

@Suite("documents as PDF")
struct PDFWriterTests {
    private static func document(paragraphs: Int = 1) -> Document {
        Document(
            title: "Reçu n° 2027-12", author: "Le Club de l’économie numérique", date: "2027-03-14T00:00:00Z",
            sender: ["12, rue de l’Exemple", "75002 Paris"], recipient: ["Chambre <du> Béarn", "64000 Pau"],
            blocks: [
                .heading("Reçu n° 2027-12"), .table([.init("Montant reçu", "1\u{202F}200,00\u{A0}€", isStrong: true)]),
            ]
                + (0..<paragraphs).map { .paragraph("Paragraphe \($0) : " + String(repeating: "œuvre ", count: 80)) },
            legalNotice: "TVA non applicable, article\u{A0}293\u{A0}B du CGI.")
    }

    @Test("the same document has the same bytes on any thread; a different one has different bytes")
    func sameBytes() async throws {
        let first = try PDFWriter.write(Self.document())
        #expect(first.starts(with: Array("%PDF-1.5".utf8)))
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 { group.addTask { try PDFWriter.write(Self.document()) } }
            for try await bytes in group { #expect(bytes == first) }
        }
        var other = Self.document()
        other.recipient = ["Quelqu’un d’autre"]
        #expect(try PDFWriter.write(other) != first)
    }

    @Test("a long text continues on the next page, and every font is embedded")
    func pages() throws {
        func count(_ word: String, in bytes: [UInt8]) -> Int {
            String(decoding: bytes, as: UTF8.self).components(separatedBy: word).count - 1
        }
        let short = try PDFWriter.write(Self.document())
        let long = try PDFWriter.write(Self.document(paragraphs: 40))
        #expect(count("/Type /Page %", in: short) == 1)
        #expect(count("/Type /Page %", in: long) > 3)
        #expect(count("/FontFile", in: short) > 0)
        #expect(count("/FontFile", in: short) == count("/Type /FontDescriptor", in: short))
    }

    @Test("characters missing from all fonts, and text without spaces, do not cause a failure")
    func oddTexts() throws {
        var document = Self.document()
        document.recipient = [String(repeating: "W", count: 200), "日本 \u{1F600}", "", "a\u{301}\u{316}"]
        #expect(try !PDFWriter.write(document).isEmpty)
    }
}
