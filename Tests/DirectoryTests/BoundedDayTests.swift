import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("days that can be")
struct BoundedDayTests {
    @Test("memberships, mandates, payments and calls are refused on days that cannot be, when made and when changed")
    func api() async throws {
        try await withDirectory { directory in
            let year = Day.today.year
            let home = try await directory.organization("Maison")
            let person = try await directory.person("Ada", "Zola")
            func refused(_ answer: RawAnswer, _ pointer: String) throws {
                #expect(try answer.status == 422 && answer.pointer() == pointer, "\(answer.text)")
            }
            for (from, until, pointer) in [
                ("0206-11-28", "\(year)-12-31", "/from"), ("\(year + 11)-01-02", "\(year + 11)-12-31", "/from"),
                ("\(year)-01-01", "3027-01-01", "/until"), ("1989-12-31", "1990-12-31", "/from"),
            ] {
                let membership =
                    #"{"organization":"\#(home.id)","tier":"standard","from":"\#(from)","until":"\#(until)"}"#
                try refused(try await directory.ask(.post, "/v1/memberships", json: membership), pointer)
                let mandate = #"{"person":"\#(person.id)","kind":"titular","from":"\#(from)","until":"\#(until)"}"#
                try refused(
                    try await directory.ask(.post, "/v1/organizations/\(home.id)/mandates", json: mandate), pointer)
            }
            let membership = try await directory.membership(home.id, from: "\(year)-01-01", until: "\(year)-12-31")
            let path = "/v1/memberships/\(membership.id)"
            try refused(try await directory.ask(.patch, path, ifMatch: 1, json: #"{"from":"0206-01-01"}"#), "/from")
            try refused(try await directory.ask(.patch, path, ifMatch: 1, json: #"{"until":"3027-01-01"}"#), "/until")
            let mandate = try await directory.mandate(person.id, of: home.id, .titular, from: "2026-01-01")
            let seat = "/v1/organizations/\(home.id)/mandates/\(mandate.id)"
            try refused(try await directory.ask(.patch, seat, ifMatch: 1, json: #"{"from":"0206-01-01"}"#), "/from")
            for wrong in [1999, year + 11, 2999] {
                try refused(
                    try await directory.ask(.post, "/v1/contribution-calls", json: #"{"year":\#(wrong)}"#), "/year")
            }
            for wrong in [Day.today.adding(days: -1), Day.today.adding(days: 800), "0206-11-28"] {
                try refused(
                    try await directory.ask(
                        .post, "/v1/contribution-calls", json: #"{"year":\#(year),"dueOn":"\#(wrong)"}"#), "/dueOn")
            }
            _ = try await directory.ask(
                .patch, "/v1/tiers/standard", ifMatch: 1, json: #"{"fee":{"amount":10000,"currency":"EUR"}}"#)
            _ = try await directory.ask(.post, "/v1/contribution-calls", json: #"{"year":\#(year)}"#)
            let contribution = try await directory.ask("/v1/contributions").items("id").first ?? ""
            for wrong in ["0206-11-28", "1989-12-31", Day.today.adding(days: 2).text] {
                let payment = #"{"amount":{"amount":100,"currency":"EUR"},"paidOn":"\#(wrong)"}"#
                try refused(
                    try await directory.ask(.post, "/v1/contributions/\(contribution)/payments", json: payment),
                    "/paidOn")
            }
        }
    }

    @Test("an import takes no enrolment in the future and none before there was a club")
    func imports() async throws {
        try await withDirectory { directory in
            let (ahead, next) = (Day.today.adding(days: 2), Day.today.adding(days: 400))
            let file =
                "Nom;Prénom;Inscrit le;Parti le\nZola;A;0206-11-28;\nZola;B;\(ahead);\nZola;C;2020-01-01;\(next)\n"
                + "Zola;D;28/11/206;\nZola;E;14/3/2025;15/3/2025\n"
            let report = try await directory.raw(
                .post, "/v1/imports/ambassadors?mode=apply&rejects=skipRow", role: .operator,
                headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
            ).decode(ImportReport.self)
            #expect(report.created == 1 && report.errors.map(\.row) == [1, 2, 3, 4])
            #expect(report.errors.map(\.column) == ["Inscrit le", "Inscrit le", "Parti le", "Inscrit le"])
        }
    }
}
