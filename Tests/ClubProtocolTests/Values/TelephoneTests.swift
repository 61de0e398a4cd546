import ClubProtocol
import TestKit
import Testing

@Suite("Telephone numbers")
struct TelephoneTests {
    @Test("a number is stored in international form, or refused", arguments: TelephoneCases.all.indices)
    func kept(index: Int) throws {
        let (written, kept, shown) = TelephoneCases.all[index]
        guard let kept else {
            #expect(refusal(Telephone.self, written) == "is not a telephone number that can be dialled", "\(written)")
            return
        }
        let number = try Telephone(validating: written)
        #expect(number.text == kept && number.written == shown, "\(written): \(number.text), \(number.written)")
        // Both forms read back as the same number.
        #expect(try Telephone(validating: number.text) == number && Telephone(validating: number.written) == number)
    }

    @Test("a card and a page link to it in the form of RFC 3966")
    func uri() {
        #expect(Telephone("05 59 00 00 00").uri == "tel:+33559000000")
        #expect(Telephone("39 49").uri == "tel:3949;phone-context=+33")
    }

    @Test("a megabyte of digits is refused before any byte of it is read")
    func long() {
        // If it were read, its 2²⁰ digits would be checked. The error is the same, so the time is compared with that of
        // 41 bytes.
        func work(_ count: Int) -> Double {
            let text = String(repeating: "1", count: count)
            return TextCost.nanoseconds { for _ in 0..<200 { _ = refusal(Telephone.self, text) } }
        }
        #expect(work(1 << 20) < work(41) * 50)
    }
}
