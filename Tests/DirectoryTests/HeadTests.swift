import ClubProtocol
import HTTPTypes
import TestKit
import Testing

@testable import Directory

/// HEAD and GET of streamed responses (RFC 9110, 9.3.2).
@Suite("HEAD")
struct HeadTests {
    @Test("HEAD of a table, a sitemap or cards has the headers of GET, including for the handler's errors")
    func streams() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Atelier")
            let types = ["text/csv", "text/vcard", "application/xml"]
            let streamed = DirectoryAPI.endpoints.map { $0.operation }.filter { operation in
                let isWritten = types.contains { operation.produces.rawValue.hasBytePrefix($0) }
                return operation.method == .get && isWritten && !operation.path.utf8.contains(UInt8(ascii: "{"))
            }
            #expect(streamed.count > 10)
            let wrong = [
                "/sitemap.xml?part=nope", "/sitemap.xml?part=1", "/v1/coverage.csv?topic=alchemy",
                "/v1/coverage.csv?departement=99", "/v1/experts.csv?near=x",
            ]
            for path in streamed.map(\.path) + wrong {
                let head = try await directory.ask(.head, path)
                let get = try await directory.ask(.get, path)
                #expect(head.status == get.status && head.body.isEmpty, "\(path)")
                #expect((get.status == 200) == !wrong.contains(path), "\(path) \(get.status)")
                func told(_ answer: RawAnswer) -> [String: String] {
                    answer.headers.filter {
                        !["date", "x-request-id", "content-length", "transfer-encoding"].contains($0.key)
                    }
                }
                #expect(told(head) == told(get), "\(path)")
            }
        }
    }
}
