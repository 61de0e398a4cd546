import ClubProtocol
import Foundation
import HTTPTypes
import TestKit
import Testing

@testable import ServiceKit

@Suite("a running service and its trust file")
struct TrustFileWatchTests {
    @Test(
        "a broken trust file is a health warning while the old one is in force; the fixed one is loaded")
    func broken() async throws {
        try await withService(NoteService.self) { service in
            let whole = try Data(contentsOf: URL(fileURLWithPath: service.keys.trustFile))
            func warning() async throws -> HealthReport.Check? {
                let page = try await service.operatorPage("/health/ready")
                #expect(page.status == 200)
                return try page.decode(HealthReport.self).checks["identity:trustFile"]?.first
            }
            #expect(try await warning() == nil)
            try Data("{".utf8).write(to: URL(fileURLWithPath: service.keys.trustFile), options: .atomic)
            try await eventually("the health page warns") { try await warning()?.status == .warn }
            #expect(try await warning()?.output?.hasPrefix("not usable since ") == true)
            let path = "/v1/notes/\(Note.ID())"
            #expect(try await service.raw(.get, path, role: .operator).status == 404)
            // Fixed, with one key less: that key's tokens are refused at once, though they were cached.
            var trust = try JSONDecoder().decode(TrustFile.self, from: whole)
            trust.keys.removeAll { $0.speaksFor == [.people] }
            try trust.replace(at: service.keys.trustFile)
            try await eventually("the mended file is in force") {
                try await service.raw(.get, path, role: .operator).status == 401
            }
            #expect(try await warning() == nil)
        }
    }
}
