import ClubProtocol
import HTTPTypes
import TestKit
import Testing

@testable import Directory

@Suite("accepted texts can be sent back")
struct TextRoundTripTests {
    @Test("a name whose stored form would have too many marks in a row is refused, on every way in")
    func marks() async throws {
        try await withDirectory { directory in
            let name =
                "a" + String(repeating: "\u{301}", count: 30) + "\u{200B}" + String(repeating: "\u{316}", count: 30)
            let sent = try await directory.ask(
                .post, "/v1/people", json: #"{"givenName":"\#(name)","familyName":"Martin"}"#)
            #expect(sent.status == 422)
            #expect(try sent.pointer() == "/givenName")
            let report = try await directory.report(
                "subKind,name,postalCode,commune\nwebAgency,\(name),64000,Pau\nwebAgency,Atelier,64000,Pau\n")
            #expect(report.created == 1 && report.rejected == 1)
            let kept = try await directory.person("Zoe\u{301}", "Martin")
            let back = try await directory.ask(
                .patch, "/v1/people/\(kept.id)", ifMatch: 1, json: #"{"givenName":"\#(kept.givenName?.text ?? "")"}"#)
            #expect(back.status == 200)
        }
    }
}
