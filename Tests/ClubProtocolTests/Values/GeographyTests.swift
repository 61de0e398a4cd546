import ClubProtocol
import Testing

@Suite("Départements and postal codes")
struct GeographyTests {
    @Test("there are 101 départements, six collectivities and Monaco, in order of their codes")
    func departements() {
        #expect(Departement.all.count == 108)
        #expect(Departement.all.first == "01" && Departement.all.last == "988")
        #expect(Departement.all == Departement.all.sorted())
        let wrong = ["", "0", "1", "00", "20", "96", "2a", "2C", "970", "979", "981", "01 ", "001", "99", "0\u{301}1"]
        for text in wrong { #expect(refusal(Departement.self, text) == "is not a valid département code") }
    }

    @Test(
        "a postal code determines the département, including CEDEX codes and overseas territories",
        arguments: [
            ("64000", "64"), ("01000", "01"), ("75116", "75"), ("20000", "2A"), ("20190", "2A"), ("20200", "2B"),
            ("20620", "2B"), ("20291", "2B"), ("20407", "2B"), ("20303", "2A"), ("20700", "2A"), ("20704", "2A"),
            ("97110", "971"), ("97400", "974"), ("97600", "976"), ("97822", "974"), ("97705", "974"), ("97133", "977"),
            ("97150", "978"), ("97098", "977"), ("97054", "978"), ("97500", "975"), ("98000", "980"), ("98600", "986"),
            ("98714", "987"), ("98800", "988"), ("BE-1050", "990"), ("CH-1201", "990"),
        ] as [(PostalCode, Departement)])
    func departement(code: PostalCode, departement: Departement) {
        #expect(Departement(postalCode: code) == departement)
    }

    @Test(
        "a postal code that no département has determines none",
        arguments: ["96000", "97900", "98100", "99999", "00200"] as [PostalCode])
    func noDepartement(code: PostalCode) {
        #expect(Departement(postalCode: code) == nil)
    }

    @Test("a given département is kept where the postal code allows it, and otherwise replaced by the code's own")
    func said() {
        // Claret shares the postal code of its neighbours; Saint-Barthélemy was part of Guadeloupe until 2007.
        for (said, code, expected) in [
            ("04", "05110", "04"), (nil, "05110", "05"), ("2A", "20200", "2B"), ("75", "97400", "974"),
            ("971", "97133", "977"),
            ("974", "97822", "974"), ("64", "00200", "64"), (nil, "96000", nil), ("33", nil, "33"), (nil, nil, nil),
            ("59", "BE-1050", "990"), ("990", "59000", "59"),
        ] as [(Departement?, PostalCode?, Departement?)] {
            #expect(Departement(said: said, postalCode: code) == expected, "\(said?.text ?? "–") \(code?.text ?? "–")")
        }
    }

    @Test("a région is found by its département; collectivities and Monaco have none")
    func regions() {
        #expect(Region(of: "64") == "75" && Region(of: "2B") == "94" && Region(of: "976") == "06")
        #expect(Departement.all.count { Region(of: $0) == nil } == 7)
        for text in ["", "7", "755", "٧٥", "7\u{301}5"] {
            #expect(refusal(Region.self, text) == "is not a région code")
        }
    }
}
