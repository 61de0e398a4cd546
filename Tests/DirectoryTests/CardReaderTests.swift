import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("reading vCards", .serialized)
struct CardReaderTests {
    private func records(_ bytes: [UInt8], inPiecesOf size: Int? = nil) -> [CSVReader.Record] {
        var reader = CardReader()
        var records: [CSVReader.Record] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size ?? rest.count)
            records += reader.read(piece)
            rest = rest.dropFirst(piece.count)
        }
        return records + reader.finish()
    }

    /// The cells of the only card, by column.
    private func card(_ lines: String..., version: String = "4.0") -> [String: String] {
        let text = (["BEGIN:VCARD", "VERSION:\(version)"] + lines + ["END:VCARD", ""]).joined(separator: "\r\n")
        let read = records(Array(text.utf8))
        guard read.count == 2, read[1].fault == nil else {
            return ["fault": read.last?.fault ?? "\(read.count) records"]
        }
        return Dictionary(zip(read[0].cells, read[1].cells)) { first, _ in first }.filter { !$0.value.isEmpty }
    }

    private func faults(_ text: String) -> [String?] { records(Array(text.utf8)).dropFirst().map(\.fault) }

    @Test("the properties of a person become the cells of a row")
    func properties() {
        #expect(
            card(
                "UID:urn:uuid:01930F2E-7C50-7B3A-9F53-2F6D1C0A4E11", "FN:Dr Ada Été",
                #"N:d'Été\; fils;Ada;Rose,Lou;Dr;"#,
                "item1.EMAIL;TYPE=work:ada@a.example", "TEL;VALUE=uri;TYPE=\"voice,work\":tel:+33559000000;ext=1",
                #"ORG:Mairie\, de Pau;Service des eaux"#, #"TITLE:Directrice\nadjointe"#, "NOTE:x", "item1.X-ABLabel:y")
                == [
                    "id": "01930F2E-7C50-7B3A-9F53-2F6D1C0A4E11", "familyName": "d'Été; fils", "givenName": "Ada",
                    "honorificPrefix": "Dr", "email": "ada@a.example", "telephone": "+33559000000",
                    "organization": "Mairie, de Pau", "jobTitle": "Directrice\nadjointe",
                ])
        #expect(card("n:Zola;", "uid:17", "org:", "email: ", "tel:") == ["familyName": "Zola", "id": "17"])
        #expect(
            card("N:Été;Ada;;M.,Dr;", "N:Autre;Nom") == [
                "familyName": "Été", "givenName": "Ada", "honorificPrefix": "M. Dr",
            ])
        #expect(card(#"N:A\\\;B\x\n;C\"#) == ["familyName": "A\\;B\\x\n", "givenName": "C\\"])
        var reader = CardReader()
        _ = reader.read("BEGIN:VCARD\nNOTE:a\nADR:b\nx-y.bday:c\nNOTE:d\nFN:e\nREV:f\nEND:VCARD\n".utf8)
        #expect(reader.leftOut == ["NOTE", "ADR", "BDAY"])
    }

    @Test("the preferred address and telephone come first, each is listed once, and fax numbers are left out")
    func several() {
        let said = card(
            "EMAIL:a@a.fr", "EMAIL;PREF=2:b@a.fr", "EMAIL;TYPE=home;PREF=1:mailto:c@a.fr", "EMAIL:B@A.fr",
            "EMAIL;TYPE=X400:x",
            "TEL:05 59 00 00 00", "TEL;TYPE=FAX,WORK:05 59 00 00 01", "TEL;TYPE=PREF:06 12 34 56 78",
            "TEL;VALUE=uri:sip:ada@a.fr", "TEL:+33 5 59 00 00 00", "TEL;TYPE=FAX,VOICE:0559000002")
        #expect(
            said == [
                "email": "c@a.fr", "otherEmails": "b@a.fr, a@a.fr", "telephone": "+33612345678",
                "otherTelephones": "+33559000000, +33559000002",
            ])
        #expect(card("EMAIL:a|b@a.fr", "EMAIL:c,d")["otherEmails"] == "\"c,d\"")
        let cell = Cell.list(of: ["a", "b|c", "say \"yes\""])
        let back = try? Cell.list(cell) { part throws(InvalidText) in try Cell.line(part) }.map(\.text)
        #expect(back == ["a", "b|c", "say \"yes\""])
    }

    @Test("cards of old telephones: bare types, quoted-printable, character sets, another person's nested card")
    func old() {
        let expected = ["familyName": "Été, fils", "givenName": "Zoé", "telephone": "+33612345678"]
        #expect(
            card(
                "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:=C9t=E9, fils;=", "Zo=", "=E9",
                "TEL;HOME;CELL;PREF:0612345678",
                version: "2.1") == expected)
        #expect(
            card(
                "N;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=C3=89t=C3=A9, fils;Zo=C3=A9", "TEL;PREF:0612345678",
                version: "2.1")
                == expected)
        #expect(card("TITLE;QUOTED-PRINTABLE:a=3Db=zz=", "=", "c", version: "2.1") == ["jobTitle": "a=b=zzc"])
        #expect(
            card("N;CHARSET=\"ISO-8859-15\";ENCODING=QUOTED-PRINTABLE:=BDuvre", version: "2.1") == [
                "familyName": "œuvre"
            ])
        #expect(card("N;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:=83=7E", version: "2.1")["fault"] != nil)
        // The space at the start of a folded line belongs to the text in 2.1, and in no other version.
        #expect(card("ORG:Mairie", " de Pau", version: "2.1") == ["organization": "Mairie de Pau"])
        #expect(card("ORG:Mairie", " de Pau") == ["organization": "Mairiede Pau"])
        #expect(
            card(
                "N:Été;Ada", "AGENT:", "BEGIN:VCARD", "N:Autre;Bob", "END:VCARD", "TITLE:Maire", version: "2.1")
                == ["familyName": "Été", "givenName": "Ada", "jobTitle": "Maire"])
        #expect(
            card(
                "N:Été", "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRg", " ABAQEASABIAAD", "", "KEY;BASE64:AAAA",
                "AAAAAAAA", "TITLE:Maire",
                version: "2.1") == ["familyName": "Été", "jobTitle": "Maire"])
    }

    @Test("line ends, byte order marks, UTF-16 and Windows-1252 read the same, in chunks of any size")
    func encodings() {
        let text =
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Été;Œd\r\n ipe €\r\nEND:VCARD\r\n\r\nbegin:vcard\r\nN:🚀\r\nend:vcard"
        let expected = records(Array(text.utf8))
        #expect(
            expected.map { $0.cells.dropFirst().prefix(2).joined(separator: " ") } == [
                "familyName givenName", "Été Œdipe €", "🚀 ",
            ])
        for end in ["\n", "\r"] {
            let other = text.utf8.filter { $0 != UInt8(ascii: "\r") }.map {
                $0 == UInt8(ascii: "\n") ? end.utf8.first! : $0
            }
            for size in [1, 2, 7] { #expect(records(other, inPiecesOf: size) == expected) }
        }
        let units = Array("\u{FEFF}\(text)".utf16)
        let little = units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let big = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        for bytes in [Array("\u{FEFF}\(text)".utf8), little, big, Array(little.dropFirst(2))] {
            #expect(records(bytes, inPiecesOf: 3) == expected)
        }
        let latin: [UInt8] = Array("BEGIN:VCARD\nN:Ét\nEND:VCARD".unicodeScalars).map { UInt8($0.value) }
        #expect(records(latin).last?.cells[1] == "Ét")
    }

    @Test("an invalid card gives its reason, and the others are read")
    func wrong() {
        let good = "BEGIN:VCARD\nN:A;B\nEND:VCARD\n"
        func reasons(_ bad: String) -> [Bool] { faults(good + bad + good).map { $0 == nil } }
        #expect(reasons("BEGIN:VCARD\nN:A\n") == [true, false, true])
        #expect(
            reasons("BEGIN:VCARD\nN:A\nBEGIN:VCARD\nN:C\nEND:VCARD\nEND:VCARD\n") == [true, false, true, false, true])
        #expect(reasons("x\ny:1\nBEGIN:VCALENDAR\nEND:VCALENDAR\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nno property\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nN;X=\"a:b\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nN\u{E9}:A\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nKIND:group\nN:A\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nN;ENCODING=b:QQ==\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nN:\(HostileText.marks.text(bytes: 1000))\nEND:VCARD\n") == [true, false, true])
        #expect(reasons("BEGIN:VCARD\nEND:VCARD\n") == [true, true, true])
        #expect(faults("x\n" + good) == ["is not one: it is not between BEGIN:VCARD and END:VCARD", nil])
        #expect(faults(good + "BEGIN:VCARD\nN:A").map { $0 == nil } == [true, false])
        #expect(records(Array("name,email\nA,a@a.fr\n".utf8)) == [])
    }

    @Test("an endless line is not kept in memory and is refused, and pictures are skipped")
    func bounds() {
        let good = "BEGIN:VCARD\nN:A;B\nEND:VCARD\n"
        func reasons(_ bad: String) -> [Bool] {
            records(Array(("BEGIN:VCARD\n\(bad)\nEND:VCARD\n" + good).utf8), inPiecesOf: 4096).dropFirst().map {
                $0.fault == nil
            }
        }
        let long = String(repeating: "x", count: CardLines.longest * 3)
        #expect(reasons("N:\(long)") == [false, true])
        #expect(reasons("N;ENCODING=QUOTED-PRINTABLE:\(long)=\n=\n=\nx") == [false, true])
        #expect(reasons(long) == [false, true])
        #expect(reasons("N:A\nPHOTO;ENCODING=b:\(long)\nNOTE:\(long)") == [true, true])
        #expect(reasons((0...CardDraft.mostProperties).map { "NOTE:\($0)" }.joined(separator: "\n")) == [false, true])
        #expect(
            reasons((0...CardDraft.mostOfOne).map { "EMAIL:a\($0)@a.fr" }.joined(separator: "\n")) == [false, true])
        #expect(
            reasons((0...CardDraft.mostOfOne).map { "TEL:+4420718387\($0 + 10)" }.joined(separator: "\n")) == [
                false, true,
            ])
        let title = "TITLE:" + long.prefix(60_000)
        #expect(reasons([title, title, title, title, title].joined(separator: "\n")) == [false, true])
        var reader = CardReader()
        _ = reader.read(("BEGIN:VCARD\n" + (0..<900).map { "X-\($0):\n" }.joined()).utf8)
        #expect(reader.leftOut.count == 100)
    }

    @Test("no bytes break the reader, whole or in chunks")
    func noise() {
        var generator = SeededGenerator(seed: 35)
        let words = [
            "BEGIN:VCARD", "END:VCARD", "begin:vcard", "VERSION:2.1", "VERSION:4.0", "AGENT:", "N:", "N;", "EMAIL",
            "TEL;TYPE=",
            ";ENCODING=QUOTED-PRINTABLE:", "=", "=E9", "=C3", ";CHARSET=", "\"", ":", ";", ",", "\\", "\\n", "\r\n",
            "\n", "\r", "\n ",
            "\n\t", "\u{FEFF}", "\u{0}", "é", "\u{301}", "🚀", "UID:urn:uuid:", "KIND:group", "PREF=", "1", "x", ".",
            "item1.",
        ]
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...60, using: &generator) {
                if Int.random(in: 0..<12, using: &generator) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                } else {
                    bytes += Array((words.randomElement(using: &generator) ?? "").utf8)
                }
            }
            let whole = records(bytes)
            #expect(whole == records(bytes, inPiecesOf: Int.random(in: 1...5, using: &generator)))
            #expect(whole.dropFirst().allSatisfy { $0.fault != nil || $0.cells.count == CardReader.columns.count })
        }
    }

    @Test("no text costs more than plain ASCII of as many bytes, anywhere in a card")
    func cost() {
        func read(_ lines: String) {
            var reader = CardReader()
            _ = reader.read("BEGIN:VCARD\nVERSION:4.0\n\(lines)\nEND:VCARD\n".utf8) + reader.finish()
        }
        for name in ["N", "FN", "UID", "EMAIL", "TEL", "ORG", "TITLE", "KIND", "VERSION", "BEGIN", "AGENT", "NOTE"] {
            TextCost.check("\(name)", bytes: 20_000) { read("\(name):\($0)") }
            TextCost.check("\(name) by parts", bytes: 10_000) { text in
                read("\(name):\(text);\(text),\(text)\\n\(text)")
            }
        }
        TextCost.check("name") { read("\($0):x") }
        TextCost.check("parameter") { read("EMAIL;\($0);TYPE=\($0):x") }
        TextCost.check("no property") { read($0) }
        TextCost.check("outside") { text in
            var reader = CardReader()
            _ = reader.read("\(text)\n\(text)".utf8) + reader.finish()
        }
        TextCost.check("many", bytes: 600) { text in
            read(
                (0..<CardDraft.mostOfOne).map { "EMAIL:\($0)\(text)\nTEL:\($0)\(text)\nX-\($0):\(text)" }.joined(
                    separator: "\n"))
        }
    }

    @Test(
        "characters with a meaning cost no more than letters",
        arguments: [";", ",", "\\", "=", "\"", ".", ":", "\n ", "=\n", "a\n", "a:\n"])
    func signs(sign: String) {
        func cost(_ head: String, _ sign: String) -> Double {
            let text = head + String(repeating: sign, count: 60_000 / sign.utf8.count) + ":x"
            return TextCost.nanoseconds {
                var reader = CardReader()
                _ = reader.read("BEGIN:VCARD\nVERSION:2.1\n\(text)\nEND:VCARD\n".utf8) + reader.finish()
            }
        }
        for head in ["N:", "TITLE;ENCODING=QUOTED-PRINTABLE:", "EMAIL", "EMAIL;TYPE="] {
            let known = max(cost(head, "x"), 100_000)
            #expect(cost(head, sign) <= known * TextCost.limit, "\(head)")
        }
    }
}
