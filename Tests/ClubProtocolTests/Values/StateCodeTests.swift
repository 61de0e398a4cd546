import ClubProtocol
import Testing

@Suite("Official numbers and codes")
struct StateCodeTests {
    @Test(
        "a SIREN has nine digits, the last a check digit",
        arguments: ["732829320", "356000000", "404833048", "000000000"])
    func siren(text: String) {
        #expect(refusal(Siren.self, text) == nil)
    }

    @Test(
        "an invalid SIREN is refused",
        arguments: [
            "", "73282932", "7328293200", "732829321", "732829302", "73282932O", "732 829 320", "７32829320",
            "-73282932", "73282932\n",
        ])
    func noSiren(text: String) {
        #expect(refusal(Siren.self, text)?.hasPrefix("is not a valid SIREN") == true)
    }

    @Test("every single wrong digit is detected")
    func singleDigit() {
        for base in ["732829320", "404833048"] {
            for index in 0..<9 {
                for digit in 0...9 {
                    var digits = base.compactMap(\.wholeNumberValue)
                    digits[index] = digit
                    let text = digits.map(String.init).joined()
                    #expect((refusal(Siren.self, text) == nil) == (text == base))
                }
            }
        }
    }

    @Test("generating a check digit agrees with verifying it")
    func checkDigit() {
        #expect(Luhn.checkDigit(for: "73282932") == 0)
        for number in 10_000_000..<10_000_200 {
            #expect(refusal(Siren.self, "\(number)\(Luhn.checkDigit(for: "\(number)"))") == nil)
        }
    }

    @Test("a SIRET has fourteen digits with a check digit of its own", arguments: ["73282932000074", "40483304800022"])
    func siret(text: String) {
        #expect(refusal(Siret.self, text) == nil)
    }

    @Test(
        "an invalid SIRET is refused",
        arguments: [
            "", "732829320", "7328293200007", "732829320000744", "73282932000075", "7328293200007A", "73282932 00074",
        ])
    func noSiret(text: String) {
        #expect(refusal(Siret.self, text)?.hasPrefix("is not a valid SIRET") == true)
    }

    @Test("SIRETs of La Poste are checked by the plain sum of their digits")
    func laPoste() {
        // The head office passes Luhn; the others do not, but their digits add up to a multiple of five.
        for text in ["35600000000048", "35600000049837", "35600000000001"] {
            #expect(refusal(Siret.self, text) == nil, "\(text)")
        }
        for text in ["35600000000002", "35600000049838"] { #expect(refusal(Siret.self, text) != nil, "\(text)") }
        // The plain sum is not accepted for any other company.
        #expect(refusal(Siret.self, "73282932000065") != nil)
    }

    @Test("a SIRET contains its SIREN, unless its first nine digits are not one")
    func sirenOfSiret() throws {
        #expect(try Siret(validating: "73282932000074").siren == "732829320")
        #expect(try Siret(validating: "35600000049837").siren == "356000000")
        let wrong = try Siret(validating: "10000000000008")
        #expect(throws: InvalidText.self) { try wrong.siren }
    }

    @Test("a postal code keeps its leading zero", arguments: ["01000", "64000", "20090", "97400", "99999", "00200"])
    func postalCode(text: String) throws {
        #expect(try PostalCode(validating: text).text == text)
    }

    @Test(
        "a foreign postal code follows the code of its country",
        arguments: [
            ("BE-1050", "BE-1050"), ("b-1050", "BE-1050"), ("CH-1201", "CH-1201"), ("L-1009", "LU-1009"),
            ("GB-SW1A 1AA", "GB-SW1A 1AA"), ("F-64000", "64000"), ("FR-64000", "64000"), ("MC-98000", "98000"),
            ("RE-97400", "97400"),
        ])
    func foreignPostalCode(text: String, kept: String) throws {
        #expect(try PostalCode(validating: text).text == kept)
        #expect(try PostalCode(validating: kept).text == kept)
    }

    @Test(
        "an invalid postal code is refused",
        arguments: [
            "", "1000", "64 000", "640000", "00000", "6400A", "２4000", "64000 ", "XX-1050", "BE-", "BE-1", "BE- 1050",
            "BE-1050-", "FR-1050", "BE-12345678901", "BE1050",
        ])
    func noPostalCode(text: String) {
        #expect(
            refusal(PostalCode.self, text)
                == "is not a valid postal code (5 digits)")
    }
}
