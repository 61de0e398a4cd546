import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("bounded days")
struct BoundedDayTests {
    @Test("memberships, mandates, payments and calls refuse days out of bounds, when created and when changed")
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

    @Test("every day and time that the OpenAPI document allows is refused where it is invalid")
    func document() async throws {
        try await withDirectory { directory in
            let (year, operating) = (Day.today.year, try directory.client(.operator))
            let home = try await directory.organization("Maison")
            let person = try await directory.person("Ada", "Zola")
            let expert = try await directory.expert("Agence")
            let membership = try await directory.membership(home.id, from: "\(year)-01-01", until: "\(year)-12-31")
            let mandate = try await directory.mandate(person.id, of: home.id, .titular, from: "2026-01-01")
            _ = try await directory.ask(
                .patch, "/v1/tiers/standard", ifMatch: 1, json: #"{"fee":{"amount":10000,"currency":"EUR"}}"#)
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let contribution = try #require(
                try await operating.send(ListContributions.request(query: .init())).items.first)
            let euro = #""amount":{"amount":100,"currency":"EUR"}"#
            let answer = ##"{"purpose":"flashInfo","agreed":true,"at":"#"}"##
            let (members, member) = ("/v1/memberships", "/v1/memberships/\(membership.id)")
            let (organization, seat) = ("/v1/organizations/\(home.id)", "/v1/organizations/{organization}/mandates")
            func request(_ place: String, _ path: String, version: Int? = nil, _ json: String) -> BodyDays.Request {
                BodyDays.Request(place, at: path, as: .operator, version: version, json)
            }
            let faults = try await BodyDays.faults(
                of: directory,
                [
                    request(
                        "POST /v1/contribution-calls /dueOn", "/v1/contribution-calls",
                        ##"{"year":\##(year),"dueOn":"#"}"##),
                    request(
                        "POST /v1/contributions/{contribution}/payments /paidOn",
                        "/v1/contributions/\(contribution.id)/payments", ##"{\##(euro),"paidOn":"#"}"##),
                    request("POST /v1/experts/{expert}/consents /at", "/v1/experts/\(expert.id)/consents", answer),
                    request("POST /v1/people/{person}/consents /at", "/v1/people/\(person.id)/consents", answer),
                    request(
                        "POST /v1/memberships /from", members,
                        ##"{"organization":"\##(home.id)","tier":"standard","from":"#","until":"\##(year + 1)-12-31"}"##
                    ),
                    request(
                        "POST /v1/memberships /until", members,
                        ##"{"organization":"\##(home.id)","tier":"standard","from":"\##(year + 1)-01-01","until":"#"}"##
                    ),
                    request("PATCH /v1/memberships/{membership} /from", member, version: 1, ##"{"from":"#"}"##),
                    request("PATCH /v1/memberships/{membership} /until", member, version: 1, ##"{"until":"#"}"##),
                    request(
                        "POST /v1/memberships/{membership}/tier-changes /from", "\(member)/tier-changes",
                        ##"{"tier":"premium","from":"#"}"##),
                    request(
                        "POST /v1/memberships/{membership}/tier-changes /dueOn", "\(member)/tier-changes",
                        ##"{"tier":"premium","from":"\##(year)-07-01","dueOn":"#"}"##),
                    request(
                        "POST /v1/organizations/{organization}/credit-refunds /paidOn",
                        "\(organization)/credit-refunds",
                        ##"{\##(euro),"paidOn":"#"}"##),
                    request(
                        "POST \(seat) /from", "\(organization)/mandates",
                        ##"{"person":"\##(person.id)","kind":"alternate","from":"#"}"##),
                    request(
                        "POST \(seat) /until", "\(organization)/mandates",
                        ##"{"person":"\##(person.id)","kind":"alternate","from":"2026-01-01","until":"#"}"##),
                    request(
                        "PATCH \(seat)/{mandate} /from", "\(organization)/mandates/\(mandate.id)", version: 1,
                        ##"{"from":"#"}"##),
                    request(
                        "PATCH \(seat)/{mandate} /until", "\(organization)/mandates/\(mandate.id)", version: 1,
                        ##"{"until":"#"}"##),
                    request(
                        "POST /v1/referrals/{referral}/offers /answerBy", "/v1/referrals/\(Referral.ID())/offers",
                        ##"{"experts":["\##(expert.id)"],"answerBy":"#"}"##),
                ], any: BodyDays.questions)
            #expect(faults == [])
        }
    }

    @Test("an import accepts no enrolment in the future and none before the club existed")
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
