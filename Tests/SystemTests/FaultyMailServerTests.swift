import Foundation
import TestKit
import Testing

/// The server that ``MailingFaultTests`` relies on.
@Suite("faulty mail server")
struct FaultyMailServerTests {
    private static let hello = "EHLO club.example\r\n"

    private static func commands(_ recipient: String) -> String {
        "MAIL FROM:<info@club.example>\r\nRCPT TO:<\(recipient)>\r\nDATA\r\n"
    }

    private static func text(_ number: Int) -> String {
        "Subject: .\r\nMessage-ID: <\(number)@club.example>\r\n\r\n..\r\nBonjour\r\n.\r\n"
    }

    /// Says all this at once, and returns the answers until the server has nothing more to say.
    private func answers(of server: FaultyMailServer, to flights: [String]) async throws -> String {
        let socket = try RawSocket(port: server.port)
        for flight in flights { await socket.send(flight) }
        socket.endSending()
        return await socket.readAll()
    }

    @Test("commands and texts in one flight are answered in their order, however the flight is cut")
    func pipelining() async throws {
        try await FaultyMailServer.run { server in
            let flight =
                Self.hello + (1...3).map { Self.commands("a.\($0)@a.example") + Self.text($0) }.joined() + "QUIT\r\n"
            let expected =
                ["220", "250", "250", "250", "250", "250"] + (1...3).flatMap { _ in ["250", "250", "354", "250"] }
                + ["221"]
            for size in [1, 7, 100, flight.utf8.count] {
                let bytes = Array(flight.utf8)
                let parts = stride(from: 0, to: bytes.count, by: size).map {
                    String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self)
                }
                let lines = try await answers(of: server, to: parts).split(separator: "\r\n")
                #expect(lines.map { String($0.prefix(3)) } == expected, "parts of \(size)")
            }
            let record = server.record
            #expect(record.accepted.map(\.id) == (0..<4).flatMap { _ in (1...3).map { "\($0)@club.example" } })
            #expect(Set(record.accepted.map(\.connection)).count == 4)
            #expect(record.mostTextsByDomain == ["a.example": 3])
            #expect(record.faults.isEmpty && record.doubts == 0)
        }
    }

    @Test(
        "each fault is what it says",
        arguments: [
            (.busyGreeting, "421", false, false), (.greylisting, "450", false, false),
            (.localError, "451", false, false), (.unknownRecipient, "550", false, false),
            (.endOfSession, "421", false, false), (.dropBeforeText, "250", false, false),
            (.dropInText, "354", false, true), (.refusedText, "554", false, false),
            (.dropAfterText, "354", false, true), (.dropAfterAcceptance, "354", true, true),
        ] as [(MailFault, String, isAccepted: Bool, leavesDoubt: Bool)])
    func kinds(_ fault: MailFault, answer: String, isAccepted: Bool, leavesDoubt: Bool) async throws {
        try await FaultyMailServer.run(MailFaultPlan(rates: [fault: 1])) { server in
            let flight = Self.hello + Self.commands("a@a.example") + Self.text(1)
            let lines = try await answers(of: server, to: [flight]).split(separator: "\r\n")
            let codes = lines.map { $0.prefix(3) }
            // A client without PIPELINING would see it last; this one has sent DATA already.
            #expect(
                fault == .greylisting || fault == .localError || fault == .unknownRecipient
                    ? codes.contains(Substring(answer)) : codes.last == Substring(answer), "\(lines)")
            #expect(server.record.faults == [fault: 1])
            #expect(server.record.accepted.map(\.recipient) == (isAccepted ? ["a@a.example"] : []))
            #expect(server.record.doubts == (leavesDoubt ? 1 : 0))
        }
    }
}
